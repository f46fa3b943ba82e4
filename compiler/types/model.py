"""`Model`: the intermediate constraint form, between the problem and every file format.

Variables, linear rows, and the piecewise-linear constraints kept as such: rectifiers, maxima, products
with a binary, clauses, ordered sets, rows that hold only if a binary has a value. All of it is columnar:
numpy arrays over all constraints of a kind, never one Python object a constraint, because an ensemble
repeats the same weights for every attack and point.

Every number is a float64 that is meant exactly; lowerings scale a row by its denominators rather than
round. A *linear* model (after `passes/linear/linearize.py`) has no rectifiers, maxima, products or clauses
left.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Indices: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The names of a run of variables, `prefix_a_b_c`, made only when a file is written.

    Attributes:
        prefix: what the variables are, e.g. `h`.
        axes: index arrays that broadcast against each other; the run has one variable for each element
            of the broadcast, in C order.
    """

    prefix: str
    axes: tuple[Indices, ...]

    @property
    def size(self) -> int:
        """The number of variables named."""
        return int(np.prod(np.broadcast_shapes(*(a.shape for a in self.axes)), dtype=np.int64))

    def names(self) -> list[str]:
        """Return the names in order."""
        if self._is_mesh():
            names = [self.prefix]
            for axis in self.axes:
                ends = [f"_{index}" for index in axis.ravel().tolist()]
                names = [name + end for name in names for end in ends]
            return names
        columns = (a.ravel().tolist() for a in np.broadcast_arrays(*self.axes))
        pattern = self.prefix + "_%d" * len(self.axes)
        return [pattern % indices for indices in zip(*columns, strict=True)]

    def _is_mesh(self) -> bool:
        """Whether every axis varies along its own dimension alone, as those from `np.ix_` do."""
        return all(
            axis.ndim == len(self.axes) and axis.size == axis.shape[place]
            for place, axis in enumerate(self.axes)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """The names of a run of variables as a foreign file spells them."""

    texts: tuple[str, ...]

    @property
    def size(self) -> int:
        """The number of variables named."""
        return len(self.texts)

    def names(self) -> list[str]:
        """Return the names in order."""
        return list(self.texts)


@dataclass(frozen=True, slots=True, eq=False)
class Variables:
    """The columns.

    Attributes:
        lower: shape (variables,), may be -inf.
        upper: shape (variables,), may be inf.
        integer: shape (variables,), whether the variable is integral; all that lowerings make are
            binaries, with bounds 0 and 1.
        labels: the names, runs in the order of the variables.
    """

    lower: Floats
    upper: Floats
    integer: Flags
    labels: tuple[Labels | Names, ...]

    def __len__(self) -> int:
        return len(self.lower)

    def names(self) -> list[str]:
        """Return the names in order."""
        return [name for run in self.labels for name in run.names()]


@dataclass(frozen=True, slots=True)
class RowGroup:
    """A run of rows and what they say, for the reader of a file."""

    size: int
    meaning: str


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Linear constraints `lower <= sum coefficient * variable <= upper`, in CSR form.

    Attributes:
        starts: shape (rows + 1,), where each row begins in `columns` and `coefficients`.
        columns: shape (nonzeros,), distinct within a row.
        coefficients: shape (nonzeros,), none zero.
        lower: shape (rows,), may be -inf.
        upper: shape (rows,), may be inf; equal to lower for an equation.
        indicator: shape (rows,), the binary on which the row depends, -1 if it holds always.
        active: shape (rows,), the value of the indicator at which the row holds.
        groups: what the rows say, runs in their order.
        names: as a foreign file spells them; empty for rows that are simply numbered, `r1`, `r2`, ...
    """

    starts: Indices
    columns: Indices
    coefficients: Floats
    lower: Floats
    upper: Floats
    indicator: Indices
    active: Flags
    groups: tuple[RowGroup, ...]
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.lower)

    @property
    def nonzeros(self) -> int:
        """The number of coefficients."""
        return len(self.columns)

    def owners(self) -> Indices:
        """Return the row of each coefficient, shape (nonzeros,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))


@dataclass(frozen=True, slots=True, eq=False)
class Rectifiers:
    """`output = max(0, input)`.

    The last ones may be *settled*: a binary that is 1 implies their phase, and where it is 0, nothing depends
    on the output, so that a formulation may leave it free between `max(0, input)` and its bound.

    Attributes:
        output: variables, shape (rectifiers,).
        input: variables, shape (rectifiers,); their bounds become the big-M constants.
        labels: the names of the phases (1 where the input passes), should a formulation need them; no run
            names both settled rectifiers and others.
        switch: the binaries of the settled ones, shape (settled,).
        active: whether the input passes where the binary is 1, shape (settled,).
    """

    output: Indices
    input: Indices
    labels: tuple[Labels, ...]
    switch: Indices = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    active: Flags = field(default_factory=lambda: np.empty(0, dtype=np.bool_))

    def __len__(self) -> int:
        return len(self.output)

    def free(self) -> "Rectifiers":
        """Return those that are not settled."""
        count = len(self) - len(self.switch)
        sizes = np.cumsum([0, *(run.size for run in self.labels)])
        runs = tuple(run for run, before in zip(self.labels, sizes, strict=False) if before < count)
        return Rectifiers(self.output[:count], self.input[:count], runs)


