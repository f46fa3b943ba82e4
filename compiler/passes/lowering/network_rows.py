"""Network -> variables and constraints of one copy for each attack and point, exactly.

Every number stays the file's own: a division becomes a coefficient on the result, a bias the right-hand
side, and nothing is folded that would have to be rounded. What a plan says is not needed gets no
variable: a value is an array of variables in which `ZERO` stands for the constant 0.
"""

from dataclasses import dataclass
from functools import partial
from typing import assert_never

import numpy as np

from ensc.compiler.passes.bounds.rounding import short_down, short_up
from ensc.compiler.passes.lowering.assemble import Assembler
from ensc.compiler.passes.lowering.tree_rows import Copy, add_trees
from ensc.compiler.passes.scopes.plan import Plan
from ensc.compiler.types.model import Flags, Floats, Indices, Labels, Maxima, Rectifiers
from ensc.compiler.types.network import (
    Affine,
    Convolution,
    Gather,
    Layer,
    MaxPool,
    Network,
    Relu,
    Scale,
    Sum,
    Trees,
)

ZERO = -1
"""Stands for the constant 0 where a variable is expected."""


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """The copies of one network that a model holds: attacks × points.

    Attributes:
        front: the indices before the point (member, attack), arrays that broadcast to (attacks, 1).
        points: the index of each point, shape (points,), or nothing where there is only one.
        plan: what of the network is lowered, for these points.
        title: what headers call the network.
    """

    front: tuple[Indices, ...]
    points: tuple[Indices, ...]
    plan: Plan
    title: str


def add_network(
    assembler: Assembler, network: Network, copies: Copies, inputs: Indices, *, until: int | None = None
) -> list[Indices]:
    """Add all copies of a network to a model.

    Args:
        assembler: where to.
        network: the function.
        copies: which copies.
        inputs: the input variables, shape (attacks, points, inputs).
        until: the last value to lower; the output, unless given.

    Returns:
        The variables of every value, shape (attacks, points, size) each.
    """
    values = [inputs]
    last = network.output if until is None else until
    for number, layer in enumerate(network.layers[:last], start=1):
        values.append(_add_layer(_Lowering(assembler, copies, number, inputs.shape[:2]), layer, values))
    return values


@dataclass(frozen=True, slots=True, eq=False)
class _Lowering:
    """Where one layer goes: the model, the copies, the layer's number, (attacks, points)."""

    assembler: Assembler
    copies: Copies
    number: int
    shape: tuple[int, ...]

    @property
    def needed(self) -> Flags:
        return self.copies.plan.needed[self.number]

    @property
    def active(self) -> Flags:
        return self.copies.plan.active[self.number]

    def labels(self, prefix: str, points: Indices, *more: Indices) -> Labels:
        """Name something for every attack and every listed point."""
        place = tuple(axis[points] for axis in self.copies.points)
        return Labels(prefix, (*self.copies.front, *place, np.array(self.number), *more))

    def numbered(self, point: int, prefix: str, numbers: Indices) -> Labels:
        """Name numbered things of one point for every attack."""
        return self.labels(prefix, np.full(len(numbers), point), numbers)

    def neurons(self, prefix: str, points: Indices, units: Indices) -> Indices:
        """Add one variable for every attack and listed (point, unit), within its bounds."""
        interval = self.copies.plan.bounds.values[self.number]
        lower = short_down(interval.lower[points, units])
        upper = short_up(interval.upper[points, units])
        ids = self.assembler.variables(self.labels(prefix, points, units + 1), lower, upper)
        return np.broadcast_to(ids, (self.shape[0], len(points)))

    def meaning(self, text: str) -> str:
        return f"{self.copies.title}, layer {self.number}: {text}"

    def define(
        self,
        points: Indices,
        units: Indices,
        columns: Indices,
        coefficients: Floats,
        rhs: Floats,
        *,
        text: str,
    ) -> Indices:
        """Add neurons `y` with `coefficients (y, columns) = rhs`; return y for all points and units.

        Args:
            points: shape (pairs,).
            units: shape (pairs,).
            columns: shape (attacks, pairs, terms).
            coefficients: shape (pairs, 1 + terms), that of y first.
            rhs: shape (pairs,).
            text: what the rows say.
        """
        y = self.neurons("a", points, units)
        entries = np.concatenate([y[..., None], columns], axis=-1)
        self.assembler.rows(entries, coefficients, rhs, rhs, self.meaning(text))
        return self.scatter(points, units, y)

    def scatter(self, points: Indices, units: Indices, variables: Indices) -> Indices:
        """Return (attacks, points, size) with the variables at their places and ZERO elsewhere."""
        whole = np.full((*self.shape, self.needed.shape[1]), ZERO, dtype=np.int64)
        whole[:, points, units] = variables
        return whole


