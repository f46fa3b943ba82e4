"""The SMT-LIB dialect, construct by construct: each test is one sentence of the format, as exact text."""

import os
import subprocess
import sys
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from linear_models import INF, Column, Plain, Row, build
from piecewise_models import indices, models

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.types.model import (
    Clauses,
    Labels,
    Maxima,
    Model,
    Products,
    Rectifiers,
    RowGroup,
    Rows,
    Variables,
    feasibility,
)
from ensc.formats.smtlib import Dialect, write_smtlib
from ensc.formats.smtlib.piecewise import chord
from ensc.formats.smtlib.terms import decimal


def text(model: Model, **options: object) -> str:
    return b"".join(write_smtlib(model, **options)).decode("ascii")  # type: ignore[arg-type]  # as given


def asserted(model: Model, **options: object) -> list[str]:
    """The assertions, without the bounds of variables."""
    lines = text(model, **options).split("; bounds\n")[1].splitlines()
    return [line for line in lines if line.startswith("(assert")]


def codes(plain: Plain, dialect: Dialect = "standard", **meta: str) -> list[str]:
    with pytest.raises(Rejected) as caught:
        write_smtlib(build(plain), dialect=dialect, meta=meta)
    return [diagnostic.code for diagnostic in caught.value.diagnostics]


def free(*names: str) -> dict[str, Column]:
    return {name: Column(-INF, INF) for name in names}


B = {"b": Column(0, 1, integer=True)}


def test_a_whole_script() -> None:
    plain = Plain(
        columns={"p_1": Column(0, 1), "d_1": Column(-0.5), "b": Column(0, 1, integer=True)},
        rows=[
            Row({"p_1": 1.0, "d_1": -1.0, "b": 2.0}, upper=0.125),
            Row({"d_1": 1.0}, 0.25, 0.25, indicator="b", active=False),
        ],
        notes=("what it is",),
    )
    assert text(build(plain), meta={"source": "the paper", "license": "CC0"}, status="unsat") == (
        "(set-info :smt-lib-version 2.6)\n"
        "(set-logic QF_LRA)\n"
        "(set-info :source |\n"
        f"Generator: ensc {version('ensc-compiler')}\n"
        "Application: verification of neural networks in exact arithmetic\n"
        "the paper\n"
        "what it is\n"
        "|)\n"
        '(set-info :license "CC0")\n'
        '(set-info :category "industrial")\n'
        "(set-info :status unsat)\n"
        "(declare-fun p_1 () Real)\n"
        "(declare-fun d_1 () Real)\n"
        "(declare-fun b () Bool)\n"
        "; bounds\n"
        "(assert (>= p_1 0.0))\n"
        "(assert (>= d_1 (- 0.5)))\n"
        "(assert (<= p_1 1.0))\n"
        "; rows\n"
        "(assert (<= (+ p_1 (- d_1) (ite b 2.0 0.0)) 0.125))\n"
        "(assert (=> (not b) (= d_1 0.25)))\n"
        "(check-sat)\n"
        "(exit)\n"
    )


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        (1.0, "1.0"),
        (0.0, "0.0"),
        (-0.0, "0.0"),
        (-2.5, "(- 2.5)"),
        (1e22, "10000000000000000000000.0"),
        (2.0**-20, "0.00000095367431640625"),
        (float(np.float32(0.1)), "0.100000001490116119384765625"),
    ],
)
def test_numbers_are_exact_decimals(value: float, spelling: str) -> None:
    assert decimal(value).decode() == spelling


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_is_written_exactly(value: float) -> None:
    spelling = decimal(value).decode()
    negative = spelling.startswith("(- ")
    digits = spelling.removeprefix("(- ").removesuffix(")")
    assert digits.replace(".", "", 1).isdecimal()
    assert Fraction(digits) == Fraction(abs(value))
    assert negative == (value < 0)


@pytest.mark.parametrize(
    ("lower", "upper", "lines"),
    [
        (0, INF, ["(assert (>= x 0.0))"]),
        (-INF, -3, ["(assert (<= x (- 3.0)))"]),
        (-1, 2, ["(assert (>= x (- 1.0)))", "(assert (<= x 2.0))"]),
        (2.5, 2.5, ["(assert (= x 2.5))"]),
        (-INF, INF, []),
        (2, 1, ["(assert (>= x 2.0))", "(assert (<= x 1.0))"]),
    ],
)
def test_bounds_of_reals(lower: float, upper: float, lines: list[str]) -> None:
    assert asserted(build(Plain({"x": Column(lower, upper)}))) == lines


