"""Programs run here on compiled files: real solvers where installed, and scripts that misbehave."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from milp_files import FEASIBLE, INFEASIBLE

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.types.network import Network
from ensc.compiler.types.problem import Check, EnsembleProblem, MaximizeValue
from ensc.compiler.types.solution import Proof, Solution, Status, Word
from ensc.runner.joint.solve import Settings, solve_joint
from ensc.runner.solvers.choose import choose_solvers
from ensc.runner.solvers.command import parse_command, run_command

F = Fraction
Maker = Callable[..., EnsembleProblem]
Dense = Callable[..., Network]
ANSWER = "solution status: optimal solution found\\nobjective value: 2\\nx 1 (obj:1)\\ny 1 (obj:1)\\n"
NOTHING = "solution status: infeasible\\nno solution available\\n"


def script(folder: Path, text: str) -> str:
    """Write a Python program; return the start of a command that runs it."""
    path = folder / "program.py"
    path.write_text(text)
    return f"'{sys.executable}' '{path}'"


def run(
    folder: Path, command: str, text: str = FEASIBLE, seconds: float | None = 20
) -> tuple[Solution, Proof | None]:
    path = folder / "model.mps"
    path.write_text(text)
    return run_command(parse_command(command), path, time_limit=seconds)


def log_of(solution: Solution) -> str:
    path = Path(solution.message.rpartition("its log is ")[2])
    text = path.read_text()
    path.unlink()
    return text


def test_the_answer_is_read_from_the_output(tmp_path: Path) -> None:
    solution, proof = run(tmp_path, script(tmp_path, f"print('''{ANSWER}''')") + " {model}")
    assert solution.status is Status.OPTIMAL
    assert solution.values == {"x": 1, "y": 1}
    assert proof is not None
    assert "its gap is not stated" in proof.claim


def test_the_answer_is_read_from_the_solution_file(tmp_path: Path) -> None:
    program = script(tmp_path, f"import sys\nprint('log')\nopen(sys.argv[2][4:], 'w').write('''{NOTHING}''')")
    solution, proof = run(tmp_path, program + " {model} out={solution}", INFEASIBLE)
    assert solution.status is Status.INFEASIBLE
    assert proof is not None
    assert proof.solver == f"`{Path(sys.executable).name}`"
    assert "as read from a file; its tolerance is not stated" in proof.claim


def test_placeholders_stand_for_a_file_and_a_number(tmp_path: Path) -> None:
    text = "import sys\nprint(sys.argv[1:], open(sys.argv[1]).read()[:10], file=sys.stderr)\nsys.exit(1)"
    solution, _ = run(tmp_path, script(tmp_path, text) + " {model} 'a  b' t={time_limit} ';rm'", seconds=2.5)
    log = log_of(solution)
    assert f"['{tmp_path}/model.mps', 'a  b', 't=2.5', ';rm'] * minimize" in log


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("print('what?')", "gave no answer that can be read"),
        ("", "gave no answer that can be read"),
        ("import sys\nsys.exit(3)", "ended with exit code 3"),
        ("import os\nos.kill(os.getpid(), 11)", "was ended by signal 11"),
        ("import sys\nsys.stdout.buffer.write(bytes(range(256)))", "gave no answer that can be read"),
    ],
)
def test_garbage_is_unknown_and_its_log_is_kept(tmp_path: Path, text: str, why: str) -> None:
    solution, proof = run(tmp_path, script(tmp_path, text) + " {model}")
    assert solution.status is Status.UNKNOWN
    assert not solution.values
    assert proof is None
    assert why in solution.message
    assert "exit code" in log_of(solution)


def test_no_solution_file_is_unknown(tmp_path: Path) -> None:
    solution, proof = run(tmp_path, script(tmp_path, "print('out of memory')") + " {model} {solution}")
    assert solution.status is Status.UNKNOWN
    assert proof is None
    assert "wrote no solution file; its last words: out of memory" in solution.message
    assert "out of memory" in log_of(solution)


@pytest.mark.parametrize("end", ["sys.exit(1)", "os.kill(os.getpid(), 9)"])
def test_a_program_that_fails_proves_nothing_and_its_values_stay(tmp_path: Path, end: str) -> None:
    for answer, status in ((NOTHING, Status.UNKNOWN), (ANSWER, Status.FEASIBLE)):
        text = f"import os, sys\nprint('''{answer}''', flush=True)\n{end}"
        solution, proof = run(tmp_path, script(tmp_path, text) + " {model}")
        assert solution.status is status
        assert proof is None
        assert bool(solution.values) == (status is Status.FEASIBLE)
        log_of(solution)


def test_the_whole_group_ends_with_the_time(tmp_path: Path) -> None:
    """A program that starts another one and ignores being asked to stop."""
    text = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1] + ".pid", "w").write(str(child.pid))
time.sleep(600)
"""
    start = time.monotonic()
    solution, _ = run(tmp_path, script(tmp_path, text) + " {model}", seconds=1)
    assert time.monotonic() - start < 10
    assert "did not stop at its time limit" in solution.message
    log_of(solution)
    _wait_until_gone(int((tmp_path / "model.mps.pid").read_text()))


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_the_group_ends_with_its_caller(tmp_path: Path, sent: signal.Signals) -> None:
    text = "import os, sys, time\nopen(sys.argv[1] + '.pid', 'w').write(str(os.getpid()))\ntime.sleep(600)"
    command = script(tmp_path, text) + " {model}"
    model = tmp_path / "model.mps"
    model.write_text(FEASIBLE)
    caller = (
        "from pathlib import Path\nfrom ensc.runner.solvers.command import parse_command, run_command\n"
        f"run_command(parse_command({command!r}), Path({str(model)!r}))"
    )
    told = tmp_path / "model.mps.pid"
    with subprocess.Popen([sys.executable, "-c", caller], stderr=subprocess.DEVNULL) as parent:
        end = time.monotonic() + 15
        while not (told.exists() and told.read_text()):
            assert time.monotonic() < end
            time.sleep(0.05)
        parent.send_signal(sent)
    _wait_until_gone(int(told.read_text()))


