"""Consensus of boxes: which findings are there, of which class, and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from overread.arrays import Bools, Floats, Ints
from overread.consensus.box_geometry import (
    Drawing,
    Fused,
    first_drawing,
    fuse_edges,
    pair_evidence,
    places,
)
from overread.consensus.existence import (
    Counts,
    Marks,
    Sites,
    case_richness,
    first_sites,
    fit_sites,
    tabulate_marks,
)
from overread.geometry.clusters import Clusters, candidate_pairs, cluster_findings


@dataclass(frozen=True, slots=True, eq=False)
class FindingTable:
    """Findings of readable reads, whatever their shape.

    Args:
        row: (findings,) row of the read table's findings.
        read: (findings,) number of the read.
        case, reader, label, share: (findings,).
        box: (findings, 4).
        read_case, read_reader, read_share: (reads,) readable reads.
        sizes: numbers of cases, readers and classes.
    """

    row: Ints
    read: Ints
    case: Ints
    reader: Ints
    label: Ints
    share: Floats
    box: Floats
    read_case: Ints
    read_reader: Ints
    read_share: Floats
    read_row: Ints
    sizes: tuple[int, int, int]


def table_of(reads, box):
    index = reads.index
    readable = np.ones(index.n_reads, bool) if reads.unreadable is None else ~reads.unreadable
    key = index.case.astype(np.int64) * max(index.n_readers, 1) + index.reader
    _, inverse, times = np.unique(key[readable], return_inverse=True, return_counts=True)
    share = np.zeros(index.n_reads)
    share[readable] = 1.0 / times[inverse.reshape(-1)]
    row = np.flatnonzero(readable[reads.read])
    read = reads.read[row].astype(np.int64)
    rr = np.flatnonzero(readable)
    return FindingTable(
        row, read, index.case[read].astype(np.int64), index.reader[read].astype(np.int64), reads.label[row].astype(np.int64),
        share[read], box[row], index.case[rr].astype(np.int64), index.reader[rr].astype(np.int64), share[rr], rr,
        (index.n_cases, index.n_readers, len(reads.schema.classes)),
    )


def site_evidence(sites, reader, label, pair, richness):
    first, second = pair
    rate = sites.rate.ravel()
    states = rate.size
    mark = sites.mark.transpose(1, 0, 2).reshape(-1, states)
    def one(i):
        return mark[reader[i]], np.tile(sites.confusion[reader[i], :, label[i]], 2)
    a, ca = one(first)
    b, cb = one(second)
    both = (rate * a * b * ca * cb).sum(1)
    only_a = (rate * a * (1 - b) * ca).sum(1)
    only_b = (rate * b * (1 - a) * cb).sum(1)
    return np.log(both) - np.log(only_a) - np.log(only_b) - np.log(richness)


def fit(t: FindingTable, *, tied=False, rounds=8, size=None, overlap=None, verbose=False):
    import time
    drawing = first_drawing(t.sizes[1])
    where = places(t.box, size)
    pair = candidate_pairs(t.case, t.read, t.box)
    sites = None
    old = None
    rich = np.ones(t.sizes[0])
    for r in range(rounds):
        t0 = time.time()
        geo = pair_evidence(drawing, where, t.box, t.reader, pair)
        if sites is None:
            single = tabulate(t, partition_of_singles(t))
            s0 = first_sites(single)
            lab = site_evidence(s0, t.reader, t.label, pair, np.ones(pair[0].size))
        else:
            lab = site_evidence(sites, t.reader, t.label, pair, rich[t.case[pair[0]]])
        clusters = cluster_findings(t.read, *pair, geo + lab)
        t1 = time.time()
        m = clusters.member
        drawing, fused = fuse_edges(drawing, t.box[m], t.reader[m], t.share[m], clusters.first, tied=tied, steps=10)
        t2 = time.time()
        marks = tabulate(t, clusters)
        if sites is None:
            sites = first_sites(marks)
        rep=clusters.member[clusters.first[clusters.of]]
        same = old is not None and (old!=rep).mean()<1e-3
        sites, counts, hist = fit_sites(marks, sites, tied=tied, steps=500 if same or r == rounds - 1 else 20)
        rich = case_richness(marks, sites, np.bincount(t.case[clusters.member[clusters.first[:-1]]], minlength=t.sizes[0]))
        t3 = time.time()
        if verbose:
            print(r, clusters.count, 'changed', None if old is None else int((old != rep).sum()), 'times', round(t1-t0,2), round(t2-t1,2), round(t3-t2,2), 'hist', len(hist), hist[-1], 'rows', marks.row_count.size)
        old = rep
        if same:
            break
    return clusters, drawing, fused, marks, sites, counts, hist


def partition_of_singles(t):
    n = t.row.size
    return Clusters(np.arange(n), np.arange(n), np.arange(n + 1))


def tabulate(t, c):
    m = c.member
    return tabulate_marks(t.read_case, t.read_reader, t.read_share, t.case[m[c.first[:-1]]], c.first, (t.reader[m], t.label[m], t.share[m]), t.sizes)
