"""Backward linear relaxation (DeepPoly, CROWN): forms of any value of a network become forms of its input.

A form `w v` over value v is rewritten layer by layer towards the input. A linear layer is substituted; a
rectifier is replaced by the line below it where its coefficient is positive and by the line above it
where negative (Singh et al. 2019, Zhang et al. 2018). What remains is a linear form of the input below the
one asked for, whose least value over the input set `concretize` knows.

Sound in real arithmetic: each step rewrites the inequality with the coefficients as computed and
subtracts a proved bound of what rounding changed, `slack` times the largest values the layer can take.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, assert_never

import numpy as np
import numpy.typing as npt

from ensc.compiler.passes.bounds.caps import Cap, caps_of
from ensc.compiler.passes.bounds.interval import correlate
from ensc.compiler.passes.bounds.lines import MaximumLines, RectifierLines, maximum_lines, rectifier_lines
from ensc.compiler.passes.bounds.rounding import UNIT, slack
from ensc.compiler.passes.bounds.tree_bounds import least_leaf_sums
from ensc.compiler.types.bounds import Bounds, Interval
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

_Entry = TypeVar("_Entry", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """How a layer is passed backwards, at every point of a batch.

    Attributes:
        layer: which layer.
        inputs: bounds of the values it reads.
        error: what rounding may change for each unit of a coefficient, shape (points, size).
        lines: what stands for it if it is not linear.
        columns: where the entries that an elementwise layer reads are in each source, if they are not all.
        seen: what stands for a rectifier of which a later value sees only a part.
    """

    layer: Layer
    inputs: tuple[Interval, ...]
    error: Floats
    lines: RectifierLines | MaximumLines | None
    columns: tuple[Integers, ...] | None = None
    seen: "Seen | None" = None


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Lines around a rectifier for forms over a value that is not before its only reader.

    Attributes:
        reader: the value of that reader, see `caps`.
        lines: nowhere wider than those for all forms.
    """

    reader: int
    lines: RectifierLines


@dataclass(frozen=True, slots=True, eq=False)
class Forms:
    """Linear forms over one value, each on the input set of one point.

    Attributes:
        owner: the point of each form, shape (forms,).
        coefficients: shape (forms, size of the value).
        constant: added, shape (forms,).
    """

    owner: Integers
    coefficients: Floats
    constant: Floats

    def at(self, chosen: slice | Integers) -> "Forms":
        """Return some of the forms."""
        return Forms(self.owner[chosen], self.coefficients[chosen], self.constant[chosen])


def steps_of(network: Network, bounds: Bounds) -> list[Step]:
    """Return the steps through a network whose values are all bounded."""
    caps = caps_of(network)
    return [step_of(layer, bounds.values, caps.get(i)) for i, layer in enumerate(network.layers, start=1)]


def step_of(layer: Layer, values: Sequence[Interval], cap: Cap | None = None) -> Step:
    """Return the step through one layer, whose inputs at least are bounded.

    Args:
        layer: which layer.
        values: intervals of the values before it.
        cap: how far up its result matters, if it is a rectifier.
    """
    read = (
        tuple(values[s] for s in layer.sources)
        if isinstance(layer, Sum | Gather)
        else (values[layer.source],)
    )
    reach = read[0].reach
    lines: RectifierLines | MaximumLines | None = None
    match layer:
        case Affine():
            terms, magnitude = layer.weight.shape[1], reach @ np.abs(layer.weight).T + np.abs(layer.bias)
        case Convolution():
            bias = np.repeat(np.abs(layer.bias), layer.taps.shape[1])
            terms, magnitude = layer.taps.shape[2], correlate(layer, np.abs(layer.kernel), reach) + bias
        case Scale():
            terms, magnitude = 4, np.abs(layer.factor) * reach + np.abs(layer.offset)
            magnitude = magnitude / np.abs(layer.divisor)
        case Sum():
            terms, magnitude = 0, np.zeros((1, layer.size))
        case Gather():
            terms, magnitude = 2, _gathered_reach(layer, read)
        case Relu():
            lines = rectifier_lines(read[0])
            terms, magnitude = 0, reach + lines.offset
        case MaxPool():
            lines = maximum_lines(layer, read[0])
            chosen = [np.take_along_axis(reach, index, axis=1) for index in (lines.low, lines.high)]
            terms, magnitude = 2, np.maximum(*chosen) + np.abs(lines.offset)
        case Trees():
            terms, magnitude = 0, np.zeros((1, layer.size))
        case _:
            assert_never(layer)
    # The line of a part rises less and from less, so that the same error covers it.
    seen = None if cap is None else Seen(cap.reader, rectifier_lines(read[0], cap.level))
    return Step(layer, read, slack(layer.size + terms + 4, magnitude), lines, seen=seen)


