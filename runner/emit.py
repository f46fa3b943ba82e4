"""Compile and write: model files by suffix, sweeps as several files, any level of the compiler as text."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, assert_never

import numpy as np

from ensc.compiler.diagnostics import reject
from ensc.compiler.passes.notes import describe_problem
from ensc.compiler.passes.scope import Scope
from ensc.compiler.passes.show import model_text
from ensc.compiler.pipeline import Compiled, Options, compile_problem
from ensc.compiler.quoting import alternatives, counted
from ensc.compiler.types.model import size_of
from ensc.compiler.types.network import MaxPool, Relu
from ensc.compiler.types.problem import EnsembleProblem, Member
from ensc.formats import write_file, write_lp, write_mps
from ensc.runner.script import Form, write_script
from ensc.runner.sweep import sweep_paths

Level = Literal["problem", "bounds", "model", "linear"]

FORMATS = (".mps", ".lp", ".smt2")
"""Suffixes of the formats that a compiled query is written in."""

PLAIN = Form()


def emit_level(problem: EnsembleProblem, options: Options, level: Level) -> str:
    """Return one language of the compiler as text."""
    if level == "problem":
        return "".join(f"{line}\n" for line in describe_problem(problem))
    compiled = compile_problem(problem, options)
    match level:
        case "bounds":
            return "".join(f"{line}\n" for line in _bounds_lines(compiled))
        case "model":
            return model_text(compiled.model)
        case "linear":
            return model_text(compiled.linear)
        case _:
            assert_never(level)


def emit_sweep(
    problems: Sequence[EnsembleProblem], options: Options, path: Path, *, stats: bool, form: Form = PLAIN
) -> Iterator[str]:
    """Write one file for each problem, named by `sweep_paths`; yield what is to be said about each.

    Args:
        problems: the points of a sweep.
        options: for the compiler.
        path: of the file; its suffix names the format.
        stats: whether to tell sizes and times.
        form: how scripts are written.

    Raises:
        Rejected: E1010 if the suffix is of no known format, E1011 if the form is not for it; what the
            compiler rejects; what the format cannot hold; E1020 if the file cannot be written.
    """
    _require_known(path)
    require_of_use(path, form)
    for problem, target in zip(problems, sweep_paths(path, problems), strict=True):
        start = time.perf_counter()
        compiled = compile_problem(problem, options)
        compiled_at = time.perf_counter()
        write_model(compiled, target, form)
        written = time.perf_counter()
        yield f"wrote {target}"
        if stats:
            yield from _statistics(compiled, target, compiled_at - start, written - compiled_at)


def write_model(compiled: Compiled, path: Path, form: Form = PLAIN) -> None:
    """Write a compiled problem in the format that the suffix names.

    Args:
        compiled: the problem.
        path: of the file.
        form: how a script is written.

    Raises:
        Rejected: E1010 if the suffix is of no known format, E1030 to E1035 for what a script cannot hold,
            E1020 if the file cannot be written.
    """
    match _format(path):
        case ".mps":
            write_file(path, write_mps(compiled.linear, indicators=True, ordered_sets=True))
        case ".lp":
            write_file(path, write_lp(compiled.linear, indicators=True, ordered_sets=True))
        case ".smt2":
            write_file(path, write_script(compiled, form))
        case _:
            _require_known(path)


def _format(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix


def _require_known(path: Path) -> None:
    if _format(path) not in FORMATS:
        reject(
            "E1010",
            f"the suffix of `{path.name}` names no format",
            help=f"write to a file that ends in {alternatives(FORMATS)}, with or without `.gz` after it",
        )


def require_of_use(path: Path, form: Form) -> None:
    """Refuse a form of scripts for what is no script.

    Raises:
        Rejected: E1011.
    """
    if form != PLAIN and _format(path) != ".smt2":
        reject(
            "E1011",
            f"`--relu` and `--dialect` are about SMT-LIB scripts, and `{path.name}` is none",
            help="leave them out, or write to a file that ends in .smt2",
        )


def _statistics(compiled: Compiled, path: Path, compiling: float, writing: float) -> Iterator[str]:
    size = size_of(compiled.linear)
    yield f"  attacks     {compiled.attacks}"
    yield f"  rows        {size.rows}"
    yield f"  columns     {size.columns}"
    yield f"  nonzeros    {size.nonzeros}"
    yield f"  integers    {size.integers}"
    yield f"  bytes       {path.stat().st_size}"
    yield f"  compiled in {compiling:.3f} s, written in {writing:.3f} s"
    for member, scope in zip(compiled.problem.ensemble, compiled.scopes, strict=True):
        total = len(compiled.problem.points)
        yield f"  {member.name}: may be fooled at {len(scope.points)} of {counted(total, 'point')}"


def _bounds_lines(compiled: Compiled) -> Iterator[str]:
    """Say for every member and piecewise-linear layer how many units still have a choice."""
    for member, scope in zip(compiled.problem.ensemble, compiled.scopes, strict=True):
        yield f"{member.name}: may be fooled at points {', '.join(map(str, scope.points + 1)) or 'none'}"
        yield from _layer_lines(member, scope)


def _layer_lines(member: Member, scope: Scope) -> Iterator[str]:
    for number, layer in enumerate(member.network.layers, start=1):
        values = scope.plan.bounds.values
        if not len(scope.points):
            return
        width = values[number].upper - values[number].lower
        units = counted(layer.size, "unit")
        text = f"  layer {number} {type(layer).__name__}: {units}, mean width {width.mean():.4g}"
        if isinstance(layer, Relu):
            x = values[layer.source]
            text += f", unstable {_mean((x.lower < 0) & (x.upper > 0)):.1f} a point"
        if isinstance(layer, MaxPool):
            alive = scope.plan.candidates[number].sum(axis=2) > 1
            text += f", open {_mean(alive):.1f} a point"
        yield text


def _mean(flags: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    return float(flags.sum(axis=1).mean())
