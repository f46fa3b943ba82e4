"""`Instance` -> VNN-LIB 1.0 or 2.0, in the constructs that today's verifiers read.

Numbers are decimals with a point, equations are written `==`, names hold letters and digits only, and a file
has at most one `or`: several are multiplied out, because readers are known to merge them.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version as installed
from typing import Literal, assert_never

import numpy as np

from ensc.compiler.diagnostics import reject
from ensc.compiler.passes.instances.instance_bounds import box
from ensc.compiler.types.instance import All, Atom, Condition, Instance, Some, conjuncts_of
from ensc.compiler.types.problem import Norm
from ensc.formats.vnnlib.decimals import exact_decimal, outward_decimal

MOST_BRANCHES = 10_000
"""Branches of the one `or`."""

ELEMENT = "float32"
WIDTH = 200

Shapes = tuple[tuple[int, ...], tuple[int, ...]]
"""What a model file declares of its input and of its output."""


def write_property(
    instance: Instance,
    version: Literal[1, 2],
    *,
    shapes: Sequence[Shapes] | None = None,
    notes: Iterable[str] = (),
) -> Iterator[bytes]:
    """Return a property whose counterexamples are those of an instance, in chunks.

    Ends of the box that no decimal of 80 places equals are rounded outward, and a comment says so.

    Args:
        instance: with a box, or a cube, as its input set.
        version: 1 for one network, 2 for any number.
        shapes: of the model files, in the order of the readers; with a batch of 1 before the network's own
            input shape, and a batch of 1 before its outputs, unless given.
        notes: lines for the header.

    Raises:
        Rejected: E1051 if the input set is no box, or version 1.0 is to hold several networks; E1052 if
            the condition has too many branches.
    """
    _require_writable(instance, version)
    writer = _Writer(instance, version, shapes or tuple(_shapes(instance)))
    branches = _branches(instance.unsafe)
    lines = itertools.chain(
        writer.header(notes),
        writer.declarations(),
        writer.equations(),
        writer.inputs(),
        writer.condition(branches),
    )
    return (f"{line}\n".encode("ascii") for line in lines)


def _require_writable(instance: Instance, version: int) -> None:
    if instance.ball is not None and instance.ball.norm is not Norm.LINF:
        reject(
            "E1051",
            f"VNN-LIB has no form for a ball of norm {instance.ball.norm.value}",
            notes=("it knows no absolute values and no auxiliary variables",),
            help="write the merged network, which computes the norm as an output",
        )
    if several := [reader.name for reader in instance.readers if reader.network.parts]:
        reject(
            "E1051",
            f"the network `{several[0]}` has several inputs, which are not written",
            notes=("a property about their concatenation would not fit the model",),
            help="write MPS, LP or SMT-LIB",
        )
    if version == 1 and len(instance.readers) > 1:
        reject(
            "E1051",
            f"VNN-LIB 1.0 holds one network, not {len(instance.readers)}",
            help="write the merged network, or version 2.0",
        )


def _shapes(instance: Instance) -> Iterator[Shapes]:
    for reader in instance.readers:
        yield (1, *reader.network.input_shape), (1, reader.network.classes)


# the condition ---------------------------------------------------------------------------------------


def _branches(condition: Condition) -> tuple[tuple[Atom, ...], list[tuple[Atom, ...]]]:
    """Return what holds in any case, and the branches one of which holds (none: no choice)."""
    always = tuple(c for c in conjuncts_of(condition) if isinstance(c, Atom))
    choices = [c for c in conjuncts_of(condition) if isinstance(c, Some)]
    if not choices:
        return always, []
    count = math.prod(_count(choice) for choice in choices)
    if count > MOST_BRANCHES:
        reject(
            "E1052",
            f"the condition has {count} branches; at most {MOST_BRANCHES} are written",
            notes=("several `or`s are multiplied out: readers of VNN-LIB are known to merge them",),
            help="ask about fewer members together, or use the merged network, which needs no `or`",
        )
    product = itertools.product(*(_normal(choice) for choice in choices))
    return always, [tuple(dict.fromkeys(itertools.chain(*parts))) for parts in product]


def _count(condition: Condition) -> int:
    match condition:
        case Atom():
            return 1
        case All(parts):
            return math.prod(map(_count, parts))
        case Some(parts):
            return sum(map(_count, parts))
        case _:
            assert_never(condition)


def _normal(condition: Condition) -> Iterator[tuple[Atom, ...]]:
    """Yield the branches of the disjunctive normal form."""
    match condition:
        case Atom():
            yield (condition,)
        case All(parts):
            for chosen in itertools.product(*map(_normal, parts)):
                yield tuple(itertools.chain(*chosen))
        case Some(parts):
            for part in parts:
                yield from _normal(part)
        case _:
            assert_never(condition)


# text ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Writer:
    """How an instance is spelt."""

    instance: Instance
    version: Literal[1, 2]
    shapes: Sequence[Shapes]

    def header(self, notes: Iterable[str]) -> Iterator[str]:
        if self.version == 2:
            yield "(vnnlib-version <2.0>)"
        yield f"; ensc {installed('ensc-compiler')}, {self.instance.name}"
        yield from (f"; {line}" for note in notes for line in _cut(note))
        yield "; a counterexample (sat) is an input for which every assertion holds"
        inexact = self._inexact()
        if inexact:
            yield f"; {inexact} bounds are no finite decimals: rounded outward, they admit slightly more"
        yield ""

    def _inexact(self) -> int:
        ends = [end for side in box(self.instance) for end in side]
        always, branches = _branches(self.instance.unsafe)
        listed = (*self.instance.constraints, *always, *itertools.chain(*branches))
        ends += [a.least / a.coefficients[0] for a in dict.fromkeys(listed) if len(a.columns) == 1]
        return sum(exact_decimal(end) is None for end in ends)

    def declarations(self) -> Iterator[str]:
        if self.version == 1:
            (reader,) = self.instance.readers
            for letter, size in (("X", reader.network.inputs), ("Y", reader.network.classes)):
                yield from (f"(declare-const {letter}_{i} Real)" for i in range(size))
            yield ""
            return
        for place, (reader, (inputs, outputs)) in enumerate(
            zip(self.instance.readers, self.shapes, strict=True)
        ):
            yield f"(declare-network {reader.name}"
            yield f"  (declare-input {self._tensor('X', place)} {ELEMENT} {_shape(inputs)})"
            yield f"  (declare-output {self._tensor('Y', place)} {ELEMENT} {_shape(outputs)})"
            yield ")"
        yield ""

    def equations(self) -> Iterator[str]:
        """Yield one equation for every input that reads a variable another one read before."""
        equal = "=" if self.version == 1 else "=="
        first: dict[int, str] = {}
        for place, reader in enumerate(self.instance.readers):
            spell = self._spelling("X", place)
            for position, variable in enumerate(reader.columns.tolist()):
                name = spell(position)
                if variable in first:
                    yield f"(assert ({equal} {first[variable]} {name}))"
                first.setdefault(variable, name)

    def inputs(self) -> Iterator[str]:
        names = self._names()
        lower, upper = box(self.instance)
        for variable, (low, high) in enumerate(zip(lower, upper, strict=True)):
            if variable in names:
                yield f"(assert (>= {names[variable]} {outward_decimal(low, -1)}))"
                yield f"(assert (<= {names[variable]} {outward_decimal(high, 1)}))"
        yield from (f"(assert {self._atom(names, atom)})" for atom in self.instance.constraints)

    def condition(self, parts: tuple[tuple[Atom, ...], list[tuple[Atom, ...]]]) -> Iterator[str]:
        names = self._names()
        always, branches = parts
        yield from (f"(assert {self._atom(names, atom)})" for atom in always)
        if len(branches) == 1:
            yield from (f"(assert {self._atom(names, atom)})" for atom in branches[0])
        elif branches:
            yield "(assert (or"
            for branch in branches:
                texts = [self._atom(names, atom) for atom in branch]
                yield f"  {texts[0]}" if len(texts) == 1 else f"  (and {' '.join(texts)})"
            yield "))"

    def _names(self) -> dict[int, str]:
        """Return the name of every variable of the instance, that of its first reader."""
        names: dict[int, str] = {}
        for place, (reader, start) in enumerate(
            zip(self.instance.readers, self.instance.starts[:-1], strict=True)
        ):
            spell = self._spelling("X", place)
            for position, variable in enumerate(reader.columns.tolist()):
                names.setdefault(variable, spell(position))
            spell = self._spelling("Y", place)
            names |= {start + unit: spell(unit) for unit in range(reader.network.classes)}
        return names

    def _tensor(self, letter: str, place: int) -> str:
        return letter if len(self.instance.readers) == 1 else f"{letter}{place + 1}"

    def _spelling(self, letter: str, place: int) -> Callable[[int], str]:
        if self.version == 1:
            return lambda number: f"{letter}_{number}"
        shape = self.shapes[place][letter == "Y"]
        name = self._tensor(letter, place)

        def spelt(number: int) -> str:
            indices = ",".join(str(int(i)) for i in np.unravel_index(number, shape))
            return f"{name}[{indices}]"

        return spelt

    def _atom(self, names: dict[int, str], atom: Atom) -> str:
        """Spell an inequality; several terms are scaled to integers, so that nothing is rounded."""
        more, less = (">", "<") if atom.strict else (">=", "<=")
        if not atom.columns:
            name = next(iter(names.values()))
            return f"({'>=' if atom.holds(()) else '>'} {name} {name})"
        if len(atom.columns) == 1:
            end = atom.least / atom.coefficients[0]
            sign, side = (more, -1) if atom.coefficients[0] > 0 else (less, 1)
            return f"({sign} {names[atom.columns[0]]} {outward_decimal(end, -1 if side < 0 else 1)})"
        first, *others = atom.coefficients
        bound = exact_decimal(atom.least / abs(first))
        if others == [-first] and bound is not None:
            winner, loser = (names[v] for v in (atom.columns if first > 0 else atom.columns[::-1]))
            left, right = (winner, loser) if atom.least == 0 else (f"(- {winner} {loser})", bound)
            return f"({more} {left} {right})"
        scale = math.lcm(atom.least.denominator, *(c.denominator for c in atom.coefficients))
        scaled = [c * scale for c in atom.coefficients]
        terms = (_term(c, names[v]) for v, c in zip(atom.columns, scaled, strict=True))
        return f"({more} (+ {' '.join(terms)}) {_whole(atom.least * scale)})"


def _term(coefficient: Fraction, name: str) -> str:
    return name if coefficient == 1 else f"(* {_whole(coefficient)} {name})"


def _whole(value: Fraction) -> str:
    text = exact_decimal(value)
    assert text is not None, "integers are decimals"
    return text


def _shape(shape: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, shape))}]"


def _cut(text: str) -> Iterator[str]:
    """Cut a text into comment lines of printable ASCII."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    plain = plain.encode("ascii", "xmlcharrefreplace").decode("ascii")
    yield from (plain[i : i + WIDTH] for i in range(0, len(plain), WIDTH))
