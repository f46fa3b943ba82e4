"""What other tools write as MPS, read for what it means."""

import gzip
from pathlib import Path

import pytest
from linear_models import INF, Column, Plain, Row, read_off

from ensc.compiler.diagnostics import Rejected
from ensc.formats.files import read_file
from ensc.formats.mps import read_mps

SAMPLES = Path(__file__).parents[1] / "samples"


def plain(text: str) -> Plain:
    return read_off(read_mps(text))


def with_bounds(*lines: str, integer: bool = False) -> Column:
    """Read a column x with the given lines in BOUNDS."""
    begin, end = (" M 'MARKER' 'INTORG'\n", " M 'MARKER' 'INTEND'\n") if integer else ("", "")
    bounds = "".join(f" {line}\n" for line in lines)
    return plain(
        f"ROWS\n N obj\n L r\nCOLUMNS\n{begin} x r 1\n{end} y r 1\nBOUNDS\n{bounds}ENDATA\n"
    ).columns["x"]


def with_sides(kind: str, side: str, width: str | None = None) -> tuple[float, float]:
    """Read a row of a kind with a right-hand side and a range."""
    ranges = f"RANGES\n RNG r {width}\n" if width else ""
    text = f"ROWS\n N obj\n {kind} r\nCOLUMNS\n x r 1\nRHS\n RHS r {side}\n{ranges}ENDATA\n"
    (row,) = plain(text).rows
    return row.lower, row.upper


FREE = """* first
*second
NAME my model FREE
OBJSENSE
    MAX
ROWS
 N  cost
 L  c1
 G  c2
 N  other
 E  c3
COLUMNS
* a comment
    x  cost  1.5  c1  1e0

    x  c2  -.5
    MARKER  'MARKER'  'INTORG'
    y[1]  cost  2  c3  5.
    MARKER  'MARKER'  'INTEND'
    z  c1  0
RHS
    RHS  c1  4  c2  1
    RHS  cost  -10
BOUNDS
 UP BND  x  4
 BV BND  y[1]
ENDATA
"""


def test_a_whole_file() -> None:
    assert plain(FREE) == Plain(
        columns={"x": Column(0, 4), "y[1]": Column(0, 1, integer=True), "z": Column()},
        rows=[
            Row({"x": 1.0}, upper=4.0, name="c1"),
            Row({"x": -0.5}, lower=1.0, name="c2"),
            Row({}, name="other"),
            Row({"y[1]": 5.0}, 0.0, 0.0, name="c3"),
        ],
        costs={"x": 1.5, "y[1]": 2.0},
        sense="maximize",
        constant=10.0,
        notes=("first", "second"),
        name="my_model",
    )


def test_fixed_format_is_free_format_unless_names_have_blanks() -> None:
    text = (
        "NAME          fixed\n"
        "ROWS\n"
        " N  cost\n"
        " L  row one\n"
        " G  row2\n"
        "COLUMNS\n"
        "    col  1    cost                 1   row one              2\n"
        "    col  1    row2                 3\n"
        "    MARKER                 'MARKER'                 'INTORG'\n"
        "    y         row one           -4.5\n"
        "    MARKER                 'MARKER'                 'INTEND'\n"
        "RHS\n"
        "              row one              6   row2              -7\n"
        "BOUNDS\n"
        " UP           col  1               8\n"
        " BV BOUND     y\n"
        "ENDATA\n"
    )
    assert plain(text) == Plain(
        columns={"col  1": Column(0, 8), "y": Column(0, 1, integer=True)},
        rows=[
            Row({"col  1": 2.0, "y": -4.5}, upper=6.0, name="row one"),
            Row({"col  1": 3.0}, -7.0, name="row2"),
        ],
        costs={"col  1": 1.0},
        name="fixed",
    )
    with pytest.raises(Rejected):
        read_mps(text.replace("fixed\n", "fixed FREE\n"))


def test_a_line_whose_tokens_stand_in_the_columns_of_fixed_format_is_still_read_by_blanks() -> None:
    text = "ROWS\n N OBJ\n L R1\nCOLUMNS\n    x_1  OBJ  -1.5  R1  1\nRHS\nENDATA\n"
    found = plain(text)
    assert found.costs == {"x_1": -1.5}
    assert found.rows == [Row({"x_1": 1.0}, upper=0.0, name="R1")]


@pytest.mark.parametrize("head", ["NAME", "NAME FREE", "NAME x FIXED", "NAME          a b  c", ""])
def test_any_name_will_do(head: str) -> None:
    assert read_mps(f"{head}\nROWS\n N obj\nCOLUMNS\n x obj 1\nENDATA\n").variables.names() == ["x"]


@pytest.mark.parametrize("words", ["\n MAX", " MAX", "\n    MAXIMIZE", " max"])
def test_the_sense_in_one_line_or_two(words: str) -> None:
    assert plain(f"OBJSENSE{words}\nROWS\n N obj\nCOLUMNS\n x obj 1\nENDATA\n").sense == "maximize"


def test_the_objective_is_the_first_free_row_unless_named() -> None:
    text = "ROWS\n N a\n N b\nCOLUMNS\n x a 1 b 2\nENDATA\n"
    assert plain(text).costs == {"x": 1.0}
    named = plain("OBJNAME\n b\n" + text)
    assert named.costs == {"x": 2.0}
    assert named.rows == [Row({"x": 1.0}, name="a")]


