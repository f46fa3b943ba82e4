"""Instance -> Model: one copy of each network on shared inputs, and the condition with a binary a choice.

Strict inequalities become closed ones, which a linear program can hold: what has no solution then has no
counterexample, and a solution is a counterexample only after exact replay.

Names: `x_k` input; `a_r_L_n`, `h_r_L_n`, `z_r_L_n` neurons of network r as everywhere; `w_i` a choice of the
condition; `g_i` the left-hand side of an inequality; `s_k` at least the distance of input k from the
centre of an L1 ball, `b_k` whether it differs from the centre of an L0 ball; `c_r_k` an input read twice.
"""

import math
from dataclasses import dataclass, field
from fractions import Fraction
from importlib.metadata import version
from itertools import pairwise
from typing import assert_never

import numpy as np

from ensc.compiler.passes.bounds.rounding import down, is_float, up
from ensc.compiler.passes.instances.instance_bounds import Analysis, analyse
from ensc.compiler.passes.lowering.assemble import Assembler
from ensc.compiler.passes.lowering.network_rows import Copies, add_network
from ensc.compiler.passes.scopes.plan import full_plan, pruned_plan
from ensc.compiler.types.instance import All, Atom, Ball, Condition, Instance, Reader, Some, atoms
from ensc.compiler.types.model import Flags, Floats, Indices, Labels, Model, feasibility
from ensc.compiler.types.network import Trees
from ensc.compiler.types.problem import Norm

LARGEST_SCALE = 10**6
"""Denominators up to here are multiplied into the rows that hold a bound exactly; beyond, bounds of inputs
are rounded outward to float64, because solvers do not bear larger coefficients beside ones."""

ALWAYS = -1
"""The indicator of rows that hold in any case."""


def lower_instance(instance: Instance, *, level: int = 1) -> Model:
    """Encode an instance; a feasible point is a candidate for a counterexample.

    Args:
        instance: the instance.
        level: 0 keeps every neuron and uses interval arithmetic; 1 uses linear relaxation and leaves out
            what it decides.

    Returns:
        The model; where bounds alone show that there is no counterexample, one that says no more than
        `0 >= 1`.
    """
    return lower_analysed(instance, analyse(instance, relaxed=level > 0), level=level)


def lower_analysed(instance: Instance, known: Analysis, *, level: int = 1) -> Model:
    """Encode an instance of which the bounds are known already; as `lower_instance`."""
    to = _Lowering(Assembler(), instance, known)
    if known.is_refuted:
        columns = np.array([[to.assembler.zero()]])
        to.assembler.rows(columns, 1.0, 1.0, np.inf, "the bounds show that there is no counterexample")
        return to.assembler.model("instance", feasibility(), _notes(instance, level))
    _add_inputs(to)
    if instance.ball is not None:
        _add_ball(to, instance.ball)
    _add_networks(to, pruned=level > 0)
    for atom in known.constraints:
        to.demand(atom, ALWAYS)
    _demand(to, known.unsafe, ALWAYS)
    _add_demands(to)
    return to.assembler.model("instance", feasibility(), _notes(instance, level))


@dataclass(slots=True)
class _Lowering:
    """What a lowering has made so far.

    Attributes:
        assembler: where to.
        instance: what is lowered.
        known: its bounds.
        variables: the model's variable of each variable of the instance, ZERO for the constant 0.
        demands: atoms that hold if a binary is 1, in the order in which they occur.
        choices: the number of binaries that choose.
    """

    assembler: Assembler
    instance: Instance
    known: Analysis
    variables: Indices = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    demands: list[tuple[Atom, int]] = field(default_factory=list)
    choices: int = 0

    def demand(self, atom: Atom, indicator: int) -> None:
        self.demands.append((atom, indicator))


def _notes(instance: Instance, level: int) -> tuple[str, ...]:
    return (
        f"ensc {version('ensc-compiler')}, -O{level}, instance {instance.name}",
        f"inputs {instance.inputs}, networks {len(instance.readers)}: "
        + ", ".join(reader.name for reader in instance.readers),
        "answer: a feasible point is a candidate for a counterexample, to be replayed in exact arithmetic;",
        "  infeasible means that there is none",
        "names: x_k input; a_r_L_n, h_r_L_n neuron n of layer L of network r; z_r_L_n its phase;",
        "  w_i a choice; g_i the left-hand side of an inequality",
        *(
            _TREES
            if any(isinstance(layer, Trees) for r in instance.readers for layer in r.network.layers)
            else ()
        ),
    )


_TREES = (
    "  v_r_L_n whether test n of the trees in layer L of network r holds; m_r_L_n whether the input lies in",
    "  interval n between the thresholds of an entry; z_r_L_n whether leaf n is reached; h_r_L_n a sum of",
    "  leaves",
)


