"""`maximize value` by decisions: is there an attack whose value is alpha or more?

Every `yes` is an attack, which is replayed exactly; its value, often more than was asked for, is the new
lower end of the interval. Every `no` is a new upper end. Values are rationals with bounded denominators
(`attainable`), so a small interval often holds but one of them.
"""

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from ensc.compiler.diagnostics import reject
from ensc.compiler.passes.notes import goal_text
from ensc.compiler.pipeline import Options, compile_problem
from ensc.compiler.types.problem import Check, EnsembleProblem, MaximizeValue
from ensc.compiler.types.solution import Attack, Certificate, Proof, Solution, Status, Verdict, Word
from ensc.runner.exact.certify import certify
from ensc.runner.solvers.smt import solve_model
from ensc.runner.verdicts.attainable import only_value_between
from ensc.runner.verdicts.decode import decode
from ensc.runner.verdicts.verdict import judge

TOLERANCE = Fraction(1, 1000)

Decide: TypeAlias = Callable[[EnsembleProblem, float | None], tuple[Solution, Proof | None, int]]
"""Answers a `check` query within so many seconds; also says how many attacks the model held."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One question and its answer: is the value alpha reached?"""

    alpha: Fraction
    status: Status
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Bisection:
    """What a bisection found.

    Attributes:
        verdict: `optimal` if the interval is no wider than the tolerance, otherwise `unknown`, with the
            interval and the best attack.
        solution: the solver's words behind the best attack, or its last ones.
        decisions: what was asked, in order.
    """

    verdict: Verdict
    solution: Solution
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """The interval [lower, upper] that holds the largest value, and what its ends rest on."""

    lower: Fraction
    upper: Fraction
    attack: Attack | None
    certificate: Certificate | None
    proof: Proof | None
    solution: Solution
    decisions: tuple[Decision, ...] = ()
    reasons: tuple[str, ...] = ()


def bisect_value(
    problem: EnsembleProblem,
    decide: Decide,
    *,
    tolerance: Fraction = TOLERANCE,
    time_limit: float | None = None,
) -> Bisection:
    """Find the largest value by decisions.

    Args:
        problem: its goal is `maximize value`.
        decide: what decides whether a value is reached.
        tolerance: the width of the interval that is narrow enough, positive.
        time_limit: seconds for all decisions together, none if None.

    Raises:
        Rejected: E1133 if the goal is another one; whatever `decide` rejects.
    """
    if not isinstance(problem.goal, MaximizeValue):
        reject(
            "E1133",
            f"bisection does not answer `{goal_text(problem.goal)}`",
            help="it answers `maximize value`; solve this query with a MILP solver",
        )
    end = None if time_limit is None else time.monotonic() + time_limit
    state = _start(problem)
    while not state.reasons and state.upper - state.lower > tolerance:
        alpha = simplest_between(*_middle(state.lower, state.upper))
        left = None if end is None else end - time.monotonic()
        if left is not None and left <= 0:
            state = dataclasses.replace(state, reasons=("the time limit was reached",))
        else:
            state = _next(problem, state, alpha, decide, left)
    return Bisection(_verdict(state, tolerance), state.solution, state.decisions)


def bisect_with_smt(
    problem: EnsembleProblem,
    solver: str,
    *,
    options: Options | None = None,
    tolerance: Fraction = TOLERANCE,
    time_limit: float | None = None,
    memory_limit: int | None = None,
) -> Bisection:
    """Find the largest value with an SMT solver.

    Args:
        problem: its goal is `maximize value`.
        solver: as `solve_smt`.
        options: for the compiler.
        tolerance: as `bisect_value`.
        time_limit: as `bisect_value`; compiling counts.
        memory_limit: megabytes for the solver, none if None.

    Raises:
        Rejected: as `bisect_value`; what the compiler rejects; E1130 or E1131 as `find_smt`.
    """

    def decide(asked: EnsembleProblem, seconds: float | None) -> tuple[Solution, Proof | None, int]:
        start = time.monotonic()
        compiled = compile_problem(asked, options)
        left = None if seconds is None else max(0.0, seconds - (time.monotonic() - start))
        values = [name for name in compiled.model.variables.names() if name.startswith(("p_", "d_", "l_"))]
        said = solve_model(compiled.model, solver, values=values, time_limit=left, memory_limit=memory_limit)
        return *said, compiled.attacks

    return bisect_value(problem, decide, tolerance=tolerance, time_limit=time_limit)


