"""A member's own file, run by onnxruntime: scores of the classes, whatever form its output has.

The network that was read ends before operators that keep the order of its classes. The file goes on, to
probabilities, to one probability, to a map from labels to probabilities, or to the label alone.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ensc.compiler.frontend.onnx.ending import ending_of
from ensc.compiler.frontend.onnx.load import load
from ensc.compiler.frontend.onnx.origin import Origin
from ensc.compiler.frontend.onnx.read import chosen_output
from ensc.compiler.types.network import Floats
from ensc.compiler.types.problem import Member

_PRECISIONS = {"tensor(double)": np.float64, "tensor(float16)": np.float16}
"""What files other than the usual float32 ones read."""


def float32_scores(path: Path, member: Member, rows: Any) -> Floats | str:  # noqa: ANN401 - float32 array
    """Return the scores of the classes for every row, or why there are none.

    Where the file gives nothing but the label, the class of the label has score 1 and all others 0.

    Args:
        path: the member's file.
        member: for the input, the output and the classes.
        rows: shape (rows, inputs).

    Returns:
        Shape (rows, classes).
    """
    import onnxruntime  # noqa: PLC0415 - an extra

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()
    wanted, target = member.interface
    if len(inputs) > 1 and wanted is None:
        return f"it has {len(inputs)} inputs"
    graph = load(path, Origin(f"`{path.name}`")).graph
    output = chosen_output(graph, target).name
    closers = [closer.operator for closer in ending_of(graph, output).closers]
    shape = _one_row(next(i for i in inputs if wanted in {None, i.name}).shape, member.network.input_shape)
    results = []
    for row in rows:  # one at a time: many files fix the batch to one
        feed = {i.name: row.reshape(shape) if wanted in {None, i.name} else _nothing(i.shape) for i in inputs}
        typed = {i.name: feed[i.name].astype(_PRECISIONS.get(i.type, np.float32)) for i in inputs}
        scores = _scores(session.run([output], typed)[0], closers, member.network.classes)
        if scores is None:
            return f"its output `{output}` does not tell {member.network.classes} classes apart"
        results.append(scores)
    return np.array(results)


def _scores(
    produced: Any,  # noqa: ANN401 - what onnxruntime gives
    closers: Sequence[str],
    classes: int,
) -> Floats | None:
    if isinstance(produced, list):  # a map from label to probability
        produced = np.array([produced[0][label] for label in sorted(produced[0])])
    flat = np.ravel(produced)
    if flat.size == classes:
        sign = -1.0 if "SVMClassifier" in closers else 1.0  # the lower score chooses the label
        return np.asarray(sign * flat, dtype=np.float64)
    if flat.size != 1 or flat.dtype.kind not in "iuf":
        return None
    one, last = float(flat[0]), closers[-1] if closers else ""
    if flat.dtype.kind in "iu" and 0 <= one < classes:
        return np.asarray(np.arange(classes) == one, dtype=np.float64)
    if classes == 2 and last in {"Sigmoid", "ArrayFeatureExtractor"}:
        return np.array([1 - one, one]) if last == "Sigmoid" else np.array([-one, one])
    return None


def _one_row(declared: list[int | str | None], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of a single input: the network's, with a batch dimension if the file has one."""
    return (1, *shape) if len(declared) == len(shape) + 1 else shape


def _nothing(declared: list[int | str | None]) -> Floats:
    """Return zeros for an input on which the output does not depend."""
    return np.zeros([n if isinstance(n, int) and n > 0 else 1 for n in declared])
