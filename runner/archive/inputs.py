"""A resolved query as files: the query with every number it came to, its networks, its points.

Loaded again it is the same problem, with the same digest. The points are those that the query chose, not
the file they come from: that is what the answer depends on, and little of what somebody else owns.
"""

import io
import os
import zipfile
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import assert_never

import numpy as np
import numpy.typing as npt
import onnx

from ensc.compiler.diagnostics import Source, reject
from ensc.compiler.files import read_file
from ensc.compiler.frontend.data.raw import DATA_FILE
from ensc.compiler.frontend.onnx.external import external_files
from ensc.compiler.frontend.onnx.load import NETWORK_FILE
from ensc.compiler.frontend.query.resolve import load_problem
from ensc.compiler.frontend.syntax.format import format_query
from ensc.compiler.frontend.syntax.parse import parse_query
from ensc.compiler.passes.notes import goal_text
from ensc.compiler.types.problem import (
    Domain,
    EnsembleProblem,
    Expectation,
    ExpectedVerdict,
    Loss,
    Member,
    PointSet,
    Targeted,
    ThreatModel,
    Untargeted,
)
from ensc.formats.files import write_file
from ensc.formats.names import fresh, safe_name

POINTS = "points.npz"
_DATE = (1980, 1, 1, 0, 0, 0)
"""The first that a zip file can hold: the same points give the same bytes."""

_UNIX = 3


def write_inputs(problem: EnsembleProblem, folder: Path) -> Path:
    """Write a query, its networks and its points; return the path of the query.

    Raises:
        Rejected: E0501 and the like if a network is no longer there, E1020 if a file cannot be written.
    """
    write_file(folder / POINTS, [_points(problem.points)])
    files: dict[str, str] = {}
    taken: set[str] = set()
    for member in problem.ensemble:
        stem = fresh(member.name, taken)  # some systems fold case
        taken.add(stem.lower())
        files[member.name] = _copy_network(member, folder, stem)
    path = folder / f"{safe_name(problem.name)}.rq"
    write_file(path, [query_text(problem, files).encode("utf-8")])
    return path


def require_same(problem: EnsembleProblem, query: Path, code: str, *, named: str, whole: str) -> None:
    """Refuse a written query that states another problem.

    A file changed since the query was read, or the query says something else when written out: what is made
    of it would be about another query.

    Args:
        problem: that was asked for.
        query: as it was written.
        code: of the diagnostic.
        named: what messages call the written query.
        whole: what they call all that is made.

    Raises:
        Rejected: the code.
    """
    digest = load_problem(query).problem.digest
    if digest != problem.digest:
        reject(
            code,
            f"{named} is not the one that was asked for",
            notes=(f"digests {problem.digest[:16]}... and {digest[:16]}...",),
            help=f"a file may have changed while the {whole} was made: make it again",
        )


def _copy_network(member: Member, folder: Path, stem: str) -> str:
    """Copy a model file; one whose weights lie beside it gets a folder for them."""
    path = Path(member.path)
    content = read_file(path, NETWORK_FILE, None)
    beside = external_files(onnx.ModelProto.FromString(content))
    name = f"{stem}/{stem}.onnx" if beside else f"{stem}.onnx"
    _write(folder, name, content)
    for file in beside:
        weights = read_file(path.resolve().parent / file, DATA_FILE, None)
        _write(folder, f"{stem}/{os.path.normpath(file)}", weights)
    return name


def _write(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, [content])


def _points(points: PointSet) -> bytes:
    """Return `x` (the numerators), `y` and `row` as an npz; stored, because compressors differ."""
    text = io.BytesIO()
    arrays = {"x": points.numerators, "y": points.labels, "row": points.rows}
    with zipfile.ZipFile(text, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", _DATE)
            entry.create_system = _UNIX
            archive.writestr(entry, _npy(array))
    return text.getvalue()


def _npy(array: npt.NDArray[np.generic]) -> bytes:
    text = io.BytesIO()
    little = array.dtype.newbyteorder("<")
    np.lib.format.write_array(text, np.ascontiguousarray(array, little), version=(1, 0), allow_pickle=False)
    return text.getvalue()


# the query -------------------------------------------------------------------------------------------


def query_text(problem: EnsembleProblem, files: Mapping[str, str]) -> str:
    """Return a problem in the query language, without parameters.

    Args:
        problem: the problem.
        files: the model file of each member, relative to the query.
    """
    text = "".join(f"{line}\n" for line in _lines(problem, files))
    return format_query(parse_query(Source(problem.name, text)))


def _lines(problem: EnsembleProblem, files: Mapping[str, str]) -> Iterator[str]:
    yield "rq 1.0;"
    yield "// As resolved: parameters have become numbers, and paths lead into this folder."
    for name, value in problem.parameters.items():
        yield f"// {name} = {parameter_text(value)}"
    yield ""
    yield "ensemble C {"
    yield from (f"  {member.name} = {_source(member, files[member.name])};" for member in problem.ensemble)
    yield "}"
    scale = Fraction(1, problem.points.denominator)
    scaled = "" if scale == 1 else f", scale = {scale}"
    yield f'data X = npz("{POINTS}", inputs = "x", labels = "y"{scaled});'
    yield ""
    yield f"input domain {_domain(problem.threat.domain)};"
    yield f"attack {_attack(problem.threat)};"
    yield f"loss {_loss(problem.loss)};"
    yield ""
    yield f"{goal_text(problem.goal)};"
    if problem.expectation is not None:
        yield f"expect {expectation_text(problem.expectation)};"
    yield ""
    yield "meta {"
    yield from (f'  {key} = "{value}";' for key, value in problem.meta.items())
    yield "}"


def parameter_text(value: Fraction | str | bool) -> str:
    """Return the value of a parameter as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _source(member: Member, file: str) -> str:
    ports = zip(("input", "output"), member.interface, strict=True)
    named = "".join(f', {port} = "{name}"' for port, name in ports if name is not None)
    return f'onnx("{file}", sha256 = "{member.sha256}"{named})'


def _domain(domain: Domain) -> str:
    if domain.lower is None and domain.upper is None:
        return "unbounded"
    lower = "-inf" if domain.lower is None else str(domain.lower)
    upper = "inf" if domain.upper is None else str(domain.upper)
    return f"[{lower}, {upper}]"


def _attack(threat: ThreatModel) -> str:
    count = "auto" if threat.automatic else str(threat.count)
    return f"norm {threat.norm.value}, radius {threat.radius}, count {count}"


def _loss(loss: Loss) -> str:
    match loss:
        case Untargeted(margin):
            return f"zero_one, ties correct, margin {margin}" if margin else "zero_one, ties misclassified"
        case Targeted(label, margin):
            return f"targeted(label = {label}), margin {margin}"
        case _:
            assert_never(loss)


def expectation_text(expectation: Expectation) -> str:
    """Return what a query expects, in the query language."""
    if isinstance(expectation, ExpectedVerdict):
        count = "" if expectation.count is None else f"({expectation.count})"
        return expectation.verdict + count
    within = f" within {expectation.within}" if expectation.within else ""
    return f"{expectation.quantity} = {expectation.value}{within}"
