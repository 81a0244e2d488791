"""The process learns its own settings: noise, variance, length and temperature, in closed form.

Every label is predicted from all others (one eigendecomposition a class serves all variances),
and the settings under which the labels are least surprised are taken. Fixed settings are far too
sure of fine, noisily labelled grades.

Source:
    Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, 5.4.2 (leaving one out);
    Sundararajan & Keerthi 2001, Neural Computation 13:1103-1118 (choosing settings by it);
    Guo et al. 2017, ICML (temperature).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from overread.arrays import Floats
from overread.selection.belief import mean_of
from overread.selection.cuts import learned_cuts, learned_scale
from overread.selection.likelihood import Settings, targets
from overread.selection.process import Field, checked_votes

NOISES = (0.003, 0.01, 0.03, 0.1, 0.3)
VARIANCES = (0.25, 1.0, 4.0, 16.0, 64.0, 256.0)
TEMPERATURES = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
GRADE_NOISES = (0.1, 0.2, 0.4, 0.8)
GRADE_VARIANCES = (0.03, 0.1, 0.3, 1.0, 4.0, 16.0)
_FEWEST = 4
_PRIOR_SD = 0.5  # of log temperature, in units of one label


@dataclass(frozen=True, slots=True, eq=False)
class Tuning:
    """Settings and how well they predict labels that they have not seen.

    Args:
        settings: the best.
        loss: mean negative log probability of each label given all others, nats.
        left_out: (labels, classes) those probabilities.
    """

    settings: Settings
    loss: float
    left_out: Floats


def left_out_field(
    features: Floats, votes: Floats, settings: Settings, variances: Sequence[float],
    *, weight: Floats | None = None,
) -> list[Field]:  # fmt: skip
    """The latent functions at each label, given all other labels; one field a prior variance.

    Args:
        features: (labels, features); votes: (labels, classes).
        settings: their noise (and scores) hold; their variance does not.
        variances: of the prior; all from the same decomposition.
    """
    votes = checked_votes(votes, len(features))
    target, spread = targets(votes, settings)
    sure = (np.ones(len(votes)) if weight is None else weight)[:, None] / spread
    fields = [Field(np.empty_like(target), np.empty_like(target)) for _ in variances]
    for c in range(target.shape[1]):
        root = np.sqrt(sure[:, c])
        scaled = features * root[:, None]
        strength, turned, toward = _decomposed(scaled, root * target[:, c])
        for variance, field in zip(variances, fields, strict=True):
            shrunk = variance / (1 + variance * strength)
            lever = np.minimum((turned**2) @ shrunk, 1 - 1e-9)  # of the scaled label itself
            fitted = turned @ (shrunk * toward)
            rest = 1 - lever
            field.mean[:, c] = (fitted - lever * root * target[:, c]) / rest / root
            field.variance[:, c] = np.maximum(lever / rest / sure[:, c], 1e-12)
    return fields


def _decomposed(scaled: Floats, aim: Floats) -> tuple[Floats, Floats, Floats]:
    """Eigenvalues of the information, the labels in its axes, and the aim in them."""
    if len(scaled) < scaled.shape[1]:  # few labels: their own products are the smaller matrix
        value, vector = np.linalg.eigh(scaled @ scaled.T)
        value = np.maximum(value, 0)
        turned = vector * np.sqrt(value)
    else:
        value, vector = np.linalg.eigh(scaled.T @ scaled)
        value = np.maximum(value, 0)
        turned = scaled @ vector
    return value, turned, turned.T @ aim


def tuned(
    features: Floats, votes: Floats, start: Settings, *, weight: Floats | None = None,
    noises: Sequence[float] = NOISES, variances: Sequence[float] = VARIANCES,
) -> Tuning:  # fmt: skip
    """Noise, variance and temperature under which each label is best told by the others.

    Args:
        features: (labels, features) at ``start.length``; votes: (labels, classes).
        weight: (labels,) how much each label's prediction counts; 1 each by default.
        noises, variances: tried.
    Returns:
        The best settings. Fewer than 4 labels, or one class only so far, teach nothing: ``start``
        comes back, with the loss it has.
    """
    votes = checked_votes(votes, len(features))
    share = votes / votes.sum(axis=1, keepdims=True)
    counts = np.ones(len(votes)) if weight is None else weight / weight.mean()
    few = not teachable(votes)
    if few:
        noises, variances = (start.noise,), (start.variance,)
    factors = (start.temperature,) if few else TEMPERATURES
    if start.ordinal and not few:
        start = learned_scale(share, counts, start)
    tried: list[tuple[Tuning, Field]] = []
    for noise in noises:
        fields = left_out_field(features, votes, replace(start, noise=noise), variances)
        for variance, field in zip(variances, fields, strict=True):
            settings = replace(start, noise=noise, variance=variance)
            tried.append((_tempered(field, share, counts, settings, factors), field))
    best, field = min(tried, key=lambda one: one[0].loss)
    if few:
        return best
    if start.ordinal:
        best = replace(best, settings=learned_cuts(field, share, counts, best.settings))
    finer = best.settings.temperature * np.geomspace(0.75, 1.33, 9)
    return _tempered(field, share, counts, best.settings, finer)


def teachable(votes: Floats) -> bool:
    """At least 4 labels, of at least two classes: settings can be learned from them."""
    share = votes / votes.sum(axis=1, keepdims=True)
    return len(votes) >= _FEWEST and bool((share.sum(axis=0) > 0.5).sum() >= 2)


def neighbours(grid: Sequence[float], now: float) -> tuple[float, ...]:
    """The entry of a grid nearest to ``now`` and those beside it."""
    place = int(np.abs(np.log(np.asarray(grid) / now)).argmin())
    return tuple(grid[max(place - 1, 0) : place + 2])


def fair_weights(confidence: Floats, pool: Floats, *, strata: int = 10) -> Floats:
    """Weights that make labels chosen for being hard stand for the whole pool.

    The pool is cut into strata of equal size by its confidence; each label stands for its share
    of the stratum into which its own left-out confidence falls.

    Args:
        confidence: (labels,) of each label's class probabilities, given all other labels.
        pool: (cases,) of the pool.
        strata: at most; fewer while labels are few.
    Returns:
        (labels,) above 0, mean 1.
    Source:
        Shimodaira 2000, J. Stat. Plan. Inference 90:227-244 (covariate shift).
    """
    strata = int(np.clip(len(confidence) // 10, 1, strata))
    cuts = np.quantile(pool, np.arange(1, strata) / strata)
    wanted = np.bincount(np.searchsorted(cuts, pool), minlength=strata) / len(pool)
    own = np.searchsorted(cuts, confidence)
    have = (np.bincount(own, minlength=strata) + 0.5) / (len(confidence) + 0.5 * strata)
    weight = (wanted / have)[own] + 1e-3
    return np.asarray(weight / weight.mean())


def _tempered(
    field: Field, share: Floats, counts: Floats, settings: Settings,
    factors: Sequence[float] | Floats,
) -> Tuning:  # fmt: skip
    """Best temperature of a field; a weak prior around 1 holds it while labels are few."""
    tried: list[tuple[float, Tuning]] = []
    for factor in map(float, factors):
        mean = mean_of(field, replace(settings, temperature=factor))
        lost = -(share * np.log(np.maximum(mean, 1e-12))).sum(axis=1)
        loss = float(counts @ lost / counts.sum())
        held = 0.5 * (np.log(factor) / _PRIOR_SD) ** 2 / len(share)
        tried.append((loss + held, Tuning(replace(settings, temperature=factor), loss, mean)))
    return min(tried, key=lambda one: one[0])[1]
