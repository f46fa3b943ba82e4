"""What other programs read in a file, through their own interfaces, as Python values that compare.

Each reader runs in a process of its own: their libraries do not all fit into one, and a crash of theirs must
not be a crash of the tests.
"""

import importlib
import math
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from linear_models import INF, Column, Plain, Row


def read_with(reader: str, paths: Sequence[Path]) -> list[Plain | str]:
    """Return what a reader finds in each file, or what it says if it refuses one.

    Args:
        reader: `highs`, `cbc`, `scip`, `glpk` or `ortools`.
        paths: the files.
    """
    command = [sys.executable, __file__, reader, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace")[-2000:])
    found: list[Plain | str] = pickle.loads(done.stdout)  # noqa: S301 - its own output
    return found


def _main(reader: str, paths: Sequence[str]) -> None:
    # The libraries print to standard output whatever they are told.
    answer = os.dup(1)
    os.dup2(2, 1)
    found: list[Plain | str] = []
    for path in paths:
        try:
            found.append(READERS[reader](Path(path)))
        except Exception as error:  # noqa: BLE001 - whatever a library raises is its refusal
            found.append(f"{type(error).__name__}: {error}")
    with os.fdopen(answer, "wb") as stream:
        pickle.dump(found, stream)


def expected(plain: Plain, suffix: str) -> Plain:
    """Return what a file says about a model: minimisation, one-sided rows, no constant, safe bounds."""
    sign = -1.0 if plain.sense == "maximize" else 1.0
    columns = {name: _safe(column) for name, column in plain.columns.items()}
    costs = {name: sign * value for name, value in plain.costs.items() if value}
    if plain.constant or not columns:
        columns["one"] = Column(1.0, 1.0)
        costs |= {"one": sign * plain.constant} if plain.constant else {}
    names = [row.name or f"r{i}" for i, row in enumerate(plain.rows, start=1)]
    rows = [part for row, name in zip(plain.rows, names, strict=True) for part in _one_sided(row, name)]
    if suffix == ".lp" and not rows:
        rows = [Row({}, -INF, 0.0, name="r0")]
    return Plain(columns, rows, costs, sets=plain.sets)


def _safe(column: Column) -> Column:
    if not column.integer:
        return Column(*_outward(column.lower, column.upper))
    lower = column.lower if column.lower == -INF else float(math.ceil(column.lower))
    upper = column.upper if column.upper == INF else float(math.floor(column.upper))
    return Column(lower, upper, integer=True)


def _outward(lower: float, upper: float) -> tuple[float, float]:
    """Return bounds that no reader takes for 0, unless they are."""

    def lowered(bound: float) -> float:
        return bound if bound == 0 or abs(bound) > 1e-9 else (0.0 if bound > 0 else -2e-9)

    return lowered(lower), -lowered(-upper)


def _one_sided(row: Row, name: str) -> list[Row]:
    def part(lower: float, upper: float, name: str) -> Row:
        return Row(row.terms, lower, upper, row.indicator, row.active, name)

    lower, upper = _outward(row.lower, row.upper)
    if lower == upper:
        return [part(lower, upper, name)]
    below = [part(lower, INF, name)] if lower > -INF else []
    above = [part(-INF, upper, f"{name}_u" if below else name)] if upper < INF else []
    return below + above


def comparable(plain: Plain) -> tuple[object, ...]:
    """Return a model without the order of its columns and rows, and without zeros."""
    return (
        dict(plain.columns),
        {row.name: (dict(row.terms), row.lower, row.upper, row.indicator, row.active) for row in plain.rows},
        {name: value for name, value in plain.costs.items() if value},
        plain.sense,
        plain.constant,
        [sorted(members) for members in plain.sets],
    )


def _library(name: str) -> Any:
    return importlib.import_module(name)


def _cut(value: float, infinite: float) -> float:
    """Return a bound, infinite from `infinite` on."""
    return value if abs(value) < infinite else (INF if value > 0 else -INF)


def _read_with_highs(path: Path) -> Plain:
    """Read a file with HiGHS."""
    highspy = _library("highspy")

    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    if highs.readModel(str(path)) != highspy.HighsStatus.kOk:
        raise ValueError("HiGHS refuses the file")
    lp = highs.getLp()
    names, rows = list(lp.col_names_), list(lp.row_names_)
    continuous = highspy.HighsVarType.kContinuous
    integrality = list(lp.integrality_) or [continuous] * len(names)
    matrix = lp.a_matrix_
    terms: list[dict[str, float]] = [{} for _ in rows]
    by_columns = matrix.format_ == highspy.MatrixFormat.kColwise
    starts, index, value = list(matrix.start_), list(matrix.index_), list(matrix.value_)
    for i in range(len(starts) - 1):
        for k in range(starts[i], starts[i + 1]):
            row, column = (index[k], i) if by_columns else (i, index[k])
            terms[row][names[column]] = value[k]
    return Plain(
        {
            name: Column(lp.col_lower_[i], lp.col_upper_[i], integrality[i] != continuous)
            for i, name in enumerate(names)
        },
        [Row(terms[i], lp.row_lower_[i], lp.row_upper_[i], name=name) for i, name in enumerate(rows)],
        dict(zip(names, lp.col_cost_, strict=True)),
        "minimize" if lp.sense_ == highspy.ObjSense.kMinimize else "maximize",
        lp.offset_,
    )


def _read_with_cbc(path: Path) -> Plain:
    """Read a file with CBC, through python-mip."""
    mip = _library("mip")

    model = mip.Model(solver_name=mip.CBC)
    model.verbose = 0
    model.read(str(path))
    rows = []
    for row in model.constrs:
        sum_ = row.expr
        lower = {"<": -INF, ">": row.rhs, "=": row.rhs}[sum_.sense]
        upper = {"<": row.rhs, ">": INF, "=": row.rhs}[sum_.sense]
        rows.append(Row({v.name: float(c) for v, c in sum_.expr.items()}, lower, upper, name=row.name))
    return Plain(
        {
            v.name: Column(_cut(v.lb, 1e30), _cut(v.ub, 1e30), v.var_type != mip.CONTINUOUS)
            for v in model.vars
        },
        rows,
        {v.name: float(v.obj) for v in model.vars},
        "minimize" if model.sense == mip.MINIMIZE else "maximize",
    )


def _read_with_scip(path: Path) -> Plain:
    """Read a file with SCIP; of indicator rows only the binary, of ordered sets only how many there are."""
    pyscipopt = _library("pyscipopt")
    model = pyscipopt.Model()
    model.hideOutput()
    model.readProblem(str(path))
    rows, sets = [], []
    for row in model.getConss():
        kind = row.getConshdlrName()
        if kind == "linear":
            lower, upper = _cut(model.getLhs(row), 1e20), _cut(model.getRhs(row), 1e20)
            rows.append(Row(dict(model.getValsLinear(row)), lower, upper, name=row.name))
        if kind == "SOS1":
            sets.append([row.name])
        if kind == "indicator":
            rows.append(Row({}, indicator="?", name=row.name))
    columns = {
        v.name: Column(
            _cut(v.getLbOriginal(), 1e20), _cut(v.getUbOriginal(), 1e20), v.vtype() != "CONTINUOUS"
        )
        for v in model.getVars()
    }
    costs = {v.name: v.getObj() for v in model.getVars()}
    return Plain(columns, rows, costs, model.getObjectiveSense(), model.getObjoffset(), sets=sets)


def _read_with_glpk(path: Path) -> Plain:
    """Read a file with GLPK."""
    glpk = _library("swiglpk")

    glpk.glp_term_out(glpk.GLP_OFF)
    problem = glpk.glp_create_prob()
    read: Callable[..., int] = glpk.glp_read_lp if path.suffix == ".lp" else _read_free_mps
    if read(problem, None, str(path)) != 0:
        raise ValueError("GLPK refuses the file")

    def bounds(kind: int, lower: float, upper: float) -> tuple[float, float]:
        below = kind in {glpk.GLP_LO, glpk.GLP_DB, glpk.GLP_FX}
        above = kind in {glpk.GLP_UP, glpk.GLP_DB}
        upper = lower if kind == glpk.GLP_FX else upper
        return lower if below else -INF, upper if above or kind == glpk.GLP_FX else INF

    count, height = glpk.glp_get_num_cols(problem), glpk.glp_get_num_rows(problem)
    names = [glpk.glp_get_col_name(problem, j) for j in range(1, count + 1)]
    index, value = glpk.intArray(count + 1), glpk.doubleArray(count + 1)
    rows = []
    for i in range(1, height + 1):
        size = glpk.glp_get_mat_row(problem, i, index, value)
        low, high = glpk.glp_get_row_lb(problem, i), glpk.glp_get_row_ub(problem, i)
        rows.append(
            Row(
                {names[index[k] - 1]: value[k] for k in range(1, size + 1)},
                *bounds(glpk.glp_get_row_type(problem, i), low, high),
                name=glpk.glp_get_row_name(problem, i),
            )
        )
    columns = {}
    for j, name in enumerate(names, start=1):
        low, high = glpk.glp_get_col_lb(problem, j), glpk.glp_get_col_ub(problem, j)
        interval = bounds(glpk.glp_get_col_type(problem, j), low, high)
        columns[name] = Column(*interval, glpk.glp_get_col_kind(problem, j) != glpk.GLP_CV)
    costs = {name: glpk.glp_get_obj_coef(problem, j) for j, name in enumerate(names, start=1)}
    minimize = glpk.glp_get_obj_dir(problem) == glpk.GLP_MIN
    constant = glpk.glp_get_obj_coef(problem, 0)
    # GLPK keeps the objective of an MPS file among the rows.
    objective = glpk.glp_get_obj_name(problem)
    rows = [row for row in rows if row.name != objective]
    glpk.glp_delete_prob(problem)
    return Plain(columns, rows, costs, "minimize" if minimize else "maximize", constant)


def _read_free_mps(problem: Any, parameters: None, path: str) -> int:
    glpk = _library("swiglpk")

    result: int = glpk.glp_read_mps(problem, glpk.GLP_MPS_FILE, parameters, path)
    return result


def _read_with_ortools(path: Path) -> Plain:
    """Read a file with the ModelBuilder of OR-tools."""
    model_builder = _library("ortools.linear_solver.python.model_builder")

    model = model_builder.Model()
    if not model.import_from_mps_file(str(path)):
        raise ValueError("OR-tools refuses the file")
    variables = [model.var_from_index(i) for i in range(model.num_variables)]
    names = [v.name for v in variables]
    helper, rows = model.helper, []
    for i in range(model.num_constraints):
        row = model.linear_constraint_from_index(i)
        members, values = helper.constraint_var_indices(i), helper.constraint_coefficients(i)
        terms = {names[j]: value for j, value in zip(members, values, strict=True)}
        rows.append(Row(terms, row.lower_bound, row.upper_bound, name=row.name))
    return Plain(
        {v.name: Column(v.lower_bound, v.upper_bound, v.is_integral) for v in variables},
        rows,
        {v.name: v.objective_coefficient for v in variables},
        "maximize" if helper.maximize() else "minimize",
        model.objective_offset,
    )


READERS: dict[str, Callable[[Path], Plain]] = {
    "highs": _read_with_highs,
    "cbc": _read_with_cbc,
    "scip": _read_with_scip,
    "glpk": _read_with_glpk,
    "ortools": _read_with_ortools,
}

if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2:])