def _gathered_reach(layer: Gather, read: Sequence[Interval]) -> Floats:
    constants = np.broadcast_to(np.abs(layer.constants), (len(read[0].lower), len(layer.constants)))
    return np.concatenate([*(interval.reach for interval in read), constants], axis=1)[:, layer.index]


def rewritten(
    steps: Sequence[Step],
    inputs: Interval,
    value: int,
    forms: Forms,
    *,
    slopes: Mapping[int, Floats] | None = None,
    tape: dict[int, Floats] | None = None,
) -> Forms:
    """Return forms of the input that are nowhere above the given ones on the input sets.

    Args:
        steps: through the layers below the value at least.
        inputs: the boxes of the input sets.
        value: the value the forms are over.
        forms: the forms.
        slopes: of the lines below rectifiers, by the number of the value; in [0, 1], shape (forms, size).
        tape: is given the coefficients of every value that is not computed linearly.
    """
    state = _State(forms.owner, inputs, steps, {value: forms.coefficients}, forms.constant)
    for number in range(value, 0, -1):
        if number in state.forms:
            form, step = state.forms.pop(number), read_from(value, steps[number - 1])
            if tape is not None and step.lines is not None:
                tape[number] = form
            _substitute(state, step, form, None if slopes is None else slopes.get(number))
    nothing = np.zeros((len(forms.owner), inputs.lower.shape[1]))
    return Forms(forms.owner, state.forms.get(0, nothing), state.constant)


def read_from(value: int, step: Step) -> Step:
    """Return a step as forms over a value may take it."""
    if step.seen is None or value < step.seen.reader:
        return step
    return dataclasses.replace(step, lines=step.seen.lines)


def lines_chosen(step: Step, form: Floats, owner: Integers, below: Floats | None) -> tuple[Floats, Floats]:
    """Return slope and offset of the line that replaces each rectifier in each form."""
    lines = step.lines
    assert isinstance(lines, RectifierLines)
    usual = spread(lines.below, owner)
    lower = usual if below is None else np.where(spread(lines.open, owner), below, usual)
    positive = form > 0
    slope = np.where(positive, lower, spread(lines.above, owner))
    return slope, np.where(positive, 0.0, spread(lines.offset, owner))


def spread(amount: npt.NDArray[_Entry], owner: Integers) -> npt.NDArray[_Entry]:
    """Return what belongs to each form of what belongs to each point."""
    return amount if len(amount) == 1 else amount[owner]


def contract(form: Floats, amount: Floats) -> Floats:
    """Return `sum over the entries of form * amount` for each form; amount may have one row for all."""
    if len(amount) == 1:
        return np.asarray(form @ amount[0])
    return np.asarray(np.einsum("rk,rk->r", form, amount))


@dataclass(slots=True)
class _State:
    """`sum over v of forms[v] v + constant` is below the forms asked for; alive only in a rewrite."""

    owner: Integers
    inputs: Interval
    steps: Sequence[Step]
    forms: dict[int, Floats]
    constant: Floats

    def add(self, value: int, form: Floats, interval: Interval) -> None:
        """Add a form of a value to those already there."""
        before = self.forms.get(value)
        if before is None:
            self.forms[value] = form
            return
        self.forms[value] = before + form
        self.forget(self.forms[value], 2 * UNIT * interval.reach)

    def shift(self, form: Floats, amount: Floats) -> None:
        """Add `form * amount` to the constant; amount has shape (forms or 1, size)."""
        self.accumulate(contract(form, amount))

    def forget(self, form: Floats, error: Floats) -> None:
        """Subtract what rounding may have changed: `|form| * error`, error of shape (points, size)."""
        self.accumulate(-contract(np.abs(form), spread(error, self.owner)))

    def accumulate(self, addend: Floats) -> None:
        """Add to the constant, rounded down."""
        total = self.constant + addend
        self.constant = total - 2 * UNIT * np.abs(total)


