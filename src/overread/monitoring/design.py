"""The design of the charts: limits of every metric from one budget of false alarms."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtr

from overread.arrays import Floats, Ints
from overread.errors import InputError, MethodError
from overread.monitoring.case_mix import CaseMix, fit_case_mix
from overread.monitoring.chart import FAR, Limits
from overread.monitoring.observations import Metric, Observations
from overread.monitoring.run_length import cusum_limit, ewma_limit, mixture, settled_sd

RUN_LENGTH = 40_000.0
"""Overlap reads between two false alarms of one reader: at most 4.9 % are paused in 2,000."""

_NORMALS = 200.0  # observations that the normal distribution counts for, beside those seen
_WINDOW = 61  # reads around an observation whose mean is taken off before limits are set
_FEWEST_READS = 60  # overlap reads, of all readers together


@dataclass(frozen=True, slots=True)
class Settings:
    """What a lead chooses.

    Args:
        run_length: overlap reads of one reader between two false alarms, over all of his charts
            together; the chance of one within n reads is at most 1 - exp(-n / run_length).
        k: the change chart is fastest for changes of twice this many standard deviations.
        smoothing: weight of the newest read in the chart of slow changes.
        odds: odds ratio that the charts of rates are fastest for.
        tolerance: difference from the pool, in standard deviations within a reader and beyond
            what readers commonly differ, that is still let pass.
        shares: of the budget that the questions change, slow change and level get.
    Raises:
        InputError: a setting out of its range.
    """

    run_length: float = RUN_LENGTH
    k: float = 0.5
    smoothing: float = 0.05
    odds: float = 2.5
    tolerance: float = 0.5
    shares: tuple[float, float, float] = (0.4, 0.25, 0.35)

    def __post_init__(self) -> None:
        _refuse("run_length", "be 100 reads or more", self.run_length, self.run_length >= 100)
        _refuse("k", "be above 0", self.k, self.k > 0)
        _refuse("smoothing", "be in (0, 1)", self.smoothing, 0 < self.smoothing < 1)
        _refuse("odds", "be above 1", self.odds, self.odds > 1)
        _refuse("tolerance", "be 0 or more", self.tolerance, self.tolerance >= 0)
        whole = abs(sum(self.shares) - 1) < 1e-9 and min(self.shares) > 0
        _refuse("shares", "be above 0 and sum to 1", self.shares, whole)


@dataclass(frozen=True, slots=True)
class Design:
    """Everything that the charts of all readers share.

    Args:
        kind: label kind of the reads.
        settings: as chosen.
        case_mix: what is usual.
        limits: one a metric; None where the metric has no chart (or too few observations).
    """

    kind: str
    settings: Settings
    case_mix: CaseMix
    limits: tuple[Limits | None, ...]

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """All that are measured."""
        return self.case_mix.metrics


def design_charts(
    seen: Observations, *, kind: str = "", settings: Settings | None = None
) -> Design:
    """Learn what is usual, and set every limit so that the whole keeps to its budget.

    The budget of a reader, one false alarm in ``run_length`` overlap reads, is shared out: equally
    over the metrics that have a chart, then over the questions, then over the sides on which an
    alarm is possible. Rates of alarms add up at most, whatever the correlation of the metrics, so
    that the true rate is below the budget. Each limit comes from a Markov chain whose increments
    are those seen (each reader's own level taken off, blended with the normal distribution),
    because skewed metrics alarm sooner than the normal ones of the textbooks.

    Args:
        seen: of all readers, mostly in control.
        kind: label kind, for the words.
        settings: defaults where None.
    Raises:
        MethodError: too few overlap reads to know what is usual.
    """
    settings = settings or Settings()
    if seen.n < _FEWEST_READS:
        raise MethodError(
            f"charts need {_FEWEST_READS} overlap reads to know what is usual, and there are "
            f"{seen.n}: {seen.lacking or 'wait for more'}"
        )
    mix = fit_case_mix(seen)
    charted = [
        place
        for place, metric in enumerate(mix.metrics)
        if metric.charted and mix.usual[place] is not None
    ]
    expected, spread = mix.standardise(seen)
    limits: list[Limits | None] = [None] * len(mix.metrics)
    for place in charted:
        metric, usual = mix.metrics[place], mix.usual[place]
        budget = settings.run_length * len(charted)
        between = 0.0 if usual is None else usual.between
        bare = _bare(settings, metric, between)
        known = np.flatnonzero(~np.isnan(seen.value[:, place]))
        x, e, s = seen.value[known, place], expected[known, place], spread[known, place]
        limits[place] = (
            _rate_limits(bare, metric, settings, budget, e)
            if metric.form == "rate"
            else _number_limits(bare, metric, settings, budget, (x - e) / s, seen.reader[known])
        )
    return Design(kind, settings, mix, tuple(limits))


def standard_normals(limits: Limits, z: Floats, reader: Ints) -> Floats:
    """The standardised observations of :func:`overread.monitoring.chart.step_number`, at once.

    Args:
        z: (n,) values less expected, in spreads, in order.
        reader: (n,) of each.
    """
    z = np.clip(z, -FAR, FAR)
    before, total, square = np.zeros((3, z.size))
    for rows in (np.flatnonzero(reader == one) for one in np.unique(reader)):
        before[rows] = np.arange(rows.size)
        total[rows] = np.cumsum(z[rows]) - z[rows]
        square[rows] = np.cumsum(z[rows] ** 2) - z[rows] ** 2
    weight = limits.prior_reads() + before
    mean = total / weight
    variance = (10.0 + np.maximum(square - weight * mean**2, 0)) / (10.0 + before)
    t = (z - mean) / np.sqrt(variance * (1 + 1 / weight))
    u = -ndtri(np.maximum(stdtr(10.0 + before, -np.abs(t)), 1e-12))
    return np.asarray(np.minimum(u, FAR) * np.sign(t))


def _bare(settings: Settings, metric: Metric, between: float) -> Limits:
    return Limits(
        rate=metric.form == "rate",
        between=between,
        k=settings.k,
        smoothing=settings.smoothing,
        odds=settings.odds,
        k_level=settings.tolerance + between,
    )


def _number_limits(  # noqa: PLR0917 - what is set, and what it is set from
    bare: Limits, metric: Metric, settings: Settings, budget: float, z: Floats, reader: Ints
) -> Limits:
    u = _centred(standard_normals(bare, z, reader), reader)
    own = _centred(np.clip(z, -FAR, FAR), reader)
    sides = 2 if metric.harm == "both" else 1
    change, slow, level = (budget * sides / share for share in settings.shares)
    found: dict[str, Any] = {}
    for side, sign, harm in (("up", 1.0, "high"), ("down", -1.0, "low")):
        if metric.harm not in ("both", harm):
            continue
        of_change = mixture(sign * u, normals=_NORMALS)
        of_level = mixture(sign * own, normals=_NORMALS)
        found[f"change_{side}"] = cusum_limit(change, k=bare.k, cdf=of_change)
        found[f"slow_{side}"] = settled_sd(bare.smoothing) * ewma_limit(
            slow, smoothing=bare.smoothing, cdf=of_change, one_sided=True
        )
        found[f"level_{side}"] = cusum_limit(level, k=bare.k_level, cdf=of_level)
    return replace(bare, **found)


def _rate_limits(
    bare: Limits, metric: Metric, settings: Settings, budget: float, expected: Floats
) -> Limits:
    sides = 2 if metric.harm == "both" else 1
    change_share = settings.shares[0] + settings.shares[1]  # rates have no chart of slow changes
    change, level = budget * sides / change_share, budget * sides / settings.shares[2]
    p = np.quantile(expected, np.linspace(0.005, 0.995, 199))
    beyond = bare.odds * math.exp(min(bare.between, 1.0))
    found: dict[str, Any] = {}
    for side, power, harm in (("up", 1.0, "high"), ("down", -1.0, "low")):
        if metric.harm in ("both", harm):
            found[f"change_{side}"] = rate_limit(change, p, bare.odds**power)
            found[f"level_{side}"] = rate_limit(level, p, beyond**power)
    return replace(bare, **found)


def rate_limit(arl: float, p: Floats, odds: float) -> float:
    """Limit of the likelihood ratio CUSUM of a rate, for this average run length in control.

    Args:
        arl: reads between false alarms.
        p: (n,) rates that are usual for the cases, one drawn from them each time.
        odds: odds ratio looked for.
    Returns:
        the limit; never above log(arl), at which the run length is certain.
    Source:
        Lorden 1971, Ann. Math. Stat. 42:1897-1908 (the bound).
    """
    base = np.log(1 - p + odds * p)
    steps, weight = np.r_[np.log(odds) - base, -base], np.r_[p, 1 - p]
    return min(_cached(float(arl), tuple(steps), tuple(weight)), math.log(arl))


@lru_cache(maxsize=64)
def _cached(arl: float, steps: tuple[float, ...], weight: tuple[float, ...]) -> float:
    cdf = mixture(np.array(steps), weight=np.array(weight))
    return cusum_limit(arl, k=0.0, cdf=cdf)


def _centred(u: Floats, reader: Ints) -> Floats:
    """(n,) without the mean of the neighbours: a reader who changed does not widen the limits."""
    kept = []
    for one in np.unique(reader):
        mine = u[reader == one]
        window = min(_WINDOW, mine.size)
        if window < 5:
            continue
        total = np.r_[0.0, np.cumsum(mine)]
        middle = np.arange(mine.size)
        low = np.clip(middle - window // 2, 0, mine.size - window)
        mean = (total[low + window] - total[low]) / window
        kept.append((mine - mean) / math.sqrt(1 - 1 / window))
    return np.concatenate(kept) if kept else u


def _refuse(name: str, rule: str, got: object, right: bool) -> None:
    if not right:
        raise InputError(name, rule, got)


def chance_of_false_alarm(run_length: float, reads: int) -> float:
    """Highest chance that a reader who does not change is alarmed within ``reads`` overlap reads.

    Example:
        >>> round(chance_of_false_alarm(40_000, 2_000), 3)
        0.049
    """
    return 1.0 - math.exp(-reads / run_length)
