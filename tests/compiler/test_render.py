"""Diagnostics as people and as programs read them."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensc.compiler.diagnostics import Diagnostic, Label, Source, Span
from ensc.compiler.render import render_json, render_text, visible

QUERY = """\
rq 1.0;
include "digits.rqi";

param epsilon: real = 60;
param epsilon: real = 70;

attack norm L3, radius epsilon, count auto;
"""


def span(text: str, part: str, *, name: str = "digits.rq", after: int = 0) -> Span:
    start = text.index(part, after)
    return Span(Source(name, text), start, start + len(part))


def test_one_error_reads_as_documented() -> None:
    place = Label(span(QUERY, "L3"), "expected L1, Linf or L0")
    error = Diagnostic("E0202", "unknown norm `L3`", place, help="did you mean `L1`?")
    assert (
        render_text([error])
        == """\
error[E0202]: unknown norm `L3`
  --> digits.rq:7:13
   |
 7 | attack norm L3, radius epsilon, count auto;
   |             ^^ expected L1, Linf or L0
   = help: did you mean `L1`?

1 error
"""
    )


def test_related_places_notes_and_a_warning() -> None:
    source = Source("digits.rq", QUERY)
    first, second = QUERY.index("epsilon"), QUERY.index("epsilon", 60)
    error = Diagnostic(
        "E0204",
        "parameter `epsilon` is defined twice",
        Label(Span(source, second, second + 7), "here again"),
        (Label(Span(source, first, first + 7), "first here"),),
        ("each name has one meaning", "in every file"),
        "remove one",
    )
    warning = Diagnostic("W0401", "nothing uses it")
    assert (
        render_text([error, warning, warning])
        == """\
error[E0204]: parameter `epsilon` is defined twice
  --> digits.rq:5:7
   |
 4 | param epsilon: real = 60;
   |       ------- first here
 5 | param epsilon: real = 70;
   |       ^^^^^^^ here again
   = note: each name has one meaning
   = note: in every file
   = help: remove one

warning[W0401]: nothing uses it

warning[W0401]: nothing uses it

