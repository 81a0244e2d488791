"""Readers against each other: a matrix over pairs, and each reader against the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import stdtrit

from overread.agreement.breakdown import PairMatrix
from overread.agreement.classes import Settings, chosen_measures, class_values, estimates
from overread.agreement.estimate import Estimate
from overread.agreement.measures import measure_of
from overread.agreement.pairs import from_tables, pair_tables
from overread.agreement.votes import Votes, votes_of
from overread.arrays import Floats, Ints, grouped
from overread.labels import ClassReads

_MOST_CALIBRATED = 120  # pairs; more take the first-order interval, computed for all at once


def pair_matrix(
    reads: ClassReads, *, measure: str = "cohen", level: float = 0.95, seed: int = 0
) -> PairMatrix:
    """One measure for every two readers, over the cases that both read.

    Args:
        reads: class reads; repeats of a reader are averaged.
        measure: a key of MEASURES.
        level, seed: of the intervals; they are calibrated likelihood intervals for up to 120
            pairs, first-order ones above.
    Raises:
        InputError: an unknown measure or more than 400 readers.
    """
    one = measure_of(measure)
    votes = votes_of(reads)
    tables = pair_tables(votes)
    weights = one.weights(votes, class_values(reads))
    value, cases, influence = from_tables(tables, weights, one.chance)
    if one.chance == "pairable":  # Krippendorff's factor n / (n - 1), n = two reads a case
        with np.errstate(divide="ignore", invalid="ignore"):
            value = 1 - (1 - value) * (2 * cases - 1) / (2 * cases)
    low, high = _first_order(tables, value, cases, influence, level)
    np.fill_diagonal(value, np.nan)
    pairs = [(g, h) for g, h in zip(*np.nonzero(np.triu(cases, 1)), strict=True)]
    how = "first order over cases, on the log scale"
    if len(pairs) <= _MOST_CALIBRATED:
        for g, h in pairs:
            two = np.zeros(votes.n_readers, dtype=np.bool_)
            two[[g, h]] = True
            settings = Settings(level=level, seed=seed)
            [found] = estimates(votes.of_readers(two), [one], settings, reads, scope="")
            low[g, h] = low[h, g] = found.low
            high[g, h] = high[h, g] = found.high
            how = found.interval or how
    shared = np.where(np.eye(votes.n_readers, dtype=np.bool_), 0, np.round(cases)).astype(np.int64)
    words = _matrix_words(one.name, reads.index.readers, value)
    readers = reads.index.readers
    return PairMatrix(
        one.key, one.name, readers, value, low, high, shared, level, how, words,
        missing="one class only",
    )  # fmt: skip


def _first_order(
    tables: Floats, value: Floats, cases: Floats, influence: Floats, level: float
) -> tuple[Floats, Floats]:
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (tables * influence**2).sum(axis=(-1, -2)) / cases / np.maximum(cases - 1, 1)
        rest = 1 - value
        t = stdtrit(np.maximum(cases - 1, 1), (1 + level) / 2)
        spread = np.exp(np.minimum(t * np.sqrt(variance) / rest, 50.0))
        low, high = np.maximum(1 - rest * spread, -1.0), 1 - rest / spread
        # No disagreement seen: the largest share that a sample of this size still hides.
        hidden = -np.expm1(np.log((1 - level) / 2) / cases)
        low = np.where(rest <= 1e-12, np.maximum(1 - 2 * hidden, -1.0), low)
        high = np.where(rest <= 1e-12, 1.0, high)
    off = np.isnan(value) | (cases < 2) | np.eye(value.shape[0], dtype=np.bool_)
    return np.where(off, np.nan, low), np.where(off, np.nan, high)


def _matrix_words(name: str, readers: tuple[str, ...], value: Floats) -> str:
    if np.isnan(value).all():
        return f"{name} is defined for no pair: plan an overlap between readers."
    flat = np.where(np.isnan(value), np.inf, value)
    g, h = np.unravel_index(int(flat.argmin()), flat.shape)
    return (
        f"The two readers furthest apart are {readers[g]} and {readers[h]} "
        f"({value[g, h]:.2f}); look at the cases that they disagree on first."
    )


def against_rest(
    reads: ClassReads, *, measures: Sequence[str] | None = None, **settings: Any
) -> tuple[Estimate, ...]:
    """Each reader against the majority of the other readers of the same case.

    A tie of the others is shared among the tied classes, and a case without others is left out.

    Args:
        reads: class reads.
        measures: by default percent, Cohen (quadratic for grades) and AC1.
        settings: ``level``, ``interval``, ``draws``, ``seed``.
    Returns:
        For each reader, one estimate a measure, scope "R1 against the rest".
    """
    if measures is None:
        ordered = "cohen_quadratic" in [one.key for one in chosen_measures(reads, None)]
        measures = ("percent", "cohen_quadratic" if ordered else "cohen", "ac1")
    chosen = chosen_measures(reads, measures)
    votes = votes_of(reads)
    counts = votes.counts()
    found: list[Estimate] = []
    rows = grouped(votes.reader, votes.n_readers)
    for code, name in enumerate(reads.index.readers):
        mine = rows[0][rows[1][code] : rows[1][code + 1]]
        versus, cases = _versus_majority(votes, counts, mine)
        part = estimates(
            versus, chosen, Settings(**settings), reads, scope=f"{name} against the rest",
            cases=cases,
        )  # fmt: skip
        if not versus.case.size:
            reason = "this reader shares no case with another: plan an overlap"
            part = tuple(replace(one, undefined=reason) for one in part)
        found += part
    return tuple(found)


def _versus_majority(votes: Votes, counts: Floats, mine: Ints) -> tuple[Votes, Ints]:
    """Reader 0 is the reader, reader 1 the majority of the others, on the cases they share.

    Args:
        mine: rows of the reader.
    Returns:
        The voices over cases numbered anew, and the code of each of these cases.
    """
    cases, place = np.unique(votes.case[mine], return_inverse=True)
    own = np.zeros((cases.size, votes.n_classes))
    own[place, votes.label[mine]] = votes.weight[mine]
    others = counts[cases] - own
    shared = others.sum(axis=1) > 1e-9
    best = np.abs(others - others.max(axis=1, keepdims=True)) < 1e-9
    rest = best / best.sum(axis=1, keepdims=True)
    table = np.stack([own, rest], axis=1) * shared[:, None, None]
    case, who, label = np.nonzero(table)
    sizes = (int(cases.size), 2, votes.n_classes)
    share = table[case, who, label]
    return Votes(case, who, label, share, *sizes, int(2 * shared.sum()), 0), cases
