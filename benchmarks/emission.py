"""From ONNX and a box to a file: ensc beside OMLT, PySCIPOpt-ML, gurobi-machinelearning, linopy, in one run.

    pip install '.[bench]'                  in an environment of its own: peers are no part of the product
    python benchmarks/emission.py           a Markdown table; --json FILE, --quick, --formats mps lp

Networks are scikit-learn's MLPClassifier on its 8x8 digits (pixels / 16), trained here from a fixed seed;
their float32 weights, as ONNX, are what every tool reads. Copies are the first correctly classified test
images, each in its box `[x - 0.1, x + 0.1]` within [0, 1], and all tools ask the same of them: is there for
every copy an input in its box that some other class wins, `f_m >= f_label`?

For ensc this is the joint problem of one member, that many points, one attack and `check value < 1`. Its
build contains reading query, ONNX and data, the bounds of all neurons, and all passes. At `-O1` it leaves
out what its bounds decide, which no peer does; `copies` says of how many copies anything is left, and `-O0`
is the paper's encoding without this. For a peer the build is reading ONNX, one network a copy, and nine
binaries a copy of which one has to be 1, `f_m - f_label >= least (1 - w_m)`; the bounds `least` of these
rows, from interval arithmetic, are given to it for nothing. linopy knows no networks: it gets the rows of
big-M written as arrays, with bounds of the neurons from interval arithmetic, which are part of its build.
`HiGHS writes -O1` is what `ensc -O1` writes, written by the C++ of HiGHS: its build contains handing it over.

Each case runs in a process of its own, and of several runs the fastest counts. Imports are not timed
(`import` tells them); `cpu` is the processor's time of build and write, which other work on the machine
disturbs less; `x` is a tool's time over that of `ensc -O1`; `peak` is the memory of the whole process with
its libraries. Sizes are what HiGHS reads from the file; a star marks what only the tool's own counters tell,
as HiGHS refuses the file.
"""

import argparse
import importlib
import itertools
import json
import logging
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

measuring: Any = importlib.import_module("measuring")  # the script beside this one; no package holds them

NETWORKS = ((30, 30), (100, 100))
COPIES = (1, 36)
INPUTS, CLASSES, WHITE = 64, 10, 16
RADIUS = Fraction(1, 10)
STATED = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0}
"""The defaults of a Gemm, as OMLT wants them said."""

ENOUGH = 10.0
"""Seconds of a run after which it is not repeated."""

