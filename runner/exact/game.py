"""The matrix game between attacker and defender over known attacks, in exact arithmetic.

Entry `payoff[i, c]` is the number of points at which attack i fools member c. The attacker mixes
attacks, the defender weighs members; by linear programming duality their best guarantees agree.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ensc.runner.exact.simplex import maximize


@dataclass(frozen=True, slots=True)
class Strategies:
    """Optimal strategies of a matrix game.

    Attributes:
        value: what both guarantee, in units of the payoff.
        attacker: probability of each attack, at most as many positive as there are members.
        defender: weight of each member.
    """

    value: Fraction
    attacker: tuple[Fraction, ...]
    defender: tuple[Fraction, ...]


def solve_game(payoff: npt.ArrayLike) -> Strategies:
    """Find `max over p of min over c of sum_i p_i payoff[i, c]` and the defender's optimal weights.

    With a positive payoff P the program `maximize sum v` subject to `P v <= 1`, `v >= 0` has the optimum
    1/value; v scaled by the value is the defender's strategy and the dual, scaled alike, the attacker's
    (von Neumann 1928; Dantzig 1951). Adding a constant to the payoff adds it to the value.

    Args:
        payoff: integers, shape (attacks, members), at least one of each.

    Returns:
        Strategies whose guarantees have been checked to be equal, exactly.
    """
    whole = np.asarray(payoff, dtype=object)
    shift = 1 - int(whole.min())
    attacks, members = whole.shape
    optimum = maximize(whole + shift, [1] * attacks, [1] * members)
    assert optimum is not None, "a positive payoff bounds the program"
    scale = 1 / optimum.value
    attacker = tuple(y * scale for y in optimum.dual)
    defender = tuple(v * scale for v in optimum.primal)
    strategies = Strategies(scale - shift, attacker, defender)
    _verify(strategies, whole)
    return strategies


def best_total(payoff: npt.ArrayLike, least: Fraction) -> tuple[Fraction, ...] | None:
    """Find the probabilities with the largest expected sum of payoffs, given what each member must yield.

    Solves `maximize sum_i p_i sum_c payoff[i, c]` subject to `sum_i p_i payoff[i, c] >= least` for every
    member c through its dual `minimize s - least sum_c w_c` with
    `s >= sum_c (1 + w_c) payoff[i, c]` for every attack i.

    Args:
        payoff: integers that are not negative, shape (attacks, members), at least one of each.
        least: the least expected payoff of every member.

    Returns:
        Probability of each attack, or None if no mixture reaches `least`.
    """
    whole = np.asarray(payoff, dtype=object)
    attacks, members = whole.shape
    totals = whole.sum(axis=1)
    matrix = np.concatenate([whole, np.full((attacks, 1), -1, dtype=object)], axis=1)
    objective = [least.numerator] * members + [-least.denominator]
    optimum = maximize(matrix, -totals, objective, enter=members)
    if optimum is None:
        return None
    p = tuple(y / least.denominator for y in optimum.dual)
    return _completed(p, totals.tolist())


def _completed(p: tuple[Fraction, ...], totals: list[int]) -> tuple[Fraction, ...]:
    """Give what is missing to 1, if `s >= 0` was not tight, to an attack that loses nothing by it.

    The dual of a program whose s is 0 may sum to less than 1; then every total is 0 and so is `least`.
    """
    missing = 1 - sum(p)
    best = totals.index(max(totals))
    return tuple(v + missing if i == best else v for i, v in enumerate(p))


def _verify(strategies: Strategies, payoff: npt.NDArray[np.object_]) -> None:
    p = np.array(strategies.attacker, dtype=object)
    w = np.array(strategies.defender, dtype=object)
    assert sum(p) == sum(w) == 1
    assert (p >= 0).all()
    assert (w >= 0).all()
    assert min(p @ payoff) == max(payoff @ w) == strategies.value
