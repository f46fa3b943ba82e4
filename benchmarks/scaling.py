"""How compile time and memory grow with members, points, attacks, layers and width.

    python benchmarks/scaling.py                        a Markdown table; --json FILE, --quick
    python benchmarks/scaling.py --plot scaling.png     needs the extra `plot`

Every axis is varied alone around 3 members, 30 points, 3 attacks and two hidden layers of 50 units over 64
inputs, with random weights; the norm is L1, and labels are what the first member says. The attacks are
varied at `-O0`, with one member and 10 points, because `-O1` leaves out more attacks than members. The
last case is an ensemble of three convolutional networks (two convolutions, two dense layers, 1014 rectifiers)
over 100 images of 28x28 pixels, Linf 0.02, three attacks.

Each case compiles and writes an MPS file in a process of its own. Seconds are the processor's, which other
work on the machine disturbs little, and contain no import; `peak` is the memory of the whole process, with
about 60 MB of libraries. The exponent of an axis is the slope of the logarithms, over its upper half: 1 is
linear. `results/scaling.json` and `results/scaling.png` hold the growth in points and in attacks.
"""

import argparse
import dataclasses
import importlib
import importlib.util
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ensc.compiler.passes.networks.evaluate import evaluate
from ensc.compiler.pipeline import Options, compile_problem
from ensc.compiler.types.model import size_of
from ensc.compiler.types.network import Affine, Convolution, Layer, Network, Relu
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

measuring: Any = importlib.import_module("measuring")  # the script beside this one; no package holds them

CLASSES, PIXELS = 10, 64


@dataclass(frozen=True, slots=True)
class Case:
    """What is compiled.

    Attributes:
        members: |C|.
        points: |X|.
        attacks: |A|.
        layers: hidden ones of each member.
        width: units of each.
        level: of optimization.
        images: whether members are convolutional and points are images of 28x28.
    """

    members: int = 3
    points: int = 30
    attacks: int = 3
    layers: int = 2
    width: int = 50
    level: int = 1
    images: bool = False


PRINTED = Case(members=1, points=10, level=0)
AXES: dict[str, tuple[Case, str, tuple[int, ...]]] = {
    "members": (Case(), "members", (1, 2, 4, 8, 16)),
    "points": (Case(), "points", (10, 30, 100, 300, 1000)),
    "attacks": (PRINTED, "attacks", (1, 2, 4, 8, 16, 32, 64)),
    "layers": (Case(), "layers", (1, 2, 4, 8)),
    "width": (Case(), "width", (25, 50, 100, 200, 400)),
    "images": (Case(points=100, images=True), "points", (100,)),
}


# what is compiled ------------------------------------------------------------------------------------


def dense(rng: np.random.Generator, inputs: int, widths: Sequence[int]) -> list[Layer]:
    """Return affine layers with rectifiers between them, values about as large as their inputs."""
    layers: list[Layer] = []
    for outputs in widths:
        if layers:
            layers.append(Relu(len(layers), inputs))
        weight = rng.normal(size=(outputs, inputs)) * np.sqrt(2 / inputs)
        layers.append(Affine(len(layers), weight, rng.normal(size=outputs) / 10))
        inputs = outputs
    return layers


