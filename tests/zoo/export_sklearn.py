"""Export small classifiers of scikit-learn as skl2onnx writes them: `python tests/zoo/export_sklearn.py`.

Needs scikit-learn and skl2onnx. Writes sklearn_NAME.onnx beside this file; `models()` gives them to tests.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto
from skl2onnx import to_onnx
from sklearn.calibration import CalibratedClassifierCV
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
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler
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
    "ovr_logistic": lambda: OneVsRestClassifier(LogisticRegression()),
    "ovr_margins": lambda: OneVsRestClassifier(LinearSVC()),
    "ovr_network": lambda: OneVsRestClassifier(network()),
    "ovr_boosting": lambda: OneVsRestClassifier(
        GradientBoostingClassifier(n_estimators=3, max_depth=2, random_state=0)
    ),
    "log_loss": lambda: SGDClassifier(loss="log_loss", random_state=0),
    "huber_loss": lambda: make_pipeline(
        StandardScaler(), SGDClassifier(loss="modified_huber", alpha=0.1, random_state=0)
    ),
    "calibrated": lambda: CalibratedClassifierCV(LinearSVC(), ensemble=False, cv=2),
    "columns": LogisticRegression,
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
    "refused_calibrated": lambda: CalibratedClassifierCV(LinearSVC(), cv=2),
    "refused_averaged": lambda: BaggingClassifier(LogisticRegression(), n_estimators=2, random_state=0),
    "refused_pairs": lambda: OneVsOneClassifier(LogisticRegression()),
    "refused_squares": lambda: make_pipeline(PolynomialFeatures(2), LogisticRegression()),
    "refused_neighbours": KNeighborsClassifier,
    "refused_bayes": GaussianNB,
}


def models(
    names: tuple[str, ...] = (*CLASSIFIERS, "machine", "raw_machine"),
) -> Iterator[tuple[str, ModelProto]]:
    """Yield every classifier for two and for three classes, and support vector machines for two."""
    for classes in (2, 3):
        data = make_classification(200, 5, n_informative=4, n_redundant=1, n_classes=classes, random_state=0)
        x, y = data[0].astype(np.float32), data[1]
        for name in (name for name in names if name in CLASSIFIERS):
            fitted = CLASSIFIERS[name]().fit(x, y)
            plain = name == "linear_svc"
            how = "columns" if name == "columns" else False
            options = {} if plain else {"options": {id(fitted): {"zipmap": how}}}
            yield f"{name}_{classes}", to_onnx(fitted, x[:1], **options)
    x, y = make_classification(60, 5, n_informative=4, n_redundant=1, random_state=0)
    x = x.astype(np.float32)
    machine = SVC(kernel="linear")
    for name, raw in (("machine", False), ("raw_machine", True)):
        if name in names:
            fitted = machine.fit(x, y)
            yield name, to_onnx(fitted, x[:1], options={id(fitted): {"zipmap": False, "raw_scores": raw}})


def main() -> None:
    for name, model in models():
        (HERE / f"sklearn_{name}.onnx").write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main()
