"""CBC, HiGHS and SCIP really run here, each in its own process, and keep the same promises."""

import dataclasses
import gzip
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from milp_files import (
    FEASIBLE,
    INFEASIBLE,
    UNBOUNDED,
    continuous,
    infeasible_with_an_unbounded_objective,
    market_split,
)
from processes import family, running, wait_until

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.types.model import Size
from ensc.compiler.types.solution import Proof, Solution, Status
from ensc.runner.solvers import milp_process
from ensc.runner.solvers.cbc import CBC
from ensc.runner.solvers.highs import HIGHS
from ensc.runner.solvers.milp_process import Milp, solve_file
from ensc.runner.solvers.scip import SCIP

SIZE = Size(rows=1, columns=2, nonzeros=2, integers=1)


@pytest.fixture(params=[CBC, HIGHS, SCIP], ids=lambda solver: solver.name)
def solver(request: pytest.FixtureRequest) -> Milp:
    found: Milp = request.param
    if found.version() is None:
        pytest.skip(f"{found.name} is not installed")
    return found


def solved(
    solver: Milp, folder: Path, text: str, *, seconds: float | None = None
) -> tuple[Solution, Proof | None]:
    path = folder / "model.mps"
    path.write_text(text)
    return solve_file(solver, path, time_limit=seconds)


@pytest.mark.parametrize("integral", [True, False])
def test_an_optimum(solver: Milp, tmp_path: Path, integral: bool) -> None:
    solution, proof = solved(solver, tmp_path, FEASIBLE if integral else continuous(FEASIBLE))
    assert solution.status is Status.OPTIMAL
    assert {name: solution.values.get(name, 0.0) for name in "xy"} == pytest.approx({"x": 1.0, "y": 1.0})
    assert solution.objective == pytest.approx(2)
    assert solution.bound == pytest.approx(2)
    assert proof is not None
    assert proof.solver == solver.version()
    assert proof.tolerance == pytest.approx(1e-6)


@pytest.mark.parametrize("text", [INFEASIBLE, infeasible_with_an_unbounded_objective()])
def test_an_infeasible_model_names_what_the_claim_rests_on(solver: Milp, tmp_path: Path, text: str) -> None:
    solution, proof = solved(solver, tmp_path, text)
    assert solution == Solution(Status.INFEASIBLE, {}, message=f"{solver.name}: infeasible")
    assert proof is not None
    assert proof.claim == "the model is infeasible"


@pytest.mark.parametrize("text", [UNBOUNDED, continuous(UNBOUNDED)])
def test_unbounded_is_not_infeasible(solver: Milp, tmp_path: Path, text: str) -> None:
    """CBC itself calls the mixed-integer one infeasible, and the continuous one optimal at -3e20."""
    solution, proof = solved(solver, tmp_path, text)
    assert solution.status is Status.UNBOUNDED
    assert not solution.values
    assert proof is None


def test_the_time_limit_without_a_feasible_point(solver: Milp, tmp_path: Path) -> None:
    start = time.monotonic()
    solution, proof = solved(solver, tmp_path, market_split(slack=False), seconds=0.5)
    assert time.monotonic() - start < 8
    assert solution.status is Status.UNKNOWN
    assert (solution.values, solution.bound, proof) == ({}, None, None)


def test_the_time_limit_with_a_feasible_point(solver: Milp, tmp_path: Path) -> None:
    solution, proof = solved(solver, tmp_path, market_split(slack=True), seconds=0.5)
    assert solution.status is Status.FEASIBLE
    assert solution.objective is not None
    assert solution.bound is not None
    assert -1e-6 <= solution.bound < solution.objective
    assert all(abs(float(v) - round(v)) < 1e-5 for name, v in solution.values.items() if name.startswith("x"))
    assert proof is not None


def test_a_compressed_file_and_its_size(solver: Milp, tmp_path: Path) -> None:
    path = tmp_path / "model.mps.gz"
    path.write_bytes(gzip.compress(FEASIBLE.encode()))
    assert solve_file(solver, path, expected=SIZE)[0].status is Status.OPTIMAL


def test_a_folder_with_blanks_and_accents(solver: Milp, tmp_path: Path) -> None:
    folder = tmp_path / "a b é"
    folder.mkdir()
    assert solved(solver, folder, FEASIBLE)[0].status is Status.OPTIMAL


