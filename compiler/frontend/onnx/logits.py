"""Logistic functions at the end of a classifier, undone: of `p = 1 / (1 + exp(-z))` the scores z are read.

Scikit-learn's classifiers of one class against the rest compute a probability for each class by the logistic
function, and join them. It rises strictly and is the same for every class, so that the z have the order of
the p. What stands between the functions and the end only moves entries; `1 - p` becomes `-z`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from onnx import TensorProto

from ensc.compiler.frontend.onnx.graph import Attribute, Node

_MOVES = frozenset(
    (
        "Cast",
        "Concat",
        "Flatten",
        "Gather",
        "Identity",
        "Reshape",
        "Slice",
        "Squeeze",
        "Transpose",
        "Unsqueeze",
        "ai.onnx.ml.ArrayFeatureExtractor",
    )
)
_CLASSIFIERS = {
    "ai.onnx.ml.LinearClassifier": "intercepts",
    "ai.onnx.ml.TreeEnsembleClassifier": "class_ids",
}
_FLOAT, _DOUBLE, _BOOL = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.BOOL
Numbers = Mapping[str, float]
"""Constants of one entry, by name."""


@dataclass(frozen=True, slots=True, eq=False)
class Undone:
    """Scores without their logistic functions.

    Attributes:
        replacements: what stands for a node.
        functions: the nodes that are undone.
        closers: of the replacements those that close the network.
    """

    replacements: Mapping[Node, tuple[Node, ...]]
    functions: tuple[Node, ...]
    closers: tuple[Node, ...]


def undone(makers: Mapping[str, Node], name: str, numbers: Numbers) -> Undone | None:
    """Return the scores under a name without their logistic functions; None if they are none.

    Args:
        makers: the node that makes each value.
        name: of scores that only the order of the classes matters of.
        numbers: the constants of one entry.
    """
    replacements: dict[Node, tuple[Node, ...]] = {}
    functions, closers, reads = [], [], list[str]()
    seen, left = set[Node](), [name]
    while left:
        value = left.pop()
        node = makers.get(value)
        if node is None:
            return None
        if node in seen:
            continue
        seen.add(node)
        if node.title in _MOVES:
            left += node.inputs if node.title == "Concat" else node.inputs[:1]
        elif node.title == "Sub" and _is(numbers, node.inputs[0], 1.0):
            replacements[node] = (_linear(node, "Neg", node.inputs[1]),)
            left.append(node.inputs[1])
        elif (found := _function(makers, node, value, numbers)) is not None:
            replacements[node] = found
            functions.append(node)
            closers += [n for n in found if n.title in _CLASSIFIERS and n.attributes is node.attributes]
            reads += [read for n in found for read in n.reads]
        else:
            return None
    # What a function reads must not be read without the functions itself.
    made = {output for n in found_nodes(replacements) for output in n.outputs}
    if seen & _before(makers, (read for read in reads if read not in made)):
        return None
    return Undone(replacements, tuple(functions), tuple(closers))


def found_nodes(replacements: Mapping[Node, tuple[Node, ...]]) -> Iterable[Node]:
    """Return all nodes that replace others."""
    return (node for nodes in replacements.values() for node in nodes)


def _function(
    makers: Mapping[str, Node], node: Node, value: str, numbers: Numbers
) -> tuple[Node, ...] | None:
    """Return z in place of a node that makes the logistic function of z; None if it makes something else."""
    if node.title == "Sigmoid":
        return (_linear(node, "Identity", node.inputs[0]),)
    if node.title in _CLASSIFIERS and node.outputs[1:] == (value,):
        return _scores(node) if node.text("post_transform", "NONE") == "LOGISTIC" else None
    exponent = _exponent(makers, node, numbers)
    return None if exponent is None else (_linear(node, "Neg", exponent),)


def _exponent(makers: Mapping[str, Node], node: Node, numbers: Numbers) -> str | None:
    """Return t of `1 / (1 + exp(t))`, written with the operators of arithmetic."""
    match node.title, node.inputs:
        case ("Reciprocal", (divisor,)):
            pass
        case ("Div", (one, divisor)) if _is(numbers, one, 1.0):
            pass
        case _:
            return None
    total = makers.get(divisor)
    if total is None or total.title != "Add" or not any(_is(numbers, name, 1.0) for name in total.inputs):
        return None
    power = next((makers[name] for name in total.inputs if name in makers), None)
    return power.inputs[0] if power is not None and power.title == "Exp" else None


def _scores(node: Node) -> tuple[Node, ...]:
    """Return the classifier without LOGISTIC: of one score for two classes, it is read as 0 and z."""
    given = node.attributes.get(_CLASSIFIERS[node.title])
    if not isinstance(given, tuple):
        return (node,)
    one = len(given) == 1 if node.title == "ai.onnx.ml.LinearClassifier" else len(set(given)) == 1
    if not one:
        return (node,)
    inner = f"{node.outputs[1]}: 0 and z"  # a second -z and z, by a matrix
    both: dict[str, Attribute] = {"coefficients": (0.0, -1.0, 0.0, 1.0), "intercepts": (0.0, 0.0)}
    return (
        replace(node, outputs=(node.outputs[0], inner)),
        Node(
            "LinearClassifier",
            "ai.onnx.ml",
            1,
            node.name,
            (inner,),
            ("", node.outputs[1]),
            both,
            node.origin,
        ),
    )


def _linear(node: Node, operator: str, source: str) -> Node:
    return replace(node, operator=operator, domain="", inputs=(source,), attributes={})


def _before(makers: Mapping[str, Node], names: Iterable[str]) -> set[Node]:
    """Return the nodes on which values depend."""
    found, left = set[Node](), list(names)
    while left:
        node = makers.get(left.pop())
        if node is not None and node not in found:
            found.add(node)
            left += node.reads
    return found


def _is(numbers: Numbers, name: str, number: float) -> bool:
    return numbers.get(name) == number


def plain_shares(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """Return the nodes with `p / sum(p)` in place of its form that avoids the division by zero.

    Scikit-learn's exporter adds `n = not(sum(p))`, the number 1 where the sum is 0, to every score, and n
    for every class to the sum. Where no p is negative that changes scores only if all are 0, and leaves all
    of them equal; whoever reads the quotient checks that none is.
    """
    listed = tuple(nodes)
    makers = {name: node for node in listed for name in node.outputs if name}
    return tuple(_plain(makers, node) for node in listed)


def _plain(makers: Mapping[str, Node], node: Node) -> Node:
    if node.title != "Div" or len(node.inputs) != 2:
        return node
    above, below = (makers.get(name) for name in node.inputs)
    if not _adds(above) or not _adds(below):
        return node
    assert above is not None
    assert below is not None
    scores, mask = above.inputs
    total, rest = below.inputs
    summing, scaled = makers.get(total), makers.get(rest)
    fits = (
        (summing is not None and summing.title == "ReduceSum" and summing.inputs[:1] == (scores,))
        and (scaled is not None and scaled.title == "Mul" and scaled.inputs[:1] == (mask,))
        and _is_zero(makers, mask, total)
    )
    return replace(node, inputs=(scores, total)) if fits else node


def _adds(node: Node | None) -> bool:
    return node is not None and node.title == "Add" and len(node.inputs) == 2


def _is_zero(makers: Mapping[str, Node], name: str, total: str) -> bool:
    """Return whether a value is 1 where a sum is 0, and 0 elsewhere, computed by way of truth values."""
    real = makers.get(name)
    negated = makers.get(real.inputs[0]) if real is not None and real.title == "Cast" else None
    truth = makers.get(negated.inputs[0]) if negated is not None and negated.title == "Not" else None
    if real is None or truth is None or truth.title != "Cast":
        return False
    to = (real.integer("to", 0), truth.integer("to", 0))
    return to in {(_FLOAT, _BOOL), (_DOUBLE, _BOOL)} and truth.inputs[0] == total


def numbers_of(
    nodes: Iterable[Node],
    weights: Mapping[str, TensorProto],
    decode: Callable[[TensorProto], float | None],
) -> dict[str, float]:
    """Return the constants of one entry among weights and nodes, by name, scalars and vectors."""
    found = {name: decode(weight) for name, weight in weights.items() if _is_small(weight)}
    for node in nodes:
        value = node.attributes.get("value") if node.title == "Constant" else None
        if isinstance(value, TensorProto) and _is_small(value):
            found[node.outputs[0]] = decode(value)
    return {name: number for name, number in found.items() if number is not None}


def _is_small(weight: TensorProto) -> bool:
    return weight.data_type in {_FLOAT, _DOUBLE} and list(weight.dims) in ([], [1])