@pytest.mark.parametrize(
    ("lower", "upper", "lines"),
    [
        (0, 1, []),
        (-0.5, 1.5, []),
        (1, 1, ["(assert b)"]),
        (0.5, 1, ["(assert b)"]),
        (0, 0, ["(assert (not b))"]),
        (0.25, 0.75, ["(assert b)", "(assert (not b))"]),
        (1.25, 1.75, ["(assert b)", "(assert (not b))"]),
        (-0.75, -0.25, ["(assert b)", "(assert (not b))"]),
    ],
)
def test_bounds_of_binaries(lower: float, upper: float, lines: list[str]) -> None:
    model = build(Plain({"b": Column(lower, upper, integer=True)}))
    assert "(declare-fun b () Bool)\n" in text(model)
    assert asserted(model) == lines


@pytest.mark.parametrize(
    ("row", "lines"),
    [
        (Row({}, lower=1), ["(assert (>= 0.0 1.0))"]),
        (Row({"x": 1.0}, 1, 2), ["(assert (>= x 1.0))", "(assert (<= x 2.0))"]),
        (Row({"x": -1.0}, 1, 1), ["(assert (= (- x) 1.0))"]),
        (Row({"x": -3.0}, upper=-1), ["(assert (<= (* (- 3.0) x) (- 1.0)))"]),
        (Row({"x": 1.0, "y": 0.5}, lower=0), ["(assert (>= (+ x (* 0.5 y)) 0.0))"]),
        (Row({"b": -1.5}, lower=0), ["(assert (>= (ite b (- 1.5) 0.0) 0.0))"]),
        (Row({"x": 1.0}), []),
        (Row({"x": 1.0}, lower=0, indicator="b"), ["(assert (=> b (>= x 0.0)))"]),
        (Row({"x": 1.0}, lower=0, indicator="b", active=False), ["(assert (=> (not b) (>= x 0.0)))"]),
        (Row({}, 1, 2, indicator="b"), ["(assert (=> b (>= 0.0 1.0)))", "(assert (=> b (<= 0.0 2.0)))"]),
    ],
)
def test_rows(row: Row, lines: list[str]) -> None:
    assert asserted(build(Plain({**free("x", "y"), **B}, [row]))) == lines


def piecewise(bounds: list[tuple[float, float]], **parts: object) -> Model:
    """A model over the reals `x0, x1, ...` with these bounds, and the binaries `b0, b1, b2`."""
    names = [*(f"x{i}" for i in range(len(bounds))), "b0", "b1", "b2"]
    columns = {name: Column(*ends) for name, ends in zip(names, bounds, strict=False)}
    columns |= dict.fromkeys(names[len(bounds) :], Column(0, 1, integer=True))
    model = build(Plain(columns))
    return Model(model.name, model.variables, model.rows, feasibility(), **parts)  # type: ignore[arg-type]  # as given


def rectifier(lower: float, upper: float, least: float = -INF) -> Model:
    return piecewise([(least, INF), (lower, upper)], rectifiers=Rectifiers(indices([0]), indices([1]), ()))


def phases(model: Model, **options: object) -> list[str]:
    return text(model, **options).split("; y = max(0, a)\n")[1].splitlines()[:-2]


def test_a_rectifier_is_a_choice_within_its_triangle() -> None:
    assert phases(rectifier(-1, 3)) == [
        "(assert (>= x0 0.0))",
        "(assert (>= x0 x1))",
        "(assert (<= x0 (+ (* 0.75 x1) 0.750000059604644775390625)))",
        "(assert (or (<= x0 0.0) (<= x0 x1)))",
    ]


def test_a_bound_that_says_so_already_is_not_repeated() -> None:
    assert phases(rectifier(-1, 3, least=0))[0] == "(assert (>= x0 x1))"


def test_a_rectifier_without_bounds_has_no_chord() -> None:
    assert not [line for line in phases(rectifier(-INF, 3)) if "+" in line]


def test_a_rectifier_as_ite() -> None:
    assert phases(rectifier(-1, 3), relu="ite") == ["(assert (= x0 (ite (>= x1 0.0) x1 0.0)))"]


@pytest.mark.parametrize("relu", ["or", "ite"])
@pytest.mark.parametrize(
    ("lower", "upper", "line"),
    [
        (0, 3, "(assert (= x0 x1))"),
        (-3, 0, "(assert (= x0 0.0))"),
        (-INF, -1, "(assert (= x0 0.0))"),
        (0, 0, "(assert (= x0 x1))"),
    ],
)
def test_where_bounds_decide_the_phase_it_is_written(
    lower: float, upper: float, line: str, relu: str
) -> None:
    assert phases(rectifier(lower, upper), relu=relu) == [line]


