"""Every operator against onnx's reference evaluator, on numbers that float32 computes exactly."""

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import ModelProto, helper
from onnx_models import assembled, by_reference, parsed, quarters, saved

from ensc.compiler.frontend.onnx import operators, read_network
from ensc.compiler.passes.networks.evaluate import evaluate

# Each graph in three paragraphs: the input, the weights (or -), the nodes that make `y`.
VECTOR, MATRIX = "float[N,6] x", "float[N,3,4] x"
GRAPHS = {
    "gemm": """
        float[N,6] x

        float[6,2] w={1,2,3,4,5,6,7,8,9,-1,-2,-3}, float[2] b={0.5,-1}

        y=Gemm(x,w,b)
    """,
    "gemm, transposed and scaled": """
        float[N,6] x

        float[2,6] w={1,2,3,4,5,6,7,8,9,-1,-2,-3}, float[1,2] b={0.5,-1}

        y=Gemm<transB=1,alpha=0.5,beta=-2.0>(x,w,b)
    """,
    "gemm without bias": """
        float[N,6] x

        float[6,2] w={1,2,3,4,5,6,7,8,9,-1,-2,-3}

        y=Gemm(x,w)
    """,
    "gemm with a computed bias": """
        float[N,6] x

        float[6,6] w={1,2,3,4,5,6,7,8,9,-1,-2,-3,1,2,3,4,5,6,7,8,9,-1,-2,-3,0,0,0,0,0,0,1,0,0,0,0,0}

        y=Gemm<beta=0.25>(x,w,x)
    """,
    "gemm with the constant on the left": """
        float[N,6] x

        float[1,2] a={2,-1}, float[2,1] c={1,1}, int64[2] s={2,3}, int64[2] t={1,-1}

        m=Reshape(x,s) p=Gemm(a,m) q=Gemm<transA=1>(m,c) p2=Reshape(p,t) q2=Reshape(q,t)
        y=Concat<axis=1>(p2,q2)
    """,
    "matmul": """
        float[N,6] x

        float[6,2] w={1,2,3,4,5,6,7,8,9,-1,-2,-3}

        y=MatMul(x,w)
    """,
    "matmul of a stack": """
        float[N,3,4] x

        float[4,2] w={1,2,3,4,5,6,7,8}

        z=MatMul(x,w) y=Flatten(z)
    """,
    "matmul from the left": """
        float[N,3,4] x

        float[2,3] w={1,2,3,4,5,6}

        z=MatMul(w,x) y=Flatten(z)
    """,
    "matmul with a stack of constants": """
        float[N,2,4,4] x

        float[1,2,4,2] w={1,2,3,4,5,6,7,8,-1,-2,-3,-4,-5,-6,-7,-8}

        z=MatMul(x,w) y=Flatten(z)
    """,
    "matmul that repeats a stack": """
        float[N,3,4] x

        float[2,4,1] w={1,2,3,4,5,6,7,8}

        z=MatMul(x,w) y=Reshape(z,row)
    """,
    "matmul with a vector": """
        float[N,3,4] x

        float[4] w={1,2,3,4}

        y=MatMul(x,w)
    """,
    "add, sub": """
        float[N,6] x

        float[6] b={1,2,3,4,5,6}, float c={2}

        a=Add(x,b) d=Sub(c,a) y=Sub(d,b)
    """,
    "sums of computed values": """
        float[N,6] x

        float[6] b={1,2,3,4,5,6}

        a=Relu(x) c=Sub(x,a) y=Sum(a,b,c,x,b)
    """,
    "broadcasts": """
        float[N,3,4] x

        float[3,1] b={1,2,3}, float[4] c={1,2,4,8}, float[2,1,1] d={1,-1}

        p=Add(x,b) q=Mul(p,c) r=Mul(q,d) y=Reshape(r,row)
    """,
    "a smaller value broadcasts": """
        float[N,3,4] x

        int64[1] a={2}

        m=ReduceSum<keepdims=1>(x,a) d=Sub(x,m) y=Flatten(d)
    """,
    "mul, div, neg": """
        float[N,6] x

        float c={4}, float[6] b={1,2,4,8,0.5,-2}

        a=Mul(c,x) d=Div(a,b) y=Neg(d)
    """,
    "mean": """
        float[N,6] x

        float[6] b={1,2,3,4,5,6}

        y=Mean(x,b)
    """,
    "pow 1": """
        float[N,6] x

        float c={1}

        a=Pow(x,c) y=Relu(a)
    """,
    "relu, abs": """
        float[N,6] x

        -

        a=Relu(x) b=Abs(x) c=Relu(a) y=Sub(b,c)
    """,
    "leaky": """
        float[N,6] x

        -

        a=LeakyRelu<alpha=0.25>(x) b=LeakyRelu<alpha=-0.5>(x) y=Sub(a,b)
    """,
    "prelu": """
        float[N,2,4,4] x

        float[2,1,1] s={0.25,-0.5}

        a=PRelu(x,s) y=Flatten(a)
    """,
    "clip": """
        float[N,6] x

        float lo={-0.5}, float hi={0.75}

        a=Clip(x,lo,hi) b=Clip(x,lo) c=Clip(x,,hi) d=Clip(x) e=Clip(x,hi,lo)
        y=Concat<axis=1>(a,b,c,d,e)
    """,
    "hard sigmoid": """
        float[N,6] x

        -

        y=HardSigmoid<alpha=0.25,beta=0.5>(x)
    """,
    "max, min": """
        float[N,6] x

        float[6] b={1,-1,0,0.5,-0.5,2}, float c={0.25}

        n=Neg(x) r=Relu(x) p=Max(x,b,n,c) q=Min(r,x,b) m=Max(x) y=Concat<axis=1>(p,q,m)
    """,
    "batch normalization": """
        float[N,2,4,4] x

        float[2] g={2,-1}, float[2] b={0.5,3}, float[2] m={1,-2}, float[2] v={0.1875,3.9375}

        z=BatchNormalization<epsilon=0.0625>(x,g,b,m,v) y=Flatten(z)
    """,
    "global pools": """
        float[N,2,4,4] x

        -

        a=GlobalAveragePool(x) b=GlobalMaxPool(x) c=Concat<axis=1>(a,b) y=Flatten(c)
    """,
    "reductions": """
        float[N,3,4] x

        int64[1] a={1}, int64[1] c={-1}, int64[2] e={1,2}

        p=ReduceSum<keepdims=0>(x,a) q=ReduceMean<keepdims=0>(x,c) r=ReduceMax<keepdims=0>(x,a)
        s=ReduceMin<keepdims=0>(x,c) t=ReduceSum(x,e) u=Flatten(t) v=ReduceMax(x) w=Flatten(v)
        y=Concat<axis=1>(p,q,r,s,u,w)
    """,
    "reduction over no axes": """
        float[N,6] x

        int64[0] a={}

        p=ReduceSum<noop_with_empty_axes=1>(x,a) y=Relu(p)
    """,
    "cumulative sums": """
        float[N,3,4] x

        int64 a={1}, int64 b={-1}

        p=CumSum(x,a) q=CumSum<exclusive=1,reverse=1>(x,b) r=CumSum<reverse=1>(x,a)
        c=Concat<axis=1>(p,q,r) y=Flatten(c)
    """,
    "transposes": """
        float[N,2,4,4] x

        -

        a=Transpose<perm=[0,2,3,1]>(x) r=Relu(a) b=Transpose<perm=[0,3,2,1]>(r) y=Flatten(b)
    """,
    "transpose without perm": """
        float[N,3,4] x

        int64[1] c={0}

        a=Squeeze(x,c) b=Transpose(a) d=Unsqueeze(b,c) y=Flatten(d)
    """,
    "split, concat": """
        float[N,6] x

        int64[2] l={4,2}

        p,q=Split<axis=1>(x,l) a,b=Split<axis=1,num_outputs=2>(p) y=Concat<axis=-1>(q,b,x,a)
    """,
    "uneven split": """
        float[N,3,4] x

        -

        p,q=Split<axis=1,num_outputs=2>(x) a=Concat<axis=1>(q,p) y=Flatten(a)
    """,
    "slice": """
        float[N,3,4] x

        int64[2] b={-1,0}, int64[2] e={-100,3}, int64[2] a={2,1}, int64[2] t={-2,2}

        p=Slice(x,b,e,a,t) y=Flatten(p)
    """,
    "gather": """
        float[N,3,4] x

        int64[2,2] i={0,-1,1,1}, int64 j={2}

        p=Gather<axis=2>(x,i) q=Gather<axis=1>(p,j) y=Flatten(q)
    """,
    "gather elements": """
        float[N,3,4] x

        int64[1,2,4] i={0,-1,2,1,1,0,0,2}

        p=GatherElements<axis=1>(x,i) y=Flatten(p)
    """,
    "gather nd": """
        float[N,3,4] x

        int64[1,2,2] i={0,-1,2,1}

        p=GatherND<batch_dims=1>(x,i) y=Flatten(p)
    """,
    "where": """
        float[N,6] x

        bool[6] c={1,0,0,1,1,0}, float o={7}

        n=Neg(x) p=Where(c,x,n) y=Where(c,o,p)
    """,
    "trilu": """
        float[N,3,4] x

        -

        p=Trilu(x) q=Trilu<upper=0>(x) r=Concat<axis=1>(p,q) y=Flatten(r)
    """,
    "expand, tile": """
        float[N,6] x

        int64[3] e={2,1,6}, int64[2] t={1,2}

        a=Tile(x,t) p=Expand(x,e) y=Reshape(p,row)
    """,
    "pads": """
        float[N,2,4,4] x

        int64[4] p={1,0,1,2}, int64[2] a={2,-1}, float v={0.5}, int64[8] q={0,1,0,0,0,0,0,1}

        b=Pad(x,p,v,a) c=Pad<mode="reflect">(b,q) d=Pad<mode="edge">(c,q) e=Pad<mode="wrap">(d,q)
        y=Flatten(e)
    """,
    "padding before a convolution": """
        float[N,2,4,4] x

        int64[8] p={0,0,1,1,0,0,0,1}, float[1,2,3,3] w={1,2,3,4,5,6,7,8,9,-1,-2,-3,-4,-5,-6,-7,-8,-9}

        b=Pad(x,p) c=Conv(b,w) y=Flatten(c)
    """,
    "another padding before a convolution": """
        float[N,2,4,4] x

        int64[8] p={0,0,1,1,0,0,0,1}, float v={2},
        float[1,2,3,3] w={1,2,3,4,5,6,7,8,9,-1,-2,-3,-4,-5,-6,-7,-8,-9}

        b=Pad(x,p,v) c=Conv(b,w) d=MaxPool<kernel_shape=[2,2]>(b) e=Flatten(c) f=Flatten(d)
        y=Concat<axis=1>(e,f)
    """,
    "blocks": """
        float[N,4,2,2] x

        -

        a=DepthToSpace<blocksize=2>(x) b=DepthToSpace<blocksize=2,mode="CRD">(x) c=Sub(a,b)
        d=SpaceToDepth<blocksize=2>(c) y=Flatten(d)
    """,
    "pass through": """
        float[N,6] x

        float r={0.5}

        a=Identity(x) b,m=Dropout(a,r) c=Cast<to=11>(b) d=Cast<to=1>(c) y=Relu(d)
    """,
    "reshapes": """
        float[N,2,4,4] x

        int64[3] s1={0,-1,8}, int64[1] a={1}, int64[2] t={1,-1}

        p=Reshape(x,s1) q=Unsqueeze(p,a) r=Squeeze(q,a) u=Flatten<axis=0>(r) v=Flatten<axis=-1>(u)
        y=Reshape(v,t)
    """,
    "dynamic flatten": """
        float[N,2,4,4] x

        int64 zero={0}, int64[1] minus={-1}, int64[1] first={0}

        p=Shape(x) b=Gather(p,zero) u=Unsqueeze(b,first) t=Concat<axis=0>(u,minus) y=Reshape(x,t)
    """,
    "tf2onnx's flatten": """
        float[N,2,4,4] x

        int64[1] b={0}, int64[1] e={1}, int64[1] minus={-1}

        p=Shape(x) c=Cast<to=6>(p) l=Slice(c,b,e) m=Cast<to=6>(minus) t=Concat<axis=0>(l,m)
        u=Cast<to=7>(t) y=Reshape(x,u)
    """,
    "chunks by integer arithmetic": """
        float[N,6] x

        int64 one={1}, int64 two={2}, int64[1] first={0}, int64[1] axis={1}, int64[1] zero={0}

        p=Shape(x) n=Gather(p,one) a=Add(n,one) h=Div(a,two) u=Unsqueeze(h,first)
        q=Slice(x,zero,u,axis) w=Mul(u,two) r=Slice(x,u,w,axis) y=Sub(q,r)
    """,
    "padding as PyTorch writes it": """
        float[N,1,3,3] x

        int64[4] p={1,2,0,1}, int64[1] four={4}, int64[2] pairs={-1,2}, int64[1] zero={0},
        int64[1] minus={-1}, int64[1] back={-9223372036854775807}, float value={0.5}

        o=ConstantOfShape<value=int64[1]{0}>(four) c=Concat<axis=0>(p,o) r=Reshape(c,pairs)
        s=Slice(r,minus,back,zero,minus) t=Transpose<perm=[1,0]>(s) u=Reshape(t,minus)
        v=Cast<to=7>(u) z=Pad<mode="constant">(x,v,value) y=Flatten(z)
    """,
    "filled constants": """
        float[N,6] x

        -

        h=Shape<start=1>(x) o=ConstantOfShape<value=float[1]{3}>(h) n=Size(x) f=Cast<to=1>(n)
        a=Mul(x,o) y=Add(a,f)
    """,
    "constant arithmetic": """
        float[N,6] x

        float[6] a={1,2,3,4,5,6}, float[6] b={2,2,2,4,4,4}, float four={4}

        c=Mul(a,b) d=Add(c,a) e=Sqrt(four) f=Div(d,e) g=Sub(f,b) h=Neg(g) i=Reciprocal(four) j=Mul(h,i)
        y=Add(x,j)
    """,
    "quantized weights": """
        float[N,6] x

        int8[6,2] q={1,2,3,4,5,6,7,8,9,-1,-2,-3}, float[2] s={0.25,0.5}, int8[2] z={1,-1}

        w=DequantizeLinear<axis=1>(q,s,z) y=MatMul(x,w)
    """,
    "two branches": """
        float[N,2,4,4] x

        float[2,2,1,1] v={1,-1,2,0.5},
        float[2,2,3,3] w={1,2,3,4,5,6,7,8,9,-1,-2,-3,-4,-5,-6,-7,-8,-9,
                          1,2,3,4,5,6,7,8,9,-1,-2,-3,-4,-5,-6,-7,-8,-9}

        a=Conv<pads=[1,1,1,1]>(x,w) r=Relu(a) b=Conv(x,v) c=Add(r,b) d=Relu(c) y=Flatten(d)
    """,
}


