"""CBC really runs here, in its own process."""

import gzip
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.types.model import Size
from ensc.compiler.types.solution import Proof, Solution, Status
from ensc.runner.solvers import cbc
from ensc.runner.solvers.cbc import solve_mps, version

SMALL = """* minimize x + y, 2 x + y >= 3, x binary
NAME small FREE
ROWS
 N obj
 G r1
COLUMNS
 M1 'MARKER' 'INTORG'
 x obj 1
 x r1 2
 M2 'MARKER' 'INTEND'
 y obj {cost}
 y r1 1
RHS
 RHS r1 3
BOUNDS
 LO BND x 0
 UP BND x 1
 LO BND y 0
{upper}ENDATA
"""
FEASIBLE = SMALL.format(cost=1, upper=" UP BND y 10\n")
INFEASIBLE = SMALL.format(cost=1, upper=" UP BND y 0.5\n")
UNBOUNDED = SMALL.format(cost=-1, upper="")
SIZE = Size(rows=1, columns=2, nonzeros=2, integers=1)


def market_split(slack: bool) -> str:
    """Six equations over fifty binaries: no search finishes; with slacks a feasible point is easy."""
    draw = random.Random(1)  # noqa: S311 - a fixed instance
    weights = [[draw.randint(1, 99) for _ in range(50)] for _ in range(6)]
    lines = ["NAME hard FREE", "ROWS", " N obj", *(f" E r{i}" for i in range(6)), "COLUMNS"]
    lines.append(" M1 'MARKER' 'INTORG'")
    lines += [f" x{j} r{i} {weights[i][j]}" for j in range(50) for i in range(6)]
    lines.append(" M2 'MARKER' 'INTEND'")
    for i in range(6 if slack else 0):
        lines += [f" s{i} obj 1", f" s{i} r{i} 1", f" t{i} obj 1", f" t{i} r{i} -1"]
    lines += ["RHS", *(f" RHS r{i} {sum(weights[i]) // 2}" for i in range(6)), "BOUNDS"]
    return "\n".join([*lines, *(f" UP BND x{j} 1" for j in range(50)), "ENDATA", ""])


def solved(folder: Path, text: str, *, seconds: float | None = None) -> tuple[Solution, Proof | None]:
    path = folder / "model.mps"
    path.write_text(text)
    return solve_mps(path, time_limit=seconds)


def test_an_optimum(tmp_path: Path) -> None:
    solution, proof = solved(tmp_path, FEASIBLE)
    assert solution.status is Status.OPTIMAL
    assert solution.values == pytest.approx({"x": 1.0, "y": 1.0})
    assert solution.objective == pytest.approx(2)
    assert solution.bound == pytest.approx(2)
    assert proof is not None
    assert proof.solver == version()
    assert proof.tolerance == pytest.approx(1e-6)


def test_an_infeasible_model_names_what_the_claim_rests_on(tmp_path: Path) -> None:
    solution, proof = solved(tmp_path, INFEASIBLE)
    assert solution == Solution(Status.INFEASIBLE, {}, message="CBC: infeasible")
    assert proof is not None
    assert proof.claim == "the model is infeasible"


def test_unbounded_is_not_infeasible(tmp_path: Path) -> None:
    """CBC itself calls the mixed-integer one infeasible, and the continuous one optimal at -3e20."""
    continuous = "".join(line for line in UNBOUNDED.splitlines(keepends=True) if "MARKER" not in line)
    for text in (UNBOUNDED, continuous):
        solution, proof = solved(tmp_path, text)
        assert solution.status is Status.UNBOUNDED
        assert not solution.values
        assert proof is None


def test_infeasible_with_an_unbounded_objective_is_infeasible(tmp_path: Path) -> None:
    text = UNBOUNDED.replace("ENDATA", " UP BND y 0.5\n LO BND z 0\nENDATA")
    text = text.replace("RHS\n", " z obj -1\nRHS\n", 1)
    assert solved(tmp_path, text)[0].status is Status.INFEASIBLE


def test_the_time_limit_without_a_feasible_point(tmp_path: Path) -> None:
    start = time.monotonic()
    solution, proof = solved(tmp_path, market_split(slack=False), seconds=0.5)
    assert time.monotonic() - start < 8
    assert solution.status is Status.UNKNOWN
    assert (solution.values, solution.bound, proof) == ({}, None, None)


