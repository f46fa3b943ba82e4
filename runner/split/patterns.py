"""What is known about each point: which sets of members one perturbation can fool together.

A set of members is a bit mask (bit c is member c). A witness shows its set and every subset feasible; a
refutation shows its set and every superset infeasible. A board holds only the maximal sets that are
feasible, the minimal ones that are infeasible, and the maximal ones that are still possible.
"""

import dataclasses
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from ensc.compiler.types.solution import Proof
from ensc.runner.exact.admit import Exact


@dataclass(frozen=True, slots=True)
class Witness:
    """A perturbation that was replayed exactly.

    Attributes:
        mask: exactly the members that it fools.
        delta: the perturbation.
        source: what found it.
        recalled: whether an earlier run found it, and this one read it in a journal.
    """

    mask: int
    delta: Exact
    source: str
    recalled: bool = False


@dataclass(frozen=True, slots=True)
class Refutation:
    """A claim that no perturbation fools all members of a set.

    Attributes:
        mask: the set.
        proof: what the claim rests on.
        recalled: whether it was made in an earlier run, and this one read it in a journal.
    """

    mask: int
    proof: Proof
    recalled: bool = False


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known about one point.

    Attributes:
        witnesses: one for each maximal feasible set, ascending.
        refutations: one for each minimal infeasible set, ascending.
        possible: maximal sets without an infeasible subset, ascending.
        stuck: sets that were asked about without an answer, why, and whether more time might help.
    """

    witnesses: tuple[Witness, ...]
    refutations: tuple[Refutation, ...]
    possible: tuple[int, ...]
    stuck: tuple[tuple[int, str, bool], ...] = ()

    @property
    def feasible(self) -> tuple[int, ...]:
        """The maximal feasible sets; the empty set counts as feasible before anything is known."""
        return tuple(witness.mask for witness in self.witnesses) or (0,)

    def is_feasible(self, mask: int) -> bool:
        """Return whether a witness fools all of a set."""
        return any(known & mask == mask for known in self.feasible)

    def is_possible(self, mask: int) -> bool:
        """Return whether no refutation speaks against a set."""
        return any(known & mask == mask for known in self.possible)

    def is_open(self, mask: int) -> bool:
        """Return whether neither is known."""
        return not self.is_feasible(mask) and self.is_possible(mask)

    def witness_of(self, mask: int) -> Witness:
        """Return a witness that fools all of a feasible set; no witness is needed for the empty set."""
        return next(w for w in self.witnesses if w.mask & mask == mask)


def unknown(members: int) -> Knowledge:
    """Return the knowledge of a point about which nothing is known yet."""
    return Knowledge((), (), ((1 << members) - 1,))


def with_witness(known: Knowledge, witness: Witness) -> tuple[Knowledge, tuple[Refutation, ...]]:
    """Add a witness.

    Returns:
        What is known now, and the refutations that the witness shows to be wrong, which are gone.
    """
    wrong = tuple(r for r in known.refutations if witness.mask & r.mask == r.mask)
    if wrong:
        known = without_refutations(known, wrong)
    if any(w.mask & witness.mask == witness.mask for w in known.witnesses):
        return known, wrong
    kept = [w for w in known.witnesses if w.mask & witness.mask != w.mask]
    witnesses = tuple(sorted([*kept, witness], key=lambda w: w.mask))
    stuck = tuple(s for s in known.stuck if witness.mask & s[0] != s[0])
    return dataclasses.replace(known, witnesses=witnesses, stuck=stuck), wrong


def with_refutation(known: Knowledge, refutation: Refutation) -> Knowledge:
    """Add a refutation, unless a witness shows it to be wrong (check `is_feasible` first)."""
    mask = refutation.mask
    if not known.is_open(mask):
        return known
    kept = [r for r in known.refutations if r.mask & mask != mask]
    refutations = tuple(sorted([*kept, refutation], key=lambda r: r.mask))
    stuck = tuple(s for s in known.stuck if s[0] & mask != mask)
    possible = _without(known.possible, mask)
    return dataclasses.replace(known, refutations=refutations, possible=possible, stuck=stuck)


def without_refutations(known: Knowledge, wrong: Collection[Refutation]) -> Knowledge:
    """Take refutations back."""
    kept = tuple(r for r in known.refutations if r not in wrong)
    everybody = 0
    for mask in (*known.possible, *(r.mask for r in known.refutations)):
        everybody |= mask
    possible: tuple[int, ...] = (everybody,)
    for refutation in kept:
        possible = _without(possible, refutation.mask)
    return dataclasses.replace(known, refutations=kept, possible=possible)


@lru_cache(maxsize=4096)
def _without(possible: tuple[int, ...], refuted: int) -> tuple[int, ...]:
    """Return the maximal sets that do not contain `refuted`, below the given ones (Berge 1989)."""
    kept = [mask for mask in possible if mask & refuted != refuted]
    cut = {mask & ~bit for mask in possible if mask & refuted == refuted for bit in bits(refuted)}
    return maximal([*kept, *cut])


def maximal(masks: Collection[int]) -> tuple[int, ...]:
    """Return the sets that no other one contains, ascending."""
    distinct = set(masks)
    return tuple(sorted(m for m in distinct if not any(o != m and o & m == m for o in distinct)))


def bits(mask: int) -> Iterator[int]:
    """Yield the one-element subsets of a set, ascending."""
    while mask:
        low = mask & -mask
        yield low
        mask ^= low


def members_of(mask: int) -> tuple[int, ...]:
    """Return the 0-based members of a set, ascending."""
    return tuple(bit.bit_length() - 1 for bit in bits(mask))


def mask_of(members: Collection[int]) -> int:
    """Return the set of 0-based members as a mask."""
    mask = 0
    for member in members:
        mask |= 1 << member
    return mask


def smallest_open(known: Knowledge, mask: int) -> int | None:
    """Return an open subset of an open set that asks about the fewest members and is not stuck.

    A search has usually found what is feasible, so an open set is probably infeasible: then its smallest
    open subset refutes it as well, with the smallest model and for more sets at once. None if all are stuck.
    """
    stuck = {asked for asked, *_ in known.stuck}
    for layer in _layers(mask):
        asked = next((s for s in layer if s not in stuck and known.is_open(s)), None)
        if asked is not None:
            return asked
    return None


@lru_cache(maxsize=1024)
def _layers(mask: int) -> tuple[tuple[int, ...], ...]:
    """Return the subsets of a set by their size, the empty one left out."""
    subsets, sub = [], mask
    while sub:
        subsets.append(sub)
        sub = (sub - 1) & mask
    sizes = range(1, mask.bit_count() + 1)
    return tuple(tuple(sorted(s for s in subsets if s.bit_count() == size)) for size in sizes)
