"""Back ends that misbehave; in a module of their own, because worker processes import them by name."""

import os
import signal
import time
from pathlib import Path

from ensc.compiler.types.model import Model
from ensc.compiler.types.solution import Proof, Solution, Status
from ensc.runner.split.answer import solve_by_cbc

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