1 error, 2 warnings
"""
    )


def test_related_places_far_away_and_in_another_file() -> None:
    text = "a\n" * 11 + "goal\n"
    error = Diagnostic(
        "E0901",
        "two goals",
        Label(span(text, "goal"), "the second"),
        (
            Label(Span(Source("digits.rq", text), 0, 1), ""),
            Label(span("x\n  check;", "check", name="other.rqi"), "the first"),
        ),
    )
    lines = render_text([error]).split("\n")
    assert lines[1:-3] == [
        "   --> digits.rq:12:1",
        "    |",
        "  1 | a",
        "    | -",
        "   ...",
        " 12 | goal",
        "    | ^^^^ the second",
        "   ::: other.rqi:2:3",
        "    |",
        "  2 |   check;",
        "    |   ----- the first",
    ]


def framed(text: str, start: int, end: int, label: str = "", width: int = 120) -> list[str]:
    """Return the source lines and underlines of an error, without the gutter."""
    error = Diagnostic("E0101", "wrong", Label(Span(Source("q.rq", text), start, end), label))
    lines = render_text([error], width).split("\n")[3:-3]
    return [line.partition("| ")[2] or line.strip() for line in lines]


@pytest.mark.parametrize(
    ("text", "start", "end", "shown", "marked"),
    [
        ("abc", 1, 1, "abc", " ^"),
        ("abc", 3, 3, "abc", "   ^"),
        ("abc\r\nd", 3, 3, "abc", "   ^"),
        ("", 0, 0, "1 |", "^"),
        ("a\tbc", 2, 4, "a   bc", "    ^^"),
        ("\t\tb", 1, 3, "        b", "    ^^^^^"),
        ("日本 x", 0, 2, "日本 x", "^^^^"),
        ("日本 x", 3, 4, "日本 x", "     ^"),
        ("e\u0301x", 2, 3, "e\u0301x", " ^"),
        ("a\x1bb", 2, 3, "a\\x1bb", "     ^"),
        ("a\x1bb", 1, 2, "a\\x1bb", " ^^^^"),
        ("\u202eb", 1, 2, "\\u202eb", "      ^"),
        ("a\x00\x07", 0, 1, "a\\x00\\x07", "^"),
    ],
)
def test_carets_stand_under_what_they_mean(text: str, start: int, end: int, shown: str, marked: str) -> None:
    assert framed(text, start, end) == [shown, marked]


def test_a_place_over_several_lines_is_marked_where_it_starts_and_ends() -> None:
    text = "meta {\n  a = 1;\n  b = 2;\n}\n"
    assert framed(text, 5, 26, "this block") == ["meta {", "     ^", "...", "}", "^ this block"]
    assert framed(text, 0, 15, "all") == ["meta {", "^^^^^^", "  a = 1;", "  ^^^^^^ all"]


def test_a_place_that_ends_with_the_line_break_stays_on_its_line() -> None:
    assert framed("ab\ncd\n", 1, 3, "here") == ["ab", " ^ here"]


def test_long_lines_are_cut_around_the_carets() -> None:
    line = "".join(str(i % 10) for i in range(100))
    assert framed(line, 50, 53, width=20) == ["…45678901234567890123…", "       ^^^"]
    assert framed(line, 2, 4, width=20) == ["01234567890123456789…", "  ^^"]
    assert framed(line, 98, 100, width=20) == ["…01234567890123456789", "                   ^^"]
    assert framed(line, 100, 100, width=20)[1] == " " * 21 + "^"
    assert framed(line, 10, 90, width=20) == ["…45678901234567890123…", "       " + "^" * 14]


def test_a_second_mark_that_is_cut_off_stays_at_the_edge() -> None:
    source = Source("q.rq", "x" * 300)
    error = Diagnostic("E0101", "wrong", Label(Span(source, 10, 12)), (Label(Span(source, 290, 292), "far"),))
    shown, first, second = render_text([error], 40).split("\n")[3:6]
    assert len(shown) <= 50
    assert first.endswith("^^")
    assert second.endswith("- far")
    assert len(second) <= len(shown) + len("- far")


def test_control_characters_never_reach_the_terminal() -> None:
    bad = "".join(map(chr, range(32))) + "\x7f\x9b\u2028\u202e\ufeff\ud800"
    source = Source(f"q{bad}.rq", bad)
    label = Label(Span(source, 0, len(bad)), bad)
    error = Diagnostic("E0101", bad, label, (label,), (bad,), bad)
    text = render_text([error])
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not [c for c in text if c != "\n" and unicodedata.category(c) in hidden]
    render_json([error]).encode("ascii")


@given(st.text(max_size=40), st.data())
def test_any_place_in_any_text_can_be_shown(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    width = data.draw(st.integers(4, 30))
    label = Label(Span(Source("q", text), start, end), "label")
    rendered = render_text([Diagnostic("E0101", "m", label)], width)
    assert rendered.count("label") == 1
    carets = [line for line in rendered.split("\n") if set(line.strip("| ")) == {"^"}]
    assert "^ label" in rendered
    assert len(carets) <= 1
    place = json.loads(render_json([Diagnostic("E0101", "m", label)]))["diagnostics"][0]
    lines = text.split("\n")
    assert (
        lines[place["start"]["line"] - 1][: place["start"]["column"] - 1]
        == text[text.rfind("\n", 0, start) + 1 : start]
    )


def test_nothing_to_say_is_no_text() -> None:
    assert render_text([]) == ""
    assert json.loads(render_json([])) == {"version": 1, "diagnostics": []}


def test_json_has_every_part_and_the_end_of_every_place() -> None:
    error = Diagnostic(
        "E0202",
        "unknown norm `L3`",
        Label(span(QUERY, "L3"), "expected L1"),
        (Label(span(QUERY, "epsilon"), "see"),),
        ("a note",),
        "help",
    )
    assert json.loads(render_json([error, Diagnostic("W0401", "unused")])) == {
        "version": 1,
        "diagnostics": [
            {
                "code": "E0202",
                "severity": "error",
                "message": "unknown norm `L3`",
                "file": "digits.rq",
                "start": {"line": 7, "column": 13, "offset": QUERY.index("L3")},
                "end": {"line": 7, "column": 15, "offset": QUERY.index("L3") + 2},
                "label": "expected L1",
                "related": [
                    {
                        "file": "digits.rq",
                        "start": {"line": 4, "column": 7, "offset": QUERY.index("epsilon")},
                        "end": {"line": 4, "column": 14, "offset": QUERY.index("epsilon") + 7},
                        "label": "see",
                    }
                ],
                "notes": ["a note"],
                "help": "help",
            },
            {
                "code": "W0401",
                "severity": "warning",
                "message": "unused",
                "file": None,
                "start": None,
                "end": None,
                "label": None,
                "related": [],
                "notes": [],
                "help": None,
            },
        ],
    }


def test_visible_text_is_unchanged() -> None:
    assert visible("größe ≤ 日本 🙂") == "größe ≤ 日本 🙂"
