"""Several solvers on one query: each one's verdict, and whether they contradict each other.

Nothing is averaged. A certified attack is a fact, and a claim that it refutes is reported as wrong, by the
name of the solver that made it; what remains is put together.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from ensc.compiler.diagnostics import Diagnostic, Rejected
from ensc.compiler.quoting import number
from ensc.compiler.types.problem import Check, EnsembleProblem, MaximizeTotal
from ensc.compiler.types.solution import Proof, Status, Verdict, Word
from ensc.runner.exact.replay import agreement
from ensc.runner.joint.solve import Settings, solve_joint
from ensc.runner.reports.report import Json, is_certified, quantity, result_json
from ensc.runner.reports.show import verdict_text
from ensc.runner.solvers.choose import BackEnd, solver_name
from ensc.runner.verdicts.attainable import only_value_between
from ensc.runner.verdicts.result import Result

SCHEMA = "ensc-portfolio-1"


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What became of one solver.

    Attributes:
        solver: its name.
        result: its answer, None if it could not be asked.
        refused: why it could not be asked.
    """

    solver: str
    result: Result | None
    refused: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Portfolio:
    """What several solvers say.

    Attributes:
        answers: of each, in the order they were asked.
        combined: what follows from all of them.
        disagreements: claims that contradict a certified attack, with who made them.
    """

    answers: tuple[Answer, ...]
    combined: Result
    disagreements: tuple[str, ...]


def solve_with_all(
    problem: EnsembleProblem,
    solvers: Sequence[BackEnd],
    settings: Settings,
    told: Callable[[Answer], None] = lambda _: None,
) -> Portfolio:
    """Ask solvers one after the other.

    Args:
        problem: the query.
        solvers: whom to ask.
        settings: for each of them; the time limit is for each alone.
        told: is given every answer when it is there.

    Raises:
        Rejected: if none of them could be asked, with all their reasons.
    """
    start = time.perf_counter()
    answers = []
    for solver in solvers:
        answers.append(_answer(problem, solver, settings))
        told(answers[-1])
    results = [(answer.solver, answer.result) for answer in answers if answer.result is not None]
    if not results:
        raise Rejected(dict.fromkeys(reason for answer in answers for reason in answer.refused))
    verdict, disagreements = combine(problem, results)
    agreed = agreement(problem, verdict)
    seconds = {"all": time.perf_counter() - start}
    combined = Result(problem, verdict, results[0][1].solution, agreed, seconds)
    return Portfolio(tuple(answers), combined, disagreements)


def _answer(problem: EnsembleProblem, solver: BackEnd, settings: Settings) -> Answer:
    try:
        result = solve_joint(problem, replace(settings, solver=solver))
    except Rejected as rejected:
        return Answer(solver_name(solver), None, rejected.diagnostics)
    return Answer(solver_name(solver), result)


def combine(
    problem: EnsembleProblem, results: Sequence[tuple[str, Result]]
) -> tuple[Verdict, tuple[str, ...]]:
    """Return the verdict that all results together support, and the claims that certified attacks refute.

    Args:
        problem: the query.
        results: the name of each solver, at least one, and what it answered.
    """
    best = _best(results)
    refuted = [(name, result) for name, result in results if best and _refutes(problem, best[1], result)]
    wrong = {name for name, _ in refuted}
    standing = [(name, result) for name, result in results if name not in wrong]
    disagreements = tuple(_told(problem, name, result, best) for name, result in refuted if best)
    verdict = _together(problem, best[1].verdict if best else None, [r.verdict for _, r in standing])
    loud = tuple(f"CONTRADICTION: {line}" for line in disagreements)
    doubts = tuple(_doubts(standing, verdict))
    return replace(verdict, reasons=(*loud, *doubts, *verdict.reasons)), disagreements


def portfolio_json(portfolio: Portfolio) -> Json:
    """Return everything as an object for `json.dumps`; the results in it satisfy `result.schema.json`."""
    return {
        "schema": SCHEMA,
        "answers": [
            {
                "solver": answer.solver,
                "result": None if answer.result is None else result_json(answer.result),
                "refused": [f"{reason.code}: {reason.message}" for reason in answer.refused],
            }
            for answer in portfolio.answers
        ],
        "disagreements": list(portfolio.disagreements),
        "combined": result_json(portfolio.combined),
    }


def render_answer(answer: Answer) -> str:
    """Return what one solver says as lines of text, without its attack."""
    if answer.result is None:
        lines = [f"solver   {answer.solver}: not asked"]
        return "\n".join([*lines, *(f"note     {d.message} [{d.code}]" for d in answer.refused)]) + "\n"
    result = answer.result
    seconds = sum(result.seconds.values())
    lines = [f"solver   {answer.solver}, {seconds:.2f} s: {verdict_text(result.problem, result.verdict)}"]
    return "\n".join([*lines, *(f"note     {reason}" for reason in result.verdict.reasons)]) + "\n"


