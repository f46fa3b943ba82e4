"""`ensc decode`: a solver's own solution file to a certified attack."""

import argparse
from pathlib import Path

from ensc.commands.answer import judge, print_json, save
from ensc.commands.arguments import Commands, add_answer, query_command
from ensc.commands.loading import load_one


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = query_command(commands, "decode", "Turn a solver's own solution file into a certified attack.")
    parser.add_argument("solution", type=Path, metavar="SOLUTION", help="the file the solver wrote")
    parser.add_argument("--format", help="its format, where that is not evident")
    add_answer(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read the query and the solution file; print what the solution is worth."""
    from ensc.formats import read_file
    from ensc.runner.joint.solve import conclude
    from ensc.runner.reports.report import result_json
    from ensc.runner.reports.show import render_result
    from ensc.runner.solvers.claims import read_answer

    problem = load_one(options)
    text = read_file(options.solution, noun="solution file")
    read = read_answer(text, options.solution.name, format=options.format)
    result = conclude(problem, *read)
    save(result, options.save_attack)
    if options.json:
        print_json(result_json(result))
    else:
        print(render_result(result), end="")
    return judge(result, options)
