"""`ensc compile`: a query, or a VNN-LIB property, to files that solvers read."""

import argparse
import sys
from pathlib import Path

from ensc.commands.arguments import Commands, add_levels, query_command
from ensc.commands.loading import formatted, load
from ensc.commands.outcome import DONE, USAGE


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
        "--emit", choices=["query", "problem", "bounds", "model", "linear"], help="stop here and print"
    )
    parser.add_argument("--stats", action="store_true", help="print sizes and times")
    parser.add_argument("--split", type=Path, metavar="DIR", help="write the VNN-LIB instances it is made of")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write or print what a query compiles to."""
    from ensc.runner.emit_instance import is_property

    if options.split or any(is_property(p) for p in (options.query, options.output) if p):
        return _run_instances(options)
    if (options.output is None) == (options.emit is None):
        print("ensc compile: give -o OUT.mps, or --emit LEVEL\nTry `ensc compile --help`.", file=sys.stderr)
        return USAGE
    if options.emit == "query":
        print(formatted(options.query), end="")
        return DONE
    from ensc.compiler.pipeline import Options
    from ensc.runner.emit import emit_level, emit_sweep
    from ensc.runner.script import Form

    loaded = [each.problem for each in load(options)]
    compiler_options = Options(options.level, options.formulation)
    if options.emit:
        for problem in loaded:
            print(emit_level(problem, compiler_options, options.emit), end="")
        return DONE
    form = Form(options.relu, options.dialect)
    for line in emit_sweep(loaded, compiler_options, options.output, stats=options.stats, form=form):
        print(line)
    return DONE


def _run_instances(options: argparse.Namespace) -> int:
    """Compile from VNN-LIB or to it."""
    from ensc.compiler.pipeline import Options
    from ensc.formats.vnnlib.folder import write_instances
    from ensc.runner.emit import require_of_use
    from ensc.runner.emit_instance import emit_instances, emit_query, is_property, load_property
    from ensc.runner.script import Form

    if (options.output is None) == (options.split is None) or options.emit:
        print("ensc compile: give -o OUT or --split DIR\nTry `ensc compile --help`.", file=sys.stderr)
        return USAGE
    form = Form(options.relu, options.dialect)
    require_of_use(options.output or options.split, form)
    if is_property(options.query) and options.output:
        instances = load_property(options.query, options.network)[1]
        lines = emit_instances(instances, Options(options.level, options.formulation), options.output, form)
    else:
        loaded = load(options)
        if len(loaded) > 1:
            print("ensc compile: a sweep is not one VNN-LIB file or folder", file=sys.stderr)
            return USAGE
        if options.split:
            written = write_instances(loaded[0].problem, options.split)
            lines = iter([f"wrote {len(written.files)} files to {options.split}", *written.notes])
        else:
            lines = emit_query(loaded[0].problem, options.output)
    for line in lines:
        print(line)
    return DONE
