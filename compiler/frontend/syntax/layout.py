"""Fitting text into lines: groups that stand on one line if they fit, and are broken if not.

After Lindig, *Strictly Pretty* (2000), with comments: a comment ends its line, whatever follows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

INDENT = 2


@dataclass(frozen=True, slots=True)
class Line:
    """A place to break: a line break in a broken group, `flat` in one that fits."""

    flat: str


@dataclass(frozen=True, slots=True)
class Note:
    """A comment, after what stands before it or on a line of its own."""

    text: str
    own_line: bool


@dataclass(frozen=True, slots=True)
class Nest:
    """Lines that start inside are indented."""

    parts: tuple["Layout", ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Its own lines are all broken, or none; it is broken if it does not fit or `must_break`."""

    parts: tuple["Layout", ...]
    must_break: bool = False


Layout: TypeAlias = str | Line | Note | Nest | Group
_Task: TypeAlias = tuple[int, bool, Layout]


def has_note(parts: Sequence[Layout]) -> bool:
    """Say whether a comment stands among some parts, at any depth."""
    for part in parts:
        if isinstance(part, Note):
            return True
        if isinstance(part, (Nest, Group)) and has_note(part.parts):
            return True
    return False


def lay_out(layout: Layout, width: int, indent: int = 0) -> str:
    """Return the text of a layout in lines of at most `width` characters where that is possible."""
    page = _Page(indent)
    tasks: list[_Task] = [(indent, True, layout)]
    while tasks:
        level, is_broken, part = tasks.pop()
        match part:
            case str():
                page.write(part, level)
            case Line() if is_broken:
                page.break_line(level)
            case Line():
                page.write(part.flat, level)
            case Note():
                page.note(part, level)
            case Nest():
                tasks += [(level + INDENT, is_broken, p) for p in reversed(part.parts)]
            case Group():
                breaks = part.must_break or not _fits(part, tasks, width - page.column)
                tasks += [(level, breaks, p) for p in reversed(part.parts)]
            case _:
                assert_never(part)
    return page.text()


def _fits(group: Group, following: Sequence[_Task], room: int) -> bool:
    """Say whether a group fits on the line, with what follows it up to the next possible break."""
    for is_broken, part in _flattened(group, following):
        match part:
            case str():
                room -= len(part)
            case Line():
                if is_broken:
                    return True
                room -= len(part.flat)
            case _:
                return True  # a comment may stick out
        if room < 0:
            return False
    return True


def _flattened(group: Group, following: Sequence[_Task]) -> Iterator[tuple[bool, str | Line | Note]]:
    """Yield the pieces of a group on one line, then those that follow, each broken or not."""
    yield from ((False, leaf) for leaf in _leaves(group))
    for _, is_broken, part in reversed(following):
        yield from ((is_broken, leaf) for leaf in _leaves(part))


def _leaves(layout: Layout) -> Iterator[str | Line | Note]:
    if isinstance(layout, (Nest, Group)):
        for part in layout.parts:
            yield from _leaves(part)
    else:
        yield layout


class _Page:
    """Lines written so far. Blanks are written only when something follows them on their line."""

    def __init__(self, indent: int) -> None:
        self.lines: list[str] = []
        self.parts = [" " * indent]
        self.column = indent
        self.is_fresh = True
        self.is_ended = False

    def text(self) -> str:
        return "\n".join([*self.lines, "".join(self.parts).rstrip()])

    def break_line(self, level: int) -> None:
        self.lines.append("".join(self.parts).rstrip())
        self.parts = [" " * level]
        self.column = level
        self.is_fresh = True
        self.is_ended = False

    def write(self, text: str, level: int) -> None:
        if not text or (text.isspace() and (self.is_fresh or self.is_ended)):
            return
        if self.is_ended:
            self.break_line(level)
        self.parts.append(text)
        self.column += len(text)
        self.is_fresh = False

    def note(self, note: Note, level: int) -> None:
        if self.is_ended or (note.own_line and not self.is_fresh):
            self.break_line(level)
        if not self.is_fresh:
            self.parts = ["".join(self.parts).rstrip(), "  "]
        self.parts.append(note.text)
        self.is_ended = True
