"""A result as text for a reader: the verdict in words, the attack as tables, what it all rests on."""

import io
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from importlib import util
from typing import assert_never

from ensc.compiler.passes.notes import summary
from ensc.compiler.quoting import counted, number
from ensc.compiler.types.problem import Check, EnsembleProblem, MaximizeTotal, MinimizeRadius
from ensc.compiler.types.solution import Attack, Certificate, PointPatterns, Verdict, Word
from ensc.runner.reports.report import fooled_names, is_certified, quantity
from ensc.runner.verdicts.result import Result

WIDTH = 100
MOST_ROWS = 60
"""Longer tables are cut; `--json` has every row."""

Table = tuple[Sequence[str], Sequence[Sequence[str]]]


def render_result(result: Result) -> str:
    """Return the whole answer as lines of text."""
    problem, verdict = result.problem, result.verdict
    lines = [f"query    {problem.name}: {summary(problem)}", f"verdict  {verdict_text(problem, verdict)}"]
    if verdict.attack is not None and verdict.certificate is not None:
        lines += _attack_lines(problem, verdict.attack, verdict.certificate)
    if result.agreement is not None:
        lines.append(f"float32  {result.agreement.summary}")
    lines += [
        f"proof    {p.solver}, feasibility tolerance {p.tolerance:g}: {p.claim}" for p in verdict.proofs
    ]
    lines += _game_lines(problem, verdict)
    for step in verdict.profile:
        value = _exact(step.lower) if step.lower == step.upper else f"{step.lower} to {step.upper}"
        lines.append(f"profile  from {float(step.low):.9g} (certified {float(step.high):.9g}) on: {value}")
    lines += [f"note     {reason}" for reason in verdict.reasons]
    if result.seconds:
        parts = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in result.seconds.items())
        lines.append(f"seconds  {sum(result.seconds.values()):.2f} ({parts})")
    return "\n".join(lines) + "\n"


def _game_lines(problem: EnsembleProblem, verdict: Verdict) -> Iterator[str]:
    """Say what the defender plays, and how much is known about the points."""
    if verdict.game is None:
        return
    points = verdict.game.points
    found, refuted, left = (sum(map(len, sets)) for sets in zip(*map(_sets, points), strict=True))
    yield f"split    {counted(found, 'set')} of members fooled together, {refuted} refuted, {left} open"
    if verdict.game.asked or verdict.game.recalled:
        recalled = f", {verdict.game.recalled} more by earlier runs" if verdict.game.recalled else ""
        yield f"asked    {counted(verdict.game.asked, 'question')} answered by solvers{recalled}"
    if verdict.game.defender is not None:
        pairs = zip(problem.ensemble, verdict.game.defender, strict=True)
        yield f"defender {', '.join(f'{member.name} {number(w)}' for member, w in pairs)}"


def _sets(known: PointPatterns) -> tuple[Sequence[object], ...]:
    return [entry for entry in known.feasible if entry.members], known.infeasible, known.open


def verdict_text(problem: EnsembleProblem, verdict: Verdict) -> str:
    """Return a verdict in one sentence."""
    if isinstance(problem.goal, MinimizeRadius) and verdict.word in {Word.OPTIMAL, Word.UNKNOWN}:
        return _radius_text(verdict)
    lower, upper = _exact(verdict.lower), _exact(verdict.upper)
    what = quantity(problem)
    few = problem.threat.count < problem.enough_attacks
    mixtures = f"mixtures of {counted(problem.threat.count, 'attack')}"
    match verdict.word:
        case Word.ROBUST:
            return f"robust: no attack has {_sought(problem)}"
        case Word.ROBUST_UP_TO_K:
            return (
                f"robust against {mixtures}: none has {_sought(problem)}; nothing is said about more attacks"
            )
        case Word.NOT_ROBUST:
            return f"not robust: the attack below has value {lower}, replayed exactly"
        case Word.OPTIMAL:
            return f"optimal: the largest {what}{f' of {mixtures}' if few else ''} is {lower}"
        case Word.UNKNOWN:
            reached = "the attack below" if is_certified(verdict) else "no attack"
            return f"unknown: the largest {what} is in [{lower}, {upper}]; {reached} is certified"
        case _:
            assert_never(verdict.word)


def _radius_text(verdict: Verdict) -> str:
    between = f"between {float(verdict.lower):.9g} and {float(verdict.upper):.9g}"
    if verdict.word is Word.OPTIMAL:
        return f"optimal: the least radius is {between}; the attack below needs the larger one"
    reached = "the attack below is certified" if is_certified(verdict) else "no attack is certified"
    return f"unknown: the least radius is {between}, if there is one; {reached}"


def _sought(problem: EnsembleProblem) -> str:
    match problem.goal:
        case Check(alpha) | MaximizeTotal(Fraction() as alpha):
            return f"value {_exact(alpha)} or more"
        case _:
            return "what the query asks for"


def _attack_lines(problem: EnsembleProblem, attack: Attack, certificate: Certificate) -> Iterator[str]:
    yield f"value    {_exact(certificate.value)}, the least of the members' values below"
    yield f"total    {_exact(certificate.total)}, the expected losses of all members at all points"
    yield ""
    yield from _table(_attack_table(problem, attack, certificate))
    yield ""
    yield from _table(_member_table(problem, certificate))
    yield ""


def _attack_table(problem: EnsembleProblem, attack: Attack, certificate: Certificate) -> Table:
    names = [member.name for member in problem.ensemble]
    rows = []
    for i, p in enumerate(attack.probabilities):
        for j in range(len(problem.points)):
            norm = f"{float(certificate.norms[i][j]):.6g}"
            fooled = " ".join(fooled_names(certificate, names, i, j)) or "-"
            rows.append((f"{i + 1}", _exact(p), f"{j + 1}", f"{problem.points.labels[j]}", norm, fooled))
    size = f"{problem.threat.norm.value} <= {number(problem.threat.radius)}"
    return ("attack", "probability", "point", "label", size, "fools"), rows


def _member_table(problem: EnsembleProblem, certificate: Certificate) -> Table:
    values = zip(problem.ensemble, certificate.member_values, strict=True)
    return ("member", "file", "value"), [(m.name, m.file, _exact(value)) for m, value in values]


def _exact(value: Fraction) -> str:
    """Return a number exactly, with a decimal beside a ratio."""
    text = number(value)
    return f"{text} ({float(value):.6g})" if "/" in text else text


def _table(table: Table) -> Iterator[str]:
    header, rows = table
    drawn = _by_rich if util.find_spec("rich") else _by_hand
    yield from drawn(header, rows[:MOST_ROWS])
    if len(rows) > MOST_ROWS:
        yield f"  and {counted(len(rows) - MOST_ROWS, 'more row')}; `--json` has all"


def _by_rich(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    from rich.box import ASCII  # noqa: PLC0415 - an extra
    from rich.console import Console  # noqa: PLC0415 - an extra
    from rich.table import Table as RichTable  # noqa: PLC0415 - an extra

    table = RichTable(box=ASCII, show_edge=False)
    for title in header:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*row)
    page = io.StringIO()
    Console(file=page, width=WIDTH, markup=False, emoji=False, highlight=False, color_system=None).print(
        table
    )
    yield from (f" {line.rstrip()}" for line in page.getvalue().splitlines())


def _by_hand(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Without rich, a line a row that names its columns."""
    for row in rows:
        yield "  " + ", ".join(f"{title} {cell}" for title, cell in zip(header, row, strict=True))
