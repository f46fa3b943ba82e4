"""The part of a network that a few neurons read: steps of a rewrite with everything else left out.

A neuron of a convolution reads a small window of the value before it, so that a form of it has coefficients
in few places; rewriting it with all places would be a thousand times the work.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from ensc.compiler.passes.bounds.lines import MaximumLines, RectifierLines
from ensc.compiler.passes.bounds.relaxation import Seen, Step
from ensc.compiler.types.bounds import InputSets
from ensc.compiler.types.network import (
    Affine,
    Convolution,
    Floats,
    Gather,
    Integers,
    Layer,
    MaxPool,
    Relu,
    Scale,
    Sum,
    Trees,
)


@dataclass(frozen=True, slots=True, eq=False)
class Cone:
    """Steps to some neurons of the last value, over the entries that they depend on.

    Attributes:
        steps: as many as before; those that nothing depends on are left as they were.
        inputs: the entries of the input that are read, ascending.
    """

    steps: list[Step]
    inputs: Integers


def cone(steps: Sequence[Step], units: Integers) -> Cone:
    """Return the cone of some units of the value behind the last step.

    Args:
        steps: from the input to the value.
        units: ascending.
    """
    kept: dict[int, Integers] = {len(steps): units}
    for number in range(len(steps), 0, -1):
        if number in kept:
            for source, read in _read(steps[number - 1], kept[number]):
                kept[source] = _present(np.concatenate([read, kept.get(source, read)]))
    narrowed = [
        _narrowed(step, kept[number], kept) if number in kept else step
        for number, step in enumerate(steps, start=1)
    ]
    return Cone(narrowed, kept.get(0, np.empty(0, dtype=np.int64)))


def sets_within(sets: InputSets, inputs: Integers) -> InputSets:
    """Return sets of some coordinates that contain what the input sets leave of them."""
    lower, upper, centre = sets.lower[:, inputs], sets.upper[:, inputs], sets.centre[:, inputs]
    return InputSets(lower, upper, centre, sets.norm, sets.radius)


def _read(step: Step, units: Integers) -> list[tuple[int, Integers]]:
    """Return which entries of each source some units of a layer read."""
    layer = step.layer
    match layer:
        case Affine():
            return [(layer.source, np.flatnonzero(layer.weight[units].any(axis=0)))]
        case Convolution():
            taps = _taps(layer, units)
            return [(layer.source, _present(taps))]
        case Scale() | Relu():
            return [(layer.source, units)]
        case Sum():
            return [(source, units) for source in layer.sources]
        case Gather():
            index, found, start = layer.index[units], [], 0
            for source, interval in zip(layer.sources, step.inputs, strict=True):
                size = interval.lower.shape[1]
                inside = index[(index >= start) & (index < start + size)] - start
                found.append((source, _present(inside)))
                start += size
            return found
        case MaxPool():
            return [(layer.source, _present(layer.windows[units]))]
        case Trees():
            return [(layer.source, np.arange(step.inputs[0].lower.shape[1]))]
        case _:
            assert_never(layer)


def _taps(layer: Convolution, units: Integers) -> Integers:
    positions = layer.taps.shape[1]
    group = units // positions // (layer.kernel.shape[0] // layer.taps.shape[0])
    return np.asarray(layer.taps[group, units % positions])


def _present(index: Integers) -> Integers:
    """Return the entries that occur, ascending; -1 is none."""
    return np.flatnonzero(np.bincount(index[index >= 0], minlength=1))


def _narrowed(step: Step, units: Integers, kept: dict[int, Integers]) -> Step:
    layer = step.layer
    sources = layer.sources if isinstance(layer, Sum | Gather) else (layer.source,)
    inputs = tuple(
        dataclasses.replace(interval, lower=interval.lower[:, kept[s]], upper=interval.upper[:, kept[s]])
        for interval, s in zip(step.inputs, sources, strict=True)
    )
    error = step.error if step.error.shape[1] == 1 else step.error[:, units]
    lines = step.lines
    match lines:
        case RectifierLines():
            lines = _some_lines(lines, units)
        case MaximumLines():
            place = _places(kept[sources[0]])
            lines = MaximumLines(
                place(lines.low[:, units]),
                place(lines.high[:, units]),
                lines.above[:, units],
                lines.offset[:, units],
            )
        case None:
            pass
        case _:
            assert_never(lines)
    columns = None
    if isinstance(layer, Scale | Relu | Sum):
        columns = tuple(np.searchsorted(kept[s], units) for s in sources)
    seen = None if step.seen is None else Seen(step.seen.reader, _some_lines(step.seen.lines, units))
    return Step(_narrowed_layer(step, units, kept), inputs, error, lines, columns, seen)


def _some_lines(lines: RectifierLines, units: Integers) -> RectifierLines:
    below, above, offset = (part[:, units] for part in (lines.below, lines.above, lines.offset))
    return RectifierLines(below, above, offset, lines.open[:, units])


def _places(kept: Integers) -> Callable[[Integers], Integers]:
    """Return a function from entries to their positions among those kept; -1 stays."""
    return lambda index: np.where(index >= 0, np.searchsorted(kept, index), -1)


def _narrowed_layer(step: Step, units: Integers, kept: dict[int, Integers]) -> Layer:
    layer = step.layer
    match layer:
        case Affine():
            return dataclasses.replace(
                layer, weight=layer.weight[np.ix_(units, kept[layer.source])], bias=layer.bias[units]
            )
        case Convolution():
            channels = units // layer.taps.shape[1]
            weight = _dense(_taps(layer, units), layer.kernel[channels], kept[layer.source])
            return Affine(layer.source, weight, layer.bias[channels], layer.name)
        case Scale():
            return Scale(
                layer.source, layer.factor[units], layer.offset[units], layer.divisor[units], layer.name
            )
        case Sum() | Relu():
            return dataclasses.replace(layer, size=len(units))
        case Gather():
            return dataclasses.replace(layer, index=_gathered(step, layer, units, kept))
        case MaxPool():
            return dataclasses.replace(layer, windows=_places(kept[layer.source])(layer.windows[units]))
        case Trees():
            return layer
        case _:
            assert_never(layer)


def _dense(taps: Integers, kernel: Floats, kept: Integers) -> Floats:
    """Return the weights of a convolution's units on the entries that they read."""
    weight = np.zeros((len(taps), len(kept) + 1))
    place = np.where(taps >= 0, np.searchsorted(kept, taps), len(kept))
    np.add.at(weight, (np.arange(len(taps))[:, None], place), kernel)
    return weight[:, :-1]


def _gathered(step: Step, layer: Gather, units: Integers, kept: dict[int, Integers]) -> Integers:
    index = layer.index[units]
    result, start, placed = np.full_like(index, -1), 0, 0
    for source, interval in zip(layer.sources, step.inputs, strict=True):
        size = interval.lower.shape[1]
        inside = (index >= start) & (index < start + size)
        result[inside] = placed + np.searchsorted(kept[source], index[inside] - start)
        start, placed = start + size, placed + len(kept[source])
    return np.where(index >= start, index - start + placed, result)
