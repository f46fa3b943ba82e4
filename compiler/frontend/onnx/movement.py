"""Operators that move entries about: each is one function on arrays, applied to indices.

What such an operator does to an array of positions says where every entry of its result comes from.
The same function applied to constants folds them.
"""

from collections.abc import Callable, Sequence
from math import prod

import numpy as np

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.origin import Array
from ensc.compiler.frontend.onnx.tensor import (
    Computed,
    Constant,
    Inputs,
    Tensor,
    axis_of,
    broadcast,
    constant,
    finite,
    integers_of,
    required,
)

Movement = Callable[[Sequence[Array]], Array]


def move(node: Node, tensors: Sequence[Tensor], movement: Movement, build: Builder) -> Tensor:
    """Return what a movement makes of tensors, some of which may be constants.

    Args:
        node: the node that moves.
        tensors: what is moved.
        movement: takes one array for each tensor; its result consists of their entries.
        build: the network.
    """
    constants = [t for t in tensors if isinstance(t, Constant)]
    if len(constants) == len(tensors):
        return Constant(movement([t.array for t in constants]))
    computed = [t for t in tensors if isinstance(t, Computed)]
    numbers = [finite(node, t.array.ravel(), "a constant") for t in constants]
    next_read, next_number = 0, sum(t.size for t in computed)
    places: list[Array] = []
    for tensor in tensors:
        size = prod(tensor.shape)
        first = next_read if isinstance(tensor, Computed) else next_number
        places.append(np.arange(first, first + size).reshape(tensor.shape))
        if isinstance(tensor, Computed):
            next_read += size
        else:
            next_number += size
    index = movement(places)
    pool = np.concatenate([np.zeros(0), *numbers])
    value = build.gather(node, [t.value for t in computed], pool, index.ravel())
    return Computed(value, index.shape)


def moved(node: Node, tensor: Tensor, movement: Callable[[Array], Array], build: Builder) -> Tensor:
    """Return what a movement makes of one tensor."""
    return move(node, [tensor], lambda parts: movement(parts[0]), build)


def permuted(node: Node, x: Computed, movement: Callable[[Array], Array], build: Builder) -> Computed:
    """Return what a movement makes of one computed value."""
    index = movement(x.positions())
    return Computed(build.gather(node, [x.value], np.zeros(0), index.ravel()), index.shape)


