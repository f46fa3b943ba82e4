"""How fast models are written: ensc's MPS and LP beside the C++ writer of HiGHS, in the same run.

    python benchmarks/writers.py                  one million nonzeros, a table
    python benchmarks/writers.py --json           the same as JSON
    python benchmarks/writers.py --distinct       no two coefficients alike, which is the worst case

The model is what ensc compiles: copies of one dense network with rectifiers, the same weights in each copy.
Every writer runs in a process of its own and writes to a file; of several runs the fastest counts. `cpu` is
the processor's time, which other work on the machine disturbs less. `memory` is what the process needed at
its peak beyond the model in memory, in multiples of the file.
"""

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ensc.compiler.types.model import Labels, Model, Objective, RowGroup, Rows, Variables
from ensc.formats import write_file, write_lp, write_mps

WRITERS = ("ensc mps", "highspy mps", "ensc lp", "highspy lp")
INPUTS, HIDDEN, CLASSES = 64, 100, 10


@dataclass(frozen=True, slots=True)
class Result:
    """One writer's performance.

    Attributes:
        writer: program and format.
        seconds: of the fastest run.
        cpu: processor time of the run with the least.
        megabytes: of the file.
        nonzeros: of the model.
        memory: peak beyond the model, in multiples of the file; None where it cannot be measured.
    """

    writer: str
    seconds: float
    cpu: float
    megabytes: float
    nonzeros: int
    memory: float | None

    @property
    def megabytes_a_second(self) -> float:
        """The size of the file over the time."""
        return self.megabytes / self.seconds

    @property
    def nonzeros_a_second(self) -> float:
        """The number of nonzeros over the time."""
        return self.nonzeros / self.seconds


