"""Cases grouped by their pattern of answers, with the patterns that could have been seen too."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass

import numpy as np

from overread.agreement.coefficients import Chance, chance_terms
from overread.agreement.votes import Votes
from overread.arrays import Floats, Ints

_MOST_CELLS = 260
_ENUMERATED = 130

Pattern = tuple[tuple[int, int, float], ...]  # (reader, class, weight), sorted


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The multinomial behind a table of reads, as the likelihood kernel takes it.

    Args:
        m: (cells,) cases seen of each pattern; 0 for patterns that could be seen.
        d, e: (terms, cells) disagreement of a pattern, and its weight in the mean.
        x, y: (terms, cells, features) numerators and denominators of the class shares.
        q: (features, features), ``constant``: expected disagreement is constant + f' q f.
    """

    m: Floats
    d: Floats
    e: Floats
    x: Floats
    y: Floats
    q: Floats
    constant: float


def patterns_of(votes: Votes, *, named: bool) -> Counter[Pattern]:
    """Count the cases of each pattern.

    Args:
        named: tell readers apart; otherwise they are numbered anew within each case, answers in
            order, so that only how many said what matters.
    """
    if not votes.case.size:
        return Counter()
    start = np.flatnonzero(np.r_[True, votes.case[1:] != votes.case[:-1]])
    stop = np.r_[start[1:], votes.case.size]
    seen, count = _representatives(votes, start, named=named or not votes.whole)
    found: Counter[Pattern] = Counter()
    for at, times in zip(seen.tolist(), count.tolist(), strict=True):
        rows = slice(int(start[at]), int(stop[at]))
        columns = (votes.reader[rows], votes.label[rows], votes.weight[rows])
        block = tuple(sorted(zip(*(c.tolist() for c in columns), strict=True)))
        found[block if named else _unnamed(block)] += times
    return found


def _representatives(votes: Votes, start: Ints, *, named: bool) -> tuple[Ints, Ints]:
    """One case of each pattern and the number of its cases, by a 64-bit sum hash of the rows."""
    kinds = votes.label.astype(np.uint64) + np.uint64(1)
    if named:
        kinds += votes.reader.astype(np.uint64) * np.uint64(votes.n_classes + 1)
    if not votes.whole:
        kinds += np.round(votes.weight * 2**20).astype(np.uint64) << np.uint64(40)
    for multiplier in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB):  # splitmix64's finaliser
        kinds = (kinds ^ (kinds >> np.uint64(30))) * np.uint64(multiplier)
    keys = np.add.reduceat(kinds ^ (kinds >> np.uint64(31)), start)
    _, first, count = np.unique(keys, return_index=True, return_counts=True)
    return first, count


def _unnamed(block: Pattern) -> Pattern:
    readers: dict[int, list[tuple[int, float]]] = {}
    for reader, label, weight in block:
        readers.setdefault(reader, []).append((label, weight))
    ordered = sorted(readers.values())
    return tuple((g, k, v) for g, answers in enumerate(ordered) for k, v in answers)


def with_unseen(seen: Counter[Pattern], n_classes: int, *, named: bool) -> Counter[Pattern] | None:
    """Add the patterns that the same readers could have given, with count 0.

    All of them where they are few; otherwise, for the commonest set of readers, every unanimous
    pattern and every pattern with one dissent.

    Returns:
        None when there are more patterns than the likelihood kernel can afford.
    """
    cells: Counter[Pattern] = Counter(seen)
    designs = Counter[tuple[int, ...]]()
    for pattern, count in seen.items():
        designs[tuple(sorted({row[0] for row in pattern}))] += count
    for rank, (readers, _) in enumerate(designs.most_common()):
        room = _ENUMERATED - len(cells)
        every = n_classes ** len(readers) if len(readers) < 12 else _MOST_CELLS
        added = (
            _every_pattern(readers, n_classes, named=named)
            if every <= 4 * _ENUMERATED
            else [()] * _MOST_CELLS
        )
        if len(added) > room:
            if rank:
                break
            added = _near_unanimous(readers, n_classes, named=named)
        for pattern in added:
            cells.setdefault(pattern, 0)
    return cells if len(cells) <= _MOST_CELLS else None


def _every_pattern(readers: tuple[int, ...], n_classes: int, *, named: bool) -> list[Pattern]:
    answers = (
        itertools.product(range(n_classes), repeat=len(readers))
        if named
        else itertools.combinations_with_replacement(range(n_classes), len(readers))
    )
    return [tuple((g, k, 1.0) for g, k in zip(readers, said, strict=True)) for said in answers]