def _start(problem: EnsembleProblem) -> _State:
    """Doing nothing is an attack too."""
    nothing = Solution(
        Status.FEASIBLE, {"p_1": Fraction(1)}, message="no solver: the attack that does nothing"
    )
    attack = decode(problem, nothing)
    certificate = certify(problem, attack)
    if not certificate.admissible:
        return _State(Fraction(0), Fraction(1), None, None, None, nothing)
    return _State(certificate.value, Fraction(1), attack, certificate, None, nothing)


def _middle(lower: Fraction, upper: Fraction) -> tuple[Fraction, Fraction]:
    """Return the middle third."""
    third = (upper - lower) / 3
    return lower + third, upper - third


def simplest_between(lower: Fraction, upper: Fraction) -> Fraction:
    """Return the fraction with the least denominator in an interval of positive numbers.

    Attainable values have small denominators: asking about them leaves nothing between.

    >>> simplest_between(Fraction(3, 10), Fraction(7, 10)), simplest_between(Fraction(5, 8), Fraction(3, 4))
    (Fraction(1, 2), Fraction(2, 3))
    """
    whole = lower.__ceil__()
    if whole <= upper:
        return Fraction(whole)
    floor = whole - 1
    return floor + 1 / simplest_between(1 / (upper - floor), 1 / (lower - floor))


def _next(
    problem: EnsembleProblem, state: _State, alpha: Fraction, decide: Decide, seconds: float | None
) -> _State:
    """Return the interval after one more decision; with reasons if nothing can be concluded any more."""
    asked = dataclasses.replace(problem, goal=Check(alpha))
    start = time.monotonic()
    solution, proof, attacks = decide(asked, seconds)
    decision = Decision(alpha, solution.status, time.monotonic() - start)
    state = dataclasses.replace(state, decisions=(*state.decisions, decision))
    attack, certificate = None, None
    if solution.status in {Status.FEASIBLE, Status.OPTIMAL}:
        attack = decode(asked, solution)
        certificate = certify(asked, attack)
    verdict = judge(asked, solution, attack, certificate, proof, attacks)
    match verdict.word:
        case Word.NOT_ROBUST:
            return _raised(problem, state, verdict, solution)
        case Word.ROBUST | Word.ROBUST_UP_TO_K:
            upper = only_value_between(problem, state.lower, alpha)
            return dataclasses.replace(state, upper=upper, proof=proof)
        case _:
            return dataclasses.replace(state, solution=solution, reasons=verdict.reasons)


def _raised(problem: EnsembleProblem, state: _State, verdict: Verdict, solution: Solution) -> _State:
    """Take a better attack; if it refutes what was proved before, nothing was."""
    lower, refuted = verdict.lower, state.proof is not None and verdict.lower >= state.upper
    reasons = verdict.reasons if not refuted else (*verdict.reasons, _contradiction(state))
    upper = Fraction(1) if refuted else only_value_between(problem, lower, state.upper)
    return dataclasses.replace(
        state,
        lower=lower,
        upper=max(lower, upper),
        attack=verdict.attack,
        certificate=verdict.certificate,
        proof=None if refuted else state.proof,
        solution=solution,
        reasons=reasons,
    )


def _contradiction(state: _State) -> str:
    solver = state.proof.solver if state.proof else "the solver"
    claim = f"no attack has a value of {state.upper} or more"
    return f"CONTRADICTION: {solver} claims that {claim}, and an attack that was replayed exactly refutes it"


def _verdict(state: _State, tolerance: Fraction) -> Verdict:
    decided = state.upper - state.lower <= tolerance and state.certificate is not None and not state.reasons
    proofs = (state.proof,) if state.proof is not None else ()
    word = Word.OPTIMAL if decided else Word.UNKNOWN
    return Verdict(word, state.lower, state.upper, state.attack, state.certificate, proofs, state.reasons)
