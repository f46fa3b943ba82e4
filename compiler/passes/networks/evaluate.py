"""What a `Network` computes: one definition of each layer, run in float64 or in exact arithmetic.

Both arithmetics represent a value as integers or floats over one unit. Weights are floats, hence
dyadic rationals, so that exact evaluation is Python-integer linear algebra with a unit that is a power
of two (times the divisors of `Scale`), and no fraction is reduced on the way.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias, assert_never

import numpy as np
import numpy.typing as npt

from ensc.compiler.passes.networks.tree_paths import leaves_reached
from ensc.compiler.types.network import (
    Affine,
    Convolution,
    Floats,
    Gather,
    Layer,
    MaxPool,
    Network,
    Relu,
    Scale,
    Sum,
    Trees,
)

Array: TypeAlias = npt.NDArray[Any]

_CHUNK = 1 << 23  # float64 entries that one layer may gather at a time, over a batch


@dataclass(frozen=True, slots=True)
class _Value:
    """The numbers `array / unit`, shape (..., size): floats with unit 1, or Python integers."""

    array: Array
    unit: int


@dataclass(frozen=True, slots=True)
class _Arithmetic:
    """How a layer's parameters become values, and how values are divided entrywise."""

    parameters: Callable[[Layer], tuple[_Value, ...]]
    divide: Callable[[_Value, _Value], _Value]


def evaluate(network: Network, x: npt.ArrayLike) -> Floats:
    """Return the logits in float64.

    Args:
        network: the network.
        x: shape (..., inputs).

    Returns:
        Shape (..., classes).
    """
    return _batched(network, x, lambda values: (values[network.output],))[0]


def evaluate_all(network: Network, x: npt.ArrayLike) -> tuple[Floats, ...]:
    """Return every value of the network in float64, the input first.

    Args:
        network: the network.
        x: shape (..., inputs).

    Returns:
        Entry i is value i, shape (..., size of value i).
    """
    return _batched(network, x, tuple)


