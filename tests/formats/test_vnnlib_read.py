"""VNN-LIB text becomes instances, exactly; everything else becomes diagnostics."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from instance_texts import FIRST, SECOND
from tiny import dense

from ensc.compiler.diagnostics import Rejected, Source
from ensc.compiler.render import render_text
from ensc.compiler.types.instance import Instance, holds
from ensc.compiler.types.network import Network
from ensc.formats.vnnlib.bind import named_files
from ensc.formats.vnnlib.expressions import DEEPEST
from ensc.formats.vnnlib.link import link
from ensc.formats.vnnlib.read import read_property

TWO = dense((np.eye(2), np.zeros(2)), inputs=2)
ONE = dense((np.eye(1), np.zeros(1)), inputs=1)
HEAD = "(declare-const X_0 Real)(declare-const Y_0 Real)"
BOX = "(assert (>= X_0 0.0))(assert (<= X_0 1.0))"
NET = "(vnnlib-version <2.0>)(declare-network f (declare-input X real [2]) (declare-output Y real [2]))"

TWO_INPUTS = "(declare-input U real [2]) (declare-output"
BOXES = "".join(f"(assert (and (>= {t}[{i}] 0.0) (<= {t}[{i}] 1.0)))" for t in ("X", "U") for i in (0, 1))


def instances(text: str, networks: Mapping[str, Network] | None = None) -> tuple[Instance, ...]:
    stated = read_property(Source("p.vnnlib", text))
    return link(stated, networks or {d.name: TWO for d in stated.networks}, "p")


def fractions(*numbers: str) -> tuple[Fraction, ...]:
    return tuple(map(Fraction, numbers))


def test_the_first_version() -> None:
    (instance,) = instances(FIRST)
    assert instance.lower == fractions("1/4", "-1")
    assert instance.upper == fractions("3/4", "1/1000")
    x = fractions("1/2", "0")
    for y, expected in [(("2", "1"), True), (("5/2", "1"), False), (("-4", "2"), True), (("1", "2"), False)]:
        assert holds(instance.unsafe, (*x, *fractions(*y))) == expected


def test_the_second_version_shares_inputs_by_equations() -> None:
    (instance,) = instances(SECOND)
    assert (instance.lower, instance.upper) == (fractions("1/4", "-1"), fractions("3/4", "1/2"))
    assert [r.columns.tolist() for r in instance.readers] == [[0, 1], [0, 1]]
    assert holds(instance.unsafe, fractions("0", "0", "1", "1", "2", "3"))
    assert not holds(instance.unsafe, fractions("0", "0", "1", "1", "3", "2"))


def test_cases_of_inputs_are_told_apart() -> None:
    near, far = "(>= X_0 0.0) (<= X_0 1.0) (>= Y_0 2.0)", "(>= X_0 5.0) (<= X_0 6.0) (<= Y_0 -2.0)"
    again = "(>= X_0 0.0) (<= X_0 1.0) (<= Y_0 -3.0)"
    cases = instances(f"{HEAD}(assert (or (and {near}) (and {far}) (and {again})))", {"N": ONE})
    assert [(c.name, c.lower, c.upper) for c in cases] == [
        ("p_1", fractions("0"), fractions("1")),
        ("p_2", fractions("5"), fractions("6")),
    ]
    held = [holds(cases[0].unsafe, fractions("0", y)) for y in ("2", "0", "-3")]
    assert held == [True, False, True]


def test_strict_bounds_of_inputs_stay_strict() -> None:
    (instance,) = instances(f"{HEAD}(assert (> X_0 0.0))(assert (<= X_0 1))(assert (>= Y_0 0))", {"N": ONE})
    assert instance.lower == fractions("0")
    (strict,) = instance.constraints
    assert not strict.holds(fractions("0", "0"))
    assert strict.holds(fractions("1/9", "0"))


def test_other_spellings_of_the_first_version() -> None:
    text = (
        "(set-logic QF_LRA)(declare-fun X_0 () Real)(declare-fun Y_0 () Real)(assert (<= 0 X_0 1))"
        "(assert (not (< Y_0 (/ 1 4))))(assert (= (- X_0) (* -1 X_0)))(check-sat)"
    )
    (instance,) = instances(text, {"N": ONE})
    assert (instance.lower, instance.upper) == (fractions("0"), fractions("1"))
    assert holds(instance.unsafe, fractions("0", "1/4"))
    assert not holds(instance.unsafe, fractions("0", "6/25"))


def test_unequal_is_two_strict_cases() -> None:
    bounds = "".join(f"(assert (and (>= X[{i}] 0.0) (<= X[{i}] 1.0)))" for i in (0, 1))
    (instance,) = instances(f"{NET}{bounds}(assert (!= Y[0] 0.5))")
    assert not holds(instance.unsafe, fractions("0", "0", "1/2", "0"))
    assert holds(instance.unsafe, fractions("0", "0", "1/4", "0"))


def test_several_inputs_are_read_one_after_the_other() -> None:
    text = f"{NET.replace('(declare-output', TWO_INPUTS)}{BOXES}(assert (<= U[1] 0.5))(assert (== X[0] U[0]))"
    weight = np.array([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 1.0]])
    joined = replace(dense((weight, np.zeros(2)), inputs=4), parts=(2, 2))
    (instance,) = instances(f"{text}(assert (>= Y[0] 1.0))", {"f": joined})
    assert instance.upper == fractions("1", "1", "1/2")
    assert instance.readers[0].columns.tolist() == [0, 1, 0, 2]
    for parts in ((3, 1), (1, 3), (4,)):
        with pytest.raises(Rejected) as caught:
            instances(f"{text}(assert (>= Y[0] 1.0))", {"f": replace(joined, parts=parts)})
        assert {d.code for d in caught.value.diagnostics} == {"E1284"}


def test_isomorphic_networks_have_one_structure() -> None:
    other = dense((np.array([[2.0, 1.0], [0.0, 3.0]]), np.ones(2)), inputs=2)
    assert instances(SECOND, {"f": TWO, "g": other})
    deeper = dense((np.eye(2), np.zeros(2)), (np.eye(2), np.zeros(2)), inputs=2)
    wider = dense((np.ones((3, 2)), np.zeros(3)), (np.ones((2, 3)), np.zeros(2)), inputs=2)
    assert instances(SECOND.replace("(isomorphic-to f)", ""), {"f": TWO, "g": deeper})
    named = replace(TWO, operators={"MatMul": 1, "Constant": 1})
    assert instances(SECOND, {"f": named, "g": replace(other, operators={"MatMul": 1})})
    for f, g, what in (
        (TWO, deeper, "sizes of layers"),
        (deeper, wider, "sizes of layers"),
        (named, replace(other, operators={"Gemm": 1}), "operators"),
    ):
        with pytest.raises(Rejected) as caught:
            instances(SECOND, {"f": f, "g": g})
        (diagnostic,) = caught.value.diagnostics
        assert diagnostic.code == "E1284"
        assert diagnostic.message == f"the networks bound to `g` and `f` differ in their {what}"


def test_equal_networks_share_a_file() -> None:
    stated = read_property(Source("p", SECOND.replace("isomorphic-to", "equal-to")))
    assert set(named_files(stated, ["a.onnx"])) == {"f"}
    assert set(named_files(read_property(Source("p", SECOND)), ["f=a.onnx", "g=b.onnx"])) == {"f", "g"}


REFUSED = {
    "never closed": ("E1270", "(assert (>= X_0 1)"),
    "closes nothing": ("E1270", f"{HEAD})"),
    "loose": ("E1270", "assert"),
    "character": ("E1270", f"{HEAD}(assert ] )"),
    "string": ("E1270", '(assert "x)'),
    "deep": ("E1271", "(" * (DEEPEST + 1)),
    "version 3": ("E1272", "(vnnlib-version <3.0>)"),
    "no version": ("E1272", "(vnnlib-version 2.0)"),
    "mixed": ("E1272", f"{NET}{HEAD}"),
    "2.0 without its line": ("E1272", "(declare-network f)"),
    "command": ("E1273", f"{HEAD}(asert (>= X_0 1))"),
    "no type": ("E1273", "(declare-const X_0)"),
    "no outputs": ("E1273", "(declare-const X_0 Real)(assert (>= X_0 1))"),
    "two conditions": ("E1273", f"{HEAD}(assert (>= X_0 1) (>= X_0 2))"),
    "empty command": ("E1273", "()"),
    "hyphen": ("E1274", NET.replace("network f", "network f-copy")),
    "twice": ("E1274", f"{HEAD}(declare-const X_0 Real)(assert (>= X_0 1))"),
    "tensor twice": ("E1274", NET.replace("Y real", "X real")),
    "third kind": ("E1274", "(declare-const Z_0 Real)"),
    "unknown": ("E1275", f"{HEAD}(assert (>= X_1 1))"),
    "unknown tensor": ("E1275", f"{NET}(assert (>= Z[0] 1.0))"),
    "leading zero": ("E1274", f"{HEAD}(declare-const Y_01 Real)(assert (>= X_0 1))"),
    "gap": ("E1276", f"{HEAD}(declare-const X_2 Real)(assert (>= X_0 1))"),
    "indices": ("E1276", f"{NET}(assert (>= X[0,0] 1.0))"),
    "beyond": ("E1276", f"{NET}(assert (>= X[2] 1.0))"),
    "negative": ("E1276", f"{NET}(assert (>= X[-1] 1.0))"),
    "huge": ("E1276", NET.replace("X real [2]", "X real [99999,99999,99999]")),
    "empty tensor": ("E1276", NET.replace("X real [2]", "X real [0]")),
    "number": ("E1277", f"{HEAD}(assert (>= X_0 1,5))"),
    "large": ("E1277", f"{HEAD}(assert (>= X_0 1e99))"),
    "long": ("E1277", f"{HEAD}(assert (>= X_0 0.{'1' * 500}))"),
    "product": ("E1277", f"{HEAD}(assert (>= X_0 (* 1e20 1e20)))"),
    "operator": ("E1278", f"{HEAD}(assert (max X_0 1))"),
    "argument": ("E1278", f"{HEAD}(assert (<= X_0))"),
    "equal sign": ("E1278", f"{NET}(assert (= X[0] X[1]))"),
    "double equal sign": ("E1278", f"{HEAD}(assert (== X_0 1))"),
    "min": ("E1278", f"{HEAD}(assert (>= (min X_0 Y_0) 1))"),
    "nonlinear": ("E1279", f"{HEAD}(assert (>= (* X_0 Y_0) 1))"),
    "quotient": ("E1279", f"{HEAD}(assert (>= (/ 1 Y_0) 1))"),
    "by zero": ("E1279", f"{HEAD}(assert (>= (/ X_0 0) 1))"),
    "hidden": ("E1280", NET[:-1] + ' (declare-hidden H real [2] "h"))'),
    "initialized": ("E1280", NET.replace("[2])", "[2] initialized)", 1)),
    "integers": ("E1280", NET.replace("X real", "X int64")),
    "two outputs": ("E1280", NET.replace("(declare-output", "(declare-output U real [2]) (declare-output")),
    "two inputs": ("E1284", f"{NET.replace('(declare-output', TWO_INPUTS)}{BOXES}"),
    "no lower bound": ("E1281", f"{HEAD}(assert (<= X_0 1))(assert (>= Y_0 1))"),
    "a case without bounds": ("E1281", f"{HEAD}(assert (or (<= X_0 1) (and (>= X_0 1) (<= X_0 2))))"),
    "too many outputs": ("E1284", f"{HEAD}(declare-const Y_1 Real){BOX}"),
    "no such network": ("E1285", NET[:-1] + " (equal-to g))(assert (>= X[0] 1.0))"),
    "empty": ("E1286", " ; nothing\n"),
    "no assertion": ("E1286", HEAD),
    "no network": ("E1286", "(vnnlib-version <2.0>)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    code, text = REFUSED[case]
    with pytest.raises(Rejected) as caught:
        instances(text, {"N": ONE, "f": TWO})
    assert [d.code for d in caught.value.diagnostics] == [code], render_text(caught.value.diagnostics)


def test_several_mistakes_are_reported_together() -> None:
    with pytest.raises(Rejected) as caught:
        instances(f"{HEAD}(assert (>= X_1 1))\n(assert (foo))\n(assert (>= X_0 a))")
    assert [d.code for d in caught.value.diagnostics] == ["E1275", "E1278", "E1275"]
    assert "p.vnnlib:2:10" in render_text(caught.value.diagnostics)


def test_a_softmax_at_the_end_allows_comparisons_only() -> None:
    text = "".join(f"(declare-const {n} Real)" for n in ("X_0", "X_1", "Y_0", "Y_1"))
    text += "(assert (<= 0 X_0 1))(assert (<= 0 X_1 1))"
    closed = Network("n", (2,), TWO.layers, 1, dropped=("`Softmax` at node 1",))
    assert instances(f"{text}(assert (> Y_0 Y_1))", {"N": closed})
    with pytest.raises(Rejected) as caught:
        instances(f"{text}(assert (> Y_0 0.5))", {"N": closed})
    assert caught.value.diagnostics[0].code == "E1284"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no file is given for the network `f`"),
        (["f=a.onnx"], "no file is given for the network `g`"),
        (["f=a.onnx", "g=b.onnx", "h=c.onnx"], "no network needs the file `h=c.onnx`"),
        (["f=a.onnx", "f=b.onnx", "g=b.onnx"], "`f` is given twice"),
        (["a.onnx", "g=b.onnx"], "no network needs the file `a.onnx`"),
    ],
)
def test_networks_need_one_file_each(arguments: list[str], said: str) -> None:
    with pytest.raises(Rejected) as caught:
        named_files(read_property(Source("p", SECOND)), arguments)
    assert caught.value.diagnostics[0].code == "E1283"
    assert caught.value.diagnostics[0].message == said


PIECES = st.sampled_from(
    [
        *(
            "(",
            ")",
            "(assert ",
            "(and ",
            "(or ",
            "(>= ",
            "(<= ",
            "(== ",
            "(not ",
            "X_0 ",
            "Y_0 ",
            "X[0] ",
            "Y[1]",
        ),
        *(
            "1.0 ",
            "-2 ",
            "1e9 ",
            "(* ",
            "(- ",
            "(/ ",
            "; c\n",
            '"s"',
            "[",
            "]",
            "(declare-const X_0 Real)",
            NET,
        ),
        *("(declare-input U real [2])", "(equal-to f)", "\x00", "é", "(vnnlib-version <2.0>)"),
    ]
)


def read_or_refused(text: str) -> bool:
    """Read a property about networks that fit it, or have its diagnostics rendered; nothing else happens."""
    try:
        stated = read_property(Source("p", text))
        networks = {d.name: zeros([t.size for t in d.inputs], d.output.size) for d in stated.networks}
        found = link(stated, networks, "p")
    except Rejected as rejected:
        return bool(render_text(rejected.diagnostics))
    return all(len(i.lower) == len(i.upper) == i.inputs for i in found)


def zeros(inputs: list[int], outputs: int) -> Network:
    network = dense((np.zeros((outputs, sum(inputs))), np.zeros(outputs)), inputs=sum(inputs))
    return replace(network, parts=tuple(inputs) if len(inputs) > 1 else ())


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(["", HEAD, NET, FIRST, SECOND]), st.lists(PIECES, max_size=12), st.text(max_size=8))
def test_any_text_is_read_or_refused(start: str, pieces: list[str], end: str) -> None:
    assert read_or_refused(start + "".join(pieces) + end)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_text_is_read_or_refused(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([FIRST, SECOND]))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    inserted = data.draw(st.text("()[]<>=XYU_0123456789. ", max_size=5))
    assert read_or_refused(text[:start] + inserted + text[end:])
