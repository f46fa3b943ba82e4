"""What the refutations of a board rest on, summed up by whom they come from."""

from collections import Counter

from ensc.compiler.quoting import counted
from ensc.compiler.types.solution import Proof
from ensc.runner.split.board import Board


def proofs_of(board: Board) -> tuple[Proof, ...]:
    """Sum up the refutations by whom they come from."""
    every = [
        (r.proof.solver, r.proof.tolerance, j) for j, k in enumerate(board.points) for r in k.refutations
    ]
    counts = Counter((solver, tolerance) for solver, tolerance, _ in every)
    return tuple(
        Proof(
            solver,
            tolerance,
            f"{counted(count, 'set')} of members cannot be fooled together, at "
            + counted(len({j for s, t, j in every if (s, t) == (solver, tolerance)}), "point"),
        )
        for (solver, tolerance), count in sorted(counts.items())
    )
