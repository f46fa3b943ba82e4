"""EnsembleProblem -> Model: the paper's joint encoding (Gross et al. 2020, Eq. 4 to 8).

Variables, 1-based as in the paper, for attack i, point j, coordinate k, member c:

* `p_i` in [0, 1], the probability of attack i, `sum_i p_i = 1` (Eq. 6, 7);
* `d_i_j_k`, `x_i_j_k` and the ball (Eq. 5), see `attacked_inputs`;
* `a_c_i_j_L_n` and `h_c_i_j_L_n`, the linear and the piecewise-linear neurons of layer L;
* `l_c_i_j` binary, the claimed loss: 1 implies that member c is fooled (Eq. 8, the direction that an
  attacker wants), see `losses`; `w_c_i_j_m`, which rival m beats the label;
* `q_c_i_j = p_i l_c_i_j`, and `sum_ij q_c_i_j >= alpha |X|` for every c (Eq. 4).

The loss needs one direction only: an attacker never gains by claiming less. Its inequalities are then
not strict, which is what a linear program can hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

import numpy as np

from ensc.compiler.diagnostics import reject
from ensc.compiler.passes.bounds.rounding import totals
from ensc.compiler.passes.lowering.assemble import Assembler
from ensc.compiler.passes.lowering.attacked_inputs import Places, add_attacked_inputs, add_repeated_inputs
from ensc.compiler.passes.lowering.known_points import Share, add_closed_points, add_exclusions
from ensc.compiler.passes.lowering.losses import add_margins
from ensc.compiler.passes.lowering.network_rows import Copies
from ensc.compiler.passes.scopes.duplicates import Duplicates
from ensc.compiler.passes.scopes.scope import Scope
from ensc.compiler.types.bounds import InputSets
from ensc.compiler.types.facts import Facts
from ensc.compiler.types.model import Clauses, Indices, Labels, Model, Objective, Products, feasibility
from ensc.compiler.types.problem import (
    Check,
    EnsembleProblem,
    MaximizeTotal,
    MaximizeValue,
    MinimizeRadius,
    ProfileValue,
    Targeted,
)


def lower_joint(
    problem: EnsembleProblem,
    sets: InputSets,
    scopes: Sequence[Scope],
    *,
    attacks: int,
    ordered: bool,
    lean: bool,
    facts: Facts | None = None,
    same: Duplicates | None = None,
) -> Model:
    """Encode a problem for a fixed number of attacks.

    Args:
        problem: what is asked.
        sets: the input sets of its points.
        scopes: of every member, what is left to say about it.
        attacks: the number of deterministic attacks |A|.
        ordered: whether to demand `p_1 >= p_2 >= ...`, which loses no value, as attacks may be renamed.
        lean: whether the attacker's set leaves out variables that others can stand for.
        facts: what is known of the points; the scopes leave out what they decide (`known_scopes`).
        same: which members and points are served by the copies of others; no scope holds them.

    Raises:
        Rejected: E0930 if the goal has no single file (`minimize`, `profile`).
    """
    points = np.flatnonzero(np.bincount(np.concatenate([scope.points for scope in scopes])))
    to = _Joint(Assembler(), problem, attacks, points)
    p = _probabilities(to, ordered=ordered)
    places = Places(points, (to.attack_axis[:, None], points[None] + 1))
    x = add_attacked_inputs(to.assembler, problem, sets, places, lean=lean)
    added = [_member(to, c, x, p, scope) for c, scope in enumerate(scopes)]
    shares = _shares(added, scopes, same, len(problem.points))
    if same is not None:
        _add_repeated(to, same, sets, x)
    if facts is not None:
        losses, products = [loss for loss, _ in added], [q for _, q in added]
        add_exclusions(to.assembler, facts, scopes, losses, products, p)
        known = add_closed_points(to.assembler, facts, p, len(scopes))
        shares = [own + more for own, more in zip(shares, known, strict=True)]
    objective = _goal(to, [_summed(parts) for parts in shares])
    return to.assembler.model("joint", objective)


@dataclass(frozen=True, slots=True, eq=False)
class _Joint:
    """What every part of the lowering reads.

    Attributes:
        assembler: where to.
        problem: what is asked.
        attacks: |A|.
        points: positions of the points that appear in the model.
    """

    assembler: Assembler
    problem: EnsembleProblem
    attacks: int
    points: Indices

    @property
    def attack_axis(self) -> Indices:
        return np.arange(1, self.attacks + 1)


def _probabilities(to: _Joint, *, ordered: bool) -> Indices:
    p = to.assembler.variables(Labels("p", (to.attack_axis,)), 0.0, 1.0)
    to.assembler.rows(p[None], 1.0, 1.0, 1.0, "sum_i p_i = 1 (Eq. 6)")
    if ordered and to.attacks > 1:
        pairs = np.stack([p[:-1], p[1:]], axis=-1)
        to.assembler.rows(pairs, np.array([1.0, -1.0]), 0.0, np.inf, "p_1 >= p_2 >= ...")
    return p


def _member(to: _Joint, c: int, x: Indices, p: Indices, scope: Scope) -> tuple[Indices, Indices]:
    """Add the copies, losses and shares of one member.

    Returns:
        `l_c_i_j` and `q_c_i_j`, shape (attacks, its points) each.
    """
    numbers = (np.array([[c + 1]]), to.attack_axis[:, None], scope.points[None] + 1)
    loss = to.assembler.variables(Labels("l", numbers), 0.0, 1.0, integer=True)
    switches = _switches(to, scope, numbers, loss)
    member = to.problem.ensemble[c]
    front = (np.array([[c + 1]]), to.attack_axis[:, None])
    copies = Copies(front, (scope.points + 1,), scope.plan, f"member {c + 1} ({member.name})")
    own = x[:, np.searchsorted(to.points, scope.points)]
    add_margins(to.assembler, to.problem, c, scope, copies, own, switches)
    q = to.assembler.variables(Labels("q", numbers), 0.0, 1.0)
    factors = np.broadcast_to(p[:, None], q.shape)
    to.assembler.products.append(Products(q.ravel(), factors.ravel(), loss.ravel()))
    return loss, q


def _shares(
    added: Sequence[tuple[Indices, Indices]], scopes: Sequence[Scope], same: Duplicates | None, points: int
) -> list[list[Share]]:
    """Return the expected losses of every member: its q, as often as a point counts, or another member's."""
    weights = np.ones(points) if same is None else same.weights.astype(np.float64)
    own = [
        Share(q.ravel(), np.broadcast_to(weights[scope.points], q.shape).ravel())
        for (_, q), scope in zip(added, scopes, strict=True)
    ]
    return [[own[c]] for c in (range(len(own)) if same is None else same.members.tolist())]


