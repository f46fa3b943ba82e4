"""Small networks and queries built by hand."""

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest

from ensc.compiler.types.network import Affine, Layer, Network, Relu
from ensc.compiler.types.problem import (
    Check,
    Domain,
    EnsembleProblem,
    Expectation,
    Goal,
    Loss,
    Member,
    Norm,
    PointSet,
    ThreatModel,
    Untargeted,
)

Weights = Sequence[tuple[object, object]]
NetworkMaker = Callable[..., Network]
ProblemMaker = Callable[..., EnsembleProblem]


def dense(*weights: tuple[object, object]) -> Network:
    """Affine layers with rectifiers between them."""
    layers: list[Layer] = []
    for weight, bias in weights:
        if layers:
            layers.append(Relu(len(layers), layers[-1].size))
        layers.append(Affine(len(layers), np.array(weight, dtype=float), np.array(bias, dtype=float)))
    first = layers[0]
    assert isinstance(first, Affine)
    return Network("net", (first.weight.shape[1],), tuple(layers), len(layers))


def problem_of(
    networks: Sequence[Network],
    points: object,
    labels: Sequence[int],
    *,
    norm: Norm = Norm.LINF,
    radius: Fraction | int = 1,
    domain: tuple[Fraction | int | None, Fraction | int | None] = (None, None),
    count: int | None = None,
    loss: Loss | None = None,
    goal: Goal | None = None,
    denominator: int = 1,
    expectation: Expectation | None = None,
    paths: Sequence[str] = (),
) -> EnsembleProblem:
    ends = [None if end is None else Fraction(end) for end in domain]
    names = [f"f{c + 1}" for c in range(len(networks))]
    files = list(paths) or [f"{name}.onnx" for name in names]
    members = zip(names, networks, files, strict=True)
    return EnsembleProblem(
        name="query",
        ensemble=tuple(Member(name, net, f"{name}.onnx", path, "") for name, net, path in members),
        points=PointSet(np.array(points, dtype=float), denominator, np.array(labels), np.arange(len(labels))),
        threat=ThreatModel(
            norm, Fraction(radius), Domain(ends[0], ends[1]), count or len(networks), count is None
        ),
        loss=loss or Untargeted(Fraction(0)),
        goal=goal or Check(Fraction(1, 2)),
        expectation=expectation,
        meta={},
        parameters={},
        digest="0" * 64,
        files=(),
    )


@pytest.fixture(scope="session")
def make_network() -> NetworkMaker:
    return dense


@pytest.fixture(scope="session")
def make_problem() -> ProblemMaker:
    return problem_of
