"""Grouping the findings of several reads of a case: at most one of each read in a cluster.

The evidence that two findings are one thing comes as a score a_ij (log odds) of each pair, and
findings have weights p_i (precisions). A cluster scores sum_(i<j) (p_i + p_j) a_ij / sum_i p_i, and
the grouping of largest total score wins. The pair weights add up to n - 1, and with Gaussian
drawing errors of precision p the squares are exactly those of the log odds of "one thing" against
"n things": sum_i p_i (x_i - mean)^2 = sum_(i<j) p_i p_j (x_i - x_j)^2 / sum_i p_i, where the pair
alone has p_i p_j (x_i - x_j)^2 / (p_i + p_j). So a loose drawing joins tight ones at little cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from overread.arrays import Floats, Ints, grouped
from overread.errors import InputError

UNLINKED = -1e3
"""Score of a pair that is no edge: such findings hardly ever share a cluster."""

_NEVER = -1e12  # two findings of one read
_GAIN = 1e-9  # less is rounding


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """A partition of findings.

    Args:
        of: (findings,) cluster of each; clusters are numbered by their first finding.
        member: (findings,) the findings, cluster by cluster, rising within each.
        first: (clusters + 1,): cluster c owns ``member[first[c]:first[c + 1]]``.
    """

    of: Ints
    member: Ints
    first: Ints

    @property
    def count(self) -> int:
        """Number of clusters."""
        return self.first.size - 1


def cluster_findings(
    read: Ints,
    first: Ints,
    second: Ints,
    score: Floats,
    *,
    weight: Floats | None = None,
    exact_up_to: int = 9,
) -> Clusters:
    """Partition findings so that the total score is largest, no cluster with two of one read.

    Findings tangled with few others are solved exactly (dynamic programming over subsets); larger
    tangles by best-first merging, then by moves and swaps of single findings until none gains.

    Args:
        read: (findings,) the read of each.
        first, second: (edges,) pairs of findings of one case; each pair once, in either order.
        score: (edges,) log odds that the two are one thing; other pairs count as
            :data:`UNLINKED`, pairs of one read never share a cluster.
        weight: (findings,) precision of each, above 0, on any scale; None is equal.
        exact_up_to: number of findings up to which a tangle is solved exactly, 1 .. 14.
    Raises:
        InputError: ``exact_up_to`` out of range, a score that is not finite, a weight not above 0.
    Source:
        Bansal, Blum & Chawla 2004, Mach. Learn. 56:89-113 (correlation clustering), with the
        pairs of a cluster weighted as the Gaussian evidence asks.
    Example:
        >>> of = cluster_findings(
        ...     np.array([0, 0, 1]), np.array([0, 1]), np.array([2, 2]), np.array([2.0, 3.0])
        ... ).of
        >>> of.tolist()
        [0, 1, 1]
    """
    if not 1 <= exact_up_to <= 14:
        raise InputError("exact_up_to", "be in 1 .. 14", exact_up_to)
    if not np.isfinite(score).all():
        raise InputError("score", "be finite numbers", "nan or infinite")
    n = read.size
    precision = np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64)
    if not (precision > 0).all():
        raise InputError("weight", "be above 0", float(precision.min()))
    tangles = _tangles(n, first, second, score)
    ends = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    own = np.asarray(read, dtype=np.int64)
    label = _solve(tangles, *ends, np.asarray(score, dtype=np.float64), own, precision, exact_up_to)
    return partition(label)


def partition(label: Ints) -> Clusters:
    """Clusters from any labels, one a finding: equal labels, one cluster."""
    _, start, code = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(start.size, dtype=np.int64)
    rank[np.argsort(start)] = np.arange(start.size)
    of = rank[code.reshape(-1)]
    member, first = grouped(of, start.size)
    return Clusters(of, member, first)


def candidate_pairs(
    case: Ints, read: Ints, box: Floats, *, reach: float = 0.5
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of findings of one case and two reads that are near enough to be one thing.

    Args:
        case, read: (findings,) whole numbers.
        box: (findings, 4) x1, y1, x2, y2.
        reach: along each axis the gap between the boxes is at most this share of their mean side;
            0 asks that they touch.
    Returns:
        (pairs,) first and second finding, first < second.
    """
    order, start = grouped(case, int(case.max(initial=-1)) + 1)
    return _near(order, start, np.asarray(read, dtype=np.int64), np.ascontiguousarray(box), reach)  # type: ignore[no-any-return]


