"""What the names of a solution say about an attack, and whether they fit the query.

`p_i` and `d_i_j_k` say it all (1-based: attack, point, coordinate; names that a file leaves out are zero).
`l_c_i_j`, where present, say which members attack i claims to fool at point j.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from ensc.compiler.diagnostics import reject
from ensc.compiler.quoting import listed, shown
from ensc.compiler.types.problem import EnsembleProblem
from ensc.compiler.types.solution import Solution

Number = float | Fraction

_NAME = re.compile(r"p_(N)|d_(N)_(N)_(N)|l_(N)_(N)_(N)".replace("N", r"\d{1,999}"), re.ASCII)
_LARGEST = 1e300


@dataclass(frozen=True, slots=True)
class Reading:
    """An attack as a solver wrote it, 0-based.

    Attributes:
        attacks: how many deterministic attacks it has.
        perturbations: `(attack, point)` to the coordinates that the solution names.
        claims: `(attack, point)` to the members claimed to be fooled; None if the solution names no losses.
    """

    attacks: int
    perturbations: Mapping[tuple[int, int], Mapping[int, Number]]
    claims: Mapping[tuple[int, int], frozenset[int]] | None


def holds_attack(solution: Solution) -> bool:
    """Return whether a solution has a probability and is thus worth decoding."""
    return any(re.fullmatch(r"p_\d+", name) for name in solution.values)


def read_names(problem: EnsembleProblem, solution: Solution) -> Reading:
    """Read the attack off a solution's names.

    Raises:
        Rejected: E1101 if it has no probabilities, E1102 if an index is not in the query, E1103 if a
            value is no usable number.
    """
    if not holds_attack(solution):
        reject(
            "E1101",
            "the solution has no probabilities `p_1`, `p_2`, ...",
            notes=(f"it names {listed(sorted(solution.values), most=5) or 'nothing'}",),
            help="give the solution of a file that `ensc compile` wrote for this query, with its names",
        )
    attacks = 0
    perturbations: dict[tuple[int, int], dict[int, Number]] = {}
    claims: dict[tuple[int, int], set[int]] | None = None
    for name, kind, indices, value in _meaningful(solution):
        _require_known(problem, name, kind, indices)
        _require_number(name, value)
        match kind, indices:
            case "p", (i,):
                attacks = max(attacks, i + 1)
            case "d", (i, j, k):
                attacks = max(attacks, i + 1)
                perturbations.setdefault((i, j), {})[k] = value
            case _, (c, i, j):
                claims = {} if claims is None else claims
                if value >= 0.5:
                    claims.setdefault((i, j), set()).add(c)
    frozen = None if claims is None else {key: frozenset(members) for key, members in claims.items()}
    return Reading(attacks, perturbations, frozen)


def _meaningful(solution: Solution) -> Iterator[tuple[str, str, tuple[int, ...], Number]]:
    """Yield the names that mean something here: name, kind, 0-based indices, value."""
    for name, value in solution.values.items():
        if found := _NAME.fullmatch(name):
            yield name, name[0], tuple(int(g) - 1 for g in found.groups() if g is not None), value


def _require_known(problem: EnsembleProblem, name: str, kind: str, indices: tuple[int, ...]) -> None:
    members, points = len(problem.ensemble), len(problem.points)
    attacks = problem.threat.count
    axes = {
        "p": ((attacks, "attacks"),),
        "d": ((attacks, "attacks"), (points, "points"), (problem.inputs, "coordinates")),
        "l": ((members, "members"), (attacks, "attacks"), (points, "points")),
    }
    for (limit, axis), index in zip(axes[kind], indices, strict=True):
        if not 0 <= index < limit:
            reject(
                "E1102",
                f"the solution names `{shown(name)}`, but the query has {limit} {axis}",
                notes=("names count from 1: attack i in `p_i`, point j in `d_i_j_k`, member c in `l_c_i_j`",),
                help="decode with the query, `-D` and `--network` options that the file was compiled with",
            )


def _require_number(name: str, value: Number) -> None:
    if isinstance(value, Fraction):
        usable = abs(value) <= Fraction(_LARGEST)
    else:
        usable = math.isfinite(value) and abs(value) <= _LARGEST
    if not usable:
        read = "a rational beyond 1e300" if isinstance(value, Fraction) else str(value)
        reject(
            "E1103",
            f"the solution's `{shown(name)}` is not a usable number",
            notes=(f"read: {read}",),
            help="let the solver write its solution again; numbers like this come from an unsolved model",
        )
