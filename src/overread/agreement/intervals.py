"""Intervals that cover what they say: which one is used when, and how each is made."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from scipy.special import ndtri, stdtrit

from overread.agreement import likelihood
from overread.agreement.coefficients import Linearised
from overread.agreement.measures import Measure, both_read
from overread.agreement.patterns import Cells, cells_of, patterns_of, trace, with_unseen
from overread.agreement.resampling import Ask, Interval, Progress, over_cases, over_readers_too
from overread.agreement.votes import Votes
from overread.arrays import Floats, Ints
from overread.errors import InputError

How = Literal["auto", "likelihood", "linearised", "analytic", "bootstrap"]
_RICH = 200  # disagreements, and cases outside the commonest pattern: first order is enough
_AFFORDABLE = 6000  # cells x features x terms of the likelihood kernel
_CALIBRATION = 1000
_EDGE = 1e-3  # 1 - coefficient: nearer to 1 is called 1


_NONE = Interval(math.nan, math.nan, "")


def interval_of(  # noqa: PLR0911 - one return for each kind of interval
    votes: Votes,
    measure: Measure,
    point: Linearised,
    *,
    level: float = 0.95,
    how: How = "auto",
    draws: int = 2000,
    over_readers: bool = False,
    seed: int = 0,
    values: Floats | None = None,
    group: Ints | None = None,
    progress: Progress | None = None,
) -> Interval:
    """Interval of one measure over these voices.

    Args:
        point: the measure's value and influence, as ``measure.of(votes)`` gives it.
        level: nominal coverage, in (0, 1).
        how: "auto" takes the calibrated likelihood where disagreements or a class are few, and
            the linearised interval where they are many or cases come in groups. "analytic" is
            the published textbook interval, "bootstrap" the percentile bootstrap.
        draws: bootstrap draws (the calibration uses at most 1000 of them).
        over_readers: the readers are a sample too: bootstrap over cases and readers.
        values: numbers that the classes stand for.
        group: (cases,) cases of one group (patient) are resampled together.
        progress: called with (done, all) during a bootstrap.
    Raises:
        InputError: level, draws or how out of range.
    Source:
        Owen 1988, Biometrika 75:237; DiCiccio & Romano 1990, Int. Stat. Rev. 58:59 (calibrated
        likelihood); Lancaster 1961, JASA 56:223 (mid-p); Gwet 2008 (linearised variance).
    """
    _check(level, draws, how)
    if not point.paired.any():
        return _NONE
    if measure.pairwise:
        votes = both_read(votes)
    clustered = group is not None and np.unique(group[point.rated > 0]).size < point.rated.sum()
    ask = Ask(level, draws, seed, values, group, progress)
    if over_readers:
        return over_readers_too(votes, measure, ask)
    if how == "analytic":
        return _analytic(point, measure, level)
    if how == "bootstrap":
        return over_cases(votes, measure, ask)
    if how == "linearised" or (how == "auto" and (clustered or _rich(votes, point))):
        return _linearised(point, level, group if clustered else None)
    cells = _cells(votes, measure, values)
    if cells is not None:
        return cell_interval(cells, measure, level, min(draws, _CALIBRATION), seed)
    return _linearised(point, level, None)


def _check(level: float, draws: int, how: str) -> None:
    if not 0 < level < 1:
        raise InputError("level", "be between 0 and 1", level)
    if draws < 100:
        raise InputError("draws", "be at least 100", draws)
    if how not in ("auto", "likelihood", "linearised", "analytic", "bootstrap"):
        rule = "be auto, likelihood, linearised, analytic or bootstrap"
        raise InputError("interval", rule, f"{how!r}")


def _rich(votes: Votes, point: Linearised) -> bool:
    """Whether so many cases carry information that the first-order interval holds."""
    said = np.bincount(votes.label, votes.weight, minlength=votes.n_classes)
    disagreements = disputed(votes)
    others = said.sum() - said.max(initial=0)
    return (
        not math.isnan(point.value)
        and disagreements >= _RICH
        and others >= _RICH * said.sum() / max(point.rated.sum(), 1)
    )


def disputed(votes: Votes) -> int:
    """Number of cases in which more than one class was said."""
    if not votes.case.size:
        return 0
    start = np.flatnonzero(np.r_[True, votes.case[1:] != votes.case[:-1]])
    lowest, highest = (f.reduceat(votes.label, start) for f in (np.minimum, np.maximum))
    return int((lowest != highest).sum())


def _cells(votes: Votes, measure: Measure, values: Floats | None) -> Cells | None:
    named = measure.chance == "readers"
    seen = patterns_of(votes, named=named)
    cells = with_unseen(seen, votes.n_classes, named=named)
    if cells is None:
        return None
    n_readers = np.unique(votes.reader).size
    by_pair = measure.pairwise and n_readers > 2
    features = votes.n_classes * (n_readers if named else 1)
    if by_pair:
        features = n_readers * (n_readers - 1) * votes.n_classes
    if len(cells) * features > _AFFORDABLE:
        return None
    return cells_of(cells, measure.weights(votes, values), measure.chance, by_pair=by_pair)


def cell_interval(cells: Cells, measure: Measure, level: float, draws: int, seed: int) -> Interval:
    """The calibrated likelihood interval from pattern counts."""
    u = stratified(cells, draws, seed)
    normal = ndtri(u)
    extra = trace(cells.m.size)
    chi = float(ndtri((1 + level) / 2)) ** 2
    worst = 0.0 if measure.chance == "none" else math.log(2.0)
    table = (cells.m, extra, cells.d, cells.e, cells.x, cells.y, cells.q, cells.constant)
    ends = [
        likelihood.end(*table, edge, u, normal, 1 - level, chi) for edge in (worst, math.log(_EDGE))
    ]
    low, high = (1 - math.exp(one) for one in ends)
    high = 1.0 if high > 1 - 1.001 * _EDGE else high
    return Interval(low, high, f"likelihood over answer patterns, calibrated by {draws} draws")


def _linearised(point: Linearised, level: float, group: Ints | None) -> Interval:
    if math.isnan(point.value):
        return _NONE
    influence = point.influence[point.rated > 0]
    words = "first order over cases, on the log scale"
    if group is not None:
        influence = np.asarray(np.bincount(group[point.rated > 0], influence), dtype=float)
        influence = influence[np.unique(group[point.rated > 0])]
        words = "first order over groups of cases, on the log scale"
    units, n = influence.size, int(point.rated.sum())
    if units < 2:
        return _NONE
    t = float(stdtrit(units - 1, (1 + level) / 2))
    if point.observed <= 0:  # no disagreement seen: the largest share that still hides
        most = -math.expm1(math.log((1 - level) / 2) / units)
        return Interval(1 - most / point.expected, 1.0, words)
    error = math.sqrt(float(influence @ influence) * units / (units - 1)) / n
    rest = 1 - point.value
    spread = math.exp(min(t * error / rest, 50.0))
    return Interval(max(1 - rest * spread, -1.0), 1 - rest / spread, words)


def _analytic(point: Linearised, measure: Measure, level: float) -> Interval:
    """Textbook interval: Fleiss-Cohen-Everitt for Cohen, Gwet's for all others."""
    n = int(point.rated.sum())
    if math.isnan(point.value) or n < 2:
        return _NONE
    if measure.pairwise:
        influence, scale = point.influence, n * n
        quantile = float(ndtri((1 + level) / 2))
        words = "analytic (Fleiss, Cohen & Everitt 1969)"
    else:
        kept = n / point.paired.sum() * point.paired - point.rated
        influence, scale = point.influence + point.value * kept, n * (n - 1)
        quantile = float(stdtrit(n - 1, (1 + level) / 2))
        words = "analytic (Gwet 2008)"
    error = math.sqrt(float(influence @ influence) / scale)
    high = min(1.0, point.value + quantile * error)
    return Interval(max(-1.0, point.value - quantile * error), high, words)


