"""Branch and bound over the signs of rectifier inputs, where demands on logits are asserted.

A neuron whose sign is open makes two cases. In each one its rectifier is linear, and its sign is a half-space
more that contains what matters (as the multipliers of beta-CROWN, Wang et al. 2021, but for bounds of every
network that reads the same input). A case in which the demands contradict the bounds is closed; the search
goes level by level, so that all cases of a level are bounded together.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ensc.compiler.passes.bounds.asserted_bounds import Asserted, Demand, is_empty
from ensc.compiler.passes.bounds.relaxation import Forms, rewritten, step_of, steps_of
from ensc.compiler.passes.bounds.relaxed_bounds import relaxed_bounds, shortfalls
from ensc.compiler.passes.bounds.slopes import least_forms
from ensc.compiler.passes.bounds.surrogates import ROUNDS, surrogate
from ensc.compiler.types.bounds import Bounds, HalfSpaces, InputSets, Interval
from ensc.compiler.types.network import Flags, Floats, Integers, Network, Relu

AT_ONCE = 64
"""Cases that are bounded together."""

MOST_SIGNS = 24
"""Half-spaces of decided signs that a case keeps, the latest ones."""

MOST_LEFT = 4
"""Cases without open signs that are left, beyond which no contradiction is expected."""

LAST_ROUNDS = 200
"""How often multipliers are improved where there is nothing left to decide."""

BELOW = 0.5
"""What the gap below a rectifier counts, compared with the one above: a better slope may close it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Cases:
    """Cases of one level.

    Attributes:
        root: the input set each one is a part of.
        found: their input sets and bounds.
        signs: half-spaces of the signs that are decided, as many for each case.
        demands: of every network.
    """

    root: Integers
    found: Asserted
    signs: HalfSpaces
    demands: tuple[Demand, ...]

    def at(self, chosen: Integers) -> "_Cases":
        """Return some of the cases."""
        return _Cases(
            self.root[chosen],
            Asserted(
                np.arange(len(chosen)),
                self.found.sets.at(chosen),
                tuple(bound.at(chosen) for bound in self.found.bounds),
            ),
            self.signs.at(chosen),
            tuple(demand.at(chosen) for demand in self.demands),
        )


