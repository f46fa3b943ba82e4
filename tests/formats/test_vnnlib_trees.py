"""Decision trees have no VNN-LIB form, and every other one."""

from fractions import Fraction
from pathlib import Path

import pytest
from forests import listed, stump, tree_model
from onnx_models import saved

from ensc.cli import main


@pytest.fixture
def query(tmp_path: Path) -> Path:
    forest = stump(0.5, [1.0, 0.0], [0.0, 1.0])
    model = tree_model("TreeEnsembleRegressor", 2, {**listed(forest, "target"), "n_targets": 2})
    saved(model, tmp_path, "trees.onnx")
    path = tmp_path / "q.rq"
    path.write_text(
        'rq 1.0; ensemble C { f1 = onnx("trees.onnx"); } data X = points([[0.25, 0], [0.75, 0]], '
        "labels = [0, 1]);\n"
        f"input domain [0, 1]; attack norm Linf, radius {Fraction(1, 2)}, count auto;\n"
        "loss zero_one, ties misclassified; check value < 1;\n"
    )
    return path


def test_vnnlib_is_refused_with_the_reason(query: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["compile", str(query), "--split", str(query.parent / "d"), "--format", "vnnlib", "--every"])
        == 1
    )
    text = capsys.readouterr().err
    assert "E0562" in text
    assert "without jumps" in text
    assert not (query.parent / "d").exists()


@pytest.mark.parametrize("ending", ["mps", "lp", "smt2"])
def test_headers_name_what_trees_become(ending: str, query: Path) -> None:
    out = query.parent / f"out.{ending}"
    assert main(["compile", str(query), "-o", str(out)]) == 0
    text = out.read_text()
    assert "if leaf n of trees is reached" in text
    assert "v_1_1_1_1_1" in text
