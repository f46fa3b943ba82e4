"""What exporters write behind the scores: the network ends before it, and chooses the same classes."""

from pathlib import Path

import numpy as np
import pytest
from onnx_models import Array, by_reference, parsed, quarters, saved

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.frontend.onnx import read_network, warnings
from ensc.compiler.frontend.onnx.summary import summarize
from ensc.compiler.passes.networks.evaluate import evaluate
from ensc.compiler.types.network import Network

POINTS = quarters(np.random.default_rng(0), 40, 4)
COLUMN = "z=Gemm(x,w,b)"
COLUMN_WEIGHTS = "float[4,1] w={1,-2,0.5,3}, float[1] b={0.25}"
SCORES = "z=MatMul(x,w)"
SCORES_WEIGHTS = "float[4,3] w={1,-2,3,0.5,1,-1,2,0.25,-3,1,1,2}"


def text(nodes: str, weights: str, target: str = "float[N,K] y") -> str:
    return f"g (float[N,4] x) => ({target}) <{weights}> {{ {nodes} }}"


def chosen(network: Network) -> Array:
    """Return the class of each point, the first of several."""
    return np.asarray(evaluate(network, POINTS.astype(np.float64)).argmax(axis=1))


SINGLE = {
    "sigmoid": "y=Sigmoid(z)",
    "sigmoid and a shape": "p=Sigmoid(z) y=Reshape(p,flat)",
    "sigmoid of a cast": "c=Cast<to=1>(z) y=Sigmoid(c)",
}


@pytest.mark.parametrize("name", SINGLE)
def test_one_probability_becomes_two_classes(name: str, tmp_path: Path) -> None:
    flat = "int64[1] flat={-1}"
    target = "float[M] y" if "flat" in SINGLE[name] else "float[N,1] y"
    model = parsed(text(f"{COLUMN} {SINGLE[name]}", f"{COLUMN_WEIGHTS}, {flat}", target))
    network = read_network(saved(model, tmp_path), name="n")
    scores = evaluate(network, POINTS.astype(np.float64))
    logits = POINTS @ np.array([1, -2, 0.5, 3]) + 0.25
    np.testing.assert_array_equal(scores, np.stack([np.zeros(40), logits], axis=1))
    np.testing.assert_array_equal(scores[:, 1] >= scores[:, 0], by_reference(model, POINTS)[:, 0] >= 0.5)
    assert [note.code for note in warnings(network)] == ["W0501"]
    assert "`Sigmoid`" in network.dropped[0]
    assert summarize(tmp_path / "m.onnx").unsupported == ()


def test_a_probability_and_its_complement_are_two_classes(tmp_path: Path) -> None:
    nodes = f"{COLUMN} p=Sigmoid(z) q=Sub(one,p) y=Concat<axis=1>(q,p)"
    model = parsed(text(nodes, f"{COLUMN_WEIGHTS}, float[1] one={{1}}", "float[N,2] y"))
    network = read_network(saved(model, tmp_path), name="n")
    assert network.classes == 2
    np.testing.assert_array_equal(chosen(network), by_reference(model, POINTS).argmax(axis=1))
    assert len(network.dropped) == 1


MULTIPLE = {
    "argmax": ("y=ArgMax<axis=1>(z)", ["ArgMax"]),
    "argmax of softmax": ("p=Softmax(z) y=ArgMax<axis=-1,keepdims=0>(p)", ["Softmax", "ArgMax"]),
    "argmax, then its type and shape": (
        "a=ArgMax<axis=1>(z) c=Cast<to=7>(a) y=Reshape(c,flat)",
        ["ArgMax"],
    ),
    "place of the highest": ("v,y=TopK<axis=1>(z,k)", ["TopK"]),
}


@pytest.mark.parametrize("name", MULTIPLE)
def test_a_choice_is_left_out(name: str, tmp_path: Path) -> None:
    nodes, operators = MULTIPLE[name]
    weights = f"{SCORES_WEIGHTS}, int64[1] flat={{-1}}, int64[1] k={{1}}"
    target = "int64[M] y" if "flat" in nodes or "keepdims" in nodes else "int64[N,1] y"
    model = parsed(text(f"{SCORES} {nodes}", weights, target))
    network = read_network(saved(model, tmp_path), name="n")
    assert network.classes == 3
    np.testing.assert_array_equal(chosen(network), by_reference(model, POINTS)[:, 0])
    assert [words.split("`")[1] for words in network.dropped] == operators
    assert summarize(tmp_path / "m.onnx").dropped == network.dropped


