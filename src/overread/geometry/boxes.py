"""Boxes: area, overlap, clipping, centres.

A box is x1, y1, x2, y2 in continuous image coordinates (:mod:`overread.labels.findings`): its
width is x2 - x1, with no pixel added, so that a box of one pixel is 0, 0, 1, 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats, Ints


def areas(box: Floats) -> Floats:
    """(n,) area of each of (n, 4) boxes in square pixels; 0 for an inside-out box.

    Example:
        >>> areas(np.array([[0.0, 0.0, 2.0, 3.0]])).tolist()
        [6.0]
    """
    side = np.maximum(box[..., 2:] - box[..., :2], 0.0)
    return np.asarray(side[..., 0] * side[..., 1])


def aligned_iou(first: Floats, second: Floats) -> Floats:
    """Intersection over union of boxes that stand in pairs.

    Args:
        first, second: (..., 4) boxes; shapes broadcast.
    Returns:
        (...) in 0 .. 1; 0 where both boxes have no area.
    Example:
        >>> aligned_iou(np.array([0.0, 0, 2, 2]), np.array([1.0, 0, 3, 2])).round(4).item()
        0.3333
    """
    common = intersection_areas(first, second)
    union = areas(first) + areas(second) - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


def iou_matrix(first: Floats, second: Floats) -> Floats:
    """(n, m) intersection over union of every one of (n, 4) with every one of (m, 4) boxes."""
    return aligned_iou(first[:, None, :], second[None, :, :])


def aligned_giou(first: Floats, second: Floats) -> Floats:
    """Generalised IoU of paired boxes, in -1 .. 1: below 0 it tells how far apart they are.

    Args:
        first, second: (..., 4) boxes with an area; shapes broadcast.
    Source:
        Rezatofighi et al. 2019, CVPR: IoU - (hull - union) / hull.
    """
    common = intersection_areas(first, second)
    union = areas(first) + areas(second) - common
    hull = areas(hull_boxes(first, second))
    return np.asarray(common / union - (hull - union) / hull)


def intersection_areas(first: Floats, second: Floats) -> Floats:
    """(...) area that paired (..., 4) boxes share, in square pixels."""
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., 2:], second[..., 2:])
    side = np.maximum(high - low, 0.0)
    return np.asarray(side[..., 0] * side[..., 1])


def hull_boxes(first: Floats, second: Floats) -> Floats:
    """(..., 4) smallest box around each pair of (..., 4) boxes."""
    low = np.minimum(first[..., :2], second[..., :2])
    high = np.maximum(first[..., 2:], second[..., 2:])
    return np.concatenate([low, high], axis=-1)


def union_box(box: Floats) -> Floats:
    """(4,) smallest box around all of (n, 4) boxes, n >= 1.

    Raises:
        ValueError: there is no box.
    """
    return np.concatenate([box[:, :2].min(axis=0), box[:, 2:].max(axis=0)])


def clip_boxes(box: Floats, size: Ints | Floats) -> Floats:
    """Cut boxes at the edges of their image.

    Args:
        box: (n, 4).
        size: (2,) or (n, 2) columns and rows of the image.
    Returns:
        (n, 4); a box that lies outside has no area left.
    """
    corners = np.broadcast_to(np.asarray(size, dtype=float), (*box.shape[:-1], 2))
    return np.clip(box, 0.0, np.concatenate([corners, corners], axis=-1))


def centres(box: Floats) -> Floats:
    """(..., 2) x, y of the centre of each box."""
    return np.asarray((box[..., :2] + box[..., 2:]) / 2)


def aligned_distance(first: Floats, second: Floats, spacing: Floats | None = None) -> Floats:
    """Distance between the centres of paired boxes.

    Args:
        first, second: (..., 4) boxes; shapes broadcast.
        spacing: (..., 2) mm a pixel in x and y, or None.
    Returns:
        (...) in mm with a spacing, else in pixels.
    """
    step = centres(first) - centres(second)
    return np.asarray(np.hypot(*np.moveaxis(step if spacing is None else step * spacing, -1, 0)))


def contains(box: Floats, point: Floats) -> NDArray[np.bool_]:
    """(...) whether each (..., 2) point lies in its (..., 4) box, edges included."""
    return np.asarray(((point >= box[..., :2]) & (point <= box[..., 2:])).all(axis=-1))
