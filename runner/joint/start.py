"""The best attack that a quick search finds, as a point from which a MILP solver starts.

For each point of the data the search by gradients of the split strategy, for all points the exact game over
what it finds; the attack is certified exactly. The point has a value for every column of the model file:
probabilities, perturbations and losses are the attack's, all else follows (`completion`).
"""

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from ensc.compiler.diagnostics import reject
from ensc.compiler.passes.networks.evaluate import evaluate
from ensc.compiler.passes.scopes.duplicates import first_of_kind
from ensc.compiler.pipeline import Compiled
from ensc.compiler.quoting import alternatives, number, shown
from ensc.compiler.types.model import Floats, Indices, Labels, Model
from ensc.compiler.types.problem import Check, EnsembleProblem, MaximizeTotal, MaximizeValue
from ensc.compiler.types.solution import Attack, Certificate
from ensc.formats import write_file
from ensc.formats.mipstart import SUFFIXES, StartForm, write_start
from ensc.runner.exact.certify import certify
from ensc.runner.joint.completion import complete, violation
from ensc.runner.split.answer import is_attackable, survey
from ensc.runner.split.board import Board, half
from ensc.runner.split.rebuild import rebuilt

AT_ONCE = 32
"""Points searched together; the search holds some arrays of all their inputs and restarts."""

TOLERANCE = 1e-9
"""What a solver's own tolerances leave far behind."""


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """A point of a model.

    Attributes:
        attack: what it stands for.
        certificate: the exact replay of the attack.
        values: of every variable of the linear model.
        objective: what they reach, in the sense of the file, which minimises.
    """

    attack: Attack
    certificate: Certificate
    values: Floats
    objective: float

    def told(self) -> str:
        """Say in words what it is."""
        return f"a start of value {number(self.certificate.value)}, replayed exactly"


def start_of(compiled: Compiled) -> Start:
    """Return where a solver of a compiled problem may start.

    Raises:
        Rejected: E1070 if the search finds no attack that the model admits, E1071 if the model has variables
            that an attack does not determine.
    """
    problem = compiled.problem
    attack = _best_attack(problem, compiled.attacks)
    certificate = certify(problem, attack)
    _require_value(problem, certificate.value)
    values = _values(compiled, attack, certificate)
    objective = compiled.linear.objective
    sign = 1.0 if objective.sense == "minimize" else -1.0
    reached = objective.constant + float(values[objective.columns] @ objective.coefficients)
    return Start(attack, certificate, values, sign * reached)


def _best_attack(problem: EnsembleProblem, attacks: int) -> Attack:
    """Return the best mixture of so many attacks over the patterns that a search finds."""
    points = range(len(problem.points))
    if not all(is_attackable(problem, j) for j in points):
        reject("E1070", "a point is so far outside the domain that there is no attack to start from")
    first = first_of_kind(problem.points)  # points that are the same get the same perturbations
    distinct, kind = np.unique(first, return_inverse=True)
    chunks = [distinct[i : i + AT_ONCE].tolist() for i in range(0, len(distinct), AT_ONCE)]
    found = [knowledge for chunk in chunks for knowledge in survey(problem, chunk)]
    known = tuple(found[place] for place in kind.tolist())
    limited = dataclasses.replace(problem, threat=dataclasses.replace(problem.threat, count=attacks))
    feasible = tuple(knowledge.feasible for knowledge in known)
    best = half(limited, feasible)
    if best.mix is None:  # no mixture has the value that the total is to come with
        best = half(dataclasses.replace(limited, goal=MaximizeValue()), feasible)
    attack = rebuilt(Board(known), best, feasible)
    assert attack is not None, "some mixture has the largest value"
    return attack


def _require_value(problem: EnsembleProblem, value: Fraction) -> None:
    match problem.goal:
        case Check(alpha) | MaximizeTotal(Fraction() as alpha) if value < alpha:
            reject(
                "E1070",
                f"the best attack found has value {number(value)}, and the model asks for {number(alpha)} or "
                "more",
                notes=("that a quick search finds none does not mean that there is none",),
                help="compile without `--mipstart`, or `maximize value` instead",
            )
        case _:
            pass


def _values(compiled: Compiled, attack: Attack, certificate: Certificate) -> Floats:
    model, linear = compiled.model, compiled.linear
    values = complete(model, linear, _chosen(compiled, attack, certificate))
    if np.isnan(values).any():
        first = linear.variables.names()[int(np.argmax(np.isnan(values)))]
        reject(
            "E1071",
            f"no start is known for a model with variables like `{first}`",
            notes=("an attack does not determine the choices of trees, and of points solved at -O3",),
            help="compile at -O1 or -O2 an ensemble without trees, or leave out `--mipstart`",
        )
    inside: Floats = np.clip(values, linear.variables.lower, linear.variables.upper)
    wrong = violation(linear, inside)
    assert wrong <= TOLERANCE, f"a certified attack violates its model by {wrong}"
    return inside


