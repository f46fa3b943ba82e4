"""SCIP answers all formulations alike; solvers that do not hold one are not given it."""

from fractions import Fraction

import numpy as np
import pytest
from tiny import dense, make_problem

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.passes.linear.linearize import Formulation
from ensc.compiler.pipeline import Options
from ensc.compiler.types.problem import EnsembleProblem, MaximizeValue
from ensc.compiler.types.solution import Word
from ensc.runner.joint.solve import Settings, solve_joint
from ensc.runner.solvers.cbc import CBC
from ensc.runner.solvers.highs import HIGHS
from ensc.runner.solvers.scip import SCIP


@pytest.fixture
def coin() -> EnsembleProblem:
    """One picture, two networks, each fooled in its own direction: the best mixture is the toss of a coin."""
    up = dense(
        (np.array([[1.0], [-1.0]]), np.zeros(2)),
        (np.array([[1.0, 1.0], [0.0, 0.0]]), np.array([0, 1])),
        inputs=1,
    )
    right = dense((np.array([[1.0], [0.0]]), np.array([0.0, 1.0])), inputs=1)
    left = dense((np.array([[-1.0], [0.0]]), np.array([0.0, 1.0])), inputs=1)
    return make_problem([right, left, up], [[0]], [1], radius=2, goal=MaximizeValue())


@pytest.mark.parametrize("formulation", ["big-m", "indicator", "sos"])
def test_scip_answers_alike(coin: EnsembleProblem, formulation: Formulation) -> None:
    pytest.importorskip("pyscipopt", reason="SCIP is an extra")
    verdict = solve_joint(coin, Settings(Options(1, formulation), solver=SCIP)).verdict
    assert (verdict.word, verdict.lower) == (Word.OPTIMAL, Fraction(1, 2))


@pytest.mark.parametrize("solver", [CBC, HIGHS])
@pytest.mark.parametrize("formulation", ["indicator", "sos"])
def test_others_are_not_given_what_they_misread(
    coin: EnsembleProblem, solver: object, formulation: Formulation
) -> None:
    assert solver in (CBC, HIGHS)
    chosen = CBC if solver is CBC else HIGHS
    with pytest.raises(Rejected, match="E1012"):
        solve_joint(coin, Settings(Options(1, formulation), solver=chosen))
