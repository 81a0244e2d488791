"""Reader-weighted signed distance: outlines scatter around the true one, some readers more.

Every mask becomes the field of signed distances to its border (above 0 inside). At the true
border, the field of reader j is bias + noise: how far outside the reader draws, and how shakily.
Both are learned over cases; the fields, less their bias, are averaged with weights 1 / sd^2, and
robustly, so that a part that one reader forgot or invented does not bend the border elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from overread.arrays import Bools, Floats, Ints, compiled
from overread.consensus.problem import in_threads
from overread.geometry.distance_map import signed_distance_map

_CLIP = 4.0  # distances beyond so many sd of the reads of the case say no more
_LEAST_CLIP = 3.0  # ... but at least so many pixels
_MOST_OFF = 2.0  # clips that a read may lie off the middle
_FAR = 2.0  # sd at which a reader's word counts half at a pixel
_STEPS = 3  # of the robust mean at a pixel
_BIAS_PULL = 1.0  # cases of bias 0 behind every reader's bias
_SD_PULL = 2.0  # cases of the group's sd behind every reader's
_READ_PULL = 2.0  # pulls a read's own sd to its reader's
_FLOOR = 0.3  # least sd, in pixels: a border is not known better
_SAMPLE = 5_000  # pixels of a shell that the fit looks at
_LAPSE = 0.01  # of the pixels, a held-out read may say anything: parts forgotten or invented
_TAUS = np.geomspace(0.05, 1.0, 40)
_TABLE_END, _TABLE_STEPS = 9, 512  # log chances by sd: up to, and so many a sd


@dataclass(frozen=True, slots=True, eq=False)
class Shell:
    """Distances of the reads of one case to the border of one class, where they say something.

    Args:
        reader: (reads,) of those reads that mark the class at all.
        share: (reads,) of each vote.
        at: (pixels,) flat index into the box; elsewhere all reads are far on the same side.
        field: (reads, pixels) signed distance, clipped around where the read lies; mm or pixels.
        inner: (pixels,) flat index where all reads are far inside.
        pixel, clip: the longest side of a pixel, and the clip, in the unit of the field.
        least: the shortest side of a pixel.
        fixed: (pixels,) the true distance where gold gives it, or None.
        alone: true where the case has one reader: the mask is taken as it is.
    """

    reader: Ints
    share: Floats
    at: NDArray[np.int64]
    field: NDArray[np.float32]
    inner: NDArray[np.int64]
    pixel: float
    clip: float
    least: float
    fixed: NDArray[np.float32] | None
    alone: bool


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """How readers draw a class.

    Args:
        bias: (readers,) mean distance outside of the consensus border.
        sd: (readers,) scatter around it.
        reads: per shell, (reads,) sd of each read.
        offset: (reads of all shells,) bias of each read on its own, nan where it has no border.
        reader, share: (reads of all shells,) of each.
    """

    bias: Floats
    sd: Floats
    reads: tuple[Floats, ...]
    offset: Floats
    reader: Ints
    share: Floats


def shell_of(
    masks: Sequence[Bools],
    reader: Ints,
    share: Floats,
    spacing: Floats,
    *,
    truth: Bools | None = None,
    around: bool = False,
) -> Shell | None:
    """Distances of the reads that mark a class; None where none does.

    Args:
        masks: (reads,) of one class, in a box with a margin.
        truth: gold.
        around: the class is the background, which goes on beyond the box.
    """
    marks = np.array([mask.any() and not mask.all() for mask in masks])
    if not marks.any():
        return None
    sign = -1 if around else 1
    flipped = [~mask if around else mask for mask in masks]
    drawn = [one for one, there in zip(flipped, marks, strict=True) if there]
    field = np.stack([sign * signed_distance_map(mask, spacing).reshape(-1) for mask in drawn])
    pixel, least = float(spacing.max()), float(spacing.min())
    of = np.unique(reader[marks], return_inverse=True)[1]
    # The middle reader's border: only where some say inside, or nearly, and some outside.
    near = np.flatnonzero((field.min(axis=0) < pixel) & (field.max(axis=0) > -pixel))
    middle = np.median([field[of == j][:, near].mean(axis=0) for j in range(of.max() + 1)], axis=0)
    kept = np.abs(middle) < pixel
    near, middle = near[kept], middle[kept]
    apart = field[:, near] - middle if near.size else np.zeros((len(field), 1))
    each = np.abs(apart).mean(axis=1)
    typical = float(np.median(np.bincount(of, each) / np.bincount(of)))
    clip = max(_CLIP * 1.25 * typical, _LEAST_CLIP * pixel)
    # Clipped around where each read lies, else a large bias would be cut off.
    lies = np.clip(np.median(apart, axis=1), -_MOST_OFF * clip, _MOST_OFF * clip)[:, None]
    np.clip(field, lies - clip, lies + clip, out=field)
    edge = clip * (1 - 1e-6)
    in_all, out_all = (field - lies >= edge).all(axis=0), (field - lies <= -edge).all(axis=0)
    at = np.flatnonzero(~in_all & ~out_all)
    fixed = None
    if truth is not None and truth.any():
        known = sign * signed_distance_map(~truth if around else truth, spacing)
        fixed = np.clip(known.reshape(-1)[at], -clip, clip)
    return Shell(
        reader[marks], share[marks], at, np.ascontiguousarray(field[:, at]),
        np.flatnonzero(in_all), pixel, clip, least, fixed, np.unique(reader).size == 1,
    )  # fmt: skip


def fit_drawing(shells: Sequence[Shell], n_readers: int, *, rounds: int = 10) -> Drawing:
    """Learn how readers draw: border from readers, readers from border, in turn.

    The bias is relative to gold where there is some, else to the reader in the middle: were all
    biased alike, no one could tell.
    """
    reader = np.concatenate([one.reader for one in shells]).astype(np.int64)
    share = np.concatenate([one.share for one in shells])
    bounds = np.cumsum([0, *(one.reader.size for one in shells)])
    start = float(np.median([one.clip for one in shells])) / _CLIP
    bias, sd = np.zeros(n_readers), np.full(n_readers, start)
    of_read = np.full(reader.size, start)
    floor = _FLOOR * min(one.least for one in shells)
    offset = np.full(reader.size, np.nan)
    anchored = any(one.fixed is not None for one in shells)
    for _ in range(rounds):
        before = bias, sd
        offset, square = np.full(reader.size, np.nan), np.full(reader.size, np.nan)
        _measure(shells, bounds, bias, of_read, offset, square)
        bias, sd = _moments(reader, share, offset, square, sd=sd, floor=floor, anchored=anchored)
        known = np.where(np.isnan(square), sd[reader] ** 2, square)
        of_read = np.sqrt((_READ_PULL * sd[reader] ** 2 + known) / (_READ_PULL + 1))
        if np.allclose(bias, before[0], atol=1e-3 * start) and np.allclose(sd, before[1], 1e-3):
            break
    reads = tuple(of_read[low:high] for low, high in pairwise(bounds))
    return Drawing(bias, sd, reads, offset, reader, share)


def _sampled(shell: Shell) -> slice:
    return slice(None, None, 1 + shell.at.size // _SAMPLE)


def fused(
    shell: Shell, bias: Floats, sd: Floats, *, some: slice = slice(None), without: int = -1
) -> tuple[Floats, Floats]:
    """Consensus distance and its precision (1 / variance) at the pixels of a shell.

    Args:
        bias: (readers,). sd: (reads,).
        without: a read to leave out, with its reader's repeats.
    """
    field = shell.field[:, some]
    kept = np.ones(len(field), np.bool_)
    if without >= 0:
        kept = shell.reader != shell.reader[without]
    shift = np.zeros(len(field)) if shell.alone else bias[shell.reader]
    middle, precision = _robust_mean(field[kept], shift[kept], shell.share[kept], sd[kept])
    return middle, precision


def _measure(  # noqa: PLR0917 (two outputs, filled in place)
    shells: Sequence[Shell], bounds: Ints, bias: Floats, sd: Floats, offset: Floats, square: Floats
) -> None:
    """Fill (reads of all shells,) offsets and squares."""

    def fill(i: int) -> None:
        mine = slice(bounds[i], bounds[i + 1])
        offset[mine], square[mine] = _residuals(shells[i], bias, sd[mine])

    in_threads(fill, range(len(shells)))


def _residuals(shell: Shell, bias: Floats, sd: Floats) -> tuple[Floats, Floats]:
    """(reads,) mean distance outside of the consensus border, and mean square about the bias."""
    some = _sampled(shell)
    middle, precision = fused(shell, bias, sd, some=some)
    if shell.fixed is not None:
        middle, precision = shell.fixed[some].astype(np.float64), np.full(middle.size, np.inf)
    near = np.abs(middle) < shell.pixel
    n = len(shell.field)
    if near.sum() < 3 or (n == 1 and shell.fixed is None):
        return np.full(n, np.nan), np.full(n, np.nan)
    apart = shell.field[:, some][:, near] - middle[near]
    about = apart - bias[shell.reader][:, None]
    # The border itself is not known exactly: the EM term, without which one reader takes all.
    return apart.mean(axis=1), (about**2).mean(axis=1) + (1 / precision[near]).mean()


def _moments(
    reader: Ints,
    share: Floats,
    offset: Floats,
    square: Floats,
    *,
    sd: Floats,
    floor: float,
    anchored: bool,
) -> tuple[Floats, Floats]:
    """(readers,) bias and sd, reads that are far off counting less (Student's t, 1 df)."""
    n = sd.size
    known = ~np.isnan(square)
    who, off, sq = reader[known], offset[known], square[known]
    if not who.size:
        return np.zeros(n), np.maximum(sd, floor)
    weight = share[known] * 2 / (1 + sq / sd[who] ** 2)
    bias = np.bincount(who, weight * off, n) / (np.bincount(who, weight, n) + _BIAS_PULL)
    seen = np.bincount(who, share[known], n)
    if not anchored:
        bias -= np.median(bias[seen > 0])
    group = (weight * sq).sum() / share[known].sum()
    variance = (np.bincount(who, weight * sq, n) + _SD_PULL * group) / (seen + _SD_PULL)
    return np.asarray(bias), np.maximum(np.sqrt(variance), floor)


def border_temperature(drawn: Sequence[tuple[Shell, Drawing, Floats]]) -> float:
    """Temperature (at most 1) at which the border from the others best predicts each read.

    Of each pixel, what a held-out read says is predicted from the consensus of the other
    readers, whose standard error is divided by the temperature. 1 where no case has two readers.

    Args:
        drawn: shells, the drawing that each belongs to, and (reads,) sd of its reads.
    """
    # Every third temperature first, then those around the best: the score has one hill.
    coarse = np.arange(_TAUS.size - 1, -1, -3)[::-1]
    total = _log_chance(drawn, _TAUS[coarse])
    if not total.any():
        return 1.0
    best = int(coarse[total.argmax()])
    fine = np.arange(max(best - 2, 0), min(best + 3, _TAUS.size))
    return float(_TAUS[fine[_log_chance(drawn, _TAUS[fine]).argmax()]])


def _log_chance(drawn: Sequence[tuple[Shell, Drawing, Floats]], taus: Floats) -> Floats:
    """(taus,) mean log chance of what held-out reads say, summed over reads."""
    score = np.zeros((len(drawn), taus.size))
    sds = np.arange(-_TABLE_END * _TABLE_STEPS, _TABLE_END * _TABLE_STEPS + 1) / _TABLE_STEPS
    table = np.log(_LAPSE / 2 + (1 - _LAPSE) * ndtr(sds))

    def add(i: int) -> None:
        shell, drawing, sd = drawn[i]
        some = _sampled(shell)
        for read in range(len(shell.field)):
            if np.all(shell.reader == shell.reader[read]):
                continue
            middle, precision = fused(shell, drawing.bias, sd, some=some, without=read)
            bias, own = drawing.bias[shell.reader[read]], sd[read] ** 2
            said = shell.field[read, some] > 0
            _add_log_chance(
                said, middle + bias, precision, own, shell.share[read], taus, table, score[i]
            )

    in_threads(add, range(len(drawn)))
    return np.asarray(score.sum(axis=0))


@compiled(nogil=True, error_model="numpy")
def _add_log_chance(  # noqa: PLR0917 (numba kernels take plain arrays, by position)
    said: Any, level: Any, precision: Any, own: Any, share: Any, taus: Any, table: Any, score: Any
) -> None:
    """Add the mean log chance of what a read says of pixels to ``score``, by temperature."""
    top = table.size - 1
    for i in range(taus.size):
        total = 0.0
        for p in range(said.size):
            z = level[p] / math.sqrt(1 / (precision[p] * taus[i] ** 2) + own)
            at = ((z if said[p] else -z) + _TABLE_END) * _TABLE_STEPS
            if at >= top:
                total += table[top]
            elif at > 0:
                low = int(at)
                total += table[low] + (at - low) * (table[low + 1] - table[low])
            else:
                total += table[0]
        score[i] += share * total / said.size


@compiled(nogil=True, error_model="numpy")
def _robust_mean(field: Any, shift: Any, share: Any, sd: Any) -> Any:  # noqa: C901 - one loop
    """Weighted mean of distances, from the weighted median on, far ones counting less."""
    n, pixels = field.shape
    out, precision = np.empty(pixels), np.empty(pixels)
    weight = share / (sd * sd)
    half = weight.sum() / 2
    value, order = np.empty(n), np.empty(n, np.int64)
    for p in range(pixels):
        for r in range(n):
            value[r] = field[r, p] - shift[r]
        t = 0.0
        if n > 2:
            for r in range(n):  # few readers: insertion beats a sort
                at = r
                while at > 0 and value[order[at - 1]] > value[r]:
                    order[at] = order[at - 1]
                    at -= 1
                order[at] = r
            heard = 0.0
            for r in order:
                heard += weight[r]
                if heard >= half:
                    t = value[r]
                    break
        else:
            for r in range(n):
                t += weight[r] * value[r] / (2 * half)
        total = 0.0
        for _ in range(_STEPS):
            total, top = 0.0, 0.0
            for r in range(n):
                away = (value[r] - t) / (_FAR * sd[r])
                w = weight[r] / (1 + away * away)
                total += w
                top += w * value[r]
            t = top / total
        out[p] = t
        precision[p] = total
    return out, precision
