"""What verifiers answer: the result files of VNN-COMP, in its two forms.

The first line is a word: `sat` or `violated`, `unsat` or `holds`, `timeout`, `unknown`, `error`. After `sat`
comes a counterexample: `((X_0 0.5)`, one variable a line (version 1.0), or tensors in the order of their
declaration, `X float32 [1,2]` and then one value a line (version 2.0).
"""

import re
from collections.abc import Iterator
from fractions import Fraction

from ensc.compiler.diagnostics import Source, Span, reject
from ensc.compiler.quoting import shown
from ensc.compiler.types.solution import Solution, Status

WORDS = {
    "sat": Status.FEASIBLE,
    "violated": Status.FEASIBLE,
    "unsat": Status.INFEASIBLE,
    "holds": Status.INFEASIBLE,
    "timeout": Status.UNKNOWN,
    "unknown": Status.UNKNOWN,
    "error": Status.UNKNOWN,
}

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?"
_PAIR = re.compile(rf"\(\s*X_(\d{{1,9}})\s+({_NUMBER})\s*\)", re.ASCII)
_TENSOR = re.compile(r"\s*\S+\s+\S+\s+\[[\d,\s]*\]\s*", re.ASCII)
_VALUE = re.compile(rf"\s*({_NUMBER})\s*", re.ASCII)


def read_result(text: str, source_name: str) -> Solution:
    """Read a verifier's result about networks that share one input.

    Returns:
        What it claims; the values of the input are `X_0`, `X_1`, ..., exactly the decimals written.

    Raises:
        Rejected: E1250 if the first line is none of the words.
    """
    first, _, rest = text.lstrip().partition("\n")
    status = WORDS.get(first.strip().lower())
    if status is None:
        reject(
            "E1250",
            f"`{shown(source_name)}` is no verifier's result",
            Span(Source(source_name, text), 0, min(len(text), max(1, len(text.split("\n", 1)[0])))),
            "its first line",
            help="it should be `sat`, `unsat`, `timeout` or `unknown`, with a counterexample after `sat`",
        )
    values = dict(_values(rest)) if status is Status.FEASIBLE else {}
    return Solution(status, values, message=first.strip())


def _values(text: str) -> Iterator[tuple[str, Fraction]]:
    found = _PAIR.findall(text)
    if found:
        yield from ((f"X_{int(index)}", Fraction(value)) for index, value in found)
        return
    place, tensors = 0, 0
    for line in text.splitlines():
        if _TENSOR.fullmatch(line):
            tensors += 1
        elif (value := _VALUE.fullmatch(line)) and tensors == 1:  # the shared input comes first
            yield f"X_{place}", Fraction(value[1])
            place += 1
