"""What of a model or a query has no place in a script."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice

import numpy as np

from ensc.compiler.diagnostics import Diagnostic, Rejected
from ensc.compiler.quoting import alternatives, shown
from ensc.compiler.types.model import Model
from ensc.formats.smtlib.header import CATEGORIES

MOST_REPORTED = 10

SAFE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
SAFE_LINES = re.compile(rf"(?:{SAFE.pattern}\n)*")

WORDS = (
    "BINARY DECIMAL HEXADECIMAL NUMERAL STRING as let exists forall match par "
    "assert echo exit maximize minimize pop push reset "
    "true false not and or xor distinct ite implies iff if Bool Int Real "
    "abs div mod to_real to_int is_int select store sin cos tan exp pi sqrt model"
)
RESERVED = frozenset(WORDS.split())
"""Words of the language and of its theories, and what some solver has declared already."""


def require_writable(model: Model, *, objective: bool, meta: Mapping[str, str]) -> None:
    """Refuse what a script cannot hold.

    Args:
        model: what is to be written.
        objective: whether the dialect knows objectives.
        meta: for the header.

    Raises:
        Rejected: E1030 for an objective where there are none, E1031 for integers that are not binary,
            E1032 for names, E1033 for ordered sets, E1034 for numbers that are none, E1035 for a
            category.
    """
    if said := list(islice(_refused(model, objective=objective, meta=meta), MOST_REPORTED)):
        raise Rejected(said)


def _refused(model: Model, *, objective: bool, meta: Mapping[str, str]) -> Iterator[Diagnostic]:
    if len(model.objective.columns) and not objective:
        yield Diagnostic(
            "E1030",
            f"the query asks to {model.objective.sense}, and SMT-LIB has no command for it",
            notes=("an SMT solver decides whether there is a solution, not which one is best",),
            help="compile a `check value < alpha` query; or let `ensc solve` find the optimum by bisection; "
            "or ask for the dialect `z3-opt`, which z3 alone reads",
        )
    if len(model.ordered_sets.members):
        yield Diagnostic(
            "E1033",
            "the model has special ordered sets, and SMT-LIB has none",
            help="compile the query without the formulation `sos`",
        )
    category = meta.get("category", CATEGORIES[0])
    if category not in CATEGORIES:
        yield Diagnostic(
            "E1035",
            f"`{shown(category)}` is no category of the SMT-LIB library",
            help=f"write {alternatives(CATEGORIES)}, in `meta {{ category = ...; }}`",
        )
    names = model.variables.names()
    yield from _bad_names(names)
    yield from _bad_integers(model, names)
    yield from _bad_numbers(model)


def _bad_names(names: list[str]) -> Iterator[Diagnostic]:
    distinct = set(names)
    # Looked at one by one only if the quick test of all of them fails.
    quick = SAFE_LINES.fullmatch("\n".join((*names, "")))
    if quick and len(distinct) == len(names) and not distinct & RESERVED:
        return
    for name, count in Counter(names).items():
        if reason := _fault(name, count):
            yield Diagnostic(
                "E1032",
                f"the variable name `{shown(name)}` {reason}",
                notes=("a name is a letter, then letters, digits and `_`, and no word of SMT-LIB",),
                help="rename it",
            )


def _fault(name: str, count: int) -> str | None:
    if not SAFE.fullmatch(name):
        return "is not one that every solver reads"
    if name in RESERVED:
        return "is a word of SMT-LIB"
    return f"is used {count} times" if count > 1 else None


def _bad_integers(model: Model, names: list[str]) -> Iterator[Diagnostic]:
    variables = model.variables
    binary = (variables.lower > -1) & (variables.upper < 2)
    for i in np.flatnonzero(variables.integer & ~binary).tolist():
        yield Diagnostic(
            "E1031",
            f"the integer `{names[i]}` may be other than 0 and 1",
            notes=("scripts are in QF_LRA, which has reals and Bools only: every solver knows it",),
            help="give it the bounds 0 and 1, or write MPS or LP",
        )


def _bad_numbers(model: Model) -> Iterator[Diagnostic]:
    rows, variables, objective = model.rows, model.variables, model.objective
    finite = (rows.coefficients, objective.coefficients, np.array([objective.constant]))
    if not all(np.isfinite(values).all() for values in finite):
        yield Diagnostic("E1034", "a coefficient of the model is not a number")
    for bounds, what in ((variables, "variable"), (rows, "row")):
        wrong = np.isnan(bounds.lower) | np.isnan(bounds.upper)
        if (wrong | (bounds.lower == np.inf) | (bounds.upper == -np.inf)).any():
            yield Diagnostic("E1034", f"a bound of a {what} is not a number")