def _substitute(state: _State, step: Step, form: Floats, below: Floats | None) -> None:
    layer, x = step.layer, step.inputs[0]
    if not isinstance(layer, Sum | Trees):
        state.forget(form, step.error)
    match layer:
        case Affine():
            state.shift(form, layer.bias[None])
            state.add(layer.source, form @ layer.weight, x)
        case Convolution():
            state.shift(form, np.repeat(layer.bias, layer.taps.shape[1])[None])
            state.add(layer.source, _transposed(layer, form, x.lower.shape[1] + 1), x)
        case Scale():
            state.shift(form, (layer.offset / layer.divisor)[None])
            state.add(layer.source, _placed(step, 0, form * (layer.factor / layer.divisor)), x)
        case Sum():
            for place, (source, sign) in enumerate(zip(layer.sources, layer.signs, strict=True)):
                part = _placed(step, place, form if sign > 0 else -form)
                state.add(source, part, step.inputs[place])
        case Gather():
            _gather(state, step, layer, form)
        case Relu():
            slope, offset = lines_chosen(step, form, state.owner, below)
            state.shift(form, offset)
            state.add(layer.source, _placed(step, 0, form * slope), x)
        case MaxPool():
            _max_pool(state, step, layer, form)
        case Trees():
            state.accumulate(_leaf_sums(layer, x, state.owner, form))
        case _:
            assert_never(layer)


def _placed(step: Step, place: int, form: Floats) -> Floats:
    """Return the form of a source that an elementwise layer may read in part."""
    if step.columns is None:
        return form
    whole = np.zeros((len(form), step.inputs[place].lower.shape[1]))
    whole[:, step.columns[place]] = form
    return whole


def _leaf_sums(layer: Trees, x: Interval, owner: Integers, form: Floats) -> Floats:
    result = np.empty(len(form))
    for point in np.flatnonzero(np.bincount(owner)):
        rows = np.flatnonzero(owner == point)
        result[rows] = least_leaf_sums(layer, x.at(slice(point, point + 1)), form[None, rows])[0]
    return result


def _transposed(layer: Convolution, form: Floats, padded: int) -> Floats:
    """Return the form of the convolution's input, shape (forms, inputs)."""
    groups, positions, width = layer.taps.shape
    kernels = layer.kernel.reshape(groups, -1, width)
    parts = form.reshape(len(form), groups, kernels.shape[1], positions)
    result = np.zeros((len(form), padded))
    for group in range(groups):
        taken = np.einsum("rmq,mt->rtq", parts[:, group], kernels[group], optimize=True)
        for tap in range(width):
            _add_at(result, layer.taps[group, :, tap], taken[:, tap])
    return result[:, :-1]


def _add_at(target: Floats, index: Integers, addend: Floats) -> None:
    """Add along the last axis; an index of -1 adds to the last entry, which nobody reads."""
    kept = index[index >= 0]
    if not len(kept) or np.bincount(kept).max() == 1:
        target[..., kept] += addend[..., index >= 0]
    else:
        np.add.at(np.moveaxis(target, -1, 0), index, np.moveaxis(addend, -1, 0))


def _gather(state: _State, step: Step, layer: Gather, form: Floats) -> None:
    sizes = [interval.lower.shape[1] for interval in step.inputs]
    collected = np.zeros((len(form), sum(sizes) + len(layer.constants) + 1))
    _add_at(collected, layer.index, form)
    constants = collected[:, sum(sizes) : -1]
    state.forget(constants, slack(len(layer.constants) + 2, np.abs(layer.constants)[None]))
    state.shift(constants, layer.constants[None])
    start = 0
    for source, size, interval in zip(layer.sources, sizes, step.inputs, strict=True):
        state.add(source, collected[:, start : start + size], interval)
        start += size


def _max_pool(state: _State, step: Step, layer: MaxPool, form: Floats) -> None:
    lines = step.lines
    assert isinstance(lines, MaximumLines)
    positive, negative = np.maximum(form, 0.0), np.minimum(form, 0.0)
    state.shift(negative, spread(lines.offset, state.owner))
    parts = ((positive, lines.low), (negative * spread(lines.above, state.owner), lines.high))
    collected = np.zeros((len(form), step.inputs[0].lower.shape[1]))
    overlap = np.bincount(layer.windows[layer.windows >= 0]).max() > 1
    rows = np.arange(len(form))[:, None]
    for part, index in parts:
        place = (rows, np.broadcast_to(spread(index, state.owner), part.shape))
        if overlap:
            np.add.at(collected, place, part)
        else:
            collected[place] += part
    state.add(layer.source, collected, step.inputs[0])
