"""CBC through python-mip, in a process of its own that can be ended at any time."""

import json
import subprocess
import sys
import tempfile
from importlib import metadata, util
from pathlib import Path
from typing import Any

from ensc.compiler.diagnostics import reject
from ensc.compiler.types.model import Size
from ensc.compiler.types.solution import Proof, Solution, Status

_SUFFIXES = (".mps", ".mps.gz", ".lp", ".lp.gz")
_WORKER = Path(__file__).with_name("cbc_worker.py")
_STATUS = {
    "OPTIMAL": Status.OPTIMAL,
    "FEASIBLE": Status.FEASIBLE,
    "INFEASIBLE": Status.INFEASIBLE,
    "INT_INFEASIBLE": Status.INFEASIBLE,
    "UNBOUNDED": Status.UNBOUNDED,
}
_WORDS = {
    "OPTIMAL": "optimal",
    "FEASIBLE": "stopped at the limit with a feasible point",
    "INFEASIBLE": "infeasible",
    "INT_INFEASIBLE": "infeasible for integers",
    "UNBOUNDED": "unbounded",
    "NO_SOLUTION_FOUND": "stopped at the limit without a feasible point",
}


def solve_mps(
    path: str | Path,
    *,
    expected: Size | None = None,
    time_limit: float | None = None,
    threads: int = 1,
    seed: int = 1,
    verbose: bool = False,
) -> tuple[Solution, Proof | None]:
    """Solve a model file with CBC.

    CBC runs with no optimality gap. It is ended a few seconds after the time limit if it does not stop by
    itself, and whenever the caller is interrupted or dies. What it claims is believed only where it can
    be true: a bound without a feasible point, an infeasibility that came with the end of the time, and
    integer variables that are no integers are not passed on.

    Args:
        path: a `.mps` or `.lp` file, possibly with `.gz`.
        expected: what the file holds; python-mip reads a file that it cannot parse as an empty model and
            says nothing.
        time_limit: seconds, none if None.
        threads: of CBC; one is deterministic.
        seed: of CBC.
        verbose: whether CBC's log goes to standard error.

    Returns:
        The solution in the sense of the file, and what an infeasibility or a bound rests on.

    Raises:
        Rejected: E1110 if python-mip is not installed or cannot load CBC, E1111 if the model read is not
            the model expected, E1112 if there is no such file or its name does not end in a known way.
    """
    _require_mip()
    model = _require_model(Path(path))
    size = None if expected is None else _as_json(expected)
    request = {"model": str(model), "size": size, "seconds": time_limit}
    request |= {"threads": threads, "seed": seed, "verbose": verbose}
    answer, log = _ask(request, _patience(time_limit), verbose=verbose)
    if "error" in answer:
        _reject_missing(answer["error"])
    if "crash" in answer:
        return Solution(Status.UNKNOWN, {}, message=_last_words(answer["crash"], log)), None
    if "status" not in answer:
        _reject_misread(model, answer["size"], size, log)
    return _read(answer)


def version() -> str | None:
    """Return the name and version of the CBC that would run, None without one."""
    if util.find_spec("mip") is None:
        return None
    return f"CBC {_installed('cbcbox')} (python-mip {_installed('mip')})"


def _read(answer: dict[str, Any]) -> tuple[Solution, Proof | None]:
    word = answer["status"]
    message = f"CBC: {_WORDS.get(word, word)}"
    status = _STATUS.get(word, Status.UNKNOWN)
    tolerance = answer["tolerance"]
    if status is Status.INFEASIBLE and answer["late"]:
        return Solution(Status.UNKNOWN, {}, message=f"{message}, but only as its time ran out"), None
    if answer.get("fractional", 0.0) > 10 * tolerance:
        return Solution(Status.UNKNOWN, {}, message=f"{message}, but its integers are not integral"), None
    solution = Solution(status, answer["values"], answer["objective"], answer["bound"], message)
    return solution, _proof(solution, tolerance)


def _proof(solution: Solution, tolerance: float) -> Proof | None:
    name = version()
    assert name is not None
    match solution.status:
        case Status.INFEASIBLE:
            return Proof(name, tolerance, "the model is infeasible")
        case Status.OPTIMAL | Status.FEASIBLE if solution.bound is not None:
            return Proof(name, tolerance, f"no solution has an objective better than {solution.bound!r}")
        case _:
            return None


def _ask(request: dict[str, Any], patience: float | None, *, verbose: bool) -> tuple[dict[str, Any], str]:
    """Run the worker; return its answer and what it printed. The worker never outlives this call."""
    with tempfile.TemporaryDirectory(prefix="ensc-cbc-") as folder:
        answer, log = Path(folder, "answer.json"), Path(folder, "log")
        arguments = json.dumps(request | {"answer": str(answer)})
        with log.open("wb") as written:
            child = subprocess.Popen(  # noqa: S603 - our own worker, with our own interpreter
                [sys.executable, "-P", str(_WORKER), arguments],
                stdin=subprocess.PIPE,
                stdout=2 if verbose else written,
                stderr=None if verbose else written,
                start_new_session=True,  # Ctrl-C is the caller's to handle
            )
            try:
                code = child.wait(patience)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                child.kill()
                child.communicate()
        said = log.read_text(encoding="utf-8", errors="replace")
        if code == 0 and answer.exists():
            return json.loads(answer.read_text(encoding="utf-8")), said
        return {"crash": "did not stop at its time limit" if code is None else _ending(code)}, said


def _patience(time_limit: float | None) -> float | None:
    """Reading and preprocessing are not under CBC's clock: allow for them before ending it."""
    return None if time_limit is None else time_limit * 1.25 + 10.0


def _ending(code: int) -> str:
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


def _last_words(ending: str, log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return f"CBC {ending}" + (f"; its last words: {lines[-1][:200]}" if lines else "")


def _as_json(size: Size) -> dict[str, int]:
    return {
        "rows": size.rows,
        "columns": size.columns,
        "nonzeros": size.nonzeros,
        "integers": size.integers,
    }


def _installed(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "of unknown version"


def _require_mip() -> None:
    if util.find_spec("mip") is None:
        _reject_missing("the package `mip` is not installed")


def _reject_missing(why: str) -> None:
    reject(
        "E1110",
        "CBC is not available",
        notes=(why,),
        help="install it: `pip install 'ensc-compiler[solve]'`; or solve the compiled file with any "
        "solver and give its answer to `ensc decode`",
    )


def _require_model(path: Path) -> Path:
    if not path.is_file():
        reject(
            "E1112",
            f"there is no model file `{path}`",
            help="compile it first: `ensc compile QUERY -o OUT.mps`",
        )
    if not path.name.lower().endswith(_SUFFIXES):
        reject(
            "E1112",
            f"CBC does not know what `{path.name}` is",
            help=f"name the file so that it ends in {', '.join(_SUFFIXES)}",
        )
    return path.resolve()


def _reject_misread(path: Path, read: dict[str, int], expected: dict[str, int] | None, log: str) -> None:
    lines = [line.strip() for line in log.splitlines() if line.strip()][:3]
    wrote = [] if expected is None else [f"the file holds {_counts(expected)}"]
    reject(
        "E1111",
        f"CBC misread `{path.name}`: it found {_counts(read)}",
        notes=(*wrote, *(f"CBC: {line[:200]}" for line in lines)),
        help="compile the query again; if the file is whole, please report this as a mistake of ensc or CBC",
    )


def _counts(size: dict[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in size.items())
