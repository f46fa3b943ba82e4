"""Perturbations that fool several members at once, sought by gradients for many points together.

Every row of a search belongs to a point and a set of members whose least margin it raises. Whatever any row
achieves on its way, for whichever set, is a find. Finds are floating point and prove nothing: who uses
them replays them exactly.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from ensc.compiler.passes.networks.gradient import gradient_where
from ensc.compiler.types.network import Flags, Floats, Integers
from ensc.compiler.types.problem import EnsembleProblem, Norm
from ensc.runner.exact.margin import margins
from ensc.runner.exact.projection import perturbation_box, project
from ensc.runner.split.patterns import members_of

STURDY = 1e-4
"""A least margin that float32 execution cannot lose: a row that has it is done."""

STEPS = 60

RULES = 4


@dataclass(frozen=True, slots=True, eq=False)
class Find:
    """A perturbation that fools a set of members in float64.

    Attributes:
        point: 0-based.
        mask: members whose margin is not negative.
        margin: the least of them.
        delta: shape (inputs,).
    """

    point: int
    mask: int
    margin: float
    delta: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows of a search.

    Attributes:
        points: of each row, shape (rows,).
        wanted: which members each row is to fool, shape (rows, members).
        rule: 0 goes along the gradient of the worst margin, k > 0 along the steepest direction of the ball,
            which for L1 is spread over `4**(k - 1)` coordinates.
        x: the point itself, shape (rows, inputs).
        low: least perturbations inside the domain, shape (rows, inputs).
        high: largest ones.
        delta: where each row is, shape (rows, inputs).
    """

    points: Integers
    wanted: Flags
    rule: Integers
    x: Floats
    low: Floats
    high: Floats
    delta: Floats

    def only(self, chosen: Flags) -> "_Rows":
        """Return some of the rows."""
        if chosen.all():
            return self
        return _Rows(*(getattr(self, field.name)[chosen] for field in dataclasses.fields(self)))


@dataclass(frozen=True, slots=True, eq=False)
class _Slope:
    """The derivative of a member's margin at the rows that want it raised.

    Attributes:
        rows: which ones, shape (chosen,).
        gradient: shape (chosen, inputs).
    """

    rows: Integers
    gradient: Floats


def search(
    problem: EnsembleProblem, targets: Sequence[tuple[int, int]], *, restarts: int, steps: int = STEPS
) -> list[Find]:
    """Look for perturbations.

    Args:
        problem: the query.
        targets: pairs of a point and a set of members.
        restarts: for each pair; the first, one for each rule, start from no perturbation, others at random.
        steps: of each row, at most.

    Returns:
        For every point one find for each set of members that was achieved, the one of largest margin.
    """
    if not targets:
        return []
    rows, members = _start(problem, targets, restarts), range(len(problem.ensemble))
    finds: dict[tuple[int, int], Find] = {}
    with np.errstate(all="ignore"):  # what overflows compares as not fooled
        for step in range(steps):
            rows = _projected(problem, rows)
            every, slopes = zip(*(_margin(problem, rows, c) for c in members), strict=True)
            margin = np.stack(every, axis=1)
            _record(finds, rows, margin)
            rows = _moved(problem, rows, margin, slopes, step / steps)
            rows = rows.only(~_settled(rows, margin))
            if not len(rows.points):
                break
    return list(finds.values())


def _settled(rows: _Rows, margin: Floats) -> Flags:
    """Return which rows are done: the same perturbation of some row fools all that they are to fool."""
    sturdy = margin >= STURDY
    done = (sturdy | ~rows.wanted).all(axis=1)
    for row in np.flatnonzero(done).tolist():
        same = rows.points == rows.points[row]
        done |= same & (sturdy[row] | ~rows.wanted).all(axis=1)
    return np.asarray(done)


def _start(problem: EnsembleProblem, targets: Sequence[tuple[int, int]], restarts: int) -> _Rows:
    count, members = len(targets), len(problem.ensemble)
    wanted = np.zeros((count, members), dtype=np.bool_)
    for row, (_, mask) in enumerate(targets):
        wanted[row, list(members_of(mask))] = True
    points = np.array([point for point, _ in targets], dtype=np.int64)
    delta = np.zeros((restarts, count, problem.inputs))
    for restart in range(RULES, restarts):
        delta[restart] = _random(problem, points, restart)
    rule = np.repeat(np.arange(restarts) % RULES, count)
    every, wanted = np.tile(points, restarts), np.tile(wanted, (restarts, 1))
    x = problem.points.nearest[every]
    low, high = perturbation_box(problem.threat.domain, x)
    return _Rows(every, wanted, rule, x, low, high, delta.reshape(-1, problem.inputs))


def _random(problem: EnsembleProblem, points: Integers, seed: int) -> Floats:
    """Draw perturbations about as large as the ball, the same for the same point and seed."""
    radius = float(problem.threat.radius)
    rows = []
    for point in points.tolist():
        rng = np.random.default_rng([seed, point])
        match problem.threat.norm:
            case Norm.LINF:
                rows.append(rng.choice([-1.0, 1.0], problem.inputs) * radius * rng.random())
            case Norm.L1:
                rows.append(rng.laplace(size=problem.inputs) * 2 * radius / problem.inputs)
            case Norm.L0:
                low, high = perturbation_box(problem.threat.domain, problem.points.nearest[point])
                rows.append(np.where(rng.random(problem.inputs) < 0.5, low, high))
    return np.array(rows)


