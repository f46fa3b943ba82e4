"""The public Python interface does what the command line does."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import ensc
from ensc.compiler.types.solution import Word

DIGITS = Path(__file__).parents[2] / "examples" / "digits"


def test_a_network_can_be_called_in_both_arithmetics() -> None:
    network = ensc.load_network(DIGITS / "conv_pool.onnx")
    x = np.load(DIGITS / "points.npz")["x"][0].ravel()
    exact = network.exact([Fraction(int(v)) for v in x])
    assert np.allclose(network(x.astype(float)), [float(v) for v in exact])
    assert network(np.zeros((2, 3, 64))).shape == (2, 3, 10)


def test_load_compile_write_solve(tmp_path: Path) -> None:
    problem = ensc.load(DIGITS / "not_robust.rq", epsilon="61/100")
    assert problem.threat.radius == Fraction(61, 100)
    ensc.write(ensc.compile(problem), tmp_path / "out.mps")
    assert (tmp_path / "out.mps").read_text(encoding="ascii").startswith("* ensc ")
    result = ensc.solve(problem, time_limit=120)
    assert result.verdict.word is Word.NOT_ROBUST
    assert result.verdict.lower >= Fraction(1, 2)


def test_both_strategies_agree() -> None:
    problem = ensc.load(DIGITS / "count1.rq")
    assert ensc.solve(problem).verdict.word is Word.ROBUST_UP_TO_K
    assert ensc.solve(problem, strategy="joint").verdict.word is Word.ROBUST_UP_TO_K


def test_mistakes_are_rejected() -> None:
    with pytest.raises(ensc.Rejected, match="E04"):
        ensc.load(DIGITS / "not_robust.rq", epsilon="-1")
    with pytest.raises(AttributeError, match="nonsense"):
        ensc.nonsense  # noqa: B018
