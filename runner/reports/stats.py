"""What `--stats` tells of a compilation: one row a pass, with the size of the model that it leaves.

The size after a pass is that of the linear model which its result would become, so that every row, column
and binary that a pass saves is booked on it. Lowering for this takes time, which is not counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ensc.compiler.passes.draft import Draft, lowered, printed
from ensc.compiler.pipeline import Compiled, Options, Stage, linearized
from ensc.compiler.quoting import counted
from ensc.compiler.types.model import Model, Size, size_of
from ensc.compiler.types.network import Affine, Convolution
from ensc.compiler.types.problem import EnsembleProblem

SCHEMA = "ensc-stats-1"

MOST_COPIES = 30_000_000
"""Coefficients of all copies of networks beyond which the encoding as printed is not made, only to count."""

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | None"


@dataclass(frozen=True, slots=True)
class Counted:
    """A row of the table.

    Attributes:
        name: of the pass.
        said: what it did.
        size: after it, None if unknown.
        seconds: that it took, None if it did not run.
    """

    name: str
    said: str
    size: Size | None
    seconds: float | None


def count_passes(compiled: Compiled) -> list[Counted]:
    """Return a row for each pass; for an optimized model, first the encoding as printed, to compare with."""
    options = Options(compiled.level, compiled.formulation)
    rows = [_counted(stage, options) for stage in compiled.stages]
    if compiled.level == 0:
        return rows
    return [_reference(compiled.problem, compiled, options), *rows]


def _reference(problem: EnsembleProblem, compiled: Compiled, options: Options) -> Counted:
    said = "for comparison: the paper's encoding"
    if _copied(problem) > MOST_COPIES:
        return Counted("(-O0)", f"{said}, too large to be made here", None, None)
    draft, _ = printed(problem, compiled.sets)
    return Counted("(-O0)", said, size_of(linearized(lowered(draft), Options(0, options.formulation))), None)


def _copied(problem: EnsembleProblem) -> int:
    """Return about how many coefficients all copies of all networks have."""
    layers = [layer for member in problem.ensemble for layer in member.network.layers]
    dense = sum(int(layer.weight.size) for layer in layers if isinstance(layer, Affine))
    sparse = sum(int(layer.kernel[0].size) * layer.size for layer in layers if isinstance(layer, Convolution))
    return (dense + sparse) * len(problem.points) * problem.threat.count


def _counted(stage: Stage, options: Options) -> Counted:
    return Counted(stage.name, stage.said, _size(stage.product, options), stage.seconds)


def _size(product: Draft | Model, options: Options) -> Size:
    model = lowered(product) if isinstance(product, Draft) else product
    return size_of(model if model.is_linear else linearized(model, options))


def stats_lines(compiled: Compiled, path: Path, compiling: float, writing: float) -> Iterator[str]:
    """Tell sizes and times for people."""
    size = size_of(compiled.linear)
    yield f"  attacks     {compiled.attacks}"
    yield f"  rows        {size.rows}"
    yield f"  columns     {size.columns}"
    yield f"  nonzeros    {size.nonzeros}"
    yield f"  integers    {size.integers}"
    yield f"  bytes       {path.stat().st_size}"
    yield f"  compiled in {compiling:.3f} s, written in {writing:.3f} s"
    total = counted(len(compiled.problem.points), "point")
    for name, points in _fooled(compiled).items():
        yield f"  {name}: may be fooled at {points} of {total}"
    rows = count_passes(compiled)
    yield from _drawn(rows)
    yield from (f"  {row.name}: {row.said}" for row in rows)


def _fooled(compiled: Compiled) -> dict[str, int]:
    """Return for each member at how many points the file lets it be fooled, by a network or by a pattern."""
    solved = [] if compiled.facts is None else [point.patterns or () for point in compiled.facts.points]
    return {
        member.name: len(scope.points)
        + sum(any(c in pattern.members for pattern in patterns) for patterns in solved)
        for c, (member, scope) in enumerate(zip(compiled.problem.ensemble, compiled.scopes, strict=True))
    }


def _drawn(rows: list[Counted]) -> Iterator[str]:
    """Draw a table of sizes, each with the size before it."""
    header = ("after pass", "columns", "rows", "nonzeros", "binaries", "seconds")
    table = [header, *(_cells(row) for row in rows)]
    widths = [max(len(cells[k]) for cells in table) for k in range(len(header))]
    for cells in table:
        first = cells[0].ljust(widths[0])
        rest = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
        yield "  " + "  ".join([first, *rest]).rstrip()


def _cells(row: Counted) -> tuple[str, ...]:
    seconds = "" if row.seconds is None else f"{row.seconds:.3f}"
    if row.size is None:
        return (row.name, "-", "-", "-", "-", seconds)
    size = row.size
    return (row.name, *map(str, (size.columns, size.rows, size.nonzeros, size.integers)), seconds)


def stats_json(compiled: Compiled, path: Path, compiling: float, writing: float) -> Json:
    """Return the same for programs; `before` is the size after the pass that ran before."""
    rows = count_passes(compiled)
    before: list[Size | None] = [None, *(row.size for row in rows)]
    passes: list[Json] = [
        {
            "pass": row.name,
            "did": row.said,
            "before": _size_json(earlier),
            "after": _size_json(row.size),
            "seconds": row.seconds,
        }
        for row, earlier in zip(rows, before, strict=False)
    ]
    return {
        "schema": SCHEMA,
        "query": compiled.problem.name,
        "file": str(path),
        "bytes": path.stat().st_size,
        "level": compiled.level,
        "formulation": compiled.formulation,
        "attacks": compiled.attacks,
        **(_size_json(size_of(compiled.linear)) or {}),
        "fooled": dict(_fooled(compiled)),
        "points": len(compiled.problem.points),
        "seconds": {"compile": compiling, "write": writing},
        "passes": passes,
    }


def _size_json(size: Size | None) -> dict[str, Json] | None:
    if size is None:
        return None
    return {
        "rows": size.rows,
        "columns": size.columns,
        "nonzeros": size.nonzeros,
        "integers": size.integers,
    }
