"""Which numbers an optimum can be at all: few enough that a close bound often leaves only one."""

from fractions import Fraction
from math import floor, isqrt

from ensc.compiler.types.problem import EnsembleProblem, MaximizeTotal, MaximizeValue


def only_value_between(problem: EnsembleProblem, lower: Fraction, upper: Fraction) -> Fraction:
    """Return an upper bound of the optimum that is at most `upper`, given that `lower` is reached.

    The largest total without a bound on the value is reached by one deterministic attack and is an
    integer. The largest value is |X|th of the value of a matrix game of integers 0..|X| with at most
    `min(count, members)` rows and columns that matter (Shapley and Snow 1950):
    `det M / sum of cofactors of M`. Two fractions with denominators q and Q differ by at least `1/(q Q)`.

    Args:
        problem: the query.
        lower: what an attack is certified to reach.
        upper: a proved bound.
    """
    match problem.goal:
        case MaximizeTotal(None):
            return Fraction(floor(upper))
        case MaximizeValue():
            points = len(problem.points)
            size = min(problem.threat.count, len(problem.ensemble))
            step = Fraction(1, (lower * points).denominator * largest_denominator(size, points) * points)
            return lower if upper < lower + step else upper
        case _:
            return upper


def largest_denominator(size: int, points: int) -> int:
    """Bound the denominator of the value of a game with payoffs 0..points and at most `size` rows.

    The sum of the cofactors of M does not change when a constant is added to M, so the entries may be
    taken between -points/2 and points/2. It is, up to its sign, the determinant of M bordered by ones, at
    most the product of the lengths of the rows (Hadamard 1893).
    """
    return max(isqrt((s * points**2 + 4) ** s * s // 4**s) for s in range(1, size + 1))
