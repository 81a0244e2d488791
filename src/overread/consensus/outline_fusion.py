"""Fusing outlines: the zero line of their weighted mean signed distance, on a crop around them.

The signed distance of an outline is how far a point is from it, below 0 inside. Its mean over
readers is 0 where as much outline lies outside as inside, so that the fused outline runs between
those of the readers, nearer to the precise ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
import shapely

from overread.arrays import Floats, Ints

MOST_CELLS, LEAST_CELLS = 128, 64
"""Grid cells along the longer side of a crop: cells of one pixel in between."""

_MARGIN = 2  # cells around the outlines
_COARSE = 4
_OFF_GRID = 1e-6  # cells that the zero line stays away from a grid point


def fuse_outlines(outline: Sequence[Floats], weight: Floats) -> Floats:
    """Outline between several outlines of one finding.

    Args:
        outline: (points, 2) x, y in pixels each, closed implicitly; one or more.
        weight: (outlines,) precision of each, above 0.
    Returns:
        (points, 2). Where the mean leaves several parts, the largest; where it leaves none (the
        outlines hardly meet), the outline of the largest weight.
    Source:
        Rohlfing & Maurer 2007, IEEE Trans. Image Process. 16(1):153-161 (shape-based averaging).
    Example:
        >>> square = np.array([[0.0, 0], [8, 0], [8, 8], [0, 8]])
        >>> fused = fuse_outlines([square, square + [2, 0]], np.ones(2))
        >>> (fused.min(axis=0).round(1) + 0.0).tolist(), fused.max(axis=0).round(1).tolist()
        ([1.0, 0.0], [9.0, 8.0])
    """
    if len(outline) == 1:
        return outline[0]
    every = np.concatenate(outline)
    low, high = every.min(axis=0), every.max(axis=0)
    longest = float((high - low).max())
    step = max(longest / MOST_CELLS, min(1.0, longest / LEAST_CELLS))
    low = low - _MARGIN * step
    columns, rows = (np.ceil((high - low) / step).astype(int) + _MARGIN + 1).tolist()
    rings = np.ascontiguousarray((every - low) / step)
    first = np.r_[0, np.cumsum([len(points) for points in outline])]
    distance = _mean_on_grid(rings, first, weight / weight.sum(), (rows, columns))
    fused = _largest_ring(distance)
    if fused is None:
        return outline[int(np.argmax(weight))]
    return np.asarray(low + step * fused)


def _mean_on_grid(rings: Floats, first: Ints, weight: Floats, shape: tuple[int, int]) -> Floats:
    """(rows, columns) mean signed distance, exact near its zero line and of right sign elsewhere.

    It changes by at most 1 a cell. Where a point of a grid four times as coarse is far enough from
    0, it speaks for the points around it.
    """
    rows, columns = shape
    coarse_y, coarse_x = (
        np.arange(0.0, rows + _COARSE, _COARSE),
        np.arange(0.0, columns + _COARSE, _COARSE),
    )
    x, y = np.meshgrid(coarse_x, coarse_y)
    coarse = _mean_signed_distance(x.ravel(), y.ravel(), rings, first, weight).reshape(x.shape)
    near_row = np.rint(np.arange(rows) / _COARSE).astype(np.int64)
    near_column = np.rint(np.arange(columns) / _COARSE).astype(np.int64)
    distance = coarse[near_row[:, None], near_column]
    # Half a coarse cell away along both axes, and the zero line one fine cell further.
    row, column = np.nonzero(np.abs(distance) <= (_COARSE / 2 + 1) * np.sqrt(2))
    x, y = column.astype(np.float64), row.astype(np.float64)
    distance[row, column] = _mean_signed_distance(x, y, rings, first, weight)
    return np.asarray(distance)


@numba.njit(cache=True)
def _mean_signed_distance(x: Any, y: Any, ring: Any, first: Any, weight: Any) -> Any:
    """(n,) weighted mean distance of points to outlines, below 0 inside (even-odd)."""
    out = np.zeros(x.size)
    for p in range(x.size):
        for k in range(weight.size):
            nearest = np.inf
            inside = False
            b = first[k + 1] - 1
            for a in range(first[k], first[k + 1]):
                ax, ay = ring[a, 0], ring[a, 1]
                dx, dy = ring[b, 0] - ax, ring[b, 1] - ay
                px, py = x[p] - ax, y[p] - ay
                length = dx * dx + dy * dy
                along = 0.0
                if length > 0:
                    along = min(max((px * dx + py * dy) / length, 0.0), 1.0)
                ex, ey = px - along * dx, py - along * dy
                nearest = min(nearest, ex * ex + ey * ey)
                # Of y itself: two sides that meet must round alike, or a ray slips between them.
                if (y[p] < ring[a, 1]) != (y[p] < ring[b, 1]) and px < py * dx / dy:
                    inside = not inside
                b = a
            out[p] += weight[k] * (-np.sqrt(nearest) if inside else np.sqrt(nearest))
    return out


def _largest_ring(distance: Floats) -> Floats | None:
    """(points, 2) column, row of the largest part below 0, its holes filled; None if there is none.

    Source:
        Lorensen & Cline 1987, SIGGRAPH (marching cubes; here squares, saddles by their mean).
    """
    # A line along grid points would collapse onto them, and its pieces onto each other. Such
    # points are inside: a bridge of no width, as to a hole, cuts nothing in two.
    value = np.where(np.abs(distance) < _OFF_GRID, -_OFF_GRID, distance)
    if not (value < 0).any():
        return None
    # The crop's rim lies outside, so that every line closes.
    lines: Any = shapely.linestrings(_segments(value))
    faces = shapely.get_parts(shapely.polygonize(lines))
    rings = [shapely.get_exterior_ring(face) for face in faces]
    # A hole is a face of its own; within its filled surrounding it is never the largest.
    largest = max(rings, key=lambda ring: shapely.Polygon(ring).area)
    return np.asarray(shapely.get_coordinates(shapely.simplify(largest, 0.1))[:-1])


def _segments(value: Floats) -> Floats:
    """(segments, 2, 2) x, y of the pieces of the zero line in each grid cell."""
    below = value < 0
    n_rows, n_columns = value.shape
    rows, columns = np.meshgrid(np.arange(1.0 * n_rows), np.arange(1.0 * n_columns), indexing="ij")
    with np.errstate(divide="ignore", invalid="ignore"):  # edges without a crossing are not used
        across = columns[:, :-1] + value[:, :-1] / (value[:, :-1] - value[:, 1:])
        down = rows[:-1] + value[:-1] / (value[:-1] - value[1:])
    on_row = np.stack([across, rows[:, :-1]], axis=-1)
    on_column = np.stack([columns[:-1], down], axis=-1)
    side = [
        on_row[:-1],
        on_row[1:],
        on_column[:, :-1],
        on_column[:, 1:],
    ]  # top, bottom, left, right
    cut_row, cut_column = below[:, :-1] != below[:, 1:], below[:-1] != below[1:]
    cut = [cut_row[:-1], cut_row[1:], cut_column[:, :-1], cut_column[:, 1:]]
    four = cut[0] & cut[1] & cut[2] & cut[3]
    middle = (value[:-1, :-1] + value[1:, :-1] + value[:-1, 1:] + value[1:, 1:]) < 0
    joined = four & (middle == below[:-1, :-1])  # top left and bottom right are one part
    apart = four & ~joined
    pieces = []
    for a, b in ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)):
        here = cut[a] & cut[b] & ~four
        if (a, b) in {(0, 3), (1, 2)}:
            here |= joined
        if (a, b) in {(0, 2), (1, 3)}:
            here |= apart
        pieces.append(np.stack([side[a][here], side[b][here]], axis=1))
    return np.concatenate(pieces)
