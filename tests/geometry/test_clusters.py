from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.errors import InputError
from overread.geometry.clusters import UNLINKED, candidate_pairs, cluster_findings, partition


def _partitions(n: int) -> Iterator[list[int]]:
    def grow(label: list[int], used: int) -> Iterator[list[int]]:
        if len(label) == n:
            yield label
            return
        for c in range(used + 1):
            yield from grow([*label, c], max(used, c + 1))

    return grow([], 0)


def _total(label: list[int], read: np.ndarray, table: np.ndarray, weight: np.ndarray) -> float:
    """The documented score, written down naively."""
    total = 0.0
    for c in set(label):
        mine = [i for i, own in enumerate(label) if own == c]
        if len({int(read[i]) for i in mine}) < len(mine):
            return -np.inf
        pairs = itertools.combinations(mine, 2)
        total += sum((weight[a] + weight[b]) * table[a, b] for a, b in pairs) / weight[mine].sum()
    return total


def _problem(seed: int, n: int, reads: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    read = rng.integers(0, reads, n)
    table = rng.normal(0, 4, (n, n))
    table = (table + table.T) / 2
    first, second = np.triu_indices(n, 1)
    apart = read[first] != read[second]
    return read, table, rng.uniform(0.05, 2, n), first[apart], second[apart]


@settings(deadline=None, max_examples=80)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 7), reads=st.integers(1, 4))
def test_finds_the_best_partition_of_all(seed: int, n: int, reads: int) -> None:
    read, table, weight, first, second = _problem(seed, n, reads)
    best = max(_total(label, read, table, weight) for label in _partitions(n))
    found = cluster_findings(read, first, second, table[first, second], weight=weight)
    assert _total(found.of.tolist(), read, table, weight) == pytest.approx(best, abs=1e-9)


def test_search_of_large_tangles_comes_near_the_best() -> None:
    lost = []
    for seed in range(60):
        read, table, weight, first, second = _problem(seed, 9, 3)
        values = [
            _total(
                cluster_findings(
                    read, first, second, table[first, second], weight=weight, exact_up_to=size
                ).of.tolist(),
                read,
                table,
                weight,
            )
            for size in (9, 1)
        ]
        assert values[1] <= values[0] + 1e-9
        lost.append(1 - values[1] / values[0] if values[0] > 0 else 0.0)
    assert np.mean(lost) < 0.02  # of random scores, far more tangled than real ones
    assert np.mean(np.array(lost) < 1e-9) > 0.8


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 30), size=st.sampled_from([1, 9]))
def test_no_cluster_holds_two_of_one_read(seed: int, n: int, size: int) -> None:
    read, table, weight, first, second = _problem(seed, n, 4)
    score = np.abs(table[first, second])
    found = cluster_findings(read, first, second, score, weight=weight, exact_up_to=size)
    for c in range(found.count):
        own = read[found.member[found.first[c] : found.first[c + 1]]]
        assert np.unique(own).size == own.size
    assert np.array_equal(np.sort(found.member), np.arange(n))
    assert np.array_equal(
        found.of[found.member], np.repeat(np.arange(found.count), np.diff(found.first))
    )


def test_order_of_findings_does_not_matter() -> None:
    read, table, weight, first, second = _problem(5, 8, 4)
    found = cluster_findings(read, first, second, table[first, second], weight=weight)
    order = np.random.default_rng(0).permutation(8)
    place = np.argsort(order)
    other = cluster_findings(
        read[order], place[second], place[first], table[first, second], weight=weight[order]
    )
    same = found.of[:, None] == found.of[None, :]
    assert np.array_equal(same[np.ix_(order, order)], other.of[:, None] == other.of[None, :])


def test_a_loose_drawing_joins_tight_ones() -> None:
    # Eight tight readers agree strongly; the ninth agrees a little with each of them.
    n = 9
    first, second = np.triu_indices(n, 1)
    score = np.where(second == 8, 2.0, 14.0)
    loose = np.r_[np.full(8, 1.0), 0.02]
    assert cluster_findings(np.arange(n), first, second, score, weight=loose).count == 1
    # Were it as precise as the others, so little evidence would speak against it.
    assert cluster_findings(np.arange(n), first, second, score).count == 2


def test_pairs_that_are_no_edges_stay_apart() -> None:
    of = cluster_findings(np.arange(3), np.array([0, 1]), np.array([1, 2]), np.array([5.0, 4.0])).of
    assert of.tolist() == [0, 0, 1]
    assert UNLINKED < -100


def test_nothing_to_group() -> None:
    none = np.empty(0, dtype=np.int64)
    assert cluster_findings(none, none, none, np.empty(0)).count == 0
    assert cluster_findings(np.zeros(3, int), none, none, np.empty(0)).count == 3


def test_labels_become_clusters_in_order_of_first_finding() -> None:
    found = partition(np.array([7, 2, 7, 5]))
    assert found.of.tolist() == [0, 1, 0, 2]
    assert found.member.tolist() == [0, 2, 1, 3]
    assert found.first.tolist() == [0, 2, 3, 4]


def test_candidate_pairs_are_near_and_of_two_reads_of_one_case() -> None:
    box = np.array(
        [[0.0, 0, 10, 10], [12, 0, 22, 10], [1, 1, 9, 9], [0, 0, 10, 10], [40, 0, 50, 10]]
    )
    case, read = np.array([0, 0, 0, 1, 0]), np.array([0, 1, 0, 3, 2])
    pairs = {
        tuple(sorted(p))
        for p in zip(*(x.tolist() for x in candidate_pairs(case, read, box)), strict=True)
    }
    assert pairs == {(0, 1), (1, 2)}
    touching = candidate_pairs(case, read, box, reach=0.0)
    assert touching[0].size == 0


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"exact_up_to": 0}, "exact_up_to"),
        ({"score": np.array([np.nan])}, "score"),
        ({"weight": np.array([1.0, 0.0])}, "weight"),
    ],
)
def test_bad_settings_are_named(change: dict, name: str) -> None:
    good = {
        "read": np.arange(2),
        "first": np.array([0]),
        "second": np.array([1]),
        "score": np.ones(1),
    }
    with pytest.raises(InputError, match=name):
        cluster_findings(**(good | change))
