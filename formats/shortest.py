"""The shortest decimal text of many float64 at once, the same that `repr` gives one by one.

A number x between 1e-4 and 1e15 is scaled to x 10^k with 17 digits before the point. The product is computed
exactly, as a sum p + q of two floats (Dekker 1971), and so is half the distance h to the neighbours of x. A
decimal reads back as x if, scaled alike, it lies within h of p + q. Sought is the multiple of the highest
power of ten that does: the nearest multiples of 1, 10, 100, ... are tried until one is too far away.

Whatever is not plainly decided (a power of two, a tie, a number outside the range) is left to `repr`, so
that rounding errors in the comparisons cost time and never a digit.
"""

import numpy as np
import numpy.typing as npt

from ensc.compiler.types.model import Flags, Floats, Indices
from ensc.formats.numbers import LONGEST, Texts, canonical

FEW = 512
"""Below this, `repr` is as fast."""

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


def shortest(values: Floats) -> Texts:
    """Return the canonical text of each number.

    Args:
        values: finite, shape (numbers,).
    """
    found = np.zeros(len(values), dtype=("S", LONGEST))
    size = np.abs(values)
    plain = (size >= LOW) & (size < HIGH) if len(values) >= FEW else np.zeros(len(values), dtype=np.bool_)
    places = np.flatnonzero(plain)
    digits, exponents, zeros, decided = _digits(size[places])
    places = places[decided]
    _lay_out(found, places, values[places] < 0, digits[decided], exponents[decided], zeros[decided])
    plain[:] = False
    plain[places] = True
    found[~plain] = canonical(values[~plain])
    return found


def _digits(x: Floats) -> tuple[Indices, Indices, Indices, Flags]:
    """Return digits, decimal exponents and trailing zeros of positive numbers, and which are decided.

    A number is `digits * 10^(exponent - 16)` with 17 digits, the last `zeros` of them 0.
    """
    exponents = np.floor(np.log10(x)).astype(np.int64)
    scale = POWERS[DIGITS - 1 - exponents]
    high, low = _product(x, scale)
    reach = 0.5 * np.spacing(x) * scale
    whole = high.astype(np.int64)
    nearest = np.rint(low)
    digits = whole + nearest.astype(np.int64)
    decided = np.abs(np.abs(low - nearest) - 0.5) > CLOSE
    zeros = np.zeros(len(x), dtype=np.int64)
    left = np.arange(len(x))
    for power in range(1, DIGITS):
        step = 10**power
        rest = whole[left] % step
        offset = rest + low[left]
        multiple = np.rint(offset / step)
        distance = np.abs(offset - multiple * step)
        near = np.abs(distance - reach[left]) <= CLOSE
        if power == 1:
            near |= np.abs(distance - 5.0) <= CLOSE
            decided |= distance < reach[left]
        decided[left[near]] = False
        inside = distance < reach[left]
        left, rest, multiple = left[inside], rest[inside], multiple[inside]
        if not len(left):
            break
        digits[left] = whole[left] - rest + multiple.astype(np.int64) * step
        zeros[left] = power
    decided &= (x.view(np.int64) & MANTISSA) != 0
    decided &= (whole >= 10 ** (DIGITS - 1)) & (digits >= 10 ** (DIGITS - 1)) & (digits < 10**DIGITS)
    return digits, exponents, zeros, decided


def _product(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return the product as a sum of two floats, exactly (Dekker 1971)."""
    product = x * y
    x_high, y_high = (v * SPLITTER - (v * SPLITTER - v) for v in (x, y))
    x_low, y_low = x - x_high, y - y_high
    return product, ((x_high * y_high - product) + x_high * y_low + x_low * y_high) + x_low * y_low


def _lay_out(
    found: Texts, places: Indices, negative: Flags, digits: Indices, exponents: Indices, zeros: Indices
) -> None:
    """Write numbers to their places: sign, digits, point; trailing zeros behind the point are left out."""
    rows = found.view(np.uint8).reshape(len(found), LONGEST)
    kinds = ((exponents + 4) * 2 + negative).astype(np.uint8)
    order = np.argsort(kinds, kind="stable")
    edges = np.concatenate([[0], np.cumsum(np.bincount(kinds, minlength=1))])
    characters = _characters(digits[order])
    shown = np.arange(DIGITS) < (DIGITS - zeros[order])[:, None]
    for kind in np.flatnonzero(np.diff(edges)).tolist():
        part = slice(edges[kind], edges[kind + 1])
        exponent, sign = kind // 2 - 4, kind % 2
        text = np.zeros((edges[kind + 1] - edges[kind], LONGEST), dtype=np.uint8)
        text[:, :sign] = ord("-")
        before = max(exponent + 1, 0)
        text[:, sign : sign + before] = characters[part, :before]
        at = sign + before
        if before == 0:
            text[:, at : at + 1 - exponent] = np.frombuffer(b"0." + b"0" * (-1 - exponent), dtype=np.uint8)
            at += 1 - exponent
        else:
            text[:, at] = np.where(shown[part, before], ord("."), 0)
            at += 1
        behind = DIGITS - before
        text[:, at : at + behind] = np.where(shown[part, before:], characters[part, before:], 0)
        rows[places[order[part]]] = text


def _characters(digits: Indices) -> npt.NDArray[np.uint8]:
    """Return the 17 digits of each number as characters, shape (numbers, 17)."""
    found = np.empty((len(digits), 5), dtype=np.uint32)
    upper, lower = digits // 10**8, digits % 10**8
    first, middle = upper // 10**8, upper % 10**8
    for column, part in enumerate((first, middle // 10**4, middle % 10**4, lower // 10**4, lower % 10**4)):
        found[:, column] = QUADS[part]
    return found.view(np.uint8).reshape(len(digits), 20)[:, 3:]
