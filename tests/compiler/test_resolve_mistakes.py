"""Every mistake of a query's meaning: its code, the text it points at, and what it says."""

from pathlib import Path

import pytest
from queries import load, place_of, query, refused, write_folder

from ensc.compiler.diagnostics import Diagnostic, Severity


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("query")
    write_folder(path)
    return path


NAMES = [
    ({"goal": "check value < alhpa;"}, "E0201", "alhpa", "`alhpa`"),
    ({"attack": "attack norm L3, radius 1;"}, "E0202", "L3", "unknown norm `L3`"),
    ({"attack": "attack norm l1, radius 1;"}, "E0202", "l1", "unknown norm `l1`"),
    ({"attack": "attack norm 2, radius 1;"}, "E0208", "2", "a word"),
    ({"more": "param alpha: real = 1;"}, "E0203", "alpha", "`alpha` is defined twice"),
    ({"ensemble": 'ensemble C { f = onnx("f1.onnx"); f = onnx("f2.onnx"); }'}, "E0203", "f", "twice"),
    ({"more": 'meta { a = "1"; a = "2"; }'}, "E0203", "a", "given twice"),
    ({"attack": "attack nrom L1, radius 1;"}, "E0205", "nrom", "no clause `nrom`"),
    ({"attack": "attack raduis 1;"}, "E0205", "raduis", "no clause `raduis`"),
    ({"input": "input domian [0, 255];"}, "E0205", "domian", "no clause `domian`"),
    ({"input": "input domain [0, 255], range 1;"}, "E0205", "range", "no clause `range`"),
    ({"loss": "loss zero_won;"}, "E0205", "zero_won", "no clause `zero_won`"),
    ({"attack": "attack norm L1, radius 1, radius 2;"}, "E0206", "radius 2", "twice"),
    ({"loss": "loss zero_one, targeted(1), margin 1;"}, "E0206", "targeted(1", "one loss"),
    ({"epsilon": "param epsilon: float = 1;"}, "E0207", "float", "unknown type `float`"),
    ({"input": "input domain [0, 255], layout HWC;"}, "E0207", "HWC", "unknown layout `HWC`"),
    ({"input": "input domain bounded;"}, "E0207", "bounded", "unknown domain `bounded`"),
    ({"loss": "loss zero_one, ties wrong;"}, "E0207", "wrong", "unknown ties `wrong`"),
    ({"goal": "maximize loss;"}, "E0207", "loss", "cannot be maximized"),
    ({"expect": "expect sat;"}, "E0207", "sat", "unknown verdict `sat`"),
    ({"attack": "attack norm, radius 1;"}, "E0208", "norm", "`norm` must be followed by a word"),
    ({"attack": "attack radius [0, 1];"}, "E0208", "[0, 1]", "`radius` must be followed by a number"),
    ({"loss": "loss zero_one 1;"}, "E0208", "1", "nothing follows `zero_one`"),
    ({"expect": "expect robust_up_to;"}, "E0208", "robust_up_to", "needs a number"),
    ({"expect": "expect robust(2);"}, "E0208", "2", "nothing follows `robust`"),
    ({"data": 'data X = nzp("p.npz");'}, "E0209", "nzp", "no data source `nzp`"),
    ({"ensemble": 'ensemble C { f = onxx("f1.onnx"); }'}, "E0209", "onxx", "no network format `onxx`"),
    ({"data": 'data X = npz("p.npz", row = [0]);'}, "E0210", "row", "no argument `row`"),
    ({"data": 'data X = npz("p.npz", "x");'}, "E0210", '"x"', "needs a name"),
    ({"ensemble": 'ensemble C { f = onnx("f1.onnx", sha = "00"); }'}, "E0210", "sha", "no argument"),
    ({"loss": "loss targeted(lable = 1), margin 1;"}, "E0210", "lable", "no argument `lable`"),
    ({"data": "data X = npz(rows = [0]);"}, "E0211", "npz", "`npz` needs `path`"),
    ({"ensemble": "ensemble C { f = onnx(); }"}, "E0211", "onnx", "`onnx` needs `path`"),
    ({"loss": "loss targeted, margin 1;"}, "E0211", "targeted", "needs `label`"),
    ({"data": "data X = npz(5);"}, "E0212", "5", "must be a string"),
    ({"data": 'data X = npz("p.npz", rows = 3);'}, "E0212", "3", "must be a list"),
    ({"data": 'data X = npz("p.npz", scale = [1]);'}, "E0212", "[1]", "must be a number"),
    ({"data": 'data X = npz("p.npz", path = "p.npz");'}, "E0213", 'path = "p.npz"', "given twice"),
]

