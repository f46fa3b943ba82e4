"""Warm starts satisfy their files, stand for certified attacks, and are taken by the solvers they are for."""

import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import DIGITS
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import dense, line_problems, make_problem, random_network

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.frontend.query.resolve import load_problem
from ensc.compiler.passes.linear.linearize import Formulation
from ensc.compiler.pipeline import Compiled, Options, compile_problem
from ensc.compiler.types.problem import Check, EnsembleProblem, MaximizeTotal, MaximizeValue, Norm, Targeted
from ensc.compiler.types.solution import Solution, Status
from ensc.formats.mipstart import StartForm
from ensc.runner.emitting.emit import write_model
from ensc.runner.exact.certify import certify
from ensc.runner.joint.completion import violation
from ensc.runner.joint.start import start_form, start_of, write_start_file
from ensc.runner.verdicts.decode import decode

FORMULATIONS: list[Formulation] = ["big-m", "indicator", "sos"]


@settings(deadline=None, max_examples=30)
@given(line_problems(), st.integers(0, 1), st.sampled_from(FORMULATIONS))
def test_a_start_satisfies_its_model_and_is_the_attack_it_stands_for(
    problem: EnsembleProblem, level: int, formulation: Formulation
) -> None:
    compiled = compile_problem(problem, Options(level, formulation))
    start = start_of(compiled)
    assert start.certificate.admissible
    assert violation(compiled.linear, start.values) <= 1e-9
    assert start.objective == pytest.approx(-float(start.certificate.value), abs=1e-9)
    named = dict(zip(compiled.linear.variables.names(), start.values.tolist(), strict=True))
    read = certify(problem, decode(problem, Solution(Status.FEASIBLE, named)))
    assert read.value >= start.certificate.value


def test_what_bounds_alone_determine_hides_nothing_that_follows_later() -> None:
    network = dense(
        (np.array([[0.5], [-1.5], [-0.5]]), np.array([0.0, 0.0, -2.0])),
        (np.array([[0.0, -0.5, 1.5], [-1.5, 0.0, 1.5], [2.0, -1.5, -0.5]]), np.array([-0.5, -1.5, 1.5])),
        (np.array([[-1.0, -0.5, -1.5], [1.0, 2.0, 0.5]]), np.array([2.0, -1.5])),
        inputs=1,
    )
    loss = Targeted(1, Fraction(1, 2))
    problem = make_problem(
        [network], [[Fraction(1, 2)]], [0], radius=Fraction(1, 3), loss=loss, denominator=2
    )
    compiled = compile_problem(problem, Options(0))
    assert violation(compiled.linear, start_of(compiled).values) <= 1e-9


def test_a_violation_is_seen() -> None:
    compiled = digits("not_robust.rq")
    start = start_of(compiled)
    names = compiled.linear.variables.names()
    for prefix in ("p_1", "l_1_1_1", "z_", "h_", "x_"):
        changed = start.values.copy()
        place = next(i for i, name in enumerate(names) if name.startswith(prefix))
        changed[place] = 1 - changed[place] if changed[place] in {0, 1} else changed[place] + 0.01
        assert violation(compiled.linear, changed) > 1e-3, names[place]


def test_a_total_is_reached_from_a_start() -> None:
    rng = np.random.default_rng(3)
    problem = make_problem(
        [random_network(rng, 2, 3) for _ in range(2)],
        [[0.5, -1.0], [1.0, 1.5]],
        [0, 1],
        norm=Norm.LINF,
        domain=(-3, 3),
        goal=MaximizeTotal(None),
    )
    start = start_of(compile_problem(problem))
    assert start.objective == pytest.approx(-float(start.certificate.total))


@pytest.mark.parametrize("goal", [Check(Fraction(1)), MaximizeTotal(Fraction(1))])
def test_without_an_attack_that_the_model_admits_there_is_no_start(goal: Check | MaximizeTotal) -> None:
    rng = np.random.default_rng(0)
    networks = [random_network(rng, 1, 2) for _ in range(2)]
    points = [[Fraction(k, 2)] for k in range(-4, 5)]
    problem = make_problem(networks, points, [0, 1] * 4 + [0], radius=0, denominator=2, goal=goal)
    with pytest.raises(Rejected) as caught:
        start_of(compile_problem(problem))
    assert [d.code for d in caught.value.diagnostics] == ["E1070"]


