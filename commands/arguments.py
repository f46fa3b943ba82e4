"""What the arguments of commands have in common."""

import argparse
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from ensc.commands.outcome import USAGE

if TYPE_CHECKING:
    from ensc.runner.joint.build import Effort

STATS, STATS_FORMS = "--stats", ("text", "json")


class Parser(argparse.ArgumentParser):
    """Says what was meant, and where help is."""

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]  # noqa: ANN401 - as argparse overloads it
        """Parse; an option with an optional word does not swallow the argument after it."""
        return super().parse_known_args(None if args is None else _spelled_out(args), namespace)

    def error(self, message: str) -> NoReturn:
        """Say it in one line, and leave."""
        self.exit(USAGE, f"{self.prog}: {message}\nTry `{self.prog} --help`.\n")


def _spelled_out(arguments: Sequence[str]) -> list[str]:
    """Give `--stats` its form where it has none."""
    pairs = zip_longest(arguments, arguments[1:], fillvalue="")
    return [
        f"{STATS}={STATS_FORMS[0]}" if word == STATS and after not in STATS_FORMS else word
        for word, after in pairs
    ]


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
    """Add `-O`, what the levels beyond 1 may cost, and `--formulation`."""
    parser.add_argument(
        "-O",
        dest="level",
        type=int,
        choices=[0, 1, 2, 3],
        default=1,
        help="optimization level: 0 the paper's encoding, 1 bounds by linear relaxation (default), 2 these "
        "tightened by linear programs, 3 with the questions about single points solved beforehand",
    )
    parser.add_argument(
        "--tighten-time",
        type=seconds,
        metavar="S",
        help="seconds for the linear programs of -O2 and -O3 (default: 60)",
    )
    parser.add_argument(
        "--presolve-time", type=seconds, metavar="S", help="seconds for the questions of -O3 (default: 300)"
    )
    parser.add_argument(
        "--formulation",
        choices=["big-m", "indicator", "sos"],
        default="big-m",
        help="of choices in a MILP file: big-m for every solver; indicator rows for SCIP, Gurobi, CPLEX, "
        "Xpress, COPT; ordered sets (sos) for these",
    )


def effort(options: argparse.Namespace) -> "Effort":
    """Return what the arguments allow compiling to cost."""
    from ensc.runner.joint.build import Effort

    given = {"tighten_seconds": options.tighten_time, "split_seconds": options.presolve_time}
    return Effort(
        **{name: value for name, value in given.items() if value is not None}, jobs=options.jobs or 1
    )


def add_stats(parser: argparse.ArgumentParser) -> None:
    """Add `--stats`."""
    parser.add_argument(
        STATS,
        nargs="?",
        choices=STATS_FORMS,
        const=STATS_FORMS[0],
        help="print what each pass did, sizes and times: as text, or as JSON and nothing else",
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
