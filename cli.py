"""The command line: arguments in, text out. Nothing but this and `commands` knows that there is a terminal.

Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 input rejected,
2 usage, 3 undecided within the limits, or solvers contradict each other, 4 the answer contradicts `expect`.
"""

import argparse
import errno
import gc
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from ensc.commands import archive, collect, compile, decode, inform, solve  # noqa: A004 - named after the command
from ensc.commands.arguments import Parser
from ensc.commands.outcome import DONE, REJECTED, report
from ensc.compiler.diagnostics import Diagnostic, Rejected


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    _for_short_runs()
    options = _parser().parse_args(arguments)
    options.said = []
    code = _run(options)
    if options.diagnostics == "json" and options.said:
        _print_json(options.said)
    return code


def _for_short_runs() -> None:
    """Set what Python and numpy leave to the program; both cost more time than a small compilation.

    Most objects that a command creates are modules, which live to its end: looking for garbage among them
    finds nothing. Threads wait for each other longer than they multiply the small matrices of most networks,
    and `solve` runs processes beside each other; whoever sets the variable decides.
    """
    gc.set_threshold(100_000, 20, 20)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _run(options: argparse.Namespace) -> int:
    try:
        code: int = options.run(options)
        if sys.stdout is not None:  # None where the caller closed it
            sys.stdout.flush()
    except Rejected as rejected:
        report(rejected.diagnostics, options)
        return REJECTED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _discard_output()
        return DONE
    except Exception as error:
        if options.debug:
            raise
        report([_unwritten(error) or _internal(error)], options)
        return REJECTED
    return code


def _discard_output() -> None:
    """The reader of a pipe went away: Python would complain when it flushes what is left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unwritten(error: Exception) -> Diagnostic | None:
    """Return what to say where standard output, or a temporary file, found no room."""
    if not isinstance(error, OSError) or error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return None
    return Diagnostic("E1020", "cannot write the output: the disk is full")


def _internal(error: Exception) -> Diagnostic:
    return Diagnostic(
        "E0001",
        f"this should not have happened: {type(error).__name__}: {error}",
        notes=("this is a mistake in ensc, not in your input",),
        help="run the command again with --debug and report what it prints",
    )


def _print_json(diagnostics: Sequence[Diagnostic]) -> None:
    from ensc.compiler.render import render_json

    print(render_json(diagnostics), end="", file=sys.stderr)


def _parser() -> Parser:
    parser = Parser(prog="ensc", description="Compile and solve robustness queries about ensembles.")
    parser.add_argument("--version", action="version", version=f"ensc {version('ensc-compiler')}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for add in (compile.add, solve.add, collect.add, decode.add, archive.add, inform.add):
        add(commands)
    return parser
