"""Float64 as decimal text and back: one spelling for each number, and one grammar for reading them."""

import re
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ensc.compiler.types.model import Floats

NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""What every reader takes for a number; `1d2`, `1_000`, `1,5`, `0x10` and `nan` are read differently by
different programs (some stop at the first strange character and say nothing)."""

Texts: TypeAlias = npt.NDArray[np.bytes_]
"""ASCII strings."""

LONGEST = 24
"""Characters of the longest canonical text of a float64."""

INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)

INFINITY = 1e30
"""From here on a bound in a file means that there is none, as in every MILP reader."""


def canonical(values: Floats) -> list[str]:
    """Return the shortest decimal text that reads back as each value, at most 24 characters.

    The most negative exponent with 17 digits and two signs takes 24 characters; CPLEX cuts a token at 25.
    For many numbers `shortest` gives the same texts faster.

    Args:
        values: finite, shape (numbers,).

    >>> import numpy as np
    >>> canonical(np.array([1.0, -0.0, 0.1, -2.5e-7, 3e22]))
    ['1', '0', '0.1', '-2.5e-07', '3e+22']
    """
    if not len(values):
        return []
    # One call formats them all; adding 0 turns -0.0 into 0.0.
    text = repr((values + 0.0).tolist())[1:-1] + ","
    return text.replace(".0,", ",")[:-1].split(", ")


def parse_number(text: str) -> float | None:
    """Return the value of a decimal number, infinite if it is too large for a float64; None if it is none.

    >>> parse_number("-1.5e-3"), parse_number("1e999"), parse_number("1d2"), parse_number("nan")
    (-0.0015, inf, None, None)
    """
    return float(text) if NUMBER.fullmatch(text) else None


def parse_bound(text: str) -> float | None:
    """Return the value of a number or of a spelling of infinity; from 1e30 on it is infinite.

    >>> parse_bound("-1e30"), parse_bound("+Infinity"), parse_bound("3")
    (-inf, inf, 3.0)
    """
    value = float(text) if INFINITE.fullmatch(text) else parse_number(text)
    if value is not None and abs(value) >= INFINITY:
        return float("inf") if value > 0 else float("-inf")
    return value
