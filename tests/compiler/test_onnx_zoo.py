"""Models as exporters write them: each computes what onnxruntime computes, or is refused by name."""

import importlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx_models import Array, saved

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.frontend.onnx import read_network
from ensc.compiler.passes.networks.evaluate import evaluate

onnxruntime = pytest.importorskip("onnxruntime")
ZOO = Path(__file__).parents[1] / "zoo"
FILES = sorted(path.name for path in ZOO.glob("*.onnx"))
NAMES = {
    "refused_gelu_dynamo": "Gelu",
    "refused_gelu_legacy": "Erf",
    "refused_elu": "Elu",
    "refused_norm": "LayerNormalization",
    "refused_product": "Mul",
    "refused_adaboost": "ArgMax",
    "refused_hard_voting": "ArgMax",
    "refused_kernel_2": "RBF",
    "refused_kernel_3": "Less",
    "refused_bayes": "Exp",
    "refused_calibrated": "Exp",
    "refused_averaged_2": "LinearClassifier",
    "refused_averaged_3": "Normalizer",
    "refused_pairs": "LinearClassifier",
    "refused_squares": "ReduceProd",
    "refused_neighbours": "Equal",
}


def outputs(model: onnx.ModelProto, rows: int = 30) -> tuple[Array, Array, Array | None]:
    """Return inputs, what onnxruntime makes of them, and the labels where it gives them too."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    (port,) = session.get_inputs()
    x = np.random.default_rng(0).normal(size=(rows, 1, *port.shape[1:])).astype(np.float32)
    found = [session.run(None, {port.name: one}) for one in x]
    labels = np.array([f[0].item() for f in found]) if len(found[0]) > 1 else None
    return x.reshape(rows, -1), np.array([np.ravel(f[-1]) for f in found], dtype=np.float64), labels


def check(path: Path) -> None:
    network = read_network(path, name="n")
    x, theirs, labels = outputs(onnx.load(path))
    mine = evaluate(network, x)
    if theirs.shape == mine.shape and not network.dropped:
        np.testing.assert_allclose(mine, theirs, atol=1e-4, rtol=1e-5)
    clear = (
        np.sort(mine, axis=1)[:, -1] - np.sort(mine, axis=1)[:, -2] > 1e-5
    )  # float32 decides ties by chance
    if labels is not None:
        np.testing.assert_array_equal(mine.argmax(axis=1)[clear], labels[clear])
    elif theirs.shape == mine.shape:
        np.testing.assert_array_equal(mine.argmax(axis=1)[clear], theirs.argmax(axis=1)[clear])
    else:
        np.testing.assert_array_equal(mine.argmax(axis=1)[clear], (theirs[:, 0] >= 0.5)[clear])
    assert clear.mean() > 0.5


@pytest.mark.parametrize("name", [name for name in FILES if "refused" not in name])
def test_what_is_piecewise_linear_agrees_with_onnxruntime(name: str) -> None:
    check(ZOO / name)


@pytest.mark.parametrize("name", [name for name in FILES if "refused" in name])
def test_everything_else_is_refused_by_name(name: str) -> None:
    with pytest.raises(Rejected) as info:
        read_network(ZOO / name, name="n")
    operator = next(operator for part, operator in NAMES.items() if part in name)
    first = info.value.diagnostics[0]
    assert operator in first.message
    assert name in first.message
    assert first.code in {"E0507", "E0508", "E0509"}


def test_the_zoo_is_there() -> None:
    assert len(FILES) > 60
    assert all((ZOO / name).stat().st_size < 50_000 for name in FILES)


@pytest.mark.filterwarnings("ignore")  # training ends early, and exporters use what their libraries retire
def test_a_fresh_export_of_scikit_learn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the installed versions write it, which may be others than those of the files."""
    pytest.importorskip("skl2onnx")
    monkeypatch.syspath_prepend(str(ZOO))
    models = importlib.import_module("export_sklearn").models
    for name, model in models(("forest", "boosting", "scaled_network", "ovr_trees")):
        check(saved(model, tmp_path, f"{name}.onnx"))
