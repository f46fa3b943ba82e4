"""Solutions of CPLEX: `write FILE.sol`, an XML document.

    <CPLEXSolution version="1.2">
     <header objectiveValue="1.5" solutionStatusValue="101" primalFeasible="1" .../>
     <variables>
      <variable name="x_1" index="0" value="-0.5"/>

The parser knows no document types and so no entities, which keeps it from growing what it reads.
"""

from collections.abc import Mapping
from xml.parsers import expat

from ensc.compiler.diagnostics import Source, reject
from ensc.compiler.types.solution import Solution, Status
from ensc.formats.solutions.scan import (
    REWRITE,
    Line,
    Values,
    answer,
    contradiction,
    finite,
    limited,
    malformed,
    natural,
    number,
    of_relaxation,
    put,
)

ROOT = "CPLEXSolution"

_INFINITY = 1e20

_CHUNK = 1 << 20
_DEEPEST = 10

_MIP = {101: Status.OPTIMAL, 102: Status.OPTIMAL, 129: Status.OPTIMAL, 130: Status.OPTIMAL}
_MIP |= {103: Status.INFEASIBLE, 118: Status.UNBOUNDED}
_MIP |= dict.fromkeys((104, 105, 107, 109, 111, 113, 116, 127, 128, 131), Status.FEASIBLE)

_CONTINUOUS = {1: Status.OPTIMAL, 2: Status.UNBOUNDED, 3: Status.INFEASIBLE}
_CONTINUOUS |= dict.fromkeys((10, 11, 12, 13, 25), Status.FEASIBLE)


def read_cplex(text: str, source_name: str, *, continuous: bool = False) -> Solution:
    """Read a solution file of CPLEX.

    Args:
        text: the file.
        source_name: its name, for messages.
        continuous: whether the model has no integers; statuses below 100 are about continuous problems.

    Raises:
        Rejected: E1252 to E1255, E1257 and E1259, with the line.
    """
    source = Source(source_name, text)
    header, values = _Document(source).read()
    line = Line(source, max(text.find("<header"), 0), "<header")
    if "solutionStatusValue" not in header:
        malformed(line, "`<header ... solutionStatusValue=...>`")
    code = natural(header["solutionStatusValue"], line)
    stated = header.get("objectiveValue")
    return answer(
        _status(code, feasible=header.get("primalFeasible") == "1", continuous=continuous),
        values,
        objective=None if stated is None else limited(stated, line, _INFINITY),
        message=f"status {code}: {header.get('solutionStatusString', '')}",
    )


def _status(code: int, *, feasible: bool, continuous: bool) -> Status:
    if code in _MIP:
        status = _MIP[code]
    else:
        status = of_relaxation(_CONTINUOUS.get(code, Status.UNKNOWN), continuous=continuous)
    return status if feasible or status in (Status.INFEASIBLE, Status.UNBOUNDED) else Status.UNKNOWN


class _Document:
    """One pass over the document: the header's attributes and the variables, with no tree in between."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.header: Mapping[str, str] = {}
        self.values: Values = {}
        self.path: list[str] = []
        self.parser = expat.ParserCreate("utf-8")
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.StartDoctypeDeclHandler = self.refuse

    def read(self) -> tuple[Mapping[str, str], Values]:
        text = self.source.text
        try:
            fed = 0
            for first in range(0, len(text), _CHUNK):
                data = text[first : first + _CHUNK].encode("utf-8", "surrogatepass")
                fed += len(data)
                self.parser.Parse(data)
                if fed - self.parser.CurrentByteIndex > 8 * _CHUNK:  # what it holds back is one token
                    malformed(self.place(), "made of short tags")
            self.parser.Parse(b"", True)
        except expat.ExpatError as error:
            cut = error.code in _CUT
            what = "the XML of the solution ends too early" if cut else "the XML of the solution is wrong"
            place = self.place().span()
            reject(
                "E1252" if cut else "E1253", f"{what}: {expat.ErrorString(error.code)}", place, help=REWRITE
            )
        return self.header, self.values

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self.path and tag != ROOT:
            if tag == "CPLEXSolutions":
                contradiction("a pool of solutions", self.place(), "let CPLEX write one of them")
            malformed(self.place(), f"`<{ROOT}>`")
        self.path.append(tag)
        if len(self.path) > _DEEPEST:
            malformed(self.place(), "nested as CPLEX nests")
        match self.path[1:]:
            case ["header"]:
                if self.header:
                    contradiction("a second header", self.place(), "give a file with one solution")
                self.header = attributes
            case ["variables", "variable"]:
                self.variable(attributes)

    def end(self, _tag: str) -> None:
        self.path.pop()

    def variable(self, attributes: dict[str, str]) -> None:
        name, token = attributes.get("name"), attributes.get("value")
        if name is None or token is None:
            malformed(self.place(), 'a variable, `<variable name="x" index="0" value="1"/>`')
        value = finite(token)
        if value is None or name in self.values:
            line = self.place()
            put(self.values, name, number(token, line), line)
        else:
            self.values[name] = value

    def refuse(self, *_: object) -> None:
        reject(
            "E1259",
            "the XML of the solution has a document type",
            self.place().span(),
            help="CPLEX writes none; remove `<!DOCTYPE ...>`",
        )

    def place(self) -> Line:
        """Return the line that the parser has reached."""
        text, start = self.source.text, 0
        for _ in range(self.parser.CurrentLineNumber - 1):
            start = text.find("\n", start) + 1
        end = text.find("\n", start)
        return Line(self.source, start, text[start : end if end >= 0 else len(text)])


_CUT = frozenset({3, 5, 6})  # no element found, unclosed token, partial character
