"""Directed rounding: float64 computations turned into bounds that hold in real arithmetic.

A sum of n products computed in any order differs from the exact sum by at most `gamma(n)` times the sum
of the absolute products, `gamma(n) = n u / (1 - n u)`, `u = 2**-53` (Higham, Accuracy and Stability of
Numerical Algorithms, section 3.1). The helpers double that bound, which covers the roundings made in
computing the bound itself, and add the smallest normal number, which covers underflow.
"""

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ensc.compiler.types.network import Floats

UNIT = 2.0**-53
UNDERFLOW = float(np.finfo(np.float64).tiny)


def slack(terms: npt.ArrayLike, magnitude: Floats) -> Floats:
    """Bound the rounding error of sums of `terms` products whose absolute values sum to `magnitude`."""
    gamma = np.asarray(terms) * UNIT / (1 - np.asarray(terms) * UNIT)
    return 2 * gamma * magnitude + UNDERFLOW


def down(value: Fraction) -> float:
    """Return the largest float64 that is not above an exact number."""
    near = float(value)
    return near if Fraction(near) <= value else float(np.nextafter(near, -np.inf))


def up(value: Fraction) -> float:
    """Return the smallest float64 that is not below an exact number."""
    return -down(-value)


def is_float(value: Fraction) -> bool:
    """Return whether an exact number is a float64."""
    return Fraction(float(value)) == value


def add_down(a: Floats, b: Floats | float) -> Floats:
    """Return the largest float64 not above `a + b`, elementwise.

    Knuth's TwoSum gives the rounding error of the sum exactly, so an exact sum stays as it is.
    """
    total, error = _two_sum(a, b)
    return np.where(error < 0, np.nextafter(total, -np.inf), total)


def add_up(a: Floats, b: Floats | float) -> Floats:
    """Return the smallest float64 not below `a + b`, elementwise."""
    return -add_down(-a, -b)


def is_exact_difference(a: Floats, b: Floats) -> bool:
    """Return whether no entry of `a - b` has to be rounded."""
    return not _two_sum(a, -b)[1].any()


def _two_sum(a: Floats, b: Floats | float) -> tuple[Floats, Floats]:
    total = a + b
    part = total - a
    with np.errstate(invalid="ignore"):
        return total, (a - (total - part)) + (b - part)


DIGITS = 8
"""Significant digits that a bound keeps in a model: as good for a solver as 17, and half the text."""


def short_up(values: Floats) -> Floats:
    """Return numbers with few decimal digits that are not below the given ones; integers stay.

    >>> import numpy as np
    >>> short_up(np.array([2.0000000000000013, -0.123456789123, 3.0, 0.0])).tolist()
    [2.0000001, -0.12345678, 3.0, 0.0]
    """
    finite = np.isfinite(values) & (values != np.rint(values))
    safe = np.where(finite, values, 1.0)
    exponent = DIGITS - 1 - np.floor(np.log10(np.abs(safe))).astype(np.int64)
    usual = finite & (np.abs(exponent) <= 22)  # beyond, powers of ten are no floats
    scale = 10.0 ** np.where(usual, np.abs(exponent), 0)
    scaled = np.ceil(np.where(exponent >= 0, safe * scale, safe / scale))
    short = np.where(exponent >= 0, scaled / scale, scaled * scale)
    raised = np.where(exponent >= 0, (scaled + 1) / scale, (scaled + 1) * scale)
    return np.where(usual, np.where(short >= safe, short, raised), values)


def short_down(values: Floats) -> Floats:
    """Return numbers with few decimal digits that are not above the given ones; integers stay."""
    return -short_up(-values)


def totals(owners: npt.NDArray[np.int64], terms: Floats, count: int) -> Floats:
    """Return the sum of the terms of each owner, shape (count,)."""
    return np.bincount(owners, terms, count).astype(np.float64)