@pytest.mark.parametrize(
    ("kind", "side", "width", "interval"),
    [
        ("L", "4", None, (-INF, 4)),
        ("G", "4", None, (4, INF)),
        ("E", "4", None, (4, 4)),
        ("L", "4", "3", (1, 4)),
        ("L", "4", "-3", (1, 4)),
        ("G", "4", "3", (4, 7)),
        ("G", "4", "-3", (4, 7)),
        ("E", "4", "3", (4, 7)),
        ("E", "4", "-3", (1, 4)),
        ("E", "4", "0", (4, 4)),
        ("L", "4", "1e30", (-INF, 4)),
        ("G", "4", "inf", (4, INF)),
        ("L", "1e30", None, (-INF, INF)),
        ("G", "-Infinity", None, (-INF, INF)),
    ],
)
def test_sides_and_ranges(kind: str, side: str, width: str | None, interval: tuple[float, float]) -> None:
    assert with_sides(kind, side, width) == interval


def test_ranges_may_stand_before_sides() -> None:
    text = "ROWS\n N o\n L r\nCOLUMNS\n x r 1\nRANGES\n R r 2\nRHS\n r 5\nENDATA\n"
    assert [(row.lower, row.upper) for row in plain(text).rows] == [(3.0, 5.0)]


@pytest.mark.parametrize(
    ("lines", "column"),
    [
        ((), Column(0, INF)),
        (("UP BND x 4",), Column(0, 4)),
        (("UP x 4",), Column(0, 4)),
        (("UP BND x 0",), Column(0, 0)),
        (("UP BND x -4",), Column(-INF, -4)),
        (("UP BND x -4", "LO BND x -5"), Column(-5, -4)),
        (("LO BND x -5", "UP BND x -4"), Column(-5, -4)),
        (("LO BND x 2",), Column(2, INF)),
        (("FX BND x 2",), Column(2, 2)),
        (("FR BND x",), Column(-INF, INF)),
        (("FR x",), Column(-INF, INF)),
        (("FR BND x 0",), Column(-INF, INF)),
        (("FR x 0",), Column(-INF, INF)),
        (("MI BND x",), Column(-INF, INF)),
        (("MI BND x", "UP BND x 3"), Column(-INF, 3)),
        (("MI BND x", "UP BND x -3"), Column(-INF, -3)),
        (("PL BND x",), Column(0, INF)),
        (("PL BND x", "LO BND x 1"), Column(1, INF)),
        (("LO BND x 1", "UP BND x 1e30"), Column(1, INF)),
        (("LO BND x -1e+30", "UP BND x Inf"), Column(-INF, INF)),
        (("UP BND x 4", "UP BND x 4.0"), Column(0, 4)),
        (("BV BND x",), Column(0, 1, integer=True)),
        (("BV BND x 1",), Column(0, 1, integer=True)),
        (("LI BND x -2", "UI BND x 7"), Column(-2, 7, integer=True)),
        (("UI BND x -2",), Column(-INF, -2, integer=True)),
    ],
)
def test_bounds(lines: tuple[str, ...], column: Column) -> None:
    assert with_bounds(*lines) == column


def test_an_integer_has_no_upper_bound_of_its_own() -> None:
    assert with_bounds(integer=True) == Column(0, INF, integer=True)
    assert with_bounds("UP BND x 9", integer=True) == Column(0, 9, integer=True)


EXTENDED = """NAME x FREE
ROWS
 N obj
 L r1
 E r2
COLUMNS
 x r1 1
 M 'MARKER' 'INTORG'
 b r2 1
 M 'MARKER' 'INTEND'
RHS
BOUNDS
 BV BND b
{}ENDATA
"""


@pytest.mark.parametrize("order", [1, -1])
def test_indicators_and_ordered_sets(order: int) -> None:
    parts = ["SOS\n S1 s1\n    x 2\n    b 1\n", "INDICATORS\n IF r1 b 0\n IF r2 b 1\n"][::order]
    found = plain(EXTENDED.format("".join(parts)))
    assert [(row.indicator, row.active) for row in found.rows] == [("b", False), ("b", True)]
    assert found.sets == [["b", "x"]]


@pytest.mark.parametrize(
    "section",
    [
        "SOS\n S1 SOS s1 5\n    SOS x 1\n    SOS b 2\n",
        "SOS\n S1 SOS s1\n x 1\n b 2\n",
        "SOS\n S1 s1\n x 1\n b 2\n",
    ],
)
def test_ordered_sets_in_several_spellings(section: str) -> None:
    assert plain(EXTENDED.format(section)).sets == [["x", "b"]]


def test_names_in_any_alphabet() -> None:
    assert list(plain("ROWS\n N o\nCOLUMNS\n größe o 1\n x/y^2 o 1\nENDATA\n").columns) == ["größe", "x/y^2"]


def test_windows_line_ends_and_tabs() -> None:
    assert plain(FREE.replace("\n", "\r\n")) == plain(FREE)
    assert plain(FREE.replace("    ", "\t")) == plain(FREE)


def test_compressed_files(tmp_path: Path) -> None:
    path = tmp_path / "m.mps.gz"
    path.write_bytes(gzip.compress(FREE.encode()))
    assert plain(read_file(path)) == plain(FREE)


@pytest.mark.parametrize(
    ("file", "size"),
    [("iinf", (1, 2)), ("inf", (3, 5)), ("opt", (3, 5)), ("tlinc", (25, 90)), ("tlnone", (4, 30))],
)
def test_files_that_solvers_have_solved(file: str, size: tuple[int, int]) -> None:
    model = read_mps((SAMPLES / "solutions" / "models" / f"{file}.mps").read_text())
    assert (len(model.rows), len(model.variables)) == size
