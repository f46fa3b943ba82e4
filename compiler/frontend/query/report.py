"""Collecting what independent checks have to say, so that one run names every mistake.

A check raises `Rejected`; its parent runs it through `Report.attempt`, goes on with the next check
that does not depend on it, and raises everything at the end. A check that cannot say anything because
another one already has raises `already_reported()`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ParamSpec, TypeVar

from ensc.compiler.diagnostics import Diagnostic, Rejected, Severity

P = ParamSpec("P")
T = TypeVar("T")


def already_reported() -> Rejected:
    """Return the exception of a check whose cause of failure is reported by someone else."""
    return Rejected(())


MOST_SAID = 50
"""So many diagnostics are shown; a file with more mistakes is mended one screen at a time."""


def first_of(said: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return all diagnostics, or the first errors with a note of how many more there are."""
    if len(said) <= MOST_SAID:
        return tuple(said)
    errors = [d for d in said if d.severity is Severity.ERROR]
    shown, more = errors[:MOST_SAID], max(0, len(errors) - MOST_SAID)
    note = f"{more} further mistakes are not shown"
    return (*shown[:-1], replace(shown[-1], notes=(*shown[-1].notes, note)))


class Report:
    """The diagnostics of one run, errors and warnings."""

    def __init__(self, said: tuple[Diagnostic, ...] = ()) -> None:
        self._failed = any(d.severity is Severity.ERROR for d in said)
        self._said = dict.fromkeys(said)

    def attempt(self, check: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Run a check; return None, and keep its diagnostics, when it rejects the input."""
        try:
            return check(*args, **kwargs)
        except Rejected as rejected:
            self._failed = True
            self._said.update(dict.fromkeys(rejected.diagnostics))
            return None

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep one diagnostic; an error rejects the input when the run ends."""
        self._failed |= diagnostic.severity is Severity.ERROR
        self._said[diagnostic] = None

    @property
    def failed(self) -> bool:
        """Whether any check has rejected the input so far."""
        return self._failed

    @property
    def said(self) -> tuple[Diagnostic, ...]:
        """Everything said so far, each diagnostic once, in the order of the checks."""
        return tuple(self._said)
