"""Any program: `command PROGRAM {model} {solution}` runs it on the file that a query compiles to."""

import dataclasses
import re
import shlex
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import NoReturn

from ensc.compiler.diagnostics import Rejected, reject
from ensc.compiler.quoting import alternatives, shown
from ensc.compiler.types.solution import Proof, Solution, Status
from ensc.formats.solutions import read_solution
from ensc.formats.solutions.recognise import Family, recognise
from ensc.runner.solvers.claims import read_claim
from ensc.runner.solvers.milp_process import patience
from ensc.runner.solvers.process import Ended, describe_end, keep_log, last_line, run_worker

PREFIX = "command "
MODELS = {
    "{model}": ".mps",
    "{model.mps}": ".mps",
    "{model.lp}": ".lp",
    "{model.smt2}": ".smt2",
}
"""What stands for the model file, and the format in which it is then written."""

SOLUTION, TIME_LIMIT = "{solution}", "{time_limit}"
GRACE = 0.5
"""Seconds that starting a program takes, beyond the time limit."""

_PLACEHOLDER = re.compile(r"\{[^{}\s]*\}")
_WORKER = Path(__file__).with_name("smt_worker.py")
_SIGNALS = 128
"""A process that passes on that its child was ended by signal n exits with 128 + n, as shells do."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program and its arguments, with placeholders.

    Attributes:
        arguments: the program first.
        suffix: the format of the model file it wants: `.mps`, `.lp` or `.smt2`.
    """

    arguments: tuple[str, ...]
    suffix: str

    @property
    def name(self) -> str:
        """The program without its folder."""
        return Path(self.arguments[0]).name

    @property
    def writes_solution(self) -> bool:
        """Whether it writes a solution file; otherwise it prints its answer."""
        return any(SOLUTION in argument for argument in self.arguments)

    @property
    def knows_limit(self) -> bool:
        """Whether it is told the time limit."""
        return any(TIME_LIMIT in argument for argument in self.arguments)


def parse_command(text: str) -> Command:
    """Read a command line; no shell is involved, quotes group words as in one.

    Raises:
        Rejected: E1114 if it cannot be a command line, or has no place for the model, or an unknown one.
    """
    try:
        arguments = tuple(shlex.split(text))
    except ValueError as error:
        _refuse(text, f"its quotes do not match ({error})")
    if not arguments:
        _refuse(text, "it names no program")
    known = {*MODELS, SOLUTION, TIME_LIMIT}
    found = [place for argument in arguments for place in _PLACEHOLDER.findall(argument)]
    for place in found:
        if place not in known:
            _refuse(text, f"it has the unknown placeholder `{shown(place)}`")
    suffixes = {MODELS[place] for place in found if place in MODELS}
    if len(suffixes) != 1:
        _refuse(
            text, "it asks for models of several formats" if suffixes else "it has no place for the model"
        )
    return Command(arguments, suffixes.pop())


