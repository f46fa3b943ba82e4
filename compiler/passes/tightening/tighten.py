"""Bounds × linear programs -> tighter Bounds: optimization-based bound tightening (`-O2`).

For every unit that linear relaxation leaves undecided (the input of a rectifier that may have either sign, a
candidate of a maximum that may win) and for every margin that may still reach the loss, the least and the
largest value over the linear relaxation of everything before it: the network's rows, the exact rows of ball
and domain, and the triangle between a rectifier and its chord. Layer by layer, so that later programs
profit from earlier ones. A member and a point make one program for each layer, and the objective alone
changes while it is solved (Tjeng et al. 2019, Evaluating robustness of neural networks with MIP, section 4).

Where an end comes so near to what would decide a unit or a margin that the truth may lie beyond, binaries are
fixed one after another (`branch`), which draws the triangles smaller.

Assumes bounds and scopes that hold. Guarantees bounds that hold in real arithmetic, never wider ones, and
scopes that leave out only what these decide: a solver's answer counts for no more than its multipliers
prove (`dual_bounds`), so that a wrong answer costs tightness alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ensc.compiler.passes.bounds.interval import propagate
from ensc.compiler.passes.bounds.rounding import down
from ensc.compiler.passes.linear.linearize import linearize
from ensc.compiler.passes.lowering.assemble import Assembler
from ensc.compiler.passes.lowering.attacked_inputs import Places, add_attacked_inputs
from ensc.compiler.passes.lowering.network_rows import ZERO, Copies, add_network
from ensc.compiler.passes.scopes.narrow import with_bounds
from ensc.compiler.passes.scopes.plan import pruned_plan
from ensc.compiler.passes.scopes.scope import Scope
from ensc.compiler.passes.tightening.branch import branched, case_of
from ensc.compiler.passes.tightening.dual_bounds import LpSolver, Subproblem
from ensc.compiler.types.bounds import Bounds, InputSets, Interval
from ensc.compiler.types.model import Floats, Indices, Model, Objective, feasibility
from ensc.compiler.types.network import MaxPool, Network, Relu, sources
from ensc.compiler.types.problem import EnsembleProblem

PLAUSIBLE = 0.25
"""An end may pass a threshold by branching if it is no farther from it than this share of the interval."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What tightening was worth; gains of members add up.

    Attributes:
        places: pairs of a member and a point that were looked at.
        late: whether the solver ran out of time; then further pairs are left as they are.
        solved: linear programs, how many the solver had time for.
        open: units that had a choice before, counted at every point where the member may be fooled.
        decided: of these, how many have none any more.
        pairs: margins that might have reached the loss before.
        closed: of these, how many cannot any more.
        width: the widths of the units that still have a choice, summed up, as they were before.
        shrunk: by how much these are narrower now.
    """

    places: int = 0
    late: bool = False
    solved: int = 0
    open: int = 0
    decided: int = 0
    pairs: int = 0
    closed: int = 0
    width: float = 0.0
    shrunk: float = 0.0

    def __add__(self, other: "Gain") -> "Gain":
        """Return the gain of both."""
        return Gain(
            self.places + other.places,
            self.late or other.late,
            self.solved + other.solved,
            self.open + other.open,
            self.decided + other.decided,
            self.pairs + other.pairs,
            self.closed + other.closed,
            self.width + other.width,
            self.shrunk + other.shrunk,
        )


def tightened_scope(
    problem: EnsembleProblem, sets: InputSets, member: int, scope: Scope, solve: LpSolver
) -> tuple[Scope, Gain]:
    """Tighten what is left open of one member, point by point, while the solver has time.

    Args:
        problem: the query.
        sets: the input sets of all its points.
        member: which of the ensemble.
        scope: what is left to say about it.
        solve: solves the linear programs; it alone keeps the time.

    Returns:
        The scope with the tighter bounds, and what they were worth.
    """
    network = problem.ensemble[member].network
    if not len(scope.points):
        return scope, Gain()
    parts: list[_Part] = []
    for place in range(len(scope.points)):
        late = bool(parts) and parts[-1].late
        parts.append(
            _as_it_was(scope, place) if late else _point(problem, sets, network, scope, place, solve)
        )
    bounds = Bounds.joined([part.bounds for part in parts])
    margins = _margins_met(scope, [part.margins for part in parts])
    result = with_bounds(problem, network, scope, bounds, margins)
    return result, _gain(network, scope, result, parts)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What tightening found at a point: bounds of every value and of the margins, and how often it looked."""

    bounds: Bounds
    margins: Interval
    places: int
    solved: int
    late: bool


