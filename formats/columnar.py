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
from ensc.formats.numbers import canonical

Texts: TypeAlias = npt.NDArray[np.bytes_]

BLOCK = 1 << 17
"""Lines in a block: enough for numpy to be worth its overhead, few enough to be small beside a file."""

LONGEST_NUMBER = 24


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


def spelled(values: Floats) -> tuple[Texts, npt.NDArray[np.intp]]:
    """Return the canonical text of each distinct value, and which of them each value has.

    An ensemble repeats its weights for every attack and point, and formatting a number costs more than
    everything else a writer does with it.
    """
    distinct, which = np.unique(values, return_inverse=True)
    table = np.empty(len(distinct), dtype=("S", LONGEST_NUMBER))
    for first, last in blocks(0, len(distinct)):
        table[first:last] = canonical(distinct[first:last])
    return table, which


def spelled_bounds(values: Floats) -> Texts:
    """Return the text of each bound, empty for an infinite one."""
    finite = np.isfinite(values)
    table, which = spelled(np.where(finite, values, 0.0))
    return np.where(finite, table[which], b"")


def stable_order(keys: npt.NDArray[np.integer]) -> npt.NDArray[np.intp]:
    """Return the order that sorts keys in 0 .. 2^32 - 1 and keeps equal ones in place.

    numpy sorts 16-bit integers by radix, in linear time; two rounds sort 32 bits several times faster
    than one comparison sort.
    """
    order = np.argsort(keys.astype(np.uint16), kind="stable")
    high = (keys >> 16).astype(np.uint16)
    return order[np.argsort(high[order], kind="stable")] if high.any() else order
