"""Observations of masks: overlap, size and signed distance of the border, against the others'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Bools, Floats, grouped
from overread.geometry.distance_map import signed_distance_map
from overread.geometry.masks import bounding_slices, dice
from overread.geometry.surfaces import boundary
from overread.labels import MaskReads
from overread.monitoring.observations import Measured, Metric, first_reads

_MARGIN = 2  # pixels around the masks that are kept


def _metrics(unit: str) -> tuple[Metric, ...]:
    return (
        Metric("dice", "Dice with the others", "Dice {} higher", "Dice {} lower", harm="low"),
        Metric(
            "log_area", "size of the masks", "masks {} larger", "masks {} smaller", scale="log"
        ),
        Metric(
            "border", "border, outwards", "borders {} farther out", "borders {} farther in",
            unit=unit,
        ),
    )  # fmt: skip


def measure_masks(
    reads: MaskReads, gold: Sequence[NDArray[Any] | None] | None, trusted: Bools
) -> tuple[Measured, Bools]:
    """Measure masks; all classes but the background count as one foreground.

    Args:
        reads: 2-D or 3-D.
        gold: (cases,) arrays of class codes, or None.
        trusted: (reads,) whether others are compared with the read.
    Returns:
        the figures, and (reads,) which reads count. Borders are in mm where every case has a
        spacing, else in pixels.
    """
    index = reads.index
    readable = np.ones(index.n_reads, bool) if reads.unreadable is None else ~reads.unreadable
    counted = first_reads(index, readable)
    spacing = reads.spacing_mm
    in_mm = spacing is not None and bool(np.isfinite(spacing).all())
    metrics = _metrics("mm" if in_mm else "pixels")
    if gold is not None:
        metrics += tuple(_of_gold(one) for one in metrics)
    value = np.full((index.n_reads, len(metrics)), np.nan)
    size, doubt = np.full((2, index.n_reads), np.nan)
    order, start = grouped(index.case, index.n_cases)
    for case in range(index.n_cases):
        rows = order[start[case] : start[case + 1]]
        rows = rows[counted[rows]]
        true = None if gold is None else gold[case]
        if rows.size < 2 and true is None:
            continue
        step = spacing[case] if in_mm and spacing is not None else None
        masks = [reads.mask(int(r)) > 0 for r in rows]
        found = _case(masks, true, step, trusted[rows].tolist())
        value[rows, :3], size[rows], doubt[rows] = found[0], found[2], found[3]
        if gold is not None:
            value[rows, 3:] = found[1]
    none = np.full(index.n_reads, -1)
    own = np.array([_log_size(reads, r) for r in range(index.n_reads)])
    return Measured(metrics, value, none, size, doubt, own, size), counted


def _of_gold(one: Metric) -> Metric:
    name = f"{one.name.removesuffix(' with the others')}, on gold cases"
    return replace(one, key=f"gold_{one.key}", name=name)


def _case(
    masks: list[NDArray[np.bool_]],
    gold: NDArray[Any] | None,
    spacing: Floats | None,
    trusted: list[bool],
) -> tuple[Floats, Floats, Floats, Floats]:
    """(reads, 3) against the others, (reads, 3) against gold, (reads,) size, (reads,) doubt."""
    truth = None if gold is None else gold > 0
    whole = np.logical_or.reduce([*masks, *([] if truth is None else [truth])])
    block = bounding_slices(whole)
    n = len(masks)
    rest = [[j for j in range(n) if j != i and trusted[j]] for i in range(n)]
    if block is None:  # nobody marked anything: all agree
        flat = np.tile([1.0, np.nan, np.nan], (n, 1))
        others = np.where(np.array([bool(own) for own in rest])[:, None], flat, np.nan)
        return others, flat if truth is not None else flat * np.nan, np.zeros(n), np.zeros(n)
    block = tuple(slice(max(s.start - _MARGIN, 0), s.stop + _MARGIN) for s in block)
    parts = [_Part(mask[block], spacing) for mask in masks]
    pairs = np.full((n, n, 3), np.nan)
    for i in range(n):
        for j in range(i):
            pairs[i, j] = parts[i].against(parts[j])
            pairs[j, i] = pairs[i, j] * [1.0, -1.0, -1.0]
    others = np.array([_mean(pairs[i, own]) for i, own in enumerate(rest)])
    gold_part = None if truth is None else _Part(truth[block], spacing)
    known = [np.full(3, np.nan) if gold_part is None else p.against(gold_part) for p in parts]
    area = np.array([part.area for part in parts])
    size = np.array([np.log(1 + area[own].mean()) if own else np.nan for own in rest])
    doubt = np.array(
        [
            1 - np.nanmean(pairs[np.ix_(own, own)][..., 0]) if len(own) > 1 else np.nan
            for own in rest
        ]
    )
    return others, np.array(known), size, doubt


class _Part:
    """A mask cut out, with what is measured on it again and again."""

    __slots__ = ("area", "border", "depth", "mask")

    def __init__(self, mask: Bools, spacing: Floats | None) -> None:
        self.mask = mask
        self.area = int(np.count_nonzero(mask))
        self.border = boundary(mask)
        self.depth = signed_distance_map(mask, spacing) if self.area else None

    def against(self, other: _Part) -> Floats:
        """Dice, log ratio of areas, signed distance of the border outwards (mean of both ways)."""
        found = np.array([dice(self.mask, other.mask), np.nan, np.nan])
        if self.depth is not None and other.depth is not None:
            found[1] = np.log(self.area / other.area)
            outside = -float(other.depth[self.border].mean())
            found[2] = (outside + float(self.depth[other.border].mean())) / 2
        return found


def _mean(rows: Floats) -> Floats:
    known = ~np.isnan(rows)
    count = known.sum(axis=0)
    total = np.where(known, rows, 0).sum(axis=0)
    return np.asarray(np.divide(total, count, out=np.full(rows.shape[1], np.nan), where=count > 0))


def _log_size(reads: MaskReads, row: int) -> float:
    runs = slice(reads.first[row], reads.first[row + 1])
    return float(np.log1p(reads.length[runs][reads.value[runs] > 0].sum()))
