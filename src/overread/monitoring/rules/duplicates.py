"""Near-duplicates that are labelled differently: images, and drawings cut out of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from overread.arrays import Bools, Floats, Ints
from overread.labels import (
    BoxReads,
    ClassReads,
    InstanceReads,
    MaskReads,
    MultiLabelReads,
    Reads,
)
from overread.monitoring.rules.fingerprints import Fingerprint
from overread.monitoring.rules.hint import Hint, RuleContext, Severity

_BITS = 10  # of 64 that the hashes of near-duplicates may differ in
_ALIKE = 0.95  # correlation below which pictures are not called duplicates, however rare
_BLOCK = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pictures that are (nearly) the same.

    Args:
        first, second: (pairs,) first < second.
        alike: (pairs,) correlation of the small pictures.
        exact: (pairs,) equal sample by sample.
    """

    first: Ints
    second: Ints
    alike: Floats
    exact: Bools

    def groups(self, n: int) -> NDArray[np.int64]:
        """(n,) group of each of n pictures: duplicates of duplicates are duplicates."""
        one = np.ones(self.first.size)
        links = coo_array((one, (self.first, self.second)), shape=(n, n))
        return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def near_pairs(features: NDArray[np.float32], *, false_alarm: float = 0.01) -> Pairs:
    """Pairs of small pictures more alike than different pictures of this set ever are.

    The set's mean picture is taken off first: chest X-rays all look alike, and what counts is what
    sets one apart. The correlations of all pairs then give a normal distribution (Fisher's z, its
    centre and spread robust); a pair is listed beyond ``false_alarm`` over the number of pairs,
    and above .95.

    Args:
        features: (n, d) rows of mean 0 and length 1 (0 for flat pictures, never duplicates here).
        false_alarm: probability that a set of different pictures yields any pair.
    """
    n = len(features)
    flat = np.abs(features).sum(axis=1) == 0
    rest = features - (features[~flat].mean(axis=0) if n - flat.sum() >= 20 else 0)
    length = np.linalg.norm(rest, axis=1, keepdims=True)
    rest = np.where(flat[:, None] | (length < 1e-6), 0, rest / np.maximum(length, 1e-6))
    limit = max(_ALIKE, _limit(rest, n, false_alarm))
    pairs: list[NDArray[np.int64]] = []
    alike: list[NDArray[np.float32]] = []
    for start in range(0, n, _BLOCK):
        value = rest[start : start + _BLOCK] @ rest.T
        first, second = np.nonzero(value >= limit)
        up = second > first + start
        pairs.append(np.stack([first[up] + start, second[up]], axis=1))
        alike.append(value[first[up], second[up]])
    whole = np.concatenate(pairs) if pairs else np.empty((0, 2), np.int64)
    value = np.concatenate(alike) if alike else np.empty(0, np.float32)
    return Pairs(
        whole[:, 0], whole[:, 1], value.astype(np.float64), np.zeros(len(whole), dtype=np.bool_)
    )


def image_pairs(prints: list[Fingerprint], *, false_alarm: float = 0.01) -> Pairs:
    """Pairs of images that are the same sample by sample, or nearly so by picture and hash."""
    if not prints:
        return near_pairs(np.empty((0, 1), np.float32))
    near = near_pairs(np.stack([one.features for one in prints]), false_alarm=false_alarm)
    bits = np.stack([one.phash for one in prints])
    differ = np.count_nonzero(bits[near.first] != bits[near.second], axis=1)
    found = {
        (int(a), int(b)): (float(c), False)
        for a, b, c, d in zip(near.first, near.second, near.alike, differ, strict=True)
        if d <= _BITS
    }
    by_hash: dict[str, list[int]] = {}
    for at, one in enumerate(prints):
        by_hash.setdefault(one.exact, []).append(at)
    for same in by_hash.values():
        found |= {(a, b): (1.0, True) for i, a in enumerate(same) for b in same[i + 1 :]}
    keys = sorted(found)
    places = np.array(keys, dtype=np.int64).reshape(-1, 2)
    return Pairs(
        places[:, 0], places[:, 1], np.array([found[k][0] for k in keys]),
        np.array([found[k][1] for k in keys], dtype=np.bool_),
    )  # fmt: skip


