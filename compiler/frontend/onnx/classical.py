"""Operators of `ai.onnx.ml` that are linear: scikit-learn's scaling and its linear classifiers."""

import numpy as np

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.elementwise import scaled
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.movement import move, moved
from ensc.compiler.frontend.onnx.tensor import Computed, Constant, Inputs, Tensor, constant, finite, required
from ensc.compiler.frontend.onnx.transforms import class_count, refuse_transform, two_scores
from ensc.compiler.types.network import Floats


def scaler(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Scaler: `(x - offset) * scale`, the numbers along the last axis or one for all."""
    x = build.lifted(node, required(node, inputs, 0))
    offset, scale = (_along(node, x, name, default) for name, default in (("offset", 0.0), ("scale", 1.0)))
    return scaled(node, scaled(node, x, build, offset=-offset), build, factor=scale)


def _along(node: Node, x: Computed, name: str, default: float) -> Floats:
    numbers = finite(node, np.array(node.reals(name) or (default,)), f"its `{name}`")
    if numbers.size not in {1, x.shape[-1] if x.shape else 1}:
        node.invalid(f"`{name}` has {numbers.size} numbers for an input of shape {list(x.shape)}")
    return np.broadcast_to(numbers, x.shape).ravel()


def linear_classifier(
    node: Node, inputs: Inputs, build: Builder, *, closes: bool
) -> tuple[Tensor | None, Tensor]:
    """LinearClassifier: its second output, the scores `W x + b`; the label is not computed.

    At the end of a network the scores stand for what `post_transform` makes of them.

    Args:
        node: the node.
        inputs: its input.
        build: the network.
        closes: whether the scores, up to their order, are the network's.
    """
    x = build.lifted(node, required(node, inputs, 0))
    transform = node.text("post_transform", "NONE")
    if transform != "NONE":
        refuse_transform(node, transform, closes=closes)
    weights, bias = _coefficients(node, x)
    taps = np.arange(x.size).reshape(1, 1, -1)
    scores = Computed(build.linear(node, x.value, weights, taps, bias), (1, len(weights)))
    classes = class_count(node)
    if len(weights) == 1 and classes == 2:
        return None, _two(node, scores, transform, build)
    if classes not in {0, len(weights)}:
        node.invalid(f"it has {classes} labels for {len(weights)} scores")
    return None, scores


def _coefficients(node: Node, x: Computed) -> tuple[Floats, Floats]:
    """Return W, shape (scores, features), and b, shape (scores,)."""
    flat = finite(node, np.array(node.reals("coefficients") or ()), "`coefficients`")
    if len(x.shape) > 2 or not flat.size or flat.size % x.size:
        node.invalid(f"{flat.size} coefficients do not fit an input of shape {list(x.shape)}")
    weights = flat.reshape(-1, x.size)
    bias = finite(node, np.array(node.reals("intercepts") or (0.0,) * len(weights)), "`intercepts`")
    if len(bias) != len(weights):
        node.invalid(f"it has {len(bias)} intercepts for {len(weights)} scores")
    return weights, bias


def _two(node: Node, score: Computed, transform: str, build: Builder) -> Computed:
    """Return the scores 0 and z of two classes from one score z, whose logistic is class 1's probability."""
    if transform != "LOGISTIC":
        node.refuse(
            "it has one score for two classes, which runtimes complete to two in different ways",
            "give it a row of coefficients for each class, or the post_transform LOGISTIC",
        )
    return two_scores(build, node, score.value)


def labels_of(node: Node) -> tuple[str, ...]:
    """Return the labels of the classes in order, none if they are the numbers from 0 on or not named."""
    names = ("classlabels_ints", "classlabels_int64s", "classlabels_strings")
    labels = next((v for v in map(node.attributes.get, names) if isinstance(v, tuple) and v), ())
    return () if labels == tuple(range(len(labels))) else tuple(str(label) for label in labels)


def selected(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """ArrayFeatureExtractor: entries at constant places along the last axis."""
    index = constant(node, inputs, 1)
    assert index is not None
    return moved(node, required(node, inputs, 0), lambda a: a[..., index.ravel()], build)


def joined(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """FeatureVectorizer: its inputs side by side."""
    parts = [required(node, inputs, i) for i in range(len(inputs))]
    flat = [moved(node, part, lambda a: a.reshape(1, -1), build) for part in parts]
    return move(node, flat, lambda arrays: np.concatenate(arrays, axis=1), build)


def imputed(node: Node, inputs: Inputs) -> Tensor:
    """Imputer of missing values: there are none among real numbers."""
    if not np.isnan(node.real("replaced_value_float", 0.0)):
        node.refuse(
            "it replaces a number, which jumps", "impute missing values alone (`missing_values=np.nan`)"
        )
    return required(node, inputs, 0)


def normalizer(node: Node, inputs: Inputs) -> Tensor:
    """Normalizer at the end of a network: division by a norm, a positive number, keeps the order."""
    norm = node.text("norm", "MAX")
    x = required(node, inputs, 0)
    if norm not in {"L1", "L2"}:
        node.refuse(
            f"division by its norm {norm}, which may be negative, can reverse the order of the classes"
        )
    if not x.shape or x.shape[-1] != np.prod(x.shape):
        node.refuse(f"it normalises along the last axis of {list(x.shape)}, which are not all the classes")
    return x


def labelled(node: Node, inputs: Inputs) -> Tensor:
    """ZipMap at the end of a network: a score for each label, in the order of the labels."""
    x = required(node, inputs, 0)
    names = ("classlabels_int64s", "classlabels_strings")
    labels = next((v for v in map(node.attributes.get, names) if isinstance(v, tuple) and v), ())
    if len(labels) != np.prod(x.shape):
        node.invalid(f"it has {len(labels)} labels for an input of shape {list(x.shape)}")
    return x


def positive_score(node: Node, inputs: Inputs) -> Tensor:
    """ArrayFeatureExtractor at the end of a linear classifier: of two scores, that of class 1.

    scikit-learn's decision function is the second of the scores -z and z, between which the label
    is chosen, so that both are the network's.
    """
    x, index = required(node, inputs, 0), constant(node, inputs, 1)
    if isinstance(x, Constant) or x.size != 2 or index is None or index.ravel().tolist() != [1]:
        node.refuse("of a classifier's scores it is read only if it takes the second of two")
    return x
