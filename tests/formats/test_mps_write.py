"""The MPS dialect, construct by construct: each test is one sentence of the format, as exact text."""

import os
import subprocess
import sys
from itertools import groupby, takewhile
from pathlib import Path

import numpy as np
import pytest
from linear_models import INF, Column, Plain, Row, build

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.types.model import Labels, Model, Objective, RowGroup, Rows, Variables
from ensc.formats.mps import write_mps


def text(plain: Plain, *, indicators: bool = False, ordered_sets: bool = False) -> str:
    chunks = write_mps(build(plain), indicators=indicators, ordered_sets=ordered_sets)
    return b"".join(chunks).decode("ascii")


def section(plain: Plain, name: str) -> list[str]:
    """The lines of one section."""
    lines = text(plain).splitlines()
    return list(takewhile(lambda line: line.startswith(" "), lines[lines.index(name) + 1 :]))


def codes(plain: Plain) -> list[str]:
    with pytest.raises(Rejected) as caught:
        write_mps(build(plain))
    return [diagnostic.code for diagnostic in caught.value.diagnostics]


X = {"x": Column()}


def test_a_whole_file() -> None:
    plain = Plain(
        columns={"b": Column(0, 1, integer=True), "x": Column(-1.5, 4), "y": Column()},
        rows=[
            Row({"b": 2.0, "x": 0.1}, upper=3.0),
            Row({"x": 1.0, "y": -1.0}, lower=-2.0),
            Row({"y": 1.0, "b": 1.0}, 1.0, 1.0),
        ],
        costs={"b": 1.0, "y": -0.5},
        notes=("what it is",),
        name="demo",
    )
    assert text(plain) == (
        "* what it is\n"
        "NAME demo FREE\n"
        "ROWS\n"
        " N obj\n"
        " L r1\n"
        " G r2\n"
        " E r3\n"
        "COLUMNS\n"
        " x r1 0.1\n"
        " x r2 1\n"
        " y obj -0.5\n"
        " y r2 -1\n"
        " y r3 1\n"
        " MARKER 'MARKER' 'INTORG'\n"
        " b obj 1\n"
        " b r1 2\n"
        " b r3 1\n"
        " MARKER 'MARKER' 'INTEND'\n"
        "RHS\n"
        " RHS r1 3\n"
        " RHS r2 -2\n"
        " RHS r3 1\n"
        "BOUNDS\n"
        " LO BND x -1.5\n"
        " UP BND x 4\n"
        " LO BND y 0\n"
        " LO BND b 0\n"
        " UP BND b 1\n"
        "ENDATA\n"
    )


@pytest.mark.parametrize(
    ("lower", "upper", "lines"),
    [
        (0, 1, [" LO BND x 0", " UP BND x 1"]),
        (0, INF, [" LO BND x 0"]),
        (-INF, INF, [" FR BND x"]),
        (-INF, 3, [" MI BND x", " UP BND x 3"]),
        (-INF, -3, [" MI BND x", " UP BND x -3"]),
        (-INF, 0, [" MI BND x", " UP BND x 0"]),
        (-5, -3, [" LO BND x -5", " UP BND x -3"]),
        (2.5, 2.5, [" FX BND x 2.5"]),
        (-0.0, 0.0, [" FX BND x 0"]),
    ],
)
def test_every_column_states_its_bounds(lower: float, upper: float, lines: list[str]) -> None:
    assert section(Plain({"x": Column(lower, upper)}), "BOUNDS") == lines


@pytest.mark.parametrize(
    ("lower", "upper", "lines"),
    [
        (0, 1, [" LO BND x 0", " UP BND x 1"]),
        (1, INF, [" PL BND x", " LO BND x 1"]),
        (-INF, INF, [" FR BND x"]),
        (-INF, -3, [" MI BND x", " UP BND x -3"]),
        (4, 4, [" FX BND x 4"]),
        (0.5, 1.5, [" FX BND x 1"]),
        (-1.5, 1e-9, [" LO BND x -1", " UP BND x 0"]),
    ],
)
def test_every_integral_column_states_integral_bounds(lower: float, upper: float, lines: list[str]) -> None:
    assert section(Plain({"x": Column(lower, upper, integer=True)}), "BOUNDS") == lines


