"""What a solver says that is not to be believed at once: near-ties made exact, others asked, in turns."""

import dataclasses
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from question_folders import random_query
from tiny import dense, make_problem

from ensc.compiler.passes.lowering.assemble import Assembler
from ensc.compiler.types.model import Model, feasibility
from ensc.compiler.types.network import Floats, Network
from ensc.compiler.types.problem import EnsembleProblem, Norm, Targeted
from ensc.compiler.types.solution import Proof, Solution, Status
from ensc.runner.exact.certify import fooled_members, is_admissible
from ensc.runner.exact.projection import perturbation_box, project
from ensc.runner.exact.repair import float_margins, repair
from ensc.runner.solvers.choose import choose_solvers
from ensc.runner.split import race
from ensc.runner.split.answer import BOUNDS, Backend, Question, solve_by_cbc, survey
from ensc.runner.split.ask import ask
from ensc.runner.split.backends import backend_of
from ensc.runner.split.polish import polished, program
from ensc.runner.split.race import raced
from ensc.runner.split.settings import SplitSettings
from ensc.runner.split.solve import solve_split

F = Fraction
INPUTS = 8


def by_cbc(model: Model) -> Solution:
    return solve_by_cbc(model, 20, 1)[0]


def random_networks(seed: int) -> list[Network]:
    rng = np.random.default_rng(seed)

    def layer(rows: int, columns: int) -> tuple[Floats, Floats]:
        return np.round(rng.normal(0, 1, (rows, columns)) * 64) / 64, np.round(
            rng.normal(0, 1, rows) * 64
        ) / 64

    return [dense(layer(12, INPUTS), layer(12, 12), layer(3, 12), inputs=INPUTS) for _ in range(2)]


def narrow(seed: int, norm: Norm) -> tuple[EnsembleProblem, Floats]:
    """Return a query that little more than a point satisfies, and one a little beside it."""
    rng = np.random.default_rng(seed)
    problem = make_problem(
        random_networks(seed),
        (np.round(rng.uniform(-1, 1, (1, INPUTS)) * 16) / 16).tolist(),
        [0],
        norm=norm,
        radius=1 if norm is Norm.LINF else 3,
        domain=(-2, 2),
    )
    networks = [member.network for member in problem.ensemble]
    at, best = best_of_many(problem), -np.inf
    for _ in range(40):
        solution = by_cbc(program(problem, networks, at))
        at = np.array([float(solution.values.get(f"d_{k + 1}", 0.0)) for k in range(INPUTS)])
        before, best = best, float(float_margins(problem, 0, at[None]).min())
        if best <= before + 1e-10:
            break
    loss = dataclasses.replace(problem.loss, margin=F(best) - F(1, 10**8))
    return dataclasses.replace(problem, loss=loss), at + rng.uniform(-1e-6, 1e-6, INPUTS)


def best_of_many(problem: EnsembleProblem) -> Floats:
    low, high = perturbation_box(problem.threat.domain, problem.points.nearest[0])
    drawn = np.random.default_rng(1).normal(0, 2, (4000, INPUTS))
    inside = project(problem.threat.norm, problem.threat.radius, low, high, drawn)
    chosen: Floats = inside[float_margins(problem, 0, inside).min(axis=0).argmax()]
    return chosen


def is_right(problem: EnsembleProblem, delta: tuple[Fraction, ...]) -> bool:
    return is_admissible(problem, 0, delta) and all(fooled_members(problem, 0, delta))


@pytest.mark.parametrize(("norm", "seeds"), [(Norm.LINF, (5, 4, 6)), (Norm.L1, (0, 1, 5))])
def test_polish_finds_what_repair_does_not(norm: Norm, seeds: tuple[int, ...]) -> None:
    found = {"repair": 0, "polish": 0}
    for seed in seeds:
        problem, near = narrow(seed, norm)
        found["repair"] += is_right(problem, repair(problem, 0, near.tolist(), (0, 1)))
        better = polished(problem, (0, 1), near.tolist(), by_cbc)
        found["polish"] += better is not None
        assert better is None or is_right(problem, better)
    assert found["polish"] == len(seeds) > found["repair"]


def test_a_targeted_loss_holds_against_every_other_class() -> None:
    problem, near = narrow(1, Norm.L1)
    for target in (1, 2):
        aimed = dataclasses.replace(problem, loss=Targeted(target, F(1, 100)))
        better = polished(aimed, (0,), near.tolist(), by_cbc)
        if better is not None:
            assert fooled_members(aimed, 0, better)[0]
            return
    raise AssertionError("one of the classes can be reached")


