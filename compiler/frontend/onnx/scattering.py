"""Operators that put entries at constant places of another tensor: ScatterElements and ScatterND."""

from math import prod

import numpy as np

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.movement import move
from ensc.compiler.frontend.onnx.origin import Array
from ensc.compiler.frontend.onnx.tensor import Computed, Inputs, Tensor, axis_of, constant, required
from ensc.compiler.types.network import Integers


def scatter_elements(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """ScatterElements, called Scatter before operator set 11: one place for each update."""
    data, index, updates = required(node, inputs, 0), constant(node, inputs, 1), required(node, inputs, 2)
    axis = axis_of(node, node.integer("axis", 0), len(data.shape))
    if index is None or index.shape != updates.shape or index.ndim != len(data.shape):
        node.invalid("its indices and updates do not fit its data")
    _check(node, index, data.shape[axis])
    at: list[Array] = list(np.indices(index.shape, sparse=True))
    at[axis] = index % data.shape[axis]
    places = np.arange(prod(data.shape)).reshape(data.shape)[tuple(at)]
    return _scattered(node, data, updates, places.ravel(), build)


def scatter_nd(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """ScatterND: each index is a place or a slice, which one update or a slice of them fills."""
    data, index, updates = required(node, inputs, 0), constant(node, inputs, 1), required(node, inputs, 2)
    if index is None or index.ndim < 1 or index.shape[-1] > len(data.shape):
        node.invalid("its indices do not fit its data")
    depth = index.shape[-1]
    for i in range(depth):
        _check(node, index[..., i], data.shape[i])
    if updates.shape != (*index.shape[:-1], *data.shape[depth:]):
        node.invalid(f"its updates have shape {list(updates.shape)}")
    places = np.arange(prod(data.shape)).reshape(data.shape)[tuple(index[..., i] for i in range(depth))]
    return _scattered(node, data, updates, places.ravel(), build)


def _check(node: Node, index: Integers, length: int) -> None:
    if index.size and not -length <= index.min() <= index.max() < length:
        node.invalid(f"an index lies outside an axis of length {length}")


def _scattered(node: Node, data: Tensor, updates: Tensor, places: Integers, build: Builder) -> Tensor:
    """Return data with update i at the i-th place, or added there."""
    match node.text("reduction", "none"):
        case "none":
            last = np.full(prod(data.shape), -1)
            last[places] = np.arange(len(places))  # of several updates of one place the last one stays
            kept, chosen = last < 0, np.maximum(last, 0)

            def replaced(parts: list[Array]) -> Array:
                whole, new = (part.ravel() for part in parts)
                filled = new[chosen] if len(new) else whole
                return np.asarray(np.where(kept, whole, filled)).reshape(data.shape)

            return move(node, [data, updates], lambda parts: replaced(list(parts)), build)
        case "add":
            return _added(node, build.lifted(node, data), build.lifted(node, updates), places, build)
        case other:
            node.refuse(f"its reduction `{other}` is not linear", "use the reduction `add`")


def _added(node: Node, data: Computed, updates: Computed, places: Integers, build: Builder) -> Computed:
    order = np.argsort(places, kind="stable")
    counts = np.bincount(places, minlength=data.size)
    width = int(counts.max(initial=0))
    if not width:
        return data
    node.bounded(data.size, width)
    first = np.cumsum(counts) - counts
    offset = np.arange(width)
    inside = offset < counts[:, None]
    windows = np.where(inside, order[np.minimum(first[:, None] + offset, len(order) - 1)], -1)
    total = build.linear(node, updates.value, np.ones((1, width)), windows[None])
    return Computed(build.sum(node, [data.value, total], [1, 1]), data.shape)
