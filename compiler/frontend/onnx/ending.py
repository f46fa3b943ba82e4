"""The end of a classifier: what only turns the scores of its classes into probabilities or a choice.

An exporter writes the choice behind the scores: a Softmax, an ArgMax, a map from label to probability. None
of it can be encoded, and none of it changes which score is the highest, so that the network ends before it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.classical import labels_of
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.operators import TRANSPARENT
from ensc.compiler.frontend.onnx.passing import two_scores
from ensc.compiler.frontend.onnx.tensor import Computed, Tensor
from ensc.compiler.quoting import listed, shown

_ORDERED = frozenset(("LogSoftmax", "Sigmoid", "Softmax", "ai.onnx.ml.Normalizer", "ai.onnx.ml.ZipMap"))
_CLASSIFIERS = frozenset(("ai.onnx.ml.LinearClassifier", "ai.onnx.ml.TreeEnsembleClassifier"))
_CHOICES = {"ArgMax": 0, "TopK": 1}  # the output that holds the place of the highest score


@dataclass(frozen=True, slots=True, eq=False)
class Ending:
    """How a network ends.

    Attributes:
        value: the name up to which the graph is read; behind it there is at most a change of shape or type.
        closers: the nodes up to there that keep the order of the classes, and are left out.
    """

    value: str
    closers: tuple[Node, ...]

    @property
    def dropped(self) -> tuple[str, ...]:
        """What is left out, in words."""
        return tuple(words for node in self.closers if (words := _left_out(node)))


def _left_out(node: Node) -> str:
    """Say what of a closing node is left out; nothing of one that only goes with another."""
    what = f"`{node.title}` at {node.where}"
    labels = labels_of(node)
    if labels:
        what += f", whose labels {listed(labels)} are the classes 0 to {len(labels) - 1}"
    match node.title:
        case "Concat" | "Sub":
            return ""
        case "ai.onnx.ml.LinearClassifier" | "ai.onnx.ml.TreeEnsembleClassifier":
            transform = node.text("post_transform", "NONE")
            if transform == "NONE":
                return f"the labels of {what}" if labels else ""
            return f"the post_transform {shown(transform)} of {what}"
        case _:
            return what


def ending_of(nodes: Iterable[Node], output: str) -> Ending:
    """Return how the graph ends at an output."""
    makers = {name: node for node in nodes for name in node.outputs if name}
    value = _chosen(makers, output)
    return Ending(value, _closers(makers, value))


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
    """Return the output of the ArgMax or TopK from which an output is made, or the output itself."""
    name, steps = output, len(makers)
    while name in makers and makers[name].operator in TRANSPARENT and steps:
        name, steps = _first(makers[name]), steps - 1
    return name if name in makers and _is_choice(makers[name], name) else output


def _is_choice(node: Node, name: str) -> bool:
    """Return whether the node makes the value, as the place of the highest score."""
    place = _CHOICES.get(node.operator, -1)
    return not node.domain and place in range(len(node.outputs)) and node.outputs[place] == name


def _closers(makers: Mapping[str, Node], output: str) -> tuple[Node, ...]:
    found: list[Node] = []
    name = output
    left = dict(makers)
    while name in left:
        node = left.pop(name)
        if complement := _complement(makers, node):
            return tuple(reversed((*found, node, *complement)))
        if _classifies(node, name):
            return tuple(reversed((*found, node)))
        if (
            _is_share(makers, node)
            or _is_choice(node, name)
            or node.title in _ORDERED
            or _takes_positive(makers, node)
        ):
            found.append(node)
        elif node.title not in TRANSPARENT:
            break
        name = _first(node)
    return tuple(reversed(found))


def _classifies(node: Node, name: str) -> bool:
    """Return whether the value is the scores of a classifier."""
    return node.title in _CLASSIFIERS and node.outputs[1:] == (name,)


def _takes_positive(makers: Mapping[str, Node], node: Node) -> bool:
    maker = makers.get(_first(node))
    is_taken = node.title == "ai.onnx.ml.ArrayFeatureExtractor"
    return is_taken and maker is not None and _classifies(maker, _first(node))


def _is_share(makers: Mapping[str, Node], node: Node) -> bool:
    """Return whether the node divides scores by their sum."""
    if node.title != "Div" or len(node.inputs) != 2:
        return False
    total = makers.get(node.inputs[1])
    return total is not None and total.title == "ReduceSum" and total.inputs[:1] == node.inputs[:1]


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
