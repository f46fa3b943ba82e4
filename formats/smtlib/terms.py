"""Terms of linear arithmetic as text, column by column.

Texts are pieces, byte strings in arrays of objects: each distinct coefficient and each name is made once,
and a line is joined from references to them. (Fixed-width strings would be faster still, but an exact
decimal may have a thousand digits where most have twenty.)

* Numbers are exact decimals, `0.1000000000000000055511151231257827021181583404541015625`: every float64 has
  one, and `(* c x)` with a decimal is linear by the letter of QF_LRA, which `(* (/ p.0 q.0) x)` is not.
* A sign is outside, `(- 0.5)`: no reader takes `-0.5` for a number, and some take it for a symbol.
* A binary is a Bool: its share of a sum is `(ite b c 0.0)`, because the product of a number and an `ite` is
  not linear by the letter either.
* No operator has fewer than two operands: cvc5 refuses `(+ x)`.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ensc.compiler.types.model import Flags, Floats, Indices

Pieces: TypeAlias = npt.NDArray[np.object_]

BLOCK = 1 << 16
"""Items that are joined at once."""

ITEMS_A_LINE = 8


def pieces(texts: list[bytes]) -> Pieces:
    """Return byte strings as an array, shape (texts,)."""
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array


def woven(*parts: Pieces | bytes) -> bytes:
    """Return the text of lines whose parts are given column by column; a single text is the same in all."""
    size = next(len(part) for part in parts if isinstance(part, np.ndarray))
    table = np.empty((size, len(parts)), dtype=object)
    for i, part in enumerate(parts):
        table[:, i] = part
    return b"".join(table.ravel().tolist())


def decimal(value: float) -> bytes:
    """Return a finite float64 exactly.

    >>> decimal(3.0), decimal(-0.5), decimal(-0.0), decimal(1e-7)[:12]
    (b'3.0', b'(- 0.5)', b'0.0', b'0.0000000999')
    """
    digits = format(Decimal(abs(value)), "f")
    digits = digits if "." in digits else digits + ".0"
    return (f"(- {digits})" if value < 0 else digits).encode("ascii")


def decimals(values: Floats) -> Pieces:
    """Return each value exactly, shape (values,)."""
    distinct, which = np.unique(values, return_inverse=True)
    return pieces([decimal(value) for value in distinct.tolist()])[which]


@dataclass(frozen=True, slots=True, eq=False)
class Symbols:
    """The variables as they are called.

    Attributes:
        names: shape (variables,).
        boolean: shape (variables,), whether one is a Bool.
    """

    names: Pieces
    boolean: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums of variables with coefficients, in CSR form.

    Attributes:
        starts: shape (sums + 1,), where the terms of each begin.
        columns: shape (terms,).
        coefficients: shape (terms,).
    """

    starts: Indices
    columns: Indices
    coefficients: Floats


def in_blocks(chosen: Indices) -> Iterator[Indices]:
    """Cut an array of places into blocks."""
    return (chosen[first : first + BLOCK] for first in range(0, len(chosen), BLOCK))


def around(sums: Sums, symbols: Symbols, before: Pieces, after: Pieces) -> Iterator[bytes]:
    """Yield the text of each sum between a piece before it, without its final blank, and one after it."""
    count = np.minimum(np.diff(sums.starts), 2)
    opened = before + pieces([b" 0.0", b"", b" (+"])[count]
    closed = pieces([b"", b"", b")"])[count] + after
    yield from listed(sums.starts, _terms(sums, symbols), opened, closed)


def _terms(sums: Sums, symbols: Symbols) -> Pieces:
    """Return a head with the coefficient, a name and a tail for each term, shape (terms, 3)."""
    terms = np.empty((len(sums.columns), 3), dtype=object)
    terms[:, 1] = symbols.names[sums.columns]
    boolean = symbols.boolean[sums.columns]
    for chosen, spelled in ((~boolean, _scaled), (boolean, _switched)):
        distinct, which = np.unique(sums.coefficients[chosen], return_inverse=True)
        ends = [spelled(value) for value in distinct.tolist()]
        for side in (0, 1):
            terms[chosen, 2 * side] = pieces([end[side] for end in ends])[which]
    return terms


def _scaled(coefficient: float) -> tuple[bytes, bytes]:
    """Return what stands around a real: `c x`."""
    match coefficient:
        case 1.0:
            return b"", b""
        case -1.0:
            return b"(- ", b")"
        case _:
            return b"(* " + decimal(coefficient) + b" ", b")"


def _switched(coefficient: float) -> tuple[bytes, bytes]:
    """Return what stands around a Bool: c if it is true, otherwise 0."""
    return b"(ite ", b" " + decimal(coefficient) + b" 0.0)"


def listed(starts: Indices, items: Pieces, before: Pieces, after: Pieces) -> Iterator[bytes]:
    """Yield runs of items, each item after a blank or, in long runs, now and then a line break.

    Args:
        starts: shape (runs + 1,), where the items of each run begin.
        items: shape (items, parts).
        before: what comes before the items of each run, shape (runs,).
        after: what comes after them, shape (runs,).
    """
    counts = np.diff(starts)
    place = np.arange(len(items)) - np.repeat(starts[:-1], counts)
    breaks = (place % ITEMS_A_LINE == 0) & (np.repeat(counts, counts) > ITEMS_A_LINE)
    gaps = pieces([b" ", b"\n  "])[breaks.astype(np.int64)]
    for first, last in _runs(starts):
        begin, end = int(starts[first]), int(starts[last])
        text = np.column_stack([gaps[begin:end], items[begin:end]])
        yield _joined(starts[first : last + 1] - begin, text, before[first:last], after[first:last])


def _joined(starts: Indices, items: Pieces, before: Pieces, after: Pieces) -> bytes:
    runs, parts = np.arange(len(before)), items.shape[1]
    openings = starts[:-1] * parts + 2 * runs
    closings = starts[1:] * parts + 2 * runs + 1
    text = np.empty(items.size + 2 * len(runs), dtype=object)
    inside = np.ones(len(text), dtype=np.bool_)
    inside[openings] = inside[closings] = False
    text[openings], text[closings], text[inside] = before, after, items.ravel()
    return b"".join(text.tolist())


def _runs(starts: Indices) -> Iterator[tuple[int, int]]:
    """Cut runs into blocks of about equally many items."""
    runs = len(starts) - 1
    weight = starts + np.arange(runs + 1)  # a run without items is text too
    cuts = np.searchsorted(weight, np.arange(0, int(weight[-1]) + BLOCK, BLOCK))
    return itertools.pairwise(np.unique(np.clip(cuts, 0, runs)).tolist())
