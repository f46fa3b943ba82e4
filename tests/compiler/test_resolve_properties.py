"""Properties of resolution: exact arithmetic, exact sweeps, and nothing but diagnostics for bad input."""

import gzip
import io
import random
import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from queries import STATEMENTS, load, query, write_folder

from ensc.compiler.diagnostics import Diagnostic, Rejected, Source
from ensc.compiler.frontend.query.expressions import Environment, evaluate
from ensc.compiler.frontend.query.overrides import expression_of, read_overrides, sweep_of
from ensc.compiler.frontend.query.report import Report
from ensc.compiler.frontend.query.resolve import load_problem
from ensc.compiler.frontend.syntax.parse import parse_expression

SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("query")
    write_folder(path)
    return path


# Expressions. ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Written:
    """An expression as text, and its value; None where it divides by zero."""

    text: str
    value: Fraction | None


PARAMETERS = {"a": Fraction(2, 7), "b": Fraction(-3), "in": Fraction(0)}

numbers = st.one_of(
    st.integers(0, 10**6).map(str),
    st.decimals(0, 1000, places=3).map(lambda d: f"{d:f}"),
    st.tuples(st.integers(0, 99), st.integers(-20, 20)).map(lambda t: f"{t[0]}e{t[1]}"),
).map(lambda text: Written(text, Fraction(text)))
names = st.sampled_from(sorted(PARAMETERS)).map(lambda name: Written(name, PARAMETERS[name]))


def combined(operator: str, left: Written, right: Written) -> Written:
    text = f"({left.text}) {operator} ({right.text})"
    if left.value is None or right.value is None or (operator == "/" and right.value == 0):
        return Written(text, None)
    x, y = left.value, right.value
    match operator:
        case "+":
            return Written(text, x + y)
        case "-":
            return Written(text, x - y)
        case "*":
            return Written(text, x * y)
        case _:
            return Written(text, x / y)


expressions = st.recursive(
    numbers | names,
    lambda inner: st.one_of(
        st.builds(combined, st.sampled_from("+-*/"), inner, inner),
        inner.map(lambda w: Written(f"-({w.text})", None if w.value is None else -w.value)),
    ),
    max_leaves=10,
)


@SETTINGS
@given(expressions)
def test_expressions_are_evaluated_exactly(written: Written) -> None:
    source = Source("test", written.text)
    expression = parse_expression(source, 0, len(source.text))
    if written.value is None:
        with pytest.raises(Rejected) as rejected:
            evaluate(expression, Environment(PARAMETERS))
        assert [d.code for d in rejected.value.diagnostics] == ["E0407"]
    else:
        assert evaluate(expression, Environment(PARAMETERS)) == written.value


@SETTINGS
@given(st.integers(-5, 5), st.lists(st.tuples(st.sampled_from("+-*/"), st.integers(1, 9)), max_size=8))
def test_precedence_is_that_of_arithmetic(first: int, rest: list[tuple[str, int]]) -> None:
    text = f"{first}" + "".join(f" {operator} {number}" for operator, number in rest)
    exact = "".join(f" {operator} Fraction({number})" for operator, number in rest)
    expected = eval(f"Fraction({first}){exact}", {"Fraction": Fraction})  # noqa: S307 - Python is the oracle
    source = Source("test", text)
    assert evaluate(parse_expression(source, 0, len(text)), Environment()) == expected


# Sweeps. -----------------------------------------------------------------------------------------------

rationals = st.fractions(-3, 3, max_denominator=20)


@SETTINGS
@given(rationals, rationals, rationals.filter(bool))
def test_sweeps_are_exact(start: Fraction, stop: Fraction, step: Fraction) -> None:
    assume(abs((stop - start) / step) < 500)
    report = Report()
    (override,) = read_overrides("-D", [f"x={start}:{stop}:{step}"], report)
    expected = []
    value = start
    while (value <= stop) if step > 0 else (value >= stop):
        expected.append(value)
        value += step
    if expected:
        assert [number.value for number in sweep_of(override)] == expected
    else:
        with pytest.raises(Rejected) as rejected:
            sweep_of(override)
        assert [d.code for d in rejected.value.diagnostics] == ["E0409"]


@SETTINGS
@given(st.text(max_size=30))
def test_any_override_is_a_value_or_a_diagnostic(text: str) -> None:
    report = Report()
    for override in read_overrides("-D", [f"x={text}", text], report):
        for read in (expression_of, sweep_of):
            report.attempt(read, override)
    for diagnostic in report.said:
        assert diagnostic.place is not None
        span = diagnostic.place.span
        assert 0 <= span.start <= span.end <= len(span.source.text)


# Any input at all. -------------------------------------------------------------------------------------


def resolve(folder: Path, text: str) -> tuple[Diagnostic, ...]:
    """Resolve a query; only diagnostics may come out, and they must point into their sources."""
    path = folder / "fuzz.rq"
    path.write_text(text, encoding="utf-8")
    try:
        said = load_problem(path).warnings
    except Rejected as rejected:
        said = rejected.diagnostics
    for diagnostic in said:
        for label in (*((diagnostic.place,) if diagnostic.place else ()), *diagnostic.related):
            assert 0 <= label.span.start <= label.span.end <= len(label.span.source.text)
    return said


