"""A solver of SMT-LIB scripts in a process group of its own, and what may be believed of what it prints."""

import dataclasses
import os
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import which

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.types.solution import Proof, Solution, Status
from ensc.formats.solutions.smt import read_smt
from ensc.runner.solvers.process import Ended, keep_log, last_line, run_worker

GRACE = 0.5
"""Seconds that starting a process takes, beyond the time limit."""

ROUNDING = 2.0**-52
"""Exact optima are told as the nearest float64."""

_WORKER = Path(__file__).with_name("smt_worker.py")
_MEGABYTE = 1 << 20

_SIGNALS = 128
"""A process that passes on that its child was ended by signal n exits with 128 + n, as shells do."""


@dataclass(frozen=True, slots=True)
class Program:
    """A solver that is a program: `command SCRIPT`."""

    name: str
    version: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Library:
    """A solver that is a Python library, by the name that `smt_worker` knows."""

    name: str
    version: str
    library: str


Solver = Program | Library


@dataclass(frozen=True, slots=True)
class Limits:
    """What a solver may use: seconds of wall-clock time, megabytes of memory; None is no limit."""

    seconds: float | None = None
    megabytes: int | None = None


def find_program(name: str) -> str | None:
    """Return the path of a program that was installed beside this Python, or else is on the search path."""
    beside = Path(sysconfig.get_path("scripts"), name)
    return str(beside) if os.access(beside, os.X_OK) and beside.is_file() else which(name)


@cache
def first_line(*command: str) -> str | None:
    """Return the first line that a command prints, None if it fails or takes longer than ten seconds."""
    try:
        said = subprocess.run(  # noqa: S603 - a solver that was asked for
            command, capture_output=True, text=True, errors="replace", timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return next(iter(said.stdout.splitlines()), "").strip() or None


def solve(
    script: Path, solver: Solver, limits: Limits, values: Sequence[str] = ()
) -> tuple[Solution, Proof | None]:
    """Run a solver on a script with one `check-sat`.

    What is no plain answer is UNKNOWN, with the reason: an error before it, a crash, values that are missing,
    anything that cannot be read. The log is then kept, and the message says where. `unsat` from an exact
    solver is proved with tolerance 0.

    Args:
        script: an SMT-LIB file.
        solver: what runs.
        limits: for it; it is ended, with all processes that it started, when its time is over.
        values: names that the script asks for; `sat` without one of them is not believed.
    """
    ended = run(script, solver, limits)
    try:
        solution = _plain(ended, solver, limits, values)
    except _NotPlainError as trouble:
        kept = (ended.output, ended.errors, f"exit code {ended.code}")
        log = f"; its log is {keep_log(solver.name, *kept)}" if ended.code else ""
        return Solution(Status.UNKNOWN, {}, message=f"{solver.name} {trouble}{log}"), None
    message = f"{solver.name}: {solution.message}"
    named = dataclasses.replace(solution, message=message, bound=solution.objective)
    return named, _proof(named, solver)


def run(script: Path, solver: Solver, limits: Limits) -> Ended:
    """Run a solver on a script; whatever it started has ended when this returns or is interrupted."""
    seconds = None if limits.seconds is None else limits.seconds + GRACE
    return run_worker(_WORKER, _request(script, solver, limits), seconds)


def _request(script: Path, solver: Solver, limits: Limits) -> dict[str, object]:
    memory = None if limits.megabytes is None else limits.megabytes * _MEGABYTE
    path = str(script.resolve())
    if isinstance(solver, Program):
        return {"program": [*solver.command, path], "memory": memory}
    return {"library": solver.library, "script": path, "memory": memory}


class _NotPlainError(Exception):
    """What a solver did instead of answering."""


def _plain(ended: Ended, solver: Solver, limits: Limits, values: Sequence[str]) -> Solution:
    if ended.code is None:
        raise _NotPlainError(f"did not answer within {limits.seconds:g} s")
    if ended.code < 0 or ended.code > _SIGNALS:
        raise _NotPlainError(
            f"was ended by signal {-ended.code if ended.code < 0 else ended.code - _SIGNALS}"
        )
    try:
        solution = read_smt(ended.output, f"the output of {solver.name}")
    except Rejected as rejected:
        why = last_line(ended.errors) or rejected.diagnostics[0].message
        raise _NotPlainError(f"gave no answer that can be read ({why})") from None
    if solution.status is Status.UNKNOWN:
        raise _NotPlainError(f"did not decide ({solution.message or last_line(ended.errors)})")
    missing = set(values) - set(solution.values)
    if missing and solution.status is not Status.INFEASIBLE:
        raise _NotPlainError(f"claims a solution and leaves out values, for example `{min(missing)}`")
    return solution


def _proof(solution: Solution, solver: Solver) -> Proof | None:
    match solution.status:
        case Status.INFEASIBLE:
            return Proof(solver.version, 0.0, "the script is unsatisfiable, in exact arithmetic")
        case Status.OPTIMAL:
            claim = f"no solution has an objective better than {solution.bound!r}, in exact arithmetic"
            return Proof(solver.version, ROUNDING, claim)
        case _:
            return None