def test_a_point_that_is_nearly_right_answers_a_question() -> None:
    problem, near = narrow(5, Norm.LINF)

    def nearly(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
        if model.name == "polish":
            return solve_by_cbc(model, seconds, seed)
        values = {f"d_{k}": float(d) for k, d in enumerate(near, start=1)}
        return Solution(Status.FEASIBLE, values, message="nearly"), None

    answer = ask(problem, Question(0, 3, 20.0), nearly)
    assert answer.witness is not None
    assert answer.witness.mask == 3
    assert answer.witness.source == "a solver, polished"


def test_a_refutation_beside_a_claim_leaves_a_question_undecided(tmp_path: Path) -> None:
    problem = random_query(tmp_path, 2, points=3)
    surveyed = enumerate(survey(problem, range(3)))
    left = [(j, mask) for j, known in surveyed for mask in range(1, 8) if known.is_open(mask)]
    answers = [ask(problem, Question(*pair, 20.0)) for pair in left]
    claims_none = [a.question for a in answers if a.refutation and a.refutation.proof != BOUNDS]

    def claims(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
        del model, seconds
        if seed == 3:
            return Solution(Status.INFEASIBLE, {}), Proof("honest", 1e-6, "the model is infeasible")
        return Solution(Status.FEASIBLE, {"d_1": 0.25}, message="bold: optimal"), None

    answer = ask(problem, claims_none[0], claims)
    assert answer.refutation is None
    assert answer.why.startswith("solvers disagree: bold: optimal")
    assert "honest claims that there is none" in answer.why


def says(status: Status, log: list[str], name: str, seconds: float = 0.0) -> Backend:
    def backend(model: Model, given: float | None, seed: int) -> tuple[Solution, Proof | None]:
        del model, seed
        log.append(name)
        time.sleep(min(seconds, given or seconds))
        late = given is not None and given < seconds
        proof = Proof(name, 1e-6, "none") if status is Status.INFEASIBLE else None
        return Solution(Status.UNKNOWN if late else status, {}, message=name), None if late else proof

    return backend


FEASIBILITY = Assembler().model("empty", feasibility())


def test_the_first_that_settles_a_question_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "FIRST", 0.05)
    log: list[str] = []
    slow, quick = says(Status.INFEASIBLE, log, "slow", 30), says(Status.INFEASIBLE, log, "quick", 0.01)
    solution, proof = raced([slow, quick])(FEASIBILITY, 60, 1)
    assert (solution.status, proof is not None and proof.solver) == (Status.INFEASIBLE, "quick")
    assert log == ["slow", "quick"]


def test_turns_get_longer_until_somebody_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "FIRST", 0.05)
    log: list[str] = []
    one, two = says(Status.FEASIBLE, log, "one", 0.4), says(Status.FEASIBLE, log, "two", 30)
    assert raced([two, one])(FEASIBILITY, None, 1)[0].message == "one"
    assert log == ["two", "one"] * 3


def test_who_gives_up_has_no_more_turns_and_time_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "FIRST", 0.05)
    log: list[str] = []
    lost, slow = says(Status.UNKNOWN, log, "lost"), says(Status.FEASIBLE, log, "slow", 30)
    start = time.monotonic()
    assert raced([lost, slow])(FEASIBILITY, 0.5, 1)[0].status is Status.UNKNOWN
    assert time.monotonic() - start < 5
    assert log.count("lost") == 1


def test_another_seed_starts_with_another_solver() -> None:
    log: list[str] = []
    both = [says(Status.FEASIBLE, log, name) for name in ("one", "two")]
    for seed in (1, 2, 3):
        raced(both)(FEASIBILITY, 5, seed)
    assert log == ["one", "two", "two"]


def test_solvers_in_a_race_answer_a_query(tmp_path: Path) -> None:
    pytest.importorskip("highspy", reason="the extra `highs`")
    problem = random_query(tmp_path, 2, points=2)
    backends = [backend for solver in choose_solvers("cbc,highs") if (backend := backend_of(solver))]
    first, second = (
        solve_split(problem).verdict,
        solve_split(problem, SplitSettings(backend=raced(backends))).verdict,
    )
    assert (first.word, first.lower, first.upper) == (second.word, second.lower, second.upper)
