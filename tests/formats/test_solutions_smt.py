"""Answers of SMT solvers: the real ones, every spelling of a rational, and what must not be believed."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.types.solution import Status
from ensc.formats.solutions import read_smt, read_solution

SAMPLES = Path(__file__).parents[1] / "samples" / "solutions" / "smt"

SAT, UNSAT, UNKNOWN, OPTIMAL = Status.FEASIBLE, Status.INFEASIBLE, Status.UNKNOWN, Status.OPTIMAL

HALF_BILLION = Fraction(17636684144620811271604938270)
PM = {"x": Fraction(-1, 3), "y": HALF_BILLION}
S1 = {"x": Fraction(25, 56), "y": Fraction(25, 56), "a b": Fraction(1, 3), "b": Fraction(1)}
LIRA = {"x": Fraction(3, 2), "z": Fraction(1)}
ROUNDED = {"x": Fraction(1414214, 10**6), "y": Fraction(-144225, 10**5)}

EXPECTED: dict[str, tuple[Status, dict[str, Fraction]]] = {
    "z3.s1": (SAT, S1),
    "z3.pm": (SAT, PM),
    "z3.lira": (SAT, LIRA),
    "z3.badstatus": (UNKNOWN, {}),
    "z3.getmodel_unsat": (UNSAT, {}),
    "z3_4.8.s1": (SAT, S1 | {"x": Fraction(1), "y": Fraction(1)}),
    "z3_4.8.pm": (SAT, PM),
    "z3_4.8.lira": (SAT, LIRA),
    "z3_4.8.badstatus": (UNKNOWN, {}),
    "z3_4.8.getmodel_unsat": (UNSAT, {}),
    "z3_-T2": (UNKNOWN, {}),
    "z3_-t2000": (UNKNOWN, {}),
    "z3_objective": (OPTIMAL, {"x": Fraction(-2, 3), "y": Fraction(1)}),
    "z3_objectives": (SAT, {"x": Fraction(-2, 3), "y": Fraction(0)}),
    "cvc5.s1": (SAT, S1),
    "cvc5.pm": (SAT, PM),
    "cvc5.lira": (SAT, LIRA),
    "cvc5.badstatus": (UNKNOWN, {}),
    "cvc5.getmodel_unsat": (UNSAT, {}),
    "cvc5_103.s1": (SAT, S1),
    "cvc5_103.pm": (SAT, PM),
    "cvc5_103.lira": (SAT, LIRA),
    "cvc5_103.getmodel_unsat": (UNSAT, {}),
    "cvc5_103_tlimit": (UNKNOWN, {}),
    "cvc4.s1": (SAT, S1),
    "cvc4.pm": (SAT, PM),
    "cvc4.lira": (SAT, LIRA),
    "cvc4.getmodel_unsat": (UNSAT, {}),
    "cvc4_tlimit": (UNKNOWN, {}),
    "yices.s1": (SAT, S1),
    "yices.pm": (SAT, PM),
    "yices.lira": (SAT, LIRA),
    "yices.nra": (SAT, ROUNDED),
    "yices.badstatus": (SAT, {}),
    "yices.getmodel_unsat": (UNSAT, {}),
    "yices_timeout": (UNKNOWN, {}),
}

IRRATIONAL = {"z3.nra", "z3_4.8.nra", "cvc5.nra", "z3_pp_decimal"}


def sample(name: str) -> str:
    return (SAMPLES / f"{name}.txt").read_text()


def test_every_sample_is_expected() -> None:
    assert {path.stem for path in SAMPLES.iterdir()} == set(EXPECTED) | IRRATIONAL


@pytest.mark.parametrize("name", EXPECTED)
def test_samples(name: str) -> None:
    solution = read_solution(sample(name), name)
    assert (solution.status, solution.values) == EXPECTED[name]
    assert all(isinstance(value, Fraction) for value in solution.values.values())


@pytest.mark.parametrize("name", sorted(IRRATIONAL))
def test_irrational_values_are_refused(name: str) -> None:
    with pytest.raises(Rejected) as rejected:
        read_solution(sample(name), name)
    (diagnostic,) = rejected.value.diagnostics
    assert diagnostic.code == "E1258"
    assert diagnostic.place is not None
    assert diagnostic.place.span.text in sample(name)


def test_rounded_values_are_counted() -> None:
    assert "decimals, perhaps rounded" in read_smt(sample("yices.nra"), "x").message
    assert "rounded" not in read_smt(sample("z3.s1"), "x").message


def test_an_attained_optimum_is_exact() -> None:
    assert read_smt(sample("z3_objective"), "x").objective == 1 / 3
    assert read_smt(sample("z3_objectives"), "x").objective is None


@pytest.mark.parametrize("answer", ["sat", "unsat"])
@pytest.mark.parametrize(
    "before",
    [
        '(error "line 3 column 4: unknown constant y")',
        '(error "line 7: model is not available")',
        "Segmentation fault",
        "WARNING: something",
        "unknown",
        "timeout",
    ],
)
def test_nothing_is_believed_after_something_suspicious(answer: str, before: str) -> None:
    solution = read_solution(f"{before}\n{answer}\n((x 1))\n", "x", format="z3")
    assert solution.status is UNKNOWN
    assert solution.values == {"x": 1}
    assert solution.message


@pytest.mark.parametrize("after", ['(error "out of memory")', "Killed", "timeout", "unknown"])
def test_nothing_is_believed_before_something_suspicious(after: str) -> None:
    assert read_smt(f"unsat\n{after}\n", "x").status is UNKNOWN
    assert read_smt(f"sat\n{after}\n", "x").status is UNKNOWN


def test_success_and_comments_mean_nothing() -> None:
    text = "success\nsuccess\n; a comment ( with ) parentheses\nsat\n((x ; here too (\n 1))\nsuccess\n"
    solution = read_solution(text, "x")
    assert (solution.status, solution.values, solution.message) == (SAT, {"x": 1}, "sat")


def test_values_after_unknown_are_a_hint() -> None:
    solution = read_solution("unknown\n((x 1))\n", "x")
    assert (solution.status, solution.values) == (UNKNOWN, {"x": 1})


def test_values_after_unsat_are_dropped() -> None:
    assert read_smt("unsat\n((x 1))\n", "x").values == {}


@pytest.mark.parametrize("text", ["sat\nsat\n", "sat\nunsat\n", "unsat\n((x 1))\nsat\n"])
def test_several_answers_are_refused(text: str) -> None:
    with pytest.raises(Rejected, match="E1257"):
        read_smt(text, "x")


def test_chunks_of_values_are_one_list() -> None:
    assert read_smt("sat\n((x 1) (y 2))\n((z 3))\n((x 1))\n", "x").values == {"x": 1, "y": 2, "z": 3}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("sat\n((x 1) (x 2))", "E1255"),
        ("sat\n((x 1)\n(= x 2)", "E1253"),
        ("sat\n((x 1))\n(= x 2)", "E1255"),
        ("sat\n((x", "E1252"),
        ('sat\n(error "cut', "E1252"),
        ("sat\n((|x y 1))", "E1252"),
        ("sat\n((x))", "E1253"),
        ("sat\n((x 1 2))", "E1253"),
        ("sat\n(x 1)", "E1253"),
        ("sat\n(())", "E1253"),
        ("sat\n((x (/ 1 0)))", "E1254"),
        ("sat\n((x (/ 1 (- 0.0))))", "E1254"),
        ("sat\n((x nan))", "E1254"),
        ("sat\n((x 1e5))", "E1254"),
        ("sat\n((x #b101))", "E1254"),
        ("sat\n((x (+ 1 2)))", "E1254"),
        ("sat\n((x (/ 1 2 3)))", "E1254"),
        ("sat\n((x (- true)))", "E1254"),
        ("sat\n((x ()))", "E1254"),
        (f"sat\n((x {'9' * 5000}))", "E1254"),
        (f"sat\n((x (/ {'9' * 3000}.0 0.{'0' * 3000}1)))", "E1254"),
        (f"sat\n((x {'(- ' * 200}1{')' * 200}))", "E1253"),
        ("sat\n((x 1.5?))", "E1258"),
        ("sat\n((x (root-obj (+ (^ x 2) (- 2)) 1)))", "E1258"),
        ("((x y))", "E1254"),
    ],
)
def test_broken_answers(text: str, code: str) -> None:
    with pytest.raises(Rejected) as rejected:
        read_smt(text, "x")
    (diagnostic,) = rejected.value.diagnostics
    assert diagnostic.code == code
    assert diagnostic.place is not None


def test_what_is_no_constant_of_the_script_is_passed_over() -> None:
    model = """sat
    (
      (declare-fun s () S)
      (define-sort T () Int)
      (forall ((x S)) (= x s))
      (define-fun f ((x!0 Real)) Real (root-obj x 1))
      (define-fun bv () (_ BitVec 4) #x5)
      (define-fun x () Real (/ 1.0 3.0))
      (define-fun b () Bool false)
    )
    (((+ x y) (/ 25.0 28.0)))
    """
    assert read_smt(model, "x").values == {"x": Fraction(1, 3), "b": 0}


def spellings(value: Fraction) -> list[str]:
    """Return every way in which the solvers print a rational."""
    p, q = abs(value.numerator), value.denominator
    signed = [lambda text: text] if value >= 0 else [lambda text: f"(- {text})"]
    forms = [sign(f"(/ {p} {q})") for sign in signed] + [sign(f"(/ {p}.0 {q}.0)") for sign in signed]
    forms += [f"(/ {sign(str(p))} {q})" for sign in signed] + [
        f"(/ {sign(f'{p}.0')} {q}.0)" for sign in signed
    ]
    forms += [f"{'-' if value < 0 else ''}{p}/{q}"]
    if q == 1:
        forms += [sign(text) for sign in signed for text in (f"{p}", f"{p}.0", f"(to_real {p})")]
        forms += [f"-{p}", f"-{p}.0"] if value < 0 else []
    return forms


@given(st.fractions() | st.integers().map(Fraction))
def test_every_spelling_of_a_rational_is_read_exactly(value: Fraction) -> None:
    for text in spellings(value):
        assert read_smt(f"sat\n((x {text}))\n", "x").values == {"x": value}
        assert read_smt(f"sat\n(model\n (define-fun x () Real\n  {text})\n)\n", "x").values == {"x": value}
        assert read_smt(f"sat\n(= x {text})\n", "x").values == {"x": value}


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=12))
def test_decimals_are_read_exactly(value: object) -> None:
    assert read_smt(f"sat\n((x {value:f}))", "x").values == {"x": Fraction(str(value))}


NAMES = st.from_regex(r"[A-Za-z_~!@$%^&*+=<>.?/-][0-9A-Za-z_~!@$%^&*+=<>.?/-]{0,8}", fullmatch=True)


@given(st.dictionaries(NAMES, st.fractions(), min_size=1))
def test_lists_of_values_are_read_back(values: dict[str, Fraction]) -> None:
    skipped = ("declare-", "define-", "forall")
    wanted = {name: value for name, value in values.items() if not name.startswith(skipped)}
    listing = "\n".join(f"(|{name}| {spellings(value)[-1]})" for name, value in wanted.items())
    assert read_smt(f"sat\n({listing})\n", "x").values == wanted


def test_a_quoted_symbol_is_the_same_symbol() -> None:
    with pytest.raises(Rejected, match="E1255"):
        read_smt("sat\n((|x| 1) (x 2))", "x")
