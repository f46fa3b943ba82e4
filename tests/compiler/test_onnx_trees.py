"""Tree ensembles of ONNX files, against onnxruntime and what the standard says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from forests import by_onnxruntime, cells, listed, random_forest, scores, stump, tree_model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx_models import Array, saved

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.frontend.onnx import read_network
from ensc.compiler.frontend.onnx.forest import DEEPEST
from ensc.compiler.frontend.onnx.summary import render_summary, summarize
from ensc.compiler.passes.networks.evaluate import evaluate
from ensc.compiler.types.network import Trees

pytest.importorskip("onnxruntime")
POINTS = np.array(list(cells([-2.0, -2.0], [2.0, 2.0])))
QUIET = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SEEDS = st.integers(0, 2**32 - 1)


def found(model: onnx.ModelProto, folder: Path, points: Array = POINTS) -> Array:
    return evaluate(read_network(saved(model, folder), name="n"), points)


@QUIET
@given(SEEDS)
def test_classifiers_of_every_mode(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    forest = random_forest(rng, 2, 3, trees=int(rng.integers(1, 4)))
    attributes = {**listed(forest, "class"), "classlabels_int64s": [0, 1, 2], "base_values": [0.5, 0.0, -1.0]}
    model = tree_model("TreeEnsembleClassifier", 2, attributes, label=True)
    mine = found(model, tmp_path)
    np.testing.assert_allclose(mine, by_onnxruntime(model, POINTS)[1], atol=1e-6)
    np.testing.assert_allclose(mine, [scores(forest, x) + np.array([0.5, 0, -1]) for x in POINTS])


@QUIET
@given(SEEDS, st.sampled_from(["SUM", "AVERAGE"]))
def test_regressors(tmp_path: Path, seed: int, aggregate: str) -> None:
    rng = np.random.default_rng(seed)
    forest = random_forest(rng, 2, 2, trees=3)
    attributes = {
        **listed(forest, "target"),
        "n_targets": 2,
        "base_values": [0.5, -1.0],
        "aggregate_function": aggregate,
    }
    model = tree_model("TreeEnsembleRegressor", 2, attributes)
    np.testing.assert_allclose(found(model, tmp_path), by_onnxruntime(model, POINTS)[0], atol=1e-6)


def floats(values: Any, kind: Any = np.float32) -> TensorProto:
    return numpy_helper.from_array(np.asarray(values, dtype=kind), "t")


def joined(**changes: Any) -> Mapping[str, Any]:
    """Return the attributes of a TreeEnsemble: two trees, one with a membership test and shared leaves."""
    nan = float("nan")
    return {
        "n_targets": 2,
        "tree_roots": [0, 2],
        "nodes_featureids": [0, 1, 1],
        "nodes_splits": floats([0.5, -1.0, 0.0]),
        "nodes_modes": floats([0, 3, 6], np.uint8),
        "nodes_truenodeids": [1, 0, 3],
        "nodes_falsenodeids": [2, 1, 3],
        "nodes_trueleafs": [0, 1, 1],
        "nodes_falseleafs": [1, 1, 1],
        "leaf_targetids": [0, 1, 0, 1],
        "leaf_weights": floats([1.0, 2.0, -0.5, 0.25]),
        "membership_values": floats([1.0, -1.0, 2.0, nan]),
        **changes,
    }


def test_the_ensembles_of_version_5(tmp_path: Path) -> None:
    model = tree_model("TreeEnsemble", 2, joined(), version=5)
    expected = []
    for a, b in POINTS:
        first = [1.0, 0.0] if a <= 0.5 and b > -1 else [0.0, 2.0] if a <= 0.5 else [-0.5, 0.0]
        expected.append(np.array(first) + np.array([0.0, 0.25]))
    np.testing.assert_array_equal(found(model, tmp_path), expected)
    np.testing.assert_array_equal(by_onnxruntime(model, POINTS)[0], expected)
    apart = joined(nodes_falsenodeids=[2, 1, 1])
    model = tree_model("TreeEnsemble", 2, apart, version=5)
    whole = POINTS[(np.rint(POINTS) == POINTS).all(axis=1)]  # onnxruntime rounds what it looks for in a set
    np.testing.assert_array_equal(found(model, tmp_path, whole), by_onnxruntime(model, whole)[0])


def test_a_mean_of_version_5(tmp_path: Path) -> None:
    model = tree_model("TreeEnsemble", 2, joined(aggregate_function=0), version=5)
    np.testing.assert_array_equal(found(model, tmp_path), by_onnxruntime(model, POINTS)[0])


STUMP = {
    "nodes_treeids": [0, 0, 0],
    "nodes_nodeids": [0, 1, 2],
    "nodes_featureids": [0, 0, 0],
    "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"],
    "nodes_values": [0.5, 0.0, 0.0],
    "nodes_truenodeids": [1, 0, 0],
    "nodes_falsenodeids": [2, 0, 0],
}


def one_class(used: int, weights: list[float], transform: str, base: list[float]) -> onnx.ModelProto:
    attributes = {
        **STUMP,
        "class_treeids": [0, 0],
        "class_nodeids": [1, 2],
        "class_ids": [used, used],
        "class_weights": weights,
        "classlabels_int64s": [0, 1],
        "post_transform": transform,
        **({"base_values": base} if base else {}),
    }
    return tree_model("TreeEnsembleClassifier", 2, attributes, label=True)


@pytest.mark.parametrize("base", [[], [0.125], [0.125, 0.25]])
@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT"])
@pytest.mark.parametrize("weights", [[0.25, 0.75], [-1.0, 2.0]])
@pytest.mark.parametrize("used", [0, 1])
def test_one_score_for_two_classes_is_completed_as_onnxruntime_does_or_refused(
    used: int, weights: list[float], transform: str, base: list[float], tmp_path: Path
) -> None:
    model = one_class(used, weights, transform, base)
    positive = min(weights) >= 0
    if len(base) == 2 or transform not in {"NONE", "LOGISTIC"} or (used == 1 and (base or positive)):
        with pytest.raises(Rejected, match="E0508"):
            found(model, tmp_path)
        return
    mine = found(model, tmp_path)
    theirs = by_onnxruntime(model, POINTS)[1]
    np.testing.assert_array_equal(mine.argmax(axis=1), theirs.argmax(axis=1))
    if transform == "LOGISTIC":
        theirs = np.log(theirs / (1 - theirs))
        np.testing.assert_allclose(mine[:, 1] - mine[:, 0], theirs[:, 1], atol=1e-6)
    else:
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


@pytest.mark.parametrize(("low", "is_read"), [(0.25, True), (-0.25, False)])
def test_softmax_zero_is_left_out_where_no_score_is_zero(low: float, is_read: bool, tmp_path: Path) -> None:
    forest = stump(0.5, [low, 1.0, 0.5], [2.0, 1.0, 0.75])
    attributes = {
        **listed(forest, "class"),
        "classlabels_int64s": [0, 1, 2],
        "post_transform": "SOFTMAX_ZERO",
    }
    model = tree_model("TreeEnsembleClassifier", 2, attributes, label=True)
    if not is_read:
        with pytest.raises(Rejected, match="SOFTMAX_ZERO does not keep"):
            found(model, tmp_path)
        return
    mine = found(model, tmp_path)
    np.testing.assert_array_equal(mine.argmax(axis=1), by_onnxruntime(model, POINTS)[1].argmax(axis=1))


def test_doubles_keep_their_thresholds(tmp_path: Path) -> None:
    forest = {
        k: v for k, v in listed(stump(0.5, [1.0, 0.0], [0.0, 1.0]), "target").items() if k != "nodes_values"
    }
    attributes = {**forest, "n_targets": 2, "nodes_values_as_tensor": floats([0.1, 0, 0], np.float64)}
    network = read_network(saved(tree_model("TreeEnsembleRegressor", 2, attributes), tmp_path), name="n")
    assert evaluate(network, [0.1, 0.0]).tolist() == [1, 0]
    assert evaluate(network, [np.nextafter(0.1, 1), 0.0]).tolist() == [0, 1]


def test_an_infinite_threshold_decides_nothing(tmp_path: Path) -> None:
    forest = listed(stump(float("inf"), [1.0, 0.0], [0.0, 1.0]), "target")
    network = read_network(
        saved(tree_model("TreeEnsembleRegressor", 2, {**forest, "n_targets": 2}), tmp_path), name="n"
    )
    (layer,) = network.layers
    assert isinstance(layer, Trees)
    assert (len(layer.features), layer.leaves) == (0, 1)


def test_the_summary_counts_leaves(tmp_path: Path) -> None:
    attributes = {**listed(stump(0.5, [1.0, 0.0], [0.0, 1.0]), "target"), "n_targets": 2}
    text = render_summary(summarize(saved(tree_model("TreeEnsembleRegressor", 2, attributes), tmp_path)))
    assert "2 leaves" in text
    assert "Trees" in text


def changed(**changes: Any) -> Mapping[str, Any]:
    base = {**listed(stump(0.5, [1.0, 0.0], [0.0, 1.0]), "class"), "classlabels_int64s": [0, 1]}
    return {**base, **changes}


def without_labels() -> Mapping[str, Any]:
    return {name: value for name, value in changed().items() if name != "classlabels_int64s"}


BAD: Mapping[str, tuple[str, str, Mapping[str, Any], str]] = {
    "a side that is not there": (
        "TreeEnsembleClassifier",
        "E0560",
        changed(nodes_truenodeids=[7, 0, 0]),
        "node 7",
    ),
    "a cycle": (
        "TreeEnsembleClassifier",
        "E0506",
        changed(
            nodes_modes=["BRANCH_LEQ", "BRANCH_LEQ", "LEAF"],
            nodes_truenodeids=[1, 0, 0],
            nodes_falsenodeids=[2, 2, 0],
            class_nodeids=[2, 2],
        ),
        "a tree has no one root",
    ),
    "a shared node": (
        "TreeEnsembleClassifier",
        "E0560",
        changed(
            nodes_truenodeids=[1, 0, 0],
            nodes_falsenodeids=[1, 0, 0],
            nodes_treeids=[0, 0, 1],
            class_treeids=[0, 1],
        ),
        "two paths",
    ),
    "a feature that is not there": (
        "TreeEnsembleClassifier",
        "E0506",
        changed(nodes_featureids=[5, 0, 0]),
        "feature 5",
    ),
    "a mode": (
        "TreeEnsembleClassifier",
        "E0506",
        changed(nodes_modes=["BRANCH_XY", "LEAF", "LEAF"]),
        "no mode",
    ),
    "lengths": ("TreeEnsembleClassifier", "E0506", changed(nodes_values=[0.5]), "`nodes_values` has 1"),
    "classes": ("TreeEnsembleClassifier", "E0506", changed(class_ids=[0, 9]), "out of range"),
    "no label": ("TreeEnsembleClassifier", "E0506", without_labels(), "names no classes"),
    "a test with a weight": ("TreeEnsembleClassifier", "E0506", changed(class_nodeids=[0, 1]), "no leaf"),
    "probit": ("TreeEnsembleClassifier", "E0508", changed(post_transform="PROBIT"), "PROBIT does not keep"),
    "base values": ("TreeEnsembleClassifier", "E0508", changed(base_values=[0.5, 0.5]), "different ways"),
    "not a number": ("TreeEnsembleClassifier", "E0514", changed(nodes_values=[float("nan"), 0, 0]), "NaN"),
    "a maximum": ("TreeEnsemble", "E0508", joined(aggregate_function=3), "takes the MAX"),
    "a far side": ("TreeEnsemble", "E0560", joined(nodes_truenodeids=[9, 0, 3]), "outside its trees"),
    "a loop": ("TreeEnsemble", "E0560", joined(nodes_truenodeids=[0, 0, 3]), "two paths"),
    "targets": ("TreeEnsemble", "E0504", joined(n_targets=2**40), "array"),
    "no targets": ("TreeEnsemble", "E0506", joined(n_targets=0), "0 targets"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_rejected(name: str, tmp_path: Path) -> None:
    operator, code, attributes, words = BAD[name]
    model = tree_model(operator, 2, attributes, version=5 if operator == "TreeEnsemble" else 3)
    if operator != "TreeEnsemble":
        model.graph.node[0].output.insert(0, "l")
    with pytest.raises(Rejected) as info:
        read_network(saved(model, tmp_path), name="n")
    (diagnostic,) = info.value.diagnostics
    assert diagnostic.code == code
    assert words in diagnostic.message


def chain(depth: int) -> Mapping[str, Any]:
    """Return a tree in which every test has the next one on its false side."""
    numbers = np.arange(depth)
    last = numbers == depth - 1
    return {
        "n_targets": 2,
        "tree_roots": [0],
        "nodes_featureids": [0] * depth,
        "nodes_splits": floats(numbers),
        "nodes_modes": floats(np.zeros(depth), np.uint8),
        "nodes_truenodeids": numbers.tolist(),
        "nodes_falsenodeids": np.where(last, depth, numbers + 1).tolist(),
        "nodes_trueleafs": [1] * depth,
        "nodes_falseleafs": last.astype(int).tolist(),
        "leaf_targetids": [0] * (depth + 1),
        "leaf_weights": floats(np.arange(depth + 1)),
    }


def test_depth_is_bounded(tmp_path: Path) -> None:
    model = tree_model("TreeEnsemble", 2, chain(DEEPEST), version=5)
    assert evaluate(read_network(saved(model, tmp_path), name="n"), [10.5, 0.0]).tolist() == [11, 0]
    with pytest.raises(Rejected, match="deeper than"):
        read_network(saved(tree_model("TreeEnsemble", 2, chain(50_000), version=5), tmp_path), name="n")


def test_equality_does_not_explode(tmp_path: Path) -> None:
    """A chain of tests for equality of one input splits into as many intervals, not into all subsets."""
    model = tree_model(
        "TreeEnsemble", 2, {**chain(300), "nodes_modes": floats([4] * 300, np.uint8)}, version=5
    )
    network = read_network(saved(model, tmp_path), name="n")
    assert evaluate(network, [[7.0, 0.0], [7.5, 0.0]])[:, 0].tolist() == [7, 300]
    attributes = dict(chain(300))
    many = {**attributes, "nodes_modes": floats([4] * 300, np.uint8), "nodes_featureids": list(range(300))}
    wide = tree_model("TreeEnsemble", 300, many, version=5)
    with pytest.raises(Rejected, match="split into more than"):
        read_network(saved(wide, tmp_path), name="n")


def test_trees_behind_a_scaler_and_in_the_middle(tmp_path: Path) -> None:
    """Thresholds on scaled inputs; classifiers averaged; another network behind the trees."""
    attributes = {**listed(stump(0.5, [1.0, 0.25], [0.5, 1.0]), "class"), "classlabels_int64s": [0, 1]}
    nodes = [
        helper.make_node("Scaler", ["x"], ["u"], domain="ai.onnx.ml", offset=[1.0, 0.0], scale=[-0.5, 1.0]),
        helper.make_node("TreeEnsembleClassifier", ["u"], ["l", "a"], domain="ai.onnx.ml", **attributes),
        helper.make_node("TreeEnsembleClassifier", ["x"], ["m", "b"], domain="ai.onnx.ml", **attributes),
        helper.make_node("Sub", ["a", "b"], ["c"]),
        helper.make_node("Relu", ["c"], ["s"]),
    ]
    model = tree_model("TreeEnsembleClassifier", 2, attributes, label=True)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    del model.graph.output[0]
    np.testing.assert_array_equal(found(model, tmp_path), by_onnxruntime(model, POINTS)[0])
