"""Broken, cut off and hostile solution files: a diagnostic, never a traceback and never a wrong value."""

import math
import re
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import ensc
from ensc.compiler.diagnostics import Diagnostic, Rejected
from ensc.compiler.types.solution import Solution, Status
from ensc.formats.solutions import FORMATS, read_solution

SAMPLES = Path(__file__).parents[1] / "samples" / "solutions"
EXPLANATIONS = Path(next(iter(ensc.__path__))) / "compiler" / "explanations"

KINDS = {".sol", ".txt", ".json", ".slx", ".asc", ".hdr"}
FILES = sorted(path for path in SAMPLES.rglob("*") if path.suffix in KINDS and path.stat().st_size)
SMALL = [path for path in FILES if path.stat().st_size < 1500 and path.suffix != ".hdr"]

COLUMNS = {
    3: ["a", "longer_name_than_twelve_chars", "c"],
    2: ["x", "y"],
    5: ["x_1", "b.2", "z{3}", "zero", "f_4"],
    30: [f"x{i}" for i in range(30)],
    90: [f"x{i}" for i in range(90)],
}


def columns_of(text: str) -> list[str] | None:
    found = re.search(r"s (?:mip|bas|ipt) \d+ (\d+) |^(\d+) \d+ : Number", text)
    return COLUMNS.get(int(found[1] or found[2])) if found else None


def rejection(text: str, format: str | None = None) -> Diagnostic:  # noqa: A002 - as it is called
    with pytest.raises(Rejected) as rejected:
        read_solution(text, "file.sol", format=format)
    (diagnostic,) = rejected.value.diagnostics
    return diagnostic


def checked(
    text: str,
    format: str | None = None,  # noqa: A002 - as it is called
    companion: str | None = None,
    *,
    continuous: bool = False,
) -> Solution | None:
    """Return what is read, if anything; hold answers and rejections to what they promise."""
    columns = columns_of(text)
    try:
        solution = read_solution(
            text, "file.sol", format=format, columns=columns, companion=companion, continuous=continuous
        )
    except Rejected as rejected:
        for diagnostic in rejected.diagnostics:
            assert re.fullmatch(r"E125[0-9]", diagnostic.code)
            if diagnostic.place is not None:
                span = diagnostic.place.span
                assert 0 <= span.start < span.end <= max(len(span.source.text), span.start + 1)
        return None
    assert all(math.isfinite(float(value)) for value in solution.values.values())
    if solution.status in (Status.INFEASIBLE, Status.UNBOUNDED):
        assert not solution.values
    if solution.status not in (Status.OPTIMAL, Status.FEASIBLE):
        assert solution.objective is None
    assert len(solution.message) <= 300
    return solution


# The same answer in every format: x is 1 and y is 7.
CBC = "Optimal - objective value 1.5\n      0 x   1   0\n      1 y   7   0\n"
HIGHS = (
    "Model status\nOptimal\n\n# Primal solution values\nFeasible\nObjective 1\n"
    "# Columns 2\nx 1\ny 7\n# Rows 0\n"
)
SPARSE = HIGHS.replace("Columns 2\nx 1\ny 7\n# Rows 0\n", "Columns -2\nx 1 0\ny 7 3\n")
SCIP = "objective value:       1\nx   1 \t(obj:1)\ny   7 \t(obj:1)\n"
GLPK = "s mip 1 2 o 1\ni 1 0\nj 1 1\nj 2 7\ne o f\n"
LP_SOLVE = (
    "Value of objective function: 1\n\nActual values of the variables:\nx  1\ny  7\n\n"
    "Actual values of the constraints:\nR1 3\n"
)
GUROBI = "# Objective value = 1\nx 1\ny 7\n"
JSON = (
    '{"SolutionInfo": {"Status": 2, "SolCount": 1}, '
    '"Vars": [{"VarName": "x", "X": 1}, {"VarName": "y", "X": 7}]}'
)
CPLEX = (
    '<?xml version="1.0"?>\n<CPLEXSolution>\n<header solutionStatusValue="101" primalFeasible="1"/>\n'
    '<variables>\n<variable name="x" value="1"/>\n<variable name="y" value="7"/>\n</variables>\n'
    "</CPLEXSolution>\n"
)
SLX = "NAME  m\n C x 1\n C y 7\nENDATA\n"
ASC = '1,"R1","G","BS",0,0,0,0,0,0\n2,"x","C","BS",1,0,0,0,0\n3,"y","C","BS",7,0,0,0,0\n'
COPT = "# Objective value 1\nx 1\ny 7\n"
QSOPT = "status = OPTIMAL\nstatus OPTIMAL\n\tValue = 1\nVARS:\nx = 1\ny = 7\nREDUCED COST:\n"
SMT = "sat\n((x 1)\n (y 7))\n"

