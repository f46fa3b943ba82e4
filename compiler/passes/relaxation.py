"""Backward linear relaxation (DeepPoly, CROWN): lower bounds of linear forms of any value of a network.

A form `w v` over value v is rewritten layer by layer towards the input. A linear layer is substituted; a
rectifier is replaced by the line below it where its coefficient is positive and by the line above it
where negative (Singh et al. 2019, Zhang et al. 2018). What remains is a linear form of the input, whose
least value over box ∩ ball is known exactly (`concretize`).

Sound in real arithmetic: each step rewrites the inequality with the coefficients as computed and
subtracts a proved bound of what rounding changed, `slack` times the largest values the layer can take.
"""

from dataclasses import dataclass
from typing import assert_never

import numpy as np

from ensc.compiler.passes.concretize import least
from ensc.compiler.passes.interval import correlate
from ensc.compiler.passes.rounding import UNIT, slack
from ensc.compiler.passes.tree_bounds import least_leaf_sums
from ensc.compiler.types.bounds import InputSets, Interval
from ensc.compiler.types.network import (
    Affine,
    Convolution,
    Floats,
    Gather,
    Integers,
    Layer,
    MaxPool,
    Network,
    Relu,
    Scale,
    Sum,
    Trees,
)


def least_forms(
    network: Network, sets: InputSets, values: list[Interval], value: int, forms: Floats
) -> Floats:
    """Return lower bounds of linear forms of one value.

    Args:
        network: the network.
        sets: the input sets of a batch of points.
        values: sound bounds of the values below `value` at least.
        value: the value the forms are over.
        forms: shape (points, forms, size of the value).

    Returns:
        Shape (points, forms).
    """
    state = _State(values, {value: forms}, np.zeros(forms.shape[:2]))
    for number in range(value, 0, -1):
        if number in state.forms:
            _substitute(state, network.layers[number - 1], state.forms.pop(number))
    if 0 not in state.forms:
        return state.constant
    return state.constant + least(sets, state.forms[0]) - slack(2, np.abs(state.constant))


@dataclass(slots=True)
class _State:
    """`sum over v of forms[v] v + constant` is below the forms asked for; alive only in a rewrite."""

    values: list[Interval]
    forms: dict[int, Floats]
    constant: Floats

    def add(self, value: int, form: Floats) -> None:
        """Add a form of a value to those already there."""
        before = self.forms.get(value)
        if before is None:
            self.forms[value] = form
            return
        self.forms[value] = before + form
        self.forget(np.abs(self.forms[value]), 2 * UNIT * self.values[value].reach)

    def shift(self, form: Floats, amount: Floats) -> None:
        """Add `form * amount` to the constant; amount has shape (points or 1, size)."""
        self._accumulate(_dot(form, amount))

    def forget(self, size: Floats, error: Floats) -> None:
        """Subtract what rounding may have changed: `size * error`."""
        self._accumulate(-_dot(size, error))

    def add_constant(self, addend: Floats) -> None:
        """Add what a form of a layer is at least, shape (points, forms)."""
        self._accumulate(addend)

    def _accumulate(self, addend: Floats) -> None:
        total = self.constant + addend
        self.constant = total - 2 * UNIT * np.abs(total)


def _dot(form: Floats, amount: Floats) -> Floats:
    """Contract (points, forms, size) with (points or 1, size)."""
    spread = np.broadcast_to(amount, (form.shape[0], form.shape[2]))
    return np.asarray((form @ spread[..., None])[..., 0])


def _substitute(state: _State, layer: Layer, form: Floats) -> None:
    match layer:
        case Affine():
            _affine(state, layer, form)
        case Convolution():
            _convolution(state, layer, form)
        case Scale():
            _scale(state, layer, form)
        case Sum():
            for source, sign in zip(layer.sources, layer.signs, strict=True):
                state.add(source, form if sign > 0 else -form)
        case Gather():
            _gather(state, layer, form)
        case Relu():
            _relu(state, layer, form)
        case MaxPool():
            _max_pool(state, layer, form)
        case Trees():
            state.add_constant(least_leaf_sums(layer, state.values[layer.source], form))
        case _:
            assert_never(layer)


def _affine(state: _State, layer: Affine, form: Floats) -> None:
    reach = state.values[layer.source].reach @ np.abs(layer.weight).T + np.abs(layer.bias)
    state.forget(np.abs(form), slack(form.shape[-1] + layer.weight.shape[1] + 4, reach))
    state.shift(form, layer.bias[None])
    state.add(layer.source, form @ layer.weight)


def _convolution(state: _State, layer: Convolution, form: Floats) -> None:
    bias = np.repeat(layer.bias, layer.taps.shape[1])
    reach = state.values[layer.source].reach
    magnitude = correlate(layer, np.abs(layer.kernel), reach) + np.abs(bias)
    state.forget(np.abs(form), slack(form.shape[-1] + layer.taps.shape[2] + 4, magnitude))
    state.shift(form, bias[None])
    state.add(layer.source, _transposed(layer, form, reach.shape[1] + 1))


