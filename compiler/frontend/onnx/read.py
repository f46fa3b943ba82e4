"""Read an ONNX file as a `Network`."""

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from math import prod
from pathlib import Path
from typing import NoReturn

from ensc.compiler.diagnostics import Diagnostic, Label, Rejected, Span
from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.ending import divides, ending_of, label_of, with_two_classes
from ensc.compiler.frontend.onnx.graph import Graph, Port
from ensc.compiler.frontend.onnx.load import check_shapes, load
from ensc.compiler.frontend.onnx.origin import ENTRIES, Origin
from ensc.compiler.frontend.onnx.scope import Scope
from ensc.compiler.frontend.onnx.tensor import Computed, Constant, Tensor
from ensc.compiler.frontend.onnx.translate import (
    apply,
    depending,
    needed,
    unsupported,
    unsupported_diagnostics,
)
from ensc.compiler.quoting import shape as shape_text
from ensc.compiler.quoting import shown as printable
from ensc.compiler.types.network import Network, sources


def read_network(
    path: Path,
    *,
    name: str,
    input: str | None = None,  # noqa: A002 - the query language's word
    output: str | None = None,
    place: Span | None = None,
    shown: str | None = None,
    fewest: int = 2,
    joined: bool = False,
) -> Network:
    """Read an ONNX file as a network, exactly.

    The network is the function that the file defines over the real numbers, for one input at a time (the
    first axis is the batch; it is left out). The file's numbers are taken exactly. Rounded are only
    numbers which the file itself computes and no float64 holds; `Network.rounded` lists them. The
    most common is `1 / sqrt(variance + epsilon)` of a BatchNormalization, taken as the nearest
    float64. A Softmax, LogSoftmax, Sigmoid, ArgMax or TopK of one at the end is dropped, see `warnings`;
    one score that a Sigmoid turns into a probability becomes the scores 0 and z of two classes.

    Args:
        path: the file; external data is read from its folder only.
        name: what messages call the network.
        input: the graph's input; needed if there are several.
        output: the graph's output; needed if several of them hold reals.
        place: where the query names the file.
        shown: how messages write the path; its last part by default.
        fewest: outputs that the network must have: two, if they are the scores of classes.
        joined: whether the network reads all inputs of the graph, one after the other in its order, as one
            flat vector; then none is named.

    Raises:
        Rejected: the file cannot be read as a classifier, codes E0501 to E0517.
    """
    origin = Origin(f"`{printable(path.name) if shown is None else shown}`", place)
    loaded = load(path, origin)
    graph = loaded.graph
    named = [port.name for port in graph.inputs] if joined and graph.inputs else [input]
    read, target = [chosen_input(graph, each) for each in named], chosen_output(graph, output)
    shapes = [shape_of(port, origin) for port in read]
    sizes = tuple(map(prod, shapes))
    ending = ending_of(graph, target.name)
    nodes, names = needed(ending.nodes, ending.value)
    check_ports(graph, read, target, names)
    if bad := unsupported(nodes, depending(nodes, *(port.name for port in read)), ending.closers):
        raise Rejected(unsupported_diagnostics(bad))

    if sum(sizes) > ENTRIES:
        origin.too_large(f"all inputs of {origin.file} together", (sum(sizes),))
    build = Builder(sum(sizes))
    scope = Scope(origin, graph.initializers)
    for port, shape, end in zip(read, shapes, accumulate(sizes), strict=True):
        scope.set(port.name, Computed(build.part(end - prod(shape), prod(shape)), shape))
    for node in nodes:
        apply(node, scope, build, closes=node in ending.closers)
    check_shapes(loaded, needed(graph.nodes, ending.value)[0])
    result = scope.get(ending.value)
    scores = with_two_classes(result, ending, build) if fewest == 2 else result
    logits = logits_of(scores, target, origin, fewest)
    layers, number = build.finish(logits.value)
    if number and not any(0 in sources(layer) for layer in layers):
        independent(target, origin)
    return Network(
        name,
        _without_batch(shapes[0]) if len(shapes) == 1 else (sum(sizes),),
        layers,
        number,
        dropped=ending.dropped,
        operators=dict(sorted(Counter(node.title for node in graph.nodes).items())),
        rounded=tuple(build.rounded),
        parts=sizes if len(sizes) > 1 else (),
    )


def warnings(network: Network, place: Span | None = None) -> tuple[Diagnostic, ...]:
    """Return what the reader of a query should know about a network that was read."""
    return tuple(
        Diagnostic(
            "W0501",
            f"network `{network.name}` is read without {dropped}",
            Label(place) if place else None,
            notes=("the order of the classes is the same; margins are between the numbers before it",),
        )
        for dropped in network.dropped
    )


