"""The Gaussian process as a classifier with scikit-learn's manners, for notebooks.

scikit-learn is not needed: its functions (``clone``, ``cross_val_score``, ``Pipeline``,
``GridSearchCV``) ask for a protocol, not for a base class.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats
from overread.errors import InputError
from overread.selection.basis import Basis, basis_at, basis_of, features_of, median_distance
from overread.selection.belief import mean_of
from overread.selection.likelihood import Settings, grades
from overread.selection.pool import Pool, label_many, open_pool, tune
from overread.selection.process import Process, add, field_of, unlabelled
from overread.selection.propagation import propagate, surroundings

_PARAMETERS = ("ordinal", "landmarks", "learn", "pool", "spread", "random_state")
_GROWTH = 1.15


class DirichletProcessClassifier:
    """Gaussian process classification with Dirichlet targets, or of grades; incremental.

    Between two tunings :meth:`partial_fit` is exact: one label more is one update of rank one,
    and gives what a fit of all labels would give. Settings are learned anew when the labels have
    grown by 15 %.

    Args:
        ordinal: the classes, in sorted order, are grades.
        landmarks: of the kernel, at most.
        learn: learn noise, variance, length and temperature from the labels.
        pool: (cases, latents) further cases without labels, among which landmarks are chosen;
            of use with :meth:`partial_fit`, whose first labels are few.
        spread: labels spread to the cases that are predicted together, neighbour by neighbour
            (:func:`overread.selection.propagation.propagate`). Look first whether it helps.
        random_state: of the landmarks; a whole number.
    Example:
        >>> x = np.array([[0.0], [0.1], [0.2], [1.0], [1.1], [1.2]])
        >>> model = DirichletProcessClassifier().fit(x, ["no"] * 3 + ["yes"] * 3)
        >>> model.predict([[0.05], [1.15]]).tolist()
        ['no', 'yes']
    """

    _estimator_type = "classifier"  # scikit-learn before 1.6

    def __init__(
        self, *, ordinal: bool = False, landmarks: int = 256, learn: bool = True,
        pool: Any = None, spread: bool = False, random_state: int = 0,
    ) -> None:  # fmt: skip
        self.ordinal = ordinal
        self.landmarks = landmarks
        self.learn = learn
        self.pool = pool
        self.spread = spread
        self.random_state = random_state

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments of the constructor."""
        del deep  # nothing in them has arguments of its own
        return {name: getattr(self, name) for name in _PARAMETERS}

    def set_params(self, **given: Any) -> Self:
        """Change arguments of the constructor.

        Raises:
            InputError: there is no such argument.
        """
        for name, value in given.items():
            if name not in _PARAMETERS:
                raise InputError("parameter", f"be one of {', '.join(_PARAMETERS)}", name)
            setattr(self, name, value)
        return self

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803 - its manners
        """Learn from labels, forgetting those before.

        Args:
            X: (labels, latents). y: (labels,) classes of any type, at least two.
            sample_weight: (labels,) how sure each label is: 2 as if two sure readers gave it.
        """
        self.classes_ = np.unique(_column(y))
        if len(self.classes_) < 2:
            rule = "have at least two classes"
            raise InputError("y", rule, f"one class, {self.classes_[:1].tolist()}")
        self._start(_table(X))
        return self._more(X, y, sample_weight)

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None,  # noqa: N803
    ) -> Self:  # fmt: skip
        """Learn from further labels; what was learned stays.

        Args:
            X, y, sample_weight: as of :meth:`fit`.
            classes: all there will be; needed with the first call.
        """
        if not hasattr(self, "classes_"):
            if classes is None:
                raise InputError("classes", "be given with the first labels", "none")
            self.classes_ = np.unique(_column(classes))
            self._start(_table(X))
        return self._more(X, y, sample_weight)

    def predict_proba(self, X: Any) -> Floats:  # noqa: N803
        """(cases, classes) probabilities, in the order of ``classes_``; rows sum to 1."""
        if not hasattr(self, "classes_"):
            raise InputError("the classifier", "be fitted first", "one that is not")
        table = _table(X, self.n_features_in_)
        said = mean_of(field_of(self._process, features_of(table, self._basis)), self.settings_)
        if not self.spread:
            return said
        every, count = np.vstack([table, self._seen]), len(table)
        around = surroundings(every, np.arange(len(every)))
        start = np.vstack([said, self._votes])
        return propagate(around, start, np.arange(count, len(every)), self._votes)[:count]

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """(cases,) the most probable class."""
        surest = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[surest])

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:  # noqa: N803
        """Accuracy."""
        right = self.predict(X) == _column(y)
        return float(np.average(right, weights=sample_weight))

    def __sklearn_tags__(self) -> Any:
        """Asked by scikit-learn alone, which is then there."""
        tags: Any = sys.modules["sklearn.utils"]
        return tags.Tags(
            estimator_type="classifier",
            target_tags=tags.TargetTags(required=True),
            classifier_tags=tags.ClassifierTags(),
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "classes_")

    def _start(self, table: Floats) -> None:
        self.n_features_in_ = table.shape[1]
        ground = (
            table if self.pool is None else np.vstack([_table(self.pool, table.shape[1]), table])
        )
        self.settings_ = grades(len(self.classes_)) if self.ordinal else Settings()
        self._basis: Basis = basis_of(
            ground, landmarks=self.landmarks, length=self.settings_.length, seed=self.random_state
        )
        self._process: Process = unlabelled(len(self.classes_), 1, settings=self.settings_)
        self._seen = np.empty((0, self.n_features_in_))
        self._votes = np.empty((0, len(self.classes_)))
        self._tuned_at = 0

    def _more(self, X: Any, y: Any, sample_weight: Any) -> Self:  # noqa: N803
        table = _table(X, self.n_features_in_)
        votes = self._votes_of(_column(y), sample_weight)
        if len(votes) != len(table):
            raise InputError("y", f"be one for each of {len(table)} rows", len(votes))
        self._seen, self._votes = np.vstack([self._seen, table]), np.vstack([self._votes, votes])
        grown = len(self._votes) >= max(8.0, _GROWTH * self._tuned_at)
        if self._tuned_at and not (self.learn and grown):
            for feature, vote in zip(features_of(table, self._basis), votes, strict=True):
                self._process, _ = add(self._process, feature, vote)
            return self
        self._refit()
        return self

    def _refit(self) -> None:
        """Fit all labels; learn the settings where that is wanted."""
        pool: Pool = open_pool(
            self._seen, len(self.classes_), settings=self.settings_, landmarks=1,
            candidates=len(self._seen),
        )  # fmt: skip
        pool = _on(pool, self._basis)
        pool = label_many(pool, np.arange(len(self._seen)), self._votes)
        if self.learn:
            pool = tune(pool)
        self.settings_, self._basis = pool.settings, pool.basis
        self._process = pool.process
        self._tuned_at = len(self._votes)

    def _votes_of(self, y: NDArray[Any], sample_weight: Any) -> Floats:
        place = {name: code for code, name in enumerate(self.classes_.tolist())}
        unknown = [row for row, one in enumerate(y.tolist(), start=1) if one not in place]
        if unknown:
            rule = "be one of the classes given with the first labels"
            raise InputError("y", rule, "another", rows=unknown)
        votes = np.eye(len(place))[[place[one] for one in y.tolist()]]
        if sample_weight is None:
            return np.asarray(votes)
        return np.asarray(votes * np.asarray(sample_weight, dtype=np.float64)[:, None])


def _on(pool: Pool, basis: Basis) -> Pool:
    """The pool with a basis of landmarks that are not all its own."""
    length = pool.settings.length * median_distance(basis.landmarks)
    basis = basis_at(basis.landmarks, length)
    return replace(pool, basis=basis, features=features_of(pool.places, basis))


def _table(given: Any, columns: int | None = None) -> Floats:
    table = np.asarray(given, dtype=np.float64)
    if table.ndim != 2 or 0 in table.shape or columns not in {None, table.shape[1]}:
        rule = f"be a table (cases, {columns or 'latents'}), not empty"
        raise InputError("X", rule, table.shape)
    if not np.isfinite(table).all():
        rows = np.flatnonzero(~np.isfinite(table).all(axis=1)) + 1
        raise InputError("X", "be finite (no NaN, no inf)", "nan or infinity", rows=rows)
    return table


def _column(given: Any) -> NDArray[Any]:
    column = np.asarray(given)
    if column.ndim != 1 or not len(column):
        raise InputError("y", "be one class a row", column.shape)
    return column
