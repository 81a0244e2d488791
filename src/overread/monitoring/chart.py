"""One reader's chart of one metric: what it knows of the reader, and its running sums.

Three questions run side by side. *Change*: has the reader left his own level (CUSUM,
self-starting)? *Slow change*: the same with a long memory (EWMA). *Level*: does the reader differ
from the pool by more than readers do (CUSUM against the pool)? All functions are pure; a chart is
plain numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from scipy.special import ndtri, stdtr

Side = Literal["up", "down"]
Question = Literal["change", "slow", "level"]

FAR = 4.0
"""Standard deviations: an observation farther out counts as this."""

_PRIOR_SD_READS = 10.0  # reads that the pool's spread counts for, when learning a reader's own


@dataclass(frozen=True, slots=True)
class Chart:
    """State of one metric of one reader.

    Args:
        n: observations learned from; for numbers ``total`` and ``square`` are the sums of the
            standardised values and their squares, for rates of what was seen and expected.
        up, down: CUSUM of a change; slow_up, slow_down: EWMA; level_up, level_down: CUSUM
            against the pool.
        accepted: level that a lead has accepted, in standard deviations (numbers) or log odds.
        own: a level was accepted, so that the reader is no longer held to the pool's.
    """

    n: int = 0
    total: float = 0.0
    square: float = 0.0
    up: float = 0.0
    down: float = 0.0
    slow_up: float = 0.0
    slow_down: float = 0.0
    level_up: float = 0.0
    level_down: float = 0.0
    accepted: float = 0.0
    own: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """Where one metric's charts alarm, and how they count.

    Args:
        rate: the metric is a rate.
        between: spread of readers' levels, see :class:`overread.monitoring.case_mix.Usual`.
        k: reference value of the change chart, in standard deviations.
        smoothing: of the EWMA.
        odds: odds ratio that the charts of a rate look for.
        k_level: reference value of the level chart, in standard deviations.
        change_up ... level_down: limits; None where that side is no alarm. Those of the EWMA are
            in its own unit.
    """

    rate: bool
    between: float
    k: float
    smoothing: float
    odds: float
    k_level: float
    change_up: float | None = None
    change_down: float | None = None
    slow_up: float | None = None
    slow_down: float | None = None
    level_up: float | None = None
    level_down: float | None = None

    def prior_reads(self) -> float:
        """Reads that the pool counts for, when learning a reader's own level."""
        return 1.0 / min(max(self.between, 0.2), 1.4) ** 2


def step_number(limits: Limits, chart: Chart, z: float) -> tuple[Chart, float]:
    """Take one observation of a number.

    The reader's level and spread are unknown and learned on the way: given all observations so
    far, the next follows a t distribution (normal observations, conjugate prior at the pool), and
    what it says is turned into a standard normal. These are independent in control, exactly under
    the model, from the first read on.

    Args:
        z: value less what is expected of the case, in spreads of the pool.
    Returns:
        the chart, and the standardised observation.
    Source:
        Hawkins 1987, The Statistician 36:299-316 (self-starting CUSUM); the prior as in Dawid
        1984, J. R. Stat. Soc. A 147:278-292 (prequential).
    """
    z = min(max(z, -FAR), FAR)
    mean, sd, weight = level_of(limits, chart)
    t = (z - mean) / (sd * math.sqrt(1 + 1 / weight))
    tail = float(stdtr(_PRIOR_SD_READS + chart.n, -abs(t)))
    u = min(-float(ndtri(max(tail, 1e-12))), FAR) * (1 if t > 0 else -1)
    off = z / max(sd, 1.0)  # who scatters more than others is not off for it
    keep, lam = 1 - limits.smoothing, limits.smoothing
    return Chart(
        chart.n + 1,
        chart.total + z,
        chart.square + z * z,
        max(0.0, chart.up + u - limits.k),
        max(0.0, chart.down - u - limits.k),
        max(0.0, keep * chart.slow_up + lam * u),
        max(0.0, keep * chart.slow_down - lam * u),
        0.0 if chart.own else max(0.0, chart.level_up + off - limits.k_level),
        0.0 if chart.own else max(0.0, chart.level_down - off - limits.k_level),
        chart.accepted,
        chart.own,
    ), u


