"""What the names of a graph stand for while it is read."""

from collections.abc import Mapping
from math import prod

from onnx import TensorProto

from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.origin import Origin
from ensc.compiler.frontend.onnx.tensor import Constant, Inputs, Tensor
from ensc.compiler.quoting import shown

_HELD = 1 << 27  # entries of all constants together: 1 GiB
_READ = 1 << 31  # entries that nodes read one after the other, which is time


class Scope:
    """The meaning of names so far; initializers are decoded when they are asked for."""

    def __init__(self, origin: Origin, initializers: Mapping[str, TensorProto]) -> None:
        self._origin = origin
        self._initializers = initializers
        self._tensors: dict[str, Tensor] = {}
        self._unread: dict[str, Node] = {}
        self._held = 0
        self._read = 0

    def inside(self, initializers: Mapping[str, TensorProto]) -> "Scope":
        """Return the scope of a graph inside a node, which sees the names around it."""
        inner = Scope(self._origin, {**self._initializers, **initializers})
        inner._tensors = {k: v for k, v in self._tensors.items() if k not in initializers}
        inner._unread = dict(self._unread)
        inner._held, inner._read = self._held, self._read
        return inner

    def set(self, name: str, tensor: Tensor) -> None:
        """Give a name a meaning."""
        self._tensors[name] = tensor
        self._held += prod(tensor.shape) if isinstance(tensor, Constant) else 0
        if self._held > _HELD:
            self._origin.reject("E0504", f"{self._origin.file} has more than {_HELD} constant numbers")

    def bind(self, node: Node, results: Tensor | tuple[Tensor | None, ...]) -> None:
        """Give a node's output names their meaning; None for an output that is not computed."""
        tensors = results if isinstance(results, tuple) else (results,)
        for name, tensor in zip(node.outputs, tensors, strict=False):
            if tensor is None:
                self._unread[name] = node
            else:
                self.set(name, tensor)
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
            what = f"the tensor `{shown(name)}` in {self._origin.file}"
            self.set(name, Constant(self._origin.decode(self._initializers[name], what)))
            return self._tensors[name]
        if name in self._unread:
            self._unread[name].refuse(f"its output `{shown(name)}` is used, which ensc does not compute")
        self._origin.reject("E0506", f"nothing in {self._origin.file} makes the value `{shown(name)}`")

    def inputs(self, node: Node) -> Inputs:
        """Return what a node's inputs stand for; None for those left out."""
        tensors = tuple(self.get(name) if name else None for name in node.inputs)
        self._read += sum(prod(tensor.shape) for tensor in tensors if tensor is not None)
        if self._read > _READ:
            node.reject("E0504", f"the nodes up to here read more than {_READ} numbers")
        return tensors
