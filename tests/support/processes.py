"""Which processes of the solvers are running, and waiting until they are."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

WORKER = b"milp_worker"


def wait_until(condition: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.05)


def running(word: bytes = WORKER) -> set[int]:
    """The numbers of the processes with a word on their command line."""
    if not Path("/proc").is_dir():
        pytest.skip("needs /proc")
    return {number for number in _numbers() if word in _content(number, "cmdline")}


def family(ancestor: int) -> set[int]:
    """The workers among the descendants of a process."""
    parents = {number: _parent(number) for number in _numbers()}
    found = {ancestor}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found & running()


def _numbers() -> list[int]:
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]


def _parent(number: int) -> int:
    words = _content(number, "stat").rpartition(b")")[2].split()
    return int(words[1]) if words else 0


def _content(number: int, name: str) -> bytes:
    try:
        return Path("/proc", str(number), name).read_bytes()
    except OSError:
        return b""
