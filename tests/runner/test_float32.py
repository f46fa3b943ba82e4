"""onnxruntime's outputs of every form become scores of the classes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ensc.compiler.frontend.onnx import read_network
from ensc.compiler.types.network import Floats
from ensc.compiler.types.problem import Member
from ensc.runner.exact.float32 import float32_scores

ROWS = np.array([[0.5], [2.0], [-1.0]], dtype=np.float32)


def member(
    folder: Path,
    nodes: Sequence[onnx.NodeProto],
    outputs: Sequence[onnx.ValueInfoProto],
    *,
    inputs: Sequence[str] = ("x",),
    interface: tuple[str | None, str | None] = (None, None),
) -> Member:
    """Return a member over one input; behind `z` there are two classes, behind `u` one number."""
    weights = [
        numpy_helper.from_array(np.array([[0.0, 1.0]], np.float32), "w"),
        numpy_helper.from_array(np.array([0.0, -1.0], np.float32), "b"),
        numpy_helper.from_array(np.array([[1.0]], np.float32), "v"),
        numpy_helper.from_array(np.array([-1.0], np.float32), "c"),
    ]
    first = [
        helper.make_node("Gemm", ["x", "w", "b"], ["z"]),
        helper.make_node("Gemm", ["x", "v", "c"], ["u"]),
    ]
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 1]) for name in inputs]
    graph = helper.make_graph([*first, *nodes], "g", ports, outputs, weights)
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    path = folder / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=versions, ir_version=8), path)
    network = read_network(path, name="m", input=interface[0], output=interface[1])
    return Member("m", network, path.name, str(path), "0" * 64, interface)


def real(name: str, *shape: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def scores(given: Member) -> Floats:
    pytest.importorskip("onnxruntime")
    found = float32_scores(Path(given.path), given, ROWS)
    assert not isinstance(found, str), found
    assert found.shape == (3, 2)
    return found


def agrees(found: Floats) -> bool:
    """Return whether class 1 wins just where x is more than 1."""
    return bool((found.argmax(axis=1) == [0, 1, 0]).all())


def test_one_probability(tmp_path: Path) -> None:
    found = scores(member(tmp_path, [helper.make_node("Sigmoid", ["u"], ["p"])], [real("p", "N", 1)]))
    assert agrees(found)
    np.testing.assert_allclose(found.sum(axis=1), 1)


@pytest.mark.parametrize("keep", [0, 1])
def test_a_label(keep: int, tmp_path: Path) -> None:
    out = helper.make_tensor_value_info("l", TensorProto.INT64, ["N", 1] if keep else ["N"])
    node = helper.make_node("ArgMax", ["z"], ["l"], axis=1, keepdims=keep)
    found = scores(member(tmp_path, [node], [out]))
    assert agrees(found)
    assert sorted(np.unique(found)) == [0, 1]


def test_a_map_beside_a_label(tmp_path: Path) -> None:
    kind = helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
    nodes = [
        helper.make_node("ZipMap", ["z"], ["m"], domain="ai.onnx.ml", classlabels_int64s=[0, 1]),
        helper.make_node("ArgMax", ["z"], ["l"], axis=1, keepdims=0),
    ]
    outputs = [
        helper.make_tensor_value_info("l", TensorProto.INT64, ["N"]),
        helper.make_value_info("m", helper.make_sequence_type_proto(kind)),
    ]
    assert agrees(scores(member(tmp_path, nodes, outputs)))


def test_an_output_among_several_and_an_input_that_it_does_not_read(tmp_path: Path) -> None:
    node = helper.make_node("Neg", ["other"], ["n"])
    outputs = [real("n", "N", 1), real("z", "N", 2)]
    given = member(tmp_path, [node], outputs, inputs=("x", "other"), interface=("x", "z"))
    assert agrees(scores(given))


def test_what_tells_no_classes_is_said(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    given = member(
        tmp_path,
        [helper.make_node("Identity", ["z"], ["y"])],
        [real("y", "N", 2), real("u", "N", 1)],
        interface=(None, "y"),
    )
    wrong = Member("m", given.network, given.file, given.path, given.sha256, (None, "u"))
    assert float32_scores(Path(given.path), wrong, ROWS) == "its output `u` does not tell 2 classes apart"
