"""The long story of each diagnostic, kept as one Markdown file for each code."""

import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from ensc.compiler.diagnostics import Source, Span, reject
from ensc.compiler.quoting import shown
from ensc.compiler.words import suggest

CODE = re.compile(r"[EW][0-9]{4}")


def explain(code: str) -> str:
    """Return what a diagnostic means, with an example of the mistake and of its cure.

    Args:
        code: such as `E0202`, in upper or lower case.

    Returns:
        Markdown text; its first line is a title.

    Raises:
        Rejected: there is no such code.
    """
    name = code.strip().upper()
    if name not in codes():
        _refuse(code, name)
    return (_folder() / f"{name}.md").read_text(encoding="utf-8")


@cache
def codes() -> tuple[str, ...]:
    """Return every code that has an explanation, in order."""
    names = (entry.name.removesuffix(".md") for entry in _folder().iterdir())
    return tuple(sorted(name for name in names if CODE.fullmatch(name)))


def _folder() -> Traversable:
    return files("ensc.compiler") / "explanations"


def _refuse(code: str, name: str) -> None:
    near = suggest(name, codes()) if CODE.fullmatch(name) else None
    reject(
        "E0199",
        f"no diagnostic has the code `{shown(code)}`",
        Span(Source("command line", code), 0, len(code)),
        "expected a code such as E0202",
        help=f"did you mean `{near}`?" if near else "codes stand in brackets: `error[E0202]`",
    )
