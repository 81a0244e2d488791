"""A consensus of findings in the one result shape: order, entropy, difficulty, reliability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy.special import betaincinv, entr, gammaincinv, ndtri

from overread.arrays import Floats, Ints, digest
from overread.consensus.box_drawing import sd_error, size_error
from overread.consensus.box_geometry import Drawing
from overread.consensus.finding_match import FindingTable, Matched
from overread.consensus.result import (
    Consensus,
    FindingConsensus,
    Iteration,
    Reliability,
    Setting,
)
from overread.geometry.clusters import Clusters
from overread.labels import BoxReads, InstanceReads

MEASURES = ("sensitivity", "false_alarms", "class_accuracy", "edge_sd", "size_bias")
"""Columns of the reliability: share of findings marked, at the group's class mix; false marks a
case; share of marked findings named rightly; sd of an edge relative to the box; size drawn
relative to the consensus (-0.3 is 30 % smaller)."""

FEW_FINDINGS = 30
"""Marks below which a reader's figures rest mostly on the group's."""

_PULL = 2.0  # sites that the group's figures are worth in a reader's interval

Interval: TypeAlias = tuple[Floats, Floats, Floats]  # value, low, high


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a method says of each cluster.

    Args:
        existence: (clusters,).
        posterior: (clusters, classes) given existence, rows sum to 1.
        box, se: (clusters, 4).
        outline: one a cluster, for instances.
    """

    existence: Floats
    posterior: Floats
    box: Floats
    se: Floats
    outline: tuple[Floats, ...] | None = None


def finding_consensus(
    reads: BoxReads | InstanceReads,
    table: FindingTable,
    clusters: Clusters,
    answer: Answer,
    *,
    method: str,
    settings: Mapping[str, Setting],
    reliability: Reliability,
    warnings: tuple[str, ...] = (),
    history: tuple[Iteration, ...] = (),
    temperature: float = 1.0,
    prevalence: Floats | None = None,
    given: tuple[Any, ...] = (),
) -> Consensus[FindingConsensus]:
    """Sort the clusters by case and existence and fill in what follows from them.

    Gold in the table is heard, and is no read: it is in no count and no cluster of the result.
    ``given`` is what else the provenance must hold.
    """
    case = table.case[clusters.member[clusters.first[:-1]]]
    order = np.lexsort((np.arange(case.size), -answer.existence, case))
    size = np.diff(clusters.first)[order]
    first = np.r_[0, np.cumsum(size)]
    step = np.arange(int(first[-1])) - np.repeat(first[:-1], size)
    at = clusters.member[np.repeat(clusters.first[:-1][order], size) + step]
    of_reader = ~table.known[table.reader[at]]
    member = table.row[at[of_reader]]
    first = np.r_[0, np.cumsum(of_reader)][first]
    value = FindingConsensus(
        case=case[order],
        code=answer.posterior[order].argmax(axis=1),
        classes=reads.schema.names,
        box=answer.box[order],
        box_sd=answer.se[order],
        existence=answer.existence[order],
        members=member,
        first=first,
        outline=None if answer.outline is None else tuple(answer.outline[i] for i in order),
    )
    free = ~table.known[table.read_reader]
    read = np.bincount(table.read_case[free], minlength=table.n_cases)
    return Consensus(
        kind=reads.schema.kind,
        method=method,
        settings=settings,
        cases=reads.index.cases,
        value=value,
        posterior=answer.posterior[order],
        entropy=_entropy(case, answer, np.bincount(table.read_case, minlength=table.n_cases)),
        difficulty=_difficulty(table, clusters, case, answer, read),
        reliability=reliability,
        reads=read,
        read_rows=table.read_row[free],
        history=history,
        warnings=warnings,
        temperature=temperature,
        provenance=_provenance(reads, table.read_row[free], method, settings, given),
        prevalence=prevalence,
    )


def reader_reliability(
    names: tuple[str, ...], table: FindingTable, matched: Matched, *, level: float, tied: bool
) -> Reliability:
    """Each reader's figures (:data:`MEASURES`), with intervals from the expected counts.

    ``tied`` readers have the figures, and the counts, of all.
    """
    sites, counts, drawing = matched.sites, matched.counts, matched.drawing
    mix = sites.rate[0] / sites.rate[0].sum()
    reads = np.bincount(table.read_reader, minlength=table.n_readers)
    weight = np.bincount(table.read_reader, weights=table.read_share, minlength=table.n_readers)
    right = np.diagonal(sites.confusion, axis1=1, axis2=2) @ mix
    free = ~table.known
    totals = (
        counts.there[0].sum(axis=1),
        counts.marked[0].sum(axis=1),
        counts.marked[1].sum(axis=1),
        matched.fused.boxes,
        np.maximum(weight, 1e-9),
    )
    there, marked, false, boxes, seen = (
        np.full(part.size, part[free].sum()) if tied else part for part in totals
    )
    columns = [
        share_interval(sites.mark[0] @ mix, there + _PULL, level),
        rate_interval(false, seen, level),
        share_interval(right, marked + _PULL, level),
        _spread(drawing, boxes, level),
        _size(drawing, boxes, level),
    ]
    value, low, high = (np.column_stack([c[i] for c in columns])[free] for i in range(3))
    unread = reads[free] == 0
    for part in (value, low, high):
        part[unread] = np.nan
    return Reliability(
        readers=names,
        measures=MEASURES,
        value=value,
        low=low,
        high=high,
        level=level,
        reads=reads[free],
        confusion=sites.confusion[free],
    )


