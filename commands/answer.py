"""What `ensc solve` and `ensc decode` do with a result."""

import argparse
from typing import TYPE_CHECKING

from ensc.commands.outcome import CONTRADICTED, DONE, UNDECIDED, report
from ensc.compiler.diagnostics import Severity

if TYPE_CHECKING:
    from ensc.runner.solve import Result


def answer(result: "Result", options: argparse.Namespace, *, printed: bool = False) -> int:
    """Print a result, unless that is done; return the exit code it deserves."""
    import json

    from ensc.compiler.types.solution import Word
    from ensc.runner.expectation import compare_expectation
    from ensc.runner.report import result_json, save_attack
    from ensc.runner.show import render_result

    if options.save_attack and result.verdict.attack is not None:
        save_attack(options.save_attack, result)
    if options.json and not printed:
        print(json.dumps(result_json(result), indent=2))
    if not options.json:
        print(render_result(result), end="")
    contradiction = compare_expectation(result.problem, result.verdict)
    if contradiction is not None:
        report([contradiction], options)
        return CONTRADICTED if contradiction.severity is Severity.ERROR else DONE
    return UNDECIDED if result.verdict.word is Word.UNKNOWN else DONE
