"""Logistic regression on latents: the baseline, as standard active learning has it."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from overread.arrays import Floats
from overread.selection.process import checked_votes


def fit_logistic(latents: Floats, votes: Floats, *, penalty: float = 1.0) -> Floats:
    """Multinomial weights, with a ridge on all but the intercept.

    Args:
        latents: (labels, latents), best standardised; votes: (labels, classes).
        penalty: 1 / C of scikit-learn.
    Returns:
        (latents + 1, classes); the last row is the intercept.
    """
    votes = checked_votes(votes, len(latents))
    design = np.column_stack([latents, np.ones(len(latents))])
    shape = design.shape[1], votes.shape[1]
    held = np.r_[np.ones(shape[0] - 1), 0.0][:, None]

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(shape)
        score = design @ weights
        lost = -(votes * log_softmax(score, axis=1)).sum()
        slope = design.T @ (softmax(score, axis=1) * votes.sum(axis=1, keepdims=True) - votes)
        kept = held * weights
        total = lost + penalty / 2 * (kept * weights).sum()
        return float(total), np.asarray((slope + penalty * kept).ravel())

    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B")
    return np.asarray(found.x.reshape(shape))


def predict_logistic(weights: Floats, latents: Floats) -> Floats:
    """(cases, classes) probabilities."""
    return np.asarray(softmax(latents @ weights[:-1] + weights[-1], axis=1))
