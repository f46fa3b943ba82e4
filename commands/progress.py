"""Progress on standard error: a bar on a terminal, now and then a line in a log."""

import sys
import threading
import time
from collections.abc import Callable
from importlib import util
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from ensc.runner.split.settings import Progress

Form = Literal["auto", "plain", "none"]

EVERY = 10.0
"""Seconds between two lines."""


class Display:
    """Shows how far a run is; entering starts it, leaving ends it."""

    def __init__(self, form: Form, every: float = EVERY) -> None:
        """Choose the form: `auto` draws on a terminal, if rich is installed, and writes lines elsewhere."""
        self._form, self._every = form, every
        self._now: Progress | None = None
        self._first: Progress | None = None
        self._start = time.monotonic()
        self._over = threading.Event()
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._thread = threading.Thread(target=self._lines, daemon=True)

    def __enter__(self) -> Self:
        if self._form == "none":
            return self
        if self._form == "auto" and _is_terminal() and util.find_spec("rich") is not None:
            self._draw()
        else:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._bar is not None:
            self._bar.stop()
        if self._thread.ident is not None:
            self._thread.join()

    def begin(self) -> Callable[["Progress"], None] | None:
        """Start to count for a query; return what is told about it, None where nothing is shown."""
        if self._form == "none":
            return None
        self._now = self._first = None
        self._start = time.monotonic()
        return self._told

    def _told(self, now: "Progress") -> None:
        self._first = self._first or now
        self._now = now
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, total=now.points, completed=now.decided, said=self._text())

    def _text(self) -> str:
        from ensc.runner.split.progress import describe

        now, first = self._now, self._first
        return "" if now is None or first is None else describe(now, first, time.monotonic() - self._start)

    def _lines(self) -> None:
        while not self._over.wait(self._every):
            text = self._text()
            if text:
                print(f"ensc: {text}", file=sys.stderr, flush=True)

    def _draw(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        columns = (SpinnerColumn(), BarColumn(20), TextColumn("{task.fields[said]}"), TimeElapsedColumn())
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("", total=None, said="reading")
        self._bar.start()


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
