"""Intervals of shares and of F1: for a dry run's score, where counts are small and near 1."""

from __future__ import annotations

import math

from scipy.special import ndtri


def wilson(right: float, n: float, *, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share.

    For a mean of values between 0 and 1 (Dice of each case) give their sum: such values vary at
    most as right-or-wrong ones do, so the interval is then rather too wide than too narrow.

    Args:
        right: how many were right, 0 to ``n``; need not be whole.
        n: of how many.
        level: nominal coverage.
    Returns:
        lower and upper end; 0 and 1 where ``n`` is 0.
    Source:
        Wilson 1927, JASA 22:209.
    Example:
        >>> [round(end, 3) for end in wilson(9, 10)]
        [0.596, 0.982]
    """
    if n <= 0:
        return 0.0, 1.0
    z2 = float(ndtri((1 + level) / 2)) ** 2
    share = min(max(right / n, 0.0), 1.0)
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * share * (1 - share) / n + z2**2 / (4 * n**2)) / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def f1_interval(
    found: int, missed: int, extra: int, *, level: float = 0.95
) -> tuple[float, float, float]:
    """F1 of findings with its interval.

    ``found / (found + missed + extra)`` is a share J (Jaccard's index), and F1 = 2J / (1 + J)
    rises with it: so the ends of J's Wilson interval become those of F1.

    Args:
        found, missed, extra: findings matched, not found, and drawn where there is none.
        level: nominal coverage.
    Returns:
        F1, its lower and its upper end; nan, 0 and 1 where there is nothing to count.
    Example:
        >>> [round(value, 3) for value in f1_interval(9, 1, 0)]
        [0.947, 0.747, 0.991]
    """
    n = found + missed + extra
    if not n:
        return math.nan, 0.0, 1.0
    low, high = wilson(found, n, level=level)
    return _f1(found / n), _f1(low), _f1(high)


def _f1(jaccard: float) -> float:
    return 2 * jaccard / (1 + jaccard)
