"""Reading and scaling down the data sets of the paper's rows."""

import gzip
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from pictures import DataError, mnist, scaled_down, signs
from PIL import Image


def shared(large: int, of: int, small: int, among: int) -> Fraction:
    """Return how much of a large pixel, number `large` of `of`, lies in a small one of `among`."""
    end = min(Fraction(large + 1), Fraction((small + 1) * of, among))
    return max(Fraction(0), end - max(Fraction(large), Fraction(small * of, among)))


def mean_over(picture: NDArray[np.uint8], size: int, row: int, column: int) -> Fraction:
    """Return the mean of a picture over one small pixel, by what each large pixel shares with it."""
    height, width = picture.shape
    parts = (
        shared(y, height, row, size) * shared(x, width, column, size) * pixel
        for y, line in enumerate(picture.tolist())
        for x, pixel in enumerate(line)
    )
    return sum(parts, Fraction(0)) * Fraction(size * size, height * width)


@given(
    arrays.arrays(np.uint8, st.tuples(st.integers(2, 7), st.integers(2, 7))),
    st.integers(1, 4),
)
def test_a_small_pixel_is_the_rounded_mean_of_what_it_covers(picture: NDArray[np.uint8], size: int) -> None:
    small = scaled_down(picture, size)
    for row in range(size):
        for column in range(size):
            mean = mean_over(picture, size, row, column)
            assert small[row, column] == (mean + Fraction(1, 2)).__floor__()


def test_pictures_that_need_no_scaling_stay_as_they_are() -> None:
    pictures = np.arange(32, dtype=np.uint8).reshape(2, 4, 4)
    assert np.array_equal(scaled_down(pictures, 4), pictures)


def digits(seed: int, count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 28, 28), dtype=np.uint8), np.arange(count, dtype=np.uint8) % 10


def write_idx(path: Path, array: NDArray[np.uint8]) -> None:
    content = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_files_and_an_npz_file_are_read_alike(tmp_path: Path, suffix: str) -> None:
    (x_train, y_train), (x_test, y_test) = digits(0, 30), digits(1, 20)
    np.savez(tmp_path / "mnist.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    for part, x, y in (("train", x_train, y_train), ("t10k", x_test, y_test)):
        write_idx(tmp_path / f"{part}-images-idx3-ubyte{suffix}", x)
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte{suffix}", y)
    npz, idx = mnist(tmp_path / "mnist.npz", (3, 6), 8), mnist(tmp_path, (3, 6), 8)
    for a, b in ((npz.train, idx.train), (npz.test, idx.test)):
        assert np.array_equal(a.x, b.x)
        assert np.array_equal(a.y, b.y)
        assert a.names.tolist() == b.names.tolist()
    assert npz.test.names.tolist() == ["test/3", "test/6", "test/13", "test/16"]
    assert npz.test.y.tolist() == [0, 1, 0, 1]


def test_a_folder_without_the_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no train-images-idx3-ubyte"):
        mnist(tmp_path, (0, 1), 8)


def test_a_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte").write_bytes(bytes((0, 0, 8, 3)) + struct.pack(">3I", 2, 28, 28))
    with pytest.raises(DataError, match="no idx file of 3 axes"):
        mnist(tmp_path, (0, 1), 8)


def test_an_npz_file_of_something_else_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(DataError, match="no array x_test"):
        mnist(tmp_path / "other.npz", (0, 1), 8)
    with pytest.raises(DataError, match="no array filename"):
        signs(tmp_path / "other.npz", 10)


def test_the_official_folders_and_an_npz_file_of_traffic_signs_are_read_alike(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images, names, labels = [], [], []
    for sign in (12, 13):
        folder = tmp_path / "Final_Training" / "Images" / f"{sign:05d}"
        folder.mkdir(parents=True)
        lines = ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"]
        for track in (0, 1, 5, 6):
            for frame in (0, 1):
                image = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
                name = f"{track:05d}_{frame:05d}.ppm"
                Image.fromarray(image).save(folder / name)
                lines.append(f"{name};32;32;2;2;29;29;{sign}")
                images.append(image)
                names.append(f"{sign:05d}/{name}")
                labels.append(sign)
        (folder / f"GT-{sign:05d}.csv").write_text("\n".join(lines) + "\n")
    np.savez(
        tmp_path / "signs.npz",
        images=np.stack([*images, images[0]]),
        labels=np.array([*labels, 12]),
        filename=np.array([*names, "test/00007.ppm"]),
    )
    npz, folders = signs(tmp_path / "signs.npz", 10), signs(tmp_path, 10)
    for a, b in ((npz.train, folders.train), (npz.test, folders.test)):
        assert np.array_equal(a.x, b.x)
        assert np.array_equal(a.y, b.y)
        assert a.names.tolist() == b.names.tolist()
    tracks = {name[:11] for name in npz.test.names.tolist()}
    assert tracks == {"00012/00000", "00012/00005", "00013/00000", "00013/00005"}
    assert tracks.isdisjoint(name[:11] for name in npz.train.names.tolist())


def test_a_folder_without_traffic_signs_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no GT-00012\.csv"):
        signs(tmp_path, 10)
