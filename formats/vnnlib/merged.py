"""Members of an ensemble -> one ONNX model whose outputs say whether a perturbation fools them all.

`Y_0` is the least of the members' margins: for an untargeted loss `min over members of max over rivals k of
f_k - f_y - margin`, for a targeted loss `min over members and rivals of f_t - f_k - margin`. `Y_1`, for the
L1 norm, is `sum_i relu(x_i - x0_i) + relu(x0_i - x_i)`. A counterexample is `Y_0 >= 0` (and `Y_1 <= radius`):
no disjunction, for any number of members, in a file that every verifier of single networks reads.

Minima and maxima are written with Gemm and Relu, `max(a, b) = relu(a - b) + relu(b) - relu(-b)`, because many
verifiers read no Min and Max between values; members are joined by Add. The members' own nodes stay as
they are in their files, without a Softmax at their end.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn, assert_never

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, NodeProto, TensorProto, compose, helper, inliner, numpy_helper, version_converter

from ensc.compiler.diagnostics import Rejected, reject
from ensc.compiler.files import sha256_of
from ensc.compiler.frontend.onnx.load import NETWORK_FILE, weights_of
from ensc.compiler.frontend.onnx.read import read_network
from ensc.compiler.passes.networks.evaluate import evaluate
from ensc.compiler.quoting import shown
from ensc.compiler.types.network import Floats, Trees
from ensc.compiler.types.problem import EnsembleProblem, Member, Norm, Targeted, Untargeted

INPUT, OUTPUT = "X", "Y"
_CLOSERS = frozenset(("Softmax", "LogSoftmax", "Sigmoid", "Identity", "Dropout"))
_OLDEST, _CONVERTED = 11, 13
"""Operator sets: the first whose Gemm needs no constant, and what older or mixed files are converted to."""

_IR = 8
"""Of the model that is written: old enough for runtimes of recent years."""


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """A merged model, and what of the query it holds only up to rounding.

    Attributes:
        model: with input `X` and output `Y`.
        radius: that `Y_1` must not exceed, None if there is no second output; larger than the query's by the
            distance between the point and its nearest numbers in the model's precision.
        notes: what was rounded, in words.
    """

    model: ModelProto
    radius: Fraction | None
    notes: tuple[str, ...]


def merge(problem: EnsembleProblem, point: int, members: Sequence[int]) -> Merged:
    """Return the merged model for one point of a query.

    Args:
        problem: the query; its members' files are read again.
        point: which point, 0-based.
        members: which members, 0-based, at least one.

    Raises:
        Rejected: E1053 if the files cannot be merged, E1054 for the L0 norm.
    """
    if problem.threat.norm is Norm.L0:
        reject(
            "E1054",
            "the L0 norm is no output of a continuous network",
            help="use the model formats: MPS, LP or SMT-LIB",
        )
    parts, opset = _of_one_version(problem, members, [prepared(problem.ensemble[c]) for c in members])
    _require_alike(problem, members, parts)
    graph = _Graph(parts[0].dtype)
    shape = (1, *problem.ensemble[members[0]].network.input_shape)
    logits = [
        _add_member(graph, f"f{c + 1}_", part, shape, problem.classes)
        for c, part in zip(members, parts, strict=True)
    ]
    label = int(problem.points.labels[point])
    with_norm = problem.threat.norm is Norm.L1
    margin = _add_margin(graph, problem, label, logits, outputs=1 + with_norm)
    radius = None
    if with_norm:
        norm, drift = _add_norm(graph, problem, point, shape)
        radius = problem.threat.radius + drift
        graph.node("Add", [margin, norm], OUTPUT)
    return Merged(graph.model(shape, 1 + with_norm, opset), radius, tuple(graph.notes))


# members ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A member's file, made ready to be copied into another graph.

    Attributes:
        model: with functions expanded.
        input: name of its input.
        output: name of the value that holds the logits.
        shape: of its input, with a batch of 1 where it has a batch.
        dtype: element type of its input.
        opset: version of the standard operators.
    """

    model: ModelProto
    input: str
    output: str
    shape: tuple[int, ...]
    dtype: int
    opset: int


