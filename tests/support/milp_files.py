"""Small MPS files with known answers, and one that no search finishes."""

import random

SMALL = """* minimize x + y, 2 x + y >= 3, x binary
NAME small FREE
ROWS
 N obj
 G r1
COLUMNS
 M1 'MARKER' 'INTORG'
 x obj 1
 x r1 2
 M2 'MARKER' 'INTEND'
 y obj {cost}
 y r1 1
RHS
 RHS r1 3
BOUNDS
 LO BND x 0
 UP BND x 1
 LO BND y 0
{upper}ENDATA
"""
FEASIBLE = SMALL.format(cost=1, upper=" UP BND y 10\n")
INFEASIBLE = SMALL.format(cost=1, upper=" UP BND y 0.5\n")
UNBOUNDED = SMALL.format(cost=-1, upper="")


def continuous(text: str) -> str:
    """Return a file without its integers."""
    return "".join(line for line in text.splitlines(keepends=True) if "MARKER" not in line)


def infeasible_with_an_unbounded_objective() -> str:
    """Return a file whose relaxation is unbounded as soon as it is feasible, which it is not."""
    text = UNBOUNDED.replace("ENDATA", " UP BND y 0.5\n LO BND z 0\nENDATA")
    return text.replace("RHS\n", " z obj -1\nRHS\n", 1)


def market_split(*, slack: bool) -> str:
    """Six equations over fifty binaries: no search finishes; with slacks a feasible point is easy."""
    draw = random.Random(1)  # noqa: S311 - a fixed instance
    weights = [[draw.randint(1, 99) for _ in range(50)] for _ in range(6)]
    lines = ["NAME hard FREE", "ROWS", " N obj", *(f" E r{i}" for i in range(6)), "COLUMNS"]
    lines.append(" M1 'MARKER' 'INTORG'")
    lines += [f" x{j} r{i} {weights[i][j]}" for j in range(50) for i in range(6)]
    lines.append(" M2 'MARKER' 'INTEND'")
    for i in range(6 if slack else 0):
        lines += [f" s{i} obj 1", f" s{i} r{i} 1", f" t{i} obj 1", f" t{i} r{i} -1"]
    lines += ["RHS", *(f" RHS r{i} {sum(weights[i]) // 2}" for i in range(6)), "BOUNDS"]
    return "\n".join([*lines, *(f" UP BND x{j} 1" for j in range(50)), "ENDATA", ""])
