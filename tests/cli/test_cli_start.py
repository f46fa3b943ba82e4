"""`ensc compile --mipstart`: both files, or neither."""

from pathlib import Path

import pytest
from command_line import DIGITS, run_here

QUERY = str(DIGITS / "not_robust.rq")


def test_model_and_start_are_written(tmp_path: Path) -> None:
    run = run_here(tmp_path, "compile", QUERY, "-o", "m.mps", "--mipstart", "m.mst")
    assert (run.code, run.err) == (0, "")
    assert "wrote m.mst: a start of value 0.5, replayed exactly" in run.out
    assert (tmp_path / "m.mst").read_text().startswith("# MIP start of joint\np_1 0.5\np_2 0.5\n")


def test_a_sweep_has_a_start_for_each_model(tmp_path: Path) -> None:
    sweep = ("-D", "epsilon=3/5:7/10:1/10")
    run = run_here(tmp_path, "compile", QUERY, *sweep, "-o", "m.lp.gz", "--mipstart", "m.sol")
    assert (run.code, run.err) == (0, "")
    models = sorted(p.name.removesuffix(".lp.gz") for p in tmp_path.glob("*.lp.gz"))
    assert len(models) == 2
    assert sorted(p.stem for p in tmp_path.glob("*.sol")) == models


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((str(DIGITS / "robust.rq"), "-o", "m.mps", "--mipstart", "m.mst"), "E1070"),
        ((QUERY, "-o", "m.smt2", "--mipstart", "m.mst"), "E1071"),
        ((QUERY, "-o", "m.mps", "--mipstart", "m.txt"), "E1072"),
    ],
)
def test_without_a_start_nothing_is_written(tmp_path: Path, arguments: tuple[str, ...], code: str) -> None:
    run = run_here(tmp_path, "compile", *arguments)
    assert run.code == 1
    assert f"error[{code}]" in run.err
    assert not list(tmp_path.iterdir())


def test_the_layout_can_be_asked_for(tmp_path: Path) -> None:
    asked = ("--mipstart", "m.mst", "--mipstart-format", "cplex")
    assert run_here(tmp_path, "compile", QUERY, "-o", "m.mps", *asked).code == 0
    assert (tmp_path / "m.mst").read_text().startswith("<?xml")


def test_a_start_needs_a_model_file(tmp_path: Path) -> None:
    run = run_here(tmp_path, "compile", QUERY, "--emit", "linear", "--mipstart", "m.mst")
    assert run.code == 2
    assert "--mipstart goes with" in run.err
