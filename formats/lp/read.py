"""CPLEX-LP text -> linear `Model`: what ensc writes and what other tools ordinarily write.

All usual spellings of headings and relations, rows without names, `1 <= x + y <= 3`, terms over several
lines, a constant in the objective, every kind of bound, indicator rows, ordered sets of type 1. Where readers
disagree in silence about what a text means, it is refused.
"""

from pathlib import Path

from ensc.compiler.diagnostics import Source, Span, reject
from ensc.compiler.quoting import shown
from ensc.compiler.types.model import Model
from ensc.formats.draft import Draft
from ensc.formats.lp.bounds import read_binaries, read_bounds, read_integers, read_ordered_sets
from ensc.formats.lp.rows import read_objective, read_rows
from ensc.formats.lp.scan import Scanner, Section, Token, in_sections, without_comments
from ensc.formats.names import safe_name

ORDER = {"objective": 0, "rows": 1, "bounds": 2, "generals": 3, "binaries": 3, "sets": 4, "end": 5}

TITLES = {
    "objective": "Minimize or Maximize",
    "rows": "Subject To",
    "bounds": "Bounds",
    "generals": "Generals",
    "binaries": "Binaries",
    "sets": "SOS",
    "end": "End",
}


def read_lp(text: str, name: str = "model.lp") -> Model:
    """Return the model of a CPLEX-LP text.

    The objective keeps its sense; a row without a name is called `r` and its place. Columns are in the order
    in which they are first mentioned. Comments before the objective become notes.

    Args:
        text: the content of a file.
        name: of the file, for messages and for the name of the model.

    Raises:
        Rejected: E1225 to E1235, at the places in question.
    """
    source, plain = Source(name, text), without_comments(text)
    sections = _ordered(source, plain)
    draft = Draft()
    objective = sections["objective"]
    draft.sense = "minimize" if objective.heading.text.lower().startswith("min") else "maximize"
    read_objective(Scanner(source, plain, objective), draft)
    rows = Scanner(source, plain, sections["rows"])
    switches = read_rows(rows, draft)
    for kind, read in (
        ("bounds", read_bounds),
        ("generals", read_integers),
        ("binaries", read_binaries),
        ("sets", read_ordered_sets),
    ):
        if kind in sections:
            read(Scanner(source, plain, sections[kind]), draft)
    _check_indicators(rows, draft, switches)
    return draft.model(safe_name(Path(name).stem), _notes(text, objective.heading.start))


def _notes(text: str, end: int) -> tuple[str, ...]:
    """Return the comments before the objective that are lines of their own."""
    lines = (line.strip() for line in text[:end].split("\n"))
    return tuple(line[1:].removeprefix(" ") for line in lines if line.startswith("\\"))


def _check_indicators(scan: Scanner, draft: Draft, switches: dict[int, Token]) -> None:
    for row, (column, _) in draft.indicators.items():
        if not draft.is_binary(column):
            token = switches[row]
            message = f"`{shown(token.text)}` is no binary, so no row can depend on it"
            scan.reject("E1234", message, token, help="list it under Binaries")


def _ordered(source: Source, plain: str) -> dict[str, Section]:
    """Return the sections by kind, or reject a text that has others, too few, or a different order."""
    found = in_sections(plain)
    start = found[0].heading.start if found else len(plain)
    if plain[:start].strip() or not found or found[0].kind != "objective":
        at = len(plain) - len(plain.lstrip())
        reject("E1228", "no objective is here", Span(source, at, at + 1), "expected Minimize or Maximize")
    sections: dict[str, Section] = {}
    last = found[0]
    for section in found:
        _check_heading(Scanner(source, plain, section), section, last, sections)
        sections[section.kind] = last = section
    for kind in ("rows", "end"):
        if kind not in sections:
            end = len(plain.rstrip())
            message, label = f"the file ends without `{TITLES[kind]}`", f"expected {TITLES[kind]}"
            reject("E1232", message, Span(source, end, end + 1), label, help="copy the whole file")
    rest = Scanner(source, plain, sections["end"])
    if (token := rest.peek()).kind != "end":
        rest.reject("E1232", "the file goes on after End", token, "expected nothing more")
    return sections


def _check_heading(scan: Scanner, section: Section, last: Section, before: dict[str, Section]) -> None:
    heading, kind = section.heading, section.kind
    if kind == "unsupported":
        scan.reject(
            "E1227",
            f"the file has a section `{heading.text}`, which ensc does not read",
            heading,
            help="write the model with linear rows, bounds, integers and indicators alone",
        )
    if kind in before:
        related = (scan.label(before[kind].heading, "the first one"),)
        scan.reject("E1228", f"there are two sections `{TITLES[kind]}`", heading, related=related)
    if ORDER[kind] < ORDER[last.kind]:
        scan.reject(
            "E1228",
            f"the section `{TITLES[kind]}` stands behind `{TITLES[last.kind]}`",
            heading,
            notes=("some readers refuse this, others forget the bounds",),
            help="the order is: objective, rows, bounds, generals and binaries, ordered sets, End",
        )
