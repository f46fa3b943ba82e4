"""Bounds of several networks at inputs where something is asserted about their logits.

A demand `w logits >= least` holds only where an upper bound of its left-hand side, linear in the input, is
at least as large: a half-space. Every network's bounds over the part of the input set inside all half-spaces
are tighter, give tighter half-spaces in turn, and may show that there is no such input (preimages are bounded
in this way by Kotha et al. 2023; here the half-spaces of several networks that read the same input help
each other).
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ensc.compiler.passes.bounds.relaxed_bounds import least_over_logits, relaxed_bounds, shortfalls
from ensc.compiler.passes.bounds.rounding import add_up
from ensc.compiler.types.bounds import Bounds, HalfSpaces, InputSets
from ensc.compiler.types.network import Flags, Floats, Integers, Network

SLOPE_ROUNDS = 3
"""How often the lines behind an upper bound of a demand are improved."""

PASSES = 8

WORTH = 0.98
"""Another pass is worth its time if the last one left at most this share of the unstable neurons open."""


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """What is asserted about the logits of a network, for each of a batch of input sets: all of it.

    Attributes:
        forms: shape (points, demands, classes); a form of zeros demands nothing.
        least: shape (points, demands), rounded down.
    """

    forms: Floats
    least: Floats

    def at(self, chosen: Integers) -> "Demand":
        """Return what is demanded at some of the points."""
        return Demand(self.forms[chosen], self.least[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class Asserted:
    """What the assertions leave.

    Attributes:
        alive: the points at which anything may be left, ascending; everything else is about these.
        sets: the input sets with the half-spaces that contain what matters.
        bounds: of every network there.
    """

    alive: Integers
    sets: InputSets
    bounds: tuple[Bounds, ...]


def asserted_bounds(
    networks: Sequence[Network],
    sets: InputSets,
    known: Sequence[Bounds],
    demands: Sequence[Demand],
    *,
    passes: int = PASSES,
) -> Asserted:
    """Bound networks at inputs where all demands hold.

    Args:
        networks: the networks; all read the same input.
        sets: the input sets of a batch of points.
        known: bounds of every network over the sets.
        demands: of every network.
        passes: how often at most the half-spaces are found anew.
    """
    chosen = np.arange(len(sets.lower))
    bounds = tuple(known)
    for number in range(passes):
        before = _open(bounds)
        spaces, alive = _demanded(networks, sets, bounds, demands)
        sets = dataclasses.replace(sets, asserted=spaces)
        chosen, sets, bounds, demands = _kept(alive, chosen, sets, bounds, demands)
        if not len(chosen):
            break
        bounds = tuple(relaxed_bounds(n, sets, b) for n, b in zip(networks, bounds, strict=True))
        alive = ~np.logical_or.reduce([is_empty(bound) for bound in bounds])
        chosen, sets, bounds, demands = _kept(alive, chosen, sets, bounds, demands)
        if number == passes - 1 or not len(chosen) or _open(bounds) > WORTH * before:
            break
    return Asserted(chosen, sets, bounds)


def _demanded(
    networks: Sequence[Network], sets: InputSets, bounds: Sequence[Bounds], demands: Sequence[Demand]
) -> tuple[HalfSpaces, Flags]:
    """Return where all demands may hold, and at which points anywhere."""
    found = [_half_spaces(*each, sets) for each in zip(networks, bounds, demands, strict=True)]
    spaces = [space for space, _ in found]
    forms = np.concatenate([space.forms for space in spaces], axis=1)
    offsets = np.concatenate([space.offsets for space in spaces], axis=1)
    return HalfSpaces(forms, offsets), np.logical_and.reduce([alive for _, alive in found])


def _kept(
    alive: Flags,
    chosen: Integers,
    sets: InputSets,
    bounds: Sequence[Bounds],
    demands: Sequence[Demand],
) -> tuple[Integers, InputSets, tuple[Bounds, ...], tuple[Demand, ...]]:
    """Leave out the points at which nothing is left."""
    if alive.all():
        return chosen, sets, tuple(bounds), tuple(demands)
    places = np.flatnonzero(alive)
    return (
        chosen[places],
        sets.at(places),
        tuple(bound.at(places) for bound in bounds),
        tuple(demand.at(places) for demand in demands),
    )


def _half_spaces(
    network: Network, bounds: Bounds, demand: Demand, sets: InputSets
) -> tuple[HalfSpaces, Flags]:
    """Return where the demands of one network may hold, and at which points anywhere."""
    points, count, _ = demand.forms.shape
    found = least_over_logits(network, sets, bounds, shortfalls(demand.forms), rounds=SLOPE_ROUNDS)
    alive = np.asarray((-found.bound.reshape(points, count) >= demand.least).all(axis=1))
    offsets = add_up(-found.forms.constant.reshape(points, count), -demand.least)
    void = ~demand.forms.any(axis=2)
    return (
        HalfSpaces(
            -found.forms.coefficients.reshape(points, count, sets.lower.shape[1]),
            np.where(void, 1.0, offsets),
        ),
        alive,
    )


def is_empty(bounds: Bounds) -> Flags:
    """Return the points at which a value can have no number at all."""
    return np.asarray(np.logical_or.reduce([(v.lower > v.upper).any(axis=1) for v in bounds.values]))


def _open(bounds: Sequence[Bounds]) -> int:
    """Count the neurons whose sign is open."""
    return sum(int(bound.open_signs.sum()) for bound in bounds)