Array = np.ndarray[Any, np.dtype[np.float64]]
Write = Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class Tool:
    """A program and how it is used.

    Attributes:
        needs: the distribution it comes from.
        imports: the modules whose import is not timed.
        build: reads a case's folder and returns what writes the file.
    """

    needs: str
    imports: tuple[str, ...]
    build: Callable[[Path], tuple[Write, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Result:
    """What one tool did in one case; sizes are None where nobody can tell, all numbers where it failed.

    Attributes:
        tool: its name.
        network: widths of the hidden layers.
        copies: asked for.
        format: suffix of the file.
        failure: why there are no numbers.
        importing: seconds.
        build: seconds.
        write: seconds.
        cpu: seconds of the processor for build and write.
        peak: memory of the process in bytes.
        size: of the file in bytes.
        rows: of the file.
        columns: likewise.
        nonzeros: likewise.
        binaries: likewise.
        readable: whether HiGHS reads the file.
        left: copies about which the file says anything.
    """

    tool: str
    network: str
    copies: int
    format: str
    failure: str | None = None
    importing: float | None = None
    build: float | None = None
    write: float | None = None
    cpu: float | None = None
    peak: int | None = None
    size: int | None = None
    rows: int | None = None
    columns: int | None = None
    nonzeros: int | None = None
    binaries: int | None = None
    readable: bool = False
    left: int | None = None

    @property
    def seconds(self) -> float:
        """Build and write."""
        return (self.build or 0.0) + (self.write or 0.0)


# the question ----------------------------------------------------------------------------------------


def train(widths: Sequence[int]) -> tuple[list[tuple[Array, Array]], Array, Array]:
    """Return float32 weights (inputs, outputs) and biases, and the test images and labels they get right."""
    datasets, selection, neural = map(
        importlib.import_module, ("sklearn.datasets", "sklearn.model_selection", "sklearn.neural_network")
    )
    digits = datasets.load_digits()
    pixels, test, labels, truth = selection.train_test_split(
        digits.data, digits.target, test_size=0.2, random_state=0, stratify=digits.target
    )
    network = neural.MLPClassifier(tuple(widths), random_state=0, max_iter=1000)
    network.fit(pixels / WHITE, labels)
    right = network.predict(test / WHITE) == truth
    print(f"{'-'.join(map(str, widths))}: test accuracy {right.mean():.3f}", file=sys.stderr)
    layers = [
        (w.astype(np.float32), b.astype(np.float32))
        for w, b in zip(network.coefs_, network.intercepts_, strict=True)
    ]
    return layers, test[right], truth[right]


def save_network(layers: Sequence[tuple[Array, Array]], path: Path) -> None:
    """Write dense layers with rectifiers between them as ONNX."""
    onnx: Any = importlib.import_module("onnx")
    make, constant = onnx.helper.make_node, onnx.numpy_helper.from_array
    nodes, constants, value = [], [], "x"
    for number, (weight, bias) in enumerate(layers, start=1):
        last = number == len(layers)
        names, result = [f"w{number}", f"b{number}"], "logits" if last else f"a{number}"
        constants += [constant(weight, names[0]), constant(bias, names[1])]
        nodes.append(make("Gemm", [value, *names], [result], name=f"dense{number}", **STATED))
        if not last:
            value = f"h{number}"
            nodes.append(make("Relu", [result], [value], name=f"relu{number}"))
    describe, kind = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    ends = [describe("x", kind, [1, INPUTS])], [describe("logits", kind, [1, CLASSES])]
    graph = onnx.helper.make_graph(nodes, "digits", *ends, constants)
    opset = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(graph, ir_version=8, opset_imports=opset)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def least_margins(layers: Sequence[tuple[Array, Array]], lower: Array, upper: Array, label: Array) -> Array:
    """Return lower bounds of `f_m - f_label` by interval arithmetic, shape (copies, classes)."""
    for weight, bias in layers[:-1]:
        up, down = np.maximum(weight, 0), np.minimum(weight, 0)
        lower, upper = lower @ up + upper @ down + bias, upper @ up + lower @ down + bias
        lower, upper = np.maximum(lower, 0), np.maximum(upper, 0)
    weight, bias = layers[-1]
    forms = weight.T[None] - weight.T[label][:, None]
    least = np.einsum("cmk,ck->cm", np.maximum(forms, 0), lower)
    least += np.einsum("cmk,ck->cm", np.minimum(forms, 0), upper)
    bounds: Array = least + bias[None] - bias[label][:, None] - 1e-6
    return bounds


def prepare(
    folder: Path,
    layers: Sequence[tuple[Array, Array]],
    pixels: Array,
    labels: Array,
    radius: Fraction = RADIUS,
) -> None:
    """Write what the tools read: `net.onnx`, and the copies as a query and as arrays."""
    folder.mkdir()
    save_network(layers, folder / "net.onnx")
    x = pixels / WHITE
    lower, upper = np.maximum(x - float(radius), 0), np.minimum(x + float(radius), 1)
    least = least_margins(layers, lower, upper, labels)
    np.savez(folder / "boxes.npz", lower=lower, upper=upper, labels=labels, least=least)
    np.savez(folder / "points.npz", x=pixels.astype(np.uint8), y=labels)
    (folder / "query.rq").write_text(
        "rq 1.0;\n"
        'ensemble C { f = onnx("net.onnx"); }\n'
        f'data X = npz("points.npz", inputs = "x", labels = "y", scale = 1/{WHITE});\n'
        f"input domain [0, 1];\nattack norm Linf, radius {radius}, count 1;\n"
        "loss zero_one, ties misclassified;\ncheck value < 1;\n",
        encoding="ascii",
    )


# the tools -------------------------------------------------------------------------------------------


def _ensc(level: int) -> Callable[[Path], tuple[Write, dict[str, Any]]]:
    def build(folder: Path) -> tuple[Write, dict[str, Any]]:
        emit: Any = importlib.import_module("ensc.runner.emitting.emit")
        compiled, left = _compiled(folder, level)
        return lambda path: emit.write_model(compiled, path), left

    return build


def _compiled(folder: Path, level: int) -> tuple[Any, dict[str, int]]:
    resolve: Any = importlib.import_module("ensc.compiler.frontend.query.resolve")
    pipeline: Any = importlib.import_module("ensc.compiler.pipeline")
    problem = resolve.load_problem(folder / "query.rq").problem
    compiled = pipeline.compile_problem(problem, pipeline.Options(level=level))
    return compiled, {"left": len(compiled.scopes[0].points)}


def _omlt(folder: Path) -> tuple[Write, dict[str, Any]]:
    pyo: Any = importlib.import_module("pyomo.environ")
    logging.getLogger("pyomo").setLevel(logging.ERROR)  # thousands of warnings would be timed
    omlt: Any = importlib.import_module("omlt")
    neuralnet: Any = importlib.import_module("omlt.neuralnet")
    reader: Any = importlib.import_module("omlt.io.onnx")
    boxes, network = np.load(folder / "boxes.npz"), importlib.import_module("onnx").load(folder / "net.onnx")
    lower, upper = boxes["lower"].tolist(), boxes["upper"].tolist()
    model = pyo.ConcreteModel()
    model.copy = omlt.OmltBlock(range(len(lower)))
    model.w = pyo.Var(range(len(lower)), range(CLASSES), within=pyo.Binary)
    model.wins = pyo.ConstraintList()
    for i, (label, least) in enumerate(zip(boxes["labels"].tolist(), boxes["least"].tolist(), strict=True)):
        box = {(0, k): ends for k, ends in enumerate(zip(lower[i], upper[i], strict=True))}
        net = reader.load_onnx_neural_network(network, input_bounds=box)
        model.copy[i].build_formulation(neuralnet.ReluBigMFormulation(net))
        for k, (low, high) in box.items():
            model.copy[i].inputs[k].setlb(low)
            model.copy[i].inputs[k].setub(high)
        logits, rivals = model.copy[i].outputs, [m for m in range(CLASSES) if m != label]
        for m in rivals:
            model.wins.add(logits[0, m] - logits[0, label] >= least[m] * (1 - model.w[i, m]))
        model.wins.add(sum(model.w[i, m] for m in rivals) >= 1)
    model.goal = pyo.Objective(expr=0)
    return lambda path: model.write(str(path)), {}


def _scip(formulation: str) -> Callable[[Path], tuple[Write, dict[str, Any]]]:
    def build(folder: Path) -> tuple[Write, dict[str, Any]]:
        scip, add = (
            importlib.import_module("pyscipopt"),
            importlib.import_module("pyscipopt_ml.add_predictor"),
        )
        boxes, network = np.load(folder / "boxes.npz"), _onnx_network(folder, regressor=formulation == "bigm")
        lower, upper, labels, least = (boxes[name] for name in ("lower", "upper", "labels", "least"))
        model = scip.Model()
        x, y = (np.empty((len(labels), width), dtype=object) for width in (INPUTS, CLASSES))
        for i, k in np.ndindex(*x.shape):
            x[i, k] = model.addVar(f"x_{i}_{k}", lb=float(lower[i, k]), ub=float(upper[i, k]))
        for i, m in np.ndindex(*y.shape):
            y[i, m] = model.addVar(f"y_{i}_{m}", lb=None, ub=None)
        how = {"formulation": "bigm"} if formulation == "bigm" else {}
        add.add_predictor_constr(model, network, x, y, unique_naming_prefix="n_", **how)
        for i, label in enumerate(labels.tolist()):
            wins = {m: model.addVar(f"w_{i}_{m}", vtype="B") for m in range(CLASSES) if m != label}
            for m, w in wins.items():
                model.addCons(y[i, m] - y[i, label] >= float(least[i, m]) * (1 - w), name=f"m_{i}_{m}")
            model.addCons(scip.quicksum(wins.values()) >= 1, name=f"any_{i}")
        model.hideOutput()
        own = {"rows": model.getNConss(), "columns": model.getNVars(), "binaries": model.getNBinVars()}
        return lambda path: model.writeProblem(str(path), verbose=False), own

    return build


def _linopy(folder: Path) -> tuple[Write, dict[str, Any]]:
    linopy, array = importlib.import_module("linopy"), importlib.import_module("xarray").DataArray
    model, boxes = linopy.Model(), np.load(folder / "boxes.npz")
    layers, labels = _onnx_layers(folder), boxes["labels"]
    lower, upper, copies = boxes["lower"], boxes["upper"], range(len(labels))
    h = model.add_variables(array(lower, dims=("copy", "n0")), array(upper, dims=("copy", "n0")), name="x")
    a = h
    for number, (weight, bias) in enumerate(layers, start=1):
        here, into = ("copy", f"n{number}"), weight.shape[1]
        up, down = np.maximum(weight, 0), np.minimum(weight, 0)
        lower, upper = lower @ up + upper @ down + bias, upper @ up + lower @ down + bias
        low, high = (array(side, dims=here) for side in (lower, upper))
        a = model.add_variables(low, high, name=f"a{number}")
        sums = h @ array(weight, dims=(f"n{number - 1}", here[1]))
        model.add_constraints(a - sums == array(bias, dims=here[1:]), name=f"affine{number}")
        if number == len(layers):
            break
        low, high = np.minimum(low, 0), np.maximum(high, 0)
        h = model.add_variables(0, high, name=f"h{number}")
        z = model.add_variables(binary=True, coords=[copies, range(into)], dims=here, name=f"z{number}")
        model.add_constraints(h - a >= 0, name=f"above{number}")
        model.add_constraints(h - high * z <= 0, name=f"off{number}")
        model.add_constraints(h - a - low * z <= -low, name=f"on{number}")
        lower, upper = np.maximum(lower, 0), np.maximum(upper, 0)
    last = f"n{len(layers)}"
    rival = array(np.arange(CLASSES) != labels[:, None], dims=("copy", last))
    least = array(boxes["least"], dims=("copy", last))
    shape = [copies, range(CLASSES)]
    w = model.add_variables(binary=True, coords=shape, dims=("copy", last), mask=rival, name="w")
    own = a.isel({"copy": array(copies, dims="copy"), last: array(labels, dims="copy")})
    model.add_constraints(a - own + least * w >= least, name="margin", mask=rival)
    model.add_constraints(w.sum(last) >= 1, name="wins")
    model.add_objective(0 * own.sum())
    return lambda path: model.to_file(path, progress=False), {}


def _written_by_highs(folder: Path) -> tuple[Write, dict[str, Any]]:
    writers: Any = importlib.import_module("writers")
    compiled, left = _compiled(folder, 1)
    highs = writers.in_highs(compiled.linear)
    return lambda path: highs.writeModel(str(path)), left


def _onnx_layers(folder: Path) -> list[tuple[Array, Array]]:
    """Return weights (inputs, outputs) and biases."""
    onnx: Any = importlib.import_module("onnx")
    model = onnx.load(folder / "net.onnx")
    arrays = [onnx.numpy_helper.to_array(t).astype(np.float64) for t in model.graph.initializer]
    return list(zip(arrays[0::2], arrays[1::2], strict=True))


def _onnx_network(folder: Path, *, regressor: bool) -> Any:  # noqa: ANN401 - of an untyped library
    """Return the network as ONNX, or as the scikit-learn object for which PySCIPOpt-ML knows big-M."""
    if not regressor:
        return importlib.import_module("onnx").load(folder / "net.onnx")
    layers = _onnx_layers(folder)
    network = importlib.import_module("sklearn.neural_network").MLPRegressor()
    network.coefs_, network.intercepts_ = map(list, zip(*layers, strict=True))
    network.n_layers_, network.n_outputs_, network.n_features_in_ = len(layers) + 1, CLASSES, INPUTS
    network.out_activation_ = "identity"
    return network


def _gurobi(folder: Path) -> tuple[Write, dict[str, Any]]:
    gp, ml = importlib.import_module("gurobipy"), importlib.import_module("gurobi_ml.onnx")
    boxes, network = np.load(folder / "boxes.npz"), _onnx_network(folder, regressor=False)
    labels, least = boxes["labels"], boxes["least"]
    environment = gp.Env(params={"OutputFlag": 0})
    model = gp.Model(env=environment)
    x = model.addMVar(boxes["lower"].shape, lb=boxes["lower"], ub=boxes["upper"], name="x")
    y = model.addMVar(least.shape, lb=-gp.GRB.INFINITY, name="y")
    ml.add_onnx_constr(model, network, x, y)
    copies = np.arange(len(labels))[:, None]
    rivals = np.array([[m for m in range(CLASSES) if m != label] for label in labels.tolist()])
    w = model.addMVar(rivals.shape, vtype=gp.GRB.BINARY, name="w")
    reach = least[copies, rivals]
    model.addConstr(y[copies, rivals] - y[copies, labels[:, None]] >= reach - reach * w)
    model.addConstr(w.sum(axis=1) >= 1)
    model.update()
    own = {"rows": model.NumConstrs, "columns": model.NumVars, "nonzeros": model.NumNZs}
    return lambda path: model.write(str(path)), {**own, "binaries": model.NumBinVars}


_ENSC = (
    "numpy",
    "onnx",
    "ensc.compiler.frontend.query.resolve",
    "ensc.compiler.pipeline",
    "ensc.runner.emitting.emit",
)
TOOLS = {
    "ensc -O1": Tool("ensc-compiler", _ENSC, _ensc(1)),
    "ensc -O0": Tool("ensc-compiler", _ENSC, _ensc(0)),
    "OMLT big-M": Tool("omlt", ("onnx", "pyomo.environ", "omlt", "omlt.neuralnet", "omlt.io.onnx"), _omlt),
    "PySCIPOpt-ML big-M": Tool(
        "pyscipopt-ml",
        ("onnx", "pyscipopt", "pyscipopt_ml.add_predictor", "sklearn.neural_network"),
        _scip("bigm"),
    ),
    "PySCIPOpt-ML SOS1": Tool(
        "pyscipopt-ml", ("onnx", "pyscipopt", "pyscipopt_ml.add_predictor"), _scip("sos")
    ),
    "gurobi-machinelearning": Tool("gurobi-machinelearning", ("onnx", "gurobipy", "gurobi_ml.onnx"), _gurobi),
    "linopy big-M": Tool("linopy", ("onnx", "linopy", "xarray", "polars", "highspy"), _linopy),
    "HiGHS writes -O1": Tool("highspy", (*_ENSC, "highspy", "writers"), _written_by_highs),
}
PACKAGES = (
    *("ensc-compiler", "omlt", "pyomo", "pyscipopt-ml", "pyscipopt", "gurobi-machinelearning", "gurobipy"),
    *("linopy", "highspy", "scikit-learn", "onnx", "numpy"),
)


# measuring -------------------------------------------------------------------------------------------


def run_case(name: str, folder: Path, path: Path) -> dict[str, Any]:
    """Build and write one file; what the process of one case does."""
    start = time.perf_counter()
    for module in TOOLS[name].imports:
        importlib.import_module(module)
    imported, cpu = time.perf_counter(), time.process_time()
    write, own = TOOLS[name].build(folder)
    built = time.perf_counter()
    write(path)
    written = time.perf_counter()
    times = {"importing": imported - start, "build": built - imported, "write": written - built}
    times["cpu"] = time.process_time() - cpu
    return {**times, "peak": measuring.peak(), "size": path.stat().st_size, **own}


def measure(case: Result, folder: Path, repeats: int) -> Result:
    """Run a case in processes of its own and read the file back."""
    if _version(TOOLS[case.tool].needs) is None:
        return replace(case, failure="not installed")
    path = folder / f"model.{case.format}"
    best = case
    for _ in range(repeats):
        done = measuring.run_alone(__file__, "--case", case.tool, str(folder), str(path))
        if done.returncode:
            return replace(case, failure=measuring.reason(done))
        result = replace(case, **json.loads(done.stdout.splitlines()[-1]))
        best = result if best.build is None or result.seconds < best.seconds else best
        if result.seconds > ENOUGH:
            break
    read = _read_back(path)
    path.unlink()
    return replace(best, **read)


def _read_back(path: Path) -> dict[str, Any]:
    """Return the sizes of a file as HiGHS reads it; nothing if it does not."""
    if _version("highspy") is None:
        return {}
    highspy: Any = importlib.import_module("highspy")
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    if highs.readModel(str(path)) == highspy.HighsStatus.kError:
        return {}
    lp = highs.getLp()
    kinds = [kind == highspy.HighsVarType.kInteger for kind in lp.integrality_]
    sizes = {"rows": lp.num_row_, "columns": lp.num_col_, "nonzeros": len(lp.a_matrix_.value_)}
    return {**sizes, "binaries": sum(kinds), "readable": True}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def results(folder: Path, networks: Sequence[Sequence[int]], asked: argparse.Namespace) -> Iterator[Result]:
    """Measure every tool in every case."""
    for widths in networks:
        layers, pixels, labels = train(widths)
        name = "-".join(map(str, (INPUTS, *widths, CLASSES)))
        for copies in COPIES:
            place = folder / f"{name}x{copies}"
            prepare(place, layers, pixels[:copies], labels[:copies])
            for suffix, tool in itertools.product(asked.formats, TOOLS):
                yield measure(Result(tool, name, copies, suffix), place, asked.repeats)


# reporting -------------------------------------------------------------------------------------------


def versions() -> dict[str, str | None]:
    """Return the version of everything that takes part; None for what is not installed."""
    return {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}}


HEADS = (
    *("tool", "network", "copies", "file", "import s", "build s", "write s", "cpu s", "peak MB", "file MB"),
    *("rows", "columns", "nonzeros", "binaries", "x wall", "x cpu"),
)


def table(measured: Sequence[Result]) -> str:
    """Return the results as Markdown; the last columns are build and write over those of `ensc -O1`."""
    ours = {(r.network, r.copies, r.format): r for r in measured if r.tool == "ensc -O1"}
    lines = [_row(HEADS), _row(["---"] * 2 + ["--:"] * (len(HEADS) - 2))]
    return "\n".join([*lines, *(_row(_cells(r, ours[r.network, r.copies, r.format])) for r in measured)])


def _cells(r: Result, ours: Result) -> list[str]:
    copies = str(r.copies) if r.left in {None, r.copies} else f"{r.left} of {r.copies}"
    front = [r.tool, r.network, copies, r.format]
    if r.failure:
        return [*front, r.failure, *[""] * (len(HEADS) - 5)]
    times = [_number(t, 1, 3) for t in (r.importing, r.build, r.write, r.cpu)]
    memory = [_number(r.peak, 1e6, 0), _number(r.size, 1e6, 3)]
    star = "" if r.readable else "*"
    sizes = ["" if n is None else f"{n}{star}" for n in (r.rows, r.columns, r.nonzeros, r.binaries)]
    ratios = [_ratio(r.seconds, ours.seconds), _ratio(r.cpu or 0.0, ours.cpu or 0.0)]
    return [*front, *times, *memory, *sizes, *ratios]


def _ratio(theirs: float, ours: float) -> str:
    return f"{theirs / ours:.2f}" if ours else ""


def _number(value: float | None, unit: float, digits: int) -> str:
    return "" if value is None else f"{value / unit:.{digits}f}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Read the arguments, measure, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=3, help="runs of each case; long ones run once")
    parser.add_argument("--formats", nargs="+", choices=["mps", "lp"], default=["mps"])
    parser.add_argument("--quick", action="store_true", help="the smaller network only")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write results, versions and machine")
    parser.add_argument("--case", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.case:
        name, folder, path = asked.case
        print(json.dumps(run_case(name, Path(folder), Path(path))))
        return
    networks = NETWORKS[:1] if asked.quick else NETWORKS
    with tempfile.TemporaryDirectory() as folder:
        measured = list(results(Path(folder), networks, asked))
    print(table(measured))
    if asked.json:
        report = {
            "machine": measuring.machine(),
            "versions": versions(),
            "results": [asdict(r) for r in measured],
        }
        measuring.write_json(asked.json, report)


if __name__ == "__main__":
    main()
