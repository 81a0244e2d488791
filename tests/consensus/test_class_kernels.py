"""The compiled loops of the class consensus against plain NumPy, and where nothing can be kept."""

from __future__ import annotations

import numba.core.caching
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.arrays import compiled
from overread.consensus import kernels
from overread.consensus.em import shares_start
from overread.consensus.lanes import lanes_of, table_of, zeros
from overread.consensus.problem import make_problem, slices, sums_of, sweep
from overread.labels import ClassReads, class_reads
from overread.labels.index import ReadIndex
from tests.consensus.tables import simulated


@pytest.mark.parametrize("classes", [1, 2, 3, 5, 12, 16])
def test_kernels_in_registers_and_in_arrays_agree(classes: int) -> None:
    """Beyond 16 classes a row is an array, not registers; the sums are the same."""
    rng = np.random.default_rng(classes)
    n_reads = rng.integers(0, 60, 70)  # none, a few, and so many that products must be raised
    start = np.r_[0, np.cumsum(n_reads)]
    cell = rng.integers(0, 20 * classes, start[-1]).astype(np.uint16)
    table = rng.dirichlet(np.full(classes, 0.1), 20 * classes)
    wide = table_of(np.maximum(table, 1e-15), 1.0)
    prior = table_of(rng.dirichlet(np.ones(classes), 70))
    gold = np.where(np.arange(70) % 7 == 0, rng.integers(0, classes, 70), -1)
    for weight in (np.empty(0), rng.integers(1, 9, 70).astype(float)):
        results = []
        for kernel in (kernels.sweep_kernel(classes), kernels._in_arrays):
            counts, cases = np.zeros_like(wide), np.zeros((1, wide.shape[1]))
            posterior = np.empty((70, classes))
            likelihood = kernel(
                0, 70, start, cell, weight, gold, prior, wide, counts, cases, posterior
            )
            results.append((likelihood, counts, cases, posterior))
        for one, other in zip(*results, strict=True):
            assert one == pytest.approx(other, rel=1e-10, abs=1e-12)
        assert posterior.sum(axis=1) == pytest.approx(np.ones(70))


@pytest.mark.parametrize("classes", [2, 5, 20])
def test_a_sweep_is_the_logarithms_added(classes: int) -> None:
    """The linear domain and the log domain agree; worst chances, 100 reads a case, no underflow."""
    rng = np.random.default_rng(0)
    reads, _ = simulated(3, cases=40, readers=100, classes=classes, per_case=100)
    problem = make_problem(reads, None, group=False)
    table = np.maximum(rng.dirichlet(np.full(classes, 0.02), (100, classes)), kernels.FLOOR)
    prior = rng.dirichlet(np.ones(classes))
    done = sweep(problem, prior, np.swapaxes(table, 1, 2), keep_posterior=True)
    logs = np.tile(np.log(prior), (40, 1))
    np.add.at(logs, reads.index.case, np.log(table[reads.index.reader, :, reads.label]))
    top = logs.max(axis=1, keepdims=True)
    chance = np.exp(logs - top)
    assert done.log_likelihood == pytest.approx(
        (np.log(chance.sum(axis=1)) + top[:, 0]).sum(), rel=1e-12
    )
    assert done.posterior == pytest.approx(chance / chance.sum(axis=1, keepdims=True), abs=1e-10)
    assert done.counts.sum() == pytest.approx(reads.index.n_reads)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000), majority=st.booleans(), classes=st.sampled_from([2, 5, 20]))
def test_sums_from_votes_are_those_of_their_posterior(
    seed: int, majority: bool, classes: int
) -> None:
    reads, truth = simulated(seed, cases=60, classes=classes, per_case=3)
    gold = np.where(np.arange(60) % 9 == 0, truth, -1)
    for group in (False, True):
        problem = make_problem(reads, gold, group=group)
        votes = shares_start(problem, majority=majority, keep_posterior=True)
        assert votes.posterior is not None
        plain = sums_of(problem, votes.posterior)
        assert votes.counts == pytest.approx(plain.counts, abs=1e-9)
        assert votes.prevalence == pytest.approx(plain.prevalence, abs=1e-9)


def test_reads_of_many_cases_are_sorted_whatever_their_order() -> None:
    """More cases than a bucket, unread cases, unreadable rows, a case with many repeats."""
    rng = np.random.default_rng(5)
    n_cases, n = 20_000, 60_000
    case = rng.integers(0, n_cases - 1, n).astype(np.int32)
    case[:50] = 8191
    reader, label = rng.integers(0, 30, n).astype(np.int16), rng.integers(-1, 4, n).astype(np.int8)
    small = class_reads(["a"], ["R"], ["0"], schema=[str(k) for k in range(4)])
    index = ReadIndex(case, reader, np.arange(n_cases).astype(str), tuple(map(str, range(30))))
    problem = make_problem(ClassReads(index, label, small.schema), None, group=False)
    said = np.flatnonzero(label >= 0)
    cell = reader[said].astype(np.int64) * 4 + label[said]
    order = np.lexsort((cell, case[said]))
    assert (problem.cell == cell[order]).all()
    counts = np.bincount(case[said], minlength=n_cases)
    assert (problem.start == np.r_[0, np.cumsum(counts)]).all()


def test_slices_cover_all_rows_once() -> None:
    for n_rows, n_values in ((0, 0), (1, 10**7), (1000, 10**6), (7, 3)):
        parts = slices(n_rows, n_values)
        assert [row for part in parts for row in range(part.start, part.stop)] == list(
            range(n_rows)
        )


def test_tables_begin_at_a_cache_line() -> None:
    for lanes in (1, 2, 4, 8, 16):
        assert zeros(33, lanes).ctypes.data % 64 == 0
    assert [lanes_of(k) for k in (1, 2, 3, 5, 8, 9, 16, 17)] == [1, 2, 4, 8, 8, 16, 16, 17]


def test_loops_compile_where_no_folder_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.core.caching.CacheImpl, "_locator_classes", [])
    with pytest.raises(RuntimeError, match="no locator"):
        numba.njit(cache=True)(lambda x: x + 1)
    assert compiled(nogil=True)(lambda x: x + 1)(2) == 3
