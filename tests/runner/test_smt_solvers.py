"""SMT solvers really run here, each in its own process group; stubs stand for those that misbehave."""

import dataclasses
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from linear_models import Column, Plain, Row, build
from tiny import best_value, dense, line_patterns, make_problem, random_network

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.pipeline import Options, compile_problem
from ensc.compiler.types.problem import Check, EnsembleProblem, MaximizeValue
from ensc.compiler.types.solution import Proof, Solution, Status, Word
from ensc.formats.smtlib import write_smtlib
from ensc.runner.joint.solve import conclude
from ensc.runner.solvers import cvc5, pysmt_front, smt, yices, z3
from ensc.runner.solvers.smt import find_smt, solve_model, solve_smt
from ensc.runner.solvers.smt_process import Library, Limits, Program, solve

SOLVERS = ["z3", "cvc5", "yices", "pysmt:z3", "pysmt:cvc5"]

SCRIPT = """(set-option :produce-models true)
(set-logic QF_LRA)
(declare-fun x () Real)
(declare-fun b () Bool)
(assert (= (* 3.0 x) (- 1.0)))
(assert {claim})
(check-sat)
(get-value (x b))
(exit)
"""
SAT = SCRIPT.format(claim="b")
UNSAT = SCRIPT.format(claim="(> x 0.0)")
VALUES = {"x": Fraction(-1, 3), "b": Fraction(1)}


