"""What other tools write as LP, read for what it means."""

import pytest
from linear_models import INF, Column, Plain, Row, read_off

from ensc.formats.lp import read_lp


def plain(text: str) -> Plain:
    return read_off(read_lp(text, "some/file.lp"))


def with_row(text: str) -> Row:
    (row,) = plain(f"min x + y + z\nst\n{text}\nend\n").rows
    return row


def with_bounds(text: str) -> Column:
    return plain(f"min x + y\nst\nc: x + y >= 1\nbounds\n{text}\nend\n").columns["x"]


FULL = """\\ first
\\second
  \\* third *\\
Maximize
 cost: 3 x - .5 y + 0 z
   + 1e1 w + 10 \\ a constant
Subject To
 c1: x + y
     + 2 w <= 4
 c2: - 1 <= x - w <= 1e30

 z >= -2
 only: b = 1 -> x + y >= 1
Bounds
 x <= 4
 -3 <= y <= 3
 w free
General
 z
Binary
 b
SOS
 s1: S1:: x:2 y:1
 S1:: z : 1 w : 2
End
"""


def test_a_whole_file() -> None:
    assert plain(FULL) == Plain(
        columns={
            "x": Column(0, 4),
            "y": Column(-3, 3),
            "z": Column(0, INF, integer=True),
            "w": Column(-INF, INF),
            "b": Column(0, 1, integer=True),
        },
        rows=[
            Row({"x": 1.0, "y": 1.0, "w": 2.0}, upper=4.0, name="c1"),
            Row({"x": 1.0, "w": -1.0}, lower=-1.0, name="c2"),
            Row({"z": 1.0}, lower=-2.0, name="r3"),
            Row({"x": 1.0, "y": 1.0}, 1.0, INF, "b", True, "only"),
        ],
        costs={"x": 3.0, "y": -0.5, "w": 10.0},
        sense="maximize",
        constant=10.0,
        notes=("first", "second", "* third *\\"),
        name="file",
        sets=[["y", "x"], ["z", "w"]],
    )


@pytest.mark.parametrize("objective", ["min", "MINIMIZE", "Minimise", "minimum"])
@pytest.mark.parametrize("rows", ["st", "S.T.", "st.", "Subject To", "subject  to", "Such That"])
@pytest.mark.parametrize("end", ["end", "END"])
def test_headings(objective: str, rows: str, end: str) -> None:
    found = plain(f"{objective}\n x\n{rows}\n c: x >= 1\n{end}\n")
    assert found == Plain({"x": Column()}, [Row({"x": 1.0}, 1.0, name="c")], {"x": 1.0}, name="file")


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        *((word, Column(0, INF, integer=True)) for word in ("gen", "general", "Generals", "INT", "integer")),
        *((word, Column(0, 1, integer=True)) for word in ("bin", "Binary", "BINARIES")),
    ],
)
def test_integers(heading: str, column: Column) -> None:
    assert plain(f"min x\nst\nc: x >= 1\n{heading}\nx\nend").columns == {"x": column}


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("c: x <= 3", Row({"x": 1.0}, -INF, 3.0)),
        ("c: x < 3", Row({"x": 1.0}, -INF, 3.0)),
        ("c: x =< 3", Row({"x": 1.0}, -INF, 3.0)),
        ("c: x >= 3", Row({"x": 1.0}, 3.0, INF)),
        ("c: x > 3", Row({"x": 1.0}, 3.0, INF)),
        ("c: x => 3", Row({"x": 1.0}, 3.0, INF)),
        ("c: x = 3", Row({"x": 1.0}, 3.0, 3.0)),
        ("c: 3 <= x", Row({"x": 1.0}, 3.0, INF)),
        ("c: 3 >= x", Row({"x": 1.0}, -INF, 3.0)),
        ("c: 3 = x", Row({"x": 1.0}, 3.0, 3.0)),
        ("c: 1 <= x <= 3", Row({"x": 1.0}, 1.0, 3.0)),
        ("c: 3 >= x >= 1", Row({"x": 1.0}, 1.0, 3.0)),
        ("c: -inf <= x <= 3", Row({"x": 1.0}, -INF, 3.0)),
        ("c: x <= +Infinity", Row({"x": 1.0})),
        ("c: x >= - 3", Row({"x": 1.0}, -3.0)),
        ("c: -x - 2 y >= 3", Row({"x": -1.0, "y": -2.0}, 3.0)),
        ("c: + 3x -4y >= 3", Row({"x": 3.0, "y": -4.0}, 3.0)),
        ("c: 3 x + - 4 y >= 3", Row({"x": 3.0, "y": -4.0}, 3.0)),
        ("c: +-1.5 x --2 y >= 3", Row({"x": -1.5, "y": 2.0}, 3.0)),
        ("c: 1e1 x + 1.E-1 y + .5 z >= 3", Row({"x": 10.0, "y": 0.1, "z": 0.5}, 3.0)),
        ("c: 0 x + 2 y >= 3", Row({"y": 2.0}, 3.0)),
        ("c:\n+ 2\nx\n>=\n3", Row({"x": 2.0}, 3.0)),
        ("c : x>=3", Row({"x": 1.0}, 3.0)),
        ("c: x = 0 -> y >= 1", Row({"y": 1.0}, 1.0, INF, "x", active=False)),
    ],
)
def test_rows(text: str, row: Row) -> None:
    binary = "\nbin\nx" if "->" in text else ""
    found = with_row(text + binary)
    assert (found.terms, found.lower, found.upper) == (row.terms, row.lower, row.upper)
    assert (found.indicator, found.active, found.name) == (row.indicator, row.active, "c")


