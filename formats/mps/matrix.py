"""The sections of an MPS file that hold rows, columns, right-hand sides and ranges."""

from dataclasses import dataclass

from ensc.compiler.quoting import shown
from ensc.formats.draft import INF, Draft
from ensc.formats.mps.cards import FINITE, Card, Section, for_each

OBJECTIVE = -1
"""The place of the objective among the rows."""


@dataclass(frozen=True, slots=True)
class RowKinds:
    """The rows of a file.

    Attributes:
        places: name to place in the draft, `OBJECTIVE` for the objective.
        senses: `N`, `L`, `G` or `E`, by place.
        starts: the offset of the line that defines it, by name.
    """

    places: dict[str, int]
    senses: dict[int, str]
    starts: dict[str, int]


def read_rows(section: Section, draft: Draft, objective: tuple[Card, int] | None) -> RowKinds:
    """Read the section `ROWS`; the objective is the row that is named, or the first one of sense N.

    Raises:
        Rejected: E1229, E1230 or E1231.
    """
    kinds = RowKinds({}, {}, {})
    wanted = objective[0].fields[objective[1]] if objective else None

    def read(card: Card) -> None:
        if len(card.fields) != 2:
            card.malformed("expected two fields", min(2, len(card.fields)))
        sense, name = card.fields
        if sense not in {"N", "L", "G", "E"}:
            card.malformed("expected N, L, G or E", 0)
        if name in kinds.places:
            first = section.card_at(kinds.starts[name]).label("the first one", 1)
            card.reject("E1231", f"the row `{shown(name)}` is defined twice", 1, related=(first,))
        chosen = sense == "N" and OBJECTIVE not in kinds.senses and wanted in {None, name}
        place = OBJECTIVE if chosen else draft.row(name)
        kinds.places[name], kinds.senses[place], kinds.starts[name] = place, sense, card.start

    for_each(section.cards(), read)
    if objective and OBJECTIVE not in kinds.senses:
        card, place = objective
        card.reject("E1230", f"there is no row `{shown(wanted or '')}` of sense N", place)
    return kinds


def read_columns(section: Section, draft: Draft, kinds: RowKinds) -> None:
    """Read the section `COLUMNS`.

    Raises:
        Rejected: E1225, E1226, E1229, E1230, E1231 or E1236.
    """
    reader = _Columns(draft, kinds)
    for_each(section.cards(), reader.read)
    if reader.marker is not None:
        reader.marker.reject("E1236", "the integer columns do not end", 2, "expected 'INTEND' after this")


class _Columns:
    """The column that is being read, and whether it is integral."""

    def __init__(self, draft: Draft, kinds: RowKinds) -> None:
        """Start before the first column."""
        self.draft = draft
        self.kinds = kinds
        self.marker: Card | None = None
        self.name: str | None = None
        self.place = -1
        # The last column with an entry in each row: another entry there is a second one.
        self.entered: dict[int, int] = {}

    def read(self, card: Card) -> None:
        """Read one line."""
        fields = card.fields
        if fields[0] != self.name:
            if len(fields) > 1 and fields[1].strip("'\"") == "MARKER" and fields[1] not in self.kinds.places:
                self._mark(card)
                return
            self._begin(card)
        count = len(fields)
        if count not in {3, 5}:
            card.malformed("expected three or five fields", min(count, 5))
        for i in range(1, count, 2):
            row = self.kinds.places.get(fields[i])
            self._enter(card, i, card.known("row", i, self.kinds.places) if row is None else row)

    def _begin(self, card: Card) -> None:
        name = card.fields[0]
        if name in self.draft.columns:
            card.reject(
                "E1231",
                f"the column `{shown(name)}` goes on after another column",
                0,
                notes=("some readers take this for a new column, others add it to the first",),
                help="write all entries of a column together",
            )
        self.name = name
        self.place = self.draft.column(name, integer=self.marker is not None)

    def _enter(self, card: Card, at: int, row: int) -> None:
        value = card.number(at + 1)
        if self.entered.get(row) == self.place:
            names = f"row `{shown(card.fields[at])}` and column `{shown(card.fields[0])}`"
            card.reject(
                "E1231",
                f"{names} have two entries",
                at,
                notes=("some readers take the first one, some the last one, some the sum",),
                help="write their sum",
            )
        self.entered[row] = self.place
        if row == OBJECTIVE:
            self.draft.costs[self.place] = value
        else:
            self.draft.enter(row, self.place, value)

    def _mark(self, card: Card) -> None:
        self.name = None
        if len(card.fields) != 3 or card.fields[1] != "'MARKER'":
            self.marker = card  # so that the next one is not called wrong, too
            card.malformed("expected a name, 'MARKER', and 'INTORG' or 'INTEND'")
        match card.fields[2], self.marker:
            case "'INTORG'", None:
                self.marker = card
            case "'INTEND'", Card():
                self.marker = None
            case "'INTORG'", Card() as first:
                related = (first.label("they begin here", 2),)
                card.reject("E1236", "the integer columns have begun already", 2, related=related)
            case "'INTEND'", _:
                card.reject("E1236", "no integer columns have begun", 2, "expected 'INTORG' before this")
            case "'SOSORG'" | "'SOSEND'", _:
                card.reject(
                    "E1227",
                    "the file has ordered sets within its columns, which ensc does not read",
                    2,
                    help="write them in a section SOS",
                )
            case _:
                card.malformed("expected 'INTORG' or 'INTEND'", 2)


