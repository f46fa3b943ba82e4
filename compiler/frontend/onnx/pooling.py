"""Pools and reductions: maxima, sums and means over windows or whole axes."""

import math

import numpy as np

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.elementwise import absolute, scaled
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.tensor import (
    Computed,
    Inputs,
    Tensor,
    axes_of,
    axis_of,
    constant,
    required,
)
from ensc.compiler.frontend.onnx.windows import (
    Axis,
    axes_of_windows,
    over_channels,
    taps_of,
)
from ensc.compiler.types.network import Integers


def max_pool(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """MaxPool; padding is never a candidate."""
    x, axes = _pooled(node, inputs, build)
    windows = _every_window(node, x, axes)
    return Computed(build.maximum(node, x.value, windows), _result(x, axes))


def average_pool(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """AveragePool: a sum over the window divided by the number of taps that count."""
    x, axes = _pooled(node, inputs, build)
    windows = _every_window(node, x, axes)
    counts = np.ones(1)
    for axis in axes:
        counts = np.multiply.outer(counts, _counted(node, axis)).ravel()
    if not counts.all():
        node.refuse("a window lies in the padding altogether, its mean is 0/0")
    total = _summed(node, x, windows, build)
    divisor = np.tile(counts, len(windows) // len(counts))
    return scaled(node, Computed(total, _result(x, axes)), build, divisor=divisor)


def global_pool(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """GlobalAveragePool, GlobalLpPool and GlobalMaxPool: one number a channel."""
    x = build.lifted(node, required(node, inputs, 0))
    if len(x.shape) < 2:
        node.invalid(f"its input has shape {list(x.shape)}")
    shape = (*x.shape[:2], *[1] * (len(x.shape) - 2))
    windows = np.arange(x.size).reshape(math.prod(x.shape[:2]), -1)
    if node.operator == "GlobalLpPool":
        return Computed(_summed(node, _magnitudes(node, inputs, build), windows, build), shape)
    if node.operator == "GlobalMaxPool":
        return Computed(build.maximum(node, x.value, windows), shape)
    total = Computed(_summed(node, x, windows, build), shape)
    return scaled(node, total, build, divisor=float(windows.shape[1]))


def norm_pool(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """LpPool with p = 1: the sum of absolute values over the window."""
    x, axes = _pooled(node, inputs, build)
    windows = _every_window(node, x, axes)
    return Computed(_summed(node, _magnitudes(node, inputs, build), windows, build), _result(x, axes))


def _magnitudes(node: Node, inputs: Inputs, build: Builder) -> Computed:
    p = node.integer("p", 2)
    if p != 1:
        node.refuse(f"its norm with p = {p} is curved", "use p = 1, or an average")
    return absolute(node, inputs, build)


def reduction(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """ReduceSum, ReduceMean, ReduceMax, ReduceMin and ReduceL1 over axes."""
    x = build.lifted(node, required(node, inputs, 0))
    rank = len(x.shape)
    axes = axes_of(node, inputs, 1, rank)
    if not axes:
        if node.integer("noop_with_empty_axes", 0):
            return x
        axes = tuple(range(rank))
    kept = [i for i in range(rank) if i not in axes]
    width = math.prod(x.shape[i] for i in axes)
    windows = x.positions().transpose(*kept, *sorted(axes)).reshape(-1, width)
    keep = node.integer("keepdims", 1)
    shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape) if keep or i not in axes)
    match node.operator:
        case "ReduceL1":
            sizes = absolute(node, inputs[:1], build)
            return Computed(_summed(node, sizes, windows, build), shape)
        case "ReduceMax":
            return Computed(build.maximum(node, x.value, windows), shape)
        case "ReduceMin":
            negative = scaled(node, x, build, factor=-1.0)
            least = Computed(build.maximum(node, negative.value, windows), shape)
            return scaled(node, least, build, factor=-1.0)
        case _:
            total = Computed(_summed(node, x, windows, build), shape)
            mean = node.operator == "ReduceMean"
            return scaled(node, total, build, divisor=float(width) if mean else 1.0)


def cumulative_sum(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """CumSum along an axis, in either direction."""
    x = build.lifted(node, required(node, inputs, 0))
    given = constant(node, inputs, 1)
    if given is None or given.size != 1:
        node.invalid("it has no axis")
    axis = axis_of(node, int(given.item()), len(x.shape))
    length = x.shape[axis]
    node.bounded(x.size, length)
    here, there = np.arange(length)[:, None], np.arange(length)
    after = there < here if node.integer("exclusive", 0) else there <= here
    if node.integer("reverse", 0):
        after = after[::-1, ::-1]
    rows = np.moveaxis(x.positions(), axis, -1)
    taps = np.where(after, rows[..., None, :], -1)
    windows = np.moveaxis(taps, -2, axis).reshape(-1, length)
    return Computed(_summed(node, x, windows, build), x.shape)


def _pooled(node: Node, inputs: Inputs, build: Builder) -> tuple[Computed, list[Axis]]:
    x = build.lifted(node, required(node, inputs, 0))
    if len(x.shape) < 3:
        node.invalid(f"its input has shape {list(x.shape)}, without a spatial axis")
    axes = axes_of_windows(node, x.shape[2:], node.integers("kernel_shape") or ())
    if node.text("auto_pad", "NOTSET").startswith("SAME") and not all(_is_covered(a) for a in axes):
        node.refuse(
            "runtimes disagree on `auto_pad` where windows are dilated or do not touch each other",
            "export it with explicit `pads`",
        )
    return x, axes


def _is_covered(axis: Axis) -> bool:
    """Return whether undilated windows leave no gaps, so that padding makes up the difference."""
    dilated = axis.reach > axis.kernel
    return not dilated and (axis.windows - 1) * axis.stride + axis.reach >= axis.length


def _every_window(node: Node, x: Computed, axes: list[Axis]) -> Integers:
    """Return the windows in all channels, shape (outputs, taps)."""
    flat = taps_of(node, axes)
    channels = math.prod(x.shape[:2])
    node.bounded(channels, *flat.shape)
    return over_channels(flat, channels, math.prod(x.shape[2:])).reshape(-1, flat.shape[1])


def _result(x: Computed, axes: list[Axis]) -> tuple[int, ...]:
    return (*x.shape[:2], *(axis.windows for axis in axes))


def _counted(node: Node, axis: Axis) -> Integers:
    """Return how many taps of each window count: those in the input, or in the padding too.

    What `ceil_mode` adds behind the padding counts never.
    """
    padded = bool(node.integer("count_include_pad", 0))
    before, after = (axis.before, axis.after) if padded else (0, 0)
    places = axis.places()
    counts = (places >= -before) & (places < axis.length + after)
    return np.asarray(np.count_nonzero(counts, axis=1), dtype=np.int64)


def _summed(node: Node, x: Computed, windows: Integers, build: Builder) -> int:
    """Return the sum over each window: one kernel of ones at as many places."""
    return build.linear(node, x.value, np.ones((1, windows.shape[1])), windows[None])
