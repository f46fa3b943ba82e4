"""What the worker process does with SCIP, through PySCIPOpt."""

from typing import Any

import pyscipopt

INFINITE = 1e20
"""What SCIP takes for infinity."""


def read(request: dict[str, Any]) -> tuple[Any, dict[str, int]]:
    """Read the model file; return the model and what it holds, nothing if it cannot be read."""
    model = pyscipopt.Model()
    model.setParam("display/verblevel", 4 if request["verbose"] else 0)
    model.setParam("lp/threads", request["threads"])
    model.setParam("parallel/maxnthreads", request["threads"])
    model.setParam("randomization/randomseedshift", request["seed"])
    model.setParam("limits/gap", 0.0)
    model.setParam("limits/absgap", 0.0)
    try:
        model.readProblem(request["model"])
    except Exception as error:  # noqa: BLE001 - PySCIPOpt raises plain ones; SCIP itself has said why
        print(f"{type(error).__name__}: {error}", flush=True)  # noqa: T201 - a process's own log
        return model, {"rows": 0, "columns": 0, "nonzeros": 0, "integers": 0}
    rows = model.getConss()
    return model, {
        "rows": len(rows),
        "columns": model.getNVars(),
        "nonzeros": sum(len(model.getValsLinear(row)) for row in rows if row.getConshdlrName() == "linear"),
        "integers": model.getNBinVars() + model.getNIntVars(),
    }


def solve(model: Any, seconds: float | None) -> dict[str, Any]:  # noqa: ANN401 - PySCIPOpt's types are partial
    """Solve the model; return the answer."""
    if seconds is not None:
        model.setParam("limits/time", seconds)
    model.optimize()
    status = model.getStatus()
    if status == "inforunbd":
        status = _infeasible_or_unbounded(model)
    answer: dict[str, Any] = {"status": status, "tolerance": model.getParam("numerics/feastol")}
    answer |= {"values": {}, "objective": None, "bound": None}
    if model.getNSols() and status not in {"unbounded", "infeasible"}:
        answer |= _point(model)
    return answer


def _infeasible_or_unbounded(model: Any) -> str:  # noqa: ANN401 - as above
    """Without an objective nothing is unbounded: what is then feasible was so before."""
    model.freeTransform()
    model.setObjective(0.0)
    model.optimize()
    status: str = model.getStatus()
    return "unbounded" if status == "optimal" else status


def _point(model: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    best = model.getBestSol()
    kinds = {v.name: v.vtype() for v in model.getVars()}
    values = {v.name: float(model.getSolVal(best, v)) for v in model.getVars()}
    bound = float(model.getDualbound())
    whole = [values[name] for name, kind in kinds.items() if kind in {"BINARY", "INTEGER"}]
    return {
        "values": {name: v for name, v in values.items() if v},
        "objective": float(model.getSolObjVal(best)),
        "bound": bound if abs(bound) < INFINITE else None,
        "fractional": max((abs(v - round(v)) for v in whole), default=0.0),
        "feasible": True,
    }
