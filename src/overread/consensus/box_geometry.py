"""Where a boxed finding is: each reader's edges, with the reader's own bias and precision.

Edge e of a box that reader r draws around a finding with box t lies at

    t_e + bias[r, e] * side_e + noise,   noise ~ Student t, scale sd[r] * extent_e,

where side is the finding's width (x edges) or height (y edges), and extent its side pulled halfway
to the mean side sqrt(width * height): long thin boxes are drawn loosely along both axes.
A reader who draws everything 30 % smaller has the biases .15, .15, -.15, -.15.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gammaln

from overread.arrays import Floats, Ints

TAILS = 4.0
"""Degrees of freedom of the drawing errors: some edges are far off."""

USUAL_SD = 0.10
"""Drawing error of an edge, relative to the box, before any read is seen."""

_SD_WEIGHT = 6.0  # boxes that a reader's precision is pulled by
_BIAS_SPREAD = 0.05  # how far biases are expected to scatter, relative to the box
_LEAST_SD = 0.002
_NORMAL_SCALE = 0.8310  # of a Student t with TAILS fitted to errors of sd 1 by likelihood


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """How readers draw.

    Args:
        bias: (readers, 4) shift of each edge relative to the finding's side.
        sd: (readers,) error of an edge relative to the finding's extent.
    """

    bias: Floats
    sd: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Fused:
    """Fused boxes and what the readers' drawing rests on.

    Args:
        box, se: (clusters, 4) box and standard error of each edge, in pixels.
        boxes: (readers,) boxes of each reader that another reader's box could be held against.
        trust: (members,) below 1 where a box lies far from its cluster's.
        left: (clusters, 4) variance of each edge given the trust, as EM uses it.
    """

    box: Floats
    se: Floats
    boxes: Floats
    trust: Floats
    left: Floats


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


def first_drawing(n_readers: int) -> Drawing:
    """Before any match: no bias, errors half as large again as usual."""
    return Drawing(np.zeros((n_readers, 4)), np.full(n_readers, 1.5 * USUAL_SD))


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


def edge_errors(drawing: Drawing) -> Floats:
    """(readers,) sd of the edges as drawn, slips left out, relative to the finding.

    Two corrections: the scale of a Student t fitted to normal errors is smaller than their sd, and
    taking the bias out of a box stretches its errors.
    """
    ratio = np.maximum(1 + drawing.bias[:, 2:] - drawing.bias[:, :2], 0.05)
    own = drawing.bias / np.tile(ratio, 2)
    own[:, 2:] *= -1  # x1 - b1 w has the errors e1 (1 + b1 / ratio) - e2 b1 / ratio, and so on
    stretch = np.sqrt(((1 + own) ** 2 + own**2).mean(axis=1))
    return np.asarray(drawing.sd / (_NORMAL_SCALE * stretch))


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
    relative = drawing.sd[reader[first]] ** 2 + drawing.sd[reader[second]] ** 2
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
    norm = gammaln((TAILS + dim) / 2) - gammaln(TAILS / 2) - dim / 2 * np.log(TAILS * np.pi)
    return np.asarray(norm - (TAILS + dim) / 2 * np.log1p(distance / TAILS))


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Boxes of clusters, cluster by cluster.

    Args:
        box: (members, 4).
        reader: (members,).
        share: (members,) 1, or 1 / m where the reader read the case m times.
        first: (clusters + 1,) start of each cluster's members.
    """

    box: Floats
    reader: Ints
    share: Floats
    first: Ints


def fuse_edges(
    drawing: Drawing, members: Members, *, tied: bool = False, steps: int = 10, tol: float = 1e-4
) -> tuple[Drawing, Fused]:
    """Fuse the boxes of each cluster and learn how the readers draw, by EM.

    Args:
        drawing: the start.
        members: the clusters.
        tied: all readers draw alike, without bias.
        steps: at most; 0 fuses with the readers as given.
        tol: stop when no sd or bias moves by more than this.
    Source:
        Raykar et al. 2010, JMLR 11:1297-1322 (readers' precisions by EM); Lange, Little & Taylor
        1989, JASA 84:881-896 (Student t errors by EM).
    """
    size = np.diff(members.first)
    of = np.repeat(np.arange(size.size), size)
    n_readers = drawing.sd.size
    several = (size > 1)[of]
    boxes = _per_reader(members.reader, members.share * several, n_readers)
    trust = np.ones_like(members.box)
    for _ in range(steps):
        fused, drawn, trust = _fuse(drawing, members, of, trust)
        weight = members.share * several
        new = _learn(
            drawing, fused, members, of, drawn=drawn, trust=trust, weight=weight, tied=tied
        )
        moved = np.abs(np.column_stack([new.sd - drawing.sd, new.bias - drawing.bias])).max(
            initial=0
        )
        drawing = new
        if moved < tol:
            break
    fused, _, _ = _fuse(drawing, members, of, trust)
    return drawing, replace(fused, boxes=boxes)


