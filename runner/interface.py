"""The public Python interface: the verbs of the command line as typed functions.

import ensc

problem = ensc.load("query.rq", epsilon="8/255")
ensc.write(ensc.compile(problem), "out.mps")
result = ensc.solve(problem, time_limit=60)
result.verdict.word, result.verdict.lower, result.verdict.attack
"""

import dataclasses
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy.typing as npt

from ensc.compiler.frontend.onnx import read_network
from ensc.compiler.frontend.query.resolve import Overrides, load_problem
from ensc.compiler.passes.networks.evaluate import evaluate, evaluate_exact
from ensc.compiler.pipeline import Compiled, Options
from ensc.compiler.types.network import Floats, Network
from ensc.compiler.types.problem import EnsembleProblem
from ensc.formats import read_file
from ensc.runner.emitting.emit import write_model
from ensc.runner.joint.build import SPLIT_SECONDS, Effort, build
from ensc.runner.joint.solve import Settings, conclude, solve_joint
from ensc.runner.joint.tighten import TIGHTEN_SECONDS
from ensc.runner.solvers.claims import read_answer
from ensc.runner.split.settings import SplitSettings
from ensc.runner.split.solve import solve_split
from ensc.runner.verdicts.result import Result


class LoadedNetwork(Network):
    """A network that can be called."""

    __slots__ = ()

    def __call__(self, x: npt.ArrayLike) -> Floats:
        """Return the logits in float64; x has shape (..., inputs), the result (..., classes)."""
        return evaluate(self, x)

    def exact(self, x: Sequence[Fraction]) -> tuple[Fraction, ...]:
        """Return the logits of one input in exact rational arithmetic."""
        return evaluate_exact(self, x)


def load_network(
    path: str | Path,
    *,
    input: str | None = None,  # noqa: A002 - the query language's word
    output: str | None = None,
) -> LoadedNetwork:
    """Read an ONNX classifier.

    Args:
        path: the file.
        input: the graph's input; needed if there are several.
        output: the graph's output; needed if several of them hold reals.

    Raises:
        Rejected: the file cannot be read as a classifier.
    """
    network = read_network(Path(path), name=Path(path).stem, input=input, output=output)
    return LoadedNetwork(**{f.name: getattr(network, f.name) for f in dataclasses.fields(network)})


def load(query: str | Path, **parameters: Fraction | float | str) -> EnsembleProblem:
    """Load a query and everything it names.

    Args:
        query: a `.rq` file.
        parameters: override those of the query; a string is read as the query language reads it (`"8/255"`
            is exact), a float stands for its shortest decimal.

    Raises:
        Rejected: with every mistake found.
    """
    definitions = tuple(f"{name}={value}" for name, value in parameters.items())
    return load_problem(Path(query), Overrides(definitions)).problem


def compile(  # noqa: A001 - the compiler's verb
    problem: EnsembleProblem,
    *,
    level: int = 1,
    tighten_time: float = TIGHTEN_SECONDS,
    split_time: float = SPLIT_SECONDS,
) -> Compiled:
    """Compile a problem: `.model` is the piecewise-linear model, `.linear` what MILP formats write.

    Args:
        problem: the query.
        level: 0 the paper's encoding, 1 bounds by linear relaxation, 2 tightened by linear programs, 3 with
            the split solved beforehand.
        tighten_time: seconds for the linear programs of levels 2 and 3.
        split_time: seconds for the split of level 3.

    Raises:
        Rejected: the goal has no single model, or no usable big-M constants exist; E1060 if the level needs
            a solver that is not installed.
    """
    return build(problem, Options(level=level), Effort(tighten_time, split_time))


def write(compiled: Compiled, path: str | Path) -> None:
    """Write a compiled problem in the format that the suffix of the path names.

    Raises:
        Rejected: the suffix names no format, or the file cannot be written.
    """
    write_model(compiled, Path(path))


def solve(
    problem: EnsembleProblem,
    *,
    strategy: Literal["split", "joint"] = "split",
    level: int = 1,
    time_limit: float | None = None,
    jobs: int = 1,
) -> Result:
    """Solve a problem; an attack in the result has been replayed exactly.

    Args:
        problem: the query.
        strategy: `split` asks small questions about single points; `joint` solves the compiled model.
        level: of the compiled model; `joint` only.
        time_limit: seconds, none if None.
        jobs: processes; `split` only.

    Raises:
        Rejected: what the compiler rejects, or no solver is installed.
    """
    if strategy == "joint":
        return solve_joint(problem, Settings(Options(level=level), time_limit=time_limit))
    return solve_split(problem, SplitSettings(jobs=jobs, time_limit=time_limit))


def decode(problem: EnsembleProblem, path: str | Path) -> Result:
    """Read a solver's own solution file and certify the attack behind it.

    Raises:
        Rejected: the file cannot be read, or belongs to another query.
    """
    return conclude(problem, *read_answer(read_file(path), Path(path).name))