def run_command(
    command: Command,
    model: Path,
    *,
    columns: Sequence[str] | None = None,
    time_limit: float | None = None,
    verbose: bool = False,
) -> tuple[Solution, Proof | None]:
    """Run a program on a model file and read its answer.

    The program and all that it starts are ended when its time is over (if it knows the limit, a little
    later), and when the caller is interrupted or dies. Values are always worth reading, because only exact
    replay decides what they are worth. Claims that nothing (better) exists are believed as claims of a
    file, and only from a program that came to its own end; where anything went wrong, its log is kept.

    Args:
        command: what runs.
        model: the file, in the format that the command asks for.
        columns: the names of the model's columns in order, for files that have only positions.
        time_limit: seconds, none if None.
        verbose: whether its log goes to standard error, if its answer is in a file.

    Returns:
        The answer, UNKNOWN with a reason if there is none that can be read, and what its claims rest on.

    Raises:
        Rejected: E1115 if there is no such program, E1116 if it wants a time limit and has none.
    """
    program = which(command.arguments[0])
    if program is None:
        reject(
            "E1115",
            f"there is no program `{shown(command.arguments[0])}`",
            help="install it, or give the path where it is",
        )
    if command.knows_limit and time_limit is None:
        reject("E1116", f"`{TIME_LIMIT}` has no value", help="give one: `--time-limit 60`")
    limit = None if time_limit is None else time_limit + GRACE
    seconds = patience(time_limit) if command.knows_limit else limit
    with tempfile.TemporaryDirectory(prefix="ensc-") as folder:
        answer = Path(folder, "solution")
        places = {**dict.fromkeys(MODELS, str(model.resolve())), SOLUTION: str(answer)}
        places[TIME_LIMIT] = "" if time_limit is None else f"{time_limit:g}"
        request = {"program": [program, *_filled(command.arguments[1:], places)], "memory": None}
        ended = run_worker(_WORKER, request, seconds, verbose=verbose and command.writes_solution)
        text = _read(answer) if command.writes_solution else ended.output
    return _answer(command, ended, text, columns)


def _filled(arguments: Sequence[str], places: dict[str, str]) -> list[str]:
    return [_PLACEHOLDER.sub(lambda found: places[found[0]], argument) for argument in arguments]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None


def _answer(
    command: Command, ended: Ended, text: str | None, columns: Sequence[str] | None
) -> tuple[Solution, Proof | None]:
    if text is None:
        return _nothing(command, ended, "wrote no solution file", ""), None
    try:
        solution = read_solution(text, f"the answer of {command.name}", columns=columns)
    except Rejected as rejected:
        why = f"gave no answer that can be read ({rejected.diagnostics[0].message})"
        return _nothing(command, ended, why, text), None
    solution = dataclasses.replace(solution, message=f"{command.name}: {solution.message}".removesuffix(": "))
    if _ended_well(ended, text):
        return solution, read_claim(solution, f"`{command.name}`")
    return _without_claims(solution, f"{command.name} {_ending(ended)}{_kept(command, ended, text)}"), None


def _ended_well(ended: Ended, text: str) -> bool:
    """SMT solvers also fail where values are asked for after `unsat`; the answer stands before that."""
    plain = recognise(text) is Family.SMT and ended.code is not None and 0 <= ended.code <= _SIGNALS
    return ended.code == 0 or plain


def _without_claims(solution: Solution, message: str) -> Solution:
    if solution.status is Status.INFEASIBLE or not solution.values:
        return Solution(Status.UNKNOWN, {}, message=message)
    return Solution(Status.FEASIBLE, solution.values, solution.objective, None, message)


def _nothing(command: Command, ended: Ended, why: str, text: str) -> Solution:
    ending = f", and {_ending(ended)}" if ended.code != 0 else ""
    words = last_line(ended.errors) or last_line(ended.output)
    said = f"; its last words: {shown(words, 200)}" if words else ""
    message = f"{command.name} {why}{ending}{said}{_kept(command, ended, text)}"
    return Solution(Status.UNKNOWN, {}, message=message)


def _ending(ended: Ended) -> str:
    passed_on = ended.code is not None and ended.code > _SIGNALS
    return describe_end(_SIGNALS - (ended.code or 0) if passed_on else ended.code)


def _kept(command: Command, ended: Ended, text: str) -> str:
    solution = ("its solution:", text) if text and command.writes_solution else ()
    log = keep_log(command.name, ended.output, ended.errors, f"exit code {ended.code}", *solution)
    return f"; its log is {log}"


def _refuse(text: str, why: str) -> NoReturn:
    reject(
        "E1114",
        f"`{shown(text)}` cannot be run: {why}",
        notes=(f"placeholders: {alternatives([*MODELS, SOLUTION, TIME_LIMIT])}",),
        help="for example `--solver 'command glpsol --freemps {model} --write {solution}'`",
    )
