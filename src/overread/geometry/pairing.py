"""One-to-one matching of two sets of findings, for one image or for a million at once.

The pairs that may match are edges of a sparse graph, already gated (an IoU or a distance within
its limit, classes equal if asked). Most findings have one candidate, and those match without
search; only the tangled rest goes through the assignment solver, component by component.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from overread.arrays import Bools, Floats, Ints, grouped


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Matched pairs of two sets, ordered by ``first``.

    Args:
        first: (pairs,) row in the first set; none twice.
        second: (pairs,) row in the second set; none twice.
        score: (pairs,) what the match was made on (IoU, or minus the distance).
    """

    first: Ints
    second: Ints
    score: Floats


def match_scores(
    score: Floats, *, at_least: float, allowed: Bools | None = None, most_pairs: bool = False
) -> Matches:
    """Match the rows of a score matrix to its columns, one to one.

    Args:
        score: (n, m) how well each pair fits: an IoU, or minus a distance.
        at_least: pairs below this score never match.
        allowed: (n, m) false forbids a pair (classes that differ); None allows all.
        most_pairs: make as many pairs as possible, and only then raise the total score. Otherwise
            the total score counts alone, and scores must not be negative.
    Returns:
        the matches of largest total score.
    Example:
        >>> match_scores(np.array([[0.6, 0.5], [0.55, 0.1]]), at_least=0.5).second.tolist()
        [1, 0]
    """
    open_pair = score >= at_least
    if allowed is not None:
        open_pair &= allowed
    first, second = np.nonzero(open_pair)
    kept = match_edges(first, second, score[first, second], most_pairs=most_pairs)
    return Matches(first[kept], second[kept], score[first[kept], second[kept]])


def match_edges(
    first: Ints, second: Ints, score: Floats, *, most_pairs: bool = False
) -> NDArray[np.int64]:
    """Choose the edges of the one-to-one matching of largest total score.

    Args:
        first, second: (edges,) the two findings of each candidate pair; numbers of the two sides
            are separate, and every finding has its own number over all images.
        score: (edges,) see :func:`match_scores`.
        most_pairs: see :func:`match_scores`.
    Returns:
        (pairs,) chosen edges, ordered by ``first``.
    Source:
        Crouse 2016, IEEE Trans. Aerosp. Electron. Syst. 52(4):1679-1696 (SciPy's solver).
    """
    if not first.size:
        return np.empty(0, dtype=np.int64)
    alone = (np.bincount(first)[first] == 1) & (np.bincount(second)[second] == 1)
    tangled = np.flatnonzero(~alone)
    chosen = [
        edges[_solve(first[edges], second[edges], score[edges], most_pairs)]
        for edges in _components(first, second, tangled)
    ]
    kept = np.concatenate([np.flatnonzero(alone), *chosen])
    return kept[np.argsort(first[kept], kind="stable")]


def pair_rows(
    start: Ints, first: Ints, second: Ints
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Every pair of a finding of one read with a finding of another, for many pairs of reads.

    Args:
        start: (reads + 1,): read r owns the findings ``start[r]:start[r + 1]``.
        first, second: (pairs,) the reads to pair.
    Returns:
        (edges,) each: the pair of reads, the finding of the first, the finding of the second.
    Example:
        >>> [a.tolist() for a in pair_rows(np.array([0, 2, 3]), np.array([0]), np.array([1]))]
        [[0, 0], [0, 1], [2, 2]]
    """
    wide = np.diff(start)[second]
    count = np.diff(start)[first] * wide
    pair = np.repeat(np.arange(first.size), count)
    step = np.arange(pair.size) - np.repeat(np.cumsum(count) - count, count)
    width = np.maximum(wide[pair], 1)
    return pair, start[first][pair] + step // width, start[second][pair] + step % width


def _components(first: Ints, second: Ints, edges: Ints) -> list[Ints]:
    """Edges of each connected component."""
    if not edges.size:
        return []
    left, rows = np.unique(first[edges], return_inverse=True)
    right, columns = np.unique(second[edges], return_inverse=True)
    size = left.size + right.size
    graph = coo_array((np.ones(edges.size), (rows, left.size + columns)), shape=(size, size))
    count, of_node = connected_components(graph, directed=False)
    order, start = grouped(of_node[rows], count)
    return [edges[order[start[c] : start[c + 1]]] for c in range(count)]


def _solve(first: Ints, second: Ints, score: Floats, most_pairs: bool) -> NDArray[np.intp]:
    """Chosen edges of one component."""
    left, rows = np.unique(first, return_inverse=True)
    right, columns = np.unique(second, return_inverse=True)
    gain = score
    if most_pairs:
        # Any further pair outweighs every gain in score.
        low, spread = score.min(), np.ptp(score)
        gain = (score - low) + (spread + 1.0) * (min(left.size, right.size) + 1.0)
    benefit = np.zeros((left.size, right.size))
    benefit[rows, columns] = gain
    edge_of = np.full(benefit.shape, -1, dtype=np.intp)
    edge_of[rows, columns] = np.arange(rows.size)
    chosen = edge_of[linear_sum_assignment(benefit, maximize=True)]
    return chosen[chosen >= 0]
