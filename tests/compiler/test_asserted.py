"""What is asserted about the members only takes away inputs at which it does not hold."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import dense, fooled, line_patterns, make_problem, random_network
from z3_oracle import constrained

from ensc.compiler.passes.bounds.concretize import least
from ensc.compiler.passes.bounds.input_sets import input_sets
from ensc.compiler.passes.bounds.multipliers import multipliers
from ensc.compiler.passes.bounds.relaxed_bounds import relaxed_bounds
from ensc.compiler.passes.lowering.misclassification import lower_misclassification
from ensc.compiler.passes.networks.evaluate import evaluate_all_exact
from ensc.compiler.passes.scopes.asserted_scopes import asserted_scopes
from ensc.compiler.passes.scopes.scope import Scope, pruned_scope, scope_at
from ensc.compiler.types.bounds import HalfSpaces, InputSets
from ensc.compiler.types.network import Affine, Convolution, Floats, MaxPool, Network, Relu
from ensc.compiler.types.problem import EnsembleProblem, Loss, Norm, Targeted, Untargeted

KINDS = ["dense", "pool", "convolution"]
CENTRES = [[Fraction(4, 7), Fraction(9, 7)], [Fraction(0), Fraction(3)]]
"""In the domain, and at its ends, where coordinates can move one way only."""

LOSSES = [Untargeted(Fraction(0)), Untargeted(Fraction(1, 3)), Targeted(1, Fraction(1, 7))]


def _scopes(problem: EnsembleProblem, sets: InputSets, members: tuple[int, ...]) -> list[tuple[int, Scope]]:
    found = []
    for c in members:
        network = problem.ensemble[c].network
        scope = scope_at(pruned_scope(problem, network, sets, relaxed_bounds(network, sets)), 0)
        if scope is not None:
            found.append((c, scope))
    return found


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from(list(Norm)), st.sampled_from(LOSSES), st.sampled_from(KINDS)
)
def test_every_perturbation_that_fools_all_stays_inside(seed: int, norm: Norm, loss: Loss, kind: str) -> None:
    rng = np.random.default_rng(seed)
    members = int(rng.integers(1, 4))
    networks = [_network(rng, kind) for _ in range(members)]
    centre = CENTRES[int(rng.integers(2))]
    logits = evaluate_all_exact(networks[0], centre)[-1]
    label = logits.index(max(logits))
    problem = make_problem(
        networks, [centre], [label], norm=norm, radius=Fraction(4, 3), domain=(0, 3), denominator=7, loss=loss
    )
    sets = input_sets(problem)
    everybody = tuple(range(members))
    scopes = _scopes(problem, sets, everybody)
    branches = 200 * int(rng.integers(2))
    complete = len(scopes) == members
    asserted = asserted_scopes(problem, sets, scopes, branches=branches) if complete else None
    for x in _grid(problem, norm):
        values = [evaluate_all_exact(network, x) for network in networks]
        if all(fooled(problem, v[n.output], label) for v, n in zip(values, networks, strict=True)):
            assert asserted is not None
            for c, scope in asserted:
                assert _is_inside(scope, values[c])


@settings(max_examples=12, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from([Norm.L1, Norm.LINF]), st.sampled_from(KINDS), st.booleans()
)
def test_the_model_holds_at_those_perturbations_that_fool_all_and_at_no_other(
    seed: int, norm: Norm, kind: str, branch: bool
) -> None:
    rng = np.random.default_rng(seed)
    networks = [_network(rng, kind) for _ in range(int(rng.integers(1, 3)))]
    centre = CENTRES[int(rng.integers(2))]
    logits = evaluate_all_exact(networks[0], centre)[-1]
    label = logits.index(max(logits))
    problem = make_problem(
        networks, [centre], [label], norm=norm, radius=Fraction(4, 3), domain=(0, 3), denominator=7
    )
    sets = input_sets(problem)
    scopes = _scopes(problem, sets, tuple(range(len(networks))))
    complete = len(scopes) == len(networks)
    asserted = asserted_scopes(problem, sets, scopes, branches=200 * branch) if complete else None
    if asserted is None:
        return
    model = lower_misclassification(problem, sets, asserted, point=0)
    solver, v = constrained(model)
    names = list(model.variables.names())
    perturbation = [v[names.index(f"d_{k + 1}")] for k in range(2)]
    for x in _grid(problem, norm):
        expected = all(fooled(problem, evaluate_all_exact(n, x)[n.output], label) for n in networks)
        solver.push()
        solver.add(
            *(d == z3.Q(*(a - b).as_integer_ratio()) for d, a, b in zip(perturbation, x, centre, strict=True))
        )
        assert (solver.check() == z3.sat) == expected
        solver.pop()


def _network(rng: np.random.Generator, kind: str) -> Network:
    """Return a network of three classes that bends a lot, so that each rival wins somewhere else."""
    if kind == "pool":
        return random_network(rng, 2, 3, pool=True)
    if kind == "convolution":
        taps = np.array([[[0, 1], [1, 0], [-1, 1]]])
        convolution = Convolution(0, rng.normal(size=(2, 2)), rng.normal(size=2), taps)
        pool = MaxPool(2, np.array([[0, 1], [2, 3], [4, 5]]))
        tail = Affine(3, 2 * rng.normal(size=(3, 3)), rng.normal(size=3))
        return Network("net", (2,), (convolution, Relu(1, 6), pool, tail), 4)
    shapes = [(5, 2), (5, 5), (3, 5)]
    return dense(*((rng.normal(size=s), rng.normal(size=s[0]) / 2) for s in shapes), inputs=2)


def _grid(problem: EnsembleProblem, norm: Norm) -> list[tuple[Fraction, ...]]:
    """Return exact points all over box and ball, its border included."""
    centre, radius = problem.points.exact(0), problem.threat.radius
    steps = [radius * k / 4 for k in range(-4, 5)]
    ends = [Fraction(k, 4) for k in range(13)]
    if norm is Norm.L0:
        moved = [(e, centre[1]) for e in ends] + [(centre[0], e) for e in ends]
    else:
        moved = [(centre[0] + a, centre[1] + b) for a, b in itertools.product(steps, steps)]
    if norm is Norm.L1:
        moved = [p for p in moved if abs(p[0] - centre[0]) + abs(p[1] - centre[1]) <= radius]
    return [p for p in moved if all(0 <= v <= 3 for v in p)]


def _is_inside(scope: Scope, values: tuple[tuple[Fraction, ...], ...]) -> bool:
    assert scope.margins is not None
    logits = values[-1]
    gaps = [logits[w] - logits[y] for w, y in zip(scope.pairs.winner, scope.pairs.loser, strict=True)]
    intervals = [*zip(scope.plan.bounds.values, values, strict=True), (scope.margins, gaps)]
    return all(
        Fraction(low) <= v <= Fraction(up)
        for interval, exact in intervals
        for low, v, up in zip(interval.lower[0].tolist(), exact, interval.upper[0].tolist(), strict=True)
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([Fraction(1, 2), Fraction(3)]))
def test_what_brute_force_finds_is_never_refuted(seed: int, radius: Fraction) -> None:
    rng = np.random.default_rng(seed)
    networks = [random_network(rng, 1, 3) for _ in range(3)]
    problem = make_problem(networks, [[1]], [0], radius=radius, domain=(-2, 4))
    sets = input_sets(problem)
    for pattern in line_patterns(problem, 0):
        members = tuple(sorted(pattern))
        scopes = _scopes(problem, sets, members)
        assert len(scopes) == len(members)
        assert not members or asserted_scopes(problem, sets, scopes, branches=400) is not None


def test_a_half_space_that_cuts_a_corner_off_raises_the_minimum_to_the_cut() -> None:
    sets = _square(np.array([[[1.0, 1.0]]]), np.array([[-1.0]]))
    forms, owner = np.array([[1.0, 1.0], [2.0, 1.0], [-1.0, 0.0]]), np.zeros(3, dtype=np.int64)
    bound = least(sets, owner, forms, multipliers(sets, owner, forms))
    # Over [0, 1]^2 with x + y >= 1: min x + y = 1; min 2 x + y = 1 at (0, 1); min -x = -1 as before.
    assert bound == pytest.approx([1.0, 1.0, -1.0])
    assert (bound <= [1.0, 1.0, -1.0]).all()


def test_two_half_spaces_that_exclude_each_other_leave_nothing() -> None:
    sets = _square(np.array([[[1.0, 1.0], [-1.0, -1.0]]]), np.array([[-1.5, 0.5]]))
    forms, owner = np.array([[1.0, -1.0]]), np.zeros(1, dtype=np.int64)
    assert least(sets, owner, forms, multipliers(sets, owner, forms))[0] > 1.0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(list(Norm)))
def test_any_multipliers_are_sound_and_good_ones_never_worse(seed: int, norm: Norm) -> None:
    rng = np.random.default_rng(seed)
    centre = rng.integers(0, 8, (1, 3)) / 4
    cuts = HalfSpaces(rng.integers(-3, 4, (1, 2, 3)) / 1.0, rng.integers(-2, 5, (1, 2)) / 2.0)
    sets = InputSets(np.zeros((1, 3)), np.full((1, 3), 2.0), centre, norm, 1.0, cuts)
    forms, owner = rng.normal(size=(4, 3)), np.zeros(4, dtype=np.int64)
    chosen = multipliers(sets, owner, forms)
    bounds = [least(sets, owner, forms, m) for m in (chosen, rng.random((4, 2)) * 3, None)]
    assert (bounds[0] >= bounds[2] - 1e-9).all()
    for x in itertools.product([k / 4 for k in range(9)], repeat=3):
        point = [Fraction(v) for v in x]
        if _holds(point, sets):
            for row, form in enumerate(forms.tolist()):
                value = sum(Fraction(w) * v for w, v in zip(form, point, strict=True))
                assert all(Fraction(bound[row]) <= value for bound in bounds)


def _holds(x: list[Fraction], sets: InputSets) -> bool:
    moved = [v - Fraction(c) for v, c in zip(x, sets.centre[0].tolist(), strict=True)]
    size = {
        Norm.L1: sum(map(abs, moved), Fraction(0)),
        Norm.LINF: max(map(abs, moved)),
        Norm.L0: Fraction(sum(d != 0 for d in moved)),
    }[sets.norm]
    cuts = sets.asserted
    assert cuts is not None
    inside = [
        sum(Fraction(g) * v for g, v in zip(form, x, strict=True)) + Fraction(offset) >= 0
        for form, offset in zip(cuts.forms[0].tolist(), cuts.offsets[0].tolist(), strict=True)
    ]
    return size <= 1 and all(inside)


def _square(forms: Floats, offsets: Floats) -> InputSets:
    return InputSets(
        np.zeros((1, 2)),
        np.ones((1, 2)),
        np.full((1, 2), 0.5),
        Norm.LINF,
        0.5,
        HalfSpaces(forms, offsets),
    )


def _beyond(left: float, right: float) -> Network:
    """Return a network that prefers class 1 where `right x >= 1`, 2 where `-left x >= 1`, and 0 between."""
    ends = np.array([[0.0, 0.0], [right, 0.0], [0.0, left]])
    return dense((np.array([[1.0], [-1.0]]), np.zeros(2)), (ends, np.array([1.0, 0.0, 0.0])), inputs=1)


def test_bounds_hold_whichever_rival_wins() -> None:
    problem = make_problem([_beyond(1, 1)], [[0]], [0], norm=Norm.LINF, radius=2)
    sets = input_sets(problem)
    asserted = asserted_scopes(problem, sets, _scopes(problem, sets, (0,)))
    assert asserted is not None
    hidden = asserted[0][1].plan.bounds.values[1]
    assert (hidden.lower <= -2).all()
    assert (hidden.upper >= 2).all()


def test_what_one_member_asserts_helps_to_bound_another() -> None:
    problem = make_problem([_beyond(1, 1), _beyond(0, 1)], [[0]], [0], norm=Norm.LINF, radius=2)
    sets = input_sets(problem)
    asserted = asserted_scopes(problem, sets, _scopes(problem, sets, (0, 1)))
    assert asserted is not None
    first = asserted[0][1]
    assert first.pairs.winner.tolist() == [1]  # the second one is fooled on the right only
    assert first.plan.bounds.values[1].lower[0] == pytest.approx([1, -2])
    assert first.plan.bounds.values[1].upper[0] == pytest.approx([2, -1])
