"""From a path to a checked ONNX model: everything about the file that does not depend on operators."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from pathlib import Path
from typing import TypeVar

import onnx
from google.protobuf.message import DecodeError
from onnx import ModelProto, NodeProto, helper, inliner

from ensc.compiler.diagnostics import Span
from ensc.compiler.files import FileKind, read_file, sha256_of
from ensc.compiler.frontend.onnx.external import external_files, read_external, subgraphs
from ensc.compiler.frontend.onnx.graph import Graph, Node, domain_of, graph_of
from ensc.compiler.frontend.onnx.origin import Origin
from ensc.compiler.quoting import shown

_Answer = TypeVar("_Answer")

BYTES = 1 << 30  # of one model with its external data
NETWORK_FILE = FileKind("network", "E0501", "E0501", "E0504", BYTES)
_WEIGHTS_FILE = FileKind("file of weights", "E0501", "E0501", "E0504", 1 << 40)
"""Models may share one: it may be larger than what one of them reads."""
_OLDEST = 7  # operator set; before it, broadcasting and pooling were defined differently
_SMALL = 64  # entries of a weight of which the numbers are looked at
_CALLS = 1 << 16  # nodes after functions have been expanded
_LISTED = 1 << 23  # entries of all lists among attributes, which as trees take a hundred bytes each


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
        read_external(model, path, origin, BYTES - len(content))
        model = _checked(model, origin)
        _check_lists(model, origin)
        graph = graph_of(model, origin)
    except UnicodeDecodeError:
        origin.reject("E0503", f"{origin.file} is corrupt: a name in it is no UTF-8 text")
    return Loaded(graph, model, hashlib.sha256(content).hexdigest())


def weights_of(path: Path, place: Span | None) -> tuple[tuple[str, str], ...]:
    """Return name and SHA-256 of every file beside a model that holds weights of it.

    Args:
        path: a model that `load` has accepted, so that all its files lie in its folder.
        place: where the query names it.

    Raises:
        Rejected: E0501 or E0504 if a file cannot be read.
    """
    try:
        model = ModelProto.FromString(read_file(path, NETWORK_FILE, place))
    except DecodeError:  # whoever reads the model says so
        return ()
    folder = path.resolve().parent
    return tuple((name, sha256_of(folder / name, _WEIGHTS_FILE, place)) for name in external_files(model))


def check_shapes(loaded: Loaded, nodes: Sequence[Node]) -> None:
    """Let the onnx library infer the types and shapes of some nodes, strictly.

    The library trusts attributes: out of range, they make it crash. So the nodes must have been read
    without objection before.

    Raises:
        Rejected: types or shapes contradict each other or what the file declares.
    """
    names = {name for node in nodes for name in node.outputs}
    whole = loaded.model.graph
    model = ModelProto(ir_version=loaded.model.ir_version, opset_import=loaded.model.opset_import)
    graph = model.graph
    graph.name = "network"
    graph.input.extend(whole.input)
    graph.value_info.extend(whole.value_info)
    graph.output.extend(value for value in whole.output if value.name in names)
    graph.node.extend(node for node in whole.node if names.intersection(node.output))
    declared = {value.name for value in whole.input}
    for weight in whole.initializer:
        if prod(weight.dims) <= _SMALL:  # may be a shape, whose numbers matter
            graph.initializer.add().CopyFrom(weight)
        elif weight.name not in declared:
            graph.input.append(helper.make_tensor_value_info(weight.name, weight.data_type, weight.dims))
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
        return own + sum(size(inner) for graph in subgraphs(node) for inner in graph.node)

    try:
        total = sum(size(node) for node in model.graph.node)
    except RecursionError:
        total = _CALLS + 1
    if total > _CALLS:
        origin.reject("E0504", f"{origin.file} has more than {_CALLS} nodes")


def _check_lists(model: ModelProto, origin: Origin) -> None:
    """Refuse attributes that hold more numbers and words than memory should, as ensembles of trees may."""
    nodes = list(model.graph.node)
    for node in nodes:  # and those in graphs inside it, which the loop comes to in its turn
        nodes += [inner for graph in subgraphs(node) for inner in graph.node]
    total = sum(len(a.ints) + len(a.floats) + len(a.strings) for node in nodes for a in node.attribute)
    if total > _LISTED:
        origin.reject(
            "E0504",
            f"the attributes of {origin.file} hold {total} numbers and words; at most {_LISTED} are read",
            "train fewer or smaller trees",
        )


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
