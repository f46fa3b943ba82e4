"""What a run ends with, by whichever strategy: the verdict, and what it was read from."""

from dataclasses import dataclass

from ensc.compiler.types.problem import EnsembleProblem
from ensc.compiler.types.solution import Solution, Verdict
from ensc.runner.exact.replay import Agreement


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
