"""Questions as files: written whole, solved one by one by other programs, collected in any state."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from importlib import resources
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from command_line import DIGITS, run_here
from question_folders import SOLVERS, random_query, solve_in_place

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.frontend.query.resolve import load_problem
from ensc.compiler.types.solution import Word
from ensc.formats import read_lp, read_mps
from ensc.runner.exact.certify import certify
from ensc.runner.questions.collect import Collected, collect
from ensc.runner.questions.manifest import FORMS, Form
from ensc.runner.questions.write import write_folder
from ensc.runner.reports.report import result_json
from ensc.runner.split.solve import solve_split

F = Fraction
SEED = 2
"""Of a query whose questions are feasible and infeasible, many of them open after bounds."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of questions without answers."""
    folder = tmp_path_factory.mktemp("written")
    write_folder(random_query(folder, SEED, points=3), folder / "out", every=True)
    return folder / "out"


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Fraction:
    """The optimum, by asking in the usual way."""
    verdict = solve_split(random_query(tmp_path_factory.mktemp("truth"), SEED, points=3)).verdict
    assert verdict.word is Word.OPTIMAL
    return verdict.lower


@pytest.fixture(scope="module")
def solved(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same folder with an answer of CBC or HiGHS, in turn, to every question."""
    folder = Path(shutil.copytree(written, tmp_path_factory.mktemp("solved") / "out"))
    for place, path in enumerate(questions(folder)):
        solve_in_place(SOLVERS[place % len(SOLVERS)], path)
    return folder


@pytest.fixture
def copy(solved: Path, tmp_path: Path) -> Path:
    """A solved folder that a test may spoil."""
    return Path(shutil.copytree(solved, tmp_path / "copy"))


def questions(folder: Path, suffix: str = "mps") -> list[Path]:
    return sorted((folder / "questions").glob(f"q_*.{suffix}"))


def answers(folder: Path) -> list[Path]:
    return sorted((folder / "questions").glob("*.sol"))


def interval(found: Collected) -> tuple[Fraction, Fraction]:
    return found.result.verdict.lower, found.result.verdict.upper


def said(found: Collected) -> str:
    return "\n".join(found.result.verdict.reasons)


def test_a_folder_without_answers_has_the_interval_of_bounds_and_search(
    written: Path, truth: Fraction
) -> None:
    found = collect(written)
    low, high = interval(found)
    assert low <= truth < high
    assert (found.answered, found.unneeded) == (0, ())
    assert sorted(found.open) == [path.relative_to(written).as_posix() for path in questions(written)]


def test_answers_of_several_programs_decide_the_query(solved: Path, truth: Fraction) -> None:
    found = collect(solved)
    assert interval(found) == (truth, truth)
    assert found.result.verdict.word is Word.OPTIMAL
    assert found.answered == len(questions(solved))
    assert found.open == ()
    attack = found.result.verdict.attack
    assert attack is not None
    assert certify(found.result.problem, attack).value == truth


def test_every_order_of_arrival_narrows_the_interval_to_the_truth(
    copy: Path, truth: Fraction, tmp_path: Path
) -> None:
    waiting = answers(copy)
    waiting = [waiting[i] for i in np.random.default_rng(5).permutation(len(waiting))]
    for path in waiting:
        shutil.move(path, tmp_path / path.name)
    low, high = interval(collect(copy))
    for path in waiting:
        shutil.move(tmp_path / path.name, path)
        found = collect(copy)
        assert low <= found.result.verdict.lower <= truth <= found.result.verdict.upper <= high
        low, high = interval(found)
        if found.result.verdict.word is Word.OPTIMAL:
            assert set(found.unneeded) >= {q.relative_to(copy).as_posix() for q in silent(copy)}
    assert low == high == truth


def silent(folder: Path) -> list[Path]:
    return [path for path in questions(folder) if not path.with_suffix(".sol").exists()]


GARBAGE = [
    "",
    "\x00\x01\x02",
    "Segmentation fault\n",
    "Optimal - objective value 0.00000000\n      0 d_1   nan   0\n",
    "Optimal - objective value 0.00000000\n      0 d_1   1e300   0\n",
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><CPLEXSolution/>',
    "Stopped on time limit - objective value 0.00000000\n",
]


def test_rubbish_is_named_and_changes_nothing(copy: Path, truth: Fraction) -> None:
    for path, text in zip(answers(copy), GARBAGE, strict=False):
        path.with_suffix(".other.sol").write_text(text)
    (copy / "questions" / "notes.txt").write_text("hello")
    (copy / "questions" / f"{answers(copy)[0].stem}.dir").mkdir()
    found = collect(copy)
    assert interval(found) == (truth, truth)
    assert said(found).count("ignored") >= 4
    assert "questions/notes.txt: it is named after no question" in said(found)


def test_rubbish_alone_leaves_questions_open(written: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(written, tmp_path / "out"))
    before = interval(collect(folder))
    for place, path in enumerate(questions(folder)):
        path.with_suffix(".sol").write_text(GARBAGE[place % len(GARBAGE)])
    found = collect(folder)
    assert interval(found) == before
    assert len(found.open) == len(questions(folder))


def test_a_lie_that_a_replay_refutes_costs_its_name_all_belief(copy: Path, truth: Fraction) -> None:
    feasible = [path for path in questions(copy) if is_feasible(path)]
    assert feasible
    lie = feasible[0].with_suffix(".lie.sol")
    lie.write_text("Infeasible - objective value 0.00000000\n")
    found = collect(copy)
    assert found.result.verdict.lower <= truth <= found.result.verdict.upper
    assert "CONTRADICTION: cbc claims" in said(found)
    game = found.result.verdict.game
    assert game is not None
    assert not any(spared.proof.solver == "cbc" for at in game.points for spared in at.infeasible)


def is_feasible(path: Path) -> bool:
    return "nfeasible" not in path.with_suffix(".sol").read_text()


def test_a_claimed_point_that_is_none_is_not_believed(copy: Path, truth: Fraction) -> None:
    for path in questions(copy):
        if not is_feasible(path):
            path.with_suffix(".sol").write_text("Optimal - objective value 0\n      0 d_1  0.25  0\n")
    found = collect(copy)
    assert found.result.verdict.lower <= truth <= found.result.verdict.upper
    assert found.result.verdict.upper > truth
    assert "does not survive exact replay" in said(found)


def test_answers_that_disagree_leave_a_question_open(copy: Path) -> None:
    path = next(path for path in questions(copy) if not is_feasible(path))
    path.with_suffix(".other.sol").write_text("Optimal - objective value 0\n      0 d_1  0.25  0\n")
    found = collect(copy)
    assert "they disagree, and neither is believed" in said(found)


def test_infeasibility_of_another_model_is_not_believed(copy: Path, truth: Fraction) -> None:
    for path in questions(copy):
        path.write_text(path.read_text().replace("ENDATA", "\nENDATA"))
    found = collect(copy)
    assert found.result.verdict.lower <= truth < found.result.verdict.upper
    assert said(found).count("is not the one written") == sum(not is_feasible(p) for p in questions(copy))


@pytest.mark.parametrize("form", FORMS)
def test_same_query_same_bytes(form: Form, tmp_path: Path) -> None:
    problem = random_query(tmp_path, SEED, points=3)
    for name, jobs in (("a", 1), ("b", 2 if form == "mps" else 1)):
        write_folder(problem, tmp_path / name, form, jobs=jobs)
    first, second = ({p.relative_to(tmp_path / n): p for p in (tmp_path / n).rglob("*")} for n in "ab")
    assert first.keys() == second.keys()
    assert all(
        path.read_bytes() == second[name].read_bytes() for name, path in first.items() if path.is_file()
    )
    assert str(tmp_path) not in (tmp_path / "a" / "manifest.json").read_text()


@pytest.mark.parametrize("form", FORMS)
def test_manifest_satisfies_its_schema(form: Form, tmp_path: Path) -> None:
    problem = random_query(tmp_path, SEED, points=3)
    written = write_folder(problem, tmp_path / "out", form)
    content = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    schema = json.loads(
        resources.files("ensc.runner.questions").joinpath("questions.schema.json").read_text("utf-8")
    )
    jsonschema.validate(content, schema)
    assert content["digest"] == problem.digest
    entries = [entry for point in content["points"] for entry in point["questions"]]
    assert len(entries) == 3 * 7 == written.files + written.decided
    assert sum(entry["status"] == "open" for entry in entries) == written.files > 0


@pytest.mark.parametrize("form", ["lp", "smt2"])
def test_other_formats_come_to_the_same_answer(form: Form, tmp_path: Path) -> None:
    problem = random_query(tmp_path, SEED, members=2, points=2, width=4)
    write_folder(problem, tmp_path / "out", form, every=True)
    assert questions(tmp_path / "out", form)
    for path in questions(tmp_path / "out", form):
        solve_in_place("z3" if form == "smt2" else "cbc", path)
    best = solve_split(problem).verdict.lower
    assert interval(collect(tmp_path / "out")) == (best, best)


def test_verifiers_answers_are_read(tmp_path: Path) -> None:
    problem = random_query(tmp_path, SEED, members=2, points=2)
    write_folder(problem, tmp_path / "out", "vnnlib", every=True)
    stated = tmp_path / "out" / "questions" / "1.0"
    words = set()
    for line in (stated / "instances.csv").read_text().splitlines():
        network, vnnlib, _ = line.split(",")
        result = (stated / vnnlib).with_suffix(".result")
        arguments = ["solve", str(stated / vnnlib), "--network", str(stated / network), "--witness"]
        assert run_here(tmp_path, *arguments, str(result)).code == 0
        if not result.exists():
            result.write_text("unsat\n")
        words.add(result.read_text().split()[0])
    assert words == {"sat", "unsat"}
    best = solve_split(problem).verdict.lower
    assert interval(collect(tmp_path / "out")) == (best, best)


def test_question_files_are_read_back_and_answered_without_the_query(written: Path) -> None:
    for path in questions(written):
        model = read_mps(path.read_text("utf-8"), path.name)
        assert {f"d_{k}" for k in range(1, 7)} <= set(model.variables.names())


def spoil(change: Callable[[Path], object], folder: Path) -> str:
    change(folder)
    with pytest.raises(Rejected) as caught:
        collect(folder)
    return caught.value.diagnostics[0].code


def edited(old: str, new: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        path = folder / "manifest.json"
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return change


HUGE = f'{{"members": [], "by": "cbc", "claim": "infeasible", "tolerance": 1{"0" * 400}}}'
"""A tolerance that no float64 can hold."""


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "E1152"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "E1152"),
        (edited("ensc-questions-1", "ensc-questions-9"), "E1152"),
        (edited('"query/', '"../query/'), "E1152"),
        (edited('"f2"', '"f9"'), "E1152"),
        (edited('"perturbation": "', '"perturbation": "1e999999999 '), "E1152"),
        (edited('"perturbation": "', '"perturbation": "1/0 '), "E1152"),
        (edited('"perturbation": "', '"perturbation": "1 '), "E1152"),
        (edited('"refutations": [', f'"refutations": [{HUGE}'), "E1152"),
        (edited('"digest": "', '"digest": "0'), "E1153"),
        (lambda folder: shutil.copy(folder / "query" / "f1.onnx", folder / "query" / "f2.onnx"), "E0602"),
    ],
)
def test_a_damaged_folder_is_rejected(
    written: Path, tmp_path: Path, change: Callable[[Path], object], code: str
) -> None:
    assert spoil(change, Path(shutil.copytree(written, tmp_path / "out"))) == code


def test_witnesses_of_a_manifest_are_replayed(written: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(written, tmp_path / "out"))
    content = json.loads((folder / "manifest.json").read_text())
    for point in content["points"]:
        for witness in point["witnesses"]:
            witness["members"] = content["members"]
            witness["perturbation"] = " ".join(["0"] * 6)
        point["refutations"] = []
    (folder / "manifest.json").write_text(json.dumps(content))
    found = collect(folder)
    assert found.result.verdict.lower < 1 == found.result.verdict.upper


def test_nothing_is_written_over_or_half(tmp_path: Path) -> None:
    problem = random_query(tmp_path, SEED, points=2)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "x").write_text("mine")
    for folder in (tmp_path / "taken", tmp_path / "no" / "folder"):
        with pytest.raises(Rejected, match="E1151"):
            write_folder(problem, folder)
    (tmp_path / "f1.onnx").write_bytes((tmp_path / "f2.onnx").read_bytes())
    before = sorted(tmp_path.iterdir())
    with pytest.raises(Rejected):
        write_folder(problem, tmp_path / "out")
    assert sorted(tmp_path.iterdir()) == before


def test_a_query_that_changed_in_the_meantime_is_not_asked(tmp_path: Path) -> None:
    problem = dataclasses.replace(random_query(tmp_path, SEED, points=2), digest="0" * 64)
    with pytest.raises(Rejected) as rejected:
        write_folder(problem, tmp_path / "out")
    (said,) = rejected.value.diagnostics
    assert said.code == "E1153"
    assert said.message == "the query in the folder is not the one that was asked for"
    assert said.help == "a file may have changed while the folder was made: make it again"
    assert not (tmp_path / "out").exists()


def test_goals_about_many_radii_are_refused(tmp_path: Path) -> None:
    goal = "minimize epsilon such that value >= 1/2"
    with pytest.raises(Rejected, match="E1150"):
        write_folder(random_query(tmp_path, SEED, points=1, goal=goal), tmp_path / "out")


def test_many_members_get_files_in_proportion(tmp_path: Path) -> None:
    problem = random_query(tmp_path, 1, members=6, points=2)
    written = write_folder(problem, tmp_path / "out")
    assert any("may leave an interval" in note for note in written.notes)
    assert written.files + written.decided <= 2 * (6 + 15 + 20)
    content = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert content["complete"] is False
    low, high = interval(collect(tmp_path / "out"))
    assert low <= solve_split(problem).verdict.lower <= high


def test_the_command_line_goes_all_the_way(tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    done = run_here(tmp_path, "compile", str(DIGITS / "not_robust.rq"), "--split", out, "--format", "lp")
    assert done.code == 0
    assert "questions to" in done.out
    first = run_here(tmp_path, "collect", out, "--json")
    schema = json.loads(
        resources.files("ensc.runner.reports").joinpath("result.schema.json").read_text("utf-8")
    )
    jsonschema.validate(json.loads(first.out), schema)
    names = run_here(tmp_path, "collect", out, "--open").out.split()
    assert first.code == (3 if names else 0)
    for name in names:
        path = tmp_path / "out" / name
        read_lp(path.read_text("utf-8"), path.name)
        solve_in_place("cbc", path)
    last = run_here(tmp_path, "collect", out)
    assert (last.code, "not robust" in last.out) == (0, True)
    assert "0 open" in last.out
    assert run_here(tmp_path, "collect", str(tmp_path)).code == 1
    assert run_here(tmp_path, "compile", str(DIGITS / "robust.rq"), "--split", out).code == 1


def test_collected_results_are_those_of_solving(solved: Path) -> None:
    found = collect(solved).result
    usual = solve_split(load_problem(solved / "query" / "q.rq").problem)
    first, second = result_json(found), result_json(usual)
    assert first.keys() == second.keys()
    assert all(first[key] == second[key] for key in ("verdict", "lower", "upper", "digest", "goal"))