def _transposed(layer: Convolution, form: Floats, padded: int) -> Floats:
    """Return the form of the convolution's input, shape (points, forms, inputs)."""
    groups, positions, width = layer.taps.shape
    kernels = layer.kernel.reshape(groups, -1, width)
    parts = form.reshape(*form.shape[:2], groups, kernels.shape[1], positions)
    result = np.zeros((*form.shape[:2], padded))
    for group in range(groups):
        spread = np.einsum("psmq,mt->pstq", parts[:, :, group], kernels[group], optimize=True)
        for tap in range(width):
            _add_at(result, layer.taps[group, :, tap], spread[:, :, tap])
    return result[..., :-1]


def _add_at(target: Floats, index: Integers, addend: Floats) -> None:
    """Add along the last axis; an index of -1 adds to the last entry, which nobody reads."""
    kept = index[index >= 0]
    if len(np.unique(kept)) == len(kept):
        target[..., kept] += addend[..., index >= 0]
    else:
        np.add.at(np.moveaxis(target, -1, 0), index, np.moveaxis(addend, -1, 0))


def _scale(state: _State, layer: Scale, form: Floats) -> None:
    reach = np.abs(layer.factor) * state.values[layer.source].reach + np.abs(layer.offset)
    state.forget(np.abs(form), slack(form.shape[-1] + 8, reach / np.abs(layer.divisor)))
    state.shift(form, (layer.offset / layer.divisor)[None])
    state.add(layer.source, form * (layer.factor / layer.divisor))


def _gather(state: _State, layer: Gather, form: Floats) -> None:
    sizes = [state.values[source].lower.shape[1] for source in layer.sources]
    width = sum(sizes)
    collected = np.zeros((*form.shape[:2], width + len(layer.constants) + 1))
    _add_at(collected, layer.index, form)
    reach = np.concatenate([*(state.values[source].reach for source in layer.sources)], axis=1)
    repeats = int(np.bincount(layer.index).max(initial=1))
    if repeats > 1:
        copied = np.concatenate(
            [reach, np.broadcast_to(np.abs(layer.constants), (len(reach), len(layer.constants)))], 1
        )
        state.forget(np.abs(form), slack(repeats + 2, copied[:, layer.index]))
    constants = collected[..., width:-1]
    state.forget(np.abs(constants), slack(constants.shape[-1] + 2, np.abs(layer.constants)[None]))
    state.shift(constants, layer.constants[None])
    start = 0
    for source, size in zip(layer.sources, sizes, strict=True):
        state.add(source, collected[..., start : start + size])
        start += size


def _relu(state: _State, layer: Relu, form: Floats) -> None:
    """Lines `below x <= max(0, x) <= above x + offset` on `[l, u]`.

    Above: slope `u / (u - l)`, offset so large that the computed line passes over both ends. Below: slope
    1 or 0, whichever encloses the smaller area.
    """
    interval = state.values[layer.source]
    above, offset = lines_above(interval)
    below = np.where(interval.upper > -interval.lower, 1.0, 0.0)
    below = np.where(interval.lower >= 0, 1.0, np.where(interval.upper <= 0, 0.0, below))
    positive, negative = np.maximum(form, 0.0), np.minimum(form, 0.0)
    state.forget(np.abs(form), slack(form.shape[-1] + 4, state.values[layer.source].reach + offset))
    state.shift(negative, offset)
    state.add(layer.source, positive * below[:, None] + negative * above[:, None])


def lines_above(interval: Interval) -> tuple[Floats, Floats]:
    """Return slope and offset of a line over the rectifier on an interval, each of its shape."""
    lower, upper = interval.lower, interval.upper
    crossing = (lower < 0) & (upper > 0)
    gap = np.where(crossing, upper - lower, 1.0)
    slope = np.where(crossing, upper / gap, np.where(lower >= 0, 1.0, 0.0))
    needed = np.maximum(-slope * lower, upper - slope * upper)
    raised = needed * (1 + 8 * UNIT) + 8 * UNIT * np.abs(upper)
    return slope, np.where(crossing, np.maximum(raised, 0.0), 0.0)


def _max_pool(state: _State, layer: MaxPool, form: Floats) -> None:
    """Below: the candidate with the largest lower bound. Above: it, if it dominates; else a constant."""
    interval = state.values[layer.source]
    nothing = np.full((len(interval.lower), 1), -np.inf)
    lower = np.concatenate([interval.lower, nothing], axis=1)[:, layer.windows]
    upper = np.concatenate([interval.upper, nothing], axis=1)[:, layer.windows]
    best = lower.argmax(axis=2)
    floor = lower.max(axis=2)
    others = np.where(np.arange(lower.shape[2]) == best[..., None], -np.inf, upper).max(axis=2)
    dominated = others <= floor
    ceiling = np.where(dominated, 0.0, upper.max(axis=2))
    positive, negative = np.maximum(form, 0.0), np.minimum(form, 0.0)
    chosen = np.where(dominated[:, None], form, positive)
    state.forget(np.abs(negative), slack(form.shape[-1] + 2, np.abs(ceiling)))
    state.shift(negative, ceiling)
    units = np.arange(layer.size)
    collected = np.zeros((*form.shape[:2], interval.lower.shape[1]))
    for point in range(len(form)):
        _add_at(collected[point], layer.windows[units, best[point]], chosen[point])
    state.forget(np.abs(collected), slack(layer.size + 2, state.values[layer.source].reach))
    state.add(layer.source, collected)
