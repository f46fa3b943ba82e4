"""Properties as text, and networks as files, for the tests of VNN-LIB."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ensc.compiler.types.network import Affine, Network, Relu
from ensc.compiler.types.problem import EnsembleProblem, Member

FIRST = """; version 1.0
(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
(declare-const Y_1 Real)
(assert (>= X_0 0.25))
(assert (<= X_0 0.75))
(assert (and (>= X_1 -1) (<= X_1 1e-3)))
(assert (or (and (>= Y_0 Y_1) (< Y_0 2.5)) (and (<= (+ Y_0 (* 2 Y_1)) 0))))
"""

SECOND = """(vnnlib-version <2.0>)
(declare-network f
  (declare-input X float32 [1,2])
  (declare-output Y float32 [1,2])
)
(declare-network g (isomorphic-to f)
  (declare-input U float32 [1,2])
  (declare-output V float32 [1,2])
)
(assert (== X[0,0] U[0,0]))
(assert (== U[0,1] X[0,1]))
(assert (and (>= X[0,0] 0.25) (<= U[0,0] 0.75)))
(assert (and (>= X[0,1] -1.0) (<= X[0,1] 0.5)))
(assert (>= Y[0,1] Y[0,0]))
(assert (>= V[0,1] V[0,0]))
"""


def save_network(network: Network, path: Path) -> None:
    """Write a network of affine layers and rectifiers as float32."""
    nodes, constants = [], []
    for number, layer in enumerate(network.layers, start=1):
        source = "x" if number == 1 else f"v{number - 1}"
        if isinstance(layer, Relu):
            nodes.append(helper.make_node("Relu", [source], [f"v{number}"]))
            continue
        assert isinstance(layer, Affine)
        for kind, array in (("w", layer.weight), ("b", layer.bias)):
            constants.append(numpy_helper.from_array(array.astype(np.float32), f"{kind}{number}"))
        inputs = [source, f"w{number}", f"b{number}"]
        nodes.append(helper.make_node("Gemm", inputs, [f"v{number}"], transB=1))
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", network.inputs])],
        [helper.make_tensor_value_info(f"v{network.output}", TensorProto.FLOAT, ["N", network.classes])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def with_files(problem: EnsembleProblem, folder: Path) -> EnsembleProblem:
    """Give the members of a problem files."""
    members: list[Member] = []
    for member in problem.ensemble:
        path = folder / member.file
        save_network(member.network, path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        members.append(replace(member, path=str(path), sha256=digest))
    return replace(problem, ensemble=tuple(members))


def run_onnx(path: Path, rows: Sequence[Sequence[float]]) -> list[list[float]]:
    """Run a file with onnxruntime, one row at a time."""
    import onnxruntime  # noqa: PLC0415 - an extra

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    port = session.get_inputs()[0]
    shape = [d if isinstance(d, int) else 1 for d in port.shape]
    return [
        session.run(None, {port.name: np.array(row, dtype=np.float32).reshape(shape)})[0].ravel().tolist()
        for row in rows
    ]
