"""Counterexamples of instances: checked in exact arithmetic, found near a solver's point or by ascent.

A solver misses by its tolerance, and closes strict inequalities. So its point is only where the search
starts: candidates are rounded into the box, float32 first because that is what networks are run with, and
each is replayed exactly. Where none is one, gradient ascent raises the worst inequality of the best branch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

import numpy as np

from ensc.compiler.passes.instances.instance_bounds import box
from ensc.compiler.passes.networks.evaluate import evaluate, evaluate_exact
from ensc.compiler.passes.networks.gradient import gradient
from ensc.compiler.types.instance import All, Atom, Condition, Instance, Some, atoms, holds
from ensc.compiler.types.model import Floats, Indices
from ensc.runner.exact.certify import exact_norm
from ensc.runner.exact.projection import project

Exact = tuple[Fraction, ...]

STURDY = 1e-5
"""By how much the condition should hold in float64 for float32 execution not to lose it."""

STEPS, ROWS, SEED = 60, 8, 1
ATOMS = 100_000
"""Inequalities looked at in one ascent: the more there are, the fewer steps."""

AIMS = (1e-7, 1e-4, 1e-2, 1.0)
SIMPLE = (1000, 10**6)
"""Largest denominators of the simple fractions that are tried."""

FEW = 500
"""Inputs up to which they are."""


def values_at(instance: Instance, x: Sequence[Fraction]) -> Exact:
    """Return the values of all variables of an instance at an input, exactly."""
    outputs = [
        evaluate_exact(reader.network, [x[v] for v in reader.columns.tolist()]) for reader in instance.readers
    ]
    return (*x, *(value for output in outputs for value in output))


def is_counterexample(instance: Instance, values: Sequence[Fraction]) -> bool:
    """Return whether values of all variables are those of a counterexample; outputs are believed."""
    lower, upper = box(instance)
    x = values[: instance.inputs]
    if not all(low <= v <= high for low, v, high in zip(lower, x, upper, strict=True)):
        return False
    ball = instance.ball
    if ball is not None:
        delta = [v - c for v, c in zip(x, ball.centre, strict=True)]
        if exact_norm(ball.norm, delta) > ball.radius:
            return False
    return all(atom.holds(values) for atom in instance.constraints) and holds(instance.unsafe, values)


def find_counterexample(instance: Instance, start: Floats | None = None) -> Exact | None:
    """Return the values of all variables at a counterexample, None if none is found.

    Args:
        instance: the instance; a box that holds nothing has none.
        start: where to look first, shape (inputs,); the middle of the box otherwise.
    """
    lower, upper = box(instance)
    if any(low > high for low, high in zip(lower, upper, strict=True)):
        return None
    search = _search_of(instance)
    middle = search.lower / 2 + search.upper / 2
    first = middle if start is None else np.where(np.isfinite(start), start, middle)
    best: Exact | None = None
    for candidate in _candidates(instance, search, first):
        values = values_at(instance, candidate)
        if is_counterexample(instance, values):
            if _is_sturdy(search, candidate):
                return values
            best = best or values
    return best


def _candidates(instance: Instance, search: "_Search", start: Floats) -> Iterator[Exact]:
    """Propose roundings of the start, then of what ascent makes of it.

    Simple fractions meet equations, which roundings to floats miss; with many inputs they take too long.
    """
    lower, upper = box(instance)
    simple = SIMPLE if instance.inputs <= FEW else ()
    yield from _rounded(start, lower, upper, simple)
    for row in _ascend(search, start):
        yield from _rounded(row, lower, upper, simple)


def _rounded(
    x: Floats, lower: Sequence[Fraction], upper: Sequence[Fraction], simple: Sequence[int]
) -> Iterator[Exact]:
    ends = list(zip(x.tolist(), lower, upper, strict=True))
    yield tuple(_single(v, low, high) for v, low, high in ends)
    yield tuple(min(max(Fraction(v), low), high) for v, low, high in ends)
    for most in simple:
        yield tuple(min(max(Fraction(v).limit_denominator(most), low), high) for v, low, high in ends)


def _single(value: float, lower: Fraction, upper: Fraction) -> Fraction:
    """Return the nearest float32 in an interval; where there is none, the nearest point of the interval."""
    near = np.float32(value)
    for candidate in (near, np.nextafter(near, np.float32(np.inf)), np.nextafter(near, np.float32(-np.inf))):
        if np.isfinite(candidate) and lower <= Fraction(float(candidate)) <= upper:
            return Fraction(float(candidate))
    return min(max(Fraction(value), lower), upper)


# ascent in float64 -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """An instance as arrays.

    Attributes:
        instance: the instance.
        whole: the condition and all constraints; its atoms are numbered from left to right.
        columns: variables of each atom, shape (atoms, widest), 0 beyond its own.
        coefficients: of each atom, shape (atoms, widest), 0 beyond its own.
        least: right-hand sides, shape (atoms,).
        lower: the box, shape (inputs,).
        upper: the box, shape (inputs,).
    """

    instance: Instance
    whole: Condition
    columns: Indices
    coefficients: Floats
    least: Floats
    lower: Floats
    upper: Floats


def _search_of(instance: Instance) -> _Search:
    whole = All((*instance.constraints, instance.unsafe))
    every = list(atoms(whole))
    width = max((len(atom.columns) for atom in every), default=1) or 1
    columns = np.zeros((len(every), width), dtype=np.int64)
    coefficients = np.zeros((len(every), width))
    for row, atom in enumerate(every):
        columns[row, : len(atom.columns)] = atom.columns
        coefficients[row, : len(atom.columns)] = [float(c) for c in atom.coefficients]
    least = np.array([float(atom.least) for atom in every])
    lower, upper = (np.array([float(v) for v in ends]) for ends in box(instance))
    return _Search(instance, whole, columns, coefficients, least, lower, upper)


def _is_sturdy(search: _Search, x: Exact) -> bool:
    return bool(_score(search, np.array([[float(v) for v in x]]))[0][0] >= STURDY)


def _score(search: _Search, x: Floats) -> tuple[Floats, Indices]:
    """Return by how much the condition holds, and the atom that decides it, shape (rows,) each."""
    outputs = [evaluate(reader.network, x[:, reader.columns]) for reader in search.instance.readers]
    values = np.concatenate([x, *outputs], axis=1)
    excess = np.empty((len(x), len(search.least)))
    for row in range(len(x)):  # a batch of rows at once would be too large for many atoms
        excess[row] = (values[row, search.columns] * search.coefficients).sum(axis=1) - search.least
    scores, deciding, _ = _folded(search.whole, excess, 0)
    return scores, deciding


def _folded(condition: Condition, excess: Floats, first: int) -> tuple[Floats, Indices, int]:
    """Return score and deciding atom of a condition whose atoms start at `first`, and the next atom."""
    match condition:
        case Atom():
            return excess[:, first], np.full(len(excess), first), first + 1
        case All(parts) | Some(parts):
            sign = 1.0 if isinstance(condition, All) else -1.0
            score, deciding = np.full(len(excess), sign * np.inf), np.full(len(excess), -1)
            for part in parts:
                found, atom, first = _folded(part, excess, first)
                better = sign * found < sign * score
                score, deciding = np.where(better, found, score), np.where(better, atom, deciding)
            return score, deciding, first
        case _:
            assert_never(condition)


def _ascend(search: _Search, start: Floats) -> list[Floats]:
    """Raise the score from several starts, by steps as long as a linear function would need (Polyak 1969).

    Returns:
        The best rows, best first.
    """
    rng = np.random.default_rng(SEED)
    middle = search.lower / 2 + search.upper / 2
    random = search.lower + (search.upper - search.lower) * rng.random((ROWS - 4, len(middle)))
    rows = _inside(search, np.concatenate([np.stack([start, start, middle, middle]), random]))
    aims = np.resize(AIMS, len(rows))
    best, reached = rows, np.full(len(rows), -np.inf)
    with np.errstate(all="ignore"):
        for _ in range(min(STEPS, 1 + ATOMS // max(1, len(search.least)))):
            score, deciding = _score(search, rows)
            better = score > reached
            best, reached = np.where(better[:, None], rows, best), np.where(better, score, reached)
            if reached.max(initial=-np.inf) >= max(STURDY, 1e-3) or (deciding < 0).all():
                break
            slope = _slope(search, rows, deciding)
            steepness = np.maximum((slope**2).sum(axis=1), np.finfo(np.float64).tiny)
            length = 1.3 * np.maximum(aims - score, 0.0) / steepness
            moved = rows + length[:, None] * slope
            rows = _inside(search, np.where(np.isfinite(moved), moved, best))
    return [best[row] for row in np.argsort(-reached, kind="stable")[:3]]


def _slope(search: _Search, x: Floats, deciding: Indices) -> Floats:
    """Return the gradient of the deciding atom of each row by the inputs."""
    size = search.instance.starts[-1]
    weights = np.zeros((len(x), size))
    rows = np.arange(len(x))[:, None]
    np.add.at(weights, (rows, search.columns[deciding]), search.coefficients[deciding])
    slope = weights[:, : search.instance.inputs].copy()
    for reader, (start, end) in zip(
        search.instance.readers,
        zip(search.instance.starts[:-1], search.instance.starts[1:], strict=True),
        strict=True,
    ):
        pulled = gradient(reader.network, x[:, reader.columns], weights[:, start:end])
        np.add.at(slope, (rows, reader.columns[None]), pulled)
    return slope


def _inside(search: _Search, rows: Floats) -> Floats:
    """Return the rows moved into box and ball."""
    ball = search.instance.ball
    if ball is None:
        return np.asarray(np.clip(rows, search.lower, search.upper))
    centre = np.array([float(v) for v in ball.centre])
    radius = ball.radius * (1 - Fraction(1, 10**7))  # rounding later must not leave the ball
    return centre + project(ball.norm, radius, search.lower - centre, search.upper - centre, rows - centre)
