"""CBC, through python-mip."""

from importlib import util
from pathlib import Path

from ensc.compiler.types.solution import Status
from ensc.runner.solvers.milp_process import Milp
from ensc.runner.solvers.process import package_version

_WORDS = {
    "OPTIMAL": (Status.OPTIMAL, "optimal"),
    "FEASIBLE": (Status.FEASIBLE, "stopped at the limit with a feasible point"),
    "INFEASIBLE": (Status.INFEASIBLE, "infeasible"),
    "INT_INFEASIBLE": (Status.INFEASIBLE, "infeasible for integers"),
    "UNBOUNDED": (Status.UNBOUNDED, "unbounded"),
    "NO_SOLUTION_FOUND": (Status.UNKNOWN, "stopped at the limit without a feasible point"),
}


def version() -> str | None:
    """Return the name and version of the CBC that would run, None without one."""
    if util.find_spec("mip") is None:
        return None
    return f"CBC {package_version('cbcbox')} (python-mip {package_version('mip')})"


CBC = Milp("CBC", "mip", "solve", Path(__file__).with_name("cbc_worker.py"), version, _WORDS)
