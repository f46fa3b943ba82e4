"""Members with the same network, and points with the same input and label: said once, counted as often.

*Members.* The same network has the same losses, whatever the attack, so that the copies of one serve the
other; the least of the members' values is the same without it, and a total counts it twice.

*Points.* Whatever fools members at one of them does so at the other. With at least as many attacks as are
always enough, a best attack treats them alike: with S the loss vectors of one perturbation of the point, the
mixtures over two points reach `conv(S + S) = conv(S) + conv(S) = 2 conv(S) = conv(2 S)`, and this is what
one perturbation for both reaches. With fewer attacks than that it may pay to treat them differently.
"""

import dataclasses
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ensc.compiler.types.model import Indices
from ensc.compiler.types.network import Network
from ensc.compiler.types.problem import EnsembleProblem, PointSet


@dataclass(frozen=True, slots=True, eq=False)
class Duplicates:
    """Who is the same as whom: for each the first of its kind, which is itself where nothing precedes it.

    Attributes:
        members: shape (members,), 0-based.
        points: shape (points,), 0-based.
    """

    members: Indices
    points: Indices

    @property
    def weights(self) -> Indices:
        """How many points each point stands for, shape (points,)."""
        return np.bincount(self.points, minlength=len(self.points))

    @property
    def counts(self) -> tuple[int, int]:
        """How many members, and how many points, are the same as an earlier one."""
        members, points = ((kind != np.arange(len(kind))).sum() for kind in (self.members, self.points))
        return int(members), int(points)


def duplicates(problem: EnsembleProblem) -> Duplicates:
    """Find members with equal networks, and points with equal inputs and labels."""
    digests = [network_digest(member.network) for member in problem.ensemble]
    members = np.array([digests.index(digest) for digest in digests])
    return Duplicates(members, first_of_kind(problem.points))


def first_of_kind(points: PointSet) -> Indices:
    """Return for each point the first that has the same input and label, shape (points,)."""
    table = np.concatenate([points.numerators + 0.0, points.labels[:, None]], axis=1)
    rows = np.ascontiguousarray(table).view(f"V{table.dtype.itemsize * table.shape[1]}").ravel()
    _, first, kind = np.unique(rows, return_index=True, return_inverse=True)
    return first[kind.ravel()].astype(np.int64)


def network_digest(network: Network) -> str:
    """Return a hash of the function as it is written down: layers with their numbers, but no names."""
    digest = hashlib.sha256(repr((network.inputs, network.output)).encode())
    for layer in network.layers:
        digest.update(type(layer).__name__.encode())
        for part in _parts(layer):
            digest.update(part)
    return digest.hexdigest()


def _parts(layer: object) -> Iterator[bytes]:
    assert dataclasses.is_dataclass(layer)
    for field in dataclasses.fields(layer):
        value = getattr(layer, field.name)
        if field.name == "name":
            continue
        if isinstance(value, np.ndarray):
            yield repr((field.name, value.shape, value.dtype.str)).encode()
            yield np.ascontiguousarray(value).tobytes()
        else:
            yield repr((field.name, value)).encode()
