"""How good a consensus of classes is, where the truth is known: accuracy and honesty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from overread.arrays import Floats, Ints
from overread.consensus.case_bootstrap import percentile_ends
from overread.consensus.result import ClassConsensus, Consensus
from overread.errors import InputError, MethodError

CLIP = 1e-12
"""A probability of the truth counts as at least this in the negative log likelihood."""

MEASURES = ("accuracy", "balanced_accuracy", "nll", "brier", "ece")


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Reliability curve: what was said against what came true, in bins of equal mass.

    Args:
        confidence: (bins,) mean probability of the consensus class.
        accuracy: (bins,) share of cases whose consensus class is the truth.
        cases: (bins,) number of cases.
    """

    confidence: Floats
    accuracy: Floats
    cases: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """A consensus against the truth. Intervals are by bootstrap over cases.

    Args:
        accuracy: share of cases whose consensus class is the truth.
        balanced_accuracy: mean recall over the classes that occur in the truth.
        nll: mean -log p(truth) in nats; p counts as at least :data:`CLIP`.
        brier: mean over cases of sum_k (p_k - [truth is k])^2, in 0 .. 2.
        ece: expected calibration error of the consensus class: sum over equal-mass bins of
            share x |accuracy - mean confidence|.
        recall: (classes,) share of the cases of each true class found; nan where none occurs.
        curve: behind ``ece``.
        low, high: measure -> end of the interval.
        level: nominal coverage of the intervals.
        n_cases: cases with truth and consensus.
    """

    accuracy: float
    balanced_accuracy: float
    nll: float
    brier: float
    ece: float
    recall: Floats
    curve: Curve
    low: dict[str, float]
    high: dict[str, float]
    level: float
    n_cases: int


@dataclass(frozen=True, slots=True, eq=False)
class SetScore:
    """A consensus of sets of classes against the truth: each class, and the mean over classes.

    Args:
        accuracy, balanced_accuracy, nll, brier, ece: as in :class:`Score`; mean over the classes
            whose truth is known (macro).
        low, high: measure -> end of the interval of these means; a bootstrap over cases draws all
            classes of a case together.
        level: nominal coverage of the intervals.
        n_cases: cases of which the truth of some class is known.
        by_class: class -> its score, without those of which nothing is known.
    """

    accuracy: float
    balanced_accuracy: float
    nll: float
    brier: float
    ece: float
    low: dict[str, float]
    high: dict[str, float]
    level: float
    n_cases: int
    by_class: dict[str, Score]


