"""Repair and decoding: whatever a solver says, the attack is admissible and worth what replay finds."""

from collections.abc import Callable
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.types.network import Network
from ensc.compiler.types.problem import EnsembleProblem, MaximizeTotal, MaximizeValue, Norm, Targeted
from ensc.compiler.types.solution import Solution, Status
from ensc.runner.exact.certify import certify, fooled_members, is_admissible
from ensc.runner.exact.repair import repair
from ensc.runner.verdicts.decode import decode
from ensc.runner.verdicts.names import holds_attack

F = Fraction
Maker = Callable[..., EnsembleProblem]
Dense = Callable[..., Network]
Values = dict[str, float | Fraction]


def solution(values: Values) -> Solution:
    return Solution(Status.OPTIMAL, values)


@pytest.fixture(scope="session")
def corner(make_network: Dense, make_problem: Maker) -> Maker:
    """Label 0 at (0, 0); member 1 is fooled iff x + y >= 1, member 2 iff x - y >= 1."""

    def make(**options: object) -> EnsembleProblem:
        networks = [
            make_network(([[0, 0], [1, 1]], [0, -1])),
            make_network(([[0, 0], [1, -1]], [0, -1])),
        ]
        return make_problem(networks, [[0.0, 0.0]], [0], **options)

    return make


def test_a_point_on_the_wrong_side_by_the_tolerance_is_moved_over(corner: Maker) -> None:
    problem = corner(radius=1)
    found = repair(problem, 0, [0.6, 0.4 - 1e-6], {0})
    assert is_admissible(problem, 0, found)
    assert fooled_members(problem, 0, found)[0]
    assert max(abs(float(d) - v) for d, v in zip(found, [0.6, 0.4], strict=True)) < 2e-3


def test_a_point_outside_the_ball_by_the_tolerance_is_moved_in(corner: Maker) -> None:
    problem = corner(norm=Norm.L1, radius=F(11, 10))
    found = repair(problem, 0, [1.1 + 1e-6, 1e-7], {0, 1})
    assert is_admissible(problem, 0, found)
    assert fooled_members(problem, 0, found) == (True, True)


@pytest.mark.parametrize("norm", list(Norm))
def test_the_only_witness_is_a_vertex(corner: Maker, norm: Norm) -> None:
    """Both members tie at (1, 0), and fall together nowhere else in the ball and the domain."""
    found = repair(corner(norm=norm, radius=1, domain=(-1, 1)), 0, [0.9999993, 4e-7], {0, 1})
    assert found == (F(1), F(0))


def test_the_only_witness_is_a_simple_fraction(make_network: Dense, make_problem: Maker) -> None:
    network = make_network(([[0, 0], [3, 3]], [0, -2]))
    problem = make_problem([network], [[0.0, 0.0]], [0], norm=Norm.L1, radius=F(2, 3))
    found = repair(problem, 0, [0.3333331, 0.3333336], {0})
    assert found == (F(1, 3), F(1, 3))


def test_the_domain_ends_at_a_number_that_is_no_float(make_network: Dense, make_problem: Maker) -> None:
    network = make_network(([[0], [-10]], [0, 1]))  # fooled iff x <= 1/10
    problem = make_problem([network], [[1.0]], [0], radius=1, domain=(F(1, 10), 1))
    found = repair(problem, 0, [-0.9], {0})
    assert found == (F(-9, 10),)


def test_a_point_outside_the_domain_is_brought_in(make_network: Dense, make_problem: Maker) -> None:
    network = make_network(([[0], [1]], [0, -2]))
    for norm, radius in ((Norm.L1, 1), (Norm.LINF, 1), (Norm.L0, 1)):
        problem = make_problem([network], [[2.5]], [0], norm=norm, radius=radius, domain=(0, 2))
        found = repair(problem, 0, [0.0], {0})
        assert is_admissible(problem, 0, found)
        assert found == (F(-1, 2),)


def test_a_margin_that_float32_keeps_is_preferred(corner: Maker) -> None:
    problem = corner(radius=1)
    found = repair(problem, 0, [0.75, 0.25], {0})
    assert sum(found) - 1 >= F(1, 10**4)
    assert max(abs(found[0] - F(3, 4)), abs(found[1] - F(1, 4))) < F(1, 100)


def test_no_change_is_preferred_where_it_does_the_same(corner: Maker) -> None:
    assert repair(corner(), 0, [0.3, 0.2], set()) == (F(0), F(0))


def test_a_solvers_exact_rationals_stay(corner: Maker) -> None:
    exact = (F(123456789, 987654321), 1 - F(123456789, 987654321))
    assert repair(corner(), 0, exact, {0}) == exact


