"""The digit queries: each is answered as it says, and compiled to the same bytes wherever that happens."""

import hashlib
import json
import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from command_line import DIGITS, run_here

QUERIES = sorted(path.name for path in DIGITS.glob("*.rq"))


def expected(name: str) -> str:
    found = re.search(r"^expect (.*);$", (DIGITS / name).read_text(encoding="utf-8"), re.MULTILINE)
    assert found, f"{name} expects nothing"
    return found[1]


def answer(result: dict[str, object]) -> str:
    """Return the verdict of a result in the words of `expect`."""
    if result["verdict"] == "optimal":
        return f"value = {result['value']}"
    if result["verdict"] == "robust_up_to_k":
        return f"robust_up_to({result['count']})"
    return str(result["verdict"])


def test_the_answers_differ() -> None:
    assert len({expected(name) for name in QUERIES}) >= 4


@pytest.mark.parametrize("name", QUERIES)
def test_the_answer_is_the_expected_one(name: str) -> None:
    run = run_here(DIGITS, "solve", name, "--json")
    assert (run.code, run.err) == (0, "")
    result = json.loads(run.out)
    assert answer(result) == expected(name)
    if result["verdict"].startswith("robust"):
        assert result["proof"]
    else:
        assert result["certified"]
    if result["attack"]:
        assert sum(map(Fraction, result["attack"]["probabilities"])) == 1
        assert Fraction(result["attack"]["value"]) == Fraction(result["value"])


def compiled(queries: list[str], cwd: Path, target: Path, **environment: str) -> dict[str, str]:
    """Compile queries in a process of its own; return the hash of each file."""
    script = (
        "import sys\nfrom ensc.cli import main\n"
        "for number, query in enumerate(sys.argv[2:]):\n"
        "    for suffix in ('.mps', '.lp', '.mps.gz'):\n"
        "        assert main(['compile', query, '-o', f'{sys.argv[1]}/{number}{suffix}']) == 0\n"
    )
    target.mkdir()
    subprocess.run(
        [sys.executable, "-c", script, str(target), *queries],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        check=True,
    )
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(target.iterdir())}


def test_the_same_bytes_everywhere(tmp_path: Path) -> None:
    one = compiled(QUERIES, DIGITS, tmp_path / "one", PYTHONHASHSEED="1", LC_ALL="C", TZ="UTC")
    two = compiled(
        [f"digits/{name}" for name in QUERIES],
        DIGITS.parent,
        tmp_path / "two",
        PYTHONHASHSEED="2",
        LC_ALL="de_DE.UTF-8",
        TZ="Asia/Tokyo",
        OMP_NUM_THREADS="1",
        HOME=str(tmp_path),
    )
    assert one == two
    assert len(one) == 3 * len(QUERIES)


def test_queries_are_in_their_canonical_layout() -> None:
    run = run_here(DIGITS, "fmt", "--check", *QUERIES, "digits.rqi")
    assert (run.code, run.out, run.err) == (0, "", "")
