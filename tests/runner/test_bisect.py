"""The largest value by decisions: brute force is the witness, and solvers that lie or give up are met."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny import best_value, dense, line_patterns, line_problems, make_problem

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.types.problem import Check, EnsembleProblem, MaximizeTotal, MaximizeValue
from ensc.compiler.types.solution import Proof, Solution, Status, Verdict, Word
from ensc.runner.joint.bisect import TOLERANCE, bisect_value, bisect_with_smt, simplest_between

RIGHT = dense((np.array([[1.0], [0.0]]), np.array([0.0, 1.0])), inputs=1, name="right")
LEFT = dense((np.array([[-1.0], [0.0]]), np.array([0.0, 1.0])), inputs=1, name="left")
HALF = make_problem([RIGHT, LEFT], [[0]], [1], radius=2, goal=MaximizeValue())
"""Moving left fools one member and moving right the other: the value is 1/2, with two attacks."""

NO = Solution(Status.INFEASIBLE, {}, message="no")
PROOF = Proof("a solver", 0.0, "there is none")
BOTH = {"p_1": Fraction(1, 2), "p_2": Fraction(1, 2), "d_1_1_1": Fraction(2), "d_2_1_1": Fraction(-2)}
YES = Solution(Status.FEASIBLE, BOTH, message="yes")

Answer = tuple[Solution, Proof | None, int]


def expect(verdict: Verdict, word: Word, lower: Fraction | int, upper: Fraction | int) -> None:
    assert verdict.word is word
    assert verdict.lower == lower
    assert verdict.upper == upper


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(line_problems())
def test_the_interval_holds_the_optimum(problem: EnsembleProblem) -> None:
    expected = best_value(
        problem, [line_patterns(problem, j) for j in range(len(problem.points))], problem.threat.count
    )
    found = bisect_with_smt(problem, "z3", time_limit=60)
    assert found.verdict.word is Word.OPTIMAL
    assert found.verdict.lower <= expected <= found.verdict.upper <= found.verdict.lower + TOLERANCE
    assert found.verdict.certificate is not None
    assert found.verdict.certificate.admissible
    assert found.verdict.certificate.value == found.verdict.lower


def test_what_is_asked_and_answered() -> None:
    found = bisect_with_smt(HALF, "z3", time_limit=60)
    assert [(d.alpha, d.status) for d in found.decisions] == [
        (Fraction(1, 2), Status.FEASIBLE),
        (Fraction(2, 3), Status.INFEASIBLE),
    ]
    assert found.verdict.lower == found.verdict.upper == Fraction(1, 2)
    (proof,) = found.verdict.proofs
    assert proof.tolerance == 0.0
    assert found.solution.status is Status.FEASIBLE


def test_fewer_attacks_reach_less() -> None:
    alone = dataclasses.replace(HALF, threat=dataclasses.replace(HALF.threat, count=1))
    verdict = bisect_with_smt(alone, "z3", time_limit=60).verdict
    expect(verdict, Word.OPTIMAL, 0, 0)


def test_a_solver_that_gives_up_leaves_the_interval() -> None:
    def decide(asked: EnsembleProblem, seconds: float | None) -> Answer:
        del seconds
        assert isinstance(asked.goal, Check)
        return (YES, None, 2) if asked.goal.alpha <= Fraction(1, 2) else (GIVEN_UP, None, 2)

    verdict = bisect_value(HALF, decide).verdict
    expect(verdict, Word.UNKNOWN, Fraction(1, 2), 1)
    assert verdict.attack is not None
    assert "out of memory" in verdict.reasons


GIVEN_UP = Solution(Status.UNKNOWN, {}, message="out of memory")


def test_a_proof_that_an_attack_refutes_counts_for_nothing() -> None:
    answers = iter([(NO, PROOF, 2), (YES, None, 2)])
    verdict = bisect_value(HALF, lambda _, __: next(answers), tolerance=Fraction(1, 10**6)).verdict
    expect(verdict, Word.UNKNOWN, Fraction(1, 2), 1)
    assert verdict.proofs == ()
    assert any(reason.startswith("CONTRADICTION: a solver claims") for reason in verdict.reasons)


def test_an_answer_without_a_proof_proves_nothing() -> None:
    verdict = bisect_value(HALF, lambda _, __: (NO, None, 2)).verdict
    expect(verdict, Word.UNKNOWN, 0, 1)


def test_an_answer_for_fewer_attacks_proves_nothing() -> None:
    verdict = bisect_value(HALF, lambda _, __: (NO, PROOF, 1)).verdict
    expect(verdict, Word.UNKNOWN, 0, 1)


def test_an_attack_that_is_none_proves_nothing() -> None:
    nothing = Solution(Status.FEASIBLE, {"p_1": Fraction(1), "d_1_1_1": Fraction(0)})
    verdict = bisect_value(HALF, lambda _, __: (nothing, None, 2)).verdict
    expect(verdict, Word.UNKNOWN, 0, 1)


def test_the_time_limit() -> None:
    found = bisect_value(HALF, lambda _, __: (NO, PROOF, 2), time_limit=1e-9)
    assert found.verdict.word is Word.UNKNOWN
    assert found.verdict.reasons == ("the time limit was reached",)
    assert found.decisions == ()


def test_what_remains_of_the_time_is_passed_on() -> None:
    given_seconds: list[float | None] = []

    def decide(asked: EnsembleProblem, seconds: float | None) -> Answer:
        del asked
        given_seconds.append(seconds)
        return NO, PROOF, 2

    bisect_value(HALF, decide, time_limit=100)
    bisect_value(HALF, decide)
    limited = [s for s in given_seconds if s is not None]
    assert limited == sorted(limited, reverse=True)
    assert 50 < limited[-1] < limited[0] < 100
    assert given_seconds[-1] is None


def test_a_value_that_doing_nothing_reaches_needs_no_question() -> None:
    wrong = make_problem([RIGHT, RIGHT], [[2]], [1], radius=1, goal=MaximizeValue())
    found = bisect_value(wrong, lambda _, __: pytest.fail("asked"))
    expect(found.verdict, Word.OPTIMAL, 1, 1)


@pytest.mark.parametrize("goal", [Check(Fraction(1, 2)), MaximizeTotal(None)])
def test_other_goals_are_refused(goal: Check | MaximizeTotal) -> None:
    with pytest.raises(Rejected, match="E1133"):
        bisect_value(dataclasses.replace(HALF, goal=goal), lambda _, __: (NO, PROOF, 2))


@given(st.fractions(0, 1, max_denominator=60), st.fractions(0, 1, max_denominator=60))
def test_the_simplest_fraction_between(one: Fraction, other: Fraction) -> None:
    lower, upper = sorted((one, other))
    found = simplest_between(lower, upper)
    assert lower <= found <= upper
    smaller = range(1, found.denominator)
    assert not any(-(-lower * q // 1) <= upper * q // 1 for q in smaller)