ALL = [CBC, HIGHS, SPARSE, SCIP, LP_SOLVE, GUROBI, JSON, CPLEX, SLX, ASC, COPT, QSOPT, SMT]
IDS = ["cbc", "highs", "sparse", "scip", "lp_solve", "gurobi", "json", "cplex", "slx", "asc", "copt", "qsopt"]
IDS += ["smt"]


@pytest.mark.parametrize("text", ALL, ids=IDS)
def test_small_files_are_read(text: str) -> None:
    assert read_solution(text, "file.sol").values == {"x": 1, "y": 7}


@pytest.mark.parametrize("text", ALL, ids=IDS)
@pytest.mark.parametrize(
    "bad", ["nan", "inf", "1e999", "1,5", "1d2", "0x1", "1_0", "--1", "1e", "\u0661", "9" * 9999]
)
def test_what_is_no_finite_number_is_refused(text: str, bad: str) -> None:
    diagnostic = rejection(text.replace("7", bad))
    assert diagnostic.code in ("E1253", "E1254")
    assert diagnostic.place is not None
    span = diagnostic.place.span
    assert "y" in span.text or span.text == bad or text == JSON  # whose parser points into the value
    assert diagnostic.help


@pytest.mark.parametrize("text", ALL, ids=IDS)
def test_a_second_value_is_refused(text: str) -> None:
    twice = re.sub(r"\by\b", "x", text)
    assert rejection(twice).code == "E1255"


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "E1251", None),
        (" \n\t\n", "E1251", None),
        ("\ufeff", "E1251", None),
        ("what is this?\n", "E1250", 1),
        ("\n\nNAME m FREE\nROWS\n N obj\n", "E1250", 3),
        ("x 1\ny 2\n", "E1250", 1),
        (CBC.replace("   0\n      1", "\n      1"), "E1253", 2),
        (CBC.replace(" 1 y", " 5000000000 y"), "E1254", 3),
        (CBC.replace(" 1 y", " 0 y").replace(" 0 x", " 3 x"), "E1253", 3),
        (CBC + "      0 z 1 0\n      0 w 1 0\n", "E1257", 5),
        (CBC.removesuffix("   0\n"), "E1252", 3),
        (CBC.replace("value 1.5", "value 1.5.2"), "E1254", 1),
        (HIGHS.replace("# Rows 0\n", ""), "E1252", 9),
        (HIGHS.replace("Columns 2", "Columns 3"), "E1253", 10),
        (HIGHS.replace("Columns 2", "Columns 1"), "E1253", 9),
        (HIGHS.replace("Objective 1\n", ""), "E1253", 6),
        (SPARSE.removesuffix("y 7 3\n"), "E1252", 8),
        (SPARSE.replace("y 7 3", "y 7"), "E1253", 9),
        ("Model status\n", "E1252", 1),
        (f"Columns\n    Index Status {'Primal':>39}         Dual  Name\n", "E1252", 2),
        (SCIP.replace("(obj:1)\ny", "(obj:\ny"), "E1253", 2),
        (SCIP.replace("objective value:", "objective value: 1"), "E1254", 1),
        (SCIP.replace("x   1", "x   unknown"), "E1254", 2),
        (GLPK, "E1256", 1),
        (GLPK.replace(" o ", " z "), "E1253", 1),
        (GLPK.removesuffix("e o f\n"), "E1252", 4),
        (GLPK.replace("j 2", "j 1"), "E1257", 4),
        (GLPK.replace("j 2", "j 3"), "E1257", 4),
        (GLPK.replace("j 2 7\n", ""), "E1257", 4),
        (GLPK.replace("j 2 7", "j 2 b 7"), "E1253", 4),
        ("Problem:  x\nRows: 1\nColumns: 1\nNon-zeros: 1\nStatus: FINE\n", "E1253", 5),
        (LP_SOLVE.partition("\nActual values of the con")[0], "E1252", 5),
        (LP_SOLVE + LP_SOLVE, "E1257", 9),
        ("This problem is infeasible\n" + LP_SOLVE, "E1257", 1),
        ("Value of objective function: 1\n", "E1252", 1),
        (GUROBI.removesuffix("\n"), "E1252", 3),
        (GUROBI + "# Objective value = 2\n", "E1257", 4),
        (GUROBI.replace("x 1", "x 1 1"), "E1253", 2),
        (JSON[:-5], "E1252", 1),
        (JSON.replace(":", ";", 1), "E1253", 1),
        (JSON.replace("SolutionInfo", "Info"), "E1253", 1),
        (JSON.replace('"Status": 2', '"Status": 2.5'), "E1254", 1),
        (JSON.replace('"Status": 2', '"Status": "2"'), "E1253", 1),
        (JSON.replace('"X": 1}', '"X": "1"}'), "E1253", 1),
        (JSON.replace('"X": 1}', '"Y": 1}'), "E1253", 1),
        (JSON.replace('"SolCount"', '"Status"'), "E1255", 1),
        ("{" + "[" * 100_000, "E1253", 1),
        ("{" + "1," * 10_000, "E1253", 1),
        (CPLEX.removesuffix("</CPLEXSolution>\n"), "E1252", 8),
        (CPLEX.replace("</variables>", "</variable>"), "E1253", 7),
        (CPLEX.replace("<CPLEXSolution>", "<!DOCTYPE a [<!ENTITY b 'c'>]><CPLEXSolution>"), "E1259", 2),
        (CPLEX.replace("CPLEXSolution>", "CPLEXSolutions>"), "E1257", 2),
        (CPLEX.replace("CPLEXSolution>", "Solution>"), "E1253", 2),
        (CPLEX.replace('"101"', '"many"'), "E1254", 3),
        (CPLEX.replace(' value="7"', ""), "E1253", 6),
        (CPLEX.replace("<variables>", "<a>" * 50), "E1253", 4),
        (SLX.removesuffix("ENDATA\n"), "E1252", 3),
        (SLX.replace("ENDATA\n", SLX), "E1257", 4),
        (SLX.replace(" C y", " R y"), "E1253", 3),
        (ASC.removesuffix("\n"), "E1252", 3),
        (ASC.replace("3,", "4,"), "E1253", 3),
        (ASC.replace('"y"', '"y'), "E1253", 3),
        (QSOPT.removesuffix("REDUCED COST:\n"), "E1252", 6),
        (QSOPT.replace("status OPTIMAL", "status INFEASIBLE"), "E1257", 2),
        (QSOPT.replace("y = 7", "y = 7/0"), "E1254", 6),
        (QSOPT.replace("y = 7", "y = 7/3/4"), "E1254", 6),
        (QSOPT.replace("y = 7", "y : 7"), "E1253", 6),
        (QSOPT.replace("\tValue = 1\n", ""), "E1253", 3),
        ("status = OPTIMAL\n", "E1252", 1),
        (CBC + "x" * 20_000, "E1253", 4),
    ],
)
def test_broken_files(text: str, code: str, line: int | None) -> None:
    diagnostic = rejection(text)
    assert diagnostic.code == code
    if line is None:
        assert diagnostic.place is None
    else:
        assert diagnostic.place is not None
        span = diagnostic.place.span
        assert span.source.position(span.start)[0] == line
        assert "\n" not in span.text


