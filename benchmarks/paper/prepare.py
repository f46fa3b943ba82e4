"""Choose the points of the 38 rows and write the rows as queries.

    python benchmarks/paper/prepare.py --mnist mnist.npz            points/mnist_*.npz and queries/*.rq
    python benchmarks/paper/prepare.py --gtsrb gtsrb.npz --out DIR  DIR/traffic_signs_10x10.npz

The rule: of the test pictures that every member of the ensemble classifies correctly, those about which its
most certain member is least certain (the larger score exceeds the other least), of both labels in turn. On
average test pictures most rows would be robust for no better reason than that attacks are too small. Of
traffic signs only the last frame of each track is considered, which is the nearest.
"""

import argparse
import itertools
import sys
from pathlib import Path

import numpy as np
from pictures import DataError, Pictures, mnist, signs
from rows import HERE, Row, rows, text

import ensc

MOST_POINTS = 4
"""No row has more."""


def chosen(test: Pictures, title: str, members: int) -> Pictures:
    """Return the points of an ensemble, by the rule above."""
    inputs = test.x.reshape(len(test.x), -1).astype(float)
    files = [HERE / "networks" / f"{title}_{c}.onnx" for c in range(1, members + 1)]
    scores = np.stack([ensc.load_network(file)(inputs) for file in files])
    leads = np.where(test.y == 1, 1, -1) * (scores[..., 1] - scores[..., 0])
    order = np.argsort(leads.max(axis=0), kind="stable")
    order = order[leads.min(axis=0)[order] > 0]
    both = (order[test.y[order] == label] for label in (0, 1))
    picked = list(itertools.islice(itertools.chain(*zip(*both, strict=False)), MOST_POINTS))
    return Pictures(test.x[picked], test.y[picked], test.names[picked])


def last_frames(test: Pictures) -> Pictures:
    """Return the last frame of each track."""
    last = {name[:11]: place for place, name in enumerate(test.names.tolist())}
    rows_ = sorted(last.values())
    return Pictures(test.x[rows_], test.y[rows_], test.names[rows_])


def sign_points(path: Path) -> Pictures:
    """Return the points of the traffic-sign rows.

    Raises:
        DataError: if there is no such data.
    """
    return chosen(last_frames(signs(path, 10).test), "traffic_signs_10x10", 3)


def mnist_points(path: Path, row: Row) -> Pictures:
    """Return the points of an MNIST row's ensemble.

    Raises:
        DataError: if there is no such data.
    """
    digits = [int(word) for word in row.name.split("_")[1:3]]
    return chosen(mnist(path, digits, row.dim).test, row.title, row.members)


def save(points: Pictures, path: Path) -> None:
    """Write points (points, 1, n, n); not compressed, so that the bytes depend on no version of zlib."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, x=points.x[:, None], y=points.y, picture=points.names)


def ensembles() -> list[Row]:
    """Return one row for each ensemble, the one with the most members."""
    most: dict[str, Row] = {}
    for row in rows():
        if row.title not in most or row.members > most[row.title].members:
            most[row.title] = row
    return list(most.values())


def write_queries(folder: Path = HERE / "queries") -> None:
    """Write every row's query, and remove those that are no longer in the table."""
    folder.mkdir(exist_ok=True)
    wanted = {f"{row.id}.rq": text(row) for row in rows()}
    for path in folder.glob("*.rq"):
        if path.name not in wanted:
            path.unlink()
    for name, content in wanted.items():
        (folder / name).write_text(content, encoding="utf-8")


def main() -> int:
    """Write what the arguments ask for."""
    parser = argparse.ArgumentParser(
        description="choose the points and write the queries of the paper's rows"
    )
    parser.add_argument("--mnist", type=Path, help="npz file, or folder of idx files")
    parser.add_argument("--gtsrb", type=Path, help="npz file, or folder of the official layout")
    parser.add_argument("--out", type=Path, default=HERE / "points", help="folder for the points")
    options = parser.parse_args()
    try:
        for row in ensembles():
            if row.signs and options.gtsrb:
                save(sign_points(options.gtsrb), options.out / f"{row.title}.npz")
            elif not row.signs and options.mnist:
                save(mnist_points(options.mnist, row), options.out / f"{row.title}.npz")
    except DataError as error:
        print(f"prepare: {error}", file=sys.stderr)
        return 1
    write_queries()
    return 0


if __name__ == "__main__":
    sys.exit(main())
