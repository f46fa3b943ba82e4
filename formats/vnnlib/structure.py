"""Whether two networks have one structure, as `isomorphic-to` says."""

from collections.abc import Iterator
from typing import assert_never

from ensc.compiler.diagnostics import Diagnostic, Label
from ensc.compiler.types.network import Affine, Convolution, Gather, MaxPool, Network, Relu, Scale, Sum, Trees
from ensc.formats.vnnlib.property import Declared


def differences(declared: Declared, like: str, network: Network, other: Network) -> Iterator[Diagnostic]:
    """Yield why a network does not have the structure of another one, which `isomorphic-to` says it has."""
    if _structure(network) == _structure(other):
        return
    what = "operators" if _operators(network) != _operators(other) else "sizes of layers"
    yield Diagnostic(
        "E1284",
        f"the networks bound to `{declared.name}` and `{like}` differ in their {what}",
        Label(declared.span, f"declared as isomorphic to `{like}`"),
        help="bind models with the same graph, or leave out `isomorphic-to`",
    )


def _structure(network: Network) -> tuple[object, ...]:
    """Return what the graph of a model decides, whatever its weights are.

    Scalings and movements of data are in the operators only: whether they are layers of their own depends
    on whether their numbers can be merged with others exactly.
    """
    layers: list[tuple[str, int]] = []
    for layer in network.layers:
        match layer:
            case Affine() | Convolution():
                layers.append(("linear", layer.size))
            case Relu() | MaxPool() | Trees():
                layers.append((type(layer).__name__, layer.size))
            case Scale() | Sum() | Gather():
                pass
            case _:
                assert_never(layer)
    return network.input_shape, network.parts, network.classes, tuple(layers), _operators(network)


def _operators(network: Network) -> dict[str, int]:
    """Return how often each operator occurs; a constant may as well be stored as a weight."""
    return {name: count for name, count in network.operators.items() if name != "Constant"}
