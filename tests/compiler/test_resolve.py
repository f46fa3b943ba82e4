"""What a query means once it is resolved: defaults, includes, the command line, sweeps, the digest."""

import hashlib
import os
import re
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from queries import STATEMENTS, load, place_of, query, refused, write_folder, write_network

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.frontend.query.resolve import Overrides, load_problem, load_sweep
from ensc.compiler.passes.notes import describe_problem
from ensc.compiler.types.problem import (
    Check,
    Domain,
    ExpectedNumber,
    ExpectedVerdict,
    MaximizeTotal,
    MaximizeValue,
    MinimizeRadius,
    Norm,
    ProfileValue,
    Targeted,
    ThreatModel,
    Untargeted,
)

UNIT = Domain(Fraction(0), Fraction(255))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folder(tmp_path)
    return tmp_path


def test_a_query(folder: Path) -> None:
    loaded = load(folder, query(expect="expect not_robust;", more='meta { source = "a"; license = "b"; }'))
    problem = loaded.problem
    assert loaded.warnings == ()
    assert problem.name == "q"
    assert [(m.name, m.file, m.path) for m in problem.ensemble] == [
        ("f1", "f1.onnx", str(folder / "f1.onnx")),
        ("f2", "f2.onnx", str(folder / "f2.onnx")),
    ]
    assert problem.points.numerators.tolist() == [[4.0 * j + i for i in range(4)] for j in (0, 3, 5, 6)]
    assert problem.points.labels.tolist() == [0, 0, 2, 0]
    assert problem.points.rows.tolist() == [0, 3, 5, 6]
    assert problem.threat == ThreatModel(Norm.L1, Fraction(10), UNIT, 2, automatic=True)
    assert problem.loss == Untargeted(Fraction(0))
    assert problem.goal == Check(Fraction(2, 5))
    assert isinstance(problem.expectation, ExpectedVerdict)
    assert problem.expectation.verdict == "not_robust"
    assert problem.meta == {"source": "a", "license": "b"}
    assert problem.parameters == {"epsilon": 10, "alpha": Fraction(2, 5)}
    names = ["q.rq", "f1.onnx", "f2.onnx", "p.npz"]
    assert problem.files == tuple(
        (name, hashlib.sha256((folder / name).read_bytes()).hexdigest()) for name in names
    )


def test_defaults(folder: Path) -> None:
    problem = load(folder, query(attack="attack radius epsilon;", loss="")).problem
    assert problem.threat == ThreatModel(Norm.L1, Fraction(10), UNIT, 2, automatic=True)
    assert problem.loss == Untargeted(Fraction(0))
    assert problem.expectation is None


@pytest.mark.parametrize(
    ("clause", "domain"),
    [
        ("unbounded", Domain(None, None)),
        ("[0, 255]", UNIT),
        ("[-inf, inf]", Domain(None, None)),
        ("[-1/3, inf]", Domain(Fraction(-1, 3), None)),
        ("[0, 100 * alpha]", Domain(Fraction(0), Fraction(40))),
    ],
)
def test_domain(folder: Path, clause: str, domain: Domain) -> None:
    assert load(folder, query(input=f"input domain {clause};")).problem.threat.domain == domain


@pytest.mark.parametrize("norm", list(Norm))
@pytest.mark.parametrize(("count", "expected"), [("auto", 2), ("3", 3), ("2 + 1", 3)])
def test_attack(folder: Path, norm: Norm, count: str, expected: int) -> None:
    attack = f"attack count {count}, norm {norm.value}, radius 2 * epsilon;"
    threat = load(folder, query(attack=attack)).problem.threat
    assert (threat.norm, threat.radius, threat.count) == (norm, Fraction(20), expected)
    assert threat.automatic == (count == "auto")


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("zero_one", Untargeted(Fraction(0))),
        ("zero_one, margin 1/8", Untargeted(Fraction(1, 8))),
        ("zero_one, margin 0, ties misclassified", Untargeted(Fraction(0))),
        ("ties correct, margin 1e-6", Untargeted(Fraction(1, 10**6))),
        ("targeted(label = 1), margin 1e-6", Targeted(1, Fraction(1, 10**6))),
        ("targeted(1), margin alpha", Targeted(1, Fraction(2, 5))),
    ],
)
def test_loss(folder: Path, loss: str, expected: object) -> None:
    assert load(folder, query(loss=f"loss {loss};")).problem.loss == expected


