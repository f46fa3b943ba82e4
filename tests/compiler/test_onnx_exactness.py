"""What is read is the file's function over the reals: nothing is rounded that float64 cannot hold."""

from fractions import Fraction
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx_models import assembled, parsed, quarters, saved

from ensc.compiler.frontend.onnx import read_network
from ensc.compiler.frontend.onnx.tensor import exact_product, exact_sum
from ensc.compiler.passes.networks.evaluate import evaluate, evaluate_exact
from ensc.compiler.types.network import Affine, Convolution, Network, Relu, Scale

F = Fraction
floats = st.floats(allow_nan=False, allow_infinity=False)


def read(text: str, folder: Path, version: int = 13) -> Network:
    return read_network(saved(parsed(text, version), folder), name="n")


def kinds(network: Network) -> list[type]:
    return [type(layer) for layer in network.layers]


def test_a_small_network_by_hand(tmp_path: Path) -> None:
    network = read(
        """g (float[N,1,2,3] x) => (float[N,2] y)
        <float[1,1,2,2] k={1,0.5,-2,1}, float[1] c={-1}, float[2,2] w={1,2,-1,0.25}, float[2] b={0.5,0}>
        { a=Conv(x,k,c) r=Relu(a) f=Flatten(r) y=Gemm(f,w,b) }""",
        tmp_path,
    )
    assert kinds(network) == [Convolution, Relu, Affine]
    x = [F(1, 3), F(2), F(3), F(4), F(5), F(1, 7)]
    first = max(F(0), F(1, 3) + 1 - 8 + 5 - 1)
    second = max(F(0), 2 + F(3, 2) - 10 + F(1, 7) - 1)
    assert evaluate_exact(network, x) == (first - second + F(1, 2), 2 * first + second / 4)
    x = [F(3), F(2), F(3), F(-4), F(5), F(1, 7)]
    first = 3 + 1 + 8 + 5 - F(1)
    assert evaluate_exact(network, x) == (first + F(1, 2), 2 * first)


def test_averages_and_maxima_by_hand(tmp_path: Path) -> None:
    network = read(
        """g (float[N,1,2,3] x) => (float[N,K] y)
        { a=AveragePool<kernel_shape=[2,3],pads=[1,0,0,0]>(x) m=MaxPool<kernel_shape=[2,2]>(x)
          p=Flatten(a) q=Flatten(m) y=Concat<axis=1>(p,q) }""",
        tmp_path,
    )
    x = [F(1), F(2), F(4), F(-1), F(-2), F(-3)]
    assert evaluate_exact(network, x) == (F(7, 3), F(1, 6), F(2), F(4))


def test_numbers_join_weights_only_if_that_is_exact(tmp_path: Path) -> None:
    text = """g (float[N,2] x) => (float[N,2] y) <float[2,2] w={1,2,3,4}, float b={%s}>
        { a=MatMul(x,w) c=Add(a,b) y=Mul(c,b) }"""
    assert kinds(read(text % "0.1", tmp_path)) == [Affine]
    tiny = read(text % "1e-30", tmp_path)
    b = F(float(np.float32(1e-30)))
    assert evaluate_exact(tiny, [F(1), F(1)]) == ((4 + b) * b, (6 + b) * b)


def test_a_sum_that_no_float_holds_stays_two_layers(tmp_path: Path) -> None:
    text = """g (float[N,2] x) => (float[N,2] y) <float[2,2] w={1,2,3,4}, float[2] b={1e30,1}, float c={1}>
        { a=Gemm(x,w,b) y=Add(a,c) }"""
    network = read(text, tmp_path)
    assert kinds(network) == [Affine, Scale]
    big = F(float(np.float32(1e30)))
    assert evaluate_exact(network, [F(0), F(0)]) == (big + 1, F(2))


def test_division_and_slopes_stay_exact(tmp_path: Path) -> None:
    text = """g (float[N,2] x) => (float[N,2] y) <float c={3}>
        { a=Div(x,c) y=LeakyRelu<alpha=0.01>(a) }"""
    network = read(text, tmp_path)
    slope = F(float(np.float32(0.01)))
    assert evaluate_exact(network, [F(1), F(-1)]) == (F(1, 3), -slope / 3)


def test_batch_normalization_takes_the_nearest_root(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    parts = {name: rng.uniform(0.1, 2, size=4).astype(np.float32) for name in "gbmv"}
    node = helper.make_node("BatchNormalization", ["x", *parts], ["z"], epsilon=1e-5)
    model = assembled([node], ["N", 4], parts)
    network = read_network(saved(model, tmp_path), name="n")
    assert "BatchNormalization" in network.rounded[0]
    x = [F(1, 3), F(-2), F(5, 7), F(0)]
    epsilon = F(float(np.float32(1e-5)))
    for i, got in enumerate(evaluate_exact(network, x)):
        gamma, beta, mean, variance = (F(float(parts[name][i])) for name in "gbmv")
        root = (got - beta) / (gamma * (x[i] - mean))
        assert float(root) == root  # a float64 ...
        for neighbour in (np.nextafter(float(root), 0), np.nextafter(float(root), 9)):
            middle = (root + F(float(neighbour))) / 2  # ... and no other is nearer
            assert (root < middle) == (middle * middle * (variance + epsilon) > 1)


@pytest.mark.parametrize(
    ("node", "rounds"),
    [
        ("Add(a,b)", True),
        ("Add(a,a)", False),
        ("Mul(a,b)", False),
        ("Div(a,b)", True),
        ("Div(b,a)", False),
        ("Sqrt(b)", True),
        ("Sqrt(a)", False),
        ("Exp(a)", True),
    ],
)
def test_rounded_constants_are_listed(tmp_path: Path, node: str, rounds: bool) -> None:
    text = f"""g (float[N,2] x) => (float[N,2] y) <float a={{4}}, float b={{1e-30}}>
        {{ c={node} y=Add(x,c) }}"""
    assert bool(read(text, tmp_path).rounded) == rounds


@pytest.mark.parametrize("name", ["FLOAT8E4M3FN", "FLOAT8E5M2"])
def test_weights_of_eight_bits_are_exact(tmp_path: Path, name: str) -> None:
    kind = TensorProto.DataType.Value(name)
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "s"], ["v"]),
        helper.make_node("MatMul", ["x", "v"], ["z"]),
    ]
    model = assembled(nodes, ["N", 2], {"s": np.array(0.5, np.float32)})
    model.graph.initializer.append(helper.make_tensor("w", kind, [2, 3], [1, -2, 0.5, 3, 0.25, -4]))
    network = read_network(saved(model, tmp_path), name="n")
    assert evaluate_exact(network, [F(1), F(1)]) == (F(2), F(-7, 8), F(-7, 4))
    assert not network.rounded