PARAMETERS = [
    ({"epsilon": "param epsilon: real >= 0;"}, "E0401", "epsilon", "has no value"),
    ({"alpha": "param alpha: real in [0, 1] = 1.4;"}, "E0402", "1.4", "`alpha = 1.4` is outside"),
    ({"epsilon": "param epsilon: real > 0 = 0;"}, "E0402", "0", "`epsilon = 0` is outside"),
    ({"alpha": 'param alpha: real = "x";'}, "E0403", '"x"', "has type real"),
    ({"more": "param k: int = 1/2;"}, "E0403", "1/2", "has type int"),
    ({"more": "param k: bool = 1;"}, "E0403", "1", "has type bool"),
    ({"more": "param k: string = true;"}, "E0403", "true", "has type string"),
    ({"more": 'param k: string >= 0 = "a";'}, "E0403", ">= 0", "has no range"),
    ({"goal": 'check value < "x";'}, "E0403", '"x"', "must be a number"),
    ({"goal": "check value < true + 1;"}, "E0403", "true", "only numbers can be computed with"),
    ({"attack": "attack radius 1, count 3/2;"}, "E0403", "3/2", "whole number"),
    ({"epsilon": "param epsilon: real = 1e200 * 1e200;"}, "E0406", "1e200 * 1e200", "too large"),
    ({"goal": "check value < 1/(2 - 2);"}, "E0407", "2 - 2", "division by zero"),
    (
        {
            "epsilon": "param epsilon: real in [0, 2];",
            "goal": "minimize epsilon such that value >= epsilon;",
        },
        "E0408",
        "epsilon",
        "has no value here",
    ),
    ({"epsilon": "param epsilon: real = 2 * alpha;"}, "E0412", "alpha", "before it is declared"),
    ({"epsilon": "param epsilon: real = epsilon;"}, "E0412", "epsilon", "before it is declared"),
    ({"alpha": "param alpha: real in [1, 0] = 1;"}, "E0413", "[1, 0]", "1 is more than 0"),
    ({"alpha": "param alpha: real in [inf, inf] = 1;"}, "E0413", "inf", "is empty"),
    ({"input": "input domain [1, 0];"}, "E0413", "[1, 0]", "`domain` is empty"),
]

ENSEMBLES = [
    ({"ensemble": "ensemble C { }"}, "E0601", "ensemble C { }", "has no members"),
    (
        {"ensemble": 'ensemble C { f = onnx("f1.onnx", sha256 = "0123456789"); }'},
        "E0602",
        '"0123456789"',
        "not the file",
    ),
    (
        {"ensemble": 'ensemble C { f = onnx("f1.onnx"); g = onnx("five.onnx"); }'},
        "E0603",
        '"five.onnx"',
        "`f` has 3 classes, `g` has 5",
    ),
    (
        {"ensemble": 'ensemble C { f = onnx("f1.onnx"); g = onnx("wide.onnx"); }'},
        "E0604",
        '"wide.onnx"',
        "`f` reads inputs of shape 4, `g` of shape 9",
    ),
    ({"ensemble": 'ensemble C { f = onnx("f1.onnx", sha256 = "12"); }'}, "E0608", '"12"', "no SHA-256"),
    ({"ensemble": 'ensemble C { f = onnx("f3.onnx"); }'}, "E0501", '"f3.onnx"', "no network"),
    ({"ensemble": 'ensemble C { f = onnx("."); }'}, "E0501", '"."', "a folder"),
]

