"""Agreement of findings: boxes and outlines, matched one to one between two reads of a case.

A pair of reads of one case is compared by matching the findings of one to those of the other
(largest total IoU, no match below ``at_least``). A case that both found empty adds nothing to the
pooled F1, counts 1 in the F1 by case, and counts as agreement on existence: all three are given,
because on a data set of mostly normal cases they tell three different stories.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from overread.agreement.breakdown import Breakdown
from overread.agreement.comparisons import Comparisons, comparisons
from overread.agreement.detection_measures import class_measures, measures_of
from overread.agreement.scopes import Measure, Parts, Settings, break_down, class_figures
from overread.arrays import Floats, Ints
from overread.errors import InputError
from overread.geometry.boxes import aligned_distance, aligned_iou, areas
from overread.geometry.pairing import match_edges, pair_rows
from overread.geometry.polygons import aligned_polygon_iou, polygon_areas, polygons
from overread.labels import BoxReads, InstanceReads

STEPS = tuple(round(0.5 + 0.05 * k, 2) for k in range(10))
"""IoU limits of the averaged F1, as COCO averages precision."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Every pair of overlapping (or near) findings of two compared reads.

    Args:
        row: (edges,) the comparison.
        one, two: (edges,) findings (rows of the table).
        left, right: (edges,) number of the finding within its comparison's side, distinct over
            all comparisons.
        iou: (edges,) in 0 .. 1.
        same: (edges,) whether the classes are equal.
    """

    row: Ints
    one: Ints
    two: Ints
    left: Ints
    right: Ints
    iou: Floats
    same: NDArray[np.bool_]

    def select(self, edges: NDArray[np.bool_] | Ints) -> Candidates:
        """These edges only."""
        return Candidates(
            self.row[edges],
            self.one[edges],
            self.two[edges],
            self.left[edges],
            self.right[edges],
            self.iou[edges],
            self.same[edges],
        )

    def matched(self, at_least: float, *, aware: bool = False) -> Candidates:
        """The edges of the one-to-one matching of largest total IoU."""
        near = self.select((self.iou >= at_least) & (self.same | (not aware)))
        return near.select(match_edges(near.left, near.right, near.iou))


def detection_agreement(
    reads: BoxReads | InstanceReads,
    *,
    at_least: float = 0.5,
    distance: float | None = None,
    subgroup: Ints | None = None,
    subgroups: Sequence[str] = (),
    over_readers: bool = False,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Breakdown:
    """Measure how far readers agree on findings: existence, number, place, size and class.

    Args:
        reads: boxes, or outlines (IoU of the outlines, edges of the boxes around them).
        at_least: IoU from which two findings are the same; in (0, 1].
        distance: also match by the distance of the box centres, up to this many mm (pixels where
            the table has no spacing for every case).
        subgroup, subgroups: (cases,) code of each case's subgroup, below 0 in none, and the names.
        over_readers: draw readers as well as cases, to speak of readers not in the table.
        level, draws, seed: of the bootstrap intervals.
    Returns:
        The figures overall, by class, by pair, against the rest, within readers, by subgroup.
        Reads that say "cannot be read" are left out; with fewer than two readers of a case
        the figures are undefined and say so.
    Raises:
        InputError: ``at_least`` or ``distance`` out of range.
    Source:
        Chakraborty 2013, Radiology 266:11-18 (free-response); Lin et al. 2014 (IoU .5 : .95);
        Cicchetti & Feinstein 1990 (positive agreement).
    """
    if not 0 < at_least <= 1:
        raise InputError("at_least", "lie in (0, 1]", at_least)
    if distance is not None and not 0 < distance < np.inf:
        raise InputError("distance", "be above 0", distance)
    settings = Settings(level, draws, seed, over_readers)
    met = comparisons(reads.index, None if reads.unreadable is None else ~reads.unreadable)
    found = _Found.of(reads)
    edges = found.candidates(met)
    measures, parts = _parts(found, met, edges, at_least, distance)
    study = break_down(
        reads.index, met, measures, parts, settings, subgroup=subgroup, subgroups=subgroups
    )
    between = met.first != met.second
    top, bottom = _class_parts(found, met, edges, at_least)
    by_class = class_figures(
        reads.index,
        met.select(between),
        class_measures(at_least),
        settings,
        top=top[between],
        bottom=bottom[between],
        names=reads.schema.names,
    )
    return replace(study, by_class=by_class)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """The findings of either table in one form; lengths in mm where every case has a spacing."""

    start: Ints
    label: Ints
    box: Floats
    area: Floats
    shape: NDArray[np.object_] | None
    step: Floats
    unit: str
    n_classes: int

    @classmethod
    def of(cls, reads: BoxReads | InstanceReads) -> _Found:
        outlined = isinstance(reads, InstanceReads)
        box = reads.boxes() if isinstance(reads, InstanceReads) else reads.box
        shape = polygons(reads.point, reads.first) if isinstance(reads, InstanceReads) else None
        case = reads.index.case[reads.read]
        in_mm = reads.spacing_mm is not None and bool(np.isfinite(reads.spacing_mm).all())
        step = np.ones((case.size, 2))
        if reads.spacing_mm is not None and in_mm:
            step = reads.spacing_mm[case]
        area = polygon_areas(shape) if outlined and shape is not None else areas(box)
        classes = len(reads.schema.classes)
        unit = "mm" if in_mm else "px"
        return cls(reads.start(), reads.label, box, area, shape, step, unit, classes)

    def candidates(self, met: Comparisons) -> Candidates:
        """All pairs of findings of each comparison, with their IoU."""
        row, one, two = pair_rows(self.start, met.one, met.two)
        iou = aligned_iou(self.box[one], self.box[two])
        if self.shape is not None:
            near = np.flatnonzero(iou > 0)
            exact = np.zeros_like(iou)
            exact[near] = aligned_polygon_iou(self.shape[one[near]], self.shape[two[near]])
            iou = exact
        # The k-th finding of a comparison's side, numbered over all comparisons.
        count = np.diff(self.start)
        left = _numbered(count[met.one], row, one - self.start[met.one[row]])
        right = _numbered(count[met.two], row, two - self.start[met.two[row]])
        same = self.label[one] == self.label[two]
        return Candidates(row, one, two, left, right, iou, same)


def _numbered(count: Ints, row: Ints, within: Ints) -> Ints:
    return (np.cumsum(count) - count)[row] + within


def _parts(
    found: _Found, met: Comparisons, edges: Candidates, at_least: float, distance: float | None
) -> tuple[tuple[Measure, ...], Parts]:
    """Numerators and denominators of all measures."""
    rows = met.case.size
    count = np.diff(found.start).astype(float)
    a, b = count[met.one], count[met.two]
    pairs = edges.matched(at_least)
    hits = _per_row(pairs, rows)
    aware = _per_row(edges.matched(at_least, aware=True), rows)
    steps = np.mean([_per_row(edges.matched(step), rows) for step in STEPS], axis=0)
    total, one = a + b, np.ones(rows)
    some_a, some_b = (a > 0).astype(float), (b > 0).astype(float)
    ratio = np.log(found.area[pairs.one] / found.area[pairs.two]) if pairs.row.size else np.empty(0)
    sized = np.isfinite(ratio)
    shift = (found.box[pairs.one] - found.box[pairs.two]) * np.tile(found.step[pairs.one], 2)
    columns: dict[str, tuple[Floats, Floats]] = {
        "f1": (2 * hits, total),
        "f1_class": (2 * aware, total),
        "f1_50_95": (2 * steps, total),
        "f1_case": (np.where(total > 0, 2 * hits / np.maximum(total, 1), 1.0), one),
        "iou_matched": (_per_row(pairs, rows, pairs.iou), hits),
        "class_matched": (_per_row(pairs, rows, pairs.same.astype(float)), hits),
        "existence": ((some_a == some_b).astype(float), one),
        "existence_positive": (2 * some_a * some_b, some_a + some_b),
        "count_difference": (np.abs(a - b), one),
        "size_difference": (
            _per_row(pairs, rows, np.abs(np.where(sized, ratio, 0.0))),
            _per_row(pairs, rows, sized.astype(float)),
        ),
        "edge_difference": (_per_row(pairs, rows, np.abs(shift).mean(axis=1)), hits),
        "sensitivity": (hits, b),
        "extra": (a - hits, one),
        "count_bias": (a - b, one),
        "count_ratio": (a, b),
        "size_bias": (
            _per_row(pairs, rows, np.where(sized, ratio, 0.0)),
            _per_row(pairs, rows, sized.astype(float)),
        ),
    }
    for k, side in enumerate(("left", "top", "right", "bottom")):
        columns[f"shift_{side}"] = (_per_row(pairs, rows, shift[:, k]), hits)
    mirror = dict(columns)
    mirror |= {
        "sensitivity": (hits, a),
        "extra": (b - hits, one),
        "count_ratio": (b, a),
        **{
            key: (-columns[key][0], columns[key][1])
            for key in columns
            if key.startswith("shift_") or key in ("count_bias", "size_bias")
        },
    }
    if distance is not None:
        near = _near(found, edges, distance, rows)
        columns["f1_centre"] = mirror["f1_centre"] = (2 * near, total)
    measures = measures_of(at_least, distance, found.unit)
    return measures, Parts(
        *(
            np.stack([table[one.key][part] for one in measures], axis=1)
            for table in (columns, mirror)
            for part in (0, 1)
        )
    )


def _near(found: _Found, edges: Candidates, distance: float, rows: int) -> Floats:
    """(rows,) matches by the distance of centres: as many as possible, then the closest."""
    apart = aligned_distance(found.box[edges.one], found.box[edges.two], found.step[edges.one])
    near = np.flatnonzero(apart <= distance)
    kept = near[match_edges(edges.left[near], edges.right[near], -apart[near], most_pairs=True)]
    return np.bincount(edges.row[kept], minlength=rows).astype(float)


def _per_row(pairs: Candidates, rows: int, value: Floats | None = None) -> Floats:
    return np.bincount(pairs.row, value, minlength=rows).astype(float)


def _class_parts(
    found: _Found, met: Comparisons, edges: Candidates, at_least: float
) -> tuple[Floats, Floats]:
    """(rows, classes, measures) parts of the figures by class."""
    rows, classes = met.case.size, found.n_classes
    reads = found.start.size - 1
    read = np.repeat(np.arange(reads), np.diff(found.start))
    count = np.bincount(read * classes + found.label, minlength=reads * classes)
    count = count.reshape(reads, classes).astype(float)
    a, b = count[met.one], count[met.two]
    pairs = edges.matched(at_least, aware=True)

    def summed(value: Floats | None = None) -> Floats:
        at = pairs.row * classes + found.label[pairs.one]
        total = np.bincount(at, value, minlength=rows * classes)
        return total.astype(float).reshape(rows, classes)

    hits = summed()
    some_a, some_b = a > 0, b > 0
    ratio = np.log(found.area[pairs.one] / found.area[pairs.two]) if pairs.row.size else np.empty(0)
    size = np.abs(np.where(np.isfinite(ratio), ratio, 0.0))
    top = [2 * hits, summed(pairs.iou), some_a == some_b, 2 * (some_a & some_b), summed(size)]
    bottom = [a + b, hits, np.ones_like(a), some_a.astype(int) + some_b, hits]
    return np.stack(top, axis=2).astype(float), np.stack(bottom, axis=2).astype(float)
