"""A worker in a process group of its own, ended with everything that it started when its time is over."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that came to its end.

    Attributes:
        output: what it printed.
        errors: what it printed to standard error.
        code: its exit code, negative for a signal; None if its time ran out.
    """

    output: str
    errors: str
    code: int | None


def package_version(distribution: str) -> str:
    """Return the version of an installed Python package."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "of unknown version"


def run_worker(
    worker: Path, request: Mapping[str, object], seconds: float | None, *, verbose: bool = False
) -> Ended:
    """Run a worker script with a request as its JSON argument; its group has ended when this returns.

    Args:
        worker: the script, run by this Python without the script's folder on the module path.
        request: its argument.
        seconds: how long it may take, none if None.
        verbose: whether what it prints goes to standard error, instead of into the result.
    """
    with tempfile.TemporaryDirectory(prefix="ensc-") as folder:
        output, errors = Path(folder, "output"), Path(folder, "errors")
        with output.open("wb") as printed, errors.open("wb") as complained:
            child = subprocess.Popen(  # noqa: S603 - our own worker, with our own interpreter
                [sys.executable, "-P", str(worker), json.dumps(request)],
                stdin=subprocess.PIPE,  # ends with this process, which the worker notices
                stdout=2 if verbose else printed,
                stderr=None if verbose else complained,
                start_new_session=True,  # Ctrl-C is the caller's to handle
            )
            code = _wait(child, seconds)
        return Ended(read_text(output), read_text(errors), code)


def describe_end(code: int | None) -> str:
    """Return how a process ended, as the end of a sentence."""
    if code is None:
        return "did not stop at its time limit"
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


def last_line(text: str) -> str:
    """Return the last line that is not blank, cut to a length fit for a message."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


def keep_log(name: str, *parts: str) -> str:
    """Write a log that outlives this process; return its path."""
    plain = "".join(c if c.isalnum() else "-" for c in name)[:40]
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix=f"ensc-{plain}-", suffix=".log", delete=False
    ) as log:
        log.write("\n".join(parts) + "\n")
    return log.name


def _wait(child: subprocess.Popen[bytes], seconds: float | None) -> int | None:
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        end_group(child.pid)  # also what it left behind
        child.communicate()


def end_group(leader: int) -> None:
    """End a group; its number is still its own, because a dead leader keeps it while others live."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def read_text(path: Path) -> str:
    """Return what a process printed into a file, nothing if it did not come to open it."""
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
