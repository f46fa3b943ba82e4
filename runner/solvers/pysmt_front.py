"""Any solver that pySMT knows, `pysmt:NAME`: pySMT reads the script and holds the solver's hand."""

import warnings
from importlib import util

from ensc.runner.solvers.process import package_version
from ensc.runner.solvers.smt_process import Library, Solver

PREFIX = "pysmt:"
_PACKAGES = {"cvc5": "cvc5", "msat": "mathsat", "yices": "yices", "z3": "z3-solver"}

ADVICE = "pip install pysmt, and one of the solvers it knows"


def known() -> tuple[str, ...]:
    """Return the names of the solvers for linear real arithmetic that pySMT finds, in order."""
    if util.find_spec("pysmt") is None:
        return ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries that pySMT looks for
        from pysmt.environment import Environment  # noqa: PLC0415 - an extra
        from pysmt.logics import QF_LRA  # noqa: PLC0415

        return tuple(sorted(Environment().factory.all_solvers(logic=QF_LRA)))


def find(name: str) -> Solver | None:
    """Return the solver that pySMT calls `name`, None if it finds none."""
    if name not in known():
        return None
    package = _PACKAGES.get(name)
    what = name if package is None else f"{name} {package_version(package)}"
    return Library(PREFIX + name, f"{what} through pySMT {package_version('pysmt')}", PREFIX + name)


def version() -> str | None:
    """Return the version of pySMT and the solvers it finds, None without any."""
    names = known()
    return f"pySMT {package_version('pysmt')} ({', '.join(names)})" if names else None
