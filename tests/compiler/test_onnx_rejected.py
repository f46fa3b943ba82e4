"""What cannot be read is refused with a code, the file, the node and the place; quickly, in little memory."""

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx_models import assembled, parsed, saved

import ensc
from ensc.compiler.diagnostics import Diagnostic, Rejected, Source, Span
from ensc.compiler.frontend.onnx import read_network, warnings

EXPLANATIONS = Path(ensc.__file__).parent / "compiler" / "explanations"
VECTOR = "float[N,4] x"
SCORES = "float[N,4] y"


def rejected(
    path: Path,
    *,
    input: str | None = None,  # noqa: A002 - as `read_network` has it
    output: str | None = None,
) -> tuple[Diagnostic, ...]:
    with pytest.raises(Rejected) as info:
        read_network(path, name="f1", input=input, output=output)
    for diagnostic in info.value.diagnostics:
        assert (EXPLANATIONS / f"{diagnostic.code}.md").is_file()
    return info.value.diagnostics


def graph(nodes: str, weights: str = "", source: str = VECTOR, target: str = SCORES) -> str:
    return f"g ({source}) => ({target}) <{weights}> {{ {nodes} }}"


# Name: code, what the message or its help says, the graph.
GRAPHS = {
    "dangling": ("E0506", "breaks the rules", graph("y=Add(x,z)")),
    "cycle": ("E0506", "breaks the rules", graph("a=Add(x,b) b=Relu(a) y=Relu(b)")),
    "unknown operator": ("E0506", "breaks the rules", graph("y=Foo(x)")),
    "twice": ("E0506", "breaks the rules", graph("y=Relu(x) y=Neg(x)")),
    "types": ("E0506", "types and shapes", graph("y=Add(x,w)", "int64[4] w={1,2,3,4}")),
    "shapes": (
        "E0506",
        "the shapes [1, 4], [3] do not fit together",
        graph("y=Add(x,w)", "float[3] w={1,2,3}"),
    ),
    "reshape": ("E0506", "`Reshape` at", graph("z=Reshape(x,s) y=Relu(z)", "int64[2] s={3,4}")),
    "index": ("E0506", "`Gather` at", graph("y=Gather<axis=1>(x,i)", "int64[4] i={0,1,2,9}")),
    "curved": ("E0507", "unsupported operator `Elu` at the node that makes `y` in", graph("y=Elu(x)")),
    "step": ("E0507", "`ThresholdedRelu`", graph("y=ThresholdedRelu(x)")),
    "softmax inside": ("E0507", "`Softmax`", graph("s=Softmax(x) y=Neg(s)")),
    "root of a computed value": ("E0507", "`Sqrt`", graph("y=Sqrt(x)")),
    "power": ("E0508", "power other than 1", graph("y=Pow(x,e)", "float e={2}")),
    "indices of a pool": (
        "E0508",
        "its output `i` is used",
        graph(
            "a,i=MaxPool<kernel_shape=[1]>(x) b=Cast<to=1>(i) z=Add(a,b) y=Flatten(z)",
            source="float[N,2,2] x",
        ),
    ),
    "dropout in training": (
        "E0508",
        "training mode",
        graph("y=Dropout(x,r,t)", "float r={0.5}, bool t={1}"),
    ),
    "cast to integers": ("E0508", "step function", graph("i=Cast<to=7>(x) y=Cast<to=1>(i)")),
    "softmax over other things": (
        "E0508",
        "not all the classes",
        graph("s=Softmax<axis=1>(x) y=Flatten(s)", source="float[N,2,2] x"),
    ),
    "half a softmax": ("E0508", "not all the classes", graph("y=Softmax<axis=0>(x)")),
    "gap between pool windows": (
        "E0508",
        "runtimes disagree",
        graph(
            'p=MaxPool<kernel_shape=[1],strides=[3],auto_pad="SAME_UPPER">(x) y=Flatten(p)',
            source="float[N,1,9] x",
            target="float[N,K] y",
        ),
    ),
    "product": ("E0509", "its input `r` is computed", graph("r=Relu(x) y=Mul(x,r)")),
    "matrix product": (
        "E0509",
        "has to be a constant",
        graph("t=Transpose(x) m=MatMul(t,x) y=Flatten<axis=0>(m)", target="float[K,16] y"),
    ),
    "computed divisor": ("E0509", "`Div`", graph("y=Div(w,x)", "float[4] w={1,2,3,4}")),
    "open dimensions": ("E0510", "open dimension", graph("y=Relu(x)", source="float[N,M] x")),
    "open vector": ("E0510", "open dimension", graph("y=Relu(x)", source="float[M] x")),
    "two inputs": ("E0511", "has 2 inputs", graph("y=Add(x,z)", source="float[N,4] x, float[N,4] z")),
    "no input": ("E0511", "has no input", graph("y=Relu(w)", "float[4] w={1,2,3,4}", source="")),
    "two outputs": (
        "E0512",
        "has 2 outputs",
        graph("y=Relu(x) z=Neg(x)", target="float[N,4] y, float[N,4] z"),
    ),
    "integers": (
        "E0513",
        "holds int64",
        graph("y=Neg(x)", source="int64[N,4] x", target="int64[N,4] y"),
    ),
    "a number": ("E0513", "single number", graph("y=Relu(x)", source="float x", target="float y")),
    "nan": (
        "E0514",
        "has nan at [1]",
        graph("w=Constant<value=float[4]{1,nan,2,3}>() y=Mul(x,w)"),
    ),
    "infinity": ("E0514", "has inf", graph("d=Div(w,z) y=Add(x,d)", "float w={1}, float z={0}")),
    "division by zero": ("E0514", "holds zero", graph("y=Div(x,w)", "float[4] w={1,0,1,1}")),
    "negative variance": (
        "E0514",
        "not positive",
        graph("y=BatchNormalization(x,w,w,w,v)", "float[4] w={1,2,3,4}, float[4] v={1,-2,3,4}"),
    ),
    "one class": ("E0515", "at least two classes", graph("y=ReduceSum<axes=[1]>(x)", target="float[N,1] y")),
    "a matrix": (
        "E0515",
        "shape 1x2x2",
        graph("y=Relu(x)", source="float[N,2,2] x", target="float[N,2,2] y"),
    ),
    "a constant": (
        "E0515",
        "does not depend",
        graph("y=Relu(w)", "float[4] w={1,2,3,4}", target="float[4] y"),
    ),
    "computed from constants": (
        "E0515",
        "does not depend",
        graph(
            "c=Conv(w,k) y=Flatten(c)",
            "float[1,1,4] w={1,2,3,4}, float[1,1,1] k={2}",
            target="float[1,4] y",
        ),
    ),
    "nothing computed": ("E0515", "by no node", graph("z=Relu(x)", target="float[N,4] x")),
    "fixed batch": (
        "E0517",
        "fixed batch of 3",
        graph("y=Relu(x)", source="float[3,4] x", target="float[3,4] y"),
    ),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs(name: str, tmp_path: Path) -> None:
    code, words, text = GRAPHS[name]
    (diagnostic,) = rejected(saved(parsed(text, 11 if "axes=" in text else 13), tmp_path, "f1.onnx"))
    assert diagnostic.code == code
    assert "`f1.onnx`" in diagnostic.message
    assert words in diagnostic.message


def test_every_operator_that_is_not_read_is_named_at_once(tmp_path: Path) -> None:
    source = Source("q.rq", 'f1 = onnx("f1.onnx");')
    place = Span(source, 10, 19)
    text = graph("a=Elu(x) b=Round(a) c=Elu(b) d=LayerNormalization(c,w) y=Erf(d)", "float[4] w={1,2,3,4}")
    with pytest.raises(Rejected) as info:
        read_network(saved(parsed(text, 17), tmp_path, "f1.onnx"), name="f1", place=place)
    found = info.value.diagnostics
    assert [d.message.split("`")[1] for d in found] == ["Elu", "Erf", "LayerNormalization", "Round"]
    assert all(d.code == "E0507" and d.place is not None and d.place.span == place and d.help for d in found)
    assert found[0].notes[0] == "also at `c`"
    assert "Conv, ConvTranspose" in found[-1].notes[-1]


@pytest.mark.parametrize(
    ("domain", "operator", "words"),
    [
        ("com.microsoft", "FusedConv", "before a runtime has optimised it"),
        ("ai.onnx.ml", "Binarizer", "end the model before it"),
        ("ai.onnx.ml", "LabelEncoder", "the neural network alone"),
        ("ai.onnx.ml", "Normalizer", "normalise the data before"),
    ],
)
def test_operators_of_other_domains(tmp_path: Path, domain: str, operator: str, words: str) -> None:
    model = parsed(graph(f"z={domain}.{operator}(x) y=Relu(z)").replace("ai.onnx.ml.", "ml."))
    model.graph.node[0].domain = domain
    model.opset_import.append(helper.make_opsetid(domain, 1))
    (diagnostic,) = rejected(saved(model, tmp_path))
    assert diagnostic.code == "E0507"
    assert f"`{domain}.{operator}`" in diagnostic.message
    assert words in (diagnostic.help or "")


def test_names_that_do_not_exist(tmp_path: Path) -> None:
    path = saved(parsed(graph("y=Relu(x)")), tmp_path)
    (diagnostic,) = rejected(path, input="image")
    assert (diagnostic.code, diagnostic.help) == ("E0511", "it has `x` (float ?x4)")
    (diagnostic,) = rejected(path, output="logits")
    assert (diagnostic.code, diagnostic.help) == ("E0512", "it has `y` (float ?x4)")


def test_names_choose(tmp_path: Path) -> None:
    text = graph(
        "y=Relu(x) z=Neg(u)", source="float[N,4] x, float[N,3] u", target="float[N,4] y, float[N,3] z"
    )
    path = saved(parsed(text), tmp_path)
    assert read_network(path, name="f1", input="u", output="z").inputs == 3
    (diagnostic,) = rejected(path, input="x", output="z")
    assert diagnostic.code == "E0511"
    assert "depends on the input `u` too" in diagnostic.message


def test_a_constant_that_an_exporter_left_among_the_inputs(tmp_path: Path) -> None:
    text = graph("y=Sub(x,mean)", source="float[N,4] x, float[1,4] mean")
    path = saved(parsed(text), tmp_path)
    (diagnostic,) = rejected(path, input="x")
    assert diagnostic.code == "E0511"
    assert "Rescaling" in str(diagnostic.help)
    model = parsed(text)
    model.graph.initializer.append(numpy_helper.from_array(np.ones((1, 4), np.float32), "mean"))
    assert read_network(saved(model, tmp_path), name="n").inputs == 4


def test_the_one_real_output_is_taken(tmp_path: Path) -> None:
    text = graph("y=Relu(x) l=ArgMax<axis=1>(x)", target="int64[N,1] l, float[N,4] y")
    assert read_network(saved(parsed(text), tmp_path), name="f1").classes == 4


@pytest.mark.parametrize("version", [6, 99])
def test_operator_sets(tmp_path: Path, version: int) -> None:
    (diagnostic,) = rejected(saved(parsed(graph("y=Relu(x)"), version), tmp_path))
    assert diagnostic.code == "E0516"
    assert f"operator set {version}" in diagnostic.message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"<html>404</html>", "no ONNX model"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
        (ModelProto().SerializeToString(), "is empty"),
        (ModelProto(ir_version=8).SerializeToString(), "holds no graph"),
    ],
)
def test_files_that_are_no_models(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "f1.onnx"
    path.write_bytes(content)
    (diagnostic,) = rejected(path)
    assert diagnostic.code == "E0503"
    assert words in diagnostic.message


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.onnx")
    (tmp_path / "loop.onnx").symlink_to("loop.onnx")
    for name in ("none.onnx", "", "pipe.onnx", "loop.onnx", "\0"):
        assert rejected(tmp_path / name)[0].code == "E0501"


def test_a_file_of_two_gigabytes(tmp_path: Path) -> None:
    path = tmp_path / "f1.onnx"
    with path.open("wb") as file:
        file.truncate(2 << 30)
    assert rejected(path)[0].code == "E0504"


def external(location: str, length: int = 16) -> ModelProto:
    model = parsed(graph("y=Add(x,w)"))
    weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("length", str(length))):
        weights.external_data.add(key=key, value=value)
    model.graph.initializer.append(weights)
    return model


