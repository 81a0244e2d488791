"""Reads of classes in the form that the EM runs on, and the passes over it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats, Ints
from overread.consensus.kernels import group_alike, sort_by_case, sweep_kernel
from overread.labels import ClassReads

_READS_A_CHUNK = 50_000
_MOST_CHUNKS = 8  # the same on every machine, so that sums are too
_SAMPLE = 2_000
_NO_CODES = np.empty(0, dtype=np.int64)
_NO_WEIGHT = np.empty(0)


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
    index = reads.index
    n_readers = 1 if readers_alike else index.n_readers
    n_cells = max(n_readers * reads.n_classes, 1)
    cell: Ints = np.empty(
        int((reads.label >= 0).sum()), dtype=np.uint16 if n_cells <= 1 << 16 else np.uint32
    )
    reader = np.zeros(index.n_reads, np.int8) if readers_alike else index.reader
    start = sort_by_case(index.case, reader, reads.label, index.n_cases, reads.n_classes, cell)
    known = _NO_CODES if gold is None or not (gold >= 0).any() else gold.astype(np.int64)
    problem = Problem(start, cell, _NO_WEIGHT, known, None, n_readers, reads.n_classes, cell.size)
    return _grouped(problem) if (_pays(problem) if group is None else group) else problem


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


def sweep(problem: Problem, prior: Floats, table: Floats, *, keep_posterior: bool = False) -> Pass:
    """One E-step and the sums of the M-step after it.

    Args:
        prior: (classes,) prevalence, or (rows, classes).
        table: (readers, said, truth) chance of what is said, each 1e-15 or more.
    """
    n, k = problem.n_rows, problem.n_classes
    parts = slices(n, problem.n_reads)
    counts = np.zeros((len(parts), problem.n_readers * k, k))
    prevalence = np.zeros((len(parts), k))
    likelihood = np.zeros(len(parts))
    posterior = np.empty((n if keep_posterior else 0, k))
    flat = np.ascontiguousarray(table).reshape(-1, k)
    rows = np.ascontiguousarray(np.atleast_2d(prior))
    kernel = sweep_kernel(k)

    def one(part: slice) -> None:
        c = parts.index(part)
        likelihood[c] = kernel(
            part.start, part.stop, problem.start, problem.cell, problem.weight, problem.gold,
            rows, flat, counts[c], prevalence[c], posterior,
        )  # fmt: skip

    in_threads(one, parts)
    return Pass(
        float(likelihood.sum()),
        counts.sum(axis=0).reshape(problem.n_readers, k, k),
        prevalence.sum(axis=0),
        posterior if keep_posterior else None,
    )


def slices(n_rows: int, n_values: int) -> list[slice]:
    """Cut rows into parts for threads: the same on every machine, so that sums are too."""
    n_parts = min(_MOST_CHUNKS, 1 + n_values // _READS_A_CHUNK)
    edges = np.linspace(0, n_rows, n_parts + 1).astype(np.int64).tolist()
    return [slice(low, high) for low, high in pairwise(edges)]


def in_threads(work: Callable[[slice], None], parts: Sequence[slice]) -> None:
    """Run ``work`` on all parts; it releases the interpreter's lock, so that cores are used."""
    workers = min(len(parts), os.cpu_count() or 1)
    if workers == 1:
        for part in parts:
            work(part)
        return
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, parts))


def sums_of(problem: Problem, posterior: Floats) -> Pass:
    """The M-step's sums for a given posterior (rows, classes)."""
    # With an even table, the E-step gives back the prior: the posterior itself.
    even = np.ones((problem.n_readers, problem.n_classes, problem.n_classes))
    return sweep(problem, np.maximum(posterior, 0.0), even)


def of_cases(problem: Problem, rows: NDArray[Any]) -> NDArray[Any]:
    """From one entry a row to one entry a case."""
    return rows if problem.row_of_case is None else rows[problem.row_of_case]
