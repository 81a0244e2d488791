"""Parts of a report on boxes and outlines: counts, overlap, size, drawings of disputed cases."""

from __future__ import annotations

from typing import Any

import numpy as np

from overread.app.analysis.report_parts import most_disputed, rows_of_cases
from overread.arrays import Floats, grouped
from overread.consensus.result import Consensus, FindingConsensus
from overread.geometry.boxes import aligned_iou, areas
from overread.labels import BoxReads, InstanceReads
from overread.report import Cases, CaseView, Findings, Panel, Shape, Vote

_EDGE = 1.1  # where the size of the image is not known, the canvas is so much larger than the boxes


def findings_of(reads: BoxReads | InstanceReads, result: Consensus[FindingConsensus]) -> Findings:
    """Figures over all findings, by reader."""
    index, value = reads.index, result.value
    n_readers, n_classes = index.n_readers, len(reads.schema.classes)
    box = _boxes(reads)
    reader = index.reader[reads.read].astype(np.int64)
    cell = reader * n_classes + reads.label
    counts = np.bincount(cell, minlength=n_readers * n_classes).reshape(n_readers, n_classes)
    found = np.bincount(reads.read, minlength=index.n_reads)
    empty = found == 0 if reads.unreadable is None else (found == 0) & ~reads.unreadable
    member = value.members
    fused = np.repeat(np.arange(value.case.size), np.diff(value.first))
    ratio = np.log(areas(box[member]) / areas(value.box[fused]))
    mean, low, high = _by_reader(ratio, reader[member], n_readers)
    return Findings(
        counts=counts,
        reads=np.bincount(index.reader, minlength=n_readers),
        empty=np.bincount(index.reader[empty], minlength=n_readers),
        matched_iou=_matched(box, value),
        existence=value.existence,
        size_ratio=np.exp(mean),
        size_low=np.exp(low),
        size_high=np.exp(high),
    )


def _by_reader(value: Floats, reader: Any, n_readers: int) -> tuple[Floats, Floats, Floats]:
    n = np.bincount(reader, minlength=n_readers)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(reader, value, minlength=n_readers) / n
        spread = np.bincount(reader, (value - mean[reader]) ** 2, minlength=n_readers) / (n - 1)
        half = 1.96 * np.sqrt(spread / n)
    few = n < 2
    return mean, np.where(few, np.nan, mean - half), np.where(few, np.nan, mean + half)


def _matched(box: Floats, value: FindingConsensus) -> Floats:
    """IoU of every two readers' findings of one cluster."""
    left, right = [], []
    for f in range(value.case.size):
        its = value.members[value.first[f] : value.first[f + 1]]
        i, j = np.triu_indices(its.size, 1)
        left.append(its[i])
        right.append(its[j])
    if not left:
        return np.empty(0)
    return np.asarray(aligned_iou(box[np.concatenate(left)], box[np.concatenate(right)]))


def finding_cases(reads: BoxReads | InstanceReads, result: Consensus[FindingConsensus]) -> Cases:
    """Cases in which readers differ, drawn on an empty canvas in the readers' colours."""
    index, value = reads.index, result.value
    found = np.bincount(reads.read, minlength=index.n_reads)
    cannot = (
        np.zeros(index.n_reads, dtype=np.bool_) if reads.unreadable is None else reads.unreadable
    )
    case_of, n_found = index.case[~cannot], found[~cannot]
    low = np.full(index.n_cases, np.iinfo(np.int64).max)
    high = np.zeros(index.n_cases, dtype=np.int64)
    np.minimum.at(low, case_of, n_found)
    np.maximum.at(high, case_of, n_found)
    n_reads = np.bincount(case_of, minlength=index.n_cases)
    disputed = (n_reads > 1) & (high > 0) & ((low != high) | (result.entropy > 0.3))
    shown = most_disputed(disputed, result.entropy)
    owners, first = grouped(value.case, index.n_cases)
    views = []
    for case, rows in zip(shown.tolist(), rows_of_cases(index, shown), strict=True):
        fused = owners[first[case] : first[case + 1]]
        sure = int((value.existence[fused] > 0.5).sum())
        views.append(
            CaseView(
                name=index.cases[case],
                consensus=f"{sure} finding{'' if sure == 1 else 's'}",
                entropy=float(result.entropy[case]),
                votes=tuple(
                    Vote(int(index.reader[r]), _said(int(found[r]), unread=bool(cannot[r])),
                         -1 if cannot[r] else min(int(found[r]), 1))
                    for r in rows
                ),
                panel=_panel(reads, value, case, rows, fused),
            )
        )  # fmt: skip
    return Cases(tuple(views), int(disputed.sum()), entropy=result.entropy)


def _said(found: int, *, unread: bool) -> str:
    if unread:
        return "cannot be read"
    return f"{found} found" if found else "no finding"


def _panel(
    reads: BoxReads | InstanceReads, value: FindingConsensus, case: int, rows: list[int], fused: Any
) -> Panel:
    names = reads.schema.names
    start = reads.start()
    shapes = [
        Shape(_points(reads, f), int(reads.index.reader[r]), names[reads.label[f]])
        for r in rows
        for f in range(start[r], start[r + 1])
    ]
    for f in fused:
        points = value.box[f].reshape(2, 2) if value.outline is None else value.outline[f]
        shapes.append(Shape(points, -1, names[value.code[f]], float(value.existence[f])))
    width, height = 0.0, 0.0
    if reads.image_size is not None:
        width, height = (float(v) for v in reads.image_size[case])
    if not width:
        corner = np.max([shape.point.max(axis=0) for shape in shapes], axis=0)
        width, height = (float(v) * _EDGE for v in corner)
    return Panel(width, height, tuple(shapes))


def _points(reads: BoxReads | InstanceReads, finding: int) -> Floats:
    if isinstance(reads, BoxReads):
        return np.asarray(reads.box[finding].reshape(2, 2))
    return reads.outline(finding)


def _boxes(reads: BoxReads | InstanceReads) -> Floats:
    return reads.box if isinstance(reads, BoxReads) else reads.boxes()