def _tangles(n: int, first: Ints, second: Ints, score: Floats) -> tuple[Ints, ...]:
    """Findings and edges of each set that positive scores hold together, two findings or more.

    Between such sets every score is 0 or below, and joining them cannot gain.

    Returns:
        findings by set, start of each set; edges by set, start of each set.
    """
    holds = score > 0
    graph = coo_array((np.ones(int(holds.sum())), (first[holds], second[holds])), shape=(n, n))
    count, of = connected_components(graph, directed=False)
    inside = np.flatnonzero(of[first] == of[second])
    node, node_start = grouped(of, count)
    edge, edge_start = grouped(of[first[inside]], count)
    return node, node_start, inside[edge], edge_start


@numba.njit(cache=True)
def _solve(  # noqa: PLR0917 (numba knows no keyword-only arguments)
    tangles: Any, first: Any, second: Any, score: Any, read: Any, weight: Any, exact_up_to: int
) -> Any:
    """(findings,) cluster label of each."""
    node, node_start, edge, edge_start = tangles
    label = np.arange(read.size)
    place = np.zeros(read.size, dtype=np.int64)
    for c in range(node_start.size - 1):
        mine = node[node_start[c] : node_start[c + 1]]
        if mine.size < 2:
            continue
        for i in range(mine.size):
            place[mine[i]] = i
        edges = edge[edge_start[c] : edge_start[c + 1]]
        precision = weight[mine] / weight[mine].mean()
        table = _score_table(
            read[mine], place[first[edges]], place[second[edges]], score[edges], precision
        )
        own = _exact(table, precision) if mine.size <= exact_up_to else _search(table, precision)
        for i in range(mine.size):
            label[mine[i]] = mine[own[i]]
    return label