MEANING = [
    ({"goal": ""}, "E0901", "1.0", "no goal"),
    ({"data": ""}, "E0901", "1.0", "no data"),
    ({"ensemble": ""}, "E0901", "1.0", "no ensemble"),
    ({"more": "maximize value;"}, "E0902", "maximize value", "another one"),
    ({"more": "attack radius 1;"}, "E0902", "attack radius 1", "another one"),
    ({"attack": "attack radius -1;"}, "E0903", "-1", "not negative"),
    (
        {"epsilon": "param epsilon: real in [-1, 1];", "goal": "minimize epsilon such that value >= 1;"},
        "E0903",
        "[-1, 1]",
        "not negative",
    ),
    ({"attack": "attack radius 1, count 0;"}, "E0904", "0", "from 1 to 1000"),
    ({"attack": "attack radius 1, count 1001;"}, "E0904", "1001", "from 1 to 1000"),
    ({"attack": "attack norm L1;"}, "E0905", "attack norm L1", "how strong"),
    ({"attack": ""}, "E0905", "1.0", "how strong"),
    ({"loss": "loss targeted(3), margin 1;"}, "E0906", "targeted(3", "no class 3"),
    ({"loss": "loss targeted(-1), margin 1;"}, "E0906", "targeted(-1", "no class -1"),
    ({"loss": "loss targeted(2), margin 1;"}, "E0907", "targeted(2", "true label of row 5"),
    ({"loss": "loss targeted(1), ties correct, margin 1;"}, "E0908", "ties correct", "no meaning"),
    ({"loss": "loss targeted(1);"}, "E0909", "targeted(1", "must win by a margin"),
    ({"loss": "loss targeted(1), margin 0;"}, "E0909", "margin 0", "above 0"),
    ({"loss": "loss zero_one, ties correct;"}, "E0909", "ties correct", "by a margin"),
    ({"loss": "loss zero_one, margin -1;"}, "E0910", "-1", "not negative"),
    ({"loss": "loss ties misclassified, margin 1;"}, "E0911", "margin 1", "makes a tie correct"),
    ({"goal": "check value <= alpha;"}, "E0912", "<= alpha", "by `<`"),
    ({"goal": "check value > alpha;"}, "E0912", "> alpha", "by `<`"),
    ({"goal": "maximize total such that value > 1/2;"}, "E0912", "> 1/2", "by `>=`"),
    ({"goal": "check value < -1/2;"}, "E0913", "-1/2", "never negative"),
    (
        {"epsilon": "param epsilon: real in [0, 2];", "goal": "minimize epsilon such that value >= 1;"}
        | {"attack": "attack radius 2 * epsilon;"},
        "E0914",
        "2 * epsilon",
        "`epsilon` itself",
    ),
    ({"goal": "minimize epsilon such that value >= 1;"}, "E0915", "epsilon", "no bounded range"),
    ({"goal": "profile value over epsilon in [0, inf];"}, "E0915", "epsilon", "no bounded range"),
    ({"goal": "minimize epsilno such that value >= 1;"}, "E0201", "epsilno", "`epsilno`"),
    (
        {"epsilon": "param epsilon: int in [0, 2];", "goal": "minimize epsilon such that value >= 1;"},
        "E0403",
        "epsilon",
        "must be a real number",
    ),
    (
        {"epsilon": "param epsilon: real in [0, 2];", "goal": "profile value over epsilon in [0, 3];"},
        "E0402",
        "[0, 3]",
        "`epsilon = 3` is outside",
    ),
    ({"goal": "maximize value;", "expect": "expect robust;"}, "E0916", "robust", "no answer"),
    ({"expect": "expect value = 1/2;"}, "E0916", "value", "not what this goal finds"),
    ({"goal": "maximize value;", "expect": "expect total = 1;"}, "E0916", "total", "not what"),
    ({"goal": "maximize value such that value >= 1/2;"}, "E0917", ">= 1/2", "no lower bound"),
    (
        {"attack": "attack radius 1, count 1;", "expect": "expect robust_up_to(2);"},
        "E0918",
        "2",
        "mixes 1 attack",
    ),
    ({"expect": "expect robust_up_to(2);"}, "E0918", "robust_up_to", "always enough"),
    (
        {"goal": "maximize value;", "expect": "expect value = 1 within -1;"},
        "E0919",
        "-1",
        "not negative",
    ),
    ({"attack": "attack norm L2, radius 1;"}, "E1003", "L2", "quadratic"),
]

