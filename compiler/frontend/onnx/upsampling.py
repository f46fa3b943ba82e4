"""ConvTranspose: the transpose of a convolution, as a convolution with holes."""

import math
from collections.abc import Sequence

import numpy as np

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.linear import grouped, kernel_of
from ensc.compiler.frontend.onnx.origin import ENTRIES
from ensc.compiler.frontend.onnx.tensor import Inputs, Tensor, required
from ensc.compiler.frontend.onnx.windows import combined, listed, over_channels
from ensc.compiler.types.network import Integers


def transposed_convolution(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """ConvTranspose: each output reads the inputs whose window would have covered it."""
    x = build.lifted(node, required(node, inputs, 0))
    kernel, bias, groups = kernel_of(node, inputs, x)
    batch, channels, *spatial = x.shape
    if kernel.shape[0] != channels or channels % groups:
        node.invalid(f"{channels} channels and a kernel of {list(kernel.shape)} do not fit")
    each, window = kernel.shape[1], kernel.shape[2:]
    places = _places(node, spatial, window)
    sizes = [len(at) for at in places]
    node.bounded(batch, channels, math.prod(sizes), math.prod(window))
    taps = over_channels(combined(places, spatial), batch * channels, math.prod(spatial))
    rows = kernel.reshape(groups, channels // groups, each, -1).swapaxes(1, 2)
    outputs = groups * each
    shape = (batch, outputs, *sizes)
    return grouped(
        node, x, rows.reshape(outputs, -1), bias, taps=taps, groups=groups, shape=shape, build=build
    )


def _places(node: Node, spatial: Sequence[int], window: Sequence[int]) -> list[Integers]:
    """Return for each axis what each tap of each output reads, shape (outputs, taps); -1 is nothing."""
    rank = len(spatial)
    strides = listed(node, "strides", rank, 1)
    dilations = listed(node, "dilations", rank, 1)
    extra = listed(node, "output_padding", rank, 0)
    pads = listed(node, "pads", 2 * rank, 0)
    sizes = node.integers("output_shape") or (None,) * rank
    numbers = (*strides, *dilations, *(n + 1 for n in (*extra, *pads)))
    if len(sizes) != rank or min(numbers) < 1:
        node.invalid("strides, dilations, pads and output_shape do not fit its input")
    if max(numbers) > ENTRIES:
        node.reject("E0504", f"a window of {max(numbers)} is too large, at most {ENTRIES} is read")
    places = []
    for i, (n, k, s, d) in enumerate(zip(spatial, window, strides, dilations, strict=True)):
        full = s * (n - 1) + extra[i] + (k - 1) * d + 1
        before, size = _cut(node, full, n * s, (pads[i], pads[rank + i]), sizes[i])
        if size < 1:
            node.invalid(f"its output would have length {size}")
        node.bounded(size, k)
        at = np.arange(size)[:, None] + before - np.arange(k) * d
        places.append(np.where(at % s == 0, at // s, -1))
    return places


def _cut(node: Node, full: int, same: int, pads: tuple[int, int], wanted: int | None) -> tuple[int, int]:
    """Return how much of the full result is cut off in front, and how much is kept."""
    mode = node.text("auto_pad", "NOTSET")
    if wanted is None and mode in {"NOTSET", "VALID"}:
        before, after = pads if mode == "NOTSET" else (0, 0)
        return before, full - before - after
    size = same if wanted is None else wanted
    total = full - size
    if total < 0 and wanted is None:
        node.refuse(
            "runtimes disagree on where an output lies that is longer than its windows reach",
            "export it with explicit `pads` and `output_padding`",
        )
    cut = max(0, total)
    return (cut // 2 if mode == "SAME_UPPER" else cut - cut // 2), size