@numba.njit(cache=True)
def _near(order: Any, start: Any, read: Any, box: Any, reach: float) -> Any:
    found = numba.typed.List.empty_list(numba.int64)
    for case in range(start.size - 1):
        for i in range(start[case], start[case + 1]):
            a = order[i]
            for j in range(i + 1, start[case + 1]):
                b = order[j]
                if read[a] == read[b]:
                    continue
                near = True
                for axis in range(2):
                    gap = max(box[a, axis], box[b, axis]) - min(box[a, axis + 2], box[b, axis + 2])
                    side = box[a, axis + 2] - box[a, axis] + box[b, axis + 2] - box[b, axis]
                    if gap > reach * side / 2:
                        near = False
                if near:
                    found.append(min(a, b))
                    found.append(max(a, b))
    first = np.empty(len(found) // 2, dtype=np.int64)
    second = np.empty(len(found) // 2, dtype=np.int64)
    for k in range(first.size):
        first[k], second[k] = found[2 * k], found[2 * k + 1]
    return first, second


@numba.njit(cache=True)
def _score_table(read: Any, first: Any, second: Any, score: Any, weight: Any) -> Any:
    """(n, n) weighted score (p_i + p_j) a_ij of every pair, symmetric; 0 on the diagonal."""
    n = read.size
    table = np.full((n, n), UNLINKED)
    for k in range(score.size):
        table[first[k], second[k]] = score[k]
        table[second[k], first[k]] = score[k]
    for i in range(n):
        for j in range(n):
            table[i, j] *= weight[i] + weight[j]
            if i != j and read[i] == read[j]:
                table[i, j] = _NEVER
        table[i, i] = 0.0
    return table


@numba.njit(cache=True)
def _exact(table: Any, weight: Any) -> Any:  # noqa: C901 (a kernel compiles as one)
    """(n,) cluster label of each: best partition, by dynamic programming over all subsets."""
    n = table.shape[0]
    n_sets = 1 << n
    value = np.zeros(n_sets)  # of a subset as one cluster
    total = np.zeros(n_sets)
    heavy = np.zeros(n_sets)
    for s in range(1, n_sets):
        low = 0
        while not (s >> low) & 1:
            low += 1
        rest = s & (s - 1)
        total[s] = total[rest]
        heavy[s] = heavy[rest] + weight[low]
        for j in range(low + 1, n):
            if (s >> j) & 1:
                total[s] += table[low, j]
        value[s] = total[s] / heavy[s]
    best = np.zeros(n_sets)
    choice = np.zeros(n_sets, dtype=np.int64)
    for s in range(1, n_sets):
        lowest = s & -s
        others = s ^ lowest
        best[s] = -np.inf
        sub = others
        while True:
            gain = value[sub | lowest] + best[others ^ sub]
            if gain > best[s]:
                best[s] = gain
                choice[s] = sub | lowest
            if sub == 0:
                break
            sub = (sub - 1) & others
    label = np.empty(n, dtype=np.int64)
    left = n_sets - 1
    while left:
        cluster = choice[left]
        low = 0
        while not (cluster >> low) & 1:
            low += 1
        for j in range(n):
            if (cluster >> j) & 1:
                label[j] = low
        left ^= cluster
    return label


@numba.njit(cache=True)
def _search(table: Any, weight: Any) -> Any:  # noqa: C901 (a kernel compiles as one)
    """(n,) cluster label of each: merge best first, then move and swap single findings."""
    n = table.shape[0]
    label = np.arange(n)
    heavy = weight.copy()
    own = np.zeros(n)  # summed score of the pairs within each cluster
    cross = table.copy()  # summed score of the pairs between clusters
    alive = np.ones(n, dtype=np.bool_)
    partner = np.full(n, -1)
    gain = np.zeros(n)
    for a in range(n):
        partner[a], gain[a] = _best_partner(a, alive, heavy, own, cross)
    while True:  # loops and no array expressions, each of which takes half a second to compile
        a = -1
        for c in range(n):
            if alive[c] and (a < 0 or gain[c] > gain[a]):
                a = c
        if gain[a] <= _GAIN:
            break
        b = partner[a]
        own[a] += own[b] + cross[a, b]
        heavy[a] += heavy[b]
        for c in range(n):
            cross[a, c] += cross[b, c]
        for c in range(n):
            cross[c, a] = cross[a, c]
            label[c] = a if label[c] == b else label[c]
        alive[b] = False
        for c in range(n):
            if alive[c] and (c == a or partner[c] == a or partner[c] == b):
                partner[c], gain[c] = _best_partner(c, alive, heavy, own, cross)
    for _ in range(100):
        changed = False
        for i in range(n):
            changed = _move(i, table, weight, label) or changed
        if not changed:
            break
    return label


@numba.njit(cache=True)
def _best_partner(a: Any, alive: Any, heavy: Any, own: Any, cross: Any) -> Any:
    best, gain = -1, 0.0
    for b in range(alive.size):
        if alive[b] and b != a:
            joint = (own[a] + own[b] + cross[a, b]) / (heavy[a] + heavy[b])
            more = joint - own[a] / heavy[a] - own[b] / heavy[b]
            if more > gain:
                best, gain = b, more
    return best, gain


@numba.njit(cache=True)
def _move(i: Any, table: Any, weight: Any, label: Any) -> Any:  # noqa: C901, PLR0912 (as above)
    """Move finding i to the cluster that gains most, or swap it for the one of its read there."""
    n = label.size
    heavy = np.zeros(n)
    own = np.zeros(n)
    pull = np.zeros(n)  # summed score of finding i with each cluster, its rival there left out
    rival = np.full(n, -1)
    for j in range(n):
        heavy[label[j]] += weight[j]
        for k in range(j + 1, n):
            if label[k] == label[j]:
                own[label[j]] += table[j, k]
        if j != i:
            if table[i, j] <= _NEVER:
                rival[label[j]] = j
            else:
                pull[label[j]] += table[i, j]
    home = label[i]
    alone = heavy[home] <= weight[i] + 1e-12
    left = 0.0 if alone else (own[home] - pull[home]) / (heavy[home] - weight[i])
    stay = own[home] / heavy[home]
    best, target = _GAIN, -1
    for c in range(n):
        if c == home or (heavy[c] == 0 and alone):
            continue
        before = stay + (own[c] / heavy[c] if heavy[c] > 0 else 0.0)
        after = (own[c] + pull[c]) / (heavy[c] + weight[i]) + left
        j = rival[c]
        if j >= 0:
            to_home, to_c = 0.0, 0.0  # of the rival
            for k in range(n):
                if k not in (i, j):
                    to_home += table[j, k] if label[k] == home else 0.0
                    to_c += table[j, k] if label[k] == c else 0.0
            change = weight[i] - weight[j]
            after = (own[c] - to_c + pull[c]) / (heavy[c] + change)
            after += (own[home] - pull[home] + to_home) / (heavy[home] - change)
        if after - before > best:
            best, target = after - before, c
    if target < 0:
        return False
    if rival[target] >= 0:
        label[rival[target]] = home
    label[i] = target
    return True
