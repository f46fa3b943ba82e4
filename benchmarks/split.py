"""What splitting a query over its points is worth: against the joint file, in points, in processes, on MNIST.

    pip install -e '.[solve,bench]'
    python benchmarks/split.py                          suite, linearity and jobs; --json FILE
    python benchmarks/split.py --only suite --cap 120   one section
    python benchmarks/split.py --only mnist --mnist FOLDER [--train MNIST.npz]

*suite*: 24 queries about digits (8x8, 4 points, 2 to 5 members, Linf and L1, three radii each) by `--strategy
split` and by `--strategy joint -O1`, both with CBC; joint is capped. *linearity*: three networks, 10 to 1000
points, one process; the slope of the logarithms is 1 for linear time, and memory is the largest process.
*jobs*: 1000 points, one process and two, in turns. *mnist*: `FOLDER` holds `net1.onnx` to `net3.onnx`,
784-50-50-10, and `points.npz` with 100 test images `x` (0 to 255) and labels `y`; `--train` makes them from
the usual npz file (`x_train`, `y_train`, `x_test`, `y_test`) with scikit-learn.

Every query runs as `ensc solve --json` in a process of its own. The suite's seconds are those from the loaded
query to the certified answer, which both strategies report; `wall` is elapsed time; `cpu` is the processor's
time of that process and all that it started, which other work on the machine disturbs little.
"""

import argparse
import ctypes
import importlib
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

DIGITS = Path(__file__).parents[1] / "examples" / "digits"
SUBREAPER = 36
"""Of Linux's `prctl`: whose parent ends becomes a child of ours, so that its time is counted."""

