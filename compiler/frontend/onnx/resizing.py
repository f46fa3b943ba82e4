"""Resize and Upsample: copies of the nearest entry, or means of two neighbours along each axis.

Places are computed in rational arithmetic. A runtime computes them in float32: where that may decide
otherwise which entry is the nearest, the node is refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import numpy as np

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.elementwise import scaled
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.movement import moved, permuted
from ensc.compiler.frontend.onnx.tensor import Computed, Inputs, Tensor, axis_of, constant, required, weight
from ensc.compiler.types.network import Floats, Integers

_HALF = Fraction(1, 2)
_CLOSE = Fraction(1, 1 << 16)  # float32 computes a place of some hundreds at least as exactly as this
_WHOLE = 1 << 53


@dataclass(frozen=True, slots=True)
class _Axis:
    """One axis that changes: its number, its lengths before and after, and its scale."""

    number: int
    length: int
    size: int
    scale: Fraction


def resize(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Resize and Upsample in the modes nearest and linear."""
    x = required(node, inputs, 0)
    axes = _axes(node, inputs, x)
    mode = node.text("mode", "nearest")
    if node.integer("antialias", 0) or node.integer("exclude_outside", 0):
        node.refuse("it smooths, or leaves out what lies outside", "export it without antialiasing")
    if node.text("keep_aspect_ratio_policy", "stretch") != "stretch":
        node.refuse("it keeps the aspect ratio", "export it with the sizes that result")
    result = x
    for axis in axes:
        places = _places(node, axis)
        match mode:
            case "nearest":
                result = _nearest(node, result, axis, places, build)
            case "linear" | "bilinear" | "trilinear":
                result = _linear(node, build.lifted(node, result), axis, places, build)
            case _:
                node.refuse(f"the mode `{mode}`", "nearest and linear are read")
    return result


def _axes(node: Node, inputs: Inputs, x: Tensor) -> list[_Axis]:
    """Return the axes whose length or scale changes."""
    rank = len(x.shape)
    named = node.integers("axes") or tuple(range(rank))
    numbers = [axis_of(node, a, rank) for a in named]
    scales, sizes = _wanted(node, inputs)
    given = sizes if scales is None else scales
    if given is None or len(given) != len(numbers) or len(set(numbers)) != len(numbers):
        node.invalid("its scales or sizes do not fit its input")
    axes = []
    for number, wanted in zip(numbers, given.tolist(), strict=True):
        length = x.shape[number]
        if wanted <= 0 or not length:
            node.invalid(f"it resizes an axis of length {length} by {wanted}")
        scale = Fraction(wanted) if scales is not None else Fraction(int(wanted), length)
        size = floor(length * scale)
        if size < 1:
            node.invalid(f"an axis of length {length} becomes empty")
        axes.append(_Axis(number, length, size, scale))
    shape = list(x.shape)
    for axis in axes:
        shape[axis.number] = max(axis.size, axis.length)
    node.bounded(*shape)
    return [axis for axis in axes if axis.scale != 1]


def _wanted(node: Node, inputs: Inputs) -> tuple[Floats | None, Floats | None]:
    """Return the scales or the sizes, wherever the operator set has them."""
    if node.operator == "Upsample" and node.version < 9:
        return np.array(node.reals("scales") or ()), None
    old = node.operator == "Upsample" or node.version < 11
    scales = weight(node, inputs, 1 if old else 2)
    sizes = None if old else constant(node, inputs, 3)
    scales = scales if scales is not None and scales.size else None
    return scales, None if sizes is None or not sizes.size else sizes.astype(np.float64)


