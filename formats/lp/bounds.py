"""The sections of an LP file that say what values columns may have."""

from ensc.compiler.quoting import shown
from ensc.formats.draft import INF, Draft
from ensc.formats.lp.scan import FLIPPED, IMPOSSIBLE, Scanner, Token


def read_bounds(scan: Scanner, draft: Draft) -> None:
    """Read the section `Bounds`.

    Raises:
        Rejected: E1225, E1226, E1229, E1230, E1231, E1233 or E1235.
    """
    reader = _Bounds(scan, draft)
    while (token := scan.peek()).kind != "end":
        if not scan.starts_line(token):
            scan.unexpected(token, "one bound a line")
        reader.read()
    for column, token in reader.uppers.items():
        if draft.upper[column] < 0 and column not in draft.lower:
            scan.reject(
                "E1233",
                f"`{shown(token.text)}` has a negative upper bound and no lower bound",
                token,
                notes=("some readers keep the lower bound 0, others take -infinity",),
                help=f"write `-inf <= {shown(token.text)} <= {draft.upper[column]:g}`, if that is meant",
            )


class _Bounds:
    """What the section has said so far.

    Attributes:
        lowers: the name where the lower bound of a column is stated first.
        uppers: likewise its upper bound.
    """

    def __init__(self, scan: Scanner, draft: Draft) -> None:
        """Start before the first bound."""
        self.scan = scan
        self.draft = draft
        self.lowers: dict[int, Token] = {}
        self.uppers: dict[int, Token] = {}

    def read(self) -> None:
        """Read `x <= 3`, `1 <= x`, `1 <= x <= 3`, `x = 2` or `x free`."""
        scan = self.scan
        first = scan.peek()
        if first.kind == "name":
            scan.take()
            column = scan.known(first, self.draft.columns)
            if scan.peek().text.lower() == "free":
                scan.take()
                self._state(column, first, -INF, is_upper=False)
                self._state(column, first, INF, is_upper=True)
            else:
                relation, _ = scan.relation()
                self._relate(column, first, relation, *scan.bound())
            return
        value, number = scan.bound()
        relation, _ = scan.relation()
        name = scan.take()
        column = scan.known(name, self.draft.columns)
        self._relate(column, name, FLIPPED[relation], value, number)
        if scan.peek().kind == "relation":
            again, token = scan.relation()
            if again != relation or again == "=":
                scan.reject("E1229", "a variable between two numbers has <= or >= twice", token)
            self._relate(column, name, again, *scan.bound())

    def _relate(self, column: int, name: Token, relation: str, value: float, number: Token) -> None:
        if value in IMPOSSIBLE[relation]:
            self.scan.reject("E1226", "no number satisfies this bound", number, "expected a finite number")
        if relation in {">=", "="}:
            self._state(column, name, value, is_upper=False)
        if relation in {"<=", "="}:
            self._state(column, name, value, is_upper=True)

    def _state(self, column: int, name: Token, value: float, *, is_upper: bool) -> None:
        side, bounds, stated = "lower", self.draft.lower, self.lowers
        if is_upper:
            side, bounds, stated = "upper", self.draft.upper, self.uppers
        if bounds.setdefault(column, value) != value:
            self.scan.reject(
                "E1231",
                f"the {side} bound of `{shown(name.text)}` is stated twice, and differently",
                name,
                related=(self.scan.label(stated[column], "the first one"),),
                notes=("some readers use the first one, others the last one",),
                help="keep one of them",
            )
        stated.setdefault(column, name)


def read_integers(scan: Scanner, draft: Draft) -> None:
    """Read the section `Generals`.

    Raises:
        Rejected: E1229 or E1230.
    """
    while scan.peek().kind != "end":
        draft.integer[scan.known(scan.take(), draft.columns)] = True


def read_binaries(scan: Scanner, draft: Draft) -> None:
    """Read the section `Binaries`; bounds within [0, 1] that are stated elsewhere stay.

    Raises:
        Rejected: E1229, E1230 or E1233.
    """
    while scan.peek().kind != "end":
        token = scan.take()
        column = scan.known(token, draft.columns)
        draft.integer[column] = True
        lower, upper = draft.lower.setdefault(column, 0.0), draft.upper.setdefault(column, 1.0)
        if lower < 0 or upper > 1:
            scan.reject(
                "E1233",
                f"the binary `{shown(token.text)}` has bounds outside [0, 1]",
                token,
                notes=("some readers keep these bounds, others replace them by 0 and 1",),
                help="leave out its bounds, or list it under Generals",
            )


def read_ordered_sets(scan: Scanner, draft: Draft) -> None:
    """Read the section `SOS`; the members of a set are put in the order of their weights.

    Raises:
        Rejected: E1225, E1227, E1229, E1230 or E1231.
    """
    while scan.peek().kind != "end":
        _set_head(scan)
        members: dict[int, float] = {}
        while (member := _member(scan, draft)) is not None:
            name, column, weight = member
            if column in members:
                scan.reject("E1231", f"the variable `{shown(name.text)}` is in this set already", name)
            members[column] = weight
        if members:
            draft.sets.append(sorted(members, key=members.__getitem__))


def _set_head(scan: Scanner) -> None:
    """Read `name: S1::` or `S1::`."""
    token, colon = scan.take(), scan.take()
    if colon.text == ":":
        token, colon = scan.take(), scan.take()
    if token.text.upper() == "S2":
        scan.reject("E1227", "the file has an ordered set of type 2, which ensc does not read", token)
    if token.text.upper() != "S1":
        scan.unexpected(token, "`name: S1::`")
    if colon.text != "::":
        scan.unexpected(colon, "`::`")


def _member(scan: Scanner, draft: Draft) -> tuple[Token, int, float] | None:
    """Read `x : 1`; None, and nothing is read, where the next set begins or the section ends."""
    before, name = scan.position, scan.take()
    colon, weight = scan.take(), scan.take()
    if name.kind == "end" or colon.text == "::" or weight.kind == "name":
        scan.position = before
        return None
    column = scan.known(name, draft.columns)
    if colon.text != ":":
        scan.unexpected(colon, "a colon and the weight")
    if weight.kind != "number":
        scan.unexpected(weight, "the weight")
    return name, column, float(weight.text)
