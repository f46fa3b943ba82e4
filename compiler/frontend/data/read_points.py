"""Reading points written in the query: `points([[0, 1/2], [1, 0]], labels = [0, 1])`.

Their numbers are exact rationals, as all numbers of the language are. They are held over one common
denominator where one below 2**53 serves them all; else they are rounded to float64, with a warning.
"""

import math
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from ensc.compiler.diagnostics import Diagnostic, Label, Span, reject
from ensc.compiler.frontend.data.raw import (
    LARGEST_EXACT,
    RawPoints,
    Selection,
    check_amount,
)
from ensc.compiler.frontend.query.arguments import Arguments
from ensc.compiler.frontend.query.expressions import Environment, integer
from ensc.compiler.frontend.query.expressions import number as evaluate_number
from ensc.compiler.quoting import counted
from ensc.compiler.quoting import shape as shape_text
from ensc.compiler.types.network import Floats
from ensc.compiler.types.syntax import Expression, List, Range

Item: TypeAlias = Expression | Range | List


def read_points(arguments: Arguments, selection: Selection) -> RawPoints:
    """Read the chosen ones of the points in a query.

    Raises:
        Rejected: the lists are ragged, hold other than numbers, or differ in length.
    """
    arguments.required("points", "points([[0, 1], [1, 0]], labels = [0, 1])")
    arguments.required("labels", "labels = [0, 1]")
    points, labels = arguments.listing("points"), arguments.listing("labels")
    assert points is not None  # required above, as labels are
    assert labels is not None
    shape = _shape(points)
    if len(shape) < 2:
        reject("E0713", "each point must be a list of numbers", points.span, "a list of lists")
    if len(labels.items) != len(points.items):
        message = f"{counted(len(points.items), 'point')}, but {counted(len(labels.items), 'label')}"
        reject("E0705", message, labels.span)
    rows = selection.rows.choose(len(points.items), "the list of points")
    check_amount(len(rows), math.prod(shape[1:]), "the list of points", points.span)
    chosen = [_flat(points.items[row], arguments.environment) for row in rows.tolist()]
    scaled = [[value * selection.scale for value in point] for point in chosen]
    numerators, denominator, rounded = _common(scaled)
    classes = [_label(item, arguments.environment) for item in labels.items]
    return RawPoints(
        numerators.reshape(len(rows), *shape[1:]),
        denominator,
        np.array(classes, np.int64)[rows] - selection.label_base,
        rows,
        remarks=(_rounding(points.span),) if rounded else (),
        scale=selection.scale,
        label_base=selection.label_base,
    )


def _shape(item: Item) -> tuple[int, ...]:
    """Return the lengths of nested lists, outermost first."""
    if not isinstance(item, List):
        return ()
    if not item.items:
        reject("E0710", "no points", item.span, "this list is empty")
    shapes = [_shape(inner) for inner in item.items]
    for inner, shape in zip(item.items, shapes, strict=True):
        if shape != shapes[0]:
            found = f"shape {shape_text(shape)}, but the first has {shape_text(shapes[0])}"
            reject("E0713", "these lists differ in length", inner.span, found)
    return (len(item.items), *shapes[0])


def _flat(item: Item, environment: Environment) -> list[Fraction]:
    match item:
        case List():
            return [number for inner in item.items for number in _flat(inner, environment)]
        case Range():
            reject("E0212", "a coordinate is one number", item.span, "this is a range")
        case _:
            return [evaluate_number(item, environment, "a coordinate")]


def _rounding(place: Span) -> Diagnostic:
    message = "these points have no common denominator below 2**53, and are rounded to float64"
    return Diagnostic("W0701", message, Label(place, "every coordinate is the nearest float64"))


def _label(item: Item, environment: Environment) -> int:
    if isinstance(item, List | Range):
        reject("E0212", "a label is one number", item.span)
    label = integer(item, environment, "a label")
    if abs(label) > LARGEST_EXACT:
        reject("E0711", "a label is the number of a class", item.span, "this is far too large")
    return label


def _common(points: list[list[Fraction]]) -> tuple[Floats, int, bool]:
    """Return numerators and a common denominator; or the nearest float64, over 1, where there is none."""
    denominator = 1
    for value in {value for point in points for value in point}:
        denominator = math.lcm(denominator, value.denominator)
        if denominator > LARGEST_EXACT:
            return np.array([[float(v) for v in point] for point in points]), 1, True
    numerators = [[int(value * denominator) for value in point] for point in points]
    if any(int(float(n)) != n for point in numerators for n in point):
        return np.array([[float(v) for v in point] for point in points]), 1, True
    return np.array([[float(n) for n in point] for point in numerators]), denominator, False
