"""Resize and Upsample against onnx's reference evaluator and onnxruntime."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper
from onnx_models import Array, assembled, quarters, saved

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.frontend.onnx import read_network
from ensc.compiler.passes.networks.evaluate import evaluate

POINTS = quarters(np.random.default_rng(0), 5, 2, 3, 4)
LENGTHS: dict[str, dict[str, Any]] = {
    "doubled": {"scales": [1, 1, 2, 2]},
    "one axis": {"scales": [1, 1, 1, 3]},
    "longer": {"sizes": [1, 2, 5, 7]},
    "shorter": {"sizes": [1, 2, 2, 3]},
    "halved": {"scales": [1, 1, 1, 0.5]},
    "halved, rounded down": {"scales": [1, 1, 0.5, 0.5]},
    "to one": {"sizes": [1, 2, 1, 1]},
}
COORDINATES = ["half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners"]
CASES = [  # where corners lie is only defined if the length is whole
    (lengths, coordinates)
    for lengths in LENGTHS
    for coordinates in COORDINATES
    if (lengths, coordinates) != ("halved, rounded down", "align_corners")
]


def resized(version: int = 19, **given: Any) -> onnx.ModelProto:
    weights = {}
    inputs = ["x", "", "", ""]
    for i, (name, kind) in enumerate((("scales", np.float32), ("sizes", np.int64)), start=2):
        if name in given:
            weights[name] = np.array(given.pop(name), dtype=kind)
            inputs[i] = name
    nodes = [helper.make_node("Resize", inputs, ["z"], **given)]
    return assembled(nodes, [1, 2, 3, 4], weights, version)


def by_onnxruntime(model: onnx.ModelProto) -> Array:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return np.array([session.run(None, {"x": point[None]})[0].ravel() for point in POINTS])


def found(model: onnx.ModelProto, folder: Path) -> Array:
    network = read_network(saved(model, folder), name="n")
    assert network.rounded == ()
    return evaluate(network, POINTS.reshape(5, -1).astype(np.float64))


@pytest.mark.parametrize(("lengths", "coordinates"), CASES)
def test_linear(lengths: str, coordinates: str, tmp_path: Path) -> None:
    model = resized(mode="linear", coordinate_transformation_mode=coordinates, **LENGTHS[lengths])
    np.testing.assert_allclose(found(model, tmp_path), by_onnxruntime(model), atol=1e-5)


@pytest.mark.parametrize("nearest", ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"])
@pytest.mark.parametrize(("lengths", "coordinates"), CASES)
def test_nearest(lengths: str, coordinates: str, nearest: str, tmp_path: Path) -> None:
    how: dict[str, Any] = {
        "coordinate_transformation_mode": coordinates,
        "nearest_mode": nearest,
        **LENGTHS[lengths],
    }
    model = resized(mode="nearest", **how)
    np.testing.assert_array_equal(found(model, tmp_path), by_onnxruntime(model))


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("version", [7, 9])
def test_upsample(version: int, mode: str, tmp_path: Path) -> None:
    scales = [1.0, 1.0, 2.0, 3.0]
    if version == 7:
        node, weights = helper.make_node("Upsample", ["x"], ["z"], mode=mode, scales=scales), {}
    else:
        node = helper.make_node("Upsample", ["x", "s"], ["z"], mode=mode)
        weights = {"s": np.array(scales, dtype=np.float32)}
    model = assembled([node], [1, 2, 3, 4], weights, version)
    np.testing.assert_allclose(found(model, tmp_path), by_onnxruntime(model), atol=1e-5)


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "cubic": ({"mode": "cubic", "sizes": [1, 2, 5, 7]}, "E0508", "`cubic`"),
    "a region": (
        {"coordinate_transformation_mode": "tf_crop_and_resize", "sizes": [1, 2, 5, 7]},
        "E0508",
        "tf_crop",
    ),
    "smoothing": ({"mode": "linear", "antialias": 1, "sizes": [1, 2, 2, 2]}, "E0508", "smooths"),
    "a rounded scale": (
        {
            "nearest_mode": "floor",
            "coordinate_transformation_mode": "asymmetric",
            "scales": [1, 1, 1, 1 / 3 + 1],
        },
        "E0508",
        "runtimes disagree",
    ),
    "corners of a broken length": (
        {"mode": "linear", "coordinate_transformation_mode": "align_corners", "scales": [1, 1, 1, 1.3]},
        "E0508",
        "where corners lie",
    ),
    "huge": ({"sizes": [1, 2, 1000000, 1000000]}, "E0504", "at most"),
    "too few": ({"sizes": [5, 7]}, "E0506", "`Resize`"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name: str, tmp_path: Path) -> None:
    how, code, words = REFUSED[name]
    with pytest.raises(Rejected) as info:
        read_network(saved(resized(**how), tmp_path), name="n")
    assert info.value.diagnostics[0].code == code
    assert words in info.value.diagnostics[0].message
