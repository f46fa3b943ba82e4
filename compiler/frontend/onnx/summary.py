"""What `ensc info` says about an ONNX file, whether or not ensc can read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from ensc.compiler.diagnostics import Diagnostic, Rejected
from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.ending import ending_of, with_two_classes
from ensc.compiler.frontend.onnx.graph import Graph, Node
from ensc.compiler.frontend.onnx.load import Loaded, check_shapes, load
from ensc.compiler.frontend.onnx.origin import Origin
from ensc.compiler.frontend.onnx.read import (
    check_ports,
    chosen_input,
    chosen_output,
    logits_of,
    shape_of,
)
from ensc.compiler.frontend.onnx.refusals import refusal
from ensc.compiler.frontend.onnx.scope import Scope
from ensc.compiler.frontend.onnx.tensor import Computed
from ensc.compiler.frontend.onnx.translate import (
    apply,
    depending,
    needed,
    unsupported,
    unsupported_diagnostics,
)
from ensc.compiler.quoting import counted, shown
from ensc.compiler.types.network import (
    Affine,
    Convolution,
    Gather,
    Layer,
    MaxPool,
    Relu,
    Scale,
    Sum,
    Trees,
)


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer in the table.

    Attributes:
        kind: what it does, e.g. `Affine`.
        node: the ONNX node it comes from.
        size: the number of its outputs.
        parameters: the number of its weights.
    """

    kind: str
    node: str
    size: int
    parameters: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A model file at a glance.

    Attributes:
        file: its name, without the folder.
        sha256: of the file, hexadecimal.
        ir_version: of the ONNX format.
        operator_sets: the versions that the file imports, by domain.
        inputs: what the graph reads, in words.
        outputs: what it computes, in words.
        operators: how often each operator occurs.
        layers: the network's layers as far as it can be read.
        relus: how many ReLUs there are.
        maxima: how many maxima of several candidates.
        leaves: how many leaves all decision trees have.
        dropped: what is left out at the end because it keeps the order of the classes.
        rounded: the numbers that the file computes and no float64 holds.
        unsupported: everything that keeps ensc from reading the file; empty if it can be read.
    """

    file: str
    sha256: str
    ir_version: int
    operator_sets: tuple[tuple[str, int], ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    operators: tuple[tuple[str, int], ...]
    layers: tuple[LayerRow, ...]
    relus: int
    maxima: int
    leaves: int
    dropped: tuple[str, ...]
    rounded: tuple[str, ...]
    unsupported: tuple[Diagnostic, ...]

    @property
    def parameters(self) -> int:
        """The number of weights in all layers."""
        return sum(row.parameters for row in self.layers)


@dataclass(frozen=True, slots=True)
class _Reading:
    """How far the network could be read."""

    layers: tuple[Layer, ...]
    dropped: tuple[str, ...]
    rounded: tuple[str, ...]
    unsupported: tuple[Diagnostic, ...]


def summarize(path: Path, *, input: str | None = None, output: str | None = None) -> Summary:  # noqa: A002 - as in `read_network`
    """Describe a model file, and everything in it that ensc cannot read.

    Args:
        path: the file.
        input: the graph's input, if there are several.
        output: the graph's output, if there are several.

    Raises:
        Rejected: it is no valid model at all.
    """
    loaded = load(path, Origin(f"`{shown(path.name)}`"))
    graph = loaded.graph
    counts: dict[str, int] = {}
    for node in graph.nodes:
        counts[node.title] = counts.get(node.title, 0) + 1
    reading = _read(loaded, input, output)
    return Summary(
        shown(path.name),
        loaded.sha256,
        graph.ir_version,
        tuple(sorted(graph.versions.items())),
        tuple(str(port) for port in graph.inputs),
        tuple(str(port) for port in graph.outputs),
        tuple(sorted(counts.items())),
        tuple(_row(layer) for layer in reading.layers),
        sum(layer.size for layer in reading.layers if isinstance(layer, Relu)),
        sum(layer.size for layer in reading.layers if isinstance(layer, MaxPool)),
        sum(layer.leaves for layer in reading.layers if isinstance(layer, Trees)),
        reading.dropped,
        reading.rounded,
        reading.unsupported,
    )


def render_summary(summary: Summary) -> str:
    """Return a summary as text, a line for each fact and a table of the layers."""
    sets = ", ".join(f"{domain or 'ai.onnx'} {version}" for domain, version in summary.operator_sets)
    operators = ", ".join(f"{name} {count}" for name, count in summary.operators)
    facts = [
        ("file", [summary.file]),
        ("sha256", [summary.sha256]),
        ("format", [f"ONNX IR {summary.ir_version}, operator sets {sets}"]),
        ("inputs", summary.inputs),
        ("outputs", summary.outputs),
        ("operators", [operators or "none"]),
        ("size", [_sizes(summary)]),
        ("left out", [f"{text}: keeps the order of the classes" for text in summary.dropped]),
        ("rounded", summary.rounded),
    ]
    lines = [f"{label if i == 0 else '':<11}{text}" for label, texts in facts for i, text in enumerate(texts)]
    if summary.layers:
        lines += ["", *_table(summary.layers)]
    for diagnostic in summary.unsupported:
        lines += ["", f"cannot be read [{diagnostic.code}]: {diagnostic.message}"]
        lines += [f"  {note}" for note in diagnostic.notes]
        lines += [f"  help: {diagnostic.help}"] if diagnostic.help else []
    return "\n".join(lines) + "\n"


def _sizes(summary: Summary) -> str:
    """Return how large the network is, and how many pieces it can have."""
    leaves = f", {counted(summary.leaves, 'leaf', 'leaves')}" if summary.leaves else ""
    return f"{summary.parameters} parameters, {summary.relus} ReLUs, {summary.maxima} maxima{leaves}"


def _table(rows: Sequence[LayerRow]) -> list[str]:
    width = max(len("node"), *(len(row.node) for row in rows))
    return [
        f"{'layer':>5}  {'kind':<11}  {'node':<{width}}  {'outputs':>7}  {'parameters':>10}",
        *(
            f"{i:>5}  {row.kind:<11}  {row.node:<{width}}  {row.size:>7}  {row.parameters:>10}"
            for i, row in enumerate(rows, start=1)
        ),
    ]


def _read(loaded: Loaded, source_name: str | None, target_name: str | None) -> _Reading:
    graph = loaded.graph
    try:
        source, target = chosen_input(graph, source_name), chosen_output(graph, target_name)
        ending = ending_of(graph, target.name)
        nodes, names = needed(ending.nodes, ending.value)
        check_ports(graph, [source], target, names)
        shape = shape_of(source, graph.origin)
    except Rejected as rejected:
        return _Reading((), (), (), (*rejected.diagnostics, *_unsupported_at_all(graph)))
    bad = unsupported(nodes, depending(nodes, source.name), ending.closers)
    found = list(unsupported_diagnostics(bad))
    build, scope = Builder(prod(shape)), Scope(graph.origin, graph.initializers)
    scope.set(source.name, Computed(0, shape))
    made_up: set[int] = set()
    for node in nodes:
        if node not in bad and all(scope.knows(name) for name in node.inputs):
            try:
                apply(node, scope, build, closes=node in ending.closers)
                continue
            except Rejected as rejected:
                found += rejected.diagnostics
        made_up |= _stand_in(node, scope, build)
    layers = tuple(layer for i, layer in enumerate(build.layers, start=1) if i not in made_up)
    if not found:
        try:
            check_shapes(loaded, needed(graph.nodes, ending.value)[0])
            scores = with_two_classes(scope.get(ending.value), ending, build)
            layers, _ = build.finish(logits_of(scores, target, graph.origin).value)
        except Rejected as rejected:
            found += rejected.diagnostics
    return _Reading(layers, ending.dropped, tuple(build.rounded), tuple(found))


def _stand_in(node: Node, scope: Scope, build: Builder) -> set[int]:
    """Give the result of an entrywise operator that cannot be read its shape, to read on behind it."""
    first = node.inputs[0] if node.inputs else ""
    if not refusal(node).entrywise or not first or not scope.knows(first):
        return set()
    x = scope.get(first)
    value = build.gather(node, [], np.zeros(1), np.zeros(prod(x.shape), dtype=np.int64))
    scope.set(node.outputs[0], Computed(value, x.shape))
    return {value}


def _row(layer: Layer) -> LayerRow:
    return LayerRow(type(layer).__name__, shown(layer.name, 40), layer.size, _parameters(layer))


def _parameters(layer: Layer) -> int:
    """Return how many numbers a layer has; those that are the same for a whole channel count once."""
    match layer:
        case Affine():
            return layer.weight.size + layer.bias.size
        case Convolution():
            return layer.kernel.size + layer.bias.size
        case Scale():
            columns = ((layer.factor, 1), (layer.offset, 0), (layer.divisor, 1))
            used = [numbers for numbers, neutral in columns if (numbers != neutral).any()]
            return len(used) * len(np.unique(np.stack(used), axis=1).T) if used else 0
        case Trees():
            return layer.thresholds.size + int(np.count_nonzero(layer.values)) + layer.bias.size
        case Sum() | Gather() | Relu() | MaxPool():
            return 0


def _unsupported_at_all(graph: Graph) -> tuple[Diagnostic, ...]:
    names = depending(graph.nodes, *(port.name for port in graph.inputs))
    closers = [node for port in graph.outputs for node in ending_of(graph, port.name).closers]
    return unsupported_diagnostics(unsupported(graph.nodes, names, closers))
