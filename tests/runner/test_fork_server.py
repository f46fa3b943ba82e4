"""One process loads the library, and each request has a process of its own, whatever becomes of it."""

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from milp_files import FEASIBLE, market_split
from processes import family, running, wait_until

from ensc.compiler.types.solution import Solution, Status
from ensc.runner.solvers import fork_server, milp_process
from ensc.runner.solvers.cbc import CBC
from ensc.runner.solvers.milp_process import Milp, solve_file

pytestmark = [
    pytest.mark.skipif(not fork_server.AVAILABLE, reason="there is no fork"),
    pytest.mark.skipif(CBC.version() is None, reason="CBC is not installed"),
]

OBEDIENT = """
import os, signal, time
from pathlib import Path

def read(request):
    text = Path(request["model"]).read_text()
    print("asked to", text, flush=True)
    if text == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if text == "hang":
        time.sleep(600)
    size = {"rows": os.getppid(), "columns": 1, "nonzeros": os.getpid(), "integers": 0}
    return None, size

def solve(model, seconds):
    values = {"server": os.getppid(), "fork": os.getpid()}
    return {"status": "OPTIMAL", "tolerance": 0.0, "values": values, "objective": None, "bound": None}
"""
"""A library that does what the model says, and whose solution tells which processes it ran in."""


@pytest.fixture(autouse=True)
def _no_servers() -> Iterator[None]:
    fork_server.end_servers()
    yield
    fork_server.end_servers()
    wait_until(lambda: not family(os.getpid()))


@pytest.fixture
def obedient(tmp_path: Path) -> Milp:
    worker = tmp_path / "worker.py"
    worker.write_text(OBEDIENT)
    return dataclasses.replace(CBC, worker=worker)


def told(solver: Milp, what: str) -> Solution:
    path = solver.worker.with_name("model.mps")
    path.write_text(what)
    return solve_file(solver, path, time_limit=None)[0]


def test_requests_share_the_server_but_not_the_process(obedient: Milp) -> None:
    first, second = (told(obedient, "solve").values for _ in range(2))
    assert first["server"] == second["server"] != os.getpid()
    assert len({first["fork"], second["fork"], first["server"]}) == 3
    assert family(os.getpid()) == {first["server"]}


def test_a_crash_does_not_harm_the_next(obedient: Milp) -> None:
    before = told(obedient, "solve")
    crashed = told(obedient, "crash")
    assert crashed.status is Status.UNKNOWN
    assert crashed.message == "CBC was ended by signal 11; its last words: asked to crash"
    assert told(obedient, "solve").values["server"] == before.values["server"]


def test_a_hang_is_ended_at_its_limit(obedient: Milp, monkeypatch: pytest.MonkeyPatch) -> None:
    before = told(obedient, "solve")
    start = time.monotonic()
    with monkeypatch.context() as patched:
        patched.setattr(milp_process, "patience", lambda _: 0.5)
        hung = told(obedient, "hang")
    assert 0.5 <= time.monotonic() - start < 5
    assert hung.message == "CBC did not stop at its time limit; its last words: asked to hang"
    assert not family(os.getpid())
    assert told(obedient, "solve").values["server"] != before.values["server"]


def test_a_server_that_was_ended_is_replaced(obedient: Milp) -> None:
    before = told(obedient, "solve").values["server"]
    os.kill(int(before), signal.SIGKILL)
    assert told(obedient, "solve").status is Status.OPTIMAL  # in a process of its own
    assert not {before} & family(os.getpid())
    assert before != told(obedient, "solve").values["server"] in family(os.getpid())


def test_threads_do_not_share_a_server(obedient: Milp) -> None:
    found: list[Solution] = []
    threads = [threading.Thread(target=lambda: found.append(told(obedient, "solve"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [solution.status for solution in found] == [Status.OPTIMAL] * 3


def test_the_same_answer_as_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.mps"
    for text in (FEASIBLE, FEASIBLE.replace("x r1 2", "x r9 2")):
        path.write_text(text)
        forked = [milp_process._ask(_request(path), 20, verbose=False) for _ in range(2)]
        with monkeypatch.context() as patched:
            patched.setattr(milp_process, "AVAILABLE", False)
            alone = milp_process._ask(_request(path), 20, verbose=False)
        assert [answer for answer, _ in forked] == [alone[0]] * 2


def _request(path: Path) -> dict[str, object]:
    request: dict[str, object] = {"library": str(CBC.worker), "model": str(path), "size": None}
    return request | {"seconds": 10, "threads": 1, "seed": 1, "verbose": False}


def test_a_fork_of_the_caller_starts_its_own(obedient: Milp) -> None:
    before = told(obedient, "solve").values["server"]
    child = os.fork()
    if not child:
        code = 1
        try:
            code = int(told(obedient, "solve").values["server"] == before)
            fork_server.end_servers()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert told(obedient, "solve").values["server"] == before


@pytest.mark.parametrize("ending", ["pass", "os.kill(os.getpid(), signal.SIGKILL)", "os._exit(0)"])
def test_nothing_is_left_when_the_caller_ends(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "model.mps"
    path.write_text(FEASIBLE)
    script = (
        "import os, signal\nfrom ensc.runner.solvers import fork_server\n"
        "from ensc.runner.solvers.cbc import CBC\n"
        "from ensc.runner.solvers.milp_process import solve_file\n"
        f"solve_file(CBC, {str(path)!r})\n"
        "print([s.process.pid for servers in fork_server._idle.values() for s in servers][0], flush=True)\n"
        f"{ending}"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert not done.stderr
    wait_until(lambda: int(done.stdout) not in running())


def test_a_library_that_keeps_the_interpreter_ends_with_the_caller(tmp_path: Path) -> None:
    """No thread of the fork could notice the end of the caller, but the server does."""
    worker, path = tmp_path / "worker.py", tmp_path / "model.mps"
    worker.write_text("import ctypes\n\ndef read(request):\n    ctypes.PyDLL(None).sleep(600)\n")
    path.write_text(market_split(slack=True))
    script = (
        "import dataclasses\nfrom pathlib import Path\nfrom ensc.runner.solvers.cbc import CBC\n"
        "from ensc.runner.solvers.milp_process import solve_file\n"
        f"solve_file(dataclasses.replace(CBC, worker=Path({str(worker)!r})), {str(path)!r})"
    )
    with subprocess.Popen([sys.executable, "-c", script]) as parent:
        wait_until(lambda: len(family(parent.pid)) == 2)
        group = family(parent.pid)
        parent.kill()
    wait_until(lambda: not group & running())
