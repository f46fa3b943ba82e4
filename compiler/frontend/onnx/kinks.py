"""Choices between lines: `Where(x > c, f(x), g(x))` is piecewise linear and continuous if `f(c) = g(c)`.

PyTorch writes `torch.where(x > 0, x, a * x)`, `x * (x > 0)`, `masked_fill` and Softshrink so. Lines and
places are computed in rational numbers from the file's own; a choice that jumps, or whose numbers no float64
holds, stays what it is, and is refused for its comparison.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

import numpy as np
from onnx import TensorProto

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.graph import Attribute, Node
from ensc.compiler.frontend.onnx.tensor import Computed, Inputs, Tensor, required

_DEEPEST = 16  # operators between x and a line's end; an exporter writes three
_BRANCH = 5  # a choice counts for so many, because it branches
_COMPARISONS = {"Greater": True, "GreaterOrEqual": True, "Less": False, "LessOrEqual": False}
_REALS = frozenset((TensorProto.FLOAT, TensorProto.DOUBLE))


@dataclass(frozen=True, slots=True)
class _Line:
    slope: Fraction
    offset: Fraction

    def at(self, x: Fraction) -> Fraction:
        return self.slope * x + self.offset


@dataclass(frozen=True, slots=True)
class _Bent:
    """A function of one variable: a line, then another behind each break."""

    breaks: tuple[Fraction, ...]
    lines: tuple[_Line, ...]

    def then(self, factor: Fraction, offset: Fraction) -> "_Bent":
        lines = (_Line(factor * line.slope, factor * line.offset + offset) for line in self.lines)
        return _Bent(self.breaks, tuple(lines))

    def until(self, x: Fraction) -> "_Bent":
        count = sum(b < x for b in self.breaks)
        return _Bent(self.breaks[:count], self.lines[: count + 1])

    def since(self, x: Fraction) -> "_Bent":
        count = sum(b <= x for b in self.breaks)
        return _Bent(self.breaks[count:], self.lines[count:])


@dataclass(frozen=True, slots=True)
class _Test:
    """Where a truth value holds: above or below a number, the number itself is nobody's concern."""

    name: str
    number: Fraction
    above: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Reader:
    makers: Mapping[str, Node]
    numbers: Mapping[str, float]

    def test(self, name: str) -> _Test | None:
        """Return what a truth value says."""
        node = self.makers.get(name)
        if node is None:
            return None
        if node.title in _COMPARISONS and len(node.inputs) == 2:
            above, (left, right) = _COMPARISONS[node.operator], node.inputs
            if (number := self.number(right)) is not None:
                return _Test(left, number, above)
            number = self.number(left)
            return None if number is None else _Test(right, number, not above)
        if node.title == "Cast" and node.integer("to", 0) in {*_REALS, TensorProto.BOOL}:
            inner = self.makers.get(node.inputs[0])  # a number that is cast to a truth value tests for zero
            return None if inner is None or inner.title not in _COMPARISONS else self.test(node.inputs[0])
        return None

    def number(self, name: str) -> Fraction | None:
        found = self.numbers.get(name)
        return None if found is None or not np.isfinite(found) else Fraction(found)

    def choice(self, node: Node) -> tuple[str, _Bent] | None:
        """Return x and the function of it that a node chooses; None if it is none, or jumps."""
        match node.title, node.inputs:
            case "Where", (condition, yes, no):
                return self._chosen(self.test(condition), yes, no)
            case "Mul", (a, b):
                for factor, mask in ((a, b), (b, a)):
                    cast = self.makers.get(mask)
                    if cast is not None and cast.title == "Cast" and cast.integer("to", 0) in _REALS:
                        return self._chosen(self.test(mask), factor, None)
        return None

    def _chosen(
        self, test: _Test | None, yes: str, no: str | None, deep: int = 0
    ) -> tuple[str, _Bent] | None:
        if test is None:
            return None
        upper, lower = (
            _constant(Fraction(0)) if name is None else self.function(name, test.name, deep)
            for name in ((yes, no) if test.above else (no, yes))
        )
        if upper is None or lower is None:
            return None
        left, right, at = lower.until(test.number), upper.since(test.number), test.number
        if left.lines[-1].at(at) != right.lines[0].at(at):
            return None
        return test.name, _Bent((*left.breaks, at, *right.breaks), (*left.lines, *right.lines))

    def function(self, name: str, x: str, deep: int) -> _Bent | None:
        """Return a value as a function of x, entry by entry."""
        if name == x:
            return _Bent((), (_Line(Fraction(1), Fraction(0)),))
        if (number := self.number(name)) is not None:
            return _constant(number)
        node = self.makers.get(name)
        if node is None or deep > _DEEPEST:
            return None
        inner = partial(self.function, x=x, deep=deep + 1)
        match node.title, node.inputs:
            case "ConstantOfShape", (shape,):
                return self._filled(node, shape, x)
            case "Neg" | "Identity", (a,):
                return _then(inner(a), Fraction(-1 if node.title == "Neg" else 1))
            case "Where", (condition, yes, no):
                test = self.test(condition)
                found = (
                    self._chosen(test, yes, no, deep + _BRANCH)
                    if test is not None and test.name == x
                    else None
                )
                return None if found is None else found[1]
            case "Add" | "Sub" | "Mul" | "Div", (a, b):
                return self._arithmetic(node.title, a, b, inner)
            case _:
                return None

    def _arithmetic(self, title: str, a: str, b: str, inner: Callable[[str], _Bent | None]) -> _Bent | None:
        left, right = self.number(a), self.number(b)
        match title:
            case "Add" if right is not None:
                return _then(inner(a), Fraction(1), right)
            case "Add" if left is not None:
                return _then(inner(b), Fraction(1), left)
            case "Sub" if right is not None:
                return _then(inner(a), Fraction(1), -right)
            case "Sub" if left is not None:
                return _then(inner(b), Fraction(-1), left)
            case "Mul" if right is not None:
                return _then(inner(a), right)
            case "Mul" if left is not None:
                return _then(inner(b), left)
            case "Div" if right:
                return _then(inner(a), 1 / right)
            case _:
                return None

    def _filled(self, node: Node, shape: str, x: str) -> _Bent | None:
        """Return the number of an array that is as large as x."""
        measured = self.makers.get(shape)
        if measured is None or measured.title != "Shape" or measured.inputs != (x,) or measured.attributes:
            return None
        value = node.tensor("value")
        if value is None:
            return _constant(Fraction(0))
        plain = value.size == 1 and value.dtype.kind == "f" and bool(np.isfinite(value).all())
        return _constant(Fraction(float(value.item()))) if plain else None


