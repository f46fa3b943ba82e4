"""Model -> z3: an exact witness of what a model means, independent of every format and MILP solver."""

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import z3

from ensc.compiler.types.model import Model


def real(value: float) -> Any:
    exact = Fraction(float(value))
    return z3.RealVal(f"{exact.numerator}/{exact.denominator}")


def solve_model(model: Model) -> tuple[bool, Fraction | None]:
    """Return whether a model is feasible, and its optimal objective value if it has an objective."""
    solver, v = constrained(model, z3.Optimize())
    objective = None
    if len(model.objective.columns):
        total = z3.Sum(
            [
                real(c) * v[k]
                for k, c in zip(model.objective.columns, model.objective.coefficients, strict=True)
            ]
        )
        maximize = model.objective.sense == "maximize"
        objective = solver.maximize(total) if maximize else solver.minimize(total)
    answer = solver.check()
    assert answer != z3.unknown
    if answer == z3.unsat or objective is None:
        return answer == z3.sat, None
    return True, Fraction(str(objective.value()))


def constrained(model: Model, solver: Any = None) -> tuple[Any, list[Any]]:
    """Return a solver that knows a model, without its objective, and the model's variables.

    Args:
        model: what is to hold.
        solver: a z3 `Solver` or `Optimize` that is told so; a new `Solver` if there is none.
    """
    solver = z3.Solver() if solver is None else solver
    v = _variables(model, solver)
    solver.add(*_rows(model, v), *_piecewise(model, v))
    return solver, v


def found_values(model: Model, solver: Any, v: list[Any]) -> dict[str, Fraction]:
    """Return the values, by name, of the solution that a solver has found."""
    found = solver.model()
    named = zip(model.variables.names(), v, strict=True)
    return {name: Fraction(str(found.eval(x, model_completion=True))) for name, x in named}


def _variables(model: Model, solver: Any) -> list[Any]:
    variables = model.variables
    result = []
    for k, name in enumerate(variables.names()):
        v = z3.Real(name)
        if variables.integer[k]:
            assert (variables.lower[k], variables.upper[k]) == (0, 1)
            solver.add(z3.Or(v == 0, v == 1))
        if np.isfinite(variables.lower[k]):
            solver.add(v >= real(variables.lower[k]))
        if np.isfinite(variables.upper[k]):
            solver.add(v <= real(variables.upper[k]))
        result.append(v)
    return result


def _rows(model: Model, v: list[Any]) -> list[Any]:
    rows = model.rows
    constraints = []
    for r in range(len(rows)):
        part = slice(int(rows.starts[r]), int(rows.starts[r + 1]))
        terms = zip(rows.columns[part], rows.coefficients[part], strict=True)
        total = z3.Sum([real(c) * v[k] for k, c in terms]) if part.stop > part.start else z3.RealVal(0)
        sides = []
        if np.isfinite(rows.lower[r]):
            sides.append(total >= real(rows.lower[r]))
        if np.isfinite(rows.upper[r]):
            sides.append(total <= real(rows.upper[r]))
        text = z3.And(*sides)
        if rows.indicator[r] >= 0:
            text = z3.Implies(v[rows.indicator[r]] == int(rows.active[r]), text)
        constraints.append(text)
    return constraints


def _piecewise(model: Model, v: list[Any]) -> list[Any]:
    constraints = [
        v[y] == z3.If(v[a] >= 0, v[a], 0)
        for y, a in zip(model.rectifiers.output, model.rectifiers.input, strict=True)
    ]
    for k, y in enumerate(model.maxima.output):
        candidates = model.maxima.candidates[model.maxima.starts[k] : model.maxima.starts[k + 1]]
        constraints.append(
            z3.And(*(v[y] >= v[a] for a in candidates), z3.Or(*(v[y] == v[a] for a in candidates)))
        )
    products = model.products
    constraints += [
        v[q] == z3.If(v[s] == 1, v[p], 0)
        for q, p, s in zip(products.product, products.factor, products.switch, strict=True)
    ]
    for k, condition in enumerate(model.clauses.condition):
        literals = model.clauses.literals[model.clauses.starts[k] : model.clauses.starts[k + 1]]
        constraints.append(z3.Implies(v[condition] == 1, z3.Or(*(v[w] == 1 for w in literals))))
    sets = model.ordered_sets
    for k in range(len(sets.starts) - 1):
        members = sets.members[sets.starts[k] : sets.starts[k + 1]]
        constraints += [z3.Or(v[a] == 0, v[b] == 0) for a, b in itertools.combinations(members, 2)]
    return constraints
