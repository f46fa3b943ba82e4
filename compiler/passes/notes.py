"""What a file says about itself: the header lines of everything that is emitted.

The lines hold no date, path or machine: the same problem, options and version give the same bytes.
"""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import PurePosixPath
from typing import assert_never

from ensc.compiler.quoting import counted, shown
from ensc.compiler.types.facts import Facts
from ensc.compiler.types.model import Model, size_of
from ensc.compiler.types.network import Trees
from ensc.compiler.types.problem import (
    Check,
    EnsembleProblem,
    Expectation,
    ExpectedVerdict,
    Goal,
    MaximizeTotal,
    MaximizeValue,
    MinimizeRadius,
    ProfileValue,
    Targeted,
)

NAMES = (
    "names: p_i probability of attack i; d_i_j_k perturbation of coordinate k of point j;",
    "  x_i_j_k attacked input, s_i_j_k at least |d_i_j_k|, where d_i_j_k does not stand for them;",
    "  l_c_i_j 1 if member c is fooled;",
    "  q_c_i_j = p_i l_c_i_j; a_c_i_j_L_n, h_c_i_j_L_n neuron n of layer L; z_c_i_j_L_n its phase;",
    "  w_c_i_j_m 1 if class m wins; b_i_j_k 1 if coordinate k may change; t the value;",
    "  g_c_i_j_m_y margin of class m over y; u, k, n slacks and opposites of ordered sets;",
    "  o sum of the terms of a row that are too small for readers",
)


TREE_NAMES = (
    "  z_c_i_j_L_n 1 if leaf n of trees is reached; v_c_i_j_L_n 1 if their test n holds;",
    "  m_c_i_j_L_n 1 if an input is in interval n between the thresholds of its tests",
)
KNOWN_NAMES = ("  y_i_j_n 1 if attack i plays the n-th pattern known at point j; r_i_j_n = p_i y_i_j_n",)


def describe(
    problem: EnsembleProblem,
    model: Model,
    *,
    form: str,
    attacks: int,
    passes: Sequence[tuple[str, str]] = (),
    facts: Facts | None = None,
) -> tuple[str, ...]:
    """Return the header lines of a model that a problem was compiled to.

    Args:
        problem: what was compiled.
        model: what it became.
        form: optimization level and formulation.
        attacks: how many deterministic attacks the model holds.
        passes: what they are called, and what they did.
        facts: what was known of the points.
    """
    has_trees = any(
        isinstance(layer, Trees) for member in problem.ensemble for layer in member.network.layers
    )
    return (
        f"ensc {version('ensc-compiler')}, {form}, joint encoding (Gross et al. 2020, Eq. 4 to 8)",
        *describe_problem(problem),
        f"attacks in this file: {attacks}",
        *_reading(problem, attacks),
        *_resting(facts),
        *(f"pass {name}: {said}" for name, said in passes),
        _sizes(model),
        *NAMES,
        *(TREE_NAMES if has_trees else ()),
        *(() if facts is None else KNOWN_NAMES),
        *_row_index(model),
    )


def describe_problem(problem: EnsembleProblem) -> tuple[str, ...]:
    """Return what is asked, line by line."""
    return (
        f"query {problem.name}, sha256 of the resolved problem {problem.digest}",
        *_members(problem),
        _attacker(problem),
        f"points {len(problem.points)}, inputs {problem.inputs}, classes {problem.classes}",
        _loss(problem),
        f"goal: {goal_text(problem.goal)}",
        f"expected: {_expected(problem.expectation)}",
    )


def summary(problem: EnsembleProblem) -> str:
    """Return what is asked in one line."""
    threat = problem.threat
    return (
        f"{counted(len(problem.ensemble), 'member')}, {counted(len(problem.points), 'point')}, "
        f"{counted(problem.inputs, 'input')}, {counted(problem.classes, 'class', 'classes')}; "
        f"norm {threat.norm.value}, radius {threat.radius}, {counted(threat.count, 'attack')}; "
        f"{goal_text(problem.goal)}"
    )


def _members(problem: EnsembleProblem) -> list[str]:
    lines = []
    for c, member in enumerate(problem.ensemble, start=1):
        lines.append(f"member {c} {member.name}: {member.file}, sha256 {member.sha256}")
        lines += [
            f"member {c} {member.name}: weights in {shown(PurePosixPath(name).name)}, sha256 {sha256}"
            for name, sha256 in member.weights
        ]
    return lines


def _attacker(problem: EnsembleProblem) -> str:
    threat = problem.threat
    lower = "-inf" if threat.domain.lower is None else str(threat.domain.lower)
    upper = "inf" if threat.domain.upper is None else str(threat.domain.upper)
    asked = f"auto ({threat.count})" if threat.automatic else str(threat.count)
    return (
        f"attacker: norm {threat.norm.value}, radius {threat.radius}, domain [{lower}, {upper}], "
        f"attacks {asked}"
    )


def _loss(problem: EnsembleProblem) -> str:
    loss = problem.loss
    if isinstance(loss, Targeted):
        return f"loss: 1 if class {loss.label} wins by {loss.margin} or more"
    return f"loss: 1 if another class scores at least the true one's score plus {loss.margin}"


def goal_text(goal: Goal) -> str:
    """Return a goal in the words of the query language."""
    match goal:
        case Check(alpha):
            return f"check value < {alpha}"
        case MaximizeValue():
            return "maximize value"
        case MaximizeTotal(alpha):
            return "maximize total" + ("" if alpha is None else f" such that value >= {alpha}")
        case MinimizeRadius(parameter, alpha, lower, upper):
            return f"minimize {parameter} in [{lower}, {upper}] such that value >= {alpha}"
        case ProfileValue(parameter, lower, upper):
            return f"profile value over {parameter} in [{lower}, {upper}]"
        case _:
            assert_never(goal)


def _reading(problem: EnsembleProblem, attacks: int) -> list[str]:
    """Return how an answer of a solver is to be read."""
    if not isinstance(problem.goal, Check):
        return ["answer: the optimum, to be replayed in exact arithmetic"]
    enough = attacks >= problem.enough_attacks
    robust = "robust" if enough else f"robust against mixtures of {counted(attacks, 'attack')} only"
    return [
        "answer: a feasible point is an attack, to be replayed in exact arithmetic;",
        f"  infeasible means {robust}",
    ]


def _resting(facts: Facts | None) -> list[str]:
    """Return what the file rests on besides the query: claims that were made before it was compiled."""
    if facts is None:
        return []
    lines = [
        f"this file rests on {proof.solver}, feasibility tolerance {proof.tolerance:g}: {proof.claim}"
        for proof in facts.proofs
    ]
    if facts.answered:
        lines.append("  which decide what the query asks: points keep the patterns that matter to the answer")
    return lines


def _expected(expectation: Expectation | None) -> str:
    if expectation is None:
        return "unknown"
    if isinstance(expectation, ExpectedVerdict):
        count = "" if expectation.count is None else f"({expectation.count})"
        return expectation.verdict + count
    return f"{expectation.quantity} = {expectation.value} within {expectation.within}"


def _sizes(model: Model) -> str:
    size = size_of(model)
    return f"rows {size.rows}, columns {size.columns}, nonzeros {size.nonzeros}, integers {size.integers}"


def _row_index(model: Model) -> list[str]:
    lines, first = [], 1
    for group in model.rows.groups:
        if group.size:
            last = first + group.size - 1
            lines.append(f"rows r{first} to r{last}: {group.meaning}")
            first = last + 1
    return lines
