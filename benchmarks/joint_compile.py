"""How long a joint problem takes to compile and to write, by the number of network copies.

    .venv/bin/python benchmarks/joint_compile.py

Members are the 64-50-50-10 networks of `scaling.py` (100 rectifiers each), the norm is L1; two members and
five attacks give ten copies a point. `-O0` keeps every copy and every rectifier. Each case has a process of
its own; seconds are the processor's.
"""

import argparse
import importlib
import json
import platform
from importlib.metadata import version
from typing import Any

import numpy as np

scaling: Any = importlib.import_module("scaling")  # the script beside this one; no package holds them


def measure(points: int, level: int) -> dict[str, float]:
    """Compile and write one problem; return what it took."""
    took = scaling.measure(scaling.Case(members=2, points=points, attacks=5, level=level))
    sizes = ("copies", "rows", "columns", "nonzeros", "integers")
    return {
        "level": level,
        **{name: took[name] for name in sizes},
        "compile_s": round(took["compile"], 3),
        "write_s": round(took["write"], 3),
        "MB": round(took["bytes"] / 1e6, 1),
        "peak_MB": round(took["peak"] / 2**20),
    }


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [measure(points, level) for level in (0, 1) for points in options.points]
    if options.json:
        facts = {"python": platform.python_version(), "numpy": np.__version__}
        print(json.dumps({"ensc": version("ensc-compiler"), **facts, "rows": rows}, indent=2))
        return
    print(" | ".join(rows[0]))
    for row in rows:
        print(" | ".join(str(value) for value in row.values()))


if __name__ == "__main__":
    main()