def test_a_file_that_cannot_be_parsed_is_no_empty_model(solver: Milp, tmp_path: Path) -> None:
    path = tmp_path / "model.mps"
    path.write_text(FEASIBLE.replace(" x r1 2", " x r9 2"))
    with pytest.raises(Rejected) as caught:
        solve_file(solver, path, expected=SIZE)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E1111"
    assert "the file holds 1 row, 2 columns, 2 nonzeros, 1 integer" in diagnostic.notes


def test_a_file_that_holds_something_else_is_rejected(solver: Milp, tmp_path: Path) -> None:
    path = tmp_path / "model.mps"
    path.write_text(FEASIBLE)
    with pytest.raises(Rejected, match="E1111") as caught:
        solve_file(solver, path, expected=Size(rows=1, columns=2, nonzeros=3, integers=1))
    assert caught.value.diagnostics[0].notes[0] == "the file holds 1 row, 2 columns, 3 nonzeros, 1 integer"


@pytest.mark.parametrize("name", ["missing.mps", "model.txt"])
def test_no_such_file_or_kind_of_file(solver: Milp, tmp_path: Path, name: str) -> None:
    (tmp_path / "model.txt").write_text(FEASIBLE)
    with pytest.raises(Rejected, match="E1112"):
        solve_file(solver, tmp_path / name)


def test_a_crash_is_unknown_and_says_so(tmp_path: Path) -> None:
    """Whatever ends the process, here its own signal: the caller lives on and claims nothing."""
    worker = tmp_path / "worker.py"
    worker.write_text(
        "import os, signal\nprint('so far', flush=True)\nos.kill(os.getpid(), signal.SIGSEGV)\n"
    )
    solution, proof = solved(dataclasses.replace(CBC, worker=worker), tmp_path, FEASIBLE)
    assert solution == Solution(
        Status.UNKNOWN, {}, message="CBC was ended by signal 11; its last words: so far"
    )
    assert proof is None


def test_a_solver_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text("import time\ntime.sleep(600)\n")
    monkeypatch.setattr(milp_process, "patience", lambda _: 0.5)
    solution, proof = solved(dataclasses.replace(CBC, worker=worker), tmp_path, FEASIBLE, seconds=0.1)
    assert solution.status is Status.UNKNOWN
    assert solution.message == "CBC did not stop at its time limit"
    assert proof is None


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_the_child_ends_with_its_parent(tmp_path: Path, sent: signal.Signals) -> None:
    """Interrupted, the parent ends it; killed, the parent cannot, and the child ends by itself."""
    path = tmp_path / "model.mps"
    path.write_text(market_split(slack=True))
    script = (
        "from ensc.runner.solvers.cbc import CBC\nfrom ensc.runner.solvers.milp_process import solve_file\n"
        f"solve_file(CBC, {str(path)!r}, time_limit=60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True) as parent:
        wait_until(lambda: len(family(parent.pid)) == 2)  # one has the library loaded, one solves
        group = family(parent.pid)
        parent.send_signal(sent)
        said = parent.communicate()[1]
    assert ("KeyboardInterrupt" in said) == (sent is signal.SIGINT)
    wait_until(lambda: not group & running(b"milp_worker"))


@pytest.mark.parametrize(
    ("module", "package", "extra"),
    [("cbc.CBC", "mip", "solve"), ("highs.HIGHS", "highspy", "highs"), ("scip.SCIP", "pyscipopt", "scip")],
)
def test_without_the_package_the_message_says_what_to_install(
    tmp_path: Path, module: str, package: str, extra: str
) -> None:
    """In an interpreter that does not find it."""
    path = tmp_path / "model.mps"
    path.write_text(FEASIBLE)
    home, name = module.split(".")
    script = f"""
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == {package!r} else find(name, *rest)
from ensc.compiler.diagnostics import Rejected
from ensc.runner.solvers.{home} import {name}
from ensc.runner.solvers.milp_process import solve_file
assert {name}.version() is None
try:
    solve_file({name}, {str(path)!r})
except Rejected as rejected:
    print(rejected.diagnostics[0].code, rejected.diagnostics[0].help)
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.startswith(f"E1110 install it: `pip install 'ensc-compiler[{extra}]'`")
