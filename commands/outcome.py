"""How a command ends: its exit code, and what it has to say about its input."""

import argparse
import sys
from collections.abc import Sequence

from ensc.compiler.diagnostics import Diagnostic

DONE, REJECTED, USAGE, UNDECIDED, CONTRADICTED = range(5)


def report(diagnostics: Sequence[Diagnostic], options: argparse.Namespace) -> None:
    """Print diagnostics; as JSON they are kept, since all of a run are one object."""
    from ensc.compiler.render import render_text

    if options.diagnostics == "text":
        blank = "\n" if options.said else ""
        print(blank + render_text(diagnostics).rstrip("\n"), file=sys.stderr)
    options.said.extend(diagnostics)
