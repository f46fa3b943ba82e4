"""Rectifiers, maxima, products and clauses as assertions, each equivalent to what the model says.

For `y = max(0, a)` with `l <= a <= u`:

* `or`: `y >= 0`, `y >= a`, `y <= s a + t` (the chord above) and `(or (<= y 0.0) (<= y a))`. The rows are
  what a linear solver sees before any phase is chosen.
* `ite`: `(= y (ite (>= a 0.0) a 0.0))`, which is shorter; solvers decide less with it.

`y = max(a_1, ..., a_n)` is `y >= a_i` and `(or (<= y a_1) ...)`; `q = p l` is `(= q (ite l p 0.0))` and,
for the linear solver again, `q <= p`.
"""

from collections.abc import Iterator
from typing import Literal, TypeAlias

import numpy as np

from ensc.compiler.types.model import Floats, Indices, Model
from ensc.formats.smtlib.header import comment
from ensc.formats.smtlib.terms import Pieces, Symbols, decimals, in_blocks, listed, pieces, woven

Relu: TypeAlias = Literal["or", "ite"]


def piecewise_text(model: Model, symbols: Symbols, relu: Relu) -> Iterator[bytes]:
    """Yield all constraints that are not rows."""
    if len(model.rectifiers.output):
        yield comment("y = max(0, a)")
        yield from _rectifiers(model, symbols, relu)
    if len(model.maxima.output):
        yield comment("y = max(a_1, ..., a_n)")
        yield from _maxima(model, symbols)
    if len(model.products.product):
        yield comment("q = p l")
        yield from _products(model, symbols)
    if len(model.clauses.condition):
        yield comment("l implies w_1 or ... or w_n")
        yield from _clauses(model, symbols)


def _rectifiers(model: Model, symbols: Symbols, relu: Relu) -> Iterator[bytes]:
    """Write the phases where there is a choice; elsewhere the one that the bounds leave."""
    y, a = model.rectifiers.output, model.rectifiers.input
    lower, upper = model.variables.lower[a], model.variables.upper[a]
    passes, open_ = lower >= 0, (lower < 0) & (upper > 0)
    blocks = ~passes & ~open_
    yield from _each(symbols, b"(assert (= ", y[passes], b" ", a[passes], b"))\n")
    yield from _each(symbols, b"(assert (= ", y[blocks], b" 0.0))\n")
    y, a = y[open_], a[open_]
    if relu == "ite":
        yield from _each(symbols, b"(assert (= ", y, b" (ite (>= ", a, b" 0.0) ", a, b" 0.0)))\n")
        return
    stated = model.variables.lower[y] >= 0  # then its bound says so
    yield from _each(symbols, b"(assert (>= ", y[~stated], b" 0.0))\n")
    yield from _each(symbols, b"(assert (>= ", y, b" ", a, b"))\n")
    yield from _chords(symbols, y, a, *chord(lower[open_], upper[open_]))
    yield from _each(symbols, b"(assert (or (<= ", y, b" 0.0) (<= ", y, b" ", a, b")))\n")


def _each(symbols: Symbols, *parts: Indices | bytes) -> Iterator[bytes]:
    """Yield one line for each entry of the arrays of variables, which have the same length."""
    size = next(len(part) for part in parts if isinstance(part, np.ndarray))
    for block in in_blocks(np.arange(size)):
        yield woven(*(part if isinstance(part, bytes) else symbols.names[part[block]] for part in parts))


def _chords(symbols: Symbols, y: Indices, a: Indices, slope: Floats, offset: Floats) -> Iterator[bytes]:
    for block in in_blocks(np.flatnonzero(np.isfinite(slope) & np.isfinite(offset))):
        names, of = symbols.names[y[block]], symbols.names[a[block]]
        line = decimals(slope[block]), b" ", of, b") ", decimals(offset[block])
        yield woven(b"(assert (<= ", names, b" (+ (* ", *line, b")))\n")


def chord(lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """Return a line that is nowhere below `max(0, a)` for `lower <= a <= upper`, `lower < 0 < upper`.

    Any line that is at least 0 at the lower end and at least `upper` at the upper end is one. Slope and
    offset have 24 significant bits, because an exact solver pays for every digit in every pivot.

    Returns:
        Slope and offset; not finite where there is no such line.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        slope = (upper / (upper - lower)).astype(np.float32).astype(np.float64)
        # Two roundings each: one ulp above both is an upper bound, a second one leaves no doubt.
        ends = np.stack([slope * -lower, (1.0 - slope) * upper])
        least = np.nextafter(np.nextafter(ends, np.inf), np.inf).max(axis=0)
        offset = np.nextafter(least.astype(np.float32), np.float32(np.inf)).astype(np.float64)
    return slope, offset


def _maxima(model: Model, symbols: Symbols) -> Iterator[bytes]:
    maxima = model.maxima
    y = np.repeat(maxima.output, np.diff(maxima.starts))
    yield from _each(symbols, b"(assert (>= ", y, b" ", maxima.candidates, b"))\n")
    heads, names = pieces([b"(<= "]) + symbols.names[y], symbols.names[maxima.candidates]
    yield from _disjunctions(heads + pieces([b" "]) + names + pieces([b")"]), maxima.starts)


def _products(model: Model, symbols: Symbols) -> Iterator[bytes]:
    products = model.products
    q, p, switch = products.product, products.factor, products.switch
    yield from _each(symbols, b"(assert (= ", q, b" (ite ", switch, b" ", p, b" 0.0)))\n")
    positive = model.variables.lower[p] >= 0  # otherwise the product may be the larger one
    yield from _each(symbols, b"(assert (<= ", q[positive], b" ", p[positive], b"))\n")


def _clauses(model: Model, symbols: Symbols) -> Iterator[bytes]:
    clauses = model.clauses
    denied = pieces([b"(not "]) + symbols.names[clauses.condition] + pieces([b")"])
    literals = np.insert(symbols.names[clauses.literals], clauses.starts[:-1], denied)
    yield from _disjunctions(literals, clauses.starts + np.arange(len(clauses.starts)))


def _disjunctions(literals: Pieces, starts: Indices) -> Iterator[bytes]:
    """Yield `(assert (or ...))` for each run of literals, none of them empty."""
    several = np.diff(starts) > 1
    before = np.where(several, b"(assert (or", b"(assert").astype(object)
    after = np.where(several, b"))\n", b")\n").astype(object)
    yield from listed(starts, literals[:, None], before, after)
