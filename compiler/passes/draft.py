"""Draft -> Draft: everything that is decided about a model before it is lowered, one function a pass.

Each returns what it leaves to be said, and in words what it did. Each keeps the optimum of the problem, and
the answer to `check`, whatever it was given: the passes may be run in any order, or not at all.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np

from ensc.compiler.passes.bounds.interval import interval_bounds
from ensc.compiler.passes.bounds.relaxed_bounds import relaxed_bounds
from ensc.compiler.passes.lowering.joint import lower_joint
from ensc.compiler.passes.lowering.known_points import known_scopes
from ensc.compiler.passes.scopes.demanded import demanded_scopes, nothing_of
from ensc.compiler.passes.scopes.duplicates import Duplicates, duplicates
from ensc.compiler.passes.scopes.fooled import Fooled, fooled_scopes, settled
from ensc.compiler.passes.scopes.narrow import narrowed
from ensc.compiler.passes.scopes.scope import Scope, pruned_scope, whole_scope
from ensc.compiler.passes.tightening.dual_bounds import LpSolver
from ensc.compiler.passes.tightening.tighten import Gain, choices, tightened_scope
from ensc.compiler.quoting import counted
from ensc.compiler.types.bounds import InputSets
from ensc.compiler.types.facts import Facts
from ensc.compiler.types.model import Model
from ensc.compiler.types.network import MaxPool, Relu
from ensc.compiler.types.problem import Check, EnsembleProblem


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A problem on its way to a model.

    Attributes:
        problem: what is compiled.
        sets: the input sets of its points.
        attacks: the number of deterministic attacks.
        ordered: whether their probabilities descend.
        lean: whether the attacker's set leaves out variables that others can stand for.
        scopes: what is left to say about every member.
        facts: what is known of the points.
        same: which members and points are served by the copies of others.
        fooled: of every member, what holds where it is fooled.
    """

    problem: EnsembleProblem
    sets: InputSets
    attacks: int
    ordered: bool
    lean: bool
    scopes: tuple[Scope, ...]
    facts: Facts | None = None
    same: Duplicates | None = None
    fooled: tuple[Fooled, ...] = ()


def printed(problem: EnsembleProblem, sets: InputSets) -> tuple[Draft, str]:
    """Everything that the paper's encoding has (Gross et al. 2020, Eq. 4 to 8), with interval bounds.

    Assumes bounded input sets. Guarantees bounds that hold in real arithmetic, and nothing left out.
    """
    networks = [member.network for member in problem.ensemble]
    scopes = tuple(whole_scope(problem, n, interval_bounds(n, sets)) for n in networks)
    draft = Draft(problem, sets, problem.threat.count, ordered=False, lean=False, scopes=scopes)
    return draft, f"every copy, interval bounds; {left(draft)}"


def relaxed(problem: EnsembleProblem, sets: InputSets) -> tuple[Draft, str]:
    """What linear relaxation does not decide: see `relaxed_bounds`, `plan` and `scope`.

    Assumes bounded input sets. Guarantees bounds that hold in real arithmetic, and leaves out what these
    decide: units without a choice, classes that cannot win, members that cannot be fooled at a point.
    """
    networks = [member.network for member in problem.ensemble]
    scopes = tuple(pruned_scope(problem, n, sets, relaxed_bounds(n, sets)) for n in networks)
    draft = Draft(problem, sets, problem.threat.count, ordered=False, lean=True, scopes=scopes)
    return draft, f"linear relaxation over box and ball; {left(draft)}"


def capped(draft: Draft) -> tuple[Draft, str]:
    """No more attacks than are always enough, in the order of their probabilities.

    Guarantees the same optimum: a mixture of more attacks has an equal of so few (the loss vectors span a
    polytope whose best point lies on a face, and Carathéodory's theorem needs |C| vertices of it), and
    attacks may be renamed.
    """
    attacks = min(draft.attacks, draft.problem.enough_attacks)
    said = f"{counted(draft.attacks, 'attack')} asked for, {attacks} kept" + (", ordered" * (attacks > 1))
    return dataclasses.replace(draft, attacks=attacks, ordered=True), said


def demanded(draft: Draft) -> tuple[Draft, str]:
    """What the value 1 leaves open, if it is asked: see `demanded`.

    Assumes nothing. Guarantees the same answer: with one attack, the value 1 needs all losses.
    """
    if not _needs_all(draft):
        return draft, "not every member has to be fooled everywhere"
    scopes = demanded_scopes(draft.problem, draft.sets, draft.scopes)
    if scopes is None:
        draft = dataclasses.replace(draft, scopes=nothing_of(draft.scopes))
        return draft, "no perturbation fools every member at some point"
    tight = dataclasses.replace(draft, scopes=scopes)
    return tight, f"every member has to be fooled at every point; {left(tight)}"


def _needs_all(draft: Draft) -> bool:
    """Return whether the value 1 is asked with one attack: then it fools every member at every point."""
    goal = draft.problem.goal
    return isinstance(goal, Check) and goal.alpha >= 1 and draft.attacks == 1


