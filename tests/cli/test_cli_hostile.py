"""Whatever is given, the answer is a diagnostic and exit code 1: no traceback, no file half written."""

import os
import random
import shutil
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from command_line import COMMAND, DIGITS, Run, run_here
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from queries import query, write_folder

EXAMPLES = [path.read_text(encoding="utf-8") for path in sorted(DIGITS.glob("*.rq"))]
PIECES = (
    *(";", ",", "{", "}", "(", ")", "[", "]", '"', "..", "=", "<", ">=", "-", "//", "\n", "\0", "\ufeff"),
    *("rq 1.0;", "param", "include", "-1", "1e999", "0", "inf", "auto", "digits.rqi", "é", "L2", "count 0"),
    *('include "digits.rqi";', "check value < 1;", "unbounded", "NHWC", "scale = 1/255", "rows = [0..99999]"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folder(tmp_path)
    (tmp_path / "q.rq").write_text(query(), encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("digits")
    for name in ("digits.rqi", "points.npz", "conv_pool.onnx", "dense_20_20.onnx", "dense_24_16.onnx"):
        shutil.copy(DIGITS / name, path)
    return path


def rejected(run: Run) -> str:
    assert (run.code, run.out) == (1, "")
    assert "error[E" in run.err
    assert "E0001" not in run.err
    assert "Traceback" not in run.err
    return run.err


# Queries -----------------------------------------------------------------------------------------------


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """Draw an example with some pieces cut, doubled or put somewhere else, and some bytes changed."""
    text = draw(st.sampled_from(EXAMPLES))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 30)))
        new = draw(st.one_of(st.sampled_from(PIECES), st.just(""), st.just(2 * text[start:end])))
        text = text[:start] + new + text[end:]
    content = bytearray(text.encode())
    for _ in range(draw(st.integers(0, 2))):
        if content:
            content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mutations())
def test_mutated_queries(digits: Path, content: bytes) -> None:
    (digits / "q.rq").write_bytes(content)
    before = sorted(digits.iterdir())
    for arguments in (("check", "q.rq"), ("fmt", "--stdout", "q.rq"), ("compile", "q.rq", "--emit", "query")):
        run = run_here(digits, *arguments)
        assert run.code in {0, 1}
        assert "E0001" not in run.err
        assert (run.code == 0) != ("error[E" in run.err)
    assert sorted(digits.iterdir()) == before


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=20), st.sampled_from(["-D", "--network", "--data"]))
def test_any_argument(digits: Path, text: str, option: str) -> None:
    shutil.copy(DIGITS / "robust.rq", digits / "q.rq")
    run = run_here(digits, "check", "q.rq", f"{option}{'=' if option != '-D' else ''}{text}")
    assert run.code in {0, 1, 2}
    assert "E0001" not in run.err


@pytest.mark.parametrize("command", ["check", "solve", "fmt", "info"])
@pytest.mark.parametrize(
    "path", ["missing", "", ".", "loop", "dangling", "pipe", "a" * 5000, "/dev/zero", "q\0q"]
)
def test_paths_that_are_no_files(folder: Path, command: str, path: str) -> None:
    (folder / "loop").symlink_to("loop")
    (folder / "dangling").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    rejected(run_here(folder, command, path))


# Networks and data -------------------------------------------------------------------------------------


def test_damaged_networks(folder: Path) -> None:
    whole = (folder / "f1.onnx").read_bytes()
    rng = random.Random(5)  # noqa: S311 - no secret
    damaged = [whole[: len(whole) * part // 20] for part in range(20)]
    for _ in range(60):
        changed = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        damaged.append(bytes(changed))
    refused = 0
    for content in damaged:
        (folder / "f1.onnx").write_bytes(content)
        for arguments in (("info", "f1.onnx"), ("compile", "q.rq", "-o", "out.mps")):
            run = run_here(folder, *arguments)
            assert run.code in {0, 1}
            assert "E0001" not in run.err
            assert (folder / "out.mps").exists() == (arguments[0] == "compile" and run.code == 0)
            (folder / "out.mps").unlink(missing_ok=True)
            refused += run.code
    assert refused > 40


def test_damaged_data(folder: Path) -> None:
    whole = (folder / "p.npz").read_bytes()
    rng = random.Random(6)  # noqa: S311 - no secret
    for number in range(80):
        content = bytearray(whole[: len(whole) * number // 20] if number < 20 else whole)
        for _ in range(rng.randint(1, 4) if content else 0):
            content[rng.randrange(len(content))] = rng.randrange(256)
        (folder / "p.npz").write_bytes(content)
        run = run_here(folder, "check", "q.rq")
        assert run.code in {0, 1}
        assert "E0001" not in run.err


def test_numbers_that_are_none(folder: Path) -> None:
    for bad in (np.nan, np.inf, -np.inf):
        points = np.ones((7, 4))
        points[3, 2] = bad
        np.savez(folder / "p.npz", x=points, y=np.zeros(7, int))
        assert "E0708" in rejected(run_here(folder, "check", "q.rq"))


def write_bomb(path: Path) -> None:
    """Write an archive of 64 KiB that unpacks to 64 MiB and says that it holds 4 GiB."""
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (134217728, 4), }"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as stream:
        stream.write(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)
        for _ in range(64):
            stream.write(bytes(1 << 20))


def test_a_bomb_is_refused_quickly_and_in_little_memory(folder: Path) -> None:
    resource = pytest.importorskip("resource", reason="only Unix limits memory")
    write_bomb(folder / "p.npz")
    started = time.monotonic()
    done = subprocess.run(
        [*COMMAND, "check", "q.rq"],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30)),
    )
    rejected(Run(done.returncode, done.stdout, done.stderr))
    assert time.monotonic() - started < 30


# Output ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target", ["nowhere/out.mps", ".mps/", "q.rq/out.mps", "a" * 300 + ".mps", "out\0.mps"]
)
def test_outputs_that_cannot_be_written(folder: Path, target: str) -> None:
    before = sorted(folder.iterdir())
    rejected(run_here(folder, "compile", "q.rq", "-o", target))
    assert sorted(folder.iterdir()) == before


def test_a_rejected_query_leaves_the_old_file(folder: Path) -> None:
    (folder / "out.mps").write_text("old", encoding="ascii")
    rejected(run_here(folder, "compile", "q.rq", "-o", "out.mps", "-D", "epsilon=-1"))
    assert (folder / "out.mps").read_text(encoding="ascii") == "old"
    assert not list(folder.glob(".ensc*"))


# Interruption ------------------------------------------------------------------------------------------


def descendants(parent: int) -> list[int]:
    """Return the processes below one, from /proc."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:  # it ended
            continue
        if int(fields[1]) == parent:
            child = int(status.parent.name)
            found += [child, *descendants(child)]
    return found


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are counted in /proc")
def test_interruption_ends_the_solver(tmp_path: Path) -> None:
    """The query takes CBC long: three attacks on ten points."""
    arguments = [*COMMAND, "solve", str(DIGITS / "robust.rq"), "--strategy", "joint", "-O", "0"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    out = tmp_path / "said"
    with out.open("wb") as said:
        child = subprocess.Popen([*arguments], stdout=said, stderr=said, env=environment)
        until = time.monotonic() + 60
        while not (workers := descendants(child.pid)) and time.monotonic() < until:
            time.sleep(0.05)
        assert workers
        time.sleep(0.5)
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 130
    assert out.read_text(encoding="utf-8") == "interrupted\n"
    until = time.monotonic() + 10
    while any(map(alive, workers)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(alive, workers))
    assert [path.name for path in tmp_path.iterdir()] == ["said"]  # no temporary files either
