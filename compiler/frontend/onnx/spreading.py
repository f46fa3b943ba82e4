"""Operators that repeat, pad or rearrange in blocks: movements whose result may be larger."""

import numpy as np

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.movement import move, moved
from ensc.compiler.frontend.onnx.origin import Array
from ensc.compiler.frontend.onnx.tensor import (
    Constant,
    Inputs,
    Tensor,
    axes_of,
    broadcast,
    integers_of,
    required,
)


def expand(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Expand: broadcast to a shape."""
    x = required(node, inputs, 0)
    shape = broadcast(node, x.shape, node.bounded(*(integers_of(node, inputs, 1, "shape") or ())))
    return moved(node, x, lambda a: np.broadcast_to(a, shape), build)


def tile(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Tile: repeat along every axis."""
    x = required(node, inputs, 0)
    repeats = integers_of(node, inputs, 1, "repeats")
    if repeats is None or len(repeats) != len(x.shape):
        node.invalid("its repeats do not fit its data")
    node.bounded(*(n * r for n, r in zip(x.shape, repeats, strict=True)))
    return moved(node, x, lambda a: np.tile(a, repeats), build)


def pad(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Pad in every mode; negative pads crop."""
    x = required(node, inputs, 0)
    axes = axes_of(node, inputs, 3, len(x.shape)) or tuple(range(len(x.shape)))
    flat = integers_of(node, inputs, 1, "pads")
    if flat is None or len(flat) != 2 * len(axes):
        node.invalid("its pads do not fit its data")
    widths = [(0, 0)] * len(x.shape)
    for i, axis in enumerate(axes):
        widths[axis] = (flat[i], flat[i + len(axes)])
    node.bounded(*(n + max(a, 0) + max(b, 0) for n, (a, b) in zip(x.shape, widths, strict=True)))
    mode = node.text("mode", "constant")
    match mode:
        case "constant":
            given = inputs[2] if len(inputs) > 2 else None
            fill = Constant(np.array(node.real("value", 0.0))) if given is None else given
            return move(node, [x, fill], lambda a: _surrounded(a[0], widths, a[1]), build)
        case "reflect" | "edge" | "wrap":
            return moved(node, x, lambda a: np.pad(*_cropped(a, widths), mode=mode), build)
        case _:
            node.refuse(f"the mode `{mode}`", "constant, reflect, edge and wrap are read")


def _surrounded(array: Array, widths: list[tuple[int, int]], fill: Array) -> Array:
    kept, more = _cropped(array, widths)
    return np.pad(kept, more, mode="constant", constant_values=fill.item())


def _cropped(array: Array, widths: list[tuple[int, int]]) -> tuple[Array, list[tuple[int, int]]]:
    """Cut off what negative pads cut off; return what is left to add."""
    cuts = tuple(slice(max(0, -a), n - max(0, -b)) for n, (a, b) in zip(array.shape, widths, strict=True))
    return array[cuts], [(max(0, a), max(0, b)) for a, b in widths]


def depth_to_space(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """DepthToSpace, in both orders."""
    x = required(node, inputs, 0)
    n, c, h, w, b = _blocks(node, x, node.integer("blocksize", 0), deep=True)
    if node.text("mode", "DCR") == "CRD":
        parts, order = (n, c // b**2, b, b, h, w), (0, 1, 4, 2, 5, 3)
    else:
        parts, order = (n, b, b, c // b**2, h, w), (0, 3, 4, 1, 5, 2)
    shape = (n, c // b**2, h * b, w * b)
    return moved(node, x, lambda a: a.reshape(parts).transpose(order).reshape(shape), build)


def space_to_depth(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """SpaceToDepth, in both orders."""
    x = required(node, inputs, 0)
    n, c, h, w, b = _blocks(node, x, node.integer("blocksize", 0), deep=False)
    parts = (n, c, h // b, b, w // b, b)
    order = (0, 1, 3, 5, 2, 4) if node.text("mode", "DCR") == "CRD" else (0, 3, 5, 1, 2, 4)
    shape = (n, c * b**2, h // b, w // b)
    return moved(node, x, lambda a: a.reshape(parts).transpose(order).reshape(shape), build)


def _blocks(node: Node, x: Tensor, block: int, *, deep: bool) -> tuple[int, int, int, int, int]:
    if len(x.shape) != 4 or block < 1:
        node.invalid(f"{list(x.shape)} has no blocks of {block}")
    n, c, h, w = x.shape
    if c % block**2 if deep else h % block or w % block:
        node.invalid(f"{list(x.shape)} cannot be divided into blocks of {block}")
    return n, c, h, w, block
