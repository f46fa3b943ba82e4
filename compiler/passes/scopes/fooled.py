"""Scopes -> smaller Scopes, and bounds of what matters of a member: its network where it is fooled.

The copy of a network for an attack and a point is there for its loss `l` alone: where `l = 0`, nobody asks
what it computes. That the member is fooled is a demand on its logits (`asserted_scopes`). Where bounds refute
the demand, the member is left out at the point, or the rival that cannot win. Rectifiers that have one phase
where the demand holds need no binary: `l = 1` implies that phase (`settled`).

Assumes bounds that hold. Guarantees the same optimum: only losses that no attack inflicts are left out, and a
claimed loss still means all that it meant.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ensc.compiler.passes.scopes.asserted_scopes import asserted_scopes
from ensc.compiler.passes.scopes.narrow import narrowed
from ensc.compiler.passes.scopes.scope import Scope, scope_at
from ensc.compiler.types.bounds import Bounds, InputSets, Interval
from ensc.compiler.types.model import Flags, Indices, Labels, Model, Names, Rectifiers
from ensc.compiler.types.network import Network, Relu
from ensc.compiler.types.problem import EnsembleProblem

LEAST_WORK = 1000
"""Open neurons of all copies times inputs below which a solver answers sooner than bounds could help it."""

MOST_WORK = 2_000_000_000
"""Neurons squared times inputs of all copies of one attack, above which bounds take too long: the smallest
networks come first, and the others are left alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Fooled:
    """What holds of a member wherever it is fooled.

    Attributes:
        points: positions of the points of which this is known, ascending, shape (points,).
        bounds: of all values of the network there.
    """

    points: Indices
    bounds: Bounds


