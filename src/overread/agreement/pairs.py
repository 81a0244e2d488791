"""Contingency tables of all reader pairs, and Cohen's kappa averaged over them."""

from __future__ import annotations

import numba as nb
import numpy as np

from overread.agreement.coefficients import Chance, Linearised, chance_terms
from overread.agreement.votes import Votes
from overread.arrays import Floats, Ints
from overread.errors import InputError

MOST_READERS = 400


def pair_tables(votes: Votes) -> Floats:
    """Count what each two readers say of the cases that both read.

    Returns:
        (readers, readers, classes, classes): entry g, h, k, l is the number of cases where g said
        k and h said l; symmetric under (g, k) <-> (h, l); 0 where g is h.
    Raises:
        InputError: more than 400 readers (the tables would not fit).
    """
    if votes.n_readers > MOST_READERS:
        raise InputError(
            "number of readers",
            f"be at most {MOST_READERS} for a table of all pairs",
            votes.n_readers,
            remedy="Choose some readers, or use Conger's kappa, which needs no pairs.",
        )
    shape = (votes.n_readers, votes.n_readers, votes.n_classes, votes.n_classes)
    tables = np.zeros(shape)
    _fill(_starts(votes), votes.reader, votes.label, votes.weight, tables)
    return tables + tables.transpose(1, 0, 3, 2)


def from_tables(tables: Floats, weights: Floats, chance: Chance) -> tuple[Floats, Floats, Floats]:
    """Compute a coefficient for every table.

    Args:
        tables: (..., K, K) counts of pairs of answers.
        weights: (K, K) agreement weights.
    Returns:
        value (...), nan where undefined; cases (...); influence (..., K, K) of one more case in
        each cell, mean 0 over the cases of a table.
    Source:
        Fleiss, Cohen & Everitt 1969, Psychological Bulletin 72:323 (the influence's variance is
        their large-sample variance).
    """
    cases = tables.sum(axis=(-1, -2))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = tables / cases[..., None, None]
        row, column = share.sum(axis=-1), share.sum(axis=-2)
        constant, form = chance_terms(chance, weights)
        observed = np.einsum("...kl,kl->...", share, 1 - weights)
        if chance == "readers":
            on_row, on_column = column @ form, row @ form
        else:
            mean = (row + column) / 2
            on_row = on_column = mean @ form
        bilinear = (on_row * row).sum(axis=-1)
        expected = constant + (
            bilinear if chance == "readers" else ((row + column) / 2 * on_row).sum(axis=-1)
        )
        expected = np.where(expected > 1e-12, expected, np.nan)
        slope = on_row[..., :, None] + on_column[..., None, :]
        centre = (share * slope).sum(axis=(-1, -2))
        slope = slope - centre[..., None, None]
        rest = observed / expected
        influence = rest[..., None, None] * slope - (1 - weights - observed[..., None, None])
        return 1 - rest, cases, influence / expected[..., None, None]


def mean_pairwise(votes: Votes, weights: Floats) -> Linearised:
    """Mean of Cohen's kappa over the pairs of readers for whom it is defined, with influence.

    Source:
        Conger 1980, Psychological Bulletin 88:322 (his exact kappa is the ratio of the means;
        this is the mean of the ratios).
    """
    tables = pair_tables(votes)
    value, cases, influence = from_tables(tables, weights, "readers")
    upper = np.triu(np.ones(value.shape, dtype=np.bool_), 1) & ~np.isnan(value) & (cases > 0)
    rated = np.bincount(votes.case, minlength=votes.n_cases) > 0
    readers = np.bincount(votes.case, votes.weight, minlength=votes.n_cases)
    paired = (readers > 1.5).astype(float)
    if not upper.any():
        empty = np.full(votes.n_cases, np.nan)
        expected = np.nan if not (cases > 0).any() else 0.0
        return Linearised(np.nan, np.nan, expected, empty, rated.astype(float), paired)
    scale = np.where(upper, rated.sum() / np.maximum(cases, 1) / upper.sum(), 0.0)
    per_cell = np.where(np.isnan(influence), 0.0, influence) * scale[..., None, None]
    by_case = np.zeros(votes.n_cases)
    _spread(_starts(votes), votes.case, votes.reader, votes.label, votes.weight, per_cell, by_case)
    mean = float(value[upper].mean())
    return Linearised(mean, 1 - mean, 1.0, by_case, rated.astype(float), paired)


def _starts(votes: Votes) -> Ints:
    new = np.r_[True, votes.case[1:] != votes.case[:-1]][: votes.case.size]
    starts: Ints = np.r_[np.flatnonzero(new), votes.case.size]
    return starts


@nb.njit(cache=True)  # type: ignore[misc, unused-ignore]
def _fill(start: Ints, reader: Ints, label: Ints, weight: Floats, tables: Floats) -> None:
    for block in range(start.size - 1):
        for i in range(start[block], start[block + 1]):
            for j in range(i + 1, start[block + 1]):
                if reader[i] != reader[j]:
                    tables[reader[i], reader[j], label[i], label[j]] += weight[i] * weight[j]


@nb.njit(cache=True)  # type: ignore[misc, unused-ignore]
def _spread(  # noqa: PLR0917 - a numba kernel takes plain arrays, by position
    start: Ints,
    case: Ints,
    reader: Ints,
    label: Ints,
    weight: Floats,
    per_cell: Floats,
    by_case: Floats,
) -> None:
    for block in range(start.size - 1):
        total = 0.0
        for i in range(start[block], start[block + 1]):
            for j in range(i + 1, start[block + 1]):
                if reader[i] != reader[j]:
                    part = per_cell[reader[i], reader[j], label[i], label[j]]
                    total += weight[i] * weight[j] * part
        by_case[case[start[block]]] = total
