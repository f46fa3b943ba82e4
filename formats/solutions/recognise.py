"""Which solver wrote a file, told from its first lines."""

import re
from enum import Enum

from ensc.formats.solutions import cbc, cplex, highs, lpsolve, scip, smt


class Family(Enum):
    """The solvers, or families of solvers, whose solutions are read."""

    CBC = "cbc"
    HIGHS = "highs"
    SCIP = "scip"
    GLPK = "glpk"
    LP_SOLVE = "lp_solve"
    GUROBI = "gurobi"
    CPLEX = "cplex"
    XPRESS = "xpress"
    COPT = "copt"
    QSOPT = "qsopt"
    SMT = "smt"


OTHER_NAMES = {
    "lpsolve": Family.LP_SOLVE,
    "qsopt_ex": Family.QSOPT,
    "z3": Family.SMT,
    "cvc5": Family.SMT,
    "cvc4": Family.SMT,
    "yices": Family.SMT,
}

_CHARACTERS = 20_000
_FEW = 5

_STARTS = (
    (re.compile(r"c (?:Problem|Status):|Problem:|s (?:mip|bas|ipt) "), Family.GLPK),
    (re.compile(f"{highs.RAW}$|Columns$|[0-9]+ [0-9]+ {highs.NUMBERS}"), Family.HIGHS),
    (re.compile(f"(?:{scip.STATUS}|{scip.OBJECTIVE})|{scip.NONE}$"), Family.SCIP),
    (re.compile(r"# Solution for |# Objective value =|# MIP start"), Family.GUROBI),
    (re.compile(r"# Objective value "), Family.COPT),
    (re.compile(r"\{"), Family.GUROBI),
    (re.compile(rf"<\?xml |<{cplex.ROOT}"), Family.CPLEX),
    (re.compile(r'1\s*,\s*"'), Family.XPRESS),
    (re.compile(r"status\s"), Family.QSOPT),
    (re.compile(r"\((?:error|model|objectives|define-fun|=|\()|;"), Family.SMT),
)


def recognise(text: str) -> Family | None:
    """Return the family of a solution, None if it is of none that is known."""
    head = [line.strip() for line in text[:_CHARACTERS].split("\n") if line.strip()]
    if not head:
        return None
    if cbc.SEPARATOR in head[0]:
        return Family.CBC
    for pattern, family in _STARTS:
        if pattern.match(head[0]):
            return family
    if head[0] == "ENDATA" or (
        head[0].startswith("NAME") and head[1:2] and head[1].startswith(("C ", "ENDATA"))
    ):
        return Family.XPRESS
    if any(line in lpsolve.OUTCOMES or line.startswith(lpsolve.OBJECTIVE) for line in head):
        return Family.LP_SOLVE
    return Family.SMT if any(map(_is_answer, head[:_FEW])) else None


def _is_answer(line: str) -> bool:
    """Return whether a line ends in an SMT solver's answer; something may stand before it."""
    words = line.split()
    return (
        line == "success" or "interrupted by timeout" in line or (len(words) < 4 and words[-1] in smt.ANSWERS)
    )
