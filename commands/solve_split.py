"""`ensc solve` by small questions about single points: who is asked, and what outlives an interruption."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ensc.commands.arguments import jobs, seconds
from ensc.commands.outcome import report

if TYPE_CHECKING:
    from ensc.compiler.types.problem import EnsembleProblem
    from ensc.runner.joint.portfolio import Portfolio
    from ensc.runner.solvers.choose import BackEnd
    from ensc.runner.split.answer import Backend
    from ensc.runner.split.journal import Journal
    from ensc.runner.verdicts.result import Result

ONLY = ("dask", "journal", "race", "confirm", "memory_limit", "query_time_limit", "baseline")
"""Options without a meaning where one model file is solved."""


def add_split(parser: argparse.ArgumentParser) -> None:
    """Add what concerns the strategy `split`."""
    parser.add_argument(
        "--strategy",
        choices=["split", "joint"],
        default="split",
        help="ask small questions about single points (default), or solve the compiled model file",
    )
    split = parser.add_argument_group("strategy split")
    split.add_argument(
        "--baseline",
        choices=["ua", "bda"],
        help="play the uniform or the best deterministic attacker of Gross et al. 2020 instead",
    )
    split.add_argument("--jobs", type=jobs, metavar="N", help="processes (1; on a cluster all its threads)")
    split.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="run the questions on a Dask cluster: its scheduler's address, or `local` for one of --jobs "
        "processes on this machine",
    )
    split.add_argument("--query-time-limit", type=seconds, metavar="S", help="seconds for one question")
    split.add_argument("--memory-limit", type=_megabytes, metavar="MB", help="megabytes for one question")
    split.add_argument(
        "--race",
        metavar="SOLVER",
        help="solvers that take turns with --solver, until one settles the question",
    )
    split.add_argument(
        "--confirm",
        metavar="SOLVER",
        help="solvers that must agree, each for itself, where something is infeasible",
    )
    split.add_argument(
        "--journal",
        type=Path,
        metavar="FILE",
        help="write what is found out to FILE, and ask nothing again that is in it: given once more, it "
        "resumes an interrupted run",
    )
    split.add_argument(
        "--progress",
        choices=["auto", "plain", "none"],
        default="auto",
        help="a bar on a terminal and a line now and then in a log (auto), lines (plain), or nothing",
    )


def _megabytes(text: str) -> int:
    """Read a memory limit."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1 << 24:
        raise argparse.ArgumentTypeError(f"expected a whole number of megabytes above 0, found `{text}`")
    return int(text)


def misplaced(options: argparse.Namespace) -> str | None:
    """Return the first option that needs the other strategy."""
    given = (name for name in ONLY if getattr(options, name) is not None)
    return next((f"--{name.replace('_', '-')}" for name in given), None)


def backend_for(options: argparse.Namespace, solvers: Sequence["BackEnd"]) -> tuple["Backend", str] | None:
    """Return what answers questions and its name, None if one of the solvers takes whole files only."""
    from ensc.runner.solvers.choose import choose_solvers, identity
    from ensc.runner.split.backends import backend_of
    from ensc.runner.split.confirm import confirmed
    from ensc.runner.split.race import raced
    from ensc.runner.split.tasks import prepare

    if len(solvers) != 1:
        return None
    racing = (*solvers, *(choose_solvers(options.race) if options.race is not None else ()))
    others = choose_solvers(options.confirm) if options.confirm is not None else ()
    backends = [backend_of(solver, options.memory_limit) for solver in (*racing, *others)]
    asked = [backend for backend in backends if backend is not None]
    if len(asked) != len(backends):
        return None
    if options.dask is None and (options.jobs or 1) > 1:
        prepare()
    first = raced(asked[: len(racing)]) if len(racing) > 1 else asked[0]
    names = " and ".join([" or ".join(map(identity, racing)), *map(identity, others)])
    return (confirmed(first, asked[len(racing) :]) if others else first), names


@contextmanager
def splitting(
    options: argparse.Namespace, backend: "Backend", solvers: str
) -> Iterator[Callable[["EnsembleProblem"], "Result"]]:
    """Provide what answers problems one after the other, with one journal and one display for all."""
    from ensc.commands.interrupt import interruptible
    from ensc.commands.progress import Display
    from ensc.runner.split.baselines import solve_baseline
    from ensc.runner.split.executors import cluster
    from ensc.runner.split.settings import SplitSettings
    from ensc.runner.split.solve import solve_split

    with (
        interruptible(),
        _journal(options) as journal,
        cluster(options.dask, options.jobs) as where,
        Display(options.progress) as display,
    ):

        def solve(problem: "EnsembleProblem") -> "Result":
            settings = SplitSettings(
                jobs=where.width,
                pool=where.workers,
                time_limit=options.time_limit,
                query_time_limit=options.query_time_limit,
                backend=backend,
                solvers=solvers,
                progress=display.begin(),
                journal=journal,
            )
            if options.baseline is not None:
                return solve_baseline(problem, options.baseline, settings)
            return solve_split(problem, settings)

        yield solve


@contextmanager
def _journal(options: argparse.Namespace) -> Iterator["Journal | None"]:
    """Open the journal, if one is wanted, and say what is wrong with it."""
    if options.journal is None:
        yield None
        return
    from ensc.runner.split.journal import Journal

    with Journal(options.journal) as journal:
        if journal.warnings:
            report(journal.warnings, options)
        yield journal


def was_interrupted(found: "Result | Portfolio") -> bool:
    """Return whether Ctrl-C or SIGTERM ended a run."""
    from ensc.runner.split.settings import INTERRUPTED
    from ensc.runner.verdicts.result import Result

    return isinstance(found, Result) and INTERRUPTED in found.verdict.reasons


def tell_how_to_resume(options: argparse.Namespace) -> None:
    """Say on standard error how an interrupted run goes on."""
    if options.journal is None:
        how = "with `--journal FILE` a run can be interrupted and resumed"
    else:
        how = "the same command goes on from its journal"
    print(f"interrupted; {how}", file=sys.stderr)