def step_rate(limits: Limits, chart: Chart, seen: float, expected: float) -> tuple[Chart, float]:
    """Take one observation of a rate.

    The charts add up the log likelihood ratio of raised odds against the reader's own (change) or
    the pool's (level), given the case. A share between 0 and 1 counts as so much of a yes; that
    only makes the chart more careful.

    Args:
        seen: 0, 1, or a share between.
        expected: rate that is usual for the case.
    Source:
        Steiner, Cook, Farewell & Treasure 2000, Biostatistics 1:441-452 (risk-adjusted CUSUM).
    """
    own, _, _ = level_of(limits, chart)
    p = at_odds(expected, own)
    pool = at_odds(expected, 0.0)
    beyond = limits.odds * math.exp(min(limits.between, 1.0))
    u = (seen - p) / math.sqrt(p * (1 - p))
    return Chart(
        chart.n + 1,
        chart.total + seen,
        chart.square + expected,
        max(0.0, chart.up + log_ratio(seen, p, limits.odds)),
        max(0.0, chart.down + log_ratio(seen, p, 1 / limits.odds)),
        max(0.0, (1 - limits.smoothing) * chart.slow_up + limits.smoothing * u),
        max(0.0, (1 - limits.smoothing) * chart.slow_down - limits.smoothing * u),
        0.0 if chart.own else max(0.0, chart.level_up + log_ratio(seen, pool, beyond)),
        0.0 if chart.own else max(0.0, chart.level_down + log_ratio(seen, pool, 1 / beyond)),
        chart.accepted,
        chart.own,
    ), min(max(u, -FAR), FAR)


def level_of(limits: Limits, chart: Chart) -> tuple[float, float, float]:
    """A reader's own level as learned so far, shrunk towards the pool.

    Returns:
        the level against the pool, in spreads (numbers) or log odds (rates); the spread, as a
        multiple of the pool's (1 for rates); the reads behind the level, the prior's counted.
    """
    prior = limits.prior_reads()
    if limits.rate:
        return _odds_of(chart, prior, chart.accepted), 1.0, prior + chart.n
    weight = prior + chart.n
    mean = (prior * chart.accepted + chart.total) / weight
    rest = chart.square + prior * chart.accepted**2 - weight * mean * mean
    variance = (_PRIOR_SD_READS + max(rest, 0.0)) / (_PRIOR_SD_READS + chart.n)
    return mean, math.sqrt(variance), weight


def alarms_of(limits: Limits, chart: Chart) -> list[tuple[float, Question, Side]]:
    """Questions answered with yes: how far beyond the limit (1 is at it), which, which side."""
    found: list[tuple[float, Question, Side]] = []
    for value, limit, question, side in sums_of(limits, chart):
        if limit is not None and value > limit:
            found.append((value / limit, question, side))
    return found


def sums_of(limits: Limits, chart: Chart) -> tuple[tuple[float, float | None, Question, Side], ...]:
    """Every running sum with its limit."""
    return (
        (chart.up, limits.change_up, "change", "up"),
        (chart.down, limits.change_down, "change", "down"),
        (chart.slow_up, limits.slow_up, "slow", "up"),
        (chart.slow_down, limits.slow_down, "slow", "down"),
        (chart.level_up, limits.level_up, "level", "up"),
        (chart.level_down, limits.level_down, "level", "down"),
    )


def restarted(limits: Limits, chart: Chart, *, head_start: float) -> Chart:
    """The chart as it goes on after a release.

    Args:
        head_start: share of each limit at which the sums begin (fast initial response): 0.5 finds
            a reader who has not changed back sooner; 0 without need.
    Source:
        Lucas & Crosier 1982, Technometrics 24:199-205.
    """
    level = 0.0 if chart.own else head_start
    return replace(
        chart,
        up=head_start * (limits.change_up or 0.0),
        down=head_start * (limits.change_down or 0.0),
        slow_up=0.0,
        slow_down=0.0,
        level_up=level * (limits.level_up or 0.0),
        level_down=level * (limits.level_down or 0.0),
    )


def accepted(limits: Limits, n: int, total: float, square: float) -> Chart:
    """A chart whose reader's level is what these observations say; the pool counts no more.

    Args:
        n, total, square: as in :class:`Chart`, of the reads since the change.
    """
    chart = Chart(n, total, square, own=True)
    level = _odds_of(chart, 1.0, 0.0) if limits.rate else total / (n + 1.0)
    return replace(chart, accepted=level)


def _odds_of(chart: Chart, prior: float, centre: float) -> float:
    """Log odds of a rate against what is usual, with ``prior`` reads at ``centre``."""
    usual = min(max(chart.square / chart.n, 0.002), 0.98) if chart.n else 0.5
    held = prior * at_odds(usual, centre)
    seen = min(max((chart.total + held) / (chart.n + prior), 0.002), 0.98)
    return math.log(seen / (1 - seen) * (1 - usual) / usual)


def at_odds(p: float, log_odds: float) -> float:
    """The rate whose odds are exp(``log_odds``) times those of ``p``; within 0.002 .. 0.98."""
    odds = p / (1 - p) * math.exp(min(max(log_odds, -5.0), 5.0))
    return min(max(odds / (1 + odds), 0.002), 0.98)


def log_ratio(seen: float, p: float, odds: float) -> float:
    """Log likelihood ratio of odds raised ``odds``-fold against rate ``p``.

    Example:
        >>> round(log_ratio(1, 0.5, 3), 3), round(log_ratio(0, 0.5, 3), 3)
        (0.405, -0.693)
    """
    return seen * math.log(odds) - math.log(1 - p + odds * p)