def _projected(problem: EnsembleProblem, rows: _Rows) -> _Rows:
    threat = problem.threat
    delta = project(threat.norm, threat.radius, rows.low, rows.high, np.nan_to_num(rows.delta))
    return dataclasses.replace(rows, delta=delta)


def _margin(problem: EnsembleProblem, rows: _Rows, member: int) -> tuple[Floats, _Slope]:
    """Return the margin of a member at every row, and its derivative where it is to be raised."""
    labels, wanted = problem.points.labels[rows.points], rows.wanted[:, member]
    every, chosen = np.empty(len(labels)), [np.empty(0, dtype=np.int64)]

    def lacking(logits: Floats, part: slice) -> tuple[Integers, Floats]:
        every[part], slope = margins(problem.loss, labels[part], logits)
        mine = np.flatnonzero(wanted[part] & (every[part] < STURDY))
        chosen.append(mine + part.start)
        return mine, slope[mine]

    found = gradient_where(problem.ensemble[member].network, rows.x + rows.delta, lacking)
    return every, _Slope(np.concatenate(chosen), found)


def _record(finds: dict[tuple[int, int], Find], rows: _Rows, margin: Floats) -> None:
    """Keep what is new or has a larger margin."""
    fooled = margin >= 0
    codes = (
        fooled.astype(object) @ np.array([1 << c for c in range(margin.shape[1])], dtype=object)
    ).tolist()
    least = np.where(fooled, margin, np.inf).min(axis=1).tolist()
    for row, (point, mask) in enumerate(zip(rows.points.tolist(), codes, strict=True)):
        known = finds.get((point, mask))
        if mask and (known is None or (known.margin < STURDY and least[row] > known.margin)):
            finds[point, mask] = Find(point, mask, least[row], rows.delta[row])


def _moved(
    problem: EnsembleProblem, rows: _Rows, margin: Floats, slopes: Sequence[_Slope], progress: float
) -> _Rows:
    """Take a step towards larger margins of the members that are wanted and not yet clearly fooled."""
    worst = np.where(rows.wanted, margin, np.inf).argmin(axis=1)
    along_worst, along_all = np.zeros_like(rows.x), np.zeros_like(rows.x)
    for c, slope in enumerate(slopes):
        mine, g = slope.rows, slope.gradient
        norm = np.sqrt((g**2).sum(axis=1, keepdims=True))
        along_all[mine] += g / np.maximum(norm, 1e-12)
        here = worst[mine] == c
        along_worst[mine[here]] = g[here]
    short = np.maximum(2 * STURDY - margin[np.arange(len(worst)), worst], 0.0)
    steepness = np.maximum((along_worst**2).sum(axis=1), 1e-12)
    newton = along_worst * (short / steepness)[:, None]
    steepest = _steepest(problem, rows, along_all, progress)
    step = np.where(rows.rule[:, None] == 0, newton, steepest)
    return dataclasses.replace(rows, delta=rows.delta + step)


def _steepest(problem: EnsembleProblem, rows: _Rows, g: Floats, progress: float) -> Floats:
    """Return the step that raises a linear function most, a share of the ball that shrinks in time."""
    share = 0.5 * (1.0 - progress) ** 2 + 0.005
    threat = problem.threat
    low, high = rows.low, rows.high
    match threat.norm:
        case Norm.LINF:
            sizes = 2.0 ** -np.maximum(rows.rule - 1, 0)  # the rules differ in how fast they go
            return np.asarray(np.sign(g) * float(threat.radius) * share * sizes[:, None])
        case Norm.L1:
            most = 4 ** np.maximum(rows.rule - 1, 0)
            reach = float(threat.radius) / most[:, None]
        case Norm.L0:
            most = np.full(len(g), max(1, int(threat.radius)))
            reach = (high - low)[:, :1]
        case _:
            assert_never(threat.norm)
    room = np.where(g > 0, high - rows.delta, rows.delta - low) > 1e-9
    weight = np.abs(g) * room
    first = _largest(weight, min(int(most.max()), weight.shape[1]))
    chosen = (np.arange(first.shape[1]) < most[:, None]) & (np.take_along_axis(weight, first, axis=1) > 0)
    step = np.where(chosen, np.take_along_axis(np.sign(g) * reach * share, first, axis=1), 0.0)
    spread = np.zeros_like(g)
    np.put_along_axis(spread, first, step, axis=1)
    return spread


def _largest(weight: Floats, count: int) -> Integers:
    """Return where the largest entries of each row are, the largest first; shape (rows, count)."""
    top = np.argpartition(-weight, count - 1, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(weight, top, axis=1), axis=1, kind="stable")
    return np.asarray(np.take_along_axis(top, order, axis=1))
