"""Scopes -> tighter Scopes, where the value 1 is asked: then every attack fools every member at every point.

That all members are fooled by one perturbation of a point bounds their neurons there (`asserted_scopes`), or
shows that there is none.
"""

from collections.abc import Sequence

import numpy as np

from ensc.compiler.passes.scopes.asserted_scopes import asserted_scopes, pays
from ensc.compiler.passes.scopes.narrow import narrowed
from ensc.compiler.passes.scopes.plan import Plan
from ensc.compiler.passes.scopes.scope import Pairs, Scope, scope_at
from ensc.compiler.types.bounds import Bounds, InputSets, Interval
from ensc.compiler.types.problem import EnsembleProblem

LEAST_WORK = 1000
"""Open neurons times inputs below which a file is easy anyway. It is less than for a question
of the split, which is solved once."""


def demanded_scopes(
    problem: EnsembleProblem, sets: InputSets, scopes: Sequence[Scope]
) -> tuple[Scope, ...] | None:
    """Return what is left to say if every member has to be fooled at every point; None if that cannot be.

    Args:
        problem: the query.
        sets: the input sets of its points.
        scopes: of every member.
    """
    found: list[list[Scope]] = []
    for point in range(len(problem.points)):
        here = [(c, at) for c, scope in enumerate(scopes) if (at := scope_at(scope, point)) is not None]
        if len(here) < len(scopes):
            return None
        some = (
            asserted_scopes(problem, sets.at(slice(point, point + 1)), here)
            if pays(problem, here, LEAST_WORK)
            else here
        )
        if some is None:
            return None
        found.append([scope for _, scope in some])
    return tuple(_stacked([at_point[c] for at_point in found]) for c in range(len(scopes)))


def nothing_of(scopes: Sequence[Scope]) -> tuple[Scope, ...]:
    """Return scopes that hold no point."""
    return tuple(
        narrowed(
            scope, np.zeros(len(scope.points), dtype=np.bool_), np.zeros(len(scope.pairs), dtype=np.bool_)
        )
        for scope in scopes
    )


def _stacked(parts: Sequence[Scope]) -> Scope:
    """Return one scope of several points from scopes of one point each."""
    plans, pairs = [part.plan for part in parts], [part.pairs for part in parts]
    margins = [part.margins for part in parts if part.margins is not None]
    owner = np.repeat(np.arange(len(parts)), [len(p) for p in pairs])
    return Scope(
        np.concatenate([part.points for part in parts]),
        Plan(
            Bounds.joined([plan.bounds for plan in plans]),
            Bounds.joined([plan.bounds if plan.certain is None else plan.certain for plan in plans]),
            *(
                tuple(np.concatenate(flags) for flags in zip(*(getattr(p, name) for p in plans), strict=True))
                for name in ("needed", "active", "candidates")
            ),
        ),
        Pairs(owner, np.concatenate([p.winner for p in pairs]), np.concatenate([p.loser for p in pairs])),
        Interval.joined(margins, axis=1) if len(margins) == len(parts) else None,
    )
