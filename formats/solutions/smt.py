"""Answers of SMT solvers: what z3, cvc5, CVC4 and Yices print after `check-sat`, `get-value`, `get-model`.

    sat
    ((x (/ 1 3)) (y (- 2.0)))

An answer counts only if nothing suspicious stands beside it: z3 prints `(error ...)` for a script that it
could not read and then still answers `sat`. `sat` is FEASIBLE, `unsat` INFEASIBLE.
"""

import contextlib
from dataclasses import dataclass, field
from fractions import Fraction

from ensc.compiler.diagnostics import Rejected, Source
from ensc.compiler.quoting import shown
from ensc.compiler.types.solution import Solution, Status
from ensc.formats.solutions.scan import (
    Values,
    answer,
    contradiction,
    cut_short,
    last_line,
    malformed,
    nearest,
    put,
)
from ensc.formats.solutions.terms import Piece, Term, Words, constant, is_rounded, pieces, symbol

ANSWERS = frozenset({"sat", "unsat", "unknown", "timeout"})

_SORTS = frozenset({"Real", "Int", "Bool"})

_NO_VALUES = ("declare-", "define-", "forall")  # other things that solvers list in a model

# Errors that say no more than that there is no model to print.
_ABOUT_THE_MODEL = ("model", "get-value", "get value", "unsatisfiable")

_KEPT = 3
_LONGEST = 100


@dataclass(slots=True)
class _Said:
    """What has been read so far.

    Attributes:
        answers: the answers to `check-sat`.
        doubts: what makes them incredible: errors, crashes, anything unexpected.
        remarks: errors and reasons that do not.
        values: of the variables.
        objectives: of z3's optimization, None for one without an exact rational value.
        rounded: how many values are decimals with digits after the point.
    """

    answers: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    values: Values = field(default_factory=dict)
    objectives: list[Fraction | None] = field(default_factory=list)
    rounded: int = 0


def read_smt(text: str, source_name: str) -> Solution:
    """Read what an SMT solver printed for one `check-sat`.

    Values are exact. Names that are not listed are not zero, as they are in files of MILP solvers: ask the
    solver for every name.

    Yices prints irrational numbers as rounded decimals that nothing marks, but rationals as ratios; decimals
    are read as printed, and the message counts them.

    Args:
        text: its output.
        source_name: a name for it, for messages.

    Raises:
        Rejected: E1252 to E1255, E1257 and E1258, with the line.
    """
    source = Source(source_name, text)
    said = _Said()
    head: list[Piece] = []  # the first elements of the form being read
    for item in pieces(source):
        if isinstance(item, Words):
            _words(item, said)
            continue
        if head and head[0].form != item.form:
            head = []
        if len(head) < 3:
            head.append(item)
        _element(item, head, said)
    return _solution(said, source)


def _solution(said: _Said, source: Source) -> Solution:
    if not (said.answers or said.doubts or said.values):
        cut_short(source, "the answer `sat`, `unsat` or `unknown`")
    if sum(word in ("sat", "unsat") for word in said.answers) > 1:
        contradiction("several answers", last_line(source), "give the output of one `check-sat`")
    rounded = [f"{said.rounded} values are decimals, perhaps rounded"] if said.rounded else []
    message = "; ".join([*said.answers, *said.doubts, *said.remarks, *rounded])
    status = _status(said)
    optimum = said.objectives[0] if len(said.objectives) == 1 else None
    if status is Status.FEASIBLE and optimum is not None:  # z3 answers `sat` when it has the optimum
        return answer(Status.OPTIMAL, said.values, objective=nearest(optimum), message=message)
    return answer(status, said.values, message=message)


def _status(said: _Said) -> Status:
    match said.answers:
        case ["sat"] if not said.doubts:
            return Status.FEASIBLE
        case ["unsat"] if not said.doubts:
            return Status.INFEASIBLE
        case _:
            return Status.UNKNOWN


def _words(words: Words, said: _Said) -> None:
    if words.text in ANSWERS:
        _keep(words.text, said.answers)
    elif words.text != "success":
        _keep(words.text, said.doubts)


def _element(piece: Piece, head: list[Piece], said: _Said) -> None:
    """Take one element of a form; what it means, the first element says."""
    first, count = head[0].term, len(head)
    if isinstance(first, tuple) or (first == "model" and count > 1):
        _entry(piece, said)
    elif first == "error" and count == 2 and piece is head[1]:
        _error(piece, said)
    elif first == "=" and count == 3 and piece is head[2]:
        _store(head[1].term, piece, piece.term, said)
    elif first == "objectives" and count > 1:
        said.objectives = [*said.objectives[:1], _optimum(piece)]
    elif first == ":reason-unknown" and count == 2 and piece is head[1]:
        _keep(piece.line.text.strip('"'), said.remarks)
    elif first not in ("model", "error", "=", "objectives") and first[0] != ":":
        malformed(piece.line, "an answer of an SMT solver: values, a model or an error")


def _entry(piece: Piece, said: _Said) -> None:
    match piece.term:
        case ("define-fun", name, (), str(sort), value) if sort in _SORTS:
            _store(name, piece, value, said)
        case (str(word), *_) if word.startswith(_NO_VALUES):
            pass
        case (name, value):
            _store(name, piece, value, said)
        case _:
            malformed(piece.line, "a name and a value in parentheses")


def _store(name: Term, piece: Piece, value: Term, said: _Said) -> None:
    known = symbol(name)
    if known is None:  # the value of a term: no variable
        return
    exact = constant(value, piece.line)
    said.rounded += "." in piece.line.text and is_rounded(value)
    if said.values.get(known) != exact:  # a model may repeat what `get-value` printed
        put(said.values, known, exact, piece.line)


def _error(piece: Piece, said: _Said) -> None:
    words = piece.line.text.strip('"')
    harmless = bool(said.answers) and any(part in words for part in _ABOUT_THE_MODEL)
    _keep(f"error: {words}", said.remarks if harmless else said.doubts)


def _keep(words: str, said: list[str]) -> None:
    """Keep the first few: one is enough to decide, and there may be millions."""
    if len(said) < _KEPT:
        said.append(shown(words, _LONGEST))


def _optimum(piece: Piece) -> Fraction | None:
    """Return the value of an objective; None for infinity, an interval, or a limit that is not attained."""
    if isinstance(piece.term, tuple) and len(piece.term) == 2:
        with contextlib.suppress(Rejected):
            return constant(piece.term[1], piece.line)
    return None
