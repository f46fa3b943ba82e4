"""Whatever is done to a valid model, it is read as a network or refused with a diagnostic."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import AttributeProto, ModelProto, numpy_helper
from onnx_models import parsed

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.frontend.onnx import read_network, render_summary, summarize
from ensc.compiler.passes.networks.evaluate import evaluate

MODEL = parsed("""
    g (float[N,2,4,4] x) => (float[N,3] y)
    <float[2,2,3,3] k={1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9},
     float[2] b={1,2}, float[2] g={1,2}, float[2] v={1,2}, int64[2] s={0,-1}, float[2,3] w={1,2,3,4,5,6},
     int64[1] one={1}, int64[1] two={2}, float six={6}, int64[8] p={0,0,1,1,0,0,0,1}>
    { a=Pad(x,p)
      c=Conv<strides=[1,1],pads=[1,1,0,0]>(a,k,b)
      n=BatchNormalization<epsilon=0.001>(c,g,b,b,v)
      r=Relu(n)
      q=MaxPool<kernel_shape=[2,2],strides=[2,2],ceil_mode=1>(r)
      t=Transpose<perm=[0,2,3,1]>(q)
      u=AveragePool<kernel_shape=[2,1],auto_pad="SAME_UPPER">(t)
      i=Slice(u,one,two,one)
      m=ReduceMean<keepdims=0>(i,one)
      e=Clip(m,,six)
      j=ReduceMax<keepdims=0>(e,one)
      f=Reshape(j,s)
      h=Gemm<alpha=0.5>(f,w)
      y=Softmax(h) }
""")
CONTENT = MODEL.SerializeToString()
OPERATORS = sorted(
    {node.op_type for node in MODEL.graph.node} | {"Gather", "Concat", "MatMul", "Cast", "Elu"}
)
NUMBERS = st.sampled_from([-(2**63), -5, -1, 0, 1, 2, 3, 100, 2**31, 2**62])

each_time = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def is_read_or_refused(path: Path) -> None:
    with suppress(Rejected):
        network = read_network(path, name="f1")
        assert evaluate(network, np.zeros(network.inputs)).shape == (network.classes,)
    with suppress(Rejected):
        assert render_summary(summarize(path))


def test_the_model_itself_is_read(tmp_path: Path) -> None:
    path = tmp_path / "f1.onnx"
    path.write_bytes(CONTENT)
    assert read_network(path, name="f1").classes == 3
    assert not summarize(path).unsupported


@each_time
@given(st.integers(0, len(CONTENT) - 1))
def test_truncated(tmp_path: Path, end: int) -> None:
    path = tmp_path / "f1.onnx"
    path.write_bytes(CONTENT[:end])
    with pytest.raises(Rejected):
        read_network(path, name="f1")


@each_time
@given(st.lists(st.tuples(st.integers(0, len(CONTENT) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_other_bytes(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    content = bytearray(CONTENT)
    for place, byte in changes:
        content[place] = byte
    path = tmp_path / "f1.onnx"
    path.write_bytes(content)
    is_read_or_refused(path)


@each_time
@given(st.data())
def test_other_graphs(tmp_path: Path, data: st.DataObject) -> None:
    model = ModelProto()
    model.CopyFrom(MODEL)
    for _ in range(data.draw(st.integers(1, 3))):
        change(model, data)
    path = tmp_path / "f1.onnx"
    path.write_bytes(model.SerializeToString())
    is_read_or_refused(path)


def change(model: ModelProto, data: st.DataObject) -> None:
    graph = model.graph
    node = data.draw(st.sampled_from(list(graph.node)))
    match data.draw(st.sampled_from(["operator", "input", "fewer", "attribute", "weight", "shape"])):
        case "operator":
            node.op_type = data.draw(st.sampled_from(OPERATORS))
        case "input":
            names = [*(n.output[0] for n in graph.node), *(w.name for w in graph.initializer), "x", ""]
            node.input.append(data.draw(st.sampled_from(names)))
        case "fewer" if node.input:
            del node.input[-1]
        case "attribute" if node.attribute:
            attribute = data.draw(st.sampled_from(list(node.attribute)))
            attribute.i = data.draw(NUMBERS)
            if attribute.type == AttributeProto.INTS:
                attribute.ints[data.draw(st.integers(0, len(attribute.ints) - 1))] = data.draw(NUMBERS)
        case "weight":
            weight = data.draw(st.sampled_from(list(graph.initializer)))
            array = numpy_helper.to_array(weight).ravel().copy()
            number = data.draw(NUMBERS) if array.dtype == np.int64 else data.draw(st.floats(width=32))
            array[data.draw(st.integers(0, array.size - 1))] = number
            weight.CopyFrom(numpy_helper.from_array(array.reshape(weight.dims), weight.name))
        case "shape":
            dimension = data.draw(st.sampled_from(list(graph.input[0].type.tensor_type.shape.dim)))
            dimension.dim_value = data.draw(NUMBERS)
        case _:
            pass
