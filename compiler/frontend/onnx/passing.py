"""Operators that let their input through: always, at inference, or because they close the network."""

from math import prod

import numpy as np
from onnx import TensorProto, helper

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.classical import labelled, normalizer, positive_score
from ensc.compiler.frontend.onnx.folding import cast
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.signs import is_never_negative
from ensc.compiler.frontend.onnx.tensor import Computed, Constant, Inputs, Tensor, constant, required

# What `closing` has a case for.
CLOSING = frozenset(
    (
        "ArgMax",
        "Concat",
        "Div",
        "LogSoftmax",
        "Sigmoid",
        "Softmax",
        "Sub",
        "TopK",
        "ai.onnx.ml.ArrayFeatureExtractor",
        "ai.onnx.ml.Normalizer",
        "ai.onnx.ml.ZipMap",
    )
)


def identity(node: Node, inputs: Inputs, _: Builder) -> Tensor:
    """Identity."""
    return required(node, inputs, 0)


def dropout(node: Node, inputs: Inputs, _: Builder) -> Tensor:
    """Dropout, which does nothing at inference."""
    training = constant(node, inputs, 2)
    if training is not None and training.any():
        node.refuse("it is in training mode", "export the model in evaluation mode")
    return required(node, inputs, 0)


def cast_real(node: Node, inputs: Inputs, _: Builder) -> Tensor:
    """Cast: constants are converted; computed reals stay the reals they are."""
    x = required(node, inputs, 0)
    if isinstance(x, Constant):
        return Constant(cast(node, x.array))
    target = node.integer("to", 0)
    if target not in {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16}:
        kind = np.dtype(helper.tensor_dtype_to_np_dtype(target)).name
        node.refuse(
            f"it rounds a computed value to {kind}, a step function",
            "name the output before it with `output = ...`, or export without it",
        )
    return x


def cast_like(node: Node, inputs: Inputs, _: Builder) -> Tensor:
    """CastLike with a computed value, which is real: reals stay the reals they are."""
    x, like = required(node, inputs, 0), required(node, inputs, 1)
    if isinstance(like, Constant):
        node.refuse("its target is the type of a constant, to which it may round", "use Cast in its place")
    return Constant(x.array.astype(np.float64)) if isinstance(x, Constant) else x


def closing(node: Node, inputs: Inputs, build: Builder) -> Tensor | tuple[Tensor, ...]:
    """Operators at the end that keep the order of the classes: their input takes their place."""
    x = required(node, inputs, 0)
    match node.title:
        case "ai.onnx.ml.ArrayFeatureExtractor":
            return positive_score(node, inputs)
        case "ai.onnx.ml.Normalizer":
            return normalizer(node, inputs)
        case "ai.onnx.ml.ZipMap":
            return labelled(node, inputs)
        case "Sigmoid":
            return x
        case "Div":
            return _shares(node, inputs, build)
        case "Sub":
            return _complement(node, inputs)
        case "Concat":
            return _two_probabilities(node, inputs, build)
        case "ArgMax":
            _check_axis(node, x, 0, from_axis=False)
            return x
        case "TopK":
            return _best(node, inputs)
        case _:
            # Before operator set 13 everything from the axis on was normalised together.
            old = node.version < 13
            _check_axis(node, x, 1 if old else -1, from_axis=old)
            return x


def two_scores(node: Node, x: Computed, build: Builder) -> Computed:
    """Return the scores 0 and z of two classes, where class 1 has the probability `Sigmoid(z)`."""
    return Computed(build.gather(node, [x.value], np.zeros(1), np.array([1, 0])), (1, 2))


def _check_axis(node: Node, x: Tensor, default: int, *, from_axis: bool) -> None:
    """Refuse a node that compares along an axis that does not hold all the classes."""
    rank = len(x.shape)
    axis = node.integer("axis", default)
    if not -rank <= axis <= rank:
        node.invalid(f"there is no axis {axis} among {rank}")
    group = x.shape[axis] if not from_axis and axis < rank else prod(x.shape[axis % (rank + 1) :])
    if group != prod(x.shape):
        verb = "normalises" if node.operator in {"LogSoftmax", "Softmax"} else "compares"
        node.refuse(f"it {verb} along axis {axis} of {list(x.shape)}, which are not all the classes")


def _best(node: Node, inputs: Inputs) -> tuple[Tensor, ...]:
    """TopK, if it takes the one highest score."""
    x = required(node, inputs, 0)
    count = constant(node, inputs, 1)
    k = node.integer("k", 1) if count is None else int(count.item())
    if k != 1 or not node.integer("largest", 1):
        node.refuse("at the end of a network it is read only if it chooses the one highest score")
    _check_axis(node, x, -1, from_axis=False)
    return x, x


def _shares(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Scores divided by their sum: it is positive if none of them is negative.

    The attribute `positive`, which no file can give, says that they were, before their logistic functions
    were undone.
    """
    x, total = build.lifted(node, required(node, inputs, 0)), required(node, inputs, 1)
    is_positive = bool(node.integer("positive", 0)) or is_never_negative(build, x.value)
    if prod(total.shape) != 1 or not is_positive:
        node.refuse("division by a sum that may be negative, or not of all classes, can reverse their order")
    return x


def _complement(node: Node, inputs: Inputs) -> Tensor:
    one, x = constant(node, inputs, 0), required(node, inputs, 1)
    if one is None or not (one == 1).all():
        node.refuse("of a probability it is read only as `1 - p`")
    return x


def _two_probabilities(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    x = build.lifted(node, required(node, inputs, 1))
    if x.size != 1 or node.integer("axis", 0) not in {-1, len(x.shape) - 1}:
        node.refuse("behind a Sigmoid it is read only if it joins `1 - p` and `p` of one probability")
    return two_scores(node, x, build)
