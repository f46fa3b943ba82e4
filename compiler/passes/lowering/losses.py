"""Losses as rows: `switch = 1 implies f_winner - f_loser >= margin` (Gross et al. 2020, Eq. 8).

Where bounds of the margins are known and the differences of the last layer's rows are exact, one variable
`g = f_winner - f_loser` replaces both logits: one row, and the sharpest big-M constant.
"""

import numpy as np

from ensc.compiler.passes.bounds.rounding import is_exact_difference, short_down, short_up
from ensc.compiler.passes.lowering.assemble import NO_INDICATOR, Assembler
from ensc.compiler.passes.lowering.network_rows import Copies, add_network
from ensc.compiler.passes.scopes.scope import Scope
from ensc.compiler.types.model import Indices, Labels
from ensc.compiler.types.network import Affine, Network
from ensc.compiler.types.problem import EnsembleProblem


def add_margins(
    to: Assembler,
    problem: EnsembleProblem,
    member: int,
    scope: Scope,
    copies: Copies,
    inputs: Indices,
    switches: Indices | None,
) -> None:
    """Add the copies of a member and what its losses imply.

    Args:
        to: where to.
        problem: for the margin.
        member: which of the ensemble.
        scope: what is left to say about it.
        copies: the copies.
        inputs: the attacked inputs, shape (attacks, points of the scope, inputs).
        switches: for each attack and pair the binary that makes the winner win, shape (attacks, pairs);
            None where the winner has to win in any case.
    """
    network = problem.ensemble[member].network
    pairs = scope.pairs
    last = _foldable(network, scope)
    if last is None:
        logits = add_network(to, network, copies, inputs)[-1]
        winners, losers = logits[:, pairs.owner, pairs.winner], logits[:, pairs.owner, pairs.loser]
        terms, signs = np.stack([winners, losers], axis=-1), np.array([1.0, -1.0])
    else:
        hidden = add_network(to, network, copies, inputs, until=last.source)[-1]
        terms, signs = _differences(to, copies, scope, last, hidden)[..., None], np.ones(1)
    margin = problem.loss.margin
    scale, least = float(margin.denominator), float(margin.numerator)
    meaning = "loss 1 implies that the winner scores at least the margin more (Eq. 8)"
    indicator = NO_INDICATOR if switches is None else switches
    to.rows(terms, scale * signs, least, np.inf, meaning, indicator=indicator)


def _foldable(network: Network, scope: Scope) -> Affine | None:
    """Return the last layer if differences of its rows are exact and the scope bounds them."""
    last = network.layers[network.output - 1]
    if scope.margins is None or not isinstance(last, Affine):
        return None
    terms = np.concatenate([last.weight, last.bias[:, None]], axis=1)
    return last if is_exact_difference(terms[scope.pairs.winner], terms[scope.pairs.loser]) else None


def _differences(to: Assembler, copies: Copies, scope: Scope, last: Affine, hidden: Indices) -> Indices:
    """Add `g = (W_winner - W_loser) h + b_winner - b_loser`, shape (attacks, pairs)."""
    assert scope.margins is not None
    pairs = scope.pairs
    place = tuple(axis[pairs.owner] for axis in copies.points)
    labels = Labels("g", (*copies.front, *place, pairs.winner + 1, pairs.loser + 1))
    bounds = scope.margins
    ids = to.variables(labels, short_down(bounds.lower), short_up(bounds.upper))
    g = np.broadcast_to(ids, (hidden.shape[0], len(pairs)))
    weight = last.weight[pairs.winner] - last.weight[pairs.loser]
    bias = last.bias[pairs.winner] - last.bias[pairs.loser]
    columns = np.concatenate([g[..., None], hidden[:, pairs.owner]], axis=-1)
    coefficients = np.concatenate([np.ones((len(bias), 1)), -weight], axis=1)
    to.rows(columns, coefficients, bias, bias, f"{copies.title}: g = f_winner - f_loser")
    return g
