"""A convolutional classifier of ten thousand activations is read at once, and stays sparse."""

import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, helper
from onnx_models import assembled, saved

from ensc.compiler.frontend.onnx import read_network
from ensc.compiler.types.network import Affine, Convolution, Relu


@pytest.fixture
def model() -> ModelProto:
    rng = np.random.default_rng(0)
    weights = {
        "k1": rng.normal(size=(8, 1, 3, 3)).astype(np.float32),
        "k2": rng.normal(size=(16, 8, 3, 3)).astype(np.float32),
        "k3": rng.normal(size=(32, 16, 3, 3)).astype(np.float32),
        "w": rng.normal(size=(1568, 10)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "k1"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "k2"], ["c"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Relu", ["c"], ["d"]),
        helper.make_node("MaxPool", ["d"], ["e"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["e", "k3"], ["f"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["f"], ["g"]),
        helper.make_node("Flatten", ["g"], ["h"]),
        helper.make_node("MatMul", ["h", "w"], ["z"]),
    ]
    return assembled(nodes, ["N", 1, 28, 28], weights)


def test_ten_thousand_activations(model: ModelProto, tmp_path: Path) -> None:
    path = saved(model, tmp_path)
    tracemalloc.start()
    start = time.perf_counter()
    try:
        network = read_network(path, name="n")
        seconds = time.perf_counter() - start
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(layer.size for layer in network.layers if isinstance(layer, Relu)) > 10_000
    assert [type(layer) for layer in network.layers if not isinstance(layer, Relu)][-1] is Affine
    assert sum(isinstance(layer, Convolution) for layer in network.layers) == 3
    assert seconds < 2
    assert peak < 100_000_000
