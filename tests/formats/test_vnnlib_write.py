"""Instances become VNN-LIB that its own parser accepts and that reads back as the same instance."""

import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from instance_texts import run_onnx, with_files
from tiny import dense, line_problems, make_problem, random_network

from ensc.compiler.diagnostics import Rejected, Source
from ensc.compiler.passes.instances.instance_bounds import box
from ensc.compiler.passes.instances.instances import misclassification_instance
from ensc.compiler.passes.networks.evaluate import evaluate
from ensc.compiler.types.instance import All, Atom, Condition, Instance, Reader, Some, holds
from ensc.compiler.types.problem import EnsembleProblem, Norm, Targeted, Untargeted
from ensc.formats.vnnlib.benchmark import Entry, read_benchmark, write_benchmark
from ensc.formats.vnnlib.decimals import PLACES, exact_decimal, outward_decimal
from ensc.formats.vnnlib.folder import write_instances
from ensc.formats.vnnlib.link import link
from ensc.formats.vnnlib.merged import merge
from ensc.formats.vnnlib.read import read_property, read_property_file
from ensc.formats.vnnlib.write import write_property

SMALL = st.fractions(-3, 3, max_denominator=12)
TWO = dense((np.eye(2), np.zeros(2)), inputs=2)


def text_of(instance: Instance, version: int = 2) -> str:
    return b"".join(write_property(instance, 1 if version == 1 else 2)).decode()


def read_back(instance: Instance, version: int = 2) -> Instance:
    stated = read_property(Source("p", text_of(instance, version)))
    readers = zip(stated.networks, instance.readers, strict=True)
    (found,) = link(stated, {d.name: r.network for d, r in readers}, instance.name)
    return found


def accepted(text: str) -> None:
    """Let the standard's own parser judge, where it is installed."""
    vnnlib = pytest.importorskip("vnnlib", minversion="1.0")
    vnnlib.parse_query_string(text)


@st.composite
def instances(draw: st.DrawFn) -> Instance:
    readers = draw(st.integers(1, 2))
    columns = [np.array(draw(st.permutations([0, 1]))) for _ in range(readers)]
    total = 2 + 2 * readers

    def atom(first: int, last: int, strict: bool) -> Atom:
        numbers = draw(st.lists(st.integers(first, last - 1), min_size=1, max_size=3, unique=True))
        chosen = [draw(SMALL.filter(bool)) for _ in numbers]
        return Atom(tuple(sorted(numbers)), tuple(chosen), draw(SMALL), strict)

    outputs = st.builds(lambda strict: atom(2, total, strict), st.booleans())
    conditions = st.recursive(
        outputs,
        lambda parts: st.builds(
            lambda kind, some: kind(tuple(some)),
            st.sampled_from([All, Some]),
            st.lists(parts, min_size=1, max_size=3),
        ),
        max_leaves=5,
    )
    unsafe: Condition = draw(conditions)
    ends = [sorted((draw(SMALL), draw(SMALL))) for _ in range(2)]
    named = tuple(Reader(f"f{c + 1}", TWO, order) for c, order in enumerate(columns))
    pair = Atom((0, 1), (draw(SMALL.filter(bool)), draw(SMALL.filter(bool))), draw(SMALL))
    extra = (pair,) if draw(st.booleans()) else ()
    lower, upper = (tuple(end[i] for end in ends) for i in (0, 1))
    return Instance("drawn", lower, upper, named, unsafe, None, extra)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(), st.lists(st.tuples(*[SMALL] * 6), min_size=1, max_size=6))
def test_what_is_written_reads_back_the_same(instance: Instance, places: list[tuple[Fraction, ...]]) -> None:
    for version in (1, 2) if len(instance.readers) == 1 else (2,):
        text = text_of(instance, version)
        assert len(re.findall(r"\(or\b", text)) <= 1
        found = read_back(instance, version)
        renamed = renumbered(instance, found)
        for end, other, side in zip((instance.lower, instance.upper), renamed, (1, -1), strict=True):
            gaps = [side * (a - b) for a, b in zip(end, other, strict=True)]
            assert all(0 <= gap < Fraction(1, 10**20) for gap in gaps)
        for values in places:
            order = numbering(instance, found)
            moved = [Fraction(0)] * found.starts[-1]
            for ours, theirs in order.items():
                moved[theirs] = values[ours]
            expected = holds(All((instance.unsafe, *instance.constraints)), values[: instance.starts[-1]])
            single = any(len(a.columns) == 1 for a in every_atom(instance.unsafe))
            if not single:  # bounds of one output may be rounded
                assert holds(All((found.unsafe, *found.constraints)), moved) == expected
            elif expected:
                assert holds(All((found.unsafe, *found.constraints)), moved) or has_strict(instance.unsafe)
    accepted(text_of(instance))


