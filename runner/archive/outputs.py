"""Every form that an archived query is written in, in the folders their communities use."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.pipeline import Compiled, Options, compile_problem
from ensc.compiler.types.problem import Check, EnsembleProblem
from ensc.formats import write_file, write_lp, write_mps
from ensc.formats.names import safe_name
from ensc.formats.vnnlib.folder import write_instances
from ensc.runner.archive.expected import Established
from ensc.runner.emitting.script import Form, status_of, write_script

MILP, SMT, Z3, VNN = "milp", "smtlib/non-incremental/QF_LRA", "smtlib/z3-opt", "vnncomp"

_NO_BIG_M = {"E1001", "E1002"}
"""Codes of what `-O0` may refuse where `-O1`, whose bounds are tighter, does not."""

_NO_PROPERTY = {"E1050", "E1051", "E1052", "E1053", "E1054"}
"""Codes of what VNN-LIB, or a merged network, cannot say."""


def write_outputs(problem: EnsembleProblem, folder: Path, known: Established) -> tuple[str, ...]:
    """Write all model files; return what could not be written and why, or was rounded.

    Raises:
        Rejected: what the compiler rejects, E1020 if a file cannot be written.
    """
    notes = [*_write_reference(problem, folder)]
    compiled = compile_problem(problem)
    _write_milp(compiled, folder, problem.name)
    notes += _write_script(compiled, folder, known)
    notes += _write_properties(problem, folder)
    return tuple(notes)


def _write_milp(compiled: Compiled, folder: Path, name: str) -> None:
    (folder / MILP).mkdir(parents=True, exist_ok=True)
    write_file(folder / MILP / f"{name}.mps", write_mps(compiled.linear))
    write_file(folder / MILP / f"{name}.lp", write_lp(compiled.linear))


def _write_reference(problem: EnsembleProblem, folder: Path) -> Iterator[str]:
    """Write the paper's encoding as printed, which the optimized one is compared with."""
    try:
        compiled = compile_problem(problem, Options(level=0))
    except Rejected as rejected:
        if rejected.diagnostics[0].code not in _NO_BIG_M:
            raise
        yield f"there is no file of the encoding as printed: {rejected.diagnostics[0].message}"
        return
    (folder / MILP).mkdir(parents=True, exist_ok=True)
    write_file(folder / MILP / f"{problem.name}-O0.mps", write_mps(compiled.linear))


def _write_script(compiled: Compiled, folder: Path, known: Established) -> Iterator[str]:
    problem = compiled.problem
    if isinstance(problem.goal, Check):
        status = status_of(problem, known.answer, known.count, compiled.attacks)
        path = folder / SMT / _set_name(problem) / f"{problem.name}.smt2"
        path.parent.mkdir(parents=True)
        write_file(path, write_script(compiled, Form(), status))
        return
    path = folder / Z3 / f"{problem.name}.smt2"
    path.parent.mkdir(parents=True)
    write_file(path, write_script(compiled, Form(dialect="z3-opt"), "unknown"))
    yield "SMT-LIB has no command to optimize: the script is in the dialect of z3, which z3 alone reads"


def _set_name(problem: EnsembleProblem) -> str:
    """Return the folder of the benchmark set: the library wants `YYYYMMDD-name`, which `meta` may give."""
    wanted = problem.meta.get("set", "")
    return wanted if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", wanted) else safe_name(problem.name)


def _write_properties(problem: EnsembleProblem, folder: Path) -> Iterator[str]:
    try:
        written = write_instances(problem, folder / VNN)
    except Rejected as rejected:
        if rejected.diagnostics[0].code not in _NO_PROPERTY:
            raise
        shutil.rmtree(folder / VNN, ignore_errors=True)
        yield f"there are no VNN-LIB properties: {rejected.diagnostics[0].message}"
        return
    yield from written.notes
