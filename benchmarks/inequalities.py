"""What rows and orders of columns beyond `-O1` are worth to CBC and HiGHS: the same files, in one run.

    pip install -e '.[solve,bench]'
    python benchmarks/inequalities.py       Markdown tables; --json FILE, --seeds 3, --cap 30, --only NAME ...

The joint questions of `joint.py` (three members, four points, two and three attacks, L1) are written as `-O1`
has them, *plain*, and with more rows that every best attack satisfies:

* *triangle*: `h <= u (a - l) / (u - l)` for every rectifier. It follows from the big-M rows: `-l / (u - l)`
  times `h <= u z` and `u / (u - l)` times `h <= a - l (1 - z)` add up to it, so the linear relaxation is the
  same and the rows can only cost.
* *exclusions*: `sum of l <= |s| - 1` and `sum of q <= (|s| - 1) p` for sets of members that bounds under the
  demand that all of them are fooled refute at a point (`asserted_scopes`).
* *implications*: `l_a <= l_b` where bounds refute that a perturbation fools a and not b.
* *phases*: `l <= z` and `l <= 1 - z` for rectifiers, of any member at that point, that have only one phase
  where the member of `l` is fooled; `w` in the place of `l` where that class wins.
* *value*: `sum_c w_c sum_ij q_c_i_j <= U` with the value U and the defender's weights w of the game over the
  sets of members that are not refuted.
* *still*: `sum_k |d_k| <= epsilon sum_c l`: where no loss is claimed the point stays where it is.
* *unordered*: without `p_1 >= p_2 >= ...`;
* *binaries*: without the pass `fooled`, which takes phases from claimed losses (fewer rows, for once).

and with the same rows and other columns first: *neurons* has the columns of a neuron (`a`, `h`, `z`) side by
side, copy after copy, *integers* all integers first.
"""

import argparse
import dataclasses
import importlib
import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ensc.compiler.passes.bounds.asserted_bounds import Demand, asserted_bounds
from ensc.compiler.passes.bounds.rounding import down
from ensc.compiler.passes.draft import capped, demanded, lowered, merged, relaxed
from ensc.compiler.passes.lowering.assemble import Assembler, concatenate_rows
from ensc.compiler.passes.scopes.asserted_scopes import asserted_scopes
from ensc.compiler.passes.scopes.scope import scope_at
from ensc.compiler.pipeline import Compiled, Options, compile_problem, linearized
from ensc.compiler.types.model import Model
from ensc.compiler.types.network import Relu
from ensc.runner.exact.game import solve_game

joint: Any = importlib.import_module("joint")  # the script beside this one; no package holds them

Group = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A compiled question.

    Attributes:
        compiled: at `-O1`.
        columns: of its linear model, by name.
        refuted: at each point the smallest sets of members that bounds refute, beyond single ones.
    """

    compiled: Compiled
    columns: dict[str, int]
    refuted: tuple[tuple[Group, ...], ...]

    @property
    def attacks(self) -> range:
        """The attacks, 1-based."""
        return range(1, self.compiled.attacks + 1)

    def here(self, point: int) -> list[tuple[int, Any]]:
        """Return the members that may be fooled at a point, with their scopes there."""
        found = ((c, scope_at(scope, point)) for c, scope in enumerate(self.compiled.scopes))
        return [(c, scope) for c, scope in found if scope is not None]

    def points(self) -> range:
        """The points, 0-based."""
        return range(len(self.compiled.problem.points))


def case(compiled: Compiled) -> Case:
    """Return what the variants are made from."""
    names = compiled.linear.variables.names()
    bare = Case(compiled, {name: k for k, name in enumerate(names)}, ())
    return dataclasses.replace(bare, refuted=tuple(_refuted(bare, j) for j in bare.points()))


def _refuted(case: Case, point: int) -> tuple[Group, ...]:
    here, found = case.here(point), []
    compiled = case.compiled
    at = compiled.sets.at(slice(point, point + 1))
    for size in range(1, len(here) + 1):
        for chosen in itertools.combinations(here, size):
            group = tuple(c for c, _ in chosen)
            if any(set(smaller) <= set(group) for smaller in found):
                continue
            if asserted_scopes(compiled.problem, at, chosen) is None:
                found.append(group)
    return tuple(found)


# rows ------------------------------------------------------------------------------------------------


def _with_rows(case: Case, add: Callable[[Assembler], None]) -> Model:
    to = Assembler()
    add(to)
    model = case.compiled.linear
    return dataclasses.replace(model, rows=concatenate_rows([model.rows, *to.row_blocks]))


def _row(to: Assembler, columns: list[int], signs: list[float], upper: float, meaning: str) -> None:
    to.rows(np.array(columns), np.array(signs), -np.inf, upper, meaning)


def triangle(case: Case) -> Model:
    """Add the upper side of every rectifier's convex hull."""
    model, bounds = case.compiled.model, case.compiled.linear.variables

    def add(to: Assembler) -> None:
        a, h = model.rectifiers.input, model.rectifiers.output
        lower, upper = bounds.lower[a], bounds.upper[a]
        slope = np.nextafter(upper / (upper - lower), np.inf)
        signs = np.stack([np.ones(len(a)), -slope], axis=-1)
        to.rows(np.stack([h, a], axis=-1), signs, -np.inf, np.nextafter(-slope * lower, np.inf), "triangle")

    return _with_rows(case, add)


