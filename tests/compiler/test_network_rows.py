"""Every layer kind becomes rows that hold for exactly the values the network takes."""

import dataclasses
from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import make_problem
from z3_oracle import constrained, solve_model

from ensc.compiler.passes.bounds.input_sets import input_sets
from ensc.compiler.passes.bounds.interval import interval_bounds
from ensc.compiler.passes.bounds.relaxed_bounds import relaxed_bounds
from ensc.compiler.passes.linear.linearize import linearize
from ensc.compiler.passes.lowering.assemble import Assembler
from ensc.compiler.passes.lowering.network_rows import ZERO, Copies, add_network
from ensc.compiler.passes.networks.evaluate import evaluate_all_exact
from ensc.compiler.passes.scopes.plan import Plan, full_plan, pruned_plan
from ensc.compiler.types.bounds import Bounds, Interval
from ensc.compiler.types.model import Labels, Model, Objective, feasibility
from ensc.compiler.types.network import (
    Affine,
    Convolution,
    Floats,
    Gather,
    MaxPool,
    Network,
    Relu,
    Scale,
    Sum,
)
from ensc.compiler.types.problem import Norm


def every_layer(rng: np.random.Generator) -> Network:
    """Return a network with every layer kind, values used twice, and windows that overlap."""

    def grid(*shape: int) -> Floats:
        return rng.integers(-4, 5, shape) / 4.0

    divisor = np.array([3.0, -7.0, 5.0, 1.0, 3.0, 9.0])
    windows = np.array([[0, 1, -1], [1, 2, 3], [0, 3, -1], [4, -1, -1]])
    layers = (
        Convolution(0, grid(2, 2), grid(2), np.array([[[0, 1], [1, 2], [2, -1]]])),
        Relu(1, 6),
        Scale(2, grid(6), grid(6), divisor),
        Sum((2, 3, 3), (1, -1, -1), 6),
        Gather((4, 2), grid(1), np.array([0, 5, 12, 7, 7])),
        MaxPool(5, windows),
        Sum((6, 6), (1, 1), 4),
        Affine(7, grid(3, 4), grid(3)),
    )
    return Network("all", (3,), layers, 8)


def lowered(network: Network, centre: list[int], radius: Fraction, *, prune: bool) -> tuple[Model, Plan]:
    """Return the model of one copy over a cube, and its plan; the logits are the last variables."""
    problem = make_problem([network], [centre], [0], norm=Norm.LINF, radius=radius)
    sets = input_sets(problem)
    bounds = (relaxed_bounds if prune else interval_bounds)(network, sets)
    wanted = np.ones((1, network.classes), dtype=np.bool_)
    plan = pruned_plan(network, bounds, wanted) if prune else full_plan(network, bounds)
    to = Assembler()
    x = to.variables(Labels("x", (np.arange(1, 4),)), sets.lower[0], sets.upper[0])
    add_network(to, network, Copies((np.array([[1]]),), (), plan, "net"), x[None, None])
    return to.model("net", feasibility()), plan


def assignment(network: Network, x: list[Fraction], names: list[str]) -> Mapping[str, Fraction]:
    values = evaluate_all_exact(network, x)

    def value(name: str) -> Fraction:
        kind, *indices = name.split("_")
        if kind == "x":
            return x[int(indices[0]) - 1]
        return Fraction(0) if kind == "zero" else values[int(indices[1])][int(indices[2]) - 1]

    return {name: value(name) for name in names}


@pytest.mark.parametrize("prune", [False, True])
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(3)]))
def test_the_values_of_the_network_satisfy_the_rows(prune: bool, seed: int, radius: Fraction) -> None:
    rng = np.random.default_rng(seed)
    network = every_layer(rng)
    centre = rng.integers(-2, 3, 3).tolist()
    model, _ = lowered(network, centre, radius, prune=prune)
    names = model.variables.names()
    assert len(set(names)) == len(names)
    x = [Fraction(c) + radius * Fraction(int(rng.integers(-2, 3)), 2) for c in centre]
    values = assignment(network, x, names)
    column = [values[name] for name in names]
    rows = model.rows
    for r in range(len(rows)):
        part = slice(int(rows.starts[r]), int(rows.starts[r + 1]))
        assert len(set(rows.columns[part].tolist())) == part.stop - part.start
        terms = zip(rows.columns[part], rows.coefficients[part].tolist(), strict=True)
        assert sum(Fraction(c) * column[v] for v, c in terms) == Fraction(float(rows.lower[r]))
    for y, a in zip(model.rectifiers.output, model.rectifiers.input, strict=True):
        assert column[y] == max(Fraction(0), column[a])
    for k, y in enumerate(model.maxima.output):
        candidates = model.maxima.candidates[model.maxima.starts[k] : model.maxima.starts[k + 1]]
        assert column[y] == max(column[a] for a in candidates)