RANGE = "param epsilon: real in [1/4, 3];"


@pytest.mark.parametrize(
    ("changes", "goal", "radius"),
    [
        ({}, Check(Fraction(2, 5)), 10),
        ({"goal": "maximize value;"}, MaximizeValue(), 10),
        ({"goal": "maximize total;"}, MaximizeTotal(None), 10),
        ({"goal": "maximize total such that value >= alpha;"}, MaximizeTotal(Fraction(2, 5)), 10),
        (
            {"epsilon": RANGE, "goal": "minimize epsilon such that value >= alpha;"},
            MinimizeRadius("epsilon", Fraction(2, 5), Fraction(1, 4), Fraction(3)),
            3,
        ),
        (
            {"epsilon": RANGE, "goal": "profile value over epsilon in [1/2, 2];"},
            ProfileValue("epsilon", Fraction(1, 2), Fraction(2)),
            2,
        ),
        (
            {"goal": "profile value over epsilon in [0, 5 * alpha];"},
            ProfileValue("epsilon", Fraction(0), Fraction(2)),
            2,
        ),
    ],
)
def test_goal(folder: Path, changes: dict[str, str], goal: object, radius: int) -> None:
    problem = load(folder, query(**changes)).problem
    assert problem.goal == goal
    assert problem.threat.radius == radius


@pytest.mark.parametrize(
    ("goal", "expect", "expected"),
    [
        ("check value < alpha", "robust", ("robust", None)),
        ("check value < alpha", "unknown", ("unknown", None)),
        ("check value < alpha", "timeout", ("timeout", None)),
        ("maximize value", "unknown", ("unknown", None)),
        ("maximize total such that value >= alpha", "robust", ("robust", None)),
        ("maximize value", "value = 3/4", ("value", Fraction(3, 4), 0)),
        ("maximize value", "value = 0.75 within 1e-6", ("value", Fraction(3, 4), Fraction(1, 10**6))),
        ("maximize total", "total = 1 + alpha", ("total", Fraction(7, 5), 0)),
        ("minimize epsilon such that value >= alpha", "epsilon = 1/3", ("epsilon", Fraction(1, 3), 0)),
    ],
)
def test_expectation(folder: Path, goal: str, expect: str, expected: tuple[object, ...]) -> None:
    text = query(epsilon=RANGE[:-1] + " = 1;", goal=f"{goal};", expect=f"expect {expect};")
    match load(folder, text).problem.expectation:
        case ExpectedVerdict(verdict, count, _):
            assert (verdict, count) == expected
        case ExpectedNumber(quantity, value, within, span):
            assert (quantity, value, within) == expected
            assert span.text == f"expect {expect}"
        case other:
            pytest.fail(f"unexpected: {other}")


def test_robust_up_to(folder: Path) -> None:
    text = query(attack="attack radius 1, count 1;", expect="expect robust_up_to(1);", epsilon="")
    loaded = load(folder, text)
    assert isinstance(loaded.problem.expectation, ExpectedVerdict)
    assert loaded.problem.expectation.count == 1
    assert loaded.warnings == ()  # whoever expects this knows that one attack is not enough


# Parameters. -------------------------------------------------------------------------------------------