def _add_layer(to: _Lowering, layer: Layer, values: list[Indices]) -> Indices:
    match layer:
        case Affine():
            return _affine(to, layer, values[layer.source])
        case Convolution():
            return _convolution(to, layer, values[layer.source])
        case Scale():
            return _scale(to, layer, values[layer.source])
        case Sum():
            return _sum(to, layer, values)
        case Gather():
            return _gather(to, layer, values)
        case Relu():
            return _relu(to, values[layer.source])
        case MaxPool():
            return _max_pool(to, layer, values[layer.source])
        case Trees():
            return _trees(to, layer, values[layer.source])
        case _:
            assert_never(layer)


def _affine(to: _Lowering, layer: Affine, x: Indices) -> Indices:
    """`a - W x = b`."""
    points, units = np.nonzero(to.needed)
    coefficients = np.concatenate([np.ones((len(units), 1)), -layer.weight[units]], axis=1)
    return to.define(points, units, x[:, points], coefficients, layer.bias[units], text="a - W x = b")


def _convolution(to: _Lowering, layer: Convolution, x: Indices) -> Indices:
    """`a[m, q] - sum_k K[m, k] x[taps[q, k]] = b[m]`."""
    points, units = np.nonzero(to.needed)
    channels, positions = units // layer.taps.shape[1], units % layer.taps.shape[1]
    groups = channels // (layer.kernel.shape[0] // layer.taps.shape[0])
    taps = layer.taps[groups, positions]
    columns = np.where(taps >= 0, x[:, points[:, None], taps], ZERO)
    coefficients = np.concatenate([np.ones((len(units), 1)), -layer.kernel[channels]], axis=1)
    return to.define(points, units, columns, coefficients, layer.bias[channels], text="a - K * x = b")


def _scale(to: _Lowering, layer: Scale, x: Indices) -> Indices:
    """`divisor y - factor x = offset`."""
    points, units = np.nonzero(to.needed)
    coefficients = np.stack([layer.divisor, -layer.factor], axis=-1)[units]
    columns = x[:, points, units][..., None]
    text = "divisor a - factor x = offset"
    return to.define(points, units, columns, coefficients, layer.offset[units], text=text)


def _sum(to: _Lowering, layer: Sum, values: list[Indices]) -> Indices:
    """`a - sum sign x = 0`, a source that occurs twice counted once with the sum of its signs."""
    points, units = np.nonzero(to.needed)
    weights: dict[int, float] = {}
    for source, sign in zip(layer.sources, layer.signs, strict=True):
        weights[source] = weights.get(source, 0.0) + sign
    columns = np.stack([values[source][:, points, units] for source in weights], axis=-1)
    coefficients = np.tile([1.0, *(-w for w in weights.values())], (len(units), 1))
    columns, coefficients = _without_repeats(columns, coefficients)
    return to.define(points, units, columns, coefficients, np.zeros(len(units)), text="a = sum of x")


def _without_repeats(columns: Indices, coefficients: Floats) -> tuple[Indices, Floats]:
    """Where two values are the same variable, let the first one carry both coefficients.

    Which values share a variable does not depend on the attack: the first attack shows it.
    """
    merged = coefficients.copy()
    for later in range(1, columns.shape[-1]):
        for earlier in range(later):
            same = (columns[0, :, later] == columns[0, :, earlier]) & (columns[0, :, later] >= 0)
            moved = np.where(same, merged[:, 1 + later], 0.0)
            merged[:, 1 + earlier] += moved
            merged[:, 1 + later] -= moved
    return columns, merged


