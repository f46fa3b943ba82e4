"""The attacker: legal inputs, norm, radius, number of attacks (Gross et al. 2020, Definition 3)."""

from dataclasses import dataclass
from fractions import Fraction

from ensc.compiler.diagnostics import Diagnostic, Label, Rejected, Span, reject
from ensc.compiler.frontend.query.clauses import expression_of, integer_of, number_of, word_of
from ensc.compiler.frontend.query.expressions import Environment, Located
from ensc.compiler.frontend.query.parameters import Limits, limits
from ensc.compiler.frontend.query.report import Report, already_reported
from ensc.compiler.frontend.query.sections import Sections, clauses
from ensc.compiler.quoting import number as number_text
from ensc.compiler.types.problem import Domain, Norm, ThreatModel
from ensc.compiler.types.syntax import AttackStatement, Clause, InputStatement, Interval, Name

INPUT_WORDS = ("domain", "layout")
ATTACK_WORDS = ("norm", "radius", "count")
LAYOUTS = ("NCHW", "NHWC")
MOST_ATTACKS = 1000


@dataclass(frozen=True, slots=True)
class InputSpace:
    """What an `input` statement says.

    Attributes:
        domain: legal inputs.
        domain_place: where the query says so.
        layout: how images lie in the data, if stated.
    """

    domain: Domain
    domain_place: Span
    layout: Located[str] | None


def read_input(sections: Sections, environment: Environment) -> InputSpace:
    """Read the `input` statement.

    Raises:
        Rejected: the domain is missing or empty, or a clause is wrong.
    """
    report = Report()
    found = clauses(sections.input, "input", INPUT_WORDS, report)
    place = sections.input.span if sections.input else sections.start
    domain = report.attempt(
        _read_domain,
        found.get("domain"),
        environment,
        place,
        unsure=_has_unknown(sections.input, INPUT_WORDS),
    )
    layout = report.attempt(_read_layout, found["layout"]) if "layout" in found else None
    if domain is None or report.failed:
        raise Rejected(report.said)
    return InputSpace(Domain(domain.lower, domain.upper), domain.span, layout)


def read_threat(
    sections: Sections,
    domain: Domain | None,
    environment: Environment,
    range_of_radius: Limits | None,
    report: Report,
) -> ThreatModel | None:
    """Read the `attack` statement.

    Args:
        sections: of the query.
        domain: legal inputs; None where they could not be read.
        environment: the meaning of names.
        range_of_radius: where the goal varies the radius, its range; the threat has its upper end.
        report: takes mistakes and warnings.

    Returns:
        The attacker, or None where something is wrong.
    """
    found = clauses(sections.attack, "attack", ATTACK_WORDS, report)
    norm = report.attempt(_read_norm, found.get("norm"))
    place = sections.attack.span if sections.attack else sections.start
    radius = report.attempt(
        _read_radius,
        found.get("radius"),
        environment,
        range_of_radius,
        place,
        unsure=_has_unknown(sections.attack, ATTACK_WORDS),
    )
    members = len(sections.ensemble.members) if sections.ensemble else 1
    count = report.attempt(_read_count, found.get("count"), environment, members)
    if norm is None or radius is None or count is None or domain is None:
        return None
    if norm is Norm.L0 and radius.value.denominator != 1:
        report.add(_fractional(radius))
    automatic = "count" not in found or _is_auto(found["count"])
    return ThreatModel(norm, radius.value, domain, count, automatic)


def _has_unknown(statement: InputStatement | AttackStatement | None, words: tuple[str, ...]) -> bool:
    """Say whether a clause is misspelt; it may be the one that seems to be missing."""
    return statement is not None and any(c.word.text not in words for c in statement.clauses)


def _read_domain(clause: Clause | None, environment: Environment, place: Span, *, unsure: bool) -> Limits:
    if clause is None and unsure:
        raise already_reported()
    if clause is None:
        reject(
            "E0802",
            "the query does not say which inputs are legal",
            place,
            "`input domain` is missing; it has no default",
            help="add `input domain [0, 1];`, or `input domain unbounded;` (the paper's setting)",
        )
    match clause.value:
        case Interval():
            return limits(clause.value, environment, "`domain`")
        case Name(text="unbounded"):
            return Limits(None, None, clause.span)
        case _:
            word_of(clause, ("unbounded", "[lower, upper]"))
            raise AssertionError


def _read_layout(clause: Clause) -> Located[str]:
    return Located(word_of(clause, LAYOUTS), clause.span)


def _read_norm(clause: Clause | None) -> Norm:
    if clause is None:
        return Norm.L1
    if isinstance(clause.value, Name) and clause.value.text == "L2":
        reject(
            "E1003",
            "the norm L2 is quadratic, and every target is linear",
            clause.value.span,
            "expected L1, Linf or L0",
            help="the L1 ball of the same radius lies inside the L2 ball, "
            "the L1 ball of sqrt(d) times the radius around it",
        )
    return Norm(word_of(clause, [norm.value for norm in Norm], "E0202"))


def _read_radius(
    clause: Clause | None,
    environment: Environment,
    varied: Limits | None,
    place: Span,
    *,
    unsure: bool,
) -> Located[Fraction]:
    if clause is None and unsure:
        raise already_reported()
    if clause is None:
        advice = "add `radius ...`, in the units of `input domain`: `attack norm L1, radius 1/10;`"
        reject("E0905", "the query does not say how strong the attacker is", place, help=advice)
    if environment.unknown is not None:
        return _varied_radius(clause, environment, varied)
    radius = number_of(clause, environment, "radius 1/10")
    if radius.value < 0:
        found = f"this is {number_text(radius.value)}"
        reject("E0903", "the radius of a ball is not negative", radius.span, found)
    return radius


def _varied_radius(clause: Clause, environment: Environment, varied: Limits | None) -> Located[Fraction]:
    unknown = environment.unknown
    if unknown not in environment.declared:
        raise already_reported()
    expression = expression_of(clause, f"radius {unknown}")
    if not isinstance(expression, Name) or expression.text != unknown:
        reject(
            "E0914",
            f"the goal varies `{unknown}`, so the radius must be `{unknown}` itself",
            expression.span,
            help=f"write `radius {unknown}`",
        )
    if varied is None or varied.upper is None:
        raise already_reported()
    return Located(varied.upper, expression.span)


def _read_count(clause: Clause | None, environment: Environment, members: int) -> int:
    if clause is None or _is_auto(clause):
        return members
    count = integer_of(clause, environment, "count auto")
    if not 1 <= count.value <= MOST_ATTACKS:
        reject(
            "E0904",
            f"the number of attacks must be from 1 to {MOST_ATTACKS}",
            count.span,
            f"this is {number_text(Fraction(count.value))}",
            help="`count auto` is as many as there are members, which is always enough",
        )
    return count.value


def _is_auto(clause: Clause) -> bool:
    return isinstance(clause.value, Name) and clause.value.text == "auto"


def _fractional(radius: Located[Fraction]) -> Diagnostic:
    whole = radius.value.numerator // radius.value.denominator
    found = f"{number_text(radius.value)} allows as many changes as {whole}"
    message = "the radius of an L0 ball counts changed coordinates"
    return Diagnostic("W0904", message, Label(radius.span, found))
