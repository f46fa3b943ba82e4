"""The split answers what the joint model answers and what brute force finds; its interval is always sound."""

import dataclasses
import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from exact_backend import exactly
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny import best_value, line_patterns, line_problems, make_problem, random_network
from z3_oracle import solve_model

from ensc.compiler.pipeline import compile_problem
from ensc.compiler.types.model import Model
from ensc.compiler.types.problem import Check, EnsembleProblem, MaximizeTotal, MaximizeValue
from ensc.compiler.types.solution import Proof, Solution, Status, Verdict, Word
from ensc.runner.exact.game import best_total
from ensc.runner.split.answer import Answer, Backend, Question
from ensc.runner.split.board import Board, learned
from ensc.runner.split.conclude import concluded
from ensc.runner.split.few import solve_few
from ensc.runner.split.loop import play
from ensc.runner.split.master import bound_of, grouped, solve_total, solve_value
from ensc.runner.split.patterns import (
    Refutation,
    Witness,
    mask_of,
    maximal,
    unknown,
    with_refutation,
    without_refutations,
)
from ensc.runner.split.settings import SplitSettings
from ensc.runner.split.solve import solve_split

F = Fraction
QUIET = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def says_feasible(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
    """Lie that everybody can be fooled, by any number."""
    del seconds
    rng = np.random.default_rng(seed)
    values = {name: float(rng.normal() * 10) for name in model.variables.names()}
    return Solution(Status.OPTIMAL, values), Proof("liar", 1e-6, "optimal")


def says_infeasible(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
    """Lie that nobody can."""
    del model, seconds, seed
    return Solution(Status.INFEASIBLE, {}), Proof("liar", 1e-6, "infeasible")


def says_nonsense(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
    """Return what is no number."""
    del seconds, seed
    return Solution(Status.FEASIBLE, dict.fromkeys(model.variables.names(), float("nan"))), None


def gives_up(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
    """Run out of time."""
    del model, seconds, seed
    return Solution(Status.UNKNOWN, {}, message="stopped at the limit"), None


def solved(problem: EnsembleProblem, backend: Backend = exactly, **more: Any) -> Verdict:
    return solve_split(problem, SplitSettings(backend=backend, query_time_limit=1.0, **more)).verdict


def without_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave everything to the backend."""
    monkeypatch.setattr("ensc.runner.split.answer.search", lambda *_, **__: [])


def brute_force(problem: EnsembleProblem) -> Fraction:
    patterns = [line_patterns(problem, j) for j in range(len(problem.points))]
    return best_value(problem, patterns, problem.threat.count)


@QUIET
@given(line_problems())
def test_value_is_that_of_brute_force(problem: EnsembleProblem) -> None:
    verdict = solved(problem)
    assert verdict.word is Word.OPTIMAL
    assert verdict.lower == verdict.upper == brute_force(problem)
    assert verdict.certificate is not None
    assert verdict.certificate.admissible
    assert verdict.attack is not None
    assert len(verdict.attack.probabilities) <= problem.threat.count


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(line_problems(), st.integers(1, 8))
def test_split_joint_and_brute_force_agree_on_a_threshold(problem: EnsembleProblem, eighths: int) -> None:
    checked = dataclasses.replace(problem, goal=Check(F(eighths, 8)))
    word = solved(checked).word
    assert word is not Word.UNKNOWN
    assert (word is Word.ROBUST_UP_TO_K) <= (checked.threat.count < checked.enough_attacks)
    assert (word is Word.NOT_ROBUST) == (brute_force(problem) >= F(eighths, 8))
    assert (word is Word.NOT_ROBUST) == solve_model(compile_problem(checked).model)[0]


@QUIET
@given(line_problems(), st.integers(0, 8))
def test_total_is_that_of_brute_force(problem: EnsembleProblem, eighths: int) -> None:
    patterns = [line_patterns(problem, j) for j in range(len(problem.points))]
    totalled = dataclasses.replace(
        problem,
        goal=MaximizeTotal(None),
        threat=dataclasses.replace(problem.threat, count=len(problem.ensemble)),
    )
    verdict = solved(totalled)
    assert verdict.word is Word.OPTIMAL
    assert verdict.lower == sum(max(map(len, at)) for at in patterns)
    alpha = F(eighths, 8)
    bounded = solved(dataclasses.replace(totalled, goal=MaximizeTotal(alpha)))
    best = best_value(problem, patterns, len(problem.ensemble))
    assert bounded.word is (Word.OPTIMAL if best >= alpha else Word.ROBUST)
    if best >= alpha:
        assert bounded.certificate is not None
        assert bounded.certificate.value >= alpha
        assert bounded.lower <= verdict.lower


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(line_problems())
def test_interval_is_sound_at_every_step(problem: EnsembleProblem) -> None:
    with pytest.MonkeyPatch.context() as patch:
        without_search(patch)
        true = brute_force(problem)
        widths = []
        for most in itertools.count():
            outcome = play(problem, SplitSettings(backend=exactly, most_questions=most))
            verdict = concluded(problem, outcome)
            assert verdict.lower <= true <= verdict.upper
            widths.append(verdict.upper - verdict.lower)
            if not outcome.reasons:
                break
        assert widths[-1] == 0
        assert widths == sorted(widths, reverse=True)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(line_problems(), st.sampled_from([says_feasible, says_nonsense, gives_up]), st.integers(1, 4))
def test_solver_that_finds_nothing_true_proves_nothing(
    problem: EnsembleProblem, backend: Backend, quarters: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        without_search(patch)
        true = brute_force(problem)
        verdict = solved(problem, backend)
        assert verdict.lower <= true <= verdict.upper
        word = solved(dataclasses.replace(problem, goal=Check(F(quarters, 4))), backend).word
        assert word is not Word.NOT_ROBUST or true >= F(quarters, 4)
        assert word not in {Word.ROBUST, Word.ROBUST_UP_TO_K} or true < F(quarters, 4)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(line_problems(), st.integers(1, 4))
def test_solver_that_denies_everything_names_itself(problem: EnsembleProblem, quarters: int) -> None:
    true, alpha = brute_force(problem), F(quarters, 4)
    verdict = solved(dataclasses.replace(problem, goal=Check(alpha)), says_infeasible)
    assert verdict.word is not Word.NOT_ROBUST or true >= alpha
    if verdict.word in {Word.ROBUST, Word.ROBUST_UP_TO_K} and true >= alpha:
        assert any(proof.solver == "liar" for proof in verdict.proofs)


def test_refuted_solver_is_believed_no_more() -> None:
    def refutes(point: int, mask: int) -> Answer:
        refutation = Refutation(mask, Proof("liar", 1e-6, "infeasible"))
        return Answer(Question(point, mask, None), refutation=refutation)

    board = Board((unknown(2), unknown(2)))
    board = learned(learned(board, refutes(0, 0b01)), refutes(1, 0b11))
    assert [known.possible for known in board.points] == [(0b10,), (0b01, 0b10)]
    board = learned(board, Answer(Question(0, 0b10, None), Witness(0b11, (F(0),), "replay")))
    assert board.points[0].feasible == (0b11,)
    assert board.points[1].possible == (0b11,)
    assert board.liars == {"liar"}
    assert board.contradictions[0].startswith("CONTRADICTION: liar")
    assert learned(board, refutes(1, 0b01)).points[1].possible == (0b11,)


@given(st.lists(st.integers(1, 15), max_size=6))
def test_possible_sets_are_those_without_a_refuted_subset(refuted: list[int]) -> None:
    known = unknown(4)
    for mask in refuted:
        known = with_refutation(known, Refutation(mask, Proof("solver", 0.0, "infeasible")))
    expected = [s for s in range(16) if not any(s & r == r for r in refuted)]
    assert [s for s in range(16) if known.is_possible(s)] == expected
    assert known.possible == maximal(expected)
    assert known == without_refutations(known, [Refutation(7, Proof("nobody", 0.0, ""))])


def mixes() -> st.SearchStrategy[list[tuple[int, ...]]]:
    """Antichains of three members for up to four points."""
    kinds = st.lists(st.integers(0, 7), min_size=1, max_size=3).map(maximal)
    return st.lists(kinds, min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(mixes(), st.integers(1, 4))
def test_master_is_the_game_over_all_joint_choices(patterns: list[tuple[int, ...]], count: int) -> None:
    problem = make_problem(
        [random_network(np.random.default_rng(0), 1, 2)] * 3, [[0]] * len(patterns), [0] * len(patterns)
    )
    sets = [{frozenset(c for c in range(3) if mask >> c & 1) for mask in at} for at in patterns]
    groups = grouped(patterns, 3)
    mix = solve_value(groups)
    assert mix.optimum == best_value(problem, sets, 3)
    assert len(mix.columns) <= 3
    assert sum(mix.defender) == 1
    assert bound_of(groups, mix.defender) == mix.optimum
    few = solve_few(groups, count)
    assert few.exact
    assert few.mix is not None
    assert few.mix.optimum == few.upper == best_value(problem, sets, count)
    assert len(few.mix.columns) <= count


@settings(max_examples=100, deadline=None)
@given(mixes(), st.fractions(0, 1, max_denominator=6))
def test_total_with_a_floor_is_the_best_of_all_mixtures(
    patterns: list[tuple[int, ...]], least: Fraction
) -> None:
    groups = grouped(patterns, 3)
    mix = solve_total(groups, least)
    assert (mix is None) == (solve_value(groups).optimum < least)
    if mix is None:
        return
    assert len(mix.columns) <= 3
    assert sum(mix.probabilities) == 1
    values = [
        sum(p * c.payoff[m] for p, c in zip(mix.probabilities, mix.columns, strict=True)) for m in range(3)
    ]
    assert min(values) >= least * len(patterns)
    assert sum(values) == mix.optimum
    few = solve_few(groups, 1, least, total=True)
    assert few.mix is None or few.mix.optimum <= mix.optimum


@settings(max_examples=40, deadline=None)
@given(mixes().map(lambda kinds: kinds[:3]), st.integers(1, 2), st.fractions(0, 1, max_denominator=4))
def test_total_of_few_attacks_is_the_best_of_all_sets(
    patterns: list[tuple[int, ...]], count: int, least: Fraction
) -> None:
    rows = sorted(
        {tuple(sum(m >> c & 1 for m in choice) for c in range(3)) for choice in itertools.product(*patterns)}
    )
    best = None
    for chosen in itertools.combinations(rows, min(count, len(rows))):
        p = best_total(chosen, least * len(patterns))
        if p is not None:
            reached = sum(q * sum(row) for q, row in zip(p, chosen, strict=True))
            best = reached if best is None else max(best, reached)
    few = solve_few(grouped(patterns, 3), count, least, total=True)
    assert few.exact
    assert (None if few.mix is None else few.mix.optimum) == few.upper == best


@settings(max_examples=60, deadline=None)
@given(mixes(), st.integers(10, 300))
def test_master_does_not_grow_with_the_number_of_points(patterns: list[tuple[int, ...]], times: int) -> None:
    assert solve_value(grouped(patterns * times, 3)).optimum == solve_value(grouped(patterns, 3)).optimum


def test_many_points_few_attacks_leave_an_interval() -> None:
    rng = np.random.default_rng(0)
    kinds = [
        maximal([mask_of(rng.choice(5, 2, replace=False).tolist()) for _ in range(4)]) for _ in range(60)
    ]
    groups = grouped(kinds, 5)
    few = solve_few(groups, 2)
    assert few.mix is not None
    assert few.upper is not None
    assert few.mix.optimum <= few.upper <= solve_value(groups).optimum
    assert not few.exact


def test_few_attacks_that_are_not_enumerated_still_ask_what_the_bound_leans_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ensc.runner.split.few.MOST_CHOICES", 0)
    without_search(monkeypatch)
    for seed in range(6):
        rng = np.random.default_rng(seed)
        networks = [random_network(rng, 1, 2) for _ in range(3)]
        problem = make_problem(networks, [[0], [1]], [0, 1], radius=2, count=2, goal=MaximizeValue())
        verdict = solved(problem)
        assert verdict.lower <= brute_force(problem) <= verdict.upper
        assert verdict.game is not None
        mixed = dataclasses.replace(problem, threat=dataclasses.replace(problem.threat, count=3))
        assert verdict.upper <= brute_force(mixed)
