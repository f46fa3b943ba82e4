"""What the split has decided, as facts for the compiler (`-O3`): the file keeps only what is left.

A point is solved where every set of members is known to be feasible, by a perturbation that was replayed
exactly, or infeasible, by bounds or by a solver whose name and tolerance go into the file. Once the query
itself is answered, the patterns that decide it are enough at every point.
"""

import dataclasses
from fractions import Fraction

from ensc.compiler.types.facts import Facts, Pattern, PointFacts
from ensc.compiler.types.problem import Check, EnsembleProblem, MinimizeRadius, ProfileValue
from ensc.runner.exact.certify import fooled_members
from ensc.runner.exact.repair import repair
from ensc.runner.split.board import Board, Standing
from ensc.runner.split.loop import play
from ensc.runner.split.patterns import Knowledge, Witness, members_of
from ensc.runner.split.proofs import proofs_of
from ensc.runner.split.settings import INTERRUPTED, Outcome, SplitSettings


def find_facts(problem: EnsembleProblem, settings: SplitSettings) -> Facts | None:
    """Solve as much of a query as the settings give time for.

    Returns:
        What was decided; None for a goal that has no single file, and where no perturbation is admissible.

    Raises:
        Rejected: E0931 if the attacker's set is unbounded; what the backend rejects.
        KeyboardInterrupt: somebody does not want to wait for the file.
    """
    if isinstance(problem.goal, (MinimizeRadius, ProfileValue)):
        return None
    outcome = play(problem, settings)
    if INTERRUPTED in outcome.reasons:
        raise KeyboardInterrupt
    return facts_of(problem, outcome)


def facts_of(problem: EnsembleProblem, outcome: Outcome) -> Facts | None:
    """Return what an outcome has decided; None where no perturbation is admissible at some point."""
    now, board = outcome.standing, outcome.board
    if now is None:
        return None
    if _is_excluded(problem, now):
        points = tuple(_excluded(known) for known in board.points)
    else:
        every = now.decided
        points = tuple(_point(problem, j, known, every=every) for j, known in enumerate(board.points))
    return Facts(points, proofs_of(board), answered=now.decided and not _is_complete(board))


def _is_excluded(problem: EnsembleProblem, now: Standing) -> bool:
    """Return whether not even the sets that are merely possible reach what the query asks for."""
    bound = now.upper.bound
    return bound is None or (isinstance(problem.goal, Check) and bound < problem.goal.alpha)


def _is_complete(board: Board) -> bool:
    return all(_is_solved(known) for known in board.points)


def _is_solved(known: Knowledge) -> bool:
    return all(known.is_feasible(mask) for mask in known.possible)


def _excluded(known: Knowledge) -> PointFacts:
    """The sets that are possible, of which no mixture is enough: no perturbation is needed."""
    return PointFacts(_exclusions(known), tuple(Pattern(members_of(mask)) for mask in known.possible))


def _point(problem: EnsembleProblem, j: int, known: Knowledge, *, every: bool) -> PointFacts:
    open_ = PointFacts(_exclusions(known))
    if not (every or _is_solved(known)) or not known.witnesses:
        return open_
    patterns = [_pattern(problem, j, witness) for witness in known.witnesses]
    if any(pattern is None for pattern in patterns):
        return open_
    return dataclasses.replace(open_, patterns=tuple(p for p in patterns if p is not None))


def _exclusions(known: Knowledge) -> tuple[tuple[int, ...], ...]:
    return tuple(members_of(refutation.mask) for refutation in known.refutations)


def _pattern(problem: EnsembleProblem, j: int, witness: Witness) -> Pattern | None:
    """Return a witness as numbers of a file; None if these, read back and repaired, fool fewer members."""
    delta = tuple(float(d) for d in witness.delta)
    members = members_of(witness.mask)
    again = repair(problem, j, [Fraction(d) for d in delta], members)
    fooled = fooled_members(problem, j, again)
    return Pattern(members, delta) if all(fooled[c] for c in members) else None
