"""The table of operators in the docs, made from what the conformance cases showed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import onnx
from onnx import defs

from ensc.compiler.frontend.onnx.folding import FOLDED
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.operators import SUPPORTED
from ensc.compiler.frontend.onnx.origin import Origin
from ensc.compiler.frontend.onnx.passing import CLOSING
from ensc.compiler.frontend.onnx.refusals import refusal

HEAD = """# Operators

Which operators of ONNX {version} are read, and why others are not. The numbers count the standard's own cases
of one operator (`onnx.backend.test`): in *passed*, ensc computes what the standard says, with the inputs of
the case taken as computed values, or as constants where the operator multiplies them; in *refused*, it says
why not. `pytest tests/compiler/test_onnx_conformance.py --update` writes this table.

| operator | read | passed | refused | why |
| --- | --- | ---: | ---: | --- |
"""


@dataclass(frozen=True)
class Shown:
    """What one case showed.

    Attributes:
        titles: its operators.
        is_passed: whether it passed.
        reason: why it was refused, empty if it was not.
    """

    titles: frozenset[str]
    is_passed: bool
    reason: str


def table(shown: Iterable[Shown]) -> str:
    """Return the page."""
    cases: dict[str, list[Shown]] = {}
    for one in shown:
        if len(one.titles) == 1:
            cases.setdefault(min(one.titles), []).append(one)
    rows = [_row(title, cases) for title in _titles()]
    return HEAD.format(version=onnx.__version__) + "".join(rows)


def _titles() -> list[str]:
    names = {
        f"{schema.domain}.{schema.name}".removeprefix(".")
        for schema in defs.get_all_schemas()
        if schema.domain in {"", "ai.onnx.ml"}
    }
    return sorted(names, key=lambda name: (name.startswith("ai."), name))


def _row(title: str, cases: Mapping[str, list[Shown]]) -> str:
    mine = cases.get(title, [])
    refused = [case.reason for case in mine if not case.is_passed]
    state, why = _state(title)
    reasons = "; ".join(dict.fromkeys(filter(None, [why, *sorted(refused)])))
    passed = sum(case.is_passed for case in mine)
    return f"| `{title}` | {state} | {passed or ''} | {len(refused) or ''} | {reasons} |\n"


def _state(title: str) -> tuple[str, str]:
    """Return how an operator is read, and why not everywhere."""
    domain, _, operator = title.rpartition(".")
    node = Node(operator, domain, 0, "n", (), (), {}, Origin("`m.onnx`"))
    if title == "If":
        return "with a constant condition", ""
    if title in SUPPORTED:
        return "yes", ""
    if title in CLOSING or title == "ai.onnx.ml.Normalizer":
        return "at the end", refusal(node).why
    if title in FOLDED:
        return "on constants", refusal(node).why
    return "no", refusal(node).why
