"""Consensus of outlined findings (instances): which are there, of which class, and where."""

from __future__ import annotations

import numpy as np
import shapely

from overread.arrays import Floats, Ints
from overread.consensus.box_geometry import unbiased
from overread.consensus.boxes import (
    calibrated,
    check_settings,
    findings_of,
    modelled_consensus,
)
from overread.consensus.finding_match import (
    FindingTable,
    Matched,
    Pair,
    match_findings,
)
from overread.consensus.finding_result import Answer
from overread.consensus.given_findings import gold_cases
from overread.consensus.outline_fusion import fuse_outlines
from overread.consensus.result import Consensus, FindingConsensus, Setting
from overread.geometry.polygons import aligned_polygon_iou, polygons
from overread.labels import InstanceReads


def fuse_instances(
    reads: InstanceReads,
    *,
    gold: InstanceReads | None = None,
    calibrate: bool = True,
    exchangeable: bool = False,
    level: float = 0.95,
    rounds: int = 10,
) -> Consensus[FindingConsensus]:
    """Match outlines across readers and estimate which findings are there, of which class, where.

    As :func:`overread.consensus.boxes.fuse_boxes`, with two differences: outlines match only as
    far as their own overlap allows, whatever their boxes say; and the outlines of a cluster are
    fused by their mean signed distance, each reader weighted by precision and without size bias.

    Args:
        reads, gold, calibrate, exchangeable, level, rounds: as for boxes.
    Returns:
        findings with an ``outline`` each; ``box`` is around it.
    Raises:
        InputError: ``level`` or ``rounds`` out of range, gold that does not fit the reads.
    Source:
        Dawid & Skene 1979 (existence and class); Rohlfing & Maurer 2007, IEEE Trans. Image
        Process. 16(1):153-161 (outline).
    Example:
        >>> from overread.labels import Kind, read_index, schema_of
        >>> disc = 20 + 9 * np.exp(1j * np.linspace(0, 2 * np.pi, 40, endpoint=False))
        >>> one = np.column_stack([disc.real, disc.imag + 20])
        >>> index, schema = read_index(["a", "a"], ["R1", "R2"]), schema_of(Kind.INSTANCE, ["cell"])
        >>> point, first = np.vstack([one, one + [1, 0]]), np.array([0, 40, 80])
        >>> reads = InstanceReads(index, np.arange(2), np.zeros(2, int), point, first, schema)
        >>> fuse_instances(reads).value.box.round(1).tolist()
        [[11.5, 11.0, 29.5, 29.0]]
    """
    check_settings(level, rounds)
    table = findings_of(reads, gold)
    point, first = reads.point, reads.first
    if gold is not None and table.known.any():
        point = np.concatenate([point, gold.point])
        first = np.concatenate([first, gold.first[1:] + first[-1]])

    def overlap(pair: Pair) -> Floats:
        return _overlap(point, first, table, pair)

    matched = match_findings(table, tied=exchangeable, rounds=rounds, overlap=overlap)
    (existence, by_class), tau = calibrated(matched, calibrate=calibrate, tied=exchangeable)
    outline = _outlines(point, first, table, matched)
    box = matched.fused.box
    if outline:
        box = np.array([np.r_[points.min(axis=0), points.max(axis=0)] for points in outline])
    answer = Answer(existence, by_class, box, matched.fused.se, outline)
    settings: dict[str, Setting] = {
        "gold_cases": gold_cases(gold),
        "calibrate": calibrate,
        "exchangeable": exchangeable,
        "level": level,
        "rounds": rounds,
    }
    return modelled_consensus(
        reads, table, matched, answer, method="instances", settings=settings, tau=tau, gold=gold
    )


def _overlap(point: Floats, first: Ints, table: FindingTable, pair: Pair) -> Floats:
    """(pairs,) IoU of the outlines."""
    shapes = polygons(point, first)[table.row]
    one, other = pair
    shapely.prepare(shapes)
    meet = shapely.intersects(shapes[one], shapes[other])
    out = np.zeros(one.size)
    out[meet] = aligned_polygon_iou(shapes[one[meet]], shapes[other[meet]])
    return out


def _outlines(
    point: Floats, first: Ints, table: FindingTable, matched: Matched
) -> tuple[Floats, ...]:
    """Fused outline of each cluster; the one that gold gives where it gives one."""
    clusters, drawing = matched.clusters, matched.drawing
    straight = unbiased(table.box, drawing.bias[table.reader])
    weight = table.share / drawing.sd[table.reader] ** 2
    weight[clusters.member] *= matched.fused.trust

    def ring(finding: int) -> Floats:
        row = table.row[finding]
        return point[first[row] : first[row + 1]]

    fused = []
    for c in range(clusters.count):
        members = clusters.member[clusters.first[c] : clusters.first[c + 1]]
        given = members[table.known[table.reader[members]]]
        if given.size:
            fused.append(ring(int(given[0])))
            continue
        drawn = [_moved(ring(int(m)), table.box[m], straight[m]) for m in members]
        fused.append(fuse_outlines(drawn, weight[members]))
    return tuple(fused)


def _moved(points: Floats, box: Floats, target: Floats) -> Floats:
    """Outline stretched from its box to another."""
    scale = (target[2:] - target[:2]) / np.maximum(box[2:] - box[:2], 1e-12)
    return np.asarray(target[:2] + (points - box[:2]) * scale)
