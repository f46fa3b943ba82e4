"""The file's graph as immutable records: what the operators' functions see of ONNX."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

from ensc.compiler.frontend.onnx.origin import ENTRIES, Array, Origin
from ensc.compiler.quoting import shown

Attribute: TypeAlias = (
    "int | float | str | tuple[int, ...] | tuple[float, ...] | tuple[str, ...] | TensorProto | Body | None"
)


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One application of an operator.

    Attributes:
        operator: e.g. `Gemm`.
        domain: empty for the standard's own operators.
        version: of that domain's operator set, as the file imports it.
        name: the node's name, empty if it has none.
        inputs: names of values; empty where an optional input is left out.
        outputs: likewise.
        attributes: by name; None for a kind of attribute that no operator read here has.
        origin: the file.
    """

    operator: str
    domain: str
    version: int
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]
    origin: Origin

    @property
    def title(self) -> str:
        """The operator, with its domain if that is not the standard's."""
        return shown(f"{self.domain}.{self.operator}" if self.domain else self.operator)

    @property
    def label(self) -> str:
        """What the layers made from this node are called."""
        return self.name or next(filter(None, self.outputs), "")

    @property
    def reads(self) -> frozenset[str]:
        """The names that the node depends on: its inputs, and what graphs inside it take from outside."""
        bodies = [value.reads for value in self.attributes.values() if isinstance(value, Body)]
        return frozenset(self.inputs).union(*bodies)

    @property
    def where(self) -> str:
        """The node and the file, for messages."""
        named = "node" if self.name else "the node that makes"
        return f"{named} `{shown(self.label)}` in {self.origin.file}"

    def reject(self, code: str, message: str, hint: str | None = None) -> NoReturn:
        """Raise `Rejected`, naming operator, node and file."""
        self.origin.reject(code, f"`{self.title}` at {self.where}: {message}", hint)

    def refuse(self, message: str, hint: str | None = None) -> NoReturn:
        """Reject a use of the operator that is not piecewise linear, or that ensc does not read."""
        self.reject("E0508", message, hint)

    def invalid(self, message: str) -> NoReturn:
        """Reject a node that means nothing."""
        self.reject("E0506", message)

    def bounded(self, *shape: int) -> tuple[int, ...]:
        """Return the shape if an array of it may be made, and reject the node otherwise."""
        if any(n < 0 for n in shape):
            self.invalid(f"the shape {list(shape)} has a negative dimension")
        if math.prod(shape) > ENTRIES:
            self.origin.too_large(f"an array of `{self.title}` at {self.where}", shape)
        return shape

    def integer(self, name: str, default: int) -> int:
        """Return an integer attribute."""
        value = self.attributes.get(name, default)
        return value if isinstance(value, int) else self._mistyped(name)

    def real(self, name: str, default: float) -> float:
        """Return a real attribute."""
        value = self.attributes.get(name, default)
        return float(value) if isinstance(value, int | float) else self._mistyped(name)

    def text(self, name: str, default: str) -> str:
        """Return a string attribute."""
        value = self.attributes.get(name, default)
        return value if isinstance(value, str) else self._mistyped(name)

    def integers(self, name: str, default: tuple[int, ...] | None = None) -> tuple[int, ...] | None:
        """Return an attribute that is a list of integers, or the default."""
        if name not in self.attributes:
            return default
        value = self.attributes[name]
        if not isinstance(value, tuple):
            self._mistyped(name)
        return tuple(v if isinstance(v, int) else self._mistyped(name) for v in value)

    def reals(self, name: str) -> tuple[float, ...] | None:
        """Return an attribute that is a list of reals; None if it is not there."""
        value = self.attributes.get(name)
        if value is None:
            return None
        if not isinstance(value, tuple):
            self._mistyped(name)
        return tuple(float(v) if isinstance(v, int | float) else self._mistyped(name) for v in value)

    def tensor(self, name: str) -> Array | None:
        """Return a tensor attribute, decoded; None if it is not there."""
        value = self.attributes.get(name)
        if value is None:
            return None
        if not isinstance(value, TensorProto):
            self._mistyped(name)
        return self.origin.decode(value, f"the attribute `{name}` of `{self.title}` at {self.where}")

    def _mistyped(self, name: str) -> NoReturn:
        self.invalid(f"the attribute `{name}` has the wrong type")


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """A graph inside a node, as If has for each branch.

    Attributes:
        nodes: in topological order.
        initializers: its own weights, by name, still encoded.
        outputs: names of its results.
    """

    nodes: tuple[Node, ...]
    initializers: Mapping[str, TensorProto]
    outputs: tuple[str, ...]

    @property
    def reads(self) -> frozenset[str]:
        """The names that it takes from the graph around it."""
        made = {name for node in self.nodes for name in node.outputs} | set(self.initializers)
        read = {name for node in self.nodes for name in node.reads} | set(self.outputs)
        return frozenset(read - made - {""})


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of the graph.

    Attributes:
        name: the value's name.
        kind: the element type as ONNX writes it, e.g. `float`; for no tensor, what it is instead.
        shape: None for a dimension that the file leaves open; None altogether if it gives no shape.
    """

    name: str
    kind: str
    shape: tuple[int | None, ...] | None

    @property
    def is_real(self) -> bool:
        """Whether its entries are real numbers."""
        return self.kind in {"float", "double", "float16", "bfloat16"}

    def __str__(self) -> str:
        if self.shape is None:
            return f"`{shown(self.name)}` ({self.kind} of no declared shape)"
        dimensions = "x".join("?" if n is None else str(n) for n in self.shape)
        return f"`{shown(self.name)}` ({self.kind} {dimensions or 'scalar'})"


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A whole file.

    Attributes:
        origin: the file.
        ir_version: of the format.
        versions: of each operator set that the file imports, by domain.
        inputs: what the graph reads, initializers not among them.
        outputs: what it computes.
        initializers: its weights, by name, still encoded.
        nodes: in topological order.
    """

    origin: Origin
    ir_version: int
    versions: Mapping[str, int]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    initializers: Mapping[str, TensorProto]
    nodes: tuple[Node, ...]


