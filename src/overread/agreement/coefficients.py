"""The agreement coefficients as pure formulas, with each case's influence on them.

Every coefficient here is ``1 - observed disagreement / disagreement expected by chance``; they
differ in how a pair of answers is weighed and in what "by chance" means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from overread.agreement.votes import Votes
from overread.arrays import Floats

Chance = Literal["none", "uniform", "pooled", "gwet", "readers", "pairable"]
Weighting = Literal["nominal", "linear", "quadratic", "ordinal", "rank", "interval", "ratio"]


@dataclass(frozen=True, slots=True, eq=False)
class Linearised:
    """A coefficient and its first-order dependence on each case.

    Args:
        value: the coefficient; nan when undefined.
        observed, expected: disagreement observed and expected by chance, both in 0 .. 1.
        influence: (cases,) influence function; mean 0; ``var(influence) / n`` is the delta-method
            variance of ``value``. Cases that no reader answered have 0 and do not count.
        rated: (cases,) cases with at least one answer.
        paired: (cases,) cases with answers of at least two readers.
    """

    value: float
    observed: float
    expected: float
    influence: Floats
    rated: Floats
    paired: Floats


def weight_matrix(
    weighting: Weighting,
    n_classes: int,
    *,
    values: Floats | None = None,
    said: Floats | None = None,
) -> Floats:
    """Weight of agreement of two answers, 1 on the diagonal.

    Args:
        weighting: "nominal" (equal or not), "linear", "quadratic" (distance of the ranks),
            "ordinal" (Gwet 2014: 1 - C(d + 1, 2) / C(K, 2)), and Krippendorff's "rank" (ordinal
            alpha; needs ``said``), "interval" and "ratio" (need ``values``).
        n_classes: K.
        values: (K,) numbers that the classes stand for.
        said: (K,) how often each class was said.
    Returns:
        (K, K) in 0 .. 1 where a maximal distance exists; 1 - distance / largest distance.
    Source:
        Gwet 2014, Handbook of Inter-Rater Reliability, ch. 3; Krippendorff 2011, Computing
        Krippendorff's alpha-reliability.
    Example:
        >>> weight_matrix("quadratic", 3)[0].tolist()
        [1.0, 0.75, 0.0]
    """
    rank = np.arange(n_classes, dtype=float)
    gap = np.abs(rank[:, None] - rank[None, :])
    if weighting == "nominal" or n_classes == 1:
        return np.eye(n_classes)
    if weighting == "linear":
        distance = gap
    elif weighting == "quadratic":
        distance = gap**2
    elif weighting == "ordinal":
        distance = gap * (gap + 1) / 2
    elif weighting == "rank":
        mass = np.ones(n_classes) if said is None else said
        below = np.cumsum(mass) - mass / 2
        distance = (below[:, None] - below[None, :]) ** 2
    else:
        number = rank + 1 if values is None else values
        distance = (number[:, None] - number[None, :]) ** 2
        if weighting == "ratio":
            total = (number[:, None] + number[None, :]) ** 2
            distance = np.divide(distance, total, out=np.zeros_like(distance), where=total > 0)
    top = distance.max()
    return 1 - distance / top if top > 0 else np.ones((n_classes, n_classes))


def chance_terms(chance: Chance, weights: Floats) -> tuple[float, Floats]:
    """Write the expected disagreement of class shares f as ``constant + f' Q f``.

    Args:
        chance: "none" (percent), "uniform" (Brennan-Prediger), "gwet" (AC1, AC2), or one of the
            products of shares (Fleiss, Krippendorff, Cohen, Conger).
        weights: (K, K) agreement weights.
    Source:
        Brennan & Prediger 1981; Fleiss 1971; Gwet 2008 eq. 7 and 2014 ch. 4.
    """
    n = weights.shape[0]
    total = float(weights.sum())
    if chance == "none":
        return 1.0, np.zeros((n, n))
    if chance == "uniform":
        return 1 - total / n**2, np.zeros((n, n))
    if chance == "gwet":
        share = total / (n * (n - 1)) if n > 1 else 1.0
        return 1 - share, share * np.eye(n)
    return 0.0, 1 - weights


def linearised(
    votes: Votes,
    weights: Floats,
    chance: Chance,
    *,
    small_sample: bool = False,
    case_weight: Floats | None = None,
    reader_weight: Floats | None = None,
) -> Linearised:
    """Compute one coefficient and each case's influence, in time and memory O(reads).

    Args:
        votes: the voices.
        weights: (K, K) agreement weights.
        chance: see :func:`chance_terms`; "pairable" (Krippendorff) takes the cases with two or
            more readers, each weighed by its number of readers; "readers" (Cohen, Conger) lets
            each reader keep their own class shares.
        small_sample: Krippendorff's factor n / (n - 1) on the expected disagreement.
        case_weight: (cases,) multiplicity of each case (bootstrap); 1 by default.
        reader_weight: (readers,) multiplicity of each reader; copies of one reader are not
            compared with each other.
    Source:
        Gwet 2014 ch. 5; Conger 1980, Psychological Bulletin 88:322; Krippendorff 2011.
    """
    voice = votes.weight if reader_weight is None else votes.weight * reader_weight[votes.reader]
    # An integer count is exact and spares a copy of the weights on the common path.
    plain = reader_weight is None and votes.whole
    flat = votes.case.astype(np.int64) * votes.n_classes + votes.label
    said = np.bincount(flat, None if plain else voice, votes.n_cases * votes.n_classes)
    counts: Floats = said.astype(np.float64, copy=False).reshape(votes.n_cases, votes.n_classes)
    size = counts.sum(axis=1)
    same_reader, squares = (size, size) if plain else _within_readers(votes, weights, voice)
    pairs = size**2 - squares
    agreeing = np.einsum("ik,ik->i", counts @ weights, counts) - same_reader
    paired = (pairs > 1e-9).astype(float)
    disagree = paired * (1 - np.divide(agreeing, pairs, out=np.zeros_like(pairs), where=paired > 0))
    rated = (size > 0).astype(float)
    multiplicity = rated if case_weight is None else rated * case_weight
    n = multiplicity.sum()
    by_reads = chance == "pairable"
    if by_reads:
        disagree, of_pairs = disagree * size, paired * size
    else:
        of_pairs = paired
    total = float(multiplicity @ of_pairs)
    if total == 0:
        empty = np.full(votes.n_cases, np.nan)
        return Linearised(np.nan, np.nan, np.nan, empty, rated, paired)
    observed = float(multiplicity @ disagree) / total
    slope_observed = n * (disagree - observed * of_pairs) / total
    constant, form = chance_terms(chance, weights)
    if chance == "readers":
        expected, slope = _expected_of_readers(votes, form, multiplicity, reader_weight)
    else:
        expected, slope = _expected_pooled(
            counts, size, paired, form, multiplicity, by_reads=by_reads
        )
    expected += constant
    if small_sample:
        expected, slope = expected * total / (total - 1), slope * total / (total - 1)
    if not expected > 1e-12:
        value, influence = np.nan, np.full(votes.n_cases, np.nan)
    else:
        value = 1 - observed / expected
        influence = rated * (observed / expected * slope - slope_observed) / expected
    return Linearised(float(value), observed, float(expected), influence, rated, paired)


def _within_readers(votes: Votes, weights: Floats, voice: Floats) -> tuple[Floats, Floats]:
    """Per case: weighted agreement of each reader with themselves, and the squared voices."""
    pair = votes.case.astype(np.int64) * votes.n_readers + votes.reader
    new = np.r_[True, pair[1:] != pair[:-1]][: pair.size]
    group = np.cumsum(new) - 1
    first = np.flatnonzero(new)
    case = votes.case[first]
    total: Floats = np.bincount(group, voice, minlength=first.size).astype(np.float64)
    agree = total**2
    mixed = np.bincount(group, minlength=first.size) > 1
    rows = np.flatnonzero(mixed[group])
    if rows.size:
        of = np.cumsum(mixed)[group[rows]] - 1
        table: Floats = np.zeros((int(mixed.sum()), votes.n_classes))
        table[of, votes.label[rows]] = voice[rows]
        agree[mixed] = np.einsum("ik,ik->i", table @ weights, table)
    return (
        np.asarray(np.bincount(case, agree, minlength=votes.n_cases), dtype=np.float64),
        np.asarray(np.bincount(case, total**2, minlength=votes.n_cases), dtype=np.float64),
    )


def _expected_pooled(
    counts: Floats,
    size: Floats,
    paired: Floats,
    form: Floats,
    multiplicity: Floats,
    *,
    by_reads: bool,
) -> tuple[float, Floats]:
    """``f' Q f`` of the pooled class shares and its derivative by each case."""
    per_voice = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
    weight = paired if by_reads else per_voice
    shares = (multiplicity * weight) @ counts
    total = shares.sum()
    shares = shares / total
    gradient = 2 * form @ shares
    slope = weight * (counts @ gradient - (gradient @ shares) * size)
    return float(shares @ form @ shares), multiplicity.sum() * slope / total


