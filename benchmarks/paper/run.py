"""Measure the 38 benchmark rows of Gross et al. 2020 and write benchmarks/paper/results/.

    python benchmarks/paper/run.py --gtsrb gtsrb.npz [--mnist mnist.npz] [--limit 600] [--quick]

Every measurement is a process of its own, one at a time. What was measured is kept in
build/paper/cells.json, so an interrupted run goes on where it was; `--fresh` measures again. The points of
the MNIST rows are in the repository, and with --mnist they are chosen again and compared; those of the
traffic-sign rows need --gtsrb, and are skipped without.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from cells import CELLS, DECIDED, Cell, Json, Place, is_final, key_of, limit_of, measured
from pictures import DataError
from prepare import ensembles, mnist_points, save, sign_points
from recheck import recheck
from rows import HERE, Row, rows

QUICK_ROWS = ("02", "11", "18b", "22", "29", "32", "38b")
QUICK_CELLS = ("split", "value", "ua", "bda")
SIGNS = "traffic_signs_10x10.npz"


def same_points(mnist: Path) -> None:
    """Choose the points of the MNIST rows again.

    Raises:
        DataError: if they are not those in the repository.
    """
    for row in ensembles():
        if not row.signs:
            points = mnist_points(mnist, row)
            with np.load(HERE / "points" / f"{row.title}.npz") as file:
                if not (np.array_equal(file["x"][:, 0], points.x) and np.array_equal(file["y"], points.y)):
                    raise DataError(f"{mnist} leads to other points than points/{row.title}.npz holds")
    print("the points of the MNIST rows are those that the rule chooses")


def wanted(options: argparse.Namespace) -> Iterator[tuple[Row, Cell]]:
    """Yield the measurements in their order: the most important column for all rows first."""
    for cell in CELLS:
        for row in rows():
            if row.id.endswith("b") and not cell.twins:
                continue
            if row.signs and options.gtsrb is None:
                continue
            if options.quick and (row.id not in QUICK_ROWS or cell.key not in QUICK_CELLS):
                continue
            yield row, cell


def load(path: Path) -> dict[str, Json]:
    """Return what earlier runs measured."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def store(path: Path, kept: dict[str, Json]) -> None:
    """Keep what was measured, wholly or not at all."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(kept, indent=0, sort_keys=True), encoding="utf-8")
    new.replace(path)


def measure(options: argparse.Namespace, place: Place) -> dict[str, Json]:
    """Measure what is not known yet; return the measurements of this run by row and cell."""
    path = place.work / "cells.json"
    kept = load(path)
    result = {}
    for row, cell in wanted(options):
        key = key_of(row, cell, place)
        known = key in kept and is_final(kept[key], limit_of(cell, place))
        chosen = cell.key in (options.cells or [cell.key]) and row.id in (options.rows or [row.id])
        if chosen and not options.tables and (options.fresh or not known):
            kept[key] = measured(row, cell, place)
            if cell.key == "split" and kept[key]["verdict"].startswith("robust"):
                kept[key]["recheck"] = recheck(row, place, kept[key]["patterns"])
            store(path, kept)
            show = kept[key]
            told = (show["verdict"], show.get("value"), show["seconds"], show.get("recheck", ""))
            print(row.id, cell.key, *told, flush=True)
        if key in kept:
            result[f"{row.id} {cell.key}"] = kept[key]
    return result


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="measure the benchmark rows of the paper")
    parser.add_argument("--mnist", type=Path, help="npz file or folder of idx files, to check the points")
    parser.add_argument("--gtsrb", type=Path, help="npz file or folder of the official layout")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for a joint file (600)")
    parser.add_argument("--quick", action="store_true", help="a few rows, the default strategy and baselines")
    every = [cell.key for cell in CELLS]
    parser.add_argument("--cells", nargs="*", choices=every, help="measure only these columns")
    parser.add_argument("--rows", nargs="*", metavar="ROW", help="measure only these rows, as 01 or 18b")
    parser.add_argument("--fresh", action="store_true", help="measure again what is known")
    parser.add_argument("--tables", action="store_true", help="measure nothing, write what is known")
    parser.add_argument(
        "--work", type=Path, default=HERE.parents[1] / "build" / "paper", help="folder to work in"
    )
    parser.add_argument("--out", type=Path, default=HERE / "results", help="folder for tables and figures")
    return parser.parse_args()


def main() -> int:
    """Measure and write the tables."""
    options = arguments()
    options.work = options.work.resolve()  # the queries name networks relative to it
    options.work.mkdir(parents=True, exist_ok=True)
    place = Place(options.work, options.work / SIGNS, options.limit)
    try:
        if options.gtsrb:
            save(sign_points(options.gtsrb), options.work / SIGNS)
        else:
            print("traffic-sign rows are left out: their pictures are not part of this repository, "
                  "pass --gtsrb FILE.npz or the folder of the official set", file=sys.stderr)  # fmt: skip
        if options.mnist:
            same_points(options.mnist)
    except (DataError, OSError) as error:
        print(f"run: {error}", file=sys.stderr)
        return 1
    measurements = measure(options, place)
    from tables import write_tables  # noqa: PLC0415 - what is measured is kept before anything can fail here

    write_tables(measurements, options.out)
    if not options.quick:
        draw(measurements, options.out, place)
    return 1 if contradictions(measurements) else 0


def contradictions(measurements: dict[str, Json]) -> int:
    """Say where the default strategy decides otherwise than the table states; return how often."""
    count = 0
    for row in rows():
        said = measurements.get(f"{row.id} split", {"verdict": "unknown"})["verdict"]
        stated = row.expected.partition("(")[0].replace("robust_up_to", "robust_up_to_k")
        if said in DECIDED and said != stated:
            print(f"row {row.id}: the table says {row.expected}, ensc now says {said}", file=sys.stderr)
            count += 1
    return count


def draw(measurements: dict[str, Json], folder: Path, place: Place) -> None:
    """Draw the figures, where there is something to draw with."""
    try:
        from figures import write_figures  # noqa: PLC0415 - tables need no matplotlib
    except ImportError:
        print("no figures: pip install 'ensc-compiler[paper]' brings matplotlib", file=sys.stderr)
        return
    write_figures(measurements, folder, place)


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the running solver is ended too
    sys.exit(main())
