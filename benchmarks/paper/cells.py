"""What is measured for every row: one command line each, and what became of it."""

import dataclasses
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from rows import HERE, Goal, Row, text

Json: TypeAlias = dict[str, Any]

GRACE = 20.0
"""Seconds beyond the limit after which a process is killed; compiling and certifying count too."""

PROGRAM = "import sys; from ensc.cli import main; sys.exit(main())"
"""What the command `ensc` does, in this interpreter."""

DECIDED = ("robust", "robust_up_to_k", "not_robust", "optimal")


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of the tables.

    A baseline has the limit for each member, because it is a question about each.

    Attributes:
        key: its name in files.
        title: its name for readers.
        goal: what is asked.
        options: of `ensc solve`.
        count: attacks: as in the row, or as many as are enough.
        pixels: whether attacked pictures must stay within 0..255.
        twins: whether rows with one changed number have it too.
        capped: whether it is limited to the time given; the others always have a minute.
    """

    key: str
    title: str
    goal: Goal
    options: tuple[str, ...] = ()
    count: Literal["row", "auto"] = "row"
    pixels: bool = False
    twins: bool = False
    capped: bool = False


def _joint(key: str, title: str, level: int, solver: str, goal: Goal = "check") -> Cell:
    options = ("--strategy", "joint", f"-O{level}", "--solver", solver)
    return Cell(key, title, goal, options, capped=True, twins=key == "o0_cbc")


CELLS = (
    Cell("split", "ensc", "check", twins=True),
    Cell("value", "max value", "value", twins=True),
    Cell("value_auto", "max value, enough attacks", "value", count="auto"),
    Cell("ua", "UA", "value", ("--baseline", "ua")),
    Cell("bda", "BDA", "value", ("--baseline", "bda")),
    Cell("pixels", "ensc, pictures", "check", pixels=True),
    Cell("total", "max total", "total"),
    _joint("o0_cbc", "-O0 CBC", 0, "cbc"),
    _joint("o1_cbc", "-O1 CBC", 1, "cbc"),
    _joint("o0_highs", "-O0 HiGHS", 0, "highs"),
    _joint("o0_scip", "-O0 SCIP", 0, "scip"),
    _joint("total_cbc", "MaxMILP -O0 CBC", 0, "cbc", "total"),
    _joint("o0_z3", "-O0 z3", 0, "z3"),
    _joint("o0_cvc5", "-O0 cvc5", 0, "cvc5"),
)
"""In the order in which they are measured: what matters most first."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run keeps its files.

    Attributes:
        work: queries, and what was measured.
        data: the points of the traffic-sign rows, None if no data set was given.
        limit: seconds for a capped cell.
    """

    work: Path
    data: Path | None
    limit: float


def query(row: Row, cell: Cell, place: Place) -> Path:
    """Write what a cell asks about a row; return its path."""
    attacks = 0 if cell.count == "auto" else row.attacks
    asked = dataclasses.replace(row, attacks=attacks, goal=cell.goal, pixels=cell.pixels, expected="")
    path = place.work / "queries" / f"{row.id}_{cell.goal}_{cell.count}{'_pixels' * cell.pixels}.rq"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text(asked, os.path.relpath(HERE, path.parent)), encoding="utf-8")
    return path


def limit_of(cell: Cell, place: Place) -> float:
    """Return the seconds that a cell may take."""
    return place.limit if cell.capped else 60.0


def is_final(kept: Json, limit: float) -> bool:
    """Return whether measuring again, with this limit, could tell more."""
    return kept["verdict"] in DECIDED or (kept["verdict"] != "error" and kept["limit"] >= limit)


def command(row: Row, cell: Cell, place: Place) -> list[str]:
    """Return the command line of a cell."""
    words = [sys.executable, "-c", PROGRAM, "solve", str(query(row, cell, place)), "--json"]
    words += ["--time-limit", f"{limit_of(cell, place):g}", *cell.options]
    return words + (["--data", f"X={place.data}"] if row.signs else [])


def key_of(row: Row, cell: Cell, place: Place) -> str:
    """Return a name of a measurement that changes with everything it depends on but the program."""
    content = query(row, cell, place).read_text(encoding="utf-8")
    files = sorted(HERE.glob(f"networks/{row.title}_*.onnx"))
    files.append(place.data if row.signs and place.data else HERE / "points" / f"{row.title}.npz")
    digest = hashlib.sha256("\n".join([content, *cell.options]).encode())
    for file in files:
        digest.update(file.read_bytes())
    return f"{row.id} {cell.key} {digest.hexdigest()[:16]}"


def measured(row: Row, cell: Cell, place: Place) -> Json:
    """Run a cell in a process of its own; return what it said and what it took."""
    words = command(row, cell, place)
    limit = limit_of(cell, place)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    said, exit_code = _run(words, limit * (row.members if "--baseline" in words else 1) + GRACE)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    taken = {"limit": limit, "seconds": round(seconds, 3), "cpu": round(cpu, 3), "exit": exit_code}
    return {"row": row.id, "cell": cell.key, **taken, **_kept(said)}


def _run(words: list[str], limit: float) -> tuple[str, int | None]:
    """Run a command, and end its whole process group if it takes too long; its exit code is None then."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment["PYTHONDONTWRITEBYTECODE"] = ""  # set, it would have every run compile ensc's sources again
    process = subprocess.Popen(  # noqa: S603 - the command is ours
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    try:
        said, complaint = process.communicate(timeout=limit)
    except BaseException as error:  # an interrupted run leaves no solver behind either
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            return "", None
        raise
    return said or json.dumps({"error": complaint[-400:]}), process.returncode


def _kept(said: str) -> Json:
    """Return of an answer what tables need."""
    if not said:
        return {"verdict": "killed"}
    answer = json.loads(said)
    if "verdict" not in answer:
        return {"verdict": "error", "reasons": [answer.get("error", "")]}
    kept = ("verdict", "value", "lower", "upper", "certified", "proof", "reasons", "patterns", "defender")
    return {key: answer[key] for key in kept}