def test_a_point_that_cannot_be_brought_into_the_domain_has_no_start() -> None:
    network = random_network(np.random.default_rng(0), 1, 2)
    problem = make_problem([network], [[5]], [0], radius=1, domain=(-1, 1), goal=MaximizeValue())
    with pytest.raises(Rejected) as caught:
        start_of(compile_problem(problem))
    assert [d.code for d in caught.value.diagnostics] == ["E1070"]


@pytest.mark.parametrize(("name", "form"), [("a.mst", "gurobi"), ("a.xml.gz", "cplex"), ("a.sol", "highs")])
def test_a_suffix_says_who_reads_a_start(name: str, form: StartForm) -> None:
    assert start_form(Path(name), None) == form
    assert start_form(Path(name), "cbc") == "cbc"


def test_another_suffix_does_not() -> None:
    with pytest.raises(Rejected) as caught:
        start_form(Path("start.txt"), None)
    assert [d.code for d in caught.value.diagnostics] == ["E1072"]


def digits(name: str) -> Compiled:
    return compile_problem(load_problem(DIGITS / name).problem)


def written(folder: Path, name: str, form: StartForm, suffix: str = ".mps") -> tuple[str, str]:
    """Write a model and its start; return their paths."""
    compiled = digits(name)
    model, start = folder / f"model{suffix}", folder / "start.sol"
    write_model(compiled, model)
    write_start_file(compiled.linear, start_of(compiled), start, form)
    return str(model), str(start)


@pytest.mark.parametrize("suffix", [".mps", ".lp"])
def test_highs_finds_a_start_feasible(tmp_path: Path, suffix: str) -> None:
    highspy: Any = pytest.importorskip("highspy")
    model, start = written(tmp_path, "maximize.rq", "highs", suffix)
    highs = highspy.Highs()
    for option, value in (
        ("log_to_console", False),
        ("log_file", str(tmp_path / "log")),
        ("mip_max_nodes", 0),
    ):
        highs.setOptionValue(option, value)
    highs.readModel(model)
    assert highs.readSolution(start, 0) == highspy.HighsStatus.kOk
    highs.run()
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert "MIP start solution is feasible, objective value is -0.25" in log


@pytest.mark.parametrize("suffix", [".mps", ".lp"])
def test_scip_finds_a_start_feasible(tmp_path: Path, suffix: str) -> None:
    pyscipopt: Any = pytest.importorskip("pyscipopt")
    model, start = written(tmp_path, "maximize.rq", "scip", suffix)
    scip = pyscipopt.Model()
    scip.hideOutput()
    scip.readProblem(model)
    point = scip.readSolFile(start)
    assert scip.checkSol(point)
    assert scip.getSolObjVal(point) == pytest.approx(-0.25)


def cbc() -> str:
    """Return CBC's own program: the system's, or the one that comes with python-mip's library."""
    found = shutil.which("cbc")
    if found is None:
        cbcbox: Any = pytest.importorskip("cbcbox")
        found = str(Path(cbcbox.__file__).parent / "cbc_dist" / "bin" / "cbc")
    return found


def test_cbc_builds_a_solution_from_a_start(tmp_path: Path) -> None:
    model, start = written(tmp_path, "maximize.rq", "cbc")
    command = [cbc(), model, "-mipstart", start, "-sec", "20", "-solve"]
    log = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    found = re.search(r"MIPStart provided solution with cost (\S+)", log)
    assert found, log
    assert float(found[1]) == pytest.approx(-0.25)


def test_cbc_finds_a_start_from_the_robustness_question_feasible(tmp_path: Path) -> None:
    model, start = written(tmp_path, "not_robust.rq", "cbc")
    command = [cbc(), model, "-mipstart", start, "-sec", "20", "-solve"]
    log = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert "MIPStart provided solution with cost 0" in log