def test_what_nothing_can_do_is_done_as_far_as_possible(corner: Maker) -> None:
    problem = corner(radius=F(1, 2))  # member 1 ties at (1/2, 1/2), both together are out of reach
    found = repair(problem, 0, [0.5, 0.3], {0, 1})
    assert is_admissible(problem, 0, found)
    assert sum(fooled_members(problem, 0, found)) == 1


@given(
    norm=st.sampled_from(list(Norm)),
    radius=st.fractions(0, 3, max_denominator=5),
    delta=st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=2),
    wanted=st.sets(st.integers(0, 1)),
    domain=st.sampled_from([(None, None), (0, 1), (F(-1, 3), F(1, 7)), (F(1, 3), None)]),
)
@settings(max_examples=150, deadline=None)
def test_repair_never_leaves_ball_or_domain(
    corner: Maker,
    norm: Norm,
    radius: Fraction,
    delta: list[float],
    wanted: set[int],
    domain: tuple[Fraction | None, Fraction | None],
) -> None:
    problem = corner(norm=norm, radius=radius, domain=domain)
    rest = domain[0] if domain[0] is not None and domain[0] > 0 else F(0)
    reachable = is_admissible(problem, 0, (rest, rest))
    assert is_admissible(problem, 0, repair(problem, 0, delta, wanted)) == reachable


def grid_witness(problem: EnsembleProblem, pattern: tuple[bool, ...]) -> tuple[Fraction, ...] | None:
    """Search the multiples of 1/4 in [-2, 2] for an admissible perturbation that fools a pattern."""
    steps = [F(n, 4) for n in range(-8, 9)]
    for delta in product(steps, steps):
        if is_admissible(problem, 0, delta):
            fooled = fooled_members(problem, 0, delta)
            if all(f for f, p in zip(fooled, pattern, strict=True) if p):
                return delta
    return None


@given(
    weights=st.lists(st.lists(st.integers(-3, 3), min_size=11, max_size=11), min_size=2, max_size=2),
    norm=st.sampled_from(list(Norm)),
    noise=st.lists(st.floats(-1e-6, 1e-6), min_size=2, max_size=2),
    targeted=st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_a_witness_survives_the_tolerance_of_a_solver(
    make_network: Dense,
    make_problem: Maker,
    weights: list[list[int]],
    norm: Norm,
    noise: list[float],
    targeted: bool,
) -> None:
    """Rectified random networks: a grid point that fools both members, disturbed, is repaired."""
    networks = [
        make_network(([w[:2], w[2:4]], [w[4], w[5]]), ([w[6:8], w[8:10]], [w[10], 0])) for w in weights
    ]
    loss = {"loss": Targeted(1, F(1, 2))} if targeted else {}
    problem = make_problem(networks, [[0.5, 0.25]], [0], norm=norm, radius=1, domain=(-1, 1), **loss)
    witness = grid_witness(problem, (True, True))
    if witness is None:
        return
    found = repair(problem, 0, [float(w) + n for w, n in zip(witness, noise, strict=True)], {0, 1})
    assert is_admissible(problem, 0, found)
    assert fooled_members(problem, 0, found) == (True, True)


def test_decode_finds_the_attack_and_better_probabilities(make_network: Dense, make_problem: Maker) -> None:
    networks = [make_network(([[0], [1]], [0, -1])), make_network(([[0], [-1]], [0, -1]))]
    problem = make_problem(networks, [[0.0]], [0], radius=1, goal=MaximizeValue())
    values: Values = {"p_1": 0.9, "p_2": 0.1, "d_1_1_1": 1.0, "d_2_1_1": -0.9999999, "t": 0.1, "x_1_1_1": 1.0}
    attack = decode(problem, solution(values))
    assert attack.probabilities == (F(1, 2), F(1, 2))
    assert attack.perturbations == (((F(1),),), ((F(-1),),))
    assert certify(problem, attack).value == F(1, 2)


def test_names_that_a_file_leaves_out_are_zero(corner: Maker) -> None:
    attack = decode(corner(), solution({"p_1": 1.0, "d_1_1_1": 1.0}))
    assert attack.perturbations == (((F(1), F(0)),),)
    still = decode(corner(), solution({"p_2": 1.0}))
    assert still.probabilities == (F(1),)
    assert still.perturbations == (((F(0), F(0)),),)


def test_claimed_losses_are_kept_beyond_the_tolerance(corner: Maker) -> None:
    values: Values = {"p_1": 1.0, "d_1_1_1": 0.9, "d_1_1_2": 0.05, "l_1_1_1": 1.0, "l_2_1_1": 0.0}
    problem = corner()
    assert certify(problem, decode(problem, solution(values))).losses[0][0][0]
    del values["l_1_1_1"]
    assert certify(problem, decode(problem, solution(values))).total == 0


def test_attacks_without_probability_are_left_out(corner: Maker) -> None:
    values: Values = {"p_1": 0.5, "p_2": 0.5, "d_1_1_1": 1.0, "d_2_1_1": 0.1}
    attack = decode(corner(), solution(values))
    assert attack.probabilities == (F(1),)


def test_the_total_takes_the_attack_that_fools_most(make_network: Dense, make_problem: Maker) -> None:
    """Members 1 and 2 fall together at x = 1, member 3 alone at x = -1."""
    up, down = make_network(([[0], [1]], [0, -1])), make_network(([[0], [-1]], [0, -1]))
    values: Values = {"p_1": 0.5, "p_2": 0.5, "d_1_1_1": 1.0, "d_2_1_1": -1.0}
    free = make_problem([up, up, down], [[0.0]], [0], goal=MaximizeTotal(None))
    assert certify(free, decode(free, solution(values))).total == 2
    bound = make_problem([up, up, down], [[0.0]], [0], goal=MaximizeTotal(F(1, 3)))
    found = certify(bound, decode(bound, solution(values)))
    assert found.value == F(1, 3)
    assert found.total == F(5, 3)
    beyond = make_problem([up, up, down], [[0.0]], [0], goal=MaximizeTotal(F(2, 3)))
    assert certify(beyond, decode(beyond, solution(values))).value == F(1, 2)


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ({"x": 1.0, "h_1_1": 2.0}, "E1101", "`h_1_1`, `x`"),
        ({}, "E1101", "nothing"),
        ({"p_3": 1.0}, "E1102", "2 attacks"),
        ({"p_0": 1.0}, "E1102", "2 attacks"),
        ({"p_1": 1.0, "d_1_2_1": 0.5}, "E1102", "1 points"),
        ({"p_1": 1.0, "d_1_1_3": 0.5}, "E1102", "2 coordinates"),
        ({"p_1": 1.0, "d_1_1_" + "9" * 900: 0.5}, "E1102", "2 coordinates"),
        ({"p_1": 1.0, "l_3_1_1": 1.0}, "E1102", "2 members"),
        ({"p_1": float("nan")}, "E1103", "nan"),
        ({"p_1": 1.0, "d_1_1_1": float("inf")}, "E1103", "inf"),
        ({"p_1": 1.0, "d_1_1_1": F(10) ** 400}, "E1103", "1e300"),
    ],
)
def test_a_solution_of_something_else_is_rejected(
    corner: Maker, values: Values, code: str, words: str
) -> None:
    with pytest.raises(Rejected) as caught:
        decode(corner(), solution(values))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == code
    assert words in diagnostic.message + " ".join(diagnostic.notes)


