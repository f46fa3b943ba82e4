"""What may be said about a query, given what a solver claims and what exact replay found.

A certified attack is believed, whatever a solver says. A claim that no better attack exists is passed on
with the solver and tolerance it rests on. Everything else is `unknown`, with the interval that is left.
"""

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from ensc.compiler.quoting import counted, number
from ensc.compiler.types.problem import (
    Check,
    EnsembleProblem,
    MaximizeTotal,
    MaximizeValue,
    MinimizeRadius,
    ProfileValue,
)
from ensc.compiler.types.solution import Attack, Certificate, Proof, Solution, Status, Verdict, Word
from ensc.runner.verdicts.attainable import only_value_between


@dataclass(frozen=True, slots=True, eq=False)
class _Evidence:
    """What a verdict is made of: the arguments of `judge`."""

    solution: Solution
    attack: Attack | None
    certificate: Certificate | None
    proof: Proof | None
    attacks_compiled: int


def judge(
    problem: EnsembleProblem,
    solution: Solution,
    attack: Attack | None,
    certificate: Certificate | None,
    proof: Proof | None,
    attacks_compiled: int,
) -> Verdict:
    """Return the verdict that the evidence supports, in the words of `Word`.

    * `check`: `not_robust` if a certified attack reaches alpha; `robust` if the solver proved the model
      infeasible for as many attacks as are always enough, `robust_up_to_k` for fewer.
    * `maximize`: `optimal` if a certified attack reaches the proved bound, within the tolerance.
    * otherwise `unknown`, with reasons.

    Args:
        problem: the query.
        solution: the solver's answer. Its objective and bound may belong to a file that minimizes the
            negative: values and totals are never negative, so the sign tells nothing.
        attack: what was decoded from it, if anything.
        certificate: the exact replay of the attack.
        proof: the solver and tolerance behind what it claims; without it no claim counts.
        attacks_compiled: the number of deterministic attacks in the file.
    """
    evidence = _Evidence(solution, attack, certificate, proof, attacks_compiled)
    reasons = _doubts(problem, evidence)
    usable = _usable(evidence)
    match problem.goal:
        case Check(alpha):
            return _checked(problem, alpha, usable, reasons)
        case MaximizeValue():
            reached = usable.certificate.value if usable.certificate else None
            return _maximized(problem, reached, Fraction(1), usable, reasons)
        case MaximizeTotal(alpha):
            return _totalled(problem, alpha, usable, reasons)
        case MinimizeRadius() | ProfileValue():
            reason = "one model answers for one radius only, and this goal asks about many"
            return Verdict(Word.UNKNOWN, Fraction(0), Fraction(1), reasons=(*reasons, reason))
        case _:
            assert_never(problem.goal)


def _usable(evidence: _Evidence) -> _Evidence:
    """Drop an attack that is not admissible: nothing else in its certificate means anything."""
    if evidence.certificate is not None and evidence.certificate.admissible:
        return evidence
    return dataclasses.replace(evidence, attack=None, certificate=None)


def _doubts(problem: EnsembleProblem, evidence: _Evidence) -> tuple[str, ...]:
    """Say what is odd about the evidence, whatever follows from the rest of it."""
    doubts = []
    if evidence.certificate is not None and not evidence.certificate.admissible:
        doubts.append(
            "the decoded attack is not admissible: it leaves the ball or the domain, has more attacks than "
            "the query allows, or is no distribution"
        )
    if _claims_to_prove(evidence.solution) and evidence.proof is None:
        doubts.append(
            "nothing says which solver proved this and with which tolerance, so it counts for nothing"
        )
    if not _is_whole(problem, evidence):
        doubts.append(
            f"the file holds {counted(evidence.attacks_compiled, 'attack')} and the query asks about "
            f"{problem.threat.count}: what it cannot do, more attacks may"
        )
    return tuple(doubts)


def _claims_to_prove(solution: Solution) -> bool:
    return solution.status is Status.INFEASIBLE or solution.bound is not None


def _is_whole(problem: EnsembleProblem, evidence: _Evidence) -> bool:
    """A file needs no more attacks than are always enough."""
    return evidence.attacks_compiled >= min(problem.threat.count, problem.enough_attacks)


def _proves_infeasible(problem: EnsembleProblem, evidence: _Evidence) -> bool:
    claimed = evidence.solution.status is Status.INFEASIBLE and evidence.proof is not None
    return claimed and _is_whole(problem, evidence)


def _robust(problem: EnsembleProblem, evidence: _Evidence) -> Word:
    enough = evidence.attacks_compiled >= problem.enough_attacks
    return Word.ROBUST if enough else Word.ROBUST_UP_TO_K


def _checked(
    problem: EnsembleProblem, alpha: Fraction, evidence: _Evidence, reasons: tuple[str, ...]
) -> Verdict:
    value = evidence.certificate.value if evidence.certificate else Fraction(0)
    if evidence.certificate and value >= alpha:
        liar = _contradiction(evidence) if evidence.solution.status is Status.INFEASIBLE else ()
        return _verdict(Word.NOT_ROBUST, value, Fraction(1), evidence, (*reasons, *liar), proved=False)
    if _proves_infeasible(problem, evidence):
        return _verdict(_robust(problem, evidence), value, alpha, evidence, reasons, proved=True)
    reached = value if evidence.certificate else None
    why = _why_open(evidence, reached=reached, sought=f"{number(alpha)} or more")
    return _verdict(Word.UNKNOWN, value, Fraction(1), evidence, (*reasons, *why), proved=False)


