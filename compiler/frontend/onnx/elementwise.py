"""Operators that treat every entry alone: sums, products with constants, ReLU and its relatives.

Everything piecewise linear is written with `Relu`, `Scale` and `Sum`, in a way that rounds no weight.
"""

from collections.abc import Sequence

import numpy as np

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.movement import move, permuted
from ensc.compiler.frontend.onnx.origin import Array
from ensc.compiler.frontend.onnx.tensor import (
    Computed,
    Constant,
    Inputs,
    Tensor,
    broadcast,
    constant,
    finite,
    required,
    weight,
)
from ensc.compiler.types.network import Floats


def add(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Add, Sub and Sum: signed sums of computed values and constants."""
    terms = [required(node, inputs, i) for i in range(len(inputs))]
    signs = [-1 if node.operator == "Sub" and i else 1 for i in range(len(terms))]
    shape = broadcast(node, *(t.shape for t in terms))
    computed = [
        (expanded(node, t, shape, build), s)
        for t, s in zip(terms, signs, strict=True)
        if isinstance(t, Computed)
    ]
    value = build.sum(node, [t.value for t, _ in computed], [s for _, s in computed])
    for i, (term, sign) in enumerate(zip(terms, signs, strict=True)):
        if isinstance(term, Constant):
            offset = _fitted(node, term.array, shape, i)
            value = build.scale(node, value, offset=sign * offset)
    return Computed(value, shape)


def mean(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Mean of several values."""
    total = add(node, inputs, build)
    return scaled(node, total, build, divisor=float(len(inputs)))


def multiply(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Mul, where one factor is a constant."""
    a, b = required(node, inputs, 0), required(node, inputs, 1)
    x, other = (a, 1) if isinstance(a, Computed) else (b, 0)
    shape = broadcast(node, a.shape, b.shape)
    factor = weight(node, inputs, other)
    assert factor is not None
    return scaled(
        node,
        expanded(node, x, shape, build),
        build,
        factor=_fitted(node, factor, shape, other),
    )


def divide(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Div by a constant; the quotient stays a quotient."""
    divisor = weight(node, inputs, 1)
    x = required(node, inputs, 0)
    assert divisor is not None
    if not divisor.all():
        node.reject("E0514", "it divides by a constant that holds zero")
    shape = broadcast(node, x.shape, divisor.shape)
    return scaled(
        node,
        expanded(node, x, shape, build),
        build,
        divisor=_fitted(node, divisor, shape, 1),
    )


def power(node: Node, inputs: Inputs, _: Builder) -> Tensor:
    """Pow with exponent 1."""
    exponent = constant(node, inputs, 1)
    if exponent is None or not (exponent == 1).all():
        node.refuse("a power other than 1 is not piecewise linear")
    return required(node, inputs, 0)


def negate(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Neg."""
    return scaled(node, required(node, inputs, 0), build, factor=-1.0)


def relu(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Relu."""
    x = build.lifted(node, required(node, inputs, 0))
    return Computed(build.relu(node, x.value), x.shape)


def absolute(node: Node, inputs: Inputs, build: Builder) -> Computed:
    """Abs: `2 max(0, x) - x`."""
    x = build.lifted(node, required(node, inputs, 0))
    positive = build.relu(node, x.value)
    return Computed(build.sum(node, [positive, positive, x.value], [1, 1, -1]), x.shape)


def shrink(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Shrink: `max(0, x - lambd) - max(0, -x - lambd)`, if the bias is lambd; it jumps otherwise."""
    bias, lambd = node.real("bias", 0.0), node.real("lambd", 0.5)
    if bias != lambd or lambd < 0:
        node.refuse("it jumps unless its `bias` is its `lambd`", "use a soft shrinkage (torch.nn.Softshrink)")
    x = build.lifted(node, required(node, inputs, 0))
    above = build.relu(node, build.scale(node, x.value, offset=-lambd))
    below = build.relu(node, build.scale(node, x.value, factor=-1.0, offset=-lambd))
    return Computed(build.sum(node, [above, below], [1, -1]), x.shape)


def leaky(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """LeakyRelu and PRelu: `r + slope (x - r)` with `r = max(0, x)`; no `1 - slope` is rounded."""
    x = build.lifted(node, required(node, inputs, 0))
    if node.operator == "PRelu":
        given = weight(node, inputs, 1)
        assert given is not None
        slope = _fitted(node, given, x.shape, 1)
    else:
        slope = np.array(node.real("alpha", 0.01))
    positive = build.relu(node, x.value)
    negative = build.sum(node, [x.value, positive], [1, -1])
    rest = scaled(node, Computed(negative, x.shape), build, factor=slope)
    return Computed(build.sum(node, [positive, rest.value], [1, 1]), x.shape)


def clip(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Clip: bounds are inputs, attributes in old operator sets; ReLU6 is this."""
    low, high = constant(node, inputs, 1), constant(node, inputs, 2)
    low = np.array(node.real("min", -np.inf)) if low is None else low
    high = np.array(node.real("max", np.inf)) if high is None else high
    x = required(node, inputs, 0)
    return at_most(node, at_least(node, x, low, build), high, build)


def hard_sigmoid(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """HardSigmoid: `max(0, min(1, alpha x + beta))`."""
    alpha, beta = node.real("alpha", 0.2), node.real("beta", 0.5)
    line = scaled(node, required(node, inputs, 0), build, factor=alpha, offset=beta)
    return at_most(node, at_least(node, line, np.zeros(()), build), np.ones(()), build)


def extremum(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Max and Min of computed values and constants."""
    terms = [required(node, inputs, i) for i in range(len(inputs))]
    shape = broadcast(node, *(t.shape for t in terms))
    sign = 1.0 if node.operator == "Max" else -1.0
    computed = [
        scaled(node, expanded(node, t, shape, build), build, factor=sign)
        for t in terms
        if isinstance(t, Computed)
    ]
    result: Tensor = largest(node, computed, build)
    for term in terms:
        if isinstance(term, Constant):
            result = at_least(node, result, sign * term.array, build)
    return scaled(node, result, build, factor=sign)


def largest(node: Node, terms: Sequence[Computed], build: Builder) -> Computed:
    """Return the entrywise maximum of values of one shape."""
    if len(terms) == 1:
        return terms[0]
    count, size = len(terms), terms[0].size
    joined = move(node, terms, lambda parts: np.stack([p.ravel() for p in parts]), build)
    assert isinstance(joined, Computed)
    windows = np.arange(count * size).reshape(count, size).T
    return Computed(build.maximum(node, joined.value, windows), terms[0].shape)


def at_least(node: Node, tensor: Tensor, low: Array, build: Builder) -> Tensor:
    """Return `max(x, low)` as `max(0, x - low) + low`; a bound of minus infinity is none."""
    x = build.lifted(node, tensor)
    if (low == -np.inf).all():
        return x
    bound = _fitted(node, finite(node, low, "a bound"), x.shape, 1)
    above = build.relu(node, build.scale(node, x.value, offset=-bound))
    return Computed(build.scale(node, above, offset=bound), x.shape)


def at_most(node: Node, tensor: Tensor, high: Array, build: Builder) -> Tensor:
    """Return `min(x, high)` as `high - max(0, high - x)`; a bound of infinity is none."""
    x = build.lifted(node, tensor)
    if (high == np.inf).all():
        return x
    bound = _fitted(node, finite(node, high, "a bound"), x.shape, 1)
    below = build.relu(node, build.scale(node, x.value, factor=-1.0, offset=bound))
    return Computed(build.scale(node, below, factor=-1.0, offset=bound), x.shape)


def scaled(
    node: Node,
    tensor: Tensor,
    build: Builder,
    *,
    factor: Floats | float = 1.0,
    offset: Floats | float = 0.0,
    divisor: Floats | float = 1.0,
) -> Computed:
    """Return `(factor * x + offset) / divisor`; the numbers are scalars or flat."""
    x = build.lifted(node, tensor)
    return Computed(build.scale(node, x.value, factor, offset, divisor), x.shape)


def expanded(node: Node, tensor: Tensor, shape: tuple[int, ...], build: Builder) -> Computed:
    """Return a tensor broadcast to a shape, as a value of the network."""
    x = build.lifted(node, tensor)
    if x.shape == shape:
        return x
    return permuted(node, x, lambda a: np.broadcast_to(a, shape), build)


def _fitted(node: Node, array: Array, shape: tuple[int, ...], i: int) -> Floats:
    """Return a constant operand broadcast to the result's shape, flat."""
    numbers = finite(node, array, f"its input {i + 1}")
    if broadcast(node, numbers.shape, shape) != shape:
        node.invalid(f"shape {list(numbers.shape)} does not broadcast to {list(shape)}")
    return np.broadcast_to(numbers, shape).ravel()
