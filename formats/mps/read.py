"""MPS text -> linear `Model`: what ensc writes and what other tools ordinarily write.

Free and fixed format, comments, `OBJSENSE` in one line or two, `OBJNAME`, markers, `RANGES`, every kind of
bound, `INDICATORS`, ordered sets of type 1. Where readers disagree in silence about what a text means, it is
refused.

Fixed format differs from free format only where names contain blanks. A file is read in free format; if that
fails, nothing announces free format, and every line has its fields in the columns of fixed format, it is
read in fixed format.
"""

from typing import Literal

from ensc.compiler.diagnostics import Rejected, Source, Span, reject
from ensc.compiler.quoting import alternatives, shown
from ensc.compiler.types.model import Model
from ensc.compiler.words import hint
from ensc.formats.draft import Draft
from ensc.formats.mps.bounds import read_bounds
from ensc.formats.mps.cards import Card, Section, Split, comments, fits_the_grid, fixed_fields, in_sections
from ensc.formats.mps.extensions import read_indicators, read_ordered_sets
from ensc.formats.mps.matrix import read_columns, read_rows, read_sides
from ensc.formats.names import safe_name

FIRST = ("NAME", "OBJSENSE", "OBJNAME")
REQUIRED = ("ROWS", "COLUMNS")
OPTIONAL = ("RHS", "RANGES", "BOUNDS", "SOS", "INDICATORS")
SECTIONS = (*FIRST, *REQUIRED, *OPTIONAL, "ENDATA")

UNSUPPORTED = {
    "QUADOBJ": "a quadratic objective",
    "QMATRIX": "a quadratic objective",
    "QSECTION": "a quadratic objective or row",
    "QCMATRIX": "a quadratic row",
    "CSECTION": "a cone",
    "GENCONS": "general constraints",
    "PWLOBJ": "a piecewise-linear objective",
    "SCENARIOS": "scenarios",
    "LAZYCONS": "lazy constraints",
    "USERCUTS": "user cuts",
    "DELAYEDROWS": "delayed rows",
    "MODELCUTS": "model cuts",
    "SOS1": "ordered sets in a section SOS1",
    "SOS2": "ordered sets of type 2",
}

Sense = Literal["minimize", "maximize"]

SENSES: dict[str, Sense] = {
    "MIN": "minimize",
    "MINIMIZE": "minimize",
    "MINIMISE": "minimize",
    "MAX": "maximize",
    "MAXIMIZE": "maximize",
    "MAXIMISE": "maximize",
}


def read_mps(text: str, name: str = "model.mps") -> Model:
    """Return the model of an MPS text.

    The objective keeps its sense. Its right-hand side is the negative of its constant. Further rows of
    sense N are rows without bounds. Comments before the first section become notes.

    Args:
        text: the content of a file.
        name: of the file, for messages.

    Raises:
        Rejected: E1225 to E1236, at the places in question.
    """
    source = Source(name, text)
    try:
        return _read(source, str.split)
    except Rejected as rejected:
        in_free_format = rejected
    if not _may_be_fixed(source):
        raise in_free_format
    try:
        return _read(source, fixed_fields)
    except Rejected as in_fixed_format:
        # What reads further is more likely the format that was meant.
        raise max(in_free_format, in_fixed_format, key=_reach) from None


def _reach(rejected: Rejected) -> int:
    """Return the offset of the first mistake."""
    return min(d.place.span.start for d in rejected.diagnostics if d.place)


def _may_be_fixed(source: Source) -> bool:
    for section in in_sections(source, lambda line: [line] if line.strip() else []):
        if section.header.section == "NAME" and section.header.fields[-1] == "FREE":
            return False
        if not all(fits_the_grid(card.text) for card in section.cards()):
            return False
    return True


