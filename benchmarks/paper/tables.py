"""Tables of what was measured: Markdown for readers, CSV for programs."""

import csv
import io
import operator
import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cells import CELLS, DECIDED, Json
from rows import Row, records, rows

Measurements = Mapping[str, Json]

PACKAGES = ("ensc-compiler", "numpy", "onnx", "mip", "highspy", "pyscipopt", "z3-solver", "cvc5")
OUTCOMES = ("confirmed", "undecided", "contradicted")
JOINT = tuple(cell for cell in CELLS if cell.capped)


def write_tables(measurements: Measurements, folder: Path) -> None:
    """Write results.md and results.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.md").write_text(markdown(measurements), encoding="utf-8")
    (folder / "results.csv").write_text(comma_separated(measurements), encoding="utf-8")


def markdown(found: Measurements) -> str:
    """Return the page of tables."""
    paper = {line["id"].zfill(2): line for line in records()}
    own = [row for row in rows() if f"{row.id} split" in found]
    parts = [
        "# The 38 benchmark rows of Gross et al. 2020, measured",
        "Written by `make paper`; what the columns mean is told in docs/paper.md. " + circumstances(found),
        "## Summary",
        *summary(found, own),
        "## Verdicts and values (paper: Tables 4 and 6)",
        VERDICTS,
        table(VERDICT_HEADS, (verdict_line(row, paper, found) for row in own)),
        "## Times (paper: Table 4)",
        TIMES,
        table(TIME_HEADS, (time_line(row, paper, found) for row in own)),
        "## The largest total (paper: Table 5)",
        TOTALS,
        table(TOTAL_HEADS, (total_line(row, paper, found) for row in own if not row.id.endswith("b"))),
    ]
    return "\n\n".join(parts) + "\n"


VERDICTS = """The paper's value is that of whichever attack its MILP solver met first; ours is the largest
there is, with the row's number of attacks and with as many as are *enough*. UA and BDA are the baselines, the
paper's in brackets. `*`: our networks lead to another verdict than the paper's. A row with `b` has one number
changed to meet the opposite verdict. *Pictures*: the verdict if attacked pictures must stay within 0..255.
*Rechecked*: sets of members that a robust verdict rests on, confirmed by another solver, of all."""
TIMES = """Seconds of wall-clock time of the whole command, from reading the query to the certified answer.
TO: stopped by the limit; `?`: ended without an answer that survives exact replay. *Faster*: -O0 CBC over
ensc, in CPU seconds; at least this (`>`) where -O0 was not done."""
TOTALS = """MaxMILP is the paper's objective, the sum of all losses under the threshold for the value; at most
|C|·|X|. `*`: proved optimal."""
VERDICT_HEADS = [
    *("row", "name", "|C|", "|A|", "|X|", "dim", "α", "ε", "paper", "ensc"),
    *("value", "enough", "UA", "BDA", "pictures", "rechecked"),
]
TIME_HEADS = [
    "row",
    "name",
    "paper SMT",
    "paper MILP",
    "ensc",
    *(c.title for c in JOINT if c.goal == "check"),
    "faster",
]
TOTAL_HEADS = ["row", "name", "paper MaxMILP", "its value", "-O0 CBC", "its total", "ensc", "its total", "of"]


def verdict_line(row: Row, paper: Mapping[str, Mapping[str, str]], found: Measurements) -> list[str]:
    """Return a row of the first table."""
    line = paper[row.id[:2]]
    twin = row.id.endswith("b")
    kept = found[f"{row.id} split"]
    said = "" if twin else {"TO": "TO"}.get(line["paper_milp_seconds"], line["paper_milp_value"])
    differs = said not in {"", "TO"} and (said == "robust") != kept["verdict"].startswith("robust")
    brackets = {key: f" ({line[f'paper_{key}']})" * bool(line[f"paper_{key}"]) for key in ("ua", "bda")}
    return [
        row.id, row.name, *map(str, (row.members, row.attacks, row.points, row.dim)),
        f"{float(row.alpha):g}", f"{float(row.epsilon):g}", said,
        word(kept, row.attacks) + " *" * differs,
        _value(found, row, "value"), _value(found, row, "value_auto"),
        *(_value(found, row, key) + brackets[key] * (not twin) for key in ("ua", "bda")),
        word(found[f"{row.id} pixels"], row.attacks) if f"{row.id} pixels" in found else "",
        _rechecked(kept),
    ]  # fmt: skip


def word(kept: Json, attacks: int) -> str:
    """Return a verdict in a few words."""
    match kept["verdict"]:
        case "robust_up_to_k":
            return f"robust up to {attacks}"
        case other:
            return str(other).replace("_", " ")


def _value(found: Measurements, row: Row, cell: str) -> str:
    kept = found.get(f"{row.id} {cell}")
    if kept is None or "lower" not in kept:
        return ""
    low, high = Fraction(kept["lower"]), Fraction(kept["upper"])
    open_ = low < high and cell.startswith("value")
    return f"{_short(low)}..{_short(high)}" if open_ else _short(low)


def _short(number: Fraction) -> str:
    return f"{float(number):.3g}"


def _rechecked(kept: Json) -> str:
    if "recheck" not in kept:
        return ""
    counts = kept["recheck"]
    return f"{counts['confirmed']}/{sum(counts.values())}"


def time_line(row: Row, paper: Mapping[str, Mapping[str, str]], found: Measurements) -> list[str]:
    """Return a row of the second table."""
    line = paper[row.id[:2]]
    theirs = ["", ""] if row.id.endswith("b") else [line["paper_smt_seconds"], line["paper_milp_seconds"]]
    cells = ["split", *(cell.key for cell in JOINT if cell.goal == "check")]
    return [row.id, row.name, *theirs, *(_seconds(found, row, key) for key in cells), _faster(found, row)]


def _seconds(found: Measurements, row: Row, cell: str) -> str:
    kept = found.get(f"{row.id} {cell}")
    if kept is None:
        return ""
    if kept["verdict"] in DECIDED:
        return f"{kept['seconds']:.2f}"
    if kept["verdict"] == "killed" or kept["seconds"] >= kept["limit"]:
        return "TO"
    return f"? {kept['seconds']:.2f}"


def speedup(found: Measurements, row: Row) -> tuple[float, bool] | None:
    """Return how many times faster ensc is than the joint -O0 file with CBC, and whether at least that."""
    ours, theirs = found.get(f"{row.id} split"), found.get(f"{row.id} o0_cbc")
    if ours is None or theirs is None:
        return None
    counted = (
        "seconds" if theirs["verdict"] == "killed" else "cpu"
    )  # nobody counts what a killed process used
    return theirs[counted] / ours["cpu"], theirs["verdict"] not in DECIDED


def _faster(found: Measurements, row: Row) -> str:
    pair = speedup(found, row)
    return "" if pair is None else f"{'>' * pair[1]}{pair[0]:.3g}"


def total_line(row: Row, paper: Mapping[str, Mapping[str, str]], found: Measurements) -> list[str]:
    """Return a row of the third table."""
    line = paper[row.id]
    joint, split = (found.get(f"{row.id} {key}") for key in ("total_cbc", "total"))
    return [
        row.id, row.name, line["paper_max_seconds"], line["paper_max_value"],
        _seconds(found, row, "total_cbc"), _total(joint), _seconds(found, row, "total"), _total(split),
        str(row.members * row.points),
    ]  # fmt: skip


def _total(kept: Json | None) -> str:
    if kept is None or "lower" not in kept:
        return ""
    if kept["verdict"].startswith("robust"):
        return "robust"
    return _short(Fraction(kept["lower"])) + ("*" if kept["verdict"] == "optimal" else "")


def summary(found: Measurements, own: Sequence[Row]) -> list[str]:
    """Return what can be said in numbers about all rows."""
    originals = [row for row in own if not row.id.endswith("b")]
    lines = [
        _default_summary(found, originals),
        _certified_summary(found, own),
        _speed_summary(found, originals),
    ]
    lines.append(_baseline_summary(found, originals))
    lines += [_joint_summary(found, originals, cell.key, cell.title) for cell in JOINT]
    lines.append(_recheck_summary(found, own))
    return ["\n".join(f"- {line}" for line in lines if line)]


def _default_summary(found: Measurements, own: Iterable[Row]) -> str:
    split = [found[f"{row.id} split"] for row in own]
    decided = sum(kept["verdict"] in DECIDED for kept in split)
    seconds, cpu = (sum(kept[key] for kept in split) for key in ("seconds", "cpu"))
    longest = max((kept["seconds"] for kept in split), default=0.0)
    return (
        f"ensc decides {decided} of {len(split)} rows in {seconds:.0f} s altogether, {cpu:.0f} s CPU time; "
        f"the longest takes {longest:.1f} s."
    )


def _certified_summary(found: Measurements, own: Iterable[Row]) -> str:
    attacked = [kept for row in own if (kept := found[f"{row.id} split"])["verdict"] == "not_robust"]
    certified = sum(kept["certified"] for kept in attacked)
    return f"{certified} of {len(attacked)} verdicts `not robust` carry an attack that was replayed exactly."


def _baseline_summary(found: Measurements, own: Iterable[Row]) -> str:
    """The uniform attacker mixes |C| attacks, so it is compared with as many as are enough."""
    pairs = [
        (Fraction(found[ours]["lower"]), Fraction(found[theirs]["lower"]))
        for row in own
        for ours, theirs in ((f"{row.id} value_auto", f"{row.id} ua"), (f"{row.id} value", f"{row.id} bda"))
        if "lower" in found.get(ours, {}) and "lower" in found.get(theirs, {})
    ]
    reached, more = (sum(test(a, b) for a, b in pairs) for test in (operator.ge, operator.gt))
    return (
        f"The largest value is no less than a baseline's in {reached} of {len(pairs)} cases, more in {more}."
    )


def _speed_summary(found: Measurements, own: Iterable[Row]) -> str:
    pairs = [pair for row in own if (pair := speedup(found, row)) is not None]
    if not pairs:
        return ""
    median = statistics.median(ratio for ratio, _ in pairs)
    return (
        f"Over the joint -O0 file, same solver: median {median:.0f} times faster on {len(pairs)} rows, "
        f"counting {sum(cut for _, cut in pairs)} rows that the joint file leaves open as if it had."
    )


def _recheck_summary(found: Measurements, own: Iterable[Row]) -> str:
    kept = [found[f"{row.id} split"] for row in own]
    rechecks = [each["recheck"] for each in kept if "recheck" in each]
    sums = {key: sum(counts[key] for counts in rechecks) for key in OUTCOMES}
    told = ", ".join(f"{sums[key]} {key}" for key in OUTCOMES)
    return (
        f"{len(rechecks)} robust verdicts rest on {sum(sums.values())} sets of members that cannot be fooled "
        f"together; asked again, another solver left {told}."
    )


def _joint_summary(found: Measurements, own: Iterable[Row], key: str, title: str) -> str:
    kept = [found[f"{row.id} {key}"] for row in own if f"{row.id} {key}" in found]
    if not kept:
        return ""
    decided = sum(each["verdict"] in DECIDED for each in kept)
    limits = sorted({each["limit"] for each in kept})
    return f"{title}: {decided} of {len(kept)} rows decided within {'/'.join(f'{x:g}' for x in limits)} s."


def circumstances(found: Measurements) -> str:
    """Return versions and the kind of machine."""
    return (
        f"Measured {len(found)} times one process at a time on {_processor()}, {os.cpu_count()} cores, "
        f"{platform.system()}, Python {platform.python_version()}; {', '.join(_versions())}."
    )


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return f"{platform.machine()} ({names[0]})" if names else platform.machine()


def _versions() -> Iterable[str]:
    for package in PACKAGES:
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            yield f"no {package}"


def table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    rule = ["---"] * len(heads)
    escaped = ([word.replace("|", "\\|") for word in line] for line in (heads, rule, *lines))
    return "\n".join(f"| {' | '.join(line)} |" for line in escaped)


FIELDS = [
    "row",
    "cell",
    "verdict",
    "value",
    "lower",
    "upper",
    "certified",
    "seconds",
    "cpu",
    "limit",
    "reasons",
]


def comma_separated(found: Measurements) -> str:
    """Return one line for each measurement."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for kept in found.values():
        writer.writerow({**kept, "reasons": "; ".join(kept.get("reasons", ()))})
    return text.getvalue()
