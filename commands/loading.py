"""What commands read: queries with the warnings about them, and their text."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ensc.commands.outcome import report
from ensc.compiler.diagnostics import Source

if TYPE_CHECKING:
    from ensc.compiler.frontend.query.resolve import Loaded, Overrides
    from ensc.compiler.types.problem import EnsembleProblem


def load(options: argparse.Namespace) -> Sequence["Loaded"]:
    """Load a query, once for each combination of swept parameters; print its warnings once."""
    from ensc.compiler.frontend.query.resolve import load_sweep

    loaded = load_sweep(options.query, overrides(options))
    warnings = dict.fromkeys(warning for each in loaded for warning in each.warnings)
    if warnings:
        report(list(warnings), options)
    return loaded


def load_one(options: argparse.Namespace) -> "EnsembleProblem":
    """Load a query that is not swept; print its warnings."""
    from ensc.compiler.frontend.query.resolve import load_problem

    loaded = load_problem(options.query, overrides(options))
    if loaded.warnings:
        report(loaded.warnings, options)
    return loaded.problem


def is_property(path: Path) -> bool:
    """Return whether a path names a VNN-LIB file, possibly compressed.

    Told before anything is imported: most commands are about queries, which need no reader of VNN-LIB.
    """
    return Path(path.name.removesuffix(".gz")).suffix == ".vnnlib"


def overrides(options: argparse.Namespace) -> "Overrides":
    """Return what the arguments put in the place of what the query says."""
    from ensc.compiler.frontend.query.resolve import Overrides

    return Overrides(tuple(options.define), tuple(options.network), tuple(options.data))


def source(path: Path) -> Source:
    """Read the text of a query."""
    from ensc.compiler.frontend.query.include import read_source

    return read_source(path)


def formatted(path: Path) -> str:
    """Return a query in its canonical layout."""
    from ensc.compiler.frontend.syntax.format import format_query
    from ensc.compiler.frontend.syntax.parse import parse_query

    return format_query(parse_query(source(path)))