def test_rows_without_names_get_some() -> None:
    text = "min x\nst\nx >= 1\nr1: x >= 2\nx >= 3\nr3: x >= 4\nend\n"
    assert [row.name for row in plain(text).rows] == ["r1_1", "r1", "r3_1", "r3"]
    assert [row.name for row in plain("min x\nst\nx >= 1\nx >= 2\nend\n").rows] == ["r1", "r2"]


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", Column()),
        ("x <= 4", Column(0, 4)),
        ("x >= -4", Column(-4, INF)),
        ("-4 <= x", Column(-4, INF)),
        ("- 4 <= x", Column(-4, INF)),
        ("4 >= x", Column(0, 4)),
        ("-4 <= x <= 4", Column(-4, 4)),
        ("4 >= x >= -4", Column(-4, 4)),
        ("-4 < x < 4", Column(-4, 4)),
        ("x = 4", Column(4, 4)),
        ("4 = x", Column(4, 4)),
        ("x free", Column(-INF, INF)),
        ("x FREE", Column(-INF, INF)),
        ("-inf <= x <= -3", Column(-INF, -3)),
        ("-infinity <= x", Column(-INF, INF)),
        ("x >= -1e30", Column(-INF, INF)),
        ("x <= -3\nx >= -4", Column(-4, -3)),
        ("x >= -4\nx <= -3", Column(-4, -3)),
        ("-inf <= x <= +inf", Column(-INF, INF)),
        ("x <= 1e31", Column()),
        ("x <= 4\nx <= 4.0", Column(0, 4)),
    ],
)
def test_bounds(text: str, column: Column) -> None:
    assert with_bounds(text) == column


@pytest.mark.parametrize(
    ("bounds", "column"),
    [
        ("", Column(0, 1, integer=True)),
        ("x = 1", Column(1, 1, integer=True)),
        ("0 <= x <= 1", Column(0, 1, integer=True)),
        ("x <= 0", Column(0, 0, integer=True)),
    ],
)
def test_binaries_may_have_tighter_bounds(bounds: str, column: Column) -> None:
    assert plain(f"min x\nst\nc: x >= 0\nbounds\n{bounds}\nbin\nx\nend").columns == {"x": column}


@pytest.mark.parametrize(
    ("objective", "costs", "constant"),
    [
        ("", {}, 0.0),
        ("obj:", {}, 0.0),
        ("obj: 0 x", {}, 0.0),
        ("obj: 3", {}, 3.0),
        ("obj: x + 3 - 1", {"x": 1.0}, 2.0),
        ("- x", {"x": -1.0}, 0.0),
        ("-3 + 2 x", {"x": 2.0}, -3.0),
    ],
)
def test_objectives(objective: str, costs: dict[str, float], constant: float) -> None:
    found = plain(f"min {objective}\nst\nc: x >= 0\nend\n")
    assert (found.costs, found.constant) == (costs, constant)


def test_a_keyword_before_a_colon_is_a_name() -> None:
    assert [row.name for row in plain("min x\nst\nst: x >= 1\nbin: x >= 2\nend\n").rows] == ["st", "bin"]


def test_names_as_other_tools_make_them() -> None:
    names = ["x[1]", "x(1,2)", "a.b", "_e1", "e1", "x#1", "max_x", "c_e_x_", "end_1", "free_1", "infx", "x!"]
    terms = " + ".join(f"1 {name}" for name in names)
    assert list(plain(f"min {terms}\nst\n{names[0]} >= 1\nend\n").columns) == names


def test_windows_line_ends_and_tabs() -> None:
    assert plain(FULL.replace("\n", "\r\n")) == plain(FULL)
    assert plain(FULL.replace(" ", "\t")).columns == plain(FULL).columns