def _constant(number: Fraction) -> _Bent:
    return _Bent((), (_Line(Fraction(0), number),))


def _then(inner: _Bent | None, factor: Fraction, offset: Fraction = Fraction(0)) -> _Bent | None:
    return None if inner is None else inner.then(factor, offset)


def without_choices(
    nodes: Iterable[Node], inputs: Iterable[str], numbers: Mapping[str, float]
) -> tuple[Node, ...]:
    """Return the nodes with a function of one variable in place of every choice that is continuous.

    Args:
        nodes: in topological order.
        inputs: of the graph.
        numbers: the constants of one entry, by name, of rank 1 at most.
    """
    listed = tuple(nodes)
    if not any(node.operator in _COMPARISONS for node in listed):
        return listed
    reader = _Reader({name: node for node in listed for name in node.outputs if name}, numbers)
    computed = set(inputs)
    for node in listed:
        if computed.intersection(node.inputs):
            computed.update(node.outputs)
    return tuple(_replaced(node, reader, computed) for node in listed)


def _replaced(node: Node, reader: _Reader, computed: set[str]) -> Node:
    found = reader.choice(node)
    if found is None or found[0] not in computed:
        return node
    x, bent = found
    first = bent.lines[0]
    columns = (bent.breaks, tuple(line.slope for line in bent.lines), (first.offset,))
    if any(Fraction(float(number)) != number for column in columns for number in column):
        return node
    breaks, slopes, offset = (tuple(map(float, column)) for column in columns)
    given: dict[str, Attribute] = {"breaks": breaks, "slopes": slopes, "offset": offset[0]}
    return replace(node, operator="Where", inputs=(x,), attributes=given)


def bent(node: Node, inputs: Inputs, build: Builder) -> Tensor:
    """Where, as `without_choices` writes it: the first line, and at each break a ReLU that bends it."""
    x = build.lifted(node, required(node, inputs, 0))
    slopes, breaks = node.reals("slopes") or (), node.reals("breaks") or ()
    terms, signs = [build.scale(node, x.value, slopes[0], node.real("offset", 0.0))], [1]
    for at, before, after in zip(breaks, slopes[:-1], slopes[1:], strict=True):
        positive = build.relu(node, build.scale(node, x.value, offset=-at))
        for slope, sign in ((after, 1), (before, -1)):  # no difference of slopes is rounded
            if slope:
                terms.append(build.scale(node, positive, slope))
                signs.append(sign)
    return Computed(build.sum(node, terms, signs), x.shape)
