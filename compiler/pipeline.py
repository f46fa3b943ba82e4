"""The compiler on one page: from a problem to the model that the formats write.

The joint model of a whole query, with the names that `--emit` and `--stats` know the passes by:

    query.rq --load_problem--> EnsembleProblem --input_sets--> InputSets
      printed   (-O0)      --> Draft     every copy, interval bounds: the paper's encoding
      relax     (from -O1) --> Draft     what linear relaxation leaves open
      attacks   (from -O1) --> Draft     no more of them than are always enough, ordered
      demand    (from -O1) --> Draft     what the value 1 leaves open, where it is asked
      facts     (-O3)      --> Draft     without what the split has decided
      merge     (from -O1) --> Draft     one copy for members, and for points, that are the same
      fooled    (from -O1) --> Draft     what matters of members where they are fooled
      tighten   (from -O2) --> Draft     what linear programs leave open
      model                --> Model                    written as .smt2
      linear               --> linear Model, --describe--> with its header: .mps and .lp

A query split over its points uses the same passes with `lower_misclassification` in the place of
`lower_joint`; a VNN-LIB property is an `Instance`, bounded by `instance_bounds` and lowered by
`instance_model`.

The passes from -O2 on need a solver. The compiler knows none: it takes `Aids`, which `runner` supplies.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np

from ensc.compiler.diagnostics import reject
from ensc.compiler.passes.bounds.input_sets import input_sets
from ensc.compiler.passes.draft import (
    Draft,
    capped,
    demanded,
    fooled,
    informed,
    lowered,
    merged,
    printed,
    relaxed,
    tightened,
)
from ensc.compiler.passes.linear.linearize import Formulation, linearize
from ensc.compiler.passes.notes import describe
from ensc.compiler.passes.scopes.scope import Scope
from ensc.compiler.passes.tightening.dual_bounds import LpSolver
from ensc.compiler.types.bounds import InputSets
from ensc.compiler.types.facts import Facts
from ensc.compiler.types.model import Model
from ensc.compiler.types.problem import EnsembleProblem

PASSES = ("printed", "relax", "attacks", "demand", "facts", "merge", "fooled", "tighten", "model", "linear")
"""Every pass, in the order in which they run; a level leaves some of them out."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line may ask of the compiler.

    Attributes:
        level: 0 is the paper's encoding as printed, the reference that others are compared with; 1
            uses linear relaxation and leaves out whatever the bounds decide; 2 tightens these bounds by
            linear programs; 3 leaves out what the split has decided.
        formulation: how piecewise-linear constraints become rows.
    """

    level: int = 1
    formulation: Formulation = "big-m"


@dataclass(frozen=True, slots=True, eq=False)
class Aids:
    """What the compiler cannot find out by itself.

    Attributes:
        lp: solves linear programs; needed from level 2 on.
        facts: what the split has decided; used at level 3.
    """

    lp: LpSolver | None = None
    facts: Facts | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """What a pass made.

    Attributes:
        name: of the pass.
        said: what it did.
        seconds: that it took.
        product: what it returned.
    """

    name: str
    said: str
    seconds: float
    product: Draft | Model


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
        stages: what each pass made, in order.
        facts: what was known of its points; an answer rests on it, too.
    """

    problem: EnsembleProblem
    sets: InputSets
    scopes: tuple[Scope, ...]
    model: Model
    linear: Model
    attacks: int
    level: int
    formulation: Formulation = "big-m"
    stages: tuple[Stage, ...] = ()
    facts: Facts | None = None


def compile_problem(
    problem: EnsembleProblem, options: Options | None = None, aids: Aids | None = None
) -> Compiled:
    """Compile a problem to the joint model.

    Raises:
        Rejected: E0930 if the goal has no single model, E0931 if the attacker's set is unbounded, E1001
            or E1002 if no usable big-M constants exist, E1060 if the level needs a solver that is missing.
    """
    options = options or Options()
    stages = [*_drafts(problem, bounded_sets(problem), options, aids or Aids())]
    draft = stages[-1].product
    assert isinstance(draft, Draft)
    model, seconds = _timed(lambda: lowered(draft))
    stages.append(Stage("model", "piecewise-linear constraints", seconds, model))
    linear, seconds = _timed(lambda: linearized(model, options))
    notes = describe(
        problem,
        linear,
        form=f"-O{options.level}, {options.formulation}",
        attacks=draft.attacks,
        passes=[(stage.name, stage.said) for stage in stages if isinstance(stage.product, Draft)],
        facts=draft.facts,
    )
    linear = dataclasses.replace(linear, notes=notes)
    stages.append(Stage("linear", options.formulation, seconds, linear))
    return Compiled(
        problem,
        draft.sets,
        draft.scopes,
        model,
        linear,
        draft.attacks,
        options.level,
        options.formulation,
        tuple(stages),
        draft.facts,
    )


def linearized(model: Model, options: Options) -> Model:
    """Return the linear model of a level."""
    return linearize(model, options.formulation, helpful_products=options.level > 0)


def _drafts(problem: EnsembleProblem, sets: InputSets, options: Options, aids: Aids) -> Iterator[Stage]:
    """Run the passes of a level, one after another."""
    if options.level == 0:
        yield _staged("printed", lambda: printed(problem, sets))
        return
    stage = _staged("relax", lambda: relaxed(problem, sets))
    yield stage
    for name, run in _later(options, aids):
        draft = stage.product
        assert isinstance(draft, Draft)
        stage = _staged(name, partial(run, draft))
        yield stage


def _later(options: Options, aids: Aids) -> Iterator[tuple[str, Callable[[Draft], tuple[Draft, str]]]]:
    yield "attacks", capped
    yield "demand", demanded
    if options.level > 2 and aids.facts is not None:
        facts = aids.facts
        yield "facts", lambda draft: informed(draft, facts)
    yield "merge", merged
    yield "fooled", fooled
    if options.level > 1:
        lp = aids.lp or _no_lp()
        yield "tighten", lambda draft: tightened(draft, lp)


def _no_lp() -> LpSolver:
    reject(
        "E1060",
        "from -O2 on the compiler needs a solver of linear programs, and there is none",
        help="install one, for example `pip install 'ensc-compiler[highs]'`, or compile with -O1",
    )


def _staged(name: str, run: Callable[[], tuple[Draft, str]]) -> Stage:
    (draft, said), seconds = _timed(run)
    return Stage(name, said, seconds, draft)


def _timed(run: Callable[[], T]) -> tuple[T, float]:
    start = time.perf_counter()
    return run(), time.perf_counter() - start


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
