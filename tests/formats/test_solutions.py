"""Real answers of eleven MILP solvers to six tiny models: what they state, and whether their values fit."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import pytest

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.types.solution import Solution, Status
from ensc.formats.solutions import FORMATS, read_scip, read_solution

SAMPLES = Path(__file__).parents[1] / "samples" / "solutions"

OPTIMAL, FEASIBLE, INFEASIBLE, UNBOUNDED, UNKNOWN = (
    Status.OPTIMAL,
    Status.FEASIBLE,
    Status.INFEASIBLE,
    Status.UNBOUNDED,
    Status.UNKNOWN,
)


@dataclass
class Mps:
    """A free-format MPS file as these samples are written: no ranges, bounds LO, UP and FR only."""

    objective: str = ""
    senses: dict[str, str] = field(default_factory=dict)
    columns: dict[str, dict[str, float]] = field(default_factory=dict)
    integers: set[str] = field(default_factory=set)
    rhs: dict[str, float] = field(default_factory=dict)
    lower: dict[str, float] = field(default_factory=dict)
    upper: dict[str, float] = field(default_factory=dict)


def read_model(name: str) -> Mps:
    model, section, integer = Mps(), "", False
    for line in (SAMPLES / "models" / f"{name}.mps").read_text().splitlines():
        fields = line.split()
        if not line.startswith(" "):
            section = fields[0]
        elif section == "ROWS":
            model.senses[fields[1]] = fields[0]
            model.objective = fields[1] if fields[0] == "N" else model.objective
        elif "'MARKER'" in fields:
            integer = "'INTORG'" in fields
        elif section == "COLUMNS":
            entries = dict(zip(fields[1::2], map(float, fields[2::2]), strict=True))
            model.columns.setdefault(fields[0], {}).update(entries)
            model.integers |= {fields[0]} if integer else set()
        elif section == "RHS":
            model.rhs.update(zip(fields[1::2], map(float, fields[2::2]), strict=True))
        elif section == "BOUNDS":
            bound = {"LO": model.lower, "UP": model.upper, "FR": model.lower}[fields[0]]
            bound[fields[2]] = -math.inf if fields[0] == "FR" else float(fields[3])
    return model


def violation(model: Mps, values: Mapping[str, float | Fraction]) -> float:
    """Return by how much values miss rows, bounds and integrality; a name that is left out is zero."""
    point = {name: float(values.get(name, 0.0)) for name in model.columns}
    misses = [0.0]
    for row, sense in model.senses.items():
        activity = sum(point[x] * entries.get(row, 0.0) for x, entries in model.columns.items())
        excess = activity - model.rhs.get(row, 0.0)
        misses.append({"N": 0.0, "E": abs(excess), "L": excess, "G": -excess}[sense])
    for name, value in point.items():
        misses.append(model.lower.get(name, 0.0) - value)
        misses.append(value - model.upper.get(name, math.inf))
        misses.append(abs(value - round(value)) if name in model.integers else 0.0)
    return max(misses)


def objective_of(model: Mps, values: Mapping[str, float | Fraction]) -> float:
    return sum(float(values.get(x, 0)) * e.get(model.objective, 0.0) for x, e in model.columns.items())


def read(path: str, **options: bool) -> Solution:
    model = next(name for name in ("opt", "iinf", "inf", "unb", "tlinc", "tlnone") if f"/{name}" in path)
    columns = list(read_model(model).columns)
    companion = {"xpress": ".hdr", "scip": ".stats"}.get(path.partition("/")[0])
    beside = (SAMPLES / path).with_suffix(companion) if companion else None
    side = beside.read_text() if beside and beside.exists() else None
    return read_solution(
        (SAMPLES / path).read_text(), path, columns=columns, companion=side, continuous=bool(options)
    )


# One row a file: the status, the objective and the bound that it states.
STATED: dict[str, tuple[Status, float | None, float | None]] = {
    "cbc210/opt.sol": (OPTIMAL, 1.20833333, None),
    "cbc210/inf.sol": (INFEASIBLE, None, None),
    "cbc210/iinf.sol": (INFEASIBLE, None, None),
    "cbc210/unb.sol": (UNBOUNDED, None, None),
    "cbc210/tlinc.sol": (FEASIBLE, -16465, None),
    "cbc210/tlnone.sol": (UNKNOWN, None, None),
    "cbc210_all/opt.sol": (OPTIMAL, 1.20833333, None),
    "cbc210_all/inf.sol": (INFEASIBLE, None, None),
    "cbc210_all/iinf.sol": (INFEASIBLE, None, None),
    "cbc210_all/unb.sol": (UNBOUNDED, None, None),
    "cbc210_all/tlinc.sol": (FEASIBLE, -16465, None),
    "cbc210_all/tlnone.sol": (UNKNOWN, None, None),
    "cbcnew/opt.sol": (OPTIMAL, 1.20833333, None),
    "cbcnew/inf.sol": (INFEASIBLE, None, None),
    "cbcnew/iinf.sol": (INFEASIBLE, None, None),
    "cbcnew/unb.sol": (UNBOUNDED, None, None),
    "cbcnew/tlinc.sol": (FEASIBLE, -16535, None),
    "cbcnew/tlnone.sol": (UNKNOWN, None, None),
    "copt/opt.sol": (FEASIBLE, 1.2083333333333337, None),
    "copt/tlinc.sol": (FEASIBLE, 0, None),
    "cplex/opt.sol": (OPTIMAL, 1.2083333333333333, None),
    "cplex/tlinc.sol": (FEASIBLE, -16535, None),
    "cplex/unb.sol": (UNBOUNDED, None, None),
    "glpk/opt.sol": (OPTIMAL, 1.20833333333333, None),
    "glpk/inf.sol": (INFEASIBLE, None, None),
    "glpk/iinf.sol": (INFEASIBLE, None, None),
    "glpk/unb.sol": (UNKNOWN, None, None),
    "glpk/tlinc.sol": (FEASIBLE, -16467, None),
    "glpk/tlnone.sol": (UNKNOWN, None, None),
    "glpk/opt.txt": (OPTIMAL, 1.208333333, None),
    "glpk/inf.txt": (INFEASIBLE, None, None),
    "glpk/iinf.txt": (INFEASIBLE, None, None),
    "glpk/unb.txt": (UNKNOWN, None, None),
    "glpk/tlinc.txt": (FEASIBLE, -16467, None),
    "glpk/tlnone.txt": (UNKNOWN, None, None),
    "gurobi/opt.sol": (FEASIBLE, 1.2083333333333333, None),
    "gurobi/tlinc.sol": (FEASIBLE, -16535, None),
    "gurobi/opt.json": (OPTIMAL, 1.2083333333333333, 1.2083333333333333),
    "gurobi/inf.json": (UNKNOWN, None, None),
    "gurobi/iinf.json": (INFEASIBLE, None, None),
    "gurobi/unb.json": (UNKNOWN, None, None),
    "gurobi/tlinc.json": (FEASIBLE, -16535, -16752),
    "gurobi/tlnone.json": (UNKNOWN, None, 0),
    "highs/opt.sol": (OPTIMAL, 1.2083333333333, None),
    "highs/inf.sol": (INFEASIBLE, None, None),
    "highs/iinf.sol": (INFEASIBLE, None, None),
    "highs/unb.sol": (UNKNOWN, None, None),
    "highs/tlinc.sol": (FEASIBLE, -16535, None),
    "highs/tlnone.sol": (UNKNOWN, None, None),
    "highspy_style/opt_style-1.sol": (UNKNOWN, None, None),
    "highspy_style/tlinc_style-1.sol": (UNKNOWN, None, None),
    "highs_more/opt_style4.sol": (OPTIMAL, 1.2083333333333, None),
    "lp_solve/opt.txt": (OPTIMAL, 1.20833333, None),
    "lp_solve/inf.txt": (INFEASIBLE, None, None),
    "lp_solve/iinf.txt": (INFEASIBLE, None, None),
    "lp_solve/unb.txt": (UNBOUNDED, None, None),
    "lp_solve/tlinc.txt": (FEASIBLE, -15701, None),
    "lp_solve/tlnone.txt": (UNKNOWN, None, None),
    "qsopt/opt.sol": (UNKNOWN, None, None),
    "qsopt/inf.sol": (INFEASIBLE, None, None),
    "qsopt/iinf.sol": (UNKNOWN, None, None),
    "qsopt/unb.sol": (UNKNOWN, None, None),
    "qsopt/tlinc.sol": (UNKNOWN, None, None),
    "qsopt/tlnone.sol": (UNKNOWN, None, None),
    "scip/opt.sol": (OPTIMAL, 1.20833333333333, 1.20833333333333),
    "scip/opt_x.sol": (FEASIBLE, 1.20833333333333, None),
    "scip/opt_zeros.sol": (FEASIBLE, 1.20833333333333, None),
    "scip/inf_x.sol": (UNKNOWN, None, None),
    "scip/tlinc.sol": (FEASIBLE, -16535, -16809.7019400423),
    "scip/tlinc_zeros.sol": (FEASIBLE, -16535, None),
    "scip/tlnone_x.sol": (UNKNOWN, None, None),
    "xpress/opt.slx": (FEASIBLE, 1.2083333333333333, None),
    "xpress/opt.asc": (FEASIBLE, 1.2083333333333333, None),
    "xpress/tlinc.slx": (FEASIBLE, -16465, None),
    "xpress/tlinc.asc": (FEASIBLE, -16465, None),
    "xpress/tlnone.slx": (UNKNOWN, None, None),
    "xpress/tlnone.asc": (UNKNOWN, None, None),
}
for _style, _objective in (
    (0, 1.2083333333333),
    (1, 1.2083333333333),
    (2, 1.2083333333333),
    (3, 1.208333333),
):
    STATED[f"highspy_style/opt_style{_style}.sol"] = (OPTIMAL, _objective, None)
    STATED[f"highspy_style/tlinc_style{_style}.sol"] = (FEASIBLE, -16535, None)
    STATED[f"highspy_style/tlnone_style{_style}.sol"] = (UNKNOWN, None, None)
    STATED[f"highspy_style/unb_style{_style}.sol"] = (UNKNOWN, None, None)
    STATED[f"highspy_style/inf_style{_style}.sol"] = (INFEASIBLE, None, None)
    STATED[f"highspy_style/iinf_style{_style}.sol"] = (INFEASIBLE, None, None)

SIX_DIGITS = ("lp_solve/", "glpk/opt.txt", "style1", "style3", "cbc210")

EMPTY_HEADERS = {f"xpress/{name}.slx" for name in ("inf", "iinf", "unb")}  # nothing to say: see below
NO_OBJECTIVE = {"scip/unb.sol", "scip/unb_zeros.sol"}  # of a model that SCIP misread
NOTHING = {f"highspy_style/{name}_style-1.sol" for name in ("inf", "iinf", "unb", "tlnone")}


def model_of(path: str) -> Mps:
    name = re.match(r"[a-z]+", path.partition("/")[2])
    assert name is not None
    return read_model(name[0])


def test_every_sample_is_expected() -> None:
    found = {
        str(path.relative_to(SAMPLES))
        for path in SAMPLES.rglob("*")
        if path.is_file()
        and path.suffix not in {".mps", ".hdr", ".stats", ".status"}
        and path.parent.name not in {"smt", "cbcnew_more", "glpk_more"}
        and not path.name.startswith("lp")
    }
    assert found == set(STATED) | EMPTY_HEADERS | NO_OBJECTIVE | NOTHING


@pytest.mark.parametrize("path", STATED)
def test_status_objective_and_bound_as_stated(path: str) -> None:
    solution = read(path)
    assert (solution.status, solution.objective, solution.bound) == STATED[path]


@pytest.mark.parametrize(
    "path", [path for path, stated in STATED.items() if stated[0] in (OPTIMAL, FEASIBLE)]
)
def test_values_solve_the_model(path: str) -> None:
    solution, model = read(path), model_of(path)
    tolerance = 1e-5 if any(part in path for part in SIX_DIGITS) else 1e-9
    assert set(solution.values) <= set(model.columns)
    assert violation(model, solution.values) <= tolerance
    digits = (
        1e-8 if "cbc" in path else tolerance
    )  # CBC prints 8 decimals of the objective, whatever else it prints
    assert solution.objective == pytest.approx(
        objective_of(model, solution.values), abs=max(digits, tolerance)
    )


@pytest.mark.parametrize("path", [path for path in STATED if "/opt" in path])
def test_values_are_kept_as_printed(path: str) -> None:
    values = read(path).values
    assert values["x_1"] == pytest.approx(-0.5, abs=1e-15)
    assert (values["b.2"], values["z{3}"], values.get("zero", 0.0)) == (1, 4, 0)
    assert math.copysign(1, values.get("zero", 0.0)) == 1  # never -0.0
    printed = re.findall(r"(?<![0-9.])0?\.4[0-9]+|4\.1[0-9]+e-01|5/12", (SAMPLES / path).read_text())
    assert values["f_4"] in {Fraction(p) if "/" in p else float(p) for p in printed}
    assert float(values["f_4"]) == pytest.approx(5 / 12, abs=4e-7)


@pytest.mark.parametrize(
    "path", [path for path, stated in STATED.items() if stated[0] in (INFEASIBLE, UNBOUNDED)]
)
def test_values_printed_without_a_solution_are_dropped(path: str) -> None:
    assert read(path).values == {}


@pytest.mark.parametrize(
    "path",
    [
        "cbc210/tlnone.sol",
        "cbc210_all/tlnone.sol",
        "cbcnew/tlnone.sol",
        "xpress/tlnone.slx",
        "qsopt/iinf.sol",
    ],
)
def test_fractional_values_at_a_limit_are_a_hint_and_no_solution(path: str) -> None:
    solution = read(path)
    assert solution.status is UNKNOWN
    assert violation(model_of(path), solution.values) > 0.01
    assert solution.objective is None


@pytest.mark.parametrize("path", sorted(NOTHING))
def test_an_empty_file_proves_nothing(path: str) -> None:
    with pytest.raises(Rejected) as rejected:
        read(path)
    assert [d.code for d in rejected.value.diagnostics] == ["E1251"]


@pytest.mark.parametrize("path", sorted(EMPTY_HEADERS))
def test_an_xpress_file_without_values_says_nothing(path: str) -> None:
    solution = read_solution((SAMPLES / path).read_text(), path)
    assert (solution.status, solution.values) == (UNKNOWN, {})


def test_xpress_without_its_header_has_no_standing() -> None:
    solution = read_solution((SAMPLES / "xpress/opt.asc").read_text(), "opt.asc")
    assert solution.status is UNKNOWN
    assert violation(read_model("opt"), solution.values) < 1e-9


def test_xpress_header_of_a_continuous_problem_counts() -> None:
    text, header = ((SAMPLES / f"xpress/tlnone{s}").read_text() for s in (".slx", ".hdr"))
    assert read_solution(text, "x.slx", companion=header, continuous=True).status is OPTIMAL
    infeasible = header.replace('"O"', '"I"')
    assert read_solution(text, "x.slx", companion=infeasible, continuous=True).values == {}


def test_exact_values_stay_exact() -> None:
    solution = read("qsopt/opt.sol", continuous=True)
    assert solution.values == {
        "x_1": Fraction(-1, 2),
        "b.2": Fraction(1),
        "z{3}": Fraction(4),
        "f_4": Fraction(5, 12),
    }
    assert (solution.status, solution.objective) == (OPTIMAL, 29 / 24)
    assert "29/24" in read("qsopt/opt.sol").message


def test_exact_values_of_many_digits_satisfy_the_model_exactly() -> None:
    values, model = read("qsopt/tlinc.sol").values, read_model("tlinc")
    for row, sense in model.senses.items():
        activity = sum(Fraction(values.get(x, 0)) * int(e.get(row, 0)) for x, e in model.columns.items())
        assert sense == "N" or activity <= int(model.rhs[row])


def test_row_values_are_not_taken_for_columns() -> None:
    assert not any(name.startswith("R") for name in read("cbc210_all/tlinc.sol").values)
    text = (SAMPLES / "cbcnew_more/rows.sol").read_text()  # here the columns have no zeros
    assert set(read_solution(text, "rows.sol").values) <= set(read_model("tlinc").columns)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("gap", OPTIMAL),
        ("solutions", FEASIBLE),
        ("nodes", UNKNOWN),
        ("rows", FEASIBLE),
    ],
)
def test_cbc_stopped_in_other_ways(name: str, status: Status) -> None:
    solution = read_solution((SAMPLES / f"cbcnew_more/{name}.sol").read_text(), name)
    assert solution.status is status
    assert (solution.objective is None) == (status is UNKNOWN)
    assert (violation(read_model("tlinc"), solution.values) < 1e-6) == (status in (OPTIMAL, FEASIBLE))


def test_zeros_of_an_unsolved_model_are_no_values() -> None:
    solution = read_solution((SAMPLES / "cbcnew_more/unsolved.sol").read_text(), "unsolved.sol")
    assert (solution.status, solution.values) == (UNKNOWN, {})


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("Stopped on time - objective value 1.5", FEASIBLE),
        ("Stopped on time - objective value 1e50", UNKNOWN),
        ("Optimal - objective value 1e+50", UNKNOWN),
        ("Stopped on user ctrl-c - objective value 1.5", FEASIBLE),
        ("Stopped on difficulties - objective value 1.5", UNKNOWN),
        ("Optimal (no integer solution - continuous used) - objective value 1.5", UNKNOWN),
        ("Optimism - objective value 1.5", UNKNOWN),
        ("PrimalInfeasible - objective value 1.5", UNKNOWN),
    ],
)
def test_cbc_statuses_that_no_sample_has(head: str, status: Status) -> None:
    solution = read_solution(f"{head}\n      0 x   1   0\n", "x.sol")
    assert (solution.status, solution.values) == (status, {"x": 1.0})
    assert solution.message == head.rpartition(" - ")[0]


def test_cbc_stopped_within_a_continuous_problem_has_no_incumbent() -> None:
    text = "Stopped on iterations - objective value 1.5\n      0 x   1   0\n"
    assert read_solution(text, "x.sol", continuous=True).status is UNKNOWN


LP = {"a": 0.25, "longer_name_than_twelve_chars": 0.25, "c": 4.75}


@pytest.mark.parametrize("style", [-1, 0, 1, 2, 3, 4])
def test_highs_styles_of_a_continuous_problem(style: int) -> None:
    text = (SAMPLES / f"highs_more/lp_style{style}.sol").read_text()
    solution = read_solution(text, "lp.sol", columns=list(LP), continuous=True)
    assert solution.values == LP
    assert solution.status is (UNKNOWN if style == -1 else OPTIMAL)


@pytest.mark.parametrize("style", [2, 3])
def test_glpk_style_optimum_of_a_relaxation_is_no_optimum(style: int) -> None:
    text = (SAMPLES / f"highs_more/lp_style{style}.sol").read_text()
    solution = read_solution(text, "lp.sol", columns=list(LP))
    assert (solution.status, solution.values) == (UNKNOWN, LP)


def test_highs_infeasible_continuous_problems() -> None:
    table, raw = ((SAMPLES / f"highs_more/lpinf_style{k}.sol").read_text() for k in (1, 2))
    assert read_solution(table, "lpinf.sol").status is INFEASIBLE
    assert read_solution(raw, "lpinf.sol").status is UNKNOWN  # the status line itself says undefined


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("lp.sol", UNKNOWN),
        ("lp.txt", UNKNOWN),
        ("nomip.sol", UNKNOWN),
        ("nomip.txt", UNKNOWN),
        ("lpinf.sol", INFEASIBLE),
    ],
)
def test_glpk_without_integers(name: str, status: Status) -> None:
    text = (SAMPLES / "glpk_more" / name).read_text()
    columns = ["x", "y"] if "nomip" in name else list(LP)
    assert read_solution(text, name, columns=columns).status is status
    relaxed = OPTIMAL if status is UNKNOWN else status
    assert read_solution(text, name, columns=columns, continuous=True).status is relaxed


def test_glpk_interior_point_that_did_not_arrive() -> None:
    text = (SAMPLES / "glpk_more/interior.sol").read_text()
    assert read_solution(text, "x.sol", continuous=True).status is UNKNOWN


def test_long_names_in_a_report_stand_on_a_line_of_their_own() -> None:
    values = read_solution((SAMPLES / "glpk_more/lp.txt").read_text(), "lp.txt").values
    assert values["longer_name_than_twelve_chars"] == 0.25


@pytest.mark.parametrize(
    ("word", "status"), [("optimal nsols=3", OPTIMAL), ("timelimit", FEASIBLE), ("", FEASIBLE)]
)
def test_scip_status_from_a_program(word: str, status: Status) -> None:
    text = (SAMPLES / "scip/opt.sol").read_text()
    assert read_scip(text, "opt.sol", status=word).status is status


def test_scip_shell_states_its_status() -> None:
    text = (SAMPLES / "scip/opt.sol").read_text()
    assert read_solution("solution status: optimal solution found\n" + text, "x.sol").status is OPTIMAL
    assert read_solution("solution status: time limit reached\n" + text, "x.sol").status is FEASIBLE
    nothing = "solution status: infeasible\nno solution available\n"
    assert read_solution(nothing, "x.sol").status is INFEASIBLE
    assert read_solution(nothing.replace("infeasible", "optimal"), "x.sol").status is UNKNOWN


def test_scip_infeasible_with_a_solution_is_a_contradiction() -> None:
    with pytest.raises(Rejected, match="E1257"):
        read_scip((SAMPLES / "scip/opt.sol").read_text(), "opt.sol", status="infeasible nsols=0")


CPLEX = (SAMPLES / "cplex/opt.sol").read_text()


@pytest.mark.parametrize(
    ("code", "status", "continuous"),
    [
        (101, OPTIMAL, OPTIMAL),
        (102, OPTIMAL, OPTIMAL),
        (103, INFEASIBLE, INFEASIBLE),
        (105, FEASIBLE, FEASIBLE),
        (106, UNKNOWN, UNKNOWN),
        (108, UNKNOWN, UNKNOWN),
        (115, UNKNOWN, UNKNOWN),
        (119, UNKNOWN, UNKNOWN),
        (1, UNKNOWN, OPTIMAL),
        (2, UNKNOWN, UNBOUNDED),
        (3, INFEASIBLE, INFEASIBLE),
        (11, UNKNOWN, FEASIBLE),
        (999, UNKNOWN, UNKNOWN),
    ],
)
def test_cplex_statuses(code: int, status: Status, continuous: Status) -> None:
    text = CPLEX.replace('"101"', f'"{code}"')
    assert read_solution(text, "x.sol").status is status
    assert read_solution(text, "x.sol", continuous=True).status is continuous


def test_cplex_optimum_that_is_not_feasible_is_none() -> None:
    assert read_solution(CPLEX.replace('primalFeasible="1"', 'primalFeasible="0"'), "x").status is UNKNOWN


@pytest.mark.parametrize(
    ("status", "solutions", "expected"),
    [(2, 1, OPTIMAL), (2, 0, UNKNOWN), (9, 1, FEASIBLE), (9, 0, UNKNOWN), (6, 1, UNKNOWN), (99, 1, UNKNOWN)],
)
def test_gurobi_statuses(status: int, solutions: int, expected: Status) -> None:
    text = f'{{"SolutionInfo": {{"Status": {status}, "ObjVal": 1, "SolCount": {solutions}}}, "Vars": []}}'
    assert read_solution(text, "x.json").status is expected


def test_a_list_without_objective_has_no_standing() -> None:
    start = "# MIP start\nx 1\n"
    assert read_solution(start, "x.mst").status is UNKNOWN


@pytest.mark.parametrize("path", STATED)
def test_line_ends_and_byte_order_marks_do_not_matter(path: str) -> None:
    text, columns = (SAMPLES / path).read_text(), list(model_of(path).columns)
    plain = read_solution(text, path, columns=columns)
    windows = read_solution("\ufeff" + text.replace("\n", "\r\n"), path, columns=columns)
    assert windows == plain


@pytest.mark.parametrize("path", STATED)
def test_the_named_format_is_the_recognised_one(path: str) -> None:
    text, columns = (SAMPLES / path).read_text(), list(model_of(path).columns)
    solver = re.match(r"cbc|highs|[a-z_]+", path)
    assert solver is not None
    assert solver[0] in FORMATS
    named = read_solution(text, path, columns=columns, format=solver[0])
    assert named == read_solution(text, path, columns=columns)
