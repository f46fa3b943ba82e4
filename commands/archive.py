"""`ensc archive`: benchmark folders, written and verified."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ensc.commands.arguments import Commands, query_command, seconds
from ensc.commands.loading import load_one
from ensc.commands.outcome import DONE, USAGE

if TYPE_CHECKING:
    from ensc.compiler.types.problem import EnsembleProblem
    from ensc.compiler.types.solution import Verdict


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = query_command(
        commands,
        "archive",
        "Write a benchmark folder: a query, all it names, and every form of it.",
        also=", or with --verify the folder of an archive",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="a folder that does not exist yet")
    parser.add_argument("--verify", action="store_true", help="check an archive instead")
    parser.add_argument(
        "--solve", action="store_true", help="solve the query with CBC first, and archive what was certified"
    )
    parser.add_argument("--time-limit", type=seconds, metavar="S", help="seconds for solving")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write an archive, or verify one."""
    if options.verify == (options.output is not None):
        print("ensc archive: give QUERY -o DIR, or --verify DIR\nTry `ensc archive --help`.", file=sys.stderr)
        return USAGE
    from ensc.runner.archive import create_archive, verify_archive

    if options.verify:
        print(f"{options.query}: {verify_archive(options.query)}")
        return DONE
    problem = load_one(options)
    verdict = _archived_verdict(problem, options) if options.solve else None
    for note in create_archive(problem, options.output, verdict):
        print(f"  {note}")
    print(f"wrote {options.output}")
    return DONE


def _archived_verdict(problem: "EnsembleProblem", options: argparse.Namespace) -> "Verdict":
    """Solve what is to be archived, once it is clear that it can be."""
    from ensc.compiler.types.solution import Word
    from ensc.runner.archive.create import require_archivable, require_free
    from ensc.runner.split.settings import SplitSettings
    from ensc.runner.split.solve import solve_split

    require_archivable(problem)
    require_free(options.output)
    verdict = solve_split(problem, SplitSettings(time_limit=options.time_limit)).verdict
    if verdict.word is Word.UNKNOWN:
        print("not solved: the archive says what the query expects", file=sys.stderr)
    return verdict