def test_a_column_without_entries_has_a_zero_in_the_objective() -> None:
    plain = Plain({"x": Column(), "b": Column(0, 1, integer=True)})
    assert section(plain, "COLUMNS") == [
        " x obj 0",
        " MARKER 'MARKER' 'INTORG'",
        " b obj 0",
        " MARKER 'MARKER' 'INTEND'",
    ]


def test_a_row_with_two_bounds_becomes_two_rows_and_the_others_keep_their_numbers() -> None:
    plain = Plain(X, [Row({"x": 1.0}, 1, 2), Row({"x": 2.0}), Row({"x": 3.0}, upper=5)])
    assert section(plain, "ROWS") == [" N obj", " G r1", " L r1_u", " L r3"]
    assert section(plain, "COLUMNS") == [" x r1 1", " x r1_u 1", " x r3 3"]
    assert section(plain, "RHS") == [" RHS r1 1", " RHS r1_u 2", " RHS r3 5"]
    assert "RANGES" not in text(plain)


def test_the_second_name_of_a_split_row_is_not_taken() -> None:
    plain = Plain(X, [Row({}, 1, 2, name="a"), Row({}, 1, 1, name="A_u"), Row({}, 0, 0, name="obj")])
    assert section(plain, "ROWS") == [" N obj_1", " G a", " L a_u_1", " E A_u", " E obj"]


def test_a_row_without_entries_stays() -> None:
    assert section(Plain(X, [Row({}, lower=1)]), "ROWS") == [" N obj", " G r1"]


def test_right_hand_sides_of_zero_are_left_to_the_default_but_the_section_is_there() -> None:
    assert "COLUMNS\n x r1 1\nRHS\nBOUNDS\n" in text(Plain(X, [Row({"x": 1.0}, upper=0)]))


def test_a_constant_is_the_cost_of_a_column_fixed_at_one() -> None:
    plain = Plain({"one": Column(), "x": Column()}, costs={"x": 1.0}, constant=5.0)
    assert section(plain, "COLUMNS") == [" one obj 0", " x obj 1", " one_1 obj 5"]
    assert section(plain, "BOUNDS")[-1] == " FX BND one_1 1"
    assert section(plain, "RHS") == []


def test_a_maximisation_is_negated_and_says_so() -> None:
    plain = Plain(X, costs={"x": 2.0}, sense="maximize", constant=-1.0)
    assert section(plain, "COLUMNS") == [" x obj -2", " one obj 1"]
    assert text(plain).startswith(
        "* the objective was to be maximized: this file minimizes its negative\nNAME"
    )
    assert "OBJSENSE" not in text(plain)


def test_a_model_without_columns_still_has_one() -> None:
    assert section(Plain({}), "COLUMNS") == [" one obj 0"]


def test_notes_are_short_ascii_lines_before_the_name() -> None:
    lines = text(Plain(X, notes=("", "a" * 397, "Pérez\n\ttab\x00", "  indented  "))).splitlines()
    assert lines[:7] == [
        "* " + "a" * 198,
        "* " + "a" * 198,
        "* a",
        "* P\\xe9rez",
        "* \\ttab\\x00",
        "*   indented",
        "NAME m FREE",
    ]


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        (1.0, "1"),
        (-2.5, "-2.5"),
        (1.1e-9, "1.1e-09"),
        (0.1 + 0.2, "0.30000000000000004"),
        (float(np.float32(0.1)), "0.10000000149011612"),
        (999999999999999.9, "999999999999999.9"),
        (-1.2345678901234567e-05, "-1.2345678901234568e-05"),
    ],
)
def test_numbers_are_the_shortest_that_read_back(value: float, spelling: str) -> None:
    assert section(Plain(X, [Row({"x": value}, upper=0)]), "COLUMNS") == [f" x r1 {spelling}"]
    assert float(spelling) == value
    assert len(spelling) <= 24


