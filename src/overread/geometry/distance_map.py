"""Signed distance of every pixel to the border of a mask, exact and in linear time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Bools, Floats, compiled

_FAR = 1e300  # squared distance where a line holds nothing; its sums stay finite


def signed_distance_map(mask: Bools, spacing: Floats | None = None) -> NDArray[np.float32]:
    """Distance of every pixel to the border of a mask, above 0 inside.

    The border lies half a (shortest) pixel before the first pixel of the other side. What is
    outside of the array counts as outside of the mask.

    Args:
        mask: any number of axes.
        spacing: (dims,) mm a pixel; None measures in pixels.
    Returns:
        float32 in the shape of ``mask``; -inf throughout for an empty mask.
    Source:
        Felzenszwalb & Huttenlocher 2012, Theory of Computing 8:415-428 (lower envelopes of
        parabolas, one axis after the other).
    Example:
        >>> signed_distance_map(np.array([[False, True, True, True]])).tolist()
        [[-0.5, 0.5, 0.5, 0.5]]
    """
    step = np.ones(mask.ndim) if spacing is None else np.asarray(spacing, dtype=float)
    if not mask.any():
        return np.full(mask.shape, -np.inf, dtype=np.float32)
    half = step.min() / 2
    wide = np.pad(mask, 1)
    core = tuple(slice(1, -1) for _ in mask.shape)
    inside = np.sqrt(_to_false(wide, step)[core])
    outside = np.sqrt(_to_false(~wide, step)[core])
    return np.asarray(np.where(mask, inside - half, half - outside), dtype=np.float32)


def _to_false(mask: Bools, step: Floats) -> Floats:
    """Squared distance of each pixel to the nearest one that is false; at least one is."""
    square = np.where(mask, _FAR, 0.0)
    for axis, size in enumerate(mask.shape):
        before = int(np.prod(mask.shape[:axis], dtype=np.int64))
        _along(square.reshape(before, size, -1), float(step[axis]) ** 2)
    return square


@compiled(nogil=True, error_model="numpy")
def _along(square: Any, weight: Any) -> None:  # noqa: C901 (a kernel is one function)
    """Least of ``square + weight * (steps along the middle axis) ** 2`` at each pixel, in place."""
    n = square.shape[1]
    line = np.empty(n)
    low = np.empty(n, np.int64)  # where the parabolas of the lower envelope stand
    edge = np.empty(n + 1)  # from where on each is the lowest
    for a in range(square.shape[0]):
        for b in range(square.shape[2]):
            most = 0.0
            for q in range(n):
                line[q] = square[a, q, b]
                most = max(most, line[q])
            if most == 0.0:
                continue
            k = -1
            for q in range(n):
                if line[q] >= _FAR:
                    continue
                at = -np.inf
                while k >= 0:
                    v = low[k]
                    at = (line[q] - line[v] + weight * (q * q - v * v)) / (2 * weight * (q - v))
                    if at > edge[k]:
                        break
                    k -= 1
                    at = -np.inf
                k += 1
                low[k], edge[k] = q, at
            if k < 0:
                continue
            last, k = k, 0
            for q in range(n):
                while k < last and edge[k + 1] <= q:
                    k += 1
                square[a, q, b] = line[low[k]] + weight * (q - low[k]) ** 2
