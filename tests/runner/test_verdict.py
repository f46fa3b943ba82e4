"""Every combination of claim and replay ends in the word that is true, or in `unknown`."""

from collections.abc import Callable
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ensc.compiler.diagnostics import Source, Span
from ensc.compiler.types.network import Network
from ensc.compiler.types.problem import (
    Check,
    EnsembleProblem,
    Expectation,
    ExpectedNumber,
    ExpectedVerdict,
    Goal,
    MaximizeTotal,
    MaximizeValue,
    MinimizeRadius,
    ProfileValue,
)
from ensc.compiler.types.solution import Attack, Certificate, Proof, Solution, Status, Verdict, Word
from ensc.runner.exact.certify import certify
from ensc.runner.exact.game import solve_game
from ensc.runner.verdicts.attainable import largest_denominator, only_value_between
from ensc.runner.verdicts.expectation import compare_expectation
from ensc.runner.verdicts.verdict import judge

F = Fraction
Maker = Callable[..., EnsembleProblem]
Dense = Callable[..., Network]
PROOF = Proof("CBC 2.10", 1e-6, "the model is infeasible")
BOTH = Attack((F(1, 2), F(1, 2)), (((F(1),),), ((F(-1),),)))
STILL = Attack((F(1),), (((F(0),),),))
OUTSIDE = Attack((F(1),), (((F(3),),),))


@pytest.fixture(scope="session")
def query(make_network: Dense, make_problem: Maker) -> Maker:
    """Member 1 falls at x = 1, member 2 at x = -1: the value is 1/2, the total 1."""

    def make(goal: Goal, **options: object) -> EnsembleProblem:
        networks = [make_network(([[0], [s]], [0, -1])) for s in (1, -1)]
        return make_problem(networks, [[0.0]], [0], radius=1, goal=goal, **options)

    return make


def answer(
    problem: EnsembleProblem,
    status: Status,
    attack: Attack | None = None,
    proof: Proof | None = PROOF,
    compiled: int = 2,
    *,
    bound: float | None = None,
    objective: float | None = None,
) -> Verdict:
    solution = Solution(status, {}, objective, bound, "as it says")
    certificate = None if attack is None else certify(problem, attack)
    return judge(problem, solution, attack, certificate, proof, compiled)


def told(verdict: Verdict) -> tuple[object, object, object]:
    return verdict.word, verdict.lower, verdict.upper


def test_check_infeasible_is_robust_for_enough_attacks(query: Maker) -> None:
    robust = answer(query(Check(F(3, 4))), Status.INFEASIBLE)
    assert told(robust) == (Word.ROBUST, 0, F(3, 4))
    assert robust.proofs == (PROOF,)
    few = answer(query(Check(F(3, 4)), count=1), Status.INFEASIBLE, compiled=1)
    assert few.word is Word.ROBUST_UP_TO_K


def test_check_infeasible_for_fewer_attacks_than_asked_is_unknown(query: Maker) -> None:
    found = answer(query(Check(F(3, 4))), Status.INFEASIBLE, compiled=1)
    assert found.word is Word.UNKNOWN
    assert "holds 1 attack and the query asks about 2" in found.reasons[0]


def test_more_attacks_than_members_need_no_more_than_that(query: Maker) -> None:
    assert answer(query(Check(F(3, 4)), count=5), Status.INFEASIBLE).word is Word.ROBUST


@pytest.mark.parametrize("alpha", [F(1), F(3, 2)])
def test_one_attack_is_enough_to_reach_the_value_one(query: Maker, alpha: Fraction) -> None:
    for count, compiled in ((1, 1), (2, 1), (2, 2)):
        found = answer(query(Check(alpha), count=count), Status.INFEASIBLE, compiled=compiled)
        assert found.word is Word.ROBUST
        assert found.reasons == ()


def test_a_claim_that_nobody_stands_for_is_unknown(query: Maker) -> None:
    found = answer(query(Check(F(3, 4))), Status.INFEASIBLE, proof=None)
    assert found.word is Word.UNKNOWN
    assert told(found)[1:] == (0, 1)
    assert found.proofs == ()
    assert "counts for nothing" in found.reasons[0]


def test_check_certified_is_not_robust(query: Maker) -> None:
    found = answer(query(Check(F(1, 2))), Status.OPTIMAL, BOTH)
    assert told(found) == (Word.NOT_ROBUST, F(1, 2), 1)
    assert found.attack is BOTH
    assert found.proofs == ()
    assert found.reasons == ()


def test_check_feasible_that_fails_replay_is_unknown(query: Maker) -> None:
    found = answer(query(Check(F(1, 2))), Status.OPTIMAL, STILL)
    assert told(found) == (Word.UNKNOWN, 0, 1)
    assert found.reasons[-1] == "replayed exactly, the solver's attack reaches 0; it was to be 0.5 or more"


