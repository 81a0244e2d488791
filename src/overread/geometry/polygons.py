"""Outlines: area, overlap, and the way to masks and back.

Points are x, y in continuous image coordinates (:mod:`overread.labels.findings`): the centre of
the top-left pixel is (0.5, 0.5). A ring that crosses itself is read by the even-odd rule, in the
overlap and in the mask alike: what it encloses twice is outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from overread.arrays import Bools, Floats, Ints
from overread.errors import InputError

Shapes = NDArray[Any]  # (n,) shapely geometries with area: Polygon or MultiPolygon, valid


def polygon(shell: Floats, holes: Iterable[Floats] = ()) -> shapely.Geometry:
    """Valid shape from an outline and its holes.

    Args:
        shell: (points, 2) x, y, closed implicitly; may cross itself.
        holes: (points, 2) each.
    Raises:
        InputError: an outline of fewer than 3 points.
    """
    rings = [np.asarray(ring, dtype=float) for ring in (shell, *holes)]
    for ring in rings:
        if len(ring) < 3:
            raise InputError("outline", "have at least 3 points", len(ring))
    shape: shapely.Geometry = _made_valid(np.array([shapely.Polygon(rings[0], rings[1:])]))[0]
    return shape


def polygons(point: Floats, first: Ints) -> Shapes:
    """Valid shapes of many outlines at once.

    Args:
        point: (points, 2) x, y of all outlines in turn.
        first: (n + 1,): outline k owns the points ``first[k]:first[k + 1]``, 3 or more.
    Returns:
        (n,) shapely geometries; an outline without area gives an empty one.
    """
    count = np.diff(first)
    if not count.size:
        return np.empty(0, dtype=object)
    rings = shapely.linearrings(point, indices=np.repeat(np.arange(count.size), count))
    return _made_valid(np.array(shapely.polygons(rings), dtype=object))


def polygon_areas(shape: Shapes) -> Floats:
    """(n,) area of each shape in square pixels."""
    return np.asarray(shapely.area(shape), dtype=float)


def aligned_polygon_iou(first: Shapes, second: Shapes) -> Floats:
    """(n,) intersection over union of (n,) paired shapes; 0 where both have no area.

    Example:
        >>> square = np.array([[0.0, 0], [2, 0], [2, 2], [0, 2]])
        >>> pair = np.array([polygon(square)]), np.array([polygon(square + [1, 0])])
        >>> aligned_polygon_iou(*pair).round(4).tolist()
        [0.3333]
    """
    common = shapely.area(shapely.intersection(first, second))
    union = shapely.area(first) + shapely.area(second) - common
    return np.divide(common, union, out=np.zeros(common.shape), where=union > 0)


def polygon_iou_matrix(first: Shapes, second: Shapes) -> Floats:
    """(n, m) intersection over union of every one of (n,) with every one of (m,) shapes."""
    out = np.zeros((first.size, second.size))
    if out.size:
        near = shapely.STRtree(second).query(first, predicate="intersects")
        out[near[0], near[1]] = aligned_polygon_iou(first[near[0]], second[near[1]])
    return out


def rasterise(rings: Sequence[Floats], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Fill outlines: a pixel is inside when its centre is.

    A centre exactly on an edge belongs to the shape on its right or below it, so that shapes that
    share an edge share no pixel.

    Args:
        rings: (points, 2) x, y each: outlines and holes alike, by the even-odd rule.
        shape: rows, columns of the image; what lies outside of it is cut off.
    Returns:
        (rows, columns) true inside.
    Example:
        >>> triangle = np.array([[0.0, 0], [3, 0], [0, 3]])
        >>> rasterise([triangle], (3, 3)).astype(int).tolist()
        [[1, 1, 0], [1, 0, 0], [0, 0, 0]]
    """
    rows, columns = shape
    flips = np.zeros((rows, columns + 1), dtype=np.int64)
    for ring in rings:
        start, stop = np.asarray(ring, dtype=float), np.roll(ring, -1, axis=0)
        row, x = _crossings(start, stop, rows)
        column = np.clip(np.ceil(x - 0.5), 0, columns).astype(np.int64)
        np.add.at(flips, (row, column), 1)
    return np.asarray(np.cumsum(flips, axis=1)[:, :columns] % 2 == 1)