def test_whether_a_solution_is_worth_decoding() -> None:
    assert holds_attack(solution({"p_1": 0.0}))
    assert not holds_attack(solution({"t": 1.0, "p_x": 1.0}))


@given(
    st.dictionaries(
        st.sampled_from(
            ["p_1", "p_2", *(f"d_{i}_1_{k}" for i in (1, 2) for k in (1, 2)), "l_1_1_1", "l_2_2_1", "t"]
        ),
        st.floats(-1e300, 1e300) | st.fractions() | st.just(1e301),
    ),
    st.sampled_from(list(Norm)),
)
@settings(max_examples=100, deadline=None)
def test_any_numbers_decode_to_an_admissible_attack(corner: Maker, values: Values, norm: Norm) -> None:
    problem = corner(norm=norm, radius=F(4, 3), domain=(-1, 1))
    usable = all(abs(F(v)) <= F(1e300) for name, v in values.items() if name != "t")
    if holds_attack(solution(values)) and usable:
        assert certify(problem, decode(problem, solution(values))).admissible
    else:
        with pytest.raises(Rejected, match=r"E110[13]"):
            decode(problem, solution(values))


def test_a_network_of_real_size_is_repaired_quickly(make_network: Dense, make_problem: Maker) -> None:
    rng = np.random.default_rng(1)
    layers = [
        (rng.normal(size=(b, a)).astype(np.float32) / 8, rng.normal(size=b).astype(np.float32) / 8)
        for a, b in ((64, 30), (30, 30), (30, 10))
    ]
    points = rng.uniform(0, 1, (1, 64)).astype(np.float32)
    network = make_network(*layers)
    problem = make_problem([network], points, [3], radius=F(1, 2), domain=(0, 1))
    delta = rng.uniform(-0.5, 0.5, 64)
    found = repair(problem, 0, delta.tolist(), {0})
    assert is_admissible(problem, 0, found)
    assert fooled_members(problem, 0, found) == (True,)
