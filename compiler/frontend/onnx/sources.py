"""Operators that make constants: given ones, filled ones, and the sizes of other values."""

from math import prod

import numpy as np

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.tensor import Constant, Inputs, Tensor, integers_of, required


def given(node: Node, _inputs: Inputs, _build: Builder) -> Tensor:
    """Constant."""
    array = node.tensor("value")
    if array is not None:
        return Constant(array)
    for name, kind in (("value_float", np.float64), ("value_int", np.int64)):
        for key in (name, f"{name}s"):
            value = node.attributes.get(key)
            if isinstance(value, int | float | tuple):
                return Constant(np.array(value, dtype=kind))
    node.refuse("it holds no dense numbers")


def filled(node: Node, inputs: Inputs, _: Builder) -> Tensor:
    """ConstantOfShape."""
    shape = node.bounded(*(integers_of(node, inputs, 0, "shape") or ()))
    value = node.tensor("value")
    number = np.zeros(1) if value is None else value
    return Constant(np.broadcast_to(number.reshape(()), shape))


def shape(node: Node, inputs: Inputs, _: Builder) -> Tensor:
    """Shape, or a part of it; the batch axis is 1."""
    whole = required(node, inputs, 0).shape
    end = node.integer("end", len(whole))
    return Constant(np.array(whole[node.integer("start", 0) : end], dtype=np.int64))


def size(node: Node, inputs: Inputs, _: Builder) -> Tensor:
    """Size."""
    return Constant(np.array(prod(required(node, inputs, 0).shape), dtype=np.int64))
