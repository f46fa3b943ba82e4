"""What `ensc solve` and `ensc decode` do with a result."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ensc.commands.outcome import CONTRADICTED, DONE, UNDECIDED, report
from ensc.compiler.diagnostics import Severity

if TYPE_CHECKING:
    from ensc.runner.verdicts.result import Result


def save(result: "Result", path: Path | None) -> None:
    """Write the attack, if there is one and somewhere to write it."""
    from ensc.runner.reports.report import save_attack

    if path is not None and result.verdict.attack is not None:
        save_attack(path, result)


def print_json(value: object) -> None:
    """Print an object, or an array of them, as people can read it too."""
    import json

    print(json.dumps(value, indent=2))


def judge(result: "Result", options: argparse.Namespace) -> int:
    """Say where a result contradicts what its query expects; return the exit code that it deserves."""
    from ensc.compiler.types.solution import Word
    from ensc.runner.verdicts.expectation import compare_expectation

    contradiction = compare_expectation(result.problem, result.verdict)
    if contradiction is not None:
        report([contradiction], options)
        return CONTRADICTED if contradiction.severity is Severity.ERROR else DONE
    return UNDECIDED if result.verdict.word is Word.UNKNOWN else DONE
