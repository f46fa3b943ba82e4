"""From a problem to a verdict: compile, write, solve, read back, repair, certify, judge."""

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from ensc.compiler.pipeline import Compiled, Options, compile_problem
from ensc.compiler.types.problem import EnsembleProblem
from ensc.compiler.types.solution import Attack, Certificate, Proof, Solution, Status, Verdict
from ensc.formats import size_as_written, write_file, write_mps
from ensc.runner.certify import certify
from ensc.runner.decode import decode
from ensc.runner.replay import Agreement, replay
from ensc.runner.solvers.cbc import CBC
from ensc.runner.solvers.milp_process import solve_file
from ensc.runner.verdict import judge


@dataclass(frozen=True, slots=True)
class Settings:
    """How to solve.

    Attributes:
        options: for the compiler.
        time_limit: seconds for the solver, none if None.
        verbose: whether the solver's own log is shown on standard error.
    """

    options: Options = field(default_factory=Options)
    time_limit: float | None = None
    verbose: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """An answered query.

    Attributes:
        problem: the query.
        verdict: the answer, with its attack and certificate.
        solution: what the solver said, before any of it was checked.
        agreement: whether float32 execution agrees with the exact replay, if there is an attack.
        seconds: wall-clock time of each stage.
    """

    problem: EnsembleProblem
    verdict: Verdict
    solution: Solution
    agreement: Agreement | None
    seconds: dict[str, float]


def solve_joint(problem: EnsembleProblem, settings: Settings | None = None) -> Result:
    """Solve a problem by its joint model file with CBC.

    Raises:
        Rejected: what the compiler rejects; E1110 if CBC is not installed.
    """
    settings = settings or Settings()
    start = time.perf_counter()
    compiled = compile_problem(problem, settings.options)
    compiled_at = time.perf_counter()
    solution, proof = _solved(compiled, settings)
    solved_at = time.perf_counter()
    result = conclude(problem, solution, proof, attacks=compiled.attacks)
    result.seconds.update(
        compile=compiled_at - start,
        solve=solved_at - compiled_at,
        certify=time.perf_counter() - solved_at,
    )
    return result


def conclude(
    problem: EnsembleProblem, solution: Solution, proof: Proof | None, *, attacks: int | None = None
) -> Result:
    """Turn a solver's answer into a verdict that rests on exact replay where it claims an attack.

    Args:
        problem: the query.
        solution: as read.
        proof: what a claim that nothing better exists rests on, if the solver made one.
        attacks: how many attacks the model held; what the query asks for, unless given.
    """
    attack, certificate = _certified(problem, solution)
    held = problem.threat.count if attacks is None else attacks
    verdict = judge(problem, solution, attack, certificate, proof, held)
    agreement = None if verdict.attack is None else replay(problem, verdict.attack)
    return Result(problem, verdict, solution, agreement, {})


def _solved(compiled: Compiled, settings: Settings) -> tuple[Solution, Proof | None]:
    with tempfile.TemporaryDirectory(prefix="ensc-") as folder:
        path = Path(folder, "joint.mps")
        write_file(path, write_mps(compiled.linear))
        expected = size_as_written(compiled.linear)
        return solve_file(
            CBC, path, expected=expected, time_limit=settings.time_limit, verbose=settings.verbose
        )


def _certified(problem: EnsembleProblem, solution: Solution) -> tuple[Attack | None, Certificate | None]:
    if solution.status not in {Status.OPTIMAL, Status.FEASIBLE}:
        return None, None
    attack = decode(problem, solution)
    return attack, certify(problem, attack)
