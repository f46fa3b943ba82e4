"""Linear models made by hand and at random, and what two of them must have in common."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from ensc.compiler.types.model import Model, Names, Objective, OrderedSets, RowGroup, Rows, Variables
from ensc.formats.names import KEYWORDS

INF = float("inf")


@dataclass(frozen=True)
class Row:
    """`lower <= sum <= upper`, perhaps only if a binary has a value."""

    terms: Mapping[str, float]
    lower: float = -INF
    upper: float = INF
    indicator: str | None = None
    active: bool = True
    name: str | None = None


@dataclass(frozen=True)
class Column:
    """`lower <= x <= upper`."""

    lower: float = 0.0
    upper: float = INF
    integer: bool = False


@dataclass(frozen=True)
class Plain:
    """A linear model as Python values, which compare."""

    columns: Mapping[str, Column]
    rows: Sequence[Row] = field(default_factory=list)
    costs: Mapping[str, float] = field(default_factory=dict)
    sense: str = "minimize"
    constant: float = 0.0
    notes: tuple[str, ...] = ()
    name: str = "m"
    sets: Sequence[Sequence[str]] = field(default_factory=list)


def build(plain: Plain) -> Model:
    """Return the columnar model."""
    place = {name: i for i, name in enumerate(plain.columns)}
    columns, rows = list(plain.columns.values()), list(plain.rows)
    entries = [(place[name], value) for row in rows for name, value in row.terms.items()]
    named = any(row.name is not None for row in rows)
    return Model(
        name=plain.name,
        variables=Variables(
            np.array([c.lower for c in columns], dtype=float),
            np.array([c.upper for c in columns], dtype=float),
            np.array([c.integer for c in columns], dtype=bool),
            (Names(tuple(place)),),
        ),
        rows=Rows(
            starts=np.cumsum([0, *(len(row.terms) for row in rows)]),
            columns=np.array([column for column, _ in entries], dtype=np.int64),
            coefficients=np.array([value for _, value in entries], dtype=float),
            lower=np.array([row.lower for row in rows], dtype=float),
            upper=np.array([row.upper for row in rows], dtype=float),
            indicator=np.array([-1 if r.indicator is None else place[r.indicator] for r in rows], np.int64),
            active=np.array([row.active for row in rows], dtype=bool),
            groups=(RowGroup(len(rows), "rows"),),
            names=tuple(row.name or "" for row in rows) if named else (),
        ),
        objective=Objective(
            "maximize" if plain.sense == "maximize" else "minimize",
            np.array([place[name] for name in plain.costs], dtype=np.int64),
            np.array(list(plain.costs.values()), dtype=float),
            plain.constant,
        ),
        ordered_sets=OrderedSets(
            np.cumsum([0, *(len(members) for members in plain.sets)]),
            np.array([place[name] for members in plain.sets for name in members], dtype=np.int64),
        ),
        notes=plain.notes,
    )


def read_off(model: Model) -> Plain:
    """Return a columnar model as Python values; names of rows that are numbered are `r1`, `r2`, ..."""
    names, rows = model.variables.names(), model.rows
    variables, costs = model.variables, model.objective
    members = [names[i] for i in model.ordered_sets.members.tolist()]
    edges = model.ordered_sets.starts.tolist()
    return Plain(
        columns={
            name: Column(lower, upper, integer)
            for name, lower, upper, integer in zip(
                names,
                variables.lower.tolist(),
                variables.upper.tolist(),
                variables.integer.tolist(),
                strict=True,
            )
        },
        rows=[
            Row(
                {
                    names[rows.columns[k]]: float(rows.coefficients[k])
                    for k in range(rows.starts[i], rows.starts[i + 1])
                },
                float(rows.lower[i]),
                float(rows.upper[i]),
                names[rows.indicator[i]] if rows.indicator[i] >= 0 else None,
                bool(rows.active[i]),
                rows.names[i] if rows.names else f"r{i + 1}",
            )
            for i in range(len(rows))
        ],
        costs={names[i]: v for i, v in zip(costs.columns.tolist(), costs.coefficients.tolist(), strict=True)},
        sense=costs.sense,
        constant=costs.constant,
        notes=model.notes,
        name=model.name,
        sets=[members[a:b] for a, b in itertools.pairwise(edges)],
    )


numbers = st.one_of(
    st.integers(-20, 20).map(float),
    st.floats(1.1e-9, 9e14),
    st.floats(-9e14, -1.1e-9),
    st.floats(-4, 4, width=32).filter(lambda v: v == 0 or abs(v) > 1e-9),
)
coefficients = numbers.filter(lambda v: v != 0)
names = st.from_regex(r"\A[a-df-z_][a-z0-9_]{0,9}\Z").filter(lambda name: name not in KEYWORDS)


ends = st.one_of(numbers, st.floats(-1e-9, 1e-9))


@st.composite
def intervals(draw: st.DrawFn) -> tuple[float, float]:
    """Bounds of a column or a row: every form that a file can hold."""
    kind = draw(st.sampled_from(["free", "lower", "upper", "both", "fixed", "unit"]))
    if kind == "unit":
        return 0.0, 1.0
    one, other = sorted((draw(ends), draw(ends)))
    return {
        "free": (-INF, INF),
        "lower": (one, INF),
        "upper": (-INF, other),
        "both": (one, other),
        "fixed": (one, one),
    }[kind]


def _has_values(column: Column) -> bool:
    if not column.integer or math.isinf(column.lower) or math.isinf(column.upper):
        return True
    return math.ceil(column.lower) <= math.floor(column.upper)


columns_ = st.builds(
    lambda interval, integer: Column(interval[0], interval[1], integer), intervals(), st.booleans()
).filter(_has_values)


@st.composite
def plains(draw: st.DrawFn, *, extended: bool = False) -> Plain:
    """Random linear models; extended ones have indicator rows and ordered sets."""
    labels = draw(st.lists(names, min_size=0, max_size=6, unique=True))
    columns = {name: draw(columns_) for name in labels}
    if extended:
        columns["z"] = Column(0.0, 1.0, integer=True)
        labels = list(columns)

    def terms() -> dict[str, float]:
        chosen = draw(st.lists(st.sampled_from(labels), unique=True)) if labels else []
        return {name: draw(coefficients) for name in chosen}

    rows = []
    for _ in range(draw(st.integers(0, 5))):
        indicator = "z" if extended and draw(st.booleans()) else None
        active = draw(st.booleans()) if indicator else True
        rows.append(Row(terms(), *draw(intervals()), indicator=indicator, active=active))
    members = st.lists(st.sampled_from(labels or ["z"]), unique=True, min_size=1)
    sets = draw(st.lists(members, max_size=2)) if extended else []
    text = st.text(st.characters(codec="utf-8"), max_size=30)
    return Plain(
        columns,
        rows,
        terms(),
        draw(st.sampled_from(["minimize", "maximize"])),
        draw(numbers),
        tuple(draw(st.lists(text, max_size=2))),
        sets=sets,
    )