def fooled_scopes(
    problem: EnsembleProblem,
    sets: InputSets,
    scopes: Sequence[Scope],
    attacks: int,
    *,
    least_work: int = LEAST_WORK,
) -> tuple[tuple[Scope, ...], tuple[Fooled, ...]]:
    """Return what is left to say of members, and what holds where they are fooled.

    Args:
        problem: the query.
        sets: the input sets of its points.
        scopes: of every member.
        attacks: copies of every network at every point.
        least_work: what must be open, see `LEAST_WORK`.
    """
    chosen = _worth(problem, scopes, -(-least_work // attacks))
    found = [
        _fooled(problem, sets, member, scope, worth)
        for member, (scope, worth) in enumerate(zip(scopes, chosen, strict=True))
    ]
    return tuple(scope for scope, _ in found), tuple(known for _, known in found)


def _worth(problem: EnsembleProblem, scopes: Sequence[Scope], least: int) -> list[Flags]:
    """Return for every member at which of its points bounds are worth their time."""
    open_ = [scope.plan.bounds.open_signs for scope in scopes]
    enough = sum(int(each.sum()) for each in open_) * problem.inputs >= least
    useful = [(each > 0) & enough for each in open_]
    every = np.concatenate(useful)
    sizes = [sum(v.lower.shape[1] for v in scope.plan.bounds.values[1:-1]) for scope in scopes]
    cost = np.repeat([size * size * problem.inputs for size in sizes], [len(each) for each in useful])
    order = np.argsort(cost, kind="stable")
    within = np.empty(len(every), dtype=np.bool_)
    within[order] = np.cumsum(np.where(every, cost, 0)[order]) <= MOST_WORK
    return np.split(within & every, np.cumsum([len(each) for each in useful])[:-1])


def _fooled(
    problem: EnsembleProblem, sets: InputSets, member: int, scope: Scope, worth: Flags
) -> tuple[Scope, Fooled]:
    alive = np.ones(len(scope.points), dtype=np.bool_)
    kept = np.ones(len(scope.pairs), dtype=np.bool_)
    known: list[Scope] = []
    for place in np.flatnonzero(worth).tolist():
        point = int(scope.points[place])
        here = scope_at(scope, point)
        assert here is not None
        found = asserted_scopes(problem, sets.at(slice(point, point + 1)), [(member, here)])
        if found is None:
            alive[place] = False
            continue
        known.append(found[0][1])
        kept[scope.pairs.owner == place] = _among(here, found[0][1])
    if not known and alive.all():
        return scope, _joined(problem.ensemble[member].network, known)
    return narrowed(scope, alive, kept), _joined(problem.ensemble[member].network, known)


def _among(before: Scope, after: Scope) -> Flags:
    """Return which pairs of a scope of one point another one still has."""
    left = set(zip(after.pairs.winner.tolist(), after.pairs.loser.tolist(), strict=True))
    pairs = zip(before.pairs.winner.tolist(), before.pairs.loser.tolist(), strict=True)
    return np.array([pair in left for pair in pairs], dtype=np.bool_)


def _joined(network: Network, known: Sequence[Scope]) -> Fooled:
    if not known:
        nothing = Interval(np.empty((0, 0)), np.empty((0, 0)))
        return Fooled(np.empty(0, dtype=np.int64), Bounds((nothing,) * (len(network.layers) + 1)))
    bounds = Bounds.joined([scope.plan.bounds for scope in known])
    return Fooled(np.concatenate([scope.points for scope in known]), bounds)


def settled(model: Model, networks: Sequence[Network], fooled: Sequence[Fooled]) -> Model:
    """Say of rectifiers of a joint model which loss settles their phase; these come last.

    Args:
        model: of `lower_joint`; a phase is named `z_c_i_j_L_n`, a loss `l_c_i_j`.
        networks: of every member.
        fooled: of every member.
    """
    rectifiers = model.rectifiers
    if not len(rectifiers):
        return model
    places = np.concatenate([_numbers(run) for run in rectifiers.labels])
    phases = _phases(places, networks, fooled)
    order, free = np.argsort(phases != 0, kind="stable"), int(np.count_nonzero(phases == 0))
    if free == len(phases):
        return model
    late = order[free:]
    labels = [Labels("z", tuple(places[part].T)) for part in (order[:free], late) if len(part)]
    switch = _losses(model, places[late, :3])
    found = Rectifiers(
        rectifiers.output[order], rectifiers.input[order], tuple(labels), switch, phases[late] > 0
    )
    return dataclasses.replace(model, rectifiers=found)


def _numbers(run: Labels | Names) -> Indices:
    """Return what a run of names says, shape (names, numbers)."""
    assert isinstance(run, Labels)
    return np.stack([axis.ravel() for axis in np.broadcast_arrays(*run.axes)], axis=-1)


def _phases(places: Indices, networks: Sequence[Network], fooled: Sequence[Fooled]) -> Indices:
    """Return 1 for rectifiers that pass where their member is fooled, -1 for those that do not, else 0."""
    phases = np.zeros(len(places), dtype=np.int64)
    members, _, points, layers, units = places.T
    for c, (network, known) in enumerate(zip(networks, fooled, strict=True)):
        told = (members == c + 1) & np.isin(points - 1, known.points)
        for number, layer in enumerate(network.layers, start=1):
            chosen = np.flatnonzero(told & (layers == number))
            if isinstance(layer, Relu) and len(chosen):
                value = known.bounds.values[layer.source]
                where = np.searchsorted(known.points, points[chosen] - 1), units[chosen] - 1
                passes, blocks = value.lower[where] >= 0, value.upper[where] <= 0
                phases[chosen] = np.where(passes, 1, np.where(blocks, -1, 0))
    return phases


def _losses(model: Model, places: Indices) -> Indices:
    """Return the variables `l_c_i_j` of members, attacks and points, shape (places,)."""
    runs = model.variables.labels
    firsts = np.cumsum([0, *(run.size for run in runs)]).tolist()
    table = np.full(places.max(axis=0) + 1, -1)
    for run, first in zip(runs, firsts, strict=False):
        if isinstance(run, Labels) and run.prefix == "l":
            numbers = _numbers(run)
            inside = (numbers < table.shape).all(axis=1)
            table[tuple(numbers[inside].T)] = first + np.flatnonzero(inside)
    losses: Indices = table[tuple(places.T)]
    return losses
