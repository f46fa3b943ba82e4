"""Operators that few exporters write: scattering, contraction, branches, magnitudes, linear machines."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx_models import Array, assembled, by_reference, parsed, quarters, saved

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.frontend.onnx import read_network
from ensc.compiler.frontend.onnx.summary import summarize
from ensc.compiler.passes.networks.evaluate import evaluate

X = quarters(np.random.default_rng(0), 6, 4)


def agrees(model: onnx.ModelProto, folder: Path, x: Array = X) -> bool:
    network = read_network(saved(model, folder), name="n")
    np.testing.assert_array_equal(evaluate(network, x.reshape(len(x), -1)), by_reference(model, x))
    return True


def refused(model: onnx.ModelProto, folder: Path) -> str:
    with pytest.raises(Rejected) as info:
        read_network(saved(model, folder), name="n")
    (diagnostic,) = info.value.diagnostics
    assert diagnostic.code in {"E0506", "E0508", "E0509"}
    return diagnostic.message


@pytest.mark.parametrize("reduction", ["none", "add"])
@pytest.mark.parametrize("axis", [1, -1])
def test_elements_are_scattered(reduction: str, axis: int, tmp_path: Path) -> None:
    weights: dict[str, Array] = {
        "d": np.array([[4, 3, 2, 1, 0.5]], np.float32),
        "i": np.array([[0, 3, -1, 2] if reduction == "none" else [0, 3, -5, 3]]),
    }
    nodes = [
        helper.make_node("ScatterElements", ["d", "i", "x"], ["s"], axis=axis, reduction=reduction),
        helper.make_node("Concat", ["s", "x"], ["z"], axis=1),
    ]
    assert agrees(assembled(nodes, [1, 4], weights), tmp_path)


@pytest.mark.parametrize("reduction", ["none", "add"])
def test_slices_are_scattered(reduction: str, tmp_path: Path) -> None:
    weights: dict[str, Array] = {
        "i": np.array([[0, 2], [0, 0]]),
        "u": np.array([5.0, -1.0], np.float32),
        "j": np.array([[0]]),
    }
    nodes = [
        helper.make_node("ScatterND", ["x", "i", "u"], ["s"], reduction=reduction),
        helper.make_node("ScatterND", ["s", "j", "x"], ["z"], reduction=reduction),
    ]
    assert agrees(assembled(nodes, [1, 4], weights), tmp_path)


def test_scattering_by_products_is_refused(tmp_path: Path) -> None:
    weights: dict[str, Array] = {"i": np.array([[0]]), "u": np.ones((1, 4), np.float32)}
    nodes = [helper.make_node("ScatterND", ["x", "i", "u"], ["z"], reduction="mul")]
    assert "`mul` is not linear" in refused(assembled(nodes, [1, 4], weights), tmp_path)
    nodes = [helper.make_node("ScatterND", ["x", "i", "u"], ["z"])]
    outside = {"i": np.array([[1]]), "u": weights["u"]}
    assert "outside" in refused(assembled(nodes, [1, 4], outside), tmp_path)


@pytest.mark.parametrize(
    ("equation", "operands"),
    [
        ("bi,oi->bo", ["x", "w"]),
        ("oi,bi", ["w", "x"]),
        ("bi,i->bi", ["x", "v"]),
        ("bi,oi,i->bo", ["x", "w", "v"]),
        ("bi,jj->bij", ["x", "q"]),
    ],
)
def test_contraction(equation: str, operands: Sequence[str], tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    weights = {"w": quarters(rng, 3, 4), "v": quarters(rng, 4), "q": quarters(rng, 2, 2)}
    used = {name: array for name, array in weights.items() if name in operands}
    node = helper.make_node("Einsum", operands, ["e"], equation=equation)
    flat = helper.make_node("Reshape", ["e", "n"], ["z"])
    assert agrees(assembled([node, flat], [1, 4], {**used, "n": np.array([1, -1])}), tmp_path)


def test_contraction_of_two_computed_values_is_refused(tmp_path: Path) -> None:
    node = helper.make_node("Einsum", ["x", "x"], ["z"], equation="bi,bi->bi")
    assert "computed values" in refused(assembled([node], [1, 4], {}), tmp_path)


@pytest.mark.parametrize("rank", [2, 3])
def test_a_branch_that_the_shape_decides(rank: int, tmp_path: Path) -> None:
    """As PyTorch exports `squeeze` of a batch of open size."""
    branch = parsed(
        """g (float[1,4] x) => (float[1,n] y) {
             s = Shape(x) k = Size(s) two = Constant<value = int64 {2}>() c = Equal(k, two) r = Relu(x)
             y = If (c) <then_branch = a () => (float[1,n] p) { p = Concat<axis = 1>(r, x) },
                         else_branch = b () => (float[1,n] q) { q = Neg(x) }> }"""
    )
    if rank == 3:
        branch.graph.node[2].attribute[0].t.CopyFrom(numpy_helper.from_array(np.array(3)))
    assert agrees(branch, tmp_path)
    assert summarize(tmp_path / "m.onnx").unsupported == ()


def test_a_branch_that_the_input_decides_is_refused(tmp_path: Path) -> None:
    model = parsed(
        """g (float[1,4] x) => (float[1,4] y) {
             s = ReduceSum(x) c = Cast<to = 9>(s)
             y = If (c) <then_branch = a () => (float[1,4] p) { p = Relu(x) },
                         else_branch = b () => (float[1,4] q) { q = Neg(x) }> }"""
    )
    assert "step function" in refused(model, tmp_path)


@pytest.mark.parametrize(
    "nodes",
    [
        [helper.make_node("ReduceL1", ["x"], ["z"], axes=[2], keepdims=0)],
        [helper.make_node("LpPool", ["x"], ["z"], kernel_shape=[2], p=1, strides=[2])],
        [helper.make_node("GlobalLpPool", ["x"], ["z"], p=1)],
        [helper.make_node("Shrink", ["x"], ["z"], lambd=0.75, bias=0.75)],
    ],
)
def test_magnitudes(nodes: list[onnx.NodeProto], tmp_path: Path) -> None:
    model = assembled(nodes, [1, 2, 4], {}, version=17)
    x = quarters(np.random.default_rng(2), 6, 2, 4)
    agree = np.abs(x)
    network = read_network(saved(model, tmp_path), name="n")
    found = evaluate(network, x.reshape(6, -1))
    expected = {
        "ReduceL1": agree.sum(2),
        "GlobalLpPool": agree.sum(2),
        "LpPool": agree.reshape(6, 2, 2, 2).sum(3),
        "Shrink": np.sign(x) * np.maximum(agree - 0.75, 0),
    }[nodes[0].op_type]
    np.testing.assert_array_equal(found, expected.reshape(6, -1))


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (helper.make_node("GlobalLpPool", ["x"], ["z"]), "p = 2 is curved"),
        (helper.make_node("Shrink", ["x"], ["z"]), "jumps unless"),
    ],
)
def test_what_is_curved_or_jumps_is_refused(node: onnx.NodeProto, words: str, tmp_path: Path) -> None:
    assert words in refused(assembled([node], [1, 2, 4], {}), tmp_path)


def test_a_cast_to_the_type_of_a_computed_value(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("CastLike", ["n", "x"], ["c"]),
        helper.make_node("CastLike", ["x", "x"], ["d"]),
        helper.make_node("Mul", ["c", "d"], ["z"]),
    ]
    assert agrees(assembled(nodes, [1, 4], {"n": np.array([1, 2, 3, 4])}), tmp_path)


def classical(*nodes: onnx.NodeProto, output: str = "s", inputs: Sequence[str] = ("x",)) -> onnx.ModelProto:
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 4]) for name in inputs]
    out = helper.make_tensor_value_info(output, TensorProto.FLOAT, [None, None])
    versions = [helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 1)]
    graph = helper.make_graph(nodes, "g", ports, [out])
    return helper.make_model(graph, opset_imports=versions, ir_version=8)


def ml(operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, inputs, outputs, domain="ai.onnx.ml", **attributes)


VECTORS: dict[str, Any] = {
    "kernel_type": "LINEAR",
    "kernel_params": [0.0, 0.0, 0.0],
    "support_vectors": [1.0, -2.0, 0.5, 1.0, 0.0, 1.0, 2.0, -1.0, 3.0, 0.25, 0.0, 1.0],
    "coefficients": [0.5, -1.5, 1.0],
    "rho": [0.25],
}


def machine(**changes: Any) -> onnx.NodeProto:
    given = {**VECTORS, "vectors_per_class": [1, 2], "classlabels_ints": [0, 1], **changes}
    return ml("SVMClassifier", ["x"], ["l", "s"], **given)


@pytest.mark.parametrize("output", ["s", "l", None])
def test_a_linear_support_vector_machine(output: str | None, tmp_path: Path) -> None:
    """Of the runtime's scores the lower one chooses the label; of the network's the higher one does."""
    onnxruntime = pytest.importorskip("onnxruntime")
    model = classical(machine())
    model.graph.output.append(helper.make_tensor_value_info("l", TensorProto.INT64, [None]))
    network = read_network(saved(model, tmp_path), name="n", output=output)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    scores = evaluate(network, X)
    np.testing.assert_allclose(scores, -session.run(["s"], {"x": X})[0], atol=1e-5)
    np.testing.assert_array_equal(scores.argmax(axis=1), session.run(["l"], {"x": X})[0])
    assert "sign of the scores" in network.dropped[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kernel_type": "RBF"}, "its kernel RBF is curved"),
        ({"prob_a": [1.0], "prob_b": [0.0]}, "probabilities are curved"),
        ({"classlabels_ints": [0, 1, 2], "vectors_per_class": [1, 1, 1]}, "counts votes"),
        ({"coefficients": [0.5, -1.5]}, "do not fit"),
        ({"coefficients": [0.5, 1.5, 1.0]}, "none of its coefficients is negative"),
    ],
)
def test_machines_that_are_refused(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    assert words in refused(classical(machine(**changes)), tmp_path)


def test_regression_of_several_targets(tmp_path: Path) -> None:
    rows = [1.0, -2.0, 0.5, 1.0, 0.0, 1.0, 2.0, -1.0]
    node = ml("LinearRegressor", ["x"], ["s"], coefficients=rows, intercepts=[0.5, -1.0], targets=2)
    network = read_network(saved(classical(node), tmp_path), name="n")
    expected = X @ np.array(rows).reshape(2, 4).T + np.array([0.5, -1.0])
    np.testing.assert_array_equal(evaluate(network, X), expected)


def test_imputation_does_nothing_to_real_numbers(tmp_path: Path) -> None:
    fill = {"imputed_value_floats": [1.0, 2.0, 3.0, 4.0]}
    node = ml("Imputer", ["x"], ["s"], replaced_value_float=float("nan"), **fill)
    network = read_network(saved(classical(node), tmp_path), name="n")
    np.testing.assert_array_equal(evaluate(network, X), X)
    zero = ml("Imputer", ["x"], ["s"], replaced_value_float=0.0, **fill)
    assert "which jumps" in refused(classical(zero), tmp_path)


def test_features_are_joined(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["r"]),
        ml("FeatureVectorizer", ["x", "r"], ["s"], inputdimensions=[4, 4]),
    ]
    model = classical(*nodes)
    network = read_network(saved(model, tmp_path), name="n")
    np.testing.assert_array_equal(evaluate(network, X), np.concatenate([X, np.maximum(X, 0)], axis=1))


def test_weights_that_were_quantised(tmp_path: Path) -> None:
    """As exporters store them: whole numbers, a scale and a zero point for each row."""
    weights: dict[str, Array] = {
        "q": np.array([[1, -3], [100, 7], [-128, 0], [5, 5]], np.int8),
        "k": np.array([0.25, 0.5], np.float32),
        "o": np.array([1, -2], np.int8),
    }
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "k", "o"], ["w"], axis=1),
        helper.make_node("MatMul", ["x", "w"], ["z"]),
    ]
    model = assembled(nodes, [1, 4], weights)
    assert agrees(model, tmp_path)
    assert read_network(tmp_path / "m.onnx", name="n").rounded == ()
    session = ReferenceEvaluator(model)
    assert cast("list[Array]", session.run(["y"], {"x": X[:1]}))[0].shape == (1, 2)
