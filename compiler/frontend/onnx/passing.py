"""Operators that let their input through: always, at inference, or because they close the network."""

from math import prod

import numpy as np
from onnx import TensorProto, helper

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.folding import cast
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.tensor import Constant, Inputs, Tensor, constant, required


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


def closing(node: Node, inputs: Inputs, _: Builder) -> Tensor:
    """Softmax, LogSoftmax and Sigmoid at the end: they keep the order of the classes."""
    x = required(node, inputs, 0)
    if node.operator == "Sigmoid":
        return x
    rank = len(x.shape)
    axis = node.integer("axis", -1 if node.version >= 13 else 1)
    if not -rank <= axis <= rank:
        node.invalid(f"there is no axis {axis} among {rank}")
    # Before operator set 13 everything from the axis on was normalised together.
    group = x.shape[axis] if node.version >= 13 and axis < rank else prod(x.shape[axis % (rank + 1) :])
    if group != prod(x.shape):
        node.refuse(f"it normalises along axis {axis} of {list(x.shape)}, which are not all the classes")
    return x