@pytest.mark.parametrize("prune", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_at_a_point_the_linear_model_has_the_networks_logits(prune: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = every_layer(rng)
    centre = rng.integers(-2, 3, 3).tolist()
    model, plan = lowered(network, centre, Fraction(0), prune=prune)
    names = model.variables.names()
    logits = evaluate_all_exact(network, [Fraction(c) for c in centre])[-1]
    assert plan.needed[-1].all()
    for sense in ("minimize", "maximize"):
        for m, expected in enumerate(logits):
            column = np.array([names.index(f"a_1_8_{m + 1}")])
            whole = linearize(dataclasses.replace(model, objective=Objective(sense, column, np.ones(1))))
            found = solve_model(whole)[1]
            assert found is not None
            assert abs(found - expected) <= Fraction(1, 10**9)


def test_a_stable_network_has_no_choices() -> None:
    layers = (
        Affine(0, np.eye(3), np.array([9.0, -9.0, 9.0])),
        Relu(1, 3),
        Affine(2, np.ones((2, 3)), np.zeros(2)),
    )
    network = Network("stable", (3,), layers, 3)
    model, plan = lowered(network, [0, 0, 0], Fraction(1), prune=True)
    assert not len(model.rectifiers.output)
    assert plan.needed[1].tolist() == [[True, False, True]]
    assert model.variables.names() == ["x_1", "x_2", "x_3", "a_1_1_1", "a_1_1_3", "a_1_3_1", "a_1_3_2"]
    assert ZERO not in model.rows.columns


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_holds_at_some_inputs_only_is_said_and_no_value_is_another(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = every_layer(rng)
    problem = make_problem([network], [[0, 0, 0]], [0], norm=Norm.LINF, radius=3)
    sets = input_sets(problem)
    certain = relaxed_bounds(network, sets)
    inputs = [[Fraction(int(v), 2) for v in rng.integers(-6, 7, 3)] for _ in range(5)]
    bounds = _signs_as_at(evaluate_all_exact(network, inputs[0]), certain, rng)
    plan = pruned_plan(network, bounds, np.ones((1, network.classes), dtype=np.bool_), certain)
    to = Assembler()
    x = to.variables(Labels("x", (np.arange(1, 4),)), sets.lower[0], sets.upper[0])
    values = add_network(to, network, Copies((np.array([[1]]),), (), plan, "net"), x[None, None])
    model = to.model("net", feasibility())
    solver, v = constrained(model)
    for point in inputs:
        exact = evaluate_all_exact(network, point)
        same = [v[k] == _rational(e) for k, e in zip(values[-1][0, 0].tolist(), exact[-1], strict=True)]
        solver.push()
        solver.add(*(v[k] == _rational(e) for k, e in zip(x.ravel().tolist(), point, strict=True)))
        assert solver.check(z3.Not(z3.And(*same))) == z3.unsat
        assert solver.check() == z3.sat or not _are_within(exact, bounds)
        solver.pop()


def _rational(number: Fraction) -> z3.RatNumRef:
    return z3.Q(number.numerator, number.denominator)


def _signs_as_at(
    values: tuple[tuple[Fraction, ...], ...], certain: Bounds, rng: np.random.Generator
) -> Bounds:
    """Return bounds in which many values have the sign that they have at one input."""
    found = []
    for value, interval in zip(values, certain.values, strict=True):
        told = rng.random(len(value)) < 0.7
        positive = np.array([v >= 0 for v in value])
        lower = np.where(told & positive, np.maximum(interval.lower, 0.0), interval.lower)
        upper = np.where(told & ~positive, np.minimum(interval.upper, 0.0), interval.upper)
        found.append(Interval(lower, upper))
    return Bounds((certain.values[0], *found[1:]))


def _are_within(values: tuple[tuple[Fraction, ...], ...], bounds: Bounds) -> bool:
    return all(
        Fraction(low) <= v <= Fraction(up)
        for value, interval in zip(values, bounds.values, strict=True)
        for v, low, up in zip(value, interval.lower[0].tolist(), interval.upper[0].tolist(), strict=True)
    )
