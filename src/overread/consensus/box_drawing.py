"""Where a boxed finding is, and how its readers draw: EM with every doubt carried along.

The place of a box is averaged out when the readers are learned (restricted likelihood: n boxes of a
finding give n - 1 errors), and what is not known of the readers widens the standard error of the
place. See :mod:`overread.consensus.box_geometry` for the model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from overread.arrays import Bools, Floats, Ints
from overread.consensus.box_geometry import PARTS, USUAL_SD, Drawing, extents, unbiased
from overread.consensus.box_kernels import gather, settle

KNOWN_SD = 0.003
"""Drawing error of a reader who is given as right."""

_LEAST_SD = 0.003
_LOOSE = 16.0  # times the usual variance, where the hand slipped
_SLIPS, _SLIPS_WEIGHT = 0.05, 20.0  # share of such boxes before any is seen, worth so many boxes
_LOG_SPREAD = 1.0  # variance of the mean log variance of readers, before any read
_UNEVEN, _UNEVEN_WEIGHT = 0.7, 2.0  # variance of readers' own around it, worth so many readers
_BIAS = np.array([0.01, 0.01, 0.03, 0.01]) ** 2  # usual scale of the parts of a bias, squared
_BIAS_WEIGHT = 2.0  # readers that it is worth
_BIAS_TAILS = 2.0  # degrees of freedom: one odd reader does not move the middle of the others
_MODEL_ERROR = 0.02  # of a log sd: errors follow neither side nor extent exactly
_COUPLED_UP_TO = 500  # readers, from which on their doubts count as independent


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


@dataclass(frozen=True, slots=True, eq=False)
class Fused:
    """Fused boxes and what the readers' drawing rests on.

    Args:
        box, se: (clusters, 4) box and standard error of each edge, in pixels.
        boxes: (readers,) boxes of each reader that another reader's box could be held against.
        trust: (members,) below 1 where a box lies far from its cluster's.
    """

    box: Floats
    se: Floats
    boxes: Floats
    trust: Floats


class _Frame(NamedTuple):
    """Lengths of each cluster at the current boxes, and the boxes of its members in them."""

    middle: Floats
    extent: Floats
    side: Floats
    drawn: Floats  # members without bias


class _Seen(NamedTuple):
    """What :func:`overread.consensus.box_kernels.gather` returns."""

    place: Floats
    of_bias: Floats
    of_sd: Floats
    slope: Floats
    squared: Floats
    free: Floats
    slipped: float


def first_drawing(n_readers: int, known: Bools | None = None) -> Drawing:
    """Before any match: no bias, errors half as large again as usual.

    Args:
        n_readers: number of readers.
        known: (readers,) those who draw exactly and without bias.
    """
    given = np.zeros(n_readers, dtype=np.bool_) if known is None else known
    width = n_readers if n_readers <= _COUPLED_UP_TO else 1
    return Drawing(
        bias=np.zeros((n_readers, 4)),
        sd=np.where(given, KNOWN_SD, 1.8 * USUAL_SD),
        slips=_SLIPS,
        uneven=_UNEVEN,
        spread=4 * _BIAS,
        doubt_sd=np.zeros((n_readers, width)),
        doubt_bias=np.zeros((4, n_readers, width)),
        known=given,
    )


def fuse_edges(
    drawing: Drawing, members: Members, *, tied: bool = False, steps: int = 10, tol: float = 1e-4
) -> tuple[Drawing, Fused]:
    """Fuse the boxes of each cluster and learn how the readers draw.

    Args:
        drawing: the start.
        members: the clusters.
        tied: all readers draw alike, without bias.
        steps: at most; 0 fuses with the readers as given.
        tol: stop when no log variance or bias moves by more than this.
    Source:
        Raykar et al. 2010, JMLR 11:1297-1322 (readers' precisions by EM); Patterson & Thompson
        1971, Biometrika 58:545-554 (restricted likelihood); Tukey 1960 (contaminated normal).
    """
    size = np.diff(members.first)
    of = np.repeat(np.arange(size.size), size)
    n_readers = drawing.sd.size
    held = np.bincount(members.reader, members.share * (size > 1)[of], n_readers)
    boxes = held.astype(np.float64)
    if not of.size:
        none = np.empty((0, 4))
        return drawing, Fused(none, none, boxes, np.empty(0))
    box = np.add.reduceat(members.box, members.first[:-1]) / size[:, None]
    for _ in range(steps):
        frame = _frame(drawing, members, of, box)
        seen = _gather(drawing, members, of, frame)
        box = _ordered(seen.place * frame.extent + frame.middle)
        new = _learn(drawing, seen, float(boxes.sum()), tied=tied)
        moved = np.abs(np.column_stack([2 * np.log(new.sd / drawing.sd), new.bias - drawing.bias]))
        drawing = new
        if moved.max(initial=0) < tol:
            break
    box, se, trust = _settle(drawing, members, of, box)
    return drawing, Fused(box, se, boxes, trust)


def sd_error(drawing: Drawing) -> Floats:
    """(readers,) standard error of each reader's log sd.

    Errors are relative to the finding's size, which is as uncertain as the readers' sizes are.
    """
    own = 0.25 * _diagonal(drawing.doubt_sd)
    return np.sqrt(own + _common_size(drawing) + _MODEL_ERROR**2)


def size_error(drawing: Drawing) -> Floats:
    """(readers,) standard error of each reader's size, relative to the finding's."""
    return np.sqrt(_diagonal(drawing.doubt_bias[2]))


def _common_size(drawing: Drawing) -> float:
    """Variance of the size that readers draw together, by precision."""
    weight = np.where(drawing.known, 0.0, drawing.sd**-2.0)
    weight /= weight.sum()
    doubt = drawing.doubt_bias[2]
    return float(weight @ doubt @ weight if doubt.shape[1] > 1 else weight**2 @ doubt[:, 0])


def _frame(drawing: Drawing, members: Members, of: Ints, box: Floats) -> _Frame:
    side = np.tile(box[:, 2:] - box[:, :2], 2)
    bias = drawing.bias[members.reader]
    alone = (np.diff(members.first) == 1)[of, None]
    drawn = np.where(alone, unbiased(members.box, bias), members.box - bias * side[of])
    return _Frame(np.tile((box[:, :2] + box[:, 2:]) / 2, 2), extents(box), side, drawn)


def _gather(drawing: Drawing, members: Members, of: Ints, frame: _Frame) -> _Seen:
    off = frame.drawn - frame.middle[of]
    return _Seen(
        *gather(
            members.first,
            members.reader,
            members.share,
            off / frame.extent[of],
            off / frame.side[of],
            ((frame.side / frame.extent) ** 2).mean(axis=1),
            drawing.sd**2,
            drawing.slips,
            _LOOSE,
            drawing.doubt_sd.shape[1] > 1,
        )
    )


def _settle(
    drawing: Drawing, members: Members, of: Ints, box: Floats
) -> tuple[Floats, Floats, Floats]:
    """Boxes, their standard errors, and the trust in each member."""
    frame = _frame(drawing, members, of, box)
    place, variance, by_bias, trust = settle(
        members.first,
        members.reader,
        members.share,
        (frame.drawn - frame.middle[of]) / frame.extent[of],
        2 * np.log(drawing.sd),
        drawing.doubt_sd,
        drawing.doubt_bias,
        PARTS**2,
        drawing.slips,
        _LOOSE,
    )
    se = np.sqrt(np.maximum(variance, 0) * frame.extent**2 + by_bias * frame.side**2)
    return _ordered(place * frame.extent + frame.middle), se, trust


def _ordered(box: Floats) -> Floats:
    """Boxes with x1 < x2, y1 < y2: weights that differ by edge may turn a tiny one inside out."""
    side = np.maximum(box[:, 2:] - box[:, :2], 1e-6)
    middle = (box[:, 2:] + box[:, :2]) / 2
    return np.hstack([middle - side / 2, middle + side / 2])


def _learn(drawing: Drawing, seen: _Seen, boxes: float, *, tied: bool) -> Drawing:
    """One step of scoring in the biases and log variances, and the spreads among readers."""
    slips = (seen.slipped + _SLIPS * _SLIPS_WEIGHT) / (boxes + _SLIPS_WEIGHT)
    drawing = replace(drawing, slips=float(np.clip(slips, 1e-4, 0.3)))
    if tied:
        return _learn_together(drawing, seen)
    used = _learn_biases(drawing, seen)
    return _learn_sds(used[0], seen, used[1])


def _learn_together(drawing: Drawing, seen: _Seen) -> Drawing:
    prior = 1 / (_LOG_SPREAD + _UNEVEN)
    free = ~drawing.known
    log = 2 * np.log(drawing.sd[free][0])
    of_sd = seen.of_sd[np.ix_(free, free)] if seen.of_sd.shape[1] > 1 else seen.of_sd[free]
    variance = 1 / (float(of_sd.sum()) + prior)
    slope = 0.5 * float((seen.squared - seen.free)[free].sum())
    slope -= prior * (log - 2 * np.log(USUAL_SD))
    log = max(log + float(np.clip(variance * slope, -1, 1)), 2 * np.log(_LEAST_SD))
    doubt = np.where(free[:, None], np.full_like(drawing.doubt_sd, variance), 0.0)
    if doubt.shape[1] > 1:
        doubt[:, ~free] = 0.0
    return replace(drawing, sd=np.where(free, np.exp(log / 2), drawing.sd), doubt_sd=doubt)


def _learn_biases(drawing: Drawing, seen: _Seen) -> tuple[Drawing, Floats]:
    """Biases by the reads and a Student t among readers, and the errors each reader's took up.

    The reads alone cannot tell a bias common to all readers: the middle of the t is taken as
    unbiased. Readers who agree count, an outlier fades.
    """
    part, slope = drawing.bias @ PARTS.T, seen.slope @ PARTS.T
    free = ~drawing.known
    n, dense = int(free.sum()), seen.of_bias.shape[1] > 1
    doubt, spread = np.empty_like(drawing.doubt_bias), drawing.spread.copy()
    taken = np.zeros(drawing.sd.size)
    for m in range(4):
        around = part[:, m] ** 2 + _diagonal(drawing.doubt_bias[m])
        pull = (_BIAS_TAILS + 1) / (_BIAS_TAILS * spread[m] + around)
        pull = np.where(free, pull, 1e12)
        push = slope[:, m] - pull * part[:, m]
        # A t tells less of its middle than its weights say: (nu + 1) / (nu + 3) of it.
        sure = pull * (_BIAS_TAILS + 1) / (_BIAS_TAILS + 3)
        if dense:
            part[:, m] += np.linalg.solve(seen.of_bias + np.diag(pull), push)
            doubt[m] = np.linalg.inv(seen.of_bias + np.diag(sure))
            taken += np.einsum("rs,sr->r", seen.of_bias, doubt[m])
        else:  # half steps, as the readers' common direction is not damped
            part[:, m] += 0.5 * push / (seen.of_bias[:, 0] + pull)
            doubt[m] = 1 / (seen.of_bias + sure[:, None])
            taken += seen.of_bias[:, 0] * doubt[m, :, 0]
        around = part[:, m] ** 2 + _diagonal(doubt[m])
        fading = (_BIAS_TAILS + 1) / (_BIAS_TAILS * spread[m] + around)
        scatter = (spread[m] * fading * around)[free].sum()
        spread[m] = (scatter + _BIAS_WEIGHT * _BIAS[m]) / (n + _BIAS_WEIGHT)
    part[drawing.known] = 0.0
    return replace(drawing, bias=part @ PARTS, spread=spread, doubt_bias=doubt), taken


def _learn_sds(drawing: Drawing, seen: _Seen, taken: Floats) -> Drawing:
    """Log variances: normal among readers, around a mean that is itself learned."""
    free, n = ~drawing.known, drawing.sd.size
    log = 2 * np.log(drawing.sd)
    away = np.where(free, log - 2 * np.log(0.8 * USUAL_SD), 0.0)
    count = int(free.sum())
    shared = _LOG_SPREAD / (drawing.uneven + count * _LOG_SPREAD)
    pull = (away - shared * away.sum()) / drawing.uneven
    slope = 0.5 * (seen.squared - np.maximum(seen.free - taken, 1e-3)) - pull
    slope = np.where(free, slope, 0.0)
    if seen.of_sd.shape[1] > 1:
        prior = (np.eye(n) - shared * np.outer(free, free)) / drawing.uneven
        doubt = np.linalg.inv(seen.of_sd + prior + np.diag(np.where(free, 0.0, 1e12)))
        log = log + np.clip(doubt @ slope, -1, 1)
    else:
        doubt = 1 / (seen.of_sd + (1 - shared) / drawing.uneven)
        doubt[~free] = 0.0
        log = log + np.clip(doubt[:, 0] * slope, -1, 1)
    mine = log[free]
    scatter = float(((mine - mine.mean()) ** 2).sum() if count else 0.0)
    scatter += float(_around_mean(doubt, free))
    uneven = (scatter + _UNEVEN * _UNEVEN_WEIGHT) / (max(count - 1, 0) + _UNEVEN_WEIGHT)
    sd = np.where(free, np.clip(np.exp(log / 2), _LEAST_SD, 10.0), drawing.sd)
    return replace(drawing, sd=sd, doubt_sd=doubt, uneven=uneven)


def _around_mean(doubt: Floats, free: Bools) -> float:
    """Summed variance of the free readers around their mean."""
    own = float(_diagonal(doubt)[free].sum())
    if doubt.shape[1] == 1:
        return own
    return own - float(doubt[np.ix_(free, free)].sum()) / max(int(free.sum()), 1)


def _diagonal(doubt: Floats) -> Floats:
    return np.diagonal(doubt) if doubt.shape[1] > 1 else doubt[:, 0]
