"""EnsembleProblem -> a benchmark folder: one instance for each point and chosen set of members.

`2.0/` asks about the members themselves, each in its own file, at one shared input; `1.0/` about merged
networks, for verifiers of single networks. Where version 2.0 cannot state the input set (L1) or would need
too many branches, it asks about the merged network as well.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.frontend.onnx.read import read_network
from ensc.compiler.passes.instances.instances import misclassification_instance
from ensc.compiler.passes.notes import describe_problem
from ensc.compiler.types.instance import All, Atom, Instance, Reader
from ensc.compiler.types.problem import EnsembleProblem, Norm
from ensc.formats.files import write_file
from ensc.formats.vnnlib.benchmark import Entry, write_benchmark
from ensc.formats.vnnlib.merged import Merged, merge, prepared
from ensc.formats.vnnlib.write import Shapes, write_property

SECONDS = 100.0

MERGED = "merged"
"""Name of a merged network."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes:
        files: relative to the folder, in order.
        notes: what could not be written as asked, or was rounded.
        instances: for each instance the properties that state it and the networks that these are about.
    """

    files: tuple[str, ...]
    notes: tuple[str, ...]
    instances: tuple[tuple[str, ...], ...]


def every_member(problem: EnsembleProblem) -> tuple[tuple[int, ...], ...]:
    """Return the one pattern in which all members are to be fooled together."""
    return (tuple(range(len(problem.ensemble))),)


def write_instances(
    problem: EnsembleProblem,
    folder: Path,
    patterns: Iterable[Sequence[int]] | None = None,
    *,
    points: Iterable[int] | None = None,
    seconds: float = SECONDS,
) -> Written:
    """Write instances of a query in the layout of VNN-COMP, as versions 1.0 and 2.0.

    Args:
        problem: the query.
        folder: where to; it is made if need be.
        patterns: sets of members (0-based) to be fooled together; all of them unless given.
        points: which points, 0-based; all unless given.
        seconds: the time limit that the lists name.

    Raises:
        Rejected: E1050 and E1054 for L0, E1053 if members cannot be merged, E1020 if a file cannot be
            written.
    """
    chosen = [tuple(pattern) for pattern in (every_member(problem) if patterns is None else patterns)]
    places = list(range(len(problem.points)) if points is None else points)
    return write_questions(problem, folder, [(j, s) for j in places for s in chosen], seconds=seconds)


def write_questions(
    problem: EnsembleProblem,
    folder: Path,
    questions: Iterable[tuple[int, Sequence[int]]],
    *,
    seconds: float = SECONDS,
) -> Written:
    """Write chosen instances of a query, each a point (0-based) and the members to be fooled there together.

    Raises:
        Rejected: as `write_instances`.
    """
    to = _Folder(folder, problem, seconds, {"1.0": [], "2.0": []}, {}, {})
    for version in ("1.0", "2.0"):
        for kind in ("onnx", "vnnlib"):
            (folder / version / kind).mkdir(parents=True, exist_ok=True)
    for point, pattern in questions:
        to.add(point, tuple(pattern))
    for version, entries in to.entries.items():
        to.write(f"{version}/instances.csv", write_benchmark(entries))
    pairs = zip(to.entries["1.0"], to.entries["2.0"], strict=True)
    instances = tuple((*_files("1.0", first), *_files("2.0", second)) for first, second in pairs)
    return Written(tuple(to.files), tuple(to.notes), instances)


def _files(version: str, entry: Entry) -> Iterator[str]:
    yield f"{version}/{entry.property}"
    yield from (f"{version}/{network}" for network in entry.networks.values())


@dataclass(slots=True)
class _Folder:
    """A folder as far as it is written; `files` and `notes` are sets that keep their order."""

    root: Path
    problem: EnsembleProblem
    seconds: float
    entries: dict[str, list[Entry]]
    files: dict[str, None]
    notes: dict[str, None]

    def add(self, point: int, pattern: tuple[int, ...]) -> None:
        """Write one instance in both versions."""
        instance = misclassification_instance(self.problem, point, pattern)
        merged, model = self.merged(point, pattern)
        self.property("1.0", merged, {"": model}, None)
        separate = None if self.problem.threat.norm is Norm.L1 else self.separate(instance, pattern)
        if separate is None:
            self.copy("1.0", "2.0", model)
            shape = (1, *merged.readers[0].network.input_shape), (1, merged.readers[0].network.classes)
            self.property("2.0", merged, {"": model}, [shape])

    def separate(self, instance: Instance, pattern: Sequence[int]) -> str | None:
        """Write an instance about the members themselves; return its file, None where that cannot be."""
        parts = [prepared(self.problem.ensemble[c]) for c in pattern]
        shapes = [
            (part.shape, _output_shape(part.model, part.output, self.problem.classes)) for part in parts
        ]
        names = {r.name: f"onnx/{r.name}.onnx" for r in instance.readers}
        files = {"": next(iter(names.values()))} if len(names) == 1 else names
        try:
            path = self.property("2.0", instance, files, shapes)
        except Rejected as rejected:
            if rejected.diagnostics[0].code != "E1052":
                raise
            why = rejected.diagnostics[0].message
            self.notes[f"{instance.name}: {why}; version 2.0 asks about the merged network"] = None
            return None
        for c, part in zip(pattern, parts, strict=True):
            whole = Path(self.problem.ensemble[c].path).read_bytes()
            tensors = onnx.ModelProto.FromString(whole).graph.initializer
            external = any(t.data_location == onnx.TensorProto.EXTERNAL for t in tensors)
            content = part.model.SerializeToString(deterministic=True) if external else whole
            self.write(f"2.0/{names[f'f{c + 1}']}", [content])
        return path

    def merged(self, point: int, pattern: tuple[int, ...]) -> tuple[Instance, str]:
        """Write a merged model unless it is there, and return the instance about it and its name."""
        numbers = "_".join(str(c + 1) for c in pattern)
        is_l1 = self.problem.threat.norm is Norm.L1
        which = f"point_{point + 1}" if is_l1 else f"label_{int(self.problem.points.labels[point])}"
        name = f"onnx/merged_{which}_members_{numbers}.onnx"
        made = merge(self.problem, point, pattern)
        title = misclassification_instance(self.problem, point, pattern).name
        self.notes |= dict.fromkeys(f"{title}: {note}" for note in made.notes)
        path = f"1.0/{name}"
        if path not in self.files:
            self.write(path, [made.model.SerializeToString(deterministic=True)])
        network = read_network(self.root / path, name=MERGED, fewest=1)
        reader = Reader(MERGED, network, np.arange(self.problem.inputs))
        return merged_instance(self.problem, point, pattern, made, reader), name

    def property(
        self, version: str, instance: Instance, networks: dict[str, str], shapes: Sequence[Shapes] | None
    ) -> str:
        name = f"vnnlib/{instance.name}.vnnlib"
        number = len(self.entries[version]) + 1
        merged = _roundings(instance, self.notes) if instance.readers[0].name == MERGED else ()
        notes = (*describe_problem(self.problem), *merged)
        text = list(write_property(instance, 1 if version == "1.0" else 2, shapes=shapes, notes=notes))
        self.write(f"{version}/{name}", text)
        self.entries[version].append(Entry(networks, name, self.seconds, number))
        return name

    def copy(self, source: str, target: str, name: str) -> None:
        self.write(f"{target}/{name}", [(self.root / source / name).read_bytes()])

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        write_file(self.root / path, chunks)
        self.files[path] = None


def merged_instance(
    problem: EnsembleProblem, point: int, pattern: Sequence[int], made: Merged, reader: Reader
) -> Instance:
    """Return the instance about a merged network: `Y_0 >= 0`, and `Y_1 <= radius` for the L1 norm."""
    plain = misclassification_instance(problem, point, pattern)
    first, one = problem.inputs, Fraction(1)
    parts = [Atom((first,), (one,), Fraction(0))]
    if made.radius is not None:
        parts.append(Atom((first + 1,), (-one,), -made.radius))
    return Instance(plain.name, plain.lower, plain.upper, (reader,), All(tuple(parts)))


def _roundings(instance: Instance, notes: Iterable[str]) -> Iterator[str]:
    prefix = f"{instance.name}: "
    yield from (note.removeprefix(prefix) for note in notes if note.startswith(prefix))


def _output_shape(model: onnx.ModelProto, output: str, classes: int) -> tuple[int, ...]:
    """Return the shape the file declares of its output, with a batch of 1; a row where it says nothing."""
    for value in model.graph.output:
        if value.name == output and value.type.tensor_type.HasField("shape"):
            dims = value.type.tensor_type.shape.dim
            shape = tuple(d.dim_value if d.HasField("dim_value") else 1 for d in dims)
            return shape if np.prod(shape, dtype=np.int64) == classes else (1, classes)
    return 1, classes