def test_an_inadmissible_attack_counts_for_nothing(query: Maker) -> None:
    found = answer(query(Check(F(0))), Status.OPTIMAL, OUTSIDE)
    assert found.word is Word.UNKNOWN
    assert found.attack is None
    assert "not admissible" in found.reasons[0]


def test_a_refuted_infeasibility_is_told_loudly(query: Maker) -> None:
    for goal, word in ((Check(F(1, 2)), Word.NOT_ROBUST), (MaximizeValue(), Word.UNKNOWN)):
        found = answer(query(goal), Status.INFEASIBLE, BOTH)
        assert found.word is word
        assert found.lower == F(1, 2)
        assert any(reason.startswith("CONTRADICTION: CBC 2.10 claims") for reason in found.reasons)


@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.FEASIBLE, Status.OPTIMAL, Status.UNBOUNDED])
def test_nothing_found_and_nothing_proved(query: Maker, status: Status) -> None:
    for goal, most in ((Check(F(1, 2)), 1), (MaximizeValue(), 1), (MaximizeTotal(None), 2)):
        found = answer(query(goal), status)
        assert told(found) == (Word.UNKNOWN, 0, most)
        assert found.reasons[0] == "as it says"
        assert len(found.reasons) == 2


@pytest.mark.parametrize("sign", [1, -1])
def test_the_value_is_optimal_when_it_meets_the_bound(query: Maker, sign: int) -> None:
    """Whether the file maximizes or, as MPS does, minimizes the negative."""
    for bound, objective in ((sign * 0.5 + 4e-7, None), (None, sign * 0.5)):
        found = answer(query(MaximizeValue()), Status.OPTIMAL, BOTH, bound=bound, objective=objective)
        assert told(found) == (Word.OPTIMAL, F(1, 2), F(1, 2))
        assert found.proofs == (PROOF,)


def test_an_interval_where_they_do_not_meet(query: Maker) -> None:
    found = answer(query(MaximizeValue()), Status.FEASIBLE, STILL, bound=-0.75, objective=-0.5)
    assert told(found)[:2] == (Word.UNKNOWN, 0)
    assert F(3, 4) < found.upper < F(3, 4) + F(1, 10**5)


def test_a_bound_below_what_is_certified_is_told_loudly(query: Maker) -> None:
    found = answer(query(MaximizeValue()), Status.OPTIMAL, BOTH, bound=-0.25)
    assert told(found) == (Word.UNKNOWN, F(1, 2), 1)
    assert found.reasons[0].startswith("CONTRADICTION")


def test_a_bound_for_fewer_attacks_or_by_nobody_bounds_nothing(query: Maker) -> None:
    problem = query(MaximizeValue())
    assert answer(problem, Status.OPTIMAL, BOTH, bound=0.5, compiled=1).upper == 1
    assert answer(problem, Status.OPTIMAL, BOTH, proof=None, bound=0.5).upper == 1


def test_maximize_infeasible_is_strange(query: Maker) -> None:
    found = answer(query(MaximizeValue()), Status.INFEASIBLE)
    assert found.word is Word.UNKNOWN
    assert "doing nothing is one" in found.reasons[0]


def test_totals(query: Maker) -> None:
    found = answer(query(MaximizeTotal(None)), Status.OPTIMAL, BOTH, bound=-1.0000003)
    assert told(found) == (Word.OPTIMAL, 1, 1)
    bounded = answer(query(MaximizeTotal(F(1, 2))), Status.OPTIMAL, BOTH, bound=-1.0)
    assert told(bounded)[:2] == (Word.OPTIMAL, 1)
    missed = answer(query(MaximizeTotal(F(1, 4))), Status.OPTIMAL, STILL, bound=-1.0)
    assert told(missed)[:2] == (Word.UNKNOWN, 0)


def test_no_total_without_the_value(query: Maker) -> None:
    found = answer(query(MaximizeTotal(F(3, 4))), Status.INFEASIBLE)
    assert told(found) == (Word.ROBUST, 0, F(7, 4))
    assert "no total to maximize" in found.reasons[0]


@pytest.mark.parametrize("goal", [MinimizeRadius("e", F(1, 2), F(0), F(1)), ProfileValue("e", F(0), F(1))])
def test_goals_of_many_radii_are_left_open(query: Maker, goal: Goal) -> None:
    assert answer(query(goal), Status.OPTIMAL, BOTH).word is Word.UNKNOWN


