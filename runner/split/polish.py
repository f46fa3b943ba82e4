"""A point that is nearly right to one that is: a linear program on the activation pattern.

As long as no rectifier changes sign and no maximum its winner, every network is affine. Among the
perturbations near the given one for which that holds, the linear program finds the largest least margin. Its
optimum is repaired and replayed like any other perturbation; where another pattern begins there, a second
program goes on from it.
"""

import dataclasses
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from ensc.compiler.passes.lowering.assemble import Assembler
from ensc.compiler.passes.networks.evaluate import candidates, evaluate, evaluate_all
from ensc.compiler.types.model import Indices, Labels, Model, Objective
from ensc.compiler.types.network import (
    Affine,
    Convolution,
    Floats,
    Gather,
    Layer,
    MaxPool,
    Network,
    Relu,
    Scale,
    Sum,
    Trees,
)
from ensc.compiler.types.problem import EnsembleProblem, Norm, Targeted, Untargeted
from ensc.compiler.types.solution import Solution, Status
from ensc.runner.exact.admit import Exact
from ensc.runner.exact.certify import fooled_members
from ensc.runner.exact.margin import margins
from ensc.runner.exact.projection import perturbation_box
from ensc.runner.exact.repair import repair

REACH = 0.05
"""How far each coordinate may move, relative to the largest perturbation."""

ROUNDS = 3
"""Linear programs, each on the pattern around the optimum of the one before."""

MOST_INPUTS = 4096
"""Inputs up to which the affine pieces are worked out, one column for each of them."""

SMALL = 1e-12
"""Coefficients up to here are rounding errors of those columns."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Affine functions of the perturbation near a point, `matrix @ d + offset`.

    Attributes:
        matrix: shape (functions, inputs).
        offset: shape (functions,).
    """

    matrix: Floats
    offset: Floats


def polished(
    part: EnsembleProblem,
    members: Collection[int],
    delta: Sequence[float],
    solve: Callable[[Model], Solution],
) -> Exact | None:
    """Return an admissible perturbation near `delta` that fools the members exactly, if one is found.

    Args:
        part: a query about one point.
        members: 0-based.
        delta: shape (inputs,).
        solve: solves a linear program.
    """
    networks = [part.ensemble[c].network for c in sorted(members)]
    known = (Affine, Convolution, Scale, Sum, Gather, Relu, MaxPool)
    steps = any(not isinstance(layer, known) for network in networks for layer in network.layers)
    if steps or part.inputs > MOST_INPUTS:
        return None
    at = np.array(delta)
    for _ in range(ROUNDS):
        solution = solve(program(part, networks, at))
        if solution.status not in {Status.OPTIMAL, Status.FEASIBLE}:
            return None
        moved = np.array([float(solution.values.get(f"d_{k}", 0.0)) for k in range(1, part.inputs + 1)])
        if not np.isfinite(moved).all():
            return None
        fixed = repair(part, 0, moved.tolist(), members)
        fooled = fooled_members(part, 0, fixed)
        if all(fooled[c] for c in members):
            return fixed
        if np.array_equal(moved, at):
            return None
        at = moved
    return None


def program(part: EnsembleProblem, networks: Sequence[Network], at: Floats) -> Model:
    """Maximize the least margin over the perturbations near `at` with its activation pattern."""
    to = Assembler()
    low, high = _box(part, at)
    d = to.variables(Labels("d", (np.arange(1, part.inputs + 1),)), low, high)
    if part.threat.norm is Norm.L1:
        _add_ball(to, float(part.threat.radius), d)
    largest = 1.0 + max(np.abs(evaluate(network, part.points.nearest[0] + at)).max() for network in networks)
    t = to.variables(Labels("t", ()), -2 * largest, 2 * largest)
    reach = float((high - low).max())
    for network in networks:
        signs, margin = _pieces(part, network, at)
        near = np.abs(signs.matrix @ at + signs.offset) <= reach * np.abs(signs.matrix).sum(axis=1)
        _add_rows(to, d, Piece(signs.matrix[near], signs.offset[near]), None, "the pattern stays")
        _add_rows(to, d, margin, t, "the least margin")
    return to.model("polish", Objective("maximize", t.reshape(1), np.ones(1)))


def _box(part: EnsembleProblem, at: Floats) -> tuple[Floats, Floats]:
    low, high = perturbation_box(part.threat.domain, part.points.nearest[0])
    radius = float(part.threat.radius)
    match part.threat.norm:
        case Norm.L1 | Norm.LINF:
            low, high = np.maximum(low, -radius), np.minimum(high, radius)
        case Norm.L0:
            still = at == 0
            low, high = np.where(still, 0.0, low), np.where(still, 0.0, high)
        case _:
            assert_never(part.threat.norm)
    inside = np.clip(at, low, high)
    reach = REACH * max(1e-6, float(np.abs(at).max(initial=0.0)))
    return np.maximum(low, inside - reach), np.minimum(high, inside + reach)


