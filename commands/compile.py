"""`ensc compile`: a query, or a VNN-LIB property, to files that solvers read."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ensc.commands.answer import print_json
from ensc.commands.arguments import Commands, add_levels, add_stats, effort, jobs, query_command
from ensc.commands.loading import formatted, is_property, load
from ensc.commands.outcome import DONE, USAGE

if TYPE_CHECKING:
    from ensc.runner.emitting.emit import Written


EMITTED = (
    *("query", "problem", "bounds"),
    *("printed", "relax", "attacks", "demand", "facts", "merge", "fooled", "tighten", "model", "linear"),
)
"""What `--emit` takes: spelled out, because reading the arguments loads no compiler."""


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = query_command(
        commands, "compile", "Compile a query to a file that solvers read.", also=", or a .vnnlib property"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="OUT", help="OUT.mps, OUT.lp or OUT.smt2, or with .gz"
    )
    add_levels(parser)
    parser.add_argument(
        "--relu", choices=["or", "ite"], default="or", help="rectifiers in a script: disjunctions, or ite"
    )
    parser.add_argument(
        "--dialect",
        choices=["standard", "z3-opt"],
        default="standard",
        help="of a script: what every SMT solver reads, or z3's with maximize",
    )
    parser.add_argument(
        "--emit",
        choices=EMITTED,
        metavar="LEVEL",
        help=f"stop after a pass and print what it made: {', '.join(EMITTED)}",
    )
    add_stats(parser)
    _add_start(parser)
    _add_split(parser)
    parser.set_defaults(run=run)


def _add_start(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mipstart",
        type=Path,
        metavar="START",
        help="write the best attack that a quick search finds, for a MILP solver to start from: START.mst "
        "for Gurobi, .xml for CPLEX, .sol for HiGHS and SCIP",
    )
    parser.add_argument(
        "--mipstart-format",
        choices=["gurobi", "cplex", "cbc", "highs", "scip"],
        help="who reads it (default: by the suffix)",
    )


def _add_split(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--split",
        type=Path,
        metavar="DIR",
        help="write the questions about single points that it is made of, and a manifest, into a new folder; "
        "`ensc collect DIR` makes an answer of their solutions",
    )
    parser.add_argument(
        "--format",
        choices=["mps", "lp", "smt2", "vnnlib"],
        default="mps",
        help="of the questions of --split (default: mps)",
    )
    parser.add_argument(
        "--every", action="store_true", help="with --split: questions that a search answers get files, too"
    )
    parser.add_argument("--jobs", type=jobs, default=1, metavar="N", help="processes; of --split and -O3")


def run(options: argparse.Namespace) -> int:
    """Write or print what a query compiles to."""
    if options.mipstart and (options.output is None or is_property(options.query)):
        print("ensc compile: --mipstart goes with a query and -o OUT.mps or -o OUT.lp", file=sys.stderr)
        return USAGE
    if options.split and not is_property(options.query):
        return _run_split(options)
    if any(is_property(p) for p in (options.query, options.output) if p):
        return _run_instances(options)
    if (options.output is None) == (options.emit is None):
        print("ensc compile: give -o OUT.mps, or --emit LEVEL\nTry `ensc compile --help`.", file=sys.stderr)
        return USAGE
    if options.emit == "query":
        print(formatted(options.query), end="")
        return DONE
    from ensc.compiler.pipeline import Options
    from ensc.runner.emitting.emit import emit_level, emit_sweep
    from ensc.runner.emitting.script import Form
    from ensc.runner.joint.start import StartFile, start_form

    loaded = [each.problem for each in load(options)]
    compiler_options, cost = Options(options.level, options.formulation), effort(options)
    if options.emit:
        for problem in loaded:
            print(emit_level(problem, compiler_options, options.emit, cost), end="")
        return DONE
    form = Form(options.relu, options.dialect)
    start = options.mipstart and StartFile(
        options.mipstart, start_form(options.mipstart, options.mipstart_format)
    )
    written = emit_sweep(loaded, compiler_options, options.output, form=form, effort=cost, start=start)
    _tell(written, options.stats, several=len(loaded) > 1)
    return DONE


def _tell(written: Iterable["Written"], stats: str | None, *, several: bool) -> None:
    """Say what was written, each file when it is; as JSON one object, of a sweep an array of them."""
    if stats == "json":
        objects = [each.json() for each in written]
        print_json(objects if several else objects[0])
        return
    for each in written:
        for line in (*each.wrote(), *(each.lines() if stats else ())):
            print(line)


def _run_split(options: argparse.Namespace) -> int:
    """Compile to a folder of questions."""
    from ensc.runner.emitting.emit import require_of_use
    from ensc.runner.emitting.script import Form
    from ensc.runner.questions.write import write_folder

    if options.output or options.emit:
        print("ensc compile: give -o OUT or --split DIR\nTry `ensc compile --help`.", file=sys.stderr)
        return USAGE
    require_of_use(options.split, Form(options.relu, options.dialect))
    loaded = load(options)
    if len(loaded) > 1:
        print("ensc compile: a sweep is not one folder of questions", file=sys.stderr)
        return USAGE
    written = write_folder(
        loaded[0].problem, options.split, options.format, every=options.every, jobs=options.jobs
    )
    print(f"wrote {written.files} questions to {options.split}; {written.decided} need no solver")
    for note in written.notes:
        print(note)
    return DONE


def _run_instances(options: argparse.Namespace) -> int:
    """Compile from VNN-LIB or to it."""
    from ensc.compiler.pipeline import Options
    from ensc.runner.emitting.emit import require_of_use
    from ensc.runner.emitting.emit_instance import emit_instances, emit_query, load_property
    from ensc.runner.emitting.script import Form

    if options.output is None or options.split or options.emit:
        print("ensc compile: give -o OUT for a property\nTry `ensc compile --help`.", file=sys.stderr)
        return USAGE
    form = Form(options.relu, options.dialect)
    require_of_use(options.output, form)
    if is_property(options.query):
        instances = load_property(options.query, options.network)[1]
        level = min(options.level, 1)  # the passes beyond are about queries
        lines = emit_instances(instances, Options(level, options.formulation), options.output, form)
    else:
        loaded = load(options)
        if len(loaded) > 1:
            print("ensc compile: a sweep is not one VNN-LIB file", file=sys.stderr)
            return USAGE
        lines = emit_query(loaded[0].problem, options.output)
    for line in lines:
        print(line)
    return DONE