def model_of(name: str) -> tuple[ModelProto, tuple[int, ...]]:
    source, weights, nodes = (part.strip() for part in GRAPHS[name].split("\n\n"))
    row = "int64[2] row={1,-1}"
    given = row if weights == "-" else f"{weights}, {row}"
    shape = tuple(int(n) for n in source[source.index("N,") + 2 : source.index("]")].split(","))
    return parsed(f"g ({source}) => (float[M, K] y) <{given}> {{ {nodes} }}"), shape


@pytest.mark.parametrize("name", GRAPHS)
def test_against_the_reference(name: str, tmp_path: Path) -> None:
    model, shape = model_of(name)
    x = quarters(np.random.default_rng(0), 5, *shape)
    network = read_network(saved(model, tmp_path), name="n")
    assert network.input_shape == shape
    np.testing.assert_array_equal(evaluate(network, x.reshape(5, -1)), by_reference(model, x))


OLD = {  # before some attributes became inputs
    "squeeze, unsqueeze": (11, MATRIX, "a=Unsqueeze<axes=[1,-1]>(x) b=Squeeze<axes=[1,4]>(a) y=Flatten(b)"),
    "split": (11, VECTOR, "p,q=Split<axis=1,split=[4,2]>(x) y=Concat<axis=1>(q,p)"),
    "slice": (9, VECTOR, "y=Slice<starts=[1],ends=[-1],axes=[1]>(x)"),
    "pad": (10, VECTOR, 'y=Pad<mode="constant",pads=[0,1,0,2],value=2.5>(x)'),
    "clip": (10, VECTOR, "y=Clip<min=-0.5,max=1.0>(x)"),
    "reductions": (11, MATRIX, "a=ReduceSum<axes=[1]>(x) b=ReduceMax<axes=[-2]>(x) c=Sub(a,b) y=Flatten(c)"),
    "dropout": (10, VECTOR, "a=Dropout<ratio=0.5>(x) y=Relu(a)"),
    "sums": (7, VECTOR, "a=Relu(x) b=Sum(x,a) c=Max(a,b) d=Mean(x,c) y=Neg(d)"),
}