def informed(draft: Draft, facts: Facts) -> tuple[Draft, str]:
    """What facts decide leaves the draft: networks at closed points, members excluded alone.

    Assumes facts that hold; see `known_points` for what is guaranteed.
    """
    scopes = known_scopes(draft.scopes, facts)
    known = dataclasses.replace(draft, scopes=scopes, facts=facts)
    groups = sum(len(point.excluded) for point in facts.points if point.patterns is None)
    closed = f"{len(facts.closed)} of {counted(len(facts.points), 'point')} solved"
    told = f"{closed}, {counted(groups, 'set')} of members excluded elsewhere"
    return known, f"{told}; {left(known)}"


def merged(draft: Draft) -> tuple[Draft, str]:
    """One copy of the networks for members, and for points, that are the same: see `duplicates`.

    Assumes nothing. Guarantees the same optimum; where there are fewer attacks than are always enough, points
    keep copies of their own, and so do points that facts decide.
    """
    found = duplicates(draft.problem)
    apart = np.arange(len(found.points))
    if draft.attacks < draft.problem.enough_attacks:
        found = dataclasses.replace(found, points=apart)
    elif draft.facts is not None:
        closed = np.isin(apart, draft.facts.closed)
        found = dataclasses.replace(
            found, points=np.where(closed | closed[found.points], apart, found.points)
        )
    members, points = found.counts
    if not members + points:
        return draft, "no two members or points are the same"
    scopes = tuple(
        narrowed(
            scope,
            (found.points == apart)[scope.points] & bool(found.members[c] == c),
            np.ones(len(scope.pairs), dtype=np.bool_),
        )
        for c, scope in enumerate(draft.scopes)
    )
    fewer = dataclasses.replace(draft, scopes=scopes, same=found)
    said = f"{counted(members, 'member')} and {counted(points, 'point')} are the same as others"
    return fewer, f"{said}; {left(fewer)}"


def fooled(draft: Draft) -> tuple[Draft, str]:
    """What is left of members where they are fooled, as nothing else of them matters: see `fooled`.

    Assumes nothing. Guarantees the same optimum: it leaves out losses that no attack inflicts, and rectifiers
    whose phase follows from a claimed loss lose their binaries.
    """
    if _needs_all(draft):
        return draft, "every member has to be fooled, as above"
    scopes, known = fooled_scopes(draft.problem, draft.sets, draft.scopes, draft.attacks)
    if not any(len(each.points) for each in known) and scopes == draft.scopes:
        return draft, "no copy is so large that a solver would gain by it"
    found = dataclasses.replace(draft, scopes=scopes, fooled=known)
    return found, f"bounds of members where they are fooled; {left(found)}"


def tightened(draft: Draft, solve: LpSolver) -> tuple[Draft, str]:
    """What linear programs decide leaves the draft: see `tighten`."""
    scopes: list[Scope] = []
    gain = Gain()
    for c, scope in enumerate(draft.scopes):
        if gain.late:
            scopes.append(scope)
            continue
        tight, more = tightened_scope(draft.problem, draft.sets, c, scope, solve)
        scopes.append(tight)
        gain += more
    result = dataclasses.replace(draft, scopes=tuple(scopes))
    return result, f"{_gained(draft, gain)}; {left(result)}"


def _gained(draft: Draft, gain: Gain) -> str:
    """Say what linear programs were worth; each unit is a binary less for each attack."""
    total = sum(len(scope.points) for scope in draft.scopes)
    cut = f" at {gain.places} of {total} pairs of member and point, then time was up" if gain.late else ""
    narrower = 100 * gain.shrunk / gain.width if gain.width else 0.0
    return (
        f"{counted(gain.solved, 'linear program')}{cut}: {gain.decided} of {gain.open} units became stable, "
        f"{gain.closed} of {gain.pairs} margins impossible, bounds of the others {narrower:.1f} % narrower"
    )


def lowered(draft: Draft) -> Model:
    """Return the piecewise-linear model of a draft."""
    model = lower_joint(
        draft.problem,
        draft.sets,
        draft.scopes,
        attacks=draft.attacks,
        ordered=draft.ordered,
        lean=draft.lean,
        facts=draft.facts,
        same=draft.same,
    )
    if not draft.fooled:
        return model
    return settled(model, [member.network for member in draft.problem.ensemble], draft.fooled)


def left(draft: Draft) -> str:
    """Say what a draft leaves open, for one attack."""
    pairs = zip(draft.problem.ensemble, draft.scopes, strict=True)
    points, members = len(draft.problem.points), len(draft.problem.ensemble)
    units = sum(
        layer.size
        for member in draft.problem.ensemble
        for layer in member.network.layers
        if isinstance(layer, (Relu, MaxPool))
    )
    open_ = sum(int(choices(member.network, scope).sum()) for member, scope in pairs)
    places = sum(len(scope.points) for scope in draft.scopes)
    return (
        f"{open_} of {units * points} units keep a choice, "
        f"{places} of {members * points} pairs of member and point keep a network"
    )
