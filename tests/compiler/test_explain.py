"""Every diagnostic has its explanation, and every explanation is true."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import ensc
from ensc.compiler.diagnostics import Rejected, Source
from ensc.compiler.explain import codes, explain
from ensc.compiler.frontend.syntax.parse import parse_query

ROOT = Path(ensc.__file__).parent
SYNTAX = [code for code in codes() if code.startswith("E01") and code != "E0199"]


def used_codes() -> set[str]:
    """Return the codes that stand in the product's source."""
    product = [ROOT / "cli.py"]
    product += [
        p for folder in ("compiler", "formats", "runner", "commands") for p in ROOT.glob(f"{folder}/**/*.py")
    ]
    text = "".join(path.read_text(encoding="utf-8") for path in product)
    return set(re.findall(r'"([EW]\d{4})"', text))


def test_every_code_in_use_is_explained_and_every_explanation_is_in_use() -> None:
    used, explained = used_codes(), set(codes())
    assert sorted(used - explained) == [], "no explanation"
    assert sorted(explained - used) == [], "not in use"


@pytest.mark.parametrize("code", codes())
def test_explanations_have_a_title_and_end_with_a_line_break(code: str) -> None:
    title, blank, *rest = explain(code).split("\n")
    assert title.startswith("# ")
    assert len(title) < 100
    assert blank == ""
    assert rest[-1] == ""
    assert len("".join(rest)) > 100


def blocks(code: str) -> Iterator[tuple[str, str]]:
    """Yield the examples of an explanation, each with the line above it."""
    pattern = r"^([^\n]+):\n\n```\n(.*?)\n```$"
    for match in re.finditer(pattern, explain(code), re.MULTILINE | re.DOTALL):
        yield match[1], match[2]


@pytest.mark.parametrize("code", SYNTAX)
def test_examples_of_syntax_errors_are_wrong_and_right_as_they_say(code: str) -> None:
    found = list(blocks(code))
    assert len(found) >= 2
    for says, text in found:
        is_whole = text.startswith("rq") or code == "E0106"
        source = Source("example", text if is_whole else f"rq 1.0;\n{text}")
        if not says.startswith("Wrong"):
            parse_query(source)
            continue
        with pytest.raises(Rejected) as caught:
            parse_query(source)
        assert {d.code for d in caught.value.diagnostics} == {code}


def test_codes_are_taken_in_either_case() -> None:
    assert explain(" e0101\n") == explain("E0101")


@pytest.mark.parametrize(
    ("code", "help_text"),
    [
        ("E01011", "codes stand in brackets: `error[E0202]`"),
        ("norm", "codes stand in brackets: `error[E0202]`"),
        ("../E0101", "codes stand in brackets: `error[E0202]`"),
        ("", "codes stand in brackets: `error[E0202]`"),
    ],
)
def test_unknown_codes_are_rejected(code: str, help_text: str) -> None:
    with pytest.raises(Rejected) as caught:
        explain(code)
    (error,) = caught.value.diagnostics
    assert (error.code, error.help) == ("E0199", help_text)


def test_a_code_near_to_others_gets_one_of_them() -> None:
    with pytest.raises(Rejected) as caught:
        explain("E0100")
    (error,) = caught.value.diagnostics
    assert error.help is not None
    assert re.fullmatch(r"did you mean `E0\d{3}`\?", error.help)
