"""The linear operators of `ai.onnx.ml`, in the graphs that scikit-learn's exporter writes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx_models import Array, quarters, saved

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.frontend.onnx import read_network
from ensc.compiler.frontend.onnx.summary import summarize
from ensc.compiler.passes.networks.evaluate import evaluate

POINTS = quarters(np.random.default_rng(0), 40, 4)
ROWS = [1.0, -2.0, 3.0, 0.5, 1.0, -1.0, 2.0, 0.25, -3.0, 1.0, 1.0, 2.0]


def ml(operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, inputs, outputs, domain="ai.onnx.ml", **attributes)


def classifier(
    rows: Sequence[float], bias: Sequence[float], labels: Sequence[int], transform: str
) -> onnx.NodeProto:
    return ml(
        "LinearClassifier",
        ["x"],
        ["label", "s"],
        coefficients=rows,
        intercepts=bias,
        classlabels_ints=labels,
        post_transform=transform,
    )


def model_of(*nodes: onnx.NodeProto, output: str = "s", weights: Sequence[TensorProto] = ()) -> ModelProto:
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, [None, None])]
    if any("label" in node.output for node in nodes):
        outputs.insert(0, helper.make_tensor_value_info("label", TensorProto.INT64, [None]))
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])], outputs, weights
    )
    versions = [helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 1)]
    return helper.make_model(graph, opset_imports=versions, ir_version=8)


def scores(model: ModelProto, folder: Path) -> Array:
    return evaluate(read_network(saved(model, folder), name="n"), POINTS.astype(np.float64))


def computed(model: ModelProto, output: str) -> Array:
    """Return what onnx's reference evaluator computes."""
    return cast("list[Array]", ReferenceEvaluator(model).run([output], {"x": POINTS}))[0]


def label(model: ModelProto) -> Array:
    return computed(model, "label")


@pytest.mark.parametrize(
    ("offset", "scale"), [([0.5, -1.0, 2.0, 0.0], [2.0, 0.25, -1.0, 3.0]), ([0.5], [4.0])]
)
def test_scaling(offset: list[float], scale: list[float], tmp_path: Path) -> None:
    model = model_of(ml("Scaler", ["x"], ["s"], offset=offset, scale=scale))
    expected = computed(model, "s")
    np.testing.assert_array_equal(scores(model, tmp_path), expected)


def test_scaling_rounds_nothing(tmp_path: Path) -> None:
    offset, scale = np.float32(1 / 3), np.float32(1e-3)
    model = model_of(ml("Scaler", ["x"], ["s"], offset=[offset], scale=[scale]))
    network = read_network(saved(model, tmp_path), name="n")
    assert network.rounded == ()
    np.testing.assert_allclose(evaluate(network, [1.0] * 4), (1 - np.float64(offset)) * np.float64(scale))


@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC", "SOFTMAX"])
def test_a_row_for_each_class(transform: str, tmp_path: Path) -> None:
    model = model_of(classifier(ROWS, [0.5, -1.0, 0.25], [0, 1, 2], transform))
    expected = POINTS.astype(np.float64) @ np.array(ROWS).reshape(3, 4).T + [0.5, -1, 0.25]
    np.testing.assert_array_equal(scores(model, tmp_path), expected)
    np.testing.assert_array_equal(expected.argmax(axis=1), label(model))
    dropped = summarize(tmp_path / "m.onnx").dropped
    assert [words.split(" of ")[0] for words in dropped] == (
        [] if transform == "NONE" else [f"the post_transform {transform}"]
    )


def test_one_row_for_two_classes(tmp_path: Path) -> None:
    model = model_of(classifier(ROWS[:4], [0.25], [0, 1], "LOGISTIC"))
    logit = POINTS.astype(np.float64) @ np.array(ROWS[:4]) + 0.25
    np.testing.assert_array_equal(scores(model, tmp_path), np.stack([0 * logit, logit], axis=1))
    probability = computed(model, "s")[:, 1]
    np.testing.assert_array_equal(logit >= 0, probability >= 0.5)


def test_labels_that_are_no_positions_are_said(tmp_path: Path) -> None:
    model = model_of(classifier(ROWS, [0.5, -1.0, 0.25], [3, 5, 7], "NONE"))
    network = read_network(saved(model, tmp_path), name="n")
    (words,) = network.dropped
    assert "the classes 0 to 2" in words
    assert "3" in words
    assert "7" in words


