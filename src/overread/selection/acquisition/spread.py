"""Choices that look at several cases at once: uncertain, but not all alike."""

from __future__ import annotations

import numpy as np

from overread.arrays import Floats, Ints
from overread.selection.acquisition.scores import best, margin
from overread.selection.acquisition.view import View
from overread.selection.basis import blocks, squares
from overread.selection.grouping import kmeans, nearest

_WIDER = 10
_MOST_CLUSTERS = 500
_NEIGHBOURS = 20
_MOST_PAIRS = 4_000


def margin_cluster(view: View, count: int, rng: np.random.Generator) -> Ints:
    """The most uncertain 10 x count, clustered; of each cluster the most uncertain.

    Cases that are awaited count among those chosen: their clusters are left to them, so that cases
    asked for one by one differ as those asked for together do.

    Zhdanov's algorithm but for the last step, where he takes the most central of each cluster.

    Source:
        Zhdanov 2019, arXiv:1901.05954; Citovsky et al. 2021, NeurIPS (cluster-margin: the clusters
        are of the whole pool there, and asked in turn, the smallest first).
    """
    awaited = np.arange(0) if view.awaited is None else np.flatnonzero(view.awaited)
    groups = count + len(awaited)
    top = best(margin(view.belief), view, _WIDER * groups)
    if count <= 0 or groups <= 1 or len(top) <= count:
        return top[: max(count, 0)]
    places = view.places[np.concatenate([top, awaited])]
    group, _ = nearest(places, kmeans(places, groups, rng))
    own, first = np.unique(group[: len(top)], return_index=True)  # top is sorted: first is best
    first = np.sort(first[~np.isin(own, group[len(top) :])])[:count]
    chosen = np.zeros(len(top), dtype=bool)
    chosen[first] = True
    rest = np.flatnonzero(~chosen)[: count - len(first)]  # an empty cluster leaves its place
    chosen[rest] = True
    return top[chosen]


def class_quota(view: View, count: int, rng: np.random.Generator) -> Ints:
    """As many of each predicted class as of any other, by margin: rare classes get labels.

    A class with fewer open cases than its share gives the rest to the others, in turn.
    """
    order = best(margin(view.belief), view, len(view.open))
    predicted = view.belief.mean[order].argmax(axis=1)
    turn = np.empty(len(order), dtype=np.int64)  # place within its class
    for c in range(view.belief.mean.shape[1]):
        of_class = predicted == c
        turn[of_class] = np.arange(of_class.sum())
    first = rng.permutation(view.belief.mean.shape[1])  # who goes first when places are few
    return np.asarray(order[np.lexsort((first[predicted], turn))[:count]])


def badge(view: View, count: int, rng: np.random.Generator) -> Ints:
    """Gradients of the last layer as k-means++ would seed them: large, and far from each other.

    A gradient is (p - one_hot(argmax p)) x features; distances are taken from the two factors,
    so that the product is never built.

    Source:
        Ash et al. 2020, ICLR, "Deep batch active learning by diverse, uncertain gradient bounds".
    """
    rows = np.flatnonzero(view.open)
    if count <= 0 or not len(rows):
        return rows[:0]
    error = view.belief.mean[rows].copy()
    error[np.arange(len(rows)), error.argmax(axis=1)] -= 1
    feature = view.features[rows]
    size = (error**2).sum(axis=1) * (feature**2).sum(axis=1)
    chosen = [int(size.argmax())]
    far = np.full(len(rows), np.inf)
    while len(chosen) < min(count, len(rows)):
        last = chosen[-1]
        alike = (error @ error[last]) * (feature @ feature[last])
        far = np.minimum(far, np.maximum(size + size[last] - 2 * alike, 0))
        far[chosen] = 0
        chosen.append(_drawn(far, chosen, rng))
    return rows[chosen]


def _drawn(far: Floats, chosen: list[int], rng: np.random.Generator) -> int:
    """One index by its share of the squared distances; any other one where all are the same."""
    total = far.sum()
    if total > 0:
        return int(np.searchsorted(np.cumsum(far), rng.random() * total, side="right"))
    left = np.ones(len(far), dtype=bool)
    left[chosen] = False
    return int(rng.choice(np.flatnonzero(left)))


def typical(view: View, count: int, rng: np.random.Generator) -> Ints:
    """TypiClust: the most typical case of the largest clusters that have no label yet.

    Typical is a small mean distance to the 20 nearest cases of the cluster. Needs no labels.

    Source:
        Hacohen et al. 2022, ICML, "Active learning on a budget: opposite strategies suit high
        and low budgets".
    """
    known = int(view.labelled.sum())
    groups = min(known + count, _MOST_CLUSTERS, len(view.open))
    group, _ = nearest(view.places, kmeans(view.places, max(groups, 1), rng))
    covered = np.bincount(group[view.labelled], minlength=groups)
    crowd = np.bincount(group, minlength=groups)
    ranked = {g: _by_typicality(view, group == g) for g in range(groups)}
    chosen: list[int] = []
    while len(chosen) < count and any(map(len, ranked.values())):
        by_need = sorted(
            (g for g in ranked if len(ranked[g])), key=lambda g: (covered[g], -crowd[g])
        )
        g = by_need[0]
        chosen.append(int(ranked[g][0]))
        ranked[g] = ranked[g][1:]
        covered[g] += 1
    return np.array(chosen, dtype=np.int64)


def _by_typicality(view: View, members: np.ndarray) -> Ints:
    """Open members of a cluster, the most typical first."""
    rows = np.flatnonzero(members & view.open)
    crowd = np.flatnonzero(members)[:_MOST_PAIRS]
    near = min(_NEIGHBOURS, len(crowd) - 1)  # a case is no neighbour of its own
    if near < 1 or not len(rows):
        return rows
    far = np.empty(len(rows))
    for block in blocks(len(rows), 1024):
        square = squares(view.places[rows[block]], view.places[crowd])
        square[rows[block][:, None] == crowd] = np.inf
        far[block] = np.sqrt(np.partition(square, near - 1, axis=1)[:, :near]).mean(axis=1)
    return np.asarray(rows[np.argsort(far, kind="stable")])


def central(view: View, count: int, rng: np.random.Generator) -> Ints:
    """The open case nearest to each centre of k-means; needs no labels.

    Source:
        Pourahmadi et al. 2021, arXiv:2110.12033.
    """
    rows = np.flatnonzero(view.open)
    if len(rows) <= count:
        return rows
    far = squares(kmeans(view.places[rows], count, rng), view.places[rows])
    chosen: list[int] = []
    for centre in range(len(far)):
        far[centre, chosen] = np.inf
        chosen.append(int(far[centre].argmin()))
    return rows[chosen]


def at_random(view: View, count: int, rng: np.random.Generator) -> Ints:
    """Open cases by lot."""
    return np.asarray(rng.permutation(np.flatnonzero(view.open))[:count])
