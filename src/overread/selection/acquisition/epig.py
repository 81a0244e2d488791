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
_TARGETS = 64
_CANDIDATES = 600


def draws_of(
    process: Process, features: Floats, rng: np.random.Generator, *, draws: int = _DRAWS
) -> Floats:
    """Class probabilities under whole functions drawn from the process.

    Returns:
        (cases, draws, classes): the same draw is the same function at every case.
    """
    latent = np.empty((len(features), draws, len(process.mean)))
    for c in range(len(process.mean)):
        noise = rng.normal(size=(features.shape[1], draws))
        weights = process.mean[c][:, None] + _root(process.covariance[c]) @ noise
        latent[:, :, c] = features @ weights
    return chances(latent, process.settings)


def _root(covariance: Floats) -> Floats:
    """A matrix whose product with its own transpose is the covariance."""
    try:
        return np.asarray(np.linalg.cholesky(covariance))
    except np.linalg.LinAlgError:  # singular but for rounding: ten times slower, never refused
        value, vector = np.linalg.eigh(covariance)
        return np.asarray(vector * np.sqrt(np.maximum(value, 0)))


def information_between(sampled: Floats, others: Floats) -> Floats:
    """Mean over ``others`` of the mutual information of two labels, nats.

    Args:
        sampled: (cases, draws, classes); others: (targets, draws, classes), of the same draws.
    Returns:
        (cases,), at least 0.
    """
    n, draws, k = sampled.shape
    right = others.transpose(1, 0, 2).reshape(draws, -1)
    own, theirs = _entropy(sampled.mean(axis=1)), _entropy(others.mean(axis=1)).mean()
    found = np.empty(n)
    for block in blocks(n, 256):
        left = sampled[block].transpose(0, 2, 1).reshape(-1, draws)
        joint = left @ right / draws  # its margins are the means above: three entropies are all
        joint *= np.log(np.maximum(joint, 1e-300))
        both = -joint.reshape(-1, k, len(others) * others.shape[2]).sum(axis=(1, 2)) / len(others)
        found[block] = own[block] + theirs - both
    return np.maximum(found, 0)


def _entropy(mean: Floats) -> Floats:
    return np.asarray(-xlogy(mean, mean).sum(axis=-1))


def epig(view: View, count: int, rng: np.random.Generator) -> np.ndarray:
    """The open cases whose labels tell most about 64 cases of the pool taken by lot.

    The 600 open cases with the most uncertain model are looked at. Where the belief is not that
    of one process (several findings), what the label tells about the model stands in.

    Source:
        Bickford Smith et al. 2023, AISTATS, "Prediction-oriented Bayesian active learning", eq. 5.
    """
    from overread.selection.acquisition.scores import bald, best  # noqa: PLC0415

    rows = best(bald(view.belief), view, max(_CANDIDATES, count))
    if not view.single:
        return rows[:count]
    targets = np.sort(rng.permutation(len(view.open))[:_TARGETS])
    sampled = draws_of(view.process, view.features[np.r_[rows, targets]], rng)
    gain = information_between(sampled[: len(rows)], sampled[len(rows) :])
    return np.asarray(rows[np.argsort(-gain, kind="stable")[:count]])