@pytest.mark.parametrize("value", [1e-9, -1e-12, 5e-324, 1e15, -1e30, INF, float("nan")])
def test_coefficients_that_readers_drop_or_refuse_are_refused(value: float) -> None:
    assert codes(Plain(X, [Row({"x": value}, upper=0)])) == ["E1021"]
    assert codes(Plain(X, costs={"x": value})) == ["E1021"]


def test_a_refused_coefficient_is_named_by_row_and_column() -> None:
    plain = Plain({"x": Column(), "y": Column()}, [Row({"x": 1.0}, 0), Row({"x": 1.0, "y": 1e-12}, 0)])
    with pytest.raises(Rejected, match="row `r2` has the coefficient 1e-12 on `y`"):
        write_mps(build(plain))


def test_bounds_and_sides_that_readers_take_for_infinite_are_refused() -> None:
    assert codes(Plain(X, [Row({"x": 1.0}, upper=1e15)])) == ["E1021"]
    assert codes(Plain(X, [Row({"x": 1.0}, lower=INF)])) == ["E1021"]
    assert codes(Plain({"x": Column(-1e15, 1e20)})) == ["E1021", "E1021"]
    assert codes(Plain({"x": Column(INF, INF)})) == ["E1021"]
    assert codes(Plain(X, constant=1e16)) == ["E1021"]


def test_sides_and_bounds_that_readers_take_for_zero_are_moved_outward() -> None:
    plain = Plain({"x": Column(1e-300, 1e-12), "y": Column(-1e-9, -1e-12)}, [Row({"x": 1.0}, -1e-12, -1e-12)])
    assert section(plain, "ROWS") == [" N obj", " G r1", " L r1_u"]
    assert section(plain, "RHS") == [" RHS r1 -2e-09"]
    assert section(plain, "BOUNDS") == [
        *(" LO BND x 0", " UP BND x 2e-09"),
        *(" LO BND y -2e-09", " UP BND y 0"),
    ]


def test_other_small_sides_and_bounds_are_kept() -> None:
    plain = Plain({"x": Column(-1.1e-9, 1.1e-9)}, [Row({"x": 1.0}, upper=-1.1e-9)])
    assert section(plain, "RHS") == [" RHS r1 -1.1e-09"]
    assert section(plain, "BOUNDS") == [" LO BND x -1.1e-09", " UP BND x 1.1e-09"]


def test_a_column_without_values_is_refused() -> None:
    assert codes(Plain({"x": Column(1, 0)})) == ["E1025"]
    assert codes(Plain({"x": Column(0.2, 0.8, integer=True)})) == ["E1025"]


@pytest.mark.parametrize("column", [Column(0, 1), Column(0, 2, integer=True), Column(1, 1, integer=True)])
def test_only_binaries_are_indicators(column: Column) -> None:
    model = build(Plain({"z": column}, [Row({"z": 1.0}, 0, indicator="z")]))
    with pytest.raises(Rejected, match="no integer between 0 and 1") as caught:
        write_mps(model, indicators=True)
    assert caught.value.diagnostics[0].code == "E1026"


@pytest.mark.parametrize(
    "name",
    [
        *("", "e1", "E", "x[1]", "1x", "a" * 65, "a" * 200, "a" * 256, "sub ject", "$x", "x.1", "é", "a\n"),
        *("rhs", "Free", "MARKER", "st", "bin", "s1", "Infinity"),
    ],
)
def test_names_that_some_reader_misreads_are_refused(name: str) -> None:
    assert codes(Plain({name: Column()})) == ["E1022"]
    assert codes(Plain({}, [Row({}, 0, name="b"), Row({}, 0, name=name)])) == ["E1022"]
    assert codes(Plain(X, name=name)) == ["E1022"]


@pytest.mark.parametrize("name", ["t", "h_1_2_3_4_5", "_", "Xe1", "a" * 64, "free_1"])
def test_other_names_are_written(name: str) -> None:
    assert f" {name} obj 0\n" in text(Plain({name: Column()}))


def test_names_that_differ_in_case_only_are_refused() -> None:
    assert codes(Plain({"x": Column(), "X": Column()})) == ["E1022", "E1022"]


