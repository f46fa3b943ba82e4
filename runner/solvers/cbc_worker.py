"""The process that CBC runs in: a JSON request as argument, a JSON answer in a file.

A program of its own, because CBC can crash, hang in preprocessing or ignore its time limit, and none of
that may take the caller along. It imports nothing of ensc, so that it starts quickly.
"""

import json
import math
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

INFINITE = 1e19
"""CBC's own infinity is 1e20 and beyond; no number this large is an answer."""


def main(request: dict[str, Any]) -> None:
    """Answer one request."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    Path(request["answer"]).write_text(json.dumps(_answer(request)), encoding="utf-8")


def _die_with_parent() -> None:
    """Standard input is a pipe that nobody writes to: it ends when the parent does, however it ends."""
    os.read(0, 1)  # not sys.stdin: its lock would be held by this thread when the interpreter ends
    os._exit(1)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        import mip  # noqa: PLC0415 - a missing or broken library is an answer too
    except Exception as error:  # noqa: BLE001 - the library loads machine code; whatever goes wrong is told
        return {"error": f"{type(error).__name__}: {error}"}
    model = mip.Model(solver_name=mip.CBC)
    model.verbose = int(request["verbose"])
    model.threads = request["threads"]
    model.seed = request["seed"]
    model.max_mip_gap = model.max_mip_gap_abs = 0.0
    model.read(request["model"])
    size = {"rows": model.num_rows, "columns": model.num_cols}
    size |= {"nonzeros": model.num_nz, "integers": model.num_int}
    expected = request["size"]
    if model.num_cols == 0 or (expected is not None and size != expected):
        return {"size": size}
    return {"size": size, **_solved(model, request["seconds"])}


def _solved(model: Any, seconds: float | None) -> dict[str, Any]:  # noqa: ANN401 - mip has no types
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


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
