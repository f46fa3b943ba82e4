"""One number for everything an answer depends on, so that an answer can say what it answers."""

import hashlib
import json
from fractions import Fraction
from typing import assert_never

import numpy as np

from ensc.compiler.types.problem import (
    Check,
    Goal,
    Loss,
    MaximizeTotal,
    MaximizeValue,
    MinimizeRadius,
    PointSet,
    ProfileValue,
    Targeted,
    ThreatModel,
    Untargeted,
)

VERSION = 1
"""Changes whenever the description below does."""


def digest_of(
    networks: tuple[tuple[object, ...], ...],
    points: PointSet,
    threat: ThreatModel,
    loss: Loss,
    goal: Goal,
) -> str:
    """Return the SHA-256 of a problem, hexadecimal.

    It depends on the models, the points, the attacker, the loss and the goal, in the order the query
    gives them; not on the names of models, data files, members or parameters, nor on how numbers are
    written.

    Args:
        networks: for each member its file's SHA-256, the graph input and output chosen, if any, and then
            name and SHA-256 of each file of weights beside the model, where there are such files.
        points: the data set.
        threat: the attacker.
        loss: the loss.
        goal: the goal.
    """
    description = {
        "version": VERSION,
        "networks": networks,
        "points": _points(points),
        "norm": threat.norm.value,
        "radius": _text(threat.radius),
        "domain": [_text(threat.domain.lower), _text(threat.domain.upper)],
        "count": threat.count,
        "loss": _loss(loss),
        "goal": _goal(goal),
    }
    text = json.dumps(description, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _text(value: Fraction | None) -> str | None:
    return None if value is None else str(value)


def _points(points: PointSet) -> list[object]:
    numbers = hashlib.sha256(np.ascontiguousarray(points.numerators, "<f8").tobytes()).hexdigest()
    return [list(points.numerators.shape), numbers, points.denominator, points.labels.tolist()]


def _loss(loss: Loss) -> list[object]:
    match loss:
        case Untargeted():
            return ["untargeted", _text(loss.margin)]
        case Targeted():
            return ["targeted", loss.label, _text(loss.margin)]
        case _:
            assert_never(loss)


def _goal(goal: Goal) -> list[object]:
    match goal:
        case Check():
            return ["check", _text(goal.alpha)]
        case MaximizeValue():
            return ["maximize value"]
        case MaximizeTotal():
            return ["maximize total", _text(goal.alpha)]
        case MinimizeRadius():
            return ["minimize radius", _text(goal.alpha), _text(goal.lower), _text(goal.upper)]
        case ProfileValue():
            return ["profile", _text(goal.lower), _text(goal.upper)]
        case _:
            assert_never(goal)
