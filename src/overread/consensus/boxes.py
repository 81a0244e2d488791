"""Consensus of boxes: which findings are there, of which class, and where."""

from __future__ import annotations

import numpy as np

from overread.arrays import Floats
from overread.consensus.calibration import Temperature
from overread.consensus.existence import site_posterior
from overread.consensus.finding_match import FindingTable, Matched, finding_table, match_findings
from overread.consensus.finding_result import (
    Answer,
    finding_consensus,
    finding_warnings,
    rate_interval,
    reader_reliability,
    share_interval,
)
from overread.consensus.finding_temperature import UNCALIBRATED, finding_temperature
from overread.consensus.given_findings import (
    as_given,
    check_gold_findings,
    gold_cases,
    gold_parts,
    with_gold,
)
from overread.consensus.result import (
    Consensus,
    FindingConsensus,
    Iteration,
    Reliability,
    Setting,
)
from overread.errors import InputError
from overread.geometry.boxes import aligned_iou
from overread.geometry.clusters import Clusters, candidate_pairs, cluster_findings
from overread.labels import BoxReads, InstanceReads


def fuse_boxes(
    reads: BoxReads,
    *,
    gold: BoxReads | None = None,
    calibrate: bool = True,
    exchangeable: bool = False,
    level: float = 0.95,
    rounds: int = 10,
) -> Consensus[FindingConsensus]:
    """Match boxes across readers and estimate which findings are there, of which class, where.

    Boxes of different readers that are drawings of one finding form a cluster, at most one box of
    each read. A reader who read the case and did not box a finding says "no"; one who did not
    read it says nothing. All clusters are returned, also unlikely ones: a finding is part of the
    consensus where ``existence`` is above .5.

    Args:
        reads: box reads; repeats by one reader are matched as reads of their own and share one
            vote; "cannot be read" is left out.
        gold: what is known to be there in some cases: one read of each, over the same cases and
            classes. Readers' sensitivity, false alarms and drawing are learned from it, and in its
            cases its boxes are the consensus. A gold read without boxes says that nothing is
            there; a case without a gold read is not known.
        calibrate: find the temperature (at most 1) at which the posterior best predicts
            held-out reads, or the gold.
        exchangeable: readers have no identity ("reader 2" is another person in each case): they
            share one sensitivity, false-alarm rate, confusion and precision, and no bias.
        level: coverage of the readers' intervals, in (0, 1).
        rounds: of matching, at most.
    Returns:
        findings of all cases; reliability by reader: sensitivity, false alarms a case, class
        accuracy, edge sd and size bias relative to the box.
    Raises:
        InputError: ``level`` or ``rounds`` out of range, gold that does not fit the reads.
    Source:
        Dawid & Skene 1979, Appl. Stat. 28(1):20-28 (existence and class); Raykar et al. 2010, JMLR
        11:1297-1322 (precision); unmarked sites, matching within EM: ours, see the method's page.
    Example:
        >>> from overread.labels import Kind, read_index, schema_of
        >>> schema = schema_of(Kind.BOX, ["nodule"])
        >>> box = np.array([[10.0, 10, 50, 50], [12, 9, 51, 52], [11, 11, 49, 50]])
        >>> index = read_index(["a"] * 3, ["R1", "R2", "R3"])
        >>> reads = BoxReads(index, np.arange(3), np.zeros(3, int), box, schema)
        >>> found = fuse_boxes(reads).value
        >>> found.box.round().tolist(), bool(found.existence[0] > 0.5)
        ([[11.0, 10.0, 50.0, 51.0]], True)
    """
    check_settings(level, rounds)
    table = findings_of(reads, gold)
    matched = match_findings(table, tied=exchangeable, rounds=rounds)
    posterior, tau = calibrated(matched, calibrate=calibrate, tied=exchangeable)
    answer = Answer(*posterior, matched.fused.box, matched.fused.se)
    settings: dict[str, Setting] = {
        "gold_cases": gold_cases(gold),
        "calibrate": calibrate,
        "exchangeable": exchangeable,
        "level": level,
        "rounds": rounds,
    }
    return modelled_consensus(
        reads, table, matched, answer, method="boxes", settings=settings, tau=tau, gold=gold
    )


def median_boxes(
    reads: BoxReads, *, min_iou: float = 0.25, level: float = 0.95
) -> Consensus[FindingConsensus]:
    """Median of matched boxes; the share of the case's readers that marked one is its existence.

    The plain yardstick: boxes that overlap are matched whatever their class, as many and as well
    as possible; a finding is there when more than half of the readers boxed it, its class is the
    most frequent one (of equals the first in the schema), its edges are medians.

    Args:
        reads: box reads, as for :func:`fuse_boxes`.
        min_iou: IoU above which two boxes may be one finding, in [0, 1).
        level: coverage of the readers' intervals, in (0, 1).
    Returns:
        all clusters; reliability by reader: sensitivity (share of the findings of the consensus
        marked) and false alarms a case.
    Raises:
        InputError: ``min_iou`` or ``level`` out of range.
    """
    check_settings(level, 1)
    if not 0 <= min_iou < 1:
        raise InputError("min_iou", "be in [0, 1)", min_iou)
    table = finding_table(reads)
    pair = candidate_pairs(table.case, table.read, table.box, reach=0.0)
    overlap = aligned_iou(table.box[pair[0]], table.box[pair[1]])
    # Any match counts more than how good it is: else a loose box would leave its cluster.
    clusters = cluster_findings(
        table.read, *pair, np.where(overlap > min_iou, 1 + overlap / 4, -0.25)
    )
    answer = _by_vote(table, clusters)
    settings: dict[str, Setting] = {"min_iou": min_iou, "ties": "no majority, no finding"}
    return finding_consensus(
        reads,
        table,
        clusters,
        answer,
        method="median_boxes",
        settings=settings | {"level": level},
        reliability=_vote_reliability(reads, table, clusters, answer, level),
        warnings=finding_warnings(table, None),
    )


