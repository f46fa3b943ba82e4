from fractions import Fraction
from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ensc.runner.exact.game import best_total, solve_game
from ensc.runner.exact.simplex import maximize


def payoffs(attacks: int = 5, members: int = 3, most: int = 4) -> st.SearchStrategy[list[list[int]]]:
    entry = st.integers(0, most)
    sizes = st.tuples(st.integers(1, attacks), st.integers(1, members))
    return sizes.flatmap(
        lambda s: st.lists(st.lists(entry, min_size=s[1], max_size=s[1]), min_size=s[0], max_size=s[0])
    )


def solved(matrix: list[list[Fraction]], rhs: list[Fraction]) -> list[Fraction] | None:
    """Gauss elimination; None if the matrix is singular."""
    n = len(rhs)
    rows = [[*row, b] for row, b in zip(matrix, rhs, strict=True)]
    for k in range(n):
        pivot = next((r for r in range(k, n) if rows[r][k] != 0), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [v / rows[k][k] for v in rows[k]]
        for r in set(range(n)) - {k}:
            rows[r] = [v - rows[r][k] * w for v, w in zip(rows[r], rows[k], strict=True)]
    return [row[-1] for row in rows]


def value_by_vertices(payoff: list[list[int]], least: Fraction | None = None) -> Fraction | None:
    """Enumerate the vertices of the attacker's program: every basis of (p, t), or of p given `least`."""
    attacks, members = len(payoff), len(payoff[0])
    size = attacks + (least is None)
    tight = [([Fraction(int(k == i)) for k in range(size)], Fraction(0)) for i in range(attacks)]
    for c in range(members):
        row = [Fraction(payoff[i][c]) for i in range(attacks)]
        tight.append((row + [Fraction(-1)] * (least is None), Fraction(0) if least is None else least))
    simplex = ([Fraction(1)] * attacks + [Fraction(0)] * (least is None), Fraction(1))
    best = None
    for chosen in combinations(tight, size - 1):
        rows = [simplex, *chosen]
        point = solved([r for r, _ in rows], [b for _, b in rows])
        if point is None or min(point[:attacks]) < 0:
            continue
        yields = [sum(p * row[c] for p, row in zip(point, payoff, strict=False)) for c in range(members)]
        if least is None:
            score = Fraction(min(yields))
        elif min(yields) >= least:
            score = Fraction(sum(yields))
        else:
            continue
        best = score if best is None else max(best, score)
    return best


@given(payoffs())
@settings(max_examples=150, deadline=None)
def test_value_equals_the_best_vertex_of_the_attackers_program(payoff: list[list[int]]) -> None:
    assert solve_game(payoff).value == value_by_vertices(payoff)


@given(payoffs(attacks=40, members=6, most=9))
@settings(max_examples=100, deadline=None)
def test_strategies_guarantee_the_value_to_both_sides(payoff: list[list[int]]) -> None:
    found = solve_game(payoff)
    m = np.array(payoff, dtype=object)
    assert min(np.array(found.attacker) @ m) == found.value == max(m @ np.array(found.defender))
    assert sum(found.attacker) == sum(found.defender) == 1
    assert min(*found.attacker, *found.defender) >= 0
    assert sum(p > 0 for p in found.attacker) <= len(payoff[0])


def test_a_known_game() -> None:
    found = solve_game([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])
    third = Fraction(1, 3)
    assert found.value == third
    assert found.attacker == (third, third, third, Fraction(0))
    assert found.defender == (third, third, third)


def test_negative_payoffs_and_a_single_entry() -> None:
    assert solve_game([[-3]]).value == -3
    assert solve_game([[2, -2], [-2, 2]]).value == 0


def test_several_hundred_attacks_take_no_time() -> None:
    payoff = np.random.default_rng(0).integers(0, 20, (400, 10))
    found = solve_game(payoff)
    assert sum(p > 0 for p in found.attacker) <= 10
    assert min(np.array(found.attacker) @ payoff) == found.value


@given(payoffs(attacks=4), st.fractions(0, 4, max_denominator=6))
@settings(max_examples=150, deadline=None)
def test_best_total_equals_the_best_vertex(payoff: list[list[int]], least: Fraction) -> None:
    p = best_total(payoff, least)
    expected = value_by_vertices(payoff, least)
    if p is None:
        assert expected is None
        return
    yields = [sum(v * row[c] for v, row in zip(p, payoff, strict=True)) for c in range(len(payoff[0]))]
    assert sum(p) == 1
    assert min(p) >= 0
    assert min(yields) >= least
    assert sum(yields) == expected
    assert sum(v > 0 for v in p) <= len(payoff[0])


def test_total_trades_against_the_least_value() -> None:
    payoff = [[4, 0], [1, 1]]
    assert best_total(payoff, Fraction(0)) == (Fraction(1), Fraction(0))
    assert best_total(payoff, Fraction(1, 2)) == (Fraction(1, 2), Fraction(1, 2))
    assert best_total(payoff, Fraction(3, 2)) is None


def test_nothing_can_be_fooled() -> None:
    assert best_total([[0, 0], [0, 0]], Fraction(0)) is not None
    assert best_total([[0, 0]], Fraction(1, 100)) is None
    assert solve_game([[0, 0], [0, 0]]).value == 0


def test_exact_linear_program_with_degenerate_vertices() -> None:
    """Beale's example cycles under the largest-coefficient rule; Bland's does not."""
    matrix = [[25, -6000, -4, 900], [50, -9000, -2, 300], [0, 0, 1, 0]]
    found = maximize(matrix, [0, 0, 1], [75, -15000, 2, -600])
    assert found is not None
    assert found.value == 5


def test_unbounded_program() -> None:
    assert maximize([[-1, 1]], [3], [1, 0]) is None