@given(
    goal=st.sampled_from([Check(F(1, 2)), Check(F(3, 4)), MaximizeValue(), MaximizeTotal(None)]),
    status=st.sampled_from(Status),
    attack=st.sampled_from([None, BOTH, STILL, OUTSIDE]),
    proof=st.sampled_from([None, PROOF]),
    compiled=st.integers(1, 3),
    bound=st.sampled_from([None, -0.5, 1.0, -0.1, 0.6]),
)
@settings(max_examples=300, deadline=None)
def test_no_verdict_is_wrong_unless_a_proof_is(
    query: Maker,
    goal: Goal,
    status: Status,
    attack: Attack | None,
    proof: Proof | None,
    compiled: int,
    bound: float | None,
) -> None:
    """The truth is value 1/2 and total 1; a wrong word or interval needs a solver that lied with a name."""
    found = answer(query(goal), status, attack, proof, compiled, bound=bound)
    truth = F(1) if isinstance(goal, MaximizeTotal) else F(1, 2)
    if not found.proofs:
        assert found.lower <= truth <= found.upper
        assert found.word in {Word.UNKNOWN, Word.NOT_ROBUST}
    assert found.lower <= found.upper
    assert (found.word is not Word.UNKNOWN) or found.reasons
    if found.word is Word.NOT_ROBUST:
        assert goal == Check(F(1, 2))
        assert attack is BOTH
    if found.word is Word.OPTIMAL:
        assert found.certificate is not None
    if found.word in {Word.ROBUST, Word.ROBUST_UP_TO_K}:
        assert status is Status.INFEASIBLE
        assert proof is PROOF
        assert compiled >= 2


def test_game_values_have_the_denominators_claimed() -> None:
    """All 2 by 2 games with payoffs 0..3, and random larger ones."""
    small = (np.array(entries).reshape(2, 2) for entries in product(range(4), repeat=4))
    assert max(solve_game(m).value.denominator for m in small) <= largest_denominator(2, 3)
    rng = np.random.default_rng(3)
    for points in (1, 2, 4):
        games = (rng.integers(0, points + 1, (5, 3)) for _ in range(150))
        assert max(solve_game(m).value.denominator for m in games) <= largest_denominator(3, points)


def test_the_bound_is_sharpened_only_where_nothing_lies_between(query: Maker) -> None:
    problem = query(MaximizeValue())
    assert only_value_between(problem, F(1, 2), F(1, 2) + F(1, 10**6)) == F(1, 2)
    assert only_value_between(problem, F(1, 2), F(3, 4)) == F(3, 4)
    assert only_value_between(query(MaximizeTotal(None)), F(1), F(199, 100)) == 1
    assert only_value_between(query(MaximizeTotal(F(1, 3))), F(1), F(199, 100)) == F(199, 100)


SPAN = Span(Source("q.rq", "expect something;"), 0, 17)


def word(text: str, count: int | None = None) -> ExpectedVerdict:
    return ExpectedVerdict(text, count, SPAN)


def value(number: Fraction, within: Fraction = Fraction()) -> ExpectedNumber:
    return ExpectedNumber("value", number, within, SPAN)


CHECK = Check(F(1, 2))


@pytest.mark.parametrize(
    ("expected", "goal", "found", "code"),
    [
        (None, CHECK, Word.ROBUST, None),
        (word("robust"), CHECK, Word.ROBUST, None),
        (word("robust"), CHECK, Word.UNKNOWN, None),
        (word("robust"), CHECK, Word.NOT_ROBUST, "E1120"),
        (word("robust"), CHECK, Word.ROBUST_UP_TO_K, "E1120"),
        (word("robust_up_to", 2), CHECK, Word.ROBUST_UP_TO_K, None),
        (word("robust_up_to", 2), CHECK, Word.ROBUST, None),
        (word("robust_up_to", 2), CHECK, Word.NOT_ROBUST, "E1120"),
        (word("not_robust"), CHECK, Word.NOT_ROBUST, None),
        (word("not_robust"), CHECK, Word.ROBUST, "E1120"),
        (word("unknown"), CHECK, Word.ROBUST, None),
        (value(F(1, 2)), MaximizeValue(), Word.OPTIMAL, None),
        (value(F(1, 2) + F(1, 100), F(1, 100)), MaximizeValue(), Word.OPTIMAL, None),
        (value(F(1, 2) + F(1, 100), F(1, 101)), MaximizeValue(), Word.OPTIMAL, "E1121"),
        (value(F(3, 4)), MaximizeValue(), Word.UNKNOWN, None),
        (value(F(1, 4)), MaximizeValue(), Word.UNKNOWN, "E1121"),
        (word("not_robust"), MaximizeTotal(F(1, 2)), Word.OPTIMAL, None),
        (word("robust"), MaximizeTotal(F(1, 2)), Word.OPTIMAL, "E1120"),
        (word("robust"), MaximizeTotal(F(3, 4)), Word.UNKNOWN, None),
    ],
)
def test_expectations(
    query: Maker, expected: Expectation | None, goal: Goal, found: Word, code: str | None
) -> None:
    problem = query(goal, expectation=expected)
    certificate: Certificate = certify(problem, BOTH)
    said = compare_expectation(problem, Verdict(found, F(1, 2), F(1), BOTH, certificate))
    assert (said.code if said else None) == code
    if said is not None:
        assert said.place is not None
        assert said.place.span == SPAN
