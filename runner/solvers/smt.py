"""SMT solvers by name: `z3`, `cvc5`, `yices`, `pysmt:NAME`."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ensc.compiler.diagnostics import reject
from ensc.compiler.quoting import alternatives, shown
from ensc.compiler.types.model import Model
from ensc.compiler.types.solution import Proof, Solution
from ensc.formats.files import write_file
from ensc.formats.smtlib import Dialect, Relu, write_smtlib
from ensc.runner.solvers import cvc5, pysmt_front, yices, z3
from ensc.runner.solvers.smt_process import Limits, Solver, solve

NAMES = ("z3", "cvc5", "yices")


def is_smt(name: str) -> bool:
    """Return whether a name is that of an SMT solver, installed or not."""
    return name in NAMES or name.startswith(pysmt_front.PREFIX)


def find_smt(name: str) -> Solver:
    """Return an SMT solver.

    Raises:
        Rejected: E1130 if it is not available, E1131 if there is none of that name.
    """
    match name:
        case "z3":
            return z3.find() or _missing(name, z3.ADVICE)
        case "cvc5":
            return cvc5.find() or _missing(name, cvc5.ADVICE)
        case "yices":
            return yices.find() or _missing(name, yices.ADVICE)
        case _ if name.startswith(pysmt_front.PREFIX):
            found = pysmt_front.find(name.removeprefix(pysmt_front.PREFIX))
            return found or _missing(name, pysmt_front.ADVICE, *_pysmt_notes())
        case _:
            known = alternatives([*NAMES, f"{pysmt_front.PREFIX}NAME"])
            reject("E1131", f"`{shown(name)}` is no SMT solver", help=f"known are {known}")


def solve_smt(
    script: str | Path,
    solver: str,
    *,
    values: Sequence[str] = (),
    time_limit: float | None = None,
    memory_limit: int | None = None,
) -> tuple[Solution, Proof | None]:
    """Solve an SMT-LIB script with one `check-sat`.

    Args:
        script: the file.
        solver: `z3`, `cvc5`, `yices` or `pysmt:NAME`.
        values: names that the script asks for; `sat` without one of them is not believed.
        time_limit: seconds, none if None.
        memory_limit: megabytes, none if None.

    Returns:
        The answer, UNKNOWN with a reason if it is not plain, and what `unsat` or an optimum rests on.

    Raises:
        Rejected: E1130 or E1131 as `find_smt`, E1132 if there is no such file.
    """
    found, path = find_smt(solver), Path(script)
    if not path.is_file():
        reject(
            "E1132",
            f"there is no script `{shown(str(path))}`",
            help="compile it first: `ensc compile QUERY -o OUT.smt2`",
        )
    return solve(path, found, Limits(time_limit, memory_limit), values)


def solve_model(
    model: Model,
    solver: str,
    *,
    values: Sequence[str] | None = None,
    relu: Relu = "or",
    dialect: Dialect = "standard",
    time_limit: float | None = None,
    memory_limit: int | None = None,
) -> tuple[Solution, Proof | None]:
    """Write a model as a script and solve it.

    Args:
        model: a piecewise-linear model.
        solver: as `solve_smt`.
        values: names to ask for; all, if None.
        relu: as `write_smtlib`.
        dialect: as `write_smtlib`; only z3 reads `z3-opt`.
        time_limit: as `solve_smt`.
        memory_limit: as `solve_smt`.

    Raises:
        Rejected: E1030 to E1034 as `write_smtlib`, E1130 or E1131 as `find_smt`.
    """
    asked = model.variables.names() if values is None else values
    with tempfile.TemporaryDirectory(prefix="ensc-") as folder:
        path = Path(folder, f"{model.name}.smt2")
        write_file(path, write_smtlib(model, relu=relu, dialect=dialect, values=asked))
        return solve_smt(path, solver, values=asked, time_limit=time_limit, memory_limit=memory_limit)


def _pysmt_notes() -> tuple[str, ...]:
    names = pysmt_front.known()
    return (f"pySMT finds {', '.join(names)}",) if names else ()


def _missing(name: str, advice: str, *notes: str) -> NoReturn:
    reject(
        "E1130",
        f"the SMT solver `{shown(name)}` is not available",
        notes=notes,
        help=f"install it: {advice}; or solve the compiled file with any solver and give its answer to "
        "`ensc decode`",
    )
