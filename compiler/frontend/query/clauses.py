"""Reading what follows the words of an `input`, `attack` or `loss` statement."""

from collections.abc import Sequence
from fractions import Fraction

from ensc.compiler.diagnostics import reject
from ensc.compiler.frontend.query.expressions import Environment, Located, integer, number
from ensc.compiler.frontend.query.known import require_known
from ensc.compiler.quoting import alternatives
from ensc.compiler.types.syntax import Call, Clause, Expression, Interval, Name


def word_of(clause: Clause, words: Sequence[str], code: str = "E0207") -> str:
    """Return the word that a clause gives, one of several.

    Args:
        clause: the clause.
        words: what it may be.
        code: of the diagnostic for any other word.

    Raises:
        Rejected: it is none of them, or no word.
    """
    subject, value = clause.word.text, clause.value
    if not isinstance(value, Name):
        span = value.span if value else clause.word.span
        reject("E0208", f"`{subject}` must be followed by a word", span, f"expected {alternatives(words)}")
    require_known(value, words, code, f"unknown {subject} `{value.text}`")
    return value.text


def expression_of(clause: Clause, example: str) -> Expression:
    """Return the expression that a clause gives.

    Raises:
        Rejected: it gives none.
    """
    value = clause.value
    if value is None or isinstance(value, Interval | Call):
        span = value.span if value else clause.word.span
        message = f"`{clause.word.text}` must be followed by a number"
        reject("E0208", message, span, help=f"for example `{example}`")
    return value


def number_of(clause: Clause, environment: Environment, example: str) -> Located[Fraction]:
    """Return the number that a clause gives.

    Raises:
        Rejected: it gives none.
    """
    expression = expression_of(clause, example)
    what = f"`{clause.word.text}`"
    return Located(number(expression, environment, what), expression.span)


def integer_of(clause: Clause, environment: Environment, example: str) -> Located[int]:
    """Return the whole number that a clause gives.

    Raises:
        Rejected: it gives none.
    """
    expression = expression_of(clause, example)
    what = f"`{clause.word.text}`"
    return Located(integer(expression, environment, what), expression.span)


def refuse_value(clause: Clause) -> None:
    """Check that nothing follows the word of a clause.

    Raises:
        Rejected: something does.
    """
    if clause.value is not None:
        message = f"nothing follows `{clause.word.text}`"
        reject("E0208", message, clause.value.span, "not expected here")
