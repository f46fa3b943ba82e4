"""When a member counts as fooled: one number for each loss, not negative iff the loss is 1."""

from collections.abc import Sequence
from fractions import Fraction
from typing import assert_never

import numpy as np

from ensc.compiler.types.network import Floats, Integers
from ensc.compiler.types.problem import Loss, Targeted, Untargeted


def exact_margin(loss: Loss, label: int, logits: Sequence[Fraction]) -> Fraction:
    """Return by how much the loss is 1, exactly: the loss is 1 iff this is at least 0.

    Untargeted: `max over m != y of f_m - f_y - margin`, so that a tie counts at margin 0
    (Gross et al. 2020, Definition 4). Targeted: `min over m != t of f_t - f_m - margin`.

    Args:
        loss: when a classifier counts as fooled.
        label: the true class y of the point.
        logits: shape (classes,), at least two.
    """
    match loss:
        case Untargeted(margin):
            return max(f for m, f in enumerate(logits) if m != label) - logits[label] - margin
        case Targeted(target, margin):
            return logits[target] - max(f for m, f in enumerate(logits) if m != target) - margin
        case _:
            assert_never(loss)


def margins(loss: Loss, labels: Integers, logits: Floats) -> tuple[Floats, Floats]:
    """Return `exact_margin` in float64 and its derivative by the logits.

    Args:
        loss: when a classifier counts as fooled.
        labels: the true classes, shape (rows,).
        logits: shape (rows, classes).

    Returns:
        The margins, shape (rows,), and one element of their generalised gradients, shape (rows, classes).
    """
    rows = np.arange(len(logits))
    match loss:
        case Untargeted(margin):
            own, sign = labels, -1.0
        case Targeted(target, margin):
            own, sign = np.full(len(logits), target), 1.0
        case _:
            assert_never(loss)
    rivals = logits.copy()
    rivals[rows, own] = -np.inf
    rival = rivals.argmax(axis=1)
    slope = np.zeros_like(logits)
    slope[rows, own] = sign
    slope[rows, rival] = -sign
    return sign * (logits[rows, own] - logits[rows, rival]) - float(margin), slope