def _gather(to: _Lowering, layer: Gather, values: list[Indices]) -> Indices:
    """Copy variables; only a constant, or an entry copied before, needs a variable of its own."""
    computed = np.concatenate([values[source] for source in layer.sources], axis=-1)
    constants = np.full((*computed.shape[:-1], len(layer.constants)), ZERO, dtype=np.int64)
    y: Indices = np.concatenate([computed, constants], axis=-1)[..., layer.index]
    constant = layer.index >= computed.shape[-1]
    fixed = to.needed & constant
    if fixed.any():
        points, units = np.nonzero(fixed)
        y[:, points, units] = to.neurons("a", points, units)
    return _distinct(to, y)


def _distinct(to: _Lowering, y: Indices) -> Indices:
    """Give every variable that occurs again within a value a copy: a row must not name one twice.

    Where variables repeat does not depend on the attack: the first attack shows it.
    """
    order = np.argsort(y[0], axis=-1, kind="stable")
    ordered = np.take_along_axis(y[0], order, axis=-1)
    again = np.zeros(ordered.shape, dtype=np.bool_)
    again[:, 1:] = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    if not again.any():
        return y
    repeated = np.empty_like(again)
    np.put_along_axis(repeated, order, again, axis=-1)
    points, units = np.nonzero(repeated & to.needed)
    pairs = np.tile([1.0, -1.0], (len(units), 1))
    columns = y[:, points, units][..., None]
    fresh = to.define(points, units, columns, pairs, np.zeros(len(units)), text="a = x")
    return np.where(fresh == ZERO, y, fresh)


def _relu(to: _Lowering, x: Indices) -> Indices:
    """`h = max(0, a)` with phases `z`; where the input is never negative, h is a."""
    points, units = np.nonzero(to.needed & ~to.active)
    h = to.neurons("h", points, units)
    whole = to.scatter(points, units, h)
    labels = to.labels("z", points, units + 1)
    to.assembler.rectifiers.append(Rectifiers(h.ravel(), x[:, points, units].ravel(), (labels,)))
    return np.where(to.active, x, whole)


def _max_pool(to: _Lowering, layer: MaxPool, x: Indices) -> Indices:
    """`h = max(a_1, ..., a_n)` with selectors `z`; where one candidate dominates, h is that one."""
    alive = to.copies.plan.candidates[to.number]
    open_ = to.needed & ~to.active
    points, units = np.nonzero(open_)
    h = to.neurons("h", points, units)
    whole = to.scatter(points, units, h)
    pairs, places = np.nonzero(alive[points, units])
    candidates = x[:, points[pairs], layer.windows[units[pairs], places]]
    if (candidates == ZERO).any():
        candidates = np.where(candidates == ZERO, to.assembler.zero(), candidates)
    attacks = to.shape[0]
    widths = np.tile(np.bincount(pairs, minlength=len(units)), attacks)
    starts = np.concatenate([[0], np.cumsum(widths)])
    labels = to.labels("z", points[pairs], units[pairs] + 1, places + 1)
    to.assembler.maxima.append(Maxima(h.ravel(), starts, candidates.ravel(), (labels,)))
    points, units = np.nonzero(to.active)
    winners = layer.windows[units, alive[points, units].argmax(axis=-1)]
    whole[:, points, units] = x[:, points, winners]
    return _distinct(to, whole)


def _trees(to: _Lowering, layer: Trees, x: Indices) -> Indices:
    """`a - sum values z = bias` over the leaves `z`, of which one is chosen in each tree."""
    y = np.full((*to.shape, layer.size), ZERO, dtype=np.int64)
    plan = to.copies.plan
    box = (plan.bounds if plan.certain is None else plan.certain).values[layer.source]
    reachable = to.copies.plan.candidates[to.number][:, 0]
    for point in np.flatnonzero(to.needed.any(axis=1)).tolist():
        copy = Copy(
            layer,
            reachable[point],
            box.lower[point],
            box.upper[point],
            x[:, point],
            partial(to.numbered, point),
            to.meaning,
        )
        leaves, z = add_trees(to.assembler, copy)
        units = np.flatnonzero(to.needed[point])
        points = np.full(len(units), point)
        columns = np.broadcast_to(z[:, None], (len(z), len(units), len(leaves)))
        coefficients = np.concatenate(
            [np.ones((len(units), 1)), -layer.values[np.ix_(leaves, units)].T], axis=1
        )
        text = "a - values z = bias"
        defined = to.define(points, units, columns, coefficients, layer.bias[units], text=text)
        y[:, point] = defined[:, point]
    return y
