"""The solvers that are installed write their files here and now, and these are read back."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ensc.compiler.types.solution import Status
from ensc.formats.solutions import read_solution

MODELS = Path(__file__).parents[1] / "samples" / "solutions" / "models"
COLUMNS = ["x_1", "b.2", "z{3}", "zero", "f_4"]
OPTIMUM = {"x_1": -0.5, "b.2": 1.0, "z{3}": 4.0, "zero": 0.0, "f_4": 5 / 12}


def assert_optimum(text: str, *, status: Status = Status.OPTIMAL, digits: float = 1e-9) -> None:
    solution = read_solution(text, "opt.sol", columns=COLUMNS)
    assert solution.status is status
    found = {name: solution.values.get(name, 0.0) for name in OPTIMUM}
    assert found == pytest.approx(OPTIMUM, abs=digits)


@pytest.mark.parametrize("style", [-1, 0, 1, 2, 3, 4])
def test_highs(style: int, tmp_path: Path) -> None:
    highspy = pytest.importorskip("highspy")
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.readModel(str(MODELS / "opt.mps"))
    solver.run()
    solver.writeSolution(str(tmp_path / "opt.sol"), style)
    status = Status.UNKNOWN if style == -1 else Status.OPTIMAL
    assert_optimum((tmp_path / "opt.sol").read_text(), status=status, digits=1e-6)


def test_scip(tmp_path: Path) -> None:
    pyscipopt = pytest.importorskip("pyscipopt")
    model = pyscipopt.Model()
    model.hideOutput()
    model.readProblem(str(MODELS / "opt.mps"))
    model.optimize()
    model.writeBestSol(str(tmp_path / "opt.sol"))
    model.writeStatistics(str(tmp_path / "opt.stats"))
    text = (tmp_path / "opt.sol").read_text()
    assert_optimum(text, status=Status.FEASIBLE)
    solution = read_solution(text, "opt.sol", companion=(tmp_path / "opt.stats").read_text())
    assert solution.status is Status.OPTIMAL
    assert solution.bound == pytest.approx(29 / 24)


@pytest.mark.parametrize("printing", ["normal", "all"])
def test_cbc(printing: str, tmp_path: Path) -> None:
    package = pytest.importorskip("cbcbox")
    program = Path(package.__file__).parent / "cbc_dist" / "bin" / "cbc"
    out = tmp_path / "opt.sol"
    command: list[str | Path] = [
        program,
        MODELS / "opt.mps",
        "-solve",
        "-printingOptions",
        printing,
        "-solution",
        out,
        "-quit",
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert_optimum(out.read_text())


@pytest.mark.parametrize("option", ["-w", "-o"])
def test_glpk(option: str, tmp_path: Path) -> None:
    program = shutil.which("glpsol")
    if program is None:
        pytest.skip("glpsol is not installed")
    out = tmp_path / "opt.sol"
    command: list[str | Path] = [program, "--freemps", MODELS / "opt.mps", option, out]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert_optimum(out.read_text(), digits=1e-6)


def test_z3() -> None:
    z3 = pytest.importorskip("z3")
    script = """
        (set-option :produce-models true) (set-logic QF_LRA)
        (declare-fun x () Real) (declare-fun |a b| () Real) (declare-fun b () Bool)
        (assert (= (* 3.0 x) (- 1.0))) (assert (= (* 7.0 |a b|) x)) (assert b)
        (check-sat) (get-value (x |a b| b))
    """
    context = z3.Context()
    solution = read_solution(z3.Z3_eval_smtlib2_string(context.ref(), script), "z3")
    assert solution.status is Status.FEASIBLE
    assert solution.values["x"] * 3 == -1
    assert solution.values["a b"] * 7 == solution.values["x"]
    assert solution.values["b"] == 1
