"""What the optimization levels are worth on joint files: CBC over `-O0` to `-O3`, in one run.

    pip install -e '.[solve,bench]'
    python benchmarks/joint.py              Markdown tables; --json FILE, --levels 0 1, --seeds 3, --cap 60

A question is whether the value of three members over four digits (8x8 pixels of 0 to 16) stays below alpha
against mixtures of two or three attacks in an L1 ball: a joint file with two or three copies of every network
at every point. *small* are dense networks with 18 to 26 rectifiers that `split.py` trains; *examples* are the
networks in `examples/digits`, one of them convolutional with max-pooling.

CBC is told what `ensc solve` tells it, and has one thread. Seconds, and the cap, are the processor's, which
other work on the machine disturbs little. Reading is not timed. An answer that does not come within the cap
counts as the cap, so that a ratio over such a file is a lower bound. Means are geometric, over times of at
least 0.05 s.
"""

import argparse
import importlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ensc.compiler.frontend.query.resolve import load_problem
from ensc.compiler.pipeline import Options
from ensc.compiler.types.model import Model, size_of
from ensc.compiler.types.problem import EnsembleProblem
from ensc.formats import write_file, write_mps
from ensc.runner.joint.build import build

split: Any = importlib.import_module("split")  # the scripts beside this one; no package holds them
measuring: Any = importlib.import_module("measuring")

EXAMPLES = Path(__file__).parents[1] / "examples" / "digits"
SMALL_FILES = ("net1.onnx", "net2.onnx", "net4.onnx")
EXAMPLE_FILES = ("dense_24_16.onnx", "dense_20_20.onnx", "conv_pool.onnx")
QUERY = """rq 1.0;
ensemble C {{ {members} }}
data X = npz("{points}", inputs = "x", labels = "y", rows = [{rows}]);
input domain [0, 16];
attack norm L1, radius {radius}, count {attacks};
check value < {alpha};
"""


