"""EnsembleProblem × Scopes -> tighter Scopes of members that are all fooled by one perturbation of one point.

That a member is fooled is a demand on its logits (`asserted_bounds`): for a targeted loss that the target
beats every rival, for an untargeted one that some rival beats the label. Which rival it is makes a case; a
case that is refuted falls away, and bounds that hold in each remaining case hold.
"""

import itertools
from collections.abc import Sequence

import numpy as np

from ensc.compiler.passes.bounds.asserted_bounds import Asserted, Demand, asserted_bounds
from ensc.compiler.passes.bounds.asserted_branches import branched
from ensc.compiler.passes.bounds.relaxed_bounds import margin_bounds
from ensc.compiler.passes.bounds.rounding import down
from ensc.compiler.passes.scopes.plan import pruned_plan
from ensc.compiler.passes.scopes.scope import Pairs, Scope
from ensc.compiler.types.bounds import Bounds, InputSets, Interval
from ensc.compiler.types.model import Indices
from ensc.compiler.types.network import Floats, Network
from ensc.compiler.types.problem import EnsembleProblem, Targeted

LEAST_WORK = 300
"""Open neurons times inputs below which a question goes to a solver as it is.

Bounds take hundredths of a second and starting a solver tenths, so that little is too small for them.
"""

MOST_CASES = 27
"""Combinations of rivals that are looked at together."""

Case = tuple[int, ...]
"""For each member which of its pairs is demanded; `NONE` if nothing is."""

NONE, ALL = -1, -2


def asserted_scopes(
    problem: EnsembleProblem, sets: InputSets, scopes: Sequence[tuple[int, Scope]], *, branches: int = 0
) -> list[tuple[int, Scope]] | None:
    """Return what is left to say about members if one perturbation fools them all; None if none does.

    Args:
        problem: the query.
        sets: the input set of one point.
        scopes: each member to be fooled, with its scope at the point.
        branches: cases of signs that are looked at, at most.
    """
    networks = [problem.ensemble[member].network for member, _ in scopes]
    pairs = [scope.pairs for _, scope in scopes]
    known = [scope.plan.bounds for _, scope in scopes]
    cases = _each_alone(problem, pairs)
    found = _bounded(problem, networks, sets, known, pairs, cases)
    left = [cases[k] for k in found.alive]
    together = _together(left, len(scopes))
    if together is None:
        return None
    if len(scopes) > 1 and len(together) <= MOST_CASES and not isinstance(problem.loss, Targeted):
        known = [_meeting(left, bounds, together) for bounds in found.bounds]
        found = _bounded(problem, networks, sets, known, pairs, together)
        left = [together[k] for k in found.alive]
    if left and branches and all(NONE not in case for case in left):
        demands = _demands(problem, pairs, left)
        found = branched(networks, found, demands, most=branches)
        left = [left[k] for k in found.alive]
    if not left:
        return None
    return [
        (member, _scope(networks[place], scope, found, left, place))
        for place, (member, scope) in enumerate(scopes)
    ]


def pays(problem: EnsembleProblem, scopes: Sequence[tuple[int, Scope]], least_work: int = LEAST_WORK) -> bool:
    """Return whether a question is so hard that a solver gains more time than `asserted_scopes` takes."""
    open_units = sum(int(scope.plan.bounds.open_signs.sum()) for _, scope in scopes)
    return open_units * problem.inputs >= least_work


def _each_alone(problem: EnsembleProblem, pairs: Sequence[Pairs]) -> list[Case]:
    """Return the cases in which one rival of one member is demanded, and nothing of the others."""
    if isinstance(problem.loss, Targeted):
        return [(ALL,) * len(pairs)]
    members = range(len(pairs))
    return [
        tuple(k if other == member else NONE for other in members)
        for member in members
        for k in range(len(pairs[member]))
    ]


def _together(left: Sequence[Case], members: int) -> list[Case] | None:
    """Return every combination of rivals that remain; None if a member has none."""
    choices = [sorted({case[c] for case in left} - {NONE}) for c in range(members)]
    if not all(choices):
        return None
    return list(itertools.product(*choices))