def _as_it_was(scope: Scope, place: int) -> _Part:
    """Return the part of a point that the solver had no time for."""
    known = scope.plan.bounds.at(slice(place, place + 1))
    count = int((scope.pairs.owner == place).sum())
    return _Part(known, Interval(np.full((1, count), -np.inf), np.full((1, count), np.inf)), 0, 0, late=True)


def _point(
    problem: EnsembleProblem,
    sets: InputSets,
    network: Network,
    scope: Scope,
    place: int,
    solve: LpSolver,
) -> _Part:
    known = list(scope.plan.bounds.at(slice(place, place + 1)).values)
    solved, late = 0, False
    bent = False
    for number, layer in enumerate(network.layers, start=1):
        known[number] = _met(known[number], propagate(layer, known))
        units = _undecided(network, known, number) if bent and number != network.output else _none()
        bent = bent or not _is_linear(layer)
        if len(units):
            program = _Program.of(problem, sets, network, known, int(scope.points[place]), number)
            variables = program.values[units]
            units, variables = units[variables != ZERO], variables[variables != ZERO]
            forms = [(np.array([v]), np.ones(1)) for v in variables.tolist()]
            ends = program.ends(forms, solve, 0.0, low=True)
            solved, late = solved + ends.solved, late or ends.late
            known[number] = _met(known[number], _spread(known[number], units, ends.lower, ends.upper))
    pairs = np.flatnonzero(scope.pairs.owner == place)
    program = _Program.of(problem, sets, network, known, int(scope.points[place]), network.output)
    winners, losers = scope.pairs.winner[pairs], scope.pairs.loser[pairs]
    sides = zip(program.values[winners].tolist(), program.values[losers].tolist(), strict=True)
    forms = [(np.array(pair), np.array([1.0, -1.0])) for pair in sides]
    impossible = float(np.nextafter(down(problem.loss.margin), -np.inf))
    ends = program.ends(forms, solve, impossible, low=False)
    margins = Interval(ends.lower[None], ends.upper[None])
    return _Part(Bounds(tuple(known)), margins, 1, solved + ends.solved, late or ends.late)


@dataclass(frozen=True, slots=True, eq=False)
class _Program:
    """The relaxation of one copy up to one value.

    Attributes:
        model: linear, its objective is not looked at.
        values: the variable of each entry of the value, ZERO where the model needs none.
    """

    model: Model
    values: Indices

    @staticmethod
    def of(
        problem: EnsembleProblem,
        sets: InputSets,
        network: Network,
        known: Sequence[Interval],
        point: int,
        until: int,
    ) -> "_Program":
        """Lower the copy of a network at a point as any model does; its binaries may then be fractional."""
        to = Assembler()
        x = add_attacked_inputs(to, problem, sets, Places(np.array([point]), ()), lean=True)
        plan = pruned_plan(network, Bounds(tuple(known)), np.ones((1, problem.classes), dtype=np.bool_))
        copies = Copies((np.array([[1]]),), (), plan, "relaxation")
        values = add_network(to, network, copies, x, until=until)[until][0, 0]
        return _Program(linearize(to.model("relaxation", feasibility())), values)

    def ends(
        self, forms: Sequence[tuple[Indices, Floats]], solve: LpSolver, threshold: float, *, low: bool
    ) -> "_Ends":
        """Bound linear forms, by branching where an end is so near to a threshold that it may pass it.

        Args:
            forms: variables and coefficients of each.
            solve: solves the linear programs.
            threshold: a form that is not above it, or not below it, is decided.
            low: whether a form that is not below it is decided, too.
        """
        signs = (1.0, -1.0)
        asked = [Subproblem(Objective("minimize", v, sign * c)) for v, c in forms for sign in signs]
        found = solve(self.model, asked) if asked else []
        roots = [case_of(self.model, p, y) for p, y in zip(asked, found, strict=False)]
        least = np.array([case.bound for case in roots] + [-np.inf] * (len(asked) - len(roots)))
        if len(roots) < len(asked) or not asked:
            return _Ends(least[::2], -least[1::2], len(roots), late=len(roots) < len(asked))
        goals = _goals(least[::2], -least[1::2], threshold, low=low)
        least, more, late = branched(self.model, roots, goals, solve)
        return _Ends(least[::2], -least[1::2], len(roots) + more, late)


