"""The shortest decimal text of many float64 at once, the same that `repr` gives one by one.

A number x between 1e-4 and 1e15 is scaled to x 10^k with 17 digits before the point. The product is computed
exactly, as a sum p + q of two floats (Dekker 1971), and so is half the distance h to the neighbours of x. A
decimal reads back as x if, scaled alike, it lies within h of p + q. As h < 12, at most one multiple of 100
does; if one does, it is what remains of the shortest text when its trailing zeros are dropped, because no
other decimal of at most 15 digits reads back as x. Else it is the nearest multiple of 10 that does, or the
nearest integer.

Whatever is not plainly decided (a power of two, a tie, a number outside the range) is left to `repr`, so
that rounding errors in the comparisons cost time and never a digit.
"""

import numpy as np

from ensc.compiler.types.model import Flags, Floats, Indices
from ensc.formats.numbers import LONGEST, Texts, canonical

FEW = 512
"""Below this, `repr` is as fast."""

BLOCK = 1 << 14
"""Numbers in a block: what is computed of them fits into a processor's cache."""

FREQUENT = ((0.0, b"0"), (1.0, b"1"), (-1.0, b"-1"))
"""Of the numbers that would be left to `repr`, those that models are full of."""

LOW, HIGH = 1e-4, 1e15

DIGITS = 17

POWERS = np.array([float(10**k) for k in range(23)])
"""Powers of ten that are float64 exactly."""

SPLITTER = 2.0**27 + 1

CLOSE = 1e-6
"""Comparisons are exact but for errors far below this; nearer ones count as undecided."""

MANTISSA = (1 << 52) - 1

QUADS = np.array([f"{i:04}" for i in range(10_000)], dtype="S4").view(np.uint32)
"""Four digits at a time."""

LAST_QUADS = np.array([f"{i:04}".rstrip("0") for i in range(10_000)], dtype="S4").view(np.uint32)
"""The same at the end of a number, where zeros are dropped."""

EITHER_QUADS = np.concatenate([QUADS, LAST_QUADS])

_HEADS = [
    (sign + ("0." + "0" * (-1 - exponent) if exponent else "").encode()).ljust(6, b"\0")
    + b"%d%s" % (digit, point)
    for sign in (b"", b"-")
    for exponent in range(-4, 1)
    for digit in range(10)
    for point in (b"", b"" if exponent else b".")
]
HEADS = np.array(_HEADS, dtype="S8").view(np.uint64)
"""A number below 10 up to its first digit, and its point: by sign, exponent, digit, and whether more
digits follow."""


def shortest(values: Floats) -> Texts:
    """Return the canonical text of each number, as wide as the longest one.

    Args:
        values: finite, shape (numbers,).
    """
    if not len(values):
        return np.empty(0, dtype=("S", LONGEST))
    ended = np.zeros((len(values), LONGEST + 1), dtype=np.uint8)
    ended[:, :LONGEST] = padded(values).view(np.uint8).reshape(-1, LONGEST)
    ended[:, LONGEST] = ord("\n")
    return np.array(ended.tobytes().translate(None, b"\0").split())


def padded(values: Floats) -> Texts:
    """Return the canonical text of each number, with null bytes anywhere in it.

    Args:
        values: finite, shape (numbers,).
    """
    found = np.zeros(len(values), dtype=("S", LONGEST))
    for start in range(0, len(values), BLOCK):
        _fill(found[start : start + BLOCK], values[start : start + BLOCK])
    return found


def _fill(found: Texts, values: Floats) -> None:
    size = np.abs(values)
    plain = (size >= LOW) & (size < HIGH) if len(values) >= FEW else np.zeros(len(values), dtype=np.bool_)
    x = np.where(plain, size, 1.0)
    digits, exponents, decided = _digits(x)
    plain &= decided
    usual = plain & (exponents <= 0)
    _lay_out_small(found, usual, values < 0, digits, exponents)
    for exponent in np.flatnonzero(np.bincount(exponents[plain & ~usual])).tolist():
        chosen = np.flatnonzero(plain & (exponents == exponent))
        found[chosen] = _with_point(digits[chosen], values[chosen] < 0, exponent)
    left = np.flatnonzero(~plain)
    for value, text in FREQUENT:
        same = values[left] == value
        found[left[same]] = text
        left = left[~same]
    found[left] = canonical(values[left])


