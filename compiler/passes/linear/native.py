"""Piecewise-linear constraints in the forms that some solvers hold natively: indicators and ordered sets.

Neither needs a big-M constant: an indicator row holds if its binary has a value, and of an ordered set (of
type 1) at most one variable is not zero. Readers that do not know them refuse the file, or keep the rows
unconditionally, so these forms are for solvers that are known to hold them.
"""

import dataclasses

import numpy as np

from ensc.compiler.passes.lowering.assemble import Assembler, concatenate_rows
from ensc.compiler.types.model import Flags, Floats, Indices, Labels, Model, OrderedSets, Rows


def binaries(to: Assembler, labels: tuple[Labels, ...]) -> Indices:
    """Add a binary for every name."""
    blocks = [to.variables(run, 0.0, 1.0, integer=True).ravel() for run in labels]
    return np.concatenate(blocks) if blocks else np.empty(0, dtype=np.int64)


def indicator_rectifiers(to: Assembler, model: Model) -> None:
    """`y = max(0, a)`: `y >= 0`, `y >= a`, `z = 1 implies y <= a`, `z = 0 implies y <= 0`."""
    y, a = model.rectifiers.output, model.rectifiers.input
    if not len(y):
        return
    z = binaries(to, model.rectifiers.labels)
    pair, signs = np.stack([y, a], axis=-1), np.array([1.0, -1.0])
    to.rows(pair, signs, 0.0, np.inf, "h >= a")
    to.rows(pair, signs, -np.inf, 0.0, "z = 1 implies h <= a", indicator=z)
    to.rows(y[:, None], 1.0, -np.inf, 0.0, "z = 0 implies h <= 0", indicator=z, active=False)


def indicator_maxima(to: Assembler, model: Model) -> Indices:
    """`y = max(a_1, ...)`: `y >= a_i`, `z_i = 1 implies y <= a_i`; returns z, of which one has to be 1."""
    a, y = _candidates(model)
    z = binaries(to, model.maxima.labels)
    pair, signs = np.stack([y, a], axis=-1), np.array([1.0, -1.0])
    to.rows(pair, signs, 0.0, np.inf, "h >= candidate")
    to.rows(pair, signs, -np.inf, 0.0, "z = 1 implies h <= candidate", indicator=z)
    return z


def set_rectifiers(to: Assembler, model: Model) -> list[OrderedSets]:
    """`y = max(0, a)`: `y - a = u` with `y, u >= 0`, at most one of them not 0."""
    y, a = model.rectifiers.output, model.rectifiers.input
    if not len(y):
        return []
    most = np.maximum(-model.variables.lower[a], 0.0)
    u = _slacks(to, model.rectifiers.labels, most)
    columns = np.stack([y, a, u], axis=-1)
    to.rows(columns, np.array([1.0, -1.0, -1.0]), 0.0, 0.0, "h - a = u, one of h and u is 0")
    return [_pairs(y, u)]


def set_maxima(to: Assembler, model: Model) -> tuple[Indices, list[OrderedSets]]:
    """`y = max(a_1, ...)`: `y - a_i = u_i >= 0`, one of `z_i, u_i` is 0; returns z, of which one is 1."""
    a, y = _candidates(model)
    z = binaries(to, model.maxima.labels)
    if not len(z):
        return z, []
    most = np.maximum(model.variables.upper[y] - model.variables.lower[a], 0.0)
    u = _slacks(to, model.maxima.labels, np.nextafter(most, np.inf))
    columns = np.stack([y, a, u], axis=-1)
    to.rows(columns, np.array([1.0, -1.0, -1.0]), 0.0, 0.0, "h - candidate = u, one of z and u is 0")
    return z, [_pairs(z, u)]


