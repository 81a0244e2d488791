"""What a contour's surroundings look like, by the distance from it: edges, and background.

Places are counted in the drawing's reach: 0 on the contour, negative inside of it. Two curves over
16 stretches from -0.9 to 0.7: the probability of "surroundings", and the strength of edges along
the normals of the contour. A contour that is drawn too wide moves both inwards.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from overread.arrays import Bools, Floats

EDGES: Floats = np.round(np.linspace(-0.9, 0.7, 17), 2)
N_PROFILE = 2 * (EDGES.size - 1)
MIDDLE: Floats = (EDGES[:-1] + EDGES[1:]) / 2

_CENTRE = 0.3  # of a box's side about its middle: what fills a box is seldom in its corners
_FLOOR = 1e-3


def profile(
    evidence: Floats, smooth: Floats, *, depth: Floats, away: Floats, reach: float, apart: Bools
) -> Floats:
    """(N_PROFILE,) probability of "surroundings", then log share of the edges, by the place.

    Args:
        evidence: (rows, columns) probability of "surroundings".
        smooth: (rows, columns, channels) smoothed samples.
        depth, away: (rows, columns) distance inwards, and outwards, from the contour, in samples.
        reach: of the drawing.
        apart: (rows, columns) that do not count: other drawings, corners.
    Returns:
        nan where a stretch has no sample.
    """
    inside = depth > 0
    place = np.where(inside, 0.5 - depth, away - 0.5) / max(reach, 1.0)
    bin_of = np.digitize(place, EDGES)[~apart]
    count = np.bincount(bin_of, minlength=EDGES.size + 1)[1:-1]
    means = []
    for value in (evidence, edge_strength(smooth, away - depth)):
        total = np.bincount(bin_of, weights=value[~apart], minlength=EDGES.size + 1)[1:-1]
        means.append(np.where(count > 0, total / np.maximum(count, 1), np.nan))
    background, edges = means
    whole = np.nansum(edges)
    with np.errstate(invalid="ignore"):
        share = edges / whole if whole > 0 else np.full(edges.size, 1 / edges.size)
    return np.concatenate([background, np.log(share + _FLOOR)])


def edge_strength(smooth: Floats, signed: Floats) -> Floats:
    """(rows, columns) how fast the samples change along the normals of a contour.

    Args:
        smooth: (rows, columns, channels).
        signed: (rows, columns) distance from the contour, negative inside.
    """
    soft = ndimage.gaussian_filter(signed, 1.5)
    down: Floats = np.asarray(np.gradient(soft, axis=0))
    across: Floats = np.asarray(np.gradient(soft, axis=1))
    length = np.hypot(down, across) + 1e-9
    falling: Floats = np.asarray(np.gradient(smooth, axis=0))
    rightwards: Floats = np.asarray(np.gradient(smooth, axis=1))
    along = (falling * down[..., None] + rightwards * across[..., None]) / length[..., None]
    return np.asarray(np.sqrt((along**2).sum(axis=2)))


def corners(inside: Bools) -> Bools:
    """(rows, columns) what lies beside a box's corners, inside and outside of it."""
    rows, columns = np.nonzero(inside)
    top, left = int(rows.min()), int(columns.min())
    height, width = int(rows.max()) + 1 - top, int(columns.max()) + 1 - left
    y, x = np.mgrid[: inside.shape[0], : inside.shape[1]] + 0.5
    down, across = (y - top) / height - 0.5, (x - left) / width - 0.5
    middle_down, middle_across = np.abs(down) < _CENTRE, np.abs(across) < _CENTRE
    to_side = np.minimum(x - left, left + width - x)
    to_top = np.minimum(y - top, top + height - y)
    near_top = to_top < to_side
    within = np.where(near_top, middle_across, middle_down)
    return np.asarray(~np.where(inside, within, middle_down | middle_across))


def as_if_wider(curves: Floats, by: float) -> Floats:
    """(n, N_PROFILE) curves of the same drawings, were they drawn too wide; by geometry alone.

    Args:
        curves: (n, N_PROFILE), nan where unknown.
        by: part of its reach that a contour moves outwards.
    """
    half = MIDDLE.size
    source = MIDDLE * (1 + by) + by
    at = np.interp(source, MIDDLE, np.arange(half))
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, half - 1)
    part = at - low
    moved = [
        one[:, low] * (1 - part) + one[:, high] * part
        for one in (curves[:, :half], curves[:, half:])
    ]
    return np.concatenate(moved, axis=1)