@pytest.mark.parametrize("name", OLD)
def test_old_operator_sets(name: str, tmp_path: Path) -> None:
    version, source, nodes = OLD[name]
    shape = (6,) if source is VECTOR else (3, 4)
    model = parsed(f"g ({source}) => (float[M, K] y) {{ {nodes} }}", version, 4)
    x = quarters(np.random.default_rng(0), 5, *shape)
    network = read_network(saved(model, tmp_path), name="n")
    np.testing.assert_array_equal(evaluate(network, x.reshape(5, -1)), by_reference(model, x))


def test_negative_pads_crop(tmp_path: Path) -> None:
    text = "g (float[N,4] x) => (float[N,K] y) <int64[4] p={0,-1,0,2}> { y=Pad(x,p) }"
    network = read_network(saved(parsed(text), tmp_path), name="n")
    np.testing.assert_array_equal(evaluate(network, [1.0, 2.0, 3.0, 4.0]), [2, 3, 4, 0, 0])


shapes = st.lists(st.integers(1, 3), min_size=1, max_size=3)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.sampled_from(["Add", "Sub", "Mul", "Max", "Min", "Div"]), st.booleans())
def test_broadcasting(tmp_path: Path, data: st.DataObject, operator: str, swapped: bool) -> None:
    shape = data.draw(shapes, label="input")
    kept = [n if data.draw(st.booleans()) else 1 for n in shape]
    constant = kept[data.draw(st.integers(0, len(kept))) :]
    weights = 2.0 ** np.random.default_rng(1).integers(-2, 3, size=constant)
    inputs = ["b", "x"] if swapped and operator != "Div" else ["x", "b"]
    nodes = [
        helper.make_node(operator, inputs, ["p"]),
        helper.make_node("Concat", ["p", "p"], ["z"], axis=-1),
    ]
    model = assembled(nodes, [1, *shape], {"b": weights.astype(np.float32)})
    x = quarters(np.random.default_rng(0), 3, *shape)
    network = read_network(saved(model, tmp_path), name="n")
    np.testing.assert_array_equal(evaluate(network, x.reshape(3, -1)), by_reference(model, x))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.booleans())
