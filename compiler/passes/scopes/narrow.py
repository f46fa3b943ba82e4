"""Scope -> Scope: leave out more, once more is known than when the scope was made.

Assumes bounds, margins and decisions that hold for every input of the sets; guarantees that what is left
out is decided by them, so that the model of the narrower scope has the same solutions.
"""

import numpy as np

from ensc.compiler.passes.bounds.rounding import down, up
from ensc.compiler.passes.scopes.plan import pruned_plan
from ensc.compiler.passes.scopes.scope import Pairs, Scope
from ensc.compiler.types.bounds import Bounds, Interval
from ensc.compiler.types.model import Flags
from ensc.compiler.types.network import Network
from ensc.compiler.types.problem import EnsembleProblem, Targeted


def with_bounds(
    problem: EnsembleProblem, network: Network, scope: Scope, bounds: Bounds, margins: Interval
) -> Scope:
    """Return a scope that uses tighter bounds.

    Args:
        problem: for the loss.
        network: the member's.
        scope: what was left so far.
        bounds: of all values, for the points of the scope.
        margins: of its pairs, shape (1, pairs).
    """
    pairs, count = scope.pairs, len(scope.points)
    needed = problem.loss.margin
    possible = margins.upper[0] >= down(needed)
    if isinstance(problem.loss, Targeted):
        alive = np.bincount(pairs.owner[~possible], minlength=count) == 0
        kept = margins.lower[0] < up(needed)
    else:
        alive = np.bincount(pairs.owner[possible], minlength=count) > 0
        kept = possible
    wanted = np.ones((count, problem.classes), dtype=np.bool_)
    plan = pruned_plan(network, bounds, wanted, scope.plan.certain)
    whole = Scope(scope.points, plan, pairs, margins)
    return narrowed(whole, alive, kept)


def narrowed(scope: Scope, alive: Flags, kept: Flags) -> Scope:
    """Return what a scope says about some of its points and pairs.

    Args:
        scope: what was left so far.
        alive: which of its points stay, shape (points,).
        kept: which of its pairs stay if their point does, shape (pairs,).
    """
    pairs = scope.pairs
    chosen = kept & alive[pairs.owner]
    position = np.cumsum(alive) - 1
    margins = scope.margins
    if margins is not None:
        margins = Interval(margins.lower[:, chosen], margins.upper[:, chosen])
    return Scope(
        scope.points[alive],
        scope.plan.at(np.flatnonzero(alive)),
        Pairs(position[pairs.owner[chosen]], pairs.winner[chosen], pairs.loser[chosen]),
        margins,
    )
