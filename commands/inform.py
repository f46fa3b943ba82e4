"""The commands that tell: check, fmt, explain, info, solvers."""

import argparse
import sys
from pathlib import Path

from ensc.commands.arguments import Commands, command, query_command
from ensc.commands.loading import formatted, load, source
from ensc.commands.outcome import DONE, REJECTED, UNDECIDED


def add(commands: Commands) -> None:
    """Add the commands to the parser."""
    _add_check(commands)
    _add_fmt(commands)
    _add_explain(commands)
    _add_info(commands)
    _add_solvers(commands)


def _add_check(commands: Commands) -> None:
    parser = query_command(commands, "check", "Read a query and everything it names; say what is wrong.")
    parser.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> int:
    from ensc.compiler.passes.notes import summary

    for loaded in load(options):
        print(f"{options.query}: {summary(loaded.problem)}")
    return DONE


def _add_fmt(commands: Commands) -> None:
    parser = command(commands, "fmt", "Rewrite queries in their canonical layout; keeps every comment.")
    parser.add_argument("queries", type=Path, nargs="+", metavar="QUERY", help="a .rq or .rqi file")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a file would change")
    parser.add_argument("--stdout", action="store_true", help="print instead of rewriting")
    parser.set_defaults(run=_fmt)


def _fmt(options: argparse.Namespace) -> int:
    from ensc.formats import write_file

    changed = 0
    for path in options.queries:
        text = formatted(path)
        if options.stdout:
            print(text, end="")
        elif text != source(path).text:
            changed += 1
            print(f"{'would reformat' if options.check else 'reformatted'} {path}", file=sys.stderr)
            if not options.check:
                write_file(path, [text.encode()])
    return REJECTED if options.check and changed else DONE


def _add_explain(commands: Commands) -> None:
    parser = command(commands, "explain", "Tell the long story of a diagnostic.")
    parser.add_argument(
        "code", nargs="?", metavar="CODE", help="for example E0202; all are listed without it"
    )
    parser.set_defaults(run=_explain)


def _explain(options: argparse.Namespace) -> int:
    from ensc.compiler.explain import codes, explain

    if options.code is None:
        for code in codes():
            print(f"{code}  {explain(code).splitlines()[0].removeprefix('# ')}")
    else:
        print(explain(options.code), end="")
    return DONE


def _add_info(commands: Commands) -> None:
    parser = command(commands, "info", "Describe an ONNX network, and whatever in it cannot be read.")
    parser.add_argument("network", type=Path, metavar="NET.onnx")
    parser.set_defaults(run=_info)


def _info(options: argparse.Namespace) -> int:
    from ensc.compiler.frontend.onnx.summary import render_summary, summarize

    summary = summarize(options.network)
    print(render_summary(summary), end="")
    return REJECTED if summary.unsupported else DONE


def _add_solvers(commands: Commands) -> None:
    parser = command(commands, "solvers", "List the solvers, their versions, and the files they are given.")
    parser.add_argument("--test", action="store_true", help="run a small model through each")
    parser.set_defaults(run=_solvers)


def _solvers(options: argparse.Namespace) -> int:
    from ensc.runner.probe import probe_solvers

    passed = True
    for probe in probe_solvers(test=options.test):
        print(probe.text, flush=True)
        passed = passed and probe.failure is None
    return DONE if passed else UNDECIDED
