"""EPIG: what a label would tell about the labels of all other cases."""

from __future__ import annotations

import numpy as np
from scipy.special import xlogy

from overread.arrays import Floats
from overread.selection.acquisition.view import View
from overread.selection.basis import blocks
from overread.selection.likelihood import chances
from overread.selection.process import Process

_DRAWS = 100
_TARGETS = 100
_CANDIDATES = 4000


def draws_of(
    process: Process, features: Floats, rng: np.random.Generator, *, draws: int = _DRAWS
) -> Floats:
    """Class probabilities under whole functions drawn from the process.

    Returns:
        (cases, draws, classes): the same draw is the same function at every case.
    """
    latent = np.empty((len(features), draws, len(process.mean)))
    for c in range(len(process.mean)):
        value, vector = np.linalg.eigh(process.covariance[c])
        noise = rng.normal(size=(len(value), draws)) * np.sqrt(np.maximum(value, 0))[:, None]
        weights = process.mean[c][:, None] + vector @ noise
        latent[:, :, c] = features @ weights
    return chances(latent, process.settings)


def information_between(sampled: Floats, others: Floats) -> Floats:
    """Mean over ``others`` of the mutual information of two labels, nats.

    Args:
        sampled: (cases, draws, classes); others: (targets, draws, classes), of the same draws.
    Returns:
        (cases,), at least 0.
    """
    n, draws, k = sampled.shape
    right = others.transpose(1, 0, 2).reshape(draws, -1)
    own, theirs = sampled.mean(axis=1), others.mean(axis=1)
    found = np.empty(n)
    for block in blocks(n, 256):
        left = sampled[block].transpose(0, 2, 1).reshape(-1, draws)
        joint = (left @ right / draws).reshape(-1, k, len(others), k)
        apart = own[block][:, :, None, None] * theirs
        gain = xlogy(joint, np.maximum(joint, 1e-300)) - xlogy(joint, np.maximum(apart, 1e-300))
        found[block] = gain.sum(axis=(1, 3)).mean(axis=1)
    return np.maximum(found, 0)


def epig(view: View, count: int, rng: np.random.Generator) -> np.ndarray:
    """The open cases whose labels tell most about 100 cases of the pool taken by lot.

    Of a large pool the 4,000 open cases with the most uncertain model are looked at.

    Source:
        Bickford Smith et al. 2023, AISTATS, "Prediction-oriented Bayesian active learning", eq. 5.
    """
    from overread.selection.acquisition.scores import bald, best  # noqa: PLC0415

    rows = best(bald(view.belief), view, _CANDIDATES)
    targets = np.sort(rng.permutation(len(view.open))[:_TARGETS])
    sampled = draws_of(view.process, view.features[np.r_[rows, targets]], rng)
    gain = information_between(sampled[: len(rows)], sampled[len(rows) :])
    return np.asarray(rows[np.argsort(-gain, kind="stable")[:count]])
