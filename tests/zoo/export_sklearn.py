"""Export small classifiers of scikit-learn as skl2onnx writes them: `python tests/zoo/export_sklearn.py`.

Needs scikit-learn and skl2onnx. Writes sklearn_NAME.onnx beside this file; `models()` gives them to tests.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto
from skl2onnx import to_onnx
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

HERE = Path(__file__).parent


def tree(depth: int = 3) -> DecisionTreeClassifier:
    return DecisionTreeClassifier(max_depth=depth, random_state=0)


def forest() -> RandomForestClassifier:
    return RandomForestClassifier(4, max_depth=3, random_state=0)


def network() -> MLPClassifier:
    return MLPClassifier((6,), max_iter=60, random_state=0)


CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "tree": tree,
    "forest": forest,
    "extra_trees": lambda: ExtraTreesClassifier(4, max_depth=3, random_state=0),
    "boosting": lambda: GradientBoostingClassifier(n_estimators=4, max_depth=2, random_state=0),
    "bagging": lambda: BaggingClassifier(tree(), n_estimators=3, random_state=0),
    "voting": lambda: VotingClassifier(
        [("a", forest()), ("b", tree())], voting="soft", flatten_transform=False
    ),
    "ovr_trees": lambda: OneVsRestClassifier(tree()),
    "scaled_forest": lambda: make_pipeline(StandardScaler(), forest()),
    "projected_forest": lambda: make_pipeline(PCA(3), forest()),
    "scaled_network": lambda: make_pipeline(StandardScaler(), network()),
    "clipped_network": lambda: make_pipeline(MinMaxScaler(clip=True), network()),
    "logistic": LogisticRegression,
    "ridge": RidgeClassifier,
    "hinge": lambda: SGDClassifier(random_state=0),
    "linear_svc": LinearSVC,
    "refused_adaboost": lambda: AdaBoostClassifier(tree(1), n_estimators=3, random_state=0),
    "refused_hard_voting": lambda: VotingClassifier(
        [("a", forest()), ("b", tree())], flatten_transform=False
    ),
    "refused_kernel": SVC,
    "refused_bayes": GaussianNB,
}


def models(names: tuple[str, ...] = tuple(CLASSIFIERS)) -> Iterator[tuple[str, ModelProto]]:
    """Yield every classifier for two and for three classes."""
    for classes in (2, 3):
        data = make_classification(200, 5, n_informative=4, n_redundant=1, n_classes=classes, random_state=0)
        x, y = data[0].astype(np.float32), data[1]
        for name in names:
            if (name, classes) == ("ovr_trees", 2):  # one tree, whose two scores need no division
                continue
            fitted = CLASSIFIERS[name]().fit(x, y)
            plain = name == "linear_svc"
            options = {} if plain else {"options": {id(fitted): {"zipmap": False}}}
            yield f"{name}_{classes}", to_onnx(fitted, x[:1], **options)


def main() -> None:
    for name, model in models():
        (HERE / f"sklearn_{name}.onnx").write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main()