REFUSED = {
    "sigmoid twice": (f"{COLUMN} p=Sigmoid(z) y=Sigmoid(p)", COLUMN_WEIGHTS, "E0515", "two classes"),
    "softmax of one": (f"{COLUMN} y=Softmax(z)", COLUMN_WEIGHTS, "E0515", "two classes"),
    "half of a complement": (
        f"{COLUMN} p=Sigmoid(z) q=Sub(two,p) y=Concat<axis=1>(q,p)",
        f"{COLUMN_WEIGHTS}, float two={{2}}",
        "E0508",
        "only as `1 - p`",
    ),
    "probabilities of several things": (
        f"{SCORES} p=Sigmoid(z) q=Sub(one,p) y=Concat<axis=1>(q,p)",
        f"{SCORES_WEIGHTS}, float one={{1}}",
        "E0508",
        "of one probability",
    ),
    "the two highest": (
        f"{SCORES} v,i=TopK(z,k) y=Identity(i)",
        f"{SCORES_WEIGHTS}, int64[1] k={{2}}",
        "E0508",
        "one highest score",
    ),
    "the lowest": (
        f"{SCORES} v,y=TopK<largest=0>(z,k)",
        f"{SCORES_WEIGHTS}, int64[1] k={{1}}",
        "E0508",
        "one highest score",
    ),
    "the highest score itself": (
        f"{SCORES} y,i=TopK(z,k)",
        f"{SCORES_WEIGHTS}, int64[1] k={{1}}",
        "E0507",
        "`TopK`",
    ),
    "argmax over the batch": (f"{SCORES} y=ArgMax(z)", SCORES_WEIGHTS, "E0508", "not all the classes"),
    "arithmetic on the choice": (
        f"{SCORES} a=ArgMax<axis=1>(z) c=Cast<to=1>(a) y=Neg(c)",
        SCORES_WEIGHTS,
        "E0507",
        "`ArgMax`",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_changes_the_choice_is_refused(name: str, tmp_path: Path) -> None:
    nodes, weights, code, words = REFUSED[name]
    kind = "int64" if any(part in nodes for part in ("y=ArgMax", "v,")) else "float"
    path = saved(parsed(text(nodes, weights, f"{kind}[M,K] y")), tmp_path)
    with pytest.raises(Rejected) as info:
        read_network(path, name="n")
    assert info.value.diagnostics[0].code == code
    assert words in info.value.diagnostics[0].message


SHARES = {
    "of probabilities": "p=Sigmoid(z) s=ReduceSum(p,axis) y=Div(p,s)",
    "of absolute values": "p=Sigmoid(z) a=Abs(p) s=ReduceSum(a,axis) y=Div(p,s)",
    "by a norm": "a=Abs(z) s=ReduceSum(a,axis) y=Div(z,s)",
}


@pytest.mark.parametrize("name", SHARES)
def test_division_by_a_positive_sum_is_left_out(name: str, tmp_path: Path) -> None:
    model = parsed(text(f"{SCORES} {SHARES[name]}", f"{SCORES_WEIGHTS}, int64[1] axis={{1}}"))
    network = read_network(saved(model, tmp_path), name="n")
    np.testing.assert_array_equal(chosen(network), by_reference(model, POINTS).argmax(axis=1))
    assert any("`Div`" in words for words in network.dropped)


@pytest.mark.parametrize("axis", [0, 1])
def test_division_by_a_sum_that_may_be_negative_is_refused(axis: int, tmp_path: Path) -> None:
    nodes = f"{SCORES} s=ReduceSum(z,axis) y=Div(z,s)"
    path = saved(parsed(text(nodes, f"{SCORES_WEIGHTS}, int64[1] axis={{{axis}}}")), tmp_path)
    with pytest.raises(Rejected, match="may be negative"):
        read_network(path, name="n")


def test_division_of_every_probability_by_itself_is_refused(tmp_path: Path) -> None:
    nodes = f"{SCORES} p=Sigmoid(z) s=ReduceSum(p,axis) y=Div(p,s)"
    path = saved(parsed(text(nodes, f"{SCORES_WEIGHTS}, int64[1] axis={{0}}")), tmp_path)
    with pytest.raises(Rejected, match="not of all classes"):
        read_network(path, name="n")
