"""An answered property as text and as data, which `instance.schema.json` beside this module describes."""

from collections.abc import Iterator
from fractions import Fraction

from ensc.compiler.types.instance import Instance
from ensc.formats.vnnlib.property import Declared, Property
from ensc.runner.exact.counterexample import Exact
from ensc.runner.properties.instance import InstanceResult
from ensc.runner.reports.report import exact_text

SCHEMA = "ensc-instance-1"
SHOWN = 12

Json = dict[str, object]


def instance_json(stated: Property, result: InstanceResult) -> Json:
    """Return a result as an object for `json.dumps`: `verdict` is `sat`, `unsat` or `unknown`."""
    witness = None
    if result.instance is not None and result.values is not None:
        witness = _witness(stated, result.instance, result.values)
    return {
        "schema": SCHEMA,
        "property": stated.source.name,
        "verdict": result.answer.value,
        "certified": witness is not None,
        "witness": witness,
        "proof": [{"solver": p.solver, "tolerance": p.tolerance, "claim": p.claim} for p in result.proofs],
        "reasons": list(result.reasons),
        "seconds": result.seconds,
    }


def render_instance(stated: Property, result: InstanceResult) -> str:
    """Return a result for people."""
    lines = [f"verdict    {result.answer.value}"]
    if result.instance is not None and result.values is not None:
        lines.append("           a counterexample, replayed in exact arithmetic")
        for declared, reader in zip(stated.networks, result.instance.readers, strict=True):
            x = tuple(result.values[v] for v in reader.columns.tolist())
            lines += [f"input      {name} = {_some(part)}" for name, part in _parts(declared, x)]
        for place, declared in enumerate(stated.networks):
            start, end = result.instance.starts[place : place + 2]
            lines.append(f"output     {declared.output.name} = {_some(result.values[start:end])}")
    lines += [f"proof      {p.solver}: {p.claim} (tolerance {p.tolerance:g})" for p in result.proofs]
    lines += [f"reason     {reason}" for reason in result.reasons]
    return "".join(f"{line}\n" for line in [*lines, f"seconds    {result.seconds:.2f}"])


def _parts(declared: Declared, x: Exact) -> Iterator[tuple[str, Exact]]:
    """Yield the name of every input of a network and its values, of all that the network reads."""
    for tensor in declared.inputs:
        first = declared.place(tensor)
        yield tensor.name, x[first : first + tensor.size]


def _some(values: Exact) -> str:
    texts = [f"{float(v):.6g}" for v in values[:SHOWN]]
    more = len(values) - SHOWN
    return f"[{', '.join(texts)}{f', and {more} more' if more > 0 else ''}]"


def _witness(stated: Property, instance: Instance, values: Exact) -> Json:
    tensors: Json = {}
    for place, (declared, reader) in enumerate(zip(stated.networks, instance.readers, strict=True)):
        start, end = instance.starts[place : place + 2]
        x = tuple(values[v] for v in reader.columns.tolist())
        tensors |= {name: _array(list(part)) for name, part in _parts(declared, x)}
        tensors[declared.output.name] = _array(list(values[start:end]))
    return tensors


def _array(values: list[Fraction]) -> Json:
    return {"exact": [exact_text(v) for v in values], "float": [float(v) for v in values]}
