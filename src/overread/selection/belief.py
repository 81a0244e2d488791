"""What the process believes about the class of each case: moments of the posterior of p.

The class probabilities p of a case are uncertain themselves. Their mean, their variance and the
entropy expected under them serve all acquisition functions that look at one case at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtr, ndtri, xlogy

from overread.arrays import Floats, frozen
from overread.errors import InputError
from overread.selection.likelihood import Settings, chances, lapsed
from overread.selection.process import Field

SAMPLES = 32


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """Moments of the class probabilities of each case.

    Args:
        mean: (cases, classes), rows sum to 1.
        variance: (cases, classes), of single probabilities.
        expected_entropy: (cases,) nats.
    """

    mean: Floats
    variance: Floats
    expected_entropy: Floats


@lru_cache(maxsize=16)
def normals(n_classes: int, samples: int = SAMPLES) -> Floats:
    """(samples, classes) standard normal values, spread evenly (Sobol) and always the same."""
    from scipy.stats import qmc  # noqa: PLC0415 - half a second to import

    points = qmc.Sobol(n_classes, scramble=True, rng=20211130).random(samples)
    found = ndtri(np.clip(points, 1e-6, 1 - 1e-6))
    return frozen(np.asarray((found - found.mean(axis=0)) / found.std(axis=0)))


def samples_of(field: Field, settings: Settings, *, samples: int = SAMPLES) -> Floats:
    """Class probabilities sampled case by case: (cases, samples, classes)."""
    eps = normals(field.mean.shape[1], samples)
    latent = field.mean[:, None, :] + np.sqrt(field.variance)[:, None, :] * eps
    return chances(latent, settings)


def belief_of_samples(sampled: Floats) -> Belief:
    """Moments of sampled class probabilities (cases, samples, classes); at least 2 samples."""
    if sampled.ndim != 3 or sampled.shape[1] < 2 or sampled.shape[2] < 2:
        rule = "be (cases, samples >= 2, classes >= 2)"
        raise InputError("sampled probabilities", rule, sampled.shape)
    entropy = -xlogy(sampled, sampled).sum(axis=2).mean(axis=1)
    return Belief(sampled.mean(axis=1), sampled.var(axis=1, ddof=1), entropy)


def belief_of(field: Field, settings: Settings, *, samples: int = SAMPLES) -> Belief:
    """Moments of the class probabilities under the field: those of :func:`samples_of`, at once."""
    from overread.selection.kernels import grade_moments, moments  # noqa: PLC0415 - numba

    eps = normals(field.mean.shape[1], samples)
    spread = np.sqrt(field.variance)
    if settings.ordinal:
        noise = np.sqrt(settings.noise) / settings.temperature
        mean, deviation = np.ascontiguousarray(field.mean[:, 0]), spread[:, 0].copy()
        cuts = np.array(settings.cuts)
        return Belief(*grade_moments(mean, deviation, eps[:, 0], cuts, noise, settings.lapse))
    sharp = settings.temperature
    centre, spread = np.ascontiguousarray(sharp * field.mean), np.ascontiguousarray(sharp * spread)
    return Belief(*moments(centre, spread, eps))


def mean_of(field: Field, settings: Settings) -> Floats:
    """(cases, classes) mean class probabilities; of grades in closed form."""
    if not settings.ordinal:
        return belief_of(field, settings).mean
    noise = settings.noise / settings.temperature**2
    below = ndtr((np.array(settings.cuts) - field.mean) / np.sqrt(field.variance + noise))
    return lapsed(below, settings.lapse)


def entropy_of(mean: Floats) -> Floats:
    """(cases,) entropy of the mean probabilities, nats."""
    return np.asarray(-xlogy(mean, mean).sum(axis=-1))