UNITS = [
    ({"input": "input domain [0, 1];"}, "E0801", 'npz("p.npz", inputs = "x"', "outside the domain [0, 1]"),
    ({"input": ""}, "E0802", "1.0", "which inputs are legal"),
    ({"input": "input layout NCHW;"}, "E0802", "input layout NCHW", "which inputs are legal"),
    ({"data": 'data X = npz("p.npz", scale = 0);'}, "E0803", "0", "must be positive"),
    ({"data": 'data X = npz("p.npz", scale = 1e-30);'}, "E0803", "1e-30", "no ratio of integers"),
]


@pytest.mark.parametrize(
    ("changes", "code", "text", "fragment"),
    [*NAMES, *PARAMETERS, *ENSEMBLES, *MEANING, *UNITS],
    ids=lambda value: value if isinstance(value, str) and value.startswith("E") else None,
)
def test_mistake(folder: Path, changes: dict[str, str], code: str, text: str, fragment: str) -> None:
    said = refused(folder, query(**changes))
    (found,) = (d for d in said if d.severity is Severity.ERROR)
    assert found.code == code
    assert place_of(found).startswith(text)
    assert fragment in found.message or fragment in (found.place.text if found.place else "")
    assert not found.message.endswith(".")


WARNINGS = [
    ({"more": "param k: int = 1;"}, "W0401", "k"),
    ({"ensemble": 'ensemble C { f = onnx("f1.onnx"); g = onnx("f1.onnx"); }'}, "W0601", '"f1.onnx"'),
    ({"data": 'data X = npz("p.npz", rows = [0, 3, 2..4]);'}, "W0702", "3"),
    ({"input": "input domain [0, 255], layout NHWC;"}, "W0703", "layout NHWC"),
    ({"attack": "attack radius epsilon, count 1;"}, "W0901", "check value < alpha"),
    (
        {"attack": "attack radius epsilon, count 1;", "goal": "maximize total such that value >= alpha;"},
        "W0901",
        "maximize total such that value >= alpha",
    ),
    ({"goal": "check value < 2 * alpha + 1;"}, "W0902", "check value < 2 * alpha + 1"),
    ({"goal": "check value < 0 * alpha;"}, "W0903", "check value < 0 * alpha"),
    ({"attack": "attack norm L0, radius epsilon / 4;"}, "W0904", "epsilon / 4"),
    (
        {"data": "data X = points([[1, 2, 3, 4]], labels = [1], label_base = 1);"}
        | {"loss": "loss targeted(1), margin 1;"},
        "W0905",
        "targeted(1",
    ),
    ({"data": 'data X = npz("p.npz", rows = [0], label_base = 0);'}, "", ""),
]


@pytest.mark.parametrize(("changes", "code", "text"), WARNINGS)
def test_warning(folder: Path, changes: dict[str, str], code: str, text: str) -> None:
    warnings = load(folder, query(**changes)).warnings
    assert [(w.code, place_of(w)) for w in warnings] == ([(code, text)] if code else [])


def helped(diagnostics: tuple[Diagnostic, ...]) -> str:
    (found,) = diagnostics
    return found.help or ""


