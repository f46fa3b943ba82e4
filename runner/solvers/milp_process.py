"""What the MILP solvers have in common: a worker reads a model file, and what it says is looked at twice."""

import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Any

from ensc.compiler.diagnostics import reject
from ensc.compiler.passes.linear.linearize import Formulation
from ensc.compiler.quoting import alternatives, counted, shown
from ensc.compiler.types.model import Size
from ensc.compiler.types.solution import Proof, Solution, Status
from ensc.runner.solvers.fork_server import AVAILABLE, ServerEndedError, run_forked
from ensc.runner.solvers.process import Ended, describe_end, last_line, run_worker

SUFFIXES = (".mps", ".mps.gz", ".lp", ".lp.gz")
_FRAME = Path(__file__).with_name("milp_worker.py")


@dataclass(frozen=True, slots=True, eq=False)
class Milp:
    """A MILP solver with a Python library.

    Attributes:
        name: as its makers write it.
        package: the Python module.
        extra: the extra of this distribution that brings it.
        worker: the script that knows the library.
        version: says which one would run, None without one.
        words: what its statuses mean, and how they are told; all others are UNKNOWN.
        formulations: the forms of a model that it reads for what they mean.
    """

    name: str
    package: str
    extra: str
    worker: Path
    version: Callable[[], str | None]
    words: Mapping[str, tuple[Status, str]]
    formulations: tuple[Formulation, ...] = ("big-m",)

    @property
    def advice(self) -> str:
        """How to install it."""
        return f"pip install 'ensc-compiler[{self.extra}]'"


def solve_file(
    solver: Milp,
    path: str | Path,
    *,
    expected: Size | None = None,
    time_limit: float | None = None,
    memory_limit: int | None = None,
    threads: int = 1,
    seed: int = 1,
    verbose: bool = False,
) -> tuple[Solution, Proof | None]:
    """Solve a model file, without any optimality gap.

    The solver is ended a few seconds after the time limit if it does not stop by itself, and whenever the
    caller is interrupted or dies. What it claims is believed only where it can be true: a bound without a
    feasible point, an infeasibility that came with the end of the time, and integer variables that are no
    integers are not passed on.

    Args:
        solver: which one.
        path: a `.mps` or `.lp` file, possibly with `.gz`.
        expected: what the file holds; solvers skip what they cannot parse and some say nothing.
        time_limit: seconds, none if None.
        memory_limit: megabytes, none if None; a solver that needs more ends without an answer.
        threads: of the solver; one is deterministic.
        seed: for its random choices.
        verbose: whether its log goes to standard error.

    Returns:
        The solution in the sense of the file, and what an infeasibility or a bound rests on.

    Raises:
        Rejected: E1110 if the solver is not installed or cannot be loaded, E1111 if the model read is not
            the model expected, E1112 if there is no such file or its name does not end in a known way.
    """
    if util.find_spec(solver.package) is None:
        _reject_missing(solver, f"the package `{solver.package}` is not installed")
    model = _require_model(solver, Path(path))
    size = None if expected is None else _as_json(expected)
    request: dict[str, object] = {"library": str(solver.worker), "model": str(model), "size": size}
    request |= {"seconds": time_limit, "threads": threads, "seed": seed, "verbose": verbose}
    request["memory"] = None if memory_limit is None else memory_limit << 20
    answer, log = _ask(request, patience(time_limit), verbose=verbose)
    if "error" in answer:
        _reject_missing(solver, answer["error"])
    if "crash" in answer:
        said = _last_words(solver, answer["crash"], log) + _within(memory_limit)
        return Solution(Status.UNKNOWN, {}, message=said), None
    if "status" not in answer:
        _reject_misread(solver, model, answer["size"], size, log)
    return _read(solver, answer)


def patience(time_limit: float | None) -> float | None:
    """Reading and preprocessing are not under a solver's clock: allow for them before ending it."""
    return None if time_limit is None else time_limit * 1.25 + 10.0


def _ask(request: dict[str, object], seconds: float | None, *, verbose: bool) -> tuple[dict[str, Any], str]:
    """Run the worker; return its answer and what it printed."""
    with tempfile.TemporaryDirectory(prefix="ensc-") as folder:
        path = Path(folder, "answer.json")
        ended = _run(request | {"answer": str(path)}, seconds, verbose=verbose)
        log = f"{ended.output}\n{ended.errors}"
        if ended.code == 0 and path.exists():
            return json.loads(path.read_text(encoding="utf-8")), log
        return {"crash": describe_end(ended.code)}, log


