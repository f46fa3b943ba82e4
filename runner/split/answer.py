"""Answering `J(j, s)`, cheapest first: no perturbation, bounds alone, a search by gradients, a solver.

Both kinds of task are small, pure and repeatable, so that any process may do them: a survey of some points,
and one question to a solver. What a solver calls feasible counts only after exact replay; what it calls
infeasible is passed on with its name and tolerance.
"""

import dataclasses
import math
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

from ensc.compiler.passes.input_sets import input_sets
from ensc.compiler.passes.linearize import linearize
from ensc.compiler.passes.misclassification import lower_misclassification
from ensc.compiler.passes.relaxed_bounds import relaxed_bounds
from ensc.compiler.passes.scope import Scope, pruned_scope, scope_at
from ensc.compiler.types.bounds import InputSets
from ensc.compiler.types.model import Model
from ensc.compiler.types.problem import EnsembleProblem, Norm, PointSet
from ensc.compiler.types.solution import Proof, Solution, Status
from ensc.formats import size_as_written, write_file, write_mps
from ensc.runner.admit import Exact, room_of
from ensc.runner.certify import fooled_members
from ensc.runner.repair import repair
from ensc.runner.solvers.cbc import CBC
from ensc.runner.solvers.milp_process import Milp, solve_file
from ensc.runner.split.attack_search import Find, search
from ensc.runner.split.patterns import (
    Knowledge,
    Refutation,
    Witness,
    mask_of,
    members_of,
    unknown,
    with_refutation,
    with_witness,
)

Backend: TypeAlias = Callable[[Model, float | None, int], tuple[Solution, Proof | None]]
"""Solves a model within so many seconds, with a seed; it can be sent to another process."""

BOUNDS = Proof("linear relaxation", 0.0, "its bounds show that the member cannot be fooled")

MOST_TARGETS = 40
"""Sets of members that a search aims at, at each point."""

LATE = 0.5
"""A solver that gave up after this share of its time, or later, may do better with more of it."""

SETTLED = Fraction(1, 10**5)
"""The margin that a second try asks for, where the first one's point did not survive replay."""


