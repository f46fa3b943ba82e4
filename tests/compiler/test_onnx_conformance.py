"""The ONNX standard's own cases for the operators that are read: each passes, or is refused with a reason.

The real inputs of a case are computed values, its other inputs (shapes, axes, indices) constants. If it is
refused so, for multiplying two inputs or the like, then all real inputs but the first are constants too, and
at last all of them. Cases have no batch axis and results of any shape, so they are run below `read_network`,
which is about classifiers.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, numpy_helper
from onnx.backend.test.case.test_case import TestCase as Case
from onnx.backend.test.loader import load_model_tests
from onnx_models import Array
from operator_table import Shown, table

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.folding import FOLDED
from ensc.compiler.frontend.onnx.graph import graph_of
from ensc.compiler.frontend.onnx.operators import SUPPORTED
from ensc.compiler.frontend.onnx.origin import Origin
from ensc.compiler.frontend.onnx.scope import Scope
from ensc.compiler.frontend.onnx.tensor import Computed, Constant
from ensc.compiler.frontend.onnx.translate import apply
from ensc.compiler.passes.networks.evaluate import evaluate
from ensc.compiler.types.network import Network

ORIGIN = Origin("`case.onnx`")
READ = {*SUPPORTED, *FOLDED, "If"}

# Cases of operators that are read which are refused all the same: part of the name, part of the reason.
REFUSED = {
    "training_mode": "[E0508] `BatchNormalization` at the node that makes `y` in `case.onnx`: it normalises",
    "training_dropout": "it is in training mode",
    "cast": "which ensc does not compute with",  # the types of a few bits
    "_empty_set": "zero-size array",  # the maximum of nothing
    "_multiparam": "the shapes [3], [2, 3, 4",  # as broadcasting was before operator set 7
    "cubic": "the mode `cubic`",
    "exclude_outside": "it smooths",
    "antialias": "it smooths",
    "tf_crop_and_resize": "the coordinates `tf_crop_and_resize`",
    "not_larger": "it keeps the aspect ratio",
    "not_smaller": "it keeps the aspect ratio",
    "castlike": "the type of a constant",
    "_silu": "it is curved",  # convolutions that end in Sigmoid
    "_expanded": "the type of a constant",  # curves, after all of their parts were made constants
    "einsum_batch_diagonal": "an ellipsis",
    "lppool": "is curved",
    "scatter": "is not linear",
    "shrink_hard": "it jumps",
    "align_corners": "runtimes disagree on where corners lie",
}
SKIPPED = "skipped: no tensors of numbers"


@dataclass(frozen=True)
class Run:
    """One set of data of a case."""

    name: str
    model: ModelProto
    inputs: Sequence[object]
    outputs: Sequence[object]
    tolerance: float


def runs() -> Iterator[Run]:
    """Yield the first set of data of every case whose operators are all read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some overflow and divide by zero on purpose
        for kind in ("node", "simple", "pytorch-operator", "pytorch-converted"):
            for case in load_model_tests(kind=kind):
                model = case.model or onnx.load(str(Path(case.model_dir or "") / "model.onnx"))
                if set(titles(model)) <= READ:
                    inputs, outputs = data(case)
                    # Rounding to a narrow type is no part of a function over the reals.
                    tolerance = max(case.rtol, 1e-2 if "FLOAT16" in case.name else 0)
                    yield Run(case.name, model, inputs, outputs, tolerance)


def titles(model: ModelProto) -> list[str]:
    """Return the operators of a model, with their domain if that is not the standard's."""
    return [f"{n.domain}.{n.op_type}".removeprefix(".") for n in model.graph.node]


def data(case: Case) -> tuple[Sequence[object], Sequence[object]]:
    if case.data_sets:
        return case.data_sets[0]
    folder = Path(case.model_dir or "") / "test_data_set_0"
    inputs, outputs = (
        [TensorProto.FromString(p.read_bytes()) for p in sorted(folder.glob(f"{which}_*.pb"))]
        for which in ("input", "output")
    )
    return inputs, outputs


def decoded(value: object) -> Array | None:
    """Return a tensor of a case in the reader's types; None for what is no tensor of numbers."""
    if isinstance(value, TensorProto):
        tensor = value
    elif isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fiubV":
        tensor = numpy_helper.from_array(np.asarray(value))
    else:
        return None
    try:
        return ORIGIN.decode(tensor, "a case")
    except Rejected:
        return None


