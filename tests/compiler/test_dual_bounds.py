"""No multipliers make a bound unsound: exact rational arithmetic at feasible points is the witness."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ensc.compiler.passes.lowering.assemble import Assembler
from ensc.compiler.passes.tightening.dual_bounds import least_by_multipliers
from ensc.compiler.types.model import Floats, Labels, Model, Objective, feasibility

LIES = (np.nan, np.inf, -np.inf, 1e308, -1e308, 1e-308, 0.0)


def model_around(rng: np.random.Generator, point: Floats, *, rows: int) -> Model:
    """Return random rows, some equations, that hold exactly at a point of few bits."""
    to = Assembler()
    count = len(point)
    spread = rng.choice([0.0, 0.5, 3.0, 1e6], count)
    v = to.variables(Labels("v", (np.arange(count),)), point - spread, point + spread)
    weights = np.round(rng.normal(size=(rows, count)) * 2.0 ** rng.integers(-8, 30, (rows, 1)))
    weights *= rng.random((rows, count)) < 0.7
    at = weights @ point  # exact: integers times sixteenths, far from 53 bits
    slackness = rng.choice([0.0, 0.0, 1.0, np.inf], (2, rows))
    to.rows(np.broadcast_to(v, (rows, count)), weights, at - slackness[0], at + slackness[1], "random")
    return to.model("random", feasibility())


def exact_value(objective: Objective, point: Floats) -> Fraction:
    pairs = zip(objective.columns.tolist(), objective.coefficients.tolist(), strict=True)
    return sum((Fraction(c) * Fraction(point[v]) for v, c in pairs), Fraction(0))


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_no_multipliers_exceed_the_value_at_a_feasible_point(seed: int, lying: bool) -> None:
    rng = np.random.default_rng(seed)
    count, rows = int(rng.integers(1, 6)), int(rng.integers(0, 6))
    point = rng.integers(-64, 65, count) / 16
    model = model_around(rng, point, rows=rows)
    objective = Objective("minimize", np.arange(count), rng.normal(size=count))
    y = rng.normal(size=rows) * 10.0 ** rng.integers(-12, 8, rows)
    if lying and rows:
        y[rng.integers(rows)] = rng.choice(LIES)
    bound = least_by_multipliers(model, objective, y)
    assert bound == -np.inf or Fraction(bound) <= exact_value(objective, point)


def test_perfect_multipliers_reach_the_optimum() -> None:
    """Over x + y >= 2 in [0, 3]^2 the least 3 x + y is 2, and the row's multiplier 1 proves it."""
    to = Assembler()
    v = to.variables(Labels("v", (np.arange(2),)), 0.0, 3.0)
    to.rows(v[None], 1.0, 2.0, np.inf, "x + y >= 2")
    model = to.model("corner", feasibility())
    objective = Objective("minimize", v, np.array([3.0, 1.0]))
    assert np.isclose(least_by_multipliers(model, objective, np.array([1.0])), 2.0)
    assert least_by_multipliers(model, objective, np.array([1.0])) <= 2.0
    assert np.isclose(least_by_multipliers(model, objective, np.array([0.0])), 0.0)
    # The row has no upper side to lean on, so a multiplier of that sign counts as none.
    assert least_by_multipliers(model, objective, np.array([-5.0])) == least_by_multipliers(
        model, objective, np.array([0.0])
    )


def test_multipliers_of_another_model_prove_nothing() -> None:
    to = Assembler()
    v = to.variables(Labels("v", (np.arange(2),)), 0.0, 1.0)
    model = to.model("free", feasibility())
    assert least_by_multipliers(model, Objective("minimize", v, np.ones(2)), np.ones(3)) == -np.inf
