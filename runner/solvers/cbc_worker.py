"""What the worker process does with CBC, through python-mip."""

import math
import time
from typing import Any

import mip
import mip.cbc  # a model would import it: loading CBC itself takes the most time

INFINITE = 1e19
"""CBC's own infinity is 1e20 and beyond; no number this large is an answer."""


def read(request: dict[str, Any]) -> tuple[Any, dict[str, int]]:
    """Read the model file; return the model and what it holds."""
    model = mip.Model(solver_name=mip.CBC)
    model.verbose = int(request["verbose"])
    model.threads = request["threads"]
    model.seed = request["seed"]
    model.max_mip_gap = model.max_mip_gap_abs = 0.0
    model.read(request["model"])
    if not any(v.obj for v in model.vars):
        # Any feasible point will do: more of the feasibility pump and the proximity search look for one. Cuts
        # and preprocessing stay as they are: other cut levels change no more than equal runs differ.
        model.emphasis = mip.SearchEmphasis.FEASIBILITY
    size = {"rows": model.num_rows, "columns": model.num_cols}
    return model, size | {"nonzeros": model.num_nz, "integers": model.num_int}


def solve(model: Any, seconds: float | None) -> dict[str, Any]:  # noqa: ANN401 - mip has no types
    """Solve the model; return the answer."""
    start = time.monotonic()
    status = model.optimize(**({} if seconds is None else {"max_seconds": seconds})).name
    if status == "INFEASIBLE" and _may_be_unbounded(model):
        status = _infeasible_or_unbounded(model, start, seconds)
    late = seconds is not None and time.monotonic() - start >= seconds
    answer: dict[str, Any] = {
        "status": status,
        "late": late,
        "tolerance": max(model.integer_tol, model.infeas_tol),
        "values": {},
        "objective": None,
        "bound": None,
    }
    if status in {"OPTIMAL", "FEASIBLE"}:
        answer["values"] = {v.name: v.x for v in model.vars if v.x}
        answer["objective"] = model.objective_value
        answer["bound"] = _bound(model)
        answer["fractional"] = _fractional(model)
        if not _is_finite(answer):
            answer |= {"status": "UNBOUNDED", "values": {}, "objective": None, "bound": None}
    return answer


def _may_be_unbounded(model: Any) -> bool:  # noqa: ANN401 - mip has no types
    """CBC reports a model with an unbounded relaxation as infeasible."""
    sign = -1.0 if model.sense == "MAX" else 1.0
    return any(
        (v.obj * sign > 0 and v.lb <= -INFINITE) or (v.obj * sign < 0 and v.ub >= INFINITE)
        for v in model.vars
    )


def _infeasible_or_unbounded(model: Any, start: float, seconds: float | None) -> str:  # noqa: ANN401 - as above
    """Without an objective nothing is unbounded: what is then feasible was so before."""
    model.objective = 0
    left = {} if seconds is None else {"max_seconds": max(0.1, seconds - (time.monotonic() - start))}
    status: str = model.optimize(**left).name
    return {"OPTIMAL": "UNBOUNDED", "FEASIBLE": "UNBOUNDED"}.get(status, status)


def _bound(model: Any) -> float | None:  # noqa: ANN401 - mip has no types
    """Return the proven bound; before the first relaxation is solved CBC returns any number."""
    sign = -1.0 if model.sense == "MAX" else 1.0
    objective, bound = model.objective_value, model.objective_bound
    if bound is None or not abs(bound) < INFINITE:
        return None
    slack = model.infeas_tol * (1.0 + abs(objective))
    return float(bound) if sign * (bound - objective) <= slack else None


def _fractional(model: Any) -> float:  # noqa: ANN401 - mip has no types
    """Return how far the integer variables are from integers, at most."""
    whole = (v.x for v in model.vars if v.var_type != "C")
    return max((abs(x - round(x)) for x in whole), default=0.0)


def _is_finite(answer: dict[str, Any]) -> bool:
    numbers = [answer["objective"], *answer["values"].values()]
    return all(math.isfinite(v) and abs(v) < INFINITE for v in numbers)
