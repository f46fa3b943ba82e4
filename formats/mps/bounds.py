"""The section `BOUNDS` of an MPS file."""

from ensc.compiler.quoting import alternatives, shown
from ensc.formats.draft import INF, Draft
from ensc.formats.mps.cards import FINITE, Card, Section, for_each
from ensc.formats.mps.matrix import one_vector

WITH_NUMBER = ("UP", "LO", "FX", "UI", "LI")
WITHOUT_NUMBER = ("FR", "MI", "PL", "BV")
KINDS = (*WITH_NUMBER, *WITHOUT_NUMBER)


def read_bounds(section: Section, draft: Draft) -> None:
    """Read the section `BOUNDS`.

    A negative upper bound without any lower bound makes the lower bound -inf, as in almost every reader. An
    infinite lower bound (`MI`) leaves the upper one alone.

    Raises:
        Rejected: E1225, E1226, E1227, E1229, E1230 or E1231.
    """
    reader = _Bounds(section, draft)
    for_each(section.cards(), reader.read)
    for column in reader.upper_only:
        if draft.upper[column] < 0 and column not in draft.lower:
            draft.lower[column] = -INF


class _Bounds:
    """What the section has said so far."""

    def __init__(self, section: Section, draft: Draft) -> None:
        """Start before the first bound."""
        self.section = section
        self.draft = draft
        self.vectors: dict[str, Card] = {}
        self.starts: dict[tuple[int, bool], int] = {}
        self.upper_only: list[int] = []

    def read(self, card: Card) -> None:
        """Read one line."""
        kind = card.fields[0]
        if kind == "SC":
            card.reject(
                "E1227",
                "the file has semi-continuous columns, which ensc does not read",
                0,
                help="write them with a binary and two rows",
            )
        if kind not in KINDS:
            card.malformed(f"expected {alternatives(KINDS)}", 0)
        place, column = self._column(card)
        value = self._value(card, place + 1) if kind in WITH_NUMBER else 0.0
        self._state(card, kind, column, value)

    def _column(self, card: Card) -> tuple[int, int]:
        """Return the place of the column among the fields, and the column; the set's name may be left out."""
        fields, names = card.fields, self.draft.columns
        count, with_number = len(fields), fields[0] in WITH_NUMBER
        if not (3 if with_number else 2) <= count <= 4:
            card.malformed("expected three or four fields", min(count, 4))
        if with_number:
            place = count - 2
            if count == 3 and fields[1] not in names and fields[2] in names:
                card.malformed("expected a number", 3)
        else:
            named = count == 4 or (count == 3 and not (fields[1] in names and fields[2] not in names))
            place = 2 if named else 1
        if place == 2:
            one_vector(card, 1, self.vectors)
        column = card.known("column", place, names)
        if not with_number and place + 1 < count:
            card.bound(place + 1)  # Some tools write a number here that means nothing.
        return place, column

    def _value(self, card: Card, place: int) -> float:
        value = card.bound(place)
        kind = card.fields[0]
        if value == {"UP": -INF, "UI": -INF, "LO": INF, "LI": INF}.get(kind) or (
            kind == "FX" and abs(value) == INF
        ):
            card.reject("E1226", "no number satisfies this bound", place, FINITE)
        if kind in {"UI", "LI"} and abs(value) < INF and not value.is_integer():
            card.reject("E1226", f"`{kind}` bounds an integer", place, "expected an integer")
        return value

    def _state(self, card: Card, kind: str, column: int, value: float) -> None:
        if kind in {"BV", "UI", "LI"}:
            self.draft.integer[column] = True
        if kind in {"UP", "UI"}:
            self.upper_only.append(column)
        lower = {"LO": value, "LI": value, "FX": value, "FR": -INF, "MI": -INF, "BV": 0.0}.get(kind)
        upper = {"UP": value, "UI": value, "FX": value, "FR": INF, "PL": INF, "BV": 1.0}.get(kind)
        for stated, end, is_upper in ((self.draft.lower, lower, False), (self.draft.upper, upper, True)):
            if end is None:
                continue
            if stated.setdefault(column, end) != end:
                self._reject_second(card, column, is_upper=is_upper)
            self.starts.setdefault((column, is_upper), card.start)

    def _reject_second(self, card: Card, column: int, *, is_upper: bool) -> None:
        first = self.section.card_at(self.starts[column, is_upper])
        side = "upper" if is_upper else "lower"
        name = next(name for name, place in self.draft.columns.items() if place == column)
        card.reject(
            "E1231",
            f"the {side} bound of `{shown(name)}` is stated twice, and differently",
            related=(first.label("the first one"),),
            notes=("some readers use the first one, others the last one",),
            help="keep one of them",
        )
