"""Operators that give the same entries another shape: in a flat network they cost nothing."""

from collections.abc import Sequence
from math import prod

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.tensor import (
    Inputs,
    Tensor,
    axes_of,
    axis_of,
    integers_of,
    required,
)


def viewed(node: Node, tensor: Tensor, shape: Sequence[int]) -> Tensor:
    """Return the same entries with another shape."""
    if prod(tensor.shape) != prod(shape):
        node.invalid(f"{list(tensor.shape)} cannot have the shape {list(shape)}")
    return tensor.reshaped(*shape)


def reshape(node: Node, inputs: Inputs, _: Builder) -> Tensor:
    """Reshape: 0 copies a dimension unless `allowzero`, -1 is inferred."""
    x = required(node, inputs, 0)
    wanted = list(integers_of(node, inputs, 1, "shape") or ())
    if not node.integer("allowzero", 0):
        if any(n == 0 and i >= len(x.shape) for i, n in enumerate(wanted)):
            node.invalid(f"the shape {wanted} copies a dimension that is not there")
        wanted = [x.shape[i] if n == 0 else n for i, n in enumerate(wanted)]
    if wanted.count(-1) > 1 or min(wanted, default=0) < -1:
        node.invalid(f"{wanted} is no shape")
    if -1 in wanted:
        known = prod(n for n in wanted if n != -1)
        wanted[wanted.index(-1)] = prod(x.shape) // known if known else 0
    return viewed(node, x, wanted)


def flatten(node: Node, inputs: Inputs, _: Builder) -> Tensor:
    """Flatten to a matrix."""
    x = required(node, inputs, 0)
    axis = node.integer("axis", 1)
    if not -len(x.shape) <= axis <= len(x.shape):
        node.invalid(f"there is no axis {axis} among {len(x.shape)}")
    axis += len(x.shape) if axis < 0 else 0
    return viewed(node, x, (prod(x.shape[:axis]), prod(x.shape[axis:])))


def squeeze(node: Node, inputs: Inputs, _: Builder) -> Tensor:
    """Squeeze: drop axes of length 1."""
    x = required(node, inputs, 0)
    axes = axes_of(node, inputs, 1, len(x.shape))
    if axes is None:
        axes = tuple(i for i, n in enumerate(x.shape) if n == 1)
    if any(x.shape[i] != 1 for i in axes):
        node.invalid(f"the axes {list(axes)} of {list(x.shape)} are not all of length 1")
    return viewed(node, x, [n for i, n in enumerate(x.shape) if i not in axes])


def unsqueeze(node: Node, inputs: Inputs, _: Builder) -> Tensor:
    """Unsqueeze: insert axes of length 1."""
    x = required(node, inputs, 0)
    wanted = integers_of(node, inputs, 1, "axes") or ()
    rank = len(x.shape) + len(wanted)
    axes = {axis_of(node, a, rank) for a in wanted}
    if len(axes) != len(wanted):
        node.invalid(f"the axes {list(wanted)} are not distinct")
    rest = iter(x.shape)
    return viewed(node, x, [1 if i in axes else next(rest) for i in range(rank)])
