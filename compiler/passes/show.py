"""Model -> text for people: what `--emit model` prints, and what the tests of lowerings compare."""

from collections.abc import Iterator

import numpy as np

from ensc.compiler.types.model import Floats, Indices, Model, Rows


def model_text(model: Model) -> str:
    """Return a model as text, one line a variable and a constraint, in their order."""
    names = np.array(model.variables.names(), dtype=object)
    sections = [
        ("", [_objective(model, names)]),
        ("variables", _variables(model, names)),
        ("rows", _rows(model, names)),
        ("rectifiers", _rectifiers(model, names)),
        ("maxima", _maxima(model, names)),
        ("products", _products(model, names)),
        ("clauses", _clauses(model, names)),
    ]
    lines: list[str] = []
    for title, body in sections:
        content = list(body)
        if content and title:
            lines.append(title)
        lines.extend(f"  {line}" if title else line for line in content)
    return "\n".join(lines) + "\n"


def number(value: float) -> str:
    """Return the shortest text of a float64: `3`, `0.5`, `-inf`."""
    text = repr(float(value))
    return text.removesuffix(".0") if value else "0"


def _sum(names: Indices, columns: Indices, coefficients: Floats) -> str:
    terms = [_term(c, names[v]) for v, c in zip(columns.tolist(), coefficients.tolist(), strict=True)]
    return " ".join(terms).removeprefix("+ ") if terms else "0"


def _term(coefficient: float, name: object) -> str:
    sign = "-" if coefficient < 0 else "+"
    size = abs(coefficient)
    return f"{sign} {name}" if size == 1 else f"{sign} {number(size)} {name}"


def _objective(model: Model, names: Indices) -> str:
    objective = model.objective
    if not len(objective.columns):
        return "find a feasible point"
    return f"{objective.sense} {_sum(names, objective.columns, objective.coefficients)}"


def _variables(model: Model, names: Indices) -> Iterator[str]:
    variables = model.variables
    for v, name in enumerate(names):
        lower, upper = number(variables.lower[v]), number(variables.upper[v])
        yield f"{name} in [{lower}, {upper}]" + (" integer" if variables.integer[v] else "")


def _rows(model: Model, names: Indices) -> Iterator[str]:
    rows = model.rows
    for r in range(len(rows)):
        part = slice(int(rows.starts[r]), int(rows.starts[r + 1]))
        text = _sides(rows, r, _sum(names, rows.columns[part], rows.coefficients[part]))
        if rows.indicator[r] >= 0:
            text = f"{names[rows.indicator[r]]} = {int(rows.active[r])} implies {text}"
        yield text


def _sides(rows: Rows, row: int, text: str) -> str:
    lower, upper = float(rows.lower[row]), float(rows.upper[row])
    if lower == upper:
        return f"{text} = {number(lower)}"
    left = f"{number(lower)} <= " if np.isfinite(lower) else ""
    right = f" <= {number(upper)}" if np.isfinite(upper) else ""
    return f"{text} >= {number(lower)}" if left and not right else f"{left}{text}{right}"


def _rectifiers(model: Model, names: Indices) -> Iterator[str]:
    phases = [name for run in model.rectifiers.labels for name in run.names()]
    pairs = zip(model.rectifiers.output, model.rectifiers.input, phases, strict=True)
    return (f"{names[y]} = max(0, {names[a]}) phase {z}" for y, a, z in pairs)


def _maxima(model: Model, names: Indices) -> Iterator[str]:
    maxima = model.maxima
    for k, y in enumerate(maxima.output):
        candidates = maxima.candidates[maxima.starts[k] : maxima.starts[k + 1]]
        yield f"{names[y]} = max({', '.join(names[candidates])})"


def _products(model: Model, names: Indices) -> Iterator[str]:
    products = model.products
    triples = zip(products.product, products.factor, products.switch, strict=True)
    return (f"{names[q]} = {names[p]} * {names[s]}" for q, p, s in triples)


def _clauses(model: Model, names: Indices) -> Iterator[str]:
    clauses = model.clauses
    for k, condition in enumerate(clauses.condition):
        literals = clauses.literals[clauses.starts[k] : clauses.starts[k + 1]]
        yield f"{names[condition]} implies {' or '.join(names[literals])}"
