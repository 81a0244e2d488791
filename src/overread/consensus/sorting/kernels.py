"""Compiled loops that sort reads by case and find the cases with the identical reads."""

from __future__ import annotations

import numpy as np

from overread.arrays import compiled

BUCKET = 8192
"""Cases sorted together; their place within fits in 16 bits, and their reads in the cache."""


@compiled(nogil=True)
def into_buckets(case, reader, label, n_classes, place, low, mixed):
    """First half of a sort by case: reads into buckets of ``BUCKET`` cases, in read order.

    Scattering reads over a million cases misses the cache at each; over some buckets it does not.

    Shapes: place (buckets,) where each begins, moved to where it ends; low (reads,) case within
    the bucket and mixed (reads,) cell, written. Reads that say nothing are left out.
    """
    for r in range(case.size):
        if label[r] >= 0:
            bucket = case[r] // BUCKET
            at = place[bucket]
            place[bucket] = at + 1
            low[at] = case[r] % BUCKET
            mixed[at] = np.int64(reader[r]) * n_classes + label[r]


@compiled(nogil=True)
def bucket_sizes(case, label, n_buckets):
    """(buckets,) reads that say something."""
    size = np.zeros(n_buckets, dtype=np.int64)
    for r in range(case.size):
        if label[r] >= 0:
            size[case[r] // BUCKET] += 1
    return size


@compiled(nogil=True)
def sort_bucket(first, last, base, low, mixed, start, cell):
    """Second half: reads ``first .. last-1`` of one bucket case by case, cells rising in each.

    ``base`` is the bucket's first case; start (from it on) and cell are written. Rising cells make
    the order of reads in the table irrelevant to the last bit.
    """
    n = min(BUCKET, start.size - 1 - base)
    place = np.zeros(n, dtype=np.int64)
    for r in range(first, last):
        place[low[r]] += 1
    at = first
    for i in range(n):
        start[base + i] = at
        at += place[i]
        place[i] = start[base + i]
    for r in range(first, last):
        cell[place[low[r]]] = mixed[r]
        place[low[r]] += 1
    for i in range(n):
        before, after = start[base + i], place[i]
        if after - before > 24:
            cell[before:after].sort()
            continue
        for end in range(after, before + 1, -1):  # bubbles: minimum and maximum need no branch
            most = cell[before]
            for r in range(before + 1, end):
                other = cell[r]
                cell[r - 1] = min(most, other)
                most = max(most, other)
            cell[end - 1] = most


@compiled(nogil=True)
def group_alike(start, cell, gold):
    """Rows with the same cells and gold, found by hashing and compared cell by cell: exact.

    Returns (rows,) number of the pattern of each row, and (patterns,) first row of each.
    """
    n = start.size - 1
    size = 16
    while size < 2 * n:
        size *= 2
    slot = np.full(size, -1, dtype=np.int64)  # open addressing; holds pattern numbers
    pattern = np.empty(n, dtype=np.int64)
    first = np.empty(n, dtype=np.int64)
    found = 0
    for i in range(n):
        h = np.uint64(1469598103934665603)
        if gold.size:
            h ^= np.uint64(gold[i] + 2)
        for r in range(start[i], start[i + 1]):
            h = (h ^ np.uint64(cell[r] + 1)) * np.uint64(1099511628211)
        h ^= h >> np.uint64(29)
        at = np.int64(h & np.uint64(size - 1))
        while True:
            if slot[at] < 0:
                slot[at] = found
                first[found] = i
                pattern[i] = found
                found += 1
                break
            other = first[slot[at]]
            same = start[i + 1] - start[i] == start[other + 1] - start[other]
            if same and gold.size:
                same = gold[i] == gold[other]
            if same:
                for d in range(start[i + 1] - start[i]):
                    if cell[start[i] + d] != cell[start[other] + d]:
                        same = False
                        break
            if same:
                pattern[i] = slot[at]
                break
            at = (at + 1) & (size - 1)
    return pattern, first[:found].copy()
