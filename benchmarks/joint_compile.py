"""How long a joint problem takes to compile and to write, by the number of network copies.

    .venv/bin/python benchmarks/joint_compile.py

Members are 64-50-50-10 networks with random weights (100 rectifiers each), the norm is L1; two members and
five attacks give ten copies a point. `-O0` keeps every copy and every rectifier.
"""

import argparse
import dataclasses
import json
import platform
import resource
import time
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ensc.compiler.pipeline import Options, compile_problem
from ensc.compiler.types.model import size_of
from ensc.compiler.types.network import Affine, Network, Relu
from ensc.compiler.types.problem import (
    Check,
    Domain,
    EnsembleProblem,
    Member,
    Norm,
    PointSet,
    ThreatModel,
    Untargeted,
)
from ensc.formats import write_file, write_mps


def network(rng: np.random.Generator) -> Network:
    """Return a dense 64-50-50-10 network."""

    def affine(source: int, outputs: int, inputs: int) -> Affine:
        return Affine(source, rng.normal(size=(outputs, inputs)) / 8, rng.normal(size=outputs))

    layers = (affine(0, 50, 64), Relu(1, 50), affine(2, 50, 50), Relu(3, 50), affine(4, 10, 50))
    return Network("dense", (64,), layers, 5)


def problem(points: int) -> EnsembleProblem:
    """Return a query about two networks and so many points."""
    rng = np.random.default_rng(0)
    members = tuple(Member(f"f{c}", network(rng), f"f{c}.onnx", "", "0" * 64) for c in (1, 2))
    values = rng.integers(0, 17, (points, 64)).astype(float)
    return EnsembleProblem(
        name="synthetic",
        ensemble=members,
        points=PointSet(values, 1, rng.integers(0, 10, points), np.arange(points)),
        threat=ThreatModel(Norm.L1, Fraction(1), Domain(Fraction(0), Fraction(16)), 5, automatic=False),
        loss=Untargeted(Fraction(0)),
        goal=Check(Fraction(1, 2)),
        expectation=None,
        meta={},
        parameters={},
        digest="0" * 64,
        files=(),
    )


def measure(points: int, level: int) -> dict[str, float]:
    """Compile and write one problem; return what it took."""
    asked = problem(points)
    start = time.perf_counter()
    compiled = compile_problem(asked, Options(level))
    compiled_at = time.perf_counter()
    with TemporaryDirectory() as folder:
        path = Path(folder, "joint.mps")
        write_file(path, write_mps(compiled.linear))
        written = time.perf_counter()
        size = path.stat().st_size
    return {
        "level": level,
        "copies": 2 * compiled.attacks * points,
        **dataclasses.asdict(size_of(compiled.linear)),
        "compile_s": round(compiled_at - start, 3),
        "write_s": round(written - compiled_at, 3),
        "MB": round(size / 1e6, 1),
        "peak_MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [measure(points, level) for level in (0, 1) for points in options.points]
    if options.json:
        facts = {"python": platform.python_version(), "numpy": np.__version__}
        print(json.dumps({"ensc": version("ensc-compiler"), **facts, "rows": rows}, indent=2))
        return
    print(" | ".join(rows[0]))
    for row in rows:
        print(" | ".join(str(value) for value in row.values()))


if __name__ == "__main__":
    main()