def prepared(member: Member) -> Part:
    """Read a member's file again.

    Raises:
        Rejected: E1053 if it has changed, or its input or output is not to be told, E0562 if it has trees.
    """
    if any(isinstance(layer, Trees) for layer in member.network.layers):
        reject(
            "E0562",
            f"member `{member.name}` has decision trees, and VNN-LIB is about networks without jumps",
            notes=("its verifiers do not read tree ensembles",),
            help="use the model formats: MPS, LP or SMT-LIB",
        )
    path = Path(member.path)
    if sha256_of(path, NETWORK_FILE, None) != member.sha256 or weights_of(path, None) != member.weights:
        _refuse(member, "its file has changed since the query was read")
    model = inliner.inline_local_functions(onnx.load(path))
    known = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in known]
    source, output = _interface(member, [v.name for v in inputs], [v.name for v in model.graph.output])
    port = next(value for value in inputs if value.name == source)
    tensor = port.type.tensor_type
    shape = tuple(d.dim_value if d.HasField("dim_value") else 1 for d in tensor.shape.dim)
    opsets = [entry.version for entry in model.opset_import if entry.domain in {"", "ai.onnx"}]
    return Part(
        model, source, _before_closers(model, output), shape, tensor.elem_type, max(opsets, default=1)
    )


def _interface(member: Member, inputs: list[str], outputs: list[str]) -> tuple[str, str]:
    """Return the input and output that the member's network was read from."""
    if len(inputs) == len(outputs) == 1:
        return inputs[0], outputs[0]
    x = np.linspace(-1, 1, member.network.inputs)
    wanted = evaluate(member.network, x)
    for source in inputs:
        for output in outputs:
            try:
                network = read_network(Path(member.path), name=member.name, input=source, output=output)
            except Rejected:
                continue
            if network.inputs == member.network.inputs and np.array_equal(evaluate(network, x), wanted):
                return source, output
    _refuse(member, "its input and output cannot be told from the others")


def _before_closers(model: ModelProto, output: str) -> str:
    """Return the value before operators that keep the order of the logits."""
    makers = {name: node for node in model.graph.node for name in node.output}
    while output in makers and makers[output].op_type in _CLOSERS:
        output = makers[output].input[0]
    return output


def _of_one_version(
    problem: EnsembleProblem, members: Sequence[int], parts: Sequence[Part]
) -> tuple[list[Part], int]:
    """Bring the files to one version of the standard operators, one that the head can be written in."""
    versions = {part.opset for part in parts}
    if len(versions) == 1 and versions >= {max(_OLDEST, *versions)}:
        return list(parts), max(versions)
    newest = max(_CONVERTED, *versions)
    converted = []
    for c, part in zip(members, parts, strict=True):
        try:
            model = version_converter.convert_version(part.model, newest)
        except RuntimeError as error:
            _refuse(
                problem.ensemble[c], f"operator set {part.opset} does not convert: {shown(str(error), 200)}"
            )
        converted.append(dataclasses.replace(part, model=model, opset=newest))
    return converted, newest


def _require_alike(problem: EnsembleProblem, members: Sequence[int], parts: Sequence[Part]) -> None:
    for c, part in zip(members, parts, strict=True):
        member = problem.ensemble[c]
        if part.dtype != parts[0].dtype:
            _refuse(member, "its precision is not that of the others")
        if any(entry.domain not in {"", "ai.onnx"} for entry in part.model.opset_import):
            used = {node.domain for node in part.model.graph.node} - {"", "ai.onnx"}
            if used:
                _refuse(member, f"it uses operators of the domain `{shown(min(used))}`")


def _refuse(member: Member, why: str) -> NoReturn:
    reject(
        "E1053",
        f"member `{member.name}` cannot be merged with others: {why}",
        help="write version 2.0, which keeps one file for each network",
    )


