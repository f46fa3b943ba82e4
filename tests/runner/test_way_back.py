"""From a small ensemble through the compiled file and CBC to a certified answer, against brute force."""

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from ensc.compiler.pipeline import Options, compile_problem
from ensc.compiler.types.model import size_of
from ensc.compiler.types.network import Network
from ensc.compiler.types.problem import (
    Check,
    EnsembleProblem,
    Goal,
    MaximizeTotal,
    MaximizeValue,
    Norm,
    Targeted,
    Untargeted,
)
from ensc.compiler.types.solution import Verdict, Word
from ensc.formats.files import write_file
from ensc.formats.mps import write_mps
from ensc.runner.exact.certify import certify, fooled_members, is_admissible
from ensc.runner.exact.game import solve_game
from ensc.runner.solvers.cbc import CBC
from ensc.runner.solvers.milp_process import solve_file
from ensc.runner.verdicts.decode import decode
from ensc.runner.verdicts.names import holds_attack
from ensc.runner.verdicts.verdict import judge

F = Fraction
Maker = Callable[..., EnsembleProblem]
Dense = Callable[..., Network]


def answered(problem: EnsembleProblem, folder: Path, level: int = 1) -> Verdict:
    compiled = compile_problem(problem, Options(level=level))
    path = folder / "model.mps"
    write_file(path, write_mps(compiled.linear))
    solution, proof = solve_file(CBC, path, expected=size_of(compiled.linear), time_limit=60)
    attack = decode(problem, solution) if holds_attack(solution) else None
    certificate = None if attack is None else certify(problem, attack)
    return judge(problem, solution, attack, certificate, proof, compiled.attacks)


def value_on_grid(problem: EnsembleProblem) -> Fraction:
    """The value of all attacks whose perturbations are multiples of 1/4."""
    steps = [F(n, 4) for n in range(-8, 9)]
    patterns = [
        {fooled_members(problem, j, d) for d in product(steps, steps) if is_admissible(problem, j, d)}
        for j in range(len(problem.points))
    ]
    joint = {tuple(map(sum, zip(*choice, strict=True))) for choice in product(*patterns)}
    return solve_game(sorted(joint)).value / len(problem.points)


def random_problem(
    make_network: Dense, make_problem: Maker, seed: int, goal: Goal | None = None
) -> EnsembleProblem:
    """Small integer weights and quarters as points make ties and decisive corners common."""
    rng = np.random.default_rng(seed)
    classes, points = int(rng.integers(2, 4)), int(rng.integers(1, 3))
    networks = [
        make_network(
            (rng.integers(-2, 3, (3, 2)), rng.integers(-2, 3, 3)),
            (rng.integers(-2, 3, (classes, 3)), rng.integers(-2, 3, classes)),
        )
        for _ in range(rng.integers(1, 4))
    ]
    norm = list(Norm)[seed % 3]
    return make_problem(
        networks,
        rng.integers(-4, 5, (points, 2)) / 4,
        rng.integers(0, classes, points),
        norm=norm,
        radius=int(rng.integers(0, 3)) if norm is Norm.L0 else F(int(rng.integers(1, 5)), 4),
        domain=(-1, 1),
        goal=goal or MaximizeValue(),
        loss=Targeted(1, F(1, 4)) if seed % 4 == 3 else Untargeted(F(0)),
    )


@pytest.mark.parametrize("seed", range(9))
def test_the_optimum_is_certified_and_no_sampled_attack_is_better(
    make_network: Dense, make_problem: Maker, tmp_path: Path, seed: int
) -> None:
    problem = random_problem(make_network, make_problem, seed)
    found = answered(problem, tmp_path, level=seed % 2)
    assert found.word is Word.OPTIMAL
    assert found.certificate is not None
    assert found.certificate.admissible
    assert value_on_grid(problem) <= found.lower == found.certificate.value == found.upper


@pytest.fixture
def pair(make_network: Dense, make_problem: Maker) -> Maker:
    """Member 1 falls at x >= 1, member 2 at x <= -1: value 1/2, total 1, and 0 for a single attack."""

    def make(goal: Goal, **options: object) -> EnsembleProblem:
        networks = [make_network(([[0], [s]], [0, -1])) for s in (1, -1)]
        return make_problem(networks, [[0.0]], [0], radius=F(5, 4), goal=goal, **options)

    return make


@pytest.mark.parametrize(
    ("goal", "count", "word"),
    [
        (Check(F(1, 2)), None, Word.NOT_ROBUST),
        (Check(F(51, 100)), None, Word.ROBUST),
        (Check(F(1, 2)), 1, Word.ROBUST_UP_TO_K),
        (MaximizeValue(), None, Word.OPTIMAL),
        (MaximizeTotal(None), None, Word.OPTIMAL),
        (MaximizeTotal(F(1, 2)), None, Word.OPTIMAL),
        (MaximizeTotal(F(3, 4)), None, Word.ROBUST),
    ],
)
def test_every_word(pair: Maker, tmp_path: Path, goal: Goal, count: int | None, word: Word) -> None:
    found = answered(pair(goal, count=count), tmp_path)
    assert found.word is word
    if word is Word.OPTIMAL:
        assert found.lower == (1 if isinstance(goal, MaximizeTotal) else F(1, 2))
        assert found.upper - found.lower <= (F(1, 10**5) if goal == MaximizeTotal(F(1, 2)) else 0)
    if word is not Word.NOT_ROBUST:
        assert found.proofs
