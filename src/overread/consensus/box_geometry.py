"""How readers draw boxes, and how well two boxes fit one finding.

Edge e of a box that reader r draws around a finding with box t lies at

    t_e + bias[r, e] * side_e + sd[r] * extent_e * noise,

where side is the finding's width (x edges) or height (y edges), and extent its side pulled halfway
to the mean side sqrt(width * height): long thin boxes are drawn loosely along both axes. The noise
is normal; now and then the hand slips, and the whole box is several times as loose.
A reader who draws everything 30 % smaller has the biases .15, .15, -.15, -.15.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from overread.arrays import Bools, Floats, Ints

USUAL_SD = 0.10
"""Drawing error of an edge, relative to the box, before any read is seen."""

_TAILS = 4.0  # degrees of freedom of a Student t that stands in for errors with slips in a pair
_SLACK = 0.02  # of the box: less than this tells no two findings apart, however exact the readers
_NORMAL_SCALE = 0.8310  # of such a t fitted to errors of sd 1 by likelihood


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """How readers draw, and how surely that is known.

    Args:
        bias: (readers, 4) shift of each edge relative to the finding's side.
        sd: (readers,) usual error of an edge relative to the finding's extent.
        slips: share of boxes drawn by a slipping hand.
        uneven: variance of the log variances among readers.
        spread: (4,) scale, squared, of each part of the biases (:data:`PARTS`) among readers.
        doubt_sd: covariance of the log variances: (readers, readers), or its diagonal
            (readers, 1).
        doubt_bias: covariance of each part of the biases: (4, readers, readers) or diagonals.
        known: (readers,) whose drawing is given and not learned (gold).
    """

    bias: Floats
    sd: Floats
    slips: float
    uneven: float
    spread: Floats
    doubt_sd: Floats
    doubt_bias: Floats
    known: Bools


PARTS = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [1, 1, -1, -1], [1, -1, -1, 1]]) / np.sqrt(
    [[2], [2], [4], [4]]
)
"""Orthonormal parts of a bias: shift in x, in y, size (1 - the factor drawn), and aspect."""


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where findings turn up: anywhere in the region, sizes log-normal.

    Args:
        area: of the region, square pixels.
        mean: (2,) of log width and log height.
        precision: (2, 2) inverse covariance of these.
        log_norm: log normalising constant of the sizes.
    """

    area: float
    mean: Floats
    precision: Floats
    log_norm: float


def places(box: Floats, size: Ints | None = None) -> Places:
    """Fit where boxes lie and how large they are.

    Args:
        box: (findings, 4).
        size: (findings, 2) columns and rows of each one's image, or None (0 where unknown): then
            the region is what the boxes of all cases span, the outermost hundredth left out.
    """
    if not box.shape[0]:
        return Places(1.0, np.zeros(2), np.eye(2), 0.0)
    low, high = np.quantile(box[:, :2], 0.005, axis=0), np.quantile(box[:, 2:], 0.995, axis=0)
    area = float(np.prod(np.maximum(high - low, 1e-9)))
    if size is not None and (known := (size > 0).all(axis=1)).any():
        area = float(np.median(np.prod(size[known].astype(float), axis=1)))
    sides = np.log(box[:, 2:] - box[:, :2])
    cover = np.atleast_2d(np.cov(sides.T)) if box.shape[0] > 2 else np.eye(2)
    cover = cover + 0.05 * np.eye(2)
    log_norm = -np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(cover)[1]
    return Places(
        area,
        sides.mean(axis=0),
        np.asarray(np.linalg.inv(cover), dtype=np.float64),
        float(log_norm),
    )


def log_place(where: Places, box: Floats) -> Floats:
    """(n,) log density, per pixel^4, of an unrelated box with these edges."""
    side = box[:, 2:] - box[:, :2]
    off = np.log(side) - where.mean
    shape = where.log_norm - 0.5 * np.einsum("ni,ij,nj->n", off, where.precision, off)
    # From centre and log size to edges: |d(cx, cy, log w, log h)| = dx1 dy1 dx2 dy2 / (w h).
    return np.asarray(shape - np.log(side).sum(axis=1) - np.log(where.area))


def unbiased(box: Floats, bias: Floats) -> Floats:
    """Boxes as their readers would have drawn them without bias; (n, 4) each."""
    side = (box[:, 2:] - box[:, :2]) / np.maximum(1 + bias[:, 2:] - bias[:, :2], 0.05)
    return np.asarray(box - bias * np.hstack([side, side]))


def extents(box: Floats) -> Floats:
    """(n, 4) length that drawing errors of each edge scale with."""
    side = np.maximum(box[:, 2:] - box[:, :2], 1e-9)
    mean = np.sqrt(side.prod(axis=1, keepdims=True))
    extent = np.sqrt(side * mean)
    return np.hstack([extent, extent])


def pair_evidence(
    drawing: Drawing,
    where: Places,
    box: Floats,
    reader: Ints,
    pair: tuple[Ints, Ints],
    *,
    shape_overlap: Floats | None = None,
) -> Floats:
    """Log odds, from the edges alone, that two boxes are drawings of one finding.

    Args:
        drawing, where: the readers and the region.
        box, reader: (findings, 4), (findings,).
        pair: (pairs,) first and second finding of each.
        shape_overlap: (pairs,) IoU of the outlines, where there are any: no displacement of the
            edges too small to explain it may count as evidence for one finding.
    Returns:
        (pairs,) log of p(second | first, one finding) / p(second | unrelated).
    """
    first, second = pair
    drawn = unbiased(box, drawing.bias[reader])
    one, other = drawn[first], drawn[second]
    extent = np.sqrt(extents(one) * extents(other))
    scale = (_NORMAL_SCALE * drawing.sd) ** 2 + _SLACK**2
    relative = scale[reader[first]] + scale[reader[second]]
    variance = relative[:, None] * extent**2
    distance = ((one - other) ** 2 / variance).sum(axis=1)
    if shape_overlap is not None:
        # Edges off by d cost about sum |d| / extent of -log IoU, at most 2 sqrt(sum d^2).
        needed = np.log(np.maximum(shape_overlap, 1e-9)) ** 2 / (4 * relative)
        distance = np.maximum(distance, needed)
    same = _log_student(distance, 4) - 0.5 * np.log(variance).sum(axis=1)
    apart = 0.5 * (log_place(where, one) + log_place(where, other))
    return np.asarray(same - apart)


def _log_student(distance: Floats, dim: int) -> Floats:
    norm = gammaln((_TAILS + dim) / 2) - gammaln(_TAILS / 2) - dim / 2 * np.log(_TAILS * np.pi)
    return np.asarray(norm - (_TAILS + dim) / 2 * np.log1p(distance / _TAILS))