def disagreement(portfolio: Portfolio) -> Diagnostic | None:
    """Return the diagnostic of solvers that contradict each other, None if they do not."""
    if not portfolio.disagreements:
        return None
    return Diagnostic(
        "E1122",
        "the solvers contradict each other",
        notes=portfolio.disagreements,
        help="believe the attack, and report the file to the makers of the solver that it refutes",
    )


def _best(results: Sequence[tuple[str, Result]]) -> tuple[str, Result] | None:
    certified = [(name, result) for name, result in results if is_certified(result.verdict)]
    return max(certified, key=lambda found: found[1].verdict.lower, default=None)


def _threshold(problem: EnsembleProblem) -> Fraction | None:
    match problem.goal:
        case Check(alpha) | MaximizeTotal(Fraction() as alpha):
            return alpha
        case _:
            return None


def _refutes(problem: EnsembleProblem, best: Result, claimed: Result) -> bool:
    """Whether a certified attack does what another solver proved to be impossible."""
    alpha, certificate, verdict = _threshold(problem), best.verdict.certificate, claimed.verdict
    assert certificate is not None
    if verdict.word in {Word.ROBUST, Word.ROBUST_UP_TO_K}:
        return alpha is not None and certificate.value >= alpha
    if claimed.solution.status is Status.INFEASIBLE:
        return certificate.value >= alpha if alpha is not None else True
    return bool(verdict.proofs) and best.verdict.lower > verdict.upper


def _told(problem: EnsembleProblem, name: str, claimed: Result, best: tuple[str, Result] | None) -> str:
    assert best is not None
    finder, certificate = best[0], best[1].verdict.certificate
    assert certificate is not None
    reached = certificate.total if quantity(problem) == "total" else certificate.value
    found = f"{finder} found an attack of {quantity(problem)} {number(reached)}, which was replayed exactly"
    alpha = _threshold(problem)
    if claimed.verdict.word is Word.UNKNOWN and claimed.solution.status is Status.INFEASIBLE:
        return f"{name} claims that the model is infeasible, and {found}"
    if claimed.verdict.word in {Word.ROBUST, Word.ROBUST_UP_TO_K} and alpha is not None:
        return f"{name} claims that no attack has value {number(alpha)} or more, and {found}"
    upper = number(claimed.verdict.upper)
    return f"{name} claims that no attack has a {quantity(problem)} above {upper}, and {found}"


def _together(problem: EnsembleProblem, best: Verdict | None, standing: Sequence[Verdict]) -> Verdict:
    """Put the best attack and the claims that it leaves standing together."""
    if best is not None and best.word is Word.NOT_ROBUST:
        return best
    proved = [v for v in standing if v.proofs]
    for verdict in proved:
        if verdict.word in {Word.ROBUST, Word.ROBUST_UP_TO_K}:
            return replace(verdict, proofs=_proofs(v for v in proved if v.word is verdict.word))
    lower = best.lower if best else Fraction(0)
    proven = min((v.upper for v in proved), default=_most(problem))
    upper = max(lower, only_value_between(problem, lower, proven))
    optima = [v for v in proved if v.word is Word.OPTIMAL]
    word = Word.OPTIMAL if best is not None and (optima or lower == upper) else Word.UNKNOWN
    attack, certificate = (best.attack, best.certificate) if best else (None, None)
    proofs = _proofs(optima or [v for v in proved if v.upper == proven])
    return Verdict(word, lower, upper, attack, certificate, proofs)


def _proofs(verdicts: Iterable[Verdict]) -> tuple[Proof, ...]:
    return tuple(dict.fromkeys(proof for verdict in verdicts for proof in verdict.proofs))


def _doubts(standing: Sequence[tuple[str, Result]], verdict: Verdict) -> Iterator[str]:
    """Say who found, within its tolerance, what others prove not to exist."""
    if verdict.word not in {Word.ROBUST, Word.ROBUST_UP_TO_K}:
        return
    for name, result in standing:
        if result.solution.status in {Status.OPTIMAL, Status.FEASIBLE}:
            yield (
                f"{name} claims an attack that exact replay does not confirm, and others prove that there is "
                "none: the tolerances of the solvers decide here"
            )


def _most(problem: EnsembleProblem) -> Fraction:
    total = len(problem.ensemble) * len(problem.points)
    return Fraction(total if quantity(problem) == "total" else 1)