@pytest.fixture(params=SOLVERS)
def solver(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    try:
        find_smt(name)
    except Rejected as rejected:
        pytest.skip(rejected.diagnostics[0].message)
    return name


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "a script.smt2"
        path.write_text(text)
        return path

    return write


@pytest.fixture(autouse=True)
def logs(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files and kept logs go."""
    folder = tmp_path_factory.mktemp("logs")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


Written = Callable[[str], Path]


def test_exact_values(solver: str, written: Written, logs: Path) -> None:
    solution, proof = solve_smt(written(SAT), solver, values=["x", "b"], time_limit=60)
    assert solution == Solution(Status.FEASIBLE, VALUES, message=f"{solver}: sat")
    assert proof is None
    assert not list(logs.iterdir())


def test_unsat_is_proved_with_tolerance_0(solver: str, written: Written, logs: Path) -> None:
    solution, proof = solve_smt(written(UNSAT), solver, values=["x", "b"], time_limit=60)
    assert solution.status is Status.INFEASIBLE
    assert solution.values == {}
    version = find_smt(solver).version
    assert any(character.isdigit() for character in version)
    assert proof == Proof(version, 0.0, "the script is unsatisfiable, in exact arithmetic")
    assert not list(logs.iterdir())


def test_an_error_before_the_answer_leaves_it_unknown(solver: str, written: Written) -> None:
    """z3 goes on after an error, and answers `sat` to what is left."""
    text = SAT.replace("(assert b)", "(assert (or b undeclared))")
    solution, proof = solve_smt(written(text), solver, time_limit=60)
    assert solution.status is Status.UNKNOWN
    assert solution.values == {}
    assert proof is None
    assert solution.message.startswith(f"{solver} ")


def market_split() -> str:
    """Six equations over fifty binaries: no search finishes."""
    rng = np.random.default_rng(1)
    weights = rng.integers(1, 99, (6, 50))
    plain = Plain(
        {f"b{j}": Column(0, 1, integer=True) for j in range(50)},
        [
            Row({f"b{j}": float(w) for j, w in enumerate(row)}, float(half), float(half))
            for row, half in zip(weights, weights.sum(axis=1) // 2, strict=True)
        ],
    )
    return b"".join(write_smtlib(build(plain), values=list(plain.columns))).decode("ascii")


def test_the_time_limit(solver: str, written: Written, logs: Path) -> None:
    start = time.monotonic()
    solution, proof = solve_smt(written(market_split()), solver, time_limit=0.5)
    assert time.monotonic() - start < 10
    message = f"{solver} did not answer within 0.5 s"
    assert (solution, proof) == (Solution(Status.UNKNOWN, {}, message=message), None)
    assert not list(logs.iterdir())


def stub(code: str) -> Program:
    """A solver that is a Python program; it finds the script as its first argument."""
    return Program("stub", "stub 1.0", (sys.executable, "-c", code))


def run(code: str, path: Path, **limits: float) -> Solution:
    solution, proof = solve(path, stub(code), Limits(**limits), ["x"])  # type: ignore[arg-type]  # as given
    assert proof is None
    assert solution.status is Status.UNKNOWN
    assert solution.values == {}
    return solution


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import os; print('sat', flush=True); os.kill(os.getpid(), 11)", "was ended by signal 11"),
        ("print('sat'); print('((x root-obj', end='')", "gave no answer that can be read"),
        ("print('Segmentation fault')", "did not decide (Segmentation fault)"),
        ("print('unknown'); print('((x 1.0))')", "did not decide (unknown)"),
        ("print('sat')", "claims a solution and leaves out values, for example `x`"),
        ("print('sat'); print('((x (root-obj (+ (^ x 2) (- 2)) 2)))')", "gave no answer that can be read"),
        ("pass", "gave no answer that can be read"),
        ("print('sat'); print('unsat')", "gave no answer that can be read"),
        ("print('(error \"line 1\")'); print('unsat')", "did not decide (unsat; error: line 1)"),
        ("import sys; sys.exit('no licence')", "gave no answer that can be read (no licence)"),
    ],
)
def test_what_is_no_plain_answer_is_unknown(code: str, message: str, written: Written) -> None:
    assert message in run(code, written(SAT)).message


def test_the_log_of_a_failure_is_kept(written: Written, logs: Path) -> None:
    said = run("import sys; print('half'); print('why', file=sys.stderr); sys.exit(3)", written(SAT)).message
    (log,) = logs.iterdir()
    assert str(log) in said
    assert log.read_text() == "half\n\nwhy\n\nexit code 3\n"


def test_a_plain_answer_counts_whatever_the_exit_code(written: Written) -> None:
    """z3 has exit code 1 if it was asked for values that `unsat` does not have."""
    code = "import sys; print('unsat'); print('(error \"no model\")'); sys.exit(1)"
    solution, proof = solve(written(SAT), stub(code), Limits(), ["x"])
    assert solution.status is Status.INFEASIBLE
    assert proof == Proof("stub 1.0", 0.0, "the script is unsatisfiable, in exact arithmetic")


def test_all_processes_of_a_solver_end_with_its_time(written: Written, tmp_path: Path) -> None:
    """Also those that it started itself."""
    number = tmp_path / "pid"
    code = (
        "import subprocess, sys, pathlib\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(number)!r}).write_text(str(child.pid))\n"
        "child.wait()\n"
    )
    assert run(code, written(SAT), seconds=5.0).message == "stub did not answer within 5 s"
    wait_until(lambda: not alive(int(number.read_text())))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere memory cannot be limited so")
def test_the_memory_limit(written: Written) -> None:
    code = "x = bytearray(3 << 30); print('sat'); print('((x 1.0))')"
    assert "MemoryError" in run(code, written(SAT), megabytes=500).message


def test_enough_memory_is_enough(written: Written) -> None:
    found = find_smt("z3")
    assert solve(written(SAT), found, Limits(60, 2000), ["x", "b"])[0].status is Status.FEASIBLE


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_the_solver_ends_with_its_caller(written: Written, tmp_path: Path, sent: signal.Signals) -> None:
    """Interrupted, the caller ends it; killed, the caller cannot, and the group ends itself."""
    number = tmp_path / "pid"
    code = (
        "import os, pathlib, time\n"
        f"pathlib.Path({str(number)!r}).write_text(str(os.getpid()))\n"
        "time.sleep(600)\n"
    )
    script = (
        "import sys, pathlib\n"
        "from ensc.runner.solvers.smt_process import *\n"
        f"program = Program('stub', '1', (sys.executable, '-c', {code!r}))\n"
        f"solve(pathlib.Path({str(written(SAT))!r}), program, Limits(60))\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True) as caller:
        wait_until(lambda: number.exists() and number.read_text() != "")
        caller.send_signal(sent)
        said = caller.communicate()[1]
    assert ("KeyboardInterrupt" in said) == (sent is signal.SIGINT)
    wait_until(lambda: not alive(int(number.read_text())))


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked about does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.05)


def test_without_its_program_z3_runs_as_a_library(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(z3, "find_program", lambda _: None)
    found = find_smt("z3")
    assert isinstance(found, Library)
    for text, status in ((SAT, Status.FEASIBLE), (UNSAT, Status.INFEASIBLE)):
        solution, _ = solve_smt(written(text), "z3", values=["x", "b"], time_limit=60)
        assert solution.status is status
        assert solution.values == (VALUES if status is Status.FEASIBLE else {})


def test_versions() -> None:
    assert (z3.version() or "").startswith("z3 ")
    assert (pysmt_front.version() or "").startswith("pySMT ")
    for found, prefix in ((cvc5.version(), "cvc5 "), (yices.version(), "Yices ")):
        assert found is None or found.startswith(prefix)


def test_solvers_that_are_not_there(monkeypatch: pytest.MonkeyPatch, written: Written) -> None:
    monkeypatch.setattr(yices, "find_program", lambda _: None)
    for name, code in (("yices", "E1130"), ("pysmt:nothing", "E1130"), ("z4", "E1131"), ("z3:", "E1131")):
        with pytest.raises(Rejected, match=code) as caught:
            solve_smt(written(SAT), name)
        assert caught.value.diagnostics[0].help
    with pytest.raises(Rejected, match="E1132"):
        solve_smt("missing.smt2", "z3")


def test_a_program_that_does_not_start_is_no_solver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "yices-smt2"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(yices, "find_program", lambda _: str(broken))
    assert yices.version() is None


def test_names_of_smt_solvers() -> None:
    assert [name for name in ("z3", "pysmt:msat", "cbc", "yices", "pysmt") if smt.is_smt(name)] == [
        "z3",
        "pysmt:msat",
        "yices",
    ]


def random_problem(seed: int, goal: Check | MaximizeValue) -> EnsembleProblem:
    rng = np.random.default_rng(seed)
    return make_problem(
        [random_network(rng, 1, 3, pool=seed % 3 == 0), random_network(rng, 1, 3)],
        (rng.integers(-4, 5, (2, 1)) / 2).tolist(),
        rng.integers(0, 3, 2).tolist(),
        radius=Fraction(5, 3),
        goal=goal,
    )


@pytest.mark.parametrize("seed", range(4))
def test_verdicts_equal_brute_force(solver: str, seed: int) -> None:
    alpha = Fraction(1, 2)
    problem = random_problem(seed, Check(alpha))
    reached = best_value(problem, [line_patterns(problem, j) for j in (0, 1)], 2) >= alpha
    compiled = compile_problem(problem, Options(seed % 2))
    solution, proof = solve_model(compiled.model, solver, time_limit=60)
    verdict = conclude(problem, solution, proof, attacks=compiled.attacks).verdict
    assert verdict.word is (Word.NOT_ROBUST if reached else Word.ROBUST)
    if reached:
        assert verdict.lower >= alpha
    else:
        assert [p.tolerance for p in verdict.proofs] == [0.0]


def test_z3_optimizes() -> None:
    line = dense((np.array([[1.0], [0.0]]), np.array([0.0, 1.0])), inputs=1, name="line")
    problem = make_problem([line, line], [[0], [2], [9]], [1, 0, 0], radius=1, goal=MaximizeValue())
    compiled = compile_problem(problem)
    solution, proof = solve_model(compiled.model, "z3", dialect="z3-opt", time_limit=60)
    assert solution.status is Status.OPTIMAL
    assert solution.objective == solution.bound == pytest.approx(2 / 3)
    assert proof is not None
    assert 0 < proof.tolerance < 1e-15
    result = conclude(problem, solution, proof, attacks=compiled.attacks)
    assert result.verdict.word is Word.OPTIMAL
    assert result.verdict.lower == result.verdict.upper == Fraction(2, 3)


def test_an_objective_is_refused_where_it_has_no_form() -> None:
    problem = random_problem(0, MaximizeValue())
    with pytest.raises(Rejected, match="E1030"):
        solve_model(compile_problem(problem).model, "z3")
    checked = dataclasses.replace(problem, goal=Check(Fraction(1, 2)))
    assert solve_model(compile_problem(checked).model, "z3", time_limit=60)[0].status is not Status.UNKNOWN
