"""SCIP, through PySCIPOpt."""

from importlib import util
from pathlib import Path

from ensc.compiler.types.solution import Status
from ensc.runner.solvers.milp_process import Milp
from ensc.runner.solvers.process import package_version

_WORDS = {
    "optimal": (Status.OPTIMAL, "optimal"),
    "infeasible": (Status.INFEASIBLE, "infeasible"),
    "unbounded": (Status.UNBOUNDED, "unbounded"),
    "timelimit": (Status.UNKNOWN, "stopped at the time limit"),
    "inforunbd": (Status.UNKNOWN, "unbounded or infeasible, it does not say which"),
}


def version() -> str | None:
    """Return the version of the SCIP library that would run, None without one."""
    if util.find_spec("pyscipopt") is None:
        return None
    return f"SCIP (PySCIPOpt {package_version('pyscipopt')})"


SCIP = Milp(
    "SCIP",
    "pyscipopt",
    "scip",
    Path(__file__).with_name("scip_worker.py"),
    version,
    _WORDS,
    ("big-m", "indicator", "sos"),
)