@dataclass(frozen=True, slots=True)
class Question:
    """One query.

    Attributes:
        ensemble: `small` or `examples`.
        rows: of the data, one for each point.
        radius: of the L1 ball, in grey levels.
        attacks: in the mixture.
        alpha: what the value is compared with.
    """

    ensemble: str
    rows: tuple[int, ...]
    radius: str
    attacks: int
    alpha: str

    def __str__(self) -> str:
        rows = ",".join(map(str, self.rows))
        return f"{self.ensemble} {rows}, L1 {self.radius}, {self.attacks} attacks, value < {self.alpha}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a solver made of one file.

    Attributes:
        question: in words.
        variant: which file.
        solver: `CBC` or `HiGHS`.
        seed: of the solver.
        answer: `attack`, `none`, `cap`, or what went wrong.
        seconds: of the processor; the cap where there is no answer.
        binaries: of the file.
        rows: of the file.
        compiled: seconds from the loaded query to the model.
    """

    question: str
    variant: str
    solver: str
    seed: int
    answer: str
    seconds: float
    binaries: int
    rows: int
    compiled: float

    @property
    def decided(self) -> bool:
        """Whether it is an answer."""
        return self.answer in {"attack", "none"}


# queries ---------------------------------------------------------------------------------------------


def prepare(folder: Path) -> None:
    """Train the small networks and write the points."""
    images, labels = split.digits()
    split.train_members(folder, images, labels)
    split.write_points(folder, images[-400:], labels[-400:])


def load(folder: Path, question: Question) -> EnsembleProblem:
    """Return a question as a problem."""
    if question.ensemble == "small":
        files, points = [folder / name for name in SMALL_FILES], folder / "points.npz"
    else:
        files, points = [EXAMPLES / name for name in EXAMPLE_FILES], EXAMPLES / "points.npz"
    query = folder / "query.rq"
    text = QUERY.format(
        members=" ".join(f'f{k} = onnx("{file}");' for k, file in enumerate(files, start=1)),
        points=points,
        rows=", ".join(map(str, question.rows)),
        radius=question.radius,
        attacks=question.attacks,
        alpha=question.alpha,
    )
    query.write_text(text, encoding="utf-8")
    return load_problem(query).problem


# solving ---------------------------------------------------------------------------------------------


def solve(solver: str, path: Path, cap: float, seed: int) -> None:
    """Let a solver answer a file; what the process of one case does, until its processor time is up."""
    run = (_cbc if solver == "CBC" else _highs)(path, seed)
    print(json.dumps({"answer": "cap", "seconds": cap}), flush=True)
    begin = measuring.limit_cpu(cap)
    status = run()
    seconds = time.process_time() - begin
    words = {"OPTIMAL": "attack", "INFEASIBLE": "none"}
    print(json.dumps({"answer": words.get(status, status), "seconds": seconds}), flush=True)


def _cbc(path: Path, seed: int) -> Any:  # noqa: ANN401 - what it returns is called
    worker: Any = importlib.import_module("ensc.runner.solvers.cbc_worker")
    model, _ = worker.read({"model": str(path), "verbose": False, "threads": 1, "seed": seed})
    return lambda: worker.solve(model, None)["status"]


def _highs(path: Path, seed: int) -> Any:  # noqa: ANN401 - what it returns is called
    highs = measuring.highs_with(seed)
    highs.readModel(str(path))

    def run() -> str:
        highs.run()
        return str(highs.modelStatusToString(highs.getModelStatus())).upper()

    return run


# questions -------------------------------------------------------------------------------------------

QUESTIONS = (
    Question("small", (0, 1, 2, 3), "12", 2, "1/4"),
    Question("small", (0, 1, 2, 3), "18", 2, "1/4"),
    Question("small", (0, 1, 2, 3), "15", 2, "1/2"),
    Question("small", (4, 5, 6, 7), "12", 3, "1/4"),
    Question("small", (4, 5, 6, 7), "18", 2, "1/2"),
    Question("small", (4, 5, 6, 7), "18", 3, "1/4"),
    Question("small", (8, 9, 10, 11), "12", 2, "1/2"),
    Question("small", (8, 9, 10, 11), "12", 3, "1/4"),
    Question("small", (8, 9, 10, 11), "18", 2, "1/2"),
    Question("examples", (9, 22, 27, 38), "4", 2, "1/4"),
)


def answers(folder: Path, asked: argparse.Namespace) -> Iterator[Answer]:
    """Ask CBC the file of every level every question."""
    for question in QUESTIONS:
        problem = load(folder, question)
        for level in asked.levels:
            start = time.process_time()
            compiled = build(problem, Options(level))
            spent = time.process_time() - start
            path = written(folder, compiled.linear)
            yield from asked_of(path, compiled.linear, asked, str(question), f"-O{level}", spent)


def written(folder: Path, model: Model) -> Path:
    """Write a model; return where."""
    path = folder / "joint.mps"
    write_file(path, write_mps(model))
    return path


def asked_of(
    path: Path, model: Model, asked: argparse.Namespace, question: str, variant: str, compiled: float
) -> Iterator[Answer]:
    """Let solvers answer a file, once for each seed."""
    size = size_of(model)
    for solver in asked.solvers:
        for seed in range(asked.seeds):
            case = ("--solve", solver, str(path), str(asked.cap), str(seed))
            told = measuring.answered_by(__file__, *case, otherwise=asked.cap)
            sizes = {"binaries": size.integers, "rows": size.rows, "compiled": compiled}
            got = Answer(question, variant, solver, seed, **told, **sizes)
            print(f"{question}: {variant}, {solver}, {got.answer}, {got.seconds:.2f} s", file=sys.stderr)
            yield got


# reporting -------------------------------------------------------------------------------------------


def ratios(got: Sequence[Answer], reference: str) -> list[dict[str, Any]]:
    """Compare every variant with one of them, solver by solver: seconds, binaries, answers."""
    keyed = {(a.variant, a.solver, a.question, a.seed): a for a in got}
    result: list[dict[str, Any]] = []
    for solver in dict.fromkeys(a.solver for a in got):
        for variant in dict.fromkeys(a.variant for a in got):
            mine = [a for a in got if (a.variant, a.solver) == (variant, solver)]
            theirs = [keyed[reference, solver, a.question, a.seed] for a in mine]
            pairs = list(zip(theirs, mine, strict=True))
            result.append(
                {
                    "variant": variant,
                    "solver": solver,
                    "answered": sum(a.decided for a in mine),
                    "asked": len(mine),
                    "seconds": sum(a.seconds for a in mine),
                    "faster": measuring.mean_ratio([r.seconds for r in theirs], [a.seconds for a in mine]),
                    "binaries": sum(a.binaries for a in mine) / max(1, sum(r.binaries for r in theirs)),
                    "most_binaries": max(a.binaries / max(1, r.binaries) for r, a in pairs),
                    "compiled": sum(a.compiled for a in mine),
                }
            )
    return result


def ratios_table(sums: Sequence[dict[str, Any]], reference: str) -> str:
    """Return the comparison as Markdown."""
    heads = ["variant", "solver", "answered", "s", f"times as fast as {reference}", "binaries", "at most"]
    lines = [[*heads, "compile s"]]
    for s in sums:
        times = f"{s['seconds']:.2f}", f"{s['faster']:.2f}"
        shares = f"{s['binaries']:.0%}", f"{s['most_binaries']:.0%}"
        answered = f"{s['answered']} of {s['asked']}"
        lines.append([s["variant"], s["solver"], answered, *times, *shares, f"{s['compiled']:.2f}"])
    return str(measuring.markdown(lines))


def tell(got: Sequence[Answer], asked: argparse.Namespace) -> None:
    """Print the tables, and write the JSON that was asked for."""
    reference = got[0].variant
    sums, conflicts = ratios(got, reference), measuring.contradictions(got)
    for solver in dict.fromkeys(a.solver for a in got):
        mine = [a for a in got if a.solver == solver]
        print(f"\n{solver}\n", measuring.table(mine, lambda a: a.variant), sep="\n")
    print("", ratios_table(sums, reference), sep="\n")
    print(f"\ncontradictions: {', '.join(conflicts) or 'none'}")
    if asked.json:
        report = {
            "machine": measuring.machine(),
            "versions": {name: version(name) for name in ("ensc-compiler", "mip", "highspy", "numpy")},
            "options": {"threads": 1, "cap": asked.cap, "seeds": asked.seeds},
            "comparison": sums,
            "contradictions": conflicts,
            "results": [asdict(a) for a in got],
        }
        measuring.write_json(asked.json, report)


def arguments(description: str, *, seeds: int, cap: float, solvers: list[str]) -> argparse.ArgumentParser:
    """Return what both scripts about joint files may be asked."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--cap", type=float, default=cap, metavar="SECONDS", help="for one answer")
    parser.add_argument("--solvers", nargs="+", choices=["CBC", "HiGHS"], default=solvers)
    parser.add_argument("--seeds", type=int, default=seeds, help="runs over each file")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write results, versions and machine")
    parser.add_argument("--solve", nargs=4, help=argparse.SUPPRESS)
    return parser


def main() -> None:
    """Read the arguments, measure, print tables and write JSON."""
    parser = arguments(__doc__.split("\n")[0], seeds=1, cap=60.0, solvers=["CBC"])
    parser.add_argument("--levels", type=int, nargs="+", default=[0, 1, 2, 3])
    asked = parser.parse_args()
    if asked.solve:
        solver, path, cap, seed = asked.solve
        solve(solver, Path(path), float(cap), int(seed))
        return
    with tempfile.TemporaryDirectory() as place:
        prepare(Path(place))
        tell(list(answers(Path(place), asked)), asked)


if __name__ == "__main__":
    main()
