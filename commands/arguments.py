"""What the arguments of commands have in common."""

import argparse
from pathlib import Path
from typing import NoReturn, TypeAlias

from ensc.commands.outcome import USAGE


class Parser(argparse.ArgumentParser):
    """Says what was meant, and where help is."""

    def error(self, message: str) -> NoReturn:
        """Say it in one line, and leave."""
        self.exit(USAGE, f"{self.prog}: {message}\nTry `{self.prog} --help`.\n")


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"  # noqa: SLF001 - it has no public name


def command(commands: Commands, name: str, summary: str) -> argparse.ArgumentParser:
    """Add a command; return its parser, with the arguments that every command has."""
    parser = commands.add_parser(name, help=summary, description=summary)
    parser.add_argument("--diagnostics", choices=["text", "json"], default="text", help="form of messages")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")
    return parser


def query_command(
    commands: Commands, name: str, summary: str, *, also: str = "", optional: bool = False
) -> argparse.ArgumentParser:
    """Add a command about a query, with the arguments that change what the query says."""
    parser = command(commands, name, summary)
    count = "?" if optional else None
    parser.add_argument("query", type=Path, nargs=count, metavar="QUERY", help=f"a .rq file{also}")
    parser.add_argument(
        *("-D", "--define"), action="append", default=[], metavar="NAME=VALUE", help="override a parameter"
    )
    parser.add_argument(
        "--network", action="append", default=[], metavar="MEMBER=FILE", help="rebind a member"
    )
    parser.add_argument("--data", action="append", default=[], metavar="NAME=FILE", help="rebind the data")
    return parser


def add_levels(parser: argparse.ArgumentParser) -> None:
    """Add `-O` and `--formulation`."""
    parser.add_argument("-O", dest="level", type=int, choices=[0, 1], default=1, help="optimization level")
    parser.add_argument(
        "--formulation",
        choices=["big-m", "indicator", "sos"],
        default="big-m",
        help="of choices in a MILP file: big-m for every solver; indicator rows for SCIP, Gurobi, CPLEX, "
        "Xpress, COPT; ordered sets (sos) for these",
    )


def add_answer(parser: argparse.ArgumentParser, *, json: str = "", saved: str = "") -> None:
    """Add the forms in which a result is given out, and what is particular about them here."""
    parser.add_argument("--json", action="store_true", help=f"print the result as one JSON object{json}")
    parser.add_argument(
        "--save-attack", type=Path, metavar="OUT.npz", help=f"write the attack's arrays{saved}"
    )


def jobs(text: str) -> int:
    """Read a number of processes."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"expected a number of processes from 1 to 1024, found `{text}`")
    return int(text)


def seconds(text: str) -> float:
    """Read a time limit."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number of seconds above 0, found `{text}`")
    return value
