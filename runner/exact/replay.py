"""Whether the deployed network, in float32 by onnxruntime, does what exact arithmetic says.

The verdict is about real numbers; this says whether rounding at run time would change who is fooled. It
never changes a verdict.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.frontend.onnx.load import weights_of
from ensc.compiler.types.network import Floats
from ensc.compiler.types.problem import EnsembleProblem, Member, Targeted, Untargeted
from ensc.compiler.types.solution import Attack, Certificate, Verdict
from ensc.runner.exact.float32 import float32_scores
from ensc.runner.exact.margin import margins


@dataclass(frozen=True, slots=True)
class Difference:
    """A loss that float32 execution sees differently; 0-based.

    Attributes:
        attack: deterministic attack.
        point: of the data set.
        member: of the ensemble.
        exact: the loss in exact arithmetic.
        margin: by how much float32 calls the member fooled (negative: not fooled).
    """

    attack: int
    point: int
    member: int
    exact: bool
    margin: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """What replaying an attack in float32 showed.

    Attributes:
        compared: number of losses (attack, point, member) that were compared.
        differences: those that differ.
        skipped: what could not be replayed, and why.
    """

    compared: int
    differences: tuple[Difference, ...]
    skipped: tuple[str, ...]

    @property
    def summary(self) -> str:
        """The outcome in one line."""
        if not self.compared:
            return "not replayed: " + "; ".join(self.skipped)
        same = self.compared - len(self.differences)
        said = f"onnxruntime agrees on {same} of {self.compared} losses"
        places = (
            f"attack {d.attack + 1} point {d.point + 1} member {d.member + 1} (margin {d.margin:.3g})"
            for d in self.differences
        )
        where = ", ".join(places)
        parts = [said, f"differs at {where}" if where else "", *self.skipped]
        return "; ".join(part for part in parts if part)


def agreement(problem: EnsembleProblem, verdict: Verdict) -> Agreement | None:
    """Replay the attack of a verdict by onnxruntime; None if it has none."""
    if verdict.attack is None or verdict.certificate is None:
        return None
    return replay(problem, verdict.attack, verdict.certificate)


def replay(problem: EnsembleProblem, attack: Attack, certificate: Certificate) -> Agreement:
    """Run every member on every attacked point by onnxruntime, on its original file.

    The attacked points are rounded to float32, as a program that feeds them to the network would do.

    Args:
        problem: the query.
        attack: on its points.
        certificate: the exact losses that this attack has.
    """
    if util.find_spec("onnxruntime") is None:
        advice = "onnxruntime is not installed (`pip install 'ensc-compiler[ort]'`)"
        return Agreement(0, (), (advice,))
    points = problem.points.nearest[None] + attack.approximate()
    exact = np.array(certificate.losses)
    compared, differences, skipped = 0, [], []
    for c, member in enumerate(problem.ensemble):
        found = _margins(problem, member, points.astype(np.float32))
        if isinstance(found, str):
            skipped.append(f"{member.name}: {found}")
            continue
        compared += found.size
        differences += list(_differences(c, exact[:, :, c], found))
    return Agreement(compared, tuple(sorted(differences, key=_place)), tuple(skipped))


def _place(difference: Difference) -> tuple[int, int, int]:
    return difference.attack, difference.point, difference.member


def _differences(member: int, exact: Any, found: Floats) -> Iterator[Difference]:  # noqa: ANN401 - bool array
    for i, j in np.argwhere((found >= 0) != exact).tolist():
        yield Difference(i, j, member, bool(exact[i, j]), float(found[i, j]) + 0.0)


def _margins(problem: EnsembleProblem, member: Member, points: Any) -> Floats | str:  # noqa: ANN401 - float32 array
    """Return the margin of the loss at each point, shape (attacks, points), or why there is none."""
    path = Path(member.path)
    if not path.is_file():
        return f"`{member.file}` is gone"
    if _has_changed(path, member):
        return f"`{member.file}` has changed since the query was read"
    if member.network.dropped and _margin_matters(problem):
        return (
            f"its file ends in {member.network.dropped[0]}, and the query's margin is about the logits before"
        )
    try:
        logits = float32_scores(path, member, points.reshape(-1, problem.inputs))
    except Exception as error:  # noqa: BLE001 - a library's own errors, of many kinds; none concerns the verdict
        return f"onnxruntime cannot run it ({type(error).__name__})"
    if isinstance(logits, str):
        return logits
    labels = np.tile(problem.points.labels, len(points))
    margin = margins(problem.loss, labels, logits.astype(np.float64))[0]
    return margin.reshape(points.shape[:2])


def _has_changed(path: Path, member: Member) -> bool:
    """Whether the model, or a file of weights beside it, is not the one that was read."""
    if hashlib.sha256(path.read_bytes()).hexdigest() != member.sha256:
        return True
    try:
        return weights_of(path, None) != member.weights
    except Rejected:  # a file of weights is gone
        return True


def _margin_matters(problem: EnsembleProblem) -> bool:
    """A softmax at the end keeps the order of the classes, so that only a margin other than 0 sees it."""
    match problem.loss:
        case Untargeted(margin):
            return margin != 0
        case Targeted():
            return True