def set_conditions(to: Assembler, rows: Rows, least: Floats, most: Floats) -> tuple[Rows, list[OrderedSets]]:
    """`b = 1 implies sum >= g`: `sum + k >= g`, `k >= 0`, one of `b, k` is 0; likewise from above.

    Where the row holds for `b = 0`, the set has `1 - b` in the place of b.

    Args:
        to: where to.
        rows: of a model, with and without indicators.
        least: what each row's sum is at least.
        most: what it is at most.

    Returns:
        The rows without indicators, and the sets.
    """
    conditional = rows.indicator >= 0
    if not conditional.any():
        return rows, []
    below = conditional & np.isfinite(rows.lower)
    above = conditional & np.isfinite(rows.upper)
    room = np.concatenate([(rows.lower - least)[below], (most - rows.upper)[above]])
    count = len(room)
    k = to.variables(
        Labels("k", (np.arange(1, count + 1),)), 0.0, np.nextafter(np.maximum(room, 0.0), np.inf)
    )
    first = int(below.sum())
    parts = [_with_slack(rows, below, k[:first], 1.0), _with_slack(rows, above, k[first:], -1.0)]
    switches = np.concatenate([rows.indicator[below], rows.indicator[above]])
    holds_at_one = np.concatenate([rows.active[below], rows.active[above]])
    return concatenate_rows([picked(rows, ~conditional), *parts]), [
        _pairs(_selected(to, switches, holds_at_one), k)
    ]


def _selected(to: Assembler, switches: Indices, holds_at_one: Flags) -> Indices:
    """Return for each switch a variable that is not 0 where the row has to hold."""
    inverted = np.flatnonzero(~holds_at_one)
    if not len(inverted):
        return switches
    opposite = to.variables(Labels("n", (np.arange(1, len(inverted) + 1),)), 0.0, 1.0)
    pairs = np.stack([opposite, switches[inverted]], axis=-1)
    to.rows(pairs, 1.0, 1.0, 1.0, "n = 1 - b")
    chosen = switches.copy()
    chosen[inverted] = opposite
    return chosen


def _with_slack(rows: Rows, chosen: Flags, k: Indices, sign: float) -> Rows:
    part = picked(rows, chosen)
    ends = part.starts[1:]
    return dataclasses.replace(
        part,
        starts=part.starts + np.arange(len(part.starts)),
        columns=np.insert(part.columns, ends, k),
        coefficients=np.insert(part.coefficients, ends, sign),
        lower=part.lower if sign > 0 else np.full(len(part), -np.inf),
        upper=part.upper if sign < 0 else np.full(len(part), np.inf),
        indicator=np.full(len(part), -1),
    )


def picked(rows: Rows, chosen: Flags) -> Rows:
    """Return the chosen rows, in order."""
    lengths = np.diff(rows.starts)
    entries: slice | Flags = np.repeat(chosen, lengths)
    count = int(chosen.sum())
    if chosen[:count].all():  # then the entries stand in one piece, and need not be copied
        entries = slice(0, int(rows.starts[count]))
    before = np.concatenate([[0], np.cumsum(chosen)])
    ends = np.cumsum([group.size for group in rows.groups])
    sizes = np.diff(before[np.concatenate([[0], ends])])
    return Rows(
        starts=np.concatenate([[0], np.cumsum(lengths[chosen])]),
        columns=rows.columns[entries],
        coefficients=rows.coefficients[entries],
        lower=rows.lower[chosen],
        upper=rows.upper[chosen],
        indicator=rows.indicator[chosen],
        active=rows.active[chosen],
        groups=tuple(
            dataclasses.replace(group, size=size)
            for group, size in zip(rows.groups, sizes.tolist(), strict=True)
            if size
        ),
    )


def _candidates(model: Model) -> tuple[Indices, Indices]:
    return model.maxima.candidates, np.repeat(model.maxima.output, np.diff(model.maxima.starts))


def _slacks(to: Assembler, labels: tuple[Labels, ...], most: Floats) -> Indices:
    """Add a variable `u` beside every name, between 0 and the given bound."""
    ends = np.cumsum([run.size for run in labels])
    blocks = [
        to.variables(
            Labels("u", run.axes), 0.0, part.reshape(np.broadcast_shapes(*(a.shape for a in run.axes)))
        )
        for run, part in zip(labels, np.split(most, ends[:-1]), strict=True)
    ]
    return np.concatenate([block.ravel() for block in blocks])


def _pairs(first: Indices, second: Indices) -> OrderedSets:
    return OrderedSets(2 * np.arange(len(first) + 1), np.stack([first, second], axis=-1).ravel())
