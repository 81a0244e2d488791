"""The process learns its own settings: noise, variance, length and temperature, in closed form.

Every label is predicted from all others (one eigendecomposition a class serves all variances),
and settings count by how little the labels surprise them. Fixed settings are far too sure of fine,
noisily labelled grades.

Source:
    Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, 5.4.2 (leaving one out);
    Sundararajan & Keerthi 2001, Neural Computation 13:1103-1118 (choosing settings by it);
    Guo et al. 2017, ICML (temperature).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from overread.arrays import Bools, Floats
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
_AVERAGED = ("noise", "variance", "length", "temperature")


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


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """Settings, and how surprised they are by labels that they have not seen.

    Args:
        settings: tried. losses: (settings,) mean nats a label.
    """

    settings: tuple[Settings, ...]
    losses: Floats


def tried_settings(
    features: Floats, votes: Floats, start: Settings, *, weight: Floats | None = None,
    noises: Sequence[float] = NOISES, variances: Sequence[float] = VARIANCES,
) -> Tried:  # fmt: skip
    """Try each noise, variance and temperature: each label is predicted from all others.

    Args:
        features: (labels, features) at ``start.length``; votes: (labels, classes).
        weight: (labels,) how much each label's prediction counts; 1 each by default.
        noises, variances: tried.
    """
    share, counts = _shares(votes), _counts(votes, weight)
    made: list[Settings] = []
    losses: list[float] = []
    for noise in noises:
        fields = left_out_field(features, votes, replace(start, noise=noise), variances)
        for variance, field in zip(variances, fields, strict=True):
            settings = replace(start, noise=noise, variance=variance)
            for factor in TEMPERATURES:
                one = replace(settings, temperature=factor)
                made.append(one)
                losses.append(_lost(field, share, counts, one)[0])
    return Tried(tuple(made), np.array(losses))


def averaged(tried: Sequence[Tried], labels: int) -> Settings:
    """The mean of all settings tried, each as likely as it makes the labels.

    While labels are few many settings do as well, and the best of them is best by luck: it
    jumps from one tuning to the next. The mean of logs does not, and many labels give the best.

    Args:
        tried: at one or several lengths. labels: how many there are.
    Source:
        MacKay 1992, Neural Computation 4:448-472 (settings weighed by the evidence);
        Vehtari et al. 2017, Statistics and Computing 27:1413-1432 (its stand-in, leaving one out).
    """
    every = [one for some in tried for one in some.settings]
    logs = np.log([[getattr(one, name) for name in _AVERAGED] for one in every])
    # a weak prior around temperature 1 holds it while labels are few
    doubt = labels * np.concatenate([some.losses for some in tried])
    doubt += 0.5 * (logs[:, _AVERAGED.index("temperature")] / _PRIOR_SD) ** 2
    part = np.exp(doubt.min() - doubt)
    noise, variance, length, temperature = map(float, np.exp(part @ logs / part.sum()))
    return replace(every[0], noise=noise, variance=variance, length=length, temperature=temperature)


def finished(
    features: Floats, votes: Floats, settings: Settings, *, weight: Floats | None = None,
    judges: Bools | None = None,
) -> Tuning:  # fmt: skip
    """Learn cuts of grades and the last of the temperature at settings that are found.

    Args:
        features: (labels, features) at ``settings.length``; votes, weight: as of
            :func:`tried_settings`.
        judges: (labels,) those by which cuts and temperature are judged, all of them by default.
            Where latents were learned from the others, these look easier than cases will be:
            temperatures are then tried as widely as at first.
    """
    share, counts = _shares(votes), _counts(votes, weight)
    (field,) = left_out_field(features, votes, settings, (settings.variance,))
    if not teachable(votes):
        return _tempered(field, share, counts, settings, (settings.temperature,))
    finer = np.geomspace(0.75, 1.33, 9)
    if judges is None:
        seen = field
    else:
        seen = Field(field.mean[judges], field.variance[judges])
        share, counts = share[judges], counts[judges]
        finer = np.geomspace(0.25, 2.83, 29)
    if settings.ordinal:
        settings = learned_cuts(seen, share, counts, settings)
    found = _tempered(seen, share, counts, settings, settings.temperature * finer)
    return found if judges is None else replace(found, left_out=mean_of(field, found.settings))


def at_start(votes: Floats, start: Settings, *, weight: Floats | None = None) -> Settings:
    """Settings to try others from: of grades with the scale that the labels give them."""
    if not start.ordinal:
        return start
    return learned_scale(_shares(votes), _counts(votes, weight), start)


def _shares(votes: Floats) -> Floats:
    return np.asarray(votes / votes.sum(axis=1, keepdims=True))


def _counts(votes: Floats, weight: Floats | None) -> Floats:
    return np.ones(len(votes)) if weight is None else np.asarray(weight / weight.mean())


def teachable(votes: Floats) -> bool:
    """At least 4 labels, of at least two classes: settings can be learned from them."""
    share = votes / votes.sum(axis=1, keepdims=True)
    return len(votes) >= _FEWEST and bool((share.sum(axis=0) > 0.5).sum() >= 2)


def neighbours(grid: Sequence[float], now: float) -> tuple[float, ...]:
    """The entry of a grid nearest to ``now`` and those beside it."""
    place = int(np.abs(np.log(np.asarray(grid) / now)).argmin())
    return tuple(grid[max(place - 1, 0) : place + 2])


def fair_weights(
    confidence: Floats, pool: Floats, *, strata: int = 10, ordinal: bool = False
) -> Floats:
    """Weights that make labels chosen for being hard stand for the whole pool.

    The pool is cut into strata of equal size by its confidence; each label stands for its share
    of the stratum into which its own left-out confidence falls. Grades take the square root:
    neighbours are confused everywhere, so hard cases differ less from the others than classes do,
    and the spread of full weights costs more than they put right (measured in
    docs/methods/selection-process.md).

    Args:
        confidence: (labels,) of each label's class probabilities, given all other labels.
        pool: (cases,) of the pool.
        strata: at most; fewer while labels are few.
        ordinal: the classes are grades.
    Returns:
        (labels,) above 0, mean 1.
    Source:
        Shimodaira 2000, J. Stat. Plan. Inference 90:227-244 (covariate shift, also with weights
        to a power between 0 and 1).
    """
    strata = int(np.clip(len(confidence) // 10, 1, strata))
    cuts = np.quantile(pool, np.arange(1, strata) / strata)
    wanted = np.bincount(np.searchsorted(cuts, pool), minlength=strata) / len(pool)
    own = np.searchsorted(cuts, confidence)
    have = (np.bincount(own, minlength=strata) + 0.5) / (len(confidence) + 0.5 * strata)
    weight = (wanted / have)[own] + 1e-3
    weight = np.sqrt(weight) if ordinal else weight
    return np.asarray(weight / weight.mean())


def _tempered(
    field: Field, share: Floats, counts: Floats, settings: Settings,
    factors: Sequence[float] | Floats,
) -> Tuning:  # fmt: skip
    """Best temperature of a field; a weak prior around 1 holds it while labels are few."""
    tried: list[tuple[float, Tuning]] = []
    for factor in map(float, factors):
        one = replace(settings, temperature=factor)
        loss, mean = _lost(field, share, counts, one)
        held = 0.5 * (np.log(factor) / _PRIOR_SD) ** 2 / len(share)
        tried.append((loss + held, Tuning(one, loss, mean)))
    return min(tried, key=lambda one: one[0])[1]


def _lost(field: Field, share: Floats, counts: Floats, settings: Settings) -> tuple[float, Floats]:
    """Mean nats a label, and the class probabilities of each."""
    mean = mean_of(field, settings)
    lost = -(share * np.log(np.maximum(mean, 1e-12))).sum(axis=1)
    return float(counts @ lost / counts.sum()), mean