VALUES = [
    *("0", "-1", "1/0", "1e300", "1e-300", "true", '"x"', '"p.npz"', "epsilon", "alpha", "nope", "inf"),
    *("[0, 1]", "[1, 0]", "[-inf, inf]", "auto", "unbounded", "L2", "L0", "targeted(label = 1)", "2 * alpha"),
]


@SETTINGS
@given(st.randoms(use_true_random=False))
def test_shuffled_queries(folder: Path, chance: random.Random) -> None:
    words = query(expect="expect not_robust;", more='meta { a = "b"; }').split(" ")
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(words))
        words[at] = chance.choice([*VALUES, *words, ""])
    resolve(folder, " ".join(words))


@SETTINGS
@given(st.lists(st.sampled_from(sorted(STATEMENTS.values())), max_size=12))
def test_statements_in_any_number(folder: Path, statements: list[str]) -> None:
    resolve(folder, "\n".join(["rq 1.0;", *statements]))


def npz_bytes(compressed: bool) -> bytes:
    buffer = io.BytesIO()
    save = np.savez_compressed if compressed else np.savez
    save(buffer, x=np.arange(12, dtype=np.float32).reshape(3, 4), y=np.array([0, 1, 2]))
    return buffer.getvalue()


IDX = struct.pack(">BBBB2I", 0, 0, 8, 2, 3, 4) + bytes(12)
SEEDS = {
    'npz("fuzz")': [npz_bytes(compressed=False), npz_bytes(compressed=True)],
    'csv("fuzz", label = "last", header = true)': [b'a,b,c,"d",y\n1,2,3,4,0\n5.5,6e1,-7,8,1\n'],
    'idx(images = "fuzz", labels = "labels")': [IDX, gzip.compress(IDX, mtime=0)],
}


@pytest.mark.parametrize("source", SEEDS)
@SETTINGS
@given(st.randoms(use_true_random=False))
def test_damaged_data(folder: Path, source: str, chance: random.Random) -> None:
    (folder / "labels").write_bytes(struct.pack(">BBBBI", 0, 0, 8, 1, 3) + bytes(3))
    content = bytearray(chance.choice(SEEDS[source]))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(content) + 1)
        match chance.randrange(4):
            case 0:
                content[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del content[at : at + chance.choice([1, 4, 100])]
            case 2:
                content[at:at] = bytes(chance.choices(range(256), k=chance.choice([1, 4, 40])))
            case 3:
                content[at : at + 4] = chance.choice([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"])
    (folder / "fuzz").write_bytes(content)
    resolve(folder, query(data=f"data X = {source};"))


@SETTINGS
@given(
    st.lists(st.lists(st.sampled_from(["", "1", "x", "nan", "1e999", "-", '"', "0x1", " 2 "]), max_size=6))
)
def test_any_table(folder: Path, rows: list[list[str]]) -> None:
    (folder / "fuzz").write_text("\n".join(",".join(row) for row in rows), encoding="utf-8")
    resolve(folder, query(data='data X = csv("fuzz", label = 0);'))


# Points. -----------------------------------------------------------------------------------------------


@SETTINGS
@given(
    st.lists(st.integers(0, 255), min_size=4, max_size=4),
    st.fractions(Fraction(1, 1000), 1000, max_denominator=1000),
)
def test_points_times_scale_are_exact(folder: Path, raw: list[int], scale: Fraction) -> None:
    np.savez(folder / "raw.npz", x=np.array([raw], np.uint8), y=[1])
    data = f'data X = npz("raw.npz", scale = {scale});'
    points = load(folder, query(data=data, input="input domain unbounded;")).problem.points
    assert points.exact(0) == tuple(n * scale for n in raw)
    lower, upper = points.enclosure()
    for exact, low, high in zip(points.exact(0), lower[0], upper[0], strict=True):
        assert Fraction(float(low)) <= exact <= Fraction(float(high))


@SETTINGS
@given(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4))
def test_decimals_of_a_table_are_the_nearest_float64(folder: Path, row: list[float]) -> None:
    (folder / "raw.csv").write_text(",".join(map(repr, row)) + ",1\n", encoding="utf-8")
    data = 'data X = csv("raw.csv", label = "last");'
    points = load(folder, query(data=data, input="input domain unbounded;")).problem.points
    assert points.numerators[0].tolist() == row


@SETTINGS
@given(st.lists(st.fractions(-10, 10, max_denominator=30), min_size=4, max_size=4))
def test_points_of_a_query_are_exact(folder: Path, row: list[Fraction]) -> None:
    data = f"data X = points([[{', '.join(map(str, row))}]], labels = [1]);"
    points = load(folder, query(data=data, input="input domain unbounded;")).problem.points
    assert points.exact(0) == tuple(row)


@SETTINGS
@given(
    st.lists(st.fractions(0, 1, max_denominator=12), min_size=4, max_size=4),
    st.fractions(0, 1, max_denominator=12),
    st.fractions(0, 1, max_denominator=12),
)
def test_the_domain_is_compared_exactly(
    folder: Path, row: list[Fraction], lower: Fraction, upper: Fraction
) -> None:
    assume(lower <= upper)
    data = f"data X = points([[{', '.join(map(str, row))}]], labels = [1]);"
    said = resolve(folder, query(data=data, input=f"input domain [{lower}, {upper}];"))
    inside = all(lower <= x <= upper for x in row)
    assert [d.code for d in said] == ([] if inside else ["E0801"])
