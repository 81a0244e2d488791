"""Compiled loops of the EM over reads of classes: one pass an iteration, in the linear domain.

A *cell* is one reader saying one class: ``reader * classes + said``. The tables indexed by it are
laid out [cell, truth], padded to whole lanes, so that one read touches one cache line of the
confusions and one of the counts (up to eight classes). Probabilities are multiplied, not their
logarithms added; a case with many reads is raised by 1e120 when it falls below 1e-60, looked at
every eight reads (no confusion is below :data:`FLOOR`, so that nothing underflows in between).

The cases are taken 64 at a time, first all products, then all sums: the processor then works on
several cases at once instead of waiting for the one division of each.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from overread.arrays import compiled
from overread.consensus.lanes import (
    MOST_LANES,
    lanes_of,
    load,
    pick,
    plus,
    put,
    scaled,
    store,
    times,
    total,
)

FLOOR = 1e-15
"""Smallest probability of a confusion; a case keeps a positive likelihood whatever is said."""

_BLOCK = 64  # rows; their products stay in the nearest cache
_LOW, _UP = 1e-60, 1e120
_LOG_UP = math.log(_UP)

# Order of additions and signs of zero are free; nan and infinity keep their meaning.
_FAST = {"contract", "nsz"}


@lru_cache(maxsize=8)
def sweep_kernel(n_classes: int) -> Any:
    """Compile the E- and M-step for tables of ``lanes_of(n_classes)`` lanes.

    Call it as ``sweep(first, last, start, cell, weight, gold, prior, table, counts, prevalence,
    posterior)``. It treats rows ``first .. last-1`` and returns their log likelihood.

    Shapes:
        start (rows + 1,), cell (reads,): row i owns ``cell[start[i]:start[i+1]]``.
        weight (rows,) how many cases a row stands for, or (0,) for one each.
        gold (rows,) known class or -1, or (0,) for none known.
        prior (1, lanes) or (rows, lanes), 0 beyond the classes.
        table (cells, lanes) chance of a cell by truth.
        counts (cells, lanes), prevalence (1, lanes): added to.
        posterior (rows, classes): written; or (0, classes).
    """
    lanes = lanes_of(n_classes)
    return _in_registers(lanes) if lanes <= MOST_LANES else _in_arrays


def _in_registers(lanes: int) -> Any:  # noqa: PLR0915 - holds the fused loop
    block, low, up, log_up = _BLOCK, _LOW, _UP, _LOG_UP

    @compiled(nogil=True, error_model="numpy", fastmath=_FAST)
    def sweep(  # noqa: PLR0915
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
        likelihood, product, raised, fours = 0.0, 1.0, 0.0, 0
        cases: Any = load(prevalence, 0, lanes)
        products, sums = np.empty((block, lanes)), np.empty(block)
        own = 1 if prior.shape[0] > 1 else 0
        for base in range(first, last, block):
            size = min(block, last - base)
            # E-step: prior times the chance of every read, four reads at a time
            after = pick(start, base)
            for j in range(size):
                r = after
                after = pick(start, base + j + 1)
                p = load(prior, (base + j) * own, lanes)
                while after - r >= 4:
                    a = times(
                        load(table, pick(cell, r), lanes), load(table, pick(cell, r + 1), lanes)
                    )
                    b = times(
                        load(table, pick(cell, r + 2), lanes), load(table, pick(cell, r + 3), lanes)
                    )
                    p = times(p, times(a, b))
                    r += 4
                    fours += 1
                    if fours % 2 == 0 and total(p) < low:
                        p = scaled(p, up)
                        raised += weight[base + j] if weight.size else 1.0
                if after - r >= 2:
                    a = times(
                        load(table, pick(cell, r), lanes), load(table, pick(cell, r + 1), lanes)
                    )
                    p = times(p, a)
                    r += 2
                if r < after:
                    p = times(p, load(table, pick(cell, r), lanes))
                store(products, j, p)
                put(sums, j, total(p))
            if gold.size:
                for j in range(size):
                    known = gold[base + j]
                    if known >= 0:
                        kept = products[j, known]
                        products[j] = 0.0
                        products[j, known] = kept
                        sums[j] = kept
            for j in range(size):
                if weight.size:
                    likelihood += weight[base + j] * math.log(sums[j])
                    sums[j] = weight[base + j] / sums[j]
                else:  # the logarithm of a product of many cases costs one logarithm
                    product *= sums[j]
                    if product < low:
                        likelihood += math.log(product)
                        product = 1.0
                    sums[j] = 1.0 / sums[j]
            # sums for the M-step
            after = pick(start, base)
            for j in range(size):
                r = after
                after = pick(start, base + j + 1)
                p = scaled(load(products, j, lanes), sums[j])
                cases = plus(cases, p)
                while after - r >= 2:
                    c, d = pick(cell, r), pick(cell, r + 1)
                    store(counts, c, plus(load(counts, c, lanes), p))
                    store(counts, d, plus(load(counts, d, lanes), p))
                    r += 2
                if r < after:
                    c = pick(cell, r)
                    store(counts, c, plus(load(counts, c, lanes), p))
                if posterior.shape[0]:
                    one = sums[j] / (weight[base + j] if weight.size else 1.0)
                    for k in range(posterior.shape[1]):
                        posterior[base + j, k] = products[j, k] * one
        store(prevalence, 0, cases)
        return likelihood + math.log(product) - raised * log_up

    return sweep


@compiled(nogil=True, error_model="numpy", fastmath=_FAST)
def _in_arrays(
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
            if r > start[i] and (r - start[i]) % 8 == 0 and p.sum() < _LOW:
                p *= _UP
                likelihood -= w * _LOG_UP
            p *= table[cell[r]]
        if gold.size and gold[i] >= 0:
            kept = p[gold[i]]
            p[:] = 0.0
            p[gold[i]] = kept
        s = p.sum()
        likelihood += w * math.log(s)
        p *= w / s
        prevalence[0] += p
        for r in range(start[i], start[i + 1]):
            counts[cell[r]] += p
        if posterior.shape[0]:
            posterior[i] = p[: posterior.shape[1]] / w
    return likelihood


@compiled(nogil=True)
def vote_sums(
    first,
    last,
    start,
    cell,
    weight,
    gold,
    majority,
    said,
    counts,
    prevalence,
    posterior,
):
    """Sums for an M-step from vote shares (or the ``majority``, ties shared) as the posterior.

    A row without reads is shared by all classes, gold is certain. Shapes as in the sweep; said
    (cells,) is the class that each cell says.
    """
    n_classes = 1 + said[-1]
    share = np.empty(n_classes)
    for i in range(first, last):
        before, after = start[i], start[i + 1]
        share[:] = 0.0
        if gold.size and gold[i] >= 0:
            share[gold[i]] = 1.0
        elif after == before:
            share[:] = 1.0 / n_classes
        else:
            most = 0.0
            for r in range(before, after):
                k = said[cell[r]]
                share[k] += 1.0
                most = max(most, share[k])
            parts = 0.0
            for k in range(n_classes):
                if majority:
                    share[k] = 1.0 if share[k] == most else 0.0
                parts += share[k]
            for k in range(n_classes):
                share[k] /= parts
        if posterior.shape[0]:
            for k in range(n_classes):  # assigning whole rows takes seconds to compile
                posterior[i, k] = share[k]
        if weight.size:
            for k in range(n_classes):
                share[k] *= weight[i]
        for k in range(n_classes):
            prevalence[0, k] += share[k]
        for r in range(before, after):
            c = cell[r]
            for k in range(n_classes):  # adding zeros costs less than asking
                counts[c, k] += share[k]


@compiled(nogil=True)
def heat_rows(posterior, tau, heated, entropy, code):
    """Rows to the power ``tau``, renormalised (into ``heated``), entropy in nats, first best."""
    n_classes = posterior.shape[1]
    for i in range(posterior.shape[0]):
        total_chance, weighted, best, top = 0.0, 0.0, 0, -1.0
        for k in range(n_classes):
            p = posterior[i, k]
            if p > top:
                best, top = k, p
            if p > 0.0:
                log = math.log(p)
                if tau != 1.0:
                    log *= tau
                    p = math.exp(log)
                weighted += p * log
            heated[i, k] = p
            total_chance += p
        one = 1.0 / total_chance
        for k in range(n_classes):
            heated[i, k] *= one
        entropy[i] = max(math.log(total_chance) - weighted * one, 0.0)
        code[i] = best


@compiled(nogil=True)
def tally_reads(case, label, posterior, n_reads, hits):
    """Add up reads a case, and the probability of what was said, a case."""
    for r in range(case.size):
        if label[r] >= 0:
            n_reads[case[r]] += 1
            hits[case[r]] += posterior[case[r], label[r]]


@compiled(nogil=True)
def tally_rows(first, last, start, cell, row_of_case, said, posterior, n_reads, hits):
    """The same for sorted reads, cases ``first .. last-1``; said (cells,) class of each cell."""
    for i in range(first, last):
        row = row_of_case[i] if row_of_case.size else i
        n_reads[i] = start[row + 1] - start[row]
        total_hits = 0.0
        for r in range(start[row], start[row + 1]):
            total_hits += posterior[i, said[cell[r]]]
        hits[i] = total_hits


@compiled(nogil=True)
def reads_of_readers(reader, label, n_readers):
    """(readers,) reads that say something."""
    n_reads = np.zeros(n_readers, dtype=np.int64)
    for r in range(reader.size):
        n_reads[reader[r]] += label[r] >= 0
    return n_reads
