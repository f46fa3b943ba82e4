"""Questions on a Dask cluster: the same answers, workers that die, and what is said where there is none."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bad_backends import FLAG, dies_once
from cluster_tasks import note
from command_line import DIGITS, run_process

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.frontend.query.resolve import Overrides, load_problem
from ensc.compiler.types.problem import EnsembleProblem
from ensc.runner.split import executors
from ensc.runner.split.executors import Cluster, cluster
from ensc.runner.split.loop import play
from ensc.runner.split.settings import Progress, SplitSettings
from ensc.runner.split.solve import solve_split

SUPPORT = Path(__file__).parents[1] / "support"


@pytest.fixture(scope="module")
def hard() -> EnsembleProblem:
    """A query that bounds and search leave open."""
    return load_problem(DIGITS / "maximize.rq", Overrides(("epsilon=3/5",))).problem


@pytest.fixture(scope="module")
def flag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file that the first worker to be asked anything makes before it dies; workers inherit its name."""
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("flag") / "dead"
        patch.setenv(FLAG, str(path))
        patch.setenv("PYTHONPATH", str(SUPPORT), prepend=os.pathsep)
        yield path


@pytest.fixture(scope="module")
def local(flag: Path) -> Iterator[Cluster]:
    pytest.importorskip("distributed", reason="the extra `dask`")
    assert not flag.exists()
    with cluster("local", 2) as made:
        yield made


def settings(made: Cluster, **others: object) -> SplitSettings:
    return SplitSettings(made.width, pool=made.workers, **others)  # type: ignore[arg-type]


def test_a_cluster_answers_what_one_process_answers(local: Cluster, hard: EnsembleProblem) -> None:
    one, two = solve_split(hard).verdict, solve_split(hard, settings(local)).verdict
    assert (one.word, one.lower, one.upper) == (two.word, two.lower, two.upper)


def test_a_worker_that_dies_of_a_question_loses_nothing(
    local: Cluster, hard: EnsembleProblem, flag: Path
) -> None:
    steps: list[Progress] = []
    outcome = play(hard, settings(local, backend=dies_once, progress=steps.append))
    assert flag.exists()
    assert outcome.standing is not None
    assert outcome.standing.decided
    assert [step.asked for step in steps] == sorted(step.asked for step in steps)


def test_a_killed_worker_repeats_nothing_that_was_finished(local: Cluster, tmp_path: Path) -> None:
    problem = load_problem(DIGITS / "robust.rq").problem
    with local.workers(problem, 2) as pool:
        pids = {pool.submit(os.getpid).result(30) for _ in range(20)}
        log = tmp_path / "log"
        tasks = [pool.submit(note, str(log), n, 0.3) for n in range(12)]
        while sum(task.done() for task in tasks) < 4:
            time.sleep(0.05)
        finished = [n for n, task in enumerate(tasks) if task.done()]
        os.kill(min(pids), signal.SIGKILL)
        assert [task.result(60) for task in tasks] == list(range(12))
    runs = [int(line) for line in log.read_text().split()]
    assert set(runs) == set(range(12))
    assert all(runs.count(n) == 1 for n in finished)


def test_several_queries_share_a_cluster(local: Cluster) -> None:
    names = ("robust.rq", "targeted.rq")
    found: dict[str, object] = {}

    def solve(name: str) -> None:
        problem = load_problem(DIGITS / name).problem
        found[name] = solve_split(problem, settings(local)).verdict.word

    threads = [threading.Thread(target=solve, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    assert found == {name: solve_split(load_problem(DIGITS / name).problem).verdict.word for name in names}


def test_without_an_address_processes_of_this_machine_run_tasks(hard: EnsembleProblem) -> None:
    with cluster(None, None) as made:
        assert made.width == 1
        with made.workers(hard, 1) as pool:
            assert pool.submit(os.getpid).result() == os.getpid()


def test_no_cluster_at_an_address_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="the extra `dask`")
    monkeypatch.setattr(executors, "PATIENCE", 1)
    for address in ("tcp://127.0.0.1:9", "nonsense://x", "127.0.0.1"):
        with pytest.raises(Rejected, match="E1155"), cluster(address, None):
            pass


def test_missing_dask_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(Rejected, match="E1154"), cluster("local", 2):
        pass


def test_the_command_line_makes_a_cluster_of_its_own(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="the extra `dask`")
    query = str(DIGITS / "count1.rq")
    done = run_process(tmp_path, "solve", query, "--dask", "local", "--jobs", "2", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["verdict"] == "robust_up_to_k"
    refused = run_process(tmp_path, "solve", query, "--dask", "nonsense://x")
    assert (refused.code, "E1155" in refused.err, "Traceback" in refused.err) == (1, True, False)
