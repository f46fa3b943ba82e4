"""The way around: compile, let the program `cbc` solve the file by itself, decode what it wrote."""

import gzip
import importlib.util
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from command_line import DIGITS, run_here


def programs() -> list[str]:
    """Return the `cbc` programs: of the system (2.10 in Debian), and the newer one that comes with mip."""
    found = [path] if (path := shutil.which("cbc")) else []
    if importlib.util.find_spec("cbcbox") is None:
        return found
    return [*found, importlib.import_module("cbcbox").cbc_bin_path()]


@pytest.fixture(params=["system", "with mip"])
def cbc(request: pytest.FixtureRequest) -> str:
    # The system's program comes first; a machine without it skips the second name, not the first.
    found = programs()
    index = 0 if request.param == "system" else 1
    if index >= len(found):
        pytest.skip(f"{len(found)} of 2 programs `cbc` are installed")
    return found[index]


@pytest.mark.parametrize("name", ["maximize.rq", "targeted.rq", "count1.rq"])
def test_the_program_alone(cbc: str, name: str, tmp_path: Path) -> None:
    model, solution = tmp_path / "out.mps", tmp_path / "out.sol"
    assert run_here(DIGITS, "compile", name, "-o", str(model)).code == 0
    # With dashes both the old and the new command line are understood.
    subprocess.run(
        [cbc, str(model), "-solve", "-solu", str(solution)], capture_output=True, timeout=100, check=True
    )
    decoded = run_here(DIGITS, "decode", name, str(solution), "--json")
    solved = run_here(DIGITS, "solve", name, "--json")
    assert (decoded.code, decoded.err) == (solved.code, solved.err) == (0, "")
    one, two = json.loads(decoded.out), json.loads(solved.out)
    assert (one["verdict"], one["digest"]) == (two["verdict"], two["digest"])
    if not one["verdict"].startswith("robust"):
        assert one["value"] == two["value"]
        assert one["certified"]
        assert two["certified"]


def test_a_gzipped_solution_and_a_saved_attack(tmp_path: Path) -> None:
    text = "Optimal - objective value 0\n      0 p_1  1  0\n"
    (tmp_path / "out.sol.gz").write_bytes(gzip.compress(text.encode()))
    solution, attack = str(tmp_path / "out.sol.gz"), str(tmp_path / "attack.npz")
    run_here(DIGITS, "decode", "maximize.rq", solution, "--save-attack", attack)
    with np.load(attack) as arrays:
        assert arrays["probabilities"].tolist() == [1]
        assert not arrays["perturbations"].any()
