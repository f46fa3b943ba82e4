"""Where the windows of convolutions and pools lie: their sizes, and the entry that each tap reads."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.origin import ENTRIES
from ensc.compiler.types.network import Integers


@dataclass(frozen=True, slots=True)
class Axis:
    """The windows along one spatial axis.

    Attributes:
        length: of the input.
        kernel: taps of a window.
        stride: from one window to the next.
        dilation: from one tap to the next.
        before: padding in front.
        after: padding behind.
        windows: how many there are.
    """

    length: int
    kernel: int
    stride: int
    dilation: int
    before: int
    after: int
    windows: int

    @property
    def reach(self) -> int:
        """How many entries a window spans."""
        return (self.kernel - 1) * self.dilation + 1

    def places(self) -> Integers:
        """Return where each tap of each window lies, shape (windows, kernel); outside is padding."""
        starts = np.arange(self.windows) * self.stride - self.before
        return starts[:, None] + np.arange(self.kernel) * self.dilation


def axes_of_windows(node: Node, spatial: Sequence[int], kernel: Sequence[int]) -> list[Axis]:
    """Return the windows of a convolution or pool from the node's attributes.

    Args:
        node: has `strides`, `dilations`, `pads`, `auto_pad` and `ceil_mode`, all optional.
        spatial: the lengths of the input's spatial axes.
        kernel: the taps along each.
    """
    rank = len(spatial)
    strides = listed(node, "strides", rank, 1)
    dilations = listed(node, "dilations", rank, 1)
    pads = listed(node, "pads", 2 * rank, 0)
    numbers = (*kernel, *strides, *dilations, *pads)
    if len(kernel) != rank or min(*kernel, *strides, *dilations) < 1 or min(numbers) < 0:
        node.invalid("kernel, strides, dilations and pads do not fit its input")
    if max(numbers) > ENTRIES:
        node.reject("E0504", f"a window of {max(numbers)} is too large, at most {ENTRIES} is read")
    mode = node.text("auto_pad", "NOTSET")
    ceil = bool(node.integer("ceil_mode", 0))
    axes = [
        _axis(mode, ceil=ceil, numbers=numbers)
        for numbers in zip(spatial, kernel, strides, dilations, pads[:rank], pads[rank:], strict=True)
    ]
    if any(axis.windows < 1 for axis in axes):
        node.invalid(f"no window of {list(kernel)} fits into {list(spatial)}")
    return axes


def listed(node: Node, name: str, count: int, default: int) -> tuple[int, ...]:
    """Return an attribute that has one integer for each of so many axes."""
    numbers = node.integers(name) or (default,) * count
    if len(numbers) != count:
        node.invalid(f"`{name}` has {len(numbers)} entries, expected {count}")
    return numbers


def _axis(mode: str, *, ceil: bool, numbers: tuple[int, int, int, int, int, int]) -> Axis:
    length, kernel, stride, dilation, before, after = numbers
    reach = (kernel - 1) * dilation + 1
    if mode in {"SAME_UPPER", "SAME_LOWER"}:
        windows = -(-length // stride)
        total = max(0, (windows - 1) * stride + reach - length)
        before = total // 2 if mode == "SAME_UPPER" else total - total // 2
        return Axis(length, kernel, stride, dilation, before, total - before, windows)
    if mode == "VALID":
        before = after = 0
    room = length + before + after - reach
    windows = (-(-room // stride) if ceil else room // stride) + 1
    if ceil and (windows - 1) * stride >= length + before:
        windows -= 1  # a window that would start behind the input
    return Axis(length, kernel, stride, dilation, before, after, windows)


def taps_of(node: Node, axes: Sequence[Axis]) -> Integers:
    """Return for each window and tap the flat spatial index, or -1 for padding.

    Shape (windows, taps of a window), both in row-major order.
    """
    node.bounded(*(n for axis in axes for n in (axis.windows, axis.kernel)))
    return combined([axis.places() for axis in axes], [axis.length for axis in axes])


def combined(places: Sequence[Integers], lengths: Sequence[int]) -> Integers:
    """Combine places along axes, each (windows, taps), into flat indices or -1 where one is outside."""
    index = np.zeros((1, 1), dtype=np.int64)
    for at, length in zip(places, lengths, strict=True):
        inside = (at >= 0) & (at < length)
        part = np.where(inside, at, -1)
        outer, inner = index[:, None, :, None], part[None, :, None, :]
        both = np.where((outer < 0) | (inner < 0), -1, outer * length + inner)
        index = both.reshape(index.shape[0] * at.shape[0], index.shape[1] * at.shape[1])
    return index


def over_channels(taps: Integers, channels: int, spatial: int) -> Integers:
    """Return the taps in every channel of a flat input, shape (channels, windows, taps)."""
    offsets = (np.arange(channels) * spatial)[:, None, None]
    return np.where(taps < 0, -1, taps + offsets)
