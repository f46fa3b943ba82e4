"""How long HiGHS takes over the files of ensc, OMLT and PySCIPOpt-ML: the same questions, in one run.

    pip install -e '.[bench]'               in an environment of its own: peers are no part of the product
    python benchmarks/solve.py              Markdown tables; --json FILE, --set first, --seeds 3

A question is a network, a test image that it gets right, and a radius: is there an input in the box
`[x - radius, x + radius]` within [0, 1] that some other class wins, `f_m >= f_label`? Networks, images and
what every tool is given are those of `emission.py`, which also says what a peer's file contains. Half of
the questions have the points and radii of a published list (`FIRST`), which was chosen because linear
relaxation alone leaves most of them open; the other half (`MORE`) go over the next images by a rule.

HiGHS reads each file with the same options: one thread, all else as it comes. Reading is not timed. Seconds,
and the limit, are the processor's, which other work on the machine disturbs little; an answer that does
not come within the limit costs the limit in sums and twice the limit in PAR-2. The mean of ratios is
geometric, over times of at least 0.05 s. gurobi-machinelearning is not among the tools: it writes
rectifiers as Gurobi's general constraints, for which HiGHS refuses the file.
"""

import argparse
import importlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

emission: Any = importlib.import_module("emission")  # the scripts beside this one; no package holds them
measuring: Any = importlib.import_module("measuring")

SMALL, LARGE = (30, 30), (100, 100)
TOOLS = ("ensc -O1", "OMLT big-M", "PySCIPOpt-ML big-M")


@dataclass(frozen=True, slots=True)
class Question:
    """One image and one radius.

    Attributes:
        network: widths of the hidden layers.
        point: which of the test images that the network gets right.
        radius: of the box, where white is 1.
    """

    network: tuple[int, ...]
    point: int
    radius: Fraction

    def __str__(self) -> str:
        return f"{'-'.join(map(str, self.network))}, image {self.point}, {float(self.radius):g}"


def _questions(network: tuple[int, ...], *asked: tuple[int, int]) -> tuple[Question, ...]:
    return tuple(Question(network, point, Fraction(percent, 100)) for point, percent in asked)


