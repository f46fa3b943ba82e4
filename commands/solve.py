"""`ensc solve`: the certified answer to a query, or to VNN-LIB properties."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ensc.commands.answer import answer
from ensc.commands.arguments import Commands, add_answer, add_levels, jobs, query_command, seconds
from ensc.commands.loading import load
from ensc.commands.outcome import UNDECIDED, USAGE, report
from ensc.commands.solve_instances import run_instances

if TYPE_CHECKING:
    from ensc.compiler.types.problem import EnsembleProblem
    from ensc.runner.portfolio import Answer
    from ensc.runner.solve import Result, Settings
    from ensc.runner.solvers.choose import BackEnd
    from ensc.runner.split.answer import Backend


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = query_command(
        commands,
        "solve",
        "Answer a query; certify the answer in exact arithmetic.",
        also=", or a .vnnlib property (with --network)",
        optional=True,
    )
    add_levels(parser)
    parser.add_argument(
        "--solver",
        default="cbc",
        metavar="WHAT",
        help="cbc (the default), highs, scip, z3, cvc5, yices or pysmt:NAME; several with commas; all that "
        "are installed: all; any program: 'command PROGRAM {model.lp} {solution}', with {model.mps} or "
        "{model.smt2} where it reads these, {time_limit}, and without {solution} if it prints its answer",
    )
    parser.add_argument("--time-limit", type=seconds, metavar="S", help="seconds for the solver")
    parser.add_argument("--verbose", action="store_true", help="show the solver's log")
    _add_split(parser)
    add_answer(parser)
    parser.add_argument("--instances", type=Path, metavar="CSV", help="run a VNN-COMP instances.csv instead")
    parser.add_argument("--witness", type=Path, metavar="OUT", help="write a property's counterexample")
    parser.set_defaults(run=run)


def _add_split(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--strategy",
        choices=["split", "joint"],
        default="split",
        help="ask small questions about single points (default), or solve the compiled model file",
    )
    parser.add_argument(
        "--baseline",
        choices=["ua", "bda"],
        help="play the uniform or the best deterministic attacker of Gross et al. 2020 instead",
    )
    parser.add_argument("--jobs", type=jobs, default=1, metavar="N", help="processes; split only")
    parser.add_argument(
        "--query-time-limit", type=seconds, metavar="S", help="seconds for one question; split only"
    )


def run(options: argparse.Namespace) -> int:
    """Answer a query at every value of its sweep; return the gravest of the exit codes."""
    from ensc.runner.emit_instance import is_property

    if (options.query is None) == (options.instances is None):
        print("ensc solve: give a QUERY, or --instances CSV\nTry `ensc solve --help`.", file=sys.stderr)
        return USAGE
    if options.instances or is_property(options.query):
        return run_instances(options)
    from ensc.compiler.pipeline import Options
    from ensc.runner.solve import Settings, solve_joint
    from ensc.runner.solvers.choose import choose_solvers
    from ensc.runner.split.backends import backend_of

    solvers = choose_solvers(options.solver)
    backend = backend_of(solvers[0])
    if options.strategy == "split" and len(solvers) == 1 and backend is not None:
        return max(answer(_split(each.problem, backend, options), options) for each in load(options))
    settings = Settings(Options(level=options.level), options.time_limit, options.verbose, solvers[0])
    if len(solvers) == 1:
        return max(answer(solve_joint(each.problem, settings), options) for each in load(options))
    return max(_solve_with_all(each.problem, solvers, settings, options) for each in load(options))


def _split(problem: "EnsembleProblem", backend: "Backend", options: argparse.Namespace) -> "Result":
    from ensc.runner.split.baselines import solve_baseline
    from ensc.runner.split.loop import SplitSettings
    from ensc.runner.split.solve import solve_split

    settings = SplitSettings(options.jobs, options.time_limit, options.query_time_limit, backend=backend)
    if options.baseline is not None:
        return solve_baseline(problem, options.baseline, settings)
    return solve_split(problem, settings)


def _solve_with_all(
    problem: "EnsembleProblem",
    solvers: Sequence["BackEnd"],
    settings: "Settings",
    options: argparse.Namespace,
) -> int:
    """Print what each solver says when it says it, then what follows; disagreement leaves it undecided."""
    import json

    from ensc.runner.portfolio import disagreement, portfolio_json, render_answer, solve_with_all

    def tell(answer: "Answer") -> None:
        if not options.json:
            print(render_answer(answer), end="", flush=True)

    found = solve_with_all(problem, solvers, settings, tell)
    if options.json:
        print(json.dumps(portfolio_json(found), indent=2))
    code = answer(found.combined, options, printed=options.json)
    contradiction = disagreement(found)
    if contradiction is None:
        return code
    report([contradiction], options)
    return max(code, UNDECIDED)
