"""From a point on thresholds of trees to one beside them, on the sides that fool the members it should.

A model closes both sides of a threshold, so that a solver often answers with a point exactly on it, or off it
by its tolerance, and means the side to which the threshold does not belong. Here every input on or near a
threshold is tried on it, and at the next representable numbers below and above. Nothing is proved: exact
replay judges what is proposed.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ensc.compiler.passes.networks.evaluate import evaluate, evaluate_all
from ensc.compiler.passes.networks.gradient import gradient
from ensc.compiler.types.network import Floats, Gather, Network, Scale, Trees
from ensc.compiler.types.problem import EnsembleProblem, Norm
from ensc.runner.exact.admit import Exact, Room
from ensc.runner.exact.margin import margins

NEAR = 1e-5
"""How near to a threshold, relative to it, an input is taken to be meant there: tolerances of solvers."""

MOST = 64
"""Thresholds that are tried one after the other."""


@dataclass(frozen=True, slots=True)
class _Side:
    """Ways to move a point with regard to one threshold: set one input, or step along a direction."""

    inputs: tuple[int, ...]
    values: tuple[Floats, ...]


def nudged(
    problem: EnsembleProblem, room: Room, point: int, delta: Exact, wanted: Collection[int]
) -> Iterator[Exact]:
    """Propose perturbations beside the thresholds that a perturbation is near to.

    Args:
        problem: the query.
        room: of the point.
        point: 0-based.
        delta: an admissible perturbation.
        wanted: 0-based members that should be fooled.
    """
    networks = [problem.ensemble[c].network for c in sorted(wanted)]
    if not any(isinstance(layer, Trees) for network in networks for layer in network.layers):
        return
    origin = problem.points.exact(point)
    start = np.array([float(x + d) for x, d in zip(origin, delta, strict=True)])
    sides = [side for network in networks for side in _sides(network, start)][:MOST]
    if not sides:
        return
    label = int(problem.points.labels[point])
    row = start
    for side in sides:
        options = np.stack([row, *(_moved(row, side, values) for values in side.values)])
        row = options[int(_least_margins(problem, networks, label, options).argmax())]
    touched = row != start
    exact = tuple(
        Fraction(float(v)) - x if t else d for v, x, d, t in zip(row, origin, delta, touched, strict=True)
    )
    yield _within(room, exact, touched.tolist())


def _moved(row: Floats, side: _Side, values: Floats) -> Floats:
    moved = row.copy()
    moved[list(side.inputs)] = values
    return moved


def _least_margins(problem: EnsembleProblem, networks: list[Network], label: int, rows: Floats) -> Floats:
    labels = np.full(len(rows), label)
    found = [margins(problem.loss, labels, evaluate(network, rows))[0] for network in networks]
    least: Floats = np.min(found, axis=0)
    return least


def _sides(network: Network, x: Floats) -> Iterator[_Side]:
    values = evaluate_all(network, x)
    for layer in network.layers:
        if not isinstance(layer, Trees):
            continue
        at = values[layer.source][layer.features]
        close = np.abs(at - layer.thresholds) <= NEAR * np.maximum(1.0, np.abs(layer.thresholds))
        pairs = sorted(
            set(zip(layer.features[close].tolist(), layer.thresholds[close].tolist(), strict=True))
        )
        for entry, limit in pairs:
            place = _input_of(network, layer.source, entry, Fraction(limit))
            yield _along(network, layer.source, entry, limit, x) if place is None else _beside(*place)


def _input_of(network: Network, value: int, entry: int, limit: Fraction) -> tuple[int, Fraction] | None:
    """Return the one input that an entry is made of, and where it is for the entry to be at a limit."""
    while value:
        match network.layers[value - 1]:
            case Scale() as layer if layer.factor[entry]:
                factor, offset, divisor = (
                    Fraction(float(a[entry])) for a in (layer.factor, layer.offset, layer.divisor)
                )
                value, limit = layer.source, (limit * divisor - offset) / factor
            case Gather() as layer if len(layer.sources) == 1 and layer.index[entry] < network.size(
                layer.sources[0]
            ):
                value, entry = layer.sources[0], int(layer.index[entry])
            case _:
                return None
    return entry, limit


def _beside(entry: int, limit: Fraction) -> _Side:
    """Set an input to a limit, or to the numbers of float32 next to it, as a program would feed it."""
    near = np.float32(float(limit))
    below = near if Fraction(float(near)) < limit else np.nextafter(near, np.float32(-np.inf))
    above = near if Fraction(float(near)) > limit else np.nextafter(near, np.float32(np.inf))
    return _Side((entry,), tuple(np.array([float(v)]) for v in (limit, below, above)))


def _along(network: Network, value: int, entry: int, limit: float, x: Floats) -> _Side:
    """Step along the gradient of an entry to just below its limit, and to just above."""
    part = Network(network.name, network.input_shape, network.layers[:value], value)
    slope = gradient(part, x[None], np.eye(part.classes)[entry])[0]
    gap = limit - evaluate(part, x)[entry]
    steepness = max(float(slope @ slope), np.finfo(np.float64).tiny)
    short = NEAR / 10 * max(1.0, abs(limit))
    inputs = np.flatnonzero(slope)
    steps = [x + slope * (gap + shift) / steepness for shift in (-short, short)]
    return _Side(tuple(inputs.tolist()), tuple(step[inputs] for step in steps))


def _within(room: Room, delta: Exact, touched: list[bool]) -> Exact:
    """Take what an L1 ball cannot hold from inputs that lie on no threshold."""
    if room.norm is not Norm.L1:
        return delta
    excess = sum(map(abs, delta), Fraction(0)) - room.radius
    result = list(delta)
    for k, d in enumerate(delta):
        if excess > 0 and not touched[k]:
            less = min(excess, abs(d - room.rest[k]))
            result[k] = d - less if d > room.rest[k] else d + less
            excess -= less
    return tuple(result)
