"""What the worker process does with HiGHS, through highspy."""

import math
from typing import Any

import highspy

FEASIBLE = 2
"""HiGHS's word for a point within its tolerances."""


def read(request: dict[str, Any]) -> tuple[Any, dict[str, int]]:
    """Read the model file; return the model and what it holds, nothing if it cannot be read."""
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", bool(request["verbose"]))
    highs.setOptionValue("threads", request["threads"])
    highs.setOptionValue("random_seed", request["seed"])
    highs.setOptionValue("mip_rel_gap", 0.0)
    highs.setOptionValue("mip_abs_gap", 0.0)
    refused = highs.readModel(request["model"]) == highspy.HighsStatus.kError
    lp = highs.getLp()
    if refused or not lp.num_col_:
        return highs, {"rows": 0, "columns": 0, "nonzeros": 0, "integers": 0}
    return highs, {
        "rows": lp.num_row_,
        "columns": lp.num_col_,
        "nonzeros": highs.getNumNz(),
        "integers": len(_integers(lp)),
    }


def solve(highs: Any, seconds: float | None) -> dict[str, Any]:  # noqa: ANN401 - a handle to the library
    """Solve the model; return the answer."""
    if seconds is not None:
        highs.setOptionValue("time_limit", seconds)
    highs.run()
    status = highs.getModelStatus()
    if status == highspy.HighsModelStatus.kUnboundedOrInfeasible:
        status = _infeasible_or_unbounded(highs)
    answer: dict[str, Any] = {"status": status.name, "tolerance": _tolerance(highs)}
    answer |= {"values": {}, "objective": None, "bound": None}
    unbounded = status == highspy.HighsModelStatus.kUnbounded
    if highs.getInfo().primal_solution_status == FEASIBLE and not unbounded:
        answer |= _point(highs, status == highspy.HighsModelStatus.kOptimal)
    return answer


def _integers(lp: Any) -> list[int]:  # noqa: ANN401 - as above
    continuous = highspy.HighsVarType.kContinuous
    return [i for i, kind in enumerate(lp.integrality_) if kind != continuous]


def _tolerance(highs: Any) -> float:  # noqa: ANN401 - as above
    names = ("mip_feasibility_tolerance", "primal_feasibility_tolerance", "dual_feasibility_tolerance")
    return max(float(highs.getOptionValue(name)[1]) for name in names)


def _infeasible_or_unbounded(highs: Any) -> Any:  # noqa: ANN401 - as above
    """Without an objective nothing is unbounded: what is then feasible was so before."""
    for column in range(highs.getLp().num_col_):
        highs.changeColCost(column, 0.0)
    highs.run()
    status = highs.getModelStatus()
    feasible = status == highspy.HighsModelStatus.kOptimal
    return highspy.HighsModelStatus.kUnbounded if feasible else status


def _point(highs: Any, optimal: bool) -> dict[str, Any]:  # noqa: ANN401 - as above
    lp, info = highs.getLp(), highs.getInfo()
    values = list(highs.getSolution().col_value)
    integers = _integers(lp)
    objective = info.objective_function_value
    bound = info.mip_dual_bound if integers else objective if optimal else math.inf
    return {
        "values": {name: v for name, v in zip(lp.col_names_, values, strict=True) if v},
        "objective": objective,
        "bound": bound if math.isfinite(bound) else None,
        "fractional": max((abs(values[i] - round(values[i])) for i in integers), default=0.0),
        "feasible": True,
    }
