"""The long stories of the diagnostics of resolution: each has one, and its examples are true."""

import re
from pathlib import Path

import numpy as np
import pytest
from queries import STATEMENTS, load, query, refused, write_folder

import ensc
from ensc.compiler.diagnostics import Rejected, Severity

COMPILER = Path(next(iter(ensc.__path__))) / "compiler"
FRONTEND = COMPILER / "frontend"
MODULES = [*sorted((FRONTEND / "query").glob("*.py")), *sorted((FRONTEND / "data").glob("*.py"))]
CODES = sorted({code for path in MODULES for code in re.findall(r'"([EW]\d{4})"', path.read_text())})

# Their examples need a command line, files that include one another, or files too large for a test.
ELSEWHERE = {
    *("E0301", "E0302", "E0303", "E0304", "E0305", "E0306", "E0404", "E0405", "E0409", "E0410", "E0411"),
    *("E0501", "E0504", "E0606", "E0703", "E0706", "E0707", "E0711", "E0714", "E0717", "E0718", "E0721"),
    "E0901",
}
KEYS = {
    "param epsilon": "epsilon",
    "param alpha": "alpha",
    **dict.fromkeys(("check", "maximize", "minimize", "profile"), "goal"),
    **{key: key for key in ("ensemble", "data", "input", "attack", "loss", "expect")},
}


def story(code: str) -> str:
    return (COMPILER / "explanations" / f"{code}.md").read_text(encoding="utf-8")


def examples(code: str) -> list[str]:
    return re.findall(r"^```\n(.*?)^```", story(code), flags=re.DOTALL | re.MULTILINE)


def completed(example: str) -> str:
    """Put the statements of an example in the place of those of a whole query, in their order."""
    statements = re.findall(r'^\w(?:"[^"]*"|[^;{"])*(?:\{[^}]*\}|;)', example, flags=re.MULTILINE)
    given = [next(key for start, key in KEYS.items() if s.startswith(start)) for s in statements]
    rest = {key: text for key, text in STATEMENTS.items() if key not in given}
    return "\n".join([rest.pop("version"), *statements, *rest.values()])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("examples")
    write_folder(path)
    (path / "points.npz").write_bytes((path / "p.npz").read_bytes())
    np.savez(
        path / "gaps.npz", x=np.where(np.arange(40).reshape(10, 4) == 30, np.nan, 1.0), y=np.arange(10) % 3
    )
    (path / "points.csv").write_text("a;b;c;d;y\n1;2;3;4;0\n", encoding="utf-8")
    (path / "table.csv").write_text("1,2,3,4,0\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_story(code: str) -> None:
    text = story(code)
    assert re.match(r"# \S.*[^.]\n\n\S", text)
    assert all(len(line) <= 110 for line in text.splitlines())
    assert examples(code)


@pytest.mark.parametrize("code", [code for code in CODES if code not in ELSEWHERE])
def test_examples_are_true(folder: Path, code: str) -> None:
    wrong, right = (completed(example) for example in examples(code))
    assert code in said(folder, wrong)
    assert code not in said(folder, right)
    load(folder, right)


def said(folder: Path, text: str) -> list[str]:
    try:
        return [d.code for d in load(folder, text).warnings]
    except Rejected as rejected:
        return [d.code for d in rejected.diagnostics]


def test_the_query_around_the_examples_is_accepted(folder: Path) -> None:
    assert completed("") == query()
    assert load(folder, query()).warnings == ()


def test_one_wrong_statement_is_one_error(folder: Path) -> None:
    for code in CODES:
        if code in ELSEWHERE or code.startswith("W"):
            continue
        errors = [d for d in refused(folder, completed(examples(code)[0])) if d.severity is Severity.ERROR]
        assert [d.code for d in errors] == [code]
