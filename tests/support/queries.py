"""Small queries on disk, with the networks and data they name."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ensc.compiler.diagnostics import Diagnostic, Rejected
from ensc.compiler.frontend.query.resolve import Loaded, Overrides, load_problem

STATEMENTS: Mapping[str, str] = {
    "version": "rq 1.0;",
    "ensemble": 'ensemble C { f1 = onnx("f1.onnx"); f2 = onnx("f2.onnx"); }',
    "data": 'data X = npz("p.npz", inputs = "x", labels = "y", rows = [0, 3, 5..6]);',
    "epsilon": "param epsilon: real >= 0 = 10;",
    "alpha": "param alpha: real in [0, 1] = 2/5;",
    "input": "input domain [0, 255];",
    "attack": "attack norm L1, radius epsilon, count auto;",
    "loss": "loss zero_one, ties misclassified;",
    "goal": "check value < alpha;",
    "expect": "",
    "more": "",
}
"""A query that is accepted, by its statements."""


def query(**changes: str) -> str:
    """Return the query above with some statements replaced."""
    assert changes.keys() <= STATEMENTS.keys()
    return "\n".join({**STATEMENTS, **changes}.values())


def write_network(path: Path, shape: tuple[int, ...] = (4,), classes: int = 3, seed: int = 0) -> None:
    """Write a linear classifier with small integer weights."""
    rng = np.random.default_rng(seed)
    weight = rng.integers(-3, 4, (classes, int(np.prod(shape)))).astype(np.float32)
    bias = rng.integers(-3, 4, classes).astype(np.float32)
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("Gemm", ["flat", "W", "b"], ["y"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "classifier",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *shape])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", classes])],
        [numpy_helper.from_array(weight, "W"), numpy_helper.from_array(bias, "b")],
    )
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=9), path)


def write_folder(folder: Path) -> None:
    """Write the networks and the data of the query above, and some that do not fit."""
    write_network(folder / "f1.onnx")
    write_network(folder / "f2.onnx", seed=1)
    write_network(folder / "five.onnx", classes=5)
    write_network(folder / "wide.onnx", (9,))
    write_network(folder / "image.onnx", (1, 2, 2))
    write_network(folder / "colour.onnx", (3, 2, 2))
    points = np.arange(40, dtype=np.uint8).reshape(10, 4)
    np.savez(folder / "p.npz", x=points, y=np.arange(10) % 3)


def load(folder: Path, text: str, **overrides: tuple[str, ...]) -> Loaded:
    """Write a query into a folder and resolve it."""
    path = folder / "q.rq"
    path.write_text(text, encoding="utf-8")
    return load_problem(path, Overrides(**overrides))


def refused(folder: Path, text: str, **overrides: tuple[str, ...]) -> tuple[Diagnostic, ...]:
    """Resolve a query that must be rejected; return what is said about it."""
    try:
        load(folder, text, **overrides)
    except Rejected as rejected:
        return rejected.diagnostics
    raise AssertionError("the query was accepted")


def place_of(diagnostic: Diagnostic) -> str:
    """Return the text that a diagnostic points at."""
    assert diagnostic.place is not None
    return diagnostic.place.span.text
