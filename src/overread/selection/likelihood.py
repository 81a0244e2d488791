"""How labels speak of the latent functions, and these of labels: nominal classes and grades.

Nominal classes have one function each, seen through Dirichlet targets and a softmax. Grades have
one function for all, seen through normal scores and cut points, as an ordered probit.

Source:
    Milios et al. 2018, "Dirichlet-based Gaussian processes for large-scale calibrated
    classification", NeurIPS 31, eq. 4-6; Chu & Ghahramani 2005, JMLR 6:1019-1041 (grades).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import ndtr, ndtri, softmax

from overread.arrays import Floats
from overread.errors import InputError


@dataclass(frozen=True, slots=True)
class Settings:
    """What :func:`overread.selection.tune.tuned` learns from the labels.

    Args:
        noise: of nominal classes a_eps, the pseudo-votes that every class has before any label; of
            grades the variance of one vote.
        variance: of the prior of every weight; smaller trusts labels less.
        length: of the kernel, in units of the median distance between landmarks.
        temperature: above 1 sharper, below 1 softer probabilities.
        scores: of grades, where each lies on the latent scale, ascending; empty if nominal.
        cuts: of grades, the bounds between them, ascending.
        lapse: of grades, chance of any grade at all.
    """

    noise: float = 0.01
    variance: float = 16.0
    length: float = 0.7
    temperature: float = 1.0
    scores: tuple[float, ...] = ()
    cuts: tuple[float, ...] = ()
    lapse: float = 0.0

    def __post_init__(self) -> None:
        for name in ("noise", "variance", "length", "temperature"):
            if not 0 < getattr(self, name) < np.inf:
                raise InputError(name, "be above 0", getattr(self, name))
        if len(self.cuts) != max(len(self.scores) - 1, 0):
            raise InputError("cuts", "be one fewer than scores", len(self.cuts))
        if any(low >= high for low, high in pairwise(self.cuts)):
            raise InputError("cuts", "ascend", self.cuts)
        if not 0 <= self.lapse < 1:
            raise InputError("lapse", "be in [0, 1)", self.lapse)

    @property
    def ordinal(self) -> bool:
        """Grades, not nominal classes."""
        return bool(self.scores)

    def functions(self, n_classes: int) -> int:
        """Latent functions for so many classes.

        Raises:
            InputError: fewer than 2 classes, or not as many as the grades have scores.
        """
        if n_classes < 2:
            raise InputError("classes", "be at least 2", n_classes)
        if self.ordinal and len(self.scores) != n_classes:
            raise InputError("scores", f"be one for each of {n_classes} grades", len(self.scores))
        return 1 if self.ordinal else n_classes


def grades(n_classes: int, *, share: Floats | None = None) -> Settings:
    """Settings of grades, before they are learned.

    Args:
        share: (classes,) how common each grade is; equal by default.
    """
    if n_classes < 2:
        raise InputError("classes", "be at least 2", n_classes)
    cuts, scores = normal_scores(np.ones(n_classes) if share is None else share)
    return Settings(
        noise=0.4, variance=1.0, length=1.4, scores=tuple(scores.tolist()),
        cuts=tuple(cuts.tolist()), lapse=0.05,
    )  # fmt: skip


def normal_scores(share: Floats) -> tuple[Floats, Floats]:
    """Cut points and middles that a standard normal scale gives to grades of these shares."""
    part = (share + 1e-3) / (share + 1e-3).sum()
    up = np.cumsum(part)
    return np.asarray(ndtri(up[:-1])), np.asarray(ndtri(up - part / 2))


def targets(votes: Floats, settings: Settings) -> tuple[Floats, Floats]:
    """Regression targets of labels, and the variance of their noise.

    Args:
        votes: (labels, classes) reads of each class, each counting as its reader is reliable.
    Returns:
        target, variance; both (labels, functions). A hard nominal label at noise .01 gives
        (-.334142, .688184) in its class and (-6.912730, 4.615121) in the others.
    """
    if settings.ordinal:
        total = votes.sum(axis=1, keepdims=True)
        return votes @ np.array(settings.scores)[:, None] / total, settings.noise / total
    alpha = settings.noise + votes
    variance = np.log1p(1 / alpha)
    return np.asarray(np.log(alpha) - variance / 2), variance


def chances(latent: Floats, settings: Settings) -> Floats:
    """Class probabilities where the latent functions are known.

    Args:
        latent: (..., functions).
    Returns:
        (..., classes), sums 1.
    """
    if not settings.ordinal:
        return np.asarray(softmax(settings.temperature * latent, axis=-1))
    spread = np.sqrt(settings.noise) / settings.temperature
    inner = ndtr((np.array(settings.cuts) - latent) / spread)
    return lapsed(inner, settings.lapse)


def lapsed(below: Floats, lapse: float) -> Floats:
    """Chances of grades from the chances (..., grades - 1) to lie below each cut."""
    edge = np.zeros((*below.shape[:-1], 1))
    share = np.diff(np.concatenate([edge, below, edge + 1], axis=-1), axis=-1)
    return np.asarray((1 - lapse) * np.maximum(share, 0) + lapse / share.shape[-1])
