"""Choices between lines: read where they are continuous, refused where they jump."""

from pathlib import Path

import numpy as np
import pytest
from onnx_models import by_reference, parsed, quarters, saved

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.frontend.onnx import read_network
from ensc.compiler.frontend.onnx.summary import summarize
from ensc.compiler.passes.networks.evaluate import evaluate

POINTS = quarters(np.random.default_rng(2), 80, 3)
POINTS[0] = 0  # on a break
NUMBERS = "float zero={0}, float one={1}, float half={0.5}, float[1] two={2}, float low={-0.5}"

CONTINUOUS = {
    "leaky": "c=Greater(x,zero) s=Mul(half,x) y=Where(c,x,s)",
    "the constant first": "c=Less(zero,x) s=Mul(x,half) y=Where(c,x,s)",
    "not strict": "c=LessOrEqual(x,zero) s=Div(x,two) y=Where(c,s,x)",
    "behind the origin": "c=GreaterOrEqual(x,half) s=Add(x,half) t=Mul(x,two) y=Where(c,s,t)",
    "relu of zeros": "h=Shape(x) o=ConstantOfShape(h) c=Greater(x,zero) y=Where(c,x,o)",
    "a constant": "c=Greater(x,zero) y=Where(c,x,zero)",
    "a mask": "c=Greater(x,zero) m=Cast<to=1>(c) y=Mul(x,m)",
    "a mask of a line": "c=Less(x,half) m=Cast<to=1>(c) l=Sub(half,x) y=Mul(m,l)",
    "filled": "c=Less(x,zero) b=Cast<to=9>(c) y=Where(b,zero,x)",
    "shrunk": (
        "c=Greater(x,half) s=Sub(x,half) p=Where(c,s,zero) d=Less(x,low) t=Add(x,half) q=Where(d,t,zero) "
        "y=Add(p,q)"
    ),
    "nested": (
        "c=Greater(x,half) s=Sub(x,half) d=Less(x,low) t=Add(x,half) q=Where(d,t,zero) y=Where(c,s,q)"
    ),
    "negated": "c=Less(x,zero) n=Neg(x) y=Where(c,n,x)",
}
JUMPING = {
    "shrunk hard": "c=Greater(x,half) y=Where(c,x,zero)",
    "a step": "c=Greater(x,zero) y=Where(c,one,zero)",
    "beside the break": "c=Greater(x,half) s=Mul(half,x) y=Where(c,x,s)",
    "a mask": "c=Greater(x,half) m=Cast<to=1>(c) y=Mul(x,m)",
    "by another value": "n=MatMul(x,w) c=Greater(n,zero) y=Where(c,x,zero)",
    "between two values": "n=MatMul(x,w) c=Greater(x,n) y=Where(c,x,n)",
    "of a curve": "c=Greater(x,zero) s=Mul(x,x) y=Where(c,x,s)",
    "by a whole number": "i=Cast<to=6>(x) j=Cast<to=1>(i) c=Greater(j,zero) y=Where(c,j,zero)",
}


def text(nodes: str) -> str:
    return f"g (float[N,3] x) => (float[N,3] y) <{NUMBERS}, float[3,3] w={{1,0,0,0,0,1,0,1,1}}> {{ {nodes} }}"


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_choices_are_read_exactly(name: str, tmp_path: Path) -> None:
    model = parsed(text(CONTINUOUS[name]))
    path = saved(model, tmp_path)
    network = read_network(path, name="n")
    np.testing.assert_array_equal(evaluate(network, POINTS.astype(np.float64)), by_reference(model, POINTS))
    assert not network.rounded
    assert not summarize(path).unsupported


@pytest.mark.parametrize("name", JUMPING)
def test_choices_that_jump_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(Rejected) as info:
        read_network(saved(parsed(text(JUMPING[name])), tmp_path), name="n")
    first = info.value.diagnostics[0]
    assert first.code in {"E0507", "E0508", "E0509"}
    assert any(operator in first.message for operator in ("Greater", "Mul", "Cast"))


def test_slopes_that_are_not_exact_are_not_rounded(tmp_path: Path) -> None:
    """Of `0.1 x / 3` no float64 holds the slope."""
    nodes = "c=Greater(x,zero) s=Div(x,three) y=Where(c,x,s)"
    with pytest.raises(Rejected, match="Greater"):
        read_network(
            saved(parsed(text(nodes).replace("float one", "float three={3}, float one")), tmp_path), name="n"
        )