def _digits(x: Floats) -> tuple[Indices, Indices, Flags]:
    """Return digits and decimal exponents of positive numbers, and which are decided.

    A number is `digits * 10^(exponent - 16)` with 17 digits, of which trailing zeros are to be dropped.
    """
    exponents = np.floor(np.log10(x)).astype(np.int64)
    scale = POWERS[DIGITS - 1 - exponents]
    high, low = _product(x, scale)
    reach = 0.5 * np.spacing(x) * scale
    whole = high.astype(np.int64)
    nearest = np.rint(low)
    digits = whole + nearest.astype(np.int64)
    decided = np.abs(np.abs(low - nearest) - 0.5) > CLOSE
    for step in (10, 100):
        floor = whole // step * step
        offset = (whole - floor) + low
        multiple = np.rint(offset / step) * step
        distance = np.abs(offset - multiple)
        inside = distance < reach
        near = np.abs(distance - reach) <= CLOSE
        if step == 10:
            near |= np.abs(distance - 5.0) <= CLOSE
        decided = (decided | inside) & ~near
        digits = np.where(inside, floor + multiple.astype(np.int64), digits)
    decided &= (x.view(np.int64) & MANTISSA) != 0
    decided &= (whole >= 10 ** (DIGITS - 1)) & (digits >= 10 ** (DIGITS - 1)) & (digits < 10**DIGITS)
    return digits, exponents, decided


def _product(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return the product as a sum of two floats, exactly (Dekker 1971)."""
    product = x * y
    x_high, y_high = (v * SPLITTER - (v * SPLITTER - v) for v in (x, y))
    x_low, y_low = x - x_high, y - y_high
    return product, ((x_high * y_high - product) + x_high * y_low + x_low * y_high) + x_low * y_low


def _lay_out_small(found: Texts, chosen: Flags, negative: Flags, digits: Indices, exponents: Indices) -> None:
    """Write numbers below 10 to their places, each part of a number to bytes of its own."""
    places: slice | Flags = slice(None) if chosen.all() else chosen
    first, behind, quads = _parts(digits[places])
    kinds = ((negative[places] * 5 + exponents[places] + 4) * 10 + first) * 2 + (behind > 0)
    text = np.empty((len(kinds), LONGEST // 4), dtype=np.uint32)
    text.view(np.uint64)[:, 0] = HEADS[kinds]
    ending = np.ones(len(kinds), dtype=np.bool_)
    for place in (3, 2, 1, 0):
        text[:, 2 + place] = EITHER_QUADS.take(quads[place] + len(QUADS) * ending)
        ending &= quads[place] == 0
    found[places] = text.view(found.dtype)[:, 0]


def _parts(digits: Indices) -> tuple[Indices, Indices, tuple[Indices, ...]]:
    """Return the first of 17 digits, the other 16, and those four at a time."""
    first = digits // 10**16
    behind = digits - first * 10**16
    upper = behind // 10**8
    lower = behind - upper * 10**8
    quads = []
    for half in (upper, lower):
        high = half // 10**4
        quads += [high, half - high * 10**4]
    return first, behind, tuple(quads)


def _with_point(digits: Indices, negative: Flags, exponent: int) -> Texts:
    """Return the texts of numbers that have the same count of digits before the point, two at least."""
    first, _, quads = _parts(digits)
    characters = np.empty((len(digits), 5), dtype=np.uint32)
    for column, part in enumerate((first, *quads)):
        characters[:, column] = QUADS[part]
    seventeen = characters.view(np.uint8).reshape(len(digits), 20)[:, 3:]
    shown = np.logical_or.accumulate((seventeen != ord("0"))[:, ::-1], axis=1)[:, ::-1]
    before = exponent + 1
    text = np.zeros((len(digits), LONGEST), dtype=np.uint8)
    text[:, 0] = np.where(negative, ord("-"), 0)
    text[:, 1 : 1 + before] = seventeen[:, :before]
    text[:, 1 + before] = np.where(shown[:, before], ord("."), 0)
    text[:, 2 + before : 2 + DIGITS] = np.where(shown[:, before:], seventeen[:, before:], 0)
    return text.view(("S", LONGEST))[:, 0]
