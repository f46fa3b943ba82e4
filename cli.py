"""The command line: arguments in, text out. Nothing else knows that there is a terminal.

Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 input rejected,
2 usage, 3 undecided within the limits, or solvers contradict each other, 4 the answer contradicts `expect`.
"""

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from ensc.compiler.diagnostics import Diagnostic, Rejected, Severity, Source

if TYPE_CHECKING:
    from ensc.compiler.frontend.query.resolve import Loaded, Overrides
    from ensc.compiler.types.problem import EnsembleProblem
    from ensc.compiler.types.solution import Verdict
    from ensc.runner.portfolio import Answer
    from ensc.runner.solve import Result, Settings
    from ensc.runner.solvers.choose import BackEnd
    from ensc.runner.split.answer import Backend

DONE, REJECTED, USAGE, UNDECIDED, CONTRADICTED = range(5)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options = _parser().parse_args(arguments)
    options.said = []
    code = _run(options)
    if options.diagnostics == "json" and options.said:
        _print_json(options.said)
    return code


def _run(options: argparse.Namespace) -> int:
    try:
        code: int = options.run(options)
        if sys.stdout is not None:  # None where the caller closed it
            sys.stdout.flush()
    except Rejected as rejected:
        _report(rejected.diagnostics, options)
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
        _report([_unwritten(error) or _internal(error)], options)
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


def _report(diagnostics: Sequence[Diagnostic], options: argparse.Namespace) -> None:
    """Print diagnostics; as JSON they are kept, since all of a run are one object."""
    from ensc.compiler.render import render_text

    if options.diagnostics == "text":
        blank = "\n" if options.said else ""
        print(blank + render_text(diagnostics).rstrip("\n"), file=sys.stderr)
    options.said.extend(diagnostics)


def _print_json(diagnostics: Sequence[Diagnostic]) -> None:
    from ensc.compiler.render import render_json

    print(render_json(diagnostics), end="", file=sys.stderr)


