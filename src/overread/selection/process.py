"""The Gaussian process: labels are added and taken back in closed form.

Each latent function has a Gaussian regression of its own on transformed labels, so that a label
is one update of rank one, and taking it back is the same update with the sign turned.

Source:
    Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, 2.1 (weights of a linear
    model); Milios et al. 2018, NeurIPS 31 (Dirichlet targets).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from overread.arrays import Floats
from overread.errors import InputError
from overread.selection.likelihood import Settings, targets


@dataclass(frozen=True, slots=True, eq=False)
class Process:
    """What the labels so far say about the weights of each latent function.

    Args:
        mean: (functions, features).
        covariance: (functions, features, features).
        settings: under which the labels were taken.
        n_classes: at least 2; nominal classes have one function each, grades one for all.
    """

    mean: Floats
    covariance: Floats
    settings: Settings
    n_classes: int


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """The latent functions at each case.

    Args:
        mean, variance: (cases, functions).
    """

    mean: Floats
    variance: Floats


def unlabelled(n_classes: int, n_features: int, *, settings: Settings | None = None) -> Process:
    """The process before any label."""
    settings = settings or Settings()
    count = settings.functions(n_classes)
    one = settings.variance * np.eye(n_features)
    covariance = np.repeat(one[None], count, axis=0)
    return Process(np.zeros((count, n_features)), covariance, settings, n_classes)


def fit(
    features: Floats, votes: Floats, *, weight: Floats | None = None,
    settings: Settings | None = None,
) -> Process:  # fmt: skip
    """The process after many labels at once; equals adding them one by one.

    Args:
        features: (labels, features); votes: (labels, classes), at least 0.
        weight: (labels,) how often each label counts, above 0; 1 each by default.
        settings: fixed beforehand.
    """
    settings = settings or Settings()
    votes = checked_votes(votes, len(features))
    count = settings.functions(votes.shape[1])
    target, variance = targets(votes, settings)
    sure = (np.ones(len(votes)) if weight is None else weight)[:, None] / variance
    mean = np.empty((count, features.shape[1]))
    covariance = np.empty((*mean.shape, features.shape[1]))
    ridge = np.eye(features.shape[1]) / settings.variance
    for c in range(count):
        scaled = features * np.sqrt(sure[:, c])[:, None]
        inverse = np.linalg.inv(scaled.T @ scaled + ridge)
        covariance[c] = (inverse + inverse.T) / 2
        mean[c] = covariance[c] @ (features.T @ (sure[:, c] * target[:, c]))
    return Process(mean, covariance, settings, votes.shape[1])


def add(
    process: Process, feature: Floats, votes: Floats, *, weight: float = 1.0,
    field: Field | None = None, features: Floats | None = None,
) -> tuple[Process, Field | None]:  # fmt: skip
    """Add one label; the pool's field, if given, follows.

    Args:
        feature: (features,) of the labelled case; votes: (classes,).
        weight: how often the label counts; negative takes it back.
        field: before the label; features: (cases, features) of the cases it speaks of.
    Returns:
        The process and the field after the label; the ones given stay as they are.
    Raises:
        InputError: votes do not fit, or a label is taken back that was never given.
    """
    votes = checked_votes(votes[None, :], 1, process.n_classes)
    if not np.isfinite(weight) or weight == 0:
        raise InputError("weight", "be a finite number other than 0", weight)
    target, variance = (part[0] for part in targets(votes, process.settings))
    gain = process.covariance @ feature
    spread = variance / weight + gain @ feature
    if weight < 0 and (spread >= 0).any():
        raise InputError("label", "have been given before it is taken back", "one never given")
    short = (target - process.mean @ feature) / spread
    covariance = process.covariance - (gain / spread[:, None])[:, :, None] * gain[:, None, :]
    mean = process.mean + gain * short[:, None]
    after = Process(mean, covariance, process.settings, process.n_classes)
    if field is None or features is None:
        return after, None
    moved = features @ gain.T
    return after, Field(
        field.mean + moved * short, np.maximum(field.variance - moved**2 / spread, 1e-12)
    )


def remove(
    process: Process, feature: Floats, votes: Floats, *, weight: float = 1.0,
    field: Field | None = None, features: Floats | None = None,
) -> tuple[Process, Field | None]:  # fmt: skip
    """Take back one label that was added with the same votes and weight (undo, correction)."""
    return add(process, feature, votes, weight=-weight, field=field, features=features)


def field_of(process: Process, features: Floats) -> Field:
    """Means and variances of the latent functions at each case, from nothing but the process."""
    variance = np.empty((len(features), len(process.mean)))
    for c in range(len(process.mean)):
        variance[:, c] = np.einsum("nm,nm->n", features @ process.covariance[c], features)
    return Field(features @ process.mean.T, np.maximum(variance, 1e-12))


def checked_votes(votes: Floats, n_labels: int, n_classes: int | None = None) -> Floats:
    """Votes as floats.

    Raises:
        InputError: shape, a negative or infinite vote, or a row without any vote.
    """
    votes = np.asarray(votes, dtype=np.float64)
    fits = votes.ndim == 2 and len(votes) == n_labels and votes.shape[1] >= 2
    if not fits or n_classes not in {None, votes.shape[1]}:
        rule = f"be ({n_labels}, {n_classes or 'classes >= 2'})"
        raise InputError("votes", rule, np.shape(votes))
    wrong = ~np.isfinite(votes).all(axis=1) | (votes < 0).any(axis=1) | (votes.sum(axis=1) <= 0)
    if wrong.any():
        rows = np.flatnonzero(wrong) + 1
        raise InputError(
            "votes", "be at least 0, finite, and above 0 for some class",
            votes[wrong][0].tolist(), rows=rows,
        )  # fmt: skip
    return votes


def one_hot(labels: Floats, n_classes: int) -> Floats:
    """Votes of hard labels 0 .. classes-1."""
    labels = np.asarray(labels)
    wrong = (labels < 0) | (labels >= n_classes) | (labels != np.floor(labels))
    if wrong.any():
        rows = np.flatnonzero(wrong) + 1
        raise InputError("label", f"be a class 0 .. {n_classes - 1}", labels[wrong][0], rows=rows)
    return np.eye(n_classes)[labels.astype(np.intp)]
