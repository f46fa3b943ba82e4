"""Logistic functions of each class: the scores before them are read, where they have the same order."""

from pathlib import Path

import numpy as np
import pytest
from onnx_models import by_reference, parsed, quarters, saved

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.frontend.onnx import read_network
from ensc.compiler.passes.networks.evaluate import evaluate

POINTS = quarters(np.random.default_rng(1), 60, 4)
WEIGHTS = (
    "float[4,1] u={1,-2,0.5,3}, float[4,1] v={0.5,1,-1,2}, float one={1}, float two={2}, float minus={-1}, "
    "int64[1] axis={1}, float k={2}, int64[1] flat={-1}, float[2] classes={7,3}"
)
SCORES = "a=MatMul(x,u) b=MatMul(x,v)"
SIGMOIDS = f"{SCORES} p=Sigmoid(a) q=Sigmoid(b)"
JOINED = f"{SIGMOIDS} c=Concat<axis=1>(p,q)"
ARITHMETIC = (
    f"{SCORES} na=Mul(a,minus) ea=Exp(na) da=Add(one,ea) p=Div(one,da) "
    "nb=Neg(b) eb=Exp(nb) db=Add(eb,one) q=Reciprocal(db) c=Concat<axis=1>(p,q)"
)
MASK = (
    "s=ReduceSum(c,axis) t=Cast<to=9>(s) n=Not(t) m=Cast<to=1>(n) f=Add(c,m) g=Mul(m,k) h=Add(s,g) y=Div(f,h)"
)

READ = {
    "one for each class": JOINED.replace("c=", "y="),
    "divided by their sum": f"{JOINED} s=ReduceSum(c,axis) y=Div(c,s)",
    "unless it is zero": f"{JOINED} {MASK}",
    "written out": f"{ARITHMETIC} s=ReduceSum(c,axis) y=Div(c,s)",
    "a mean of one": f"{JOINED} d=Sum(c) y=Div(d,two)",
    "and a softmax": f"{JOINED} y=Softmax<axis=1>(c)",
    "of one and its complement": f"{SIGMOIDS} i=Concat<axis=1>(p) r=Sub(one,i) y=Concat<axis=1>(r,i)",
    "moved about": f"{JOINED} d=Transpose<perm=[0,1]>(c) y=Reshape(d,shape)",
}


def text(nodes: str) -> str:
    return f"g (float[N,4] x) => (float[N,K] y) <{WEIGHTS}, int64[2] shape={{1,2}}> {{ {nodes} }}"


@pytest.mark.parametrize("name", READ)
def test_the_order_is_that_of_the_scores_before(name: str, tmp_path: Path) -> None:
    model = parsed(text(READ[name]))
    network = read_network(saved(model, tmp_path), name="n")
    scores, theirs = evaluate(network, POINTS.astype(np.float64)), by_reference(model, POINTS)
    clear = np.abs(theirs[:, 0] - theirs[:, 1]) > 1e-5
    np.testing.assert_array_equal(scores.argmax(axis=1)[clear], theirs.argmax(axis=1)[clear])
    assert clear.mean() > 0.5
    assert network.dropped


def test_scores_are_the_arguments_of_the_functions(tmp_path: Path) -> None:
    network = read_network(saved(parsed(text(READ["written out"])), tmp_path), name="n")
    exact = np.stack([POINTS @ [1, -2, 0.5, 3], POINTS @ [0.5, 1, -1, 2]], axis=1)
    np.testing.assert_array_equal(evaluate(network, POINTS.astype(np.float64)), exact)


REFUSED = {
    "another function beside": f"{SIGMOIDS} y=Concat<axis=1>(p,b)",
    "a sum of two": f"{SIGMOIDS} c=Concat<axis=1>(p,q) d=Concat<axis=1>(q,p) y=Add(c,d)",
    "no logistic function": ARITHMETIC.replace("Add(eb,one)", "Add(eb,two)").replace("c=", "y="),
    "a complement of two": f"{SIGMOIDS} r=Sub(two,p) y=Concat<axis=1>(r,q)",
    "one of another": f"{SCORES} p=Sigmoid(a) d=Add(b,p) q=Sigmoid(d) y=Concat<axis=1>(p,q)",
    "scaled before they are joined": f"{SIGMOIDS} d=Div(p,two) y=Concat<axis=1>(d,q)",
    "behind a negative factor": f"{JOINED} y=Div(c,minus)",
    "with a constant": f"{SIGMOIDS} h=Expand(two,shape1) y=Concat<axis=1>(p,h)".replace("shape1", "one1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_uses_are_refused(name: str, tmp_path: Path) -> None:
    graph = text(REFUSED[name]).replace("float k=", "int64[2] one1={1,1}, float k=")
    with pytest.raises(Rejected) as info:
        read_network(saved(parsed(graph), tmp_path), name="n")
    first = info.value.diagnostics[0]
    assert first.code in {"E0507", "E0508"}
    assert any(operator in first.message for operator in ("Sigmoid", "Exp", "Reciprocal"))


LABEL = (
    "c=Concat<axis=1>(a,b) s=ReduceSum(c,axis) y=Div(c,s) "
    "l=ArgMax<axis=1>(c) e=ai.onnx.ml.ArrayFeatureExtractor(classes,l) z=Reshape(e,flat)"
)


def labelled(output: str = "int64[M] label") -> str:
    nodes = f"{SCORES} {LABEL} label=Cast<to=7>(z)"
    return f"g (float[N,4] x) => ({output}, float[N,K] y) <{WEIGHTS}> {{ {nodes} }}"


def test_where_label_and_scores_contradict_the_label_is_read(tmp_path: Path) -> None:
    """Divided by a negative sum, the order of scores is reversed; the label was chosen before."""
    graph = labelled().replace("ai.onnx.ml.", "")
    model = parsed(graph)
    node = next(node for node in model.graph.node if node.op_type == "ArrayFeatureExtractor")
    node.domain = "ai.onnx.ml"
    model.opset_import.add(domain="ai.onnx.ml", version=3)
    network = read_network(saved(model, tmp_path), name="n")
    exact = np.stack([POINTS @ [1, -2, 0.5, 3], POINTS @ [0.5, 1, -1, 2]], axis=1)
    np.testing.assert_array_equal(evaluate(network, POINTS.astype(np.float64)), exact)
    labels = by_reference(model, POINTS, output="label")[:, 0]
    np.testing.assert_array_equal(np.where(exact.argmax(axis=1) == 0, 7, 3), labels)
    with pytest.raises(Rejected, match="sum that may be negative"):
        read_network(saved(model, tmp_path), name="n", output="y")
