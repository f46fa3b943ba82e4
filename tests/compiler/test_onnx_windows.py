"""Convolutions and pools of every geometry, against onnxruntime."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from onnx import ModelProto, helper
from onnx_models import Array, assembled, quarters, saved

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.frontend.onnx import read_network
from ensc.compiler.passes.networks.evaluate import evaluate
from ensc.compiler.types.network import Network

onnxruntime = pytest.importorskip("onnxruntime")

# What ensc may refuse although onnxruntime goes on: its integer division rounds towards zero, so that it
# sometimes counts one window where the definition counts none; and the places where runtimes disagree.
REFUSALS = ("no window of", "runtimes disagree", "lies in the padding altogether", "at least two classes")

each_geometry = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass(frozen=True)
class Case:
    operator: str
    attributes: dict[str, Any]
    points: Array
    weights: dict[str, Array]


def lengths(draw: st.DrawFn, rank: int, least: int, most: int) -> list[int]:
    return [draw(st.integers(least, most)) for _ in range(rank)]


def geometry(draw: st.DrawFn, kernel: Sequence[int]) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    if draw(st.booleans()):
        attributes["strides"] = lengths(draw, len(kernel), 1, 3)
    if draw(st.booleans()):
        attributes["dilations"] = lengths(draw, len(kernel), 1, 2)
    mode = draw(st.sampled_from(["NOTSET", "pads", "VALID", "SAME_UPPER", "SAME_LOWER"]))
    if mode == "pads":  # onnxruntime wants pads smaller than the kernel
        attributes["pads"] = [draw(st.integers(0, k - 1)) for k in (*kernel, *kernel)]
    else:
        attributes["auto_pad"] = mode
    return attributes


@st.composite
def convolutions(draw: st.DrawFn) -> Case:
    rank, group = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    spatial, kernel = lengths(draw, rank, 3, 6), lengths(draw, rank, 1, 3)
    channels, outputs = group * draw(st.integers(1, 2)), group * draw(st.integers(1, 2))
    weights: dict[str, Array] = {"w": quarters(rng, outputs, channels // group, *kernel)}
    if draw(st.booleans()):
        weights["b"] = quarters(rng, outputs)
    attributes = {"group": group, **geometry(draw, kernel)}
    return Case("Conv", attributes, quarters(rng, 2, channels, *spatial), weights)


@st.composite
def transposed_convolutions(draw: st.DrawFn) -> Case:
    rank, group = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    spatial, kernel = lengths(draw, rank, 2, 4), lengths(draw, rank, 1, 3)
    channels = group * draw(st.integers(1, 2))
    weights: dict[str, Array] = {"w": quarters(rng, channels, draw(st.integers(1, 2)), *kernel)}
    attributes = {"group": group, **geometry(draw, kernel)}
    strides = attributes.get("strides", [1] * rank)
    if draw(st.booleans()):
        attributes["output_padding"] = [draw(st.integers(0, s - 1)) for s in strides]
    elif draw(st.booleans()):
        attributes["output_shape"] = [n * s for n, s in zip(spatial, strides, strict=True)]
    return Case("ConvTranspose", attributes, quarters(rng, 2, channels, *spatial), weights)


@st.composite
def pools(draw: st.DrawFn) -> Case:
    rank, channels = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    spatial, kernel = lengths(draw, rank, 3, 6), lengths(draw, rank, 1, 3)
    attributes = {"kernel_shape": kernel, **geometry(draw, kernel)}
    attributes["ceil_mode"] = draw(st.integers(0, 1))
    operator = draw(st.sampled_from(["MaxPool", "AveragePool"]))
    if operator == "AveragePool":
        attributes["count_include_pad"] = draw(st.integers(0, 1))
    return Case(operator, attributes, quarters(rng, 2, channels, *spatial), {})


@each_geometry
@given(st.one_of(convolutions(), transposed_convolutions(), pools()))
def test_every_geometry(tmp_path: Path, case: Case) -> None:
    node = helper.make_node(case.operator, ["x", *case.weights], ["z"], **case.attributes)
    model = assembled([node], [1, *case.points.shape[1:]], case.weights)
    expected = by_runtime(model, case.points)
    assume(expected is not None)
    network = read_or_refuse(saved(model, tmp_path))
    if network is None:
        return
    got = evaluate(network, case.points.reshape(len(case.points), -1))
    assert expected is not None
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)


def read_or_refuse(path: Path) -> Network | None:
    try:
        return read_network(path, name="n")
    except Rejected as rejected:
        if any(reason in str(rejected) for reason in REFUSALS):
            return None
        raise


def by_runtime(model: ModelProto, x: Array) -> npt.NDArray[np.float64] | None:
    """Return what onnxruntime computes for each input; None if it refuses the model."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        rows = [session.run(["y"], {"x": one[None].astype(np.float32)})[0].ravel() for one in x]
    except Exception:  # noqa: BLE001 - its exceptions have no other base
        return None
    return np.asarray(rows, dtype=np.float64)
