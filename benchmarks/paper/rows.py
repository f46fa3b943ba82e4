"""The 38 benchmark rows of Gross et al. 2020 (Tables 4 to 6) as queries, from one table, rows.csv.

Columns of rows.csv: the row as the paper states it; what the paper reports (seconds, value; TO is a
time-out at 7200 s, * a value proved optimal); `verdict`, what ensc finds for our networks; `other_alpha` or
`other_epsilon`, the one number changed to meet the opposite verdict, where a row's own verdict differs from
the paper's.
"""

import csv
import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, TypeAlias

HERE = Path(__file__).parent
TABLE = HERE / "rows.csv"

Goal: TypeAlias = Literal["check", "value", "total"]
GOALS: dict[Goal, str] = {
    "check": "check value < alpha;",
    "value": "maximize value;",
    "total": "maximize total such that value >= alpha;",
}


META = """meta {
  source = "MNIST, scaled down; networks trained for ensc, benchmarks/paper/train.py";
  license = "points: CC BY-SA 3.0";
}"""


@dataclass(frozen=True, slots=True)
class Row:
    """One query.

    Attributes:
        id: the paper's number; followed by `b` where one number is changed.
        name: the paper's name of the ensemble.
        members: |C|.
        attacks: |A|; 0 asks for as many as are enough.
        points: |X|.
        dim: pixels on each side.
        alpha: the threshold of the value.
        epsilon: the L1 radius, in pixels 0..255.
        expected: the verdict in the query language's words, empty if none is stated.
        pixels: whether attacked pictures must stay within 0..255; the paper has no such bound.
        goal: what is asked.
    """

    id: str
    name: str
    members: int
    attacks: int
    points: int
    dim: int
    alpha: Fraction
    epsilon: Fraction
    expected: str = ""
    pixels: bool = False
    goal: Goal = "check"

    @property
    def title(self) -> str:
        """The name of the ensemble's and the points' files."""
        return f"{self.name}_{self.dim}x{self.dim}"

    @property
    def signs(self) -> bool:
        """Whether its points are traffic signs, which are not committed."""
        return self.name.startswith("traffic")


def records(table: Path = TABLE) -> list[dict[str, str]]:
    """Return the lines of the table as they are."""
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def rows(lines: list[dict[str, str]] | None = None) -> list[Row]:
    """Return the paper's rows, each followed by its changed twin where it has one."""
    result = []
    for line in records() if lines is None else lines:
        row = Row(
            id=line["id"].zfill(2),
            name=line["name"],
            members=int(line["members"]),
            attacks=int(line["attacks"]),
            points=int(line["points"]),
            dim=int(line["dim"]),
            alpha=Fraction(line["alpha"]),
            epsilon=Fraction(line["epsilon"]),
            expected=line["verdict"],
        )
        result.append(row)
        if line["other_alpha"] or line["other_epsilon"]:
            result.append(
                dataclasses.replace(
                    row,
                    id=row.id + "b",
                    alpha=Fraction(line["other_alpha"] or line["alpha"]),
                    epsilon=Fraction(line["other_epsilon"] or line["epsilon"]),
                    expected=line["other_verdict"],
                )
            )
    return result


def text(row: Row, root: str = "..") -> str:
    """Return the query of a row.

    Args:
        row: which one.
        root: the way from the query's folder to this one.
    """
    members = "".join(
        f'  f{c} = onnx("{root}/networks/{row.title}_{c}.onnx");\n' for c in range(1, row.members + 1)
    )
    whose = f"Row {int(row.id.rstrip('b'))} of Gross et al. 2020, Table 4"
    change = ", with one number changed to meet the other verdict" if row.id.endswith("b") else ""
    which = f'inputs = "x", labels = "y", rows = [0..{row.points - 1}]'
    lines = [
        "rq 1.0;",
        f"// {whose}{change}: {row.name}, {row.dim}x{row.dim} pixels of 0..255.",
        *(
            ["// No traffic sign is committed: `make paper` makes the points, or pass --data X=FILE."]
            * row.signs
        ),
        f"ensemble C {{\n{members}}}",
        f'data X = npz("{root}/points/{row.title}.npz", {which});',
        f"param epsilon: real in [0, 1000] = {_number(row.epsilon)};",
        f"param alpha: real in [0, 1] = {_number(row.alpha)};",
        f"input domain {'[0, 255]' if row.pixels else 'unbounded'};",
        f"attack norm L1, radius epsilon, count {row.attacks or 'auto'};",
        "loss zero_one, ties misclassified;",
        GOALS[row.goal],
    ]
    if row.expected and row.goal == "check":
        lines.append(f"expect {row.expected};")
    if not row.signs:
        lines.append(META)
    return "\n".join(lines) + "\n"


def _number(number: Fraction) -> str:
    """Return a decimal that is exactly the number."""
    return f"{float(number):.10f}".rstrip("0").rstrip(".")
