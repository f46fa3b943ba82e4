"""How tight bounds are and what they cost: intervals, relaxation, better lines, and what is asserted.

    python benchmarks/bounds.py                      the networks and points of examples/digits, a table
    python benchmarks/bounds.py QUERY.rq ...         other queries, each with its own norm and radius
    python benchmarks/bounds.py --json               the same as JSON
    python benchmarks/bounds.py --crown              beside CROWN of auto_LiRPA, if it is installed

`open` counts the neurons of unknown sign for each point and member, `refuted` the pairs of a point and a
member that cannot be fooled, `width` is the mean width of the margins. `cpu` is the processor's time. With
what is asserted (the member is fooled, by one rival at a time) only pairs that are not refuted before count.

CROWN is the `backward` method of auto_LiRPA on the same boxes, in float64 (torch and auto_LiRPA from its
repository; its release on PyPI does not run on a current torch). Of dense networks the largest relative
difference of the bounds of the logits is printed: below 1e-3 where both are CROWN, and negative where ours
are tighter.
"""

import argparse
import dataclasses
import importlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ensc.compiler.frontend.query.resolve import load_problem
from ensc.compiler.passes.bounds.input_sets import input_sets
from ensc.compiler.passes.bounds.interval import interval_bounds
from ensc.compiler.passes.bounds.relaxed_bounds import margin_bounds, relaxed_bounds
from ensc.compiler.passes.scopes.asserted_scopes import asserted_scopes
from ensc.compiler.passes.scopes.scope import pruned_scope, scope_at
from ensc.compiler.types.bounds import Bounds, InputSets
from ensc.compiler.types.network import Affine, Floats, Network, Relu
from ensc.compiler.types.problem import EnsembleProblem, Norm

DIGITS = Path(__file__).parents[1] / "examples" / "digits" / "maximize.rq"
RADII = (
    (Norm.LINF, Fraction(2, 5)),
    (Norm.LINF, Fraction(1)),
    (Norm.L1, Fraction(4)),
    (Norm.L0, Fraction(1)),
)
Analysis = Callable[[Network, InputSets], Bounds]
ANALYSES: dict[str, tuple[Analysis, int]] = {
    "interval": (interval_bounds, 0),
    "relaxed": (relaxed_bounds, 0),
    "better lines": (relaxed_bounds, 3),
}


@dataclass(frozen=True, slots=True)
class Result:
    """One analysis of one query."""

    query: str
    norm: str
    radius: float
    analysis: str
    open: float
    refuted: int
    pairs: int
    width: float | None
    cpu: float


def queries(paths: Sequence[Path]) -> Iterator[EnsembleProblem]:
    """Yield the queries to measure."""
    for path in paths:
        yield _loaded(path)
    if not paths:
        problem = _loaded(DIGITS)
        for norm, radius in RADII:
            threat = dataclasses.replace(problem.threat, norm=norm, radius=radius)
            yield dataclasses.replace(problem, threat=threat)


def _loaded(path: Path) -> EnsembleProblem:
    return load_problem(path).problem


def measured(problem: EnsembleProblem) -> Iterator[Result]:
    """Yield what each analysis makes of a query."""
    sets = input_sets(problem)
    for name, (analysis, rounds) in ANALYSES.items():
        start, refuted, undecided, widths = time.process_time(), 0, 0, []
        for member in problem.ensemble:
            bounds = analysis(member.network, sets)
            upper, lower = _margins(problem, member.network, sets, bounds, rounds, relaxed=name != "interval")
            refuted += int((upper.max(axis=1) < problem.loss.margin).sum())
            undecided += _open(member.network, bounds)
            widths.append((upper - lower)[np.isfinite(upper)].mean())
        cpu = time.process_time() - start
        yield _result(problem, name, undecided, refuted, float(np.mean(widths)), cpu)
    yield _asserted(problem, sets)


def _margins(
    problem: EnsembleProblem,
    network: Network,
    sets: InputSets,
    bounds: Bounds,
    rounds: int,
    *,
    relaxed: bool,
) -> tuple[Floats, Floats]:
    """Bound `f_m - f_y` for every class m but the label y, for which both ends are `-inf`."""
    points, classes = len(problem.points), problem.classes
    own = np.arange(points), problem.points.labels
    if relaxed:
        forms = np.broadcast_to(np.eye(classes), (points, classes, classes)).copy()
        forms[own[0], :, own[1]] -= 1.0
        upper = margin_bounds(network, sets, bounds, forms, rounds=rounds)
        lower = -margin_bounds(network, sets, bounds, -forms)
    else:
        logits = bounds.values[network.output]
        upper = logits.upper - logits.lower[own][:, None]
        lower = logits.lower - logits.upper[own][:, None]
    upper[own] = -np.inf
    return upper, lower


