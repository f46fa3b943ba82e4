"""HiGHS, through highspy."""

from importlib import util
from pathlib import Path

from ensc.compiler.types.solution import Status
from ensc.runner.solvers.milp_process import Milp
from ensc.runner.solvers.process import package_version

_WORDS = {
    "kOptimal": (Status.OPTIMAL, "optimal"),
    "kInfeasible": (Status.INFEASIBLE, "infeasible"),
    "kUnbounded": (Status.UNBOUNDED, "unbounded"),
    "kTimeLimit": (Status.UNKNOWN, "stopped at the time limit"),
    "kUnboundedOrInfeasible": (Status.UNKNOWN, "unbounded or infeasible, it does not say which"),
}


def version() -> str | None:
    """Return the name and version of the HiGHS that would run, None without one."""
    return None if util.find_spec("highspy") is None else f"HiGHS {package_version('highspy')}"


HIGHS = Milp("HiGHS", "highspy", "highs", Path(__file__).with_name("highs_worker.py"), version, _WORDS)
