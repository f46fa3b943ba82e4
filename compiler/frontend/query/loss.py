"""When a member counts as fooled (Gross et al. 2020, Definition 4, and its targeted variant)."""

from collections.abc import Mapping
from fractions import Fraction

from ensc.compiler.diagnostics import Diagnostic, Label, Rejected, Span, reject
from ensc.compiler.frontend.query.arguments import bind
from ensc.compiler.frontend.query.clauses import number_of, refuse_value, word_of
from ensc.compiler.frontend.query.expressions import Environment, Located
from ensc.compiler.frontend.query.expressions import integer as evaluate_integer
from ensc.compiler.frontend.query.report import Report
from ensc.compiler.frontend.query.sections import Sections, clauses
from ensc.compiler.quoting import number as number_text
from ensc.compiler.types.problem import Loss, Targeted, Untargeted
from ensc.compiler.types.syntax import Call, Clause, Interval

WORDS = ("zero_one", "targeted", "ties", "margin")
TIES = ("misclassified", "correct")
ADVICE = "for example `margin 1e-6`, in the units of the networks' outputs"


def read_loss(sections: Sections, environment: Environment) -> Located[Loss]:
    """Read the `loss` statement; without one the loss is `zero_one, ties misclassified`.

    Returns:
        The loss, at the place that states it.

    Raises:
        Rejected: the clauses contradict one another, or a strict comparison lacks its margin.
    """
    report = Report()
    found = clauses(sections.loss, "loss", WORDS, report)
    if "zero_one" in found and "targeted" in found:
        first, second = sorted((found["zero_one"], found["targeted"]), key=lambda c: c.span.start)
        related = (Label(first.span, "first here"),)
        message = "a query has one loss, and this is a second one"
        report.add(Diagnostic("E0206", message, Label(second.span), related))
    margin = report.attempt(_read_margin, found.get("margin"), environment)
    if report.failed:
        raise Rejected(report.said)
    read = _read_targeted if "targeted" in found else _read_untargeted
    loss = read(found, margin, environment)
    place = found["targeted"].span if "targeted" in found else sections.start
    return Located(loss, place)


def _read_margin(clause: Clause | None, environment: Environment) -> Located[Fraction] | None:
    if clause is None:
        return None
    margin = number_of(clause, environment, "margin 1e-6")
    if margin.value < 0:
        found = f"this is {number_text(margin.value)}"
        reject("E0910", "a margin is not negative", margin.span, found)
    return Located(margin.value, clause.span)


def _read_untargeted(
    found: Mapping[str, Clause], margin: Located[Fraction] | None, _environment: Environment
) -> Loss:
    if "zero_one" in found:
        refuse_value(found["zero_one"])
    ties = word_of(found["ties"], TIES) if "ties" in found else None
    if ties == "correct":
        _require_margin(margin, found["ties"].span, "ties are correct only by a margin")
    if ties == "misclassified" and margin and margin.value > 0:
        reject(
            "E0911",
            "a margin above 0 makes a tie correct",
            margin.span,
            related=(Label(found["ties"].span, "but ties are misclassified"),),
            help="leave out the margin, or write `ties correct`",
        )
    return Untargeted(margin.value if margin else Fraction(0))


def _read_targeted(
    found: Mapping[str, Clause], margin: Located[Fraction] | None, environment: Environment
) -> Loss:
    clause = found["targeted"]
    if "ties" in found:
        reject(
            "E0908",
            "`ties` has no meaning with a targeted loss",
            found["ties"].span,
            related=(Label(clause.span, "the target must win by the margin, so no tie counts"),),
            help="leave out `ties`",
        )
    label = _read_target(clause, environment)
    _require_margin(margin, clause.span, "the target must win by a margin")
    assert margin is not None  # required
    return Targeted(label, margin.value)


def _read_target(clause: Clause, environment: Environment) -> int:
    match clause.value:
        case None:
            reject("E0211", "`targeted` needs `label`", clause.span, help="`targeted(label = 3)`")
        case Call():
            arguments = bind(clause.value, ("label",), 1, environment)
            arguments.required("label", "targeted(label = 3)")
            label = arguments.integer("label")
            assert label is not None  # required
            return label.value
        case _ if isinstance(clause.value, Interval):
            reject("E0208", "`targeted` needs `label`", clause.span, help="`targeted(label = 3)`")
        case _:
            return evaluate_integer(clause.value, environment, "`label`")


def _require_margin(margin: Located[Fraction] | None, place: Span, why: str) -> None:
    """Reject a strict comparison of outputs without a margin: no target can hold `<`."""
    if margin is None:
        reject("E0909", f"{why}, and none is given", place, help=f"add one: {ADVICE}")
    if margin.value == 0:
        message = f"{why} above 0"
        reject("E0909", message, margin.span, "this is 0", help=f"give one: {ADVICE}")
