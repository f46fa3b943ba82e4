"""`ensc collect`: the answer that the solutions beside the questions of a folder support so far."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ensc.commands.answer import judge, print_json, save
from ensc.commands.arguments import Commands, add_answer, command

if TYPE_CHECKING:
    from ensc.runner.questions.collect import Collected


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = command(
        commands, "collect", "Answer a query as far as the solutions in a folder of questions allow."
    )
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="made by `ensc compile QUERY --split DIR`, with solutions"
    )
    parser.add_argument(
        "--open", action="store_true", help="print only the files of open questions, the most useful first"
    )
    add_answer(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read what has appeared; print what it is worth."""
    from ensc.runner.questions.collect import collect
    from ensc.runner.reports.report import result_json

    found = collect(options.folder)
    save(found.result, options.save_attack)
    if options.open:
        print("".join(f"{name}\n" for name in found.open), end="")
    elif options.json:
        print_json(result_json(found.result))
    else:
        print(_text(found), end="")
    return judge(found.result, options)


def _text(found: "Collected") -> str:
    from ensc.runner.reports.show import render_result

    counts = f"{found.answered} answered, {len(found.unneeded)} not needed any more, {len(found.open)} open"
    return f"{render_result(found.result)}files    {counts}\n"
