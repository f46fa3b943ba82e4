"""What `ensc info` says about a model, readable or not."""

import hashlib
from pathlib import Path

import pytest
from onnx_models import parsed, saved

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.frontend.onnx import read_network, render_summary, summarize

READABLE = """g (float[N,1,4,4] x) => (float[N,2] y)
    <float[2,1,3,3] w={0.5,1,1,1,1,1,1,1,1,0.25,1,1,1,1,1,1,1,1}, float[2] b={1,2}, float[2] m={0.1,0.3},
     float[2,2] v={1,2,3,4}>
    { c=Conv<pads=[1,1,1,1]>(x,w,b) n=BatchNormalization(c,b,b,m,m) r=Relu(n)
      q=MaxPool<kernel_shape=[4,4]>(r) f=Flatten(q) g=Gemm(f,v) y=Softmax(g) }"""
UNREADABLE = """g (float[N,6] x) => (float[N,6] y) <float[6] w={1,2,3,4,5,6}>
    { a=Mul(x,w) b=Elu(a) c=Mul(b,a) d=Relu(b) e=Thing(d) f=Elu(e) y=Add(c,f) }"""


def test_a_model_that_can_be_read(tmp_path: Path) -> None:
    path = saved(parsed(READABLE, 13, 8), tmp_path, "f1.onnx")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (
        render_summary(summarize(path))
        == f"""\
file       f1.onnx
sha256     {digest}
format     ONNX IR 8, operator sets ai.onnx 13
inputs     `x` (float ?x1x4x4)
outputs    `y` (float ?x2)
operators  BatchNormalization 1, Conv 1, Flatten 1, Gemm 1, MaxPool 1, Relu 1, Softmax 1
size       30 parameters, 32 ReLUs, 2 maxima
left out   `Softmax` at the node that makes `y` in `f1.onnx`: keeps the order of the classes
rounded    1/sqrt(var + epsilon) of `BatchNormalization` at the node that makes `n` in `f1.onnx`

layer  kind         node  outputs  parameters
    1  Convolution  c          32          20
    2  Scale        n          32           4
    3  Relu         r          32           0
    4  MaxPool      q           2           0
    5  Affine       g           2           6
"""
    )


def test_the_layers_are_those_of_the_network(tmp_path: Path) -> None:
    path = saved(parsed(READABLE, 13, 8), tmp_path)
    network, summary = read_network(path, name="n"), summarize(path)
    assert [row.kind for row in summary.layers] == [type(layer).__name__ for layer in network.layers]
    assert (summary.dropped, summary.rounded) == (network.dropped, network.rounded)
    assert dict(summary.operators) == network.operators
    assert not summary.unsupported


def test_everything_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    model = parsed(UNREADABLE, 13, 8)
    model.graph.node[4].domain = "custom"
    model.opset_import.add(domain="custom", version=1)
    summary = summarize(saved(model, tmp_path, "f1.onnx"))
    found = [(d.code, d.message.split(" at ")[0]) for d in summary.unsupported]
    assert found == [
        ("E0507", "unsupported operator `Elu`"),
        ("E0507", "unsupported operator `custom.Thing`"),
        ("E0509", "`Mul`"),
    ]
    assert summary.unsupported[0].notes[0] == "also at `f`"
    text = render_summary(summary)
    assert (
        "cannot be read [E0507]: unsupported operator `Elu` at the node that makes `b` in `f1.onnx`" in text
    )
    assert text.count("operators that are read") == 1
    assert (summary.relus, summary.parameters) == (6, 6)


def test_a_choice_that_is_missing_is_one_thing_that_cannot_be_read(tmp_path: Path) -> None:
    text = "g (float[N,4] x) => (float[N,4] y, float[N,4] z) { y=Relu(x) a=Elu(x) z=Neg(a) }"
    path = saved(parsed(text), tmp_path)
    assert [d.code for d in summarize(path).unsupported] == ["E0512", "E0507"]
    assert summarize(path, output="y").unsupported == ()
    assert [d.code for d in summarize(path, output="z").unsupported] == ["E0507"]


def test_what_is_no_model_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "f1.onnx").write_bytes(b"no model")
    with pytest.raises(Rejected, match="E0503"):
        summarize(tmp_path / "f1.onnx")
