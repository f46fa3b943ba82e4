"""Support vector machines of `ai.onnx.ml` with a linear kernel, and linear regression."""

import numpy as np

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.tensor import Computed, Inputs, Tensor, finite, required
from ensc.compiler.frontend.onnx.transforms import class_count
from ensc.compiler.types.network import Floats, Integers


def vector_classifier(
    node: Node, inputs: Inputs, build: Builder, *, closes: bool = False
) -> tuple[Tensor | None, Tensor]:
    """SVMClassifier of two classes: its scores -s and s, `s = sum_i c_i <v_i, x> + rho`.

    The label is not computed. The scores are those that onnxruntime gives, of which the *lower* one belongs
    to the class of the label. At the end of a network they are s and -s in its place, as in a model that is
    exported as raw scores, where a multiplication by -1 follows.
    """
    x = build.lifted(node, required(node, inputs, 0))
    _require_linear(node)
    if class_count(node) != 2:
        node.refuse(
            "of more than two classes it compares every two, and counts votes, which jumps",
            "train a linear classifier in its place (LinearSVC in scikit-learn)",
        )
    if node.reals("prob_a"):
        node.refuse(
            "its probabilities are curved, and not one half where its scores are equal",
            "train it with `probability=False`",
        )
    score = _machine(node, x, build)
    if closes and (np.array(node.reals("coefficients")) >= 0).all():
        node.refuse("none of its coefficients is negative, and runtimes then choose the label differently")
    sign = 1.0 if closes else -1.0
    both = build.linear(node, score, np.array([[sign], [-sign]]), np.zeros((1, 1, 1), dtype=np.int64))
    return None, Computed(both, (1, 2))


def vector_regressor(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """SVMRegressor with a linear kernel."""
    x = build.lifted(node, required(node, inputs, 0))
    _require_linear(node)
    if node.integer("one_class", 0):
        node.refuse("it says whether a point is an outlier, which jumps")
    return Computed(_machine(node, x, build), (1, 1))


def linear_regressor(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """LinearRegressor: `W x + b`."""
    x = build.lifted(node, required(node, inputs, 0))
    if node.text("post_transform", "NONE") != "NONE":
        node.refuse("its post_transform is curved", "export it with the post_transform NONE")
    targets = node.integer("targets", 1)
    weights = _numbers(node, "coefficients")
    if targets < 1 or weights.size != targets * x.size:
        node.invalid(f"{weights.size} coefficients do not fit {targets} targets of {x.size} features")
    bias = _numbers(node, "intercepts") if node.reals("intercepts") else np.zeros(targets)
    if bias.size != targets:
        node.invalid(f"it has {bias.size} intercepts for {targets} targets")
    value = build.linear(node, x.value, weights.reshape(targets, -1), _everything(x.size), bias)
    return Computed(value, (1, targets))


def _machine(node: Node, x: Computed, build: Builder) -> int:
    """Return `sum_i c_i <v_i, x> + rho` as two layers: multiplied out, their product would be rounded."""
    vectors, coefficients, rho = (_numbers(node, n) for n in ("support_vectors", "coefficients", "rho"))
    if not vectors.size or vectors.size % x.size or vectors.size // x.size != coefficients.size:
        node.invalid(f"{coefficients.size} coefficients do not fit {vectors.size} numbers of support vectors")
    kernel = build.linear(node, x.value, vectors.reshape(-1, x.size), _everything(x.size))
    weights = coefficients.reshape(1, -1)
    return build.linear(node, kernel, weights, _everything(coefficients.size), rho[:1])


def _everything(size: int) -> Integers:
    return np.arange(size).reshape(1, 1, -1)


def _numbers(node: Node, name: str) -> Floats:
    found = finite(node, np.array(node.reals(name) or ()), f"`{name}`")
    if not found.size:
        node.invalid(f"it has no `{name}`")
    return found


def _require_linear(node: Node) -> None:
    kernel = node.text("kernel_type", "LINEAR")
    if kernel != "LINEAR":
        node.refuse(
            f"its kernel {kernel} is curved",
            "train it with a linear kernel (`SVC(kernel='linear')` in scikit-learn)",
        )
    if node.text("post_transform", "NONE") != "NONE":
        node.refuse("its post_transform is curved", "export it with the post_transform NONE")