def test_matrix_products(tmp_path: Path, data: st.DataObject, constant_left: bool) -> None:
    rows, inner, columns = (data.draw(st.integers(1, 3)) for _ in range(3))
    stack = data.draw(st.lists(st.integers(1, 3), max_size=2))
    other = [n if data.draw(st.booleans()) else 1 for n in stack][data.draw(st.integers(0, 2)) :]
    left, right = [1, *stack, rows, inner], [*other, inner, columns]
    if constant_left:
        left, right = [*other, rows, inner], [1, *stack, inner, columns]
    rng = np.random.default_rng(0)
    shape = right if constant_left else left
    weights = {"w": quarters(rng, *(left if constant_left else right))}
    nodes = [
        helper.make_node("MatMul", ["w", "x"] if constant_left else ["x", "w"], ["p"]),
        helper.make_node("Concat", ["p", "p"], ["z"], axis=-1),
    ]
    model = assembled(nodes, shape, weights)
    x = quarters(rng, 3, *shape[1:])
    network = read_network(saved(model, tmp_path), name="n")
    np.testing.assert_array_equal(evaluate(network, x.reshape(3, -1)), by_reference(model, x))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_slices(tmp_path: Path, data: st.DataObject) -> None:
    places = st.integers(-9, 9) | st.sampled_from([-(2**63), 2**63 - 1])
    step = data.draw(st.integers(-3, 3).filter(bool))
    start, end = data.draw(places), data.draw(places)
    weights = {
        name: np.array([number])
        for name, number in (("b", start), ("e", end), ("a", 1), ("t", step), ("o", 1))
    }
    nodes = [
        helper.make_node("Slice", ["x", "b", "e", "a", "t"], ["p"]),
        helper.make_node("Concat", ["p", "x"], ["z"], axis=1),
    ]
    model = assembled(nodes, [1, 5], weights)
    x = quarters(np.random.default_rng(0), 3, 5)
    network = read_network(saved(model, tmp_path), name="n")
    np.testing.assert_array_equal(evaluate(network, x), by_reference(model, x))


def test_the_list_of_operators_is_what_is_dispatched() -> None:
    tree = ast.parse(inspect.getsource(operators.lower))
    names = [
        node.value
        for case in ast.walk(tree)
        if isinstance(case, ast.match_case)
        for node in ast.walk(case.pattern)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert sorted(names) == sorted(operators.SUPPORTED)
