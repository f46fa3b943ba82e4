"""Slopes of the lines below rectifiers, climbed for every form of its own (as alpha-CROWN, Xu et al. 2021).

Any slope in [0, 1] is sound, so that what is computed here only makes bounds good. The bound is, for fixed
slopes, the value of the chosen lines at the input where it is attained; by how much it changes with a slope
is therefore the coefficient of the rectifier times its input there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from ensc.compiler.passes.bounds.concretize import least, lowest
from ensc.compiler.passes.bounds.interval import correlate
from ensc.compiler.passes.bounds.lines import MaximumLines, RectifierLines
from ensc.compiler.passes.bounds.multipliers import combined, multipliers
from ensc.compiler.passes.bounds.relaxation import Forms, Step, lines_chosen, read_from, rewritten, spread
from ensc.compiler.types.bounds import InputSets, Interval
from ensc.compiler.types.network import (
    Affine,
    Convolution,
    Flags,
    Floats,
    Gather,
    Integers,
    MaxPool,
    Relu,
    Scale,
    Sum,
    Trees,
)

_FIRST_STRIDE, _DECAY = 0.6, 0.7


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Lower bounds of forms, and the input forms that they come from.

    Attributes:
        bound: shape (forms,).
        forms: of the input, nowhere above the forms asked for on the part of the input sets that matters.
    """

    bound: Floats
    forms: Forms


def least_forms(
    steps: Sequence[Step], sets: InputSets, value: int, forms: Forms, *, rounds: int = 0
) -> Found:
    """Return lower bounds of linear forms of one value over the input sets.

    Args:
        steps: through the layers below the value at least.
        sets: the input sets of a batch of points.
        value: the value the forms are over.
        forms: the forms.
        rounds: how often the slopes below rectifiers are improved.
    """
    slopes: dict[int, Floats] = {}
    best: Found | None = None
    helpers: Floats | None = None
    for number in range(rounds + 1):
        tape: dict[int, Floats] = {}
        below = rewritten(steps, Interval(sets.lower, sets.upper), value, forms, slopes=slopes, tape=tape)
        if sets.asserted is not None:
            helpers = multipliers(sets, below.owner, below.coefficients, helpers)
        bound = _bound(sets, below, helpers)
        best = Found(bound, below) if best is None else _better(best, Found(bound, below))
        if number == rounds or not any(isinstance(steps[n - 1].lines, RectifierLines) for n in tape):
            break
        x = lowest(sets, below.owner, _bent(sets, below, helpers))
        climb(slopes, steps[:value], tape, x, below.owner, number)
    assert best is not None
    return best


def _bound(sets: InputSets, forms: Forms, helpers: Floats | None) -> Floats:
    total = forms.constant + least(sets, forms.owner, forms.coefficients, helpers)
    return np.asarray(total - slack_of(forms.constant, total))


def slack_of(constant: Floats, total: Floats) -> Floats:
    """Bound the rounding error of a sum of a constant and something else."""
    return 2.0**-51 * (np.abs(constant) + np.abs(total))


def _bent(sets: InputSets, forms: Forms, helpers: Floats | None) -> Floats:
    """Return the coefficients less `sum m g`, by which the asserted half-spaces bend each form."""
    if helpers is None or sets.asserted is None:
        return forms.coefficients
    return forms.coefficients - combined(sets.asserted, forms.owner, helpers)


def _better(a: Found, b: Found) -> Found:
    first = a.bound >= b.bound
    return Found(np.where(first, a.bound, b.bound), forms_where(first, a.forms, b.forms))


def forms_where(which: Flags, a: Forms, b: Forms) -> Forms:
    """Return forms of `a` where chosen, shape (forms,), else those of `b`; both have the same owners."""
    return Forms(
        a.owner,
        np.where(which[:, None], a.coefficients, b.coefficients),
        np.where(which, a.constant, b.constant),
    )