@given(st.floats(-1e300, 0, exclude_max=True), st.floats(0, 1e300, exclude_min=True))
def test_a_chord_is_nowhere_below_its_rectifier(lower: float, upper: float) -> None:
    (slope,), (offset,) = chord(np.array([lower]), np.array([upper]))
    if np.isfinite(slope) and np.isfinite(offset):
        line = [Fraction(slope) * Fraction(end) + Fraction(offset) for end in (lower, upper)]
        assert line[0] >= 0
        assert line[1] >= Fraction(upper)


@given(st.floats(-100, -0.01), st.floats(0.01, 100))
def test_a_chord_is_close(lower: float, upper: float) -> None:
    (slope,), (offset,) = chord(np.array([lower]), np.array([upper]))
    assert slope * lower + offset <= 1e-6 * (upper - lower)
    assert slope * upper + offset <= upper + 1e-6 * (upper - lower)


def test_maxima() -> None:
    maxima = Maxima(indices([0, 1]), indices([0, 2, 3]), indices([1, 2, 2]), ())
    assert asserted(piecewise([(-INF, INF)] * 3, maxima=maxima)) == [
        "(assert (>= x0 x1))",
        "(assert (>= x0 x2))",
        "(assert (>= x1 x2))",
        "(assert (or (<= x0 x1) (<= x0 x2)))",
        "(assert (<= x1 x2))",
    ]


def test_products() -> None:
    products = Products(indices([0]), indices([1]), indices([2]))
    assert asserted(piecewise([(-INF, INF), (-1, INF)], products=products))[1:] == [
        "(assert (= x0 (ite b0 x1 0.0)))",
    ]
    assert asserted(piecewise([(-INF, INF), (0, INF)], products=products))[1:] == [
        "(assert (= x0 (ite b0 x1 0.0)))",
        "(assert (<= x0 x1))",
    ]


def test_clauses() -> None:
    clauses = Clauses(indices([0, 1]), indices([0, 2, 2]), indices([1, 2]))
    assert asserted(piecewise([], clauses=clauses)) == [
        "(assert (or (not b0) b1 b2))",
        "(assert (not b1))",
    ]


def test_long_sums_are_broken_into_lines() -> None:
    plain = Plain(free(*(f"x{i}" for i in range(20))), [Row({f"x{i}": 1.0 for i in range(20)}, upper=0)])
    body = text(build(plain)).split("; rows\n")[1]
    assert body == (
        "(assert (<= (+\n"
        "  x0 x1 x2 x3 x4 x5 x6 x7\n"
        "  x8 x9 x10 x11 x12 x13 x14 x15\n"
        "  x16 x17 x18 x19) 0.0))\n"
        "(check-sat)\n(exit)\n"
    )


def test_values_are_asked_for_in_commands_and_lines_of_some_length() -> None:
    names = [f"x{i}" for i in range(2000)]
    script = text(build(Plain(free(*names))), values=names)
    assert script.startswith("(set-option :produce-models true)\n(set-info :smt-lib-version 2.6)\n")
    asked = script.split("(check-sat)\n")[1]
    assert asked.count("(get-value (") == 3
    assert asked.replace("(get-value (", "").replace("))", "").replace("(exit)", "").split() == names
    assert max(map(len, script.splitlines())) < 220


def test_an_objective_is_for_z3_only() -> None:
    plain = Plain(free("x"), costs={"x": 2.0}, sense="maximize", constant=-1.0)
    assert codes(plain) == ["E1030"]
    script = text(build(plain), dialect="z3-opt", values=["x"])
    assert "(maximize (+ (* 2.0 x) (- 1.0)))\n(check-sat)\n(get-objectives)\n(get-value (x))\n" in script
    assert "maximize" not in text(build(Plain(free("x"))), dialect="z3-opt")


def test_what_a_script_cannot_hold_is_refused() -> None:
    assert codes(Plain({"n": Column(0, 10, integer=True)})) == ["E1031"]
    assert codes(Plain({"n": Column(integer=True)})) == ["E1031"]
    assert codes(Plain(free("x", "y"), sets=[["x", "y"]])) == ["E1033"]
    assert codes(Plain(free("x"), [Row({"x": INF}, 0)])) == ["E1034"]
    assert codes(Plain(free("x"), [Row({"x": 1.0}, float("nan"))])) == ["E1034"]
    assert codes(Plain({"x": Column(INF, INF)})) == ["E1034"]
    assert codes(Plain(free("x")), category="robustness") == ["E1035"]
    assert codes(Plain(free("x"), costs={"x": float("nan")}), "z3-opt") == ["E1034"]


@pytest.mark.parametrize(
    "name", ["abs", "let", "true", "Real", "_", "x[1]", "1x", "@x", ".x", "x y", "é", ""]
)
def test_names_that_some_solver_misreads_are_refused(name: str) -> None:
    assert codes(Plain(free(name, "y"))) == ["E1032"]


