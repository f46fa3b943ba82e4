"""Random ensembles that bounds and search leave questions about, and programs that answer one file."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from instance_texts import save_network
from tiny import dense

from ensc.compiler.frontend.query.resolve import load_problem
from ensc.compiler.passes.networks.evaluate import evaluate
from ensc.compiler.types.network import Floats, Network
from ensc.compiler.types.problem import EnsembleProblem

CBC = Path(sys.executable).with_name("cbc")


def random_query(
    folder: Path,
    seed: int,
    *,
    members: int = 3,
    points: int = 6,
    width: int = 10,
    goal: str = "maximize value",
) -> EnsembleProblem:
    """Write a query about random networks of 6 inputs and 3 classes; return it as read."""
    rng = np.random.default_rng(seed)
    networks = [_network(rng, width) for _ in range(members)]
    for c, network in enumerate(networks):
        save_network(network, folder / f"f{c + 1}.onnx")
    x = np.round(rng.uniform(-1, 1, (points, 6)) * 16) / 16
    votes = sum(evaluate(network, x) for network in networks)
    np.savez(folder / "p.npz", x=x, y=np.argmax(votes, axis=1))
    names = " ".join(f'f{c + 1} = onnx("f{c + 1}.onnx");' for c in range(members))
    (folder / "q.rq").write_text(
        f"""rq 1.0;
ensemble C {{ {names} }}
data X = npz("p.npz", inputs = "x", labels = "y");
param epsilon: real in [0, 1] = 3/8;
input domain [-1, 1];
attack norm Linf, radius epsilon, count auto;
loss zero_one, ties misclassified;
{goal};
"""
    )
    return load_problem(folder / "q.rq").problem


def _network(rng: np.random.Generator, width: int) -> Network:
    def layer(rows: int, columns: int) -> tuple[Floats, Floats]:
        scale = 1.5 / np.sqrt(columns)
        return np.round(rng.normal(0, scale, (rows, columns)) * 64) / 64, np.round(
            rng.normal(0, 0.3, rows) * 64
        ) / 64

    return dense(layer(width, 6), layer(width, width), layer(3, width), inputs=6)


SOLVERS = ("cbc", "highs") if find_spec("highspy") else ("cbc",)

_HIGHS = """
import sys, highspy
h = highspy.Highs()
h.setOptionValue("output_flag", False)
assert h.readModel(sys.argv[1]) == highspy.HighsStatus.kOk
h.run()
assert h.writeSolution(sys.argv[2], 0) == highspy.HighsStatus.kOk
"""


def solve_in_place(solver: str, question: Path) -> None:
    """Let a program answer one question file, as a scheduler's job would."""
    answer = question.with_suffix(".sol")
    match solver:
        case "cbc":
            command = [CBC, question, "-solve", "-solution", answer]
        case "highs":
            command = [sys.executable, "-c", _HIGHS, question, answer]
        case _:
            command = [Path(sys.executable).with_name("z3"), question]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=100)
    if solver == "z3":
        answer.write_text(done.stdout)
