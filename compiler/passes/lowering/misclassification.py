"""One point, several members -> Model: is there a perturbation that fools all of them together?

The joint misclassification query `J(j, s)`: one attacked input that the members in s share, a copy of each,
and each one's loss asserted. No probabilities, no products, no copies for each attack. Names drop the
indices that there is no choice of: `d_k`, `x_k`, `a_c_L_n`, `h_c_L_n`, `z_c_L_n`, `w_c_m`, `g_c_m_y`; `r` is
the norm of the perturbation where the smallest one is sought.
"""

from collections.abc import Sequence

import numpy as np

from ensc.compiler.passes.bounds.rounding import up
from ensc.compiler.passes.lowering.assemble import Assembler
from ensc.compiler.passes.lowering.attacked_inputs import Places, add_attacked_inputs
from ensc.compiler.passes.lowering.losses import add_margins
from ensc.compiler.passes.lowering.network_rows import Copies
from ensc.compiler.passes.scopes.scope import Scope
from ensc.compiler.types.bounds import InputSets
from ensc.compiler.types.model import Indices, Labels, Model, Objective, feasibility
from ensc.compiler.types.problem import EnsembleProblem, Targeted


def lower_misclassification(
    problem: EnsembleProblem,
    sets: InputSets,
    scopes: Sequence[tuple[int, Scope]],
    *,
    point: int,
    smallest: bool = False,
) -> Model:
    """Encode the query for one point.

    Args:
        problem: the query the point and the members are from.
        sets: the input sets of all its points.
        scopes: the members to be fooled, each with its scope at the point (`scope.scope_at`).
        point: which point, 0-based.
        smallest: whether to seek the smallest perturbation instead of any.
    """
    to = Assembler()
    size = int(to.variables(Labels("r", ()), 0.0, up(problem.threat.radius))) if smallest else None
    x = add_attacked_inputs(to, problem, sets, Places(np.array([point]), ()), lean=True, size=size)
    for member, scope in scopes:
        switches = _switches(to, problem, member, scope)
        name = problem.ensemble[member].name
        copies = Copies((np.array([[member + 1]]),), (), scope.plan, f"member {member + 1} ({name})")
        add_margins(to, problem, member, scope, copies, x, switches)
    objective = feasibility() if size is None else Objective("minimize", np.array([size]), np.ones(1))
    return to.model("misclassification", objective)


def _switches(to: Assembler, problem: EnsembleProblem, member: int, scope: Scope) -> Indices | None:
    """Return which rival wins, `w_1 + w_2 + ... >= 1`, shape (1, pairs); None where all have to win."""
    if isinstance(problem.loss, Targeted) or len(scope.pairs) == 1:
        return None
    labels = Labels("w", (np.array([[member + 1]]), scope.pairs.winner + 1))
    wins = to.variables(labels, 0.0, 1.0, integer=True)
    to.rows(wins, 1.0, 1.0, np.inf, "some rival wins")
    return wins
