"""Reading idx files, plain or gzipped, as the MNIST data sets come: `idx(images = ..., labels = ...)`.

An idx file is two zero bytes, a byte for the type, a byte for the number of dimensions, each dimension as
a big-endian 32-bit integer, and the numbers, row-major and big-endian.
"""

import gzip
import hashlib
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import numpy as np

from ensc.compiler.diagnostics import reject
from ensc.compiler.files import open_file
from ensc.compiler.frontend.data.blocks import LONGEST, ArrayLayout, take_rows
from ensc.compiler.frontend.data.raw import (
    DATA_FILE,
    RawPoints,
    Selection,
    check_amount,
    check_finite,
    check_label_shape,
    check_reach,
    scaled,
    whole_labels,
)
from ensc.compiler.frontend.query.arguments import Arguments
from ensc.compiler.frontend.query.expressions import Located
from ensc.compiler.quoting import counted, shown
from ensc.compiler.types.network import Floats, Integers

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
DENSEST = 1032
"""Deflate packs at most this many bytes into one."""


@dataclass(frozen=True, slots=True)
class IdxFile:
    """An idx file opened as far as its header.

    Attributes:
        path: of the file.
        layout: what its header says.
        sha256: of the file as it is stored, hexadecimal.
    """

    path: Located[Path]
    layout: ArrayLayout
    sha256: str

    @property
    def what(self) -> str:
        """What messages call it."""
        return f"`{shown(self.path.value.name)}`"


def read_idx(
    arguments: Arguments, images: Located[Path], labels: Located[Path], selection: Selection
) -> RawPoints:
    """Read the chosen rows of two idx files.

    Raises:
        Rejected: a file is no idx file, is cut short, or they have different numbers of rows.
    """
    inputs, classes = _open(images), _open(labels)
    check_label_shape(classes.layout.shape, classes.what, labels.span)
    if inputs.layout.rows != classes.layout.rows:
        message = f"{counted(inputs.layout.rows, 'input')}, but {counted(classes.layout.rows, 'label')}"
        reject("E0705", message, labels.span, f"{classes.what} has {counted(classes.layout.rows, 'row')}")
    rows = selection.rows.choose(inputs.layout.rows, inputs.what)
    check_amount(len(rows), inputs.layout.entries, inputs.what, images.span)
    values, found = _take(inputs, rows), _take(classes, rows)
    check_finite(values, rows, inputs.what, images.span)
    return RawPoints(
        scaled(values, selection.scale, arguments.place("scale")),
        selection.scale.denominator,
        whole_labels(found, rows, selection, classes.what, labels.span),
        rows,
        files=((images.value.name, inputs.sha256), (labels.value.name, classes.sha256)),
        scale=selection.scale,
        label_base=selection.label_base,
    )


@contextmanager
def _content(path: Located[Path]) -> Iterator[gzip.GzipFile | BufferedReader]:
    """Open a file at its first byte after decompression; damage found while reading is a diagnostic."""
    try:
        with open_file(path.value, DATA_FILE, path.span) as stream:
            packed = stream.read(2) == b"\x1f\x8b"
            stream.seek(0)
            yield gzip.GzipFile(fileobj=stream, mode="rb") if packed else stream
    except (gzip.BadGzipFile, zlib.error, struct.error, EOFError, OSError):
        message = f"`{shown(path.value.name)}` is cut short or damaged"
        reject("E0706", message, path.span, "the numbers cannot be read from it")


def _open(path: Located[Path]) -> IdxFile:
    with open_file(path.value, DATA_FILE, path.span) as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        stored = stream.tell()
    name = shown(path.value.name)
    with _content(path) as content:
        start = content.read(4)
        if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES:
            reject("E0706", f"`{name}` is not an idx file", path.span, "it does not start as one")
        sizes = content.read(4 * start[3])
        if len(sizes) < 4 * start[3]:
            raise EOFError
        shape = struct.unpack(f">{start[3]}I", sizes)
        packed = isinstance(content, gzip.GzipFile)
    if not shape:
        reject("E0713", f"`{name}` holds a single number", path.span, "one row for each point")
    layout = ArrayLayout(np.dtype(TYPES[start[2]]), shape)
    room = stored * DENSEST if packed else stored - _header(layout)
    if layout.size > room or (not packed and layout.size < room):
        stated = f"its header promises {layout.size} bytes"
        reject("E0706", f"`{name}` is cut short or damaged", path.span, stated)
    return IdxFile(path, layout, digest)


def _header(layout: ArrayLayout) -> int:
    """Return the length of the header in bytes."""
    return 4 + 4 * len(layout.shape)


def _take(file: IdxFile, rows: Integers) -> Floats:
    check_reach(file.layout.reach(rows), LONGEST, file.what, file.path.span)
    with _content(file.path) as content:
        content.read(_header(file.layout))
        return take_rows(content, file.layout, rows)
