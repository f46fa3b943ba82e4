"""From a problem to a verdict: compile, write, solve, read back, repair, certify, judge."""

import dataclasses
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from ensc.compiler.diagnostics import reject
from ensc.compiler.passes.linear.linearize import Formulation
from ensc.compiler.pipeline import Compiled, Options
from ensc.compiler.types.problem import Check, EnsembleProblem
from ensc.compiler.types.solution import Attack, Certificate, Proof, Solution, Status, Verdict
from ensc.formats import size_as_written, write_file, write_lp, write_mps
from ensc.formats.smtlib import write_smtlib
from ensc.runner.exact.certify import certify
from ensc.runner.exact.replay import agreement
from ensc.runner.joint.bisect import bisect_value
from ensc.runner.joint.build import Effort, build
from ensc.runner.solvers.cbc import CBC
from ensc.runner.solvers.choose import BackEnd, Smt
from ensc.runner.solvers.command import Command, run_command
from ensc.runner.solvers.milp_process import Milp, solve_file
from ensc.runner.solvers.smt import solve_model
from ensc.runner.verdicts.decode import decode
from ensc.runner.verdicts.names import holds_attack
from ensc.runner.verdicts.result import Result
from ensc.runner.verdicts.verdict import judge


@dataclass(frozen=True, slots=True)
class Settings:
    """How to solve.

    Attributes:
        options: for the compiler.
        time_limit: seconds for the solver, none if None; the split of -O3 may take as many before.
        verbose: whether the solver's own log is shown on standard error.
        solver: what solves the file.
        effort: what compiling may cost.
    """

    options: Options = field(default_factory=Options)
    time_limit: float | None = None
    verbose: bool = False
    solver: BackEnd = CBC
    effort: Effort = field(default_factory=Effort)


def solve_joint(problem: EnsembleProblem, settings: Settings | None = None) -> Result:
    """Solve a problem by its joint model, which one solver is given.

    A solver that knows no objectives answers `maximize value` by a sequence of decisions.

    Raises:
        Rejected: what the compiler rejects; what the solver's module rejects, for example E1110 if it is not
            installed; E1133 if a solver without objectives is asked for a largest total.
    """
    settings = settings or Settings()
    if _only_decides(settings.solver) and not isinstance(problem.goal, Check):
        return _solve_by_decisions(problem, settings)
    start = time.perf_counter()
    compiled = build(problem, settings.options, settings.effort.within(settings.time_limit))
    compiled_at = time.perf_counter()
    solution, proof = ask(settings.solver, compiled, settings.time_limit, verbose=settings.verbose)
    solved_at = time.perf_counter()
    result = conclude(problem, solution, proof, attacks=compiled.attacks)
    result = dataclasses.replace(result, verdict=resting(result.verdict, compiled))
    result.seconds.update(
        compile=compiled_at - start,
        solve=solved_at - compiled_at,
        certify=time.perf_counter() - solved_at,
    )
    return result


def resting(verdict: Verdict, compiled: Compiled) -> Verdict:
    """Return a verdict that names what the file was compiled with, where it rests on that, too."""
    facts = compiled.facts
    if facts is None or not verdict.proofs:
        return verdict
    return dataclasses.replace(verdict, proofs=(*facts.proofs, *verdict.proofs))


def ask(
    solver: BackEnd, compiled: Compiled, seconds: float | None, *, verbose: bool = False
) -> tuple[Solution, Proof | None]:
    """Write the file that a solver reads, and let it answer.

    Raises:
        Rejected: what the solver's module rejects.
    """
    match solver:
        case Milp():
            return _ask_milp(solver, compiled, seconds, verbose=verbose)
        case Smt():
            return solve_model(compiled.model, solver.name, values=_asked(compiled), time_limit=seconds)
        case Command():
            return _ask_command(solver, compiled, seconds, verbose=verbose)
        case _:
            assert_never(solver)


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
    return Result(problem, verdict, solution, agreement(problem, verdict), {})


def _solve_by_decisions(problem: EnsembleProblem, settings: Settings) -> Result:
    # Every decision is another question to a split: what -O3 decides beforehand would be the same each time.
    options = dataclasses.replace(settings.options, level=min(2, settings.options.level))

    def decide(asked: EnsembleProblem, seconds: float | None) -> tuple[Solution, Proof | None, int]:
        start = time.monotonic()
        compiled = build(asked, options, settings.effort.within(seconds))
        left = None if seconds is None else max(0.0, seconds - (time.monotonic() - start))
        return *ask(settings.solver, compiled, left, verbose=settings.verbose), compiled.attacks

    start = time.perf_counter()
    found = bisect_value(problem, decide, time_limit=settings.time_limit)
    seconds = {"decide": time.perf_counter() - start}
    return Result(problem, found.verdict, found.solution, agreement(problem, found.verdict), seconds)


def _only_decides(solver: BackEnd) -> bool:
    return isinstance(solver, Smt) or (isinstance(solver, Command) and solver.suffix == ".smt2")


def _ask_milp(
    solver: Milp, compiled: Compiled, seconds: float | None, *, verbose: bool
) -> tuple[Solution, Proof | None]:
    _require_held(solver, compiled.formulation)
    with tempfile.TemporaryDirectory(prefix="ensc-") as folder:
        path = Path(folder, "joint.mps")
        write_file(path, write_mps(compiled.linear, indicators=True, ordered_sets=True))
        # Solvers turn an indicator row, or an ordered set, into rows and columns of their own making.
        size = size_as_written(compiled.linear) if compiled.formulation == "big-m" else None
        return solve_file(solver, path, expected=size, time_limit=seconds, verbose=verbose)


def _require_held(solver: Milp, formulation: Formulation) -> None:
    """Refuse what a solver would refuse, or silently take for something else."""
    if formulation not in solver.formulations:
        reject(
            "E1012",
            f"{solver.name} does not hold the formulation `{formulation}`",
            notes=("CBC keeps indicator rows unconditionally, HiGHS refuses both forms",),
            help="use `--formulation big-m`, or a solver that holds it, for example `--solver scip`",
        )


def _ask_command(
    command: Command, compiled: Compiled, seconds: float | None, *, verbose: bool
) -> tuple[Solution, Proof | None]:
    with tempfile.TemporaryDirectory(prefix="ensc-") as folder:
        path = Path(folder, f"joint{command.suffix}")
        match command.suffix:
            case ".smt2":
                write_file(path, write_smtlib(compiled.model, values=_asked(compiled)))
            case ".lp":
                write_file(path, write_lp(compiled.linear, indicators=True, ordered_sets=True))
            case _:
                write_file(path, write_mps(compiled.linear, indicators=True, ordered_sets=True))
        names = compiled.linear.variables.names()
        return run_command(command, path, columns=names, time_limit=seconds, verbose=verbose)


def _asked(compiled: Compiled) -> list[str]:
    """Return the names that an attack is read from; a script asks for no others."""
    return [name for name in compiled.model.variables.names() if name.startswith(("p_", "d_", "l_"))]


def _certified(problem: EnsembleProblem, solution: Solution) -> tuple[Attack | None, Certificate | None]:
    """Whatever a solver says of its values, they are worth reading, unless it says that there are none.

    A solution that claims to be one and has no attack is rejected by `decode`, with what it lacks.
    """
    claims_one = solution.status in {Status.OPTIMAL, Status.FEASIBLE}
    if solution.status is Status.INFEASIBLE or not (claims_one or holds_attack(solution)):
        return None, None
    attack = decode(problem, solution)
    return attack, certify(problem, attack)
