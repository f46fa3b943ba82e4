"""Where the answers of a sweep go: one file for each of its points."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from ensc.compiler.types.problem import EnsembleProblem


def sweep_paths(path: Path, problems: Sequence[EnsembleProblem]) -> list[Path]:
    """Return one path for each point of a sweep; the path itself where there is one point.

    Points are told apart by the parameters that differ: `out.mps` becomes `out-epsilon=1_2.mps`.

    Args:
        path: of the file, were there one point only.
        problems: the points, at least one.
    """
    first = problems[0].parameters
    varied = [name for name in first if any(p.parameters[name] != first[name] for p in problems)]
    return [_named(path, {name: problem.parameters[name] for name in varied}) for problem in problems]


def _named(path: Path, values: dict[str, Fraction | str | bool]) -> Path:
    plain = Path(path.name.removesuffix(".gz"))
    suffix = path.name[len(plain.name.removesuffix(plain.suffix)) :]
    parts = [f"{name}={str(value).replace('/', '_')}" for name, value in values.items()]
    return path.with_name("-".join([path.name.removesuffix(suffix), *parts]) + suffix)
