"""A point as the file from which a MILP solver starts, one layout for each family of solvers.

* `gurobi`: lines `name value`, comments after `#` (the MST format of its reference manual).
* `cplex`: an XML document with a `variable` for each column (the MST format of its file formats manual).
* `cbc`: lines `index name value reduced-cost`, as its own solution files have them; `-mips FILE` reads it.
* `highs` and `scip`: `=obj= value`, then lines `name value`, as the solutions of MIPLIB come. Both match
  them by name, so that it does not matter in which order they have put the columns.

Every column is written, also where it is 0: Gurobi and CPLEX would look for other values of those left out.
Numbers are the shortest that read back as they are.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, assert_never

import numpy as np

from ensc.compiler.types.model import Floats
from ensc.formats.numbers import canonical

StartForm = Literal["gurobi", "cplex", "cbc", "highs", "scip"]

SUFFIXES: dict[str, StartForm] = {".mst": "gurobi", ".xml": "cplex", ".sol": "highs"}
"""The layout that a suffix stands for; CPLEX reads its XML from `.mst` as well, CBC whatever it is given."""

_XML = """\
<?xml version = "1.0" encoding="UTF-8" standalone="yes"?>
<CPLEXSolutions version="1.2">
 <CPLEXSolution version="1.2">
  <header problemName="{model}" solutionName="start" solutionIndex="0" MIPStartEffortLevel="0"/>
  <variables>
"""
_XML_END = """\
  </variables>
 </CPLEXSolution>
</CPLEXSolutions>
"""


def write_start(
    model: str, names: Sequence[str], values: Floats, objective: float, form: StartForm
) -> Iterator[bytes]:
    """Write a point.

    Args:
        model: the name of the model, as its own file has it.
        names: of the columns, safe in every format (`formats/names.py`).
        values: shape (columns,), finite.
        objective: what the point reaches, in the sense of the file of the model, which minimises.
        form: the layout.

    Yields:
        The text in pieces, ASCII.
    """
    numbers = canonical(values)
    (reached,) = canonical(np.array([objective]))
    match form:
        case "gurobi":
            yield f"# MIP start of {model}\n".encode("ascii")
            yield _lines(f"{name} {number}" for name, number in zip(names, numbers, strict=True))
        case "cplex":
            yield _XML.format(model=model).encode("ascii")
            rows = enumerate(zip(names, numbers, strict=True))
            yield _lines(f'   <variable name="{n}" index="{i}" value="{v}"/>' for i, (n, v) in rows)
            yield _XML_END.encode("ascii")
        case "cbc":
            yield f"Stopped on iterations - objective value {reached}\n".encode("ascii")
            rows = enumerate(zip(names, numbers, strict=True))
            yield _lines(f"{i} {name} {number} 0" for i, (name, number) in rows)
        case "highs" | "scip":
            yield f"=obj= {reached}\n".encode("ascii")
            yield _lines(f"{name} {number}" for name, number in zip(names, numbers, strict=True))
        case _:
            assert_never(form)


def _lines(lines: Iterator[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("ascii")
