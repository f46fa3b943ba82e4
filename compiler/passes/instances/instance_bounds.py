"""Instance -> what bounds decide of it: input sets, bounds of the networks, and of every linear atom."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

import numpy as np

from ensc.compiler.passes.bounds.interval import interval_bounds
from ensc.compiler.passes.bounds.relaxed_bounds import margin_bounds, relaxed_bounds
from ensc.compiler.passes.bounds.rounding import down, up
from ensc.compiler.types.bounds import Bounds, InputSets
from ensc.compiler.types.instance import All, Atom, Condition, Instance, Reader, Some
from ensc.compiler.types.model import Floats
from ensc.compiler.types.network import Network
from ensc.compiler.types.problem import Norm

Range = tuple[Fraction, Fraction]


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """What is known of an instance without solving anything.

    Attributes:
        lower: the box as float64, rounded outward, shape (inputs,).
        upper: the box as float64, rounded outward, shape (inputs,).
        bounds: of every network's values, in the order of the readers; each over a batch of one.
        ranges: of every atom that may occur, the least and the largest value of its left-hand side.
        unsafe: the condition with what the ranges decide left out: `Some(())` if there is no counterexample.
        constraints: those that the box does not imply.
    """

    lower: Floats
    upper: Floats
    bounds: tuple[Bounds, ...]
    ranges: dict[Atom, Range]
    unsafe: Condition
    constraints: tuple[Atom, ...]

    @property
    def is_refuted(self) -> bool:
        """Whether the bounds alone show that there is no counterexample."""
        return self.unsafe == FALSE


TRUE, FALSE = All(()), Some(())


def analyse(instance: Instance, *, relaxed: bool = True) -> Analysis:
    """Bound everything in an instance, soundly in real arithmetic.

    Args:
        instance: the instance.
        relaxed: whether to use linear relaxation, or interval arithmetic alone.
    """
    exact_lower, exact_upper = box(instance)
    lower = np.array([down(v) for v in exact_lower])
    upper = np.array([up(v) for v in exact_upper])
    if any(a > b for a, b in zip(exact_lower, exact_upper, strict=True)):
        return Analysis(lower, upper, (), {}, FALSE, ())
    sets = [_input_set(instance, reader, lower, upper) for reader in instance.readers]
    bound = relaxed_bounds if relaxed else interval_bounds
    bounds = tuple(bound(r.network, s) for r, s in zip(instance.readers, sets, strict=True))
    every = tuple(dict.fromkeys([*_atoms(instance.unsafe), *instance.constraints]))
    ranges = _ranges(instance, every, sets, bounds, (exact_lower, exact_upper))
    constraints = [_simplified(atom, ranges) for atom in instance.constraints]
    unsafe = FALSE if FALSE in constraints else _simplified(instance.unsafe, ranges)
    kept = tuple(atom for atom in constraints if isinstance(atom, Atom))
    return Analysis(lower, upper, bounds, ranges, unsafe, kept)


def box(instance: Instance) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
    """Return the box of the inputs, within the cube if the ball is one."""
    ball = instance.ball
    if ball is None or ball.norm is not Norm.LINF:
        return instance.lower, instance.upper
    lower = tuple(max(v, c - ball.radius) for v, c in zip(instance.lower, ball.centre, strict=True))
    upper = tuple(min(v, c + ball.radius) for v, c in zip(instance.upper, ball.centre, strict=True))
    return lower, upper


def _atoms(condition: Condition) -> Iterable[Atom]:
    match condition:
        case Atom():
            yield condition
        case All(parts) | Some(parts):
            for part in parts:
                yield from _atoms(part)
        case _:
            assert_never(condition)


def _input_set(instance: Instance, reader: Reader, lower: Floats, upper: Floats) -> InputSets:
    """Return what one network reads. Where an input is read twice, the ball would count it twice."""
    chosen = reader.columns
    low, high = lower[chosen][None], upper[chosen][None]
    ball = instance.ball
    if ball is None or ball.norm is Norm.LINF or len(np.unique(chosen)) < len(chosen):
        middle = np.clip(low + (high - low) / 2, low, high)
        return InputSets(low, high, middle, Norm.LINF, float((high - low).max(initial=0.0)))
    centre = np.array([float(v) for v in ball.centre])
    drift = sum(
        (abs(Fraction(c) - v) for c, v in zip(centre.tolist(), ball.centre, strict=True)), Fraction(0)
    )
    radius = ball.radius + (drift if ball.norm is Norm.L1 else 0)
    return InputSets(low, high, centre[chosen][None], ball.norm, up(radius))


def _ranges(
    instance: Instance,
    atoms: Sequence[Atom],
    sets: Sequence[InputSets],
    bounds: Sequence[Bounds],
    ends: tuple[Sequence[Fraction], Sequence[Fraction]],
) -> dict[Atom, Range]:
    """Bound the left-hand side of every atom: the parts over the inputs and over each network add up."""
    totals = [_over_inputs(atom, instance.inputs, *ends) for atom in atoms]
    for place, reader in enumerate(instance.readers):
        start, end = instance.starts[place : place + 2]
        parts = [_part(atom, start, end) for atom in atoms]
        read = [number for number, part in enumerate(parts) if part]
        found = _over_outputs(reader.network, sets[place], bounds[place], [parts[number] for number in read])
        for number, (low, high) in zip(read, found, strict=True):
            totals[number] = (totals[number][0] + low, totals[number][1] + high)
    return dict(zip(atoms, totals, strict=True))


def _part(atom: Atom, start: int, end: int) -> dict[int, Fraction]:
    pairs = zip(atom.columns, atom.coefficients, strict=True)
    return {v - start: c for v, c in pairs if start <= v < end}


def _over_inputs(atom: Atom, inputs: int, lower: Sequence[Fraction], upper: Sequence[Fraction]) -> Range:
    part = _part(atom, 0, inputs)
    low = sum((c * (lower if c > 0 else upper)[v] for v, c in part.items()), Fraction(0))
    high = sum((c * (upper if c > 0 else lower)[v] for v, c in part.items()), Fraction(0))
    return low, high


def _over_outputs(
    network: Network, sets: InputSets, bounds: Bounds, parts: Sequence[dict[int, Fraction]]
) -> list[Range]:
    """Bound linear forms of one network's outputs; what is lost in making them float64 is added."""
    forms = np.zeros((1, len(parts), network.classes))
    for row, part in enumerate(parts):
        for unit, coefficient in part.items():
            forms[0, row, unit] = float(coefficient)
    high = margin_bounds(network, sets, bounds, forms)[0].tolist()
    low = (-margin_bounds(network, sets, bounds, -forms)[0]).tolist()
    outputs = bounds.values[network.output]
    reach = np.maximum(np.abs(outputs.lower[0]), np.abs(outputs.upper[0])).tolist()
    ranges = []
    for part, least, most in zip(parts, low, high, strict=True):
        lost = sum((abs(c - Fraction(float(c))) * Fraction(reach[u]) for u, c in part.items()), Fraction(0))
        ranges.append((Fraction(least) - lost, Fraction(most) + lost))
    return ranges


def _simplified(condition: Condition, ranges: dict[Atom, Range]) -> Condition:
    """Leave out what is decided; the result is TRUE, FALSE, or has no part that is either."""
    match condition:
        case Atom():
            return _decided(condition, ranges[condition])
        case All(parts):
            left = [part for part in (_simplified(p, ranges) for p in parts) if part != TRUE]
            return FALSE if FALSE in left else left[0] if len(left) == 1 else All(tuple(left))
        case Some(parts):
            left = [part for part in (_simplified(p, ranges) for p in parts) if part != FALSE]
            return TRUE if TRUE in left else left[0] if len(left) == 1 else Some(tuple(left))
        case _:
            assert_never(condition)


def _decided(atom: Atom, ends: Range) -> Condition:
    low, high = ends
    if low > atom.least or (low == atom.least and not atom.strict):
        return TRUE
    if high < atom.least or (high == atom.least and atom.strict):
        return FALSE
    return atom
