"""Long runs: resumed from a journal, interrupted, killed, out of memory, with a full disk, and with liars."""

import dataclasses
import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from bad_backends import FLAG, always_dies, claims_infeasible, claims_nonsense, crashes, dies_once
from command_line import COMMAND, DIGITS, run_here
from processes import family, wait_until

from ensc.compiler.frontend.query.resolve import Overrides, load_problem
from ensc.compiler.types.model import Model
from ensc.compiler.types.problem import Check, EnsembleProblem
from ensc.compiler.types.solution import Proof, Solution, Word
from ensc.runner.reports.report import result_json
from ensc.runner.split.answer import at_points, solve_by_cbc
from ensc.runner.split.answer import surveyed as surveyed_stage
from ensc.runner.split.confirm import confirmed
from ensc.runner.split.journal import Journal, _line
from ensc.runner.split.patterns import Knowledge
from ensc.runner.split.progress import describe, duration
from ensc.runner.split.settings import Progress, SplitSettings
from ensc.runner.split.solve import solve_split

F = Fraction
Records = list[dict[str, Any]]

QUERY = """rq 1.0;
include "{digits}/digits.rqi";
data X = npz("{digits}/points.npz", inputs = "x", labels = "y", rows = [0..39]);
param epsilon: real >= 0 = 11/10;
input domain [0, 16];
attack norm Linf, radius epsilon, count auto;
{goal};
"""


