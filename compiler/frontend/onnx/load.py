"""From a path to a checked ONNX model: everything about the file that does not depend on operators."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # has no types
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, inliner

from ensc.compiler.files import FileKind, read_file
from ensc.compiler.frontend.onnx.graph import Graph, Node, Origin, domain_of, graph_of
from ensc.compiler.quoting import shown

_Answer = TypeVar("_Answer")

BYTES = 1 << 30  # of one model with its external data
NETWORK_FILE = FileKind("network", "E0501", "E0501", "E0504", BYTES)
_OLDEST = 7  # operator set; before it, broadcasting and pooling were defined differently
_CALLS = 1 << 16  # nodes after functions have been expanded


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A model file that the ONNX checker accepts.

    Attributes:
        graph: its records.
        model: as the onnx library holds it, functions expanded.
        sha256: of the file, in hexadecimal.
    """

    graph: Graph
    model: ModelProto
    sha256: str


def load(path: Path, origin: Origin) -> Loaded:
    """Read a model file and let the onnx library check it.

    Args:
        path: the file.
        origin: what messages say about it.

    Raises:
        Rejected: the file cannot be read, or is no valid model.
    """
    content = read_file(path, NETWORK_FILE, origin.place)
    model = _parsed(content, origin)
    try:
        _check_versions(model, origin)
        _check_functions(model, origin)
        _read_external(model, path, origin, BYTES - len(content))
        model = _checked(model, origin)
        graph = graph_of(model, origin)
    except UnicodeDecodeError:
        origin.reject("E0503", f"{origin.file} is corrupt: a name in it is no UTF-8 text")
    return Loaded(graph, model, hashlib.sha256(content).hexdigest())


def check_shapes(loaded: Loaded, nodes: Sequence[Node]) -> None:
    """Let the onnx library infer the types and shapes of some nodes, strictly.

    The library trusts attributes: out of range, they make it crash. So the nodes must have been read
    without objection before.

    Raises:
        Rejected: types or shapes contradict each other or what the file declares.
    """
    names = {name for node in nodes for name in node.outputs}
    model = ModelProto()
    model.CopyFrom(loaded.model)
    kept = [node for node in model.graph.node if names.intersection(node.output)]
    outputs = [value for value in model.graph.output if value.name in names]
    del model.graph.node[:], model.graph.output[:]
    model.graph.node.extend(kept)
    model.graph.output.extend(outputs)
    _asked(
        lambda: onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True),
        loaded.graph.origin,
        "its types and shapes do not fit together",
    )


def _parsed(content: bytes, origin: Origin) -> ModelProto:
    if content.startswith(b"version https://git-lfs"):
        origin.reject("E0503", f"{origin.file} is a Git LFS pointer, not the model", "run `git lfs pull`")
    if not content:
        origin.reject("E0503", f"{origin.file} is empty")
    try:
        model: ModelProto = ModelProto.FromString(content)
    except DecodeError:
        origin.reject("E0503", f"{origin.file} is no ONNX model, or is truncated or corrupt")
    if not model.ir_version or not model.HasField("graph"):
        origin.reject("E0503", f"{origin.file} is no ONNX model: it holds no graph")
    return model


def _check_versions(model: ModelProto, origin: Origin) -> None:
    versions = {domain_of(entry.domain): entry.version for entry in model.opset_import}
    standard, newest = versions.get("", _OLDEST), onnx.defs.onnx_opset_version()
    if not _OLDEST <= standard <= newest:
        origin.reject(
            "E0516",
            f"{origin.file} uses operator set {standard}; ensc reads {_OLDEST} to {newest}",
            "convert it with `onnx.version_converter.convert_version`"
            if standard < _OLDEST
            else "update the `onnx` package, or export for an older operator set",
        )


def _check_functions(model: ModelProto, origin: Origin) -> None:
    """Refuse functions that call themselves, or that expand into more nodes than memory holds."""
    bodies = {(f.domain, f.name): f.node for f in model.functions}
    open_calls: set[tuple[str, str]] = set()

    @cache
    def expanded(key: tuple[str, str]) -> int:
        if key in open_calls:
            origin.reject("E0506", f"in {origin.file} the function `{shown(key[1])}` calls itself")
        open_calls.add(key)
        total = sum(size(node) for node in bodies[key])
        open_calls.remove(key)
        return total

    def size(node: NodeProto) -> int:
        key = (node.domain, node.op_type)
        own = expanded(key) if key in bodies else 1
        return own + sum(size(inner) for graph in _subgraphs(node) for inner in graph.node)

    try:
        total = sum(size(node) for node in model.graph.node)
    except RecursionError:
        total = _CALLS + 1
    if total > _CALLS:
        origin.reject("E0504", f"{origin.file} has more than {_CALLS} nodes")


def _read_external(model: ModelProto, path: Path, origin: Origin, allowed: int) -> None:
    """Put external data in its place, from files inside the model's folder only."""
    folder = path.resolve().parent
    for tensor in _tensors(model):
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        content = _external(tensor, folder, origin, allowed)
        allowed -= len(content)
        tensor.raw_data = content
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]


def _external(tensor: TensorProto, folder: Path, origin: Origin, allowed: int) -> bytes:
    entries = {entry.key: entry.value for entry in tensor.external_data}
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
    for graph in _subgraphs(node):
        yield from _tensors_of_graph(graph)


def _subgraphs(node: NodeProto) -> Iterator[GraphProto]:
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs


def _checked(model: ModelProto, origin: Origin) -> ModelProto:
    if model.graph.sparse_initializer:
        origin.reject(
            "E0508", f"{origin.file} has sparse weights, which ensc does not read", "export dense weights"
        )
    _asked(lambda: onnx.checker.check_model(model), origin, "it breaks the rules of ONNX")
    if not model.functions:
        return model
    return _asked(lambda: inliner.inline_local_functions(model), origin, "its functions cannot be expanded")


def _asked(ask: Callable[[], _Answer], origin: Origin, complaint: str) -> _Answer:
    """Return the onnx library's answer; what it objects to in a model is a diagnostic."""
    try:
        return ask()
    except (
        onnx.checker.ValidationError,
        onnx.shape_inference.InferenceError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        words = shown(" ".join(str(error).split()), 300)
        origin.reject(
            "E0506", f"{origin.file} is no valid model: {complaint}", notes=(f"onnx says: {words}",)
        )