def test_a_format_that_does_not_exist() -> None:
    diagnostic = rejection(CBC, format="cbd")
    assert diagnostic.code == "E1250"
    assert diagnostic.help is not None
    assert all(name in diagnostic.help for name in FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_another_format_than_the_file_has(name: str) -> None:
    for text in ALL:
        try:
            solution = read_solution(text, "file.sol", format=name)
        except Rejected:
            continue
        own = read_solution(text, "file.sol")
        assert solution.values == own.values or solution.status is Status.UNKNOWN


def test_columns_of_another_model() -> None:
    with pytest.raises(Rejected, match="E1256"):
        read_solution(GLPK, "file.sol", columns=["x", "y", "z"])
    with pytest.raises(Rejected, match="E1255"):
        read_solution(GLPK, "file.sol", columns=["x", "x"])
    assert read_solution(GLPK, "file.sol", columns=["x", "y"]).values == {"x": 1, "y": 7}


def test_a_header_of_another_run() -> None:
    header = (SAMPLES / "xpress/opt.hdr").read_text()
    with pytest.raises(Rejected, match="E1257"):
        read_solution(ASC, "file.asc", companion=header)
    with pytest.raises(Rejected, match="E1253"):
        read_solution(ASC, "file.asc", companion="1,2,3\n")
    with pytest.raises(Rejected, match="E1252"):
        read_solution(ASC, "file.asc", companion="")


@pytest.mark.parametrize("path", SMALL, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_file_that_was_cut_has_no_wrong_values(path: Path) -> None:
    text = path.read_text()
    whole = checked(text)
    for end in range(len(text)):
        part = checked(text[:end])
        if part is not None and whole is not None:
            columns = {name: value for name, value in part.values.items() if not re.fullmatch(r"R\d", name)}
            assert columns.items() <= whole.values.items()
            assert part.status in (whole.status, Status.UNKNOWN) or text.startswith("sat")


PIECES = [
    "\n",
    " ",
    "nan",
    "inf",
    "1e999",
    "-",
    "0",
    "(",
    ")",
    '"',
    "|",
    "<",
    ">",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "#",
]
PIECES += [
    "**",
    "sat",
    "unsat",
    "ENDATA",
    "e o f",
    "\x00",
    "\u2028",
    "\ud800",
    "9" * 50,
    "<!DOCTYPE a>",
    "&a;",
    "\r",
]


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """Draw a sample with pieces of it cut out, doubled, swapped, or replaced by something nasty."""
    text = draw(st.sampled_from(FILES)).read_text()
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 40)))
        middle = draw(
            st.sampled_from(PIECES) | st.just("") | st.just(text[start:end] * 2) | st.text(max_size=5)
        )
        text = text[:start] + middle + text[end:]
    return text


