"""Operators that are linear in the computed value: matrix products, convolutions, normalisation."""

import math
from fractions import Fraction

import numpy as np

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.elementwise import add, scaled
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.movement import moved, permuted
from ensc.compiler.frontend.onnx.origin import Array
from ensc.compiler.frontend.onnx.tensor import (
    Computed,
    Constant,
    Inputs,
    Tensor,
    broadcast,
    exact_product,
    required,
    weight,
)
from ensc.compiler.frontend.onnx.windows import (
    axes_of_windows,
    over_channels,
    taps_of,
)
from ensc.compiler.types.network import Floats, Integers


def matmul(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """MatMul of a computed value with a constant, with stacks of matrices on either side."""
    a, b = required(node, inputs, 0), required(node, inputs, 1)
    if not a.shape or not b.shape:
        node.invalid("a factor is a single number")
    left = a.reshaped(1, *a.shape) if len(a.shape) == 1 else a
    right = b.reshaped(*b.shape, 1) if len(b.shape) == 1 else b
    product = _product(node, left, right, build)
    shape = list(product.shape)
    if len(b.shape) == 1:
        del shape[-1]
    if len(a.shape) == 1:
        del shape[-1 if len(b.shape) == 1 else -2]
    return product.reshaped(*shape)


def gemm(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Gemm: `alpha A B + beta C`, either factor transposed on request."""
    a, b = required(node, inputs, 0), required(node, inputs, 1)
    if len(a.shape) != 2 or len(b.shape) != 2:
        node.invalid("its factors are no matrices")
    left = moved(node, a, np.transpose, build) if node.integer("transA", 0) else a
    right = moved(node, b, np.transpose, build) if node.integer("transB", 0) else b
    product = _product(node, left, right, build)
    product = scaled(node, product, build, factor=node.real("alpha", 1.0))
    c = inputs[2] if len(inputs) > 2 else None
    beta = node.real("beta", 1.0)
    if c is None or beta == 0:
        return product
    if isinstance(c, Constant):
        exact = exact_product(c.array.astype(np.float64), np.array(beta))
        term: Tensor = scaled(node, c, build, factor=beta) if exact is None else Constant(exact)
    else:
        term = scaled(node, c, build, factor=beta)
    return add(node, (product, term), build)


def _product(node: Node, a: Tensor, b: Tensor, build: Builder) -> Computed:
    """Return the product of stacks of matrices, of which one is constant."""
    if a.shape[-1] != b.shape[-2]:
        node.invalid(f"the shapes {list(a.shape)} and {list(b.shape)} do not fit together")
    lead = broadcast(node, a.shape[:-2], b.shape[:-2])
    if isinstance(a, Constant) and isinstance(b, Computed):
        return _constant_times(node, a.array, b, lead, build)
    matrix = weight(node, (a, b), 1)
    assert matrix is not None
    x = build.lifted(node, a)
    turned = x.positions().swapaxes(-1, -2)
    flipped = _products(node, x, turned, matrix.swapaxes(-1, -2), lead=lead, build=build)
    return permuted(node, flipped, lambda m: m.swapaxes(-1, -2), build)


def _constant_times(
    node: Node, matrix: Array, x: Computed, lead: tuple[int, ...], build: Builder
) -> Computed:
    factor = weight(node, (Constant(matrix), x), 0)
    assert factor is not None
    return _products(node, x, x.positions(), factor, lead=lead, build=build)


def _products(
    node: Node,
    x: Computed,
    positions: Integers,
    matrix: Floats,
    *,
    lead: tuple[int, ...],
    build: Builder,
) -> Computed:
    """Return `matrix @ x` for stacks, where `positions` says where the entries of x lie.

    One kernel serves the whole stack if there is one matrix; otherwise every matrix is a group.
    """
    rows, (inner, columns) = matrix.shape[-2], positions.shape[-2:]
    stack = math.prod(lead)
    node.bounded(stack, rows, columns)
    columns_first = np.broadcast_to(positions, (*lead, inner, columns)).swapaxes(-1, -2)
    if matrix.size == rows * inner:
        taps = columns_first.reshape(1, stack * columns, inner)
        value = build.linear(node, x.value, matrix.reshape(rows, inner), taps)
        out = Computed(value, (rows, stack, columns))
        turned = permuted(node, out, lambda m: m.swapaxes(0, 1), build)
        return turned.reshaped(*lead, rows, columns)
    node.bounded(stack, rows, inner)
    kernel = np.broadcast_to(matrix, (*lead, rows, inner)).reshape(stack * rows, inner)
    taps = columns_first.reshape(stack, columns, inner)
    return Computed(build.linear(node, x.value, kernel, taps), (*lead, rows, columns))


def convolution(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Conv in any number of dimensions, with groups, strides, dilations and padding."""
    x = build.lifted(node, required(node, inputs, 0))
    kernel, bias, groups = kernel_of(node, inputs, x)
    batch, channels, *spatial = x.shape
    outputs, each, *window = kernel.shape
    if each * groups != channels or outputs % groups:
        node.invalid(f"{channels} channels and a kernel of {list(kernel.shape)} do not fit")
    if (node.integers("kernel_shape") or tuple(window)) != tuple(window):
        node.invalid("`kernel_shape` differs from the kernel's shape")
    axes = axes_of_windows(node, spatial, window)
    flat = taps_of(node, axes)
    node.bounded(batch, groups, flat.shape[0], each * flat.shape[1])
    taps = over_channels(flat, batch * channels, math.prod(spatial))
    shape = (batch, outputs, *(axis.windows for axis in axes))
    return grouped(
        node, x, kernel.reshape(outputs, -1), bias, taps=taps, groups=groups, shape=shape, build=build
    )


def kernel_of(node: Node, inputs: Inputs, x: Computed) -> tuple[Floats, Floats | None, int]:
    """Return the kernel, the bias if there is one, and the number of groups."""
    kernel, bias = weight(node, inputs, 1), weight(node, inputs, 2)
    groups = node.integer("group", 1)
    if kernel is None or kernel.ndim != len(x.shape) or kernel.ndim < 3 or groups < 1:
        node.invalid(f"its kernel does not fit an input of shape {list(x.shape)}")
    return kernel, bias, groups


def grouped(
    node: Node,
    x: Computed,
    kernel: Floats,
    bias: Floats | None,
    *,
    taps: Integers,
    groups: int,
    shape: tuple[int, ...],
    build: Builder,
) -> Computed:
    """Add a grouped convolution; `taps` has shape (batch * channels, windows, taps a channel)."""
    batch, outputs, *_ = shape
    if bias is not None and bias.shape != (outputs,):
        node.invalid(f"its bias has shape {list(bias.shape)}, expected [{outputs}]")
    windows, width = taps.shape[1:]
    by_group = taps.reshape(batch, groups, -1, windows, width).transpose(1, 0, 3, 2, 4)
    flat = by_group.reshape(groups, batch * windows, -1)
    value = build.linear(node, x.value, kernel, flat, bias)
    out = Computed(value, (outputs, batch, windows))
    turned = permuted(node, out, lambda a: a.swapaxes(0, 1), build)
    return turned.reshaped(*shape)


def batch_normalization(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """BatchNormalization at inference: `scale (x - mean) r + B`.

    `r = 1 / sqrt(var + epsilon)` is no rational number: the network holds the nearest float64.
    """
    x = required(node, inputs, 0)
    given = [weight(node, inputs, i) for i in range(1, 5)]
    if node.integer("training_mode", 0) or not node.integer("spatial", 1):
        node.refuse("it normalises by the batch at hand", "export the model in evaluation mode")
    channels = x.shape[1] if len(x.shape) > 1 else 1
    parameters = [p for p in given if p is not None and p.shape == (channels,)]
    if len(parameters) != 4:
        node.invalid(f"its parameters do not fit {channels} channels")
    gamma, beta, mean, var = (
        np.broadcast_to(p.reshape(1, -1, *[1] * (len(x.shape) - 2)), x.shape).ravel()
        for p in (*parameters[:3], _inverse_roots(node, parameters[3]))
    )
    build.rounded.append(f"1/sqrt(var + epsilon) of `BatchNormalization` at {node.where}")
    centred = scaled(node, x, build, offset=-mean)
    stretched = scaled(node, centred, build, factor=gamma)
    return scaled(node, stretched, build, factor=var, offset=beta)


def _inverse_roots(node: Node, variances: Floats) -> Floats:
    epsilon = Fraction(node.real("epsilon", 1e-5))
    exact = [Fraction(v) + epsilon for v in variances.tolist()]
    if any(v <= 0 for v in exact):
        node.reject("E0514", "a variance plus epsilon is not positive")
    return np.array([_inverse_root(v) for v in exact])


def _inverse_root(v: Fraction) -> float:
    """Return the float64 nearest to `1 / sqrt(v)`, from 128 good bits or more."""
    bits = 128 + max(0, v.numerator.bit_length() - v.denominator.bit_length())
    return float(Fraction(math.isqrt((v.denominator << (2 * bits)) // v.numerator), 1 << bits))
