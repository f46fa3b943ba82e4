"""`ensc solve`: the certified answer to a query, or to VNN-LIB properties."""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ensc.commands.answer import judge, print_json, save
from ensc.commands.arguments import Commands, add_answer, add_levels, effort, query_command, seconds
from ensc.commands.loading import is_property, load
from ensc.commands.outcome import DONE, UNDECIDED, USAGE, report
from ensc.commands.solve_instances import run_instances
from ensc.commands.solve_split import (
    add_split,
    backend_for,
    misplaced,
    splitting,
    tell_how_to_resume,
    was_interrupted,
)
from ensc.compiler.diagnostics import reject

if TYPE_CHECKING:
    from ensc.compiler.types.problem import EnsembleProblem
    from ensc.runner.joint.portfolio import Answer, Portfolio
    from ensc.runner.reports.report import Json
    from ensc.runner.verdicts.result import Result

    Solver: TypeAlias = Callable[[EnsembleProblem], Result | Portfolio]


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
    add_split(parser)
    add_answer(parser, json=", of a sweep as one array of them", saved="; of a sweep one file for each value")
    parser.add_argument("--instances", type=Path, metavar="CSV", help="run a VNN-COMP instances.csv instead")
    parser.add_argument("--witness", type=Path, metavar="OUT", help="write a property's counterexample")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Answer a query at every value of its sweep; return the gravest of the exit codes."""
    if (options.query is None) == (options.instances is None):
        print("ensc solve: give a QUERY, or --instances CSV\nTry `ensc solve --help`.", file=sys.stderr)
        return USAGE
    if options.instances or is_property(options.query):
        _require_joint(options)
        return run_instances(options)
    way = _way(options)
    problems = [each.problem for each in load(options)]
    with way as solve:
        return _solve_all(solve, problems, options)


def _solve_all(solve: "Solver", problems: Sequence["EnsembleProblem"], options: argparse.Namespace) -> int:
    """Answer one value of a sweep after the other, until somebody interrupts."""
    objects: list[Json] = []
    code = DONE
    try:
        for problem, path in zip(problems, _attack_paths(problems, options), strict=True):
            found = solve(problem)
            code = max(code, _tell(found, path, objects, options))
            if was_interrupted(found):
                tell_how_to_resume(options)
                break
    finally:  # what is answered was long in the making: it is printed even where a later value fails
        if options.json and len(problems) > 1:
            print_json(objects)
        elif objects:
            print_json(objects[0])
    return code


def _attack_paths(
    problems: Sequence["EnsembleProblem"], options: argparse.Namespace
) -> Sequence[Path | None]:
    """Return where the attack of each point of a sweep is saved."""
    from ensc.runner.emitting.sweep import sweep_paths

    return sweep_paths(options.save_attack, problems) if options.save_attack else [None] * len(problems)


def _way(options: argparse.Namespace) -> AbstractContextManager["Solver"]:
    """Return how the arguments want a problem to be solved."""
    from ensc.compiler.pipeline import Options
    from ensc.runner.joint.portfolio import solve_with_all
    from ensc.runner.joint.solve import Settings, solve_joint
    from ensc.runner.solvers.choose import choose_solvers

    solvers = choose_solvers(options.solver)
    splits = options.strategy == "split" and options.formulation == "big-m"  # the others are of the file
    asked = backend_for(options, solvers) if splits else None
    if asked is not None:
        return splitting(options, *asked)
    _require_joint(options)
    compiler_options = Options(options.level, options.formulation)
    settings = Settings(compiler_options, options.time_limit, options.verbose, solvers[0], effort(options))
    if len(solvers) == 1:
        return nullcontext(lambda problem: solve_joint(problem, settings))
    if options.json:
        return nullcontext(lambda problem: solve_with_all(problem, solvers, settings))
    return nullcontext(lambda problem: solve_with_all(problem, solvers, settings, _print_answer))


def _require_joint(options: argparse.Namespace) -> None:
    """Whole files have no questions: an option about these would be ignored in silence."""
    option = misplaced(options)
    if option is not None:
        reject(
            "E1143",
            f"`{option}` is about the questions of the strategy `split`, but a whole model is solved here",
            help="leave it out; or leave out `--strategy joint` and `--formulation`, and give one solver, "
            "`cbc` for example",
        )


def _print_answer(answer: "Answer") -> None:
    """Print what one of several solvers says when it says it."""
    from ensc.runner.joint.portfolio import render_answer

    print(render_answer(answer), end="", flush=True)


def _tell(
    found: "Result | Portfolio", path: Path | None, objects: list["Json"], options: argparse.Namespace
) -> int:
    """Save and print what was found, or keep it as JSON; solvers that disagree leave it undecided."""
    from ensc.runner.joint.portfolio import Portfolio, disagreement, portfolio_json
    from ensc.runner.reports.report import result_json
    from ensc.runner.reports.show import render_result

    result = found.combined if isinstance(found, Portfolio) else found
    if options.json:
        objects.append(portfolio_json(found) if isinstance(found, Portfolio) else result_json(result))
    save(result, path)
    if not options.json:
        print(render_result(result), end="")
    code = judge(result, options)
    contradiction = disagreement(found) if isinstance(found, Portfolio) else None
    if contradiction is None:
        return code
    report([contradiction], options)
    return max(code, UNDECIDED)
