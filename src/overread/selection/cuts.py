"""Grades learn where they lie on the latent scale, and where one ends and the next begins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import ndtr

from overread.arrays import Floats
from overread.selection.likelihood import Settings, lapsed, normal_scores
from overread.selection.process import Field

_HELD = 0.3  # sd by which a cut or a log gap moves from where the shares put it, with one label


def learned_scale(share: Floats, counts: Floats, settings: Settings) -> Settings:
    """Normal scores of the grades as common as they are; a lapse that falls as labels come.

    Args:
        share: (labels, grades) of the votes; counts: (labels,) what each label stands for.
    """
    n, k = share.shape
    common = (share * counts[:, None]).sum(axis=0) + 0.5
    cuts, scores = normal_scores(common / common.sum())
    lapse = k / (2 * n + k)
    return replace(settings, scores=tuple(scores.tolist()), cuts=tuple(cuts.tolist()), lapse=lapse)


def learned_cuts(field: Field, share: Floats, counts: Floats, settings: Settings) -> Settings:
    """Cut points under which the labels, each left out, are least surprised.

    Args:
        field: of each label given all others.
    """
    spread = np.sqrt(field.variance[:, 0] + settings.noise / settings.temperature**2)
    start = np.r_[settings.cuts[0], np.log(np.diff(settings.cuts))]
    part = counts / counts.sum()
    free = _HELD**2 * len(share)

    def cuts_of(x: Floats) -> Floats:
        return np.asarray(x[0] + np.r_[0.0, np.cumsum(np.exp(np.clip(x[1:], -8, 4)))])

    def loss(x: Floats) -> float:
        below = ndtr((cuts_of(x) - field.mean) / spread[:, None])
        chance = lapsed(below, settings.lapse)
        lost = -(share * np.log(np.maximum(chance, 1e-12))).sum(axis=1)
        return float(part @ lost + 0.5 * ((x - start) ** 2).sum() / free)

    found = minimize(loss, start, method="L-BFGS-B")
    return replace(settings, cuts=tuple(cuts_of(found.x).tolist()))
