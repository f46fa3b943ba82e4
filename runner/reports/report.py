"""A result as data: the JSON object of `ensc solve --json`, and arrays.

The object is described by `result.schema.json` beside this module, which has a version: a change that
breaks its readers gets a new one.
"""

import io
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np

from ensc.compiler.passes.notes import goal_text
from ensc.compiler.types.problem import EnsembleProblem, MaximizeTotal, MinimizeRadius
from ensc.compiler.types.solution import Attack, Certificate, Game, PointPatterns, Step, Verdict
from ensc.formats.files import write_file
from ensc.runner.exact.replay import Agreement
from ensc.runner.verdicts.result import Result

SCHEMA = "ensc-result-2"

Json = dict[str, object]


def result_json(result: Result, defender: tuple[Fraction, ...] | None = None) -> Json:
    """Return a result as an object for `json.dumps`; it satisfies `result.schema.json`.

    Args:
        result: the answered query.
        defender: optimal weights of the members, where the strategy finds them.
    """
    problem, verdict = result.problem, result.verdict
    return {
        "schema": SCHEMA,
        "query": problem.name,
        "digest": problem.digest,
        "goal": goal_text(problem.goal),
        "quantity": quantity(problem),
        "count": problem.threat.count,
        "members": [member.name for member in problem.ensemble],
        "verdict": verdict.word.value,
        **_numbers(verdict, reached=verdict.upper if quantity(problem) == "radius" else verdict.lower),
        "certified": is_certified(verdict),
        "attack": _attack(problem, verdict),
        "defender": _defender(verdict, defender),
        "patterns": None if verdict.game is None else [_patterns(problem, p) for p in verdict.game.points],
        "questions": None if verdict.game is None else _questions(verdict.game),
        "profile": [_step(step) for step in verdict.profile] or None,
        "proof": [{"solver": p.solver, "tolerance": p.tolerance, "claim": p.claim} for p in verdict.proofs],
        "reasons": list(verdict.reasons),
        "float32": _agreement(result.agreement),
        "seconds": {**result.seconds, "total": sum(result.seconds.values())},
    }


def save_attack(path: str | Path, result: Result) -> None:
    """Write the attack as a `.npz` file of float64 arrays, without the exactness of the JSON object.

    `probabilities` (attacks,), `perturbations` and `attacked` (attacks, points, inputs), `points`
    (points, inputs), `labels` (points,), `losses` (attacks, points, members), `value` ().

    Raises:
        Rejected: E1020 if the file cannot be written.
    """
    attack, certificate = result.verdict.attack, result.verdict.certificate
    assert attack is not None
    assert certificate is not None
    points = result.problem.points
    perturbations = attack.approximate()
    text = io.BytesIO()
    np.savez_compressed(
        text,
        probabilities=np.array([float(p) for p in attack.probabilities]),
        perturbations=perturbations,
        attacked=points.nearest[None] + perturbations,
        points=points.nearest,
        labels=points.labels,
        losses=np.array(certificate.losses),
        value=np.array(float(certificate.value)),
    )
    write_file(path, [text.getvalue()])


def is_certified(verdict: Verdict) -> bool:
    """Return whether the verdict comes with an attack that was replayed exactly."""
    certificate = verdict.certificate
    return verdict.attack is not None and certificate is not None and certificate.admissible


def quantity(problem: EnsembleProblem) -> str:
    """Return what the numbers of a verdict are about: `value`, `total` or `radius`."""
    match problem.goal:
        case MaximizeTotal():
            return "total"
        case MinimizeRadius():
            return "radius"
        case _:
            return "value"


def exact_text(number: Fraction) -> str:
    """Return a rational as `7` or `5/8`, however long it is.

    Python refuses to print integers of many thousand digits; `Decimal` does not.
    """
    numerator = str(Decimal(number.numerator))
    return numerator if number.denominator == 1 else f"{numerator}/{Decimal(number.denominator)}"