def _totalled(
    problem: EnsembleProblem, alpha: Fraction | None, evidence: _Evidence, reasons: tuple[str, ...]
) -> Verdict:
    members, points = len(problem.ensemble), len(problem.points)
    certificate = evidence.certificate
    if certificate is None or (alpha is not None and certificate.value < alpha):
        reached = None
    else:
        reached = certificate.total
    if alpha is not None and reached is None and _proves_infeasible(problem, evidence):
        none = f"no attack has value {number(alpha)} or more, so there is no total to maximize"
        below = (members - 1 + alpha) * points  # the least of the member values is below alpha
        upper = min(below, Fraction(members * points))
        word = _robust(problem, evidence)
        return _verdict(word, Fraction(0), upper, evidence, (*reasons, none), proved=True)
    return _maximized(problem, reached, Fraction(members * points), evidence, reasons)


def _maximized(
    problem: EnsembleProblem,
    reached: Fraction | None,
    most: Fraction,
    evidence: _Evidence,
    reasons: tuple[str, ...],
) -> Verdict:
    """Compare what a certified attack reaches with what the solver proved; `most` bounds both anyway."""
    lower = reached or Fraction(0)
    if evidence.solution.status is Status.INFEASIBLE:
        liar = _contradiction(evidence) if reached is not None else (_impossible(evidence),)
        return _verdict(Word.UNKNOWN, lower, most, evidence, (*reasons, *liar), proved=False)
    claimed = _claimed_bound(problem, evidence)
    if claimed is None:
        why = _why_open(evidence, reached=reached, sought="proved to be the best")
        return _verdict(Word.UNKNOWN, lower, most, evidence, (*reasons, *why), proved=False)
    bound, slack = claimed
    if lower > bound + slack:
        liar = _contradiction(evidence)
        return _verdict(Word.UNKNOWN, lower, most, evidence, (*reasons, *liar), proved=False)
    upper = max(lower, only_value_between(problem, lower, min(most, bound + slack)))
    if reached is not None and lower >= bound - slack:
        return _verdict(Word.OPTIMAL, lower, upper, evidence, reasons, proved=True)
    if lower == upper and reached is not None:
        return _verdict(Word.OPTIMAL, lower, upper, evidence, reasons, proved=True)
    why = _why_open(evidence, reached=reached, sought="proved to be the best")
    return _verdict(Word.UNKNOWN, lower, upper, evidence, (*reasons, *why), proved=True)


def _claimed_bound(problem: EnsembleProblem, evidence: _Evidence) -> tuple[Fraction, Fraction] | None:
    """Return the proved bound and what the tolerance may have moved it by, if there is one for the query.

    An optimum without a bound of its own is its own bound.
    """
    solution, proof = evidence.solution, evidence.proof
    bound = solution.bound
    if bound is None and solution.status is Status.OPTIMAL:
        bound = solution.objective
    if bound is None or proof is None or not _is_whole(problem, evidence):
        return None
    exact = abs(_decimal(bound))
    return exact, _decimal(proof.tolerance) * max(Fraction(1), exact)


def _decimal(number: float) -> Fraction:
    """Return the decimal that a float prints as: the tolerance is far wider than what that changes."""
    return Fraction(repr(float(number)))


def _verdict(
    word: Word,
    lower: Fraction,
    upper: Fraction,
    evidence: _Evidence,
    reasons: tuple[str, ...],
    *,
    proved: bool,
) -> Verdict:
    proofs = (evidence.proof,) if proved and evidence.proof is not None else ()
    return Verdict(word, lower, upper, evidence.attack, evidence.certificate, proofs, reasons)


def _contradiction(evidence: _Evidence) -> tuple[str, ...]:
    solver = evidence.proof.solver if evidence.proof else "the solver"
    claim = evidence.proof.claim if evidence.proof else evidence.solution.message
    refuted = f"CONTRADICTION: {solver} claims `{claim}`, and an attack that was replayed exactly refutes it"
    return (refuted, "believe the attack, and do not trust this solver with this model")


def _impossible(evidence: _Evidence) -> str:
    return (
        "the solver claims that there is no attack at all, although doing nothing is one, unless a point "
        f"lies too far outside the domain ({evidence.solution.message or 'no message'})"
    )


def _why_open(evidence: _Evidence, *, reached: Fraction | None, sought: str) -> tuple[str, ...]:
    """Say what the solver said, and what became of it."""
    solution = evidence.solution
    said = (solution.message,) if solution.message else ()
    match solution.status:
        case Status.OPTIMAL | Status.FEASIBLE if reached is not None:
            what = f"replayed exactly, the solver's attack reaches {number(reached)}; it was to be {sought}"
        case Status.OPTIMAL | Status.FEASIBLE:
            what = "the solver claims an attack that was not replayed, and only replay counts"
        case Status.UNBOUNDED:
            what = "the solver calls the model unbounded, which it is not"
        case Status.INFEASIBLE | Status.UNKNOWN:
            what = f"no attack that is {sought} was found, nor was it proved that there is none"
        case _:
            assert_never(solution.status)
    return (*said, what)