@pytest.mark.parametrize(
    ("location", "length", "words"),
    [
        ("../secret.bin", 16, "outside the model's folder"),
        ("/etc/passwd", 16, "outside the model's folder"),
        ("link.bin", 16, "outside the model's folder"),
        ("", 16, "outside the model's folder"),
        ("none.bin", 16, "there is no file `none.bin`"),
        ("short.bin", 16, "8 bytes of 16"),
        ("a\0b", 16, "cannot be read"),
    ],
)
def test_external_data(tmp_path: Path, location: str, length: int, words: str) -> None:
    folder = tmp_path / "nets"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(16))
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    (folder / "short.bin").write_bytes(bytes(8))
    (diagnostic,) = rejected(saved(external(location, length), folder))
    assert diagnostic.code == "E0505"
    assert words in diagnostic.message


def many_trees() -> ModelProto:
    """Return an ensemble of trees of one leaf, as many as a file of a few megabytes can declare."""
    model = parsed(graph("y=Relu(x)"))
    node = helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", n_targets=1)
    for name in ("nodes_treeids", "nodes_nodeids", "nodes_featureids"):
        numbers = onnx.AttributeProto(name=name, type=onnx.AttributeProto.INTS, ints=range(3_000_000))
        node.attribute.append(numbers)
    del model.graph.node[:]
    model.graph.node.append(node)
    model.opset_import.add(domain="ai.onnx.ml", version=3)
    return model