def exclusions(case: Case) -> Model:
    """Add that refuted sets of members are not fooled together."""

    def add(to: Assembler) -> None:
        for j, groups in enumerate(case.refuted):
            for group, i in itertools.product(groups, case.attacks):
                most = float(len(group) - 1)
                losses = [case.columns[f"l_{c + 1}_{i}_{j + 1}"] for c in group]
                shares = [case.columns[f"q_{c + 1}_{i}_{j + 1}"] for c in group]
                _row(to, losses, [1.0] * len(group), most, "not together")
                _row(to, [*shares, case.columns[f"p_{i}"]], [1.0] * len(group) + [-most], 0.0, "times p")

    return _with_rows(case, add)


def implications(case: Case) -> Model:
    """Add that whoever fools one member fools another."""

    def add(to: Assembler) -> None:
        for j in case.points():
            for first, second in itertools.permutations(case.here(j), 2):
                if _implies(case, j, first, second):
                    for i in case.attacks:
                        pair = [case.columns[f"l_{c + 1}_{i}_{j + 1}"] for c, _ in (first, second)]
                        _row(to, pair, [1.0, -1.0], 0.0, "l <= l")

    return _with_rows(case, add)


def _implies(case: Case, point: int, first: tuple[int, Any], second: tuple[int, Any]) -> bool:
    """Return whether bounds refute that some rival wins with the first member and none with the second."""
    problem = case.compiled.problem
    (a, scope), (b, other) = first, second
    classes, label = problem.classes, int(problem.points.labels[point])
    won = np.zeros((len(scope.pairs), 1, classes))
    won[np.arange(len(scope.pairs)), 0, scope.pairs.winner] = 1.0
    won[:, :, label] = -1.0
    kept = np.delete(-np.eye(classes), label, axis=0)
    kept[:, label] = 1.0
    safe = np.broadcast_to(kept, (len(won), *kept.shape))
    every = np.zeros(len(won), dtype=np.int64)
    sets = case.compiled.sets.at(slice(point, point + 1)).at(every)
    networks = [problem.ensemble[c].network for c in (a, b)]
    bounds = [s.plan.bounds.at(every) for s in (scope, other)]
    least = np.full(won.shape[:2], down(problem.loss.margin))
    demands = [Demand(won, least), Demand(safe, np.full(safe.shape[:2], least[0, 0]))]
    return not len(asserted_bounds(networks, sets, bounds, demands).alive)


def phases(case: Case) -> Model:
    """Add which phase a claimed loss leaves to rectifiers."""

    def add(to: Assembler) -> None:
        for j in case.points():
            here = case.here(j)
            for c, scope in here:
                for name, bounds in _under(case, j, c, scope, here):
                    if bounds is None:
                        for i in case.attacks:
                            _row(to, [case.columns[name % i]], [1.0], 0.0, "refuted")
                    for d, bound in bounds or ():
                        _add_phases(to, case, name, d, j, bound)

    return _with_rows(case, add)