def test_the_time_limit_with_a_feasible_point(tmp_path: Path) -> None:
    solution, proof = solved(tmp_path, market_split(slack=True), seconds=0.5)
    assert solution.status is Status.FEASIBLE
    assert solution.objective is not None
    assert solution.bound is not None
    assert -1e-6 <= solution.bound < solution.objective
    assert all(abs(float(v) - round(v)) < 1e-5 for name, v in solution.values.items() if name.startswith("x"))
    assert proof is not None


def test_a_compressed_file_and_its_size(tmp_path: Path) -> None:
    path = tmp_path / "model.mps.gz"
    path.write_bytes(gzip.compress(FEASIBLE.encode()))
    assert solve_mps(path, expected=SIZE)[0].status is Status.OPTIMAL


def test_a_folder_with_blanks_and_accents(tmp_path: Path) -> None:
    folder = tmp_path / "a b é"
    folder.mkdir()
    assert solved(folder, FEASIBLE)[0].status is Status.OPTIMAL


def test_a_file_that_cbc_cannot_parse_is_no_empty_model(tmp_path: Path) -> None:
    path = tmp_path / "model.mps"
    path.write_text(FEASIBLE.replace("x obj 1", "x obj one"))
    with pytest.raises(Rejected) as caught:
        solve_mps(path)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E1111"
    assert any("Bad image at line" in note for note in diagnostic.notes)


def test_a_file_that_holds_something_else_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "model.mps"
    path.write_text(FEASIBLE)
    with pytest.raises(Rejected, match="E1111") as caught:
        solve_mps(path, expected=Size(rows=1, columns=2, nonzeros=3, integers=1))
    assert caught.value.diagnostics[0].notes == ("the file holds 1 rows, 2 columns, 3 nonzeros, 1 integers",)


@pytest.mark.parametrize("name", ["missing.mps", "model.txt"])
def test_no_such_file_or_kind_of_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "model.txt").write_text(FEASIBLE)
    with pytest.raises(Rejected, match="E1112"):
        solve_mps(tmp_path / name)


def test_a_crash_is_unknown_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends the process, here its own signal: the caller lives on and claims nothing."""
    worker = tmp_path / "worker.py"
    worker.write_text(
        "import os, signal\nprint('so far', flush=True)\nos.kill(os.getpid(), signal.SIGSEGV)\n"
    )
    monkeypatch.setattr(cbc, "_WORKER", worker)
    solution, proof = solved(tmp_path, FEASIBLE)
    assert solution == Solution(
        Status.UNKNOWN, {}, message="CBC was ended by signal 11; its last words: so far"
    )
    assert proof is None


def test_a_solver_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text("import time\ntime.sleep(600)\n")
    monkeypatch.setattr(cbc, "_WORKER", worker)
    monkeypatch.setattr(cbc, "_patience", lambda _: 0.5)
    solution, proof = solved(tmp_path, FEASIBLE, seconds=0.1)
    assert solution.status is Status.UNKNOWN
    assert solution.message == "CBC did not stop at its time limit"
    assert proof is None


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_the_child_ends_with_its_parent(tmp_path: Path, sent: signal.Signals) -> None:
    """Interrupted, the parent ends it; killed, the parent cannot, and the child ends by itself."""
    path = tmp_path / "model.mps"
    path.write_text(market_split(slack=True))
    script = f"from ensc.runner.solvers.cbc import solve_mps; solve_mps({str(path)!r}, time_limit=60)"
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True) as parent:
        _wait_until(lambda: _running(path))
        parent.send_signal(sent)
        said = parent.communicate()[1]
    assert ("KeyboardInterrupt" in said) == (sent is signal.SIGINT)
    _wait_until(lambda: not _running(path))


def _running(path: Path) -> bool:
    """Whether a worker has this model on its command line."""
    if not Path("/proc").is_dir():
        pytest.skip("needs /proc")
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = process.read_bytes()
        except OSError:
            continue
        if b"cbc_worker" in line and str(path).encode() in line:
            return True
    return False


def _wait_until(condition: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.05)


def test_without_the_package_the_message_says_what_to_install(tmp_path: Path) -> None:
    """In an interpreter that finds no `mip`."""
    path = tmp_path / "model.mps"
    path.write_text(FEASIBLE)
    script = f"""
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "mip" else find(name, *rest)
from ensc.compiler.diagnostics import Rejected
from ensc.runner.solvers.cbc import solve_mps, version
assert version() is None
try:
    solve_mps({str(path)!r})
except Rejected as rejected:
    print(rejected.diagnostics[0].code, rejected.diagnostics[0].help)
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.startswith("E1110 install it: `pip install 'ensc-compiler[solve]'`")
