"""Back ends that misbehave; in a module of their own, because worker processes import them by name."""

import os
import signal
import time
from pathlib import Path

from ensc.compiler.types.model import Model
from ensc.compiler.types.solution import Proof, Solution, Status
from ensc.runner.solvers.cbc import CBC
from ensc.runner.split.answer import solve_by_cbc, solve_by_milp

FLAG = "ENSC_TEST_DEAD"


def dies_once(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
    """End the worker process the first time anybody asks."""
    flag = Path(os.environ[FLAG])
    if not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return solve_by_cbc(model, seconds, seed)


def hangs(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
    del model, seconds, seed
    time.sleep(60)
    return Solution(Status.UNKNOWN, {}), None


def interrupts(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
    del model, seconds, seed
    raise KeyboardInterrupt


def always_dies(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
    del model, seconds, seed
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def claims_infeasible(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
    del model, seconds, seed
    return Solution(Status.INFEASIBLE, {}), Proof("a liar", 1e-6, "the model is infeasible")


def claims_nonsense(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
    """Call everything feasible, with numbers that are none."""
    del seconds, seed
    numbers = (float("nan"), float("inf"), 1e300, -1.0)
    values = {name: numbers[i % 4] for i, name in enumerate(model.variables.names())}
    return Solution(Status.OPTIMAL, values, 0.0, 0.0), Proof("nonsense", 1e-6, "the optimum is 0")


def crashes(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
    """Run a real solver with less memory than it needs to start."""
    return solve_by_milp(CBC, model, seconds, seed, memory=1)
