"""The sections `SOS` and `INDICATORS` of an MPS file."""

from ensc.compiler.quoting import shown
from ensc.formats.draft import Draft
from ensc.formats.mps.cards import Card, Section, for_each
from ensc.formats.mps.matrix import RowKinds

BINARY = "expected an integer between 0 and 1"


def read_ordered_sets(section: Section, draft: Draft) -> None:
    """Read the section `SOS`; the members of a set are put in the order of their weights.

    Raises:
        Rejected: E1225, E1227, E1229, E1230 or E1231.
    """
    sets: list[dict[int, float]] = []

    def read(card: Card) -> None:
        head, count = card.fields[0], len(card.fields)
        if head in {"S1", "S2"} and not (head in draft.columns and sets and _is_number(card)):
            sets.append({})
            if head == "S2":
                card.reject("E1227", "the file has an ordered set of type 2, which ensc does not read", 0)
            if count not in {2, 3, 4}:
                card.malformed("expected S1 and a name", min(count, 4))
            return
        if count not in {2, 3}:
            card.malformed("expected a column and its weight", min(count, 3))
        if not sets:
            card.malformed("expected S1 and a name first", 0)
        column = card.known("column", count - 2, draft.columns)
        if column in sets[-1]:
            name = shown(card.fields[count - 2])
            card.reject("E1231", f"the column `{name}` is in this set already", count - 2)
        sets[-1][column] = card.number(count - 1)

    for_each(section.cards(), read)
    draft.sets = [sorted(members, key=members.__getitem__) for members in sets if members]


def _is_number(card: Card) -> bool:
    """Whether a line that starts with S1 has the weight of a column of that name."""
    return len(card.fields) == 2 and card.fields[1][0] in "+-.0123456789"


def read_indicators(section: Section, draft: Draft, kinds: RowKinds) -> None:
    """Read the section `INDICATORS`.

    Raises:
        Rejected: E1229, E1230, E1231 or E1234.
    """

    def read(card: Card) -> None:
        if len(card.fields) != 4:
            card.malformed("expected four fields", min(len(card.fields), 4))
        if card.fields[0] != "IF":
            card.malformed("expected IF", 0)
        row, column = card.known("row", 1, kinds.places), card.known("column", 2, draft.columns)
        if kinds.senses[row] == "N":
            card.reject("E1234", "a row of sense N has no indicator", 1)
        if not draft.is_binary(column):
            card.reject("E1234", f"`{shown(card.fields[2])}` is no binary", 2, BINARY)
        if card.fields[3] not in {"0", "1"}:
            card.malformed("expected 0 or 1", 3)
        if row in draft.indicators:
            card.reject("E1231", f"the row `{shown(card.fields[1])}` has two indicators", 1)
        draft.indicators[row] = column, card.fields[3] == "1"

    for_each(section.cards(), read)
