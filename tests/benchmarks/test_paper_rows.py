"""The paper's 38 rows: the committed queries, points and networks belong together, and a few are answered."""

import csv
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from prepare import ensembles
from rows import HERE, Row, records, rows, text

import ensc

ROWS = rows()
OWN_DATA = [row for row in ROWS if not row.signs]


def test_the_table_holds_every_row_of_the_paper() -> None:
    assert [int(line["id"]) for line in records()] == list(range(1, 39))


def test_every_query_is_the_one_that_the_table_makes() -> None:
    written = {path.name: path.read_text() for path in (HERE / "queries").glob("*.rq")}
    assert written == {f"{row.id}.rq": text(row) for row in ROWS}


@pytest.mark.parametrize("row", OWN_DATA, ids=lambda row: row.id)
def test_a_query_says_what_its_row_says(row: Row) -> None:
    problem = ensc.load(HERE / "queries" / f"{row.id}.rq")
    assert (len(problem.ensemble), len(problem.points), problem.inputs) == (
        row.members,
        row.points,
        row.dim**2,
    )
    assert (problem.threat.radius, problem.threat.count) == (row.epsilon, row.attacks)


@pytest.mark.parametrize("row", [row for row in ensembles() if not row.signs], ids=lambda row: row.title)
def test_every_member_is_right_about_every_point_in_exact_arithmetic(row: Row) -> None:
    with np.load(HERE / "points" / f"{row.title}.npz") as file:
        x, y = file["x"].reshape(len(file["x"]), -1), file["y"]
    for c in range(1, row.members + 1):
        network = ensc.load_network(HERE / "networks" / f"{row.title}_{c}.onnx")
        for pixels, label in zip(x.tolist(), y.tolist(), strict=True):
            scores = network.exact([Fraction(pixel) for pixel in pixels])
            assert scores[label] > scores[1 - label]


def test_every_network_is_listed_with_the_accuracy_that_the_paper_asks_for() -> None:
    with (HERE / "networks" / "accuracy.csv").open(newline="") as file:
        table = {line["network"]: line for line in csv.DictReader(file)}
    assert set(table) == {path.name for path in (HERE / "networks").glob("*.onnx")}
    for name, line in table.items():
        accuracy = Fraction(line["correct"]) / Fraction(line["tested"])
        assert accuracy >= (Fraction(8, 10) if name.startswith("traffic") else Fraction(9, 10))
    assert sum(path.stat().st_size for path in (HERE / "networks").iterdir()) < 1_500_000


def test_no_traffic_sign_is_in_the_repository() -> None:
    assert not list(HERE.glob("points/traffic*"))


def run(*arguments: str, work: Path) -> subprocess.CompletedProcess[str]:
    words = [
        sys.executable,
        str(HERE / "run.py"),
        *arguments,
        "--work",
        str(work),
        "--out",
        str(work / "out"),
    ]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_the_quick_subset_leads_to_the_verdicts_in_the_table(tmp_path: Path) -> None:
    done = run("--quick", "--cells", "split", work=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "pass --gtsrb" in done.stderr
    expected = {row.id: row.expected.partition("(")[0].replace("_up_to", "_up_to_k") for row in ROWS}
    with (tmp_path / "out" / "results.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    found = {line["row"]: line["verdict"] for line in lines if line["cell"] == "split"}
    assert len(found) == 5
    assert found == {number: expected[number] for number in found}
    again = run("--quick", "--cells", "split", work=tmp_path)
    assert again.stdout == "", "what was measured is not measured again"


def test_data_that_cannot_be_read_are_said_and_nothing_is_measured(tmp_path: Path) -> None:
    done = run("--quick", "--mnist", str(tmp_path), work=tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("run: no train-images-idx3-ubyte")
    assert not (tmp_path / "out").exists()
