"""The data sets of Gross et al. 2020, section 6, from files that the user has: read, chosen, scaled down.

Pictures are grey, pixels 0..255, and become n×n by averaging areas: a small pixel is the mean of what it
covers of the large ones, in integers, rounded to the nearest (half up), so that every machine gets the same
bytes.
"""

import csv
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]

SIGNS = {0: 12, 1: 13}
"""Class of the German Traffic Sign Recognition Benchmark by our label: priority road, give way."""

HELD_OUT = 5
"""Every so many tracks of traffic-sign frames one is kept for testing."""


class DataError(Exception):
    """A data set that is not where, or not what, the user said; the message is for them."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Scaled-down pictures of two classes.

    Attributes:
        x: pixels (pictures, n, n).
        y: labels (pictures,), 0 or 1.
        names: which picture of its data set each is (pictures,).
    """

    x: Pixels
    y: NDArray[np.int64]
    names: NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Split:
    """What networks are trained on, and what they are tested on and points are taken from."""

    train: Pictures
    test: Pictures


def _overlaps(large: int, small: int) -> NDArray[np.int64]:
    """Return how much of each large pixel lies in each small one, (small, large), in 1/small of a pixel."""
    start = np.arange(large) * small
    first = np.arange(small)[:, None] * large
    shared = np.minimum(start + small, first + large) - np.maximum(start, first)
    return np.asarray(np.maximum(shared, 0), dtype=np.int64)


def scaled_down(pictures: Pixels, size: int) -> Pixels:
    """Average pictures (..., height, width) over areas, to (..., size, size)."""
    height, width = pictures.shape[-2:]
    down, across = _overlaps(height, size), _overlaps(width, size)
    sums = down @ pictures.astype(np.int64) @ across.T
    return np.asarray((2 * sums + height * width) // (2 * height * width), dtype=np.uint8)


def _grey(colours: Pixels) -> Pixels:
    """Return the luma (ITU-R BT.601) of pictures (..., 3)."""
    weighted = colours.astype(np.int64) @ np.array([299, 587, 114])
    return np.asarray((2 * weighted + 1000) // 2000, dtype=np.uint8)


def mnist(path: Path, digits: Sequence[int], size: int) -> Split:
    """Return the pictures of two MNIST digits; the first one has label 0.

    Args:
        path: an npz file as Keras serves it (x_train, y_train, x_test, y_test), or a folder with the four
            official idx files, compressed or not.
        digits: the two digits.
        size: pixels on each side.

    Raises:
        DataError: if there is no such data.
    """
    arrays = _mnist_npz(path) if path.is_file() else _mnist_idx(path)
    parts = []
    for part, (images, labels) in zip(("train", "test"), arrays, strict=True):
        rows = np.flatnonzero(np.isin(labels, digits))
        names = np.array([f"{part}/{row}" for row in rows])
        parts.append(
            Pictures(scaled_down(images[rows], size), (labels[rows] == digits[1]).astype(np.int64), names)
        )
    return Split(*parts)


def _mnist_npz(path: Path) -> list[tuple[Pixels, Pixels]]:
    with np.load(path, allow_pickle=False) as file:
        wanted = [f"{what}_{part}" for part in ("train", "test") for what in "xy"]
        if missing := sorted(set(wanted) - set(file.files)):
            raise DataError(f"{path} has no array {', '.join(missing)}")
        return [(file[f"x_{part}"], file[f"y_{part}"]) for part in ("train", "test")]


def _mnist_idx(folder: Path) -> list[tuple[Pixels, Pixels]]:
    return [
        (_idx(folder, f"{part}-images", 3), _idx(folder, f"{part}-labels", 1)) for part in ("train", "t10k")
    ]


def _idx(folder: Path, stem: str, axes: int) -> Pixels:
    for name in (f"{stem}-idx{axes}-ubyte", f"{stem}.idx{axes}-ubyte"):
        for path, opened in ((folder / name, open), (folder / f"{name}.gz", gzip.open)):
            if path.is_file():
                with opened(path, "rb") as file:
                    return _idx_array(file.read(), axes, path)
    raise DataError(f"no {stem}-idx{axes}-ubyte or {stem}-idx{axes}-ubyte.gz in {folder}")


def _idx_array(content: bytes, axes: int, path: Path) -> Pixels:
    shape = np.frombuffer(content, dtype=">u4", offset=4, count=axes)
    if content[:4] != bytes((0, 0, 8, axes)) or len(content) != 4 + 4 * axes + shape.prod(dtype=np.int64):
        raise DataError(f"{path} is no idx file of {axes} axes of bytes")
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * axes).reshape(shape)


def signs(path: Path, size: int) -> Split:
    """Return the traffic signs "priority road" (label 0) and "give way" (label 1), whole frames, in grey.

    Frames of one track show one sign seconds apart, so tracks are kept together: of every HELD_OUT tracks of
    a class one is for testing. The official test pictures, whose names tell no track, are not used.

    Args:
        path: an npz file of both classes (images, labels, filename), or a folder anywhere above the official
            folders 00012 and 00013 with their GT-00012.csv and GT-00013.csv (read with Pillow).
        size: pixels on each side.

    Raises:
        DataError: if there is no such data.
    """
    x, y, names = _signs_npz(path, size) if path.is_file() else _signs_folder(path, size)
    tracks = np.array([int(name[6:11]) for name in names])
    held_out = tracks % HELD_OUT == 0
    return Split(*(Pictures(x[rows], y[rows], names[rows]) for rows in (~held_out, held_out)))


_Signs: TypeAlias = tuple[Pixels, NDArray[np.int64], NDArray[np.str_]]


def _signs_npz(path: Path, size: int) -> _Signs:
    with np.load(path, allow_pickle=False) as file:
        if missing := sorted({"images", "labels", "filename"} - set(file.files)):
            raise DataError(f"{path} has no array {', '.join(missing)}")
        labels, names = file["labels"], file["filename"]
        in_track = np.char.startswith(names, "000")
        rows = np.flatnonzero(in_track & np.isin(labels, list(SIGNS.values())))
        rows = rows[np.argsort(names[rows], kind="stable")]
        x = scaled_down(_grey(file["images"][rows]), size)
    return x, (labels[rows] == SIGNS[1]).astype(np.int64), names[rows]


def _signs_folder(path: Path, size: int) -> _Signs:
    try:
        from PIL import Image  # noqa: PLC0415 - only the official pictures need it
    except ImportError:
        raise DataError("reading .ppm files needs Pillow: pip install 'ensc-compiler[paper]'") from None
    x, y, names = [], [], []
    for label, sign in SIGNS.items():
        found = sorted(path.rglob(f"GT-{sign:05d}.csv"))
        if not found:
            raise DataError(f"no GT-{sign:05d}.csv in {path} or below it")
        with found[0].open(newline="", encoding="utf-8") as file:
            files = sorted(row["Filename"] for row in csv.DictReader(file, delimiter=";"))
        for name in files:
            with Image.open(found[0].parent / name) as image:
                x.append(scaled_down(_grey(np.asarray(image.convert("RGB"))), size))
            y.append(label)
            names.append(f"{sign:05d}/{name}")
    return np.stack(x), np.array(y, dtype=np.int64), np.array(names)
