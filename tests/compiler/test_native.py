"""Each piecewise-linear constraint becomes these indicator rows, or these ordered sets."""

import numpy as np
import pytest

from ensc.compiler.passes.linear.linearize import Formulation, linearize
from ensc.compiler.passes.lowering.assemble import Assembler
from ensc.compiler.passes.show import model_text
from ensc.compiler.types.model import Labels, Maxima, Model, Rectifiers, feasibility


def rectifier() -> Model:
    to = Assembler()
    y, a = (to.variables(Labels(name, ()), -2.0 * (name == "a"), 3.0).ravel() for name in "ya")
    to.rectifiers.append(Rectifiers(y, a, (Labels("z", (np.array([1]),)),)))
    return to.model("m", feasibility())


def maximum() -> Model:
    to = Assembler()
    y, a, b = (to.variables(Labels(name, ()), 0.0, 2.0).ravel() for name in "yab")
    labels = (Labels("z", (np.array([1, 2]),)),)
    to.maxima.append(Maxima(y, np.array([0, 2]), np.concatenate([a, b]), labels))
    return to.model("m", feasibility())


def conditional(*, active: bool) -> Model:
    to = Assembler()
    x = to.variables(Labels("x", ()), -2.0, 3.0).ravel()
    c = to.variables(Labels("c", ()), 0.0, 1.0, integer=True)
    to.rows(x, 1.0, 0.0, np.inf, "conditional", indicator=c, active=active)
    return to.model("m", feasibility())


def rows_of(model: Model, formulation: Formulation) -> list[str]:
    text = model_text(linearize(model, formulation))
    return [line.strip() for line in text.split("rows\n")[1].splitlines()]


def sets_of(model: Model) -> list[list[str]]:
    linear = linearize(model, "sos")
    names, sets = linear.variables.names(), linear.ordered_sets
    return [
        [names[v] for v in sets.members[first:last]]
        for first, last in zip(sets.starts[:-1], sets.starts[1:], strict=True)
    ]


def test_indicator_rows() -> None:
    assert rows_of(rectifier(), "indicator") == [
        "y - a >= 0",
        "z_1 = 1 implies y - a <= 0",
        "z_1 = 0 implies y <= 0",
    ]
    assert rows_of(maximum(), "indicator") == [
        "y - a >= 0",
        "y - b >= 0",
        "z_1 = 1 implies y - a <= 0",
        "z_2 = 1 implies y - b <= 0",
        "z_1 + z_2 = 1",
    ]
    assert rows_of(conditional(active=True), "indicator") == ["c = 1 implies x >= 0"]


def test_ordered_sets() -> None:
    assert rows_of(rectifier(), "sos") == ["y - a - u_1 = 0"]
    assert sets_of(rectifier()) == [["y", "u_1"]]
    assert rows_of(maximum(), "sos") == ["y - a - u_1 = 0", "y - b - u_2 = 0", "z_1 + z_2 = 1"]
    assert sets_of(maximum()) == [["z_1", "u_1"], ["z_2", "u_2"]]


@pytest.mark.parametrize("active", [True, False])
def test_conditions_by_ordered_sets(active: bool) -> None:
    model = conditional(active=active)
    opposite = [] if active else ["n_1 + c = 1"]
    assert rows_of(model, "sos") == ["x + k_1 >= 0", *opposite]
    assert sets_of(model) == [["c" if active else "n_1", "k_1"]]
