"""The LP dialect, construct by construct: each test is one sentence of the format, as exact text."""

from itertools import takewhile

import numpy as np
import pytest
from linear_models import INF, Column, Plain, Row, build

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.types.model import Labels, Model, Objective, RowGroup, Rows, Variables
from ensc.formats.lp import write_lp


def text(plain: Plain, *, indicators: bool = False, ordered_sets: bool = False) -> str:
    chunks = write_lp(build(plain), indicators=indicators, ordered_sets=ordered_sets)
    return b"".join(chunks).decode("ascii")


def section(plain: Plain, name: str) -> list[str]:
    """The lines of one section."""
    lines = text(plain).splitlines()
    return list(takewhile(lambda line: line.startswith(" "), lines[lines.index(name) + 1 :]))


def codes(plain: Plain) -> list[str]:
    with pytest.raises(Rejected) as caught:
        write_lp(build(plain))
    return [diagnostic.code for diagnostic in caught.value.diagnostics]


X = {"x": Column()}


def test_a_whole_file() -> None:
    plain = Plain(
        columns={"b": Column(0, 1, integer=True), "x": Column(-1.5, 4), "n": Column(0, 9, integer=True)},
        rows=[Row({"x": 2.0, "b": -0.1}, upper=3.0), Row({"x": 1.0}, lower=-2.0), Row({"n": 1.0}, 1.0, 1.0)],
        costs={"b": 1.0, "x": -0.5},
        notes=("what it is",),
    )
    assert text(plain) == (
        "\\ what it is\n"
        "Minimize\n"
        " obj:\n"
        " + 1 b\n"
        " - 0.5 x\n"
        "Subject To\n"
        " r1:\n"
        " + 2 x\n"
        " - 0.1 b\n"
        " <= 3\n"
        " r2:\n"
        " + 1 x\n"
        " >= -2\n"
        " r3:\n"
        " + 1 n\n"
        " = 1\n"
        "Bounds\n"
        " -1.5 <= x <= 4\n"
        " 0 <= n <= 9\n"
        "Generals\n"
        " n\n"
        "Binaries\n"
        " b\n"
        "End\n"
    )


@pytest.mark.parametrize(
    ("lower", "upper", "line"),
    [
        (0, 2, " 0 <= x <= 2"),
        (0, INF, " 0 <= x"),
        (-INF, INF, " x free"),
        (-INF, 3, " -inf <= x <= 3"),
        (-INF, -3, " -inf <= x <= -3"),
        (-5, -3, " -5 <= x <= -3"),
        (2.5, 2.5, " x = 2.5"),
        (-0.0, 0.0, " x = 0"),
        (1, 1, " x = 1"),
    ],
)
def test_every_column_states_its_bounds(lower: float, upper: float, line: str) -> None:
    assert section(Plain({"x": Column(lower, upper)}), "Bounds") == [line]


def test_integral_columns_have_integral_bounds() -> None:
    plain = Plain({"n": Column(-0.5, 2.5, integer=True), "m": Column(1, INF, integer=True)})
    assert section(plain, "Bounds") == [" 0 <= n <= 2", " 1 <= m"]
    assert section(plain, "Generals") == [" n", " m"]


def test_only_integers_between_zero_and_one_are_binaries() -> None:
    plain = Plain({"x": Column(0, 1), "b": Column(-0.0, 1, integer=True)})
    assert section(plain, "Bounds") == [" 0 <= x <= 1"]
    assert section(plain, "Binaries") == [" b"]
    assert "Generals" not in text(plain)


def test_a_column_mentioned_nowhere_else_is_in_the_objective() -> None:
    plain = Plain({"y": Column(), "x": Column(), "b": Column(0, 1, integer=True)}, [Row({"x": 1.0}, 0)])
    assert section(plain, "Minimize") == [" obj:", " + 0 y", " + 0 b"]


def test_the_objective_has_a_term() -> None:
    assert section(Plain({"y": Column(), "x": Column()}, [Row({"x": 1.0, "y": 2.0}, 0)]), "Minimize") == [
        " obj:",
        " + 0 x",
    ]
    assert section(Plain({}), "Minimize") == [" obj:", " + 0 one"]


def test_columns_are_in_the_order_of_their_first_mention() -> None:
    plain = Plain(
        {"a": Column(), "b": Column(), "c": Column(), "d": Column(), "f": Column()},
        [Row({"b": 1.0, "a": 1.0}, 0), Row({"d": 1.0, "b": 1.0}, 0)],
        {"d": 1.0},
    )
    names = [line.split()[2] for line in section(plain, "Bounds")]
    assert names == ["d", "c", "f", "b", "a"]


def test_a_row_without_terms_has_one() -> None:
    plain = Plain(X, [Row({}, upper=1), Row({"x": 1.0}, 1), Row({}, 2), Row({}, 3)])
    assert section(plain, "Subject To") == [
        *(" r1:", " + 0 x", " <= 1"),
        *(" r2:", " + 1 x", " >= 1"),
        *(" r3:", " + 0 x", " >= 2"),
        *(" r4:", " + 0 x", " >= 3"),
    ]


