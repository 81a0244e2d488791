"""How informative each case is, from moments of its class probabilities: larger is asked first."""

from __future__ import annotations

import numpy as np
from scipy.special import betaln, digamma

from overread.arrays import Floats
from overread.selection.acquisition.view import View
from overread.selection.belief import Belief, entropy_of

_LEAST_MEAN, _LEAST_VARIANCE, _MOST_VARIANCE = 1e-9, 1e-12, 1 - 1e-3


def least_confidence(belief: Belief) -> Floats:
    """One minus the largest mean probability; in [0, 1 - 1/classes].

    Source:
        Lewis & Gale 1994, SIGIR.
    """
    return np.asarray(1 - belief.mean.max(axis=1))


def entropy(belief: Belief) -> Floats:
    """Entropy of the mean probabilities, nats; in [0, ln classes].

    Source:
        Shannon 1948; Dagan & Engelson 1995, ICML.
    """
    return entropy_of(belief.mean)


def margin(belief: Belief) -> Floats:
    """Minus the gap between the two most probable classes; in [-1, 0].

    Source:
        Scheffer et al. 2001, IDA.
    """
    top = np.partition(belief.mean, -2, axis=1)
    return np.asarray(top[:, -2] - top[:, -1])


def bald(belief: Belief) -> Floats:
    """Information of the label about the model, nats; at least 0.

    Source:
        Houlsby et al. 2011, arXiv:1112.5745.
    """
    return np.maximum(entropy_of(belief.mean) - belief.expected_entropy, 0.0)


def baba(belief: Belief) -> Floats:
    """Inverse balanced entropy under a Beta approximation; -inf where nothing is uncertain.

    Source:
        Woo 2021, arXiv:2105.14559 (BABA); Woo 2023, ICLR (balanced entropy).
    """
    return balanced_entropy_score(belief.mean, belief.variance)


def balanced_entropy_score(mean: Floats, variance: Floats) -> Floats:
    """BABA's score from the moments of each class probability.

    With a = m (m (1 - m) / v - 1), b likewise for 1 - m, and h+ the entropy of Beta(a + 1, b):
    MJEnt = sum m h+ + H(m), BalEnt = MJEnt / (H(m) + ln 2); the score is 1 / BalEnt if that is at
    least 0, else BalEnt itself.

    Args:
        mean, variance: (cases, classes).
    Returns:
        (cases,), larger is asked first; -inf where every variance is 0.
    """
    joint, total = marginal_joint_entropy(mean, variance)
    balanced = joint / (total + np.log(2))
    with np.errstate(divide="ignore"):
        score = np.where(balanced >= 0, 1 / np.abs(balanced), balanced)
    return np.asarray(np.where((variance > 0).any(axis=1), score, -np.inf))


def marginal_joint_entropy(mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """MJEnt and the entropy H of the mean, (cases,) nats each.

    MJEnt equals minus the sum over classes of the integral of p f(p) ln(p f(p)), f the density of
    that class's Beta.
    """
    m = np.clip(mean, _LEAST_MEAN, 1 - _LEAST_MEAN)
    v = np.clip(variance, _LEAST_VARIANCE, m * (1 - m) * _MOST_VARIANCE)
    times = m * (1 - m) / v - 1
    a, b = m * times, (1 - m) * times
    inner = (
        betaln(a + 1, b) - a * digamma(a + 1) - (b - 1) * digamma(b)
        + (a + b - 1) * digamma(a + b + 1)
    )  # fmt: skip
    total = -(m * np.log(m)).sum(axis=1)
    return np.asarray((m * np.minimum(inner, 0)).sum(axis=1) + total), np.asarray(total)


def soft_ranked(score: Floats, rng: np.random.Generator, *, strength: float = 1.0) -> Floats:
    """Scores for parallel readers: -ln rank plus Gumbel noise, so that not all get the same cases.

    Args:
        score: (cases,), larger first; -inf stays -inf.
        strength: of the order against the noise; 0 is random, large is the order itself.
    Source:
        Kirsch et al. 2023, TMLR, "Stochastic batch acquisition" (softrank).
    """
    rank = np.empty(len(score))
    rank[np.argsort(-score, kind="stable")] = np.arange(1, len(score) + 1)
    noisy = -strength * np.log(rank) + rng.gumbel(size=len(score))
    return np.where(np.isneginf(score), -np.inf, noisy)


def best(score: Floats, view: View, count: int) -> np.ndarray:
    """Rows of the open cases with the largest scores, best first; ties in row order."""
    rows = np.flatnonzero(view.open)
    order = np.argsort(-score[rows], kind="stable")
    return np.asarray(rows[order[:count]])
