"""Each piecewise-linear constraint becomes these rows, and no solution is lost to rounding."""

import dataclasses

import numpy as np
import pytest

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.passes.linear.linearize import linearize
from ensc.compiler.passes.lowering.assemble import Assembler
from ensc.compiler.passes.show import model_text
from ensc.compiler.types.model import (
    Clauses,
    Indices,
    Labels,
    Maxima,
    Model,
    Products,
    Rectifiers,
    feasibility,
)


def variable(to: Assembler, name: str, lower: float, upper: float, *, integer: bool = False) -> Indices:
    return to.variables(Labels(name, ()), lower, upper, integer=integer).ravel()


def rows_of(model: Model) -> list[str]:
    text = model_text(linearize(model))
    return [line.strip() for line in text.split("rows\n")[1].splitlines()]


def test_rectifier() -> None:
    to = Assembler()
    y, a = variable(to, "y", 0, 3), variable(to, "a", -2, 3)
    to.rectifiers.append(Rectifiers(y, a, (Labels("z", ()),)))
    model = to.model("m", feasibility())
    assert rows_of(model) == ["y - a >= 0", "y - 3 z <= 0", "y - a + 2 z <= 2"]


def test_rectifier_that_is_stable_needs_no_slack() -> None:
    to = Assembler()
    y, a = variable(to, "y", 0, 3), variable(to, "a", 1, 3)
    to.rectifiers.append(Rectifiers(y, a, (Labels("z", ()),)))
    assert rows_of(to.model("m", feasibility())) == ["y - a >= 0", "y - 3 z <= 0", "y - a <= 0"]


def test_maximum() -> None:
    to = Assembler()
    y, a, b = variable(to, "y", 0, 4), variable(to, "a", 0, 2), variable(to, "b", 1, 4)
    starts, candidates = np.array([0, 2]), np.concatenate([a, b])
    to.maxima.append(Maxima(y, starts, candidates, (Labels("z", (np.array([1, 2]),)),)))
    rows = rows_of(to.model("m", feasibility()))
    assert rows[:2] == ["y - a >= 0", "y - b >= 0"]
    assert rows[2:] == [
        "y - a + 4.0000001 z_1 <= 4.0000001",
        "y - b + 3.0000001 z_2 <= 3.0000001",
        "z_1 + z_2 = 1",
    ]


def test_product_with_and_without_its_lower_bound() -> None:
    to = Assembler()
    q, p, s = variable(to, "q", 0, 1), variable(to, "p", 0, 1), variable(to, "l", 0, 1, integer=True)
    to.products.append(Products(q, p, s))
    model = to.model("m", feasibility())
    upper = ["q - p <= 0", "q - l <= 0"]
    assert rows_of(model) == [*upper, "q - p - l >= -1"]
    helpful = model_text(linearize(model, helpful_products=True))
    assert [line.strip() for line in helpful.split("rows\n")[1].splitlines()] == upper


def test_clause() -> None:
    to = Assembler()
    c, v, w = (variable(to, name, 0, 1, integer=True) for name in "cvw")
    to.clauses.append(Clauses(c, np.array([0, 2]), np.concatenate([v, w])))
    assert rows_of(to.model("m", feasibility())) == ["v + w - c >= 0"]


@pytest.mark.parametrize(
    ("lower", "upper", "active", "expected"),
    [
        (0.0, np.inf, True, ["x - 2.0000001 b >= -2.0000001"]),
        (-np.inf, 1.0, True, ["- x - 2.0000000999999994 b >= -3.0000001"]),
        (0.0, 0.0, False, ["x + 2.0000001 b >= 0", "- x + 3.0000001 b >= 0"]),
    ],
)
def test_row_with_an_indicator(lower: float, upper: float, active: bool, expected: list[str]) -> None:
    to = Assembler()
    x, b = variable(to, "x", -2, 3), variable(to, "b", 0, 1, integer=True)
    to.rows(x[None], 1.0, lower, upper, "conditional", indicator=b, active=active)
    assert rows_of(to.model("m", feasibility())) == expected


def test_tiny_terms_of_an_equation_become_one_variable() -> None:
    to = Assembler()
    x, y, v = variable(to, "x", -2, 3), variable(to, "y", 0, 1), variable(to, "v", 0, 1)
    to.rows(np.concatenate([x, y, v])[None], np.array([1e-12, 1.0, -1e-10]), 1.0, 1.0, "tiny")
    to.rows(y[None], 1.0, 0.0, 0.0, "as it is")
    linear = linearize(to.model("m", feasibility()))
    assert rows_of(to.model("m", feasibility())) == ["y + o_1 = 1", "y = 0"]
    lower, upper = linear.variables.lower[-1], linear.variables.upper[-1]
    assert -1.1e-10 < lower <= -2e-12 - 1e-10
    assert 3e-12 <= upper < 3.1e-12


def test_tiny_terms_of_an_inequality_move_its_bound() -> None:
    to = Assembler()
    x, y = variable(to, "x", -2, 3), variable(to, "y", 0, 1)
    to.rows(np.concatenate([x, y])[None], np.array([1e-12, 1.0]), 1.0, np.inf, "tiny")
    rows = linearize(to.model("m", feasibility())).rows
    assert rows.columns.tolist() == y.tolist()
    assert 1 - 4e-12 < rows.lower[0] <= 1 - 3e-12
    assert rows.upper[0] == np.inf


def test_huge_coefficients_are_refused() -> None:
    to = Assembler()
    x = variable(to, "x", 0, 1)
    to.rows(x[None], 1e16, 0.0, 1.0, "huge")
    with pytest.raises(Rejected, match="E1002"):
        linearize(to.model("m", feasibility()))


def test_unbounded_conditions_are_refused() -> None:
    to = Assembler()
    x, b = variable(to, "x", -np.inf, np.inf), variable(to, "b", 0, 1, integer=True)
    to.rows(x[None], 1.0, 0.0, np.inf, "conditional", indicator=b)
    model = to.model("m", feasibility())
    with pytest.raises(Rejected, match="E1001"):
        linearize(model)
    to.rows(x[None], 1e-12, 0.0, np.inf, "tiny")
    unconditional = dataclasses.replace(to.row_blocks[1])
    with pytest.raises(Rejected, match="E1001"):
        linearize(dataclasses.replace(model, rows=unconditional))
