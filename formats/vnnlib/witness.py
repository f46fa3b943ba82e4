"""Counterexamples as text, in the two forms that VNN-COMP checks.

Version 1.0: `((X_0 0.5)`, one variable a line, inputs then outputs. Version 2.0: every tensor in declaration
order, `X float32 [1,2]` and then one value a line, row by row.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from ensc.compiler.types.instance import Instance
from ensc.formats.vnnlib.property import Property, Tensor


def write_witness(stated: Property, instance: Instance, values: Sequence[Fraction]) -> Iterator[bytes]:
    """Return a counterexample as text, with `sat` as the first line.

    Args:
        stated: the property.
        instance: the instance of it that has the counterexample.
        values: of all variables of the instance.
    """
    lines = _first(stated, instance, values) if stated.version == 1 else _second(stated, instance, values)
    yield b"sat\n"
    yield from (f"{line}\n".encode("ascii") for line in lines)


def _first(stated: Property, instance: Instance, values: Sequence[Fraction]) -> Iterator[str]:
    texts = [
        f"({tensor.name}_{i} {_number(value)})"
        for tensor in stated.networks[0].tensors
        for i, value in enumerate(_values(stated, tensor, 0, instance, values))
    ]
    last = len(texts) - 1
    yield from (f"{'(' * (i == 0)}{text}{')' * (i == last)}" for i, text in enumerate(texts))


def _second(stated: Property, instance: Instance, values: Sequence[Fraction]) -> Iterator[str]:
    for place, declared in enumerate(stated.networks):
        for tensor in declared.tensors:
            yield f"{tensor.name} {tensor.element} [{','.join(map(str, tensor.shape))}]"
            yield from map(_number, _values(stated, tensor, place, instance, values))


def _values(
    stated: Property, tensor: Tensor, place: int, instance: Instance, values: Sequence[Fraction]
) -> Iterator[Fraction]:
    if tensor.kind == "input":
        first = stated.networks[place].place(tensor)
        columns = instance.readers[place].columns[first : first + tensor.size]
        return (values[v] for v in columns.tolist())
    start, end = instance.starts[place : place + 2]
    return iter(values[start:end])


def _number(value: Fraction) -> str:
    """Return the shortest decimal of the nearest float64, never in scientific notation without a digit."""
    return repr(float(value))
