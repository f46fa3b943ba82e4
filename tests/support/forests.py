"""Random decision trees: as layers, as ONNX attributes, and what they do at every place that matters."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper

from ensc.compiler.frontend.onnx.forest import Forest
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.growing import trees_of
from ensc.compiler.frontend.onnx.origin import Origin
from ensc.compiler.types.network import Floats, Network, Trees

MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")
NODE = Node("TreeEnsemble", "ai.onnx.ml", 5, "trees", (), (), {}, Origin("`m.onnx`"))


def random_forest(
    rng: np.random.Generator, inputs: int, outputs: int, *, trees: int = 3, depth: int = 3, modes: int = 6
) -> Forest:
    """Return trees with few thresholds, so that tests repeat, meet and contradict each other."""
    features: list[int] = []
    values: list[float] = []
    kinds: list[int] = []
    sides: list[list[int]] = []
    leaves: list[Floats] = []

    def grow(left: int) -> int:
        if not left or rng.random() < 0.2:
            leaves.append(rng.integers(-8, 9, outputs) / 4.0)
            return -len(leaves)
        here = len(features)
        features.append(int(rng.integers(inputs)))
        values.append(float(rng.integers(-3, 4)) / 2)
        kinds.append(int(rng.integers(modes)))
        sides.append([0, 0])
        sides[here] = [grow(left - 1), grow(left - 1)]
        return here

    roots = [grow(depth) for _ in range(trees)]
    table = np.array(sides, dtype=np.int64).reshape(-1, 2)
    return Forest(
        np.array(features, dtype=np.int64),
        np.array(values),
        np.array(kinds, dtype=np.int64),
        {},
        table[:, 0],
        table[:, 1],
        np.array(roots, dtype=np.int64),
        np.array(leaves),
    )


def stump(limit: float, low: Sequence[float], high: Sequence[float]) -> Forest:
    """Return one tree with one test, `x_1 <= limit`."""
    one = np.zeros(1, dtype=np.int64)
    return Forest(one, np.array([limit]), one, {}, one - 1, one - 2, one, np.array([low, high]))


def layer_of(forest: Forest, *, bias: Sequence[float] = (), source: int = 0) -> Trees:
    """Return the layer of a forest."""
    return trees_of(NODE, forest, source, np.array(bias or [0.0] * forest.leaves.shape[1]))


def network_of(forest: Forest, inputs: int, *, bias: Sequence[float] = ()) -> Network:
    """Return the network that is a forest alone."""
    return Network("forest", (inputs,), (layer_of(forest, bias=bias),), 1)


def scores(forest: Forest, x: Sequence[float]) -> Floats:
    """Return the sum of the leaves that x reaches, test by test as the file tells them."""
    total: Floats = np.zeros(forest.leaves.shape[1])
    for root in forest.roots.tolist():
        side = root
        while side >= 0:
            at, value = x[forest.features[side]], forest.values[side]
            true = (at <= value, at < value, at >= value, at > value, at == value, at != value)
            side = int((forest.true if true[forest.modes[side]] else forest.false)[side])
        total = total + forest.leaves[-1 - side]
    return total


def places(low: float, high: float) -> list[float]:
    """Return the thresholds of random forests in an interval, its ends, and points between all of them."""
    marks = sorted({low, high, *(t for t in np.arange(-3, 4) / 2 if low < t < high)})
    return sorted({*marks, *((a + b) / 2 for a, b in pairwise(marks))})


def cells(lower: Sequence[float], upper: Sequence[float]) -> Iterator[tuple[float, ...]]:
    """Yield one point of every cell that thresholds cut out of a box, of lower dimensions too."""
    return product(*(places(a, b) for a, b in zip(lower, upper, strict=True)))


def listed(forest: Forest, kind: str) -> Mapping[str, Any]:
    """Return a forest as attributes of ai.onnx.ml 1 to 4; kind is `class` or `target`."""
    rows: dict[str, list[Any]] = {
        name: []
        for name in ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")
    }
    ends: dict[str, list[Any]] = {name: [] for name in ("treeids", "nodeids", "ids", "weights")}

    def place(tree: int, side: int, number: int) -> int:
        """Write a subtree from a node number on; return the next free number."""
        inner = side >= 0
        free = number + 1
        below = [0, 0]
        at = {name: len(rows[name]) for name in rows}
        for column in rows.values():
            column.append(0)
        if inner:
            for slot, child in enumerate((forest.true[side], forest.false[side])):
                below[slot] = free
                free = place(tree, int(child), free)
        else:
            for output, weight in enumerate(forest.leaves[-1 - side].tolist()):
                if weight:
                    for name, entry in zip(ends, (tree, number, output, weight), strict=True):
                        ends[name].append(entry)
        entries = (
            tree,
            number,
            int(forest.features[side]) if inner else 0,
            float(forest.values[side]) if inner else 0.0,
            MODES[forest.modes[side]] if inner else "LEAF",
            *below,
        )
        for name, entry in zip(rows, entries, strict=True):
            rows[name][at[name]] = entry
        return free

    for tree, root in enumerate(forest.roots.tolist()):
        place(tree, root, 0)
    return {f"nodes_{k}": v for k, v in rows.items()} | {f"{kind}_{k}": v for k, v in ends.items()}


def tree_model(
    operator: str, inputs: int, attributes: Mapping[str, Any], *, version: int = 3, label: bool = False
) -> ModelProto:
    """Return a model of one tree ensemble from `x` to the scores `s`, and to a label `l`."""
    outputs = ["l", "s"] if label else ["s"]
    node = helper.make_node(operator, ["x"], outputs, domain="ai.onnx.ml", **attributes)
    ports = [helper.make_tensor_value_info("s", TensorProto.FLOAT, [None, None])]
    if label:
        ports.insert(0, helper.make_tensor_value_info("l", TensorProto.INT64, [None]))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, inputs])
    graph = helper.make_graph([node], "g", [x], ports)
    versions = [helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", version)]
    return helper.make_model(graph, opset_imports=versions, ir_version=8)


def by_onnxruntime(model: onnx.ModelProto, x: Floats) -> list[Floats]:
    """Return all outputs."""
    import onnxruntime  # noqa: PLC0415 - an extra

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return [np.asarray(o, dtype=np.float64) for o in session.run(None, {"x": x.astype(np.float32)})]
