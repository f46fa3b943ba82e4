"""From a mixture of joint patterns to a randomized attack: a witness for each point and pattern."""

from ensc.compiler.types.solution import Attack
from ensc.runner.exact.admit import Exact
from ensc.runner.split.board import Board, Half
from ensc.runner.split.master import Antichain, Column
from ensc.runner.split.patterns import Knowledge


def rebuilt(board: Board, half: Half, patterns: tuple[Antichain, ...]) -> Attack | None:
    """Return the attack that plays a mixture over feasible patterns.

    Args:
        board: has a witness for every feasible pattern but the empty one.
        half: the master that was solved; None comes of one without a mixture, and where some point has no
            witness at all.
        patterns: of each point, as the master was given them.
    """
    if half.mix is None or not all(known.witnesses for known in board.points):
        return None
    places = {kind: g for g, kind in enumerate(half.groups.patterns)}
    rows = tuple(_row(board, column, patterns, places) for column in half.mix.columns)
    return Attack(half.mix.probabilities, rows)


def _row(
    board: Board, column: Column, patterns: tuple[Antichain, ...], places: dict[Antichain, int]
) -> tuple[Exact, ...]:
    """Hand a group's patterns out to its points, in order."""
    left = [[mask for mask, size in group for _ in range(size)] for group in column.chosen]
    masks = [left[places[kind]].pop(0) for kind in patterns]
    return tuple(_delta(known, mask) for known, mask in zip(board.points, masks, strict=True))


def _delta(known: Knowledge, mask: int) -> Exact:
    return known.witness_of(mask).delta