def _bounded(
    problem: EnsembleProblem,
    networks: Sequence[Network],
    sets: InputSets,
    known: Sequence[Bounds],
    pairs: Sequence[Pairs],
    cases: Sequence[Case],
) -> Asserted:
    every = np.zeros(len(cases), dtype=np.int64)
    known = [b if len(b.values[0].lower) == len(cases) else b.at(every) for b in known]
    return asserted_bounds(networks, sets.at(every), known, _demands(problem, pairs, cases))


def _demands(problem: EnsembleProblem, pairs: Sequence[Pairs], cases: Sequence[Case]) -> list[Demand]:
    least = down(problem.loss.margin)
    return [_demand(problem.classes, p, [case[c] for case in cases], least) for c, p in enumerate(pairs)]


def _demand(classes: int, pairs: Pairs, chosen: Sequence[int], least: float) -> Demand:
    """Return what is demanded of one member in each case."""
    forms = _differences(classes, pairs)
    rows = np.array(chosen)
    if (rows == ALL).all():
        demanded = np.broadcast_to(forms, (len(rows), *forms.shape))
    else:
        demanded = np.where((rows == NONE)[:, None], 0.0, forms[rows])[:, None]
    is_void = ~demanded.any(axis=2)
    return Demand(demanded, np.where(is_void, -1.0, least))


def _differences(classes: int, pairs: Pairs) -> Floats:
    forms = np.zeros((len(pairs), classes))
    forms[np.arange(len(pairs)), pairs.winner] = 1.0
    forms[np.arange(len(pairs)), pairs.loser] = -1.0
    return forms


def _meeting(cases: Sequence[Case], bounds: Bounds, together: Sequence[Case]) -> Bounds:
    """Return bounds of a combination of rivals from those of each rival alone."""
    places = {(c, k): row for row, case in enumerate(cases) for c, k in enumerate(case) if k != NONE}
    rows = np.array([[places[c, k] for c, k in enumerate(case)] for case in together])
    return Bounds(
        tuple(Interval(v.lower[rows].max(axis=1), v.upper[rows].min(axis=1)) for v in bounds.values)
    )


def _scope(network: Network, scope: Scope, found: Asserted, left: Sequence[Case], place: int) -> Scope:
    """Return the scope of one member, with bounds that hold in every case that is left."""
    table = np.array(left)
    groups = [np.flatnonzero(column != NONE) for column in table.T]
    chosen, pairs = table[:, place], scope.pairs
    kept = np.flatnonzero((chosen == ALL).any() | np.isin(np.arange(len(pairs)), chosen))
    pairs = Pairs(pairs.owner[kept], pairs.winner[kept], pairs.loser[kept])
    bounds = Bounds(tuple(_in_all(interval, groups) for interval in found.bounds[place].values))
    certain = scope.plan.bounds if scope.plan.certain is None else scope.plan.certain
    wanted = np.ones((1, network.classes), dtype=np.bool_)
    margins = _in_all(_margins(network, found, place, pairs), groups)
    if scope.margins is not None:
        before = scope.margins.lower[:, kept], scope.margins.upper[:, kept]
        margins = Interval(np.maximum(margins.lower, before[0]), np.minimum(margins.upper, before[1]))
    return Scope(scope.points, pruned_plan(network, bounds, wanted, certain), pairs, margins)


def _in_all(interval: Interval, groups: Sequence[Indices]) -> Interval:
    """Return bounds that hold if one case of every group does, shape (1, size)."""
    lower = [interval.lower[group].min(axis=0) for group in groups]
    upper = [interval.upper[group].max(axis=0) for group in groups]
    return Interval(np.maximum.reduce(lower)[None], np.minimum.reduce(upper)[None])


def _margins(network: Network, found: Asserted, place: int, pairs: Pairs) -> Interval:
    """Bound `f_winner - f_loser` of all pairs in every case, shape (cases, pairs)."""
    forms = _differences(network.classes, pairs)
    spread = np.broadcast_to(forms, (len(found.alive), *forms.shape))
    bounds = found.bounds[place]
    upper = margin_bounds(network, found.sets, bounds, spread)
    return Interval(-margin_bounds(network, found.sets, bounds, -spread), upper)
