"""Random tiny problems, and a brute force that answers them exactly."""

import itertools
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from ensc.compiler.passes.networks.evaluate import evaluate_all_exact
from ensc.compiler.types.network import Affine, Floats, Layer, MaxPool, Network, Relu, Trees
from ensc.compiler.types.problem import (
    Check,
    Domain,
    EnsembleProblem,
    Goal,
    Loss,
    MaximizeValue,
    Member,
    Norm,
    PointSet,
    Targeted,
    ThreatModel,
    Untargeted,
)
from ensc.runner.exact.game import solve_game

Pattern = frozenset[int]


def dense(*shapes: tuple[Floats, Floats], inputs: int, name: str = "net") -> Network:
    """Return a network of affine layers with rectifiers in between."""
    layers: list[Layer] = []
    for weight, bias in shapes:
        if layers:
            layers.append(Relu(len(layers), len(layers[-1].bias) if isinstance(layers[-1], Affine) else 0))
        layers.append(Affine(len(layers), np.asarray(weight, float), np.asarray(bias, float)))
    return Network(name, (inputs,), tuple(layers), len(layers))


def random_network(rng: np.random.Generator, inputs: int, classes: int, *, pool: bool = False) -> Network:
    """Return a small network with weights on a coarse grid, so that ties and kinks are common."""
    width = int(rng.integers(1, 4))

    def grid(*shape: int) -> Floats:
        return rng.integers(-4, 5, shape) / 2.0

    network = dense(
        (grid(width, inputs), grid(width)),
        (grid(width, width), grid(width)),
        (grid(classes, width), grid(classes)),
        inputs=inputs,
    )
    if not pool:
        return network
    windows = np.array([[0, width - 1], [0, -1]])
    tail = Affine(len(network.layers), grid(classes, 2), grid(classes))
    layers = (*network.layers[:-1], MaxPool(len(network.layers) - 1, windows), tail)
    return Network("pooled", (inputs,), layers, len(layers))


def make_problem(
    networks: Sequence[Network],
    points: Sequence[Sequence[Fraction | int | float]],
    labels: Sequence[int],
    *,
    norm: Norm = Norm.L1,
    radius: Fraction | int = 1,
    domain: tuple[Fraction | int | None, Fraction | int | None] = (None, None),
    count: int | None = None,
    loss: Loss | None = None,
    goal: Goal | None = None,
    denominator: int = 1,
) -> EnsembleProblem:
    """Return a problem made of values instead of files."""
    lower, upper = (None if end is None else Fraction(end) for end in domain)
    return EnsembleProblem(
        name="tiny",
        ensemble=tuple(
            Member(f"f{c}", network, f"f{c}.onnx", f"f{c}.onnx", "0" * 64)
            for c, network in enumerate(networks, start=1)
        ),
        points=PointSet(
            np.array(points, dtype=float) * denominator,
            denominator,
            np.array(labels, dtype=np.int64),
            np.arange(len(labels)),
        ),
        threat=ThreatModel(
            norm, Fraction(radius), Domain(lower, upper), count or len(networks), automatic=count is None
        ),
        loss=loss or Untargeted(Fraction(0)),
        goal=goal or Check(Fraction(1, 2)),
        expectation=None,
        meta={},
        parameters={},
        digest="0" * 64,
        files=(),
    )


def fooled(problem: EnsembleProblem, logits: Sequence[Fraction], label: int) -> bool:
    """Return whether the loss is 1, straight from its definition."""
    loss = problem.loss
    if isinstance(loss, Targeted):
        rivals = [f for m, f in enumerate(logits) if m != loss.label]
        return all(logits[loss.label] - f >= loss.margin for f in rivals)
    return any(f - logits[label] >= loss.margin for m, f in enumerate(logits) if m != label)


def line_patterns(problem: EnsembleProblem, point: int) -> set[Pattern]:
    """Return every set of members that one perturbation of a one-dimensional point can fool together.

    All values are piecewise linear in the single coordinate; between two neighbouring breakpoints the
    losses are constant, and at a breakpoint they are closed, so breakpoints and midpoints show them all.
    """
    assert problem.inputs == 1
    places = _breakpoints(problem, point)
    middles = [(u + v) / 2 for u, v in itertools.pairwise(places)]
    label = int(problem.points.labels[point])
    return {
        frozenset(
            c
            for c, member in enumerate(problem.ensemble)
            if fooled(problem, evaluate_all_exact(member.network, [x])[member.network.output], label)
        )
        for x in [*places, *middles]
    }