@pytest.fixture(scope="module")
def query(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A query of which bounds and search leave several questions open."""
    path = tmp_path_factory.mktemp("many") / "many.rq"
    path.write_text(QUERY.format(digits=DIGITS, goal="maximize value"))
    return path


@pytest.fixture(scope="module")
def many(query: Path) -> EnsembleProblem:
    return load_problem(query, Overrides()).problem


def records(path: Path) -> Records:
    found = [json.loads(line)["record"] for line in path.read_text("ascii").splitlines()]
    return [record for record in found if "did" in record]


def asked(path: Path) -> Counter[tuple[str, int]]:
    return Counter((r["point"], r["mask"]) for r in records(path) if r["did"] == "ask")


def surveyed(path: Path) -> Counter[str]:
    return Counter(r["point"] for r in records(path) if r["did"] == "survey")


def test_a_run_that_is_resumed_repeats_nothing(many: EnsembleProblem, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    questions: list[int] = []

    def counting(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
        questions.append(seed)
        return solve_by_cbc(model, seconds, seed)

    whole = solve_split(many, SplitSettings(backend=counting)).verdict
    needed = len(questions)
    assert needed > 2
    questions.clear()
    for most in (1, 2, None):
        with Journal(path) as journal:
            settings = SplitSettings(backend=counting, journal=journal, most_questions=most)
            part = solve_split(many, settings)
    assert len(questions) == needed
    assert (part.verdict.word, part.verdict.lower, part.verdict.upper) == (
        whole.word,
        whole.lower,
        whole.upper,
    )
    assert set(asked(path).values()) == {1}
    assert set(surveyed(path).values()) == {1}
    told: Any = result_json(part)
    assert told["questions"]["recalled"] == 3
    assert any(f["recalled"] for known in told["patterns"] for f in known["feasible"])
    with Journal(path) as journal:  # and when nothing is left to do, nothing is done
        again = solve_split(many, SplitSettings(backend=counting, journal=journal)).verdict
    assert len(questions) == needed
    assert (again.lower, again.upper) == (whole.lower, whole.upper)


def test_a_decided_query_is_surveyed_no_further(many: EnsembleProblem, tmp_path: Path) -> None:
    """And what the journal holds of its survey serves the next query, which needs more of it."""
    path = tmp_path / "run.jsonl"
    easy = dataclasses.replace(many, goal=Check(F(1)))
    for _ in range(2):
        with Journal(path) as journal:
            assert solve_split(easy, SplitSettings(journal=journal)).verdict.word is Word.ROBUST
        assert {r["did"] for r in records(path)} == {"stage 0"}
        assert len(records(path)) == len(many.points)
    settings = SplitSettings(most_questions=0)
    fresh = solve_split(many, settings).verdict
    with Journal(path) as journal:
        verdict = solve_split(many, dataclasses.replace(settings, journal=journal)).verdict
    assert (verdict.lower, verdict.upper) == (fresh.lower, fresh.upper)
    assert Counter(r["did"] for r in records(path))["stage 0"] == len(many.points)
    assert set(surveyed(path).values()) == {1}


def test_a_survey_goes_on_where_it_ended(
    many: EnsembleProblem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.jsonl"
    settings = SplitSettings(most_questions=0)
    whole = solve_split(many, settings).verdict
    done = []

    def interrupted(
        problem: EnsembleProblem, points: Sequence[int], known: Sequence[Knowledge], stage: int
    ) -> list[Knowledge]:
        done.append(stage)
        if len(done) == 6:
            raise KeyboardInterrupt
        return surveyed_stage(problem, points, known, stage)

    monkeypatch.setattr("ensc.runner.split.survey.surveyed", interrupted)
    for _ in range(2):
        with Journal(path) as journal:
            verdict = solve_split(many, dataclasses.replace(settings, journal=journal)).verdict
    assert done == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2]
    assert (verdict.lower, verdict.upper) == (whole.lower, whole.upper)
    assert set(surveyed(path).values()) == {1}


@pytest.mark.slow
def test_other_solvers_do_not_inherit_refutations(many: EnsembleProblem, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    for solvers in ("one", "another"):
        with Journal(path) as journal:
            result = solve_split(many, SplitSettings(solvers=solvers, journal=journal, most_questions=2))
            assert result.verdict.game is not None
            assert result.verdict.game.recalled == 0
    assert set(surveyed(path).values()) == {1}


def forge(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change records and give them checksums that fit."""
    lines = path.read_bytes().splitlines(keepends=True)
    forged = []
    for line in lines[1:]:
        record = json.loads(line)["record"]
        change(record)
        forged.append(_line(record))
    path.write_bytes(lines[0] + b"".join(forged))


def test_perturbations_of_a_journal_are_replayed(many: EnsembleProblem, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"

    def boast(record: dict[str, Any]) -> None:
        record["found"] = [[7, source, delta] for _, source, delta in record["found"]]

    with Journal(path) as journal:
        solve_split(many, SplitSettings(journal=journal, most_questions=0))
    forge(path, boast)
    with Journal(path) as journal:
        verdict = solve_split(many, SplitSettings(journal=journal, most_questions=0)).verdict
    assert any("did not survive exact replay" in reason for reason in verdict.reasons)
    assert verdict.lower <= F(1, 4)


@pytest.mark.parametrize(
    "damage",
    [
        {"found": 3},
        {"mask": -1},
        {"mask": 8},
        {"radius": "1/0"},
        {"radius": []},
        {"denied": [[1, "CBC"]]},
        {"denied": [["x", "CBC", 0, "", "1", True]]},
        {"found": [[1, "search", ["zz"]]]},
        {"found": [[1, "search", ["1" * 99999]]]},
        {"did": "dream"},
        {"solvers": None},
        {"seconds": "soon"},
    ],
)
def test_records_that_say_nonsense_are_left_out(
    many: EnsembleProblem, tmp_path: Path, damage: dict[str, Any]
) -> None:
    path = tmp_path / "run.jsonl"
    few = F(1, 100)
    small = load_small(many, few)
    with Journal(path) as journal:
        before = solve_split(small, SplitSettings(journal=journal)).verdict
    forge(path, lambda record: record.update(damage))
    with Journal(path) as journal:
        verdict = solve_split(small, SplitSettings(journal=journal)).verdict
    assert (verdict.lower, verdict.upper) == (before.lower, before.upper)
    assert any("did not survive" in reason for reason in verdict.reasons)


def load_small(problem: EnsembleProblem, radius: Fraction) -> EnsembleProblem:
    threat = dataclasses.replace(problem.threat, radius=radius)
    return dataclasses.replace(at_points(problem, [0, 1]), threat=threat)


def test_a_journal_serves_smaller_radii_too(many: EnsembleProblem, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with Journal(path) as journal:
        for radius in (F(1), F(1, 2), F(1)):
            small = load_small(many, radius)
            kept = solve_split(small, SplitSettings(journal=journal)).verdict
            fresh = solve_split(small).verdict
            assert (kept.lower, kept.upper) == (fresh.lower, fresh.upper)


@pytest.mark.parametrize(
    "goal",
    [
        "minimize epsilon such that value >= 1/2",
        pytest.param("profile value over epsilon in [0, 1]", marks=pytest.mark.slow),
    ],
)
def test_goals_about_many_radii_resume(tmp_path: Path, goal: str) -> None:
    path, query = tmp_path / "run.jsonl", tmp_path / "radii.rq"
    text = QUERY.format(digits=DIGITS, goal=goal).replace("[0..39]", "[38]")
    query.write_text(text.replace(">= 0 = 11/10", "in [0, 1]"))
    problem = load_problem(query, Overrides()).problem
    questions: list[int] = []

    def counting(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
        questions.append(seed)
        return solve_by_cbc(model, seconds, seed)

    verdicts = []
    for _ in range(2):
        with Journal(path) as journal:
            verdicts.append(solve_split(problem, SplitSettings(backend=counting, journal=journal)).verdict)
    first, second = verdicts
    assert (first.word, first.lower, first.upper) == (second.word, second.lower, second.upper)
    assert first.profile == second.profile
    assert len(questions) == sum(r["did"] == "measure" for r in records(path)) > 0


def start(query: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [*COMMAND, "solve", str(query), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def has_asked(path: Path) -> bool:
    return path.exists() and b'"did":"ask"' in path.read_bytes()


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_interrupted_it_tells_what_it_knows_and_how_to_go_on(
    query: Path, tmp_path: Path, number: int
) -> None:
    path = tmp_path / "run.jsonl"
    child = start(query, "--jobs", "2", "--journal", str(path), "--json")
    wait_until(lambda: has_asked(path), 60)
    workers = family(child.pid)
    child.send_signal(number)
    out, err = child.communicate(timeout=30)
    assert child.returncode == 3
    told = json.loads(out)
    assert told["verdict"] == "unknown"
    assert F(told["lower"]) < F(told["upper"]) < 1
    assert "interrupted" in told["reasons"]
    assert "the same command goes on from its journal" in err
    wait_until(lambda: not any(map(is_alive, workers)))


def test_a_killed_parent_leaves_nobody_and_loses_nothing(query: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    child = start(query, "--jobs", "2", "--journal", str(path))
    wait_until(lambda: has_asked(path), 60)
    workers = family(child.pid)
    child.kill()
    child.communicate()
    wait_until(lambda: not any(map(is_alive, workers)))
    done = start(query, "--jobs", "2", "--journal", str(path), "--json")
    out, err = done.communicate(timeout=120)
    assert done.returncode == 0, err
    assert json.loads(out)["questions"]["recalled"] >= 1
    assert set(asked(path).values()) == {1}
    assert set(surveyed(path).values()) == {1}


def is_alive(number: int) -> bool:
    return Path(f"/proc/{number}").exists()


def test_a_full_disk_stops_nothing(query: Path, tmp_path: Path) -> None:
    """The limit on the size of files is one that the kernel keeps, and 300 kB are enough for model files."""
    path = tmp_path / "run.jsonl"
    most = 4_000_000
    with Journal(path) as journal:
        filler = {"point": "elsewhere", "text": "x" * 1000}
        while path.stat().st_size < most - 3000:
            journal.append([filler] * max(1, (most - 3000 - path.stat().st_size) // 1100))
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))"
    script = f"{limit}; {COMMAND[-1]}"
    command = [*COMMAND[:-1], script, "solve", str(query), "--journal", str(path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["verdict"] == "optimal"
    assert any("could not be written" in reason for reason in told["reasons"])
    with Journal(path) as journal:
        assert not journal.torn
        assert not journal.skipped


def test_too_little_memory_leaves_questions_open(query: Path) -> None:
    done = run_here(
        query.parent, "solve", str(query), "--memory-limit", "1", "--query-time-limit", "20", "--json"
    )
    told = json.loads(done.out)
    assert done.code == 3
    assert told["verdict"] == "unknown"
    assert any("memory was limited to 1 MB" in reason for reason in told["reasons"])


def test_enough_memory_changes_nothing(query: Path) -> None:
    done = run_here(query.parent, "solve", str(query), "-D", "epsilon=1", "--memory-limit", "2000", "--json")
    assert done.code == 0
    assert json.loads(done.out)["verdict"] == "optimal"


def test_two_solvers_confirm_each_other(query: Path) -> None:
    pytest.importorskip("highspy")
    hard = str(DIGITS / "maximize.rq")
    done = run_here(query.parent, "solve", hard, "-D", "epsilon=3/5", "--confirm", "highs", "--json")
    told = json.loads(done.out)
    assert told["verdict"] == "optimal"
    solvers = [proof["solver"] for proof in told["proof"]]
    assert any("CBC" in solver and "HiGHS" in solver for solver in solvers)
    assert not any(solver.startswith("CBC") and "HiGHS" not in solver for solver in solvers)


@pytest.mark.slow
def test_a_liar_is_found_out_by_a_second_solver(many: EnsembleProblem) -> None:
    honest = solve_split(many).verdict
    alone = solve_split(many, SplitSettings(backend=claims_infeasible)).verdict
    assert [p.solver for p in alone.proofs if p.tolerance] == [
        "a liar"
    ]  # its word is all there is, and named
    pair = confirmed(claims_infeasible, [solve_by_cbc])
    checked = solve_split(many, SplitSettings(backend=pair)).verdict
    assert (checked.lower, checked.upper) == (honest.lower, honest.upper)


@pytest.mark.parametrize("backend", [claims_nonsense, pytest.param(crashes, marks=pytest.mark.slow)])
def test_useless_answers_leave_questions_open(
    many: EnsembleProblem, backend: Callable[[Model, float | None, int], tuple[Solution, Proof | None]]
) -> None:
    honest = solve_split(many).verdict
    verdict = solve_split(many, SplitSettings(backend=backend)).verdict
    assert verdict.word is Word.UNKNOWN
    assert verdict.lower <= honest.lower <= honest.upper <= verdict.upper


def test_a_question_that_kills_workers_is_left_open(many: EnsembleProblem) -> None:
    verdict = solve_split(many, SplitSettings(jobs=2, backend=always_dies)).verdict
    assert verdict.word is Word.UNKNOWN
    assert any("the process that asked died" in reason for reason in verdict.reasons)


@pytest.mark.slow
def test_a_killed_worker_repeats_no_answer(
    many: EnsembleProblem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FLAG, str(tmp_path / "dead"))
    path = tmp_path / "run.jsonl"
    with Journal(path) as journal:
        verdict = solve_split(many, SplitSettings(jobs=2, backend=dies_once, journal=journal)).verdict
    assert (tmp_path / "dead").exists()
    assert verdict.word is Word.OPTIMAL
    assert set(asked(path).values()) == {1}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--strategy", "joint", "--journal", "run.jsonl"),
        ("--strategy", "joint", "--confirm", "highs"),
        ("--formulation", "sos", "--memory-limit", "100"),
    ],
)
def test_options_of_the_other_strategy_are_refused(query: Path, arguments: tuple[str, ...]) -> None:
    done = run_here(query.parent, "solve", str(query), *arguments)
    assert done.code == 1
    assert "E1143" in done.err


def test_a_journal_in_use_is_refused_at_once(query: Path, tmp_path: Path) -> None:
    with Journal(tmp_path / "run.jsonl"):
        done = run_here(tmp_path, "solve", str(query), "--journal", "run.jsonl")
    assert done.code == 1
    assert "E1141" in done.err


@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "much", ""])
def test_memory_limits_are_whole_megabytes(query: Path, limit: str) -> None:
    assert run_here(query.parent, "solve", str(query), "--memory-limit", limit).code == 2


START = Progress(100, 10, 5, 100, 0, 0, None, None)


def test_progress_in_words() -> None:
    surveying = Progress(100, 60, 40, 70, 0, 0, None, None)
    assert describe(surveying, START, 10.0) == (
        "40 of 100 points decided; 60 surveyed; 5 points/s; about 8 s left"
    )
    asking = Progress(100, 100, 80, 24, 12, 3, F(1, 8), F(1, 2))
    assert describe(asking, START, 60.0) == (
        "80 of 100 points decided; interval [0.125, 0.5]; 12 questions answered, 3 recalled; "
        "0.2 questions/s; about 2 min 00 s left"
    )
    assert describe(START, START, 0.0) == "5 of 100 points decided; 10 surveyed"


def test_time_spans() -> None:
    assert [duration(s) for s in (0.4, 59, 61, 3600, 36610)] == [
        "0 s",
        "59 s",
        "1 min 01 s",
        "1 h 00 min",
        "10 h 10 min",
    ]


def run_display(form: str, *, terminal: bool) -> str:
    """Show progress in a process of its own, on a terminal or in a pipe; return what it wrote."""
    script = (
        "import sys, time\n"
        "from fractions import Fraction\n"
        "from ensc.commands.progress import Display\n"
        "from ensc.runner.split.settings import Progress\n"
        "with Display(sys.argv[1], every=0.2) as display:\n"
        "    tell = display.begin() or (lambda now: None)\n"
        "    for n in range(4):\n"
        "        tell(Progress(4, n + 1, n, 9, 0, 0, None, None))\n"
        "        time.sleep(0.3)\n"
    )
    ours, theirs = os.openpty() if terminal else os.pipe()
    command = [COMMAND[0], "-c", script, form]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, check=True, timeout=60)
    os.close(theirs)
    assert done.stdout == b""
    text = os.read(ours, 1 << 16) if terminal or form != "none" else b""
    os.close(ours)
    return text.decode("utf-8")


def test_a_log_gets_lines() -> None:
    lines = run_display("auto", terminal=False).splitlines()
    assert len(lines) >= 2
    assert all(line.startswith("ensc: ") and " of 4 points decided" in line for line in lines)


def test_a_terminal_gets_a_bar() -> None:
    pytest.importorskip("rich")
    text = run_display("auto", terminal=True)
    assert "of 4 points decided" in text
    assert "\x1b[" in text


def test_no_progress_where_none_is_wanted() -> None:
    assert run_display("none", terminal=False) == ""