def _wait_until_gone(process: int) -> None:
    end = time.monotonic() + 10
    while _is_running(process):
        assert time.monotonic() < end, "still there"
        time.sleep(0.05)


def _is_running(process: int) -> bool:
    """Whether a process runs; one that nobody waits for any more has ended all the same."""
    if Path("/proc").is_dir():
        status = Path(f"/proc/{process}/stat")
        try:
            return status.read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "code", "fragment"),
    [
        ("command", "E1114", "names no program"),
        ("command solver", "E1114", "no place for the model"),
        ("command 'solver {model}", "E1114", "quotes do not match"),
        ("command solver {model} {modle.lp}", "E1114", "unknown placeholder `{modle.lp}`"),
        ("command solver {model.lp} {model.smt2}", "E1114", "several formats"),
        ("hihgs", "E1113", "there is no solver `hihgs`"),
        ("cbc,", "E1113", "there is no solver"),
    ],
)
def test_what_cannot_be_chosen(text: str, code: str, fragment: str) -> None:
    with pytest.raises(Rejected, match=code) as caught:
        choose_solvers(text)
    assert fragment in caught.value.diagnostics[0].message


def test_a_program_that_is_not_there_and_a_limit_that_is_not_given(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="E1115"):
        run(tmp_path, "no-such-program-anywhere {model}")
    with pytest.raises(Rejected, match="E1116"):
        run(tmp_path, script(tmp_path, "") + " {model} {time_limit}", seconds=None)


@pytest.fixture
def pair(make_network: Dense, make_problem: Maker) -> Maker:
    """Member 1 falls at x >= 1, member 2 at x <= -1: value 1/2."""

    def make(alpha: Fraction | None) -> EnsembleProblem:
        networks = [make_network(([[0], [s]], [0, -1])) for s in (1, -1)]
        goal = MaximizeValue() if alpha is None else Check(alpha)
        return make_problem(networks, [[0.0]], [0], radius=F(5, 4), goal=goal)

    return make


@pytest.mark.parametrize(
    "command",
    [
        "cbc {model} -sec {time_limit} -solve -solution {solution}",
        "glpsol --freemps {model} --write {solution}",
        "glpsol --lp {model.lp} --output {solution}",
        "z3 {model.smt2}",
        "yices-smt2 {model.smt2}",
    ],
)
def test_real_programs_answer_queries(pair: Maker, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    program = command.split(maxsplit=1)[0]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    (solver,) = choose_solvers(f"command {command}")
    settings = Settings(time_limit=30, solver=solver)
    assert solve_joint(pair(F(1, 2)), settings).verdict.word is Word.NOT_ROBUST
    robust = solve_joint(pair(F(51, 100)), settings).verdict
    assert robust.word is Word.ROBUST
    assert f"`{program}`" in robust.proofs[0].solver
    best = solve_joint(pair(None), settings).verdict
    assert (best.word, best.lower, best.upper) == (Word.OPTIMAL, F(1, 2), F(1, 2))