def _read(source: Source, split: Split) -> Model:
    notes = comments(source)
    sections = _ordered(source, split)
    draft = Draft(sense=_sense(sections))
    kinds = read_rows(sections["ROWS"], draft, _objective_name(sections))
    read_columns(sections["COLUMNS"], draft, kinds)
    read_sides(sections.get("RHS"), sections.get("RANGES"), draft, kinds)
    if section := sections.get("BOUNDS"):
        read_bounds(section, draft)
    if section := sections.get("SOS"):
        read_ordered_sets(section, draft)
    if section := sections.get("INDICATORS"):
        read_indicators(section, draft, kinds)
    return draft.model(_name(sections), notes)


def _ordered(source: Source, split: Split) -> dict[str, Section]:
    """Return the sections by name, or reject a file that has others, too few, or one twice."""
    sections: dict[str, Section] = {}
    for section in in_sections(source, split):
        name = section.header.section
        if "ENDATA" in sections:
            section.header.reject("E1232", "the file goes on after ENDATA", label="expected nothing more")
        _check_header(section.header, sections)
        sections[name] = section
    for name in (*REQUIRED, "ENDATA"):
        if name not in sections:
            end = len(source.text.rstrip())
            reject(
                "E1232",
                f"the file ends without {name}",
                Span(source, end, end + 1),
                f"expected {name}",
                help="copy the whole file",
            )
    for card in sections["ENDATA"].cards():
        card.reject("E1232", "the file goes on after ENDATA", label="expected nothing more")
    for card in sections["NAME"].cards() if "NAME" in sections else ():
        card.reject("E1228", "this line stands in no section", label="expected ROWS")
    return sections


def _check_header(header: Card, before: dict[str, Section]) -> None:
    name = header.section
    if name in UNSUPPORTED:
        header.reject(
            "E1227",
            f"the file has {UNSUPPORTED[name]}, which ensc does not read",
            0,
            help="write the model with linear rows, bounds, integers and indicators alone",
        )
    if name not in SECTIONS:
        header.reject(
            "E1228",
            f"there is no section `{shown(name)}`",
            0,
            f"expected {alternatives(SECTIONS)}",
            notes=("lines of a section start with a blank, its heading does not",),
            help=hint(name, SECTIONS),
        )
    if name in before:
        first = before[name].header
        header.reject("E1228", f"there are two sections {name}", 0, related=(first.label("the first one"),))
    missing = [needed for needed in _needed(name) if needed not in before]
    if missing:
        header.reject("E1228", f"the section {name} stands before {missing[0]}", 0, f"expected {missing[0]}")
    if len(header.fields) > 1 and name not in FIRST:
        header.reject("E1228", f"the heading of a section is {name} alone", 1, "expected nothing more")


def _needed(name: str) -> tuple[str, ...]:
    if name in OPTIONAL:
        return REQUIRED
    return ("ROWS",) if name == "COLUMNS" else ()


def _name(sections: dict[str, Section]) -> str:
    if "NAME" not in sections:
        return "model"
    words = sections["NAME"].header.fields[1:]
    if len(words) > 1 and words[-1] in {"FREE", "FIXED"}:
        words = words[:-1]
    return safe_name(" ".join(words))


def _sense(sections: dict[str, Section]) -> Sense:
    words = _words(sections, "OBJSENSE")
    if words is None:
        return "minimize"
    card, place = words
    sense = SENSES.get(card.fields[place].upper())
    if sense is None:
        card.reject("E1229", "this is no sense of an objective", place, "expected MIN or MAX")
    return sense


def _objective_name(sections: dict[str, Section]) -> tuple[Card, int] | None:
    return _words(sections, "OBJNAME")


def _words(sections: dict[str, Section], name: str) -> tuple[Card, int] | None:
    """Return where the one word of a section stands, in its heading or on the line below it."""
    if name not in sections:
        return None
    section = sections[name]
    places = [(section.header, i) for i in range(1, len(section.header.fields))]
    places += [(card, i) for card in section.cards() for i in range(len(card.fields))]
    if not places:
        section.header.malformed("expected it here or on the next line", 1)
    if len(places) > 1:
        card, place = places[1]
        card.malformed("expected nothing more", place)
    return places[0]
