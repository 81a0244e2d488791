"""Reads of classes in the form that the EM runs on, and the passes over it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats, Ints
from overread.consensus.kernels import sweep_kernel, vote_sums
from overread.consensus.lanes import lanes_of, table_of, zeros
from overread.consensus.sorting.kernels import (
    BUCKET,
    bucket_sizes,
    group_alike,
    into_buckets,
    sort_bucket,
)
from overread.labels import ClassReads

_READS_A_CHUNK = 150_000
_MOST_CHUNKS = 8  # the same on every machine, so that sums are too
_COUNTS_A_READ = 1.0  # doubles that the chunks' own sums may take in memory for each read
_LINE = 8  # doubles in a cache line: threads never write to one together
_SAMPLE = 2_000
_NO_CODES = np.empty(0, dtype=np.int64)
_NO_WEIGHT = np.empty(0)

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Reads sorted by case; cases with the identical reads may share one row.

    Args:
        start: (rows + 1,), cell: (reads,): row i owns ``cell[start[i]:start[i + 1]]``; a cell is
            ``reader * n_classes + said``.
        weight: (rows,) cases that a row stands for; empty when each row is one case.
        gold: (rows,) known class or -1; empty when nothing is known.
        row_of_case: (cases,) row of each case; None when row i is case i.
        n_readers, n_classes, n_reads: sizes.
    """

    start: NDArray[np.int64]
    cell: Ints
    weight: Floats
    gold: Ints
    row_of_case: NDArray[np.int64] | None
    n_readers: int
    n_classes: int
    n_reads: int

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.start.size - 1


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """Sums of one pass over the reads.

    Args:
        log_likelihood: of the reads (and of the gold).
        counts: (readers, said, truth) expected reads.
        prevalence: (classes,) expected cases.
        posterior: (rows, classes) when it was asked for.
    """

    log_likelihood: float
    counts: Floats
    prevalence: Floats
    posterior: Floats | None = None


def make_problem(
    reads: ClassReads, gold: Ints | None, *, group: bool | None = None, readers_alike: bool = False
) -> Problem:
    """Sort the reads by case and, where it pays, group the cases with the identical reads.

    Grouping is exact. It is tried when a sample of 2,000 cases shows that it halves the work.

    Args:
        gold: (cases,) codes, -1 unknown.
        group: force or forbid grouping.
        readers_alike: take all readers for one.
    """
    n_readers = 1 if readers_alike else reads.index.n_readers
    start, cell = _sorted_reads(reads, n_readers)
    known = _NO_CODES if gold is None or not (gold >= 0).any() else gold.astype(np.int64)
    problem = Problem(start, cell, _NO_WEIGHT, known, None, n_readers, reads.n_classes, cell.size)
    return _grouped(problem) if (_pays(problem) if group is None else group) else problem


