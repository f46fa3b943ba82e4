"""EnsembleProblem -> Instance: the joint misclassification query `J(j, s)` of one point and some members.

Some perturbation of the point fools all the chosen members together: an input set, the members that read
it, and a condition on their logits (Gross et al. 2020, Definition 4 for each of them).
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import assert_never

import numpy as np

from ensc.compiler.diagnostics import reject
from ensc.compiler.types.instance import All, Atom, Ball, Condition, Instance, Reader, Some
from ensc.compiler.types.problem import Domain, EnsembleProblem, Norm, Targeted, Untargeted


def misclassification_instance(problem: EnsembleProblem, point: int, members: Sequence[int]) -> Instance:
    """Return `J(j, s)` as an instance; networks are named `f1`, `f2`, ... by their place in the ensemble.

    Args:
        problem: the query.
        point: which point, 0-based.
        members: which members are to be fooled, 0-based, at least one.

    Raises:
        Rejected: E1050 for an L0 attack in an unbounded domain, which has no box.
    """
    x, threat = problem.points.exact(point), problem.threat
    lower, upper = _box(x, threat.norm, threat.radius, threat.domain)
    readers = tuple(
        Reader(f"f{c + 1}", problem.ensemble[c].network, np.arange(problem.inputs)) for c in members
    )
    starts = (problem.inputs + place * problem.classes for place in range(len(readers)))
    label = int(problem.points.labels[point])
    unsafe = All(tuple(fooled(problem, label, start) for start in starts))
    ball = None if threat.norm is Norm.LINF else Ball(x, threat.norm, threat.radius)
    numbers = "_".join(str(c + 1) for c in members)
    return Instance(f"point_{point + 1}_members_{numbers}", lower, upper, readers, unsafe, ball)


def fooled(problem: EnsembleProblem, label: int, start: int) -> Condition:
    """Return the condition under which the loss is 1 for logits whose first variable is `start`."""
    loss, classes = problem.loss, range(problem.classes)
    match loss:
        case Untargeted(margin):
            return Some(tuple(_beats(start + m, start + label, margin) for m in classes if m != label))
        case Targeted(target, margin):
            return All(tuple(_beats(start + target, start + m, margin) for m in classes if m != target))
        case _:
            assert_never(loss)


def _beats(winner: int, loser: int, margin: Fraction) -> Atom:
    one = Fraction(1)
    signs = (-one, one) if loser < winner else (one, -one)
    return Atom((min(winner, loser), max(winner, loser)), signs, margin)


def _box(
    x: tuple[Fraction, ...], norm: Norm, radius: Fraction, domain: Domain
) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
    if norm is Norm.L0 and radius >= 1:
        if domain.lower is None or domain.upper is None:
            reject(
                "E1050",
                "an L0 attack in an unbounded domain has no box of inputs",
                notes=("every instance has a lower and an upper bound for each input",),
                help="give the inputs a domain, for example `input domain [0, 1];`",
            )
        return (domain.lower,) * len(x), (domain.upper,) * len(x)
    reach = Fraction(0) if norm is Norm.L0 else radius
    lower = tuple(v - reach if domain.lower is None else max(v - reach, domain.lower) for v in x)
    upper = tuple(v + reach if domain.upper is None else min(v + reach, domain.upper) for v in x)
    return lower, upper
