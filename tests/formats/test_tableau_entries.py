"""A model in which a row names a column twice is a mistake of the compiler, and no file is written of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensc.compiler.passes.lowering.assemble import Assembler
from ensc.compiler.types.model import Labels, Model, feasibility
from ensc.formats.tableau import tabulate

WIDTH = 6
rows_of_columns = st.lists(st.lists(st.integers(0, WIDTH - 1), max_size=5), max_size=6)


def model_of(rows: list[list[int]]) -> Model:
    to = Assembler()
    to.variables(Labels("x", (np.arange(1, WIDTH + 1),)), 0.0, 1.0)
    for columns in rows:
        to.rows(np.array([columns], dtype=np.int64).reshape(1, -1), 1.0, -np.inf, 1.0, "any")
    return to.model("m", feasibility())


@given(rows_of_columns)
def test_columns_that_a_row_names_twice_are_noticed(rows: list[list[int]]) -> None:
    model = model_of(rows)
    if all(len(set(columns)) == len(columns) for columns in rows):
        tabulate(model, indicators=False, ordered_sets=False)
    else:
        with pytest.raises(AssertionError, match="once"):
            tabulate(model, indicators=False, ordered_sets=False)