def _sorted_reads(reads: ClassReads, n_readers: int) -> tuple[NDArray[np.int64], Ints]:
    """(cases + 1,) first read of each case, and (reads,) cells; 1 reader stands for all."""
    index, label = reads.index, reads.label
    n_cells = n_readers * reads.n_classes
    n_buckets = -(-index.n_cases // BUCKET)
    # Each part of the table scatters to places of its own, in the table's order.
    parts = slices(index.n_reads, index.n_reads)
    place = np.empty((n_buckets, len(parts)), dtype=np.int64)

    def count(p: int) -> None:
        place[:, p] = bucket_sizes(index.case[parts[p]], label[parts[p]], n_buckets)

    in_threads(count, range(len(parts)))
    edges = np.zeros(n_buckets + 1, dtype=np.int64)
    np.cumsum(place.sum(axis=1), out=edges[1:])
    place = np.cumsum(place, axis=1) - place + edges[:-1, None]
    reader = np.zeros(index.n_reads, np.int8) if n_readers == 1 else index.reader
    low = np.empty(edges[-1], dtype=np.uint16)
    mixed = np.empty(edges[-1], dtype=np.uint16 if n_cells <= 1 << 16 else np.uint32)

    def scatter(p: int) -> None:
        rows, begin = parts[p], np.ascontiguousarray(place[:, p])
        into_buckets(
            index.case[rows], reader[rows], label[rows], reads.n_classes, begin, low, mixed
        )

    in_threads(scatter, range(len(parts)))
    cell = np.empty_like(mixed)
    start = np.empty(index.n_cases + 1, dtype=np.int64)
    start[-1] = edges[-1]

    def one(b: int) -> None:
        sort_bucket(edges[b], edges[b + 1], b * BUCKET, low, mixed, start, cell)

    in_threads(one, range(n_buckets))
    return start, cell


def _pays(problem: Problem) -> bool:
    few = min(_SAMPLE, problem.n_rows)
    start, gold = problem.start[: few + 1], problem.gold[:few]
    _, first = group_alike(start, problem.cell, gold)
    return bool(first.size * 2 < few)


def _grouped(problem: Problem) -> Problem:
    row_of_case, first = group_alike(problem.start, problem.cell, problem.gold)
    lengths = np.diff(problem.start)[first]
    start = np.zeros(first.size + 1, dtype=np.int64)
    np.cumsum(lengths, out=start[1:])
    at = (
        np.arange(start[-1])
        - np.repeat(start[:-1], lengths)
        + np.repeat(problem.start[first], lengths)
    )
    return replace(
        problem,
        start=start,
        cell=problem.cell[at],
        weight=np.bincount(row_of_case, minlength=first.size).astype(np.float64),
        gold=problem.gold[first] if problem.gold.size else problem.gold,
        row_of_case=row_of_case,
    )


def sweep(
    problem: Problem,
    prior: Floats,
    table: Floats,
    *,
    keep_posterior: bool = False,
) -> Pass:
    """One E-step and the sums of the M-step after it.

    Args:
        prior: (classes,) prevalence, or (rows, classes).
        table: (readers, said, truth) chance of what is said, each 1e-15 or more.
        keep_posterior: return it too.
    """
    k = problem.n_classes
    flat, rows = table_of(table.reshape(-1, k), 1.0), table_of(np.atleast_2d(prior))
    posterior = np.empty((problem.n_rows if keep_posterior else 0, k))
    kernel = sweep_kernel(k)

    def part(rows_of: slice, counts: Floats, cases: Floats) -> float:
        return float(
            kernel(
                rows_of.start, rows_of.stop, problem.start, problem.cell, problem.weight,
                problem.gold, rows, flat, counts, cases, posterior,
            )
        )  # fmt: skip

    return _summed(problem, part, posterior if keep_posterior else None)


def sums_of_votes(
    problem: Problem, *, majority: bool = False, keep_posterior: bool = False
) -> Pass:
    """The M-step's sums where the posterior is the vote shares, or shared by the most voted."""
    k = problem.n_classes
    posterior = np.empty((problem.n_rows if keep_posterior else 0, k))
    said = np.tile(np.arange(k), problem.n_readers)

    def part(rows_of: slice, counts: Floats, cases: Floats) -> float:
        vote_sums(
            rows_of.start, rows_of.stop, problem.start, problem.cell, problem.weight,
            problem.gold, majority, said, counts, cases, posterior,
        )  # fmt: skip
        return 0.0

    return _summed(problem, part, posterior if keep_posterior else None)


def _summed(
    problem: Problem,
    work: Callable[[slice, Floats, Floats], float],
    posterior: Floats | None,
) -> Pass:
    """Run ``work`` on all parts of the rows, each with sums of its own, and add these up."""
    k, n_cells = problem.n_classes, problem.n_readers * problem.n_classes
    lanes = lanes_of(k)
    few = 1 + int(_COUNTS_A_READ * problem.n_reads / max(n_cells * lanes, 1))
    parts = slices(problem.n_rows, problem.n_reads, most=few)
    counts, cases = zeros(len(parts), n_cells, lanes), zeros(len(parts), 1, max(lanes, _LINE))
    likelihood = np.zeros(len(parts))

    def one(c: int) -> None:
        likelihood[c] = work(parts[c], counts[c], cases[c, :, :lanes])

    in_threads(one, range(len(parts)))
    return Pass(
        float(likelihood.sum()),
        counts.sum(axis=0)[:, :k].reshape(problem.n_readers, k, k),
        cases.sum(axis=0)[0, :k],
        posterior,
    )


def slices(n_rows: int, n_values: int, *, most: int = _MOST_CHUNKS) -> list[slice]:
    """Cut rows into parts for threads: the same on every machine, so that sums are too."""
    n_parts = min(_MOST_CHUNKS, most, 1 + n_values // _READS_A_CHUNK)
    edges = np.linspace(0, n_rows, n_parts + 1).astype(np.int64).tolist()
    return [slice(low, high) for low, high in pairwise(edges)]


def in_threads(work: Callable[[Part], None], parts: Iterable[Part]) -> None:
    """Run ``work`` on all parts; it releases the interpreter's lock, so that cores are used."""
    todo = list(parts)
    left, helpers = iter(todo), min(len(todo), os.cpu_count() or 1) - 1

    def take() -> None:
        for part in left:  # the next of a list is one step: no two threads get the same
            work(part)

    running = [_threads(os.getpid()).submit(take) for _ in range(helpers)]
    try:
        take()
    finally:
        wait(running)
    for one in running:
        one.result()


@lru_cache(maxsize=1)
def _threads(_process: int) -> ThreadPoolExecutor:
    """Kept, for starting a thread costs as much as a pass; a forked process makes its own."""
    return ThreadPoolExecutor(os.cpu_count() or 1, "overread")


def sums_of(problem: Problem, posterior: Floats) -> Pass:
    """The M-step's sums for a given posterior (rows, classes)."""
    # With an even table, the E-step gives back the prior: the posterior itself.
    even = np.ones((problem.n_readers, problem.n_classes, problem.n_classes))
    return sweep(problem, np.maximum(posterior, 0.0), even)


def of_cases(problem: Problem, rows: NDArray[Any]) -> NDArray[Any]:
    """From one entry a row to one entry a case."""
    return rows if problem.row_of_case is None else rows[problem.row_of_case]