def findings_of(
    reads: BoxReads | InstanceReads, gold: BoxReads | InstanceReads | None
) -> FindingTable:
    """Findings of the reads, and of the gold as a further reader.

    Raises:
        InputError: gold that does not fit the reads.
    """
    table = finding_table(reads)
    if gold is None:
        return table
    check_gold_findings(gold, reads)
    return with_gold(table, reads, gold) if gold_cases(gold) else table


def calibrated(
    matched: Matched, *, calibrate: bool, tied: bool
) -> tuple[tuple[Floats, Floats], Temperature]:
    """Existence (clusters,) and class given existence (clusters, classes), and the temperature."""
    found = UNCALIBRATED
    if calibrate:
        found = finding_temperature(matched.marks, matched.sites, matched.counts, tied=tied)
    posterior = site_posterior(matched.marks, matched.sites, found.tau)[:, 0]
    existence = posterior.sum(axis=1)
    by_class = np.divide(
        posterior,
        existence[:, None],
        out=np.full(posterior.shape, 1.0 / posterior.shape[1]),
        where=existence[:, None] > 0,
    )
    return (existence, by_class), found


def modelled_consensus(
    reads: BoxReads | InstanceReads,
    table: FindingTable,
    matched: Matched,
    answer: Answer,
    *,
    method: str,
    settings: dict[str, Setting],
    tau: Temperature,
    gold: BoxReads | InstanceReads | None,
) -> Consensus[FindingConsensus]:
    """Result of a fitted model of findings, gold as it is given."""
    if table.known.any():
        answer = as_given(answer, table, matched)
    rate = matched.sites.rate[0]
    return finding_consensus(
        reads,
        table,
        matched.clusters,
        answer,
        method=method,
        settings=settings | {"calibration": tau.words},
        reliability=reader_reliability(
            reads.index.readers,
            table,
            matched,
            level=float(settings["level"] or 0.95),
            tied=bool(settings["exchangeable"]),
        ),
        warnings=finding_warnings(table, matched),
        history=tuple(Iteration(*step) for step in matched.history),
        temperature=tau.tau,
        prevalence=rate / rate.sum(),
        given=gold_parts(gold),
    )


def check_settings(level: float, rounds: int) -> None:
    """Refuse settings out of range."""
    if not 0 < level < 1:
        raise InputError("level", "be in (0, 1)", level)
    if rounds < 1:
        raise InputError("rounds", "be 1 or more", rounds)


def _by_vote(table: FindingTable, clusters: Clusters) -> Answer:
    n = clusters.count
    case = table.case[clusters.member[clusters.first[:-1]]]
    votes = np.bincount(table.read_case, weights=table.read_share, minlength=table.n_cases)
    share = np.bincount(clusters.of, weights=table.share, minlength=n) / votes[case]
    said = np.zeros((n, table.n_classes))
    np.add.at(said, (clusters.of, table.label), table.share)
    box, se = np.empty((n, 4)), np.full((n, 4), np.nan)
    size = np.diff(clusters.first)
    for k in np.unique(size):
        mine = np.flatnonzero(size == k)
        member = table.box[clusters.member[clusters.first[:-1][mine, None] + np.arange(k)]]
        box[mine] = np.median(member, axis=1)
        if k > 1:  # sd of a median of k normal errors is about 1.25 sd / sqrt(k)
            se[mine] = 1.2533 * member.std(axis=1, ddof=1) / np.sqrt(k)
    return Answer(np.minimum(share, 1.0), said / said.sum(axis=1, keepdims=True), box, se)


def _vote_reliability(
    reads: BoxReads, table: FindingTable, clusters: Clusters, answer: Answer, level: float
) -> Reliability:
    n = table.n_readers
    real = answer.existence > 0.5
    case = table.case[clusters.member[clusters.first[:-1]]]
    findings = np.bincount(case[real], minlength=table.n_cases)[table.read_case]
    there = np.bincount(table.read_reader, weights=table.read_share * findings, minlength=n)
    hit = real[clusters.of]
    marked = np.bincount(table.reader, weights=table.share * hit, minlength=n)
    false = np.bincount(table.reader, weights=table.share * ~hit, minlength=n)
    seen = np.bincount(table.read_reader, weights=table.read_share, minlength=n)
    asked = np.asarray(there, dtype=np.float64) + 1.0
    share = (marked + 0.5) / asked
    columns = [
        share_interval(share, asked, level),
        rate_interval(np.asarray(false, dtype=np.float64), np.maximum(seen, 1e-9), level),
    ]
    value, low, high = (np.column_stack([c[i] for c in columns]) for i in range(3))
    count = np.bincount(table.read_reader, minlength=n)
    for part in (value, low, high):
        part[count == 0] = np.nan
    return Reliability(
        reads.index.readers, ("sensitivity", "false_alarms"), value, low, high, level, count
    )