def _run(request: dict[str, object], seconds: float | None, *, verbose: bool) -> Ended:
    """Run the worker, forked from a process that has loaded the library if there can be one.

    A library that does not even load says why in a process of its own. What is printed to standard error is
    to go where it points now, which a process started earlier would not know.
    """
    start = time.monotonic()
    if AVAILABLE and not verbose:
        with contextlib.suppress(ServerEndedError):
            return run_forked(_FRAME, Path(str(request["library"])), request, seconds)
    left = None if seconds is None else max(0.01, seconds - (time.monotonic() - start))
    return run_worker(_FRAME, request, left, verbose=verbose)


def _read(solver: Milp, answer: dict[str, Any]) -> tuple[Solution, Proof | None]:
    word = answer["status"]
    status, said = solver.words.get(word, (Status.UNKNOWN, word))
    message = f"{solver.name}: {said}"
    tolerance = answer["tolerance"]
    if status is Status.UNKNOWN and answer.get("feasible"):
        status, message = Status.FEASIBLE, f"{message}, with a feasible point"
    if status is Status.INFEASIBLE and answer.get("late"):
        return Solution(Status.UNKNOWN, {}, message=f"{message}, but only as its time ran out"), None
    if answer.get("fractional", 0.0) > 10 * tolerance:
        return Solution(Status.UNKNOWN, {}, message=f"{message}, but its integers are not integral"), None
    solution = Solution(status, answer["values"], answer["objective"], answer["bound"], message)
    return solution, _proof(solver, solution, tolerance)


def _proof(solver: Milp, solution: Solution, tolerance: float) -> Proof | None:
    name = solver.version() or solver.name
    match solution.status:
        case Status.INFEASIBLE:
            return Proof(name, tolerance, "the model is infeasible")
        case Status.OPTIMAL | Status.FEASIBLE if solution.bound is not None:
            return Proof(name, tolerance, f"no solution has an objective better than {solution.bound!r}")
        case _:
            return None


def _last_words(solver: Milp, ending: str, log: str) -> str:
    line = last_line(log)
    return f"{solver.name} {ending}" + (f"; its last words: {line}" if line else "")


def _within(memory_limit: int | None) -> str:
    """A solver that runs out of memory rarely says so: name the limit wherever it ends without an answer."""
    return "" if memory_limit is None else f" (its memory was limited to {memory_limit} MB)"


def _as_json(size: Size) -> dict[str, int]:
    return {
        "rows": size.rows,
        "columns": size.columns,
        "nonzeros": size.nonzeros,
        "integers": size.integers,
    }


def _reject_missing(solver: Milp, why: str) -> None:
    reject(
        "E1110",
        f"{solver.name} is not available",
        notes=(why,),
        help=f"install it: `{solver.advice}`; or solve the compiled file with any "
        "solver and give its answer to `ensc decode`",
    )


def _require_model(solver: Milp, path: Path) -> Path:
    if not path.is_file():
        reject(
            "E1112",
            f"there is no model file `{shown(str(path))}`",
            help="compile it first: `ensc compile QUERY -o OUT.mps`",
        )
    if not path.name.lower().endswith(SUFFIXES):
        reject(
            "E1112",
            f"{solver.name} does not know what `{shown(path.name)}` is",
            help=f"name the file so that it ends in {alternatives(SUFFIXES)}",
        )
    return path.resolve()


def _reject_misread(
    solver: Milp, path: Path, read: dict[str, int], expected: dict[str, int] | None, log: str
) -> None:
    lines = [line.strip() for line in log.splitlines() if line.strip()][:3]
    wrote = [] if expected is None else [f"the file holds {_counts(expected)}"]
    reject(
        "E1111",
        f"{solver.name} misread `{shown(path.name)}`: it found {_counts(read)}",
        notes=(*wrote, *(f"{solver.name}: {shown(line, 200)}" for line in lines)),
        help="compile the query again; if the file is whole, please report this as a mistake of ensc or "
        f"{solver.name}",
    )


def _counts(size: dict[str, int]) -> str:
    return ", ".join(counted(count, what.removesuffix("s")) for what, count in size.items())
