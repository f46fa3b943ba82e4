"""Runs of the split: the examples, several processes, killed workers, interruptions, limits, baselines."""

import json
import subprocess
import sys
import time
from fractions import Fraction
from importlib import resources
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from bad_backends import FLAG, dies_once, hangs, interrupts
from tiny import make_problem, random_network

from ensc.compiler.frontend.query.resolve import Overrides, load_problem
from ensc.compiler.types.model import Model
from ensc.compiler.types.problem import EnsembleProblem, MaximizeValue, Norm
from ensc.compiler.types.solution import Solution, Status, Word
from ensc.runner.exact.certify import fooled_members
from ensc.runner.reports.report import result_json
from ensc.runner.split.attack_search import search
from ensc.runner.split.baselines import Baseline, solve_baseline
from ensc.runner.split.loop import play
from ensc.runner.split.patterns import members_of
from ensc.runner.split.settings import Progress, SplitSettings
from ensc.runner.split.solve import solve_split
from ensc.runner.verdicts.expectation import compare_expectation

F = Fraction
EXAMPLES = Path(__file__).parents[2] / "examples" / "digits"
QUERIES = sorted(path.name for path in EXAMPLES.glob("*.rq"))


def load(name: str, overrides: Overrides | None = None) -> EnsembleProblem:
    return load_problem(EXAMPLES / name, overrides or Overrides()).problem


@pytest.fixture(scope="module")
def hard() -> EnsembleProblem:
    """A query that bounds and search leave open."""
    return load("maximize.rq", Overrides(("epsilon=3/5",)))


@pytest.mark.parametrize("name", QUERIES)
def test_example_answers_what_it_expects(name: str) -> None:
    result = solve_split(load(name), SplitSettings(time_limit=100))
    assert result.verdict.word is not Word.UNKNOWN
    assert compare_expectation(result.problem, result.verdict) is None
    schema = json.loads(
        resources.files("ensc.runner.reports").joinpath("result.schema.json").read_text("utf-8")
    )
    jsonschema.validate(result_json(result), schema)


@pytest.mark.slow
def test_two_processes_answer_what_one_answers(hard: EnsembleProblem) -> None:
    one, two = (solve_split(hard, SplitSettings(jobs=jobs)).verdict for jobs in (1, 2))
    assert (one.word, one.lower, one.upper) == (two.word, two.lower, two.upper)


def test_killed_worker_loses_nothing(
    hard: EnsembleProblem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FLAG, str(tmp_path / "dead"))
    steps: list[Progress] = []
    outcome = play(hard, SplitSettings(jobs=2, backend=dies_once, progress=steps.append))
    assert (tmp_path / "dead").exists()
    assert outcome.standing is not None
    assert outcome.standing.decided
    assert max(step.surveyed for step in steps) == len(hard.points)


@pytest.mark.slow
def test_time_limit_ends_workers_that_hang(hard: EnsembleProblem) -> None:
    start = time.monotonic()
    outcome = play(hard, SplitSettings(jobs=2, backend=hangs, time_limit=6))
    assert time.monotonic() - start < 20
    assert outcome.reasons == ("the time limit was reached",)


def test_interruption_keeps_what_is_known(hard: EnsembleProblem) -> None:
    verdict = solve_split(hard, SplitSettings(backend=interrupts)).verdict
    assert verdict.word is Word.UNKNOWN
    assert verdict.reasons == ("interrupted",)
    assert verdict.game is not None
    assert any(known.feasible for known in verdict.game.points)


@pytest.mark.parametrize("norm", list(Norm))
def test_search_finds_what_it_says(norm: Norm) -> None:
    rng = np.random.default_rng(5)
    networks = [random_network(rng, 4, 3) for _ in range(2)]
    problem = make_problem(
        networks, (rng.integers(-4, 5, (3, 4)) / 2).tolist(), [0, 1, 2], norm=norm, radius=2, domain=(-3, 3)
    )
    finds = search(problem, [(j, mask) for j in range(3) for mask in (1, 2, 3)], restarts=6)
    assert finds
    for find in finds:
        if find.margin < 1e-9:
            continue
        fooled = fooled_members(problem, find.point, [F(d) for d in find.delta.tolist()])
        assert all(fooled[c] for c in members_of(find.mask))
    assert [f.mask for f in finds] == [
        f.mask for f in search(problem, [(j, m) for j in range(3) for m in (1, 2, 3)], restarts=6)
    ]


@pytest.mark.parametrize("baseline", ["ua", "bda"])
def test_baselines_are_no_better_than_the_optimum(baseline: Baseline) -> None:
    rng = np.random.default_rng(1)
    networks = [random_network(rng, 1, 2) for _ in range(3)]
    problem = make_problem(
        networks, [[0], [1], [-1]], [0, 1, 0], norm=Norm.LINF, radius=2, goal=MaximizeValue()
    )
    result = solve_baseline(problem, baseline)
    best = solve_split(problem).verdict
    certificate = result.verdict.certificate
    assert certificate is not None
    assert 0 <= result.verdict.lower == certificate.value <= best.lower
    assert len(certificate.losses) == (3 if baseline == "ua" else 1)
    if baseline == "ua":
        alone = [sum(certificate.losses[c][j][c] for j in range(3)) for c in range(3)]
        for c in range(3):
            assert alone[c] == max(sum(row[j][c] for j in range(3)) for row in certificate.losses)


def test_members_of_a_baseline_share_its_time() -> None:
    offered: list[float] = []

    def takes_all(model: Model, seconds: float | None, seed: int) -> tuple[Solution, None]:
        del model, seed
        assert seconds is not None
        offered.append(seconds)
        time.sleep(seconds)
        return Solution(Status.UNKNOWN, {}), None

    problem = load("robust.rq", Overrides(("epsilon=3/2",)))
    solve_baseline(problem, "ua", SplitSettings(backend=takes_all, time_limit=6))
    assert len(offered) == len(problem.ensemble)
    assert sum(offered) <= 6


def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    script = "import sys; from ensc.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", script, "solve", str(EXAMPLES / "maximize.rq"), *arguments]
    return subprocess.run(command, capture_output=True, check=False, timeout=60)


def test_command_line_splits_and_says_so() -> None:
    done = run("--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["patterns"] is not None
    assert sum(F(w) for w in answer["defender"] or ["1"]) == 1


def test_number_of_processes_is_checked() -> None:
    done = run("--jobs", "0")
    assert done.returncode == 2
    assert b"number of processes" in done.stderr


@pytest.mark.skipif(not Path("/proc").exists(), reason="asks /proc who lives")
def test_workers_die_with_their_parent(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(
        "import multiprocessing, os, sys, time\n"
        "from pathlib import Path\n"
        "from ensc.compiler.frontend.query.resolve import Overrides, load_problem\n"
        "from ensc.runner.split.tasks import workers\n"
        "if __name__ == '__main__':\n"
        "    problem = load_problem(Path(sys.argv[1]), Overrides()).problem\n"
        "    with workers(problem, 1 + 1) as pool:\n"
        "        pool.submit(os.getpid).result()\n"
        "        print(*(c.pid for c in multiprocessing.active_children()), flush=True)\n"
        "        time.sleep(60)\n"
    )
    command = [sys.executable, str(program), str(EXAMPLES / "count1.rq")]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    children = [int(word) for word in parent.stdout.readline().split()]
    assert children
    parent.kill()
    parent.communicate()
    end = time.monotonic() + 10
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{child}").exists() for child in children)