def finding_warnings(table: FindingTable, matched: Matched | None) -> tuple[str, ...]:
    """What a user must know before trusting the result, in plain words."""
    free = ~table.known[table.read_reader]
    case, reader = table.read_case[free], table.read_reader[free]
    readers = np.unique(reader).size
    said: list[str] = []
    if not table.row.size:
        said.append("No read holds a finding: the consensus is empty.")
    if not table.known.any():
        said += _alone(case, reader)
    if (table.read_share < 1).any():
        said.append("Repeat reads of one case by one reader share one vote.")
    if matched is None:
        return tuple(said)
    marks = np.bincount(table.reader, minlength=table.n_readers)[~table.known]
    reads = np.bincount(reader, minlength=table.n_readers)[~table.known]
    few = int(((reads > 0) & (marks < FEW_FINDINGS)).sum())
    if few and table.row.size:
        said.append(
            f"{few} of {readers} readers marked fewer than {FEW_FINDINGS} findings: their "
            "figures lean on those of the group."
        )
    mark = matched.sites.mark[:, ~table.known]
    if mark.size and (mark[1] > mark[0]).all(axis=0).any() and table.row.size:
        said.append(
            "For some class, look-alikes are marked as often as findings: existence there is "
            "hardly known."
        )
    if not matched.settled:
        said.append("Matching had not settled when it ended; a few findings may change partner.")
    return tuple(said)


def _alone(case: Ints, reader: Ints) -> list[str]:
    """What reads that cannot be compared mean, where there is no gold either."""
    if np.unique(reader).size == 1:
        words = (
            "There is one reader only. Whether a finding exists, and how well it is drawn, rests "
            "on what is usual, not on these reads."
        )
        return [words]
    if case.size and np.unique(case * 2**32 + reader).size == np.unique(case).size:
        words = (
            "No case was read by two readers, so that their reads cannot be compared: existence "
            "rests on what is usual. Let readers overlap on some cases."
        )
        return [words]
    return []


def _entropy(case: Ints, answer: Answer, read: Ints) -> Floats:
    """(cases,) in nats, of existence and, where it exists, class; nan where no one read."""
    e = answer.existence
    each = entr(e) + entr(1 - e) + e * entr(answer.posterior).sum(axis=1)
    total = np.bincount(case, weights=each, minlength=read.size)
    return np.where(read > 0, total, np.nan)


def _difficulty(
    table: FindingTable, clusters: Clusters, case: Ints, answer: Answer, read: Ints
) -> Floats:
    """(cases,) expected share of (read, cluster) answers that are wrong; nan where no one read."""
    heard = np.where(table.known[table.read_reader], 0.0, table.read_share)
    votes = np.bincount(table.read_case, weights=heard, minlength=read.size)
    of, m = clusters.of, np.arange(table.row.size)
    weight = np.where(table.known[table.reader], 0.0, table.share)
    named = weight * answer.posterior[of, table.label[m]]
    right = np.bincount(of, weights=named, minlength=clusters.count)
    marked = np.bincount(of, weights=weight, minlength=clusters.count)
    e = answer.existence
    wrong = e * (votes[case] - right) + (1 - e) * marked
    total = np.bincount(case, weights=wrong, minlength=read.size)
    asked = np.bincount(case, minlength=read.size) * votes
    share = np.divide(total, asked, out=np.zeros(read.size), where=asked > 0)
    return np.where(read > 0, np.clip(share, 0.0, 1.0), np.nan)


def _provenance(
    reads: BoxReads | InstanceReads,
    read_row: Ints,
    method: str,
    settings: Mapping[str, Setting],
    given: tuple[Any, ...],
) -> str:
    index = reads.index
    shape = (reads.box,) if isinstance(reads, BoxReads) else (reads.point, reads.first)
    columns = (index.case, index.reader, index.cases, reads.read, reads.label, *shape)
    return digest(
        *columns,
        index.readers,
        reads.schema.names,
        read_row,
        method,
        sorted(settings.items()),
        *given,
    )


def share_interval(value: Floats, weight: Floats, level: float) -> Interval:
    """Share ``value`` of ``weight`` things, and its beta interval (Jeffreys)."""
    tail = (1 - level) / 2
    a, b = value * weight + 0.5, (1 - value) * weight + 0.5
    low, high = betaincinv(a, b, tail), betaincinv(a, b, 1 - tail)
    return value, np.minimum(low, value), np.maximum(high, value)


def rate_interval(events: Floats, cases: Floats, level: float) -> Interval:
    """Events a case, and its gamma interval (Jeffreys)."""
    tail = (1 - level) / 2
    low, high = (gammaincinv(events + 0.5, q) for q in (tail, 1 - tail))
    return events / cases, low / cases, high / cases


def _spread(drawing: Drawing, boxes: Floats, level: float) -> Interval:
    """Edge sd, log-normal."""
    away = np.exp(ndtri((1 + level) / 2) * sd_error(drawing))
    value = np.where(boxes > 0, drawing.sd, np.nan)
    return value, value / away, value * away


def _size(drawing: Drawing, boxes: Floats, level: float) -> Interval:
    """Size drawn relative to the finding's; what all readers may share counts as doubt."""
    bias = drawing.bias
    ratio = np.maximum(1 + bias[:, 2:] - bias[:, :2], 0.05)
    value = np.where(boxes > 0, np.sqrt(ratio.prod(axis=1)) - 1, np.nan)
    away = ndtri((1 + level) / 2) * size_error(drawing)
    return value, value - away, value + away