def test_the_same_name_may_be_a_row_and_a_column() -> None:
    assert " x x 1\n" in text(Plain(X, [Row({"x": 1.0}, 0, name="x")]))


INDICATED = Plain(
    {"z": Column(0, 1, integer=True), "x": Column()},
    [Row({"x": 1.0}, 1, 2, indicator="z", active=False), Row({"x": 1.0}, 3, indicator="z")],
)


def test_indicator_rows_only_where_asked_for() -> None:
    assert codes(INDICATED) == ["E1023"]
    assert text(INDICATED, indicators=True).endswith(
        " LO BND x 0\n BV BND z\nINDICATORS\n IF r1 z 0\n IF r1_u z 0\n IF r2 z 1\nENDATA\n"
    )


def test_ordered_sets_only_where_asked_for() -> None:
    plain = Plain({"x": Column(), "y": Column()}, sets=[["y", "x"], ["x"]])
    assert codes(plain) == ["E1024"]
    assert text(plain, ordered_sets=True).endswith(
        "SOS\n S1 set1\n    y 1\n    x 2\n S1 set2\n    x 1\nENDATA\n"
    )


def many_lines() -> Model:
    """A model of more lines than one block holds."""
    rng = np.random.default_rng(0)
    rows, columns, width = 30_000, 140_000, 8
    members = (rng.integers(0, columns, rows)[:, None] + np.arange(width) * 7) % columns
    return Model(
        "large",
        Variables(
            np.full(columns, -1.0),
            np.full(columns, 2.0),
            np.arange(columns) % 3 == 0,
            (Labels("h", np.ix_(np.arange(1, 15), np.arange(1, 10_001))),),
        ),
        Rows(
            np.arange(rows + 1) * width,
            members.ravel(),
            rng.integers(1, 9, rows * width).astype(float),
            np.full(rows, -np.inf),
            np.arange(rows, dtype=float),
            np.full(rows, -1),
            np.ones(rows, dtype=bool),
            (RowGroup(rows, "rows"),),
        ),
        Objective("minimize", np.arange(3), np.ones(3)),
    )


def test_blocks_join_without_a_seam() -> None:
    model = many_lines()
    lines = b"".join(write_mps(model)).decode().splitlines()
    names = model.variables.names()
    wanted = {
        (names[c], f"r{r + 1}"): v
        for r, c, v in zip(
            model.rows.owners().tolist(),
            model.rows.columns.tolist(),
            model.rows.coefficients.tolist(),
            strict=True,
        )
    }
    body = [line.split() for line in lines[lines.index("COLUMNS") + 1 : lines.index("RHS")]]
    found = {(c, r): float(v) for c, r, v in body if r not in {"obj", "'MARKER'"}}
    assert found == wanted
    runs = [name for name, _ in groupby(c for c, r, _ in body if r != "'MARKER'")]
    integer = dict(zip(names, model.variables.integer.tolist(), strict=True))
    assert runs == sorted(names, key=integer.__getitem__)
    assert len(lines) == lines.index("BOUNDS") + 1 + 2 * len(names) + 1


SCRIPT = """
import hashlib, sys
sys.path.insert(0, {support!r})
from linear_models import Column, Plain, Row, build
from ensc.formats.mps import write_mps
names = [f"v_{{i}}" for i in range(50)]
plain = Plain(
    {{n: Column(-i / 7, i / 3, integer=i % 2 == 0) for i, n in enumerate(names)}},
    [Row({{n: (i + j + 1) / 9 for i, n in enumerate(names)}}, j / 11, 10.0) for j in range(20)],
    {{n: 0.1 for n in names}}, "maximize", 1 / 3, ("note",),
)
print(hashlib.sha256(b"".join(write_mps(build(plain)))).hexdigest())
"""


def test_bytes_depend_neither_on_hash_seed_nor_on_locale() -> None:
    support = str(Path(__file__).parents[1] / "support")
    seen = set()
    for seed, locale in (("0", "C"), ("1", "C.UTF-8"), ("2", "de_DE.UTF-8")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale, "LANG": locale}
        command = [sys.executable, "-c", SCRIPT.format(support=support)]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        seen.add(result.stdout)
    assert len(seen) == 1