def chosen_input(graph: Graph, name: str | None) -> Port:
    """Return the input that is asked for, or the only one.

    Raises:
        Rejected: there is no such input, no single one, or it does not hold reals.
    """
    origin, listed = graph.origin, _listed(graph.inputs)
    if not graph.inputs:
        origin.reject("E0511", f"{origin.file} has no input")
    if name is None and len(graph.inputs) > 1:
        origin.reject(
            "E0511",
            f"{origin.file} has {len(graph.inputs)} inputs: {listed}",
            f'name one of them: `input = "{graph.inputs[0].name}"`',
        )
    port = next((p for p in graph.inputs if name in {None, p.name}), None)
    if port is None:
        origin.reject("E0511", f"{origin.file} has no input `{printable(name or '')}`", f"it has {listed}")
    if not port.is_real:
        origin.reject(
            "E0513",
            f"the input `{printable(port.name)}` of {origin.file} holds {port.kind}, not real numbers",
            "export the model with a float input",
        )
    return port


def chosen_output(graph: Graph, name: str | None) -> Port:
    """Return the output that is asked for, or the only one that holds reals.

    An output that is the class with the highest score says which scores those are. It is taken where the
    reals are columns, one for each class, or scores divided by their sum, whose sign may be anything.

    Raises:
        Rejected: there is no such output, or no single one.
    """
    origin, listed = graph.origin, _listed(graph.outputs)
    if name is not None:
        port = next((p for p in graph.outputs if p.name == name), None)
        if port is None:
            origin.reject("E0512", f"{origin.file} has no output `{printable(name)}`", f"it has {listed}")
        return port
    real = (
        [port for port in graph.outputs if port.is_real]
        or [port for port in graph.outputs if port.kind == "sequence"]  # of maps from label to score
        or list(graph.outputs)
    )
    if not real:
        origin.reject("E0512", f"{origin.file} has no output")
    if len(real) > 1 or divides(graph, real[0].name):
        label = label_of(graph)
        if label is not None:
            return next(port for port in graph.outputs if port.name == label)
    if len(real) > 1:
        origin.reject(
            "E0512",
            f"{origin.file} has {len(graph.outputs)} outputs: {listed}",
            f'name the one that holds the logits: `output = "{real[0].name}"`',
        )
    return real[0]


def check_ports(graph: Graph, read: Sequence[Port], target: Port, names: frozenset[str]) -> None:
    """Check that the output is computed, from the inputs that are read and from nothing else.

    Raises:
        Rejected: it is not.
    """
    origin = graph.origin
    if not any(target.name in node.outputs for node in graph.nodes):
        origin.reject(
            "E0515", f"the output `{printable(target.name)}` of {origin.file} is computed by no node"
        )
    others = [port for port in graph.inputs if port not in read and port.name in names]
    if others:
        origin.reject(
            "E0511",
            f"the output `{printable(target.name)}` of {origin.file} depends on "
            f"the input `{printable(others[0].name)}` too",
            "make all inputs but one constants of the model"
            + ("" if others[0].shape is None or None in others[0].shape else _CAPTURED),
        )


_CAPTURED = (
    "; an exporter may have left its value out, as of the mean and the variance of a Normalization of Keras: "
    "write a Rescaling layer in its place, or append the value to `graph.initializer`"
)


def shape_of(port: Port, origin: Origin) -> tuple[int, ...]:
    """Return the shape of an input, with 1 for the batch.

    Raises:
        Rejected: a dimension other than the first is open, or the first is a fixed batch.
    """
    what = f"the input `{printable(port.name)}` of {origin.file}"
    if port.shape is None:
        origin.reject("E0510", f"{what} has no declared shape", _FIX)
    if not port.shape:
        origin.reject("E0513", f"{what} is a single number, not a vector")
    batch, *rest = port.shape if len(port.shape) > 1 else (1, *port.shape)
    fixed = tuple(n for n in rest if n is not None)
    if len(fixed) < len(rest):
        origin.reject("E0510", f"{what} has an open dimension besides the batch: {port}", _FIX)
    if batch not in {None, 1}:
        origin.reject(
            "E0517",
            f"{what} has a fixed batch of {batch}: {port}",
            "export the model with a batch of 1, or with an open batch dimension",
        )
    if prod(fixed) > ENTRIES:
        origin.too_large(what, fixed)
    return fixed if len(port.shape) == 1 else (1, *fixed)


def _without_batch(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape if len(shape) == 1 else shape[1:]


_FIX = "export the model with fixed sizes; only the first dimension, the batch, may be open"


def logits_of(result: Tensor, target: Port, origin: Origin, fewest: int = 2) -> Computed:
    """Return the network's result if it is a vector of two classes or more, or as many as are asked for.

    Raises:
        Rejected: it is not, or is a constant.
    """
    if isinstance(result, Constant):
        independent(target, origin)
    size, shape = result.size, result.shape
    if size < fewest or size not in shape or (len(shape) > 1 and shape[0] != 1):
        origin.reject(
            "E0515",
            f"the output `{printable(target.name)}` of {origin.file} has shape {shape_text(shape)} "
            "for one input: it is no vector of at least two classes",
            "end the model in one score for each class"
            + (", also when there are only two" if size == 1 else ""),
        )
    return result


def independent(target: Port, origin: Origin) -> NoReturn:
    """Reject an output that is the same for every input."""
    origin.reject(
        "E0515", f"the output `{printable(target.name)}` of {origin.file} does not depend on the input"
    )


def _listed(ports: tuple[Port, ...]) -> str:
    return ", ".join(str(port) for port in ports)
