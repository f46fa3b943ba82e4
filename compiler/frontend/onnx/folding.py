"""The file's own arithmetic: nodes all of whose inputs are constants.

Exporters compute shapes in the graph, and now and then weights. Integers are computed as ONNX defines
them, reals in float64: that is exact for nearly all that is met, and said where it is not.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from onnx import helper

from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.origin import Array
from ensc.compiler.frontend.onnx.tensor import (
    Constant,
    axes_of,
    axis_of,
    broadcast,
    exact_product,
    exact_sum,
)

Exact = bool

_VARIADIC: Mapping[str, Callable[[Array, Array], Array]] = {
    "And": np.logical_and,
    "Equal": np.equal,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Max": np.maximum,
    "Min": np.minimum,
    "Or": np.logical_or,
    "Xor": np.logical_xor,
}
_EXACT: Mapping[str, Callable[[Array], Array]] = {
    "Abs": np.abs,
    "Ceil": np.ceil,
    "Floor": np.floor,
    "Neg": np.negative,
    "Not": np.logical_not,
    "Relu": lambda x: np.maximum(x, 0),
    "Round": np.rint,
    "Sign": np.sign,
}
_ROUNDED: Mapping[str, Callable[[Array], Array]] = {
    "Exp": np.exp,
    "Log": np.log,
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "Tanh": np.tanh,
}
_ARITHMETIC = ("Add", "Div", "Mod", "Mul", "Pow", "Sub")
_REDUCTIONS: Mapping[str, Callable[..., Array]] = {
    "ReduceL1": lambda x, **how: np.abs(x).sum(**how),
    "ReduceL2": lambda x, **how: np.sqrt(np.square(x).sum(**how)),
    "ReduceMax": np.max,
    "ReduceMean": np.mean,
    "ReduceMin": np.min,
    "ReduceProd": np.prod,
    "ReduceSum": np.sum,
    "ReduceSumSquare": lambda x, **how: np.square(x).sum(**how),
}
FOLDED = frozenset(
    (
        *_VARIADIC,
        *_EXACT,
        *_ROUNDED,
        *_ARITHMETIC,
        *_REDUCTIONS,
        "Cast",
        "CumSum",
        "DequantizeLinear",
        "MatMul",
        "NonZero",
        "Range",
        "Reciprocal",
        "Sqrt",
        "Sum",
    )
)


def fold(node: Node, inputs: Sequence[Constant | None]) -> tuple[Array, Exact]:
    """Return the result of an operator in `FOLDED` on constants, and whether it was not rounded."""
    arrays = [tensor.array for tensor in inputs if tensor is not None]
    with np.errstate(all="ignore"):  # what is not finite is refused where it becomes a weight
        result, exact = _fold(node, arrays, inputs)
    return np.asarray(result), exact or result.dtype.kind != "f"


def _fold(node: Node, arrays: list[Array], inputs: Sequence[Constant | None]) -> tuple[Array, Exact]:
    match node.operator:
        case operator if operator in _VARIADIC:
            broadcast(node, *(a.shape for a in arrays))
            result = arrays[0]
            for array in arrays[1:]:
                result = _VARIADIC[operator](result, array)
            return result, True
        case "Sum":
            broadcast(node, *(a.shape for a in arrays))
            return _summed(arrays)
        case operator if operator in _EXACT:
            return _EXACT[operator](arrays[0]), True
        case operator if operator in _ROUNDED:
            return _ROUNDED[operator](arrays[0]), False
        case operator if operator in _ARITHMETIC:
            broadcast(node, *(a.shape for a in arrays))
            return _arithmetic(node, arrays[0], arrays[1])
        case operator if operator in _REDUCTIONS:
            return _reduced(node, arrays[0], inputs)
        case "Cast":
            return cast(node, arrays[0]), True
        case "CumSum":
            axis = axis_of(node, int(arrays[1].item()), arrays[0].ndim)
            return _accumulated(node, arrays[0], axis), False
        case "DequantizeLinear":
            return _dequantized(node, arrays)
        case "MatMul":
            _bounded_product(node, *arrays)
            return np.matmul(*arrays), False
        case "NonZero":
            return np.array(np.nonzero(arrays[0])), True
        case "Range":
            return _range(node, *(a.item() for a in arrays))
        case "Reciprocal":
            return _quotient(np.ones_like(arrays[0]), arrays[0])
        case _:
            return _root(arrays[0])


def cast(node: Node, array: Array) -> Array:
    """Convert a constant as `Cast` does, rounding as the target type rounds."""
    kind = np.dtype(helper.tensor_dtype_to_np_dtype(node.integer("to", 0)))
    if kind.isbuiltin != 1 and kind.name != "bfloat16":  # the types of a few bits
        node.refuse(f"it casts to {kind.name}, which ensc does not compute with")
    common = {"b": np.bool_, "i": np.int64, "u": np.int64}.get(kind.kind, np.float64)
    return array.astype(kind).astype(common)


def _arithmetic(node: Node, a: Array, b: Array) -> tuple[Array, Exact]:
    if a.dtype.kind != "f":
        return _whole(node, a, b), True
    match node.operator:
        case "Add" | "Sub":
            b = -b if node.operator == "Sub" else b
            return a + b, exact_sum(a, b) is not None
        case "Mul":
            return a * b, exact_product(a, b) is not None
        case "Div":
            return _quotient(a, b)
        case "Mod":
            return (np.fmod(a, b) if node.integer("fmod", 0) else np.mod(a, b)), True
        case _:
            square = exact_product(a, a) if (b == 2).all() else None
            return np.power(a, b), square is not None or bool((b == 1).all())


def _summed(arrays: list[Array]) -> tuple[Array, Exact]:
    total, exact = arrays[0], True
    for array in arrays[1:]:
        exact = exact and exact_sum(total, array) is not None
        total = total + array
    return total, exact


def _quotient(a: Array, b: Array) -> tuple[Array, Exact]:
    quotient = a / b
    product = exact_product(quotient, b)
    return quotient, product is not None and bool((product == a).all())


def _root(a: Array) -> tuple[Array, Exact]:
    root = np.sqrt(a)
    square = exact_product(root, root)
    return root, square is not None and np.array_equal(square, a)


def _whole(node: Node, a: Array, b: Array) -> Array:
    match node.operator:
        case "Add":
            return a + b
        case "Sub":
            return a - b
        case "Mul":
            return a * b
        case "Pow":
            return np.asarray(np.power(a.astype(np.float64), b)).astype(np.int64)
        case _ if not b.all():
            node.invalid("it divides integers by zero")
        case "Mod":
            return np.fmod(a, b) if node.integer("fmod", 0) else np.mod(a, b)
        case _:  # ONNX rounds towards zero
            quotient = np.abs(a) // np.abs(b)
            return np.asarray(np.sign(a) * np.sign(b) * quotient)


def _reduced(node: Node, array: Array, inputs: Sequence[Constant | None]) -> tuple[Array, Exact]:
    axes = axes_of(node, tuple(inputs), 1, array.ndim)
    if not axes:
        if node.integer("noop_with_empty_axes", 0):
            return array, True
        axes = tuple(range(array.ndim))
    how: dict[str, Any] = {"axis": axes, "keepdims": bool(node.integer("keepdims", 1))}
    result = np.asarray(_REDUCTIONS[node.operator](array, **how))
    return result.astype(array.dtype), node.operator in {"ReduceMax", "ReduceMin"}


def _accumulated(node: Node, array: Array, axis: int) -> Array:
    """Sum along an axis, each entry over those before it (and itself, unless `exclusive`)."""
    if node.integer("reverse", 0):
        array = np.flip(array, axis)
    out = np.cumsum(array, axis=axis)
    if node.integer("exclusive", 0):
        out = out - array
    return np.flip(out, axis) if node.integer("reverse", 0) else out


def _dequantized(node: Node, arrays: list[Array]) -> tuple[Array, Exact]:
    codes, scale = arrays[0].astype(np.float64), arrays[1].astype(np.float64)
    zero = arrays[2].astype(np.float64) if len(arrays) > 2 else np.zeros_like(scale)
    scale, zero = (_along(node, part, codes) for part in (scale, zero))
    return (codes - zero) * scale, exact_product(codes - zero, scale) is not None


def _along(node: Node, part: Array, codes: Array) -> Array:
    """Shape a scale or zero point so that it broadcasts: one for all, one a slice, or one a block."""
    if part.size == 1:
        return part.reshape(())
    axis = axis_of(node, node.integer("axis", 1), codes.ndim)
    if block := node.integer("block_size", 0):
        node.bounded(part.size, block)
        return np.repeat(part, block, axis=axis)[tuple(slice(n) for n in codes.shape)]
    return part.reshape([-1 if i == axis else 1 for i in range(codes.ndim)])


def _bounded_product(node: Node, a: Array, b: Array) -> None:
    rows, columns = a.shape[:-1] or (1,), b.shape[-1:] if b.ndim > 1 else (1,)
    batch = broadcast(node, rows[:-1], b.shape[:-2])
    node.bounded(*batch, rows[-1], *columns)


def _range(node: Node, start: float, limit: float, delta: float) -> tuple[Array, Exact]:
    if not delta:
        node.invalid("the step of a range is zero")
    (count,) = node.bounded(max(0, int(np.ceil((limit - start) / delta))))
    steps = np.arange(count)
    whole = isinstance(start, int) and isinstance(delta, int)
    return start + steps * delta, whole
