"""The committed networks and points of examples/digits are what its README says they are."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
NAMES = ("dense_24_16", "dense_20_20", "conv_pool")


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(name: str) -> onnx.ModelProto:
    return onnx.load(DIGITS / f"{name}.onnx")


def points() -> dict[str, npt.NDArray[np.generic]]:
    with np.load(DIGITS / "points.npz", allow_pickle=False) as archive:
        return dict(archive)


def parameters(model: onnx.ModelProto) -> list[npt.NDArray[np.generic]]:
    return [onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer]


def sizes(values: list[onnx.ValueInfoProto]) -> dict[str, list[str | int]]:
    return {
        value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in values
    }


def relus(model: onnx.ModelProto) -> int:
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    shapes = sizes(list(inferred.graph.value_info))
    outputs = [node.output[0] for node in model.graph.node if node.op_type == "Relu"]
    return sum(int(np.prod([int(axis) for axis in shapes[output][1:]])) for output in outputs)


def test_every_network_of_the_folder_is_tested() -> None:
    assert {path.stem for path in DIGITS.glob("*.onnx")} == set(NAMES)


def test_files_are_small() -> None:
    files = [*DIGITS.glob("*.onnx"), DIGITS / "points.npz"]
    assert all(0 < path.stat().st_size < 100_000 for path in files)


def test_network_is_valid_with_the_common_signature(model: onnx.ModelProto) -> None:
    onnx.checker.check_model(model, full_check=True)
    assert sizes(list(model.graph.input)) == {"x": ["N", 1, 8, 8]}
    assert sizes(list(model.graph.output)) == {"logits": ["N", 10]}


def test_network_classifies_every_point_as_its_label(model: onnx.ModelProto) -> None:
    data = points()
    (logits,) = ReferenceEvaluator(model).run(None, {"x": data["x"].astype(np.float32)})
    np.testing.assert_array_equal(np.argmax(logits, axis=1), data["y"])


def test_parameters_lie_on_the_grid(model: onnx.ModelProto) -> None:
    for array in parameters(model):
        steps = array.astype(np.float64) * 2**12
        np.testing.assert_array_equal(steps, np.round(steps))
        assert not np.signbit(array[array == 0]).any()


def test_readme_row_describes_the_file(name: str, model: onnx.ModelProto) -> None:
    right, total = map(int, {p.key: p.value for p in model.metadata_props}["test_accuracy"].split("/"))
    count = sum(array.size for array in parameters(model))
    ending = f"| {relus(model)} | {count} | {right}/{total} = {right / total:.1%} |".replace("%", " %")
    (row,) = (
        line
        for line in (DIGITS / "README.md").read_text(encoding="utf-8").splitlines()
        if line.startswith(f"| `{name}.onnx` ")
    )
    assert row.endswith(ending)
    assert right / total >= 0.95
    assert f"{right}/{total}" in model.doc_string


def test_points_are_pixel_levels_of_every_class_in_turn() -> None:
    data = points()
    assert {key: (str(a.dtype), a.shape) for key, a in data.items()} == {
        "x": ("uint8", (40, 1, 8, 8)),
        "y": ("int64", (40,)),
        "row": ("int64", (40,)),
    }
    assert data["x"].max() == 16
    np.testing.assert_array_equal(data["y"], np.arange(40) % 10)
    assert len(set(data["row"].tolist())) == 40
