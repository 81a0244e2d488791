"""Who marked what: reads and clusters in the compact form that EM works on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from overread.arrays import Floats, Ints

_FREQUENT = 20  # cases from which a set of readers has its own share of normal cases


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Who read which case and who marked which cluster; equal clusters counted once.

    Cases read by the same readers share a pattern. Clusters of one pattern with the same marks are
    one row.

    Args:
        weight: (patterns, readers) sparse: how often each reader's answer counts (1; a reader's
            repeats of a case share it).
        pattern: (cases,) -1 where no one read.
        group: (patterns,) patterns with one share of normal cases: a frequent one has its own.
        richness: (entries, 3) pattern, clusters in a case, number of such cases.
        row_pattern, row_count: (rows,) pattern, and number of clusters.
        row_of: (clusters,) row of each.
        entry_row, reader, label, share: (entries,) the marks, sorted by row.
        by_pattern: sparse (patterns, rows), sums rows by pattern.
        by_said: sparse (readers * classes, entries), sums entries by reader and class said.
        n_classes: number of classes.
    """

    weight: csr_array
    pattern: Ints
    group: Ints
    richness: Ints
    row_pattern: Ints
    row_count: Floats
    row_of: Ints
    entry_row: Ints
    reader: Ints
    label: Ints
    share: Floats
    by_pattern: csr_array
    by_said: csr_array
    n_classes: int


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Reads, and the clusters of what was marked.

    Args:
        read_case, read_reader, read_share: (reads,) readable reads; share is 1, or 1 / m where a
            reader read the case m times.
        case: (clusters,).
        first: (clusters + 1,) start of each cluster's members.
        reader, label, share: (members,) cluster by cluster.
    """

    read_case: Ints
    read_reader: Ints
    read_share: Floats
    case: Ints
    first: Ints
    reader: Ints
    label: Ints
    share: Floats


def tabulate_marks(answers: Answers, sizes: tuple[int, int, int]) -> Marks:
    """Bring reads and clusters into the form that EM works on.

    Args:
        answers: the data.
        sizes: number of cases, readers and classes.
    """
    n_cases, n_readers, n_classes = sizes
    weight, pattern = _patterns(answers, n_cases, n_readers)
    of_cluster = pattern[answers.case]
    first, said = answers.first, answers.reader * n_classes + answers.label
    row_of, kept = _distinct(of_cluster, first, said, answers.share)
    start, count = first[kept], np.diff(first)[kept]
    entry_row = np.repeat(np.arange(kept.size), count)
    rows = np.arange(entry_row.size) - np.repeat(np.cumsum(count) - count - start, count)
    read = pattern >= 0
    found = np.bincount(answers.case, minlength=n_cases)
    key, times = np.unique(np.stack([pattern[read], found[read]]), axis=1, return_counts=True)
    share = answers.share[rows]
    entries = np.arange(rows.size)
    row_pattern = of_cluster[kept]
    return Marks(
        weight=weight,
        group=_groups(np.bincount(pattern[read], minlength=weight.shape[0])),
        pattern=pattern,
        richness=np.column_stack([*key, times]),
        row_pattern=row_pattern,
        row_count=np.bincount(row_of, minlength=kept.size).astype(np.float64),
        row_of=row_of,
        entry_row=entry_row,
        reader=answers.reader[rows],
        label=answers.label[rows],
        share=share,
        by_pattern=csr_array(
            (np.ones(kept.size), (row_pattern, np.arange(kept.size))),
            shape=(weight.shape[0], kept.size),
        ),
        by_said=csr_array((share, (said[rows], entries)), shape=(n_readers * n_classes, rows.size)),
        n_classes=n_classes,
    )


def held_out_marks(marks: Marks) -> tuple[Ints, Ints, Ints, Floats]:
    """Every (cluster row, reader of its case) where another reader marked it.

    Returns the entry of the reader's own mark (-1: none), reader, row, weight. Readers with
    repeats of the case are left out: their own repeats would speak for them.
    """
    counts = np.diff(marks.weight.indptr)[marks.row_pattern]
    row = np.repeat(np.arange(counts.size), counts)
    place = np.arange(row.size) - np.repeat(np.cumsum(counts) - counts, counts)
    place = place + marks.weight.indptr[marks.row_pattern[row]]
    reader = marks.weight.indices[place].astype(np.int64)
    n_readers = marks.weight.shape[1]
    key = marks.entry_row * n_readers + marks.reader
    order = np.argsort(key, kind="stable")
    at = np.searchsorted(key[order], row * n_readers + reader)
    near = np.minimum(at, max(key.size - 1, 0))
    hit = key[order][near] == row * n_readers + reader if key.size else np.zeros(0, bool)
    entry = np.where(hit, order[near], -1) if key.size else np.zeros(0, np.int64)
    marked_by = np.bincount(marks.entry_row, minlength=counts.size)[row] - hit
    whole = np.where(hit, marks.share[entry], 1.0) == 1.0 if key.size else hit
    keep = (marked_by > 0) & whole
    return entry[keep], reader[keep], row[keep], np.ones(int(keep.sum()))


def _patterns(
    answers: Answers, n_cases: int, n_readers: int
) -> tuple[csr_array, NDArray[np.int64]]:
    """Sparse (patterns, readers) weights and the pattern of each case."""
    place = (answers.read_case, answers.read_reader)
    table = csr_array((answers.read_share, place), shape=(n_cases, n_readers))
    table.sum_duplicates()
    table.sort_indices()
    table.data = np.minimum(table.data, 1.0)
    keys: dict[bytes, int] = {}
    pattern = np.full(n_cases, -1, dtype=np.int64)
    example: list[int] = []
    for i in np.unique(answers.read_case):
        key = table.indices[table.indptr[i] : table.indptr[i + 1]].tobytes()
        code = keys.setdefault(key, len(keys))
        if code == len(example):
            example.append(int(i))
        pattern[i] = code
    return table[np.array(example, dtype=np.int64)], pattern


def _groups(cases: Ints) -> NDArray[np.int64]:
    """Group of each pattern: its own where it has cases enough, else the one of all rare ones."""
    frequent = cases >= _FREQUENT
    return np.where(frequent, np.cumsum(frequent) - 1, frequent.sum())


def _distinct(
    pattern: Ints, first: Ints, said: Ints, share: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row of each cluster, and one cluster of each row; clusters with the same marks are equal."""
    size = np.diff(first)
    of = np.repeat(np.arange(size.size), size)
    weights, kind = np.unique(share, return_inverse=True)
    code = said * max(weights.size, 1) + kind.reshape(-1)
    order = np.lexsort((code, of))
    place = np.arange(of.size) - np.repeat(first[:-1], size)
    table = np.full((size.size, int(size.max(initial=0)) + 1), -1, dtype=np.int64)
    table[:, 0] = pattern
    table[of, place + 1] = code[order]
    _, kept, row_of = np.unique(table, axis=0, return_index=True, return_inverse=True)
    return row_of.reshape(-1), kept
