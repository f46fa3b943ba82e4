"""From instances to `sat`, `unsat` or `unknown`: bounds, a search, then a solver, and exact replay.

`sat` is said of a counterexample that was replayed in exact arithmetic. `unsat` is said where bounds or a
solver exclude one in every case; everything else is `unknown`.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import assert_never

import numpy as np

from ensc.compiler.passes.instances.instance_bounds import analyse
from ensc.compiler.passes.instances.instance_model import lower_analysed
from ensc.compiler.passes.linear.linearize import linearize
from ensc.compiler.types.instance import Instance
from ensc.compiler.types.model import Floats, Model
from ensc.compiler.types.solution import Proof, Solution, Status
from ensc.formats import size_as_written, write_file, write_lp, write_mps
from ensc.formats.smtlib import write_smtlib
from ensc.runner.exact.counterexample import Exact, find_counterexample
from ensc.runner.joint.solve import Settings
from ensc.runner.solvers.choose import BackEnd, Smt
from ensc.runner.solvers.command import Command, run_command
from ensc.runner.solvers.milp_process import Milp, solve_file
from ensc.runner.solvers.smt import solve_model


class Answer(Enum):
    """What is said of a property, in the words of the solvers' competitions."""

    SAT = "sat"
    UNSAT = "unsat"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, eq=False)
class InstanceResult:
    """An answered property.

    Attributes:
        answer: `sat` means that there is a counterexample.
        instance: the case that has the counterexample.
        values: of all its variables, exactly.
        proofs: what `unsat` rests on.
        reasons: why the answer is `unknown`.
        seconds: wall-clock time.
    """

    answer: Answer
    instance: Instance | None
    values: Exact | None
    proofs: tuple[Proof, ...]
    reasons: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class _Part:
    """What became of one case."""

    values: Exact | None = None
    proof: Proof | None = None
    reason: str = ""


def solve_instances(instances: Sequence[Instance], settings: Settings | None = None) -> InstanceResult:
    """Decide whether any of several instances has a counterexample.

    Args:
        instances: the cases of a property.
        settings: how to solve; the time limit is for all of them together.

    Raises:
        Rejected: E1001 or E1002 if no usable big-M constants exist; what the solver's module rejects.
    """
    settings = settings or Settings()
    start = time.monotonic()
    proofs: list[Proof] = []
    reasons: list[str] = []
    for instance in instances:
        left = None if settings.time_limit is None else settings.time_limit - (time.monotonic() - start)
        if left is not None and left <= 0:
            reasons.append("the time is over")
            break
        part = _solve(instance, settings, left)
        if part.values is not None:
            return InstanceResult(Answer.SAT, instance, part.values, (), (), time.monotonic() - start)
        proofs += [part.proof] if part.proof is not None and part.proof not in proofs else []
        reasons += [part.reason] if part.reason and part.reason not in reasons else []
    answer = Answer.UNKNOWN if reasons else Answer.UNSAT
    return InstanceResult(answer, None, None, tuple(proofs), tuple(reasons), time.monotonic() - start)


def _solve(instance: Instance, settings: Settings, seconds: float | None) -> _Part:
    start = time.monotonic()
    level = settings.options.level
    known = analyse(instance, relaxed=level > 0)
    if known.is_refuted:
        return _Part(proof=Proof("ensc", 0.0, "sound bounds leave no counterexample"))
    found = find_counterexample(instance)
    if found is not None:
        return _Part(found)
    model = lower_analysed(instance, known, level=level)
    left = None if seconds is None else max(0.01, seconds - (time.monotonic() - start))
    linear = linearize(model, settings.options.formulation)
    solution, proof = _ask(settings.solver, model, linear, left, verbose=settings.verbose)
    match solution.status:
        case Status.INFEASIBLE if proof is not None:
            return _Part(proof=proof)
        case Status.OPTIMAL | Status.FEASIBLE:
            found = find_counterexample(instance, _point(instance, solution))
            reason = "the solver claims a counterexample, and exact replay finds none near it"
            return _Part(found) if found is not None else _Part(reason=reason)
        case _:
            return _Part(reason=solution.message or "the solver decided nothing")


def _point(instance: Instance, solution: Solution) -> Floats:
    return np.array([float(solution.values.get(f"x_{k}", 0.0)) for k in range(1, instance.inputs + 1)])


def _ask(
    solver: BackEnd, model: Model, linear: Model, seconds: float | None, *, verbose: bool
) -> tuple[Solution, Proof | None]:
    inputs = [name for name in model.variables.names() if name.startswith("x_")]
    if isinstance(solver, Smt):
        return solve_model(model, solver.name, values=inputs, time_limit=seconds)
    with tempfile.TemporaryDirectory(prefix="ensc-") as folder:
        match solver:
            case Milp():
                path = Path(folder, "instance.mps")
                write_file(path, write_mps(linear))
                size = size_as_written(linear)
                return solve_file(solver, path, expected=size, time_limit=seconds, verbose=verbose)
            case Command():
                path = Path(folder, f"instance{solver.suffix}")
                write_file(path, _chunks(solver.suffix, model, linear, inputs))
                names = linear.variables.names()
                return run_command(solver, path, columns=names, time_limit=seconds, verbose=verbose)
            case _:
                assert_never(solver)


def _chunks(suffix: str, model: Model, linear: Model, inputs: Sequence[str]) -> list[bytes]:
    match suffix:
        case ".smt2":
            return list(write_smtlib(model, values=inputs))
        case ".lp":
            return list(write_lp(linear))
        case _:
            return list(write_mps(linear))
