"""Formatting whole arrays gives what `repr` gives one by one, for every kind of number."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ensc.formats.numbers import canonical
from ensc.formats.shortest import FEW, shortest

Array = npt.NDArray[np.float64]
COUNT = 100_000


def agrees(values: Array) -> bool:
    return [text.decode() for text in shortest(values).tolist()] == canonical(values)


def signs(rng: np.random.Generator) -> Array:
    return rng.choice([-1.0, 1.0], COUNT)


KINDS: dict[str, Callable[[np.random.Generator], Array]] = {
    "normal": lambda rng: rng.normal(size=COUNT),
    "single precision": lambda rng: rng.normal(size=COUNT).astype(np.float32).astype(np.float64),
    "every size": lambda rng: np.exp(rng.uniform(np.log(1e-12), np.log(1e17), COUNT)) * signs(rng),
    "few decimals": lambda rng: rng.integers(-(10**9), 10**9, COUNT) / 10.0 ** rng.integers(0, 9, COUNT),
    "many decimals": lambda rng: rng.integers(-(10**15), 10**15, COUNT) / 10.0 ** rng.integers(0, 16, COUNT),
    "dyadic": lambda rng: rng.integers(-(10**6), 10**6, COUNT) / 2.0 ** rng.integers(0, 40, COUNT),
    "integers": lambda rng: rng.integers(-(10**16), 10**16, COUNT).astype(np.float64),
    "powers of two": lambda rng: 2.0 ** rng.integers(-60, 60, COUNT) * signs(rng),
    "beside powers of two": lambda rng: np.nextafter(2.0 ** rng.integers(-15, 50, COUNT), 1e30 * signs(rng)),
    "beside powers of ten": lambda rng: np.nextafter(10.0 ** rng.integers(-5, 16, COUNT), 1e30 * signs(rng)),
    "any bits": lambda rng: finite(rng.integers(0, 2**63, COUNT, dtype=np.uint64).view(np.float64)),
}


def finite(values: Array) -> Array:
    return values[np.isfinite(values)]


@pytest.mark.parametrize("kind", list(KINDS))
def test_many_numbers(kind: str) -> None:
    assert agrees(KINDS[kind](np.random.default_rng(0)))


@settings(max_examples=200)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20))
def test_hard_numbers_among_easy_ones(values: list[float]) -> None:
    easy = np.linspace(0.3, 7e5, FEW)
    assert agrees(np.concatenate([np.array(values, dtype=float), easy]))


@settings(max_examples=100)
@given(st.integers(10**15, 10**17), st.integers(-21, 0), st.integers(-3, 3))
def test_numbers_near_decimals_of_seventeen_digits(digits: int, exponent: int, steps: int) -> None:
    value = float(f"{digits}e{exponent}")
    near = [value + k * np.spacing(value) for k in range(steps - 100, steps + 100)]
    assert agrees(np.array(near * 3))


def test_no_numbers() -> None:
    assert agrees(np.empty(0))
    assert agrees(np.zeros(FEW))
    assert agrees(np.full(FEW, -0.0))