def doubling_functions() -> ModelProto:
    model = parsed(graph("y=Relu(x)"))
    model.ir_version = 10
    model.opset_import.append(helper.make_opsetid("f", 1))
    imports = [helper.make_opsetid("", 13), helper.make_opsetid("f", 1)]
    for i in range(60):
        inner = f"f{i + 1}" if i < 59 else "Relu"
        domain = "f" if i < 59 else ""
        nodes = [
            helper.make_node(inner, ["a"], ["b"], domain=domain),
            helper.make_node(inner, ["b"], ["c"], domain=domain),
        ]
        model.functions.append(helper.make_function("f", f"f{i}", ["a"], ["c"], nodes, imports))
    model.graph.node[0].CopyFrom(helper.make_node("f0", ["x"], ["y"], domain="f"))
    return model


def recursive_function() -> ModelProto:
    model = parsed(graph("y=Relu(x)"))
    model.ir_version = 10
    model.opset_import.append(helper.make_opsetid("f", 1))
    nodes = [helper.make_node("f0", ["a"], ["c"], domain="f")]
    imports = [helper.make_opsetid("f", 1)]
    model.functions.append(helper.make_function("f", "f0", ["a"], ["c"], nodes, imports))
    model.graph.node[0].CopyFrom(helper.make_node("f0", ["x"], ["y"], domain="f"))
    return model