def _breakpoints(problem: EnsembleProblem, point: int) -> list[Fraction]:
    (x,) = problem.points.exact(point)
    domain, radius = problem.threat.domain, problem.threat.radius
    if problem.threat.norm is Norm.L0:
        assert domain.lower is not None
        assert domain.upper is not None
        low, high = (domain.lower, domain.upper) if radius >= 1 else (x, x)
    else:
        low = x - radius if domain.lower is None else max(x - radius, domain.lower)
        high = x + radius if domain.upper is None else min(x + radius, domain.upper)
    places = {low, high, x}
    while fresh := {root for m in problem.ensemble for root in _kinks(problem, m, sorted(places))} - places:
        places |= fresh
    return sorted(places)


def _kinks(problem: EnsembleProblem, member: Member, places: list[Fraction]) -> set[Fraction]:
    """Return, on each segment, where the first layer that bends there bends; at last where losses change."""
    network = member.network
    values = [evaluate_all_exact(network, [x]) for x in places]
    roots: set[Fraction] = set()
    for (u, at_u), (v, at_v) in itertools.pairwise(zip(places, values, strict=True)):
        for signs_u, signs_v in zip(
            _switches(problem, network, at_u), _switches(problem, network, at_v), strict=True
        ):
            bends = {u + (v - u) * a / (a - b) for a, b in zip(signs_u, signs_v, strict=True) if a * b < 0}
            if bends:
                roots |= bends
                break
    return roots


def _switches(
    problem: EnsembleProblem, network: Network, values: Sequence[Sequence[Fraction]]
) -> list[list[Fraction]]:
    """Return, layer by layer, the numbers whose sign decides which linear piece is used."""
    stages: list[list[Fraction]] = []
    for layer in network.layers:
        match layer:
            case Relu():
                stages.append(list(values[layer.source]))
            case MaxPool():
                x = values[layer.source]
                pairs = [
                    (i, j)
                    for window in layer.windows.tolist()
                    for i, j in itertools.combinations([k for k in window if k >= 0], 2)
                ]
                stages.append([x[i] - x[j] for i, j in pairs])
            case Trees():
                x = values[layer.source]
                tests = zip(layer.features.tolist(), layer.thresholds.tolist(), strict=True)
                stages.append([x[feature] - Fraction(limit) for feature, limit in tests])
            case _:
                pass
    if isinstance(network.layers[network.output - 1], Trees):
        return stages  # their logits are constant between the tests
    logits = values[network.output]
    margin = problem.loss.margin
    stages.append([a - b - margin for a, b in itertools.permutations(logits, 2)])
    return stages


def smallest_radius(problem: EnsembleProblem, point: int, members: Pattern) -> Fraction | None:
    """Return the smallest perturbation of a one-dimensional point that fools all members, None if none."""
    label = int(problem.points.labels[point])
    (centre,) = problem.points.exact(point)
    sizes = [
        abs(x - centre)
        for x in _breakpoints(problem, point)
        if all(
            fooled(problem, evaluate_all_exact(m.network, [x])[m.network.output], label)
            for c, m in enumerate(problem.ensemble)
            if c in members
        )
    ]
    return min(sizes, default=None)


def best_value(problem: EnsembleProblem, patterns: Sequence[set[Pattern]], count: int) -> Fraction:
    """Return the largest value of a mixture of at most `count` attacks, by enumeration."""
    members = range(len(problem.ensemble))
    rows = {tuple(sum(c in s for s in choice) for c in members) for choice in itertools.product(*patterns)}
    best = [
        r for r in rows if not any(o != r and all(a <= b for a, b in zip(r, o, strict=True)) for o in rows)
    ]
    count = min(count, len(best))
    return max(
        solve_game(np.array(chosen, dtype=np.int64)).value for chosen in itertools.combinations(best, count)
    ) / len(problem.points)


@st.composite
def line_problems(draw: st.DrawFn) -> EnsembleProblem:
    """Draw a random problem over one-dimensional inputs, for which brute force is exact."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    classes = draw(st.integers(2, 3))
    members = draw(st.integers(1, 3))
    points = draw(st.integers(1, 2))
    norm = draw(st.sampled_from(list(Norm)))
    targeted = draw(st.booleans())
    margin = Fraction(draw(st.integers(0, 1)), 2)
    labels = rng.integers(0, classes - 1 if targeted else classes, points).tolist()
    return make_problem(
        [random_network(rng, 1, classes, pool=draw(st.booleans())) for _ in range(members)],
        (rng.integers(-4, 5, (points, 1)) / 2).tolist(),
        labels,
        norm=norm,
        radius=draw(st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(1), Fraction(5, 2)])),
        domain=(-3, 3) if norm is Norm.L0 or draw(st.booleans()) else (None, None),
        count=draw(st.integers(1, 2)),
        loss=Targeted(classes - 1, Fraction(1, 2)) if targeted else Untargeted(margin),
        goal=MaximizeValue(),
        denominator=draw(st.sampled_from([1, 2])),
    )
