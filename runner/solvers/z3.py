"""z3: the program that its wheel brings, one on the search path, or the Python library."""

from importlib import util

from ensc.runner.solvers.process import package_version
from ensc.runner.solvers.smt_process import Library, Program, Solver, find_program, first_line

ADVICE = "pip install 'ensc-compiler[solve]'"


def find() -> Solver | None:
    """Return the z3 that would run, None without one."""
    program = find_program("z3")
    said = None if program is None else first_line(program, "--version")
    if program is not None and said is not None:
        version = said.lower().removeprefix("z3 version ").partition(" ")[0]
        return Program("z3", f"z3 {version}", (program, "-smt2"))
    if util.find_spec("z3") is not None:
        return Library("z3", f"z3 {package_version('z3-solver')}", "z3")
    return None


def version() -> str | None:
    """Return the name and version of the z3 that would run, None without one."""
    found = find()
    return None if found is None else found.version
