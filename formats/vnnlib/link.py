"""Property × networks -> instances: shared inputs found, boxes read off, cases of inputs told apart."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

import numpy as np

from ensc.compiler.diagnostics import Diagnostic, Label, Rejected
from ensc.compiler.quoting import counted, listed
from ensc.compiler.quoting import shape as shape_text
from ensc.compiler.types.instance import All, Atom, Condition, Instance, Reader, Some, atoms, conjuncts_of
from ensc.compiler.types.network import Network
from ensc.formats.vnnlib.property import Declared, Property, Tensor
from ensc.formats.vnnlib.structure import differences

_TRUE = Atom((), (), Fraction(0))
"""What is left of an equation between inputs that are one variable."""

MOST_CASES = 1 << 14
"""Beyond, disjunctions over inputs stay part of the condition, with one box around all cases."""


def link(stated: Property, networks: Mapping[str, Network], name: str) -> tuple[Instance, ...]:
    """Return the instances whose counterexamples are those of a property.

    There are several where assertions distinguish cases of the inputs, each with a box of its own.

    Args:
        stated: as read.
        networks: for each declared name the function it is bound to.
        name: what the instances are called.

    Raises:
        Rejected: E1281 if an input has no bounds, E1284 if a network does not have the declared numbers of
            inputs and outputs, its outputs are not those of the file, or its structure is not that of the
            one it is declared to be isomorphic to.
    """
    _require_fit(stated, networks)
    conjuncts: list[Condition] = list(conjuncts_of(All(stated.assertions)))
    inputs = _inputs(stated)
    variables, count = _numbering(stated, conjuncts)
    conjuncts = [_renumbered(condition, variables) for condition in conjuncts]
    readers = tuple(
        Reader(d.name, networks[d.name], np.array([variables[i] for i in _read_by(d)]))
        for d in stated.networks
    )
    cases = _grouped(_read_case(case, count) for case in _cases(conjuncts, count))
    _require_bounds(stated, cases, [variables[i] for i in inputs])
    every = [(name if len(cases) == 1 else f"{name}_{k}", case) for k, case in enumerate(cases, start=1)]
    return tuple(
        Instance(title, _ends(case.lower), _ends(case.upper), readers, case.unsafe, None, case.constraints)
        for title, case in every
    )


def _elements(tensor: Tensor) -> range:
    return range(tensor.first, tensor.first + tensor.size)


def _read_by(declared: Declared) -> list[int]:
    return [i for tensor in declared.inputs for i in _elements(tensor)]


def _inputs(stated: Property) -> list[int]:
    return [i for declared in stated.networks for i in _read_by(declared)]


def _require_fit(stated: Property, networks: Mapping[str, Network]) -> None:
    mistakes: list[Diagnostic] = []
    for declared in stated.networks:
        network = networks[declared.name]
        mistakes += _misfits(declared, network)
        if declared.like is not None:
            mistakes += differences(declared, declared.like, network, networks[declared.like])
        if network.dropped and not _only_compares(stated, declared.output):
            message = f"the network bound to `{declared.name}` ends in {network.dropped[0]}"
            notes = ("ensc reads the numbers before it: only comparisons of outputs mean the same",)
            label = Label(declared.span)
            mistakes.append(
                Diagnostic("E1284", message, label, notes=notes, help="export the model without it")
            )
    if mistakes:
        raise Rejected(mistakes)


def _misfits(declared: Declared, network: Network) -> Iterator[Diagnostic]:
    """Yield what the declaration and the network disagree about: tensors correspond by their order."""
    bound = f"the network bound to `{declared.name}` has"
    sizes, inputs = network.parts or (network.inputs,), declared.inputs
    if len(sizes) != len(inputs):
        message = f"{bound} {counted(len(sizes), 'input tensor')}, not {len(inputs)}"
        yield Diagnostic("E1284", message, Label(inputs[-1].span))
        return
    for tensor, size in (*zip(inputs, sizes, strict=True), (declared.output, network.classes)):
        if tensor.size != size:
            where = f" where `{tensor.name}` is declared" if len(inputs) > 1 else ""
            message = f"{bound} {size} {tensor.kind}s{where}, not {tensor.size}"
            label = Label(tensor.span, f"declared as {shape_text(tensor.shape)}")
            yield Diagnostic("E1284", message, label)


def _only_compares(stated: Property, outputs: Tensor) -> bool:
    """Whether every atom about the outputs is `output >= output`, which an increasing function keeps."""
    inside = _elements(outputs)
    for condition in stated.assertions:
        for atom in atoms(condition):
            if any(v in inside for v in atom.columns):
                pair = len(atom.columns) == 2 and all(v in inside for v in atom.columns)
                if not pair or sum(atom.coefficients) != 0 or atom.least != 0:
                    return False
    return True


# numbering -------------------------------------------------------------------------------------------


def _numbering(stated: Property, conjuncts: Sequence[Condition]) -> tuple[dict[int, int], int]:
    """Return the instance's variable of every declared element, and how many of them are inputs.

    Inputs that equations make equal are one variable.
    """
    inputs = _inputs(stated)
    parent = {i: i for i in inputs}

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for a, b in _equations(conjuncts, parent):
        first, second = sorted((root(a), root(b)))
        parent[second] = first
    numbers = {r: number for number, r in enumerate(i for i in inputs if root(i) == i)}
    variables = {i: numbers[root(i)] for i in inputs}
    count = len(numbers)
    outputs = [i for declared in stated.networks for i in _elements(declared.output)]
    return variables | {i: count + place for place, i in enumerate(outputs)}, count


def _equations(conjuncts: Iterable[Condition], inputs: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    """Yield pairs of inputs of which each is at least the other."""
    seen: set[tuple[int, int]] = set()
    for atom in conjuncts:
        if not isinstance(atom, Atom) or len(atom.columns) != 2 or atom.strict or atom.least != 0:
            continue
        if sum(atom.coefficients) == 0 and all(v in inputs for v in atom.columns):
            larger, smaller = atom.columns if atom.coefficients[0] > 0 else atom.columns[::-1]
            seen.add((larger, smaller))
            if (smaller, larger) in seen:
                yield larger, smaller


def _renumbered(condition: Condition, variables: Mapping[int, int]) -> Condition:
    match condition:
        case Atom(columns, coefficients, least, strict):
            terms: dict[int, Fraction] = {}
            for column, coefficient in zip(columns, coefficients, strict=True):
                v = variables[column]
                terms[v] = terms.get(v, Fraction(0)) + coefficient
            kept = tuple(sorted(v for v, c in terms.items() if c))
            return Atom(kept, tuple(terms[v] for v in kept), least, strict)
        case All(parts):
            return All(tuple(_renumbered(part, variables) for part in parts))
        case Some(parts):
            return Some(tuple(_renumbered(part, variables) for part in parts))
        case _:
            assert_never(condition)


# cases -----------------------------------------------------------------------------------------------


def _cases(conjuncts: Sequence[Condition], inputs: int) -> list[list[Condition]]:
    """Distribute the disjunctions whose branches bound inputs; each case is a list of conjuncts."""
    shared = [c for c in conjuncts if isinstance(c, Atom)]
    open_: list[list[Condition]] = [[c for c in conjuncts if not isinstance(c, Atom)]]
    done: list[list[Condition]] = []
    while open_:
        case = open_.pop()
        place = next((i for i, c in enumerate(case) if _distinguishes_inputs(c, inputs)), None)
        if place is None:
            done.append([*shared, *case])
            continue
        chosen = case[place]
        assert isinstance(chosen, Some)
        before, after = case[:place], case[place + 1 :]
        open_.extend([*before, *conjuncts_of(part), *after] for part in reversed(chosen.parts))
        if len(done) + len(open_) > MOST_CASES:
            return [list(conjuncts)]
    return done


def _distinguishes_inputs(condition: Condition, inputs: int) -> bool:
    if not isinstance(condition, Some):
        return False
    return any(_is_about_inputs(c, inputs) for part in condition.parts for c in conjuncts_of(part))


def _is_about_inputs(condition: Condition, inputs: int) -> bool:
    return isinstance(condition, Atom) and bool(condition.columns) and condition.columns[-1] < inputs


@dataclass(frozen=True, slots=True)
class _Case:
    """One case, as the parts of an instance; an end of None is not bounded."""

    lower: tuple[Fraction | None, ...]
    upper: tuple[Fraction | None, ...]
    constraints: tuple[Atom, ...]
    unsafe: Condition


def _read_case(conjuncts: Iterable[Condition], inputs: int) -> _Case:
    """Bounds of single inputs become the box; strict ones are also kept as constraints."""
    lower: list[Fraction | None] = [None] * inputs
    upper: list[Fraction | None] = [None] * inputs
    constraints, unsafe = [], []
    for condition in conjuncts:
        if not isinstance(condition, Atom) or not _is_about_inputs(condition, inputs):
            if condition != _TRUE:
                unsafe.append(condition)
            continue
        if len(condition.columns) > 1 or condition.strict:
            constraints.append(condition)
        if len(condition.columns) == 1:
            (v,), (c,) = condition.columns, condition.coefficients
            end = condition.least / c
            known = (lower if c > 0 else upper)[v]
            if c > 0:
                lower[v] = end if known is None else max(known, end)
            else:
                upper[v] = end if known is None else min(known, end)
    condition = unsafe[0] if len(unsafe) == 1 else All(tuple(unsafe))
    return _Case(tuple(lower), tuple(upper), tuple(constraints), condition)


def _grouped(cases: Iterable[_Case]) -> list[_Case]:
    """Make one case of those that differ in their unsafe condition only."""
    together: dict[tuple[object, ...], list[_Case]] = {}
    for case in cases:
        together.setdefault((case.lower, case.upper, case.constraints), []).append(case)
    return [
        group[0]
        if len(group) == 1
        else _Case(
            group[0].lower, group[0].upper, group[0].constraints, Some(tuple(case.unsafe for case in group))
        )
        for group in together.values()
    ]


def _ends(ends: Iterable[Fraction | None]) -> tuple[Fraction, ...]:
    return tuple(end for end in ends if end is not None)


def _require_bounds(stated: Property, cases: Sequence[_Case], variables: Sequence[int]) -> None:
    open_: dict[str, None] = {}
    for case in cases:
        for side, ends in (("lower", case.lower), ("upper", case.upper)):
            missing = {v for v, end in enumerate(ends) if end is None}
            if missing:
                open_ |= {f"{_called(stated, i)} ({side})": None for i in _first(variables, missing)}
    if open_:
        raise Rejected(
            [
                Diagnostic(
                    "E1281",
                    f"inputs without a bound: {listed(open_)}",
                    Label(stated.networks[0].inputs[0].span),
                    notes=("no big-M constant holds for an unbounded neuron",),
                    help="assert a lower and an upper bound of every input",
                )
            ]
        )


def _first(variables: Sequence[int], missing: set[int]) -> list[int]:
    """Return places of inputs that have one of the variables."""
    return [place for place, v in enumerate(variables) if v in missing]


def _called(stated: Property, place: int) -> str:
    """Return the name of an input, counted over all networks, as the file spells it."""
    for declared in stated.networks:
        for tensor in declared.inputs:
            if place < tensor.size:
                return element_name(stated, tensor, place)
            place -= tensor.size
    raise AssertionError(place)


def element_name(stated: Property, tensor: Tensor, place: int) -> str:
    """Return the name of an element of a tensor, counted row by row, as the file spells it."""
    if stated.version == 1:
        return f"{tensor.name}_{place}"
    indices = np.unravel_index(place, tensor.shape) if tensor.shape else ()
    inner = ",".join(str(int(i)) for i in indices)
    return f"{tensor.name}[{inner}]" if tensor.shape else tensor.name