@dataclass(frozen=True, slots=True, eq=False)
class _Ends:
    """Proved bounds of some linear forms, shape (forms,) each; programs solved; whether time was up."""

    lower: Floats
    upper: Floats
    solved: int
    late: bool


def _goals(lower: Floats, upper: Floats, threshold: float, *, low: bool) -> list[float]:
    """Return for each end the bound that would decide its form, -inf where that is too far to be likely."""
    near = PLAUSIBLE * (upper - lower)
    above = low & (lower < threshold) & (threshold - lower <= near)
    below = (upper > threshold) & (upper - threshold <= near)
    pairs = np.stack([np.where(above, threshold, -np.inf), np.where(below, -threshold, -np.inf)], axis=1)
    goals: list[float] = pairs.ravel().tolist()
    return goals


def _is_linear(layer: object) -> bool:
    return not isinstance(layer, (Relu, MaxPool))


def _none() -> Indices:
    return np.empty(0, dtype=np.int64)


def _undecided(network: Network, known: Sequence[Interval], number: int) -> Indices:
    """Return the units of a value whose bounds decide whether a rectifier or maximum has a choice."""
    x = known[number]
    lower, upper = x.lower[0], x.upper[0]
    undecided = np.zeros(len(lower), dtype=np.bool_)
    for layer in network.layers:
        if number not in sources(layer):
            continue
        if isinstance(layer, Relu):
            undecided |= (lower < 0) & (upper > 0)
        elif isinstance(layer, MaxPool):
            undecided[_contested(layer, lower, upper)] = True
    return np.flatnonzero(undecided)


def _contested(layer: MaxPool, lower: Floats, upper: Floats) -> Indices:
    """Return the candidates that may win in windows where more than one may."""
    low = np.append(lower, -np.inf)[layer.windows]
    high = np.append(upper, -np.inf)[layer.windows]
    alive = (high > low.max(axis=1, keepdims=True)) & (layer.windows >= 0)
    return np.unique(layer.windows[alive & (alive.sum(axis=1, keepdims=True) > 1)])


def _met(a: Interval, b: Interval) -> Interval:
    """Return the intersection; where rounding leaves none, `a`."""
    lower, upper = np.maximum(a.lower, b.lower), np.minimum(a.upper, b.upper)
    empty = lower > upper
    return Interval(np.where(empty, a.lower, lower), np.where(empty, a.upper, upper))


def _spread(like: Interval, units: Indices, lower: Floats, upper: Floats) -> Interval:
    """Return an interval that bounds the given units only."""
    low, high = np.full_like(like.lower, -np.inf), np.full_like(like.upper, np.inf)
    low[0, units], high[0, units] = lower, upper
    return Interval(low, high)


def _margins_met(scope: Scope, parts: Sequence[Interval]) -> Interval:
    """Meet the margins that were known; owners ascend, so the parts are in the order of the pairs."""
    found = Interval.joined(parts, axis=1)
    return found if scope.margins is None else _met(scope.margins, found)


def _gain(network: Network, before: Scope, after: Scope, parts: Sequence[_Part]) -> Gain:
    left = int(choices(network, after).sum())
    had = int(choices(network, before).sum())
    width, now = _widths(network, before, after)
    return Gain(
        sum(part.places for part in parts),
        any(part.late for part in parts),
        sum(part.solved for part in parts),
        had,
        had - left,
        len(before.pairs),
        len(before.pairs) - len(after.pairs),
        width,
        width - now,
    )


def _widths(network: Network, before: Scope, after: Scope) -> tuple[float, float]:
    """Return how wide the inputs of rectifiers with a choice were before and are now, summed up."""
    places = np.searchsorted(before.points, after.points)
    was = now = 0.0
    for number, layer in enumerate(network.layers, start=1):
        if isinstance(layer, Relu):
            open_ = after.plan.needed[number] & ~after.plan.active[number]
            wide, tight = before.plan.bounds.values[layer.source], after.plan.bounds.values[layer.source]
            was += float((wide.upper - wide.lower)[places][open_].sum())
            now += float((tight.upper - tight.lower)[open_].sum())
    return was, now


def choices(network: Network, scope: Scope) -> Indices:
    """Return for each point of a scope how many rectifiers and maxima are left with a choice."""
    plan = scope.plan
    total = np.zeros(len(scope.points), dtype=np.int64)
    for number, layer in enumerate(network.layers, start=1):
        if not _is_linear(layer):
            total += (plan.needed[number] & ~plan.active[number]).sum(axis=1)
    return total
