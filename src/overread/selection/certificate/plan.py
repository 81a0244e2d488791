"""Which labels to put to the audit, and how large it should be, told from labels at hand.

An audit of n cases shows a target only where the labels err much less: of labels that err in half
of the target, most small audits find too many. So the smallest set that is tested is the one that
the audit at hand is likely to pass; larger sets follow in a fixed order, at no price, until one
fails (:func:`overread.selection.certificate.certify.certify`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import bdtr
from scipy.stats import binom

from overread.arrays import Bools, Floats, Ints, digest
from overread.errors import InputError
from overread.selection.certificate.bounds import check_confidence
from overread.selection.certificate.freeze import Frozen, ratios_of_classes

SIZES = (60, 100, 150, 200, 300, 450, 650, 900, 1300, 1800, 2500)
_STEPS = 24  # nested sets that are looked at
_TIERS = 12  # that are frozen, at most
_DRAWS = 32
_SHY = 0.05  # a set this unlikely to pass is not put to the audit


@dataclass(frozen=True, slots=True, eq=False)
class AuditPlan:
    """Labels frozen for an audit of a given size.

    Args:
        frozen: tiers, the one most likely to pass first.
        audited: cases to audit, the first of :func:`certify.audit_order`; 0 where no audit pays.
        chance: that the smallest tier passes.
        accepted: labels expected to be certified.
    """

    frozen: Frozen
    audited: int
    chance: float
    accepted: float


def plan_audit(
    rows: Ints, probabilities: Floats, *, target: float, known_confidence: Floats,
    known_right: Bools, known_weight: Floats | None = None, known_label: Ints | None = None,
    most_audited: int = 1000, reviews_an_audit: float = 0.0, confidence: float = 0.95,
    seed: int = 0,
) -> AuditPlan:  # fmt: skip
    """Freeze the labels, in tiers that an audit can bear, and say how large it should be.

    How often the model errs at each confidence, and how much more in one class than in another,
    is drawn from the known labels (a Bayesian bootstrap of isotonic curves; ratios of classes), so
    that few known labels count as what they are: doubt. Sets are nested by the error expected: a
    class in which the model errs more is accepted from a higher confidence on, or not at all. Of
    all sizes and smallest sets the pair is taken that is expected to certify most labels, each
    audited case priced at ``reviews_an_audit``.

    Args:
        rows, probabilities, target, known_confidence, known_right, known_weight, known_label: as of
            :func:`overread.selection.certificate.freeze.freeze`.
        most_audited: cases that may be audited.
        reviews_an_audit: seconds of a blind read over seconds of a review: 600 / 20 is 30. With 0
            an audit costs nothing, and the size is the one that certifies most.
        confidence: of the certificate to come.
        seed: of the bootstrap.
    Source:
        Rubin 1981, Ann. Statist. 9:130-134 (Bayesian bootstrap); Zadrozny & Elkan 2002, KDD
        (isotonic calibration); Maurer, Hothorn & Lehmacher 1995 (fixed-sequence testing).
    """
    check_confidence(confidence)
    if not 0 < target < 0.5:
        raise InputError("target", "be in (0, 0.5)", target)
    if len(rows) != len(probabilities) or len(known_confidence) != len(known_right):
        raise InputError("rows, probabilities and known cases", "fit each other", "other lengths")
    if most_audited < 0 or reviews_an_audit < 0:
        got = f"{most_audited} and {reviews_an_audit}"
        raise InputError("cases audited and their price", "be at least 0", got)
    sure, label = probabilities.max(axis=1), probabilities.argmax(axis=1)
    rng = np.random.default_rng(seed)
    error = error_draws(
        sure, known_confidence, known_right, known_weight, rng,
        label=label, known_label=known_label,
    )  # fmt: skip
    order = np.lexsort((label, -sure, error.mean(axis=0)))
    ends = _ends(sure[order], label[order])
    share = np.cumsum(error[:, order], axis=1)[:, ends - 1] / ends
    best: _Choice | None = None
    for size in (s for s in SIZES if s <= min(most_audited, len(rows))):
        passes = _chances(share, ends, size, target, confidence)
        found = _best_tiers(passes, ends, size, reviews_an_audit)
        if found is not None and (best is None or found.worth > best.worth):
            best = found
    return _frozen_plan(rows, probabilities, order, ends, best)


def error_draws(
    confidence: Floats, known_confidence: Floats, known_right: Bools, weight: Floats | None,
    rng: np.random.Generator, *, label: Ints | None = None, known_label: Ints | None = None,
    draws: int = _DRAWS,
) -> Floats:  # fmt: skip
    """Plausible shares of errors at each confidence; within a class no draw rises with confidence.

    Half an error more than seen is assumed among the surest (Jeffreys): none in 40 is not never.

    Args:
        confidence, known_confidence, known_right, weight, label, known_label: as of
            :func:`overread.selection.certificate.freeze.expected_errors`.
    Returns:
        (draws, cases).
    """
    if not len(known_confidence):
        return np.tile(1 - confidence, (draws, 1))
    weight = np.ones(len(known_right)) if weight is None else weight
    order = np.argsort(known_confidence, kind="stable")
    at = np.r_[known_confidence[order], 1.0]
    wrong = np.r_[1.0 - known_right[order], 1.0]
    each = np.r_[weight[order] / weight.mean(), 0.5]
    place = np.minimum(np.searchsorted(at, confidence, side="right"), len(at) - 1)
    place = np.maximum(place - 1, 0)
    found = np.empty((draws, len(confidence)))
    for draw in range(draws):
        share = np.maximum(rng.gamma(each), 1e-12)
        curve = isotonic_regression(wrong, weights=share, increasing=False).x
        found[draw] = curve[place]
    if label is not None and known_label is not None:
        ratios = ratios_of_classes(label, known_confidence, known_right, weight, known_label)
        found *= ratios.drawn(draws, rng)[:, label]
    return np.clip(found, 0, 1)


@dataclass(frozen=True, slots=True)
class _Choice:
    first: int
    last: int
    size: int
    chance: float
    accepted: float
    worth: float


def _ends(sure: Floats, label: Ints) -> Ints:
    """Sizes of nested sets; equal confidences of one class stay together."""
    n = len(sure)
    other = (sure[1:] != sure[:-1]) | (label[1:] != label[:-1])
    last = np.flatnonzero(np.r_[other, True]) + 1
    wanted = np.unique(np.linspace(n / _STEPS, n, _STEPS).round().astype(np.int64))
    return np.unique(last[np.searchsorted(last, wanted)])


def _chances(share: Floats, ends: Ints, size: int, target: float, confidence: float) -> Floats:
    """(loosest, set) chance that each set passes when the audit is drawn from a looser one."""
    own = np.tril((size * ends[None, :] / ends[:, None]).astype(np.int64))
    most = allowed_errors(own, target, confidence)
    passes = bdtr(np.maximum(most, 0)[..., None], own[..., None], share.T).mean(axis=-1)
    return np.asarray(np.where(most >= 0, passes, 0.0))


def allowed_errors(audited: Ints, target: float, confidence: float) -> Ints:
    """Most errors among so many audited cases that still show the target; -1 if none does."""
    alpha = 1 - confidence
    most = np.asarray(binom.ppf(alpha, audited, target)).astype(np.int64)
    return np.where(bdtr(np.maximum(most, 0), audited, target) <= alpha, most, most - 1)


def _best_tiers(passes: Floats, ends: Ints, size: int, price: float) -> _Choice | None:
    best: _Choice | None = None
    steps = np.diff(ends)
    for loosest in range(len(ends)):
        for first in range(loosest + 1):
            chain = np.minimum.accumulate(passes[loosest, first : loosest + 1])
            accepted = float(chain[0] * ends[first] + chain[1:] @ steps[first:loosest])
            worth = accepted - price * size
            if chain[-1] >= _SHY and worth > (best.worth if best else 0):
                best = _Choice(first, loosest, size, float(chain[0]), accepted, worth)
    return best


def _frozen_plan(
    rows: Ints, probabilities: Floats, order: Ints, ends: Ints, best: _Choice | None
) -> AuditPlan:
    label, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    tier = np.full(len(rows), -1, dtype=np.int64)
    if best is None:
        nothing = np.full((1, probabilities.shape[1]), 2.0)
        frozen = Frozen(rows, label, tier, nothing, digest(rows, label, tier, nothing))
        return AuditPlan(frozen, 0, 0.0, 0.0)
    several = np.linspace(best.first, best.last, min(_TIERS, best.last - best.first + 1))
    sizes = ends[np.unique(several.round().astype(np.int64))]
    thresholds = np.full((len(sizes), probabilities.shape[1]), 2.0)
    for step in reversed(range(len(sizes))):
        inside = order[: sizes[step]]
        tier[inside] = step
        np.minimum.at(thresholds[step], label[inside], confidence[inside])
    frozen = Frozen(rows, label, tier, thresholds, digest(rows, label, tier, thresholds))
    return AuditPlan(frozen, best.size, best.chance, best.accepted)
