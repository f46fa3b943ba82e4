"""The page for a reader without ensc: the question, the answer, and what every file is."""

from fractions import Fraction
from importlib import resources
from importlib.metadata import version
from string import Template
from textwrap import fill
from typing import assert_never

from ensc.compiler.passes.notes import goal_text
from ensc.compiler.quoting import counted
from ensc.compiler.types.problem import (
    Check,
    Domain,
    EnsembleProblem,
    MaximizeTotal,
    MaximizeValue,
    MinimizeRadius,
    Norm,
    ProfileValue,
    Targeted,
)
from ensc.runner.archive.expected import Established
from ensc.runner.archive.manifest import MANIFEST, QUERY, README, SUMS, Record
from ensc.runner.archive.outputs import MILP, SMT, VNN, Z3

WIDTH = 100
_LAID_OUT = ("#", "|", "* ", "    ")

_NORMS = {
    Norm.L1: "L1 (the sum of the absolute values)",
    Norm.LINF: "L-infinity (the largest absolute value)",
    Norm.L0: "L0 (the number of coordinates changed)",
}


def readme_text(
    problem: EnsembleProblem, record: Record, notes: tuple[str, ...], files: tuple[str, ...]
) -> bytes:
    """Return the text of the page.

    Args:
        problem: the query.
        record: its parameters, and what is known of the answer.
        notes: what could not be written, or was rounded.
        files: paths of all other files.
    """
    template = Template(resources.files(__package__).joinpath("reader.md").read_text(encoding="utf-8"))
    threat, known = problem.threat, record.known
    values = {
        "name": problem.name,
        "version": version("ensc-compiler"),
        "members": counted(len(problem.ensemble), "network").capitalize(),
        "inputs": str(problem.inputs),
        "classes": str(problem.classes),
        "networks": ", ".join(f"`{m.name}` ({m.file})" for m in problem.ensemble),
        "points": str(len(problem.points)),
        "points_counted": counted(len(problem.points), "labelled point"),
        "radius": str(threat.radius),
        "norm": _NORMS[threat.norm],
        "domain": _domain(threat.domain),
        "attacks": counted(threat.count, "deterministic attack"),
        "loss": _loss(problem),
        "question": _question(problem),
        "reading": _reading(problem),
        "parameters": "\n".join(f"| {_cell(k)} | {_cell(v)} |" for k, v in record.parameters.items())
        or "| none | |",
        "answer": _answer(known),
        "source": known.source,
        "details": "\n".join(f"* {_line(line)}" for line in known.details),
        "origin": _line(problem.meta["source"]),
        "license": _line(problem.meta["license"]),
        "files": "\n".join(f"| `{_cell(name)}` | {_what(name, problem)} |" for name in _listed(files)),
        "notes": "".join(f"* {_line(note)}\n" for note in notes),
        "denominator": str(problem.points.denominator),
    }
    return _wrapped(template.substitute(values)).encode("utf-8")


def _wrapped(text: str) -> str:
    """Break the lines of paragraphs; headings, tables, lists and formulas stay as they are."""
    blocks = (block.strip("\n") for block in text.split("\n\n"))
    return (
        "\n\n".join(block if block.startswith(_LAID_OUT) else _filled(block) for block in blocks if block)
        + "\n"
    )


def _filled(block: str) -> str:
    return fill(" ".join(block.split()), WIDTH, break_long_words=False, break_on_hyphens=False)


def _listed(files: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted((*files, MANIFEST, README, SUMS)))


def _what(name: str, problem: EnsembleProblem) -> str:
    """Say what a file is."""
    words: tuple[tuple[bool, str], ...] = (
        (name == MANIFEST, "what is here, byte for byte, and what is known of the answer"),
        (name == SUMS, "checksums of every other file"),
        (name == README, "this page"),
        (name.startswith(f"{QUERY}/") and name.endswith(".rq"), "the question in ensc's language"),
        (name.startswith(f"{QUERY}/") and name.endswith(".onnx"), "a member"),
        (name.startswith(f"{QUERY}/") and name.endswith(".npz"), "the labelled points"),
        (name.startswith(f"{QUERY}/"), "weights of a member"),
        (name == f"{MILP}/{problem.name}-O0.mps", "the paper's encoding as printed, for any MILP solver"),
        (name.endswith(".mps"), "the same question after optimization (`-O1`), for any MILP solver"),
        (name.endswith(".lp"), "that model in CPLEX-LP"),
        (name.startswith(f"{SMT}/"), "an SMT-LIB 2.6 script in QF_LRA, exact, for any SMT solver"),
        (name.startswith(f"{Z3}/"), "an exact script for z3's optimizer"),
        (name.startswith(f"{VNN}/") and name.endswith(".csv"), "list of the instances, as in VNN-COMP"),
        (name.startswith(f"{VNN}/") and name.endswith(".onnx"), "what properties are about"),
        (name.endswith(".vnnlib"), "can one perturbation of one point fool all its members?"),
    )
    return next((text for holds, text in words if holds), "")


def _domain(domain: Domain) -> str:
    bounds = [f"at least {domain.lower}"] * (domain.lower is not None)
    bounds += [f"at most {domain.upper}"] * (domain.upper is not None)
    inside = f", such that every coordinate of the attacked input is {' and '.join(bounds)}"
    return inside if bounds else ""


def _loss(problem: EnsembleProblem) -> str:
    loss = problem.loss
    if isinstance(loss, Targeted):
        return (
            f"A member is *fooled* (its loss is 1, otherwise 0) if class {loss.label}, counted from 0, "
            f"scores higher than every other class by {loss.margin} or more."
        )
    more = f", plus {loss.margin}" if loss.margin != Fraction(0) else ", so ties count"
    return (
        "A member is *fooled* (its loss is 1, otherwise 0) if a class other than the true one scores at "
        f"least as high as the true one{more}."
    )


def _question(problem: EnsembleProblem) -> str:
    match problem.goal:
        case Check(alpha):
            return (
                f"The question: is value(A) < {alpha} for every such attack A? Then the ensemble is "
                f"*robust*; an attack with value(A) >= {alpha} shows that it is not."
            )
        case MaximizeValue():
            return "The question: what is the largest value(A) of such an attack A?"
        case MaximizeTotal(alpha):
            limit = "" if alpha is None else f" among those with value(A) >= {alpha}"
            return f"The question: what is the largest *total*, the sum over all members and points{limit}?"
        case MinimizeRadius() | ProfileValue():
            return f"The question: {goal_text(problem.goal)}."
        case _:
            assert_never(problem.goal)


def _reading(problem: EnsembleProblem) -> str:
    if not isinstance(problem.goal, Check):
        return "The optimum of each model file is the answer."
    few = problem.threat.count < problem.enough_attacks
    robust = f"robust against mixtures of {counted(problem.threat.count, 'attack')}" if few else "robust"
    return (
        "Each file in `milp/` and `smtlib/` is feasible (`sat`) if there is an attack that reaches the "
        f"bound, and infeasible (`unsat`) if the ensemble is {robust}. A property in `vnncomp/` is about one "
        "point and all members at once: `unsat` for every one of them says that no single perturbation of a "
        "point fools them all, which alone decides nothing about mixtures."
    )


def _answer(known: Established) -> str:
    match known.answer, known.count:
        case "robust", _:
            return "Robust"
        case "robust_up_to", count:
            return f"Robust against mixtures of {counted(count or 1, 'attack')}"
        case "not_robust", _:
            return "Not robust"
        case answer, _:
            return _line(answer)


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")