def test_parameters_of_every_type(folder: Path) -> None:
    text = query(
        data="data X = npz(file, rows = [k, k + 2..2 * k], scale = s, label_base = 0);",
        epsilon="param epsilon: real > 0 = 1e-3; param k: int in [1, inf] = 3; param s: real = 1/2;",
        more='param file: string = "p.npz"; param flag: bool = true; param twin: bool = flag;',
    )
    loaded = load(folder, text)
    assert loaded.problem.parameters == {
        "epsilon": Fraction(1, 1000),
        "alpha": Fraction(2, 5),
        "k": 3,
        "s": Fraction(1, 2),
        "file": "p.npz",
        "flag": True,
        "twin": True,
    }
    assert loaded.problem.points.rows.tolist() == [3, 5, 6]
    assert [(w.code, place_of(w)) for w in loaded.warnings] == [("W0401", "twin")]


@pytest.mark.parametrize(
    ("definitions", "expected"),
    [
        (("epsilon=0.1",), {"epsilon": Fraction(1, 10)}),
        (("epsilon=8/255", "alpha=1"), {"epsilon": Fraction(8, 255), "alpha": 1}),
        (("alpha=epsilon/20",), {"alpha": Fraction(1, 2)}),
        (("file=other.npz",), {"file": "other.npz"}),
        (('file="other.npz"',), {"file": "other.npz"}),
        (("flag=false",), {"flag": False}),
    ],
)
def test_definitions(folder: Path, definitions: tuple[str, ...], expected: dict[str, object]) -> None:
    (folder / "other.npz").write_bytes((folder / "p.npz").read_bytes())
    text = query(
        epsilon='param epsilon: real >= 0 = 10; param file: string = "p.npz"; param flag: bool = true;',
        data="data X = npz(file, rows = [0]);",
    )
    parameters = load(folder, text, definitions=definitions).problem.parameters
    assert {name: parameters[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("definition", "code", "place"),
    [
        ("epsilon", "E0405", "epsilon"),
        ("=1", "E0405", "=1"),
        ("epsilon=", "E0405", "epsilon="),
        ("1=1", "E0405", "1=1"),
        ("epsilom=1", "E0404", "epsilom"),
        ("epsilon=-1", "E0402", "-1"),
        ("alpha=1.5", "E0402", "1.5"),
        ("alpha=true", "E0403", "true"),
        ('alpha="1"', "E0403", '"1"'),
        ("alpha=beta", "E0201", "beta"),
        ("epsilon=alpha", "E0412", "alpha"),
        ("alpha=1/0", "E0407", "0"),
        ("epsilon=0:1:0.5", "E0411", "0:1:0.5"),
        ("epsilon=0:1", "E0405", "0:1"),
        ("epsilon=0:1:2:3", "E0405", "0:1:2:3"),
        ("epsilon=0::1", "E0405", "0::1"),
        ("epsilon=1:0:0.5", "E0409", "1:0:0.5"),
        ("epsilon=0:1:0", "E0409", "0"),
        ("epsilon=0:1:1e-9", "E0410", "0:1:1e-9"),
        ("epsilon=0:alpha:1", "E0201", "alpha"),
    ],
)
def test_definition_mistakes(folder: Path, definition: str, code: str, place: str) -> None:
    (found,) = refused(folder, query(), definitions=(definition,))
    assert found.code == code
    assert place_of(found) == place
    assert found.place is not None
    assert found.place.span.source.name == "command line"
    assert found.place.span.source.text == f"-D {definition}"


@pytest.mark.parametrize("definition", ["epsilon=1 +", "epsilon=0.1.2", "epsilon=1;", "epsilon=:::"])
def test_malformed_definitions(folder: Path, definition: str) -> None:
    found = refused(folder, query(epsilon="param epsilon: real;"), definitions=(definition,))
    assert len(found) == 1  # that epsilon has no value follows from the first mistake
    assert found[0].place is not None
    assert found[0].place.span.source.text == f"-D {definition}"


def test_a_value_outside_its_range_shows_the_declaration(folder: Path) -> None:
    (found,) = refused(folder, query(), definitions=("alpha=3/2",))
    (declaration,) = found.related
    assert declaration.span.text == "[0, 1]"
    assert declaration.span.source.name.endswith("q.rq")


def test_repeated_definitions(folder: Path) -> None:
    (found,) = refused(folder, query(), definitions=("alpha=1", "alpha=0"))
    assert found.code == "E0405"


def test_the_unknown_of_a_goal_cannot_be_given(folder: Path) -> None:
    text = query(epsilon=RANGE, goal="minimize epsilon such that value >= alpha;")
    (found,) = refused(folder, text, definitions=("epsilon=1",))
    assert (found.code, place_of(found)) == ("E0408", "1")


# Networks and data from the command line. --------------------------------------------------------------


def test_a_member_is_rebound(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_network(elsewhere / "g.onnx", seed=7)
    monkeypatch.chdir(elsewhere)
    text = query(ensemble='ensemble C { f1 = onnx("f1.onnx"); f2 = onnx("f2.onnx", sha256 = "00000000"); }')
    members = load(folder, text, networks=("f2=g.onnx",)).problem.ensemble
    assert [m.file for m in members] == ["f1.onnx", "g.onnx"]


@pytest.mark.parametrize(
    ("overrides", "code", "place"),
    [
        ({"networks": ("f3=f1.onnx",)}, "E0606", "f3"),
        ({"networks": ("f1",)}, "E0405", "f1"),
        ({"networks": ("f1=none.onnx",)}, "E0501", "none.onnx"),
        ({"data": ("Y=p.npz",)}, "E0721", "Y"),
        ({"data": ("X=none.npz",)}, "E0701", "none.npz"),
        ({"data": ("Y=a.npz", "Y=b.npz")}, "E0405", "Y=b.npz"),
    ],
)
def test_rebinding_mistakes(
    folder: Path, overrides: dict[str, tuple[str, ...]], code: str, place: str
) -> None:
    said = refused(folder, query(), **overrides)
    assert (code, place) in [(found.code, place_of(found)) for found in said]
    assert len(said) <= len(overrides.get("data", "1"))


def test_data_is_rebound(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(folder / "other.npz", x=np.full((7, 4), 9), y=np.zeros(7, int))
    monkeypatch.chdir(folder)
    points = load(folder, query(), data=("X=other.npz",)).problem.points
    assert points.numerators.tolist() == [[9.0] * 4] * 4


@pytest.mark.parametrize("data", ["points([[1, 2, 3, 4]], labels = [0])", 'idx(images = "a", labels = "b")'])
def test_data_without_one_file_is_not_rebound(folder: Path, data: str) -> None:
    (found,) = refused(folder, query(data=f"data X = {data};"), data=("X=other.npz",))
    assert found.code == "E0405"


@pytest.mark.parametrize("digits", [8, 64])
def test_hashes_may_be_cut(folder: Path, digits: int) -> None:
    digest = hashlib.sha256((folder / "f1.onnx").read_bytes()).hexdigest()[:digits].upper()
    text = query(ensemble=f'ensemble C {{ f1 = onnx("f1.onnx", sha256 = "{digest}"); }}')
    assert len(load(folder, text).problem.ensemble) == 1


# Sweeps. -----------------------------------------------------------------------------------------------


def sweep(folder: Path, text: str, *definitions: str) -> list[tuple[object, ...]]:
    (folder / "q.rq").write_text(text, encoding="utf-8")
    loaded = load_sweep(folder / "q.rq", Overrides(definitions))
    return [tuple(each.problem.parameters.values()) for each in loaded]


def test_a_sweep_is_exact_and_includes_its_ends(folder: Path) -> None:
    assert sweep(folder, query(), "epsilon=0:0.5:0.1") == [
        (Fraction(i, 10), Fraction(2, 5)) for i in range(6)
    ]


def test_a_sweep_downwards(folder: Path) -> None:
    assert sweep(folder, query(), "alpha=1:0.3:-1/3") == [(10, 1), (10, Fraction(2, 3)), (10, Fraction(1, 3))]


def test_sweeps_multiply_the_last_one_fastest(folder: Path) -> None:
    assert sweep(folder, query(), "epsilon=1:2:1", "alpha=0.5:1:0.5") == [
        (1, Fraction(1, 2)),
        (1, 1),
        (2, Fraction(1, 2)),
        (2, 1),
    ]


def test_a_sweep_without_a_sweep_is_one_problem(folder: Path) -> None:
    assert sweep(folder, query(), "epsilon=3") == [(3, Fraction(2, 5))]


def test_the_points_of_a_sweep_share_networks_and_data(folder: Path) -> None:
    (folder / "q.rq").write_text(query(), encoding="utf-8")
    first, *others = load_sweep(folder / "q.rq", Overrides(("epsilon=1:100:1",)))
    assert len(others) == 99
    for other in others:
        assert other.problem.ensemble[0].network is first.problem.ensemble[0].network


def test_a_swept_row_is_read_anew(folder: Path) -> None:
    text = query(
        data='data X = npz("p.npz", rows = [k]);', epsilon="param k: int >= 0; param epsilon: real = 1;"
    )
    (folder / "q.rq").write_text(text, encoding="utf-8")
    loaded = load_sweep(folder / "q.rq", Overrides(("k=0:9:3",)))
    assert [each.problem.points.rows.tolist() for each in loaded] == [[0], [3], [6], [9]]


def test_a_sweep_of_integers_has_whole_steps(folder: Path) -> None:
    text = query(attack="attack radius 1, count k;", epsilon="param k: int >= 1;")
    (folder / "q.rq").write_text(text, encoding="utf-8")
    with pytest.raises(Rejected) as rejected:
        load_sweep(folder / "q.rq", Overrides(("k=1:2:1/2",)))
    assert [d.code for d in rejected.value.diagnostics] == ["E0403"]


def test_sweeps_are_bounded_together(folder: Path) -> None:
    (folder / "q.rq").write_text(query(), encoding="utf-8")
    with pytest.raises(Rejected) as rejected:
        load_sweep(folder / "q.rq", Overrides(("epsilon=1:100:1", "alpha=0.1:1:0.01")))
    assert [d.code for d in rejected.value.diagnostics] == ["E0410"]


# Includes. ---------------------------------------------------------------------------------------------


def parted(folder: Path) -> str:
    """Move ensemble and data into a file in a folder of its own; return what includes it."""
    shared = folder / "shared"
    shared.mkdir()
    text = "rq 1.0;\n" + STATEMENTS["ensemble"] + STATEMENTS["data"]
    (shared / "digits.rqi").write_text(re.sub(r'"(\w+\.\w+)"', r'"../\1"', text), encoding="utf-8")
    return query(ensemble='include "shared/digits.rqi";', data="")


def test_paths_are_relative_to_the_file_that_names_them(folder: Path) -> None:
    parts = load(folder, parted(folder)).problem
    whole = load(folder, query()).problem
    assert parts.digest == whole.digest
    assert [name for name, _ in parts.files] == ["q.rq", "digits.rqi", "f1.onnx", "f2.onnx", "p.npz"]


def test_a_file_included_twice_counts_once(folder: Path) -> None:
    text = parted(folder)
    (folder / "one.rqi").write_text('rq 1.0; include "shared/digits.rqi";', encoding="utf-8")
    (folder / "two.rqi").write_text('rq 1.0; include "shared/../shared/digits.rqi";', encoding="utf-8")
    both = text.replace('include "shared/digits.rqi";', 'include "one.rqi"; include "two.rqi";')
    assert load(folder, both).problem.digest == load(folder, text).problem.digest


@pytest.mark.parametrize(
    ("included", "code", "message"),
    [
        ('rq 1.0; include "q.rq";', "E0302", "q.rq` includes itself"),
        ('rq 1.0; include "a.rqi";', "E0302", "a.rqi` includes itself"),
        ('rq 1.0; include "b.rqi";', "E0301", "no included file"),
        ('rq 1.0; include ".";', "E0303", "is a folder"),
        ("rq 1.0; chek value < 1;", "E0107", "chek"),
        ("rq 1.0; // " + " " * (1 << 20), "E0304", "at most"),
        ("rq 1.0; param k: int = 1/0;", "E0407", "division by zero"),
        (b"rq 1.0; // \xff", "E0306", "not UTF-8"),
    ],
)
def test_include_mistakes_say_how_the_file_is_reached(
    folder: Path, included: str | bytes, code: str, message: str
) -> None:
    (folder / "a.rqi").write_bytes(included.encode() if isinstance(included, str) else included)
    found = next(d for d in refused(folder, query(more='include "a.rqi";')) if d.code == code)
    assert message in found.message
    assert found.place is not None
    if found.place.span.source.name.endswith("a.rqi"):
        assert any("included from" in note and "q.rq:11:1" in note for note in found.notes)


def test_a_long_circle_is_shown_whole(folder: Path) -> None:
    for name, target in [("a", "b"), ("b", "c"), ("c", "a")]:
        (folder / f"{name}.rqi").write_text(f'rq 1.0; include "{target}.rqi";', encoding="utf-8")
    (found,) = refused(folder, query(more='include "a.rqi";'))
    chain = found.notes[0].replace(f"{folder}/", "")
    assert chain == "the circle: a.rqi -> b.rqi -> c.rqi -> a.rqi"


def test_includes_are_bounded_in_depth(folder: Path) -> None:
    for i in range(40):
        (folder / f"{i}.rqi").write_text(f'rq 1.0; include "{i + 1}.rqi";', encoding="utf-8")
    (found,) = refused(folder, query(more='include "0.rqi";'))
    assert found.code == "E0305"


def test_includes_are_bounded_in_number(folder: Path) -> None:
    for i in range(300):
        (folder / f"{i}.rqi").write_text("rq 1.0;", encoding="utf-8")
    text = query(more="".join(f'include "{i}.rqi";' for i in range(300)))
    assert {d.code for d in refused(folder, text)} == {"E0305"}


def test_a_byte_order_mark_is_no_mistake(folder: Path) -> None:
    (folder / "q.rq").write_bytes(b"\xef\xbb\xbf" + query().encode())
    assert load_problem(folder / "q.rq").warnings == ()


def test_a_missing_query(folder: Path) -> None:
    with pytest.raises(Rejected) as rejected:
        load_problem(folder / "none.rq")
    (found,) = rejected.value.diagnostics
    assert (found.code, found.place) == ("E0301", None)


# The digest. -------------------------------------------------------------------------------------------


def digest(folder: Path, **changes: str) -> str:
    return load(folder, query(**changes)).problem.digest


def test_the_digest_is_independent_of_names_and_spelling(folder: Path) -> None:
    (folder / "copy.onnx").write_bytes((folder / "f1.onnx").read_bytes())
    np.savez_compressed(folder / "copy.npz", a=np.arange(40.0).reshape(10, 4), b=np.arange(10) % 3)
    assert digest(folder) == digest(
        folder,
        ensemble='ensemble Z { a = onnx("copy.onnx"); b = onnx("f2.onnx"); } // comment',
        data='data Y = npz("copy.npz", inputs = "a", labels = "b", rows = [0, 3, 5, 6]);',
        epsilon="param r: real = 100/10;",
        alpha="",
        attack="attack radius r, count 2;",
        loss="",
        goal="check value < 0.4;",
        expect="expect unknown;",
        more='meta { source = "x"; }',
    )


CHANGES = [
    {},
    {"ensemble": 'ensemble C { f1 = onnx("f2.onnx"); f2 = onnx("f1.onnx"); }'},
    {"data": 'data X = npz("p.npz", rows = [0, 3, 5]);'},
    {"data": 'data X = npz("p.npz", rows = [0, 3, 5, 6], scale = 1/2);'},
    {"epsilon": "param epsilon: real = 11;"},
    {"alpha": "param alpha: real = 1/2;"},
    {"input": "input domain [0, 254];"},
    {"input": "input domain [0, inf];"},
    {"attack": "attack norm Linf, radius epsilon;"},
    {"attack": "attack radius epsilon, count 3;"},
    {"loss": "loss margin 1;"},
    {"loss": "loss targeted(1), margin 1;"},
    {"goal": "maximize value;"},
    {"goal": "maximize total;"},
    {"goal": "maximize total such that value >= alpha;"},
    {"epsilon": "param epsilon: real in [0, 10];", "goal": "minimize epsilon such that value >= alpha;"},
    {"goal": "profile value over epsilon in [0, 10];"},
]


def test_the_digest_depends_on_all_that_an_answer_depends_on(folder: Path) -> None:
    digests = [digest(folder, **changes) for changes in CHANGES]
    assert len(set(digests)) == len(digests)
    assert all(re.fullmatch("[0-9a-f]{64}", d) for d in digests)


def test_weights_beside_a_model_are_part_of_it(folder: Path) -> None:
    for name, seed in (("one", 0), ("two", 1)):
        (folder / name).mkdir()
        write_network(folder / name / "m.onnx", seed=seed)
        model = onnx.load(folder / name / "m.onnx")
        path = folder / name / "m.onnx"
        onnx.save(model, path, save_as_external_data=True, location="w.bin", size_threshold=0)
    assert (folder / "one/m.onnx").read_bytes() == (folder / "two/m.onnx").read_bytes()
    one, two = ({"ensemble": f'ensemble C {{ f = onnx("{name}/m.onnx"); }}'} for name in ("one", "two"))
    both = load(folder, query(ensemble='ensemble C { f = onnx("one/m.onnx"); g = onnx("two/m.onnx"); }'))
    assert both.warnings == ()
    f, g = both.problem.ensemble
    assert f.sha256 == g.sha256
    hashes = [hashlib.sha256((folder / name / "w.bin").read_bytes()).hexdigest() for name in ("one", "two")]
    assert [f.weights, g.weights] == [(("w.bin", each),) for each in hashes]
    assert {("w.bin", each) for each in hashes} < set(both.problem.files)
    assert describe_problem(both.problem).count(f"member 2 g: weights in w.bin, sha256 {hashes[1]}") == 1
    before = digest(folder, **one)
    assert before != digest(folder, **two)
    (folder / "one/w.bin").write_bytes((folder / "two/w.bin").read_bytes())
    assert before != digest(folder, **one) == digest(folder, **two)


def test_the_digest_does_not_depend_on_the_process(folder: Path) -> None:
    expected = digest(folder)
    script = (
        "import sys; from pathlib import Path; from ensc.compiler.frontend.query.resolve import load_problem;"
        "print(load_problem(Path(sys.argv[1])).problem.digest)"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", script, str(folder / "q.rq")]
        printed = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        assert printed.stdout.strip() == expected


# Speed. ------------------------------------------------------------------------------------------------


def test_a_few_rows_of_a_large_archive_are_read_quickly(folder: Path) -> None:
    write_network(folder / "large.onnx", (784,))
    images = np.zeros((60000, 28, 28), np.uint8)
    images[:, 3, 4] = 7
    np.savez(folder / "large.npz", x=images, y=np.zeros(60000, np.uint8))
    text = query(
        ensemble='ensemble C { f = onnx("large.onnx"); }',
        data='data X = npz("large.npz", rows = [0, 3, 5..6]);',
    )
    load(folder, query())  # imports, and the grammar
    start = time.perf_counter()
    assert load(folder, text).problem.points.numerators.sum() == 4 * 7
    assert time.perf_counter() - start < 2  # about 0.1 s: hashing 47 MB is most of it