def ensemble(nonzeros: int, *, distinct: bool) -> Model:
    """Return the big-M model of copies of one network, with about this many nonzeros."""
    rng = np.random.default_rng(0)
    layers = [(HIDDEN, INPUTS), (HIDDEN, HIDDEN), (CLASSES, HIDDEN)]
    weights = [rng.normal(size=shape).astype(np.float32).astype(np.float64) for shape in layers]
    template = _template(weights)
    copies = max(1, nonzeros // len(template.columns))
    values = np.tile(template.coefficients, copies)
    if distinct:
        values *= rng.uniform(1, 2, len(values))
    width = len(template.lower)
    columns = (template.columns[None] + width * np.arange(copies)[:, None]).ravel()
    lengths = np.tile(np.diff(template.starts), copies)
    rows = len(lengths)
    index = np.arange(1, copies + 1)
    return Model(
        "writers",
        Variables(
            np.tile(template.lower, copies),
            np.tile(template.upper, copies),
            np.tile(template.integer, copies),
            (Labels("h", np.ix_(np.arange(1, 2), index, np.arange(1, width + 1))),),
        ),
        Rows(
            np.concatenate([[0], np.cumsum(lengths)]),
            columns,
            values,
            np.full(rows, -np.inf),
            np.tile(template.sides, copies),
            np.full(rows, -1),
            np.ones(rows, dtype=np.bool_),
            (RowGroup(rows, "a network"),),
        ),
        Objective("minimize", np.arange(INPUTS), np.ones(INPUTS)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """One copy: its columns, and its rows in CSR form, all of sense `<=`."""

    lower: np.ndarray[Any, np.dtype[np.float64]]
    upper: np.ndarray[Any, np.dtype[np.float64]]
    integer: np.ndarray[Any, np.dtype[np.bool_]]
    starts: np.ndarray[Any, np.dtype[np.int64]]
    columns: np.ndarray[Any, np.dtype[np.int64]]
    coefficients: np.ndarray[Any, np.dtype[np.float64]]
    sides: np.ndarray[Any, np.dtype[np.float64]]


def _template(weights: Sequence[np.ndarray[Any, np.dtype[np.float64]]]) -> Template:
    """Return `a = W h`, `h >= a`, `h <= u z`, `h <= a + u (1 - z)` for each neuron."""
    columns, coefficients, lengths, sides = [], [], [], []
    first, free = np.arange(INPUTS), INPUTS
    integer = [False] * INPUTS
    for weight in weights:
        height, width = weight.shape
        a, h, z = (np.arange(height) + free + k * height for k in range(3))
        dense = np.concatenate([np.tile(first, (height, 1)), a[:, None]], axis=1)
        columns += [dense.ravel(), np.stack([a, h], 1).ravel(), np.stack([h, z], 1).ravel()]
        columns.append(np.stack([h, a, z], 1).ravel())
        coefficients.append(np.concatenate([weight, -np.ones((height, 1))], axis=1).ravel())
        reach = np.abs(weight).sum(axis=1)
        ones = np.ones(height)
        coefficients += [np.stack([ones, -ones], 1).ravel(), np.stack([ones, -reach], 1).ravel()]
        coefficients.append(np.stack([ones, -ones, reach], 1).ravel())
        lengths += [np.full(height, width + 1), np.full(2 * height, 2), np.full(height, 3)]
        sides += [np.zeros(3 * height), reach]
        integer += [False] * (2 * height) + [True] * height
        first, free = h, free + 3 * height
    binary = np.array(integer)
    return Template(
        np.where(binary, 0.0, -100.0),
        np.where(binary, 1.0, 100.0),
        binary,
        np.concatenate([[0], np.cumsum(np.concatenate(lengths))]),
        np.concatenate(columns),
        np.concatenate(coefficients),
        np.concatenate(sides),
    )


def writer_of(name: str, model: Model) -> Callable[[Path], None]:
    """Return what writes the model to a file."""
    match name:
        case "ensc mps":
            return lambda path: write_file(path, write_mps(model))
        case "ensc lp":
            return lambda path: write_file(path, write_lp(model))
        case _:
            highs = in_highs(model)
            return lambda path: highs.writeModel(str(path))


def in_highs(model: Model) -> Any:  # noqa: ANN401 - highspy has no types
    """Return HiGHS holding a linear model."""
    highspy: Any = importlib.import_module("highspy")
    lp = highspy.HighsLp()
    rows, variables = model.rows, model.variables
    lp.num_col_, lp.num_row_ = len(variables), len(rows)
    lp.col_cost_ = np.bincount(model.objective.columns, model.objective.coefficients, len(variables))
    lp.col_lower_, lp.col_upper_ = variables.lower, variables.upper
    lp.row_lower_, lp.row_upper_ = rows.lower, rows.upper
    matrix = lp.a_matrix_
    matrix.format_ = highspy.MatrixFormat.kRowwise
    matrix.start_, matrix.index_, matrix.value_ = rows.starts, rows.columns, rows.coefficients
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[flag] for flag in variables.integer.astype(int).tolist()]
    lp.col_names_ = variables.names()
    lp.row_names_ = [f"r{i + 1}" for i in range(len(rows))]
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.passModel(lp)
    return highs


def measure(name: str, nonzeros: int, repeats: int, *, distinct: bool) -> Result:
    """Write a model several times."""
    model = ensemble(nonzeros, distinct=distinct)
    write = writer_of(name, model)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model.{name.split()[1]}"
        before = _reset_peak()
        runs = [_seconds(write, path) for _ in range(repeats)]
        size = path.stat().st_size
        memory = None if before is None else (_status("VmHWM") - before) / size
    seconds, cpu = (min(times) for times in zip(*runs, strict=True))
    return Result(name, seconds, cpu, size / 1e6, model.rows.nonzeros, memory)


def _seconds(write: Callable[[Path], None], path: Path) -> tuple[float, float]:
    start, cpu = time.perf_counter(), time.process_time()
    write(path)
    return time.perf_counter() - start, time.process_time() - cpu


def _reset_peak() -> int | None:
    """Forget the process's peak of memory, and return what it holds now; None where that is impossible."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return _status("VmRSS")
    except OSError:
        return None


def _status(field: str) -> int:
    """Return a size of this process in bytes, as Linux counts it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def table(results: Sequence[Result]) -> str:
    """Return the results as text; the last columns compare with HiGHS writing the same format."""
    heads = f"{'writer':12} {'s':>7} {'cpu':>7} {'MB':>7} {'MB/s':>7} {'Mnnz/s':>7} {'memory':>7}"
    lines = [f"{heads} {'x wall':>7} {'x cpu':>7}"]
    reference = {r.writer.split()[1]: r for r in results if r.writer.startswith("highspy")}
    for r in results:
        memory = "" if r.memory is None else f"{r.memory:.2f}"
        other = reference.get(r.writer.split()[1])
        ratios = f"{'':>7} {'':>7}"
        if other is not None:
            ratios = f"{other.seconds / r.seconds:7.2f} {other.cpu / r.cpu:7.2f}"
        rates = f"{r.megabytes_a_second:7.1f} {r.nonzeros_a_second / 1e6:7.2f}"
        times = f"{r.seconds:7.3f} {r.cpu:7.3f}"
        lines.append(f"{r.writer:12} {times} {r.megabytes:7.1f} {rates} {memory:>7} {ratios}")
    return "\n".join(lines)


def main() -> None:
    """Read the arguments, measure each writer in a process of its own, and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nonzeros", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--distinct", action="store_true", help="no two coefficients alike")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--only", choices=WRITERS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.only:
        result = measure(asked.only, asked.nonzeros, asked.repeats, distinct=asked.distinct)
        print(json.dumps(asdict(result)))
        return
    names = [n for n in WRITERS if n.startswith("ensc") or find_spec("highspy")]
    results = []
    for name in names:
        command = [sys.executable, __file__, *sys.argv[1:], "--only", name]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)  # noqa: S603 - itself
        results.append(Result(**json.loads(done.stdout)))
    print(json.dumps([asdict(r) for r in results], indent=2) if asked.json else table(results))


if __name__ == "__main__":
    main()
