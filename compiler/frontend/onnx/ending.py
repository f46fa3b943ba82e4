"""The end of a classifier: what only turns the scores of its classes into probabilities or a choice.

An exporter writes the choice behind the scores: a Softmax, an ArgMax, a map from label to probability. None
of it can be encoded, and none of it changes which score is the highest, so that the network ends before it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from onnx import TensorProto

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.classical import labels_of
from ensc.compiler.frontend.onnx.graph import Graph, Node
from ensc.compiler.frontend.onnx.kinks import without_choices
from ensc.compiler.frontend.onnx.logits import Numbers, Undone, numbers_of, plain_shares, undone
from ensc.compiler.frontend.onnx.operators import TRANSPARENT
from ensc.compiler.frontend.onnx.passing import two_scores
from ensc.compiler.frontend.onnx.tensor import Computed, Tensor
from ensc.compiler.quoting import listed, shown

_ORDERED = frozenset(("LogSoftmax", "Sigmoid", "Softmax", "ai.onnx.ml.Normalizer", "ai.onnx.ml.ZipMap"))
_CLASSIFIERS = frozenset(
    ("ai.onnx.ml.LinearClassifier", "ai.onnx.ml.SVMClassifier", "ai.onnx.ml.TreeEnsembleClassifier")
)
_CHOICES = {"ArgMax": 0, "TopK": 1}  # the output that holds the place of the highest score


@dataclass(frozen=True, slots=True, eq=False)
class Ending:
    """How a network ends.

    Attributes:
        nodes: of the graph; what undoes a logistic function stands in its place.
        value: the name up to which the graph is read; behind it there is at most a change of shape or type.
        closers: the nodes up to there that keep the order of the classes, and are left out.
        functions: the logistic functions that are undone.
    """

    nodes: tuple[Node, ...]
    value: str
    closers: tuple[Node, ...]
    functions: tuple[Node, ...] = ()

    @property
    def dropped(self) -> tuple[str, ...]:
        """What is left out, in words."""
        left_out = dict.fromkeys(map(_left_out, (*self.functions, *self.closers)))
        return tuple(words for words in left_out if words)


def _left_out(node: Node) -> str:
    """Say what of a closing node is left out; nothing of one that only goes with another."""
    what = f"`{node.title}` at {node.where}"
    labels = labels_of(node)
    if labels:
        what += f", whose labels {listed(labels)} are the classes 0 to {len(labels) - 1}"
    match node.title:
        case "Concat" | "Sub":
            return ""
        case "ai.onnx.ml.SVMClassifier":
            return f"the sign of the scores of {what}, of which the lower one chooses the label"
        case "ai.onnx.ml.LinearClassifier" | "ai.onnx.ml.TreeEnsembleClassifier":
            transform = node.text("post_transform", "NONE")
            if transform == "NONE":
                return f"the labels of {what}" if labels else ""
            return f"the post_transform {shown(transform)} of {what}"
        case _:
            return what


def ending_of(graph: Graph, output: str) -> Ending:
    """Return how the graph ends at an output."""

    def decoded(tensor: TensorProto) -> float | None:
        array = graph.origin.decode(tensor, "a constant")
        return float(array.item()) if array.size == 1 else None

    numbers = numbers_of(graph.nodes, graph.initializers, decoded)
    nodes = without_choices(plain_shares(graph.nodes), (port.name for port in graph.inputs), numbers)
    makers = _makers(nodes)
    value = _chosen(makers, output)
    if (classifier := makers.get(value)) is not None and _labels(classifier, value):
        return Ending(nodes, classifier.outputs[1], (classifier,))
    closers, scores = _closers(makers, value, numbers)
    if scores is not None:
        return _without_functions(nodes, value, closers, scores)
    marked = _with_positive_sums(nodes, closers)
    closing = set(closers)
    instead = {old: new for old, new in zip(nodes, marked, strict=True) if old in closing}
    return Ending(marked, value, tuple(instead[node] for node in closers))


def _without_functions(
    nodes: tuple[Node, ...], value: str, closers: tuple[Node, ...], scores: Undone
) -> Ending:
    """Return the ending whose logistic functions are undone; its shares are of positive numbers."""
    makers, instead = _makers(nodes), dict(scores.replacements)
    kept: list[Node] = []
    for node in closers:
        if _is_share(makers, node):
            instead[node] = (replace(node, attributes={"positive": 1}),)
        kept += instead.get(node, (node,))
    changed = tuple(new for node in nodes for new in instead.get(node, (node,)))
    functions = set(scores.functions)
    in_order = tuple(node for node in nodes if node in functions)
    return Ending(changed, value, (*kept, *scores.closers), in_order)


def label_of(graph: Graph) -> str | None:
    """Return the output that is the class with the highest of some scores, if there is one."""
    makers = _makers(graph.nodes)
    names = (port.name for port in graph.outputs if not port.is_real and port.kind != "sequence")
    return next((name for name in names if _is_label(makers, _chosen(makers, name))), None)


def divides(graph: Graph, output: str) -> bool:
    """Return whether an output is scores divided by their sum, which may be negative."""
    makers = _makers(graph.nodes)
    left, name = dict(makers), output
    while name in left:
        node = left.pop(name)
        if _is_share(makers, node):
            return True
        name = _first(node) if node.title in TRANSPARENT or node.title in _ORDERED else ""
    return False


def _makers(nodes: Iterable[Node]) -> dict[str, Node]:
    return {name: node for node in nodes for name in node.outputs if name}


def _is_label(makers: Mapping[str, Node], name: str) -> bool:
    node = makers.get(name)
    return node is not None and (_is_choice(node, name) or _labels(node, name))


def _labels(node: Node, name: str) -> bool:
    """Return whether the value is the label that a classifier chooses."""
    return node.title in _CLASSIFIERS and node.outputs[0] == name and len(node.outputs) == 2


def with_two_classes(result: Tensor, ending: Ending, build: Builder) -> Tensor:
    """Return the scores of two classes where the network ends in the Sigmoid of one number z.

    The Sigmoid is the probability of class 1. It is at least 1/2 just where z is at least 0, so that
    the scores are 0 and z.
    """
    match ending.closers:
        case (Node(operator="Sigmoid") as node,) if isinstance(result, Computed) and result.size == 1:
            return two_scores(node, result, build)
        case _:
            return result


def _chosen(makers: Mapping[str, Node], output: str) -> str:
    """Return the choice from which an output is made, be it only by way of labels, or the output itself."""
    name, steps = output, len(makers)
    while name in makers and steps:
        node, steps = makers[name], steps - 1
        if node.title in TRANSPARENT:
            name = _first(node)
        elif node.title == "ai.onnx.ml.ArrayFeatureExtractor" and node.inputs[0] not in makers:
            name = node.inputs[1]
        else:
            break
    return name if _is_label(makers, name) else output


def _is_choice(node: Node, name: str) -> bool:
    """Return whether the node makes the value, as the place of the highest score."""
    place = _CHOICES.get(node.operator, -1)
    return not node.domain and place in range(len(node.outputs)) and node.outputs[place] == name


def _closers(
    makers: Mapping[str, Node], output: str, numbers: Numbers
) -> tuple[tuple[Node, ...], Undone | None]:
    """Return the nodes that close the network, and the scores before them if those are logistic."""
    found: list[Node] = []
    name, is_scaled = output, False
    left = dict(makers)
    direct: list[Node] | None = None  # of those that close a network without logistic functions
    while name in left:
        node = left.pop(name)
        complement = _complement(makers, node)
        if not is_scaled and (complement or _classifies(node, name)):
            return tuple(reversed((*found, node, *complement))), None
        is_undone_below = is_scaled and node.title == "Sigmoid"
        if (
            _is_share(makers, node)
            or _is_choice(node, name)
            or _takes_positive(makers, node)
            or (node.title in _ORDERED and not is_undone_below)
        ):
            found.append(node)
        elif _keeps_order(node, numbers):
            direct, is_scaled = found[:] if direct is None else direct, True
        elif node.title not in TRANSPARENT:
            break
        name = _first(node)
    scores = undone(makers, name, numbers)
    return tuple(reversed(direct if scores is None and direct is not None else found)), scores


def _keeps_order(node: Node, numbers: Numbers) -> bool:
    """Return whether the node is read as it is, and keeps the order of the classes too."""
    match node.title, node.inputs:
        case "Sum", (_,):
            return True
        case "Div", (_, divisor):
            return numbers.get(divisor, 0.0) > 0
        case _:
            return False


def _classifies(node: Node, name: str) -> bool:
    """Return whether the value is the scores of a classifier."""
    return node.title in _CLASSIFIERS and node.outputs[1:] == (name,)


def _takes_positive(makers: Mapping[str, Node], node: Node) -> bool:
    maker = makers.get(_first(node))
    is_taken = node.title == "ai.onnx.ml.ArrayFeatureExtractor"
    return (
        is_taken
        and maker is not None
        and _classifies(maker, _first(node))
        and maker.title != "ai.onnx.ml.SVMClassifier"
    )


def _is_share(makers: Mapping[str, Node], node: Node) -> bool:
    """Return whether the node divides scores by their sum, or by that of their absolute values."""
    if node.title != "Div" or len(node.inputs) != 2:
        return False
    total = makers.get(node.inputs[1])
    summed = total is not None and total.title == "ReduceSum" and total.inputs[:1]
    return summed == node.inputs[:1] or _is_norm(makers, node)


def _is_norm(makers: Mapping[str, Node], node: Node) -> bool:
    """Return whether the node divides scores by the sum of their absolute values."""
    total = makers.get(node.inputs[1])
    if total is None or total.title != "ReduceSum":
        return False
    absolute = makers.get(_first(total))
    return absolute is not None and absolute.title == "Abs" and absolute.inputs[:1] == node.inputs[:1]


def _with_positive_sums(nodes: tuple[Node, ...], closers: tuple[Node, ...]) -> tuple[Node, ...]:
    """Mark the shares whose sum is positive whatever the scores below the closers are."""
    makers, positive = _makers(nodes), False
    marked: set[Node] = set()
    for node in closers:  # from the scores on
        if _is_share(makers, node) and (positive or _is_norm(makers, node)):
            marked.add(node)
        positive = positive or node.title in {"Sigmoid", "Softmax"}
    return tuple(replace(n, attributes={"positive": 1}) if n in marked else n for n in nodes)


def _complement(makers: Mapping[str, Node], node: Node) -> tuple[Node, ...]:
    """Return the Sub and the Sigmoid in `Concat(1 - p, p)` with `p = Sigmoid(z)`; nothing elsewhere."""
    if node.operator != "Concat" or node.domain or len(node.inputs) != 2:
        return ()
    rest, sigmoid = (makers.get(name) for name in node.inputs)
    if rest is None or sigmoid is None or sigmoid.operator != "Sigmoid":
        return ()
    return (rest, sigmoid) if rest.operator == "Sub" and rest.inputs[1] == node.inputs[1] else ()


def _first(node: Node) -> str:
    return node.inputs[0] if node.inputs else ""
