"""Small ONNX models for the tests, and what the onnx package's own evaluator makes of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper, parser
from onnx.reference import ReferenceEvaluator

Array = npt.NDArray[Any]
NEWEST = 21  # operator set of the test models, unless a test is about another


def parsed(graph: str, version: int = NEWEST, ir: int = 9) -> ModelProto:
    """Return the model of a graph in ONNX's text format."""
    return parser.parse_model(f'<ir_version: {ir}, opset_import: ["" : {version}]> {graph}')


def assembled(
    nodes: Sequence[onnx.NodeProto],
    shape: Sequence[int | str],
    weights: Mapping[str, Array],
    version: int = NEWEST,
) -> ModelProto:
    """Return a model from `x` to `y`, where `y` is flattened from `z`, the last node's output."""
    graph = helper.make_graph(
        [*nodes, helper.make_node("Flatten", ["z"], ["y"], axis=1)],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, None])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=9)


def saved(model: ModelProto, folder: Path, name: str = "m.onnx") -> Path:
    """Write a model to a folder."""
    path = folder / name
    path.write_bytes(model.SerializeToString())
    return path


def by_reference(model: ModelProto, x: Array, output: str = "y") -> npt.NDArray[np.float64]:
    """Return what onnx's reference evaluator computes for inputs of shape (points, ...), one by one."""
    session = ReferenceEvaluator(model)
    name = model.graph.input[0].name
    rows = [cast("list[Array]", session.run([output], {name: one[None]}))[0].ravel() for one in x]
    return np.asarray(rows, dtype=np.float64)


def quarters(rng: np.random.Generator, *shape: int) -> npt.NDArray[np.float32]:
    """Return small multiples of 1/4: sums of their products are exact even in float32."""
    return (rng.integers(-8, 9, size=shape) / 4).astype(np.float32)
