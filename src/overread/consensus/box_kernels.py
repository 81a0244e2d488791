"""Edges of the boxes of each cluster, over every guess of which of them slipped.

Lengths are relative to the cluster's extents. A box has the error sd of its reader, or, where the
hand slipped, ``loose`` times its variance on all four edges. Clusters of up to :data:`EXACT` boxes
are averaged over all sets of slips; in larger ones each box has its own chance to have slipped,
given the others.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

EXACT = 5
"""Boxes of a cluster up to which all sets of slips are tried."""

_LEAST_CHANCE = 1e-6  # of a guess: less adds nothing


@numba.njit(cache=True)
def gather(  # noqa: C901, PLR0917, PLR0912 (a kernel takes plain arrays and compiles as one)
    first: Any,
    reader: Any,
    share: Any,
    at: Any,
    off: Any,
    stretch: Any,
    variance: Any,
    slips: float,
    loose: float,
    coupled: bool,
) -> Any:
    """What the clusters say of the readers, with the place of every box averaged out.

    Args:
        first, reader, share: clusters, and reader and weight of each box.
        at: (boxes, 4) edges without bias, relative to the extents.
        off: (boxes, 4) the same, relative to the sides.
        stretch: (clusters,) mean of (side / extent)^2.
        variance: (readers,) of the errors.
        slips, loose: chance of a slip, and what it multiplies the variance by.
        coupled: whether to fill more than the diagonal of the information.
    Returns:
        place (clusters, 4); information on the biases, on the log variances: (readers, readers),
        or (readers, 1) diagonals; slope of the log likelihood in the biases (readers, 4); squared
        errors over variance, and how many errors they are worth (readers,); slips.
    """
    n, width = variance.size, variance.size if coupled else 1
    place = np.zeros((first.size - 1, 4))
    of_bias, of_sd = np.zeros((n, width)), np.zeros((n, width))
    slope, squared, free, slipped = np.zeros((n, 4)), np.zeros(n), np.zeros(n), 0.0
    chance, mean = np.empty(1 << EXACT), np.empty((1 << EXACT, 4))
    for c in range(first.size - 1):
        a, k = first[c], first[c + 1] - first[c]
        if k == 1:
            place[c] = at[a]
            continue
        who = reader[a : a + k]
        weight = _guesses(
            variance[who], share[a : a + k], at[a : a + k], slips, loose, chance, mean
        )
        usual = 0.0
        for i in range(k):
            usual += share[a + i] / variance[who[i]]
        for g in range(weight.shape[0]):
            q = chance[g]
            if q < _LEAST_CHANCE:
                continue
            total, steady = 0.0, 0.0
            for i in range(k):
                total += weight[g, i]
                if k > EXACT or not (g >> i) & 1:
                    steady += weight[g, i]
            pair = 0.0  # of two boxes: how much further apart than they should be
            for e in range(4):
                place[c, e] += q * mean[g, e]
                pair += (at[a, e] - at[a + k - 1, e]) ** 2
            pair /= 1 / weight[g, 0] + 1 / weight[g, k - 1]
            for i in range(k):
                r, part = who[i], weight[g, i] / total
                if k == 2:
                    # Two boxes cannot tell whose the error is: it is split as the sds say.
                    rest = 1 - share[a + i] / variance[r] / usual
                    squared[r] += q * rest * pair
                    free[r] += q * 4 * rest
                else:
                    for e in range(4):
                        squared[r] += q * weight[g, i] * (at[a + i, e] - mean[g, e]) ** 2
                    free[r] += q * 4 * (1 - part) * share[a + i]
                of_bias[r, r if coupled else 0] += q * stretch[c] * weight[g, i]
                for j in range(k):
                    if coupled or who[j] == r:
                        other = weight[g, j] / total
                        of_bias[r, who[j] if coupled else 0] -= (
                            q * stretch[c] * weight[g, i] * other
                        )
                for e in range(4):
                    middle = 0.0
                    for j in range(k):
                        middle += weight[g, j] / total * off[a + j, e]
                    slope[r, e] += q * stretch[c] * weight[g, i] * (off[a + i, e] - middle)
                if k > EXACT:
                    slipped += (1 - weight[g, i] * variance[r] / share[a + i]) / (1 - 1 / loose)
                elif (g >> i) & 1:
                    slipped += q
                    continue
                # A box that slipped says nothing of its reader's sd, nor do others through it.
                mine = weight[g, i] / steady
                of_sd[r, r if coupled else 0] += q * 2 * (1 - mine) ** 2
                if coupled:
                    for j in range(k):
                        if j != i and (k > EXACT or not (g >> j) & 1):
                            of_sd[r, who[j]] += q * 2 * mine * weight[g, j] / steady
    return place, of_bias, of_sd, slope, squared, free, slipped


@numba.njit(cache=True)
def settle(  # noqa: C901, PLR0917 (as above)
    first: Any,
    reader: Any,
    share: Any,
    at: Any,
    log_variance: Any,
    doubt_sd: Any,
    doubt_bias: Any,
    mixing: Any,
    slips: float,
    loose: float,
) -> Any:
    """Place of each cluster and its variance, over the doubt about the readers as well.

    The readers' log variances are averaged over sigma points: their mean plus and minus each
    column of a root of their covariance.

    Args:
        first, reader, share, at, slips, loose: as for :func:`gather`.
        log_variance: (readers,).
        doubt_sd: covariance of these, (readers, readers) or its diagonal (readers, 1).
        doubt_bias: of the parts of the biases, (4, readers, readers) or (4, readers, 1).
        mixing: (4, 4) squared share of each part in each edge.
    Returns:
        place (clusters, 4); variance of it, without that of the biases, relative to the extents;
        variance by the biases, relative to the sides; share of a usual weight of each box (boxes,).
    Source:
        Julier & Uhlmann 2004, Proc. IEEE 92(3):401-422 (unscented transform).
    """
    n = first.size - 1
    place, variance, by_bias = np.zeros((n, 4)), np.zeros((n, 4)), np.zeros((n, 4))
    trust = np.zeros(reader.size)
    chance, mean = np.empty(1 << EXACT), np.empty((1 << EXACT, 4))
    for c in range(n):
        a, k = first[c], first[c + 1] - first[c]
        who = reader[a : a + k]
        root = _root(doubt_sd, who)
        part = np.zeros(k)
        for s in range(2 * k):
            drawn = np.empty(k)
            for i in range(k):
                move = root[i, s] if s < k else -root[i, s - k]
                drawn[i] = np.exp(log_variance[who[i]] + move)
            if k == 1:
                part[0], trust[a] = 1.0, 1.0
                for e in range(4):
                    place[c, e] += at[a, e] / 2
                    variance[c, e] += drawn[0] * (1 + slips * (loose - 1)) / share[a] / 2
                continue
            weight = _guesses(drawn, share[a : a + k], at[a : a + k], slips, loose, chance, mean)
            for g in range(weight.shape[0]):
                q, total = chance[g] / (2 * k), 0.0
                for i in range(k):
                    total += weight[g, i]
                for e in range(4):
                    place[c, e] += q * mean[g, e]
                    variance[c, e] += q * ((mean[g, e] - at[a, e]) ** 2 + 1 / total)
                for i in range(k):
                    part[i] += q * weight[g, i] / total
                    trust[a + i] += q * weight[g, i] * drawn[i] / share[a + i]
        for e in range(4):
            variance[c, e] -= (place[c, e] - at[a, e]) ** 2
        for m in range(4):
            doubt = _doubt(doubt_bias[m], who, part)
            for e in range(4):
                by_bias[c, e] += mixing[m, e] * doubt
    return place, variance, by_bias, trust


@numba.njit(cache=True)
def _root(cover: Any, who: Any) -> Any:
    """(k, k) sqrt(k) times a Cholesky root of the covariance of these readers.

    Most uncertain reader first, so that the order of the boxes does not matter; written out, as
    compiling NumPy's takes two seconds.
    """
    k, coupled = who.size, cover.shape[1] > 1
    own = np.empty(k)
    for i in range(k):
        own[i] = cover[who[i], who[i] if coupled else 0]
    order = np.argsort(-own, kind="mergesort")
    root = np.zeros((k, k))
    for step in range(k):
        i = order[step]
        for before in range(step + 1):
            j = order[before]
            left = 1e-9 if i == j else 0.0
            if coupled:
                left += cover[who[i], who[j]]
            elif who[i] == who[j]:
                left += cover[who[i], 0]
            for m in range(before):
                left -= root[i, m] * root[j, m]
            if i == j:
                root[i, before] = np.sqrt(max(left, 1e-12))
            else:
                root[i, before] = left / root[j, before]
    return root * np.sqrt(k)


@numba.njit(cache=True)
def _doubt(cover: Any, who: Any, part: Any) -> Any:
    """Variance of the sum of what these readers have, each by their part."""
    total = 0.0
    for i in range(who.size):
        for j in range(who.size):
            if cover.shape[1] > 1:
                total += part[i] * part[j] * cover[who[i], who[j]]
            elif who[i] == who[j]:
                total += part[i] * part[j] * cover[who[i], 0]
    return total


@numba.njit(cache=True)
def _guesses(  # noqa: PLR0917 (as above)
    variance: Any, share: Any, at: Any, slips: float, loose: float, chance: Any, mean: Any
) -> Any:
    """(guesses, boxes) weights; fills the chance and the place of each guess."""
    k = variance.size
    if k > EXACT:
        return _each_by_itself(variance, share, at, slips, loose, chance, mean)
    weight = np.empty((1 << k, k))
    for g in range(1 << k):
        total, log = 0.0, 0.0
        for i in range(k):
            slipped = (g >> i) & 1
            weight[g, i] = share[i] / variance[i] / (loose if slipped else 1.0)
            total += weight[g, i]
            log += np.log(slips if slipped else 1 - slips)
            log -= 2 * share[i] * np.log(loose) if slipped else 0.0
        log -= 2 * np.log(total)
        for e in range(4):
            middle = 0.0
            for i in range(k):
                middle += weight[g, i] * at[i, e]
            mean[g, e] = middle / total
            for i in range(k):
                log -= 0.5 * weight[g, i] * (at[i, e] - mean[g, e]) ** 2
        chance[g] = log
    top, total = -np.inf, 0.0
    for g in range(1 << k):
        top = max(top, chance[g])
    for g in range(1 << k):
        chance[g] = np.exp(chance[g] - top)
        total += chance[g]
    for g in range(1 << k):
        chance[g] /= total
    return weight


@numba.njit(cache=True)
def _each_by_itself(  # noqa: PLR0917 (as above)
    variance: Any, share: Any, at: Any, slips: float, loose: float, chance: Any, mean: Any
) -> Any:
    """(1, boxes) expected weights, each box's slip given the place that all say."""
    k = variance.size
    weight, slipped = np.empty((1, k)), np.zeros(k)
    for _ in range(8):
        total = 0.0
        for i in range(k):
            steady = 1 - slipped[i] + slipped[i] / loose
            weight[0, i] = share[i] / variance[i] * steady
            total += weight[0, i]
        for e in range(4):
            middle = 0.0
            for i in range(k):
                middle += weight[0, i] * at[i, e]
            mean[0, e] = middle / total
        for i in range(k):
            off = 0.0
            for e in range(4):
                off += (at[i, e] - mean[0, e]) ** 2 + 1 / total
            odds = np.log(slips / (1 - slips)) - 2 * np.log(loose)
            odds += 0.5 * off / variance[i] * (1 - 1 / loose)
            slipped[i] = 1 / (1 + np.exp(-odds))
    chance[0] = 1.0
    return weight