@dataclass(frozen=True, slots=True)
class _Vector:
    """What the section `RHS` or `RANGES` states.

    Attributes:
        section: the section, None if the file has none.
        values: the number stated for each row.
        places: the offset of the line that states it, and the place of the number among its fields.
    """

    section: Section | None
    values: dict[int, float]
    places: dict[int, tuple[int, int]]

    def where(self, row: int) -> tuple[Card, int]:
        """Return the line that states a number, and the number's place among its fields."""
        assert self.section is not None
        start, place = self.places[row]
        return self.section.card_at(start), place


def read_sides(right: Section | None, ranges: Section | None, draft: Draft, kinds: RowKinds) -> None:
    """Read the sections `RHS` and `RANGES` and bound the rows by them.

    Raises:
        Rejected: E1225, E1226, E1229, E1230 or E1231.
    """
    sides, widths = _vector(right, kinds), _vector(ranges, kinds)
    if sides.values.get(OBJECTIVE):
        card, place = sides.where(OBJECTIVE)
        draft.constant = -card.number(place)
    for row in widths.values:
        if kinds.senses[row] == "N":
            card, place = widths.where(row)
            card.reject("E1226", "a row of sense N has no range", place - 1)
    for row, value in sides.values.items():
        fits = (kinds.senses[row], value) in {("L", INF), ("G", -INF)} and row not in widths.values
        if abs(value) == INF and not fits and kinds.senses[row] != "N":
            card, place = sides.where(row)
            card.reject("E1226", "no number satisfies this row", place, FINITE)
    for row, sense in kinds.senses.items():
        if sense != "N":
            interval = _interval(sense, sides.values.get(row, 0.0), widths.values.get(row))
            draft.row_lower[row], draft.row_upper[row] = interval


def _interval(sense: str, side: float, width: float | None) -> tuple[float, float]:
    """Return the bounds of a row: `L` [s - |w|, s], `G` [s, s + |w|], `E` [s, s + w] or [s + w, s]."""
    match sense:
        case "L":
            return (-INF if width is None else side - abs(width), side)
        case "G":
            return (side, INF if width is None else side + abs(width))
        case _:
            far = side + (width or 0.0)
            return (min(side, far), max(side, far))


def _vector(section: Section | None, kinds: RowKinds) -> _Vector:
    """Return the number that a section states for each row."""
    vector = _Vector(section, {}, {})
    if section is None:
        return vector
    sets: dict[str, Card] = {}

    def read(card: Card) -> None:
        count = len(card.fields)
        if not 2 <= count <= 5:
            card.malformed("expected two to five fields", min(count, 5))
        if count % 2:
            one_vector(card, 0, sets)
        for i in range(count % 2, count, 2):
            row = card.known("row", i, kinds.places)
            value = card.bound(i + 1)
            if row in vector.values:
                first, place = vector.where(row)
                message = f"the row `{shown(card.fields[i])}` has two numbers in {card.section}"
                card.reject("E1231", message, i, related=(first.label("the first one", place),))
            vector.values[row], vector.places[row] = value, (card.start, i + 1)

    for_each(section.cards(), read)
    return vector


def one_vector(card: Card, place: int, vectors: dict[str, Card]) -> None:
    """Reject a second set of right-hand sides, ranges or bounds: readers disagree on which one counts."""
    name = card.fields[place]
    vectors.setdefault(name, card)
    if len(vectors) > 1:
        first = next(iter(vectors.values()))
        card.reject(
            "E1231",
            f"there is a second set in {card.section}: `{shown(name)}`",
            place,
            related=(first.label("the first one", place),),
            notes=("some readers use the first set, others all of them",),
            help="keep one set",
        )