@settings(max_examples=600, deadline=None)
@given(damaged(), st.none() | st.sampled_from(FORMATS), st.booleans())
def test_damaged_files_are_answered_or_refused(text: str, name: str | None, continuous: bool) -> None:
    checked(text, format=name, continuous=continuous)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(FILES), damaged())
def test_damaged_companions_are_answered_or_refused(path: Path, companion: str) -> None:
    checked(path.read_text(), companion=companion)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(FORMATS), st.text())
@example("cplex", "<a>\ud800</a>")
@example("gurobi", '{"SolutionInfo":' + "[" * 5000)
def test_any_text_is_answered_or_refused(name: str, text: str) -> None:
    checked(text, format=name)


HOSTILE = [
    "1",
    "(",
    ")",
    '"',
    "|",
    "a ",
    "a\n",
    "(a",
    "<a>",
    "<a b='",
    "{",
    "[1,",
    "'",
    "-",
    "1.",
    "**",
    ",",
    "; ",
    "sat\n",
]
HEADS = [
    "",
    "Optimal - objective value 1\n",
    "# Objective value = 1\nx ",
    "sat\n((x ",
    "status = OPTIMAL\n",
    "{",
    "<a b='",
]


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("head", HEADS)
def test_large_hostile_files_take_linear_time(head: str, piece: str) -> None:
    text = head + piece * (300_000 // len(piece))
    start = time.process_time()
    checked(text)
    for name in ("smt", "cplex", "gurobi") if not head else ():
        checked(text, format=name)
    assert time.process_time() - start < 5


def test_every_code_is_explained() -> None:
    root = Path(next(iter(ensc.__path__))) / "formats" / "solutions"
    raised = {code for path in root.glob("*.py") for code in re.findall(r'"(E125\d)"', path.read_text())}
    explained = {path.stem for path in EXPLANATIONS.glob("E125?.md")}
    assert raised == explained
    for code in raised:
        text = (EXPLANATIONS / f"{code}.md").read_text()
        assert text.startswith("# ")
        assert "Wrong" in text
        assert "Right" in text