def climb(
    slopes: dict[int, Floats],
    steps: Sequence[Step],
    tape: Mapping[int, Floats],
    x: Floats,
    owner: Integers,
    number: int,
) -> None:
    """Move the slopes uphill, at most by a stride that shrinks.

    Args:
        slopes: by the number of the value; changed.
        steps: through the layers below the value that the forms are over.
        tape: coefficients from a rewrite with these slopes.
        x: where each form is attained, shape (forms, inputs).
        owner: the point of each form.
        number: of earlier moves.
    """
    steps = [read_from(len(steps), step) for step in steps]
    values = _forward(steps, x, owner, tape, slopes)
    stride = _FIRST_STRIDE * _DECAY**number
    for place, form in tape.items():
        lines, layer = steps[place - 1].lines, steps[place - 1].layer
        if not isinstance(lines, RectifierLines) or not isinstance(layer, Relu):
            continue
        source = values[layer.source]
        assert source is not None
        columns = steps[place - 1].columns
        if columns is not None:
            source = source[:, columns[0]]
        rise = np.where(spread(lines.open, owner), np.maximum(form, 0.0) * source, 0.0)
        largest = np.abs(rise).max(axis=1, keepdims=True)
        before = slopes.get(place)
        if before is None:
            before = np.broadcast_to(spread(lines.below, owner), form.shape)
        step = stride * np.sign(rise) * np.sqrt(np.abs(rise) / np.where(largest > 0, largest, 1.0))
        slopes[place] = np.clip(before + step, 0.0, 1.0)


def _forward(
    steps: Sequence[Step],
    x: Floats,
    owner: Integers,
    tape: Mapping[int, Floats],
    slopes: Mapping[int, Floats],
) -> list[Floats | None]:
    """Return every value that a line is chosen for, or that leads there, at an input of each form."""
    values: list[Floats | None] = [x]
    for number, step in enumerate(steps, start=1):
        layer = step.layer
        read = [values[s] for s in (layer.sources if isinstance(layer, Sum | Gather) else (layer.source,))]
        known = [v for v in read if v is not None]
        if len(known) < len(read) or (step.lines is not None and number not in tape):
            values.append(None)
            continue
        if step.columns is not None:
            known = [v[:, columns] for v, columns in zip(known, step.columns, strict=True)]
        values.append(_at(step, known, owner, tape.get(number), slopes.get(number)))
    return values


def _at(
    step: Step, read: Sequence[Floats], owner: Integers, form: Floats | None, below: Floats | None
) -> Floats | None:
    layer, x = step.layer, read[0]
    match layer:
        case Affine():
            return np.asarray(x @ layer.weight.T + layer.bias)
        case Convolution():
            return correlate(layer, layer.kernel, x) + np.repeat(layer.bias, layer.taps.shape[1])
        case Scale():
            return (layer.factor * x + layer.offset) / layer.divisor
        case Sum():
            return np.asarray(sum(s * v for s, v in zip(layer.signs, read, strict=True)))
        case Gather():
            constants = np.broadcast_to(layer.constants, (len(x), len(layer.constants)))
            return np.concatenate([*read, constants], axis=1)[:, layer.index]
        case Relu():
            assert form is not None
            slope, offset = lines_chosen(step, form, owner, below)
            return slope * x + offset
        case MaxPool():
            assert form is not None
            return _maximum(step, x, owner, form)
        case Trees():
            return None
        case _:
            assert_never(layer)


def _maximum(step: Step, x: Floats, owner: Integers, form: Floats) -> Floats:
    lines = step.lines
    assert isinstance(lines, MaximumLines)
    low, high = (np.broadcast_to(spread(i, owner), form.shape) for i in (lines.low, lines.high))
    above = spread(lines.above, owner) * np.take_along_axis(x, high, axis=1) + spread(lines.offset, owner)
    return np.where(form > 0, np.take_along_axis(x, low, axis=1), above)