def test_a_row_with_two_bounds_becomes_two_rows_and_the_others_keep_their_numbers() -> None:
    plain = Plain(X, [Row({"x": 1.0}, 1, 2), Row({"x": 2.0}), Row({"x": 3.0}, upper=5)])
    assert section(plain, "Subject To") == [
        *(" r1:", " + 1 x", " >= 1"),
        *(" r1_u:", " + 1 x", " <= 2"),
        *(" r3:", " + 3 x", " <= 5"),
    ]


def test_a_model_without_rows_has_one() -> None:
    assert section(Plain(X), "Subject To") == [" r0:", " + 0 x", " <= 0"]


def test_a_constant_is_the_cost_of_a_column_fixed_at_one() -> None:
    plain = Plain(X, costs={"x": 1.0}, constant=5.0)
    assert section(plain, "Minimize") == [" obj:", " + 1 x", " + 5 one"]
    assert section(plain, "Bounds")[-1] == " one = 1"


def test_a_maximisation_is_negated_and_says_so() -> None:
    plain = Plain(X, costs={"x": 2.0}, sense="maximize")
    assert section(plain, "Minimize") == [" obj:", " - 2 x"]
    assert text(plain).startswith("\\ the objective was to be maximized: this file minimizes its negative\n")


def test_what_mps_refuses_is_refused() -> None:
    assert codes(Plain(X, [Row({"x": 1e-10}, upper=0)])) == ["E1021"]
    assert codes(Plain({"e1": Column()})) == ["E1022"]
    assert codes(Plain({"x": Column(1, 0)})) == ["E1025"]


INDICATED = Plain(
    {"x": Column(), "z": Column(0, 1, integer=True), "y": Column(0, 1, integer=True)},
    [Row({"x": 1.0}, 1, 2, indicator="z", active=False), Row({}, 3, indicator="y"), Row({"y": 1.0}, 0)],
)


def test_indicator_rows_only_where_asked_for() -> None:
    assert codes(INDICATED) == ["E1023"]
    lines = text(INDICATED, indicators=True).splitlines()
    assert lines == [
        *("Minimize", " obj:", " + 0 z", "Subject To"),
        *(" r1: z = 0 ->", " + 1 x", " >= 1"),
        *(" r1_u: z = 0 ->", " + 1 x", " <= 2"),
        *(" r2: y = 1 ->", " + 0 z", " >= 3"),
        *(" r3:", " + 1 y", " >= 0"),
        *("Bounds", " 0 <= x", "Binaries", " z", " y", "End"),
    ]


def test_ordered_sets_only_where_asked_for() -> None:
    plain = Plain({"x": Column(), "y": Column()}, sets=[["y", "x"], ["x"]])
    assert codes(plain) == ["E1024"]
    assert text(plain, ordered_sets=True).endswith(
        "SOS\n set1: S1::\n y : 1\n x : 2\n set2: S1::\n x : 1\nEnd\n"
    )


def test_blocks_join_without_a_seam() -> None:
    rng = np.random.default_rng(0)
    rows, columns, width = 40_000, 140_000, 7
    members = (rng.integers(0, columns, rows)[:, None] + np.arange(width) * 11) % columns
    members[12_345] = np.arange(width)
    lengths = np.where(np.arange(rows) % 1000 == 3, 0, width)
    kept = np.repeat(lengths > 0, width)
    values = rng.integers(-9, 9, rows * width).astype(np.float64) * 2 + 1
    model = Model(
        "large",
        Variables(
            np.full(columns, -1.0),
            np.full(columns, 2.0),
            np.arange(columns) % 3 == 0,
            (Labels("h", np.ix_(np.arange(1, 15), np.arange(1, 10_001))),),
        ),
        Rows(
            np.concatenate([[0], np.cumsum(lengths)]),
            members.ravel()[kept],
            values[kept],
            np.full(rows, -np.inf),
            np.arange(rows, dtype=float),
            np.full(rows, -1),
            np.ones(rows, dtype=bool),
            (RowGroup(rows, "rows"),),
        ),
        Objective("minimize", np.arange(3), np.ones(3)),
    )
    names = model.variables.names()
    first = next(line for line in b"".join(write_lp(model)).decode().splitlines() if line.startswith(" + 1 "))
    wanted = []
    for i in range(rows):
        wanted.append(f" r{i + 1}:")
        span = slice(model.rows.starts[i], model.rows.starts[i + 1])
        terms = zip(model.rows.columns[span].tolist(), model.rows.coefficients[span].tolist(), strict=True)
        wanted += [f" {'-' if v < 0 else '+'} {abs(v):.0f} {names[c]}" for c, v in terms]
        if lengths[i] == 0:
            wanted.append(" + 0 " + first.split()[2])
        wanted.append(f" <= {i}")
    found = b"".join(write_lp(model)).decode().split("Subject To\n")[1].split("Bounds\n")[0].splitlines()
    assert found == wanted
