"""Compile and write: model files by suffix, sweeps as several files, any level of the compiler as text."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ensc.compiler.diagnostics import reject
from ensc.compiler.passes.draft import Draft
from ensc.compiler.passes.notes import describe_problem
from ensc.compiler.passes.scopes.scope import Scope
from ensc.compiler.passes.show import model_text
from ensc.compiler.pipeline import PASSES, Compiled, Options
from ensc.compiler.quoting import alternatives, counted
from ensc.compiler.types.facts import Facts
from ensc.compiler.types.network import MaxPool, Relu
from ensc.compiler.types.problem import EnsembleProblem, Member
from ensc.formats import write_file, write_lp, write_mps
from ensc.runner.emitting.script import Form, write_script
from ensc.runner.emitting.sweep import sweep_paths
from ensc.runner.joint.build import Effort, build
from ensc.runner.joint.start import Start, StartFile, start_of, write_start_file
from ensc.runner.reports.stats import Json, stats_json, stats_lines

LEVELS = ("query", "problem", "bounds", *PASSES)
"""What `--emit` prints: the query, the problem, what any pass made; `bounds` is the last before the model."""

FORMATS = (".mps", ".lp", ".smt2")
"""Suffixes of the formats that a compiled query is written in."""

PLAIN = Form()


def emit_level(problem: EnsembleProblem, options: Options, level: str, effort: Effort | None = None) -> str:
    """Return one language of the compiler, or what one of its passes made, as text.

    Args:
        problem: what is compiled.
        options: for the compiler.
        level: one of `LEVELS` except the query, whose text the problem has not kept.
        effort: what compiling may cost.

    Raises:
        Rejected: E1061 if the pass does not run at this optimization level; what the compiler rejects.
    """
    if level == "problem":
        return "".join(f"{line}\n" for line in describe_problem(problem))
    stages = build(problem, options, effort).stages
    if level == "bounds":
        level = next(stage.name for stage in reversed(stages) if isinstance(stage.product, Draft))
    found = next((stage for stage in stages if stage.name == level), None)
    if found is None:
        reject(
            "E1061",
            f"the pass `{level}` does not run at -O{options.level}",
            notes=(f"at -O{options.level} these do: {', '.join(stage.name for stage in stages)}",),
            help="name one of them, or choose another optimization level",
        )
    product = found.product
    if isinstance(product, Draft):
        return "".join(f"{line}\n" for line in (f"{found.name}: {found.said}", *_draft_lines(product)))
    return model_text(product)


def emit_sweep(
    problems: Sequence[EnsembleProblem],
    options: Options,
    path: Path,
    *,
    form: Form = PLAIN,
    effort: Effort | None = None,
    start: StartFile | None = None,
) -> Iterator["Written"]:
    """Write one file for each problem, named by `sweep_paths`; yield what is to be said about each.

    Args:
        problems: the points of a sweep.
        options: for the compiler.
        path: of the file; its suffix names the format.
        form: how scripts are written.
        effort: what compiling may cost.
        start: where a MILP solver's start is to be written beside each file.

    Raises:
        Rejected: E1010 if the suffix is of no known format, E1011 if the form is not for it; what the
            compiler rejects; what the format cannot hold; E1020 if the file cannot be written; E1070 and
            E1071 if there is no start, before anything is written.
    """
    _require_known(path)
    require_of_use(path, form)
    if start is not None and _format(path) == ".smt2":
        reject("E1071", f"a script like `{path.name}` has no start", help="write to a .mps or .lp file")
    beside = [None] * len(problems) if start is None else sweep_paths(start.path, problems)
    for problem, target, other in zip(problems, sweep_paths(path, problems), beside, strict=True):
        begin = time.perf_counter()
        compiled = build(problem, options, effort)
        compiling = time.perf_counter() - begin
        found = None if start is None else start_of(compiled)
        begin = time.perf_counter()
        write_model(compiled, target, form)
        if start is not None and found is not None and other is not None:
            write_start_file(compiled.linear, found, other, start.form)
        yield Written(compiled, target, compiling, time.perf_counter() - begin, other, found)


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A file that was written.

    Attributes:
        compiled: what it holds.
        path: where it is.
        compiling: seconds.
        writing: seconds.
        beside: where a start is, if one was written.
        start: what it is.
    """

    compiled: Compiled
    path: Path
    compiling: float
    writing: float
    beside: Path | None = None
    start: Start | None = None

    def wrote(self) -> Iterator[str]:
        """Tell which files there are."""
        yield f"wrote {self.path}"
        if self.start is not None:
            yield f"wrote {self.beside}: {self.start.told()}"

    def lines(self) -> Iterator[str]:
        """Tell sizes and times, pass by pass."""
        return stats_lines(self.compiled, self.path, self.compiling, self.writing)

    def json(self) -> Json:
        """Return sizes and times, pass by pass."""
        return stats_json(self.compiled, self.path, self.compiling, self.writing)


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


def _draft_lines(draft: Draft) -> Iterator[str]:
    """Say what is known, and for every member and piecewise-linear layer how many units have a choice."""
    yield f"attacks {draft.attacks}" + (", by descending probability" if draft.ordered else "")
    if draft.facts is not None:
        yield from _facts_lines(draft.facts)
    for member, scope in zip(draft.problem.ensemble, draft.scopes, strict=True):
        what = "may be fooled" if draft.facts is None else "keeps a network"
        yield f"{member.name}: {what} at points {', '.join(map(str, scope.points + 1)) or 'none'}"
        yield from _layer_lines(member, scope)


def _facts_lines(facts: Facts) -> Iterator[str]:
    """Say for every point which members can be fooled together, counting both from 1."""
    for j, point in enumerate(facts.points, start=1):
        known = [] if point.patterns is None else [pattern.members for pattern in point.patterns]
        solved = "open" if point.patterns is None else f"solved, patterns {_sets(known)}"
        yield f"point {j}: {solved}; excluded {_sets(point.excluded)}"


def _sets(groups: Iterable[Sequence[int]]) -> str:
    return " ".join("{" + ",".join(str(c + 1) for c in group) + "}" for group in groups) or "none"


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