def _fuse(
    drawing: Drawing, members: Members, of: Ints, trust: Floats
) -> tuple[Fused, Floats, Floats]:
    """Precision-weighted boxes, with the members without bias and the trust in each edge."""
    drawn = unbiased(members.box, drawing.bias[members.reader])
    if not of.size:
        none, flat = np.empty((0, 4)), np.empty(0)
        return Fused(none, none, flat, flat, none), drawn, trust
    start = members.first[:-1]
    sd = drawing.sd[members.reader, None]
    precision = members.share[:, None] / sd**2
    count = np.diff(members.first)[of, None]
    for _ in range(2):
        weight = precision * trust
        total = np.add.reduceat(weight, start, axis=0)
        fused = _ordered(np.add.reduceat(weight * drawn, start, axis=0) / total)
        extent = extents(fused)
        off = (drawn - fused[of]) ** 2 / extent[of] ** 2 + 1 / total[of]
        trust = np.where(count > 1, (TAILS + 1) / (TAILS + off / sd**2), 1.0)
    # A Student t error tells less than its weight: Fisher information (nu + 1) / (nu + 3); a lone
    # box has the whole variance of it.
    wide = np.where(np.diff(members.first) > 1, (TAILS + 3) / (TAILS + 1), TAILS / (TAILS - 2))
    se = extent * np.sqrt(wide[:, None] / total)
    return Fused(fused, se, np.empty(0), trust.mean(axis=1), extent**2 / total), drawn, trust


def _ordered(box: Floats) -> Floats:
    """Boxes with x1 < x2, y1 < y2: weights that differ by edge may turn a tiny one inside out."""
    side = np.maximum(box[:, 2:] - box[:, :2], 1e-6)
    middle = (box[:, 2:] + box[:, :2]) / 2
    return np.hstack([middle - side / 2, middle + side / 2])


def _learn(
    drawing: Drawing,
    fused: Fused,
    members: Members,
    of: Ints,
    *,
    drawn: Floats,
    trust: Floats,
    weight: Floats,
    tied: bool,
) -> Drawing:
    """Errors and biases of the readers, from members held against their fused boxes."""
    reader, n_readers = members.reader, drawing.sd.size
    extent, off = extents(fused.box)[of], drawn - fused.box[of]
    relative = trust / extent**2
    squared = _per_reader(reader, weight * (relative * off**2).mean(axis=1), n_readers)
    # What a reader's own box does to the fused one is no evidence of precision. Dividing by the
    # rest has the fixed point of EM (adding the variance left), which creeps where one reader
    # dominates; MacKay 1992, Neural Comput. 4:415-447, for the same step.
    own = members.share[:, None] * relative * fused.left[of] / drawing.sd[reader, None] ** 2
    edges = _per_reader(reader, weight, n_readers)
    free = _per_reader(reader, weight * (1 - own).mean(axis=1), n_readers)
    free = np.maximum(free, 0.02 * edges)
    pooled = (squared.sum() + _SD_WEIGHT * USUAL_SD**2) / (free.sum() + _SD_WEIGHT)
    if tied:
        return Drawing(drawing.bias, np.full(n_readers, max(float(np.sqrt(pooled)), _LEAST_SD)))
    sd = np.sqrt((squared + _SD_WEIGHT * pooled) / (free + _SD_WEIGHT))
    side = np.tile(fused.box[of, 2:] - fused.box[of, :2], 2)
    each = weight[:, None] * trust * (side / extent) ** 2
    shift = each * (members.box - fused.box[of]) / side
    total, mean = (
        np.column_stack([_per_reader(reader, column, n_readers) for column in part.T])
        for part in (each, shift)
    )
    bias = mean / (total + (sd[:, None] / _BIAS_SPREAD) ** 2)
    return Drawing(_anchored(bias, edges), np.maximum(sd, _LEAST_SD))


def _per_reader(reader: Ints, value: Floats, n_readers: int) -> Floats:
    return np.bincount(reader, weights=value, minlength=n_readers).astype(np.float64)


def _anchored(bias: Floats, boxes: Floats) -> Floats:
    """Biases relative to the middle of the readers, which one odd reader hardly moves.

    The reads alone cannot tell a bias common to all readers. The middle is a Student t location:
    readers that agree count, an outlier fades.
    """
    weight = (boxes / (boxes + 10.0))[:, None]
    if not weight.any():
        return bias
    used = boxes > 0
    centre = np.median(bias[used], axis=0)
    spread = np.maximum(1.4826 * np.median(np.abs(bias[used] - centre), axis=0), 0.01)
    for _ in range(20):
        robust = weight / (1 + ((bias - centre) / spread) ** 2 / TAILS)
        centre = (robust * bias).sum(axis=0) / robust.sum(axis=0)
    return np.asarray(bias - centre)
