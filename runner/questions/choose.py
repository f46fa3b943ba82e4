"""Which questions about a point are worth a file.

Whoever solves files in any order, on any machines, does not wait for answers to choose the next question:
a folder holds all that may be needed. With up to five members that is every set of members that bounds and
search leave open, and any complete set of answers decides the query. With more members only single members,
pairs, and the largest sets that are still possible get files, so that their number stays in proportion; what
these leave open, the interval shows.
"""

from ensc.runner.split.patterns import Knowledge

FEW = 5
"""Members up to which all sets are listed: 31 for each point."""


def listed_sets(known: Knowledge, members: int) -> tuple[int, ...]:
    """Return the sets of members that a folder lists for a point, smallest first, open or not."""
    if members <= FEW:
        return _by_size(range(1, 1 << members))
    alone = [1 << c for c in range(members)]
    pairs = [a | b for a in alone for b in alone if a < b]
    return _by_size({*alone, *pairs, *known.possible} - {0})


def is_complete(members: int) -> bool:
    """Return whether all sets of members are listed, so that answers to all questions decide the query."""
    return members <= FEW


def _by_size(masks: range | set[int]) -> tuple[int, ...]:
    return tuple(sorted(masks, key=lambda mask: (mask.bit_count(), mask)))
