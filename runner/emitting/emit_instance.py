"""Instances to files: a property to a model file, a query to a property or to a folder of them."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ensc.compiler.diagnostics import reject
from ensc.compiler.frontend.onnx.read import read_network
from ensc.compiler.passes.instances.instance_model import lower_instance
from ensc.compiler.passes.instances.instances import misclassification_instance
from ensc.compiler.passes.linear.linearize import linearize
from ensc.compiler.passes.notes import describe_problem
from ensc.compiler.pipeline import Options
from ensc.compiler.quoting import shown
from ensc.compiler.types.instance import Instance, Reader
from ensc.compiler.types.problem import Check, EnsembleProblem, Norm
from ensc.formats import write_file, write_lp, write_mps
from ensc.formats.smtlib import write_smtlib
from ensc.formats.vnnlib.bind import named_files, read_networks
from ensc.formats.vnnlib.folder import MERGED, merged_instance
from ensc.formats.vnnlib.link import link
from ensc.formats.vnnlib.merged import merge
from ensc.formats.vnnlib.property import Property
from ensc.formats.vnnlib.read import read_property_file
from ensc.formats.vnnlib.write import write_property
from ensc.runner.emitting.script import Form

SUFFIXES = (".mps", ".lp", ".smt2", ".vnnlib")
PLAIN = Form()


def load_property(path: Path, arguments: Iterable[str]) -> tuple[Property, tuple[Instance, ...]]:
    """Read a property and the networks that the command line binds.

    Args:
        path: the `.vnnlib` file.
        arguments: of `--network`, `NAME=FILE` or `FILE`.

    Raises:
        Rejected: what is wrong with the files, E1220 to E1286 and E0501 to E0517.
    """
    stated = read_property_file(path)
    networks = read_networks(stated, named_files(stated, arguments))
    return stated, link(stated, networks, _name(path))


def emit_instances(
    instances: Sequence[Instance], options: Options, path: Path, form: Form = PLAIN
) -> Iterator[str]:
    """Write one file for each instance; yield what is to be said about each.

    Several are told apart by numbers: `out.mps` becomes `out-1.mps`, `out-2.mps`.

    Args:
        instances: what is written.
        options: for the compiler.
        path: of the file; its suffix names the format.
        form: how scripts are written; of no use for other formats.

    Raises:
        Rejected: E1010 if the suffix is of no known format, E1020 if a file cannot be written, and what the
            compiler and the writers reject.
    """
    if _suffix(path) not in SUFFIXES:
        reject(
            "E1010",
            f"the suffix of `{shown(path.name)}` names no format",
            help=f"write to a file that ends in {', '.join(SUFFIXES)}",
        )
    for number, instance in enumerate(instances, start=1):
        target = path if len(instances) == 1 else _numbered(path, number)
        write_file(target, _chunks(instance, options, _suffix(path), form))
        yield f"wrote {target}"


def _chunks(instance: Instance, options: Options, suffix: str, form: Form) -> Iterator[bytes]:
    if suffix == ".vnnlib":
        return write_property(instance, 2)
    model = lower_instance(instance, level=options.level)
    if suffix == ".smt2":
        return write_smtlib(model, relu=form.relu, dialect=form.dialect)
    linear = linearize(model, options.formulation)
    write = write_mps if suffix == ".mps" else write_lp
    return write(linear, indicators=True, ordered_sets=True)


def emit_query(problem: EnsembleProblem, path: Path) -> Iterator[str]:
    """Write a query that is one instance as VNN-LIB: 2.0, or for L1 a merged network and 1.0.

    Raises:
        Rejected: E1055 if the query is not one instance, E1020 if a file cannot be written, and what the
            writers reject.
    """
    _require_one_instance(problem)
    everybody = range(len(problem.ensemble))
    notes = describe_problem(problem)
    if problem.threat.norm is not Norm.L1:
        instance = misclassification_instance(problem, 0, everybody)
        write_file(path, write_property(instance, 2, notes=notes))
        yield f"wrote {path}"
        yield from (f"  --network f{c}={member.file}" for c, member in enumerate(problem.ensemble, start=1))
        return
    made = merge(problem, 0, everybody)
    model = path.with_name(f"{_name(path)}.onnx")
    write_file(model, [made.model.SerializeToString(deterministic=True)])
    network = read_network(model, name=MERGED, fewest=1)
    reader = Reader(MERGED, network, np.arange(problem.inputs))
    instance = merged_instance(problem, 0, everybody, made, reader)
    write_file(path, write_property(instance, 1, notes=(*notes, *made.notes)))
    yield f"wrote {model}"
    yield f"wrote {path}"


def _require_one_instance(problem: EnsembleProblem) -> None:
    """A value of 1 at one point means that one perturbation fools every member."""
    goal = problem.goal
    whole = isinstance(goal, Check) and (goal.alpha == 1 or (len(problem.ensemble) == 1 and goal.alpha > 0))
    if whole and len(problem.points) == 1:
        return
    reject(
        "E1055",
        "this query is not one instance of VNN-LIB",
        notes=(
            "VNN-LIB has no probabilities: it asks about one point and members to be fooled together",
            f"the query has {len(problem.points)} points and {len(problem.ensemble)} members",
        ),
        help="write the instances that it is made of: `ensc compile QUERY --split DIR --format vnnlib`",
    )


def _suffix(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix


def _name(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(_suffix(path))


def _numbered(path: Path, number: int) -> Path:
    stem = _name(path)
    return path.with_name(f"{stem}-{number}{path.name.removeprefix(stem)}")