def test_the_norm_at_the_end_and_the_map_of_labels(tmp_path: Path) -> None:
    chain = classifier(ROWS, [0.5, -1.0, 0.25], [0, 1, 2], "LOGISTIC")
    normalized = model_of(chain, ml("Normalizer", ["s"], ["p"], norm="L1"), output="p")
    assert len(read_network(saved(normalized, tmp_path), name="n").dropped) == 2
    np.testing.assert_array_equal(scores(normalized, tmp_path).argmax(axis=1), label(normalized))

    mapped = model_of(
        chain,
        ml("Normalizer", ["s"], ["p"], norm="L1"),
        ml("ZipMap", ["p"], ["m"], classlabels_int64s=[0, 1, 2]),
        output="m",
    )
    entry = helper.make_map_type_proto(
        TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, [])
    )
    mapped.graph.output[1].type.CopyFrom(helper.make_sequence_type_proto(entry))
    np.testing.assert_array_equal(scores(mapped, tmp_path), scores(normalized, tmp_path))


@pytest.mark.parametrize("columns", [[1], [3, 0]])
def test_features_are_selected(columns: list[int], tmp_path: Path) -> None:
    index = numpy_helper.from_array(np.array(columns), "i")
    select = ml("ArrayFeatureExtractor", ["x", "i"], ["f"])
    join = helper.make_node("Concat", ["f", "x"], ["s"], axis=1)
    np.testing.assert_array_equal(
        scores(model_of(select, join, weights=[index]), tmp_path),
        np.concatenate([POINTS[:, columns], POINTS], axis=1),
    )


def test_the_decision_function_of_two_classes_keeps_both_scores(tmp_path: Path) -> None:
    rows = [*(-r for r in ROWS[:4]), *ROWS[:4]]
    index = numpy_helper.from_array(np.array([1]), "i")
    model = model_of(
        classifier(rows, [-0.25, 0.25], [0, 1], "NONE"),
        ml("ArrayFeatureExtractor", ["s", "i"], ["d"]),
        output="d",
        weights=[index],
    )
    found = scores(model, tmp_path)
    assert found.shape == (40, 2)
    np.testing.assert_array_equal(found.argmax(axis=1), label(model))


REFUSED = {
    "max norm": (
        [classifier(ROWS, [0.0] * 3, [0, 1, 2], "NONE"), ml("Normalizer", ["s"], ["p"], norm="MAX")],
        "E0508",
        "may be negative",
    ),
    "probit": ([classifier(ROWS, [0.0] * 3, [0, 1, 2], "PROBIT")], "E0508", "PROBIT does not keep"),
    "softmax zero": ([classifier(ROWS, [0.0] * 3, [0, 1, 2], "SOFTMAX_ZERO")], "E0508", "does not keep"),
    "one row, no transform": ([classifier(ROWS[:4], [0.0], [0, 1], "NONE")], "E0508", "different ways"),
    "labels": ([classifier(ROWS, [0.0] * 3, [0, 1], "NONE")], "E0506", "2 labels for 3 scores"),
    "coefficients": ([classifier(ROWS[:5], [0.0], [0, 1], "NONE")], "E0506", "5 coefficients"),
    "curved inside": (
        [
            classifier(ROWS, [0.0] * 3, [0, 1, 2], "LOGISTIC"),
            helper.make_node("Neg", ["s"], ["p"]),
        ],
        "E0508",
        "only at the very end",
    ),
    "scaler": ([ml("Scaler", ["x"], ["s"], offset=[0.0, 1.0], scale=[1.0])], "E0506", "2 numbers"),
    "infinite": ([ml("Scaler", ["x"], ["s"], offset=[0.0], scale=[np.inf])], "E0514", "`scale`"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name: str, tmp_path: Path) -> None:
    nodes, code, words = REFUSED[name]
    model = model_of(*nodes, output=nodes[-1].output[-1])
    with pytest.raises(Rejected) as info:
        read_network(saved(model, tmp_path), name="n")
    (diagnostic,) = info.value.diagnostics
    assert diagnostic.code == code
    assert words in diagnostic.message
