"""Two solvers or more for every refutation: one may be wrong, and nothing but another would notice."""

import dataclasses
from collections.abc import Sequence
from functools import partial

from ensc.compiler.types.model import Model
from ensc.compiler.types.solution import Proof, Solution, Status
from ensc.runner.split.answer import Backend


def confirmed(first: Backend, others: Sequence[Backend]) -> Backend:
    """Return a back end whose refutations several solvers make, each for itself.

    What the first calls feasible is replayed anyway and needs nobody else. What it calls infeasible, and the
    bound it proves where the smallest perturbation is sought, counts only as far as every other one says so.
    """
    return partial(_ask_all, first, tuple(others))


def _ask_all(
    first: Backend, others: tuple[Backend, ...], model: Model, seconds: float | None, seed: int
) -> tuple[Solution, Proof | None]:
    solution, proof = first(model, seconds, seed)
    for other in others:
        if proof is None:
            break
        if solution.status is Status.INFEASIBLE:
            solution, proof = _agreed(proof, *other(model, seconds, seed))
        elif solution.bound is not None and model.objective.columns.size:
            solution, proof = _weaker(solution, proof, *other(model, seconds, seed))
    return solution, proof


def _agreed(proof: Proof, solution: Solution, own: Proof | None) -> tuple[Solution, Proof | None]:
    """Put a second answer beside the claim that there is no solution."""
    match solution.status:
        case Status.INFEASIBLE if own is not None:
            return solution, _joint(proof, own, "the model is infeasible, as each of them says")
        case Status.OPTIMAL | Status.FEASIBLE:
            said = f"{proof.solver} says infeasible, but not {solution.message or 'the second solver'}"
            return dataclasses.replace(solution, status=Status.FEASIBLE, bound=None, message=said), None
        case _:
            said = f"{proof.solver} says infeasible, unconfirmed: {solution.message or 'no second answer'}"
            return Solution(Status.UNKNOWN, {}, message=said), None


def _weaker(
    solution: Solution, proof: Proof, second: Solution, own: Proof | None
) -> tuple[Solution, Proof | None]:
    """Of two bounds on a minimum take the smaller; without a second one there is none."""
    assert solution.bound is not None
    if own is None or second.bound is None:
        return dataclasses.replace(solution, status=Status.FEASIBLE, bound=None), None
    bound = min(solution.bound, second.bound)
    claim = f"no solution has an objective better than {bound!r}, as each of them says"
    return dataclasses.replace(solution, bound=bound), _joint(proof, own, claim)


def _joint(proof: Proof, own: Proof, claim: str) -> Proof:
    return Proof(f"{proof.solver} and {own.solver}", max(proof.tolerance, own.tolerance), claim)