@dataclass(frozen=True, slots=True, eq=False)
class Maxima:
    """`output = max(candidates)`.

    Attributes:
        output: variables, shape (maxima,).
        starts: shape (maxima + 1,), where the candidates of each begin.
        candidates: variables, shape (candidates in all,).
        labels: the names of the selectors, one for each candidate, should a formulation need them.
    """

    output: Indices
    starts: Indices
    candidates: Indices
    labels: tuple[Labels, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Products:
    """`product = factor * switch` with factor in [0, 1] and a binary switch.

    Attributes:
        product: variables, shape (products,).
        factor: variables, shape (products,).
        switch: binary variables, shape (products,).
    """

    product: Indices
    factor: Indices
    switch: Indices


@dataclass(frozen=True, slots=True, eq=False)
class Clauses:
    """`condition = 1 implies that one of the literals is 1`.

    Attributes:
        condition: binary variables, shape (clauses,).
        starts: shape (clauses + 1,), where the literals of each begin.
        literals: binary variables, shape (literals in all,).
    """

    condition: Indices
    starts: Indices
    literals: Indices


@dataclass(frozen=True, slots=True, eq=False)
class OrderedSets:
    """Special ordered sets of type 1: at most one variable of a set is not zero.

    Attributes:
        starts: shape (sets + 1,), where the members of each begin.
        members: variables, shape (members in all,), in the order of their weights 1, 2, ...
    """

    starts: Indices
    members: Indices


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """`sense constant + sum coefficient * variable`; no columns: any feasible point will do."""

    sense: Literal["minimize", "maximize"]
    columns: Indices
    coefficients: Floats
    constant: float = 0.0


def _indices(*values: int) -> Indices:
    return np.array(values, dtype=np.int64)


def no_rectifiers() -> Rectifiers:
    """Return the empty collection."""
    return Rectifiers(_indices(), _indices(), ())


def no_maxima() -> Maxima:
    """Return the empty collection."""
    return Maxima(_indices(), _indices(0), _indices(), ())


def no_products() -> Products:
    """Return the empty collection."""
    return Products(_indices(), _indices(), _indices())


def no_clauses() -> Clauses:
    """Return the empty collection."""
    return Clauses(_indices(), _indices(0), _indices())


def no_ordered_sets() -> OrderedSets:
    """Return the empty collection."""
    return OrderedSets(_indices(0), _indices())


def feasibility() -> Objective:
    """Return the objective of a question that any feasible point answers."""
    return Objective("minimize", _indices(), np.empty(0))


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A constraint problem.

    Attributes:
        name: a short identifier, `[A-Za-z_][A-Za-z0-9_]*`.
        variables: the columns.
        rows: the linear constraints.
        rectifiers: `y = max(0, a)`.
        maxima: `y = max(a_1, ..., a_n)`.
        products: `q = p * l`.
        clauses: `c implies l_1 or ... or l_n`.
        ordered_sets: at most one of `v_1, ..., v_n` is not zero.
        objective: what is sought.
        notes: lines for the header of a file: what was compiled, how, and how to read an answer.
    """

    name: str
    variables: Variables
    rows: Rows
    objective: Objective
    rectifiers: Rectifiers = field(default_factory=no_rectifiers)
    maxima: Maxima = field(default_factory=no_maxima)
    products: Products = field(default_factory=no_products)
    clauses: Clauses = field(default_factory=no_clauses)
    ordered_sets: OrderedSets = field(default_factory=no_ordered_sets)
    notes: tuple[str, ...] = ()

    @property
    def is_linear(self) -> bool:
        """Whether only linear rows are left (some perhaps with indicators), and ordered sets."""
        piecewise = (
            self.rectifiers.output,
            self.maxima.output,
            self.products.product,
            self.clauses.condition,
        )
        return not any(len(part) for part in piecewise)


@dataclass(frozen=True, slots=True)
class Size:
    """How large a model is."""

    rows: int
    columns: int
    nonzeros: int
    integers: int


def size_of(model: Model) -> Size:
    """Count rows, columns, nonzeros and integral columns."""
    variables = model.variables
    return Size(len(model.rows), len(variables), model.rows.nonzeros, int(variables.integer.sum()))
