"""Observations of boxes and outlines: where, how large and how many, against the others'."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely

from overread.arrays import Bools, Floats, Ints, grouped
from overread.geometry.boxes import aligned_iou, areas
from overread.geometry.pairing import match_edges, pair_rows
from overread.geometry.polygons import polygon_areas, polygons
from overread.labels import BoxReads, InstanceReads
from overread.monitoring.observations import Measured, Metric, first_reads, loo_median

LEAST_IOU = 0.1
"""Marks of one class that overlap less are two things: low, so that a shrunk mark still meets."""

EDGES = ("left", "upper", "right", "lower")


def metrics_of(noun: str) -> tuple[Metric, ...]:
    """The metrics of findings, with the word for one ("boxes", "outlines")."""
    return (
        Metric(
            "log_area", f"size of the {noun}", f"{noun} {{}} larger", f"{noun} {{}} smaller",
            scale="log",
        ),
        *(
            Metric(
                f"edge_{name}", f"{name} edge, outwards, in sides of the mark",
                f"{name} edge {{}} of the side farther out",
                f"{name} edge {{}} of the side farther in", scale="share",
            )
            for name in EDGES
        ),
        Metric("iou", "IoU with the others", "IoU {} higher", "IoU {} lower", harm="low"),
        Metric(
            "count", f"{noun} a case (1 added)", f"{{}} more {noun} a case",
            f"{{}} fewer {noun} a case", scale="log",
        ),
        Metric(
            "unmatched", f"{noun} that meet none of the others'", f"{{}} more {noun} unmatched",
            f"{{}} fewer {noun} unmatched", form="rate", harm="high", scale="share",
        ),
        Metric(
            "shift_x", "centre, to the right, in widths",
            f"{noun} {{}} of their width to the right",
            f"{noun} {{}} of their width to the left", scale="share", charted=False,
        ),
        Metric(
            "shift_y", "centre, downwards, in heights", f"{noun} {{}} of their height lower down",
            f"{noun} {{}} of their height higher up", scale="share", charted=False,
        ),
    )  # fmt: skip


_KEYS = tuple(one.key for one in metrics_of(""))
_ON_GOLD = ("log_area", "iou", "unmatched")


def _of_gold(one: Metric) -> Metric:
    name = f"{one.name.removesuffix(' with the others')}, on gold cases"
    return replace(one, key=f"gold_{one.key}", name=name)


@dataclass(frozen=True, slots=True, eq=False)
class _Marks:
    """The marks of all reads. Args: start, box, area, label; shape: outlines, or None."""

    start: Ints
    box: Floats
    area: Floats
    label: Ints
    shape: np.ndarray | None


def measure_findings(
    reads: BoxReads | InstanceReads, gold: BoxReads | InstanceReads | None, trusted: Bools
) -> tuple[Measured, Bools]:
    """Measure boxes or outlines.

    Args:
        reads: of one image a case.
        gold: the reads of one reader, on the same cases and classes; or None.
        trusted: (reads,) whether others are compared with the read.
    Returns:
        the figures, and (reads,) which reads count.
    """
    index = reads.index
    readable = np.ones(index.n_reads, bool) if reads.unreadable is None else ~reads.unreadable
    counted = first_reads(index, readable)
    marks = _marks(reads)
    mine, theirs = _pairs(index.case, counted)
    mine, theirs = mine[trusted[theirs]], theirs[trusted[theirs]]
    value = _compare(marks, marks, mine, theirs, index.n_reads)
    number = np.where(counted, np.diff(marks.start).astype(float), np.nan)
    middle, doubt = loo_median(number, index.case, counted, trusted)
    value[:, _place("count")] = np.log1p(number) - np.log1p(middle)
    metrics = metrics_of("boxes" if isinstance(reads, BoxReads) else "outlines")
    if gold is not None:
        metrics += tuple(_of_gold(one) for one in metrics if one.key in _ON_GOLD)
        value = np.column_stack([value, _against_gold(reads, marks, gold, counted)])
    klass, size = _reference(marks, mine, theirs, index.n_reads)
    unmatched = _doubt(marks, mine, theirs, index.n_reads)
    return (
        Measured(metrics, value, klass, size, np.where(np.isnan(doubt), doubt, unmatched),
                 number, middle),
        counted,
    )  # fmt: skip


def _against_gold(
    reads: BoxReads | InstanceReads, mine: _Marks, gold: BoxReads | InstanceReads, counted: Bools
) -> Floats:
    """(reads, gold metrics)."""
    row_of = np.full(reads.index.n_cases, -1)
    row_of[gold.index.case] = np.arange(gold.index.n_reads)
    rows = np.flatnonzero(counted & (row_of[reads.index.case] >= 0))
    found = _compare(mine, _marks(gold), rows, row_of[reads.index.case[rows]], reads.index.n_reads)
    return found[:, [place for place, key in enumerate(_KEYS) if key in _ON_GOLD]]


def _marks(reads: BoxReads | InstanceReads) -> _Marks:
    label = np.asarray(reads.label, dtype=np.int64)
    if isinstance(reads, BoxReads):
        return _Marks(reads.start(), np.asarray(reads.box), areas(reads.box), label, None)
    shape = polygons(reads.point, reads.first)
    area = np.maximum(polygon_areas(shape), 1e-6)  # a line has no area, and no logarithm
    return _Marks(reads.start(), reads.boxes(), area, label, shape)


def _pairs(case: Ints, counted: Bools) -> tuple[Ints, Ints]:
    """Every ordered pair of reads that count, of one case."""
    rows = np.flatnonzero(counted)
    order, start = grouped(case[rows], int(case.max(initial=-1)) + 1)
    mine, theirs = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    size = np.diff(start)
    for n in np.unique(size[size > 1]):
        block = rows[order][start[:-1][size == n][:, None] + np.arange(n)]
        for step in range(1, n):
            mine.append(block.reshape(-1))
            theirs.append(np.roll(block, step, axis=1).reshape(-1))
    return np.concatenate(mine), np.concatenate(theirs)


def _compare(one: _Marks, other: _Marks, mine: Ints, theirs: Ints, n_reads: int) -> Floats:
    """(reads, metrics) mean over the matched pairs of marks of each read of ``mine``."""
    first, second, pair, score = _matched(one, other, mine, theirs)
    a, b = one.box[first], other.box[second]
    # the mean of both sides: what one has more, the other has less by the same figure
    side = np.tile((a[:, 2:] - a[:, :2] + b[:, 2:] - b[:, :2]) / 2, 2)
    outwards = (a - b) / side * np.array([-1.0, -1.0, 1.0, 1.0])
    centre = ((a[:, :2] + a[:, 2:]) - (b[:, :2] + b[:, 2:])) / 2 / side[:, :2]
    row = mine[pair]
    columns = [np.log(one.area[first] / other.area[second]), *outwards.T, score]
    value = np.full((n_reads, len(_KEYS)), np.nan)
    with np.errstate(invalid="ignore"):
        met = np.bincount(row, minlength=n_reads).astype(float)
        for place, column in enumerate(columns):
            value[:, place] = np.bincount(row, column, minlength=n_reads) / met
        for place, column in zip((_place("shift_x"), _place("shift_y")), centre.T, strict=True):
            value[:, place] = np.bincount(row, column, minlength=n_reads) / met
        value[:, _place("unmatched")] = _unmatched(one, other, mine, theirs, pair, n_reads)
    return value


def _matched(
    one: _Marks, other: _Marks, mine: Ints, theirs: Ints
) -> tuple[Ints, Ints, Ints, Floats]:
    """Marks that are one thing: of the read, of the other; their pair of reads; their IoU."""
    shifted = _both(one, other)
    pair, first, second = pair_rows(shifted, mine, theirs + one.start.size - 1)
    second = second - one.start[-1]
    box_iou = aligned_iou(one.box[first], other.box[second])
    kept = (box_iou >= LEAST_IOU) & (one.label[first] == other.label[second])
    pair, first, second, score = pair[kept], first[kept], second[kept], box_iou[kept]
    most = int(max(np.diff(one.start).max(initial=0), np.diff(other.start).max(initial=0), 1))
    left = np.unique(pair * most + first - one.start[mine][pair], return_inverse=True)[1]
    right = np.unique(pair * most + second - other.start[theirs][pair], return_inverse=True)[1]
    chosen = match_edges(left.reshape(-1), right.reshape(-1), score)
    pair, first, second, score = pair[chosen], first[chosen], second[chosen], score[chosen]
    if one.shape is not None and other.shape is not None and first.size:
        common = shapely.area(shapely.intersection(one.shape[first], other.shape[second]))
        score = common / np.maximum(one.area[first] + other.area[second] - common, 1e-9)
    return first, second, pair, score


def _both(one: _Marks, other: _Marks) -> Ints:
    """Starts of the marks of both tables in turn."""
    return np.asarray(np.r_[one.start, one.start[-1] + other.start[1:]])


def _unmatched(  # noqa: PLR0917 - two sides, and their pairs
    one: _Marks, other: _Marks, mine: Ints, theirs: Ints, pair: Ints, n_reads: int
) -> Floats:
    """(reads,) 1 - F1 of the marks, mean over the others; 0 where neither has any."""
    total = np.diff(one.start)[mine] + np.diff(other.start)[theirs]
    matched = 2.0 * np.bincount(pair, minlength=mine.size)
    share = np.where(total > 0, 1.0 - matched / np.maximum(total, 1), 0.0)
    many = np.bincount(mine, minlength=n_reads)
    total = np.bincount(mine, share, minlength=n_reads)
    return np.asarray(np.divide(total, many, out=np.full(n_reads, np.nan), where=many > 0))


def _reference(marks: _Marks, mine: Ints, theirs: Ints, n_reads: int) -> tuple[Ints, Floats]:
    """(reads,) the class most marked by the others (-1: nothing), mean log area of their marks."""
    read = np.repeat(np.arange(marks.start.size - 1), np.diff(marks.start))
    n_classes = int(marks.label.max(initial=-1)) + 1
    count = np.zeros((n_reads, max(n_classes, 1)))
    np.add.at(count, (read, marks.label), 1)
    log_area = np.bincount(read, np.log(marks.area), minlength=n_reads)
    seen, total, number = np.zeros_like(count), np.zeros(n_reads), np.zeros(n_reads)
    np.add.at(seen, mine, count[theirs])
    np.add.at(total, mine, log_area[theirs])
    np.add.at(number, mine, np.diff(marks.start)[theirs].astype(float))
    klass = np.where(seen.sum(axis=1) > 0, seen.argmax(axis=1), -1)
    return klass, np.divide(total, number, out=np.full(n_reads, np.nan), where=number > 0)


def _doubt(marks: _Marks, mine: Ints, theirs: Ints, n_reads: int) -> Floats:
    """(reads,) range of the number of marks of the others."""
    number = np.diff(marks.start).astype(float)
    low, high = np.full(n_reads, np.inf), np.full(n_reads, -np.inf)
    np.minimum.at(low, mine, number[theirs])
    np.maximum.at(high, mine, number[theirs])
    return np.where(np.isfinite(low), high - low, np.nan)


def _place(key: str) -> int:
    return _KEYS.index(key)
