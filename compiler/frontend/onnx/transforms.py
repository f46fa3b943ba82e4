"""What classical classifiers do with their scores at last, and how many classes there are."""

from typing import NoReturn

import numpy as np

from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.tensor import Computed

MONOTONE = frozenset(("LOGISTIC", "SOFTMAX"))


def refuse_transform(node: Node, transform: str, *, closes: bool = False) -> None:
    """Refuse a post_transform, unless it is at the end of a network and keeps the order of the classes."""
    if transform in MONOTONE:
        if closes:
            return
        node.refuse(
            f"its post_transform {transform} is curved; only at the very end of a network is it left out",
            "export raw scores (in skl2onnx: `options={'raw_scores': True}`)",
        )
    _refuse_order(node, transform)


def _refuse_order(node: Node, transform: str) -> NoReturn:
    node.refuse(
        f"its post_transform {transform} does not keep the order of the scores",
        "export with the post_transform NONE, LOGISTIC or SOFTMAX",
    )


def class_count(node: Node) -> int:
    """Return the number of labels, 0 if it names none."""
    names = ("classlabels_ints", "classlabels_int64s", "classlabels_strings")
    labels = [node.attributes.get(name) for name in names]
    return max(len(given) if isinstance(given, tuple) else 0 for given in labels)


def two_scores(build: Builder, node: Node, value: int) -> Computed:
    """Return the scores 0 and z of two classes from one score z, whose logistic is class 1's probability."""
    return Computed(build.gather(node, [value], np.zeros(1), np.array([1, 0])), (1, 2))