def evaluate_exact(network: Network, x: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Return the logits at a rational point, exactly."""
    return _logits_exact(network, tuple(x))


# A perturbation is replayed by whoever proposes it, when it is found, and again in the certificate.
@lru_cache(maxsize=256)
def _logits_exact(network: Network, x: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    return _fractions(_run_exactly(network, x)[network.output])


def evaluate_all_exact(network: Network, x: Sequence[Fraction]) -> tuple[tuple[Fraction, ...], ...]:
    """Return every value of the network at a rational point, exactly; the input first."""
    return tuple(_fractions(value) for value in _run_exactly(network, x))


def rows_at_once(network: Network) -> int:
    """Return how many rows of a batch to treat at a time so that memory stays bounded."""
    widest = max((_gathered(layer) for layer in network.layers), default=1)
    return max(1, _CHUNK // max(1, widest))


def _gathered(layer: Layer) -> int:
    match layer:
        case Convolution():
            return layer.taps.size
        case MaxPool():
            return layer.windows.size
        case Trees():
            return len(layer.roots) * (layer.size + 2)
        case _:
            return layer.size


def _batched(
    network: Network, x: npt.ArrayLike, select: Callable[[list[Floats]], tuple[Floats, ...]]
) -> tuple[Floats, ...]:
    points = np.asarray(x, dtype=np.float64)
    if points.shape[-1:] != (network.inputs,):
        raise ValueError(f"{network.name} has {network.inputs} inputs, x has shape {points.shape}")
    rows = points.reshape(-1, network.inputs)
    step = rows_at_once(network)
    parts = [
        select([value.array for value in _run(network, _Value(rows[i : i + step], 1), _FLOATS)])
        for i in range(0, max(1, len(rows)), step)
    ]
    if len(parts) == 1 and points.ndim == 2:
        return parts[0]
    lead = points.shape[:-1]
    return tuple(np.concatenate(part).reshape(*lead, part[0].shape[-1]) for part in zip(*parts, strict=True))


def _run_exactly(network: Network, x: Sequence[Fraction]) -> list[_Value]:
    if len(x) != network.inputs:
        raise ValueError(f"{network.name} has {network.inputs} inputs, the point {len(x)}")
    return _run(network, _common((p, q) for p, q in (v.as_integer_ratio() for v in x)), _INTEGERS)


def _run(network: Network, x: _Value, arithmetic: _Arithmetic) -> list[_Value]:
    values = [x]
    for layer in network.layers:
        values.append(_apply(layer, values, arithmetic))
    return values


def _apply(layer: Layer, values: Sequence[_Value], arithmetic: _Arithmetic) -> _Value:
    parameters = arithmetic.parameters(layer)
    match layer:
        case Affine():
            weight, bias = parameters
            return _add(_affine(values[layer.source], weight), bias)
        case Convolution():
            kernel, bias = parameters
            out = _convolve(values[layer.source], kernel, layer)
            return _add(out, _Value(np.repeat(bias.array, layer.taps.shape[1]), bias.unit))
        case Scale():
            factor, offset, divisor = parameters
            return arithmetic.divide(_add(_times(values[layer.source], factor), offset), divisor)
        case Sum():
            terms = [_signed(values[i], s) for i, s in zip(layer.sources, layer.signs, strict=True)]
            return _total(terms)
        case Gather():
            lead = values[0].array.shape[:-1]
            (constants,) = parameters
            wide = _Value(np.broadcast_to(constants.array, (*lead, *constants.array.shape)), constants.unit)
            return _gather([*(values[i] for i in layer.sources), wide], layer)
        case Relu():
            x = values[layer.source]
            return _Value(np.maximum(x.array, 0), x.unit)
        case MaxPool():
            x = values[layer.source]
            return _Value(x.array[..., candidates(layer)].max(axis=-1), x.unit)
        case Trees():
            thresholds, leaves, bias = parameters
            return _add(_leaf_sum(layer, values[layer.source], thresholds, leaves), bias)
        case _:
            assert_never(layer)


def candidates(layer: MaxPool) -> npt.NDArray[np.int64]:
    """Return the windows with every missing candidate replaced by the first that is there."""
    windows = layer.windows
    first = np.take_along_axis(windows, (windows >= 0).argmax(axis=1)[:, None], axis=1)
    return np.where(windows < 0, first, windows)


def _affine(x: _Value, weight: _Value) -> _Value:
    return _Value(x.array @ weight.array.T, x.unit * weight.unit)


def _convolve(x: _Value, kernel: _Value, layer: Convolution) -> _Value:
    groups, positions, width = layer.taps.shape
    lead = x.array.shape[:-1]
    padding = np.zeros((*lead, 1), dtype=x.array.dtype)  # what the tap -1 reads: the last entry
    padded = np.concatenate([x.array, padding], axis=-1)[..., layer.taps]
    weights = kernel.array.reshape(groups, -1, width).swapaxes(1, 2)
    out = (padded @ weights).swapaxes(-1, -2)
    return _Value(out.reshape(*lead, kernel.array.shape[0] * positions), x.unit * kernel.unit)


def _leaf_sum(layer: Trees, x: _Value, thresholds: _Value, leaves: _Value) -> _Value:
    (at, limits), _ = _aligned([x, thresholds])
    reached = leaves_reached(layer, at, limits)
    return _Value(leaves.array[reached].sum(axis=-2), leaves.unit)


def _gather(parts: Sequence[_Value], layer: Gather) -> _Value:
    aligned, unit = _aligned(parts)
    return _Value(np.concatenate(aligned, axis=-1)[..., layer.index], unit)


def _times(x: _Value, factor: _Value) -> _Value:
    return _Value(x.array * factor.array, x.unit * factor.unit)


def _signed(x: _Value, sign: int) -> _Value:
    return x if sign > 0 else _Value(-x.array, x.unit)


def _add(x: _Value, y: _Value) -> _Value:
    return _total([x, y])


def _total(terms: Sequence[_Value]) -> _Value:
    aligned, unit = _aligned(terms)
    out = aligned[0]
    for term in aligned[1:]:
        out = out + term
    return _Value(out, unit)


def _aligned(terms: Sequence[_Value]) -> tuple[list[Array], int]:
    """Bring values to one unit. Floats have unit 1 already and are left alone."""
    units = [term.unit for term in terms]
    if units.count(units[0]) == len(units):
        return [term.array for term in terms], units[0]
    unit = math.lcm(*units)
    return [t.array if t.unit == unit else t.array * (unit // t.unit) for t in terms], unit


def _parameters(layer: Layer) -> tuple[Floats, ...]:
    match layer:
        case Affine():
            return layer.weight, layer.bias
        case Convolution():
            return layer.kernel, layer.bias
        case Scale():
            return layer.factor, layer.offset, layer.divisor
        case Gather():
            return (layer.constants,)
        case Trees():
            return layer.thresholds, layer.values, layer.bias
        case Sum() | Relu() | MaxPool():
            return ()
        case _:
            assert_never(layer)


def _as_floats(layer: Layer) -> tuple[_Value, ...]:
    return tuple(_Value(array, 1) for array in _parameters(layer))


# An attack is certified by evaluating the same few networks at many points: their layers stay lifted.
@lru_cache(maxsize=128)
def _as_integers(layer: Layer) -> tuple[_Value, ...]:
    return tuple(_lifted(array) for array in _parameters(layer))


def _lifted(array: Floats) -> _Value:
    """Write floats as integers over a power of two, without rounding."""
    mantissa, exponent = np.frexp(array)
    digits = np.ldexp(mantissa, 53).astype(np.int64)
    if not digits.any():
        return _Value(digits.astype(object), 1)
    trailing = np.zeros_like(digits)
    nonzero = digits != 0
    lowest_bit = digits[nonzero] & -digits[nonzero]
    trailing[nonzero] = np.frexp(lowest_bit.astype(np.float64))[1] - 1
    power = exponent - 53 + trailing
    least = min(0, int(power[nonzero].min()))
    shift = np.where(nonzero, power - least, 0)
    return _Value((digits >> trailing).astype(object) << shift.astype(object), 1 << -least)


def _divide_floats(x: _Value, divisor: _Value) -> _Value:
    return _Value(x.array / divisor.array, 1)


def _divide_integers(x: _Value, divisor: _Value) -> _Value:
    multiple = math.lcm(*divisor.array)
    if multiple == divisor.unit == 1 and (divisor.array == 1).all():
        return x
    return _Value(x.array * (divisor.unit * (multiple // divisor.array)), x.unit * multiple)


def _common(ratios: Iterable[tuple[int, int]]) -> _Value:
    pairs = list(ratios)
    unit = math.lcm(*(q for _, q in pairs))
    return _Value(np.array([p * (unit // q) for p, q in pairs], dtype=object), unit)


def _fractions(value: _Value) -> tuple[Fraction, ...]:
    return tuple(Fraction(int(n), value.unit) for n in value.array)


_FLOATS = _Arithmetic(_as_floats, _divide_floats)
_INTEGERS = _Arithmetic(_as_integers, _divide_integers)
