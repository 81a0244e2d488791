"""Temperature of what is said of findings: held-out reads, and how far few can be trusted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from overread.arrays import Bools, Floats, Ints
from overread.consensus.calibration import INDEPENDENCE, Temperature, best_with_gold
from overread.consensus.existence import (
    gold_rows,
    held_out_temperature,
    pooled_counts,
    site_joint,
)
from overread.consensus.marks import Marks
from overread.consensus.sites import CONFUSION_WEIGHT, READER_WEIGHT, Counts, Sites, of_free

UNCALIBRATED = Temperature(1.0, "none", 0, "off: tau is 1")
"""The temperature of a posterior that is left as it is."""

_FEW_MARKS = 1.5
"""Marks a reader at which the fit is believed by half: what so few say of the readers is as
uncertain as what the readers say of a finding."""

_ENOUGH_READS = 2.0  # a case, up to which INDEPENDENCE counts in full


def finding_temperature(
    marks: Marks, sites: Sites, counts: Counts, *, tied: bool = False
) -> Temperature:
    """Temperature at which existence and class mean what they say.

    The one at which held-out reads are best predicted, but no higher than few marks, or few reads a
    case, allow: two readers who agree on where to look cannot show that they err together
    (:data:`overread.consensus.calibration.INDEPENDENCE`). That fades as 2 / reads a case,
    squared; a missing mark is an answer too, so that findings need fewer reads than classes.
    Where there is gold, what the readers marked in its cases decides, as for classes
    (:func:`overread.consensus.calibration.temperature`).

    Args:
        marks: reads and clusters.
        sites, counts: the fitted model.
        tied: readers share their chances.
    """
    without = _without_gold(marks, sites)
    if not sites.known.any():
        return without
    counts = of_free(counts, sites.known)
    rows, joint, right = _gold_joint(marks, sites, pooled_counts(counts) if tied else counts)
    if not rows.size:
        return without
    times = marks.row_count[rows]

    def chance(taus: Floats) -> Floats:
        return np.array([_log_right(tau * joint, right) @ times for tau in taus])

    n = int(times.sum())
    words = f"fitted to {n} marks in gold cases around the {without.tau:.2f} found without them"
    return Temperature(best_with_gold(chance, without.tau), "gold", n, words)


def _log_right(joint: Floats, right: Bools) -> Floats:
    """(rows,) log share of the right kinds of site."""
    only = np.where(right, joint, -np.inf)
    return np.asarray(logsumexp(only, axis=1) - logsumexp(joint, axis=1))


class _Cluster(NamedTuple):
    """Clusters in gold cases: rows of the marks, place of each row, whose site it is by gold."""

    rows: Ints
    place: Ints
    own: Floats


def _gold_joint(marks: Marks, sites: Sites, counts: Counts) -> tuple[Ints, Floats, Bools]:
    """What the readers say of the clusters that they marked in gold cases, gold not heard.

    Each cluster's own part in the readers' chances is taken out: judged by what gold has taught of
    them, its cases would seem easier than the others are.

    Returns:
        (n,) rows of ``marks``; (n, 2 classes) log joint; (n, 2 classes) what gold says is right.
    """
    states = 2 * marks.n_classes
    marked, told = gold_rows(marks, sites.known)
    by_reader = np.bincount(
        marks.entry_row[~sites.known[marks.reader]], minlength=marks.row_count.size
    )
    rows = np.flatnonzero(told & (by_reader > 0))
    right = np.repeat(np.column_stack([marked, ~marked])[rows], marks.n_classes, axis=1)
    named = np.zeros((rows.size, states), dtype=np.bool_)
    place = np.full(marks.row_count.size, -1)
    place[rows] = np.arange(rows.size)
    gold = np.flatnonzero(sites.known[marks.reader] & (place[marks.entry_row] >= 0))
    named[place[marks.entry_row[gold]], marks.label[gold]] = True
    right = np.where(marked[rows][:, None], named, right)
    heard = site_joint(marks, sites)[rows]
    own = np.exp(heard - logsumexp(heard, axis=1, keepdims=True))
    joint = np.tile(np.log(sites.rate).ravel(), (rows.size, 1))
    for reader in np.flatnonzero(~sites.known):
        joint += _said(marks, sites, counts, int(reader), _Cluster(rows, place, own))
    return rows, joint, right


def _said(marks: Marks, sites: Sites, counts: Counts, reader: int, of: _Cluster) -> Floats:
    """(rows, 2 classes) log chance of what one reader did, learned without the row itself."""
    rows, place, own = of
    read = marks.weight[:, [reader]].toarray()[marks.row_pattern[rows], 0]
    entry = np.flatnonzero((marks.reader == reader) & (place[marks.entry_row] >= 0))
    at, label = place[marks.entry_row[entry]], marks.label[entry]
    did = np.zeros(rows.size)
    did[at] = marks.share[entry]
    weight = counts.there[:, reader].ravel() + READER_WEIGHT
    mark = sites.mark[:, reader].ravel()
    mine = own * (read > 0)[:, None]
    chance = (mark * weight - mine * did[:, None]) / np.maximum(weight - mine, 1e-9)
    chance = np.clip(chance, 1e-6, 1 - 1e-6)
    out = did[:, None] * np.log(chance) + np.maximum(read - did, 0)[:, None] * np.log1p(-chance)
    told = np.tile(sites.confusion[reader, :, label], (1, 2))  # (entries, 2 classes)
    said = np.tile(counts.said[reader].sum(axis=1) + CONFUSION_WEIGHT, 2)
    kept = (told * said - own[at]) / np.maximum(said - own[at], 1e-9)
    out[at] += marks.share[entry][:, None] * np.log(np.clip(kept, 1e-6, 1.0))
    return np.asarray(out)


def _without_gold(marks: Marks, sites: Sites) -> Temperature:
    tau, used = held_out_temperature(marks, sites)
    if not used:
        words = "no case has reads of two readers, so that no read can be held out: tau is 1"
        return Temperature(1.0, "none", 0, words)
    reads = float((marks.weight[:, np.flatnonzero(~sites.known)].sum(axis=1) * _cases(marks)).sum())
    a_case = reads / max(float(_cases(marks).sum()), 1.0)
    seen = np.bincount(marks.weight.indices, minlength=marks.weight.shape[1]) > 0
    readers = int((seen & ~sites.known).sum())
    free = ~sites.known[marks.reader]
    a_reader = float((marks.share * marks.row_count[marks.entry_row])[free].sum()) / max(readers, 1)
    by_reads = 1 - (1 - INDEPENDENCE) * min(1.0, (_ENOUGH_READS / a_case) ** 2)
    cap = by_reads * a_reader / (a_reader + _FEW_MARKS)
    if tau <= cap:
        return Temperature(tau, "held-out reads", int(used), f"fitted to {used:.0f} held-out reads")
    words = (
        f"{used:.0f} held-out reads say {tau:.2f}, but {a_reader:.0f} marks a reader and "
        f"{a_case:.1f} reads a case cannot show how far readers err together: {cap:.2f}. "
        "Gold answers would tell"
    )
    return Temperature(cap, "few reads", int(used), words)


def _cases(marks: Marks) -> np.ndarray:
    """(patterns,) cases of each."""
    pattern, _, times = marks.richness.T
    return np.bincount(pattern, weights=times, minlength=marks.weight.shape[0])
