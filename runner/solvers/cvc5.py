"""cvc5: a program on the search path, or the Python library, whose wheel brings no program."""

from importlib import util

from ensc.runner.solvers.process import package_version
from ensc.runner.solvers.smt_process import Library, Program, Solver, find_program, first_line

ADVICE = "pip install 'ensc-compiler[cvc5]'"


def find() -> Solver | None:
    """Return the cvc5 that would run, None without one."""
    program = find_program("cvc5")
    said = None if program is None else first_line(program, "--version")
    if program is not None and said is not None:
        words = said.split()  # `This is cvc5 version 1.0.3`
        number = words[words.index("version") + 1] if "version" in words[:-1] else said
        return Program("cvc5", f"cvc5 {number}", (program, "--lang=smt2"))
    if util.find_spec("cvc5") is not None:
        return Library("cvc5", f"cvc5 {package_version('cvc5')}", "cvc5")
    return None


def version() -> str | None:
    """Return the name and version of the cvc5 that would run, None without one."""
    found = find()
    return None if found is None else found.version
