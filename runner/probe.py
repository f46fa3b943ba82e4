"""Which solvers there are, and whether they work: two models of three variables through each of them."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

import numpy as np

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.types.model import Labels, Model, RowGroup, Rows, Variables, feasibility
from ensc.compiler.types.solution import Solution, Status
from ensc.formats import size_as_written, write_file, write_mps
from ensc.runner.solvers import pysmt_front
from ensc.runner.solvers.choose import SOLVERS, Listed, Smt
from ensc.runner.solvers.command import Command
from ensc.runner.solvers.milp_process import Milp, solve_file
from ensc.runner.solvers.smt import solve_model

SECONDS = 20.0
"""For each model of a test; it takes a fraction of a second."""

NEAR = 1e-6


@dataclass(frozen=True, slots=True)
class Probe:
    """What is known of one solver.

    Attributes:
        text: a line for the reader.
        failure: what its test found wrong, None if it passed or was not run.
    """

    text: str
    failure: str | None


def probe_solvers(*, test: bool = False) -> Iterator[Probe]:
    """Look for every solver that has a name, and run the test on those that are there."""
    for solver in SOLVERS:
        version = solver.version()
        failure = _failure(solver) if test and version is not None else None
        yield Probe(_line(solver, version, _verdict(test=test, failure=failure)), failure)
    known = ", ".join(f"pysmt:{name}" for name in pysmt_front.known())
    found = f"{pysmt_front.version()}: {known}" if known else f"not found: {pysmt_front.ADVICE}"
    yield Probe(f"{'pysmt':7} smt2  {found}", None)
    yield Probe(f"{'command':7} any   --solver 'command PROGRAM {{model.lp}} {{solution}}'", None)


def _line(solver: Listed, version: str | None, verdict: str) -> str:
    found = f"{version}{verdict}" if version is not None else f"not found: {solver.advice}"
    return f"{solver.name:7} {solver.takes:4}  {found}"


def _verdict(*, test: bool, failure: str | None) -> str:
    if not test:
        return ""
    return ", works" if failure is None else f", FAILS: {failure}"


def _failure(solver: Listed) -> str | None:
    try:
        found, impossible = _solved(solver, example(2.0)), _solved(solver, example(5.0))
    except Rejected as rejected:
        return rejected.diagnostics[0].message
    expected = {"x_1": 2.0, "y_1": 1.0, "b_1": 1.0}
    wrong = [n for n, v in expected.items() if not abs(float(found.values.get(n, 0.0)) - v) <= NEAR]
    if found.status not in {Status.OPTIMAL, Status.FEASIBLE} or wrong:
        return f"it does not find the one solution of a small model ({found.message})"
    if impossible.status is not Status.INFEASIBLE:
        return f"it does not see that a small model is infeasible ({impossible.message})"
    return None


def _solved(solver: Listed, model: Model) -> Solution:
    match solver.back_end:
        case Milp() as milp:
            with tempfile.TemporaryDirectory(prefix="ensc-") as folder:
                path = Path(folder, "test.mps")
                write_file(path, write_mps(model))
                return solve_file(milp, path, expected=size_as_written(model), time_limit=SECONDS)[0]
        case Smt(name):
            return solve_model(model, name, time_limit=SECONDS)[0]
        case Command():
            raise AssertionError("a command has no name in the list")
        case _:
            assert_never(solver.back_end)


def example(least: float) -> Model:
    """Return `x + y = 3, x - y = 1, x = 2 b, x >= least` with b binary: x = 2, y = 1, b = 1, if at all."""
    one = np.array([1])
    variables = Variables(
        lower=np.zeros(3),
        upper=np.array([10.0, 10.0, 1.0]),
        integer=np.array([False, False, True]),
        labels=tuple(Labels(prefix, (one,)) for prefix in "xyb"),
    )
    rows = Rows(
        starts=np.array([0, 2, 4, 6, 7]),
        columns=np.array([0, 1, 0, 1, 0, 2, 0]),
        coefficients=np.array([1.0, 1.0, 1.0, -1.0, 1.0, -2.0, 1.0]),
        lower=np.array([3.0, 1.0, 0.0, least]),
        upper=np.array([3.0, 1.0, 0.0, np.inf]),
        indicator=np.full(4, -1),
        active=np.zeros(4, dtype=bool),
        groups=(RowGroup(4, "a test"),),
    )
    return Model("test", variables, rows, feasibility())
