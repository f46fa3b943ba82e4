"""`Model` -> SMT-LIB 2.6 script in QF_LRA, or for z3's optimizer.

Reals are declared, binaries are Bools; there are no Ints, which would need another logic, and another
solver. A script has the solutions of the model, exactly.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np

from ensc.compiler.types.model import Flags, Floats, Model, Objective, Variables
from ensc.formats.smtlib.header import comment, header
from ensc.formats.smtlib.piecewise import Relu, piecewise_text
from ensc.formats.smtlib.refusals import require_writable
from ensc.formats.smtlib.rows import rows_text
from ensc.formats.smtlib.terms import Sums, Symbols, around, decimal, decimals, in_blocks, pieces, woven

Dialect: TypeAlias = Literal["standard", "z3-opt"]
Status: TypeAlias = Literal["sat", "unsat", "unknown"]

NAMES_A_LINE = 8
NAMES_A_COMMAND = 800

_NO_META: Mapping[str, str] = MappingProxyType({})


def write_smtlib(
    model: Model,
    *,
    relu: Relu = "or",
    dialect: Dialect = "standard",
    status: Status = "unknown",
    meta: Mapping[str, str] = _NO_META,
    values: Sequence[str] = (),
) -> Iterator[bytes]:
    """Return a model as SMT-LIB text, in chunks.

    Args:
        model: a piecewise-linear or linear model.
        relu: how rectifiers are written, as `piecewise` says.
        dialect: `standard` is what every SMT solver reads; `z3-opt` has z3's `maximize` and `minimize`.
        status: what the answer is known to be; a solver that finds another one stops with an error.
        meta: for the header, as `header.header` says. No date is written unless one is given.
        values: names of variables whose values are asked for after the answer. In a script for an archive
            there are none.

    Raises:
        Rejected: E1030 to E1035, as `require_writable`, before the first chunk.
    """
    require_writable(model, objective=dialect == "z3-opt", meta=meta)
    names = model.variables.names()
    assert set(values) <= set(names), "only variables have values"
    symbols = Symbols(pieces([name.encode("ascii") for name in names]), model.variables.integer)
    return itertools.chain(
        [_lines(_head(model, status, meta, values))],
        _declarations(symbols),
        _bounds(model.variables, symbols),
        rows_text(model.rows, symbols),
        piecewise_text(model, symbols, relu),
        _objective(model.objective, symbols),
        [_lines(_end(model, values))],
    )


def _lines(lines: Iterator[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def _head(model: Model, status: str, meta: Mapping[str, str], values: Sequence[str]) -> Iterator[str]:
    if values:  # Yices takes the option before the logic only
        yield "(set-option :produce-models true)"
    yield from header(model, status, meta)


def _declarations(symbols: Symbols) -> Iterator[bytes]:
    sorts = pieces([b" () Real)\n", b" () Bool)\n"])[symbols.boolean.astype(np.int64)]
    for block in in_blocks(np.arange(len(sorts))):
        yield woven(b"(declare-fun ", symbols.names[block], sorts[block])


def _bounds(variables: Variables, symbols: Symbols) -> Iterator[bytes]:
    lower, upper, boolean = variables.lower, variables.upper, symbols.boolean
    fixed = lower == upper
    yield comment("bounds")
    yield from _compared(b"(assert (= ", ~boolean & fixed, lower, symbols)
    yield from _compared(b"(assert (>= ", ~boolean & ~fixed & np.isfinite(lower), lower, symbols)
    yield from _compared(b"(assert (<= ", ~boolean & ~fixed & np.isfinite(upper), upper, symbols)
    never_0, never_1 = (lower > 0) | (upper < 0), (lower > 1) | (upper < 1)
    for block in in_blocks(np.flatnonzero(boolean & never_0)):
        yield woven(b"(assert ", symbols.names[block], b")\n")
    for block in in_blocks(np.flatnonzero(boolean & never_1)):
        yield woven(b"(assert (not ", symbols.names[block], b"))\n")


def _compared(head: bytes, chosen: Flags, bounds: Floats, symbols: Symbols) -> Iterator[bytes]:
    for block in in_blocks(np.flatnonzero(chosen)):
        yield woven(head, symbols.names[block], b" ", decimals(bounds[block]), b"))\n")


def _objective(objective: Objective, symbols: Symbols) -> Iterator[bytes]:
    if not len(objective.columns):
        return
    yield comment("only z3 knows the next command")
    starts = np.array([0, len(objective.columns)])
    before, after = f"({objective.sense}".encode("ascii"), b")\n"
    if objective.constant:
        before, after = before + b" (+", b" " + decimal(objective.constant) + b"))\n"
    sums = Sums(starts, objective.columns, objective.coefficients)
    yield from around(sums, symbols, pieces([before]), pieces([after]))


def _end(model: Model, values: Sequence[str]) -> Iterator[str]:
    yield "(check-sat)"
    if values and len(model.objective.columns):
        yield "(get-objectives)"
    for first in range(0, len(values), NAMES_A_COMMAND):
        chunk = values[first : first + NAMES_A_COMMAND]
        lines = (" ".join(chunk[i : i + NAMES_A_LINE]) for i in range(0, len(chunk), NAMES_A_LINE))
        yield "(get-value ({}))".format("\n  ".join(lines))
    yield "(exit)"