def graph_of(model: ModelProto, origin: Origin) -> Graph:
    """Return the records of a model."""
    versions = {domain_of(entry.domain): entry.version for entry in model.opset_import}
    initializers = {tensor.name: tensor for tensor in model.graph.initializer}
    return Graph(
        origin,
        model.ir_version,
        versions,
        tuple(port_of(value) for value in model.graph.input if value.name not in initializers),
        tuple(port_of(value) for value in model.graph.output),
        initializers,
        nodes_of(model.graph, versions, origin),
    )


def nodes_of(graph: GraphProto, versions: Mapping[str, int], origin: Origin) -> tuple[Node, ...]:
    """Return the records of a graph's nodes, in the file's order."""
    return tuple(_node(node, versions, origin) for node in graph.node)


def port_of(value: ValueInfoProto) -> Port:
    """Return the record of a declared value."""
    kind = value.type.WhichOneof("value") or "untyped value"
    if kind != "tensor_type":
        return Port(value.name, kind.removesuffix("_type"), None)
    tensor = value.type.tensor_type
    known = tensor.elem_type in TensorProto.DataType.values()
    element = TensorProto.DataType.Name(tensor.elem_type).lower() if known else "an unknown type"
    if not tensor.HasField("shape"):
        return Port(value.name, element, None)
    # Some exporters write 0 or -1 for a dimension that is open.
    shape = tuple(d.dim_value if d.dim_value > 0 else None for d in tensor.shape.dim)
    return Port(value.name, element, shape)


def domain_of(name: str) -> str:
    """Return an operator domain; the standard's own is the empty one."""
    return "" if name == "ai.onnx" else name


def _node(node: NodeProto, versions: Mapping[str, int], origin: Origin) -> Node:
    domain = domain_of(node.domain)
    return Node(
        node.op_type,
        domain,
        versions.get(domain, 0),
        node.name,
        tuple(node.input),
        tuple(node.output),
        {attribute.name: _value(attribute, versions, origin) for attribute in node.attribute},
        origin,
    )


def _value(attribute: AttributeProto, versions: Mapping[str, int], origin: Origin) -> Attribute:
    kinds = AttributeProto
    match attribute.type:
        case kinds.FLOAT:
            return attribute.f
        case kinds.INT:
            return attribute.i
        case kinds.STRING:
            return attribute.s.decode("utf-8", "replace")
        case kinds.TENSOR:
            return attribute.t
        case kinds.GRAPH:
            return _body(attribute.g, versions, origin)
        case kinds.FLOATS:
            return tuple(attribute.floats)
        case kinds.INTS:
            return tuple(attribute.ints)
        case kinds.STRINGS:
            words = {
                s: s.decode("utf-8", "replace") for s in set(attribute.strings)
            }  # of trees, two or three
            return tuple(words[s] for s in attribute.strings)
        case _:
            return None


def _body(graph: GraphProto, versions: Mapping[str, int], origin: Origin) -> Body:
    return Body(
        nodes_of(graph, versions, origin),
        {tensor.name: tensor for tensor in graph.initializer},
        tuple(value.name for value in graph.output),
    )
