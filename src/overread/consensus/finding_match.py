"""From the findings of several readers to matched clusters with a fitted model of the readers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from overread.arrays import Bools, Floats, Ints
from overread.consensus.box_drawing import Fused, Members, first_drawing, fuse_edges
from overread.consensus.box_geometry import Drawing, pair_evidence, places
from overread.consensus.existence import (
    case_richness,
    first_sites,
    fit_sites,
)
from overread.consensus.marks import Answers, Marks, tabulate_marks
from overread.consensus.sites import Counts, Sites
from overread.geometry.clusters import (
    Clusters,
    candidate_pairs,
    cluster_findings,
    partition,
)
from overread.labels import BoxReads, InstanceReads

_SETTLED = 1e-3  # share of findings that may still change cluster when matching ends

Pair = tuple[Ints, Ints]


@dataclass(frozen=True, slots=True, eq=False)
class FindingTable:
    """Findings of the reads that could be read, boxes or the boxes around outlines.

    A reader's repeats of a case are matched like reads of different readers, but share one vote.

    Args:
        row: (findings,) row of the read table's findings.
        read, case, reader, label: (findings,) codes.
        share: (findings,) 1, or 1 / m where the reader read the case m times.
        box: (findings, 4).
        size: (findings, 2) columns and rows of the image, or None.
        read_row: (reads,) row of the read table.
        read_case, read_reader, read_share: (reads,).
        n_cases, n_readers, n_classes: numbers of names, in use or not.
        known: (readers,) true for gold, a further reader after all others who is right.
    """

    row: Ints
    read: Ints
    case: Ints
    reader: Ints
    label: Ints
    share: Floats
    box: Floats
    size: Ints | None
    read_row: Ints
    read_case: Ints
    read_reader: Ints
    read_share: Floats
    n_cases: int
    n_readers: int
    n_classes: int
    known: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Clusters and all that was learned while matching.

    Args:
        clusters: over the rows of the finding table.
        case: (clusters,) case of each.
        drawing, fused: how readers draw, and the fused boxes.
        marks, sites, counts: the model of existence and class.
        history: (log likelihood, objective) by step of the last fit.
        rounds: times matched.
        settled: whether the last round changed next to nothing.
    """

    clusters: Clusters
    case: Ints
    drawing: Drawing
    fused: Fused
    marks: Marks
    sites: Sites
    counts: Counts
    history: list[tuple[float, float]]
    rounds: int
    settled: bool


def finding_table(reads: BoxReads | InstanceReads) -> FindingTable:
    """Columns that matching needs, "cannot be read" left out."""
    index = reads.index
    unreadable = reads.unreadable
    readable = np.ones(index.n_reads, dtype=np.bool_) if unreadable is None else ~unreadable
    read_row = np.flatnonzero(readable)
    read_case = index.case[read_row].astype(np.int64)
    read_reader = index.reader[read_row].astype(np.int64)
    key = read_case * max(index.n_readers, 1) + read_reader
    _, same, times = np.unique(key, return_inverse=True, return_counts=True)
    read_share = 1.0 / times[same.reshape(-1)] if key.size else np.empty(0)
    place = np.cumsum(readable) - 1
    row = np.flatnonzero(readable[reads.read])
    read = place[reads.read[row]]
    box = np.asarray(reads.box if isinstance(reads, BoxReads) else reads.boxes(), dtype=np.float64)
    size = reads.image_size
    return FindingTable(
        row=row,
        read=read,
        case=read_case[read],
        reader=read_reader[read],
        label=reads.label[row].astype(np.int64),
        share=read_share[read],
        box=np.ascontiguousarray(box[row]),
        size=None if size is None else np.asarray(size)[read_case[read]],
        read_row=read_row,
        read_case=read_case,
        read_reader=read_reader,
        read_share=read_share,
        n_cases=index.n_cases,
        n_readers=index.n_readers,
        n_classes=len(reads.schema.classes),
        known=np.zeros(index.n_readers, dtype=np.bool_),
    )


