"""Entries are sorted in parts as they would be all at once."""

import numpy as np
import pytest

from ensc.formats.columnar import BLOCK, PART, ordered


@pytest.mark.parametrize("count", [0, 1, BLOCK, PART, PART + 1, 9 * PART])
@pytest.mark.parametrize("kinds", [1, 1000, 200_000])
@pytest.mark.parametrize("heavy", [False, True])
def test_parts_are_sorted_as_the_whole(count: int, kinds: int, *, heavy: bool) -> None:
    rng = np.random.default_rng(count + kinds)
    keys = rng.integers(0, kinds, count).astype(np.int32)
    if heavy:  # most entries belong to one key, so that a part holds more than its share
        keys[rng.random(count) < 0.8] = kinds // 2
    middle = kinds // 3
    found = [*ordered(keys, 0, middle), *ordered(keys, middle, kinds)]
    assert all(len(block) <= BLOCK for block in found)
    np.testing.assert_array_equal(
        np.concatenate([np.empty(0, np.uint32), *found]), np.argsort(keys, kind="stable")
    )


def test_keys_outside_the_range_are_left_out() -> None:
    keys = np.tile(np.arange(7), PART)
    found = np.concatenate([*ordered(keys, 2, 4)])
    np.testing.assert_array_equal(
        found, np.concatenate([np.flatnonzero(keys == 2), np.flatnonzero(keys == 3)])
    )
