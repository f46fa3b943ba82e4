"""Bounds -> Plan: which neurons a model needs at all, and which of them still have a choice.

The full plan keeps everything, as the paper does. The pruned plan uses that a rectifier whose input
cannot change sign is linear (*stable*: active or inactive), that a candidate of a maximum which another
one dominates never wins, and that a neuron nobody reads need not exist. Both describe the same function
over the input sets the bounds belong to.

Bounds may also hold for those inputs only that matter to a question. What they alone decide has to be said in
the model, or it has solutions among the other inputs, at which the network computes something else: the input
of such a rectifier stays, as a variable whose bounds say the sign, and all other choices stay open.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ensc.compiler.passes.networks.tree_paths import features_read, reachable_leaves
from ensc.compiler.types.bounds import Bounds, Interval
from ensc.compiler.types.model import Flags
from ensc.compiler.types.network import (
    Affine,
    Convolution,
    Floats,
    Integers,
    MaxPool,
    Network,
    Relu,
    Scale,
    Sum,
    Trees,
    sources,
)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What of every value is lowered, for a batch of input sets.

    Attributes:
        bounds: of every value.
        certain: bounds at all inputs, where `bounds` holds at those that matter only; None where both are the
            same.
        needed: for each value, shape (points, size): whether it gets a variable or an alias.
        active: for each value, shape (points, size): a rectifier that is the identity there, or any
            value that equals one of its inputs; False elsewhere.
        candidates: for each value, shape (points, size, window) for a maximum: who may attain it, and
            shape (points, 1, leaves) for trees: which leaves may be reached; an empty array for other layers.
    """

    bounds: Bounds
    certain: Bounds | None
    needed: tuple[Flags, ...]
    active: tuple[Flags, ...]
    candidates: tuple[Flags, ...]

    def at(self, chosen: Integers | slice) -> "Plan":
        """Return the part that concerns some of the input sets."""
        return Plan(
            self.bounds.at(chosen),
            None if self.certain is None else self.certain.at(chosen),
            tuple(flags[chosen] for flags in self.needed),
            tuple(flags[chosen] for flags in self.active),
            tuple(flags[chosen] for flags in self.candidates),
        )


def full_plan(network: Network, bounds: Bounds) -> Plan:
    """Keep every neuron and every choice."""
    shapes = [interval.lower.shape for interval in bounds.values]
    return Plan(
        bounds,
        None,
        tuple(np.ones(shape, dtype=np.bool_) for shape in shapes),
        tuple(np.zeros(shape, dtype=np.bool_) for shape in shapes),
        tuple(_every_candidate(network, number, shape[0]) for number, shape in enumerate(shapes)),
    )


def pruned_plan(network: Network, bounds: Bounds, wanted: Flags, certain: Bounds | None = None) -> Plan:
    """Drop what the bounds decide.

    Args:
        network: the network.
        bounds: of its values, shape (points, size) each.
        wanted: which logits are read, shape (points, classes).
        certain: bounds that hold at all inputs, where `bounds` holds at those that matter only.
    """
    sure_of = (bounds if certain is None else certain).values
    shapes = [interval.lower.shape for interval in bounds.values]
    needed = [np.zeros(shape, dtype=np.bool_) for shape in shapes]
    active = [np.zeros(shape, dtype=np.bool_) for shape in shapes]
    candidates = [_every_candidate(network, number, shape[0]) for number, shape in enumerate(shapes)]
    needed[network.output] |= wanted
    for number in range(len(network.layers), 0, -1):
        layer = network.layers[number - 1]
        match layer:
            case Relu():
                sure = sure_of[layer.source]
                x = bounds.values[layer.source] if _defines(network, layer.source) else sure
                open_above = needed[number] & (sure.upper > 0)
                needed[number] &= x.upper > 0
                active[number] = needed[number] & (x.lower >= 0)
                needed[layer.source] |= open_above
            case MaxPool():
                alive = _undominated(layer, sure_of[layer.source]) & needed[number][..., None]
                candidates[number] = alive
                active[number] = needed[number] & (alive.sum(axis=2) == 1)
                _mark(needed[layer.source], layer, alive)
            case Trees():
                reachable = reachable_leaves(layer, sure_of[layer.source])
                alive = reachable[:, None] & needed[number][..., None].any(axis=1, keepdims=True)
                candidates[number] = alive
                needed[layer.source] |= features_read(layer, alive[:, 0], shapes[layer.source][1])
            case _:
                for source in sources(layer):
                    needed[source] |= needed[number].any(axis=1, keepdims=True)
    return Plan(bounds, certain, tuple(needed), tuple(active), tuple(candidates))


def _defines(network: Network, value: int) -> bool:
    """Return whether a value gets variables of its own, whose bounds are those of the value."""
    return value > 0 and isinstance(network.layers[value - 1], Affine | Convolution | Scale | Sum | Trees)


def _every_candidate(network: Network, number: int, points: int) -> Flags:
    layer = network.layers[number - 1] if number else None
    if isinstance(layer, Trees):
        return np.ones((points, 1, layer.leaves), dtype=np.bool_)
    if not isinstance(layer, MaxPool):
        return np.zeros((points, 0, 0), dtype=np.bool_)
    return np.broadcast_to(layer.windows >= 0, (points, *layer.windows.shape))


def _undominated(layer: MaxPool, x: Interval) -> Flags:
    """Return which candidates may exceed all others, shape (points, size, window).

    A candidate whose upper bound is not above another's lower bound can be left out; of several that
    dominate each other by equality the first one with the largest lower bound stays.
    """
    lower, upper = _windowed(layer, x.lower), _windowed(layer, x.upper)
    champion = np.arange(lower.shape[2]) == lower.argmax(axis=2)[..., None]
    alive: npt.NDArray[np.bool_] = champion | (upper > lower.max(axis=2)[..., None])
    return alive


def _windowed(layer: MaxPool, values: Floats) -> Floats:
    nothing = np.full((len(values), 1), -np.inf)
    return np.concatenate([values, nothing], axis=1)[:, layer.windows]


def _mark(needed: Flags, layer: MaxPool, alive: Flags) -> None:
    points, units, places = np.nonzero(alive)
    needed[points, layer.windows[units, places]] = True