# inputs ----------------------------------------------------------------------------------------------


def _add_inputs(to: _Lowering) -> None:
    labels = Labels("x", (np.arange(1, to.instance.inputs + 1),))
    x = to.assembler.variables(labels, to.known.lower, to.known.upper)
    to.variables = x
    for sign, ends in ((1, to.instance.lower), (-1, to.instance.upper)):
        held = [k for k, v in enumerate(ends) if not is_float(v) and v.denominator <= LARGEST_SCALE]
        if held:
            scale = np.array([float(sign * ends[k].denominator) for k in held])[:, None]
            least = [float(sign * ends[k].numerator) for k in held]
            to.assembler.rows(x[held][:, None], scale, least, np.inf, "bounds of the inputs, exactly")


def _add_ball(to: _Lowering, ball: Ball) -> None:
    match ball.norm:
        case Norm.LINF:
            return  # the box says it
        case Norm.L1:
            _add_l1_ball(to, ball)
        case Norm.L0:
            _add_l0_ball(to, ball)
        case _:
            assert_never(ball.norm)


def _add_l1_ball(to: _Lowering, ball: Ball) -> None:
    """`s >= |x - centre|`, `sum s <= radius`."""
    x, numbers = to.variables, np.arange(1, to.instance.inputs + 1)
    s = to.assembler.variables(Labels("s", (numbers,)), 0.0, up(ball.radius))
    for sign in (1, -1):
        distances = [
            ({int(s[k]): Fraction(1), int(x[k]): Fraction(-sign)}, -sign * centre, ALWAYS)
            for k, centre in enumerate(ball.centre)
        ]
        _add_rows(to, distances, "s >= |x - centre|")
    total = dict.fromkeys(map(int, s), Fraction(-1))
    _add_rows(to, [(total, -ball.radius, ALWAYS)], "sum s <= radius")


def _add_l0_ball(to: _Lowering, ball: Ball) -> None:
    """`b = 0 implies x = centre`, `sum b <= radius`."""
    x, numbers = to.variables, np.arange(1, to.instance.inputs + 1)
    b = to.assembler.variables(Labels("b", (numbers,)), 0.0, 1.0, integer=True)
    low = np.array([down(v) for v in ball.centre])
    high = np.array([up(v) for v in ball.centre])
    meaning = "b = 0 implies x = centre"
    to.assembler.rows(x[:, None], 1.0, low, high, meaning, indicator=b, active=False)
    to.assembler.rows(b[None], 1.0, -np.inf, float(int(ball.radius)), "at most radius inputs change")


# networks --------------------------------------------------------------------------------------------


def _add_networks(to: _Lowering, *, pruned: bool) -> None:
    read = {v for atom in (*atoms(to.known.unsafe), *to.known.constraints) for v in atom.columns}
    parts = [to.variables]
    for number, (reader, (start, end)) in enumerate(
        zip(to.instance.readers, pairwise(to.instance.starts), strict=True)
    ):
        wanted = np.array([[v in read for v in range(start, end)]])
        parts.append(_outputs(to, number, reader, wanted, pruned=pruned))
    to.variables = np.concatenate(parts)


def _outputs(
    to: _Lowering,
    number: int,
    reader: Reader,
    wanted: Flags,
    *,
    pruned: bool,
) -> Indices:
    bounds = to.known.bounds[number]
    plan = pruned_plan(reader.network, bounds, wanted) if pruned else full_plan(reader.network, bounds)
    if not wanted.any():
        return np.full(reader.network.classes, -1, dtype=np.int64)
    title = f"network {number + 1} ({reader.name})"
    copies = Copies((np.array([[number + 1]]),), (), plan, title)
    inputs = _read(to, number, reader)[None, None]
    outputs: Indices = add_network(to.assembler, reader.network, copies, inputs)[-1][0, 0]
    return outputs


def _read(to: _Lowering, number: int, reader: Reader) -> Indices:
    """Return the variables a network reads; an input read again is copied, as a row names it only once."""
    columns = to.variables[reader.columns]
    first = np.unique(columns, return_index=True)[1]
    again = np.setdiff1d(np.arange(len(columns)), first)
    if not len(again):
        return columns
    chosen = reader.columns[again]
    labels = Labels("c", (np.array([number + 1]), again + 1))
    copies = to.assembler.variables(labels, to.known.lower[chosen], to.known.upper[chosen])
    pairs = np.stack([copies, columns[again]], axis=-1)
    to.assembler.rows(pairs, np.array([1.0, -1.0]), 0.0, 0.0, "an input that is read twice")
    columns = columns.copy()
    columns[again] = copies
    return columns


# the condition ---------------------------------------------------------------------------------------


