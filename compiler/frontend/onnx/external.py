"""Weights that lie in files of their own, beside the model."""

from collections.abc import Iterator
from pathlib import Path

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto

from ensc.compiler.frontend.onnx.origin import Origin
from ensc.compiler.quoting import shown


def read_external(model: ModelProto, path: Path, origin: Origin, allowed: int) -> None:
    """Put external data in its place, from files inside the model's folder only.

    Args:
        model: what was read; its tensors are filled in.
        path: where it was read from.
        origin: what messages say about it.
        allowed: how many bytes to read at most.

    Raises:
        Rejected: data is missing, too large, or somewhere else.
    """
    folder = path.resolve().parent
    for tensor in _tensors(model):
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        content = _external(tensor, folder, origin, allowed)
        allowed -= len(content)
        tensor.raw_data = content
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]


def external_files(model: ModelProto) -> tuple[str, ...]:
    """Return the files beside a model that hold its weights, as the model names them, each once."""
    external = (t for t in _tensors(model) if t.data_location == TensorProto.EXTERNAL)
    return tuple(dict.fromkeys(_entries(tensor).get("location", "") for tensor in external))


def _entries(tensor: TensorProto) -> dict[str, str]:
    """Return where the data of a tensor lies; of a key that is given twice, the last counts."""
    return {entry.key: entry.value for entry in tensor.external_data}


def _external(tensor: TensorProto, folder: Path, origin: Origin, allowed: int) -> bytes:
    entries = _entries(tensor)
    what = f"the external data of tensor `{shown(tensor.name)}` of {origin.file}"
    location = entries.get("location", "")
    try:
        file = (folder / location).resolve()
        if not location or not file.is_relative_to(folder):
            origin.reject(
                "E0505",
                f"{what} lies outside the model's folder: `{shown(location)}`",
                "copy the data file into the folder of the model and correct the model's reference",
            )
        if not file.is_file():
            origin.reject("E0505", f"{what} is missing: there is no file `{shown(location)}`")
        start = int(entries.get("offset", "0"))
        length = int(entries.get("length", str(file.stat().st_size - start)))
        if start < 0 or not 0 <= length <= allowed:
            origin.reject("E0504", f"{what} takes {length} bytes, more than are allowed")
        with file.open("rb") as stream:
            stream.seek(start)
            content: bytes = stream.read(length)
    except (OSError, ValueError, OverflowError) as error:
        origin.reject("E0505", f"{what} cannot be read: {error}")
    if len(content) < length:
        origin.reject("E0505", f"{what} is truncated: {len(content)} bytes of {length}")
    return content


def _tensors(model: ModelProto) -> Iterator[TensorProto]:
    """Yield every tensor of a model, those in attributes and subgraphs too."""
    yield from _tensors_of_graph(model.graph)
    for function in model.functions:
        for node in function.node:
            yield from _tensors_of_node(node)


def _tensors_of_graph(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        yield from _tensors_of_node(node)


def _tensors_of_node(node: NodeProto) -> Iterator[TensorProto]:
    for attribute in node.attribute:
        if attribute.type == AttributeProto.TENSOR:
            yield attribute.t
        yield from attribute.tensors
    for graph in subgraphs(node):
        yield from _tensors_of_graph(graph)


def subgraphs(node: NodeProto) -> Iterator[GraphProto]:
    """Yield the graphs in a node's attributes."""
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs
