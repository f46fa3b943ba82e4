"""Taking a few rows out of a long binary array without holding the rest in memory."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ensc.compiler.types.network import Floats, Integers


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""
        ...


BLOCK = 4 << 20
"""Bytes read at a time."""

LONGEST = 4 << 30
"""At most this many bytes of one array are read, or decompressed, to reach the chosen rows."""


@dataclass(frozen=True, slots=True)
class ArrayLayout:
    """How an array lies in a file.

    Attributes:
        dtype: of its entries; numeric.
        shape: rows first.
        columns_first: whether the first index varies fastest, as in Fortran.
    """

    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
    columns_first: bool = False

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.shape[0]

    @property
    def entries(self) -> int:
        """The number of entries of one row."""
        return math.prod(self.shape[1:])

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self.rows * self.entries * self.dtype.itemsize

    def reach(self, wanted: Integers) -> int:
        """Return how many bytes must be read to have the wanted rows."""
        if self.columns_first:
            return self.size
        return (int(wanted.max()) + 1) * self.entries * self.dtype.itemsize


def take_rows(stream: Readable, layout: ArrayLayout, wanted: Integers) -> Floats:
    """Read rows of an array, from its first byte on, as float64.

    Args:
        stream: stands at the first byte of the array.
        layout: of the array; a row is not empty.
        wanted: row numbers in any order, each less than the number of rows; at least one.

    Returns:
        The rows, shape (wanted, *layout.shape[1:]).

    Raises:
        EOFError: the file ends before the last wanted row.
    """
    # Not np.unique: it loads numpy's masked arrays, which takes longer than reading a few points.
    order = np.array(sorted(set(wanted.tolist())), dtype=np.intp)
    chosen = _whole(stream, layout, order) if layout.columns_first else _run(stream, layout, order)
    return chosen[np.searchsorted(order, wanted)].reshape(len(wanted), *layout.shape[1:])


def _whole(stream: Readable, layout: ArrayLayout, order: Integers) -> Floats:
    array = np.frombuffer(_exactly(stream, layout.size), layout.dtype)
    return _float64(array.reshape(layout.shape, order="F")[order])


def _run(stream: Readable, layout: ArrayLayout, order: Integers) -> Floats:
    width = layout.entries * layout.dtype.itemsize
    step = max(1, BLOCK // width)
    chosen = np.empty((len(order), layout.entries))
    filled = 0
    for start in range(0, int(order[-1]) + 1, step):
        rows = min(step, layout.rows - start)
        block = _exactly(stream, rows * width)
        end = int(np.searchsorted(order, start + rows))
        if end > filled:
            array = np.frombuffer(block, layout.dtype).reshape(rows, layout.entries)
            chosen[filled:end] = _float64(array[order[filled:end] - start])
            filled = end
    return chosen


def _exactly(stream: Readable, size: int) -> bytes:
    """Read `size` bytes; what a header promises is allocated only as it arrives."""
    parts: list[bytes] = []
    missing = size
    while missing:
        part = stream.read(min(missing, BLOCK))
        if not part:
            raise EOFError
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _float64(array: npt.NDArray[np.generic]) -> Floats:
    with np.errstate(all="ignore"):
        return array.astype(np.float64)