@pytest.mark.parametrize(
    ("changes", "help_text"),
    [
        ({"attack": "attack norm l1, radius 1;"}, "did you mean `L1`?"),
        ({"goal": "check value < alhpa;"}, "did you mean `alpha`?"),
        ({"data": 'data X = npz("p.npz", row = [0]);'}, "did you mean `rows`?"),
        ({"ensemble": 'ensemble C { f = onnx("f1.onx"); }'}, "did you mean `f1.onnx`?"),
        ({"ensemble": 'ensemble C { f = onnx("nets/f1.onnx"); }'}, "there is no folder"),
        ({"input": "input domain [0, 1];"}, "did you mean `scale = 1/255`?"),
        (
            {"data": 'data X = npz("p.npz", scale = 0.00392156862745098);'},
            "did you mean `1/255`?",
        ),
        ({"epsilon": "param epsilon: real;"}, "-D epsilon="),
        ({"goal": "check value <= alpha;"}, "write `value < alpha`"),
    ],
)
def test_help(folder: Path, changes: dict[str, str], help_text: str) -> None:
    assert help_text in helped(refused(folder, query(**changes)))


def test_independent_mistakes_are_reported_together_in_order(folder: Path) -> None:
    text = query(
        ensemble='ensemble C { f1 = onnx("f3.onnx"); f2 = onnx("f4.onnx"); }',
        data='data X = npz("q.npz");',
        alpha="param alpha: real in [0, 1] = 2;",
        attack="attack norm L3, radius epsilom, count 0;",
        loss="loss targeted(1);",
        expect="expect robust(1);",
    )
    codes = [d.code for d in refused(folder, text)]
    assert codes == ["E0501", "E0501", "E0701", "E0402", "E0202", "E0201", "E0904", "E0909"]


def test_mistakes_of_data_are_reported_together(folder: Path) -> None:
    data = "data X = points([[1, 300, 2], [1, 2, 3]], labels = [7, 1]);"
    text = query(data=data, loss="loss targeted(9), margin 1;")
    assert sorted(d.code for d in refused(folder, text)) == ["E0712", "E0713", "E0801", "E0906"]


def test_many_mistakes_are_cut_short(folder: Path) -> None:
    parameters = " ".join(f"param k{i}: int = 1/0;" for i in range(60))
    said = refused(folder, query(more=parameters))
    assert len(said) == 50
    assert said[-1].notes == ("10 further mistakes are not shown",)


HUGE = "9" * 250


@pytest.mark.parametrize(
    "changes",
    [
        {"data": f'data X = npz("p.npz", rows = [{HUGE}]);'},
        {"data": f'data X = npz("p.npz", rows = [-{HUGE}]);'},
        {"data": f'data X = npz("p.npz", rows = [0..{HUGE}]);'},
        {"data": f'data X = npz("p.npz", label_base = {HUGE});'},
        {"data": f'data X = csv("p.npz", label = {HUGE});'},
        {"data": f'data X = npz("p.npz", scale = {HUGE});'},
        {"data": f"data X = points([[{HUGE}, 1, 1, 1]], labels = [{HUGE}]);"},
        {"data": f"data X = points([[{HUGE}, 1, 1, 1]], labels = [0]);"},
        {"loss": f"loss targeted({HUGE}), margin 1;"},
        {"input": f"input domain [{HUGE}, inf];", "data": 'data X = npz("p.npz", scale = 1/255);'},
        {"input": f"input domain [-inf, -{HUGE}];"},
        {"attack": f"attack radius 1, count {HUGE};"},
        {"alpha": f"param alpha: int = 1/{HUGE};"},
    ],
)
def test_messages_stay_short(folder: Path, changes: dict[str, str]) -> None:
    for found in refused(folder, query(**changes)):
        label = found.place.text if found.place else ""
        assert max(map(len, [found.message, label, found.help or "", *found.notes])) < 200


def test_a_broken_parameter_is_reported_once(folder: Path) -> None:
    text = query(epsilon="param epsilon: real = 1/0;", goal="check value < alpha + epsilon;")
    assert [d.code for d in refused(folder, text)] == ["E0407"]


def test_every_place_is_inside_its_source(folder: Path) -> None:
    for changes, *_ in [*NAMES, *PARAMETERS, *ENSEMBLES, *MEANING, *UNITS]:
        for found in refused(folder, query(**changes)):
            for label in (*([found.place] if found.place else []), *found.related):
                assert 0 <= label.span.start < label.span.end <= len(label.span.source.text)