class _Parser(argparse.ArgumentParser):
    """Says what was meant, and where help is."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message}\nTry `{self.prog} --help`.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="ensc", description="Compile and solve robustness queries about ensembles.")
    parser.add_argument("--version", action="version", version=f"ensc {version('ensc-compiler')}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_compile(commands)
    _add_solve(commands)
    _add_decode(commands)
    _add_archive(commands)
    _add_check(commands)
    _add_fmt(commands)
    _add_explain(commands)
    _add_info(commands)
    _add_solvers(commands)
    return parser


Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"  # noqa: SLF001 - it has no public name


def _command(commands: Commands, name: str, summary: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=summary)
    parser.add_argument("--diagnostics", choices=["text", "json"], default="text", help="form of messages")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")
    return parser


def _query_command(
    commands: Commands, name: str, summary: str, *, also: str = "", optional: bool = False
) -> argparse.ArgumentParser:
    parser = _command(commands, name, summary)
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


def _add_levels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-O", dest="level", type=int, choices=[0, 1], default=1, help="optimization level")


# check -----------------------------------------------------------------------------------------------


def _add_check(commands: Commands) -> None:
    parser = _query_command(commands, "check", "Read a query and everything it names; say what is wrong.")
    parser.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> int:
    from ensc.compiler.passes.notes import summary

    for loaded in _load(options):
        print(f"{options.query}: {summary(loaded.problem)}")
    return DONE


def _load(options: argparse.Namespace) -> Sequence["Loaded"]:
    """Load a query, once for each combination of swept parameters; print its warnings once."""
    from ensc.compiler.frontend.query.resolve import load_sweep

    loaded = load_sweep(options.query, _overrides(options))
    warnings = dict.fromkeys(warning for each in loaded for warning in each.warnings)
    if warnings:
        _report(list(warnings), options)
    return loaded


def _overrides(options: argparse.Namespace) -> "Overrides":
    from ensc.compiler.frontend.query.resolve import Overrides

    return Overrides(tuple(options.define), tuple(options.network), tuple(options.data))


# compile ---------------------------------------------------------------------------------------------


def _add_compile(commands: Commands) -> None:
    parser = _query_command(
        commands, "compile", "Compile a query to a file that solvers read.", also=", or a .vnnlib property"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="OUT", help="OUT.mps, OUT.lp or OUT.smt2, or with .gz"
    )
    _add_levels(parser)
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
    parser.set_defaults(run=_compile)


def _compile(options: argparse.Namespace) -> int:
    from ensc.runner.emit_instance import is_property

    if options.split or any(is_property(p) for p in (options.query, options.output) if p):
        return _compile_instances(options)
    if (options.output is None) == (options.emit is None):
        print("ensc compile: give -o OUT.mps, or --emit LEVEL\nTry `ensc compile --help`.", file=sys.stderr)
        return USAGE
    if options.emit == "query":
        print(_formatted(options.query), end="")
        return DONE
    from ensc.compiler.pipeline import Options
    from ensc.runner.emit import emit_level, emit_sweep
    from ensc.runner.script import Form

    loaded = [each.problem for each in _load(options)]
    compiler_options = Options(level=options.level)
    if options.emit:
        for problem in loaded:
            print(emit_level(problem, compiler_options, options.emit), end="")
        return DONE
    form = Form(options.relu, options.dialect)
    for line in emit_sweep(loaded, compiler_options, options.output, stats=options.stats, form=form):
        print(line)
    return DONE


def _compile_instances(options: argparse.Namespace) -> int:
    """Compile from VNN-LIB or to it."""
    from ensc.compiler.pipeline import Options
    from ensc.formats.vnnlib.folder import write_instances
    from ensc.runner.emit_instance import emit_instances, emit_query, is_property, load_property

    if (options.output is None) == (options.split is None) or options.emit:
        print("ensc compile: give -o OUT or --split DIR\nTry `ensc compile --help`.", file=sys.stderr)
        return USAGE
    if is_property(options.query) and options.output:
        instances = load_property(options.query, options.network)[1]
        lines = emit_instances(instances, Options(level=options.level), options.output)
    else:
        loaded = _load(options)
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


# solve and decode ------------------------------------------------------------------------------------


def _add_answer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.add_argument("--save-attack", type=Path, metavar="OUT.npz", help="write the attack's arrays")


def _add_solve(commands: Commands) -> None:
    parser = _query_command(
        commands,
        "solve",
        "Answer a query; certify the answer in exact arithmetic.",
        also=", or a .vnnlib property (with --network)",
        optional=True,
    )
    _add_levels(parser)
    parser.add_argument(
        "--solver",
        default="cbc",
        metavar="WHAT",
        help="cbc (the default), highs, scip, z3, cvc5, yices or pysmt:NAME; several with commas; all that "
        "are installed: all; any program: 'command PROGRAM {model.lp} {solution}', with {model.mps} or "
        "{model.smt2} where it reads these, {time_limit}, and without {solution} if it prints its answer",
    )
    parser.add_argument("--time-limit", type=_seconds, metavar="S", help="seconds for the solver")
    parser.add_argument("--verbose", action="store_true", help="show the solver's log")
    _add_split(parser)
    _add_answer(parser)
    parser.add_argument("--instances", type=Path, metavar="CSV", help="run a VNN-COMP instances.csv instead")
    parser.add_argument("--witness", type=Path, metavar="OUT", help="write a property's counterexample")
    parser.set_defaults(run=_solve)


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
    parser.add_argument("--jobs", type=_jobs, default=1, metavar="N", help="processes; split only")
    parser.add_argument(
        "--query-time-limit", type=_seconds, metavar="S", help="seconds for one question; split only"
    )


def _jobs(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"expected a number of processes from 1 to 1024, found `{text}`")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number of seconds above 0, found `{text}`")
    return value


def _solve(options: argparse.Namespace) -> int:
    from ensc.runner.emit_instance import is_property

    if (options.query is None) == (options.instances is None):
        print("ensc solve: give a QUERY, or --instances CSV\nTry `ensc solve --help`.", file=sys.stderr)
        return USAGE
    if options.instances or is_property(options.query):
        return _solve_instances(options)
    from ensc.compiler.pipeline import Options
    from ensc.runner.solve import Settings, solve_joint
    from ensc.runner.solvers.choose import choose_solvers
    from ensc.runner.split.backends import backend_of

    solvers = choose_solvers(options.solver)
    backend = backend_of(solvers[0])
    if options.strategy == "split" and len(solvers) == 1 and backend is not None:
        return max(_answer(_split(each.problem, backend, options), options) for each in _load(options))
    settings = Settings(Options(level=options.level), options.time_limit, options.verbose, solvers[0])
    if len(solvers) == 1:
        return max(_answer(solve_joint(each.problem, settings), options) for each in _load(options))
    return max(_solve_with_all(each.problem, solvers, settings, options) for each in _load(options))


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
    code = _answer(found.combined, options, printed=options.json)
    contradiction = disagreement(found)
    if contradiction is None:
        return code
    _report([contradiction], options)
    return max(code, UNDECIDED)


def _solve_instances(options: argparse.Namespace) -> int:
    """Answer a VNN-LIB property, or a list of them."""
    import json

    from ensc.compiler.pipeline import Options
    from ensc.formats import write_file
    from ensc.formats.vnnlib.witness import write_witness
    from ensc.runner.benchmark import line_json, line_text, run_benchmark
    from ensc.runner.emit_instance import load_property
    from ensc.runner.instance import solve_instances
    from ensc.runner.instance_report import instance_json, render_instance
    from ensc.runner.solve import Settings
    from ensc.runner.solvers.choose import choose_solvers

    solvers = choose_solvers(options.solver)
    if len(solvers) > 1:
        print("ensc solve: give one solver for VNN-LIB", file=sys.stderr)
        return USAGE
    settings = Settings(Options(level=options.level), options.time_limit, options.verbose, solvers[0])
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


def _add_decode(commands: Commands) -> None:
    parser = _query_command(commands, "decode", "Turn a solver's own solution file into a certified attack.")
    parser.add_argument("solution", type=Path, metavar="SOLUTION", help="the file the solver wrote")
    parser.add_argument("--format", help="its format, where that is not evident")
    _add_answer(parser)
    parser.set_defaults(run=_decode)


def _decode(options: argparse.Namespace) -> int:
    from ensc.compiler.frontend.query.resolve import load_problem
    from ensc.formats import read_file
    from ensc.runner.solve import conclude
    from ensc.runner.solvers.claims import read_answer

    loaded = load_problem(options.query, _overrides(options))
    if loaded.warnings:
        _report(loaded.warnings, options)
    text = read_file(options.solution, noun="solution file")
    answer = read_answer(text, options.solution.name, format=options.format)
    return _answer(conclude(loaded.problem, *answer), options)


def _answer(result: "Result", options: argparse.Namespace, *, printed: bool = False) -> int:
    """Print a result, unless that is done; return the exit code it deserves."""
    import json

    from ensc.compiler.types.solution import Word
    from ensc.runner.expectation import compare_expectation
    from ensc.runner.report import result_json, save_attack
    from ensc.runner.show import render_result

    if options.save_attack and result.verdict.attack is not None:
        save_attack(options.save_attack, result)
    if options.json and not printed:
        print(json.dumps(result_json(result), indent=2))
    if not options.json:
        print(render_result(result), end="")
    contradiction = compare_expectation(result.problem, result.verdict)
    if contradiction is not None:
        _report([contradiction], options)
        return CONTRADICTED if contradiction.severity is Severity.ERROR else DONE
    return UNDECIDED if result.verdict.word is Word.UNKNOWN else DONE


# archive ---------------------------------------------------------------------------------------------


def _add_archive(commands: Commands) -> None:
    parser = _query_command(
        commands,
        "archive",
        "Write a benchmark folder: a query, all it names, and every form of it.",
        also=", or with --verify the folder of an archive",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="a folder that does not exist yet")
    parser.add_argument("--verify", action="store_true", help="check an archive instead")
    parser.add_argument(
        "--solve", action="store_true", help="solve the query with CBC first, and archive what was certified"
    )
    parser.add_argument("--time-limit", type=_seconds, metavar="S", help="seconds for solving")
    parser.set_defaults(run=_archive)


def _archive(options: argparse.Namespace) -> int:
    if options.verify == (options.output is not None):
        print("ensc archive: give QUERY -o DIR, or --verify DIR\nTry `ensc archive --help`.", file=sys.stderr)
        return USAGE
    from ensc.runner.archive import create_archive, verify_archive

    if options.verify:
        print(f"{options.query}: {verify_archive(options.query)}")
        return DONE
    problem = _load_one(options)
    verdict = _archived_verdict(problem, options) if options.solve else None
    for note in create_archive(problem, options.output, verdict):
        print(f"  {note}")
    print(f"wrote {options.output}")
    return DONE


def _load_one(options: argparse.Namespace) -> "EnsembleProblem":
    from ensc.compiler.frontend.query.resolve import load_problem

    loaded = load_problem(options.query, _overrides(options))
    if loaded.warnings:
        _report(loaded.warnings, options)
    return loaded.problem


def _archived_verdict(problem: "EnsembleProblem", options: argparse.Namespace) -> "Verdict":
    """Solve what is to be archived, once it is clear that it can be."""
    from ensc.compiler.types.solution import Word
    from ensc.runner.archive.create import require_archivable, require_free
    from ensc.runner.split.loop import SplitSettings
    from ensc.runner.split.solve import solve_split

    require_archivable(problem)
    require_free(options.output)
    verdict = solve_split(problem, SplitSettings(time_limit=options.time_limit)).verdict
    if verdict.word is Word.UNKNOWN:
        print("not solved: the archive says what the query expects", file=sys.stderr)
    return verdict


# fmt, explain, info, solvers -------------------------------------------------------------------------


def _add_fmt(commands: Commands) -> None:
    parser = _command(commands, "fmt", "Rewrite queries in their canonical layout; keeps every comment.")
    parser.add_argument("queries", type=Path, nargs="+", metavar="QUERY", help="a .rq or .rqi file")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a file would change")
    parser.add_argument("--stdout", action="store_true", help="print instead of rewriting")
    parser.set_defaults(run=_fmt)


def _formatted(path: Path) -> str:
    from ensc.compiler.frontend.syntax.format import format_query
    from ensc.compiler.frontend.syntax.parse import parse_query

    return format_query(parse_query(_source(path)))


def _source(path: Path) -> Source:
    from ensc.compiler.frontend.query.include import read_source

    return read_source(path)


def _fmt(options: argparse.Namespace) -> int:
    from ensc.formats import write_file

    changed = 0
    for path in options.queries:
        text = _formatted(path)
        if options.stdout:
            print(text, end="")
        elif text != _source(path).text:
            changed += 1
            print(f"{'would reformat' if options.check else 'reformatted'} {path}", file=sys.stderr)
            if not options.check:
                write_file(path, [text.encode()])
    return REJECTED if options.check and changed else DONE


def _add_explain(commands: Commands) -> None:
    parser = _command(commands, "explain", "Tell the long story of a diagnostic.")
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
    parser = _command(commands, "info", "Describe an ONNX network, and whatever in it cannot be read.")
    parser.add_argument("network", type=Path, metavar="NET.onnx")
    parser.set_defaults(run=_info)


def _info(options: argparse.Namespace) -> int:
    from ensc.compiler.frontend.onnx.summary import render_summary, summarize

    summary = summarize(options.network)
    print(render_summary(summary), end="")
    return REJECTED if summary.unsupported else DONE


def _add_solvers(commands: Commands) -> None:
    parser = _command(commands, "solvers", "List the solvers, their versions, and the files they are given.")
    parser.add_argument("--test", action="store_true", help="run a small model through each")
    parser.set_defaults(run=_solvers)


def _solvers(options: argparse.Namespace) -> int:
    from ensc.runner.probe import probe_solvers

    passed = True
    for probe in probe_solvers(test=options.test):
        print(probe.text, flush=True)
        passed = passed and probe.failure is None
    return DONE if passed else UNDECIDED