def computed_values(run: Run, given: Sequence[Array], computed: Sequence[int]) -> Array:
    """Return the first output of a case, the inputs of these numbers being parts of the network's input."""
    graph = graph_of(run.model, ORIGIN)
    point = np.concatenate([np.zeros(1), *(given[i].ravel() for i in computed)])
    build, scope = Builder(point.size), Scope(ORIGIN, graph.initializers)
    first = 1
    for i, (port, array) in enumerate(zip(graph.inputs, given, strict=False)):
        if i in computed:
            index = np.arange(first, first + array.size)
            value = build.gather(graph.nodes[0], [0], np.zeros(0), index)
            scope.set(port.name, Computed(value, array.shape))
            first += array.size
        else:
            scope.set(port.name, Constant(array))
    for node in graph.nodes:
        apply(node, scope, build, closes=False)
    result = scope.get(graph.outputs[0].name)
    if isinstance(result, Constant):
        return result.array
    network = Network("n", (point.size,), tuple(build.layers), result.value)
    return evaluate(network, point).reshape(result.shape)


def outcome(run: Run) -> str:
    """Return `passed`, `passed with constants`, `wrong`, or why the case was refused or skipped."""
    given, expected = [decoded(v) for v in run.inputs], decoded(run.outputs[0])
    if expected is None or any(array is None for array in given):
        return SKIPPED
    arrays = [array for array in given if array is not None]
    ports = graph_of(run.model, ORIGIN).inputs
    real = [
        i
        for i, (a, port) in enumerate(zip(arrays, ports, strict=False))
        if a.dtype == np.float64 and port.is_real
    ]
    reason = ""
    for computed in (real, real[:1], []):
        try:
            got = computed_values(run, arrays, computed)
        except Rejected as rejected:
            reason = str(rejected)
            continue
        close = got.shape == expected.shape and np.allclose(
            got, expected, rtol=run.tolerance, atol=1e-5, equal_nan=True
        )
        return ("passed" if computed == real else "passed with constants") if close else "wrong"
    return reason


@pytest.fixture(scope="module")
def shown() -> Mapping[str, tuple[frozenset[str], str]]:
    """Return the operators of every case, and what became of it."""
    return {run.name: (frozenset(titles(run.model)), outcome(run)) for run in runs()}


def test_every_case_passes_or_is_refused_with_a_reason(
    shown: Mapping[str, tuple[frozenset[str], str]],
) -> None:
    outcomes = {name: said for name, (_, said) in shown.items()}
    others = {name: said for name, said in outcomes.items() if not said.startswith("passed")}
    skipped = [name for name, said in others.items() if said == SKIPPED]
    unexplained = {
        name: said
        for name, said in others.items()
        if name not in skipped and not any(part in name and why in said for part, why in REFUSED.items())
    }
    assert unexplained == {}
    assert all(any(part in name for name in others) for part in REFUSED)
    assert all(any(kind in name for kind in ("string", "identity", "_if_")) for name in skipped)
    assert len(outcomes) - len(others) > 500
    assert len(skipped) < 10


def test_the_table_of_operators_is_what_the_cases_show(
    shown: Mapping[str, tuple[frozenset[str], str]], request: pytest.FixtureRequest
) -> None:
    page = Path(__file__).parents[2] / "docs" / "operators.md"
    made = table(
        Shown(operators, said.startswith("passed"), "" if said.startswith("passed") else _reason(name, said))
        for name, (operators, said) in sorted(shown.items())
        if said != SKIPPED
    )
    if request.config.getoption("--update"):
        page.parent.mkdir(exist_ok=True)
        page.write_text(made, encoding="utf-8")
    written = page.read_text(encoding="utf-8")
    if f"ONNX {onnx.__version__} " not in written:
        pytest.skip("the table is about another version of onnx")
    assert made == written


def _reason(name: str, said: str) -> str:
    """Return why a case was refused, without code and place."""
    why = next(why for part, why in REFUSED.items() if part in name and why in said)
    return why.rpartition("`case.onnx`: ")[2]
