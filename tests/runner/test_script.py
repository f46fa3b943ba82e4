"""Scripts from `ensc compile`: what they claim of the answer, and the forms they come in."""

import gzip
import re
from pathlib import Path

import pytest
import z3
from command_line import DIGITS, run_here
from queries import load, query, write_folder

from ensc.compiler.frontend.query.resolve import load_problem
from ensc.compiler.pipeline import Options, compile_problem
from ensc.compiler.types.problem import Check, EnsembleProblem
from ensc.runner.emitting.script import Form, expected_status, status_of, write_script


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folder(tmp_path)
    return tmp_path


def problem(folder: Path, **changes: str) -> EnsembleProblem:
    return load(folder, query(**changes)).problem


def script(folder: Path, name: str, *options: str) -> str:
    run = run_here(DIGITS, "compile", name, "-o", str(folder / "out.smt2"), *options)
    assert (run.code, run.err) == (0, "")
    return (folder / "out.smt2").read_text(encoding="ascii")


# the status ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status"), [("robust", "unsat"), ("l1", "unsat"), ("count1", "unsat"), ("not_robust", "sat")]
)
@pytest.mark.parametrize("level", ["-O0", "-O1"])
def test_the_status_is_what_the_query_expects(tmp_path: Path, name: str, status: str, level: str) -> None:
    assert f"(set-info :status {status})" in script(tmp_path, f"{name}.rq", level)


def test_without_an_expectation_nothing_is_known(folder: Path) -> None:
    for expect in ("", "expect unknown;", "expect timeout;"):
        assert expected_status(problem(folder, expect=expect), 2) == "unknown"


@pytest.mark.parametrize(
    ("answer", "count", "attacks", "status"),
    [
        ("robust", None, 1, "unsat"),
        ("robust", None, 5, "unsat"),
        ("robust_up_to", 1, 1, "unsat"),
        ("robust_up_to", 1, 2, "unknown"),
        ("not_robust", None, 2, "sat"),
        ("not_robust", None, 1, "unknown"),
        ("value = 1/2", None, 2, "unknown"),
    ],
)
def test_a_status_depends_on_the_number_of_attacks(
    folder: Path, answer: str, count: int | None, attacks: int, status: str
) -> None:
    assert status_of(problem(folder), answer, count, attacks) == status


def test_an_optimum_has_no_status(folder: Path) -> None:
    asked = problem(folder, goal="maximize value;", alpha="")
    assert status_of(asked, "robust", None, 2) == "unknown"


@pytest.mark.parametrize("epsilon", ["0", "1", "4", "30", "200"])
@pytest.mark.parametrize("alpha", ["1/4", "1/2", "1"])
def test_z3_finds_the_status_that_follows_from_its_own_answer(folder: Path, epsilon: str, alpha: str) -> None:
    """What two attacks cannot do, one cannot; and what one can do, two can."""
    found = {}
    for count in (1, 2):
        text = {
            "attack": f"attack norm Linf, radius {epsilon}, count {count};",
            "goal": f"check value < {alpha};",
        }
        asked = problem(folder, epsilon="", alpha="", **text)
        for level in (0, 1):
            compiled = compile_problem(asked, Options(level=level))
            solver = z3.Solver()
            solver.from_string(b"".join(write_script(compiled, Form())).decode("ascii"))
            found[count, level] = str(solver.check()), asked, compiled.attacks
    answer = "not_robust" if found[2, 0][0] == "sat" else "robust"
    assert found[2, 1][0] == found[2, 0][0]
    for result, asked, attacks in found.values():
        if answer == "robust" or asked.threat.count == 2:
            assert status_of(asked, answer, None, attacks) == result
        if result == "unsat":
            assert status_of(asked, "robust_up_to", asked.threat.count, attacks) == "unsat"


# the forms -------------------------------------------------------------------------------------------


def test_rectifiers_are_disjunctions_or_conditionals(tmp_path: Path) -> None:
    either = script(tmp_path, "not_robust.rq")
    conditional = script(tmp_path, "not_robust.rq", "--relu", "ite")
    assert re.search(r"\(assert \(or \(<= h_\w+ 0\.0\) ", either)
    assert not re.search(r"\(assert \(or \(<= h_\w+ 0\.0\) ", conditional)
    assert re.search(r"\(ite \(>= a_\w+ 0\.0\) a_\w+ 0\.0\)", conditional)


def test_an_optimum_needs_the_dialect_of_z3(tmp_path: Path) -> None:
    run = run_here(DIGITS, "compile", "maximize.rq", "-o", str(tmp_path / "out.smt2"))
    assert (run.code, "E1030" in run.err) == (1, True)
    assert not (tmp_path / "out.smt2").exists()
    assert "(maximize t)" in script(tmp_path, "maximize.rq", "--dialect", "z3-opt")


def test_a_script_is_compressed_by_its_suffix(tmp_path: Path) -> None:
    plain = script(tmp_path, "robust.rq")
    assert run_here(DIGITS, "compile", "robust.rq", "-o", str(tmp_path / "out.smt2.gz")).code == 0
    assert gzip.decompress((tmp_path / "out.smt2.gz").read_bytes()).decode("ascii") == plain


@pytest.mark.parametrize("options", [("--relu", "ite"), ("--dialect", "z3-opt")])
def test_options_of_scripts_are_refused_elsewhere(tmp_path: Path, options: tuple[str, ...]) -> None:
    run = run_here(DIGITS, "compile", "robust.rq", "-o", str(tmp_path / "out.mps"), *options)
    assert (run.code, "E1011" in run.err) == (1, True)
    assert not list(tmp_path.iterdir())


def test_the_header_describes_the_script_itself(tmp_path: Path) -> None:
    text = script(tmp_path, "not_robust.rq")
    head = text[: text.index("(declare-fun")]
    columns = int(re.findall(r"columns (\d+)", head)[0])
    assert text.count("(declare-fun") == columns
    assert "-O1, joint encoding" in head
    assert "rows r1" not in head  # assertions have no names
    goal = load_problem(DIGITS / "not_robust.rq").problem.goal
    assert isinstance(goal, Check)
    assert f"goal: check value < {goal.alpha}\n" in head