def match_findings(
    table: FindingTable,
    *,
    tied: bool = False,
    rounds: int = 10,
    overlap: Callable[[Pair], Floats] | None = None,
    steps: int = 200,
) -> Matched:
    """Match and learn in turn: pairs are scored by what the last round learned of the readers.

    Args:
        table: the findings.
        tied: all readers share one set of parameters (readers without identity).
        rounds: of matching, at most.
        overlap: (pairs,) IoU of outlines, for instances.
        steps: of the last EM, at most.
    """
    pair = candidate_pairs(table.case, table.read, table.box)
    shape = None if overlap is None else overlap(pair)
    where = places(table.box, table.size)
    drawing = first_drawing(table.n_readers, table.known)
    alone = partition(np.arange(table.row.size))
    sites = first_sites(_marks(table, alone), table.known)
    richness = np.ones(table.n_cases)
    owner = np.full(table.row.size, -1)
    for done in range(1, rounds + 1):
        score = pair_evidence(drawing, where, table.box, table.reader, pair, shape_overlap=shape)
        score += site_evidence(sites, table, pair) - np.log(richness[table.case[pair[0]]])
        precision = drawing.sd[table.reader] ** -2.0
        clusters = cluster_findings(table.read, *pair, score, weight=precision)
        drawing, fused = _draw(table, clusters, drawing, tied=tied)
        marks = _marks(table, clusters)
        sites = first_sites(marks, table.known) if done == 1 else sites
        now = clusters.member[clusters.first[clusters.of]]
        settled = not now.size or bool(np.mean(now != owner) < _SETTLED)
        last = settled or done == rounds
        sites, counts, history = fit_sites(marks, sites, tied=tied, steps=steps if last else 10)
        case = table.case[clusters.member[clusters.first[:-1]]]
        if last:
            break
        owner = now
        richness = case_richness(marks, sites, np.bincount(case, minlength=table.n_cases))
    return Matched(
        clusters, case, drawing, fused, marks, sites, counts, history, done, settled=settled
    )


def site_evidence(sites: Sites, table: FindingTable, pair: Pair) -> Floats:
    """Log odds, from existence and class alone, that two findings are marks of one site.

    One site marked by both readers, against two sites each marked by one and missed by the other;
    what further readers did is left to the clusters' own evidence.

    Returns:
        (pairs,) up to the log of the case's richness.
    """
    rate = sites.rate.ravel()
    mark = sites.mark.transpose(1, 0, 2).reshape(-1, rate.size)
    (r, k), (s, m) = ((table.reader[i], table.label[i]) for i in pair)
    said = sites.confusion.transpose(0, 2, 1)  # [reader, said, truth]
    one, other = np.tile(said[r, k], 2), np.tile(said[s, m], 2)
    both = (rate * mark[r] * mark[s] * one * other).sum(axis=1)
    only_one = (rate * mark[r] * (1 - mark[s]) * one).sum(axis=1)
    only_other = (rate * mark[s] * (1 - mark[r]) * other).sum(axis=1)
    return np.asarray(np.log(both) - np.log(only_one) - np.log(only_other))


def _draw(
    table: FindingTable, clusters: Clusters, drawing: Drawing, *, tied: bool
) -> tuple[Drawing, Fused]:
    m = clusters.member
    members = Members(table.box[m], table.reader[m], table.share[m], clusters.first)
    return fuse_edges(drawing, members, tied=tied)


def _marks(table: FindingTable, clusters: Clusters) -> Marks:
    m = clusters.member
    answers = Answers(
        table.read_case,
        table.read_reader,
        table.read_share,
        table.case[m[clusters.first[:-1]]],
        clusters.first,
        table.reader[m],
        table.label[m],
        table.share[m],
    )
    return tabulate_marks(answers, (table.n_cases, table.n_readers, table.n_classes))
