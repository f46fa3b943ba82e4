"""Which values of a network are never negative, told from its layers alone."""

from fractions import Fraction

import numpy as np

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.types.network import Affine, Convolution, Gather, MaxPool, Relu, Scale, Sum, Trees


def is_never_negative(build: Builder, value: int) -> bool:
    """Return whether no entry of a value is negative, for any input; False where that is not plain."""
    if not value:
        return False
    least = _range(build, value)[0]
    if least is not None and least >= 0:
        return True
    match build.layers[value - 1]:
        case Relu():
            return True
        case Trees() as layer:
            return bool((layer.values >= 0).all() and (layer.bias >= 0).all())
        case Affine() as layer:
            weights = bool((layer.weight >= 0).all() and (layer.bias >= 0).all())
            return weights and is_never_negative(build, layer.source)
        case Convolution() as layer:
            weights = bool((layer.kernel >= 0).all() and (layer.bias >= 0).all())
            return weights and is_never_negative(build, layer.source)
        case Scale() as layer:
            plain = bool(
                (layer.factor >= 0).all() and (layer.offset >= 0).all() and (layer.divisor > 0).all()
            )
            return plain and is_never_negative(build, layer.source)
        case Sum() as layer:
            return min(layer.signs) > 0 and all(is_never_negative(build, s) for s in layer.sources)
        case Gather() as layer:
            plain = bool((layer.constants >= 0).all())
            return plain and all(is_never_negative(build, s) for s in _copied(build, layer))
        case MaxPool() as layer:
            return is_never_negative(build, layer.source)


_Range = tuple[Fraction | None, Fraction | None]
"""The least and the largest number that an entry can be; None where nothing bounds it."""


_LAYERS = 32  # behind each other; an exporter writes a handful around a clipping


def _range(build: Builder, value: int, layers: int = _LAYERS) -> _Range:
    """Return what bounds all entries of a value, by exact arithmetic with intervals."""
    layer = build.layers[value - 1] if value and layers else None
    match layer:
        case Relu():
            low, high = _range(build, layer.source, layers - 1)
            return max(Fraction(0), low or Fraction(0)), None if high is None else max(Fraction(0), high)
        case MaxPool():
            return _range(build, layer.source, layers - 1)
        case Scale():
            numbers = np.unique(np.stack([layer.factor, layer.offset, layer.divisor]), axis=1)
            if numbers.shape[1] != 1:
                return None, None
            factor, offset, divisor = map(Fraction, numbers[:, 0].tolist())
            low, high = (
                None if end is None else (factor * end + offset) / divisor
                for end in _range(build, layer.source, layers - 1)
            )
            return (low, high) if factor / divisor >= 0 else (high, low)
        case _:
            return None, None


def _copied(build: Builder, layer: Gather) -> list[int]:
    """Return the values of which a movement copies some entry."""
    ends = np.cumsum([build.size(source) for source in layer.sources])
    read = np.unique(np.searchsorted(ends, layer.index, side="right"))
    return [source for i, source in enumerate(layer.sources) if i in read]