def _demand(to: _Lowering, condition: Condition, indicator: int) -> None:
    match condition:
        case Atom():
            to.demand(condition, indicator)
        case All(parts):
            for part in parts:
                _demand(to, part, indicator)
        case Some(parts):
            for part, choice in zip(parts, _choices(to, len(parts), indicator), strict=True):
                _demand(to, part, choice)
        case _:
            assert_never(condition)


def _choices(to: _Lowering, count: int, indicator: int) -> list[int]:
    """Return binaries one of which is 1, if the indicator is."""
    numbers = np.arange(to.choices + 1, to.choices + count + 1)
    to.choices += count
    w = to.assembler.variables(Labels("w", (numbers,)), 0.0, 1.0, integer=True)
    columns, coefficients, least = w, np.ones(count), 1.0
    if indicator != ALWAYS:
        columns, coefficients, least = np.append(w, indicator), np.append(coefficients, -1.0), 0.0
    to.assembler.rows(columns[None], coefficients, least, np.inf, "some part of the condition holds")
    return [int(v) for v in w]


def _add_demands(to: _Lowering) -> None:
    """Add all demands; conditional ones by a variable whose bounds are the sharpest that are known."""
    plain = [(to.known.ranges[atom], _terms(to, atom), atom.least, i) for atom, i in to.demands]
    always = [(terms, least, i) for _, terms, least, i in plain if i == ALWAYS]
    _add_rows(to, always, "the unsafe condition")
    conditional = [entry for entry in plain if entry[3] != ALWAYS]
    if not conditional:
        return
    numbers = np.arange(1, len(conditional) + 1)
    lower = [down(ends[0]) for ends, *_ in conditional]
    upper = [up(ends[1]) for ends, *_ in conditional]
    g = to.assembler.variables(Labels("g", (numbers,)), lower, upper)
    one = Fraction(1)
    for sign in (1, -1):
        definitions = [
            ({int(v): Fraction(-sign), **{u: sign * c for u, c in terms.items()}}, Fraction(0), ALWAYS)
            for v, (_, terms, _, _) in zip(g, conditional, strict=True)
        ]
        _add_rows(to, definitions, "g is the left-hand side of an inequality")
    choices = [({int(v): one}, least, i) for v, (_, _, least, i) in zip(g, conditional, strict=True)]
    _add_rows(to, choices, "a chosen part of the condition holds")


def _terms(to: _Lowering, atom: Atom) -> dict[int, Fraction]:
    """Return the model's variables in an atom; several of the instance's may be one of the model's."""
    terms: dict[int, Fraction] = {}
    for column, coefficient in zip(atom.columns, atom.coefficients, strict=True):
        variable = int(to.variables[column])
        if variable >= 0:
            terms[variable] = terms.get(variable, Fraction(0)) + coefficient
    return {v: c for v, c in terms.items() if c}


def _add_rows(to: _Lowering, demands: list[tuple[dict[int, Fraction], Fraction, int]], meaning: str) -> None:
    """Add `sum of terms >= least` for every demand, scaled to integers where float64 holds them."""
    if not demands:
        return
    lower, upper = np.concatenate(to.assembler.lower), np.concatenate(to.assembler.upper)
    reach = np.maximum(np.abs(lower), np.abs(upper))
    rows = [_as_floats(terms, least, reach) for terms, least, _ in demands]
    width = max((len(terms) for terms, *_ in demands), default=0) or 1
    columns = np.full((len(rows), width), to.assembler.zero() if not all(d[0] for d in demands) else -1)
    coefficients = np.ones((len(rows), width))
    for row, (terms, (numbers, _)) in enumerate(zip((d[0] for d in demands), rows, strict=True)):
        if terms:
            columns[row] = -1
            columns[row, : len(terms)] = list(terms)
            coefficients[row, : len(terms)] = numbers
        else:
            columns[row, 1:] = -1
    least = [least for _, least in rows]
    indicator = [i for *_, i in demands]
    to.assembler.rows(columns, coefficients, least, np.inf, meaning, indicator=indicator)


def _as_floats(terms: dict[int, Fraction], least: Fraction, reach: Floats) -> tuple[list[float], float]:
    """Return float64 coefficients and a right-hand side that is low enough to lose no solution."""
    scale = math.lcm(least.denominator, *(c.denominator for c in terms.values()))
    scaled = [c * scale for c in terms.values()]
    if scale <= LARGEST_SCALE and all(map(is_float, [*scaled, least * scale])):
        return [float(c) for c in scaled], float(least * scale)
    if all(map(is_float, [*terms.values(), least])):
        return [float(c) for c in terms.values()], float(least)
    lost = sum((abs(c - Fraction(float(c))) * Fraction(reach[v]) for v, c in terms.items()), Fraction(0))
    return [float(c) for c in terms.values()], down(least - lost)