def p_value_of(
    votes: Votes,
    measure: Measure,
    value: float,
    *,
    draws: int = 500,
    seed: int = 0,
    values: Floats | None = None,
) -> float:
    """Mid-p value of the statement "the coefficient is ``value``" by the calibrated likelihood.

    The interval at ``level`` holds the values whose p-value is at least ``1 - level``.

    Returns:
        In 0 .. 1; nan where the patterns of answers are too many for this method.
    """
    cells = _cells(both_read(votes) if measure.pairwise else votes, measure, values)
    return math.nan if cells is None else cell_p_value(cells, value, draws=draws, seed=seed)


def cell_p_value(
    cells: Cells, value: float, *, draws: int = 500, seed: int = 0, alpha: float = 2.0
) -> float:
    """As :func:`p_value_of`, from the pattern counts; stops early (1) once surely over alpha."""
    u = stratified(cells, draws, seed)
    extra = trace(cells.m.size)
    table = (cells.m, extra, cells.d, cells.e, cells.x, cells.y, cells.q, cells.constant)
    return float(likelihood.p_value(*table, 1 - value, u, ndtri(u), alpha))


def stratified(cells: Cells, draws: int, seed: int) -> Floats:
    """(draws, cells) uniforms, each column spread evenly over 0 .. 1 (Latin hypercube).

    The stream depends on the counts too, so that the small error of a finite calibration is not
    the same in every table.
    """
    rng = np.random.default_rng([seed, *cells.m.astype(np.int64).tolist()])
    rank = rng.permuted(np.tile(np.arange(draws)[:, None], (1, cells.m.size)), axis=0)
    return np.asarray((rank + rng.uniform(1e-9, 1 - 1e-9, rank.shape)) / draws, dtype=np.float64)
