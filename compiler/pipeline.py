"""The compiler on one page: from a problem to the model that the formats write.

The joint model of a whole query:

    query.rq --load_problem--> EnsembleProblem --input_sets--> InputSets
             --interval_bounds (-O0) or relaxed_bounds--> Bounds --whole_scope (-O0) or pruned_scope--> Scope
             --lower_joint--> Model                  written as .smt2
             --linearize--> linear Model --describe--> with its header: .mps and .lp

A query split over its points uses the same passes with `lower_misclassification` in the place of
`lower_joint`; a VNN-LIB property is an `Instance`, bounded by `instance_bounds` and lowered by
`instance_model`.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np

from ensc.compiler.diagnostics import reject
from ensc.compiler.passes.input_sets import input_sets
from ensc.compiler.passes.interval import interval_bounds
from ensc.compiler.passes.joint import lower_joint
from ensc.compiler.passes.linearize import Formulation, linearize
from ensc.compiler.passes.notes import describe
from ensc.compiler.passes.relaxed_bounds import relaxed_bounds
from ensc.compiler.passes.scope import Scope, pruned_scope, whole_scope
from ensc.compiler.types.bounds import InputSets
from ensc.compiler.types.model import Model
from ensc.compiler.types.problem import EnsembleProblem, Member


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line may ask of the compiler.

    Attributes:
        level: 0 is the paper's encoding as printed, the reference that others are compared with; 1
            uses linear relaxation and leaves out whatever the bounds decide.
        formulation: how piecewise-linear constraints become rows.
    """

    level: int = 1
    formulation: Formulation = "big-m"


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """Every language a problem passed through.

    Attributes:
        problem: what was compiled.
        sets: the input sets of its points.
        scopes: what is left to say about every member.
        model: the piecewise-linear model.
        linear: the model the MILP formats write.
        attacks: the number of deterministic attacks in it.
        level: the optimization level it was compiled at.
        formulation: how its piecewise-linear constraints became rows.
    """

    problem: EnsembleProblem
    sets: InputSets
    scopes: tuple[Scope, ...]
    model: Model
    linear: Model
    attacks: int
    level: int
    formulation: Formulation = "big-m"


def compile_problem(problem: EnsembleProblem, options: Options | None = None) -> Compiled:
    """Compile a problem to the joint model.

    Raises:
        Rejected: E0930 if the goal has no single model, E0931 if the attacker's set is unbounded, E1001
            or E1002 if no usable big-M constants exist.
    """
    options = options or Options()
    attacks = _attacks(problem, options)
    sets = bounded_sets(problem)
    scopes = tuple(_scope(problem, member, sets, options) for member in problem.ensemble)
    model = lower_joint(problem, sets, scopes, attacks=attacks, ordered=options.level > 0)
    linear = linearize(model, options.formulation, helpful_products=options.level > 0)
    form = f"-O{options.level}, {options.formulation}"
    notes = describe(problem, linear, form=form, attacks=attacks)
    described = dataclasses.replace(linear, notes=notes)
    return Compiled(problem, sets, scopes, model, described, attacks, options.level, options.formulation)


def _attacks(problem: EnsembleProblem, options: Options) -> int:
    """Attacks beyond those that are always enough reach nothing more, so they are not compiled."""
    asked = problem.threat.count
    return asked if options.level == 0 else min(asked, problem.enough_attacks)


def _scope(problem: EnsembleProblem, member: Member, sets: InputSets, options: Options) -> Scope:
    network = member.network
    if options.level == 0:
        return whole_scope(problem, network, interval_bounds(network, sets))
    return pruned_scope(problem, network, sets, relaxed_bounds(network, sets))


def bounded_sets(problem: EnsembleProblem) -> InputSets:
    """Return the input sets of a problem, or reject one in which an attacker may go anywhere."""
    sets = input_sets(problem)
    if not (np.isfinite(sets.lower).all() and np.isfinite(sets.upper).all()):
        reject(
            "E0931",
            "an L0 attack in an unbounded domain may move a coordinate anywhere",
            notes=("no big-M constant holds for an unbounded neuron",),
            help="give the inputs a domain, for example `input domain [0, 1];`",
        )
    return sets
