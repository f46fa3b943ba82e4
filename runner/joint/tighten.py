"""The linear programs of `-O2`, solved: by HiGHS where highspy is installed, else by CBC through python-mip.

Both run in this process, warm-started from one objective to the next. What they say is not trusted: the
compiler proves what their multipliers prove, and nothing else.
"""

import time
from collections.abc import Iterator, Sequence
from importlib import util
from typing import Any

import numpy as np

from ensc.compiler.passes.bounds.rounding import totals
from ensc.compiler.passes.tightening.dual_bounds import LpSolver, Subproblem
from ensc.compiler.types.model import Floats, Indices, Model

TIGHTEN_SECONDS = 60.0
"""What tightening may take, unless said otherwise."""

NOTHING: Floats = np.empty(0)
"""Stands for the multipliers of a program that was not solved to its optimum."""

LARGE = 1e6
"""The largest multiplier of a certificate that a program has no solution: whatever its size, it is one."""


def find_lp_solver(seconds: float = TIGHTEN_SECONDS) -> LpSolver | None:
    """Return what solves linear programs within so many seconds altogether; None if nothing is installed.

    The seconds count from the first program on.
    """
    clock = _Clock(seconds)
    if util.find_spec("highspy") is not None:
        return lambda model, asked: list(_by_highs(model, asked, clock))
    if util.find_spec("mip") is not None:
        return lambda model, asked: list(_by_cbc(model, asked, clock))
    return None


class _Clock:
    """Starts when it is first looked at."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end: float | None = None

    def left(self) -> float:
        """Return how many seconds are left."""
        now = time.monotonic()
        if self._end is None:
            self._end = now + self._seconds
        return self._end - now


def _by_highs(model: Model, asked: Sequence[Subproblem], clock: _Clock) -> Iterator[Floats]:
    import highspy  # noqa: PLC0415 - an extra

    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("presolve", "off")  # a presolved model has no basis to start from
    highs.passModel(_highs_model(highspy, model))
    count = len(model.variables)
    every = np.arange(count, dtype=np.int32)
    for problem in asked:
        left = clock.left()
        if left <= 0:
            return
        highs.setOptionValue("time_limit", float(highs.getRunTime()) + left)
        objective = problem.objective
        highs.changeColsCost(count, every, totals(objective.columns, objective.coefficients, count))
        fixed = problem.columns.astype(np.int32)
        highs.changeColsBounds(len(fixed), fixed, problem.values, problem.values)
        highs.run()
        yield _highs_multipliers(highspy, highs)
        ends = model.variables.lower[fixed], model.variables.upper[fixed]
        highs.changeColsBounds(len(fixed), fixed, *ends)


def _highs_multipliers(highspy: Any, highs: Any) -> Floats:  # noqa: ANN401 - the library has no types
    """Return the row multipliers of an optimum, or large ones that show that there is no solution."""
    status = highs.getModelStatus()
    if status == highspy.HighsModelStatus.kOptimal:
        return np.array(highs.getSolution().row_dual, dtype=np.float64)
    if status == highspy.HighsModelStatus.kInfeasible:
        _, found, ray = highs.getDualRay()
        if found:
            certificate = np.array(ray, dtype=np.float64)
            return certificate * (LARGE / max(float(np.abs(certificate).max(initial=0.0)), 1e-300))
    return NOTHING


def _highs_model(highspy: Any, model: Model) -> Any:  # noqa: ANN401 - the library has no types
    rows, variables = model.rows, model.variables
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(variables), len(rows)
    lp.col_cost_ = np.zeros(len(variables))
    lp.col_lower_, lp.col_upper_ = variables.lower, variables.upper
    lp.row_lower_, lp.row_upper_ = rows.lower, rows.upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = rows.starts.astype(np.int32)
    lp.a_matrix_.index_ = rows.columns.astype(np.int32)
    lp.a_matrix_.value_ = rows.coefficients
    return lp


def _by_cbc(model: Model, asked: Sequence[Subproblem], clock: _Clock) -> Iterator[Floats]:
    import mip  # noqa: PLC0415 - an extra

    program = mip.Model(sense=mip.MINIMIZE, solver_name=mip.CBC)
    program.verbose = 0
    program.threads = 1
    variables = _cbc_variables(program, model)
    owners = _cbc_rows(mip, program, model, variables)
    for problem in asked:
        left = clock.left()
        if left <= 0:
            return
        objective = problem.objective
        pairs = zip(objective.coefficients.tolist(), objective.columns.tolist(), strict=True)
        program.objective = mip.xsum(c * variables[v] for c, v in pairs)
        _set_bounds(variables, problem.columns, problem.values, problem.values)
        optimal = program.optimize(max_seconds=left, relax=True) == mip.OptimizationStatus.OPTIMAL
        if optimal:
            duals = np.array([row.pi for row in program.constrs], dtype=np.float64)
            yield totals(owners, duals, len(model.rows))
        else:
            yield NOTHING
        lower, upper = model.variables.lower, model.variables.upper
        _set_bounds(variables, problem.columns, lower[problem.columns], upper[problem.columns])


def _set_bounds(variables: list[Any], columns: Indices, lower: Floats, upper: Floats) -> None:
    for v, low, high in zip(columns.tolist(), lower.tolist(), upper.tolist(), strict=True):
        variables[v].lb, variables[v].ub = low, high


def _cbc_variables(program: Any, model: Model) -> list[Any]:  # noqa: ANN401 - the library has no types
    ends = zip(model.variables.lower.tolist(), model.variables.upper.tolist(), strict=True)
    return [program.add_var(lb=lower, ub=upper) for lower, upper in ends]


def _cbc_rows(mip: Any, program: Any, model: Model, variables: list[Any]) -> Indices:  # noqa: ANN401 - as above
    """Add every row, once for each of its sides; return the row of the model that each one belongs to."""
    rows = model.rows
    owners: list[int] = []
    for r in range(len(rows)):
        part = slice(int(rows.starts[r]), int(rows.starts[r + 1]))
        terms = zip(rows.coefficients[part].tolist(), rows.columns[part].tolist(), strict=True)
        total = mip.xsum(c * variables[v] for c, v in terms)
        lower, upper = float(rows.lower[r]), float(rows.upper[r])
        sides = [total == lower] if lower == upper else []
        if lower != upper:
            sides += [total >= lower] if np.isfinite(lower) else []
            sides += [total <= upper] if np.isfinite(upper) else []
        for side in sides:
            program.add_constr(side)
            owners.append(r)
    return np.array(owners, dtype=np.int64)