def transpose(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Transpose; without `perm` the axes are reversed."""
    x = required(node, inputs, 0)
    perm = node.integers("perm") or tuple(reversed(range(len(x.shape))))
    if sorted(perm) != list(range(len(x.shape))):
        node.invalid(f"{list(perm)} is no permutation of {len(x.shape)} axes")
    return moved(node, x, lambda a: a.transpose(perm), build)


def concat(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Concat along an axis."""
    parts = [required(node, inputs, i) for i in range(len(inputs))]
    axis = axis_of(node, node.integer("axis", 1), len(parts[0].shape))
    if len({(*p.shape[:axis], *p.shape[axis + 1 :]) for p in parts}) != 1:
        node.invalid(f"the shapes {[list(p.shape) for p in parts]} do not fit together")
    node.bounded(sum(prod(p.shape) for p in parts))
    return move(node, parts, lambda arrays: np.concatenate(arrays, axis=axis), build)


def split(node: Node, inputs: Inputs, build: Builder) -> tuple[Tensor, ...]:
    """Split along an axis, into given lengths or evenly."""
    x = required(node, inputs, 0)
    axis = axis_of(node, node.integer("axis", 0), len(x.shape))
    length = x.shape[axis]
    lengths = integers_of(node, inputs, 1, "split")
    if lengths is None:
        parts = node.integer("num_outputs", len(node.outputs))
        node.bounded(parts)
        each = -(-length // max(1, parts))
        lengths = tuple(min(each, max(0, length - i * each)) for i in range(parts))
    if sum(lengths) != length or min(lengths) < 0 or len(lengths) < len(node.outputs):
        node.invalid(f"an axis of length {length} cannot be split into {list(lengths)}")
    before = (slice(None),) * axis
    ends = [sum(lengths[: i + 1]) for i in range(len(node.outputs))]
    cuts = [(*before, slice(end - n, end)) for n, end in zip(lengths, ends, strict=False)]
    return tuple(moved(node, x, _cutter(cut), build) for cut in cuts)


def _cutter(cut: tuple[slice, ...]) -> Callable[[Array], Array]:
    return lambda a: a[cut]


def slices(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Slice, with steps of either sign."""
    x = required(node, inputs, 0)
    starts = integers_of(node, inputs, 1, "starts") or ()
    ends = integers_of(node, inputs, 2, "ends") or ()
    axes = integers_of(node, inputs, 3, "axes")
    steps = integers_of(node, inputs, 4, "steps") or (1,) * len(starts)
    axes = tuple(range(len(starts))) if axes is None else axes
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        node.invalid("starts, ends, axes and steps do not fit together")
    cuts = [slice(None)] * len(x.shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        i = axis_of(node, axis, len(x.shape))
        cuts[i] = _cut(start, end, step, x.shape[i])
    return moved(node, x, _cutter(tuple(cuts)), build)


def _cut(start: int, end: int, step: int, length: int) -> slice:
    """Return Python's slice for one axis: ONNX counts from the end once, and then clamps."""
    start += length if start < 0 else 0
    end += length if end < 0 else 0
    if step > 0:
        return slice(max(start, 0), max(end, 0), step)
    if start < 0:
        return slice(0, 0)
    return slice(start, None if end < 0 else end, step)


def gather(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Gather slices along an axis, by constant indices."""
    x = required(node, inputs, 0)
    axis = axis_of(node, node.integer("axis", 0), len(x.shape))
    index = _indices(node, inputs, x.shape[axis])
    node.bounded(*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])
    return moved(node, x, lambda a: np.take(a, index, axis=axis), build)


def gather_elements(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """GatherElements, by constant indices."""
    x = required(node, inputs, 0)
    axis = axis_of(node, node.integer("axis", 0), len(x.shape))
    index = _indices(node, inputs, x.shape[axis])
    at: list[Array] = list(np.indices(index.shape, sparse=True))
    at[axis] = index
    return moved(node, x, lambda a: a[tuple(at)], build)


def gather_nd(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """GatherND, by constant indices."""
    x = required(node, inputs, 0)
    index = constant(node, inputs, 1)
    lead = node.integer("batch_dims", 0)
    if index is None or index.ndim < 1 or not 0 <= lead < min(index.ndim, len(x.shape)):
        node.invalid("its indices do not fit its data")
    depth = index.shape[-1]
    node.bounded(*index.shape[:-1], *x.shape[lead + depth :])
    batch: tuple[Array, ...] = np.indices(index.shape[:lead], sparse=True)
    later = (1,) * (index.ndim - 1 - lead)
    at = [n.reshape(n.shape + later) for n in batch] + [index[..., i] for i in range(depth)]
    return moved(node, x, lambda a: a[tuple(at)], build)


def _indices(node: Node, inputs: Inputs, length: int) -> Array:
    index = constant(node, inputs, 1)
    if index is None:
        node.invalid("it has no indices")
    if index.size and not -length <= index.min() <= index.max() < length:
        node.invalid(f"an index lies outside an axis of length {length}")
    return index


def where(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Where, by a constant condition."""
    condition = constant(node, inputs, 0)
    if condition is None:
        node.invalid("it has no condition")
    yes, no = required(node, inputs, 1), required(node, inputs, 2)
    broadcast(node, condition.shape, yes.shape, no.shape)
    mask = condition.astype(bool)
    return move(node, [yes, no], lambda a: np.where(mask, a[0], a[1]), build)


def triangle(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Trilu: the entries on one side of a diagonal, zero elsewhere."""
    x = required(node, inputs, 0)
    given = constant(node, inputs, 1)
    k = 0 if given is None else int(given.item())
    if len(x.shape) < 2:
        node.invalid("its input is no matrix")
    ones = np.ones(x.shape, dtype=bool)
    keep = np.triu(ones, k) if node.integer("upper", 1) else np.tril(ones, k)
    zero = Constant(np.zeros((), dtype=x.array.dtype if isinstance(x, Constant) else np.float64))
    return move(node, [x, zero], lambda a: np.where(keep, a[0], a[1]), build)
