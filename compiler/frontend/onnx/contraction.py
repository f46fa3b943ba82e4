"""Einsum of one computed value with constants: a linear map, entry by entry."""

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
    exact_product,
    finite,
    required,
)


def einsum(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Einsum; every letter names an axis, those that the result lacks are summed over."""
    operands = [required(node, inputs, i) for i in range(len(inputs))]
    terms, result = _equation(node, len(operands))
    constants = [t for t in operands if isinstance(t, Constant)]
    if len(constants) == len(operands):
        equation = ",".join(terms) + "->" + result
        return Constant(np.asarray(np.einsum(equation, *(t.array for t in constants))))
    if len(constants) < len(operands) - 1:
        node.reject(
            "E0509",
            "it multiplies computed values with each other",
            "all its operands but one have to be constants",
        )
    sizes: dict[str, int] = {}
    for term, operand in zip(terms, operands, strict=True):
        if len(term) != len(operand.shape):
            node.invalid(f"`{term}` does not name the axes of {list(operand.shape)}")
        for letter, size in zip(term, operand.shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                node.invalid(f"the axes `{letter}` differ in length")
    summed = sorted(set(sizes) - set(result))
    letters = [*result, *summed]
    shape = node.bounded(*(sizes[letter] for letter in letters))
    rows, width = prod(sizes[letter] for letter in result), prod(sizes[letter] for letter in summed)
    x = next(t for t in operands if isinstance(t, Computed))
    factor: Array = np.ones(shape)
    taps: Array = np.zeros(shape, dtype=np.int64)
    for term, operand in zip(terms, operands, strict=True):
        if isinstance(operand, Computed):
            taps = _spread(operand.positions(), term, letters, shape)
            continue
        numbers = _spread(finite(node, operand.array, "a factor"), term, letters, shape)
        product = exact_product(factor, numbers)
        if product is None:
            node.refuse("the product of its constants is no float64", "multiply them in a node of their own")
        factor = product
    value = build.linear(node, x.value, factor.reshape(rows, width), taps.reshape(rows, 1, width))
    return Computed(value, shape[: len(result)])


def _equation(node: Node, operands: int) -> tuple[list[str], str]:
    text = node.text("equation", "").replace(" ", "")
    if "." in text:
        node.refuse("an ellipsis in its equation is not read", "name every axis")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != operands or not all(term.isalpha() or not term for term in terms):
        node.invalid(f"its equation `{text}` does not fit {operands} operands")
    once = (letter for letter in sorted(set(left) - {","}) if left.count(letter) == 1)
    return terms, right if arrow else "".join(once)


def _spread(array: Array, term: str, letters: list[str], shape: tuple[int, ...]) -> Array:
    """Return an array over the axes of all letters; a letter that it has twice is its diagonal."""
    kept = sorted(set(term), key=letters.index)
    diagonal = np.einsum(f"{term}->{''.join(kept)}", array) if array.ndim else array
    axes = [shape[i] if letter in kept else 1 for i, letter in enumerate(letters)]
    return np.broadcast_to(diagonal.reshape(axes), shape)
