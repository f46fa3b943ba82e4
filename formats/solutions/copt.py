"""Solutions of COPT: `writesol FILE`.

    # Objective value 1.2083333333333337
    x_1       -0.49999999999999972

COPT writes no file when it has no solution, and never a status.
"""

from ensc.compiler.diagnostics import Source
from ensc.compiler.types.solution import Solution
from ensc.formats.solutions.listing import read_listing

OBJECTIVE = "# Objective value "

_INFINITY = 1e30


def read_copt(text: str, source_name: str) -> Solution:
    """Read a solution file of COPT.

    Args:
        text: the file.
        source_name: its name, for messages.

    Raises:
        Rejected: E1252 to E1255 and E1257, with the line.
    """
    return read_listing(Source(source_name, text), OBJECTIVE, _INFINITY)
