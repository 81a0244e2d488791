"""The bootstrap over cases, over groups of cases, and over readers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from overread.agreement.coefficients import linearised
from overread.agreement.measures import Measure
from overread.agreement.pairs import mean_pairwise
from overread.agreement.patterns import Cells, cells_of, patterns_of
from overread.agreement.votes import Votes
from overread.arrays import Floats, Ints

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Interval:
    """Ends, and how they were made; nan ends when there is no interval."""

    low: float
    high: float
    how: str


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """What is asked of a bootstrap; see :func:`overread.agreement.intervals.interval_of`."""

    level: float
    draws: int
    seed: int
    values: Floats | None
    group: Ints | None
    progress: Progress | None


def over_cases(
    votes: Votes,
    measure: Measure,
    ask: Ask,
) -> Interval:
    """Percentile bootstrap; cases of one pattern are drawn together, as a count."""
    if ask.group is not None:
        return _resampled(votes, measure, ask, readers_too=False)
    named = measure.chance == "readers"
    seen = patterns_of(votes, named=named)
    n_readers = np.unique(votes.reader).size
    by_pair = measure.pairwise and n_readers > 2
    features = n_readers * votes.n_classes if named else votes.n_classes
    if len(seen) * features * (n_readers if by_pair else 1) > 20_000_000:
        return _resampled(votes, measure, ask, readers_too=False)
    cells = cells_of(seen, measure.weights(votes, ask.values), measure.chance, by_pair=by_pair)
    if cells is None:
        return _resampled(votes, measure, ask, readers_too=False)
    rng = np.random.default_rng(ask.seed)
    total = int(cells.m.sum())
    block = max(1, 4_000_000 // cells.m.size)
    found = []
    for first in range(0, ask.draws, block):
        weight = rng.multinomial(total, cells.m / total, size=min(block, ask.draws - first))
        found.append(coefficients(weight.astype(float), cells))
        if ask.progress is not None:
            ask.progress(min(first + block, ask.draws), ask.draws)
    return _percentiles(np.concatenate(found), ask.level, "bootstrap over cases")


def coefficients(weight: Floats, cells: Cells) -> Floats:
    """(draws,) coefficient for each row of pattern counts (draws, cells)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        total = 0.0
        for d, e, x, y in zip(cells.d, cells.e, cells.x, cells.y, strict=True):
            base = weight @ y
            shares = np.divide(weight @ x, base, out=np.zeros_like(base), where=base > 0)
            expected = cells.constant + np.einsum("bk,kl,bl->b", shares, cells.q, shares)
            expected = np.where(expected > 1e-12, expected, np.nan)
            total = total + (weight @ d) / (weight @ e) / expected
        return np.asarray(1 - total / cells.d.shape[0])


def over_readers_too(
    votes: Votes,
    measure: Measure,
    ask: Ask,
) -> Interval:
    """Percentile bootstrap over cases and readers; none for fewer than three readers."""
    if np.unique(votes.reader).size < 3:
        return Interval(math.nan, math.nan, "none: a sample of readers needs three or more")
    return _resampled(votes, measure, ask, readers_too=True)


def _resampled(
    votes: Votes,
    measure: Measure,
    ask: Ask,
    *,
    readers_too: bool,
) -> Interval:
    """Percentile bootstrap over whole units; copies of one reader are never compared."""
    rng = np.random.default_rng(ask.seed)
    weights = measure.weights(votes, ask.values)
    active = np.unique(votes.reader)
    seen = np.unique(votes.case)
    group = ask.group
    units = seen if group is None else np.unique(group[seen])
    of_case = np.arange(votes.n_cases) if group is None else group
    top = int(of_case.max()) + 1
    found = np.empty(ask.draws)
    for b in range(ask.draws):
        unit_weight = np.bincount(rng.choice(units, units.size), minlength=top).astype(float)
        case_weight, reader_weight = unit_weight[of_case], None
        if readers_too:
            drawn = rng.choice(active, active.size)
            reader_weight = np.bincount(drawn, minlength=votes.n_readers).astype(float)
        found[b] = linearised(
            votes,
            weights,
            measure.chance,
            small_sample=measure.chance == "pairable",
            case_weight=case_weight,
            reader_weight=reader_weight,
        ).value
        if ask.progress is not None:
            ask.progress(b + 1, ask.draws)
    over = ("groups of cases" if group is not None else "cases") + " and readers" * readers_too
    if measure.pairwise and active.size > 2:
        # Mean Cohen is resampled through Conger's kappa, its ratio of means, and moved to fit.
        found += mean_pairwise(votes, weights).value - linearised(votes, weights, "readers").value
    return _percentiles(found, ask.level, f"bootstrap over {over}")


def _percentiles(found: Floats, level: float, words: str) -> Interval:
    defined = found[~np.isnan(found)]
    lost = found.size - defined.size
    if defined.size < found.size / 2:
        return Interval(math.nan, math.nan, f"none: {lost} of {found.size} draws are undefined")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    left_out = f", {lost} undefined left out" if lost else ""
    return Interval(float(low), float(high), f"{words}, {found.size} draws{left_out}")