SUITE = [
    (members, norm, radius)
    for members in (2, 3, 4, 5)
    for norm, radii in (("Linf", ("1", "3/2", "2")), ("L1", ("10", "20", "30")))
    for radius in radii
]
POINTS = (10, 30, 100, 300, 1000)
MNIST = (("Linf", "1/50", 60), ("L1", "2", 60), ("Linf", "3/100", 600), ("Linf", "1/20", 1200))
"""Norm, radius, and the seconds that the query may take."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measured:
    """One run.

    Attributes:
        what: the query and how it was run.
        verdict: in a word, `none` if the run gave no answer.
        lower: of the interval, as a float.
        upper: likewise.
        asked: questions that went to a solver.
        answer: seconds from the loaded query to the certified answer.
        solve: of these, seconds of the solver on a joint file.
        wall: seconds of the whole process.
        cpu: seconds of all processes.
        peak: MB of the largest process.
    """

    what: str
    verdict: str
    lower: float
    upper: float
    asked: int
    answer: float
    solve: float
    wall: float
    cpu: float
    peak: float


def main(options: argparse.Namespace) -> None:
    """Run the sections and print their tables."""
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    chosen = [options.only] if options.only else ["suite", "linearity", "jobs"]
    sections = {"suite": suite, "linearity": linearity, "jobs": jobs, "mnist": mnist}
    found: dict[str, list[Measured]] = {}
    with tempfile.TemporaryDirectory() as name:
        for section in chosen:
            print(f"\n### {section}\n", flush=True)
            found[section] = sections[section](Path(name), options)
    if options.json:
        text = {section: [asdict(run) for run in runs] for section, runs in found.items()}
        options.json.write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")


def suite(folder: Path, options: argparse.Namespace) -> list[Measured]:
    """Compare the strategies on the same queries."""
    images, labels = digits()
    train_members(folder, images, labels)
    rows = write_points(folder, images[-400:], labels[-400:])[:4]
    header("query", "split", "s", "joint", "s", "CBC s", "ratio")
    runs = []
    for members, norm, radius in SUITE:
        path = write_query(folder, members, norm, radius, rows, "check value < 1/2", 16)
        split = measure(f"{members} {norm} {radius} split", path)
        joint = measure(
            f"{members} {norm} {radius} joint", path, "--strategy", "joint", "--time-limit", str(options.cap)
        )
        runs += [split, joint]
        times = f"{split.answer:.2f}", joint.verdict, f"{joint.answer:.2f}", f"{joint.solve:.2f}"
        ratio = f"{joint.answer / split.answer:.1f}"
        row(f"{members} members, {norm} {radius}", split.verdict, *times, ratio)
    tell_ratios(runs[::2], runs[1::2])
    return runs


def tell_ratios(split: Sequence[Measured], joint: Sequence[Measured]) -> None:
    """Say what the bars of the comparison are about."""
    pairs = list(zip(split, joint, strict=True))
    slow = [j.answer / s.answer for s, j in pairs if j.solve > 1]
    slower = [s for s, j in pairs if j.solve <= 1 and s.answer > max(1.5 * j.answer, j.answer + 0.3)]
    words = {(s.verdict, j.verdict) for s, j in pairs}
    wrong = [pair for pair in words if "unknown" not in pair and "none" not in pair and len(set(pair)) > 1]
    mean = math.exp(sum(map(math.log, slow)) / len(slow)) if slow else math.nan
    print(
        f"\nCBC above 1 s on the joint file: {len(slow)} of {len(joint)}; geometric mean of ratios {mean:.1f}"
    )
    print(f"of the others split slower by half and by 0.3 s: {len(slower)}; contradictions: {len(wrong)}")


def linearity(folder: Path, options: argparse.Namespace) -> list[Measured]:
    """Grow the number of points."""
    del options
    images, labels = digits()
    use_examples(folder)
    write_points(folder, images, labels)
    header("points", "cpu s", "wall s", "asked", "peak MB", "interval")
    runs = []
    for count in POINTS:
        path = write_query(folder, 3, "Linf", "1/2", range(count), "maximize value", 16)
        run = measure(f"{count} points", path)
        runs.append(run)
        span = f"[{run.lower:.4g}, {run.upper:.4g}]"
        row(str(count), f"{run.cpu:.2f}", f"{run.wall:.2f}", str(run.asked), f"{run.peak:.0f}", span)
    tail = [(math.log(n), math.log(r.cpu)) for n, r in zip(POINTS, runs, strict=True) if n >= 100]
    slope = np.polyfit([n for n, _ in tail], [seconds for _, seconds in tail], 1)[0]
    print(f"\nslope of log cpu over log points, from 100 on: {slope:.2f}")
    return runs


def jobs(folder: Path, options: argparse.Namespace) -> list[Measured]:
    """Compare one process with two."""
    del options
    images, labels = digits()
    use_examples(folder)
    write_points(folder, images, labels)
    path = write_query(folder, 3, "Linf", "3/2", range(1000), "maximize value", 16)
    header("jobs", "wall s", "cpu s")
    runs = []
    for count in ("1", "2", "1", "2"):
        run = measure(f"{count} jobs", path, "--jobs", count)
        runs.append(run)
        row(count, f"{run.wall:.2f}", f"{run.cpu:.2f}")
    one, two = (min(run.wall for run in runs[k::2]) for k in (0, 1))
    print(f"\none process takes {one / two:.2f} times as long as two")
    return runs


def mnist(folder: Path, options: argparse.Namespace) -> list[Measured]:
    """Run the bars about larger networks."""
    source: Path = options.mnist
    if options.train:
        train_mnist(source, options.train)
    for name in ("net1.onnx", "net2.onnx", "net3.onnx", "points.npz"):
        (folder / name).write_bytes((source / name).read_bytes())
    header("query", "verdict", "interval", "wall s", "cpu s", "asked", "peak MB")
    runs = []
    for norm, radius, limit in MNIST:
        if options.radius and options.radius != f"{norm} {radius}":
            continue
        path = write_query(folder, 3, norm, radius, range(100), "maximize value", 255)
        run = measure(f"{norm} {radius}", path, "--jobs", "2", "--time-limit", str(options.limit or limit))
        runs.append(run)
        span = f"[{run.lower:.4g}, {run.upper:.4g}]"
        times = f"{run.wall:.1f}", f"{run.cpu:.1f}"
        row(f"{norm} {radius}, {limit} s", run.verdict, span, *times, str(run.asked), f"{run.peak:.0f}")
    return runs


def measure(what: str, query: Path, *arguments: str) -> Measured:
    """Answer a query in a process of its own."""
    command = [sys.executable, "-c", "import sys; from ensc.cli import main; sys.exit(main())", "solve"]
    settings = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    settings["PYTHONDONTWRITEBYTECODE"] = ""  # set, it would have every run compile ensc's sources again
    before, start = cpu(), time.perf_counter()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(  # noqa: S603 - ensc, with our own interpreter
            [*command, str(query), "--json", "--progress", "none", *arguments],
            stdout=out,
            env={**os.environ, **settings},
        )
        child.wait()
        wall = time.perf_counter() - start
        wait_for_all()
        out.seek(0)
        told = json.loads(out.read() or "null")
    used = cpu() - before
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    if told is None:
        return Measured(what, "none", 0.0, 1.0, 0, wall, wall, wall, used, peak)
    asked = (told["questions"] or {"asked": 0})["asked"]
    spent = told["seconds"]
    return Measured(
        what,
        told["verdict"],
        told["lower_float"],
        told["upper_float"],
        asked,
        spent["total"],
        spent.get("solve", 0.0),
        wall,
        used,
        peak,
    )


def cpu() -> float:
    """Return the seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def wait_for_all() -> None:
    """Wait for children of children too; they are ours since their parents have ended."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def digits() -> tuple[Floats, Floats]:
    """Return the images, shape (1797, 64), 0 to 16, and their labels, in a fixed random order."""
    data = importlib.import_module("sklearn.datasets").load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    return data.data[order], data.target[order]


def train_members(folder: Path, images: Floats, labels: Floats) -> None:
    """Write five networks."""
    shapes = ((16,), (12, 8), (20,), (10, 10), (24, 16))
    for k, hidden in enumerate(shapes, start=1):
        train(folder / f"net{k}.onnx", hidden, images[:-400] / 16, labels[:-400], 16, k)


def train(path: Path, hidden: tuple[int, ...], x: Floats, y: Floats, white: int, seed: int) -> None:
    """Train a network on images in [0, 1] and write it for images in [0, white]."""
    make = importlib.import_module("sklearn.neural_network").MLPClassifier
    epochs, rate = (10, 0.001) if len(x) > 10_000 else (100, 0.004)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has not converged, nor need it
        net = make(hidden, max_iter=epochs, learning_rate_init=rate, random_state=seed).fit(x, y)
    weights = [w.astype(np.float32) for w in net.coefs_]
    if white == 16:  # a power of two: the division loses nothing
        weights[0] /= 16
    nodes, values, last = [], [], "x"
    for k, (w, b) in enumerate(zip(weights, net.intercepts_, strict=True)):
        named = (w, f"W{k}"), (b.astype(np.float32), f"b{k}")
        values += [numpy_helper.from_array(array, name) for array, name in named]
        out = f"a{k}"
        nodes.append(helper.make_node("Gemm", [last, f"W{k}", f"b{k}"], [out]))
        last = out
        if k < len(weights) - 1:
            nodes.append(helper.make_node("Relu", [out], [f"h{k}"]))
            last = f"h{k}"
    ends = [(("x", weights[0].shape[0]),), ((last, weights[-1].shape[1]),)]
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size]) for name, size in end]
        for end in ends
    )
    graph = helper.make_graph(nodes, "net", inputs, outputs, values)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def train_mnist(folder: Path, source: Path) -> None:
    """Train three networks and choose the first 100 test images."""
    folder.mkdir(parents=True, exist_ok=True)
    with np.load(source) as data:
        x = data["x_train"].reshape(-1, 784) / 255
        for k in (1, 2, 3):
            train(folder / f"net{k}.onnx", (50, 50), x, data["y_train"], 255, k)
        np.savez_compressed(folder / "points.npz", x=data["x_test"][:100], y=data["y_test"][:100])


def use_examples(folder: Path) -> None:
    """Take the networks of the examples."""
    for k, name in enumerate(("dense_24_16", "dense_20_20", "conv_pool"), start=1):
        (folder / f"net{k}.onnx").write_bytes((DIGITS / f"{name}.onnx").read_bytes())


def write_points(folder: Path, images: Floats, labels: Floats) -> range:
    """Write images and labels; return the rows."""
    shaped = images.reshape(-1, 1, 8, 8).astype(np.uint8)
    np.savez_compressed(folder / "points.npz", x=shaped, y=labels)
    return range(len(labels))


def write_query(
    folder: Path, members: int, norm: str, radius: str, rows: Sequence[int], goal: str, white: int
) -> Path:
    """Write a query about the networks and points in a folder."""
    nets = " ".join(f'f{k} = onnx("net{k}.onnx");' for k in range(1, members + 1))
    scale = ", scale = 1/255" if white == 255 else ""
    text = (
        f"rq 1.0;\nensemble C {{ {nets} }}\n"
        f'data X = npz("points.npz", inputs = "x", labels = "y", rows = [{rows[0]}..{rows[-1]}]{scale});\n'
        f"input domain [0, {1 if scale else white}];\n"
        f"attack norm {norm}, radius {radius}, count auto;\n{goal};\n"
    )
    path = folder / "query.rq"
    path.write_text(text, encoding="utf-8")
    return path


def header(*titles: str) -> None:
    """Print the first lines of a table."""
    row(*titles)
    row(*("---" for _ in titles))


def row(*cells: str) -> None:
    """Print a line of a table."""
    print("|", " | ".join(cells), "|", flush=True)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=["suite", "linearity", "jobs", "mnist"])
    parser.add_argument("--cap", type=int, default=120, help="seconds for joint")
    parser.add_argument("--mnist", type=Path, default=Path("mnist"), metavar="FOLDER")
    parser.add_argument("--train", type=Path, metavar="MNIST.npz", help="make the files in FOLDER first")
    parser.add_argument("--radius", metavar="'NORM RADIUS'", help="one query of mnist, such as 'Linf 1/50'")
    parser.add_argument("--limit", type=int, help="seconds for each query of mnist, instead of the bar's")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args()


if __name__ == "__main__":
    main(arguments())
