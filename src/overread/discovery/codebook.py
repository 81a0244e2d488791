"""Words of a sample: the middles of its groups."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.cluster.vq import kmeans2

from overread.arrays import Floats


def codebook(rows: Floats, count: int, *, decimals: int, rounds: int, seed: int) -> Floats:
    """Make ``count`` words of a sample by k-means++; of fewer different rows, those rows.

    Args:
        rows: (rows, features).
        decimals: rows that agree to so many are one.
        rounds: of k-means; seed: of its start.
    Returns:
        (words, features), ``count`` or fewer.
    """
    distinct = np.unique(rows.round(decimals), axis=0)
    if len(distinct) <= count:
        return distinct
    with warnings.catch_warnings():
        # a word that lost its rows stays where it was, and is as rare as it looks
        warnings.filterwarnings("ignore", "One of the clusters is empty")
        words: Floats = kmeans2(rows, count, iter=rounds, minit="++", seed=seed)[0]
    return words