def _expected_of_readers(
    votes: Votes,
    form: Floats,
    multiplicity: Floats,
    reader_weight: Floats | None,
) -> tuple[float, Floats]:
    """Mean of ``f_g' Q f_h`` over pairs of different readers, and its derivative by each case."""
    row_weight = multiplicity[votes.case] * votes.weight
    flat = votes.reader.astype(np.int64) * votes.n_classes + votes.label
    said = np.bincount(flat, row_weight, votes.n_readers * votes.n_classes)
    said = said.reshape(votes.n_readers, votes.n_classes)
    read = said.sum(axis=1)
    active = read > 0
    times = active.astype(float) if reader_weight is None else active * reader_weight
    pairs = times.sum() ** 2 - (times**2).sum()
    if pairs <= 0:
        return 0.0, np.zeros(votes.n_cases)
    shares = np.divide(said, read[:, None], out=np.zeros_like(said), where=active[:, None])
    mean = times @ shares
    cross = (mean[None, :] - times[:, None] * shares) @ form
    expected = float((times[:, None] * shares * cross).sum() / pairs)
    per_read = np.divide(times, read, out=np.zeros_like(read), where=active)
    gradient = 2 * per_read[:, None] * (cross - (cross * shares).sum(axis=1, keepdims=True)) / pairs
    slope = np.bincount(
        votes.case, gradient[votes.reader, votes.label] * votes.weight, minlength=votes.n_cases
    )
    return expected, multiplicity.sum() * slope