def text(nodes: str, weights: str = "", source: str = VECTOR) -> Callable[[], ModelProto]:
    return lambda: parsed(f"g ({source}) => (float[A,B] y) <{weights}> {{ {nodes} }}", 17)


HOSTILE: dict[str, tuple[str, Callable[[], ModelProto]]] = {
    "filled": ("E0504", text("o=ConstantOfShape(n) r=ReduceSum(o) y=Add(x,r)", "int64[1] n={1000000000}")),
    "expand": ("E0504", text("o=Expand(x,n) y=Flatten(o)", "int64[3] n={100000,100000,4}")),
    "tile": ("E0504", text("o=Tile(x,n) y=Flatten(o)", "int64[2] n={1,1000000000}")),
    "pad": ("E0504", text("o=Pad(x,n) y=Flatten(o)", "int64[4] n={0,0,0,4000000000}")),
    "range": (
        "E0504",
        text("o=Range(z,n,s) r=ReduceSum(o) y=Add(x,r)", "float z={0}, float n={1e12}, float s={1}"),
    ),
    "input": ("E0504", text("y=Relu(x)", source="float[N,1000000,1000000] x")),
    "pool": (
        "E0504",
        text(
            "o=AveragePool<kernel_shape=[5000,5000],pads=[4999,4999,4999,4999]>(x) y=Flatten(o)",
            source="float[N,1,9,9] x",
        ),
    ),
    "convolution": (
        "E0504",
        text(
            "o=Conv<pads=[2000000000,2000000000]>(x,w) y=Flatten(o)", "float[1,1,1] w={1}", "float[N,1,9] x"
        ),
    ),
    "transposed convolution": (
        "E0504",
        text("o=ConvTranspose<strides=[30000000]>(x,w) y=Flatten(o)", "float[1,1,1] w={1}", "float[N,1,9] x"),
    ),
    "broadcast": (
        "E0504",
        text("a=Transpose(x) o=Add(x,a) y=Flatten(o)", source="float[N,30000] x"),
    ),
    "blowing up step by step": (
        "E0504",
        text(
            " ".join(
                f"x{i + 1}=Concat<axis=1>({'x' if i == 0 else f'x{i}'},{'x' if i == 0 else f'x{i}'})"
                for i in range(40)
            )
            + " y=Relu(x40)"
        ),
    ),
    "many large constants": (
        "E0504",
        text(
            " ".join(f"o{i}=Add(o,c)" for i in range(200)).replace("o0=", "o=ConstantOfShape(n) o0=", 1)
            + " r="
            + "Sum("
            + ",".join(f"o{i}" for i in range(200))
            + ") s=ReduceSum(r) y=Add(x,s)",
            "int64[1] n={1000000}, float c={1}",
        ),
    ),
    "functions that double": ("E0504", doubling_functions),
    "a function that calls itself": ("E0506", recursive_function),
    "a million trees": ("E0504", many_trees),
}


