"""Damaged MPS and LP files: a diagnostic or a model that can be written and read again, never a traceback."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from linear_models import Plain, build, plains, read_off

from ensc.compiler.diagnostics import Diagnostic, Rejected
from ensc.compiler.render import render_json, render_text
from ensc.compiler.types.model import Model
from ensc.formats.lp import read_lp, write_lp
from ensc.formats.mps import read_mps, write_mps

ROOT = Path(__file__).parents[1]
READ: dict[str, Callable[[str], Model]] = {"mps": read_mps, "lp": read_lp}
WRITE = {"mps": write_mps, "lp": write_lp}
PIECES = [
    *("1e999", "-1e30", "inf", "nan", "1d2", "0", "1", "-", "+", "=", "<=", ">=", "->", ":", "::", "\\", "*"),
    *("$", "\n", "\t", " ", "\r\n", "\0", "é", "\u2028", "'MARKER'", "'INTORG'", "ROWS", "COLUMNS", "RHS"),
    *(
        "RANGES",
        "BOUNDS",
        "ENDATA",
        "NAME",
        "OBJSENSE MAX",
        "SOS",
        "S1",
        "S2",
        "INDICATORS",
        "IF",
        "UP",
        "FR",
    ),
    *("BV", "SC", "Minimize", "Subject To", "Bounds", "Generals", "Binaries", "End", "free", "[", "]", "^2"),
    *("x", "r1", "obj"),
]


CODES = {f"E12{number}" for number in range(25, 37)}
NOT_WRITTEN = {"E1021", "E1022", "E1025", "E1026"}


def read(kind: str, text: str) -> Model | tuple[Diagnostic, ...]:
    try:
        return READ[kind](text)
    except Rejected as rejected:
        return rejected.diagnostics


def write(kind: str, model: Model) -> str | set[str]:
    """Return the text of a model, or the codes that refuse it."""
    try:
        return b"".join(WRITE[kind](model, indicators=True, ordered_sets=True)).decode()
    except Rejected as rejected:
        return {diagnostic.code for diagnostic in rejected.diagnostics}


def harmless(kind: str, text: str) -> None:
    """Read a text, and hold the reader to what it promises."""
    model = read(kind, text)
    if isinstance(model, tuple):
        assert model
        assert render_text(model)
        assert render_json(model)
        for diagnostic in model:
            assert diagnostic.code in CODES
            assert diagnostic.place is not None
            assert 0 <= diagnostic.place.span.start <= len(text)
        return
    written = write(kind, model)
    if isinstance(written, set):
        assert written
        assert written <= NOT_WRITTEN
        return
    again = READ[kind](written)
    assert write(kind, again) == written
    if model.objective.sense == "minimize" and not model.objective.constant and len(model.variables):
        before, after = read_off(model), read_off(again)
        assert set(before.columns) == set(after.columns)
        assert before.costs == after.costs


@st.composite
def damaged(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """Texts with lines, words or characters taken out, doubled, exchanged or put in."""
    text = draw(texts)
    for _ in range(draw(st.integers(1, 4))):
        unit = draw(st.sampled_from(["\n", " ", ""]))
        parts = text.split(unit) if unit else list(text)
        first, second = (draw(st.integers(0, max(len(parts) - 1, 0))) for _ in range(2))
        match draw(st.sampled_from(["drop", "double", "swap", "insert", "cut"])):
            case "drop":
                del parts[first : first + 1]
            case "double":
                parts[second:second] = parts[first : first + 1]
            case "swap" if parts:
                parts[first], parts[second] = parts[second], parts[first]
            case "insert":
                parts.insert(first, draw(st.sampled_from(PIECES)))
            case "cut":
                del parts[first:]
            case _:
                pass
        text = unit.join(parts)
    return text


def written(kind: str) -> st.SearchStrategy[str]:
    def text(plain: Plain) -> str:
        return b"".join(WRITE[kind](build(plain), indicators=True, ordered_sets=True)).decode()

    return plains(extended=True).map(text)


def kept(kind: str) -> st.SearchStrategy[str]:
    """The broken files, and files of other tools."""
    paths = sorted((ROOT / "rejected" / kind).glob(f"*.{kind}"))
    paths += sorted((ROOT / "samples").rglob(f"*.{kind}"))
    small = [text for path in paths if len(text := path.read_bytes().decode()) < 5000]
    return st.sampled_from(small)


QUICK = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("kind", list(READ))
@QUICK
@given(data=st.data())
def test_damaged_files(kind: str, data: st.DataObject) -> None:
    harmless(kind, data.draw(damaged(st.one_of(written(kind), kept(kind)))))


@pytest.mark.parametrize("kind", list(READ))
@QUICK
@given(words=st.lists(st.sampled_from(PIECES), max_size=40), glue=st.sampled_from([" ", "\n ", "\n", ""]))
def test_words_of_the_formats(kind: str, words: list[str], glue: str) -> None:
    harmless(kind, glue.join(words))


@pytest.mark.parametrize("kind", list(READ))
@QUICK
@given(text=st.text())
def test_any_text(kind: str, text: str) -> None:
    harmless(kind, text)


@pytest.mark.parametrize("kind", list(READ))
@pytest.mark.parametrize("piece", [*"1+x\n:\\*[<e. ", "- ", "+ 1 x ", "x:", "1.", "x \n"])
def test_long_repetitions_take_linear_time(kind: str, piece: str) -> None:
    head = {
        "mps": "ROWS\n N obj\nCOLUMNS\n x obj ",
        "lp": "Minimize\n obj: ",
    }[kind]
    start = time.process_time()
    harmless(kind, head + piece * (200_000 // len(piece)))
    assert time.process_time() - start < 5