# the graph -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Graph:
    """The graph as far as it is made.

    Attributes:
        dtype: element type of everything real.
        nodes: in topological order.
        tensors: the constants.
        notes: what was rounded.
    """

    dtype: int
    nodes: list[NodeProto] = field(default_factory=list)
    tensors: list[TensorProto] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def precision(self) -> np.dtype[np.generic]:
        return helper.tensor_dtype_to_np_dtype(self.dtype)

    def constant(self, values: npt.ArrayLike, name: str) -> str:
        array = np.asarray(values)
        real = array if array.dtype.kind == "i" else array.astype(self.precision)
        self.tensors.append(numpy_helper.from_array(real, name))
        return name

    def node(self, operator: str, inputs: list[str], output: str) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output))
        return output

    def gemm(self, source: str, weight: Floats, bias: Floats | None, output: str) -> str:
        inputs = [source, self.constant(weight, f"{output}_w")]
        if bias is not None and bias.any():
            inputs.append(self.constant(bias, f"{output}_b"))
        self.nodes.append(helper.make_node("Gemm", inputs, [output], name=output, transB=1))
        return output

    def model(self, shape: tuple[int, ...], outputs: int, opset: int) -> ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "merged",
            [helper.make_tensor_value_info(INPUT, self.dtype, shape)],
            [helper.make_tensor_value_info(OUTPUT, self.dtype, (1, outputs))],
            self.tensors,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=_IR)
        model.producer_name, model.producer_version = "ensc", version("ensc-compiler")
        onnx.checker.check_model(model)
        return model


def _add_member(graph: _Graph, prefix: str, part: Part, shape: tuple[int, ...], classes: int) -> str:
    """Copy a member's nodes; return its logits as a row. Only names of members start with the prefix."""
    renamed = compose.add_prefix(part.model, prefix)
    source = INPUT
    if part.shape != shape:
        wanted = graph.constant(np.array(part.shape, dtype=np.int64), f"shape_{prefix}")
        source = graph.node("Reshape", [INPUT, wanted], f"input_{prefix}")
    for node in renamed.graph.node:
        node.input[:] = [source if name == prefix + part.input else name for name in node.input]
    kept = _needed(renamed, prefix + part.output)
    graph.nodes.extend(kept)
    used = {name for node in kept for name in node.input}
    graph.tensors.extend(tensor for tensor in renamed.graph.initializer if tensor.name in used)
    if kept and kept[-1].op_type == "Gemm":  # a row already
        return prefix + part.output
    row = graph.constant(np.array([1, classes], dtype=np.int64), f"row_{prefix}")
    return graph.node("Reshape", [prefix + part.output, row], f"logits_{prefix}")


def _needed(model: ModelProto, output: str) -> list[NodeProto]:
    """Return the nodes that a value depends on, in their order."""
    wanted, kept = {output}, []
    for node in reversed(model.graph.node):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(node.input)
    return kept[::-1]


# the head --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Linear:
    """The row `weight source + bias`, not yet in the graph."""

    source: str
    weight: Floats
    bias: Floats


def _add_margin(
    graph: _Graph, problem: EnsembleProblem, label: int, logits: Sequence[str], *, outputs: int
) -> str:
    """Add everything from the logits to the least margin; return a row whose first entry it is."""
    loss, classes = problem.loss, problem.classes
    margin = _rounded_margin(graph, loss.margin)
    match loss:
        case Untargeted():
            against = np.delete(np.eye(classes), label, axis=0)
            against[:, label] = -1.0
            rows = [_Linear(name, against, np.full(classes - 1, -margin)) for name in logits]
            parts = [
                _extreme(graph, f"margin{place}_", row, largest=True)
                for place, row in enumerate(rows, start=1)
            ]
        case Targeted(target):
            against = np.delete(-np.eye(classes), target, axis=0)
            against[:, target] = 1.0
            parts = [_Linear(name, against, np.full(classes - 1, -margin)) for name in logits]
        case _:
            assert_never(loss)
    whole = parts[0] if len(parts) == 1 else _joined(graph, parts)
    least = _extreme(graph, "least_", whole, largest=False)
    place = np.eye(outputs)[:, :1]
    name = OUTPUT if outputs == 1 else "least_margin"
    return graph.gemm(least.source, place @ least.weight, (place @ least.bias[:, None])[:, 0], name)


