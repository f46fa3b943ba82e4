"""What a journal holds about the questions of a split, and what of it may be believed again.

Entries are about one point: its exact coordinates and label, what the networks compute, norm, domain and
loss, all in one hash with the version of ensc, so that other queries and other radii share what they have in
common. A perturbation counts only after it has been replayed exactly again. A refutation counts at its own
radius and below, and only if the same solvers are asked now; that bounds refute depends on the version alone.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version

import numpy as np

from ensc.compiler.types.problem import EnsembleProblem
from ensc.compiler.types.solution import Proof
from ensc.runner.exact.certify import is_admissible
from ensc.runner.split.answer import BOUNDS, STAGES, replayed_witness
from ensc.runner.split.journal import Record
from ensc.runner.split.patterns import Refutation, Witness

SEMANTICS = 1
"""Changes whenever entries of the same key would mean something else."""

NOWHERE = Fraction(-1)
"""The radius of an entry that stands for no finished work."""

BITS = 1 << 16
"""Of a numerator or denominator, at most; longer ones are no honest perturbations."""


@dataclass(frozen=True, slots=True)
class Denied:
    """A refutation, and for which radii it was made.

    Attributes:
        refutation: what is claimed.
        radius: there is no perturbation of a smaller norm.
        closed: nor one of this very norm.
    """

    refutation: Refutation
    radius: Fraction
    closed: bool

    def covers(self, radius: Fraction) -> bool:
        """Return whether it speaks about a ball."""
        return radius < self.radius or (self.closed and radius == self.radius)


@dataclass(frozen=True, slots=True)
class Entry:
    """What one task found out about one point.

    Attributes:
        did: `survey`, `ask`, `measure`, or one stage of a survey that is not finished, see `staged`.
        radius: of the ball that it was about.
        mask: the set of members that a solver was asked about, 0 for a survey.
        found: perturbations that fool somebody.
        denied: what no perturbation does.
        solvers: who was asked, as `SplitSettings.solvers`; empty for a survey.
        why: what happened if the question was left open, else empty.
        timely: whether more time might have helped.
        seconds: that the question was given, none if None.
    """

    did: str
    radius: Fraction
    mask: int = 0
    found: tuple[Witness, ...] = ()
    denied: tuple[Denied, ...] = ()
    solvers: str = ""
    why: str = ""
    timely: bool = False
    seconds: float | None = None


def staged(stage: int) -> str:
    """Return what an entry is called that holds what one stage of a survey added."""
    return f"stage {stage}"


_WORDS = {"survey", "ask", "measure", *map(staged, range(STAGES))}


def point_keys(problem: EnsembleProblem) -> tuple[str, ...]:
    """Return a key for each point: a hash of everything but the radius that its answers depend on."""
    threat, loss = problem.threat, problem.loss
    shared = hashlib.sha256()
    domain = [str(threat.domain.lower), str(threat.domain.upper)]
    said = [SEMANTICS, version("ensc-compiler"), threat.norm.value, domain, type(loss).__name__, str(loss)]
    shared.update(json.dumps(said).encode("ascii"))
    for member in problem.ensemble:
        for part in _content(member.network):
            shared.update(part)
    return tuple(_point_key(problem, j, shared.digest()) for j in range(len(problem.points)))


def _point_key(problem: EnsembleProblem, point: int, shared: bytes) -> str:
    points = problem.points
    own = hashlib.sha256(shared)
    own.update(np.ascontiguousarray(points.numerators[point], "<f8").tobytes())
    own.update(f"{points.denominator} {points.labels[point]}".encode("ascii"))
    return own.hexdigest()


def _content(value: object) -> Iterator[bytes]:
    """Yield a network's content, each part with its kind and length, so that no two networks look alike."""
    match value:
        case np.ndarray():
            little = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
            yield f"array {little.dtype.str} {little.shape};".encode("ascii")
            yield little.tobytes()
        case tuple() | list():
            yield f"sequence {len(value)};".encode("ascii")
            for part in value:
                yield from _content(part)
        case _ if dataclasses.is_dataclass(value):
            yield f"{type(value).__name__} ".encode("ascii")
            for field in dataclasses.fields(value):
                if field.name != "name":  # of a layer: where it comes from, not what it computes
                    yield f"{field.name} ".encode("ascii")
                    yield from _content(getattr(value, field.name))
        case _:
            text = repr(value).encode("utf-8")
            yield f"{type(value).__name__} {len(text)};".encode("ascii") + text


