"""K-means, for the start, for spread-out choices and for the words of the quick encoder."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats
from overread.selection.basis import blocks


def kmeans(points: Floats, groups: int, rng: np.random.Generator, *, rounds: int = 30) -> Floats:
    """Centres of k-means from a random start; an empty group takes the farthest point.

    Args:
        points: (points, values).
        groups: wanted; fewer where there are fewer points.
        rounds: at most.
    Returns:
        (groups, values).
    """
    groups = min(groups, len(points))
    centres = points[rng.choice(len(points), groups, replace=False)]
    for _ in range(rounds):
        group, far = nearest(points, centres)
        count = np.bincount(group, minlength=groups)
        order = np.argsort(group, kind="stable")
        start = np.r_[0, np.cumsum(count)[:-1]]
        total = np.zeros_like(centres)
        full = count > 0
        total[full] = np.add.reduceat(points[order], start[full], axis=0)
        moved = total / np.maximum(count, 1)[:, None]
        if not full.all():
            moved[~full] = points[np.argsort(-far, kind="stable")[: int((~full).sum())]]
        if np.allclose(moved, centres):
            break
        centres = moved
    return centres


def nearest(points: Floats, centres: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Index of, and squared distance to, the nearest centre of each point."""
    group = np.empty(len(points), dtype=np.intp)
    far = np.empty(len(points))
    own = (centres**2).sum(axis=1)
    for block in blocks(len(points), 8192):
        square = own - 2 * points[block] @ centres.T
        group[block] = square.argmin(axis=1)
        far[block] = square.min(axis=1) + (points[block] ** 2).sum(axis=1)
    return group, np.maximum(far, 0)
