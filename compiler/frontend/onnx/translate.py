"""From a graph's nodes to the layers of a network: names are looked up, operators applied in order."""

from collections.abc import Iterable, Sequence

from ensc.compiler.diagnostics import Diagnostic, Label
from ensc.compiler.frontend.onnx.branches import taken
from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.graph import Body, Node
from ensc.compiler.frontend.onnx.operators import SUPPORTED, is_supported, lower
from ensc.compiler.frontend.onnx.refusals import refusal
from ensc.compiler.frontend.onnx.scope import Scope
from ensc.compiler.quoting import listed


def apply(node: Node, scope: Scope, build: Builder, *, closes: bool) -> None:
    """Add one node to the network, and its outputs to the scope.

    Raises:
        Rejected: the node is invalid, or computes what ensc cannot read.
    """
    inputs = scope.inputs(node)
    if node.title == "If":
        _apply_branch(node, taken(node, inputs), scope, build)
        return
    try:
        results = lower(node, inputs, build, closes=closes)
    except (ArithmeticError, LookupError, MemoryError, TypeError, ValueError) as error:
        # The checker does not look into most attributes and sizes: numpy objects to the rest.
        node.invalid(f"it cannot be computed: {error}")
    scope.bind(node, results)


def _apply_branch(node: Node, branch: Body, scope: Scope, build: Builder) -> None:
    inner = scope.inside(branch.initializers)
    for step in branch.nodes:
        apply(step, inner, build, closes=False)
    scope.bind(node, tuple(inner.get(name) for name in branch.outputs))


def needed(nodes: Sequence[Node], output: str) -> tuple[tuple[Node, ...], frozenset[str]]:
    """Return the nodes on which a value depends, in order, and the names that they read."""
    names = {output}
    found: list[Node] = []
    for node in reversed(nodes):
        if names.intersection(node.outputs):
            names.update(node.reads - {""})
            found.append(node)
    return tuple(reversed(found)), frozenset(names)


def depending(nodes: Iterable[Node], *sources: str) -> frozenset[str]:
    """Return the names of the values that depend on the entries of some values, and those."""
    names = set(sources)
    for node in nodes:
        if node.operator not in {"Shape", "Size"} and names.intersection(node.reads):
            names.update(node.outputs)
    return frozenset(names - {""})


def unsupported(nodes: Sequence[Node], computed: frozenset[str], closers: Sequence[Node]) -> tuple[Node, ...]:
    """Return the nodes whose operator is not read, whatever its use.

    Args:
        nodes: the nodes that are needed.
        computed: the names that depend on the network's input.
        closers: the nodes at the end that keep the order of the classes.
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
