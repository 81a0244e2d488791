"""Compiled loop of the EM over reads of classes: one pass an iteration, in the linear domain.

A *cell* is one reader saying one class: ``reader * classes + said``. The tables indexed by it are
laid out [cell, truth], so that one read touches one cache line of the confusions and one of the
counts. The kernel is compiled for each number of classes, so that the compiler keeps a case's
posterior in registers. Probabilities are multiplied, not their logarithms added; a case with many
reads is rescaled every 16 of them (no confusion is below :data:`FLOOR`, and FLOOR^16 > 1e-300).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numba
import numpy as np
from numba.cpython.unsafe.tuple import tuple_setitem

FLOOR = 1e-15
"""Smallest probability of a confusion; a case keeps a positive likelihood whatever is said."""

_MOST_UNROLLED = 12  # classes kept in registers; beyond, in an array

# Reassociation is harmless here; nan and infinity keep their meaning.
_FAST = {"contract", "reassoc", "nsz"}


@lru_cache(maxsize=64)
def sweep_kernel(n_classes: int) -> Any:
    """Compile the E- and M-step for ``n_classes`` classes.

    Call it as ``sweep(first, last, start, cell, weight, gold, prior, table, counts, prevalence,
    posterior)``. It treats rows ``first .. last-1`` and returns their log likelihood.

    Shapes:
        start (rows + 1,), cell (reads,): row i owns ``cell[start[i]:start[i+1]]``.
        weight (rows,) how many cases a row stands for, or (0,) for one each.
        gold (rows,) known class or -1, or (0,) for none known.
        prior (1, classes) or (rows, classes); table (cells, classes) chance of a cell by truth.
        counts (cells, classes), prevalence (classes,): added to.
        posterior (rows, classes): written; or (0, classes).
    """
    return _unrolled(n_classes) if n_classes <= _MOST_UNROLLED else _looped


def _unrolled(n_classes: int) -> Any:
    zeros = (0.0,) * n_classes

    @numba.njit(nogil=True, cache=True, fastmath=_FAST)
    def sweep(
        first,
        last,
        start,
        cell,
        weight,
        gold,
        prior,
        table,
        counts,
        prevalence,
        posterior,
    ):
        likelihood, product, share = 0.0, 1.0, zeros
        for i in range(first, last):
            w = weight[i] if weight.size else 1.0
            row = i if prior.shape[0] > 1 else 0
            p = zeros
            for k in range(n_classes):
                p = tuple_setitem(p, k, prior[row, k])
            for r in range(start[i], start[i + 1]):
                if r > start[i] and (r - start[i]) % 16 == 0:
                    s = 0.0
                    for k in range(n_classes):
                        s += p[k]
                    for k in range(n_classes):
                        p = tuple_setitem(p, k, p[k] / s)
                    likelihood += w * math.log(s)
                c = cell[r]
                for k in range(n_classes):
                    p = tuple_setitem(p, k, p[k] * table[c, k])
            if gold.size and gold[i] >= 0:
                for k in range(n_classes):
                    p = tuple_setitem(p, k, p[k] if k == gold[i] else 0.0)
            s = 0.0
            for k in range(n_classes):
                s += p[k]
            if weight.size:
                likelihood += w * math.log(s)
            else:  # the logarithm of a product of many cases costs one logarithm
                product *= s
                if product < 1e-60:
                    likelihood += math.log(product)
                    product = 1.0
            for k in range(n_classes):
                p = tuple_setitem(p, k, p[k] * (w / s))
                share = tuple_setitem(share, k, share[k] + p[k])
            for r in range(start[i], start[i + 1]):
                c = cell[r]
                for k in range(n_classes):
                    counts[c, k] += p[k]
            if posterior.shape[0]:
                for k in range(n_classes):
                    posterior[i, k] = p[k] / w
        for k in range(n_classes):
            prevalence[k] += share[k]
        return likelihood + math.log(product)

    return sweep


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def _looped(
    first,
    last,
    start,
    cell,
    weight,
    gold,
    prior,
    table,
    counts,
    prevalence,
    posterior,
):
    """The same for any number of classes."""
    likelihood = 0.0
    p = np.empty(prior.shape[1])
    for i in range(first, last):
        w = weight[i] if weight.size else 1.0
        p[:] = prior[i if prior.shape[0] > 1 else 0]
        for r in range(start[i], start[i + 1]):
            if r > start[i] and (r - start[i]) % 16 == 0:
                s = p.sum()
                p /= s
                likelihood += w * math.log(s)
            p *= table[cell[r]]
        if gold.size and gold[i] >= 0:
            kept = p[gold[i]]
            p[:] = 0.0
            p[gold[i]] = kept
        s = p.sum()
        likelihood += w * math.log(s)
        p *= w / s
        prevalence += p
        for r in range(start[i], start[i + 1]):
            counts[cell[r]] += p
        if posterior.shape[0]:
            posterior[i] = p / w
    return likelihood


@numba.njit(nogil=True, cache=True)
def sort_by_case(case, reader, label, n_cases, n_classes, cell):
    """Counting sort: cells (in ``cell``) case by case, rising within a case; returns start."""
    start = np.zeros(n_cases + 1, dtype=np.int64)
    for r in range(case.size):
        if label[r] >= 0:
            start[case[r] + 1] += 1
    for i in range(n_cases):
        start[i + 1] += start[i]
    place = start[:-1].copy()
    for r in range(case.size):
        if label[r] >= 0:
            i = case[r]
            c = np.int64(reader[r]) * n_classes + label[r]
            at = place[i]
            place[i] += 1
            while at > start[i] and cell[at - 1] > c:
                cell[at] = cell[at - 1]
                at -= 1
            cell[at] = c
    return start


@numba.njit(nogil=True, cache=True)
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


@numba.njit(nogil=True, cache=True)
def vote_shares(start, cell, n_classes):
    """(rows, classes) share of a row's reads that say each class; even where there is none."""
    share = np.full((start.size - 1, n_classes), 1.0 / n_classes)
    for i in range(start.size - 1):
        n = start[i + 1] - start[i]
        if n:
            share[i] = 0.0
            for r in range(start[i], start[i + 1]):
                share[i, cell[r] % n_classes] += 1.0 / n
    return share


@numba.njit(nogil=True, cache=True)
def heat_rows(posterior, tau, heated, entropy):
    """Raise rows to ``tau``, renormalise (into ``heated``), and take their entropy in nats."""
    n_classes = posterior.shape[1]
    logs = np.empty(n_classes)
    for i in range(posterior.shape[0]):
        total = 0.0
        weighted = 0.0
        for k in range(n_classes):
            p = posterior[i, k]
            if p > 0.0:
                logs[k] = tau * math.log(p)
                heated[i, k] = p if tau == 1.0 else math.exp(logs[k])
                total += heated[i, k]
                weighted += heated[i, k] * logs[k]
            else:
                heated[i, k] = 0.0
        for k in range(n_classes):
            heated[i, k] /= total
        entropy[i] = max(math.log(total) - weighted / total, 0.0)
