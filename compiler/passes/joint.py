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
from ensc.compiler.passes.rounding import add_down, add_up, is_float, up
from ensc.compiler.types.bounds import Bounds, InputSets
from ensc.compiler.types.model import Clauses, Indices, Labels, Model, Objective, Products, feasibility
from ensc.compiler.types.problem import (
    Check,
    EnsembleProblem,
    MaximizeTotal,
    MaximizeValue,
    MinimizeRadius,
    Norm,
    ProfileValue,
    Targeted,
    Untargeted,
)


def lower_joint(
    problem: EnsembleProblem,
    sets: InputSets,
    bounds: Sequence[Bounds],
    *,
    attacks: int,
    notes: tuple[str, ...] = (),
) -> Model:
    """Encode a problem for a fixed number of attacks.

    Args:
        problem: what is asked.
        sets: the input sets of its points.
        bounds: of every member's values over these sets.
        attacks: the number of deterministic attacks |A|.
        notes: header lines.

    Raises:
        Rejected: E0930 if the goal has no single file (`minimize`, `profile`).
    """
    to = _Joint(Assembler(), problem, sets, attacks)
    p = _probabilities(to)
    x = _attacked_inputs(to)
    losses = [_member(to, c, x, bounds[c]) for c in range(len(problem.ensemble))]
    q = _products(to, p, np.stack(losses))
    objective = _goal(to, q)
    return to.assembler.model("ensc", objective, notes)


@dataclass(frozen=True, slots=True, eq=False)
class _Joint:
    """What every part of the lowering reads."""

    assembler: Assembler
    problem: EnsembleProblem
    sets: InputSets
    attacks: int

    @property
    def attack_axis(self) -> Indices:
        return np.arange(1, self.attacks + 1)

    @property
    def point_axis(self) -> Indices:
        return np.arange(1, len(self.problem.points) + 1)

    @property
    def coordinates(self) -> tuple[Indices, ...]:
        """The axes of everything that exists for each attack, point and coordinate."""
        units = np.arange(1, self.problem.inputs + 1)
        return np.ix_(self.attack_axis, self.point_axis, units)


def _probabilities(to: _Joint) -> Indices:
    p = to.assembler.variables(Labels("p", (to.attack_axis,)), 0.0, 1.0)
    to.assembler.rows(p[None], 1.0, 1.0, 1.0, "sum_i p_i = 1 (Eq. 6)")
    return p


def _attacked_inputs(to: _Joint) -> Indices:
    """Add perturbations, attacked inputs, domain and ball; return x, shape (attacks, points, inputs)."""
    d = _perturbations(to)
    x = to.assembler.variables(Labels("x", to.coordinates), to.sets.lower, to.sets.upper)
    points = to.problem.points
    scale = float(points.denominator)
    pairs = np.stack([x, d], axis=-1)
    meaning = "attacked input: denominator (x - d) = numerator of the point"
    to.assembler.rows(pairs, np.array([scale, -scale]), points.numerators, points.numerators, meaning)
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
    lower = add_down(to.sets.lower, -above)
    upper = add_up(to.sets.upper, -below)
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


def _member(to: _Joint, c: int, x: Indices, bounds: Bounds) -> Indices:
    """Add the copies and losses of one member; return its losses, shape (attacks, points)."""
    member = to.problem.ensemble[c]
    axes = (np.array([[c + 1]]), *np.ix_(to.attack_axis, to.point_axis))
    copies = Copies(axes, bounds, f"member {c + 1} ({member.name})")
    logits = add_network(to.assembler, member.network, copies, x)
    loss = to.assembler.variables(Labels("l", axes), 0.0, 1.0, integer=True)
    match to.problem.loss:
        case Untargeted(margin):
            _untargeted(to, axes, logits, loss, margin)
        case Targeted(label, margin):
            rivals = np.delete(np.arange(to.problem.classes), label)
            winners = np.repeat(logits[..., [label]], len(rivals), axis=-1)
            _beats(to, winners, logits[..., rivals], margin, loss[..., None])
        case _:
            assert_never(to.problem.loss)
    return loss


