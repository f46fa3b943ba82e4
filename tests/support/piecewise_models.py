"""Random piecewise-linear models, and what a model says about one point, straight from its definition."""

from collections.abc import Iterator, Mapping
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from ensc.compiler.types.model import (
    Clauses,
    Indices,
    Maxima,
    Model,
    Names,
    Products,
    Rectifiers,
    RowGroup,
    Rows,
    Variables,
    feasibility,
)

REALS, BINARIES = 4, 3
GRID = [Fraction(n, 2) for n in range(-4, 5)]

coefficients = st.sampled_from([1.0, -1.0, 0.5, 2.0, -3.0, 0.1, -1e-7, float(np.float32(1 / 3))])
ends = st.sampled_from([-2.0, -0.5, 0.0, 0.1, 0.5, 1.0, 2.0])
reals = st.integers(0, REALS - 1)
binaries = st.integers(REALS, REALS + BINARIES - 1)


def indices(values: list[int]) -> Indices:
    return np.array(values, dtype=np.int64)


@st.composite
def intervals(draw: st.DrawFn) -> tuple[float, float]:
    lower, upper = sorted((draw(ends), draw(ends)))
    return draw(st.sampled_from([(lower, upper), (lower, np.inf), (-np.inf, upper), (lower, lower)]))


@st.composite
def rows(draw: st.DrawFn) -> Rows:
    sizes, columns, values, lower, upper, indicator, active = [], [], [], [], [], [], []
    for _ in range(draw(st.integers(0, 2))):
        terms = draw(st.dictionaries(st.one_of(reals, binaries), coefficients, max_size=4))
        ends_of_row = draw(intervals())
        sizes.append(len(terms))
        columns += list(terms)
        values += list(terms.values())
        lower.append(ends_of_row[0])
        upper.append(ends_of_row[1])
        indicator.append(draw(st.one_of(st.just(-1), binaries)))
        active.append(draw(st.booleans()))
    return Rows(
        np.cumsum([0, *sizes]),
        indices(columns),
        np.array(values, dtype=float),
        np.array(lower, dtype=float),
        np.array(upper, dtype=float),
        indices(indicator),
        np.array(active, dtype=bool),
        (RowGroup(len(sizes), "rows"),),
    )


@st.composite
def models(draw: st.DrawFn) -> Model:
    """Draw a model with a few constraints of every kind over `x0..x3` and binaries `b0..b2`."""
    bounds = [draw(intervals()) if draw(st.booleans()) else (-2.0, 2.0) for _ in range(REALS)]
    pairs = draw(st.lists(st.tuples(reals, reals), max_size=2))
    pairs = [(y, a) for y, a in pairs if y != a]
    groups = draw(st.lists(st.lists(reals, min_size=1, max_size=3), max_size=1))
    triples = draw(st.lists(st.tuples(reals, reals, binaries), max_size=1))
    clauses = draw(st.lists(st.lists(binaries, max_size=3), max_size=2))
    return Model(
        name="random",
        variables=Variables(
            np.array([b[0] for b in bounds] + [0.0] * BINARIES),
            np.array([b[1] for b in bounds] + [1.0] * BINARIES),
            np.array([False] * REALS + [True] * BINARIES),
            (Names(tuple([f"x{i}" for i in range(REALS)] + [f"b{i}" for i in range(BINARIES)])),),
        ),
        rows=draw(rows()),
        objective=feasibility(),
        rectifiers=Rectifiers(indices([y for y, _ in pairs]), indices([a for _, a in pairs]), ()),
        maxima=Maxima(
            indices([draw(reals) for _ in groups]),
            np.cumsum([0, *(len(g) for g in groups)]),
            indices([a for g in groups for a in g]),
            (),
        ),
        products=Products(*(indices([t[k] for t in triples]) for k in range(3))),
        clauses=Clauses(
            indices([draw(binaries) for _ in clauses]),
            np.cumsum([0, *(len(c) for c in clauses)]),
            indices([w for c in clauses for w in c]),
        ),
    )


@st.composite
def points(draw: st.DrawFn, model: Model) -> dict[str, Fraction]:
    """Draw a value for every variable of a model of `models()`; often one that satisfies much of it."""
    bits = st.sampled_from([Fraction(0), Fraction(1)])
    v = draw(st.tuples(*[st.sampled_from(GRID)] * REALS, *[bits] * BINARIES).map(list))
    if draw(st.booleans()):
        _settle(model, v)
    return dict(zip(model.variables.names(), v, strict=True))


def _settle(model: Model, v: list[Fraction]) -> None:
    """Give every defined variable its value."""
    rectifiers, maxima, products = model.rectifiers, model.maxima, model.products
    for q, p, switch in zip(products.product, products.factor, products.switch, strict=True):
        v[q] = v[p] * v[switch]
    for k, y in enumerate(maxima.output):
        v[y] = max(v[a] for a in maxima.candidates[maxima.starts[k] : maxima.starts[k + 1]])
    for y, a in zip(rectifiers.output, rectifiers.input, strict=True):
        v[y] = max(v[a], Fraction(0))


def holds(model: Model, point: Mapping[str, Fraction]) -> bool:
    """Return whether a point satisfies everything that a model says, in exact arithmetic."""
    v = [point[name] for name in model.variables.names()]
    return all((*_bounds_hold(model, v), *_rows_hold(model, v), *_piecewise_holds(model, v)))


def _within(value: Fraction, lower: float, upper: float) -> bool:
    return (lower == -np.inf or value >= Fraction(lower)) and (upper == np.inf or value <= Fraction(upper))


def _bounds_hold(model: Model, v: list[Fraction]) -> Iterator[bool]:
    variables = model.variables
    for k, value in enumerate(v):
        whole = value in (0, 1) or not variables.integer[k]
        yield whole and _within(value, float(variables.lower[k]), float(variables.upper[k]))


def _rows_hold(model: Model, v: list[Fraction]) -> Iterator[bool]:
    r = model.rows
    for k in range(len(r)):
        part = slice(int(r.starts[k]), int(r.starts[k + 1]))
        terms = zip(r.columns[part].tolist(), r.coefficients[part].tolist(), strict=True)
        total = sum((Fraction(c) * v[i] for i, c in terms), Fraction(0))
        switch = int(r.indicator[k])
        idle = switch >= 0 and v[switch] != int(r.active[k])
        yield idle or _within(total, float(r.lower[k]), float(r.upper[k]))


def _piecewise_holds(model: Model, v: list[Fraction]) -> Iterator[bool]:
    rectifiers, maxima, products, clauses = model.rectifiers, model.maxima, model.products, model.clauses
    for y, a in zip(rectifiers.output.tolist(), rectifiers.input.tolist(), strict=True):
        yield v[y] == max(v[a], Fraction(0))
    for k, y in enumerate(maxima.output.tolist()):
        yield v[y] == max(v[a] for a in maxima.candidates[maxima.starts[k] : maxima.starts[k + 1]].tolist())
    triples = (products.product.tolist(), products.factor.tolist(), products.switch.tolist())
    for q, p, switch in zip(*triples, strict=True):
        yield v[q] == v[p] * v[switch]
    for k, condition in enumerate(clauses.condition.tolist()):
        literals = clauses.literals[clauses.starts[k] : clauses.starts[k + 1]].tolist()
        yield v[condition] == 0 or any(v[w] == 1 for w in literals)
