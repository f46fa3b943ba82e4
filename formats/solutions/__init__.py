"""What solvers answer: solution files and printed answers of a dozen solvers, read as they stand.

* Statuses are read, never guessed. Status and values are separate: values at a time limit are an incumbent
  only where the file says so.
* OPTIMAL is the solver's claim, within the gap that it was allowed; a proven bound is given where the
  file states one.
* Values are the numbers printed, no closer to the truth than the digits the solver wrote; exact solvers give
  exact rationals. A solution has to be replayed, whatever its status.
* Names that a file of a MILP solver leaves out are zero.
"""

from collections.abc import Sequence
from typing import assert_never

from ensc.compiler.diagnostics import Source, Span, reject
from ensc.compiler.quoting import alternatives, shown
from ensc.compiler.types.solution import Solution
from ensc.formats.solutions.cbc import read_cbc
from ensc.formats.solutions.copt import read_copt
from ensc.formats.solutions.cplex import read_cplex
from ensc.formats.solutions.glpk import read_glpk
from ensc.formats.solutions.gurobi import read_gurobi
from ensc.formats.solutions.highs import read_highs
from ensc.formats.solutions.lpsolve import read_lpsolve
from ensc.formats.solutions.qsopt import read_qsopt
from ensc.formats.solutions.recognise import OTHER_NAMES, Family, recognise
from ensc.formats.solutions.scip import read_scip
from ensc.formats.solutions.smt import read_smt
from ensc.formats.solutions.xpress import read_xpress

__all__ = [
    "FORMATS",
    "read_cbc",
    "read_copt",
    "read_cplex",
    "read_glpk",
    "read_gurobi",
    "read_highs",
    "read_lpsolve",
    "read_qsopt",
    "read_scip",
    "read_smt",
    "read_solution",
    "read_xpress",
]

FORMATS = tuple(family.value for family in Family)
"""The names that `format` may have; `z3`, `cvc5`, `cvc4` and `yices` stand for `smt`."""


def read_solution(
    text: str,
    source_name: str,
    *,
    format: str | None = None,  # noqa: A002 - the field's name
    columns: Sequence[str] | None = None,
    companion: str | None = None,
    continuous: bool = False,
) -> Solution:
    """Read a solution file or a printed answer.

    Args:
        text: the file.
        source_name: its name, for messages.
        format: one of `FORMATS`; recognised from the content if None.
        columns: the names of the model file's columns in their order, for formats that have only positions
            (GLPK's `-w`, two styles of HiGHS).
        companion: the text of a second file with the status: SCIP's statistics, Xpress's `.hdr`.
        continuous: whether the model has no integers. Solvers of the continuous problem (QSopt_ex, GLPK's
            `bas` and `ipt`, CPLEX below status 100) otherwise settle nothing but infeasibility.

    Raises:
        Rejected: E1250 if the format is not known, E1251 if the file is empty, E1252 if it ends too
            early, E1253 to E1255 for lines, numbers and names, E1256 if names are missing, E1257 if it
            contradicts itself, E1258 for irrational numbers, E1259 for XML with a document type.
    """
    plain = text.removeprefix("\ufeff")
    if not plain or plain.isspace():
        reject(
            "E1251",
            f"the solution file `{shown(source_name)}` is empty",
            help="solvers leave it empty when they have no solution; their log has the reason",
        )
    match _family(plain, source_name, format):
        case Family.CBC:
            return read_cbc(plain, source_name, continuous=continuous)
        case Family.HIGHS:
            return read_highs(plain, source_name, columns=columns, continuous=continuous)
        case Family.SCIP:
            return read_scip(plain, source_name, status=companion)
        case Family.GLPK:
            return read_glpk(plain, source_name, columns=columns, continuous=continuous)
        case Family.LP_SOLVE:
            return read_lpsolve(plain, source_name)
        case Family.GUROBI:
            return read_gurobi(plain, source_name)
        case Family.CPLEX:
            return read_cplex(plain, source_name, continuous=continuous)
        case Family.XPRESS:
            return read_xpress(plain, source_name, header=companion, continuous=continuous)
        case Family.COPT:
            return read_copt(plain, source_name)
        case Family.QSOPT:
            return read_qsopt(plain, source_name, continuous=continuous)
        case Family.SMT:
            return read_smt(plain, source_name)
        case unreachable:
            assert_never(unreachable)


def _family(text: str, source_name: str, name: str | None) -> Family:
    known = {family.value: family for family in Family} | OTHER_NAMES
    if name is not None:
        if name.lower() not in known:
            reject(
                "E1250", f"`{shown(name)}` is no format of solutions", help=f"known: {alternatives(FORMATS)}"
            )
        return known[name.lower()]
    family = recognise(text)
    if family is not None:
        return family
    start = len(text) - len(text.lstrip())
    end = text.find("\n", start)
    reject(
        "E1250",
        f"no solver is known to write a solution file like `{shown(source_name)}`",
        Span(Source(source_name, text), start, min(end if end >= 0 else len(text), start + 100)),
        "its first line",
        help=f"known are the solutions of {alternatives(FORMATS)}; if it is one of them, name the format. "
        "A model (MPS, LP) is no solution: give it to a solver first",
    )