def test_functions_are_read_as_their_bodies(tmp_path: Path) -> None:
    versions = [helper.make_opsetid("", 21)]
    steps = [helper.make_node("Relu", ["a"], ["r"]), helper.make_node("Sub", ["r", "b"], ["c"])]
    inner = helper.make_function("own", "Bent", ["a", "b"], ["c"], steps, versions)
    calls = [helper.make_node("Bent", ["p", "q"], ["s"], domain="own")]
    outer = helper.make_function(
        "own", "Twice", ["p", "q"], ["s"], calls, [*versions, helper.make_opsetid("own", 1)]
    )
    model = assembled(
        [helper.make_node("Twice", ["x", "w"], ["z"], domain="own")], ["N", 2], {"w": np.ones(2, np.float32)}
    )
    model.functions.extend([inner, outer])
    model.opset_import.add(domain="own", version=1)
    network = read_network(saved(model, tmp_path), name="n")
    assert evaluate_exact(network, [F(3), F(-2)]) == (F(2), F(-1))


def test_half_precision_weights_are_exact(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).normal(size=(2, 3))
    for dtype, kind in ((np.float16, TensorProto.FLOAT16), (ml_dtypes.bfloat16, TensorProto.BFLOAT16)):
        weights = numbers.astype(dtype)
        nodes = [
            helper.make_node("Cast", ["w"], ["v"], to=TensorProto.FLOAT),
            helper.make_node("MatMul", ["x", "v"], ["z"]),
        ]
        model = assembled(nodes, ["N", 2], {})
        model.graph.initializer.append(numpy_helper.from_array(weights, "w"))
        assert model.graph.initializer[0].data_type == kind
        network = read_network(saved(model, tmp_path), name="n")
        expected = tuple(F(float(w)) for w in weights[0])
        assert evaluate_exact(network, [F(1), F(0)]) == expected


def test_external_data_in_the_folder_of_the_model(tmp_path: Path) -> None:
    weights = quarters(np.random.default_rng(0), 4, 3)
    model = assembled([helper.make_node("MatMul", ["x", "w"], ["z"])], ["N", 4], {"w": weights})
    onnx.save(model, str(tmp_path / "m.onnx"), save_as_external_data=True, location="w.bin", size_threshold=0)
    assert (tmp_path / "w.bin").stat().st_size == 48
    network = read_network(tmp_path / "m.onnx", name="n")
    np.testing.assert_array_equal(evaluate(network, np.eye(4)), weights)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 999))
def test_exact_and_floating_values_agree(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = {
        "k": rng.normal(size=(3, 1, 2, 2)).astype(np.float32),
        "b": rng.normal(size=3).astype(np.float32),
        "w": rng.normal(size=(12, 4)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "k", "b"], ["c"], pads=[0, 0, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("MaxPool", ["r"], ["m"], kernel_shape=[3, 3], strides=[1, 1]),
        helper.make_node("AveragePool", ["c"], ["a"], kernel_shape=[3, 3]),
        helper.make_node("Sub", ["m", "a"], ["s"]),
        helper.make_node("Flatten", ["s"], ["f"]),
        helper.make_node("MatMul", ["f", "w"], ["z"]),
    ]
    network = read_network(saved(assembled(nodes, ["N", 1, 4, 4], weights), tmp_path), name="n")
    x = rng.normal(size=16)
    exact = evaluate_exact(network, [F(v) for v in x])
    np.testing.assert_allclose(evaluate(network, x), [float(v) for v in exact], rtol=1e-9, atol=1e-9)


@given(floats, floats)
def test_sums_are_found_exact_just_when_they_are(a: float, b: float) -> None:
    with np.errstate(all="ignore"):
        total = np.float64(a) + np.float64(b)
    holds = bool(np.isfinite(total)) and F(float(total)) == F(a) + F(b)
    assert (exact_sum(np.array([a]), np.array([b])) is not None) == holds


@given(floats, floats)
def test_products_are_never_wrongly_found_exact(a: float, b: float) -> None:
    product = exact_product(np.array([a]), np.array([b]))
    assert product is None or F(float(product[0])) == F(a) * F(b)


@given(st.floats(width=32, min_value=2.0**-60, max_value=2.0**60), st.floats(-8, 8, width=16))
def test_products_of_short_floats_are_found_exact(a: float, b: float) -> None:
    assert exact_product(np.array([a]), np.array([b])) is not None