def _open(network: Network, bounds: Bounds) -> int:
    read = [layer.source for layer in network.layers if isinstance(layer, Relu)]
    values = [bounds.values[source] for source in read]
    return sum(int(((v.lower < 0) & (v.upper > 0)).sum()) for v in values)


def _asserted(problem: EnsembleProblem, sets: InputSets) -> Result:
    start, refuted, undecided = time.process_time(), 0, 0
    for c, member in enumerate(problem.ensemble):
        scope = pruned_scope(problem, member.network, sets, relaxed_bounds(member.network, sets))
        for point in range(len(problem.points)):
            at_point = scope_at(scope, point)
            part = slice(point, point + 1)
            found = None if at_point is None else asserted_scopes(problem, sets.at(part), [(c, at_point)])
            refuted += found is None
            undecided += 0 if found is None else _open(member.network, found[0][1].plan.bounds)
    return _result(problem, "asserted", undecided, refuted, None, time.process_time() - start)


def _result(
    problem: EnsembleProblem, name: str, undecided: int, refuted: int, width: float | None, cpu: float
) -> Result:
    pairs = len(problem.points) * len(problem.ensemble)
    left = max(1, pairs - refuted) if name == "asserted" else pairs
    norm, radius = problem.threat.norm.value, float(problem.threat.radius)
    return Result(problem.name, norm, radius, name, undecided / left, refuted, pairs, width, cpu)


def crown(problem: EnsembleProblem) -> Iterator[tuple[str, float, float, float]]:
    """Yield for each dense member the largest relative difference to CROWN, and both times."""
    torch: Any = importlib.import_module("torch")
    lirpa: Any = importlib.import_module("auto_LiRPA")
    sets = input_sets(problem)
    lower, upper, centre = (torch.tensor(v) for v in (sets.lower, sets.upper, sets.centre))
    for member in problem.ensemble:
        layers = member.network.layers
        if not all(isinstance(layer, Affine | Relu) for layer in layers):
            continue
        module = torch.nn.Sequential(*(_in_torch(torch, layer) for layer in layers))
        bounded = lirpa.BoundedModule(module, centre)
        ball = lirpa.PerturbationLpNorm(norm=float("inf"), x_L=lower, x_U=upper)
        start = time.process_time()
        low, high = bounded.compute_bounds(x=(lirpa.BoundedTensor(centre, ball),), method="backward")
        middle = time.process_time()
        ours = relaxed_bounds(member.network, sets).values[member.network.output]
        end = time.process_time()
        theirs = low.detach().numpy(), high.detach().numpy()
        looser = np.maximum(theirs[0] - ours.lower, ours.upper - theirs[1]) / (theirs[1] - theirs[0])
        yield member.name, float(looser.max()), middle - start, end - middle


def _in_torch(torch: Any, layer: object) -> Any:  # noqa: ANN401 - torch has no types here
    if not isinstance(layer, Affine):
        return torch.nn.ReLU()
    linear = torch.nn.Linear(layer.weight.shape[1], layer.weight.shape[0], dtype=torch.float64)
    linear.weight.data, linear.bias.data = torch.tensor(layer.weight), torch.tensor(layer.bias)
    return linear


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("queries", nargs="*", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--crown", action="store_true")
    options = parser.parse_args(arguments)
    if options.crown:
        for problem in queries(options.queries):
            if problem.threat.norm is Norm.LINF:
                for name, difference, theirs, ours in crown(problem):
                    print(f"{name:12} looser by {difference:9.2e}, cpu {theirs:.3f} s and {ours:.3f} s")
        return
    results = [result for problem in queries(options.queries) for result in measured(problem)]
    if options.json:
        print(json.dumps([asdict(result) for result in results], indent=2))
        return
    print("query        norm   radius analysis         open   refuted     width    cpu s")
    for r in results:
        width = "" if r.width is None else f"{r.width:9.3f}"
        refuted = f"{r.refuted}/{r.pairs}"
        print(
            f"{r.query:12} {r.norm:5} {r.radius:7.3f} {r.analysis:13} {r.open:7.1f} {refuted:>9} "
            f"{width:>9} {r.cpu:8.3f}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
