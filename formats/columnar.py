"""Text from columns of strings, with no loop over lines.

Fixed-width byte strings in numpy are padded with null bytes. A block of lines is a record array with one
field for each part of a line; its memory is the text but for the padding, which one pass deletes. This is
several times faster than joining the parts.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ensc.compiler.types.model import Floats
from ensc.formats.numbers import Texts
from ensc.formats.shortest import padded, shortest

Places: TypeAlias = npt.NDArray[np.integer]

BLOCK = 1 << 14
"""Lines in a block: enough for numpy to be worth its overhead, few enough to stay in a cache."""

PART, MOST_PARTS = 1 << 17, 32
"""Keys sorted at a time, at least, and how often all are looked through, at most."""

FEW = 1 << 14
"""Numbers of which all are looked at to see whether they repeat; of more, every sixteenth different one."""

SLOT_BITS = 18
"""The slots fit into a processor's cache; there are many times more than an ensemble has weights."""

SAMPLED, ALL = np.uint64((1 << 60) - 1), np.uint64((1 << 64) - 1)

MIXER = np.uint64(0x9E3779B97F4A7C15)
"""An odd number near 2^64 over the golden ratio: multiplied by it, neighbouring numbers are spread evenly."""


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
    """The texts of many numbers, as parts of lines: with null bytes anywhere in them.

    An ensemble repeats its weights for every attack and point, and formatting a number costs more than
    everything else a writer does with it: where numbers repeat, each is formatted once.
    """

    def __init__(self, values: Floats, *, unsigned: bool = False) -> None:
        """Look at finite numbers, shape (numbers,), of which the text may leave out the sign."""
        self._values = values
        self._unsigned = unsigned
        self._table: Texts | None = None
        if _repeat(values):
            self._which, self._values = _numbered(values)
            self._table = shortest(self._signed(self._values))

    def __getitem__(self, chosen: slice | Places) -> Texts:
        """Return the texts of some of the numbers."""
        if self._table is None:
            return padded(self._signed(self._values[chosen]))
        return self._table.take(self._which[chosen])

    def _signed(self, values: Floats) -> Floats:
        return np.abs(values) if self._unsigned else values


def _repeat(values: Floats) -> bool:
    """Whether numbers occur four times on average; told by those whose bits mix to a small number."""
    if not len(values):
        return False
    parts = (values[first:last].view(np.uint64) * MIXER for first, last in blocks(0, len(values)))
    most = SAMPLED if len(values) > FEW else ALL
    sample = np.sort(np.concatenate([part[part <= most] for part in parts]))
    return bool(4 * (1 + np.count_nonzero(sample[1:] != sample[:-1])) <= len(sample))


def _numbered(values: Floats) -> tuple[npt.NDArray[np.uint32], Floats]:
    """Return for each number its place in an array without repetitions, and that array.

    Each number sends its position to a slot that its bits name; the last one to arrive stands for all equal
    ones. Different numbers that share a slot are told apart by sorting them.
    """
    count = len(values)
    slots = np.empty(1 << SLOT_BITS, dtype=np.uint32)
    stands = np.empty(count, dtype=np.uint32)
    for first, last in blocks(0, count):
        slots[_slots(values[first:last])] = np.arange(first, last, dtype=np.uint32)
    for first, last in blocks(0, count):
        stands[first:last] = slots[_slots(values[first:last])]
    same = [values[stands[first:last]] == values[first:last] for first, last in blocks(0, count)]
    others = np.flatnonzero(~np.concatenate(same))
    del same
    order = others[np.argsort(values[others], kind="stable")]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = values[order[1:]] != values[order[:-1]]
    stands[order] = order[new][np.cumsum(new) - 1]
    chosen = np.zeros(count, dtype=np.bool_)
    chosen[stands] = True
    places = np.cumsum(chosen, dtype=np.uint32)
    for first, last in blocks(0, count):
        stands[first:last] = places[stands[first:last]] - np.uint32(1)
    return stands, values[chosen]


def _slots(values: Floats) -> Places:
    return (values.view(np.uint64) * MIXER >> np.uint64(64 - SLOT_BITS)).view(np.int64)


def spelled(values: Floats) -> Texts:
    """Return the canonical text of each number, shape (numbers,)."""
    return shortest(values)


def spelled_bounds(values: Floats) -> Texts:
    """Return the text of each bound as part of a line, empty for an infinite one."""
    finite = np.isfinite(values)
    return np.where(finite, padded(np.where(finite, values, 0.0)), b"")


def stable_order(keys: Places) -> npt.NDArray[np.uint32]:
    """Return the order that sorts keys in 0 .. 2^32 - 1 and keeps equal ones in place.

    numpy sorts 16-bit integers by radix, in linear time; two rounds sort 32 bits several times faster
    than one comparison sort. Positions of 32 bits keep the memory below the size of a file.
    """
    order = np.argsort(keys.astype(np.uint16), kind="stable").astype(np.uint32)
    high = (keys >> 16).astype(np.uint16)
    return order[np.argsort(high[order], kind="stable")] if high.any() else order


def ordered(keys: Places, first: int, last: int) -> Iterator[npt.NDArray[np.uint32]]:
    """Yield the positions of the keys in `first .. last - 1`, sorted by key, equal ones in place, in blocks.

    Only a part of them is sorted at a time, so that the memory is a fraction of that of the keys.
    """
    cuts = _cuts(keys, first, last)
    for low, high in itertools.pairwise(cuts):
        inside = np.flatnonzero((keys >= low) & (keys < high)).astype(np.uint32)
        order = inside[stable_order(keys[inside] - low)]
        for start, stop in blocks(0, len(order)):
            yield order[start:stop]


def _cuts(keys: Places, first: int, last: int) -> list[int]:
    """Cut a range of keys where about equally many keys lie between, in few parts that are not small."""
    if len(keys) <= PART:
        return [first, last]
    counts = np.zeros(last, dtype=np.int64)
    for start in range(0, len(keys), 4 * PART):
        some = keys[start : start + 4 * PART]
        counts += np.bincount(some[some < last], minlength=last)
    ends = np.cumsum(counts[first:])
    size = max(PART, len(keys) // MOST_PARTS)
    inner = first + 1 + np.searchsorted(ends, np.arange(size, int(ends[-1]) if len(ends) else 0, size))
    return sorted({first, last, *(min(cut, last) for cut in inner.tolist())})
