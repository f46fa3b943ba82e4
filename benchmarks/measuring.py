"""What the scripts beside this one share: processes of their own, limits of processor time, tables."""

import importlib
import json
import math
import os
import platform
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

FLOOR = 0.05
"""Seconds below which differences say nothing about a file."""


class Answered(Protocol):
    """What a solver made of one file."""

    @property
    def question(self) -> str:
        """The question in words."""

    @property
    def answer(self) -> str:
        """What it said, or what went wrong."""

    @property
    def seconds(self) -> float:
        """How long it took, of the processor."""

    @property
    def binaries(self) -> int:
        """How many the file has."""

    @property
    def decided(self) -> bool:
        """Whether it is an answer."""


A = TypeVar("A", bound=Answered)


# processes -------------------------------------------------------------------------------------------


def run_alone(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own, whose libraries use one thread."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 - ours


def reason(failed: subprocess.CompletedProcess[str]) -> str:
    """Return in a few words why a process failed."""
    code = failed.returncode
    silent = f"signal {-code}" if code < 0 else "it crashed"
    return (failed.stderr.strip().splitlines() or [silent])[-1][:100]


def answered_by(script: str, *arguments: str, otherwise: float) -> dict[str, Any]:
    """Run a script that may meet the limit of its processor time; return the JSON that it printed last.

    Args:
        script: the file.
        arguments: of it.
        otherwise: the seconds that it counts for if it fails; `answer` is the reason then.
    """
    done = run_alone(script, *arguments)
    if done.returncode not in {0, -signal.SIGXCPU}:
        return {"answer": reason(done), "seconds": otherwise}
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer


def limit_cpu(seconds: float) -> float:
    """Let this process end after so many more seconds of the processor; return how many it has used."""
    begin = time.process_time()
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(begin + seconds), resource.RLIM_INFINITY))
    return begin


def highs_with(seed: int) -> Any:  # noqa: ANN401 - highspy has no types
    """Return HiGHS with one thread, all else as it comes."""
    highs = importlib.import_module("highspy").Highs()
    for option, value in {"output_flag": False, "threads": 1, "random_seed": seed}.items():
        highs.setOptionValue(option, value)
    return highs


def peak() -> int | None:
    """Return this process's peak of memory in bytes; `getrusage` may tell that of the process before."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


# reporting -------------------------------------------------------------------------------------------


def machine() -> dict[str, Any]:
    """Return what the times depend on."""
    processor = platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        processor = models[0] if models else processor
    system = f"{platform.system()} {platform.machine()}"
    return {"processor": processor, "cores": os.cpu_count(), "system": system}


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """Return lines, the first of them heads, as a Markdown table."""
    rows = [lines[0], ["---"] + ["--:"] * (len(lines[0]) - 1), *lines[1:]]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def table(got: Sequence[A], variant_of: Callable[[A], str]) -> str:
    """Return a line for each question: the answer, and of each variant mean seconds and binaries."""
    variants = list(dict.fromkeys(map(variant_of, got)))
    lines = [["question", "answer", *(f"{v} s" for v in variants), *(f"{v} binaries" for v in variants)]]
    for question in dict.fromkeys(a.question for a in got):
        here = [[a for a in got if a.question == question and variant_of(a) == v] for v in variants]
        said = sorted({a.answer for each in here for a in each if a.decided})
        sizes = (str(each[0].binaries) for each in here)
        lines.append([question, " and ".join(said) or "open", *map(_mean_time, here), *sizes])
    return markdown(lines)


def _mean_time(same: Sequence[Answered]) -> str:
    """Return the mean over the seeds, and what kept it from being an answer."""
    mean = sum(a.seconds for a in same) / len(same)
    open_ = [a.answer for a in same if not a.decided]
    return f"{mean:.2f}" + (f" ({open_[0]})" if open_ else "")


def mean_ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """Return the geometric mean of ratios of seconds, each of at least `FLOOR`."""
    logs = [math.log(max(a, FLOOR) / max(b, FLOOR)) for a, b in zip(over, under, strict=True)]
    return math.exp(sum(logs) / len(logs))


def contradictions(got: Sequence[Answered]) -> list[str]:
    """Return the questions that were answered in two ways."""
    said: dict[str, set[str]] = {}
    for a in got:
        if a.decided:
            said.setdefault(a.question, set()).add(a.answer)
    return [question for question, different in said.items() if len(different) > 1]


def write_json(path: Path, report: dict[str, Any]) -> None:
    """Write a report."""
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
