"""Rationals -> decimal text, exactly where a decimal of bearable length exists, otherwise outward."""

from decimal import Decimal
from fractions import Fraction
from typing import Literal

PLACES = 80
"""Digits after the point that are written where they make the number exact: all float32 between 1e-10 and
1e10 and most float64 around 1 have fewer."""

DIGITS = 24
"""Significant digits of a number that is rounded: more than any reader keeps."""


def exact_decimal(value: Fraction) -> str | None:
    """Return the decimal that equals a number, None if there is none with few enough digits.

    >>> exact_decimal(Fraction(2, 5)), exact_decimal(Fraction(-3)), exact_decimal(Fraction(1, 3))
    ('0.4', '-3.0', None)
    """
    rest, places = value.denominator, 0
    for prime in (2, 5):
        power = 0
        while rest % prime == 0 and power <= PLACES:
            rest //= prime
            power += 1
        places = max(places, power)
    if rest != 1 or places > PLACES:
        return None
    return _text(value.numerator * 10**places // value.denominator, places)


def outward_decimal(value: Fraction, side: Literal[-1, 1]) -> str:
    """Return the nearest short decimal on one side of a number, or the number itself.

    >>> outward_decimal(Fraction(1, 3), -1), outward_decimal(Fraction(1, 3), 1)
    ('0.333333333333333333333333', '0.333333333333333333333334')
    """
    exact = exact_decimal(value)
    if exact is not None:
        return exact
    size = len(str(Decimal(abs(value.numerator)))) - len(str(Decimal(value.denominator)))
    places = max(1, DIGITS - size)
    scaled = value * 10**places
    whole = scaled.numerator // scaled.denominator
    return _text(whole + (side > 0), places)


def _text(digits: int, places: int) -> str:
    """Return `digits / 10**places` with a point, as the type checker of version 2.0 wants it."""
    text = str(Decimal(abs(digits))).rjust(places + 1, "0")
    whole, part = (text[:-places], text[-places:].rstrip("0")) if places else (text, "")
    return f"{'-' * (digits < 0)}{whole}.{part or '0'}"
