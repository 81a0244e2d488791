"""Every acquisition function against a slow, plain one from its definition, on tiny pools.

The plain ones take the same draws from the generator, in the same order, and share no line with
the product: no factored distances, no sorting by blocks, no group sums.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta, chisquare

from overread.selection.acquisition import epig as epig_module
from overread.selection.acquisition import spread
from overread.selection.acquisition.epig import draws_of
from overread.selection.acquisition.scores import soft_ranked
from overread.selection.acquisition.table import ACQUISITIONS, choose
from overread.selection.acquisition.view import View
from overread.selection.belief import belief_of_samples
from overread.selection.pool import label_many, open_pool, view_of
from overread.selection.process import one_hot

Reference = Callable[..., list[int]]


def tiny(seed: int) -> tuple[View, int]:
    """A pool of 3 to 40 cases, some labelled, some closed, and how many are asked for."""
    rng = np.random.default_rng(seed)
    n, classes, latents = int(rng.integers(3, 41)), int(rng.integers(2, 5)), int(rng.integers(2, 4))
    pool = open_pool(rng.normal(size=(n, latents)), classes, landmarks=8)
    cases = rng.permutation(n)
    known = int(rng.integers(1, max(2, n // 3)))
    pool = label_many(pool, cases[:known], one_hot(rng.integers(classes, size=known), classes))
    view = view_of(pool, closed=cases[known : known + int(rng.integers(0, max(1, n // 4)))])
    sampled = rng.dirichlet(np.full(classes, rng.uniform(0.2, 2)), size=(n, 5))
    if seed % 3:  # else what the process believes after those labels
        view = replace(view, belief=belief_of_samples(sampled))
    return view, int(rng.integers(1, view.open.sum() + 2))


def least(rows: Sequence[int], score: Callable[[int], float], found: Sequence[int]) -> int:
    """The row of the least score; of rows that are level but for rounding the one that was found.

    Two cases alone in a cluster lie as far from each other, and from their middle.
    """
    best = min(map(score, rows))
    level = [row for row in rows if score(row) <= best + 1e-9]
    return next((row for row in level if row in found), level[0])


def open_rows(view: View) -> list[int]:
    return [row for row, may in enumerate(view.open) if may]


def in_order(view: View, score: Callable[[int], float], count: int) -> list[int]:
    return sorted(open_rows(view), key=lambda row: -score(row))[:count]


def distance(one: Sequence[float], other: Sequence[float]) -> float:
    return math.sqrt(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)))


def entropy(p: Sequence[float]) -> float:
    return -sum(one * math.log(one) for one in p if one > 0)


def margin_of(view: View, row: int) -> float:
    first, second = sorted(view.belief.mean[row].tolist(), reverse=True)[:2]
    return second - first


def bald_of(view: View, row: int) -> float:
    return max(entropy(view.belief.mean[row]) - float(view.belief.expected_entropy[row]), 0.0)


def predicted(view: View, row: int) -> int:
    return int(view.belief.mean[row].argmax())


def least_confidence(view: View, count: int, _rng: np.random.Generator) -> list[int]:
    return in_order(view, lambda row: 1 - max(view.belief.mean[row]), count)


def most_entropy(view: View, count: int, _rng: np.random.Generator) -> list[int]:
    return in_order(view, lambda row: entropy(view.belief.mean[row]), count)


def margin(view: View, count: int, _rng: np.random.Generator) -> list[int]:
    return in_order(view, lambda row: margin_of(view, row), count)


def bald(view: View, count: int, _rng: np.random.Generator) -> list[int]:
    return in_order(view, lambda row: bald_of(view, row), count)


def baba(view: View, count: int, _rng: np.random.Generator) -> list[int]:
    """Woo 2021: the entropy of each class's Beta(a + 1, b), from scipy's distribution."""
    mean, variance = view.belief.mean, view.belief.variance
    inner = np.clip(mean, 1e-9, 1 - 1e-9)
    spread_out = np.clip(variance, 1e-12, inner * (1 - inner) * (1 - 1e-3))
    times = inner * (1 - inner) / spread_out - 1
    of_class = np.asarray(beta(inner * times + 1, (1 - inner) * times).entropy())

    def score(row: int) -> float:
        if not any(variance[row] > 0):
            return -math.inf
        joint = entropy(mean[row]) + sum(
            m * h for m, h in zip(inner[row], of_class[row], strict=True)
        )
        balanced = joint / (entropy(mean[row]) + math.log(2))
        return float(1 / balanced if balanced >= 0 else balanced)

    return in_order(view, score, count)


def epig(view: View, count: int, rng: np.random.Generator) -> list[int]:
    """Bickford Smith et al. 2023, eq. 5: mean information of two labels, every pair of classes."""
    rows = bald(view, max(epig_module._CANDIDATES, count), rng)
    targets = sorted(rng.permutation(len(view.open))[: epig_module._TARGETS].tolist())
    drawn = draws_of(view.process, view.features[[*rows, *targets]], rng)
    k = drawn.shape[2]
    gain = {}
    for at, row in enumerate(rows):
        gains = []
        for target in range(len(rows), len(rows) + len(targets)):
            told = 0.0
            for a, b in itertools.product(range(k), range(k)):
                one, other = drawn[at, :, a], drawn[target, :, b]
                both = float(np.mean(one * other))
                told += both * math.log(both / (float(np.mean(one)) * float(np.mean(other))))
            gains.append(told)
        gain[row] = max(sum(gains) / len(gains), 0.0)
    return sorted(rows, key=lambda row: -gain[row])[:count]


def badge(view: View, count: int, rng: np.random.Generator) -> list[int]:
    """Ash et al. 2020, algorithm 1: the gradients themselves, then k-means++ seeding.

    As in the authors' own program the seeding begins with the largest gradient.
    """
    gradient = {}
    for row in open_rows(view):
        error = view.belief.mean[row].copy()
        error[predicted(view, row)] -= 1
        gradient[row] = np.outer(error, view.features[row]).ravel().tolist()
    rows = open_rows(view)
    if not rows:
        return []
    chosen = [max(rows, key=lambda row: distance(gradient[row], [0.0] * len(gradient[row])))]
    while len(chosen) < min(count, len(rows)):
        share = [
            0.0 if row in chosen else min(distance(gradient[row], gradient[c]) for c in chosen) ** 2
            for row in rows
        ]
        spot, at = rng.random() * sum(share), 0.0
        for row, one in zip(rows, share, strict=True):
            at += one
            if at > spot:
                chosen.append(row)
                break
    return chosen


def lloyd(
    points: Sequence[Sequence[float]], groups: int, rng: np.random.Generator
) -> list[list[float]]:
    """k-means from points drawn by lot, until nothing moves; an empty group takes the farthest."""
    starts = rng.choice(len(points), min(groups, len(points)), replace=False)
    centres = [list(points[at]) for at in starts]
    for _ in range(30):
        group = [nearest_of(point, centres) for point in points]
        away = [distance(points[i], centres[g]) for i, g in enumerate(group)]
        farthest = sorted(range(len(points)), key=lambda i: -away[i])
        moved = []
        for g in range(len(centres)):
            own = [points[i] for i in range(len(points)) if group[i] == g]
            moved.append(
                [sum(values) / len(own) for values in zip(*own, strict=True)]
                if own
                else list(points[farthest.pop(0)])
            )
        if np.allclose(moved, centres):
            break
        centres = moved
    return centres


def nearest_of(point: Sequence[float], centres: Sequence[Sequence[float]]) -> int:
    return min(range(len(centres)), key=lambda g: distance(point, centres[g]))


def margin_cluster(view: View, count: int, rng: np.random.Generator) -> list[int]:
    """Zhdanov 2019, algorithm 1: k-means of the 10 k least sure; of each cluster the least sure.

    The least sure in place of the most central one, as the smallest margins of Citovsky et al.
    """
    top = margin(view, 10 * count, rng)
    if count == 1 or len(top) <= count:
        return top[:count]
    places = [view.places[row].tolist() for row in top]
    centres = lloyd(places, count, rng)
    group = [nearest_of(place, centres) for place in places]
    firsts = {group.index(g) for g in set(group)}
    for at in range(len(top)):  # an empty cluster leaves its place to the next in order
        if len(firsts) < count:
            firsts.add(at)
    return [top[at] for at in sorted(firsts)]


def class_quota(view: View, count: int, rng: np.random.Generator) -> list[int]:
    """Turn by turn one of each predicted class, the smallest margin first."""
    classes = view.belief.mean.shape[1]
    place = rng.permutation(classes).tolist()
    waiting = {
        c: [row for row in margin(view, len(view.open), rng) if predicted(view, row) == c]
        for c in sorted(range(classes), key=lambda c: place[c])
    }
    chosen: list[int] = []
    while any(waiting.values()):
        chosen += [rows.pop(0) for rows in waiting.values() if rows]
    return chosen[:count]


def typical(
    view: View, count: int, rng: np.random.Generator, found: Sequence[int] = ()
) -> list[int]:
    """Hacohen et al. 2022, algorithm 1: known + count clusters, the largest uncovered first.

    Typicality is the inverse of the mean distance to the 20 nearest of the cluster (all of a
    smaller one).
    """
    labelled = [row for row, known in enumerate(view.labelled) if known]
    places = [place.tolist() for place in view.places]
    centres = lloyd(places, min(len(labelled) + count, len(places)), rng)
    members: dict[int, list[int]] = {g: [] for g in range(len(centres))}
    for row, place in enumerate(places):
        members[nearest_of(place, centres)].append(row)

    def untypical(row: int, cluster: list[int]) -> float:
        crowd = cluster[: spread._MOST_PAIRS]  # of a huge cluster: the first ones
        near = sorted(distance(places[row], places[one]) for one in crowd if one != row)
        near = near[: min(20, len(crowd) - 1)]
        return sum(near) / len(near) if near else 0.0

    chosen: list[int] = []
    while len(chosen) < min(count, len(open_rows(view))):
        left = {
            g: [r for r in own if view.open[r] and r not in chosen] for g, own in members.items()
        }
        told = {g: sum(r in labelled or r in chosen for r in own) for g, own in members.items()}
        able = [g for g in members if left[g]]
        best = min(able, key=lambda g: (told[g], -len(members[g])))
        far = {row: untypical(row, members[best]) for row in left[best]}
        chosen.append(least(left[best], far.__getitem__, found[len(chosen) :][:1]))
    return chosen


def central(
    view: View, count: int, rng: np.random.Generator, found: Sequence[int] = ()
) -> list[int]:
    """k-means of the open cases; the nearest to each centre that no other centre has."""
    rows = open_rows(view)
    if len(rows) <= count:
        return rows
    places = [view.places[row].tolist() for row in rows]
    chosen: list[int] = []
    for centre in lloyd(places, count, rng):
        left = [row for row in rows if row not in chosen]
        far = {row: distance(view.places[row], centre) for row in left}
        chosen.append(least(left, far.__getitem__, found[len(chosen) :][:1]))
    return chosen


def at_random(view: View, count: int, rng: np.random.Generator) -> list[int]:
    return [int(row) for row in rng.permutation(open_rows(view))[:count]]


def adaptive(view: View, count: int, rng: np.random.Generator) -> list[int]:
    stays = [view.belief.expected_entropy[row] for row in open_rows(view)]
    share = sum(stays) / max(len(stays), 1) / math.log(view.belief.mean.shape[1])
    return (epig if share > 0.5 else margin_cluster)(view, count, rng)


def bald_first(view: View, count: int, rng: np.random.Generator) -> list[int]:
    own = sum(bald_of(view, row) for row in open_rows(view))
    doubt = sum(entropy(view.belief.mean[row]) for row in open_rows(view))
    return (bald if doubt > 0 and own / doubt > 1 / 3 else margin_cluster)(view, count, rng)


REFERENCES: dict[str, Reference] = {
    "bald-first": bald_first, "adaptive": adaptive, "random": at_random,
    "least-confidence": least_confidence, "entropy": most_entropy, "margin": margin,
    "bald": bald, "baba": baba, "epig": epig, "badge": badge, "margin-cluster": margin_cluster,
    "class-quota": class_quota, "typical": typical, "k-means": central,
}  # fmt: skip
SLOW, LEVEL = {"epig", "adaptive"}, {"typical", "k-means"}


def test_every_acquisition_function_has_a_plain_one() -> None:
    assert set(REFERENCES) == set(ACQUISITIONS)


@pytest.mark.parametrize("name", ACQUISITIONS)
def test_the_choice_is_that_of_the_plain_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    for seed in range(25 if name in SLOW else 150):
        monkeypatch.setattr(epig_module, "_CANDIDATES", 6 if seed % 2 else 600)
        monkeypatch.setattr(epig_module, "_TARGETS", 4 if seed % 2 else 64)
        monkeypatch.setattr(spread, "_MOST_PAIRS", 4 if seed % 2 else 4000)
        view, count = tiny(seed)
        found = ACQUISITIONS[name].choose(view, count, np.random.default_rng(seed))
        level = {"found": found.tolist()} if name in LEVEL else {}
        wanted = REFERENCES[name](view, count, np.random.default_rng(seed), **level)
        assert found.tolist() == wanted, f"seed {seed}"
        asked += len(wanted)
    assert asked > 100


@pytest.mark.parametrize("strength", [0.5, 1.0, 3.0])
def test_soft_rank_is_a_draw_without_replacement_by_rank(strength: float) -> None:
    """Kirsch et al. 2023: the top of -ln rank + Gumbel draws by rank to the power of -strength.

    The chance of each ordered choice of two is enumerated.
    """
    score = np.array([0.3, 2.0, -np.inf, 1.1])
    weight = {1: 1.0, 3: 2.0**-strength, 0: 3.0**-strength}
    chance = {
        (a, b): weight[a] / sum(weight.values()) * weight[b] / (sum(weight.values()) - weight[a])
        for a, b in itertools.permutations(weight, 2)
    }
    rng = np.random.default_rng(11)
    drawn = Counter(
        tuple(np.argsort(-soft_ranked(score, rng, strength=strength))[:2].tolist())
        for _ in range(6000)
    )
    assert set(drawn) <= set(chance)
    seen = [drawn[pair] for pair in chance]
    assert chisquare(seen, [6000 * one for one in chance.values()]).pvalue > 1e-3


@pytest.mark.parametrize("name", [n for n, how in ACQUISITIONS.items() if how.score])
def test_parallel_readers_get_the_soft_ranks_of_the_plain_one(name: str) -> None:
    """With the same draws: ranks of all cases by their score, less ln rank, and the noise."""
    for seed in range(40):
        view, count = tiny(seed)
        rng = np.random.default_rng(seed)
        found = choose(view, count, np.random.default_rng(seed), name=name, parallel=True)
        rng.binomial(min(count, len(open_rows(view))), 0.0)  # places that go to a lot: none
        rng.permutation(len(open_rows(view)))
        everywhere = replace(view, open=np.ones_like(view.open))
        by_score = REFERENCES[name](everywhere, len(view.open), rng)
        noise = rng.gumbel(size=len(view.open))
        soft = {row: noise[row] - math.log(by_score.index(row) + 1) for row in open_rows(view)}
        assert found.rows.tolist() == sorted(soft, key=lambda row: -soft[row])[:count]