def score(
    consensus: Consensus[ClassConsensus] | Floats,
    truth: Ints,
    *,
    bins: int = 15,
    debiased: bool = False,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Score:
    """Score a consensus, or a posterior, against the truth.

    Args:
        consensus: the result, or its posterior (cases, classes). The class of a bare posterior is
            its most probable one, the first of equals.
        truth: (cases,) codes, -1 where unknown: these cases are left out, and so are cases
            without consensus.
        bins: of equal mass, for ``ece`` and ``curve``; fewer where there are fewer cases.
        debiased: take from the squared gap of each bin the part that chance alone makes.
        draws: of the bootstrap; 0 for no intervals.
        level: of the intervals.
        seed: of the bootstrap.
    Raises:
        InputError: shapes that do not fit, or an unknown truth code.
        MethodError: no case has both truth and consensus.
    Source:
        Naeini et al. 2015, AAAI (ECE); Kumar et al. 2019, NeurIPS (debiasing).
    Example:
        >>> score(np.array([[0.9, 0.1], [0.4, 0.6]]), np.array([0, 0]), draws=0).accuracy
        0.5
    """
    if isinstance(consensus, Consensus):
        posterior, code = consensus.posterior, np.asarray(consensus.value.code)
    else:
        posterior = np.asarray(consensus, dtype=np.float64)
        code = posterior.argmax(axis=1)
    _check(posterior, truth)
    used = (np.asarray(truth) >= 0) & (code >= 0)
    if not used.any():
        raise MethodError("no case has both a truth and a consensus, so there is nothing to score")
    parts = _Parts(posterior[used], code[used], np.asarray(truth)[used], bins, debiased)
    low, high = _intervals(parts, draws, level, np.random.default_rng(seed))
    return _scored(parts, low, high, level)


def score_sets(
    parts: Mapping[str, Consensus[ClassConsensus]],
    truth: Ints,
    *,
    bins: int = 15,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> SetScore:
    """Score the consensus of each class of a multi-label table, and their mean.

    Args:
        parts: class -> consensus of "absent" (0) and "present" (1), all over the same cases.
        truth: (cases, classes) 1, 0 or -1 (unknown), in the order of ``parts``.
        bins, draws, level, seed: as in :func:`score`.
    Raises:
        InputError: shapes that do not fit, or an unknown truth code.
        MethodError: no case has both truth and consensus.
    """
    if truth.ndim != 2 or truth.shape[1] != len(parts):
        raise InputError("truth", f"have {len(parts)} columns, one a class", np.shape(truth))
    known: dict[str, _Parts] = {}
    place = []  # of each known class: (cases,) row among its scored cases, -1 elsewhere
    for (name, one), right in zip(parts.items(), truth.T, strict=True):
        _check(one.posterior, right)
        used = (right >= 0) & (one.value.code >= 0)
        if used.any():
            known[name] = _Parts(
                one.posterior[used], one.value.code[used], right[used], bins, debiased=False
            )
            place.append(np.where(used, np.cumsum(used) - 1, -1))
    if not known:
        raise MethodError("no case has both a truth and a consensus, so there is nothing to score")
    at = np.array(place)
    some = np.flatnonzero((at >= 0).any(axis=0))
    drawn = _draw_sets(list(known.values()), at[:, some], draws, np.random.default_rng(seed))
    figures = np.array([_measures(one, np.arange(one.truth.size)) for one in known.values()])
    low, high = _ends(_mean(drawn), level)
    accuracy, balanced, nll, brier, ece = _mean(figures[None])[0].tolist()
    return SetScore(
        accuracy=accuracy,
        balanced_accuracy=balanced,
        nll=nll,
        brier=brier,
        ece=ece,
        low=low,
        high=high,
        level=level,
        n_cases=int(some.size),
        by_class={
            name: _scored(one, *_ends(drawn[:, number], level), level)
            for number, (name, one) in enumerate(known.items())
        },
    )


def _draw_sets(parts: list[_Parts], at: Ints, draws: int, rng: np.random.Generator) -> Floats:
    """(draws, classes, measures); nan where no case of a class is drawn."""
    found = np.full((draws, len(parts), len(MEASURES)), np.nan)
    n = at.shape[1]
    for draw in range(draws):
        cases = rng.integers(0, n, n)
        for number, one in enumerate(parts):
            rows = at[number, cases]
            rows = rows[rows >= 0]
            if rows.size:
                found[draw, number] = _measures(one, rows)
    return found


def _mean(figures: Floats) -> Floats:
    """(draws, measures) mean over the classes that have one."""
    known = ~np.isnan(figures)
    total, count = np.where(known, figures, 0).sum(axis=1), known.sum(axis=1)
    mean: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def _ends(drawn: Floats, level: float) -> tuple[dict[str, float], dict[str, float]]:
    if not len(drawn):
        return {}, {}
    low, high = (
        dict(zip(MEASURES, e.tolist(), strict=True)) for e in percentile_ends(drawn, level)
    )
    return low, high


def _scored(parts: _Parts, low: dict[str, float], high: dict[str, float], level: float) -> Score:
    posterior, code, truth = parts.posterior, parts.code, parts.truth
    accuracy, balanced, nll, brier, ece = _measures(parts, np.arange(truth.size)).tolist()
    return Score(
        accuracy=accuracy,
        balanced_accuracy=balanced,
        nll=nll,
        brier=brier,
        ece=ece,
        recall=_recall(code == truth, truth, posterior.shape[1]),
        curve=reliability_curve(posterior.max(axis=1), code == truth, bins=parts.bins),
        low=low,
        high=high,
        level=level,
        n_cases=int(truth.size),
    )


def reliability_curve(confidence: Floats, right: Ints, *, bins: int = 15) -> Curve:
    """Sort cases by confidence and cut them into bins of equal numbers.

    Args:
        confidence: (cases,) probability of the answer.
        right: (cases,) 1 or true where the answer is right.
    """
    order = np.argsort(confidence, kind="stable")
    edges = np.linspace(0, order.size, min(bins, order.size) + 1).round().astype(np.int64)
    cases = np.diff(edges)
    mean = [
        np.add.reduceat(np.asarray(column, dtype=np.float64)[order], edges[:-1]) / cases
        for column in (confidence, right)
    ]
    return Curve(mean[0], mean[1], cases)


def calibration_error(curve: Curve, *, debiased: bool = False) -> float:
    """Expected calibration error of a curve: share-weighted mean of |accuracy - confidence|.

    ``debiased`` subtracts the sampling variance of each bin from its squared gap (at least 0).
    """
    gap = np.abs(curve.accuracy - curve.confidence)
    if debiased:
        noise = curve.accuracy * (1 - curve.accuracy) / np.maximum(curve.cases - 1, 1)
        gap = np.sqrt(np.maximum(gap**2 - noise, 0.0))
    return float((curve.cases * gap).sum() / curve.cases.sum())


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    posterior: Floats
    code: Ints
    truth: Ints
    bins: int
    debiased: bool


def _measures(parts: _Parts, rows: Ints) -> Floats:
    posterior, truth = parts.posterior[rows], parts.truth[rows]
    right = parts.code[rows] == truth
    chance = posterior[np.arange(rows.size), truth]
    recall = _recall(right, truth, posterior.shape[1])
    curve = reliability_curve(posterior.max(axis=1), right, bins=parts.bins)
    return np.array(
        [
            right.mean(),
            np.nanmean(recall),
            -np.log(np.clip(chance, CLIP, 1.0)).mean(),
            ((posterior**2).sum(axis=1) - 2 * chance + 1).mean(),
            calibration_error(curve, debiased=parts.debiased),
        ]
    )


def _recall(right: Ints, truth: Ints, n_classes: int) -> Floats:
    there = np.bincount(truth, minlength=n_classes).astype(np.float64)
    found = np.bincount(truth, weights=right, minlength=n_classes)
    recall = np.full(n_classes, np.nan)
    np.divide(found, there, out=recall, where=there > 0)
    return recall


def _intervals(
    parts: _Parts, draws: int, level: float, rng: np.random.Generator
) -> tuple[dict[str, float], dict[str, float]]:
    if not draws:
        return {}, {}
    n = parts.truth.size
    return _ends(np.array([_measures(parts, rng.integers(0, n, n)) for _ in range(draws)]), level)


def _check(posterior: Floats, truth: Ints) -> None:
    if posterior.ndim != 2:
        raise InputError("posterior", "have 2 axes (cases, classes)", f"{posterior.ndim} axes")
    if np.shape(truth) != posterior.shape[:1]:
        raise InputError("truth", f"have {posterior.shape[0]} entries", np.shape(truth))
    bad = np.flatnonzero((truth < -1) | (truth >= posterior.shape[1]))
    if bad.size:
        rule = f"be in 0 .. {posterior.shape[1] - 1} or -1 (unknown)"
        raise InputError("truth", rule, int(np.asarray(truth)[bad[0]]), rows=bad + 1)