def _add_repeated(to: _Joint, same: Duplicates, sets: InputSets, x: Indices) -> None:
    """Name the perturbations of points that share those of others."""
    points = np.flatnonzero(np.isin(same.points, to.points) & (same.points != np.arange(len(same.points))))
    if len(points):
        places = Places(points, (to.attack_axis[:, None], points[None] + 1))
        shared = x[:, np.searchsorted(to.points, same.points[points])]
        add_repeated_inputs(to.assembler, to.problem, sets, places, shared)


def _summed(parts: Sequence[Share]) -> Share:
    """Return the sum of shares; a variable that occurs in several counts as often."""
    columns = np.concatenate([part.columns for part in parts])
    coefficients = np.concatenate([part.coefficients for part in parts])
    distinct, first, place = np.unique(columns, return_index=True, return_inverse=True)
    order = np.argsort(first)  # as they were added
    return Share(distinct[order], totals(place, coefficients, len(distinct))[order])


def _switches(to: _Joint, scope: Scope, numbers: tuple[Indices, ...], loss: Indices) -> Indices:
    """Return for each attack and pair the binary that makes the winner win, shape (attacks, pairs).

    An untargeted loss needs one of several pairs: `l implies w_1 or w_2 or ...`. Where there is but one,
    and for a targeted loss, which needs them all, it is the loss itself.
    """
    switches = loss[:, scope.pairs.owner]
    several = np.bincount(scope.pairs.owner, minlength=len(scope.points)) > 1
    if isinstance(to.problem.loss, Targeted) or not several.any():
        return switches
    chosen = several[scope.pairs.owner]
    owners = scope.pairs.owner[chosen]
    member, attack, points = numbers
    labels = Labels("w", (member, attack, points[:, owners], scope.pairs.winner[chosen] + 1))
    wins = to.assembler.variables(labels, 0.0, 1.0, integer=True)
    lengths = np.tile(np.bincount(owners, minlength=len(scope.points))[several], to.attacks)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    to.assembler.clauses.append(Clauses(loss[:, several].ravel(), starts, wins.ravel()))
    switches[:, chosen] = wins
    return switches


def _goal(to: _Joint, shares: Sequence[Share]) -> Objective:
    points = float(len(to.problem.points))
    match to.problem.goal:
        case Check(alpha):
            _add_threshold(to, shares, alpha)
            return feasibility()
        case MaximizeValue():
            t = to.assembler.variables(Labels("t", ()), 0.0, 1.0)
            for share in shares:
                columns = np.append(share.columns, t)[None]
                coefficients = np.append(share.coefficients, -points)
                meaning = "|X| t <= expected losses of each member (Eq. 1)"
                to.assembler.rows(columns, coefficients, 0.0, np.inf, meaning)
            return Objective("maximize", t.ravel(), np.ones(1))
        case MaximizeTotal(alpha):
            if alpha is not None:
                _add_threshold(to, shares, alpha)
            total = _summed(shares)
            return Objective("maximize", total.columns, total.coefficients)
        case MinimizeRadius() | ProfileValue():
            reject(
                "E0930",
                "this goal asks about many radii and has no single model file",
                help="`ensc solve` answers it; to compile, fix the radius and `check` or `maximize value`",
            )
        case _:
            assert_never(to.problem.goal)


def _add_threshold(to: _Joint, shares: Sequence[Share], alpha: Fraction) -> None:
    """`denominator sum_ij q_c_i_j >= numerator |X|` of alpha, for every member c."""
    least = float(alpha.numerator * len(to.problem.points))
    meaning = "expected losses of each member >= alpha |X| (Eq. 4)"
    for share in shares:
        coefficients = share.coefficients * float(alpha.denominator)
        to.assembler.rows(share.columns[None], coefficients, least, np.inf, meaning)