@dataclass(frozen=True, slots=True)
class Question:
    """One `J(j, s)`.

    Attributes:
        point: j, 0-based.
        mask: s.
        seconds: for the solver, none if None.
    """

    point: int
    mask: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it.

    Attributes:
        question: what was asked.
        witness: a perturbation replayed exactly, which may fool other members than those asked about.
        refutation: a claim that there is none.
        why: without either of use, what happened.
        timely: whether more time might help.
    """

    question: Question
    witness: Witness | None = None
    refutation: Refutation | None = None
    why: str = ""
    timely: bool = False


def solve_by_cbc(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
    """Solve a model with CBC."""
    return solve_by_milp(CBC, model, seconds, seed)


def solve_by_milp(
    solver: Milp, model: Model, seconds: float | None, seed: int, *, memory: int | None = None
) -> tuple[Solution, Proof | None]:
    """Solve a model with a MILP solver within megabytes (`functools.partial` over it is a backend)."""
    linear = linearize(model)
    with tempfile.TemporaryDirectory(prefix="ensc-") as folder:
        path = Path(folder, "query.mps")
        write_file(path, write_mps(linear))
        size = size_as_written(linear)
        return solve_file(solver, path, expected=size, time_limit=seconds, memory_limit=memory, seed=seed)


def at_points(problem: EnsembleProblem, points: Sequence[int]) -> EnsembleProblem:
    """Return the same query about some of its points."""
    whole, chosen = problem.points, list(points)
    part = PointSet(whole.numerators[chosen], whole.denominator, whole.labels[chosen], whole.rows[chosen])
    return dataclasses.replace(problem, points=part)


def survey(problem: EnsembleProblem, points: Sequence[int]) -> list[Knowledge]:
    """Find out what takes no solver, for some points: bounds, and a search whose finds are replayed."""
    part = at_points(problem, points)
    members = len(problem.ensemble)
    known = [_at_rest(part, j) for j in range(len(points))]
    sets = input_sets(part)
    for c, member in enumerate(part.ensemble):
        scope = pruned_scope(part, member.network, sets, relaxed_bounds(member.network, sets))
        alive = set(scope.points.tolist())
        for j in range(len(points)):
            if j not in alive:
                known[j] = with_refutation(known[j], Refutation(1 << c, BOUNDS))
    for restarts in (4, 8):
        targets = [(j, mask) for j in range(len(points)) for mask in _targets(known[j], members)]
        known = _with_finds(part, known, search(part, targets, restarts=restarts))
    return known


def _at_rest(problem: EnsembleProblem, point: int) -> Knowledge:
    rest = room_of(problem, point).rest
    mask = fooled_mask(problem, point, rest)
    known, _ = with_witness(unknown(len(problem.ensemble)), Witness(mask, rest, "no perturbation"))
    return known


def _targets(known: Knowledge, members: int) -> list[int]:
    """Return open sets worth a search: the largest ones, then from the smallest up."""
    alone = [1 << c for c in range(members)]
    pairs = [a | b for a in alone for b in alone if a < b]
    everything = range(1, 1 << members) if members <= 5 else [*known.possible, *alone, *pairs]
    return [mask for mask in dict.fromkeys(everything) if known.is_open(mask)][:MOST_TARGETS]


def _with_finds(problem: EnsembleProblem, known: list[Knowledge], finds: Sequence[Find]) -> list[Knowledge]:
    result = list(known)
    for find in sorted(finds, key=lambda f: (f.point, -f.mask.bit_count(), f.mask)):
        if not result[find.point].is_feasible(find.mask):
            delta = repair(problem, find.point, find.delta.tolist(), members_of(find.mask))
            witness = Witness(_fooled(problem, find.point, delta), delta, "gradient search")
            result[find.point], _ = with_witness(result[find.point], witness)
    return result


def _fooled(problem: EnsembleProblem, point: int, delta: Exact) -> int:
    return mask_of([c for c, fooled in enumerate(fooled_members(problem, point, delta)) if fooled])


def ask(problem: EnsembleProblem, question: Question, backend: Backend = solve_by_cbc) -> Answer:
    """Ask a solver.

    A feasible answer whose point does not survive exact replay is asked for again: with a larger margin,
    where only a perturbation counts, then with another seed.
    """
    part = at_points(problem, [question.point])
    best: Witness | None = None
    said = ""
    for seed, extra in ((1, Fraction(0)), (2, SETTLED), (3, Fraction(0))):
        start = time.monotonic()
        solution, proof = _solved(part, question, backend, seed, extra)
        late = question.seconds is not None and time.monotonic() - start >= LATE * question.seconds
        if proof is not None and solution.status is Status.INFEASIBLE and not extra:
            return Answer(question, best, Refutation(question.mask, proof))
        if solution.status in {Status.OPTIMAL, Status.FEASIBLE}:
            witness = replayed(part, question.mask, solution, proof)
            if witness is not None and (best is None or witness.mask & question.mask == question.mask):
                best = witness
            if best is not None and best.mask & question.mask == question.mask:
                return Answer(question, best)
            said = "its point fools somebody only within its tolerance, not exactly"
        elif not extra:
            return Answer(question, best, why=solution.message or "no answer", timely=late)
    return Answer(question, best, why=said)


def _solved(
    part: EnsembleProblem, question: Question, backend: Backend, seed: int, extra: Fraction
) -> tuple[Solution, Proof | None]:
    loss = dataclasses.replace(part.loss, margin=part.loss.margin + extra)
    asked = dataclasses.replace(part, loss=loss)
    model = instance(asked, question.mask)
    if model is None:
        return Solution(Status.INFEASIBLE, {}), BOUNDS
    return backend(model, question.seconds, seed)


def instance(part: EnsembleProblem, mask: int, *, smallest: bool = False) -> Model | None:
    """Return the model of `J(0, s)` for a query about one point; None where bounds refute it."""
    sets = input_sets(part)
    parts: list[tuple[int, Scope]] = []
    for c in members_of(mask):
        scope = _scope(part, sets, c)
        if scope is None:
            return None
        parts.append((c, scope))
    return lower_misclassification(part, sets, parts, point=0, smallest=smallest)


def _scope(part: EnsembleProblem, sets: InputSets, member: int) -> Scope | None:
    network = part.ensemble[member].network
    return scope_at(pruned_scope(part, network, sets, relaxed_bounds(network, sets)), 0)


def replayed(part: EnsembleProblem, mask: int, solution: Solution, proof: Proof | None) -> Witness | None:
    """Repair a solver's perturbation and replay it exactly; None if its numbers are none."""
    delta = [_number(solution.values.get(f"d_{k}", 0.0)) for k in range(1, part.inputs + 1)]
    if any(d is None for d in delta):
        return None
    fixed = repair(part, 0, [d for d in delta if d is not None], members_of(mask))
    return Witness(_fooled(part, 0, fixed), fixed, "a solver" if proof is None else proof.solver)


def _number(value: object) -> float | Fraction | None:
    """A perturbation larger than any double could be meant is as good as none."""
    if isinstance(value, Fraction):
        return value
    number = float(value) if isinstance(value, (int, float)) else math.nan
    return number if abs(number) < 1e100 else None


def is_attackable(problem: EnsembleProblem, point: int) -> bool:
    """Return whether box and ball have anything in common; doing nothing is outside the domain's box else."""
    room = room_of(problem, point)
    size = sum(map(abs, room.rest), Fraction(0))
    match problem.threat.norm:
        case Norm.L1:
            return size <= room.radius
        case Norm.LINF:
            return max(map(abs, room.rest), default=Fraction(0)) <= room.radius
        case Norm.L0:
            return sum(d != 0 for d in room.rest) <= room.radius
