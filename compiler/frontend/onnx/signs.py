"""Which values of a network are never negative, told from its layers alone."""

import numpy as np

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.types.network import Affine, Convolution, Gather, MaxPool, Relu, Scale, Sum, Trees


def is_never_negative(build: Builder, value: int) -> bool:
    """Return whether no entry of a value is negative, for any input; False where that is not plain."""
    if not value:
        return False
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


def _copied(build: Builder, layer: Gather) -> list[int]:
    """Return the values of which a movement copies some entry."""
    ends = np.cumsum([build.size(source) for source in layer.sources])
    read = np.unique(np.searchsorted(ends, layer.index, side="right"))
    return [source for i, source in enumerate(layer.sources) if i in read]
