"""The objective and the rows of an LP file."""

import re
from dataclasses import dataclass, field

from ensc.compiler.quoting import shown
from ensc.formats.draft import Draft
from ensc.formats.lp.scan import FLIPPED, IMPOSSIBLE, NAME, NUMBER, Scanner, Token
from ensc.formats.names import fresh
from ensc.formats.numbers import INFINITY

TERM = re.compile(rf"\s*(?P<sign>[+-])\s*(?P<number>{NUMBER})?\s*(?P<name>{NAME})")
"""An ordinary term; this one pattern reads nearly all of a file."""

LABEL = re.compile(rf"\s*(?P<name>{NAME})\s*:(?!:)")

INDICATOR = re.compile(rf"\s*(?P<name>{NAME})\s*=\s*(?P<value>{NUMBER})\s*->")

LEFT = re.compile(rf"\s*[+-]?\s*(?:{NUMBER}|inf(?:inity)?)\s*[<>=]", re.IGNORECASE)


@dataclass(slots=True)
class Expression:
    """A sum of terms.

    Attributes:
        columns: of the terms.
        values: their coefficients.
        starts: their offsets.
        constant: the sum of the numbers without a variable.
        constant_at: the last such number, None if there is none.
    """

    columns: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    constant: float = 0.0
    constant_at: Token | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was there."""
        return not self.columns and self.constant_at is None


def read_objective(scan: Scanner, draft: Draft) -> None:
    """Read the section `Minimize` or `Maximize`; numbers without a variable are its constant.

    Raises:
        Rejected: E1225, E1226, E1227, E1229 or E1231.
    """
    _label(scan)
    sum_ = _expression(scan, draft)
    rest = scan.peek()
    if rest.kind != "end":
        scan.unexpected(rest, "+ or -, or `Subject To` on the next line")
    draft.costs = dict(zip(sum_.columns, sum_.values, strict=True))
    draft.constant = sum_.constant


def read_rows(scan: Scanner, draft: Draft) -> dict[int, Token]:
    """Read the section `Subject To`.

    Returns:
        Where the indicators of rows are, by row.

    Raises:
        Rejected: E1225, E1226, E1227, E1229, E1231 or E1235.
    """
    unnamed: list[int] = []
    labels: dict[str, Token] = {}
    switches: dict[int, Token] = {}
    while scan.peek().kind != "end":
        label = _label(scan)
        # A row that has no name gets one when all others are known; until then its place stands for it.
        name = label.text if label else f" {len(draft.rows)}"
        if label and name in labels:
            related = (scan.label(labels[name], "the first one"),)
            scan.reject("E1231", f"two rows are called `{shown(name)}`", label, related=related)
        row = draft.row(name)
        if label:
            labels[name] = label
        else:
            unnamed.append(row)
        _row(scan, draft, row, switches)
    _name_rows(draft, unnamed)
    return switches


def _name_rows(draft: Draft, unnamed: list[int]) -> None:
    names, taken = list(draft.rows), {name.lower() for name in draft.rows}
    for row in unnamed:
        names[row] = fresh(f"r{row + 1}", taken)
        taken.add(names[row].lower())
    draft.rows = {name: row for row, name in enumerate(names)}


def _label(scan: Scanner) -> Token | None:
    found = scan.match(LABEL)
    if found is None:
        return None
    scan.position = found.end()
    return Token("name", found["name"], found.start("name"))


def _row(scan: Scanner, draft: Draft, row: int, switches: dict[int, Token]) -> None:
    """Read `[z = 1 ->] sum <= number`, `number <= sum` or `number <= sum <= number`."""
    if found := scan.match(INDICATOR):
        scan.position = found.end()
        switches[row] = Token("name", found["name"], found.start("name"))
        if found["value"] not in {"0", "1"}:
            scan.reject(
                "E1234",
                "a row depends on the value 0 or 1 of a binary",
                Token("number", found["value"], found.start("value")),
                "expected 0 or 1",
            )
        draft.indicators[row] = draft.column(found["name"]), found["value"] == "1"
    left = _left_side(scan) if scan.match(LEFT) else None
    sum_ = _expression(scan, draft)
    if sum_.constant_at is not None:
        scan.reject(
            "E1235",
            "a number without a variable stands among the terms of a row",
            sum_.constant_at,
            help="bring all numbers to the right",
        )
    if sum_.is_empty:
        scan.unexpected(scan.peek(), "a term such as `3 x`")
    if left is not None:
        _bound(draft, row, *left)
    if left is None or scan.peek().kind == "relation":
        relation, token = scan.relation("+, -, <=, >= or =")
        if left and (relation == "=" or relation != FLIPPED[left[0]]):
            scan.reject("E1229", "a row between two numbers has <= or >= twice", token)
        value, number = scan.bound()
        _check_side(scan, relation, value, number)
        _bound(draft, row, relation, value)
    for column, value in zip(sum_.columns, sum_.values, strict=True):
        draft.enter(row, column, value)
    rest = scan.peek()
    if rest.kind == "arrow":
        scan.unexpected(rest, "`->`, behind a binary and its value")
    if not scan.starts_line(rest):
        scan.reject("E1235", "a row ends with one number", rest, "bring this to the left or the next line")


def _left_side(scan: Scanner) -> tuple[str, float]:
    """Read a number and the relation behind it; return how the sum relates to the number."""
    value, number = scan.bound()
    relation, _ = scan.relation()
    _check_side(scan, FLIPPED[relation], value, number)
    return FLIPPED[relation], value


def _check_side(scan: Scanner, relation: str, value: float, number: Token) -> None:
    if value in IMPOSSIBLE[relation]:
        scan.reject("E1226", "no number satisfies this row", number, "expected a finite number")


def _bound(draft: Draft, row: int, relation: str, value: float) -> None:
    if relation in {">=", "="}:
        draft.row_lower[row] = value
    if relation in {"<=", "="}:
        draft.row_upper[row] = value


def _expression(scan: Scanner, draft: Draft) -> Expression:
    """Read terms as far as there are any."""
    sum_ = Expression()
    while True:
        found = scan.match(TERM)
        if found is None:
            if not _unusual_term(scan, draft, sum_):
                break
            continue
        sign, number, name = found.groups()
        value = 1.0 if number is None else float(number)
        sum_.columns.append(draft.column(name))
        sum_.values.append(-value if sign == "-" else value)
        sum_.starts.append(found.start("name"))
        scan.position = found.end()
    if len(set(sum_.columns)) < len(sum_.columns):
        _reject_repeated(scan, sum_)
    largest = max(map(abs, sum_.values), default=0.0)
    if largest >= INFINITY:
        at = next(i for i, value in enumerate(sum_.values) if abs(value) == largest)
        token = _name_at(scan, sum_.starts[at])
        scan.reject("E1226", f"the coefficient of `{shown(token.text)}` is too large", token)
    return sum_


def _unusual_term(scan: Scanner, draft: Draft, sum_: Expression) -> bool:
    """Read a first term without a sign, one with several signs, or a number alone; False if there is none."""
    token, negative, signs = scan.peek(), False, 0
    before = scan.position
    while token.kind == "sign":
        negative ^= token.text == "-"
        signs += 1
        scan.take()
        token = scan.peek()
    if token.kind not in {"number", "name"}:
        if signs:
            scan.unexpected(token, "a number or a variable")
        return False
    if not signs and not sum_.is_empty:
        scan.position = before
        return False
    value, number = 1.0, None
    if token.kind == "number":
        number = scan.take()
        value = float(number.text)
        token = scan.peek()
        if token.kind in {"reserved", "misspelt", "other"}:
            scan.unexpected(token, "the name of a variable")
    value = -value if negative else value
    if token.kind != "name":
        assert number is not None
        sum_.constant += value
        sum_.constant_at = number
        return True
    scan.take()
    sum_.columns.append(draft.column(token.text))
    sum_.values.append(value)
    sum_.starts.append(token.start)
    return True


def _reject_repeated(scan: Scanner, sum_: Expression) -> None:
    seen: dict[int, int] = {}
    for column, start in zip(sum_.columns, sum_.starts, strict=True):
        if column in seen:
            first, again = (_name_at(scan, place) for place in (seen[column], start))
            scan.reject(
                "E1231",
                f"the variable `{shown(again.text)}` has two coefficients",
                again,
                related=(scan.label(first, "the first one"),),
                notes=("some readers take the last one, some the sum",),
                help="write their sum",
            )
        seen[column] = start


def _name_at(scan: Scanner, start: int) -> Token:
    scan.position = start
    return scan.peek()