def _add_ball(to: Assembler, radius: float, d: Indices) -> None:
    s = to.variables(Labels("s", (np.arange(1, len(d) + 1),)), 0.0, radius)
    pairs = np.stack([s, d], axis=1)
    for sign in (1.0, -1.0):
        to.rows(pairs, [1.0, sign], 0.0, np.inf, "s is at least |d|")
    to.rows(s[None], 1.0, -np.inf, radius, "the ball")


def _add_rows(to: Assembler, d: Indices, piece: Piece, least: Indices | None, meaning: str) -> None:
    """Add `matrix @ d + offset >= least`, 0 without a variable."""
    count = len(piece.offset)
    matrix = np.where(np.abs(piece.matrix) <= SMALL, 0.0, piece.matrix)
    columns = np.broadcast_to(d, (count, len(d)))
    if least is not None:
        columns = np.concatenate([columns, np.full((count, 1), int(least))], axis=1)
        matrix = np.concatenate([matrix, np.full((count, 1), -1.0)], axis=1)
    to.rows(columns, matrix, -piece.offset, np.inf, meaning)


# affine pieces ---------------------------------------------------------------------------------------


def _pieces(part: EnsembleProblem, network: Network, at: Floats) -> tuple[Piece, Piece]:
    """Return what must not be negative for the pattern to stay, and the member's margins in it."""
    x = part.points.nearest[0]
    values = evaluate_all(network, x + at)
    frozen = _frozen(network, values)
    rows = evaluate_all(frozen, np.concatenate([x[None], x + np.eye(len(x))]))
    signs = [
        _signed(layer, values, rows[layer.source])
        for layer in network.layers
        if isinstance(layer, Relu | MaxPool)
    ]
    margin = rows[network.output] @ _slopes(part, values[network.output]).T - float(part.loss.margin)
    return _piece(np.concatenate([np.zeros((len(x) + 1, 0)), *signs], axis=1)), _piece(margin)


def _slopes(part: EnsembleProblem, logits: Floats) -> Floats:
    """Return the linear forms of the logits that have to reach the loss's margin, shape (forms, classes).

    For an untargeted loss one will do, that of the class which is ahead; for a targeted one all are needed.
    """
    match part.loss:
        case Untargeted():
            return margins(part.loss, part.points.labels[:1], logits[None])[1]
        case Targeted(target):
            others = np.delete(np.eye(len(logits)), target, axis=0)
            forms: Floats = np.eye(len(logits))[target] - others
            return forms
        case _:
            assert_never(part.loss)


def _piece(rows: Floats) -> Piece:
    """Read affine functions off their values at the point and one step along each coordinate."""
    return Piece((rows[1:] - rows[0]).T, rows[0])


def _frozen(network: Network, values: Sequence[Floats]) -> Network:
    """Return the affine network that agrees with `network` wherever its pattern is that of `values`."""
    layers = tuple(_frozen_layer(layer, values) for layer in network.layers)
    return dataclasses.replace(network, layers=layers)


def _frozen_layer(layer: Layer, values: Sequence[Floats]) -> Layer:
    match layer:
        case Relu():
            on = (values[layer.source] > 0).astype(np.float64)
            return Scale(layer.source, on, np.zeros_like(on), np.ones_like(on), layer.name)
        case MaxPool():
            return Gather((layer.source,), np.zeros(0), _winners(layer, values[layer.source]), layer.name)
        case Affine() | Convolution() | Scale() | Sum() | Gather():
            return layer
        case Trees():
            raise AssertionError("steps have no affine pieces")
        case _:
            assert_never(layer)


def _winners(layer: MaxPool, x: Floats) -> Indices:
    windows: Indices = candidates(layer)
    winners: Indices = windows[np.arange(len(windows)), x[windows].argmax(axis=1)]
    return winners


def _signed(layer: Relu | MaxPool, values: Sequence[Floats], rows: Floats) -> Floats:
    """Return the affine functions that are not negative in the pattern, over the rows of a batch."""
    x = values[layer.source]
    match layer:
        case Relu():
            return rows * np.where(x > 0, 1.0, -1.0)
        case MaxPool():
            windows = candidates(layer)
            ahead = rows[:, _winners(layer, x)][:, :, None] - rows[:, windows]
            return ahead.reshape(len(rows), -1)
