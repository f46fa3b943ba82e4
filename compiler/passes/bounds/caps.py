"""Rectifiers of which only a part is ever seen: those of `min(max(0, x), c)`, as ReLU6 and every Clip hold.

A clip is two rectifiers, `r = max(0, x)` and `s = max(0, k (c - r))` with k > 0. Where nothing else reads r,
it may as well be `min(r, c)`: s does not change. The chord above that is lower than the one above r, and the
lines around both rectifiers together become the convex hull of the clip.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from ensc.compiler.passes.bounds.rounding import UNIT, slack
from ensc.compiler.types.network import Floats, Network, Relu, Scale, sources


@dataclass(frozen=True, slots=True, eq=False)
class Cap:
    """How far up the result of a rectifier matters.

    Attributes:
        reader: the value of the rectifier that does not see more.
        level: c, rounded up, infinite where there is none, shape (size,).
    """

    reader: int
    level: Floats


def caps_of(network: Network) -> dict[int, Cap]:
    """Return the caps of a network's rectifiers, by the number of the value."""
    readers = Counter(source for layer in network.layers for source in sources(layer))
    readers[network.output] += 1
    found = {}
    for number, layer in enumerate(network.layers, start=1):
        if isinstance(layer, Relu):
            scales, value = [], layer.source
            while value and readers[value] == 1 and isinstance(scale := network.layers[value - 1], Scale):
                scales.append(scale)
                value = scale.source
            inner = network.layers[value - 1] if value and readers[value] == 1 else None
            if scales and isinstance(inner, Relu):
                found[value] = Cap(number, _level(scales))
    return found


def _level(scales: list[Scale]) -> Floats:
    """Return where the result of scales, the last one first, becomes 0 from above, rounded up."""
    level, error = np.zeros(scales[0].size), np.zeros(scales[0].size)
    falling = np.zeros(scales[0].size, dtype=np.bool_)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for scale in scales:
            magnitude = np.abs(scale.divisor * level) + np.abs(scale.offset)
            before = np.abs(scale.divisor) * error + slack(4, magnitude)
            level = (scale.divisor * level - scale.offset) / scale.factor
            error = (before / np.abs(scale.factor) + 4 * UNIT * np.abs(level)) * (1 + 8 * UNIT)
            falling ^= (scale.factor < 0) != (scale.divisor < 0)
        raised = np.nextafter(level + error, np.inf)
    return np.where(falling & np.isfinite(raised), raised, np.inf)
