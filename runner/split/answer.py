"""Answering `J(j, s)`, cheapest first: no perturbation, bounds alone, a search by gradients, a solver.

The first three are a survey of some points, the last is one question to a solver (`ask`). Both are small,
pure and repeatable tasks, so that any process may do them.
"""

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ensc.compiler.passes.bounds.input_sets import input_sets
from ensc.compiler.passes.bounds.relaxed_bounds import relaxed_bounds
from ensc.compiler.passes.linear.linearize import linearize
from ensc.compiler.passes.lowering.misclassification import lower_misclassification
from ensc.compiler.passes.scopes.asserted_scopes import asserted_scopes, pays
from ensc.compiler.passes.scopes.scope import Scope, pruned_scope, scope_at
from ensc.compiler.types.bounds import InputSets
from ensc.compiler.types.model import Model
from ensc.compiler.types.problem import EnsembleProblem, PointSet
from ensc.compiler.types.solution import Proof, Solution
from ensc.formats import size_as_written, write_file, write_mps
from ensc.runner.exact.admit import Exact, rest_of
from ensc.runner.exact.certify import exact_norm, fooled_members
from ensc.runner.exact.repair import repair
from ensc.runner.solvers.cbc import CBC
from ensc.runner.solvers.milp_process import Milp, solve_file
from ensc.runner.split.attack_search import STEPS, Find, search
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

RESTARTS = 8
"""Rows of a search for each target."""

MOST_TARGETS = 40
"""Sets of members that a search aims at, at each point."""


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


@dataclass(frozen=True, slots=True)
class Effort:
    """How long a search goes on.

    Attributes:
        steps: of each row, at most.
        few: whether only the largest open sets and single members are targets.
    """

    steps: int
    few: bool


EFFORTS = (Effort(20, few=True), Effort(STEPS, few=False))
"""The searches of a survey; what the first one leaves open is often not needed."""

STAGES = 1 + len(EFFORTS)
"""Of a survey: bounds, then each search."""


def survey(problem: EnsembleProblem, points: Sequence[int]) -> list[Knowledge]:
    """Find out what takes no solver, for some points: bounds, and a search whose finds are replayed."""
    known: list[Knowledge] = []
    for stage in range(STAGES):
        known = surveyed(problem, points, known, stage)
    return known


def surveyed(
    problem: EnsembleProblem, points: Sequence[int], known: Sequence[Knowledge], stage: int
) -> list[Knowledge]:
    """Return what is known of some points after one more stage of a survey.

    Args:
        problem: the query.
        points: 0-based.
        known: what the stages before found out; of no account at the first.
        stage: 0 is bounds, the others search.
    """
    part = at_points(problem, points)
    if not stage:
        return _bounded(part)
    effort, members = EFFORTS[stage - 1], len(problem.ensemble)
    targets = [(j, mask) for j, here in enumerate(known) for mask in _targets(here, members, few=effort.few)]
    return _with_finds(part, known, search(part, targets, restarts=RESTARTS, steps=effort.steps))


def _bounded(part: EnsembleProblem) -> list[Knowledge]:
    """Return whom the smallest perturbations fool, and which members cannot be fooled."""
    known = [at_rest(part, j) for j in range(len(part.points))]
    sets = input_sets(part)
    for c, member in enumerate(part.ensemble):
        scope = pruned_scope(part, member.network, sets, relaxed_bounds(member.network, sets))
        alive = set(scope.points.tolist())
        for j in range(len(known)):
            if j not in alive:
                known[j] = with_refutation(known[j], Refutation(1 << c, BOUNDS))
    return known


def at_rest(problem: EnsembleProblem, point: int) -> Knowledge:
    """Return what is known of a point without any effort: whom the smallest perturbation fools."""
    rest = rest_of(problem, point)
    witness = replayed_witness(problem, point, rest, "no perturbation")
    return with_witness(unknown(len(problem.ensemble)), witness)[0]


def _targets(known: Knowledge, members: int, *, few: bool) -> list[int]:
    """Return open sets worth a search: the largest ones, then from the smallest up."""
    alone = [1 << c for c in range(members)]
    pairs = [a | b for a in alone for b in alone if a < b]
    if few:
        wanted = [*known.possible, *alone]
    elif members <= 5:
        wanted = list(range(1, 1 << members))
    else:
        wanted = [*known.possible, *alone, *pairs]
    return [mask for mask in dict.fromkeys(wanted) if known.is_open(mask)][:MOST_TARGETS]


def _with_finds(
    problem: EnsembleProblem, known: Sequence[Knowledge], finds: Sequence[Find]
) -> list[Knowledge]:
    result = list(known)
    for find in sorted(finds, key=lambda f: (f.point, -f.mask.bit_count(), f.mask)):
        if not result[find.point].is_feasible(find.mask):
            delta = repair(problem, find.point, find.delta.tolist(), members_of(find.mask))
            witness = replayed_witness(problem, find.point, delta, "gradient search")
            result[find.point], _ = with_witness(result[find.point], witness)
    return result


def fooled_mask(problem: EnsembleProblem, point: int, delta: Exact) -> int:
    """Return the members that a perturbation fools, exactly."""
    return mask_of([c for c, fooled in enumerate(fooled_members(problem, point, delta)) if fooled])


def replayed_witness(problem: EnsembleProblem, point: int, delta: Exact, source: str) -> Witness:
    """Return what an admissible perturbation shows, by exact replay."""
    return Witness(fooled_mask(problem, point, delta), delta, source)


def instance(part: EnsembleProblem, mask: int, *, smallest: bool = False, branches: int = 0) -> Model | None:
    """Return the model of `J(0, s)` for a query about one point; None where bounds refute it.

    Args:
        part: the query.
        mask: s.
        smallest: whether the radius is minimized.
        branches: cases of signs that bounds are tried in, at most.
    """
    sets = input_sets(part)
    parts: list[tuple[int, Scope]] = []
    for c in members_of(mask):
        scope = _scope(part, sets, c)
        if scope is None:
            return None
        parts.append((c, scope))
    asserted = asserted_scopes(part, sets, parts, branches=branches) if pays(part, parts) else parts
    if asserted is None:
        return None
    return lower_misclassification(part, sets, asserted, point=0, smallest=smallest)


def _scope(part: EnsembleProblem, sets: InputSets, member: int) -> Scope | None:
    network = part.ensemble[member].network
    return scope_at(pruned_scope(part, network, sets, relaxed_bounds(network, sets)), 0)


def is_attackable(problem: EnsembleProblem, point: int) -> bool:
    """Return whether box and ball have anything in common; doing nothing is outside the domain's box else."""
    return exact_norm(problem.threat.norm, rest_of(problem, point)) <= problem.threat.radius
