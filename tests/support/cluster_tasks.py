"""Tasks for the workers of a cluster, which import them by name."""

import time
from pathlib import Path


def note(log: str, number: int, seconds: float) -> int:
    """Take a while, then write a number down."""
    time.sleep(seconds)
    with Path(log).open("a", encoding="ascii") as stream:
        stream.write(f"{number}\n")
    return number
