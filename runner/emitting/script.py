"""A compiled query as an SMT-LIB script, and the status that the script may claim."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from ensc.compiler.passes.notes import describe
from ensc.compiler.pipeline import Compiled
from ensc.compiler.types.problem import Check, EnsembleProblem, Expectation, ExpectedVerdict
from ensc.formats.smtlib import Dialect, Relu, Status, write_smtlib

_ROW_INDEX = "rows r"
"""Lines of the header that name rows, which have no names in a script."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a script is written.

    Attributes:
        relu: rectifiers as disjunctions with the rows of their relaxation, or as `ite`.
        dialect: what every SMT solver reads, or z3's with `maximize`.
    """

    relu: Relu = "or"
    dialect: Dialect = "standard"


def write_script(compiled: Compiled, form: Form, status: Status | None = None) -> Iterator[bytes]:
    """Return the script of a compiled query, in chunks.

    Args:
        compiled: the query.
        form: how it is written.
        status: what is known of its answer; what the query expects, unless given.

    Raises:
        Rejected: E1030 to E1035, as `write_smtlib`.
    """
    problem, attacks = compiled.problem, compiled.attacks
    known = expected_status(problem, attacks) if status is None else status
    notes = describe(problem, compiled.model, form=f"-O{compiled.level}", attacks=attacks)
    own = tuple(line for line in notes if not line.startswith(_ROW_INDEX))
    model = dataclasses.replace(compiled.model, notes=own)
    return write_smtlib(model, relu=form.relu, dialect=form.dialect, status=known, meta=problem.meta)


def expected_status(problem: EnsembleProblem, attacks: int) -> Status:
    """Return what the `expect` statement of a query says of a model with so many attacks."""
    return status_of(problem, *expected_answer(problem.expectation), attacks)


def expected_answer(expectation: Expectation | None) -> tuple[str, int | None]:
    """Return the verdict that a query expects and the attacks it is about; `unknown` if it names none."""
    if isinstance(expectation, ExpectedVerdict):
        return expectation.verdict, expectation.count
    return "unknown", None


def status_of(problem: EnsembleProblem, answer: str, count: int | None, attacks: int) -> Status:
    """Return what an answer to a query says of its model with so many attacks.

    A model is satisfiable if a mixture of its number of attacks reaches alpha. `robust` excludes all
    mixtures, `robust_up_to(k)` those of k attacks, and what is not robust has an attack in a model with as
    many as are always enough, or as many as the query allows.

    Args:
        problem: the query; only `check` has such a status.
        answer: `robust`, `robust_up_to`, `not_robust`, or another word, which says nothing.
        count: of the attacks that `robust_up_to` is about.
        attacks: the number in the model.
    """
    if not isinstance(problem.goal, Check):
        return "unknown"
    held = problem.threat.count if count is None else count
    match answer:
        case "robust":
            return "unsat"
        case "robust_up_to" if attacks <= held:
            return "unsat"
        case "not_robust" if attacks >= min(problem.threat.count, problem.enough_attacks):
            return "sat"
        case _:
            return "unknown"