def test_a_declared_size(tmp_path: Path) -> None:
    model = parsed(graph("y=Add(x,w)"))
    weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1 << 40], raw_data=bytes(4))
    model.graph.initializer.append(weights)
    assert rejected(saved(model, tmp_path))[0].code in {"E0504", "E0506"}  # newer checkers see it first


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_models_take_little_memory(tmp_path: Path, name: str) -> None:
    code, make = HOSTILE[name]
    path = saved(make(), tmp_path)
    tracemalloc.start()
    try:
        (diagnostic,) = rejected(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert diagnostic.code == code
    assert peak < 2_000_000_000


def test_deep_nesting(tmp_path: Path) -> None:
    """Written byte by byte: protobuf itself refuses to build a message as deep as a hostile file may be."""
    node = helper.make_node("Identity", ["x"], ["b"]).SerializeToString()
    branch = onnx.AttributeProto(name="then_branch", type=onnx.AttributeProto.GRAPH).SerializeToString()
    choice = onnx.NodeProto(op_type="If", input=["c"], output=["b"]).SerializeToString()
    head = onnx.GraphProto(name="b", output=[onnx.ValueInfoProto(name="b")]).SerializeToString()
    for _ in range(60):
        node = choice + field(5, branch + field(6, head + field(1, node)))
    path = saved(parsed(graph("y=Relu(x)")), tmp_path)
    path.write_bytes(path.read_bytes() + field(7, field(1, node)))  # a second graph is merged into the first
    (diagnostic,) = rejected(path)
    assert diagnostic.code == "E0503"


def field(number: int, payload: bytes) -> bytes:
    """Return a length-delimited field of a protobuf message."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def varint(value: int) -> bytes:
    digits = [value >> shift & 127 for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([*(digit | 128 for digit in digits[:-1]), digits[-1]])


def test_softmax_at_the_end_is_a_warning(tmp_path: Path) -> None:
    source = Source("q.rq", 'onnx("f1.onnx")')
    for tail in (
        "y=Softmax(z)",
        "a=LogSoftmax(z) y=Identity(a)",
        "a=Sigmoid(z) b=Cast<to=11>(a) y=Cast<to=1>(b)",
    ):
        path = saved(parsed(graph(f"z=Neg(x) {tail}")), tmp_path, "f1.onnx")
        network = read_network(path, name="f1")
        (warning,) = warnings(network, Span(source, 5, 14))
        assert warning.code == "W0501"
        assert "network `f1` is read without `" in warning.message
        assert warning.place is not None
        assert (EXPLANATIONS / "W0501.md").is_file()
        assert len(network.layers) == 1
    assert warnings(read_network(saved(parsed(graph("y=Neg(x)")), tmp_path), name="f1")) == ()


def test_softmax_before_operator_set_13_covers_all_later_axes(tmp_path: Path) -> None:
    text = graph("z=Softmax<axis=1>(x) y=Flatten(z)", source="float[N,2,2] x")
    assert len(read_network(saved(parsed(text, 11), tmp_path), name="f1").dropped) == 1


def test_sparse_weights(tmp_path: Path) -> None:
    values = numpy_helper.from_array(np.ones(1, dtype=np.float32), "w")
    indices = numpy_helper.from_array(np.zeros(1, dtype=np.int64), "i")
    model = assembled([helper.make_node("Add", ["x", "w"], ["z"])], ["N", 4], {})
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4]))
    assert rejected(saved(model, tmp_path))[0].code == "E0508"


def test_names_are_shown_without_control_characters(tmp_path: Path) -> None:
    model = parsed(graph("y=Elu(x)"))
    model.graph.node[0].name = "\x1b[31mred"
    (diagnostic,) = rejected(saved(model, tmp_path))
    assert r"`\x1b[31mred`" in diagnostic.message