def every_atom(condition: Condition) -> list[Atom]:
    return [condition] if isinstance(condition, Atom) else [a for p in condition.parts for a in every_atom(p)]


def has_strict(condition: Condition) -> bool:
    return any(atom.strict for atom in every_atom(condition))


def numbering(instance: Instance, found: Instance) -> dict[int, int]:
    """Say which variable of the instance that was read each variable of the one written is."""
    pairs = zip(instance.readers[0].columns.tolist(), found.readers[0].columns.tolist(), strict=True)
    rest = range(instance.inputs, instance.starts[-1])
    return dict(pairs) | {v: v for v in rest}


def renumbered(instance: Instance, found: Instance) -> tuple[list[Fraction], list[Fraction]]:
    order = numbering(instance, found)
    return tuple([ends[order[v]] for v in range(instance.inputs)] for ends in box(found))  # type: ignore[return-value]  # mypy sees tuple[list, ...]


@settings(max_examples=30, deadline=None)
@given(line_problems())
def test_every_instance_of_a_problem_is_accepted(problem: EnsembleProblem) -> None:
    instance = misclassification_instance(problem, 0, range(len(problem.ensemble)))
    if problem.threat.norm is Norm.LINF:
        accepted(text_of(instance))
        assert len(re.findall(r"\(or\b", text_of(instance))) <= 1
        assert [r.name for r in read_back(instance).readers] == [r.name for r in instance.readers]
        return
    with pytest.raises(Rejected) as caught:
        text_of(instance)
    assert caught.value.diagnostics[0].code == "E1051"


def test_an_l1_ball_or_two_networks_need_the_merged_form() -> None:
    network = dense((np.eye(2), np.zeros(2)), inputs=2)
    problem = make_problem([network, network], [[0, 0]], [0], norm=Norm.LINF)
    with pytest.raises(Rejected) as caught:
        text_of(misclassification_instance(problem, 0, [0, 1]), 1)
    assert caught.value.diagnostics[0].code == "E1051"


def test_too_many_branches_are_refused() -> None:
    network = dense((np.zeros((10, 1)), np.zeros(10)), inputs=1)
    problem = make_problem([network] * 5, [[0]], [0], norm=Norm.LINF)
    with pytest.raises(Rejected) as caught:
        text_of(misclassification_instance(problem, 0, range(5)))
    assert caught.value.diagnostics[0].code == "E1052"


@given(st.fractions(-(10**6), 10**6), st.integers(0, 100))
def test_decimals_are_exact_or_outward(value: Fraction, power: int) -> None:
    for number in (value, value / 2**power, Fraction(value.numerator, 10**power)):
        exact = exact_decimal(number)
        low, high = Fraction(outward_decimal(number, -1)), Fraction(outward_decimal(number, 1))
        if exact is not None:
            assert Fraction(exact) == low == high == number
            assert len(exact.split(".")[1]) <= PLACES
        else:
            assert low <= number <= high
            assert high - low <= max(abs(number), Fraction(1)) / 10**20


@pytest.mark.parametrize("norm", [Norm.LINF, Norm.L1])
@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("members", [1, 2, 3])
def test_the_merged_network_computes_the_margins(
    tmp_path: Path, norm: Norm, targeted: bool, members: int
) -> None:
    pytest.importorskip("onnxruntime")
    rng = np.random.default_rng(members)
    networks = [random_network(rng, 3, 5) for _ in range(members)]
    loss = Targeted(4, Fraction(1, 4)) if targeted else Untargeted(Fraction(1, 4))
    point = [0.5, -0.25, 1.0]
    problem = with_files(make_problem(networks, [point], [2], norm=norm, loss=loss), tmp_path)
    made = merge(problem, 0, range(members))
    assert {node.op_type for node in made.model.graph.node} <= {"Gemm", "Relu", "Add", "Sub"}
    path = tmp_path / "merged.onnx"
    path.write_bytes(made.model.SerializeToString())
    rows = (rng.integers(-16, 17, (40, 3)) / 8.0).tolist()
    for row, found in zip(rows, run_onnx(path, rows), strict=True):
        logits = [evaluate(network, row) for network in networks]
        if targeted:
            margins = [min(f[4] - v for k, v in enumerate(f) if k != 4) - 0.25 for f in logits]
        else:
            margins = [max(v - f[2] for k, v in enumerate(f) if k != 2) - 0.25 for f in logits]
        norms = [float(np.abs(np.array(row) - point).sum())] if norm is Norm.L1 else []
        np.testing.assert_allclose(found, [min(margins), *norms], atol=1e-5)


