"""Reading numpy archives: `npz("p.npz", inputs = "x", labels = "y")`.

The archive is a stranger's. Nothing is unpickled; what its directory and the headers of its arrays
declare is compared and bounded before a byte is decompressed; and only the chosen rows are kept.
"""

import ast
import hashlib
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO

import numpy as np

from ensc.compiler.diagnostics import Span, reject
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
from ensc.compiler.quoting import counted, listed, shown
from ensc.compiler.quoting import shape as shape_text
from ensc.compiler.types.network import Floats, Integers
from ensc.compiler.words import hint

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 1 << 16
NUMERIC = re.compile(r"[<>|=]?([biu][1248]|f[248])")


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """One array of an archive, opened as far as its header.

    Attributes:
        name: of the array.
        member: its entry in the archive.
        layout: what its header says.
        start: where its numbers start.
        place: where the query names it.
    """

    name: str
    member: zipfile.ZipInfo
    layout: ArrayLayout
    start: int
    place: Span

    @property
    def what(self) -> str:
        """What messages call it."""
        return f"array `{shown(self.name)}`"


def read_npz(arguments: Arguments, path: Located[Path], selection: Selection) -> RawPoints:
    """Read the chosen rows of two arrays of an archive.

    Args:
        arguments: `inputs` and `labels` name the arrays; they default to `x` and `y`.
        path: of the archive.
        selection: rows, scale, label base.

    Raises:
        Rejected: the file is no such archive, lacks an array, or holds other than finite numbers.
    """
    with open_file(path.value, DATA_FILE, path.span) as stream, _reading(path):
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        stream.seek(0)
        with _open_archive(stream, path) as archive:
            inputs = _find(archive, arguments, "inputs", "x", path)
            labels = _find(archive, arguments, "labels", "y", path)
            _check_shapes(inputs, labels)
            rows = selection.rows.choose(inputs.layout.rows, inputs.what)
            check_amount(len(rows), inputs.layout.entries, inputs.what, inputs.place)
            values = _take(archive, inputs, rows)
            found = _take(archive, labels, rows)
    check_finite(values, rows, inputs.what, inputs.place)
    return RawPoints(
        scaled(values, selection.scale, arguments.place("scale")),
        selection.scale.denominator,
        whole_labels(found, rows, selection, labels.what, labels.place),
        rows,
        files=((path.value.name, digest),),
        scale=selection.scale,
        label_base=selection.label_base,
    )


@contextmanager
def _reading(path: Located[Path]) -> Iterator[None]:
    """Turn everything that the zip and deflate readers trip over into a diagnostic."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
        ValueError,
        OverflowError,
    ):
        message = f"`{shown(path.value.name)}` is damaged"
        reject("E0706", message, path.span, "the numbers cannot be read from it")


def _open_archive(stream: BufferedReader, path: Located[Path]) -> zipfile.ZipFile:
    start = stream.read(len(MAGIC))
    stream.seek(0)
    name = shown(path.value.name)
    if start == MAGIC:
        advice = "save inputs and labels together with `numpy.savez`"
        reject("E0706", f"`{name}` is a single array (npy)", path.span, "not an npz", help=advice)
    if not zipfile.is_zipfile(stream):
        reject("E0706", f"`{name}` is not an npz archive", path.span, "it is not a zip file")
    return zipfile.ZipFile(stream)


def _find(
    archive: zipfile.ZipFile, arguments: Arguments, argument: str, default: str, path: Located[Path]
) -> ArrayFile:
    given = arguments.text(argument)
    name, place = (given.value, given.span) if given else (default, path.span)
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    if name not in members:
        advice = hint(name, sorted(members), shown)
        reject(
            "E0704",
            f"`{shown(path.value.name)}` has no array `{shown(name)}`",
            place,
            f"it has {listed(sorted(members))}" if members else "it has no arrays",
            help=advice if given else f"name the array: `{argument} = ...`",
        )
    member = members[name]
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        reject("E0706", f"array `{shown(name)}` is packed in a way numpy never does", place)
    with archive.open(member) as stream:
        layout = _read_header(stream, name, place)
        start = stream.tell()
    if member.file_size != start + layout.size:
        stated = f"its header promises {layout.size} bytes, the archive {member.file_size - start}"
        reject("E0706", f"array `{shown(name)}` is damaged", place, stated)
    return ArrayFile(name, member, layout, start, place)


def _read_header(stream: IO[bytes], name: str, place: Span) -> ArrayLayout:
    """Read the header of an npy file: magic, version, the length of a Python dictionary, the dictionary."""
    quoted = shown(name)
    start = stream.read(8)
    if start[:6] != MAGIC or start[6:] not in (b"\x01\x00", b"\x02\x00", b"\x03\x00"):
        reject("E0706", f"array `{quoted}` has no npy header", place)
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(stream.read(width), "little")
    if length > LONGEST_HEADER:
        reject("E0707", f"the header of array `{quoted}` is too long for an array of numbers", place)
    header = _literal(stream.read(length))
    match header:
        case {"descr": str() as kind, "fortran_order": bool() as order, "shape": tuple() as shape}:
            pass
        case {"descr": list(), "fortran_order": _, "shape": _}:
            reject("E0707", f"array `{quoted}` holds records, not numbers", place)
        case _:
            reject("E0706", f"the header of array `{quoted}` is damaged", place)
    if not NUMERIC.fullmatch(kind):
        objects = "Python objects" if "O" in kind else f"entries of type `{shown(kind)}`"
        reject("E0707", f"array `{quoted}` holds {objects}, not numbers", place)
    if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in shape):
        reject("E0706", f"the header of array `{quoted}` is damaged", place)
    if not shape:
        reject("E0713", f"array `{quoted}` is a single number", place, "one row for each point")
    return ArrayLayout(np.dtype(kind), shape, order)


def _literal(text: bytes) -> object:
    """Evaluate a header as a literal; None if it is none."""
    try:
        return ast.literal_eval(text.decode("utf-8"))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _check_shapes(inputs: ArrayFile, labels: ArrayFile) -> None:
    check_label_shape(labels.layout.shape, labels.what, labels.place)
    if inputs.layout.rows != labels.layout.rows:
        reject(
            "E0705",
            f"{counted(inputs.layout.rows, 'input')}, but {counted(labels.layout.rows, 'label')}",
            labels.place,
            f"{labels.what} has shape {shape_text(labels.layout.shape)}",
            notes=(f"{inputs.what} has shape {shape_text(inputs.layout.shape)}",),
        )


def _take(archive: zipfile.ZipFile, array: ArrayFile, rows: Integers) -> Floats:
    most = LONGEST // 4 if array.layout.columns_first else LONGEST
    check_reach(array.layout.reach(rows), most, array.what, array.place)
    with archive.open(array.member) as stream:
        stream.read(array.start)
        return take_rows(stream, array.layout, rows)
