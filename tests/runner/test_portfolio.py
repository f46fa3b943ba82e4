"""Several solvers on one query: what they agree on, and every way in which one of them may be wrong."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from ensc.cli import main
from ensc.compiler.types.network import Network
from ensc.compiler.types.problem import (
    Check,
    EnsembleProblem,
    Goal,
    MaximizeTotal,
    MaximizeValue,
    MinimizeRadius,
)
from ensc.compiler.types.solution import Proof, Solution, Status, Word
from ensc.runner.joint.portfolio import combine, disagreement, portfolio_json, render_answer, solve_with_all
from ensc.runner.joint.solve import Settings, conclude
from ensc.runner.probe import example, probe_solvers
from ensc.runner.solvers.choose import BackEnd, choose_solvers, solver_name
from ensc.runner.solvers.claims import read_answer
from ensc.runner.verdicts.result import Result

F = Fraction
Maker = Callable[..., EnsembleProblem]
Dense = Callable[..., Network]
PROOF = Proof("a solver", 1e-6, "as it says")
BOTH = {"p_1": 0.5, "p_2": 0.5, "d_1_1_1": 1.0, "d_2_1_1": -1.0}
ONE = {"p_1": 1.0, "d_1_1_1": 1.0}


@pytest.fixture
def pair(make_network: Dense, make_problem: Maker) -> Callable[..., EnsembleProblem]:
    """Member 1 falls at x >= 1, member 2 at x <= -1: value 1/2, total 1."""

    def make(goal: Goal, **options: object) -> EnsembleProblem:
        networks = [make_network(([[0], [s]], [0, -1])) for s in (1, -1)]
        return make_problem(networks, [[0.0]], [0], radius=F(5, 4), goal=goal, **options)

    return make


def infeasible(problem: EnsembleProblem) -> Result:
    return conclude(problem, Solution(Status.INFEASIBLE, {}, message="none"), PROOF)


def found(problem: EnsembleProblem, values: dict[str, float], bound: float | None = None) -> Result:
    status = Status.FEASIBLE if bound is None else Status.OPTIMAL
    proof = None if bound is None else PROOF
    return conclude(problem, Solution(status, values, bound, bound, "found"), proof)


def test_a_certified_attack_wins_over_any_number_of_claims(pair: Maker) -> None:
    problem = pair(Check(F(1, 2)))
    results = [("a", infeasible(problem)), ("b", found(problem, BOTH)), ("c", infeasible(problem))]
    for order in (results, results[::-1]):
        verdict, disagreements = combine(problem, order)
        assert verdict.word is Word.NOT_ROBUST
        assert verdict.proofs == ()
        assert len(disagreements) == 2
        assert any(
            line
            == "a claims that no attack has value 0.5 or more, and b found an attack of value 0.5, which "
            "was replayed exactly"
            for line in disagreements
        )
        assert verdict.reasons[0].startswith("CONTRADICTION: ")


def test_agreement_is_no_disagreement(pair: Maker) -> None:
    problem = pair(Check(F(3, 4)))
    verdict, disagreements = combine(problem, [("a", infeasible(problem)), ("b", infeasible(problem))])
    assert (verdict.word, disagreements, verdict.proofs) == (Word.ROBUST, (), (PROOF,))


def test_an_attack_within_tolerances_only_is_told(pair: Maker) -> None:
    problem = pair(Check(F(3, 4)))
    verdict, disagreements = combine(problem, [("a", infeasible(problem)), ("b", found(problem, BOTH))])
    assert (verdict.word, disagreements) == (Word.ROBUST, ())
    assert verdict.reasons[0].startswith("b claims an attack that exact replay does not confirm")


def test_a_different_optimum_is_a_disagreement(pair: Maker) -> None:
    problem = pair(MaximizeValue())
    low, high = found(problem, ONE, bound=0.0), found(problem, BOTH, bound=-0.5)
    assert (low.verdict.word, low.verdict.upper) == (Word.OPTIMAL, F(0))
    verdict, disagreements = combine(problem, [("low", low), ("high", high)])
    assert (verdict.word, verdict.lower, verdict.upper) == (Word.OPTIMAL, F(1, 2), F(1, 2))
    said = "low claims that no attack has a value above 0, and high found an attack of value 0.5, which was"
    assert disagreements == (f"{said} replayed exactly",)


def test_a_refuted_bound_alone_leaves_the_optimum_open(pair: Maker) -> None:
    problem = pair(MaximizeValue())
    results = [("low", found(problem, ONE, bound=0.0)), ("high", found(problem, BOTH))]
    verdict, disagreements = combine(problem, results)
    assert (verdict.word, verdict.lower, verdict.upper) == (Word.UNKNOWN, F(1, 2), F(1))
    assert len(disagreements) == 1


def test_an_attack_of_one_meets_the_bound_of_another(pair: Maker) -> None:
    problem = pair(MaximizeValue())
    bounded = conclude(problem, Solution(Status.FEASIBLE, ONE, 0.0, -0.5, "stopped"), PROOF)
    assert bounded.verdict.word is Word.UNKNOWN
    verdict, disagreements = combine(problem, [("a", found(problem, BOTH)), ("b", bounded)])
    assert (verdict.word, verdict.lower, verdict.upper) == (Word.OPTIMAL, F(1, 2), F(1, 2))
    assert (verdict.proofs, disagreements) == ((PROOF,), ())


@pytest.mark.parametrize("alpha", [None, F(1, 2)])
def test_an_infeasible_total_is_refuted_by_an_attack(pair: Maker, alpha: Fraction | None) -> None:
    problem = pair(MaximizeTotal(alpha))
    verdict, disagreements = combine(problem, [("a", infeasible(problem)), ("b", found(problem, BOTH))])
    assert verdict.lower == 1
    assert verdict.word is Word.UNKNOWN
    assert len(disagreements) == 1
    assert disagreements[0].startswith("a claims that")
    weak = conclude(problem, Solution(Status.FEASIBLE, ONE, message="found"), None)
    assert bool(combine(problem, [("a", infeasible(problem)), ("b", weak)])[1]) == (alpha is None)


@pytest.mark.parametrize(
    ("goal", "word"),
    [
        (Check(F(1, 2)), Word.NOT_ROBUST),
        (Check(F(51, 100)), Word.ROBUST),
        (Check(F(1)), Word.ROBUST),
        (MaximizeValue(), Word.OPTIMAL),
        (MaximizeTotal(None), Word.OPTIMAL),
    ],
)
def test_all_solvers_agree(pair: Maker, goal: Goal, word: Word) -> None:
    solvers = choose_solvers("all")
    told: list[str] = []
    settings = Settings(time_limit=60)
    portfolio = solve_with_all(pair(goal), solvers, settings, lambda a: told.append(a.solver))
    assert told == [solver_name(solver) for solver in solvers]
    assert portfolio.disagreements == ()
    assert portfolio.combined.verdict.word is word
    for answer in portfolio.answers:
        if answer.result is None:  # solvers without objectives
            assert isinstance(goal, MaximizeTotal)
            assert "not asked" in render_answer(answer)
        else:
            assert answer.result.verdict.word is word
            assert answer.solver in render_answer(answer)
    told_all = json.loads(json.dumps(portfolio_json(portfolio), allow_nan=False))
    assert [answer["solver"] for answer in told_all["answers"]] == told
    assert disagreement(portfolio) is None


def test_a_goal_that_nobody_answers_is_rejected_with_all_reasons(pair: Maker) -> None:
    from ensc.compiler.diagnostics import Rejected  # noqa: PLC0415

    problem = pair(MinimizeRadius("epsilon", F(1, 2), F(0), F(1)))
    with pytest.raises(Rejected) as caught:
        solve_with_all(problem, choose_solvers("cbc,z3"), Settings())
    assert {d.code for d in caught.value.diagnostics} == {"E0930", "E1133"}


def test_a_wrong_solver_is_named_by_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program that calls everything infeasible, against CBC on a query with an attack."""
    query = Path(__file__).parents[2] / "examples" / "digits" / "targeted.rq"
    liar = tmp_path / "liar"
    liar.write_text("#!/bin/sh\necho 'solution status: infeasible'\necho 'no solution available'\n")
    liar.chmod(0o755)
    (wrong,), (right,) = choose_solvers(f"command {liar} {{model}}"), choose_solvers("cbc")
    assert _both(query, (wrong, right))
    assert main(["solve", str(query), "--solver", f"command {liar} {{model}}", "--strategy", "joint"]) == 4
    assert "expects `not_robust`" in capsys.readouterr().err


