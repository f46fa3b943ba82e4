"""`ensc solve` of VNN-LIB properties: one of them, or a list."""

import argparse
import sys

from ensc.commands.outcome import DONE, REJECTED, UNDECIDED, USAGE


def run_instances(options: argparse.Namespace) -> int:
    """Answer a VNN-LIB property, or a list of them."""
    import json

    from ensc.compiler.pipeline import Options
    from ensc.formats import write_file
    from ensc.formats.vnnlib.witness import write_witness
    from ensc.runner.emitting.emit_instance import load_property
    from ensc.runner.joint.solve import Settings
    from ensc.runner.properties.benchmark import line_json, line_text, run_benchmark
    from ensc.runner.properties.instance import solve_instances
    from ensc.runner.properties.instance_report import instance_json, render_instance
    from ensc.runner.solvers.choose import choose_solvers

    solvers = choose_solvers(options.solver)
    if len(solvers) > 1:
        print("ensc solve: give one solver for VNN-LIB", file=sys.stderr)
        return USAGE
    level = min(options.level, 1)  # the passes beyond are about queries
    settings = Settings(Options(level=level), options.time_limit, options.verbose, solvers[0])
    if options.instances:
        words = set()
        for line in run_benchmark(options.instances, settings):
            words.add(line.word)
            print(json.dumps(line_json(line)) if options.json else line_text(line), flush=True)
        return REJECTED if "error" in words else UNDECIDED if "unknown" in words else DONE
    stated, instances = load_property(options.query, options.network)
    result = solve_instances(instances, settings)
    if options.witness and result.instance is not None and result.values is not None:
        write_file(options.witness, write_witness(stated, result.instance, result.values))
    if options.json:
        print(json.dumps(instance_json(stated, result), indent=2))
    else:
        print(render_instance(stated, result), end="")
    return UNDECIDED if result.answer.value == "unknown" else DONE