def _under(case: Case, j: int, c: int, scope: Any, here: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """Yield the switch of every way to fool a member at a point, with the bounds of all members under it."""
    problem = case.compiled.problem
    winners, label = scope.pairs.winner, int(problem.points.labels[j])
    every = np.zeros(len(winners), dtype=np.int64)
    sets = case.compiled.sets.at(slice(j, j + 1)).at(every)
    networks = [problem.ensemble[d].network for d, _ in here]
    bounds = [s.plan.bounds.at(every) for _, s in here]
    demands = []
    for d, _ in here:
        form = np.zeros((len(winners), 1, problem.classes))
        if d == c:
            form[np.arange(len(winners)), 0, winners] = 1.0
            form[:, 0, label] = -1.0
        demands.append(
            Demand(form, np.full((len(winners), 1), down(problem.loss.margin) if d == c else -1.0))
        )
    found = asserted_bounds(networks, sets, bounds, demands)
    for k, winner in enumerate(winners.tolist()):
        name = f"w_{c + 1}_%d_{j + 1}_{winner + 1}" if len(winners) > 1 else f"l_{c + 1}_%d_{j + 1}"
        place = np.flatnonzero(found.alive == k)
        if len(place):
            yield name, [(d, b.at(place)) for (d, _), b in zip(here, found.bounds, strict=True)]
        else:
            yield name, None


def _add_phases(to: Assembler, case: Case, name: str, d: int, j: int, bounds: Any) -> None:  # noqa: ANN401
    network = case.compiled.problem.ensemble[d].network
    for number, layer in enumerate(network.layers, start=1):
        if not isinstance(layer, Relu):
            continue
        values = bounds.values[layer.source]
        for active, units in ((True, values.lower[0] >= 0), (False, values.upper[0] <= 0)):
            for n, i in itertools.product(np.flatnonzero(units).tolist(), case.attacks):
                z = case.columns.get(f"z_{d + 1}_{i}_{j + 1}_{number}_{n + 1}")
                if z is not None:
                    sign, most = (-1.0, 0.0) if active else (1.0, 1.0)
                    _row(to, [case.columns[name % i], z], [1.0, sign], most, "phase")


def value(case: Case) -> Model:
    """Add the defender's bound by the game over what is not refuted."""
    problem = case.compiled.problem
    members = range(len(problem.ensemble))
    payoffs = {(0,) * len(members)}
    for j in case.points():
        alive = [c for c, _ in case.here(j)]
        sets = [s for n in range(len(alive) + 1) for s in itertools.combinations(alive, n)]
        open_ = [s for s in sets if not any(set(g) <= set(s) for g in case.refuted[j])]
        gains = [tuple(int(c in s) for c in members) for s in open_]
        payoffs = {tuple(map(sum, zip(have, gain, strict=True))) for have in payoffs for gain in gains}
    game = solve_game(sorted(payoffs))
    scale = float(np.lcm.reduce([w.denominator for w in game.defender] + [game.value.denominator]))

    def add(to: Assembler) -> None:
        terms = [
            (k, float(w * int(scale)))
            for c, w in enumerate(game.defender)
            for name, k in case.columns.items()
            if w and name.startswith(f"q_{c + 1}_")
        ]
        if terms:
            columns, signs = zip(*terms, strict=True)
            _row(to, list(columns), list(signs), float(game.value * int(scale)), "the game's value")

    return _with_rows(case, add)


def still(case: Case) -> Model:
    """Add that points stay where nobody is fooled."""
    radius = case.compiled.problem.threat.radius
    inputs = range(1, case.compiled.problem.inputs + 1)

    def add(to: Assembler) -> None:
        for j, i in itertools.product(case.points(), case.attacks):
            s = [case.columns.get(f"s_{i}_{j + 1}_{k}", -1) for k in inputs]
            if s[0] >= 0:
                losses = [case.columns[f"l_{c + 1}_{i}_{j + 1}"] for c, _ in case.here(j)]
                signs = [float(radius.denominator)] * len(s) + [-float(radius.numerator)] * len(losses)
                _row(to, [*s, *losses], signs, 0.0, "still")

    return _with_rows(case, add)


def unordered(case: Case) -> Model:
    """Drop the order of the attacks: the rows are there, and say nothing."""
    rows = case.compiled.linear.rows
    free = np.concatenate([np.full(g.size, g.meaning.startswith("p_1 >= p_2")) for g in rows.groups])
    return dataclasses.replace(
        case.compiled.linear, rows=dataclasses.replace(rows, lower=np.where(free, -np.inf, rows.lower))
    )


def binaries(case: Case) -> Model:
    """Compile without the pass `fooled`: every open rectifier keeps its binary."""
    draft, _ = relaxed(case.compiled.problem, case.compiled.sets)
    for run in (capped, demanded, merged):
        draft, _ = run(draft)
    return linearized(lowered(draft), Options(1))


# columns ---------------------------------------------------------------------------------------------


def neurons(names: list[str]) -> list[str]:
    """Order columns copy after copy, what belongs to a neuron side by side."""
    return sorted(names, key=_neuron)


def _neuron(name: str) -> tuple[int, tuple[int, ...], str]:
    prefix, *numbers = name.split("_")
    place = tuple(map(int, numbers))
    if prefix in {"d", "x", "s"}:
        return 1, place, prefix
    if prefix in {"a", "h", "z"}:
        member, attack, point, layer, unit = place
        return 2, (member, attack, point, (layer + (prefix == "a")) // 2, unit), prefix
    return (3 if prefix in {"l", "w", "g", "q"} else 0), place, prefix


def integers(names: list[str]) -> list[str]:
    """Order integral columns first."""
    return sorted(names, key=lambda name: name.split("_")[0] not in {"l", "w", "z", "y"})


def reordered(path: Path, order: Callable[[list[str]], list[str]]) -> None:
    """Rewrite an MPS file with its columns in another order, markers around every run of integers."""
    text = path.read_text(encoding="ascii")
    head, rest = text.split("COLUMNS\n")
    body, tail = rest.split("RHS\n", 1)
    entries: dict[str, list[str]] = {}
    integral, kinds = False, {}
    for line in body.splitlines():
        if "'MARKER'" in line:
            integral = "INTORG" in line
            continue
        name = line.split()[0]
        entries.setdefault(name, []).append(line)
        kinds[name] = integral
    lines = []
    for kind, run in itertools.groupby(order(list(entries)), key=lambda name: kinds[name]):
        marked = [line for name in run for line in entries[name]]
        ends = [f" MARKER 'MARKER' '{end}'" for end in ("INTORG", "INTEND")]
        lines += [ends[0], *marked, ends[1]] if kind else marked
    path.write_text(f"{head}COLUMNS\n" + "\n".join(lines) + f"\nRHS\n{tail}", encoding="ascii")


# measuring -------------------------------------------------------------------------------------------

ROWS = {
    "plain": lambda case: case.compiled.linear,
    **{
        f.__name__: f for f in (triangle, exclusions, implications, phases, value, still, unordered, binaries)
    },
}
ORDERS = {"neurons": neurons, "integers": integers}

QUESTIONS = (*joint.QUESTIONS[:-1],)


def answers(folder: Path, asked: argparse.Namespace) -> Iterator[Any]:
    """Ask both solvers the file of every variant every question."""
    for question in QUESTIONS:
        compiled = compile_problem(joint.load(folder, question), Options(1))
        known = case(compiled)
        print(f"{question}: refuted {known.refuted}", file=sys.stderr)
        for variant in asked.only:
            begin = time.process_time()
            model = ROWS.get(variant, ROWS["plain"])(known)
            spent = time.process_time() - begin
            path = joint.written(folder, model)
            if variant in ORDERS:
                reordered(path, ORDERS[variant])
            yield from joint.asked_of(path, model, asked, str(question), variant, spent)


def main() -> None:
    """Read the arguments, measure, print tables and write JSON."""
    parser = joint.arguments(__doc__.split("\n")[0], seeds=2, cap=30.0, solvers=["CBC", "HiGHS"])
    parser.add_argument("--only", nargs="+", choices=[*ROWS, *ORDERS], default=[*ROWS, *ORDERS])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        joint.prepare(Path(place))
        joint.tell(list(answers(Path(place), asked)), asked)


if __name__ == "__main__":
    main()
