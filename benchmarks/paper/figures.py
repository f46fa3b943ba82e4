"""Figures of what was measured: times, two profiles of the value, and the attacked pictures of one row.

Traffic signs are in none of them.
"""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from cells import DECIDED, PROGRAM, Place
from matplotlib import pyplot as plt
from rows import HERE, rows, text
from tables import Measurements

PROFILED = ("11", "19")
"""Rows whose value is shown over the radius: 8x8 and 6x6 pixels, enough attacks."""

PICTURED = "06"
"""The row whose attacked pictures are shown."""

SERIES = {
    "split": "ensc",
    "o1_cbc": "-O1 CBC",
    "o0_cbc": "-O0 CBC",
    "o0_highs": "-O0 HiGHS",
    "o0_scip": "-O0 SCIP",
    "o0_z3": "-O0 z3",
    "o0_cvc5": "-O0 cvc5",
}


def write_figures(found: Measurements, folder: Path, place: Place) -> None:
    """Write times.png, profile.png and attacked.png."""
    mpl.use("Agg")
    _times(found, folder / "times.png")
    _profiles(folder / "profile.png", place)
    _attacked(folder / "attacked.png", place)


def _save(path: Path) -> None:
    plt.tight_layout()
    plt.savefig(path, dpi=80, metadata={"Software": None})
    plt.close()


def _times(found: Measurements, path: Path) -> None:
    """Draw the seconds of every row; what was stopped or led to nothing is hollow."""
    ids = [row.id for row in rows() if not row.id.endswith("b")]
    plt.figure(figsize=(11, 5))
    for number, (cell, title) in enumerate(SERIES.items()):
        points = [(x, found[f"{i} {cell}"]) for x, i in enumerate(ids) if f"{i} {cell}" in found]
        for done, label in ((True, title), (False, None)):
            chosen = [(x, kept["seconds"]) for x, kept in points if (kept["verdict"] in DECIDED) is done]
            if chosen:
                x, y = zip(*chosen, strict=True)
                face = f"C{number}" if done else "none"
                plt.scatter(x, y, s=26, edgecolors=f"C{number}", facecolors=face, label=label)
    plt.yscale("log")
    plt.xticks(range(len(ids)), ids, fontsize=7)
    plt.xlabel("row of the paper; hollow: stopped by the limit, or no answer that survives exact replay")
    plt.ylabel("seconds")
    plt.grid(visible=True, axis="y", alpha=0.3)
    plt.legend(ncols=len(SERIES), fontsize=8, loc="upper center", bbox_to_anchor=(0.5, 1.1))
    _save(path)


def _answer(name: str, query: str, place: Place, *options: str) -> dict[str, Any]:
    path = place.work / "queries" / f"{name}.rq"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(query, encoding="utf-8")
    words = [sys.executable, "-c", PROGRAM, "solve", str(path), "--json", *options]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - the command is ours
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _row_text(number: str, place: Place, **changes: Any) -> str:  # noqa: ANN401 - fields of a row
    row = next(row for row in rows() if row.id == number)
    root = os.path.relpath(HERE, place.work / "queries")
    return text(dataclasses.replace(row, expected="", **changes), root)


def _profiles(path: Path, place: Place) -> None:
    """Draw the largest value over the radius: what is proved (orange), and what attacks reach (over it)."""
    _, axes = plt.subplots(1, len(PROFILED), figsize=(11, 3.5), sharey=True)
    for axis, number in zip(axes, PROFILED, strict=True):
        query = _row_text(number, place, attacks=0)
        query = query.replace("check value < alpha;", "profile value over epsilon in [0, 100];")
        steps = _answer(f"{number}_profile", query, place, "--time-limit", "120")["profile"]
        end = 1.2 * _fraction(steps[-1]["high"])
        for place_of_step, value, colour in (("low", "upper", "C1"), ("high", "lower", "C0")):
            x = [*(_fraction(step[place_of_step]) for step in steps), end]
            y = [_fraction(step[value]) for step in steps]
            axis.step(x, [*y, y[-1]], where="post", color=colour)
        name = next(row for row in rows() if row.id == number).title
        axis.set(xlabel="ε (L1, pixels 0..255)", title=f"{name}, row {number}")
        axis.grid(visible=True, alpha=0.3)
    axes[0].set_ylabel("largest value")
    _save(path)


def _fraction(number: str) -> float:
    top, _, bottom = number.partition("/")
    return int(top) / int(bottom or 1)


def _attacked(path: Path, place: Place) -> None:
    """Draw each point, and what every attack of the largest value makes of it."""
    answer = _answer(f"{PICTURED}_attacked", _row_text(PICTURED, place, pixels=True, goal="value"), place,
                     "--time-limit", "60")  # fmt: skip
    row = next(row for row in rows() if row.id == PICTURED)
    with np.load(HERE / "points" / f"{row.title}.npz") as file:
        x, y = file["x"][: row.points, 0].astype(float), file["y"]
    moved = np.array(answer["attack"]["perturbations_float"]).reshape(-1, *x.shape)
    lines = [(x, [f"digit {row.name.split('_')[1 + label]}" for label in y])]
    for i, probability in enumerate(answer["attack"]["probabilities"]):
        fooled = answer["attack"]["fooled"][i]
        lines.append((x + moved[i], [f"p={probability}: {', '.join(who) or 'none'}" for who in fooled]))
    _, axes = plt.subplots(
        len(lines), row.points, figsize=(2.2 * row.points, 2.4 * len(lines)), squeeze=False
    )
    for line, (pictures, titles) in zip(axes, lines, strict=True):
        for axis, picture, title in zip(line, pictures, titles, strict=False):
            axis.imshow(picture, cmap="gray", vmin=0, vmax=255)
            axis.set_title(title, fontsize=9)
            axis.axis("off")
    _save(path)