def _untargeted(
    to: _Joint, axes: tuple[Indices, ...], logits: Indices, loss: Indices, margin: Fraction
) -> None:
    """`l = 1 implies f_m - f_y >= margin for some m != y`; with two classes l itself decides for m."""
    labels = to.problem.points.labels
    classes = to.problem.classes
    rivals = np.array([np.delete(np.arange(classes), y) for y in labels])
    points = np.arange(len(labels))
    truth = np.repeat(logits[:, points, labels][..., None], classes - 1, axis=-1)
    challengers = logits[:, points[:, None], rivals]
    if classes == 2:
        _beats(to, challengers, truth, margin, loss[..., None])
        return
    fronts = tuple(axis[..., None] for axis in axes)
    wins = to.assembler.variables(Labels("w", (*fronts, rivals + 1)), 0.0, 1.0, integer=True)
    _beats(to, challengers, truth, margin, wins)
    starts = np.arange(loss.size + 1) * (classes - 1)
    to.assembler.clauses.append(Clauses(loss.ravel(), starts, wins.ravel()))


def _beats(to: _Joint, winner: Indices, loser: Indices, margin: Fraction, switch: Indices) -> None:
    """Add `switch = 1 implies denominator (winner - loser) >= numerator` of the margin."""
    pairs = np.stack([winner, loser], axis=-1)
    scale = float(margin.denominator)
    least = float(margin.numerator)
    meaning = "loss 1 implies that the rival scores at least as high (Eq. 8)"
    switches = np.broadcast_to(switch, winner.shape)
    to.assembler.rows(pairs, np.array([scale, -scale]), least, np.inf, meaning, indicator=switches)


def _products(to: _Joint, p: Indices, losses: Indices) -> Indices:
    """Add `q_c_i_j = p_i l_c_i_j`; losses and result have shape (members, attacks, points)."""
    axes = np.ix_(np.arange(1, len(losses) + 1), to.attack_axis, to.point_axis)
    q = to.assembler.variables(Labels("q", axes), 0.0, 1.0)
    factors = np.broadcast_to(p[None, :, None], q.shape)
    to.assembler.products.append(Products(q.ravel(), factors.ravel(), losses.ravel()))
    return q


def _goal(to: _Joint, q: Indices) -> Objective:
    points = len(to.problem.points)
    shares = q.reshape(len(q), -1)
    match to.problem.goal:
        case Check(alpha):
            _add_threshold(to, shares, alpha)
            return feasibility()
        case MaximizeValue():
            t = to.assembler.variables(Labels("t", ()), 0.0, 1.0)
            columns = np.concatenate([shares, np.full((len(shares), 1), t)], axis=1)
            coefficients = np.append(np.ones(shares.shape[1]), -points)
            meaning = "|X| t <= expected losses of each member (Eq. 1)"
            to.assembler.rows(columns, coefficients, 0.0, np.inf, meaning)
            return Objective("maximize", t.ravel(), np.ones(1))
        case MaximizeTotal(alpha):
            if alpha is not None:
                _add_threshold(to, shares, alpha)
            return Objective("maximize", q.ravel(), np.ones(q.size))
        case MinimizeRadius() | ProfileValue():
            reject(
                "E0930",
                "this goal asks about many radii and has no single model file",
                help="`ensc solve` answers it; to compile, fix the radius and `check` or `maximize value`",
            )
        case _:
            assert_never(to.problem.goal)


def _add_threshold(to: _Joint, shares: Indices, alpha: Fraction) -> None:
    """`denominator sum_ij q_c_i_j >= numerator |X|` of alpha, for every member c."""
    least = float(alpha.numerator * len(to.problem.points))
    meaning = "expected losses of each member >= alpha |X| (Eq. 4)"
    to.assembler.rows(shares, float(alpha.denominator), least, np.inf, meaning)
