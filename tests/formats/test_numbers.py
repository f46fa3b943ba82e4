"""Every float64 has one spelling, which reads back as itself and which every reader understands."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensc.formats.columnar import SLOT_BITS, Spelling, spelled
from ensc.formats.numbers import NUMBER, Texts, canonical, parse_bound, parse_number

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite))
def test_canonical_reads_back(values: list[float]) -> None:
    texts = canonical(np.array(values, dtype=float))
    assert len(texts) == len(values)
    for value, text in zip(values, texts, strict=True):
        assert float(text) == value
        assert parse_number(text) == value
        assert NUMBER.fullmatch(text)
        assert len(text) <= 24
        assert not text.startswith("-0") or value < 0
        assert not text.endswith(".0")
        assert len(text) <= len(repr(value))


@given(st.lists(finite), st.sampled_from([1, 10]))
def test_each_number_is_spelled_as_if_alone(values: list[float], repeats: int) -> None:
    texts = spelled(np.array(values * repeats))
    assert [text.decode() for text in texts] == repeats * [canonical(np.array([v]))[0] for v in values]


@given(st.lists(finite), st.sampled_from([1, 4, 10]))
def test_parts_of_lines_are_spelled_as_if_alone(values: list[float], repeats: int) -> None:
    parts = Spelling(np.array(values * repeats, dtype=float))[:]
    assert without_nulls(parts) == repeats * canonical(np.array(values, dtype=float))


@pytest.mark.parametrize("distinct", [100, 1 << SLOT_BITS])
def test_repeated_numbers_are_told_apart(distinct: int) -> None:
    """With as many numbers as slots, most slots are shared."""
    rng = np.random.default_rng(0)
    values = rng.permutation(np.repeat(rng.integers(-(10**6), 10**6, distinct) / 7, 5))
    chosen = rng.integers(0, len(values), 20_000)
    assert without_nulls(Spelling(values)[chosen]) == canonical(values[chosen])


def without_nulls(parts: Texts) -> list[str]:
    return [part.replace(b"\0", b"").decode() for part in parts.tolist()]


@pytest.mark.parametrize("text", ["1", "+1", "-1", "1.", ".5", "1.5e3", "1E-3", "00012", "1e+05"])
def test_numbers(text: str) -> None:
    assert parse_number(text) == float(text)
    assert parse_bound(text) == float(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        ".",
        "e5",
        "1e",
        "1d2",
        "1_0",
        "1,5",
        "1/3",
        "0x1",
        "nan",
        " 1",
        "1 ",
        "1\n",
        "--1",
        "١",
        "²",
        "1.2.3",
    ],
)
def test_no_numbers(text: str) -> None:
    assert parse_number(text) is None
    assert parse_bound(text) is None


@pytest.mark.parametrize("text", ["inf", "-Inf", "+INFINITY", "1e30", "-1e30", "1e999", "2.5e33"])
def test_infinite_bounds(text: str) -> None:
    value = parse_bound(text)
    assert value is not None
    assert math.isinf(value)
    assert (value < 0) == text.startswith("-")


def test_infinity_is_no_coefficient() -> None:
    assert parse_number("inf") is None
    assert parse_number("1e999") == math.inf