FIRST = (
    *_questions(SMALL, (1, 8), (3, 8), (3, 10), (4, 10), (5, 10), (0, 12), (2, 12), (4, 12), (5, 12)),
    *_questions(LARGE, (1, 5), (5, 8), (3, 8)),
)
MORE = (
    *_questions(SMALL, *((point, percent) for point in (6, 7, 8) for percent in (8, 10, 12))),
    *_questions(LARGE, (6, 6), (7, 6), (8, 6)),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What HiGHS made of one tool's file.

    Attributes:
        tool: its name.
        question: in words.
        answer: `attack`, `none`, `time limit`, or what went wrong.
        seconds: of the processor; the limit where there is no answer.
        rows: of the file.
        columns: likewise.
        nonzeros: likewise.
        binaries: likewise.
        nodes: of the search tree.
    """

    tool: str
    question: str
    answer: str
    seconds: float
    rows: int = 0
    columns: int = 0
    nonzeros: int = 0
    binaries: int = 0
    nodes: int = 0

    @property
    def decided(self) -> bool:
        """Whether it is an answer."""
        return self.answer in {"attack", "none"}


# solving ---------------------------------------------------------------------------------------------


def solve(path: Path, limit: float, seed: int) -> None:
    """Let HiGHS answer a file; what the process of one case does, until its processor time is up."""
    highspy: Any = importlib.import_module("highspy")
    highs = measuring.highs_with(seed)
    if highs.readModel(str(path)) == highspy.HighsStatus.kError:
        print(json.dumps({"answer": "refused", "seconds": 0.0}))
        return
    lp = highs.getLp()
    integral = sum(kind == highspy.HighsVarType.kInteger for kind in lp.integrality_)
    sizes = {"rows": lp.num_row_, "columns": lp.num_col_, "nonzeros": len(lp.a_matrix_.value_)}
    sizes["binaries"] = integral
    print(json.dumps({"answer": "time limit", "seconds": limit, **sizes}), flush=True)
    begin = measuring.limit_cpu(limit)
    highs.run()
    seconds = time.process_time() - begin
    status = highs.getModelStatus()
    names = {highspy.HighsModelStatus.kOptimal: "attack", highspy.HighsModelStatus.kInfeasible: "none"}
    answer = names.get(status, highs.modelStatusToString(status))
    nodes = highs.getInfo().mip_node_count
    print(json.dumps({"answer": answer, "seconds": seconds, **sizes, "nodes": nodes}))


def answers(folder: Path, questions: Sequence[Question], asked: argparse.Namespace) -> Iterator[Answer]:
    """Ask every tool's file every question."""
    trained = {network: emission.train(network) for network in dict.fromkeys(q.network for q in questions)}
    for number, question in enumerate(questions):
        layers, pixels, labels = trained[question.network]
        place, one = folder / f"{number}", slice(question.point, question.point + 1)
        emission.prepare(place, layers, pixels[one], labels[one], question.radius)
        for tool in asked.tools:
            path = place / "model.mps"
            emitted = measuring.answered_by(__file__, "--emit", tool, str(place), str(path), otherwise=0.0)
            if "answer" in emitted:
                yield Answer(tool, str(question), **emitted)
                continue
            for seed in range(asked.seeds):
                case = ("--solve", str(path), str(asked.limit), str(seed))
                told = measuring.answered_by(__file__, *case, otherwise=0.0)
                got = Answer(tool, str(question), **told)
                print(f"{got.question}: {got.tool}, {got.answer}, {got.seconds:.2f} s", file=sys.stderr)
                yield got
            path.unlink()


# reporting -------------------------------------------------------------------------------------------


def totals(got: Sequence[Answer], limit: float) -> list[dict[str, Any]]:
    """Return for each tool what it took in all, and beside the first one."""
    tools = list(dict.fromkeys(a.tool for a in got))
    ours = [_cost(a, limit, 1) for a in got if a.tool == tools[0]]
    result = []
    for tool in tools:
        mine = [a for a in got if a.tool == tool]
        costs = [_cost(a, limit, 1) for a in mine]
        result.append(
            {
                "tool": tool,
                "answered": sum(a.decided for a in mine),
                "asked": len(mine),
                "total": sum(costs),
                "par2": sum(_cost(a, limit, 2) for a in mine) / len(mine),
                "total_ratio": sum(costs) / max(sum(ours), measuring.FLOOR),
                "mean_ratio": measuring.mean_ratio(costs, ours),
            }
        )
    return result


def _cost(answer: Answer, limit: float, penalty: float) -> float:
    return min(answer.seconds, limit) if answer.decided else penalty * limit


def totals_table(sums: Sequence[dict[str, Any]]) -> str:
    """Return the totals as Markdown."""
    lines = [["tool", "answered", "total s", "PAR-2 s", "x total", "x mean"]]
    for s in sums:
        numbers = [f"{s[key]:.2f}" for key in ("total", "par2", "total_ratio", "mean_ratio")]
        lines.append([s["tool"], f"{s['answered']} of {s['asked']}", *numbers])
    return str(measuring.markdown(lines))


def main() -> None:
    """Read the arguments, measure, print tables and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--set", choices=["first", "more", "both"], default="both", help="which questions")
    parser.add_argument("--tools", nargs="+", choices=[*TOOLS, "ensc -O0"], default=list(TOOLS))
    parser.add_argument("--limit", type=float, default=60.0, metavar="SECONDS", help="for one answer")
    parser.add_argument("--seeds", type=int, default=1, help="runs of HiGHS over each file")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write results, versions and machine")
    parser.add_argument("--emit", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--solve", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.emit:
        name, folder, path = asked.emit
        print(json.dumps(emission.run_case(name, Path(folder), Path(path))))
        return
    if asked.solve:
        path, limit, seed = asked.solve
        solve(Path(path), float(limit), int(seed))
        return
    questions = {"first": FIRST, "more": MORE, "both": (*FIRST, *MORE)}[asked.set]
    with tempfile.TemporaryDirectory() as place:
        got = list(answers(Path(place), questions, asked))
    sums, conflicts = totals(got, asked.limit), measuring.contradictions(got)
    print(measuring.table(got, lambda a: a.tool), totals_table(sums), sep="\n\n")
    print(f"\ncontradictions: {', '.join(conflicts) or 'none'}")
    if asked.json:
        report = {
            "machine": measuring.machine(),
            "versions": emission.versions(),
            "options": {"threads": 1, "limit": asked.limit, "seeds": asked.seeds},
            "totals": sums,
            "contradictions": conflicts,
            "results": [asdict(a) for a in got],
        }
        measuring.write_json(asked.json, report)


if __name__ == "__main__":
    main()
