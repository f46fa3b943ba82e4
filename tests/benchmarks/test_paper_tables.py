"""What the tables of the paper's rows say about a measurement."""

from typing import Any

import pytest
from cells import CELLS, is_final
from rows import Row, records, rows
from tables import markdown, speedup, time_line, verdict_line

PAPER = {line["id"].zfill(2): line for line in records()}
BY_ID = {row.id: row for row in rows()}


def measured(row: str, cell: str, verdict: str, **more: Any) -> tuple[str, dict[str, Any]]:
    kept = {"row": row, "cell": cell, "verdict": verdict, "seconds": 2.0, "cpu": 1.0, "limit": 60.0}
    return f"{row} {cell}", {**kept, "certified": verdict == "not_robust", "reasons": [], **more}


def times(row: Row, *cells: tuple[str, dict[str, Any]]) -> dict[str, str]:
    keys = ["split", *(cell.key for cell in CELLS if cell.capped and cell.goal == "check")]
    line = time_line(row, PAPER, dict(cells))
    return dict(zip([*keys, "faster"], line[4:], strict=True))


@pytest.mark.parametrize(
    ("number", "verdict", "shown"),
    [
        ("18", "robust", "robust *"),
        ("18", "not_robust", "not robust"),
        ("18b", "not_robust", "not robust"),
        ("21", "robust_up_to_k", "robust up to 2"),
        ("22", "not_robust", "not robust *"),
        ("26", "robust_up_to_k", "robust up to 2"),
    ],
)
def test_a_verdict_that_differs_from_the_papers_is_marked(number: str, verdict: str, shown: str) -> None:
    found = dict([measured(number, "split", verdict)])
    assert verdict_line(BY_ID[number], PAPER, found)[9] == shown


def test_an_interval_is_shown_where_the_maximum_is_open() -> None:
    found = dict(
        [measured("06", "split", "not_robust"), measured("06", "value", "unknown", lower="1/2", upper="1")]
    )
    assert verdict_line(BY_ID["06"], PAPER, found)[10] == "0.5..1"


def test_a_time_is_shown_only_of_what_was_decided() -> None:
    shown = times(
        BY_ID["11"],
        measured("11", "split", "not_robust"),
        measured("11", "o0_cbc", "unknown", seconds=61.0, cpu=60.0),
        measured("11", "o0_highs", "unknown", seconds=5.0),
        measured("11", "o0_z3", "killed", seconds=80.0),
    )
    assert shown["split"] == "2.00"
    assert shown["o0_cbc"] == shown["o0_z3"] == "TO"
    assert shown["o0_highs"] == "? 5.00"
    assert shown["o0_scip"] == ""
    assert shown["faster"] == ">60"


def test_cpu_time_is_compared_with_cpu_time() -> None:
    split = measured("25", "split", "robust", seconds=9.0, cpu=0.5)
    joint = measured("25", "o0_cbc", "robust", seconds=90.0, cpu=2.0)
    assert speedup(dict([split, joint]), BY_ID["25"]) == (4.0, False)


@pytest.mark.parametrize(
    ("verdict", "limit", "final"),
    [
        ("unknown", 60, True),
        ("unknown", 600, False),
        ("killed", 20, True),
        ("robust", 600, True),
        ("error", 1, False),
    ],
)
def test_only_what_more_time_may_decide_is_measured_again(verdict: str, limit: float, *, final: bool) -> None:
    _, kept = measured("11", "o0_cbc", verdict)
    assert is_final(kept, limit) is final


def test_a_page_can_be_made_of_little() -> None:
    page = markdown(dict([measured("11", "split", "not_robust")]))
    assert "decides 1 of 1 rows" in page
    assert "1 of 1 verdicts `not robust` carry an attack" in page
