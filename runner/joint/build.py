"""Compiling with what the compiler cannot do itself: linear programs solved, questions answered before."""

import dataclasses
from dataclasses import dataclass

from ensc.compiler.pipeline import Aids, Compiled, Options, compile_problem
from ensc.compiler.types.problem import EnsembleProblem
from ensc.runner.joint.tighten import TIGHTEN_SECONDS, find_lp_solver
from ensc.runner.split.answer import Backend, solve_by_cbc
from ensc.runner.split.facts import find_facts
from ensc.runner.split.settings import SplitSettings

SPLIT_SECONDS = 300.0
"""What the split may take at -O3, unless said otherwise."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What compiling may cost beyond level 1.

    Attributes:
        tighten_seconds: for the linear programs of -O2 and -O3, altogether.
        split_seconds: for the split of -O3.
        jobs: processes of the split.
        backend: answers the questions of the split.
    """

    tighten_seconds: float = TIGHTEN_SECONDS
    split_seconds: float = SPLIT_SECONDS
    jobs: int = 1
    backend: Backend = solve_by_cbc

    def within(self, seconds: float | None) -> "Effort":
        """Return the effort none of whose parts takes longer than so many seconds."""
        if seconds is None:
            return self
        tighten, split = min(self.tighten_seconds, seconds), min(self.split_seconds, seconds)
        return dataclasses.replace(self, tighten_seconds=tighten, split_seconds=split)


def build(problem: EnsembleProblem, options: Options | None = None, effort: Effort | None = None) -> Compiled:
    """Compile a problem at any level.

    Raises:
        Rejected: as `compile_problem`; at -O3 what the backend rejects, for example E1110 if there is none.
    """
    options, effort = options or Options(), effort or Effort()
    facts = None
    if options.level > 2:
        settings = SplitSettings(jobs=effort.jobs, time_limit=effort.split_seconds, backend=effort.backend)
        facts = find_facts(problem, settings)
    lp = find_lp_solver(effort.tighten_seconds) if options.level > 1 else None
    return compile_problem(problem, options, Aids(lp, facts))