def test_a_folder_holds_what_its_lists_name(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    networks = [random_network(rng, 2, 3) for _ in range(3)]
    points = [[0.5, 0.25], [0.0, 1.0]]
    problem = with_files(
        make_problem(networks, points, [0, 2], norm=Norm.LINF, radius=Fraction(1, 3)), tmp_path
    )
    first = write_instances(problem, tmp_path / "a", [(0, 1, 2), (1,)], seconds=7)
    second = write_instances(problem, tmp_path / "b", [(0, 1, 2), (1,)], seconds=7)
    assert first == second
    for name in first.files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    for version, networks_named in (("1.0", 1), ("2.0", 3)):
        entries = read_benchmark(tmp_path / "a" / version / "instances.csv")
        assert len(entries) == 4
        assert {len(e.networks) for e in entries} == {1, networks_named}
        for entry in entries:
            stated = read_property_file(tmp_path / "a" / version / entry.property)
            assert stated.version == int(version[0])
            assert entry.seconds == 7
            for file in entry.networks.values():
                assert (tmp_path / "a" / version / file).is_file()
    for path in (tmp_path / "a/2.0/vnnlib").iterdir():
        accepted(path.read_text())


def test_an_l1_folder_asks_about_merged_networks(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    networks = [random_network(rng, 2, 3) for _ in range(2)]
    thirds = [Fraction(1, 3), Fraction(2, 3)]
    problem = with_files(
        make_problem(networks, [thirds], [0], radius=Fraction(1, 3), denominator=3), tmp_path
    )
    written = write_instances(problem, tmp_path / "a")
    assert any("rounded to the model's precision" in note for note in written.notes)
    text = (tmp_path / "a/1.0/vnnlib/point_1_members_1_2.vnnlib").read_text()
    assert "(assert (>= Y_0 0.0))" in text
    (radius,) = re.findall(r"\(assert \(<= Y_1 (\S+)\)\)", text)
    assert Fraction(1, 3) < Fraction(radius) < Fraction(1, 3) + Fraction(1, 10**7)
    accepted((tmp_path / "a/2.0/vnnlib/point_1_members_1_2.vnnlib").read_text())


def test_a_member_that_has_changed_is_not_merged(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    problem = with_files(make_problem([random_network(rng, 2, 3)], [[0, 0]], [0], norm=Norm.LINF), tmp_path)
    (tmp_path / "f1.onnx").write_bytes(b"other")
    with pytest.raises(Rejected) as caught:
        merge(problem, 0, [0])
    assert caught.value.diagnostics[0].code == "E1053"


def test_lists_read_back(tmp_path: Path) -> None:
    entries = (
        Entry({"": "onnx/a,b.onnx"}, "vnnlib/p.vnnlib", 100.0, 1),
        Entry({"f": "onnx/a.onnx", "g": "onnx/b'.onnx"}, "./q.vnnlib", 0.5, 2),
    )
    path = tmp_path / "instances.csv"
    path.write_bytes(b"".join(write_benchmark(entries)))
    assert read_benchmark(path) == entries


@pytest.mark.parametrize(
    "line",
    ["a,b", "a,b,c", "a,b,-1", "a,,1", ",b,1", "[1],b,1", "[('f')],b,1", '"a,b,1', "a,b,nan", "[(,b,1"],
)
def test_broken_lists_are_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "instances.csv"
    path.write_text(f"a.onnx,b.vnnlib,1\n{line}\n")
    with pytest.raises(Rejected) as caught:
        read_benchmark(path)
    assert [d.code for d in caught.value.diagnostics] == ["E1287"]