def convolution(
    rng: np.random.Generator, source: int, shape: tuple[int, int, int], *, channels: int, kernel: int
) -> Convolution:
    """Return a convolution of stride 2 over (channels, rows, columns), without padding."""
    depth, rows, columns = shape
    out = np.arange((rows - kernel) // 2 + 1) * 2, np.arange((columns - kernel) // 2 + 1) * 2
    place = np.ix_(*out, np.arange(depth), np.arange(kernel), np.arange(kernel))
    y, x, c, ky, kx = place
    taps = (c * rows + y + ky) * columns + x + kx
    taps = taps.reshape(1, len(out[0]) * len(out[1]), -1)
    weight = rng.normal(size=(channels, taps.shape[2])) * np.sqrt(2 / taps.shape[2])
    return Convolution(source, weight, np.zeros(channels), taps)


def convolutional(rng: np.random.Generator) -> Network:
    """Return 784 - 4 channels of 13x13 - 8 channels of 6x6 - 50 - 10."""
    first = convolution(rng, 0, (1, 28, 28), channels=4, kernel=4)
    second = convolution(rng, 2, (4, 13, 13), channels=8, kernel=3)
    front: list[Layer] = [first, Relu(1, first.size), second, Relu(3, second.size)]
    tail = [
        dataclasses.replace(layer, source=layer.source + 4) for layer in _plain(dense(rng, 288, (50, 10)))
    ]
    layers = (*front, *tail)
    return Network("convolutional", (1, 28, 28), layers, len(layers))


def _plain(layers: Sequence[Layer]) -> list[Affine | Relu]:
    return [layer for layer in layers if isinstance(layer, Affine | Relu)]


def problem_of(case: Case) -> EnsembleProblem:
    """Return a query of the size of a case."""
    rng = np.random.default_rng(0)
    networks = [_network(rng, case) for _ in range(case.members)]
    high = 255 if case.images else 16
    values = rng.integers(0, high + 1, (case.points, networks[0].inputs)).astype(float)
    x = values / high if case.images else values
    norm, radius = (Norm.LINF, Fraction(1, 50)) if case.images else (Norm.L1, Fraction(1))
    domain = Domain(Fraction(0), Fraction(1) if case.images else Fraction(16))
    return EnsembleProblem(
        name="scaling",
        ensemble=tuple(
            Member(f"f{c}", n, f"f{c}.onnx", "", "0" * 64) for c, n in enumerate(networks, start=1)
        ),
        points=PointSet(
            values,
            high if case.images else 1,
            evaluate(networks[0], x).argmax(axis=1).astype(np.int64),
            np.arange(case.points),
        ),
        threat=ThreatModel(norm, radius, domain, case.attacks, automatic=False),
        loss=Untargeted(Fraction(0)),
        goal=Check(Fraction(1, 2)),
        expectation=None,
        meta={},
        parameters={},
        digest="0" * 64,
        files=(),
    )


def _network(rng: np.random.Generator, case: Case) -> Network:
    if case.images:
        return convolutional(rng)
    layers = tuple(dense(rng, PIXELS, (*[case.width] * case.layers, CLASSES)))
    return Network("dense", (PIXELS,), layers, len(layers))


# measuring -------------------------------------------------------------------------------------------


def run_case(case: Case) -> dict[str, Any]:
    """Compile and write one problem; what the process of one case does."""
    problem = problem_of(case)
    start, wall = time.process_time(), time.perf_counter()
    compiled = compile_problem(problem, Options(case.level))
    compiled_at = time.process_time()
    with TemporaryDirectory() as folder:
        path = Path(folder, "joint.mps")
        write_file(path, write_mps(compiled.linear))
        size = path.stat().st_size
    return {
        **dataclasses.asdict(case),
        **dataclasses.asdict(size_of(compiled.linear)),
        "copies": case.members * compiled.attacks * case.points,
        "bytes": size,
        "compile": compiled_at - start,
        "write": time.process_time() - compiled_at,
        "wall": time.perf_counter() - wall,
        "peak": measuring.peak(),
    }


def measure(case: Case) -> dict[str, Any]:
    """Run a case in a process of its own."""
    done = measuring.run_alone(__file__, "--case", json.dumps(dataclasses.asdict(case)))
    if done.returncode:
        raise RuntimeError(measuring.reason(done))
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Return the slope of the logarithms over the upper half."""
    half = len(sizes) // 2
    if len(sizes) < 2:
        return float("nan")
    return float(np.polyfit(np.log(sizes[half - 1 :]), np.log(costs[half - 1 :]), 1)[0])


# reporting -------------------------------------------------------------------------------------------

HEADS = (
    "axis",
    "size",
    "rows",
    "columns",
    "nonzeros",
    "compile s",
    "write s",
    "wall s",
    "peak MB",
    "file MB",
)


def table(measured: dict[str, list[dict[str, Any]]]) -> str:
    """Return all cases as Markdown."""
    lines = [HEADS]
    for name, results in measured.items():
        for r in results:
            times = [f"{r[key]:.2f}" for key in ("compile", "write", "wall")]
            sizes = [f"{r['peak'] / 1e6:.0f}", f"{r['bytes'] / 1e6:.2f}"]
            counts = [str(r[key]) for key in (AXES[name][1], "rows", "columns", "nonzeros")]
            lines.append((name, *counts, *times, *sizes))
    return str(measuring.markdown(lines))


def exponents(measured: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, float]]:
    """Return the exponents of every axis that has several sizes."""
    result = {}
    for name, results in measured.items():
        if len(results) > 1:
            sizes = [r[AXES[name][1]] for r in results]
            costs = {"seconds": [r["compile"] + r["write"] for r in results]}
            costs |= {key: [r[key] for r in results] for key in ("compile", "nonzeros", "peak")}
            result[name] = {what: exponent(sizes, values) for what, values in costs.items()}
    return result


def plot(measured: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """Draw seconds over sizes, both logarithmic, with a straight line of slope 1."""
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    shown = {name: results for name, results in measured.items() if len(results) > 1}
    figure, axes = pyplot.subplots(1, len(shown), figsize=(3.2 * len(shown), 3), layout="constrained")
    for axis, (name, results) in zip(np.atleast_1d(axes), shown.items(), strict=True):
        sizes = np.array([r[AXES[name][1]] for r in results])
        seconds = np.array([r["compile"] + r["write"] for r in results])
        axis.loglog(sizes, seconds, "o-", label="compile and write")
        axis.loglog(sizes, seconds[-1] * sizes / sizes[-1], ":", color="gray", label="linear")
        axis.set_xlabel(name)
        axis.set_title(f"exponent {exponent(sizes.tolist(), seconds.tolist()):.2f}")
    np.atleast_1d(axes)[0].set_ylabel("processor seconds")
    np.atleast_1d(axes)[0].legend()
    figure.savefig(path, dpi=120)


def machine() -> dict[str, Any]:
    """Return what the times depend on."""
    return {"system": f"{platform.system()} {platform.machine()}", "cores": os.cpu_count()}


def main() -> None:
    """Read the arguments, measure, print tables, write JSON and a plot."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--axes", nargs="+", choices=list(AXES), default=list(AXES))
    parser.add_argument("--quick", action="store_true", help="without the two largest sizes of each axis")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write results, versions and machine")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw them (needs the extra `plot`)")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.plot and importlib.util.find_spec("matplotlib") is None:
        parser.error("--plot needs matplotlib: pip install '.[plot]'")
    if asked.case:
        print(json.dumps(run_case(Case(**json.loads(asked.case)))))
        return
    measured: dict[str, list[dict[str, Any]]] = {}
    for name in asked.axes:
        case, field, sizes = AXES[name]
        chosen = sizes[:-2] if asked.quick and len(sizes) > 2 else sizes
        measured[name] = []
        for size in chosen:
            measured[name].append(measure(dataclasses.replace(case, **{field: size})))
            print(f"{name} {size}: {measured[name][-1]['compile']:.2f} s", file=sys.stderr)
    slopes = exponents(measured)
    print(table(measured))
    for name, found in slopes.items():
        print(f"\n{name}: " + ", ".join(f"{what} grows with exponent {s:.2f}" for what, s in found.items()))
    if asked.json:
        versions = {name: version(name) for name in ("ensc-compiler", "numpy", "onnx")}
        report = {
            "machine": machine(),
            "versions": {"python": platform.python_version(), **versions},
            "exponents": slopes,
            "results": measured,
        }
        measuring.write_json(asked.json, report)
    if asked.plot:
        plot(measured, asked.plot)


if __name__ == "__main__":
    main()
