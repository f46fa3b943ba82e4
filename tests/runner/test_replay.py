"""onnxruntime really runs the files here."""

import hashlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ensc.compiler.frontend.onnx.load import weights_of
from ensc.compiler.frontend.onnx.read import read_network
from ensc.compiler.types.network import Network
from ensc.compiler.types.problem import EnsembleProblem, Untargeted
from ensc.compiler.types.solution import Attack
from ensc.runner.exact.certify import certify
from ensc.runner.exact.replay import Agreement, replay

F = Fraction
Maker = Callable[..., EnsembleProblem]
FAR = Attack((F(1),), (((F(2),),),))
TIE = Attack((F(1),), (((F(1),),),))


def written(
    path: Path, *, batch: Sequence[int | str] = (1,), softmax: bool = False, kind: int = TensorProto.FLOAT
) -> Path:
    """Two classes over one input: f_0 = 0, f_1 = x - 1."""
    dtype = np.float64 if kind == TensorProto.DOUBLE else np.float32
    weight = numpy_helper.from_array(np.array([[0.0, 1.0]], dtype), "w")
    bias = numpy_helper.from_array(np.array([0.0, -1.0], dtype), "b")
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["z"])]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["z"], ["y"], axis=1))
    out = helper.make_tensor_value_info("y" if softmax else "z", kind, [*batch, 2])
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", kind, [*batch, 1])], [out], [weight, bias]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def replayed(problem: EnsembleProblem, attack: Attack) -> Agreement:
    return replay(problem, attack, certify(problem, attack))


@pytest.fixture
def query(make_problem: Maker) -> Callable[..., EnsembleProblem]:
    def make(path: Path, *, network: Network | None = None, **options: object) -> EnsembleProblem:
        read = network or read_network(path, name="f1")
        problem = make_problem([read], [[0.0]], [0], radius=2, paths=[str(path)], **options)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return replace(problem, ensemble=(replace(problem.ensemble[0], sha256=digest),))

    return make


def test_changed_weights_are_not_replayed(tmp_path: Path, query: Maker) -> None:
    path = written(tmp_path / "f1.onnx")
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="w.bin", size_threshold=0)
    problem = query(path)
    member = replace(problem.ensemble[0], weights=weights_of(path, None))
    problem = replace(problem, ensemble=(member,))
    assert replayed(problem, FAR).compared == 1
    (tmp_path / "w.bin").write_bytes(bytes((tmp_path / "w.bin").stat().st_size))
    assert "has changed since the query was read" in replayed(problem, FAR).skipped[0]
    (tmp_path / "w.bin").unlink()
    assert "has changed since the query was read" in replayed(problem, FAR).skipped[0]


@pytest.mark.parametrize("batch", [(1,), ("N",)])
@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.DOUBLE])
def test_float32_agrees(tmp_path: Path, query: Maker, batch: tuple[int | str, ...], kind: int) -> None:
    problem = query(written(tmp_path / "f.onnx", batch=batch, kind=kind))
    for attack in (FAR, TIE):
        found = replayed(problem, attack)
        assert (found.compared, found.differences, found.skipped) == (1, (), ())
        assert found.summary == "onnxruntime agrees on 1 of 1 losses"


def test_what_rounding_changes_is_named(tmp_path: Path, query: Maker) -> None:
    """The point 1 - 2^-40 is 1 in float32: a tie there, and none in exact arithmetic."""
    attack = Attack((F(1),), (((1 - F(1, 2**40),),),))
    found = replayed(query(written(tmp_path / "f.onnx")), attack)
    (difference,) = found.differences
    assert (difference.attack, difference.point, difference.member) == (0, 0, 0)
    assert not difference.exact
    assert difference.margin == 0
    assert found.summary.endswith("agrees on 0 of 1 losses; differs at attack 1 point 1 member 1 (margin 0)")


def test_a_softmax_keeps_the_order_but_not_a_margin(tmp_path: Path, query: Maker) -> None:
    path = written(tmp_path / "f.onnx", softmax=True)
    assert replayed(query(path), FAR).differences == ()
    found = replayed(query(path, loss=Untargeted(F(1, 2))), FAR)
    assert found.compared == 0
    assert "margin is about the logits before" in found.summary


def test_a_file_that_changed_or_went_is_not_run(tmp_path: Path, query: Maker) -> None:
    path = written(tmp_path / "f.onnx")
    problem = query(path)
    written(path, softmax=True)
    assert replayed(problem, FAR).summary.startswith("not replayed: f1: `f1.onnx` has changed")
    path.unlink()
    assert "is gone" in replayed(problem, FAR).summary


def test_a_file_that_onnxruntime_cannot_run_is_said_so(tmp_path: Path, query: Maker) -> None:
    path = written(tmp_path / "f.onnx")
    network = read_network(path, name="f1")
    path.write_bytes(b"no model")
    assert "onnxruntime cannot run it" in replayed(query(path, network=network), FAR).summary


def test_without_onnxruntime_nothing_fails(tmp_path: Path) -> None:
    """In an interpreter that finds no onnxruntime, replay says what to install."""
    script = """
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "onnxruntime" else find(name, *rest)
from ensc.runner.exact.replay import replay
print(replay(None, None, None).summary)
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert ran.stdout.startswith("not replayed: onnxruntime is not installed (`pip install")