def _both(query: Path, solvers: tuple[BackEnd, ...]) -> bool:
    from ensc.compiler.frontend.query.resolve import Overrides, load_problem  # noqa: PLC0415

    problem = load_problem(query, Overrides()).problem
    portfolio = solve_with_all(problem, solvers, Settings(time_limit=60))
    assert portfolio.combined.verdict.word is Word.NOT_ROBUST
    said = disagreement(portfolio)
    assert said is not None
    assert said.code == "E1122"
    return "liar claims" in said.notes[0]


def test_the_claim_of_a_file_counts_in_the_name_of_its_format(pair: Maker) -> None:
    text = "solution status: infeasible\nno solution available\n"
    solution, proof = read_answer(text, "q.sol")
    verdict = conclude(pair(Check(F(3, 4))), solution, proof).verdict
    assert verdict.word is Word.ROBUST
    assert verdict.proofs[0].solver == "scip"
    assert "as read from a file" in verdict.proofs[0].claim


def test_values_are_read_whatever_the_status(pair: Maker) -> None:
    problem = pair(Check(F(1, 2)))
    for status in Status:
        word = conclude(problem, Solution(status, BOTH), PROOF).verdict.word
        assert word is (Word.ROBUST if status is Status.INFEASIBLE else Word.NOT_ROBUST)


def test_every_installed_solver_passes_its_test() -> None:
    probes = list(probe_solvers(test=True))
    assert [probe.failure for probe in probes] == [None] * len(probes)
    assert probes[0].text.startswith("cbc     mps   CBC ")
    assert len(example(2.0).variables) == 3
