"""With the three core packages alone, queries are checked, formatted, compiled and decoded."""

import json
import os
import re
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

import pytest
from command_line import DIGITS, Run
from rejected_files import write_files

import ensc

ROOT = Path(next(iter(ensc.__path__))).resolve()


def required(names: list[str]) -> dict[str, metadata.Distribution]:
    """Return distributions and all that they require, extras left out."""
    found: dict[str, metadata.Distribution] = {}
    while names:
        name = names.pop()
        if name in found:
            continue
        found[name] = metadata.distribution(name)
        for requirement in found[name].requires or ():
            wanted, _, marker = requirement.partition(";")
            if "extra" not in marker:
                names.append(re.split(r"[^\w.-]", wanted.strip(), maxsplit=1)[0])
    return found


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with links to the core packages of this one, to ensc, and to nothing else."""
    folder = tmp_path_factory.mktemp("core")
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for distribution in required(["lark", "numpy", "onnx"]).values():
        for part in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            (packages / part).symlink_to(Path(str(distribution.locate_file(part))).resolve())
    (packages / "ensc").symlink_to(ROOT)
    own = Path(str(metadata.distribution("ensc-compiler").locate_file("")))
    (information,) = [
        *own.glob("ensc_compiler-*.dist-info"),
        *([] if any(own.glob("ensc_compiler-*.dist-info")) else own.glob("ensc_compiler.egg-info")),
    ]
    (packages / information.name).symlink_to(information.resolve())
    return folder / "bin" / "python"


def run(python: Path, folder: Path, *arguments: str) -> Run:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    script = "import sys; from ensc.cli import main; sys.exit(main())"
    done = subprocess.run(
        [python, "-c", script, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr)


def test_nothing_else_is_there(python: Path) -> None:
    extras = (
        "mip",
        "z3",
        "pysmt",
        "rich",
        "PIL",
        "onnxruntime",
        "highspy",
        "pyscipopt",
        "hypothesis",
        "scipy",
    )
    script = "import importlib.util, sys\nprint([n for n in sys.argv[1:] if importlib.util.find_spec(n)])"
    out = subprocess.run([python, "-c", script, *extras], capture_output=True, encoding="utf-8", check=True)
    assert out.stdout == "[]\n"
    assert sys.prefix not in out.stdout


def test_core_commands(python: Path, tmp_path: Path) -> None:
    query, network = str(DIGITS / "maximize.rq"), str(DIGITS / "conv_pool.onnx")
    out = tmp_path / "out.mps"
    for arguments in (
        ("check", query),
        ("fmt", "--check", query),
        ("info", network),
        ("explain", "E0202"),
        ("compile", query, "-o", str(out)),
    ):
        done = run(python, tmp_path, *arguments)
        assert (done.code, done.err) == (0, ""), arguments
    assert out.stat().st_size > 100_000

    (tmp_path / "out.sol").write_text("Optimal - objective value 0\n      0 p_1  1  0\n", encoding="ascii")
    done = run(python, tmp_path, "decode", query, "out.sol", "--json")
    result = json.loads(done.out)
    assert result["certified"] is True
    assert result["attack"]["probabilities"] == ["1"]


def test_what_is_missing_is_said(python: Path, tmp_path: Path) -> None:
    write_files(tmp_path)
    text = (DIGITS / "maximize.rq").read_text(encoding="utf-8")
    assert "data X" in text
    query = (
        'rq 1.0;\nensemble C { f1 = onnx("f1.onnx"); }\ndata X = png("grey.png", labels = "labels.csv");\n'
        "input domain [0, 255];\nattack radius 1;\nmaximize value;\n"
    )
    (tmp_path / "png.rq").write_text(query, encoding="utf-8")
    for arguments, code in (
        (("check", "png.rq"), "E0717"),
        (("solve", str(DIGITS / "maximize.rq"), "--strategy", "joint"), "E1110"),
    ):
        done = run(python, tmp_path, *arguments)
        assert done.code == 1
        assert f"error[{code}]" in done.err
        assert "pip install" in done.err
    assert run(python, tmp_path, "solvers").code == 0