def _crossings(start: Floats, stop: Floats, rows: int) -> tuple[NDArray[np.int64], Floats]:
    """Where edges cross the lines through the pixel centres: (n,) row and (n,) x."""
    low, high = np.minimum(start[:, 1], stop[:, 1]), np.maximum(start[:, 1], stop[:, 1])
    # Row r has its centres at r + 0.5; an edge crosses it if low <= r + 0.5 < high.
    begin = np.clip(np.ceil(low - 0.5), 0, rows).astype(np.int64)
    end = np.clip(np.ceil(high - 0.5), 0, rows).astype(np.int64)
    count = end - begin
    edge = np.repeat(np.arange(count.size), count)
    row = np.arange(edge.size) - np.repeat(np.cumsum(count) - count, count) + begin[edge]
    rise = (stop - start)[edge]
    x = start[edge, 0] + (row + 0.5 - start[edge, 1]) * rise[:, 0] / rise[:, 1]
    return row, x


def polygon_mask(shape: shapely.Geometry, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(rows, columns) mask of a shape with its holes, by the rule of :func:`rasterise`."""
    return rasterise([ring for part in rings_of(shape) for ring in part], size)


def rings_of(shape: shapely.Geometry) -> list[list[Floats]]:
    """Rings of each part of a shape: (points, 2) x, y, the outline first, then its holes."""
    parts = [part for part in shapely.get_parts(shape) if not part.is_empty]
    return [
        [shapely.get_coordinates(ring)[:-1] for ring in (part.exterior, *part.interiors)]
        for part in parts
    ]


def mask_polygon(mask: Bools) -> shapely.Geometry:
    """Outline of a mask along the edges of its pixels, holes kept.

    Filling it again gives the same mask; its area is the number of pixels. Pixels that touch at a
    corner alone are parts of their own.

    Args:
        mask: (rows, columns) true inside.
    Returns:
        a Polygon or MultiPolygon; empty for an empty mask.
    """
    padded = np.zeros((mask.shape[0], mask.shape[1] + 2), dtype=np.int8)
    padded[:, 1:-1] = mask
    step = np.diff(padded, axis=1)
    row, x1 = np.nonzero(step == 1)
    x2 = np.nonzero(step == -1)[1]
    merged = shapely.union_all(shapely.box(x1, row, x2, row + 1))
    return shapely.simplify(merged, 0.0)  # drops points in the middle of straight edges


def _made_valid(shape: Shapes) -> Shapes:
    bad = ~shapely.is_valid(shape)
    if bad.any():
        shape = shape.copy()
        shape[bad] = [_even_odd(one) for one in shape[bad]]
    return shape


def _even_odd(shape: shapely.Geometry) -> shapely.Geometry:
    """What a crossing outline encloses an odd number of times.

    GEOS' own repair counts an edge that is drawn twice once, which fills what even-odd leaves out.
    """
    rings = [ring for part in rings_of(shape) for ring in part]
    lines = shapely.node(shapely.MultiLineString([shapely.LinearRing(ring) for ring in rings]))
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    inside = shapely.get_coordinates(shapely.point_on_surface(faces))
    return shapely.union_all(faces[[_enclosed(rings, point) for point in inside]])


def _enclosed(rings: Sequence[Floats], point: Floats) -> bool:
    """Whether a ray from a point to the right crosses the rings an odd number of times."""
    crossed = 0
    for ring in rings:
        start, stop = ring, np.roll(ring, -1, axis=0)
        over = (start[:, 1] <= point[1]) != (stop[:, 1] <= point[1])
        start, rise = start[over], (stop - start)[over]
        x = start[:, 0] + (point[1] - start[:, 1]) * rise[:, 0] / rise[:, 1]
        crossed += int(np.count_nonzero(x > point[0]))
    return crossed % 2 == 1