@dataclass(frozen=True, slots=True, eq=False)
class _Play:
    """An attack as arrays, for as many deterministic attacks as the model has, by descending probability.

    Attributes:
        problem: for the networks.
        probabilities: shape (attacks,).
        deltas: shape (attacks, points, inputs).
        losses: shape (attacks, points, members).
        value: the attack's.
    """

    problem: EnsembleProblem
    probabilities: Floats
    deltas: Floats
    losses: Floats
    value: float


def _played(compiled: Compiled, attack: Attack, certificate: Certificate) -> _Play:
    order = sorted(range(len(attack.probabilities)), key=lambda i: -attack.probabilities[i])
    idle = compiled.attacks - len(order)
    chosen = [*order, *order[:1] * idle]
    p = np.array([float(attack.probabilities[i]) for i in order] + [0.0] * idle)
    deltas, losses = attack.approximate()[chosen], np.array(certificate.losses, dtype=np.float64)[chosen]
    return _Play(compiled.problem, p, deltas, losses, float(certificate.value))


def _chosen(compiled: Compiled, attack: Attack, certificate: Certificate) -> Floats:
    """Return the values of what an attacker chooses, nan for the rest."""
    play = _played(compiled, attack, certificate)
    known = [_run(play, run) if isinstance(run, Labels) else None for run in compiled.model.variables.labels]
    sizes = [run.size for run in compiled.model.variables.labels]
    parts = [np.full(n, np.nan) if v is None else v.ravel() for v, n in zip(known, sizes, strict=True)]
    return np.concatenate(parts)


def _run(play: _Play, run: Labels) -> Floats | None:
    """Return the values of a run of variables, None if they follow from others."""
    places: tuple[Indices, ...] = tuple(axis - 1 for axis in np.broadcast_arrays(*run.axes))
    match run.prefix, places:
        case "p", (i,):
            return _at(play.probabilities, i)
        case "d", (i, j, k):
            return _at(play.deltas, i, j, k)
        case "s", (i, j, k):
            return np.fabs(_at(play.deltas, i, j, k))
        case "b", (i, j, k):
            return np.where(_at(play.deltas, i, j, k) == 0, 0.0, 1.0)
        case "l", (c, i, j):
            return _at(play.losses, i, j, c)
        case "w", (c, i, j, m):
            return _wins(play, int(c.flat[0]), i, j, m)
        case "t", ():
            return np.array([play.value])
        case _:
            return None


def _at(array: Floats, *places: Indices) -> Floats:
    return np.asarray(array[places], dtype=np.float64)


def _wins(play: _Play, member: int, i: Indices, j: Indices, m: Indices) -> Floats:
    """Return 1 for the strongest of the rivals that a model has, where the member is fooled."""
    network, x = play.problem.ensemble[member].network, play.problem.points.nearest + play.deltas
    logits = evaluate(network, x.reshape(-1, x.shape[-1])).reshape(*x.shape[:2], -1)
    score = _at(logits, i, j, m)
    best = np.full(x.shape[:2], -np.inf)
    np.maximum.at(best, (i, j), score)
    return np.where(score == _at(best, i, j), _at(play.losses[..., member], i, j), 0.0)


def start_form(path: Path, asked: StartForm | None) -> StartForm:
    """Return the layout of a start file, by its suffix unless it is asked for.

    Raises:
        Rejected: E1072 if the suffix stands for none.
    """
    suffix = Path(path.name.removesuffix(".gz")).suffix
    if asked is None and suffix not in SUFFIXES:
        reject(
            "E1072",
            f"the suffix of `{shown(path.name)}` does not say which solver is to read the start",
            help=f"write to a file that ends in {alternatives(tuple(SUFFIXES))}, or say `--mipstart-format`",
        )
    return asked or SUFFIXES[suffix]


@dataclass(frozen=True, slots=True)
class StartFile:
    """Where a start is to be written.

    Attributes:
        path: of the file; in a sweep `sweep_paths` names one for each problem.
        form: its layout.
    """

    path: Path
    form: StartForm


def write_start_file(linear: Model, start: Start, path: Path, form: StartForm) -> None:
    """Write a start.

    Raises:
        Rejected: E1020 if the file cannot be written.
    """
    names = linear.variables.names()
    write_file(path, write_start(linear.name, names, start.values, start.objective, form))