def _rounded_margin(graph: _Graph, margin: Fraction) -> float:
    """Return the margin in the model's precision, rounded down: no counterexample is lost."""
    near = graph.precision.type(float(margin))
    if Fraction(float(near)) > margin:
        near = np.nextafter(near, graph.precision.type(-np.inf))
    if Fraction(float(near)) != margin:
        graph.notes.append(f"the margin {margin} is rounded down to {float(near)!r}")
    return float(near)


def _joined(graph: _Graph, parts: Sequence[_Linear]) -> _Linear:
    """Put several rows behind each other: each is placed by its Gemm, and Add joins them."""
    sizes = [len(part.bias) for part in parts]
    total, names, start = sum(sizes), [], 0
    for number, (part, size) in enumerate(zip(parts, sizes, strict=True), start=1):
        place = np.zeros((total, size))
        place[start : start + size] = np.eye(size)
        names.append(graph.gemm(part.source, place @ part.weight, place @ part.bias, f"placed{number}"))
        start += size
    joined = names[0]
    for number, name in enumerate(names[1:], start=1):
        joined = graph.node("Add", [joined, name], f"joined{number}")
    return _Linear(joined, np.eye(total), np.zeros(total))


def _extreme(graph: _Graph, prefix: str, row: _Linear, *, largest: bool) -> _Linear:
    """Add `max` or `min` of the entries of a row, halving it step by step."""
    step = 0
    while len(row.bias) > 1:
        step += 1
        before, after = _halving(len(row.bias), largest=largest)
        name = f"{prefix}{step}"
        graph.gemm(row.source, before @ row.weight, before @ row.bias, f"{name}_a")
        graph.node("Relu", [f"{name}_a"], f"{name}_h")
        row = _Linear(f"{name}_h", after, np.zeros(len(after)))
    return row


def _halving(width: int, *, largest: bool) -> tuple[Floats, Floats]:
    """Return A, B with `(B relu(A v))_i = max(v_2i, v_2i+1)`, or the minimum, or a last entry left over."""
    pairs, left = divmod(width, 2)
    size, every = pairs + left, np.eye(width)
    first, second = every[0 : 2 * pairs : 2], every[1 : 2 * pairs : 2]
    kept = np.concatenate([second, every[2 * pairs :]])
    excess = first - second if largest else second - first
    before = np.concatenate([excess, kept, -kept])
    gain = np.eye(size)[:, :pairs] * (1.0 if largest else -1.0)
    after = np.concatenate([gain, np.eye(size), -np.eye(size)], axis=1)
    return before, after


def _add_norm(
    graph: _Graph, problem: EnsembleProblem, point: int, shape: tuple[int, ...]
) -> tuple[str, Fraction]:
    """Add the L1 norm of the perturbation as the second entry of a row; return it and its largest error."""
    exact = problem.points.exact(point)
    x0 = graph.constant(problem.points.nearest[point][None], "x0")
    stored = numpy_helper.to_array(graph.tensors[-1])[0].astype(np.float64).tolist()
    drift = sum((abs(v - Fraction(s)) for v, s in zip(exact, stored, strict=True)), Fraction(0))
    if drift:
        graph.notes.append(
            f"the point is rounded to the model's precision, by {float(drift):.3g} in the L1 norm"
        )
    x = INPUT
    if shape != (1, problem.inputs):
        row = graph.constant(np.array([1, problem.inputs], dtype=np.int64), "row")
        x = graph.node("Reshape", [INPUT, row], "x")
    graph.node("Relu", [graph.node("Sub", [x, x0], "above")], "above_h")
    graph.node("Relu", [graph.node("Sub", [x0, x], "below")], "below_h")
    graph.node("Add", ["above_h", "below_h"], "distance")
    weight = np.zeros((2, problem.inputs))
    weight[1] = 1.0
    return graph.gemm("distance", weight, None, "norm"), drift
