"""The process that an SMT solver runs in: a JSON request as argument, the solver's own words as output.

A request names a program, `{"program": [...]}`, or the Python library of a solver and a script for it,
`{"library": "cvc5", "script": "..."}`; `memory` limits the bytes that either may use. The process leads a
group of its own: whoever started it ends the whole group, and if that one dies first, the group ends
itself. It imports nothing of ensc, so that it starts quickly.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

LOGIC = "QF_LRA"


def main(request: dict[str, Any]) -> int:
    """Run one solver on one script; return the exit code."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    if request["memory"] is not None:
        _limit_memory(request["memory"])
    if "program" in request:
        return _run_program(request["program"])
    script: str = request["script"]
    match str(request["library"]).partition(":"):
        case ("z3", *_):
            _run_z3(script)
        case ("cvc5", *_):
            _run_cvc5(script)
        case (_, _, solver):
            _run_pysmt(script, solver)
    return 0


def _die_with_parent() -> None:
    """Standard input is a pipe that nobody writes to: it ends when the parent does, however it ends."""
    os.read(0, 1)  # not sys.stdin: its lock would be held by this thread when the interpreter ends
    os.killpg(0, signal.SIGKILL)


def _limit_memory(limit: int) -> None:
    import resource  # noqa: PLC0415 - no such module on some systems, which then have no such limit

    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _run_program(command: list[str]) -> int:
    code = subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode  # noqa: S603 - as asked
    return code if code >= 0 else 128 - code


def _run_z3(script: str) -> None:
    import z3  # noqa: PLC0415 - one library for each kind of request

    # An error is an exception that takes the answer along; asking for the values of `unsat` is an error.
    question, command, rest = Path(script).read_text(encoding="utf-8").rpartition("(check-sat)")
    context = z3.main_ctx().ref()
    answer = z3.Z3_eval_smtlib2_string(context, question + command)
    _say(answer)
    if answer.strip() == "sat":
        _say(z3.Z3_eval_smtlib2_string(context, rest))


def _run_cvc5(script: str) -> None:
    import cvc5  # noqa: PLC0415 - likewise

    solver = cvc5.Solver()
    symbols = cvc5.SymbolManager(solver)
    parser = cvc5.InputParser(solver, symbols)
    parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, script)
    while not (command := parser.nextCommand()).isNull():
        _say(command.invoke(solver, symbols))


def _run_pysmt(script: str, name: str) -> None:
    from pysmt.shortcuts import Solver  # noqa: PLC0415 - likewise
    from pysmt.smtlib.parser import SmtLibParser  # noqa: PLC0415

    commands = SmtLibParser().get_script_fname(script)
    with Solver(name=name, logic=LOGIC) as solver:
        satisfiable = None
        for command in commands:
            if command.name == "assert":
                solver.add_assertion(command.args[0])
            elif command.name == "check-sat":
                satisfiable = solver.solve()
                _say("sat\n" if satisfiable else "unsat\n")
            elif command.name == "get-value" and satisfiable:
                for term in command.args:
                    _say(f"(({term} {_constant(solver.get_value(term))}))\n")


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _constant(value: Any) -> str:  # noqa: ANN401 - pySMT has no types
    if value.is_bool_constant():
        return "true" if value.is_true() else "false"
    exact = value.constant_value()
    size = f"(/ {abs(exact.numerator)} {exact.denominator})"
    return size if exact >= 0 else f"(- {size})"


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
