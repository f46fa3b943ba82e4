"""Names of variables are made from their indices, in C order, however the axes are shaped."""

import numpy as np
import pytest

from ensc.compiler.types.model import Labels

ONE, TWO = np.array([1, 2]), np.array([3, 4, 5])


@pytest.mark.parametrize(
    ("axes", "names"),
    [
        ((), ["h"]),
        ((ONE,), ["h_1", "h_2"]),
        (np.ix_(ONE, TWO), ["h_1_3", "h_1_4", "h_1_5", "h_2_3", "h_2_4", "h_2_5"]),
        ((ONE, ONE + 6), ["h_1_7", "h_2_8"]),
        ((ONE, np.array([[3], [4]])), ["h_1_3", "h_2_3", "h_1_4", "h_2_4"]),
        ((np.array([9]), ONE), ["h_9_1", "h_9_2"]),
        ((np.array([], dtype=np.int64),), []),
    ],
)
def test_names(axes: tuple[np.ndarray, ...], names: list[str]) -> None:
    labels = Labels("h", axes)
    assert labels.names() == names
    assert labels.size == len(names)
