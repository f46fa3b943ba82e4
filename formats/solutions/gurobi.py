"""Solutions of Gurobi: `ResultFile=x.sol` (names, values) and `ResultFile=x.json` (status, bound, nonzeros).

    # Solution for model opt
    # Objective value = 1.2083333333333333e+00
    x_1 -0.5

Gurobi writes a `.sol` only when it has a solution, so the file says that there is one and no more. The
`.json` always has a status.
"""

import json
from typing import Any

from ensc.compiler.diagnostics import Source, Span, reject
from ensc.compiler.quoting import shown
from ensc.compiler.types.solution import Solution, Status
from ensc.formats.solutions.listing import read_listing
from ensc.formats.solutions.scan import (
    REWRITE,
    Line,
    Values,
    answer,
    finite,
    limited,
    malformed,
    natural,
    number,
    put,
)

OBJECTIVE = "# Objective value ="

_INFINITY = 1e100

_STATUSES = {
    1: "loaded",
    2: "optimal",
    3: "infeasible",
    4: "infeasible or unbounded",
    5: "unbounded",
    6: "cutoff",
    7: "iteration limit",
    8: "node limit",
    9: "time limit",
    10: "solution limit",
    11: "interrupted",
    12: "numerical trouble",
    13: "suboptimal",
    14: "in progress",
    15: "objective limit",
    16: "work limit",
    17: "memory limit",
}

_SETTLED = {2: Status.OPTIMAL, 3: Status.INFEASIBLE, 5: Status.UNBOUNDED}

_CHARACTERS_A_COMMA = 8  # at least; a list of nothing else would take a hundred times its text in memory

_LIMITS = frozenset({7, 8, 9, 10, 11, 13, 15, 16, 17})


class _Literal(str):
    """A number of the JSON text as it is spelled, so that it is read like every other number."""

    __slots__ = ()


def read_gurobi(text: str, source_name: str) -> Solution:
    """Read a `.sol` or `.json` of Gurobi.

    Args:
        text: the file.
        source_name: its name, for messages.

    Raises:
        Rejected: E1252 to E1257, with the place.
    """
    source = Source(source_name, text)
    if text.lstrip().startswith("{"):
        return _json(source)
    return read_listing(source, OBJECTIVE, _INFINITY)


def _json(source: Source) -> Solution:
    content = _parsed(source)
    info = content.get("SolutionInfo") if isinstance(content, dict) else None
    if not isinstance(info, dict) or "Status" not in info or "SolCount" not in info:
        malformed(_spot(source, "{"), "the JSON of Gurobi: `SolutionInfo` with `Status` and `SolCount`")
    code, solutions = (_whole(info[key], _spot(source, f'"{key}"')) for key in ("Status", "SolCount"))
    objective, bound = (_limited(info.get(key), _spot(source, f'"{key}"')) for key in ("ObjVal", "ObjBound"))
    return answer(
        _status(code, solutions),
        _values(content.get("Vars", []), source) if solutions else {},
        objective=objective,
        bound=bound,
        message=f"status {code}: {_STATUSES.get(code, 'not known')}",
    )


def _status(code: int, solutions: int) -> Status:
    if code in _LIMITS and solutions:
        return Status.FEASIBLE
    settled = _SETTLED.get(code, Status.UNKNOWN)
    return Status.UNKNOWN if settled is Status.OPTIMAL and not solutions else settled


def _parsed(source: Source) -> Any:  # noqa: ANN401 - JSON is anything until it is looked at
    if source.text.count(",") * _CHARACTERS_A_COMMA > len(source.text) + 1000:
        malformed(_spot(source, "{"), "the JSON of Gurobi: `SolutionInfo` and a list of variables")
    try:
        return json.loads(
            source.text,
            parse_int=_Literal,
            parse_float=_Literal,
            parse_constant=_Literal,
            object_pairs_hook=lambda pairs: _object(pairs, source),
        )
    except json.JSONDecodeError as error:
        whole = bool(source.text[error.pos :].strip())
        message = f"the JSON is wrong: {error.msg}" if whole else "the JSON of the solution ends too early"
        reject("E1253" if whole else "E1252", message, Span(source, error.pos, error.pos + 1), help=REWRITE)
    except RecursionError:
        malformed(_spot(source, "{"), "the JSON of Gurobi, which is not nested this deeply")


def _object(pairs: list[tuple[str, Any]], source: Source) -> dict[str, Any] | tuple[str, Any]:
    if len(pairs) == 2 and pairs[0][0] == "VarName" and pairs[1][0] == "X":
        return pairs[0][1], pairs[1][1]  # most of the file; a pair is a quarter of a dictionary
    content: dict[str, Any] = {}
    for name, value in pairs:
        if name in content:
            reject(
                "E1255",
                f"one JSON object has two entries `{shown(name)}`",
                _spot(source, f'"{name}"').span(),
                help=REWRITE,
            )
        content[name] = value
    return content


def _values(variables: object, source: Source) -> Values:
    if not isinstance(variables, list):
        malformed(_spot(source, '"Vars"'), "a list of variables")
    values: Values = {}
    for variable in variables:
        name, value = _pair(variable, source)
        if name in values:
            put(values, name, 0.0, _spot(source, json.dumps(name)))
        values[name] = _finite(value, name, source)
    return values


def _pair(variable: object, source: Source) -> tuple[str, object]:
    match variable:
        case (str(name), value) | {"VarName": str(name), "X": value} if not isinstance(name, _Literal):
            return name, value
        case _:
            malformed(_spot(source, '"Vars"'), 'a list of `{"VarName": "x", "X": 1}`')


def _finite(token: object, name: str, source: Source) -> float:
    if not isinstance(token, _Literal):
        malformed(_spot(source, json.dumps(name)), "a variable whose `X` is a number")
    value = finite(token)
    return number(token, _spot(source, json.dumps(name))) if value is None else value


def _whole(value: object, line: Line) -> int:
    if not isinstance(value, _Literal):
        malformed(line, "a whole number")
    return natural(value, line)


def _limited(value: object, line: Line) -> float | None:
    if value is None:
        return None
    if not isinstance(value, _Literal):
        malformed(line, "a number")
    return limited(value, line, _INFINITY)


def _spot(source: Source, needle: str) -> Line:
    """Return where a text first stands, for a message."""
    start = max(source.text.find(needle), 0)
    end = source.text.find("\n", start, start + len(needle) + 40)
    return Line(source, start, source.text[start : end if end >= 0 else start + len(needle) + 40])
