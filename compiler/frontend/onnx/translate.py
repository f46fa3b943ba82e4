"""From a graph's nodes to the layers of a network: names are looked up, operators applied in order."""

from collections.abc import Iterable, Mapping, Sequence

from onnx import TensorProto

from ensc.compiler.diagnostics import Diagnostic, Label
from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.graph import Graph, Node, Origin
from ensc.compiler.frontend.onnx.operators import (
    CLOSING,
    SUPPORTED,
    TRANSPARENT,
    is_supported,
    lower,
)
from ensc.compiler.frontend.onnx.refusals import refusal
from ensc.compiler.frontend.onnx.tensor import Constant, Inputs, Tensor
from ensc.compiler.quoting import listed, shown


class Scope:
    """What the graph's names stand for so far; initializers are decoded when they are asked for."""

    def __init__(self, origin: Origin, initializers: Mapping[str, TensorProto]) -> None:
        self._origin = origin
        self._initializers = initializers
        self._tensors: dict[str, Tensor] = {}
        self._unread: dict[str, Node] = {}

    def set(self, name: str, tensor: Tensor) -> None:
        """Give a name a meaning."""
        self._tensors[name] = tensor

    def bind(self, node: Node, results: Tensor | tuple[Tensor, ...]) -> None:
        """Give a node's output names their meaning."""
        tensors = results if isinstance(results, tuple) else (results,)
        self._tensors.update(zip(node.outputs, tensors, strict=False))
        self._unread.update((name, node) for name in node.outputs[len(tensors) :] if name)

    def knows(self, name: str) -> bool:
        """Return whether anything was said about a name."""
        places = (self._tensors, self._initializers, self._unread)
        return not name or any(name in place for place in places)

    def get(self, name: str) -> Tensor:
        """Return what a name stands for."""
        if name in self._tensors:
            return self._tensors[name]
        if name in self._initializers:
            tensor = Constant(
                self._origin.decode(
                    self._initializers[name], f"the tensor `{shown(name)}` in {self._origin.file}"
                )
            )
            self._tensors[name] = tensor
            return tensor
        if name in self._unread:
            self._unread[name].refuse(f"its output `{shown(name)}` is used, which ensc does not compute")
        self._origin.reject("E0506", f"nothing in {self._origin.file} makes the value `{shown(name)}`")

    def inputs(self, node: Node) -> Inputs:
        """Return what a node's inputs stand for; None for those left out."""
        return tuple(self.get(name) if name else None for name in node.inputs)


def apply(node: Node, scope: Scope, build: Builder, *, closes: bool) -> None:
    """Add one node to the network, and its outputs to the scope.

    Raises:
        Rejected: the node is invalid, or computes what ensc cannot read.
    """
    inputs = scope.inputs(node)
    try:
        results = lower(node, inputs, build, closes=closes)
    except (ArithmeticError, LookupError, MemoryError, TypeError, ValueError) as error:
        # The checker does not look into most attributes and sizes: numpy objects to the rest.
        node.invalid(f"it cannot be computed: {error}")
    scope.bind(node, results)


def needed(graph: Graph, output: str) -> tuple[tuple[Node, ...], frozenset[str]]:
    """Return the nodes on which a value depends, in order, and the names that they read."""
    names = {output}
    nodes: list[Node] = []
    for node in reversed(graph.nodes):
        if names.intersection(node.outputs):
            names.update(name for name in node.inputs if name)
            nodes.append(node)
    return tuple(reversed(nodes)), frozenset(names)


def closing(nodes: Iterable[Node], output: str) -> tuple[Node, ...]:
    """Return the nodes at the very end that keep the order of the classes, and nothing else."""
    makers = {name: node for node in nodes for name in node.outputs if name}
    found: list[Node] = []
    name = output
    while name in makers and makers[name].operator in {*CLOSING, *TRANSPARENT}:
        node = makers.pop(name)
        if node.operator in CLOSING:
            found.append(node)
        name = node.inputs[0] if node.inputs else ""
    return tuple(reversed(found))


def depending(nodes: Iterable[Node], *sources: str) -> frozenset[str]:
    """Return the names of the values that depend on the entries of some values, and those."""
    names = set(sources)
    for node in nodes:
        if node.operator not in {"Shape", "Size"} and names.intersection(node.inputs):
            names.update(node.outputs)
    return frozenset(names - {""})


def unsupported(nodes: Sequence[Node], computed: frozenset[str], closers: Sequence[Node]) -> tuple[Node, ...]:
    """Return the nodes whose operator is not read, whatever its use.

    Args:
        nodes: the nodes that are needed.
        computed: the names that depend on the network's input.
        closers: the nodes that `closing` found.
    """
    return tuple(
        node
        for node in nodes
        if node not in closers and not is_supported(node, computed=bool(computed.intersection(node.inputs)))
    )


def unsupported_diagnostics(nodes: Sequence[Node]) -> tuple[Diagnostic, ...]:
    """Return one diagnostic for each operator among nodes that are not read."""
    titles = sorted({node.title for node in nodes})
    return tuple(
        _unsupported([n for n in nodes if n.title == title], last=title == titles[-1]) for title in titles
    )


def _unsupported(nodes: Sequence[Node], *, last: bool) -> Diagnostic:
    first, why = nodes[0], refusal(nodes[0])
    notes = [why.why]
    if len(nodes) > 1:
        notes.insert(0, f"also at {listed(node.label for node in nodes[1:])}")
    if last:  # several diagnostics are printed together: once is enough
        notes.append(f"operators that are read: {', '.join(SUPPORTED)}")
    return Diagnostic(
        "E0507",
        f"unsupported operator `{first.title}` at {first.where}",
        Label(first.origin.place) if first.origin.place else None,
        notes=tuple(notes),
        help=why.advice,
    )
