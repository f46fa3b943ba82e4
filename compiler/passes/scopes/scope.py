"""EnsembleProblem × Bounds -> Scope: which points a member can be fooled at, and by which classes.

The whole scope is the paper's: every point, every class. The pruned scope leaves out what bounds of the
margins decide: a class that cannot win, a point at which the member cannot be fooled.
"""

from dataclasses import dataclass

import numpy as np

from ensc.compiler.passes.bounds.relaxation import Forms
from ensc.compiler.passes.bounds.relaxed_bounds import least_over_logits, margin_bounds
from ensc.compiler.passes.bounds.rounding import down, up
from ensc.compiler.passes.scopes.plan import Plan, full_plan, pruned_plan
from ensc.compiler.types.bounds import Bounds, InputSets, Interval
from ensc.compiler.types.model import Flags, Indices
from ensc.compiler.types.network import Floats, Network
from ensc.compiler.types.problem import EnsembleProblem, Targeted

SLOPE_ROUNDS = 3
"""How often the lines behind a bound that may refute a pair are improved."""

NEAR = 0.35
"""Which they are where at most this share of a margin's interval lies above what is needed."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Places where one class has to beat another for the loss to be 1.

    For an untargeted loss (rival, label) for every rival, one of which suffices; for a targeted loss
    (target, rival) for every rival, all of them needed.

    Attributes:
        owner: for each pair the position of its point, ascending.
        winner: for each pair the class that has to win.
        loser: for each pair the class that has to lose.
    """

    owner: Indices
    winner: Indices
    loser: Indices

    def __len__(self) -> int:
        return len(self.owner)


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """What a model says about one member.

    Attributes:
        points: positions of the points at which the member may be fooled, shape (points,).
        plan: what of the network is lowered, for these points.
        pairs: who has to beat whom; their owners are positions within `points`.
        margins: bounds of `f_winner - f_loser`, shape (1, pairs), where they are known better than from
            the logits.
    """

    points: Indices
    plan: Plan
    pairs: Pairs
    margins: Interval | None


def whole_scope(problem: EnsembleProblem, network: Network, bounds: Bounds) -> Scope:
    """Return the scope that leaves nothing out."""
    return Scope(np.arange(len(problem.points)), full_plan(network, bounds), _pairs(problem), None)


def pruned_scope(problem: EnsembleProblem, network: Network, sets: InputSets, bounds: Bounds) -> Scope:
    """Return the scope without what bounds of the margins decide."""
    pairs = _pairs(problem)
    needed = problem.loss.margin
    margins = _margins(network, sets, bounds, pairs, float(needed))
    possible = margins.upper[0] >= down(needed)
    points = len(problem.points)
    if isinstance(problem.loss, Targeted):
        alive = np.bincount(pairs.owner[~possible], minlength=points) == 0
        kept = alive[pairs.owner] & (margins.lower[0] < up(needed))
    else:
        alive = np.bincount(pairs.owner[possible], minlength=points) > 0
        kept = possible
    positions = np.cumsum(alive) - 1
    chosen = np.flatnonzero(alive)
    wanted = np.ones((len(chosen), problem.classes), dtype=np.bool_)
    return Scope(
        chosen,
        pruned_plan(network, bounds.at(chosen), wanted),
        Pairs(positions[pairs.owner[kept]], pairs.winner[kept], pairs.loser[kept]),
        Interval(margins.lower[:, kept], margins.upper[:, kept]),
    )


def scope_at(scope: Scope, point: int) -> Scope | None:
    """Return the part of a scope that concerns one point; None where the member cannot be fooled."""
    place = int(np.searchsorted(scope.points, point))
    if place == len(scope.points) or scope.points[place] != point:
        return None
    kept = scope.pairs.owner == place
    pairs = Pairs(
        np.zeros(int(kept.sum()), dtype=np.int64), scope.pairs.winner[kept], scope.pairs.loser[kept]
    )
    margins = scope.margins
    if margins is not None:
        margins = Interval(margins.lower[:, kept], margins.upper[:, kept])
    return Scope(np.array([point]), scope.plan.at(slice(place, place + 1)), pairs, margins)


def _pairs(problem: EnsembleProblem) -> Pairs:
    """Return every pair, points in order and classes ascending."""
    labels = problem.points.labels
    owner = np.repeat(np.arange(len(labels)), problem.classes - 1)
    if isinstance(problem.loss, Targeted):
        winner = np.full(len(owner), problem.loss.label)
        return Pairs(owner, winner, _others(winner.reshape(len(labels), -1)[:, 0], problem.classes))
    loser = np.repeat(labels, problem.classes - 1)
    return Pairs(owner, _others(labels, problem.classes), loser)


def _others(excluded: Indices, classes: int) -> Indices:
    """Return for each class given all other classes, concatenated."""
    every: Flags = np.arange(classes) != excluded[:, None]
    return np.nonzero(every)[1]


def _margins(network: Network, sets: InputSets, bounds: Bounds, pairs: Pairs, needed: float) -> Interval:
    """Bound `f_winner - f_loser` over the set of each pair's point, shape (1, pairs)."""
    width = len(pairs) // max(1, len(sets.lower))
    forms: Floats = np.zeros((len(sets.lower), width, network.classes))
    place = np.tile(np.arange(width), len(sets.lower))
    forms[pairs.owner, place, pairs.winner] = 1.0
    forms[pairs.owner, place, pairs.loser] = -1.0
    upper = margin_bounds(network, sets, bounds, forms)
    lower = -margin_bounds(network, sets, bounds, -forms)
    near = (upper >= needed) & (upper - needed <= NEAR * (upper - lower))
    if near.any():
        owner = np.nonzero(near)[0]
        some = Forms(owner, -forms[near], np.zeros(len(owner)))
        found = least_over_logits(network, sets, bounds, some, rounds=SLOPE_ROUNDS)
        upper[near] = np.minimum(upper[near], -found.bound)
    return Interval(lower.reshape(1, -1), upper.reshape(1, -1))