def test_names_that_differ_in_case_are_different() -> None:
    assert "(declare-fun X () Real)\n" in text(build(Plain(free("x", "X"))))


def test_a_refusal_shows_some_of_many_mistakes() -> None:
    assert len(codes(Plain(free(*(f"{i}x" for i in range(100)))))) == 10


def test_the_header_is_inert_whatever_is_in_it() -> None:
    notes = ("|d| of |X| points", 'a | b \\ "c"\n(assert false)', "Pérez \x00 \t end")
    meta = {"license": 'a "b"', "source": "c|d", "category": "random", "generated_on": "2024-05-06"}
    script = text(build(Plain(free("x"), notes=notes)), meta=meta)
    assert script.split("(declare-fun")[0] == (
        "(set-info :smt-lib-version 2.6)\n"
        "(set-logic QF_LRA)\n"
        "(set-info :source |\n"
        "Generated on: 2024-05-06\n"
        f"Generator: ensc {version('ensc-compiler')}\n"
        "Application: verification of neural networks in exact arithmetic\n"
        "c/d\n"
        "abs(d) of abs(X) points\n"
        'a / b / "c"\n'
        "(assert false)\n"
        "P&#233;rez     end\n"
        "|)\n"
        '(set-info :license "a ""b""")\n'
        '(set-info :category "random")\n'
        "(set-info :status unknown)\n"
    )


def test_a_comment_is_one_line_of_some_length() -> None:
    model = build(Plain(free("x"), [Row({"x": 1.0}, 0)]))
    rows = model.rows
    named = Rows(
        *(rows.starts, rows.columns, rows.coefficients, rows.lower, rows.upper),
        *(rows.indicator, rows.active, (RowGroup(1, "|d|\n(exit)" + "x" * 300),)),
    )
    script = text(Model(model.name, model.variables, named, feasibility()))
    assert "; |d|\n; (exit)" in script
    assert max(map(len, script.splitlines())) <= 202


def large() -> Model:
    """More terms and rows than one block holds, some rows without terms."""
    rng = np.random.default_rng(0)
    columns = 70_000
    lengths = rng.integers(0, 12, 20_000)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return Model(
        "large",
        Variables(
            np.full(columns, 0.0),
            np.full(columns, 1.0),
            np.arange(columns) % 3 == 0,
            (Labels("h", np.ix_(np.arange(1, 8), np.arange(1, 10_001))),),
        ),
        Rows(
            starts,
            rng.integers(0, columns, int(starts[-1])),
            rng.integers(1, 9, int(starts[-1])).astype(float),
            np.full(len(lengths), -np.inf),
            np.arange(len(lengths), dtype=float),
            np.full(len(lengths), -1),
            np.ones(len(lengths), dtype=bool),
            (RowGroup(len(lengths), "rows"),),
        ),
        feasibility(),
    )


def test_blocks_join_without_a_seam() -> None:
    model = large()
    names, rows = model.variables.names(), model.rows
    body = text(model).split("; rows\n")[1].replace("\n  ", " ").splitlines()[:-2]
    assert len(body) == len(rows)
    for r, line in enumerate(body):
        part = slice(int(rows.starts[r]), int(rows.starts[r + 1]))
        terms = [
            f"(ite {names[i]} {c} 0.0)"
            if model.variables.integer[i]
            else names[i]
            if c == 1
            else f"(* {c} {names[i]})"
            for i, c in zip(rows.columns[part].tolist(), rows.coefficients[part].tolist(), strict=True)
        ]
        total = "0.0" if not terms else terms[0] if len(terms) == 1 else f"(+ {' '.join(terms)})"
        assert line == f"(assert (<= {total} {float(r)}))"


def _depth(script: str) -> int:
    depth = deepest = 0
    for character in script:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    assert depth == 0
    return deepest


@given(models())
def test_nesting_is_shallow_whatever_the_model(model: Model) -> None:
    body = text(model).split("; bounds\n")[1]
    assert _depth(body) <= 8


SCRIPT = """
import hashlib, sys
sys.path.insert(0, {support!r})
from linear_models import Column, Plain, Row, build
from ensc.formats.smtlib import write_smtlib
names = [f"v_{{i}}" for i in range(50)]
plain = Plain(
    {{n: Column(0, 1 + i / 3, integer=i < 3) for i, n in enumerate(names)}},
    [Row({{n: (i + j + 1) / 9 for i, n in enumerate(names)}}, j / 11, 10.0) for j in range(20)],
    notes=("note",),
)
print(hashlib.sha256(b"".join(write_smtlib(build(plain), meta={{"source": "a"}}))).hexdigest())
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
