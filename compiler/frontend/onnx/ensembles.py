"""Tree ensembles of `ai.onnx.ml`: what the sum of the leaves means for classes and targets.

A test compares a real number with the file's own threshold, a float32 (or a double, where the file says
so) taken exactly. A runtime rounds the input to float32 first, which changes nothing for inputs that are
float32 already. Missing values do not occur among real numbers, so where they would go is of no interest.
"""

from dataclasses import replace

import numpy as np

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.elementwise import scaled
from ensc.compiler.frontend.onnx.forest import Forest
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.growing import trees_of
from ensc.compiler.frontend.onnx.tensor import Computed, Inputs, Tensor, finite, required
from ensc.compiler.frontend.onnx.transforms import class_count, refuse_transform, two_scores
from ensc.compiler.frontend.onnx.tree_attributes import integers, joined_forest, listed_forest, numbers
from ensc.compiler.types.network import Floats

_ROWS = 256  # points that a node may score at once
_AGGREGATES = ("AVERAGE", "SUM", "MIN", "MAX")
_TRANSFORMS = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")


def tree_classifier(
    node: Node, inputs: Inputs, build: Builder, *, closes: bool
) -> tuple[Tensor | None, Tensor]:
    """TreeEnsembleClassifier: its second output, the scores; the label is not computed.

    Scores for one of two classes alone are completed to two as onnxruntime does: p to `1 - p` and p where no
    leaf is negative, s to `-s` and s elsewhere, and to 0 and s where LOGISTIC follows.
    """
    x = build.lifted(node, required(node, inputs, 0))
    classes = class_count(node)
    if classes < 1:
        node.invalid("it names no classes")
    forest = listed_forest(node, "class", classes)
    used = np.unique(integers(node, "class_ids"))
    transform = node.text("post_transform", "NONE")
    bias = finite(node, numbers(node, "base_values"), "`base_values`")
    if classes == 2 and len(used) == 1:
        return None, _completed(node, x, build, forest, int(used[0]), transform, bias, closes=closes)
    _check_transform(node, transform, forest, bias, closes=closes)
    if len(bias) not in {0, classes} or (classes == 2 and len(bias)):
        node.refuse(
            f"it has {len(bias)} base values for {classes} classes, which runtimes add up in different ways",
            "add the base values in a node of their own",
        )
    return None, _grown(node, x, build, forest, bias if len(bias) else np.zeros(classes))


def _completed(
    node: Node,
    x: Computed,
    build: Builder,
    forest: Forest,
    used: int,
    transform: str,
    bias: Floats,
    *,
    closes: bool,
) -> Computed:
    """Return the scores of two classes where leaves hold numbers for one of them."""
    score = replace(forest, leaves=forest.leaves[:, [used]])
    positive = bool((score.leaves >= 0).all())
    if len(bias) > 1 or (used == 1 and (len(bias) or positive)):
        node.refuse(
            "its leaves score one of two classes, and runtimes complete that in different ways",
            "give the leaves a weight for each class",
        )
    if transform != "NONE":
        if transform != "LOGISTIC" or not closes:
            refuse_transform(node, transform)
        positive = False
    if x.size != x.shape[-1]:
        node.refuse("it scores several points at once", "export the model with a batch of 1")
    value = _grown(node, x, build, score, bias if len(bias) else np.zeros(1)).value
    if used == 1 or transform == "LOGISTIC":
        return two_scores(build, node, value)
    other = build.scale(node, value, -1.0, 1.0 if positive else 0.0)
    return Computed(build.gather(node, [other, value], np.zeros(0), np.array([0, 1])), (1, 2))


def tree_regressor(node: Node, inputs: Inputs, build: Builder, *, closes: bool) -> Tensor:
    """TreeEnsembleRegressor: the targets."""
    x = build.lifted(node, required(node, inputs, 0))
    targets = _targets(node)
    forest = listed_forest(node, "target", targets)
    transform, aggregate = node.text("post_transform", "NONE"), node.text("aggregate_function", "SUM")
    bias = finite(node, numbers(node, "base_values"), "`base_values`")
    if len(bias) not in {0, targets}:
        node.invalid(f"it has {len(bias)} base values for {targets} targets")
    _check_transform(node, transform, forest, bias, closes=closes and targets > 1)
    base = bias if len(bias) else np.zeros(targets)
    return _aggregated(node, x, build, forest, base, aggregate)


def tree_ensemble(node: Node, inputs: Inputs, build: Builder, *, closes: bool) -> Tensor:
    """TreeEnsemble (ai.onnx.ml 5): the targets."""
    x = build.lifted(node, required(node, inputs, 0))
    targets = _targets(node)
    forest = joined_forest(node, targets)
    transform, aggregate = node.integer("post_transform", 0), node.integer("aggregate_function", 1)
    if transform not in range(len(_TRANSFORMS)) or aggregate not in range(len(_AGGREGATES)):
        node.invalid("its `post_transform` or `aggregate_function` is out of range")
    _check_transform(node, _TRANSFORMS[transform], forest, np.zeros(0), closes=closes and targets > 1)
    return _aggregated(node, x, build, forest, np.zeros(targets), _AGGREGATES[aggregate])


def _targets(node: Node) -> int:
    targets = node.integer("n_targets", 1)
    if targets < 1:
        node.invalid(f"it has {targets} targets")
    return targets


def _check_transform(node: Node, transform: str, forest: Forest, bias: Floats, *, closes: bool) -> None:
    if transform == "NONE":
        return
    if transform == "SOFTMAX_ZERO" and closes:
        # It gives scores that are zero the probability zero, and is a softmax where none can be.
        least = forest.leaves.min(axis=0, initial=np.inf) + (bias.min() if len(bias) else 0.0)
        if (least > 1e-6).all():
            return
    refuse_transform(node, transform, closes=closes)


def _aggregated(
    node: Node, x: Computed, build: Builder, forest: Forest, base: Floats, aggregate: str
) -> Computed:
    """Return the sum or the mean of the trees, plus the base values."""
    match aggregate:
        case "SUM":
            return _grown(node, x, build, forest, base)
        case "AVERAGE":
            total = _grown(node, x, build, forest, np.zeros(len(base)))
            mean = scaled(node, total, build, divisor=float(len(forest.roots)))
            return scaled(node, mean, build, offset=np.tile(base, mean.shape[0]))
        case "MIN" | "MAX":
            node.refuse(
                f"it takes the {aggregate} over its trees instead of their sum",
                "train an ensemble that adds up its trees",
            )
        case _:
            node.invalid("its `aggregate_function` is unknown")


def _grown(node: Node, x: Computed, build: Builder, forest: Forest, bias: Floats) -> Computed:
    """Return the sums of the trees for each row of x, shape (rows, outputs)."""
    if len(x.shape) not in {1, 2} or not x.size:
        node.invalid(f"its input of shape {list(x.shape)} is no vector of features")
    width = x.shape[-1]
    if x.size // width > _ROWS:
        node.refuse(f"it scores {x.size // width} points at once", "export the model with a batch of 1")
    if len(forest.features) and not 0 <= forest.features.min() <= forest.features.max() < width:
        node.invalid(f"it tests feature {int(forest.features.max())} of {width}")
    if not len(forest.roots):
        node.invalid("it has no trees")
    trees = trees_of(node, forest, x.value, bias)
    rows = [
        build.trees(node, replace(trees, features=trees.features + first))
        for first in range(0, x.size, width)
    ]
    everything = np.arange(len(rows) * len(bias))
    value = rows[0] if len(rows) == 1 else build.gather(node, rows, np.zeros(0), everything)
    return Computed(value, (len(rows), len(bias)))