def _numbers(verdict: Verdict, reached: Fraction) -> Json:
    """`value` is what the certified attack reaches: the optimum, if the verdict is `optimal`."""
    value = reached if is_certified(verdict) else None
    named = {"value": value, "lower": verdict.lower, "upper": verdict.upper}
    numbers: Json = {}
    for name, number in named.items():
        numbers[name] = None if number is None else exact_text(number)
        numbers[f"{name}_float"] = None if number is None else float(number)
    return numbers


def _attack(problem: EnsembleProblem, verdict: Verdict) -> Json | None:
    attack, certificate = verdict.attack, verdict.certificate
    if attack is None or certificate is None:
        return None
    return {
        "probabilities": [exact_text(p) for p in attack.probabilities],
        "probabilities_float": [float(p) for p in attack.probabilities],
        "perturbations": [[[exact_text(v) for v in d] for d in row] for row in attack.perturbations],
        "perturbations_float": attack.approximate().tolist(),
        **_replayed(problem, attack, certificate),
    }


def _replayed(problem: EnsembleProblem, attack: Attack, certificate: Certificate) -> Json:
    names = [member.name for member in problem.ensemble]
    points = range(len(problem.points))
    return {
        "norms": [[exact_text(n) for n in row] for row in certificate.norms],
        "fooled": [
            [fooled_names(certificate, names, i, j) for j in points] for i in range(len(attack.probabilities))
        ],
        "member_values": {
            name: exact_text(value) for name, value in zip(names, certificate.member_values, strict=True)
        },
        "value": exact_text(certificate.value),
        "total": exact_text(certificate.total),
    }


def fooled_names(certificate: Certificate, names: list[str], attack: int, point: int) -> list[str]:
    """Return the names of the members that an attack fools at a point."""
    at = certificate.losses[attack][point]
    return [name for name, fooled in zip(names, at, strict=True) if fooled]


def _step(step: Step) -> Json:
    """Numbers as exact text, under their names in `Step`."""
    return {name: exact_text(getattr(step, name)) for name in ("low", "high", "lower", "upper")}


def _defender(verdict: Verdict, given: tuple[Fraction, ...] | None) -> list[str] | None:
    found = given if given is not None or verdict.game is None else verdict.game.defender
    return None if found is None else [exact_text(w) for w in found]


_HOW = {"no perturbation": "rest", "gradient search": "search", "linear relaxation": "bounds"}
"""What needs no solver, by its name; every other name is that of a solver."""


def _questions(game: Game) -> Json:
    return {
        "points": len(game.points),
        "asked": game.asked,
        "recalled": game.recalled,
        "open": sum(len(known.open) for known in game.points),
    }


def _patterns(problem: EnsembleProblem, known: PointPatterns) -> Json:
    """Name the sets of members that can, cannot and may be fooled together at one point."""
    members = [member.name for member in problem.ensemble]

    def named(chosen: tuple[int, ...]) -> list[str]:
        return [members[c] for c in chosen]

    return {
        "feasible": [
            {"members": named(f.members), "by": f.by, "how": _HOW.get(f.by, "solver"), "recalled": f.recalled}
            for f in known.feasible
        ],
        "infeasible": [
            {
                "members": named(s.members),
                "by": s.proof.solver,
                "how": _HOW.get(s.proof.solver, "solver"),
                "tolerance": s.proof.tolerance,
                "recalled": s.recalled,
            }
            for s in known.infeasible
        ],
        "open": [named(chosen) for chosen in known.open],
    }


def _agreement(agreement: Agreement | None) -> Json | None:
    if agreement is None:
        return None
    return {
        "summary": agreement.summary,
        "compared": agreement.compared,
        "differences": [
            {
                "attack": d.attack + 1,
                "point": d.point + 1,
                "member": d.member + 1,
                "exact": d.exact,
                "margin": d.margin,
            }
            for d in agreement.differences
        ],
    }
