"""Every mistake, told as its maker is told: the exit code and all that is printed, word for word.

A case is a `.rq` file in `queries/`; its first line says which command reads it, and the `.out` file beside
it holds what that command does. `pytest tests/rejected --update` writes the `.out` files anew: look at the
difference as someone who has just made the mistake.
"""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from command_line import Run, run_here
from rejected_files import write_files

import ensc

CASES = Path(__file__).parent / "queries"
ROOT = Path(next(iter(ensc.__path__)))
EXPLANATIONS = ROOT / "compiler" / "explanations"
NAMES = sorted(path.stem for path in CASES.glob("*.rq"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rejected")
    write_files(path)
    for part in [*CASES.glob("*.rq"), *CASES.glob("*.rqi")]:
        shutil.copy(part, path)
    return path


def command(name: str) -> list[str]:
    """Return the arguments in the first line of a case, with the file after the name of the command."""
    first, *_ = (CASES / f"{name}.rq").read_text(encoding="utf-8").splitlines()
    found = re.fullmatch(r"// run: (\w+)(.*)", first)
    assert found, f"{name}.rq does not start with `// run: COMMAND`"
    return [found[1], f"{name}.rq", *shlex.split(found[2])]


def shown(run: Run) -> str:
    out = re.sub(r"(?m)^(seconds  ).*", r"\1...", run.out)
    out = re.sub(r"CBC \S+ \(python-mip \S+\)", "CBC ... (python-mip ...)", out)
    return f"exit {run.code}\n--- standard output\n{out}--- standard error\n{run.err}"


@pytest.mark.parametrize("name", NAMES)
def test_case(name: str, folder: Path, request: pytest.FixtureRequest) -> None:
    said = shown(run_here(folder, *command(name)))
    expected = CASES / f"{name}.out"
    if request.config.getoption("--update"):
        expected.write_text(said, encoding="utf-8")
    assert said == expected.read_text(encoding="utf-8")
    assert "Traceback" not in said


def test_every_text_belongs_to_a_case() -> None:
    assert {path.stem for path in CASES.glob("*.out")} == set(NAMES)


# What reads queries and all that they name, and solution files.
READERS = (
    *("cli.py", "commands/*.py", "compiler/files.py", "compiler/pipeline.py", "formats/files.py"),
    *("runner/verdicts/decode.py", "runner/emitting/emit.py", "runner/verdicts/expectation.py"),
    *("compiler/frontend/**/*.py", "compiler/passes/**/*.py", "formats/solutions/*.py"),
)
# Codes of theirs that no case shows, and where they are tested instead.
ELSEWHERE = {
    "E0001": "tests/cli/test_cli_hostile.py: no input causes it, so an error is raised inside a command",
    "E0717": "tests/cli/test_core_install.py: Pillow has to be missing",
    "E1060": "tests/compiler/test_levels.py: every solver of linear programs has to be missing",
    "E1001": "tests/compiler/test_linearize.py: E0931 refuses such queries before",
}


def test_every_code_has_a_case() -> None:
    said = "".join((CASES / f"{name}.out").read_text(encoding="utf-8") for name in NAMES)
    shown_codes = set(re.findall(r"(?:error|warning)\[([EW]\d{4})\]", said))
    sources = [path.read_text(encoding="utf-8") for pattern in READERS for path in ROOT.glob(pattern)]
    codes = set(re.findall(r'"([EW]\d{4})"', "".join(sources)))
    assert len(codes) > 100
    assert codes - shown_codes - ELSEWHERE.keys() == set()
    assert ELSEWHERE.keys() & shown_codes == set()


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("json_")])
def test_json_cases_hold_one_object_with_places(name: str) -> None:
    _, err = (CASES / f"{name}.out").read_text(encoding="utf-8").split("--- standard error\n")
    for found in json.loads(err)["diagnostics"]:
        assert found["code"] in {path.stem for path in EXPLANATIONS.glob("*.md")}
