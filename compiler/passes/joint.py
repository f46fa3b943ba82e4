"""EnsembleProblem -> Model: the paper's joint encoding (Gross et al. 2020, Eq. 4 to 8).

Variables, 1-based as in the paper, for attack i, point j, coordinate k, member c:

* `p_i` in [0, 1], the probability of attack i, `sum_i p_i = 1` (Eq. 6, 7);
* `d_i_j_k` the perturbation and `x_i_j_k = x_j_k + d_i_j_k` the attacked input, in the domain;
* `s_i_j_k >= |d_i_j_k|` and `sum_k s_i_j_k <= epsilon` for L1 (Eq. 5); for L0 binaries `b_i_j_k` with
  `b = 0 implies d = 0` and `sum_k b_i_j_k <= epsilon`; for Linf bounds on d;
* `a_c_i_j_L_n` and `h_c_i_j_L_n`, the linear and the piecewise-linear neurons of layer L;
* `l_c_i_j` binary, the claimed loss: 1 implies that member c is fooled (Eq. 8, the direction that an
  attacker wants);
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
from ensc.compiler.passes.assemble import Assembler
from ensc.compiler.passes.network_rows import Copies, add_network
from ensc.compiler.passes.rounding import add_down, add_up, is_exact_difference, is_float, up
from ensc.compiler.passes.scope import Scope
from ensc.compiler.types.bounds import InputSets
from ensc.compiler.types.model import Clauses, Indices, Labels, Model, Objective, Products, feasibility
from ensc.compiler.types.network import Affine, Network
from ensc.compiler.types.problem import (
    Check,
    EnsembleProblem,
    MaximizeTotal,
    MaximizeValue,
    MinimizeRadius,
    Norm,
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
    notes: tuple[str, ...] = (),
) -> Model:
    """Encode a problem for a fixed number of attacks.

    Args:
        problem: what is asked.
        sets: the input sets of its points.
        scopes: of every member, what is left to say about it.
        attacks: the number of deterministic attacks |A|.
        ordered: whether to demand `p_1 >= p_2 >= ...`, which loses no value, as attacks may be renamed.
        notes: header lines.

    Raises:
        Rejected: E0930 if the goal has no single file (`minimize`, `profile`).
    """
    points = np.unique(np.concatenate([scope.points for scope in scopes]))
    to = _Joint(Assembler(), problem, sets, attacks, points)
    p = _probabilities(to, ordered=ordered)
    x = _attacked_inputs(to)
    shares = [_member(to, c, x, p, scope) for c, scope in enumerate(scopes)]
    objective = _goal(to, shares)
    return to.assembler.model("joint", objective, notes)


@dataclass(frozen=True, slots=True, eq=False)
class _Joint:
    """What every part of the lowering reads.

    Attributes:
        assembler: where to.
        problem: what is asked.
        sets: the input sets of all points.
        attacks: |A|.
        points: positions of the points that appear in the model.
    """

    assembler: Assembler
    problem: EnsembleProblem
    sets: InputSets
    attacks: int
    points: Indices

    @property
    def attack_axis(self) -> Indices:
        return np.arange(1, self.attacks + 1)

    @property
    def coordinates(self) -> tuple[Indices, ...]:
        """The axes of everything that exists for each attack, point and coordinate."""
        units = np.arange(1, self.problem.inputs + 1)
        return np.ix_(self.attack_axis, self.points + 1, units)


def _probabilities(to: _Joint, *, ordered: bool) -> Indices:
    p = to.assembler.variables(Labels("p", (to.attack_axis,)), 0.0, 1.0)
    to.assembler.rows(p[None], 1.0, 1.0, 1.0, "sum_i p_i = 1 (Eq. 6)")
    if ordered and to.attacks > 1:
        pairs = np.stack([p[:-1], p[1:]], axis=-1)
        to.assembler.rows(pairs, np.array([1.0, -1.0]), 0.0, np.inf, "p_1 >= p_2 >= ...")
    return p


def _attacked_inputs(to: _Joint) -> Indices:
    """Add perturbations, attacked inputs, domain and ball; return x, shape (attacks, points, inputs)."""
    d = _perturbations(to)
    lower, upper = to.sets.lower[to.points], to.sets.upper[to.points]
    x = to.assembler.variables(Labels("x", to.coordinates), lower, upper)
    scale = float(to.problem.points.denominator)
    numerators = to.problem.points.numerators[to.points]
    pairs = np.stack([x, d], axis=-1)
    meaning = "attacked input: denominator (x - d) = numerator of the point"
    to.assembler.rows(pairs, np.array([scale, -scale]), numerators, numerators, meaning)
    _add_exact_domain(to, x)
    match to.problem.threat.norm:
        case Norm.L1:
            _add_l1_ball(to, d)
        case Norm.LINF:
            _add_exact_cube(to, d)
        case Norm.L0:
            _add_l0_ball(to, d)
        case _:
            assert_never(to.problem.threat.norm)
    return x


def _perturbations(to: _Joint) -> Indices:
    """Add `d`, bounded by what box and ball leave of every coordinate, rounded outward."""
    below, above = to.problem.points.enclosure()
    lower = add_down(to.sets.lower, -above)[to.points]
    upper = add_up(to.sets.upper, -below)[to.points]
    threat = to.problem.threat
    if threat.norm is not Norm.L0:
        reach = up(threat.radius)
        lower, upper = np.maximum(lower, -reach), np.minimum(upper, reach)
    return to.assembler.variables(Labels("d", to.coordinates), lower, upper)


def _add_exact_domain(to: _Joint, x: Indices) -> None:
    """Where an end of the domain is no float64, a row holds it exactly."""
    domain = to.problem.threat.domain
    for end, sign in ((domain.lower, -1), (domain.upper, 1)):
        if end is not None and not is_float(end):
            _add_exact_bound(to, x, end * sign, sign, "domain of the attacked input")


def _add_exact_cube(to: _Joint, d: Indices) -> None:
    """Linf: the bounds of d say it all, unless the radius is no float64."""
    radius = to.problem.threat.radius
    if not is_float(radius):
        for sign in (-1, 1):
            _add_exact_bound(to, d, radius, sign, "|d| <= epsilon (Eq. 5)")


def _add_exact_bound(to: _Joint, variables: Indices, bound: Fraction, sign: int, meaning: str) -> None:
    """Add `sign * denominator * v <= numerator` for every variable."""
    coefficient = float(sign * bound.denominator)
    to.assembler.rows(variables[..., None], coefficient, -np.inf, float(bound.numerator), meaning)


def _add_l1_ball(to: _Joint, d: Indices) -> None:
    """`s >= d`, `s >= -d`, `sum s <= epsilon`: exact, because only an upper bound on |d| matters."""
    reach = up(to.problem.threat.radius)
    s = to.assembler.variables(Labels("s", to.coordinates), 0.0, reach)
    pairs = np.stack([s, d], axis=-1)
    for sign in (-1.0, 1.0):
        to.assembler.rows(pairs, np.array([1.0, sign]), 0.0, np.inf, "s >= |d|")
    radius = to.problem.threat.radius
    share, total = float(radius.denominator), float(radius.numerator)
    to.assembler.rows(s, share, -np.inf, total, "sum_k |d_k| <= epsilon (Eq. 5)")


def _add_l0_ball(to: _Joint, d: Indices) -> None:
    """`b = 0 implies d = 0`, `sum b <= epsilon`."""
    b = to.assembler.variables(Labels("b", to.coordinates), 0.0, 1.0, integer=True)
    to.assembler.rows(d[..., None], 1.0, 0.0, 0.0, "b = 0 implies d = 0", indicator=b, active=False)
    most = float(int(to.problem.threat.radius))
    to.assembler.rows(b, 1.0, -np.inf, most, "at most epsilon coordinates change (Eq. 5)")


def _member(to: _Joint, c: int, x: Indices, p: Indices, scope: Scope) -> Indices:
    """Add the copies, losses and shares of one member; return `q_c_i_j`, shape (attacks, its points)."""
    numbers = (np.array([[c + 1]]), to.attack_axis[:, None], scope.points[None] + 1)
    loss = to.assembler.variables(Labels("l", numbers), 0.0, 1.0, integer=True)
    switches = _switches(to, scope, numbers, loss)
    _add_pairs(to, c, x[:, np.searchsorted(to.points, scope.points)], scope, switches)
    q = to.assembler.variables(Labels("q", numbers), 0.0, 1.0)
    factors = np.broadcast_to(p[:, None], q.shape)
    to.assembler.products.append(Products(q.ravel(), factors.ravel(), loss.ravel()))
    return q


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


def _add_pairs(to: _Joint, c: int, x: Indices, scope: Scope, switches: Indices) -> None:
    """Add the copies of a network and `switch = 1 implies f_winner - f_loser >= margin`."""
    member = to.problem.ensemble[c]
    front = (np.array([[c + 1]]), to.attack_axis[:, None])
    copies = Copies(front, (scope.points + 1,), scope.plan, f"member {c + 1} ({member.name})")
    last = _foldable(member.network, scope)
    if last is None:
        logits = add_network(to.assembler, member.network, copies, x)[-1]
        winners = logits[:, scope.pairs.owner, scope.pairs.winner]
        terms = np.stack([winners, logits[:, scope.pairs.owner, scope.pairs.loser]], axis=-1)
        signs = np.array([1.0, -1.0])
    else:
        hidden = add_network(to.assembler, member.network, copies, x, until=last.source)[-1]
        terms = _differences(to, copies, scope, last, hidden)[..., None]
        signs = np.ones(1)
    margin = to.problem.loss.margin
    scale, least = float(margin.denominator), float(margin.numerator)
    meaning = "loss 1 implies that the winner scores at least the margin more (Eq. 8)"
    to.assembler.rows(terms, scale * signs, least, np.inf, meaning, indicator=switches)


def _foldable(network: Network, scope: Scope) -> Affine | None:
    """Return the last layer if differences of its rows are exact and the scope bounds them."""
    last = network.layers[network.output - 1]
    if scope.margins is None or not isinstance(last, Affine):
        return None
    terms = np.concatenate([last.weight, last.bias[:, None]], axis=1)
    return last if is_exact_difference(terms[scope.pairs.winner], terms[scope.pairs.loser]) else None


def _differences(to: _Joint, copies: Copies, scope: Scope, last: Affine, hidden: Indices) -> Indices:
    """Add `g = (W_winner - W_loser) h + b_winner - b_loser`: one row instead of two logits."""
    assert scope.margins is not None
    place = tuple(axis[scope.pairs.owner] for axis in copies.points)
    labels = Labels("g", (*copies.front, *place, scope.pairs.winner + 1, scope.pairs.loser + 1))
    g = to.assembler.variables(labels, scope.margins.lower, scope.margins.upper)
    weight = last.weight[scope.pairs.winner] - last.weight[scope.pairs.loser]
    bias = last.bias[scope.pairs.winner] - last.bias[scope.pairs.loser]
    columns = np.concatenate([g[..., None], hidden[:, scope.pairs.owner]], axis=-1)
    coefficients = np.concatenate([np.ones((len(bias), 1)), -weight], axis=1)
    meaning = f"{copies.title}: g = f_winner - f_loser"
    to.assembler.rows(columns, coefficients, bias, bias, meaning)
    return g


def _goal(to: _Joint, shares: Sequence[Indices]) -> Objective:
    points = float(len(to.problem.points))
    match to.problem.goal:
        case Check(alpha):
            _add_threshold(to, shares, alpha)
            return feasibility()
        case MaximizeValue():
            t = to.assembler.variables(Labels("t", ()), 0.0, 1.0)
            for q in shares:
                columns = np.append(q.ravel(), t)[None]
                coefficients = np.append(np.ones(q.size), -points)
                meaning = "|X| t <= expected losses of each member (Eq. 1)"
                to.assembler.rows(columns, coefficients, 0.0, np.inf, meaning)
            return Objective("maximize", t.ravel(), np.ones(1))
        case MaximizeTotal(alpha):
            if alpha is not None:
                _add_threshold(to, shares, alpha)
            every = np.concatenate([q.ravel() for q in shares])
            return Objective("maximize", every, np.ones(len(every)))
        case MinimizeRadius() | ProfileValue():
            reject(
                "E0930",
                "this goal asks about many radii and has no single model file",
                help="`ensc solve` answers it; to compile, fix the radius and `check` or `maximize value`",
            )
        case _:
            assert_never(to.problem.goal)


def _add_threshold(to: _Joint, shares: Sequence[Indices], alpha: Fraction) -> None:
    """`denominator sum_ij q_c_i_j >= numerator |X|` of alpha, for every member c."""
    least = float(alpha.numerator * len(to.problem.points))
    meaning = "expected losses of each member >= alpha |X| (Eq. 4)"
    for q in shares:
        to.assembler.rows(q.reshape(1, -1), float(alpha.denominator), least, np.inf, meaning)
