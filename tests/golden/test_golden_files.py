"""The text of whole model files, so that a change of any byte is seen and meant.

`pytest tests/golden --update` writes them anew: explain every difference in the commit.
"""

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from command_line import run_here
from onnx_models import parsed

GOLDEN = Path(__file__).parent
NAMES = sorted(path.stem for path in GOLDEN.glob("*.rq"))
SUFFIXES = ("mps", "lp")


def write_inputs(folder: Path) -> None:
    """Write two networks of two inputs and two classes, one with a rectifier and one with a maximum."""
    relu = (
        "g (float[N,2] x) => (float[N,2] y) <float[2,2] v = {1, -1, 2, 0.5}, float[2] a = {0, 0.25}, "
        "float[2,2] w = {1, -1, -1, 1}, float[2] b = {0.5, 0}> "
        "{ u = Gemm(x, v, a) h = Relu(u) y = Gemm(h, w, b) }"
    )
    pool = (
        "g (float[N,1,1,2] x) => (float[N,2] y) <float[1,2] w = {1, -1}, float[2] b = {-0.5, 0.5}> "
        "{ m = MaxPool<kernel_shape = [1, 2]>(x) f = Flatten(m) y = Gemm(f, w, b) }"
    )
    for name, text in {"relu": relu, "pool": pool}.items():
        onnx.save(parsed(text, 13), folder / f"{name}.onnx")
    np.savez(folder / "points.npz", x=np.array([[1, 0], [0, 1]]), y=np.array([0, 1]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("golden")
    write_inputs(path)
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", NAMES)
def test_golden_file(name: str, suffix: str, folder: Path, request: pytest.FixtureRequest) -> None:
    text = (GOLDEN / f"{name}.rq").read_text(encoding="utf-8")
    found = re.match(r"// run: compile ?(.*)\n", text)
    assert found
    (folder / f"{name}.rq").write_text(text, encoding="utf-8")
    run = run_here(folder, "compile", f"{name}.rq", "-o", f"{name}.{suffix}", *found[1].split())
    assert (run.code, run.err) == (0, "")
    written = (folder / f"{name}.{suffix}").read_text(encoding="ascii")
    # The version and the hashes of the query and its networks change with what is not the format's.
    written = re.sub(r"ensc \d+\.\d+\.\d+", "ensc VERSION", written, count=1)
    written = re.sub(r"\b[0-9a-f]{64}\b", "HASH", written)
    expected = GOLDEN / f"{name}.{suffix}"
    if request.config.getoption("--update"):
        expected.write_text(written, encoding="ascii")
    assert written == expected.read_text(encoding="ascii")


def test_every_file_belongs_to_a_query() -> None:
    files = {path.stem for suffix in SUFFIXES for path in GOLDEN.glob(f"*.{suffix}")}
    assert files == set(NAMES)
