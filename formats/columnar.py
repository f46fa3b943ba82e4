"""Text from columns of strings, with no loop over lines.

Fixed-width byte strings in numpy are padded with null bytes. A block of lines is a record array with one
field for each part of a line; its memory is the text but for the padding, which one pass deletes. This is
several times faster than joining the parts.
"""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ensc.compiler.types.model import Floats
from ensc.formats.numbers import LONGEST, Texts
from ensc.formats.shortest import shortest

Places: TypeAlias = npt.NDArray[np.integer]

BLOCK = 1 << 16
"""Lines in a block: enough for numpy to be worth its overhead, few enough to be small beside a file."""


def blocks(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Cut a range into blocks."""
    for start in range(first, last, BLOCK):
        yield start, min(start + BLOCK, last)


def texts(strings: Sequence[str]) -> Texts:
    """Return ASCII strings as an array, shape (strings,)."""
    return np.array(strings, dtype=np.bytes_) if strings else np.empty(0, dtype="S1")


def lines(*parts: Texts | bytes) -> bytes:
    """Return the text of lines whose parts are given column by column; a single text is the same in all."""
    kinds = [part.dtype if isinstance(part, np.ndarray) else np.dtype(("S", len(part))) for part in parts]
    size = next(len(part) for part in parts if isinstance(part, np.ndarray))
    records = np.empty(size, dtype=[(f"f{i}", kind) for i, kind in enumerate(kinds)])
    for i, part in enumerate(parts):
        records[f"f{i}"] = part
    return records.tobytes().translate(None, b"\0")


class Spelling:
    """The canonical texts of many numbers.

    An ensemble repeats its weights for every attack and point, and formatting a number costs more than
    everything else a writer does with it: where numbers repeat, each is formatted once.
    """

    def __init__(self, values: Floats) -> None:
        """Look at finite numbers, shape (numbers,)."""
        self._values = values
        self._table: Texts | None = None
        order = np.argsort(values)
        ordered = values[order]
        new = np.ones(len(values), dtype=np.bool_)
        new[1:] = ordered[1:] != ordered[:-1]
        if 4 * np.count_nonzero(new) <= len(values):
            self._which = np.empty(len(values), dtype=np.uint32)
            self._which[order] = np.cumsum(new, dtype=np.uint32) - 1
            self._table = _formatted(ordered[new])

    def __getitem__(self, chosen: slice | Places) -> Texts:
        """Return the texts of some of the numbers."""
        if self._table is None:
            return _formatted(self._values[chosen])
        return self._table[self._which[chosen]]


def _formatted(values: Floats) -> Texts:
    found = np.empty(len(values), dtype=("S", LONGEST))
    for first, last in blocks(0, len(values)):
        found[first:last] = shortest(values[first:last])
    return found


def spelled(values: Floats) -> Texts:
    """Return the canonical text of each number, shape (numbers,)."""
    return Spelling(values)[:]


def spelled_bounds(values: Floats) -> Texts:
    """Return the text of each bound, empty for an infinite one."""
    finite = np.isfinite(values)
    return np.where(finite, spelled(np.where(finite, values, 0.0)), b"")


def stable_order(keys: Places) -> npt.NDArray[np.intp]:
    """Return the order that sorts keys in 0 .. 2^32 - 1 and keeps equal ones in place.

    numpy sorts 16-bit integers by radix, in linear time; two rounds sort 32 bits several times faster
    than one comparison sort.
    """
    order = np.argsort(keys.astype(np.uint16), kind="stable")
    high = (keys >> 16).astype(np.uint16)
    return order[np.argsort(high[order], kind="stable")] if high.any() else order
