"""Reading images: `png("signs/*.png", labels = "labels.csv")`.

The files that match the pattern are taken in the order of their names. The table of labels has a line
`file name, label` for each of them, in any order; a first line whose label is no number is a heading.
Images are grey (8 or 16 bits) or RGB, and lie in memory as height, width, channels.
"""

import glob
import hashlib
import io
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ensc.compiler.diagnostics import Span, reject
from ensc.compiler.files import FileKind, read_file
from ensc.compiler.frontend.data.raw import (
    RawPoints,
    Selection,
    check_amount,
    scaled,
    whole_labels,
)
from ensc.compiler.frontend.query.arguments import Arguments
from ensc.compiler.frontend.query.expressions import Located
from ensc.compiler.quoting import path_text, shown
from ensc.compiler.quoting import shape as shape_text
from ensc.compiler.words import suggest

IMAGE_FILE = FileKind("image", "E0701", "E0702", "E0703", 64 << 20)
LABEL_FILE = FileKind("table of labels", "E0701", "E0702", "E0703", 64 << 20)

MOST_PIXELS = 1 << 24
MODES = {"L": "L", "1": "L", "RGB": "RGB", "P": "RGB", "I;16": "I;16"}
"""How an image of each of Pillow's modes is read; those with an alpha channel are refused."""


def read_png(
    arguments: Arguments, pattern: Located[Path], labels: Located[Path], selection: Selection
) -> RawPoints:
    """Read the chosen images that match a pattern.

    Raises:
        Rejected: Pillow is missing, nothing matches, a file is no such image or has no label, or the
            images differ in size.
    """
    _need_pillow(arguments.call.function.span)
    # Path.glob takes no absolute patterns, and takes `**` for every folder below.
    names = glob.glob(str(pattern.value))  # noqa: PTH207
    files = [Path(name) for name in sorted(names)]
    what = f"`{shown(pattern.value.name)}`"
    if not files:
        reject("E0701", f"no image matches `{path_text(pattern.value.as_posix())}`", pattern.span)
    rows = selection.rows.choose(len(files), what)
    table, digest = _read_labels(labels)
    chosen = [files[row] for row in rows.tolist()]
    classes = np.array([_label(table, path, labels) for path in chosen], np.float64)
    images, hashes = _read_images(chosen, pattern.span)
    return RawPoints(
        scaled(images, selection.scale, arguments.place("scale")),
        selection.scale.denominator,
        whole_labels(classes, rows, selection, f"`{shown(labels.value.name)}`", labels.span),
        rows,
        layout="NHWC" if images.ndim == 4 else None,
        files=(*hashes, (labels.value.name, digest)),
        scale=selection.scale,
        label_base=selection.label_base,
    )


def _need_pillow(place: Span) -> None:
    try:
        import PIL.Image  # noqa: F401, PLC0415 - an extra: only those who read images need it
    except ImportError:
        advice = 'install it: `pip install "ensc-compiler[png]"`'
        reject("E0717", "reading images needs Pillow, which is not installed", place, help=advice)


def _read_images(paths: list[Path], place: Span) -> tuple[npt.NDArray[np.float64], list[tuple[str, str]]]:
    images: list[npt.NDArray[np.float64]] = []
    hashes: list[tuple[str, str]] = []
    for path in paths:
        content = read_file(path, IMAGE_FILE, place)
        image = _pixels(path, content, place)
        if images and image.shape != images[0].shape:
            reject(
                "E0718",
                f"`{shown(path.name)}` is {shape_text(image.shape)}, but "
                f"`{shown(paths[0].name)}` is {shape_text(images[0].shape)}",
                place,
                "all images must have one size",
            )
        check_amount(len(paths), image.size, f"`{shown(path.name)}`", place)
        images.append(image)
        hashes.append((path.name, hashlib.sha256(content).hexdigest()))
    return np.stack(images), hashes


def _pixels(path: Path, content: bytes, place: Span) -> npt.NDArray[np.float64]:
    """Decode one image: shape (height, width), or (height, width, 3) for colours."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - an extra, see _need_pillow

    name = shown(path.name)
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if image.width * image.height > MOST_PIXELS:
                reject("E0703", f"`{name}` has {image.width}x{image.height} pixels", place)
            if image.mode not in MODES:
                kind = f"`{name}` is of kind {image.mode}"
                reject("E0718", kind, place, "only grey and RGB images, without alpha, are read")
            return np.asarray(image.convert(MODES[image.mode]), np.float64)
    except (UnidentifiedImageError, Image.DecompressionBombError):
        reject("E0706", f"`{name}` is not a png image", place)
    except (OSError, SyntaxError, ValueError, EOFError):  # SyntaxError: Pillow's word for a bad chunk
        reject("E0706", f"`{name}` is damaged", place)


def _read_labels(labels: Located[Path]) -> tuple[Mapping[str, float], str]:
    content = read_file(labels.value, LABEL_FILE, labels.span)
    name = shown(labels.value.name)
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        reject("E0715", f"`{name}` is not UTF-8 text", labels.span)
    table: dict[str, float] = {}
    for number, line in enumerate(lines, start=1):
        file, comma, text = line.rpartition(",")
        label = _as_label(text)
        if label is not None and comma:
            table[Path(file.strip().strip('"')).name] = label
        elif line.strip() and number > 1:
            message = f"`{name}`, line {number}: expected `file name, label`"
            reject("E0715", message, labels.span)
    return table, hashlib.sha256(content).hexdigest()


def _as_label(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _label(table: Mapping[str, float], path: Path, labels: Located[Path]) -> float:
    if path.name in table:
        return table[path.name]
    close = suggest(path.name, sorted(table))
    reject(
        "E0718",
        f"`{shown(labels.value.name)}` has no label for `{shown(path.name)}`",
        labels.span,
        "expected a line `file name, label`",
        notes=(f"the nearest name in it is `{shown(close)}`",) if close else (),
    )