def _near_unanimous(readers: tuple[int, ...], n_classes: int, *, named: bool) -> list[Pattern]:
    found = []
    for most, other in itertools.product(range(n_classes), repeat=2):
        said = [most] * len(readers)
        said[(most + other) % len(readers)] = other  # dissent falls on each reader in turn
        if not named:
            said.sort()
        found.append(tuple((g, k, 1.0) for g, k in zip(readers, said, strict=True)))
    return found


def cells_of(
    patterns: Counter[Pattern], weights: Floats, chance: Chance, *, by_pair: bool = False
) -> Cells | None:
    """Write the coefficient over these patterns as the kernel takes it; the commonest comes last.

    Args:
        weights: (K, K) agreement weights.
        chance: see :func:`overread.agreement.coefficients.chance_terms`.
        by_pair: mean of the coefficient over pairs of readers (mean Cohen).
    Returns:
        None when no pair of readers could be told from chance.
    """
    ordered = sorted(patterns.items(), key=lambda item: (item[1], item[0]))
    m = np.array([count for _, count in ordered], dtype=float)
    readers = sorted({row[0] for pattern, _ in ordered for row in pattern})
    place = {reader: i for i, reader in enumerate(readers)}
    share = np.zeros((len(ordered), len(readers), weights.shape[0]))
    for j, (pattern, _) in enumerate(ordered):
        for reader, label, weight in pattern:
            share[j, place[reader], label] += weight
    constant, form = chance_terms(chance, weights)
    if by_pair:
        terms = _pair_terms(share, weights, form, m)
        if not terms:
            return None
        q = _reader_form(form, 2)
    else:
        terms = [_term(share, weights, chance)]
        q = _reader_form(form, len(readers)) if chance == "readers" else form
    d, e, x, y = (np.ascontiguousarray(np.stack(part)) for part in zip(*terms, strict=True))
    return Cells(m, d, e, x, y, np.ascontiguousarray(q), constant)


def trace(n_cells: int) -> Floats:
    """(cells,) the trace of every possible pattern that keeps all shares positive."""
    return np.full(n_cells, min(0.05, 0.5 / n_cells))


def _pair_terms(
    share: Floats, weights: Floats, form: Floats, m: Floats
) -> list[tuple[Floats, Floats, Floats, Floats]]:
    """Terms of the reader pairs whose expected disagreement is not 0."""
    found = []
    for pair in map(list, itertools.combinations(range(share.shape[1]), 2)):
        both = (share[:, pair].sum(axis=2) > 0).all(axis=1)
        if not m[both].sum() > 0:
            continue
        mass = (m + trace(m.size)) * both
        first, second = np.einsum("j,jgk->gk", mass, share[:, pair])
        if first @ form @ second > 0:
            found.append(_term(share[:, pair], weights, "readers"))
    return found


def _reader_form(form: Floats, n_readers: int) -> Floats:
    between = (1 - np.eye(n_readers)) / (n_readers * (n_readers - 1))
    return np.asarray(np.kron(between, form), dtype=np.float64)


def _term(share: Floats, weights: Floats, chance: Chance) -> tuple[Floats, Floats, Floats, Floats]:
    """d, e, x, y of one coefficient; ``share`` is (cells, readers, classes)."""
    read = share.sum(axis=2) > 0
    size = read.sum(axis=1).astype(float)
    counts = share.sum(axis=1)
    agree = np.einsum("jk,kl,jl->j", counts, weights, counts)
    agree -= np.einsum("jgk,kl,jgl->j", share, weights, share)
    pairs = size * (size - 1)
    e = (pairs > 0).astype(float)
    d = e * (1 - np.divide(agree, pairs, out=np.zeros_like(pairs), where=pairs > 0))
    if chance == "readers":
        if share.shape[1] == 2:  # Cohen: shares of the cases that both read
            share, read = share * e[:, None, None], read & (e[:, None] > 0)
        x = share.reshape(share.shape[0], -1)
        y = np.repeat(read.astype(float), share.shape[2], axis=1)
        return d, e, x, y
    if chance == "pairable":
        return (
            d * size,
            e * size,
            counts * e[:, None],
            np.repeat((e * size)[:, None], counts.shape[1], 1),
        )
    rated = (size > 0).astype(float)
    x = counts / np.maximum(size, 1)[:, None]
    return d, e, x, np.repeat(rated[:, None], counts.shape[1], axis=1)
