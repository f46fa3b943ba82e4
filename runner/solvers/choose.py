"""From the words of `--solver` to what runs: `cbc`, `highs,z3`, `all`, `command PROGRAM {model}`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from ensc.compiler.diagnostics import reject
from ensc.compiler.quoting import alternatives, shown
from ensc.compiler.words import suggest
from ensc.runner.solvers import cvc5, yices, z3
from ensc.runner.solvers.cbc import CBC
from ensc.runner.solvers.command import PREFIX, Command, parse_command
from ensc.runner.solvers.highs import HIGHS
from ensc.runner.solvers.milp_process import Milp
from ensc.runner.solvers.scip import SCIP
from ensc.runner.solvers.smt import is_smt


@dataclass(frozen=True, slots=True)
class Smt:
    """An SMT solver, by the name that `find_smt` knows."""

    name: str


BackEnd = Milp | Smt | Command


@dataclass(frozen=True, slots=True)
class Listed:
    """A solver that has a name of its own.

    Attributes:
        name: as `--solver` takes it.
        back_end: what runs.
        takes: the formats of the files it is given.
        version: says which one would run, None without one.
        advice: how to install it.
    """

    name: str
    back_end: BackEnd
    takes: str
    version: Callable[[], str | None]
    advice: str


SOLVERS = (
    *(Listed(m.name.lower(), m, "mps", m.version, m.advice) for m in (CBC, HIGHS, SCIP)),
    Listed("z3", Smt("z3"), "smt2", z3.version, z3.ADVICE),
    Listed("cvc5", Smt("cvc5"), "smt2", cvc5.version, cvc5.ADVICE),
    Listed("yices", Smt("yices"), "smt2", yices.version, yices.ADVICE),
)


def choose_solvers(text: str) -> tuple[BackEnd, ...]:
    """Return the back ends that `--solver` names, in order.

    Args:
        text: `all` for every one that is installed, a `command`, or names with commas between.

    Raises:
        Rejected: E1113 if a name is not known, E1114 for a command that cannot be run, E1117 if `all` finds
            none.
    """
    if text.strip() == "command" or text.lstrip().startswith(PREFIX):
        return (parse_command(text.strip().removeprefix("command")),)
    if text.strip() == "all":
        return _installed()
    return tuple(dict.fromkeys(_named(word.strip()) for word in text.split(",")))


def solver_name(solver: BackEnd) -> str:
    """Return the word that names a back end in reports."""
    match solver:
        case Milp():
            return solver.name.lower()
        case Smt() | Command():
            return solver.name
        case _:
            assert_never(solver)


def identity(solver: BackEnd) -> str:
    """Return the name and version of what runs; where it has no version to tell, its word alone."""
    versions = (listed.version() for listed in SOLVERS if listed.back_end == solver)
    return next((version for version in versions if version is not None), solver_name(solver))


def _installed() -> tuple[BackEnd, ...]:
    found = tuple(solver.back_end for solver in SOLVERS if solver.version() is not None)
    if not found:
        reject(
            "E1117",
            "no solver is installed",
            help="install one, for example `pip install 'ensc-compiler[solve]'`; `ensc solvers` lists them",
        )
    return found


def _named(word: str) -> BackEnd:
    known = {solver.name: solver.back_end for solver in SOLVERS}
    if word in known:
        return known[word]
    if is_smt(word):
        return Smt(word)
    close = suggest(word, known)
    names = alternatives([*known, "pysmt:NAME", "all", "command ..."])
    reject(
        "E1113",
        f"there is no solver `{shown(word)}`",
        help=f"did you mean `{close}`?" if close else f"known are {names}",
    )
