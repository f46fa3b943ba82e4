"""The attacker's set as rows: exactly the perturbations in ball and domain, lean or as printed."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import dense, make_problem
from z3_oracle import constrained, found_values

from ensc.compiler.passes.bounds.input_sets import input_sets
from ensc.compiler.passes.lowering.assemble import Assembler
from ensc.compiler.passes.lowering.attacked_inputs import Places, add_attacked_inputs
from ensc.compiler.passes.show import model_text
from ensc.compiler.types.model import Model, feasibility
from ensc.compiler.types.problem import EnsembleProblem, Norm


def attacked(problem: EnsembleProblem, *, lean: bool, places: Places | None = None) -> Model:
    to = Assembler()
    places = places or Places(np.array([0]), ())
    add_attacked_inputs(to, problem, input_sets(problem), places, lean=lean)
    return to.model("set", feasibility())


def about(
    numerators: list[list[int]], norm: Norm, radius: Fraction, domain: tuple[int | None, int | None]
) -> EnsembleProblem:
    width = len(numerators[0])
    network = dense((np.ones((2, width)), np.zeros(2)), inputs=width)
    points, labels = [[n / 5 for n in row] for row in numerators], [0] * len(numerators)
    return make_problem([network], points, labels, norm=norm, radius=radius, domain=domain, denominator=5)


def test_lean_set_becomes_this_model() -> None:
    problem = about([[0, 1, 5]], Norm.L1, Fraction(3, 2), (0, 1))
    assert model_text(attacked(problem, lean=True)) == (
        "find a feasible point\n"
        "variables\n"
        "  d_1 in [0, 1]\n"
        "  d_2 in [-0.20000000000000004, 0.8]\n"
        "  d_3 in [-1, 0]\n"
        "  x_2 in [0, 1]\n"
        "  x_3 in [0, 1]\n"
        "  s_2 in [0, 1.5]\n"
        "rows\n"
        "  5 x_2 - 5 d_2 = 1\n"
        "  5 x_3 - 5 d_3 = 5\n"
        "  s_2 - d_2 >= 0\n"
        "  s_2 + d_2 >= 0\n"
        "  2 d_1 + 2 s_2 - 2 d_3 <= 3\n"
    )


@pytest.mark.parametrize("lean", [False, True])
def test_every_attack_and_point_has_its_own_perturbation(lean: bool) -> None:
    problem = about([[0, 5], [2, 0]], Norm.L1, Fraction(1), (0, 1))
    places = Places(np.array([0, 1]), (np.array([[1], [2]]), np.array([[1, 2]])))
    names = attacked(problem, lean=lean, places=places).variables.names()
    assert {f"d_{i}_{j}_{k}" for i in (1, 2) for j in (1, 2) for k in (1, 2)} <= set(names)
    kept = {f"{v}_{i}_{j}_{k}" for v in "xs" for i in (1, 2) for j in (1, 2) for k in (1, 2)} & set(names)
    assert len(kept) == (6 if lean else 16)  # x of 1 and of 2/5, s of 2/5, for both attacks


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_rows_hold_for_exactly_the_perturbations_of_the_set(data: st.DataObject) -> None:
    coordinate = st.integers(0, 5)
    numerators = data.draw(st.lists(coordinate, min_size=1, max_size=3))
    norm = data.draw(st.sampled_from(list(Norm)))
    radius = Fraction(data.draw(st.integers(0, 12)), data.draw(st.sampled_from([3, 4, 5])))
    ends = [(0, 1)] if norm is Norm.L0 else [(0, 1), (0, None), (None, 1), (None, None)]  # L0 has no bounds
    low, high = data.draw(st.sampled_from(ends))
    problem = about([numerators], norm, radius, (low, high))
    steps = data.draw(st.lists(st.integers(-6, 6), min_size=len(numerators), max_size=len(numerators)))
    delta = [Fraction(step, 5) for step in steps]
    inside = all(
        (low is None or low <= Fraction(n, 5) + d) and (high is None or Fraction(n, 5) + d <= high)
        for n, d in zip(numerators, delta, strict=True)
    )
    sizes = {
        Norm.L1: sum(map(abs, delta)),
        Norm.LINF: max(map(abs, delta)),
        Norm.L0: Fraction(sum(d != 0 for d in delta)),
    }
    for lean in (False, True):
        model = attacked(problem, lean=lean)
        solver, variables = constrained(model)
        chosen = dict(zip(model.variables.names(), variables, strict=True))
        solver.add(*(chosen[f"d_{k}"] == str(d) for k, d in enumerate(delta, start=1)))
        found = str(solver.check()) == "sat"
        assert found == (inside and sizes[norm] <= radius)
        if found:
            values = found_values(model, solver, variables)
            for k, (n, d) in enumerate(zip(numerators, delta, strict=True), start=1):
                assert values.get(f"x_{k}", d) == Fraction(n, 5) + d