def branched(
    networks: Sequence[Network], found: Asserted, demands: Sequence[Demand], *, most: int
) -> Asserted:
    """Look for contradictions case by case.

    Args:
        networks: the networks; all read the same input.
        found: what the demands leave, at some points.
        demands: of every network, at these points.
        most: cases that are bounded, at most.

    Returns:
        What the cases leave, with bounds that hold in all that are not closed; its points are positions
        among those of `found`.
    """
    points, inputs = found.sets.lower.shape
    nothing = HalfSpaces(np.zeros((points, 0, inputs)), np.zeros((points, 0)))
    cases = _Cases(np.arange(points), found, nothing, tuple(demands))
    left: list[_Cases] = []
    spent = 0
    while len(cases.root):
        best = _best_units(networks, cases)
        going = np.flatnonzero(best.gain > 0)
        left.append(_withstanding(networks, cases.at(np.flatnonzero(best.gain <= 0))))
        spent += 2 * len(going)
        if spent > most or sum(len(part.root) for part in left) > MOST_LEFT:
            left.append(cases.at(going))
            break
        places = [going[i : i + AT_ONCE // 2] for i in range(0, len(going), AT_ONCE // 2)]
        parts = [_children(networks, cases.at(place), best.at(place)) for place in places]
        cases = _joined(parts) if parts else cases.at(going)
    return _hull(found, left)


def _withstanding(networks: Sequence[Network], cases: _Cases) -> _Cases:
    """Return the cases without open signs that withstand a longer search for multipliers."""
    if not len(cases.root):
        return cases
    sets = dataclasses.replace(cases.found.sets, asserted=cases.signs)
    _, alive = _demanded(networks, sets, cases.found.bounds, cases.demands, rounds=LAST_ROUNDS)
    return cases.at(np.flatnonzero(alive))


def _hull(found: Asserted, left: Sequence[_Cases]) -> Asserted:
    """Return for each point at which cases are left bounds that contain those of all of them."""
    parts = [part for part in left if len(part.root)]
    root = np.concatenate([np.zeros(0, dtype=np.int64), *(part.root for part in parts)])
    order = np.argsort(root, kind="stable")
    kept, starts = np.unique(root[order], return_index=True)
    if not len(kept):
        nowhere = np.zeros(0, dtype=np.int64)
        return Asserted(nowhere, found.sets.at(nowhere), tuple(b.at(nowhere) for b in found.bounds))
    joined = [Bounds.joined(each) for each in zip(*(p.found.bounds for p in parts), strict=True)]
    bounds = tuple(
        Bounds(
            tuple(
                Interval(
                    np.minimum.reduceat(each.lower[order], starts),
                    np.maximum.reduceat(each.upper[order], starts),
                )
                for each in network.values
            )
        )
        for network in joined
    )
    return Asserted(kept, found.sets.at(kept), bounds)


@dataclass(frozen=True, slots=True, eq=False)
class _Units:
    """The neuron that each case is split at: its network, the value, its place there, and what it costs."""

    network: Integers
    value: Integers
    unit: Integers
    gain: Floats

    def at(self, chosen: Integers) -> "_Units":
        return _Units(self.network[chosen], self.value[chosen], self.unit[chosen], self.gain[chosen])


def _best_units(networks: Sequence[Network], cases: _Cases) -> _Units:
    """Choose for each case the rectifier whose lines take most from the bound of a demand."""
    count = len(cases.root)
    first = np.zeros(count, dtype=np.int64)
    best = _Units(first, first, first, np.zeros(count))
    for c, (network, bounds, demand) in enumerate(
        zip(networks, cases.found.bounds, cases.demands, strict=True)
    ):
        for value, cost in _costs(network, cases.found.sets, bounds, demand):
            unit = cost.argmax(axis=1)
            gain = np.take_along_axis(cost, unit[:, None], axis=1)[:, 0]
            better = gain > best.gain
            best = _Units(
                np.where(better, c, best.network),
                np.where(better, value, best.value),
                np.where(better, unit, best.unit),
                np.where(better, gain, best.gain),
            )
    return best


def _costs(network: Network, sets: InputSets, bounds: Bounds, demand: Demand) -> list[tuple[int, Floats]]:
    """Return for the input of each rectifier layer what its lines cost, shape (cases, size)."""
    count, width, _ = demand.forms.shape
    if not width:
        return []
    forms = shortfalls(demand.forms)
    steps, tape = steps_of(network, bounds), dict[int, Floats]()
    rewritten(steps, Interval(sets.lower, sets.upper), network.output, forms, tape=tape)
    result = []
    for number, form in tape.items():
        layer = network.layers[number - 1]
        if isinstance(layer, Relu):
            interval = bounds.values[layer.source]
            lower, upper = np.minimum(interval.lower, 0.0), np.maximum(interval.upper, 0.0)
            above = -lower * upper / np.maximum(upper - lower, 1e-300)
            below = BELOW * np.minimum(upper, -lower)
            cost = np.where(form > 0, form * below[forms.owner], -form * above[forms.owner])
            result.append((layer.source, np.asarray(cost.reshape(count, width, -1).sum(axis=1))))
    return result


def _children(networks: Sequence[Network], cases: _Cases, best: _Units) -> _Cases:
    """Split every case at its neuron and bound both parts; what is empty falls away."""
    twice = np.tile(np.arange(len(cases.root)), 2)
    cases, best = cases.at(twice), best.at(twice)
    up = np.arange(len(twice)) < len(twice) // 2
    bounds = tuple(_decided(bound, best, up, best.network == c) for c, bound in enumerate(cases.found.bounds))
    sign = _sign(networks, cases.found.sets, bounds, best, up)
    signs = HalfSpaces(
        np.concatenate([cases.signs.forms, sign.forms], axis=1)[:, -MOST_SIGNS:],
        np.concatenate([cases.signs.offsets, sign.offsets], axis=1)[:, -MOST_SIGNS:],
    )
    sets = dataclasses.replace(cases.found.sets, asserted=signs)
    spaces, alive = _demanded(networks, sets, bounds, cases.demands)
    kept = np.flatnonzero(alive)
    sets = dataclasses.replace(sets, asserted=spaces).at(kept)
    bounds = tuple(
        relaxed_bounds(network, sets, bound.at(kept)) for network, bound in zip(networks, bounds, strict=True)
    )
    left = np.flatnonzero(~np.logical_or.reduce([is_empty(bound) for bound in bounds]))
    kept = kept[left]
    return _Cases(
        cases.root[kept],
        Asserted(np.arange(len(kept)), sets.at(left), tuple(bound.at(left) for bound in bounds)),
        signs.at(kept),
        tuple(demand.at(kept) for demand in cases.demands),
    )


def _demanded(
    networks: Sequence[Network],
    sets: InputSets,
    bounds: Sequence[Bounds],
    demands: Sequence[Demand],
    *,
    rounds: int = ROUNDS,
) -> tuple[HalfSpaces, Flags]:
    """Return one half-space for each demand, and where all demands may hold.

    With `f x + c >= w logits - least` and the half-spaces `g x + h >= 0` of signs, the demand and the signs
    hold only where `f x + c + sum m (g x + h) >= 0`; the multipliers m are those that come nearest to
    refuting the demand.
    """
    signs = sets.asserted
    assert signs is not None
    forms, offsets = [signs.forms[:, :0]], [signs.offsets[:, :0]]
    alive = np.ones(len(sets.lower), dtype=np.bool_)
    for network, bound, demand in zip(networks, bounds, demands, strict=True):
        count, width, _ = demand.forms.shape
        if not width:
            continue
        asked = shortfalls(demand.forms, demand.least)
        found = surrogate(steps_of(network, bound), sets, network.output, asked, rounds=rounds)
        void = ~demand.forms.any(axis=2)
        forms.append(-found.forms.coefficients.reshape(count, width, -1))
        offsets.append(np.where(void, 1.0, -found.forms.constant.reshape(count, width)))
        alive &= (~(found.bound.reshape(count, width) > 0) | void).all(axis=1)
    return HalfSpaces(np.concatenate(forms, axis=1), np.concatenate(offsets, axis=1)), alive


def _decided(bounds: Bounds, best: _Units, up: Flags, mine: Flags) -> Bounds:
    """Return bounds where the sign of one value of each case is known."""
    values = list(bounds.values)
    for value in np.unique(best.value[mine]).tolist():
        lower, upper = values[value].lower.copy(), values[value].upper.copy()
        rows = np.flatnonzero(mine & (best.value == value))
        positive, negative = rows[up[rows]], rows[~up[rows]]
        lower[positive, best.unit[positive]] = 0.0
        upper[negative, best.unit[negative]] = 0.0
        values[value] = Interval(lower, upper)
    return Bounds(tuple(values))


def _sign(
    networks: Sequence[Network], sets: InputSets, bounds: Sequence[Bounds], best: _Units, up: Flags
) -> HalfSpaces:
    """Return for each case the half-space in which its neuron may have its sign."""
    forms, offsets = np.zeros((len(up), 1, sets.lower.shape[1])), np.ones((len(up), 1))
    for c, value in sorted(set(zip(best.network.tolist(), best.value.tolist(), strict=True))):
        rows = np.flatnonzero((best.network == c) & (best.value == value))
        known = bounds[c].values
        steps = [step_of(layer, known) for layer in networks[c].layers[:value]]
        wanted = np.zeros((len(rows), known[value].lower.shape[1]))
        wanted[np.arange(len(rows)), best.unit[rows]] = np.where(up[rows], -1.0, 1.0)
        below = least_forms(steps, sets, value, Forms(rows, wanted, np.zeros(len(rows)))).forms
        forms[rows, 0], offsets[rows, 0] = -below.coefficients, -below.constant
    return HalfSpaces(forms, offsets)


def _joined(parts: Sequence[_Cases]) -> _Cases:
    if len(parts) == 1:
        return parts[0]
    root = np.concatenate([part.root for part in parts])
    return _Cases(
        root,
        Asserted(
            np.arange(len(root)),
            _sets_joined([part.found.sets for part in parts]),
            tuple(Bounds.joined(each) for each in zip(*(p.found.bounds for p in parts), strict=True)),
        ),
        _spaces_joined([part.signs for part in parts]),
        tuple(
            Demand(np.concatenate([d.forms for d in each]), np.concatenate([d.least for d in each]))
            for each in zip(*(part.demands for part in parts), strict=True)
        ),
    )


def _sets_joined(parts: Sequence[InputSets]) -> InputSets:
    return dataclasses.replace(
        parts[0],
        lower=np.concatenate([part.lower for part in parts]),
        upper=np.concatenate([part.upper for part in parts]),
        centre=np.concatenate([part.centre for part in parts]),
        asserted=_spaces_joined([part.asserted for part in parts if part.asserted is not None]),
    )


def _spaces_joined(parts: Sequence[HalfSpaces]) -> HalfSpaces:
    return HalfSpaces(
        np.concatenate([part.forms for part in parts]), np.concatenate([part.offsets for part in parts])
    )