def duplicates(context: RuleContext) -> tuple[Hint, ...]:
    """List (nearly) equal images whose reads say different things."""
    cases = sorted(context.prints)
    pairs = image_pairs([context.prints[case] for case in cases], false_alarm=context.false_alarm)
    said = _said(context.reads)
    code = context.reads.index.case
    first_read = dict(zip(code[::-1].tolist(), range(code.size - 1, -1, -1), strict=True))
    hints = []
    for a, b, alike, exact in zip(pairs.first, pairs.second, pairs.alike, pairs.exact, strict=True):
        one, other = cases[int(a)], cases[int(b)]
        if not said(one) or not said(other) or said(one) & said(other):
            continue  # unread, or a reader of one agrees with a reader of the other
        group = f"{'the same image' if exact else 'nearly the same image'} as another case"
        numbers = {"alike": float(alike), "exact": float(exact)}
        for case, twin in ((one, other), (other, one)):
            words = f"{group}, which is labelled {_listed(said(twin))}, not {_listed(said(case))}."
            name = str(context.reads.index.cases[case])
            numbers = numbers | {"twin": float(twin + 1)}
            same = (first_read[twin], None)
            hints.append(
                Hint("duplicate", Severity.WARNING, words, name, numbers=numbers, twin=same)
            )
    return tuple(hints)


def drawing_duplicates(context: RuleContext) -> tuple[Hint, ...]:
    """List drawings that show the same thing in two images and have different classes."""
    drawn, index = context.drawn, context.reads.index
    pairs = near_pairs(drawn.features, false_alarm=context.false_alarm)
    a, b = pairs.first, pairs.second
    apart = (drawn.label[a] != drawn.label[b]) & (
        index.case[drawn.read[a]] != index.case[drawn.read[b]]
    )
    ratio = np.abs(np.log(drawn.area[a] / drawn.area[b]))
    hints = []
    names = context.reads.schema.names
    for at in np.flatnonzero(apart & (ratio < np.log(2))).tolist():
        for row, twin in ((int(a[at]), int(b[at])), (int(b[at]), int(a[at]))):
            label, other = names[int(drawn.label[row])], names[int(drawn.label[twin])]
            hint = context.hint(
                "drawing-duplicate",
                Severity.WARNING,
                f"shows nearly the same as a drawing of another case that is {other!r}, "
                f"not {label!r}.",
                int(drawn.read[row]),
                finding=int(drawn.finding[row]),
                label=label,
                alike=float(pairs.alike[at]),
                twin_case=float(index.case[drawn.read[twin]] + 1),
            )
            same = int(drawn.read[twin]), int(drawn.finding[twin])
            hints.append(replace(hint, twin=same))
    return tuple(hints)


def _limit(rest: NDArray[np.float32], n: int, false_alarm: float) -> float:
    """Correlation that no pair of different pictures should reach."""
    if n < 20:
        return _ALIKE
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, n, (2, 20_000))
    some = (rest[a] * rest[b]).sum(axis=1)[a != b].astype(np.float64)
    z = np.arctanh(np.clip(some, -0.9999, 0.9999))
    middle, above = np.quantile(z, [0.5, 0.84])
    beyond = float(stats.norm.isf(false_alarm / (n * (n - 1) / 2)))
    return float(np.tanh(min(middle + beyond * max(above - middle, 1e-3), 3.0)))


def _said(reads: Reads) -> Callable[[int], frozenset[frozenset[str]]]:
    """Case code -> the answers given to it, each a set of classes."""
    index, names = reads.index, reads.schema.names
    answers: dict[int, set[frozenset[str]]] = {}
    for row in range(index.n_reads):
        said = _of_read(reads, row, names)
        if said is not None:
            answers.setdefault(int(index.case[row]), set()).add(said)
    fixed: Mapping[int, frozenset[frozenset[str]]] = {k: frozenset(v) for k, v in answers.items()}
    return lambda case: fixed.get(case, frozenset())


def _of_read(reads: Reads, row: int, names: tuple[str, ...]) -> frozenset[str] | None:
    if isinstance(reads, ClassReads):
        code = int(reads.label[row])
        return frozenset([names[code]]) if code >= 0 else None
    if isinstance(reads, MultiLabelReads):
        present = reads.present[row]
        return (
            frozenset(names[i] for i in np.flatnonzero(present == 1))
            if present.max() >= 0
            else None
        )
    if isinstance(reads, (BoxReads, InstanceReads, MaskReads)):
        if reads.unreadable is not None and reads.unreadable[row]:
            return None
        if isinstance(reads, MaskReads):
            codes = np.unique(reads.value[reads.first[row] : reads.first[row + 1]])
            return frozenset(names[i] for i in codes if i > 0)
        start, stop = np.searchsorted(reads.read, [row, row + 1])
        return frozenset(names[i] for i in reads.label[start:stop])
    return None


def _listed(answers: frozenset[frozenset[str]]) -> str:
    words = sorted(" + ".join(sorted(one)) or "no finding" for one in answers)
    return " or ".join(repr(word) for word in words)
