"""Facts as variables and rows: points whose patterns are known, and sets of members that are excluded.

At a *closed* point j no network is left: attack i plays one of the patterns known there. `y_i_j_n` binary,
`sum_n y_i_j_n = 1`; `l_c_i_j` sums the patterns that hold member c; `r_i_j_n = p_i y_i_j_n`, `sum_n r_i_j_n =
p_i`; `d_i_j_k` is the perturbation of the pattern played. With one pattern only, all of it is constant.

Assumes facts that hold. Guarantees a model with the same optimum, feasible under the same conditions: some
best attack plays known patterns at closed points, and excluded sets exclude no attack.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ensc.compiler.passes.lowering.assemble import Assembler
from ensc.compiler.passes.scopes.narrow import narrowed
from ensc.compiler.passes.scopes.scope import Scope
from ensc.compiler.types.facts import Facts, Pattern
from ensc.compiler.types.model import Floats, Indices, Labels, Products


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """A part of the expected losses of a member: `sum coefficient * variable`.

    Attributes:
        columns: shape (terms,).
        coefficients: shape (terms,).
    """

    columns: Indices
    coefficients: Floats


def known_scopes(scopes: Sequence[Scope], facts: Facts) -> tuple[Scope, ...]:
    """Leave out closed points, and members at points where facts exclude them alone."""
    closed = np.array(facts.closed, dtype=np.int64)
    return tuple(_known_scope(c, scope, facts, closed) for c, scope in enumerate(scopes))


def _known_scope(member: int, scope: Scope, facts: Facts, closed: Indices) -> Scope:
    spared = [j for j, point in enumerate(facts.points) if (member,) in point.excluded]
    gone = np.concatenate([closed, np.array(spared, dtype=np.int64)])
    return narrowed(scope, ~np.isin(scope.points, gone), np.ones(len(scope.pairs), dtype=np.bool_))


def add_closed_points(to: Assembler, facts: Facts, p: Indices, members: int) -> list[list[Share]]:
    """Add the choice of a pattern at every closed point; return the shares of every member."""
    shares: list[list[Share]] = [[] for _ in range(members)]
    for j in facts.closed:
        patterns = facts.points[j].patterns or (Pattern(()),)
        attacks = np.arange(1, len(p) + 1)
        if len(patterns) == 1:
            weights = np.array([[float(c in patterns[0].members)] for c in range(members)])
            choice, played = p[:, None], None
        else:
            weights = np.array([[float(c in s.members) for s in patterns] for c in range(members)])
            choice, played = _add_choice(to, attacks, j, p, len(patterns))
        _add_losses(to, attacks, j, weights, played)
        _add_perturbation(to, attacks, j, patterns, played)
        for c, row in enumerate(weights):
            if row.any():
                columns = choice[:, row > 0].ravel()
                shares[c].append(Share(columns, np.ones(len(columns))))
    return shares


def _add_choice(to: Assembler, attacks: Indices, j: int, p: Indices, count: int) -> tuple[Indices, Indices]:
    """Add `y` and `r`, shape (attacks, patterns) each; return r, y."""
    axes = (attacks[:, None], np.array([[j + 1]]), np.arange(1, count + 1)[None])
    y = to.variables(Labels("y", axes), 0.0, 1.0, integer=True)
    r = to.variables(Labels("r", axes), 0.0, 1.0)
    to.rows(y, 1.0, 1.0, 1.0, "an attack plays one pattern of a point")
    factors = np.broadcast_to(p[:, None], r.shape)
    to.products.append(Products(r.ravel(), factors.ravel(), y.ravel()))
    columns = np.concatenate([r, p[:, None]], axis=1)
    signs = np.append(np.ones(count), -1.0)
    to.rows(columns, signs, 0.0, 0.0, "sum_n p_i y_i_j_n = p_i")
    return r, y


def _add_losses(to: Assembler, attacks: Indices, j: int, weights: Floats, y: Indices | None) -> None:
    """Add `l = sum of the y whose pattern holds the member`, for members in any of them."""
    held = np.flatnonzero(weights.any(axis=1))
    if not len(held):
        return
    axes = (held[:, None] + 1, attacks[None], np.array([[j + 1]]))
    fixed = y is None
    losses = to.variables(Labels("l", axes), 1.0 if fixed else 0.0, 1.0)
    if y is not None:
        spread = np.broadcast_to(y, (len(held), *y.shape))
        columns = np.concatenate([losses[..., None], spread], axis=-1)
        signs = np.concatenate([np.ones((len(held), 1)), -weights[held]], axis=1)[:, None]
        to.rows(columns, signs, 0.0, 0.0, "l = sum of the patterns with the member")


def _add_perturbation(
    to: Assembler, attacks: Indices, j: int, patterns: Sequence[Pattern], y: Indices | None
) -> None:
    """Add `d = sum of the y times their perturbations`, for coordinates that any of them changes."""
    known = [pattern.perturbation for pattern in patterns]
    deltas = np.array([delta for delta in known if delta is not None])
    if len(deltas) < len(known):
        return
    moved = np.flatnonzero(deltas.any(axis=0))
    if not len(moved):
        return
    deltas = deltas[:, moved]
    axes = (attacks[:, None], np.array([[j + 1]]), moved[None] + 1)
    d = to.variables(Labels("d", axes), deltas.min(axis=0), deltas.max(axis=0))
    if y is not None:
        spread = np.broadcast_to(y[:, None], (*d.shape, y.shape[1]))
        columns = np.concatenate([d[..., None], spread], axis=-1)
        signs = np.concatenate([np.ones((len(moved), 1)), -deltas.T], axis=1)
        to.rows(columns, signs, 0.0, 0.0, "d = the perturbation of the pattern played")


def add_exclusions(
    to: Assembler,
    facts: Facts,
    scopes: Sequence[Scope],
    losses: Sequence[Indices],
    shares: Sequence[Indices],
    p: Indices,
) -> None:
    """Add `sum of l <= |s| - 1` and `sum of q <= (|s| - 1) p` for every excluded set at open points.

    Args:
        to: where to.
        facts: which sets.
        scopes: of every member; a set with a member that is not in scope at the point holds already.
        losses: of every member `l`, shape (attacks, its points).
        shares: of every member `q`, shape (attacks, its points).
        p: the probabilities, shape (attacks,).
    """
    for j, point in enumerate(facts.points):
        for group in point.excluded if point.patterns is None else ():
            if all(j in scopes[c].points for c in group):
                places = [int(np.searchsorted(scopes[c].points, j)) for c in group]
                claimed = np.stack([losses[c][:, k] for c, k in zip(group, places, strict=True)], axis=-1)
                q = np.stack([shares[c][:, k] for c, k in zip(group, places, strict=True)], axis=-1)
                most = float(len(group) - 1)
                to.rows(claimed, 1.0, -np.inf, most, "these members cannot be fooled together")
                signs = np.append(np.ones(len(group)), -most)
                to.rows(np.concatenate([q, p[:, None]], axis=1), signs, -np.inf, 0.0, "the same, times p")