def _places(node: Node, axis: _Axis) -> list[Fraction]:
    """Return for each output where it lies between the inputs."""
    plain = node.operator == "Upsample" or node.version < 11
    mode = "asymmetric" if plain else node.text("coordinate_transformation_mode", "half_pixel")
    n, m, scale = axis.length, axis.size, axis.scale
    place: Callable[[int], Fraction]
    match mode:
        case "asymmetric":
            place = lambda i: i / scale  # noqa: E731 - one of five lines of one kind
        case "pytorch_half_pixel" if m == 1:
            place = lambda _: Fraction(0)  # noqa: E731 - as above
        case "half_pixel" | "pytorch_half_pixel":
            place = lambda i: (i + _HALF) / scale - _HALF  # noqa: E731 - as above
        case "align_corners" if n * scale != m:
            node.refuse(
                "runtimes disagree on where corners lie if its scale gives no whole length",
                "export it with sizes",
            )
        case "align_corners":
            place = lambda i: Fraction(i * (n - 1), m - 1) if m > 1 else Fraction(0)  # noqa: E731 - as above
        case "half_pixel_symmetric":
            shift = Fraction(n, 2) * (1 - m / (n * scale))
            place = lambda i: shift + (i + _HALF) / scale - _HALF  # noqa: E731 - as above
        case _:
            node.refuse(f"the coordinates `{mode}`", "export it with half_pixel, asymmetric or align_corners")
    return [place(i) for i in range(m)]


def _nearest(node: Node, x: Tensor, axis: _Axis, places: Sequence[Fraction], build: Builder) -> Tensor:
    plain = node.operator == "Upsample" or node.version < 11
    mode = "floor" if plain else node.text("nearest_mode", "round_prefer_floor")
    half = Fraction(0) if mode in {"floor", "ceil"} else _HALF
    for place in places:
        distance = abs(place - half - round(place - half))
        if 0 < distance < _CLOSE and 0 < place < axis.length - 1:
            node.refuse(
                "runtimes disagree on which entry is the nearest, as its scale is rounded",
                "export it with sizes, or with scales that are whole numbers",
            )
    match mode:
        case "floor":
            near = [floor(p) for p in places]
        case "ceil":
            near = [ceil(p) for p in places]
        case "round_prefer_floor":
            near = [ceil(p - _HALF) for p in places]
        case "round_prefer_ceil":
            near = [floor(p + _HALF) for p in places]
        case _:
            node.refuse(f"the nearest mode `{mode}`")
    index = np.clip(np.array(near), 0, axis.length - 1)
    return moved(node, x, lambda a: a.take(index, axis=axis.number), build)


def _linear(node: Node, x: Computed, axis: _Axis, places: Sequence[Fraction], build: Builder) -> Computed:
    """Return `((d - n) x[i] + n x[i + 1]) / d` with whole numbers d and n."""
    inside = [min(max(p, Fraction(0)), Fraction(axis.length - 1)) for p in places]
    low = np.array([floor(p) for p in inside])
    parts = [p - floor(p) for p in inside]
    if any(part.denominator >= _WHOLE for part in parts):
        node.refuse("its scale has so many digits that its weights are no quotients of integers below 2^53")
    above = np.array([float(part.numerator) for part in parts])
    below = np.array([float(part.denominator - part.numerator) for part in parts])
    divisor = np.array([float(part.denominator) for part in parts])
    if all(part.denominator & (part.denominator - 1) == 0 for part in parts):  # then the quotients are exact
        above, below, divisor = above / divisor, below / divisor, np.ones(len(parts))
    if not above.any():
        return permuted(node, x, lambda a: a.take(low, axis=axis.number), build)
    high = np.minimum(low + 1, axis.length - 1)
    terms = [
        _weighted(node, x, axis, index, numbers, build) for index, numbers in ((low, below), (high, above))
    ]
    total = Computed(build.sum(node, [t.value for t in terms], [1, 1]), terms[0].shape)
    return scaled(node, total, build, divisor=_along(total, axis, divisor))


def _weighted(
    node: Node, x: Computed, axis: _Axis, index: Integers, numbers: Floats, build: Builder
) -> Computed:
    taken = permuted(node, x, lambda a: a.take(index, axis=axis.number), build)
    return scaled(node, taken, build, factor=_along(taken, axis, numbers))


def _along(x: Computed, axis: _Axis, numbers: Floats) -> Floats:
    shape = [-1 if i == axis.number else 1 for i in range(len(x.shape))]
    return np.broadcast_to(numbers.reshape(shape), x.shape).ravel()