def to_record(key: str, entry: Entry) -> Record:
    """Return what is written about a point."""
    return {
        "point": key,
        "did": entry.did,
        "radius": str(entry.radius),
        "mask": entry.mask,
        "found": [[w.mask, w.source, [_hex(d) for d in w.delta]] for w in entry.found],
        "denied": [
            [d.refutation.mask, p.solver, p.tolerance, p.claim, str(d.radius), d.closed]
            for d in entry.denied
            for p in (d.refutation.proof,)
        ],
        "solvers": entry.solvers,
        "why": entry.why,
        "timely": entry.timely,
        "seconds": entry.seconds,
    }


def recalled(
    problem: EnsembleProblem, keys: Sequence[str], records: Sequence[Record], solvers: str
) -> tuple[list[list[Entry]], int]:
    """Return what records say about each point, as far as it may be believed.

    Args:
        problem: the query; no perturbation beyond its radius counts.
        keys: of its points.
        records: of a journal, about whatever.
        solvers: that are asked in this run; what others refute does not count.

    Returns:
        The entries of each point, and how many claims about these points turned out to be wrong.
    """
    places: dict[str, list[int]] = {}
    for j, key in enumerate(keys):
        places.setdefault(key, []).append(j)
    entries: list[list[Entry]] = [[] for _ in keys]
    wrong = 0
    for record in records:
        for j in places.get(str(record.get("point")), ()):
            try:
                entry = _entry(problem, j, record)
            except (ValueError, TypeError, KeyError, ArithmeticError):
                wrong += 1
                continue
            beyond = entry.radius > problem.threat.radius  # where a perturbation may be too large here
            missing = 0 if beyond else len(_listed(record["found"])) - len(entry.found)
            if missing or entry.solvers not in {"", solvers}:
                entry = _only_found(entry)
            wrong += missing
            entries[j].append(entry)
    return entries, wrong


def _only_found(entry: Entry) -> Entry:
    """Keep what was replayed of an entry whose other claims do not count; the work is not done by it."""
    return Entry("survey", NOWHERE, found=entry.found)


def _entry(problem: EnsembleProblem, point: int, record: Record) -> Entry:
    """Read one record.

    Raises:
        ValueError: or TypeError, KeyError, ArithmeticError, if it is none.
    """
    seconds = record["seconds"]
    return Entry(
        _word(record["did"]),
        Fraction(str(record["radius"])),
        _mask(problem, record["mask"]),
        tuple(w for said in _listed(record["found"]) if (w := _witness(problem, point, said)) is not None),
        tuple(_denied(problem, said) for said in _listed(record["denied"])),
        _text(record["solvers"]),
        _text(record["why"]),
        record["timely"] is True,
        None if seconds is None else float(str(seconds)),
    )


def _witness(problem: EnsembleProblem, point: int, said: object) -> Witness | None:
    """Replay a perturbation; None if it is too large or does not do what is said of it."""
    mask, source, numbers = _listed(said)
    delta = tuple(_number(n) for n in _listed(numbers))
    if len(delta) != problem.inputs or not is_admissible(problem, point, delta):
        return None
    witness = replayed_witness(problem, point, delta, _text(source))
    return dataclasses.replace(witness, recalled=True) if witness.mask == mask else None


def _denied(problem: EnsembleProblem, said: object) -> Denied:
    mask, solver, tolerance, claim, radius, closed = _listed(said)
    proof = Proof(_text(solver), float(str(tolerance)), _text(claim))
    refutation = Refutation(_mask(problem, mask), proof, recalled=True)
    return Denied(refutation, Fraction(str(radius)), closed is True)


def refuted_by_bounds(denied: Denied) -> bool:
    """Return whether no solver is needed to believe it."""
    return denied.refutation.proof == BOUNDS


def _listed(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _word(value: object) -> str:
    if value not in _WORDS:
        raise ValueError
    return str(value)


def _mask(problem: EnsembleProblem, value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < 1 << len(problem.ensemble):
        raise ValueError
    return value


def _hex(number: Fraction) -> str:
    """Write a rational exactly; Python limits the digits of decimal integers, not of these."""
    return f"{number.numerator:x}/{number.denominator:x}" if number else "0"


def _number(value: object) -> Fraction:
    numerator, _, denominator = _text(value).partition("/")
    if len(numerator) + len(denominator) > BITS // 4:
        raise ValueError
    return Fraction(int(numerator, 16), int(denominator or "1", 16))
