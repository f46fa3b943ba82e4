"""Data sources: what they read, exactly, and every way in which they can be wrong."""

import gzip
import io
import os
import re
import struct
import sys
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from queries import load, place_of, query, refused, write_folder, write_network

from ensc.compiler.types.problem import PointSet


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folder(tmp_path)
    return tmp_path


def points_of(folder: Path, data: str, **changes: str) -> PointSet:
    return load(folder, query(data=f"data X = {data};", **changes)).problem.points


def exact(points: PointSet) -> list[list[Fraction]]:
    return [list(points.exact(j)) for j in range(len(points))]


def mistake(folder: Path, data: str, **changes: str) -> tuple[str, str, str]:
    """Return code, message with label, and place of the only mistake."""
    (found,) = refused(folder, query(data=f"data X = {data};", **changes))
    label = found.place.text if found.place else ""
    return found.code, f"{found.message} | {label} | {found.help}", place_of(found)


def save_zip(path: Path, member: str, content: bytes, compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(member, content)


def npy(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    text = header.encode()
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text + data


# What is read. -----------------------------------------------------------------------------------------

TABLE = np.array([[3, 1, 4, 1], [5, 9, 2, 6], [5, 3, 5, 8]])
LABELS = np.array([0, 2, 1])


@pytest.mark.parametrize("kind", ["u1", "i2", "<i8", ">i4", "f2", "f4", "f8", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(folder: Path, kind: str, order: str, save: object) -> None:
    array = np.array(TABLE, kind, order=order)  # type: ignore[call-overload]
    save(folder / "d.npz", a=array, b=LABELS)  # type: ignore[operator]
    points = points_of(folder, 'npz("d.npz", inputs = "a", labels = "b", rows = [2, 0..1])')
    assert exact(points) == TABLE[[2, 0, 1]].tolist()
    assert points.labels.tolist() == [1, 0, 2]
    assert points.rows.tolist() == [2, 0, 1]


def test_npz_takes_every_row_by_default_and_labels_in_a_column(folder: Path) -> None:
    np.savez(folder / "d.npz", x=TABLE, y=LABELS[:, np.newaxis].astype(float))
    points = points_of(folder, 'npz("d.npz")')
    assert points.rows.tolist() == [0, 1, 2]
    assert points.labels.tolist() == [0, 2, 1]


def test_csv(folder: Path) -> None:
    (folder / "d.csv").write_text("\ufeff2;0.1; 1e2;-3;4\n\n0;1;2;3;+4.5\r\n", encoding="utf-8")
    points = points_of(
        folder, 'csv("d.csv", label = "first", delimiter = ";")', input="input domain unbounded;"
    )
    assert exact(points) == [[Fraction(0.1), 100, -3, 4], [1, 2, 3, Fraction(9, 2)]]
    assert points.labels.tolist() == [2, 0]


@pytest.mark.parametrize("label", ['"last"', '"class"', "4"])
def test_csv_columns(folder: Path, label: str) -> None:
    (folder / "d.csv").write_text('a,b,"c",d,class\n1,2,3,4,2\n5,6,7,8,1\n', encoding="utf-8")
    points = points_of(folder, f'csv("d.csv", label = {label}, header = true, rows = [1])')
    assert exact(points) == [[5, 6, 7, 8]]
    assert points.labels.tolist() == [1]


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx(folder: Path, suffix: str) -> None:
    opened = gzip.open if suffix else open
    with opened(folder / f"i{suffix}", "wb") as stream:
        stream.write(struct.pack(">BBBB3I", 0, 0, 0x08, 3, 3, 2, 2) + TABLE.astype(np.uint8).tobytes())
    with opened(folder / f"l{suffix}", "wb") as stream:
        stream.write(struct.pack(">BBBBI", 0, 0, 0x0C, 1, 3) + LABELS.astype(">i4").tobytes())
    points = points_of(folder, f'idx(images = "i{suffix}", labels = "l{suffix}", rows = [2, 1])')
    assert exact(points) == TABLE[[2, 1]].tolist()
    assert points.labels.tolist() == [1, 2]


def test_png(folder: Path) -> None:
    for name, row in zip("cab", TABLE, strict=True):
        Image.fromarray(row.reshape(2, 2).astype(np.uint8)).save(folder / f"{name}.png")
    (folder / "labels.csv").write_text("file,label\nb.png,1\nimages/a.png,2\nc.png,0\n", encoding="utf-8")
    points = points_of(folder, 'png("*.png", labels = "labels.csv")')
    assert exact(points) == TABLE[[1, 2, 0]].tolist()
    assert points.labels.tolist() == [2, 1, 0]


@pytest.mark.parametrize("clause", ["", ", layout NHWC"])
def test_png_with_colours_is_moved_to_channels_first(folder: Path, clause: str) -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    Image.fromarray(pixels).save(folder / "a.png")
    (folder / "labels.csv").write_text("a.png,1\n", encoding="utf-8")
    points = points_of(
        folder,
        'png("a.png", labels = "labels.csv")',
        ensemble='ensemble C { f = onnx("colour.onnx"); }',
        input=f"input domain [0, 255]{clause};",
    )
    assert exact(points) == [pixels.transpose(2, 0, 1).ravel().tolist()]


def test_inline_points_are_exact(folder: Path) -> None:
    points = points_of(
        folder,
        "points([[1/3, 0.1, epsilon, -alpha], [1/7, 2, 3, 4]], labels = [3, 1], label_base = 1, scale = 1/2)",
        input="input domain unbounded;",
    )
    assert exact(points) == [
        [Fraction(1, 6), Fraction(1, 20), Fraction(5), Fraction(-1, 5)],
        [Fraction(1, 14), 1, Fraction(3, 2), 2],
    ]
    assert points.labels.tolist() == [2, 0]


def test_inline_points_without_common_denominator_are_rounded(folder: Path) -> None:
    loaded = load(folder, query(data="data X = points([[1e-15, 1/3, 1/7, 1/11]], labels = [0]);"))
    assert [w.code for w in loaded.warnings] == ["W0701"]
    assert exact(loaded.problem.points) == [[Fraction(f) for f in (1e-15, 1 / 3, 1 / 7, 1 / 11)]]


@pytest.mark.parametrize("scale", ["1/255", "2/3", "0.1", "9007199254740991/9007199254740992"])
def test_scale_is_exact_for_bytes(folder: Path, scale: str) -> None:
    points = points_of(folder, f'npz("p.npz", rows = [3], scale = {scale})')
    numerator, _, denominator = scale.partition("/")
    factor = Fraction(numerator) / Fraction(denominator or "1")
    expected = [n * factor for n in range(12, 16)]
    if factor.numerator < 2**40:
        assert exact(points) == [expected]
    assert np.array_equal(points.nearest, [[float(e) for e in expected]])


def test_nothing_is_minus_zero(folder: Path) -> None:
    np.savez(folder / "d.npz", x=np.full((1, 4), -0.0), y=[0])
    assert not np.signbit(points_of(folder, 'npz("d.npz")').numerators).any()


def test_rows_are_streamed(folder: Path) -> None:
    write_network(folder / "big.onnx", (28, 28))
    images = np.random.default_rng(0).integers(0, 256, (20000, 28, 28), dtype=np.uint8)
    np.savez_compressed(folder / "d.npz", x=images, y=np.arange(20000) % 3)
    points = points_of(
        folder,
        'npz("d.npz", rows = [19999, 7, 12000..12002])',
        ensemble='ensemble C { f = onnx("big.onnx"); }',
    )
    assert np.array_equal(points.numerators, images[[19999, 7, 12000, 12001, 12002]].reshape(5, -1))


# The order of coordinates. -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "network", "layout"),
    [
        ((12,), "colour.onnx", ""),
        ((3, 2, 2), "colour.onnx", ""),
        ((3, 2, 2), "colour.onnx", "NCHW"),
        ((2, 2, 3), "colour.onnx", "NHWC"),
        ((12,), "colour.onnx", "NHWC"),
        ((2, 2, 3), "last.onnx", ""),
        ((2, 2, 3), "last.onnx", "NHWC"),
        ((3, 2, 2), "last.onnx", "NCHW"),
        ((2, 2), "image.onnx", ""),
        ((2, 2, 1), "image.onnx", ""),
        ((2, 2, 1), "image.onnx", "NHWC"),
        ((1, 2, 2), "f1.onnx", ""),
    ],
)
def test_layout(folder: Path, stored: tuple[int, ...], network: str, layout: str) -> None:
    write_network(folder / "last.onnx", (2, 2, 3))
    array = np.arange(np.prod(stored)).reshape(1, *stored)
    np.savez(folder / "d.npz", x=array, y=[1])
    clause = f", layout {layout}" if layout else ""
    points = points_of(
        folder,
        'npz("d.npz")',
        ensemble=f'ensemble C {{ f = onnx("{network}"); }}',
        input=f"input domain [0, 255]{clause};",
    )
    channels_last = array.reshape(1, 2, 2, 3) if array.size == 12 else array
    expected = array
    if layout == "NHWC" and network == "colour.onnx":
        expected = channels_last.transpose(0, 3, 1, 2)
    if layout == "NCHW" and network == "last.onnx":
        expected = array.transpose(0, 2, 3, 1)
    assert np.array_equal(points.numerators, expected.reshape(1, -1))


@pytest.mark.parametrize(
    ("stored", "network", "layout", "code", "text"),
    [
        ((2, 2, 3), "colour.onnx", "", "E0714", "layout NHWC"),
        ((3, 2, 2), "last.onnx", "", "E0714", "layout NCHW"),
        ((12,), "flat.onnx", "NHWC", "E0714", "leave out"),
        ((4, 3), "colour.onnx", "", "E0713", "4x3"),
        ((9,), "colour.onnx", "", "E0713", "9 values, the networks want 12 values (3x2x2)"),
        ((2, 6), "colour.onnx", "", "E0713", "another order"),
    ],
)
def test_shape_mistakes(
    folder: Path, stored: tuple[int, ...], network: str, layout: str, code: str, text: str
) -> None:
    write_network(folder / "last.onnx", (2, 2, 3))
    write_network(folder / "flat.onnx", (6, 1, 2))
    np.savez(folder / "d.npz", x=np.zeros((1, *stored)), y=[1])
    clause = f", layout {layout}" if layout else ""
    found = mistake(
        folder,
        'npz("d.npz")',
        ensemble=f'ensemble C {{ f = onnx("{network}"); }}',
        input=f"input domain [0, 255]{clause};",
    )
    assert found[0] == code
    assert text in found[1]


# What is refused. --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code", "text", "place"),
    [
        ('npz("none.npz")', "E0701", "no data file", '"none.npz"'),
        ('npz(".")', "E0702", "a folder", '"."'),
        ('npz("p.npz/x")', "E0701", "no data file", '"p.npz/x"'),
        ('npz("p.npz", inputs = "images")', "E0704", "it has `x`, `y`", '"images"'),
        ('npz("p.npz", rows = [10])', "E0709", "row 10 of 10", "10"),
        ('npz("p.npz", rows = [3, 8..12])', "E0709", "row 12 of 10", "8..12"),
        ('npz("p.npz", rows = [0..1000000000000])', "E0709", "of 10", "0..1000000000000"),
        ('npz("p.npz", rows = [-1])', "E0709", "counted from 0", "-1"),
        ('npz("p.npz", rows = [6..5])', "E0709", "empty", "6..5"),
        ('npz("p.npz", rows = [[1]])', "E0709", "a list", "[1]"),
        ('npz("p.npz", rows = [1/2])', "E0403", "whole number", "1/2"),
        ('npz("p.npz", rows = [])', "E0710", "empty", "[]"),
        ('npz("p.npz", label_base = 1)', "E0712", "`label_base = 0`", "npz("),
        ('csv("c.csv")', "E0211", "needs `label`", "csv"),
        ('csv("c.csv", label = "clas")', "E0716", "header = true", '"clas"'),
        ('csv("c.csv", label = "clas", header = true)', "E0716", "did you mean `class`?", '"clas"'),
        ('csv("c.csv", label = 5, header = true)', "E0716", "columns 0 to 4", "5"),
        ('csv("c.csv", label = "last")', "E0715", "header = true", '"c.csv"'),
        ('csv("c.csv", label = "last", header = true)', "E0715", "line 3, column `b`: the cell", '"c.csv"'),
        ('csv("c.csv", label = "last", header = true, rows = [2])', "E0715", "`1_0` is no number", '"c'),
        ('csv("c.csv", label = "last", header = true, rows = [3])', "E0715", "4 cells", '"c.csv"'),
        ('csv("c.csv", label = "last", header = true, rows = [4])', "E0708", "row 4, entry [1] is NaN", '"c'),
        ('csv("c.csv", label = "last", header = true, rows = [5])', "E0711", "0.5", '"last"'),
        ('csv("c.csv", label = "last", delimiter = ";")', "E0715", "single cell", '"c.csv"'),
        ('csv("c.csv", label = "last", delimiter = "ab")', "E0212", "cannot separate", '"ab"'),
        ('csv("c.csv", label = "last", header = 1)', "E0212", "true or false", "1"),
        ('csv("empty.csv", label = "last")', "E0710", "no rows", "csv"),
        ('csv("one.csv", label = "last", header = true)', "E0710", "no rows", "csv"),
        ('csv("raw.csv", label = "last")', "E0715", "not a line", '"raw.csv"'),
        ('idx(labels = "l.idx")', "E0211", "needs `images`", "idx"),
        ('idx(images = "p.npz", labels = "p.npz")', "E0706", "not an idx file", '"p.npz"'),
        ('png("*.jpg", labels = "c.csv")', "E0701", "no image matches", '"*.jpg"'),
        ("points([1, 2], labels = [0])", "E0713", "a list of numbers", "[1, 2]"),
        ("points([[1, 2, 3, 4], [1, 2]], labels = [0, 1])", "E0713", "differ in length", "[1, 2]"),
        ("points([[1, 2, 3, 4]], labels = [0, 1])", "E0705", "1 point, but 2 labels", "[0, 1]"),
        ("points([], labels = [])", "E0710", "empty", "[]"),
        ('points([[1, 2, 3, "a"]], labels = [0])', "E0403", "must be a number", '"a"'),
        ("points([[1, 2, 3]], labels = [0])", "E0713", "3 values, the networks want 4", "points("),
        ("points([[1, 2, 3, 4..5]], labels = [0])", "E0212", "a range", "4..5"),
        ("points([[1, 2, 3, 4]], labels = [[0]])", "E0212", "one number", "[0]"),
        ("points([[1, 2, 3, 4]], labels = [1e20])", "E0711", "too large", "1e20"),
        ("points([[1, 2, 3, 4]])", "E0211", "needs `labels`", "points"),
    ],
)
def test_mistakes(folder: Path, data: str, code: str, text: str, place: str) -> None:
    (folder / "c.csv").write_text(
        "a,b,c,d,class\n1,2,3,4,0\n1,,3,4,0\n1,1_0,3,4,0\n1,2,3,4\n1,nan,3,4,0\n1,2,3,4,0.5\n",
        encoding="utf-8",
    )
    (folder / "empty.csv").write_text("\n\n", encoding="utf-8")
    (folder / "one.csv").write_text("a,b,c,d,e\n", encoding="utf-8")
    (folder / "raw.csv").write_bytes(b"1,2,3,\xff,1\n")
    found = mistake(folder, data)
    assert found[0] == code
    assert text in found[1]
    assert found[2].startswith(place)


@pytest.mark.parametrize(
    ("x", "y", "code", "text"),
    [
        ([[1, 2, np.nan, 4]], [0], "E0708", "row 0, entry [2] is NaN"),
        ([[1, 2, 3, 4], [1, -np.inf, 3, 4]], [0, 1], "E0708", "row 1, entry [1] is -inf"),
        ([[1, 2, 3, 4]], [0, 1], "E0705", "1 input, but 2 labels"),
        ([[1, 2, 3, 4]], [0.5], "E0711", "0.5"),
        ([[1, 2, 3, 4]], [np.nan], "E0711", "nan"),
        ([[1, 2, 3, 4]], [[0, 0, 1]], "E0711", "one number for each point"),
        ([[1, 2, 3, 4]], [3], "E0712", "has label 3, and the networks have classes 0 to 2"),
        ([[1, 2, 3, 4]] * 2, [1, 3], "E0712", "`label_base = 1`"),
        ([[1, 2, 3, 4]] * 2, [12, 13], "E0712", "`label_base = 12`"),
        ([[1, 2, 3, 4]], [-1], "E0712", "has label -1"),
        (5, [1], "E0713", "single number"),
        ([[]], [1], "E0713", "no coordinates"),
        (np.zeros((0, 4)), np.zeros(0), "E0710", "no rows"),
        ([["a", "b", "c", "d"]], [0], "E0707", "not numbers"),
        ([[1j, 2, 3, 4]], [0], "E0707", "not numbers"),
        (np.zeros((1, 4), "M8[s]"), [0], "E0707", "not numbers"),
        (np.array([[1, 2, 3, {}]], object), [0], "E0707", "Python objects"),
        (np.zeros(4, [("a", "f4")]), [0], "E0707", "records"),
        ([[1e308, 2, 3, 4]], [0], "E0801", "outside the domain"),
    ],
)
def test_array_mistakes(folder: Path, x: object, y: object, code: str, text: str) -> None:
    np.savez(folder / "d.npz", x=np.asarray(x), y=np.asarray(y))
    found = mistake(folder, 'npz("d.npz")')
    assert found[0] == code
    assert text in found[1]


def test_overflow_of_scale(folder: Path) -> None:
    np.savez(folder / "d.npz", x=[[1e308, 2, 3, 4]], y=[0])
    assert mistake(folder, 'npz("d.npz", scale = 10)')[::2] == ("E0708", "10")


def test_small_domain_is_compared_exactly(folder: Path) -> None:
    np.savez(folder / "d.npz", x=[[0.1, 0, 0, 0]], y=[0])  # the float64 is a little above 1/10
    assert mistake(folder, 'npz("d.npz")', input="input domain [0, 0.1];")[0] == "E0801"
    inline = "points([[0.1, 0, 0, 0]], labels = [0])"
    assert points_of(folder, inline, input="input domain [0, 0.1];").denominator == 10


# Hostile files. ----------------------------------------------------------------------------------------

HUGE = "{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000, 1000000000), }"
HOSTILE = {
    "huge promise": (npy(HUGE, b"abcd"), "E0706"),
    "too long a header": (npy("{" + " " * 65000 + "}"), "E0706"),
    "no header": (b"abcdefgh" * 4, "E0706"),
    "cut header": (npy(HUGE)[:30], "E0706"),
    "code in the header": (npy("__import__('os').system('true')"), "E0706"),
    "deep header": (npy("(" * 9000), "E0706"),
    "minus signs": (npy("-" * 9000 + "1"), "E0706"),
    "not a shape": (npy("{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 4), }"), "E0706"),
    "true shape": (npy("{'descr': '|u1', 'fortran_order': False, 'shape': (True, 4), }", b"abcd"), "E0706"),
    "objects": (npy("{'descr': '|O', 'fortran_order': False, 'shape': (1, 4), }", b"abcd"), "E0707"),
    "version 9": (npy(HUGE, version=b"\x09\x00"), "E0706"),
    "no data": (npy("{'descr': '|u1', 'fortran_order': False, 'shape': (10, 4), }"), "E0706"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_arrays(folder: Path, name: str) -> None:
    content, code = HOSTILE[name]
    with zipfile.ZipFile(folder / "d.npz", "w") as archive:
        archive.writestr("x.npy", content)
        archive.writestr("y.npy", content)
    assert mistake(folder, 'npz("d.npz")')[0] == code


def test_zip_bomb_is_not_decompressed(folder: Path) -> None:
    rows = 1 << 30
    header = npy(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({rows}, 4), }}")
    labels = npy(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({rows},), }}")
    block = bytes(1 << 24)
    with zipfile.ZipFile(folder / "d.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("y.npy", labels)
        with archive.open("x.npy", "w", force_zip64=True) as stream:
            stream.write(header + block)
    # The directory tells the truth, so the header is the liar.
    assert mistake(folder, 'npz("d.npz")')[0] == "E0706"


def test_too_many_rows(folder: Path) -> None:
    np.savez_compressed(folder / "d.npz", x=np.zeros((1 << 20, 4), np.uint8), y=np.zeros(1 << 20, np.uint8))
    runs = ", ".join(["0..1048575"] * 17)
    assert mistake(folder, f'npz("d.npz", rows = [{runs}])')[0] == "E0703"


def test_endless_line_of_a_table(folder: Path) -> None:
    (folder / "d.csv").write_bytes(b"1," * (5 << 20))
    assert mistake(folder, 'csv("d.csv", label = 0)')[0] == "E0703"


def test_file_that_opens_but_cannot_be_read(folder: Path) -> None:
    if not os.access("/proc/self/mem", os.R_OK):
        pytest.skip("there is no such file here")
    for source in ('npz("/proc/self/mem")', 'csv("/proc/self/mem", label = 0)'):
        assert mistake(folder, source)[0] in {"E0702", "E0706"}


def test_truthful_but_huge_array(folder: Path) -> None:
    np.savez_compressed(folder / "d.npz", x=np.zeros((1 << 16, 1 << 12), np.uint8), y=np.zeros(1 << 16))
    code, message, _ = mistake(folder, 'npz("d.npz")')
    assert code == "E0703"
    assert "rows = [...]" in message


@pytest.mark.parametrize("kind", ["text", "npy", "cut", "bit", "lzma", "encrypted"])
def test_damaged_archives(folder: Path, kind: str) -> None:
    good = (folder / "p.npz").read_bytes()
    buffer = io.BytesIO()
    match kind:
        case "text":
            buffer.write(b"hello")
        case "npy":
            np.save(buffer, TABLE)
        case "cut":
            buffer.write(good[: len(good) // 2])
        case "bit":
            at = good.index(b"\x93NUMPY") + 3
            buffer.write(good[:at] + b"X" + good[at + 1 :])
        case "lzma":
            with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
                archive.writestr("x.npy", b"x")
        case "encrypted":
            changed = bytearray(good)
            for entry in re.finditer(b"PK\x01\x02", good):
                changed[entry.start() + 8] |= 1
            buffer.write(changed)
    (folder / "d.npz").write_bytes(buffer.getvalue())
    assert mistake(folder, 'npz("d.npz")')[0] == "E0706"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\x08\x03",
        struct.pack(">BBBB3I", 0, 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1),
        struct.pack(">BBBB2I", 0, 0, 8, 2, 3, 4) + bytes(11),
        struct.pack(">BBBB2I", 0, 0, 8, 2, 3, 4) + bytes(13),
        struct.pack(">BBBB2I", 0, 0, 7, 2, 3, 4) + bytes(12),
        gzip.compress(struct.pack(">BBBB3I", 0, 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1), mtime=0),
        gzip.compress(struct.pack(">BBBB2I", 0, 0, 8, 2, 3, 4) + bytes(12), mtime=0)[:-12],
        b"\x1f\x8b\x08garbage",
    ],
)
def test_damaged_idx(folder: Path, content: bytes) -> None:
    (folder / "i.idx").write_bytes(content)
    (folder / "l.idx").write_bytes(struct.pack(">BBBBI", 0, 0, 8, 1, 3) + bytes(3))
    assert mistake(folder, 'idx(images = "i.idx", labels = "l.idx")')[0] == "E0706"


@pytest.mark.parametrize("kind", ["alpha", "sizes", "jpeg", "cut", "label", "table", "layout"])
def test_png_mistakes(folder: Path, kind: str) -> None:
    grey = Image.fromarray(TABLE[0].reshape(2, 2).astype(np.uint8))
    grey.save(folder / "a.png")
    (folder / "labels.csv").write_text("a.png,1\nb.png,0\n", encoding="utf-8")
    layout, expected = "NHWC", "E0718"
    match kind:
        case "alpha":
            Image.new("RGBA", (2, 2)).save(folder / "b.png")
        case "sizes":
            Image.new("L", (3, 3)).save(folder / "b.png")
        case "jpeg":
            Image.new("L", (2, 2)).save(folder / "b.png", format="JPEG")
            expected = "E0706"
        case "cut":
            (folder / "b.png").write_bytes((folder / "a.png").read_bytes()[:-30])
            expected = "E0706"
        case "label":
            grey.save(folder / "c.png")
        case "table":
            (folder / "labels.csv").write_text("a.png,1\nb.png\n", encoding="utf-8")
            expected = "E0715"
        case "layout":
            (folder / "a.png").unlink()
            Image.new("RGB", (2, 2)).save(folder / "b.png")
            layout, expected = "NCHW", "E0714"
    found = mistake(
        folder,
        'png("*.png", labels = "labels.csv")',
        ensemble=f'ensemble C {{ f = onnx("{"colour" if kind == "layout" else "image"}.onnx"); }}',
        input=f"input domain [0, 255], layout {layout};",
    )
    assert found[0] == expected


def test_png_without_pillow(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "PIL.Image", raising=False)
    found = mistake(folder, 'png("*.png", labels = "labels.csv")')
    assert found[0] == "E0717"
    assert "ensc-compiler[png]" in found[1]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda p: p.mkdir(), "E0702"),
        (os.mkfifo, "E0702"),
        (lambda p: p.symlink_to(p), "E0702"),
        (lambda p: p.symlink_to("/dev/zero"), "E0702"),
        (lambda p: p.symlink_to("nowhere"), "E0701"),
    ],
)
@pytest.mark.parametrize(
    "source",
    [
        'npz("d")',
        'csv("d", label = "last")',
        'idx(images = "d", labels = "d")',
        'png("d", labels = "c.csv")',
    ],
)
def test_no_regular_file(folder: Path, make: object, code: str, source: str) -> None:
    make(folder / "d")  # type: ignore[operator]
    (folder / "c.csv").write_text("d,1\n", encoding="utf-8")
    assert mistake(folder, source)[0] == code
