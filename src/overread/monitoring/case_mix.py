"""Case mix: what to expect of a read given its case, and how far readers scatter around it.

A hard case makes every reader look worse. Each metric is modelled as a sum of effects (numbers)
or a product (rates, and the variance of numbers) of the case's class, its size, how much the
*others* disagree on it and how many they are; effects are shrunk, so that a rare class says little.
Readers are an effect of their own while fitting, so that who read what does not matter, and the
pool's level is the *median* of the readers': one who deviates does not move it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from overread.arrays import Floats, Ints
from overread.monitoring.observations import Metric, Observations

_SHRINK = 20.0  # observations that a level of a feature needs to be half believed
_ROUNDS = 4
_FAR = 4.0  # standard deviations; what lies farther counts as that
_FEWEST = 10  # observations of a reader before the reader counts for the pool's level
_AMOUNTS = (0.25, 0.5, 0.75, 0.9, 0.97)
_LOW, _HIGH = 0.005, 0.95  # of a rate

Effects = tuple[tuple[float, ...], ...]
"""One tuple of effects a feature, one entry a level of it."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual of one metric.

    Args:
        centre: of the pool of readers; a mean, or a rate.
        spread: standard deviation within a reader; 0 for rates.
        between: standard deviation of readers' true levels: in ``spread`` (numbers), or of the
            log odds (rates).
        centre_effects: added to the centre (numbers), or multiplying it (rates).
        spread_effects: multiplying the variance.
        n: observations behind it.
    """

    centre: float
    spread: float
    between: float
    centre_effects: Effects
    spread_effects: Effects
    n: int


@dataclass(frozen=True, slots=True)
class CaseMix:
    """What is usual, metric by metric.

    Args:
        metrics: all that are measured.
        usual: one a metric; None where there are too few observations.
        classes: number of reference classes.
        size_edges, doubt_edges, amount_edges: cut points of those features (amount: the
            reference as a number, such as how many marks the others made).
    """

    metrics: tuple[Metric, ...]
    usual: tuple[Usual | None, ...]
    classes: int
    size_edges: tuple[float, ...]
    doubt_edges: tuple[float, ...]
    amount_edges: tuple[float, ...]

    def levels(self, seen: Observations) -> Ints:
        """(n, 5) level of each case's class, size, doubt, amount, number of others; 0: unknown."""
        size = _binned(seen.size, self.size_edges)
        doubt = _binned(seen.doubt, self.doubt_edges)
        amount = _binned(seen.reference, self.amount_edges)
        klass = np.clip(seen.reference_class, -1, self.classes - 1) + 1
        return np.column_stack([klass, size, doubt, amount, np.minimum(seen.others, 3)])

    def standardise(self, seen: Observations) -> tuple[Floats, Floats]:
        """Expected value and spread of every metric of every observation.

        Returns:
            (n, metrics) expected; (n, metrics) spread (numbers), or 1 (rates); nan where unknown.
        """
        levels = self.levels(seen)
        expected, spread = np.full((2, seen.n, len(self.metrics)), np.nan)
        for place, (metric, usual) in enumerate(zip(self.metrics, self.usual, strict=True)):
            if usual is None:
                continue
            product = metric.form == "rate"
            effect = _effect_of(usual.centre_effects, levels, product=product)
            if product:
                expected[:, place] = np.clip(usual.centre * effect, _LOW, _HIGH)
                spread[:, place] = 1.0
            else:
                expected[:, place] = usual.centre + effect
                factor = _effect_of(usual.spread_effects, levels, product=True)
                spread[:, place] = usual.spread * np.sqrt(factor)
        return expected, spread


def fit_case_mix(seen: Observations, *, fewest: int = 30) -> CaseMix:
    """Learn what is usual from the reads of all readers together.

    Args:
        seen: of at least a few dozen reads of two readers or more.
        fewest: observations that a metric needs.
    """
    classes = int(seen.reference_class.max(initial=-1)) + 1
    edges = _cuts(seen.size, (1 / 3, 2 / 3)), _halves(seen.doubt), _cuts(seen.reference, _AMOUNTS)
    mix = CaseMix(seen.metrics, (None,) * len(seen.metrics), classes, *edges)
    levels = mix.levels(seen)
    usual = tuple(
        _fit(metric, seen.value[:, place], levels, seen.reader, fewest)
        for place, metric in enumerate(seen.metrics)
    )
    return CaseMix(mix.metrics, usual, classes, *edges)


def _fit(metric: Metric, value: Floats, levels: Ints, reader: Ints, fewest: int) -> Usual | None:
    known = ~np.isnan(value)
    if known.sum() < fewest:
        return None
    x, rows, who = value[known], levels[known], reader[known]
    if metric.form == "rate":
        return _fit_rate(x, rows, who)
    if np.ptp(x) <= 0:
        return None  # all alike: there is nothing to watch
    x = _winsorised(x)
    centre, levels_of, effects = _fit_sum(x, rows, who)
    rest = x - levels_of[who] - _effect_of(effects, rows, product=False)
    variance = max(float(np.mean(rest**2)), 1e-18)
    spread_effects = _fit_product(rest**2 / variance, rows)
    spread = float(np.sqrt(variance))
    between = _between(levels_of[np.unique(who)] - centre, spread, who)
    return Usual(centre, spread, between, effects, spread_effects, x.size)


def _fit_sum(x: Floats, rows: Ints, who: Ints) -> tuple[float, Floats, Effects]:
    """The pool's level, (readers,) the readers' and the features' effects, by backfitting."""
    level = np.zeros(int(who.max()) + 1)
    effects = _flat(rows, 0.0)
    for _ in range(_ROUNDS):
        level = _means(x - _effect_of(effects, rows, product=False), who, 0.0)
        for feature in range(rows.shape[1]):
            effects[feature] = np.zeros_like(effects[feature])
            rest = x - level[who] - _effect_of(effects, rows, product=False)
            effects[feature] = _means(rest, rows[:, feature], _SHRINK, effects[feature].size)
    return _pool_level(level, who), level, _frozen(effects)


def _fit_product(ratio: Floats, rows: Ints) -> Effects:
    """Effects whose product is the mean of ``ratio`` given the case, shrunk towards 1."""
    effects = _flat(rows, 1.0)
    for _ in range(_ROUNDS):
        for feature in range(rows.shape[1]):
            effects[feature] = np.ones_like(effects[feature])
            usual = _effect_of(effects, rows, product=True)
            size = effects[feature].size
            got = np.bincount(rows[:, feature], ratio, minlength=size)
            asked = np.bincount(rows[:, feature], usual, minlength=size)
            effects[feature] = (got + _SHRINK) / (asked + _SHRINK)
    return _frozen(effects)


def _fit_rate(x: Floats, rows: Ints, who: Ints) -> Usual:
    start = float(np.clip(x.mean(), _LOW, _HIGH))
    effects = _fit_product(x / start, np.column_stack([who, rows]))[1:]
    asked = np.clip(start * _effect_of(effects, rows, product=True), _LOW, _HIGH)
    many = np.bincount(who)
    got = np.bincount(who, x) + 1.0
    odds = np.log(got / (np.bincount(who, asked) + 1.0))  # of each reader, nearly the log odds
    centre = _pool_level(odds, who)
    enough = many >= _FEWEST
    noise = float(np.mean(1.0 / got[enough])) if enough.any() else 0.0
    between = _robust_sd(odds[enough] - centre)
    level = float(np.clip(start * np.exp(centre), _LOW, _HIGH))
    return Usual(level, 0.0, float(np.sqrt(max(between**2 - noise, 0.0))), effects, (), x.size)


def _between(level: Floats, spread: float, who: Ints) -> float:
    """Spread of the readers' true levels in units of ``spread``, without their sampling noise."""
    many = np.bincount(who)
    many = many[many > 0]
    enough = many >= _FEWEST
    if enough.sum() < 2:
        return 0.0
    noise = float(np.mean(1.0 / many[enough]))
    return float(np.sqrt(max(_robust_sd(level[enough] / spread) ** 2 - noise, 0.0)))


def _pool_level(level: Floats, who: Ints) -> float:
    many = np.bincount(who, minlength=level.size)
    enough = many >= _FEWEST
    return float(np.median(level[enough] if enough.any() else level[many > 0]))


def _robust_sd(value: Floats) -> float:
    """From the median absolute deviation; of few readers it is small, which is meant."""
    return 1.4826 * float(np.median(np.abs(value - np.median(value)))) if value.size else 0.0


def _winsorised(x: Floats) -> Floats:
    middle = float(np.median(x))
    reach = _FAR * _robust_sd(x)
    low, high = np.quantile(x, (0.01, 0.99))  # where most values are alike, the rest still counts
    return np.clip(x, min(low, middle - reach), max(high, middle + reach))


def _means(x: Floats, group: Ints, shrink: float, size: int = 0) -> Floats:
    count = np.bincount(group, minlength=size) + shrink
    total = np.bincount(group, x, minlength=size)
    return np.asarray(np.divide(total, count, out=np.zeros(count.size), where=count > 0))


def _flat(rows: Ints, value: float) -> list[Floats]:
    return [np.full(int(rows[:, f].max()) + 1, value) for f in range(rows.shape[1])]


def _frozen(effects: Sequence[Floats]) -> Effects:
    return tuple(tuple(float(v) for v in one) for one in effects)


def _effect_of(
    effects: Sequence[Sequence[float] | Floats], levels: Ints, *, product: bool
) -> Floats:
    """(n,) sum, or product, of the effects of each row's levels; an unknown level has none."""
    whole = np.full(len(levels), 1.0 if product else 0.0)
    for feature, effect in enumerate(effects):
        table = np.append(np.asarray(effect, dtype=float), 1.0 if product else 0.0)
        part = table[np.minimum(levels[:, feature], table.size - 1)]
        whole = whole * part if product else whole + part
    return whole


def _cuts(value: Floats, at: Sequence[float]) -> tuple[float, ...]:
    known = value[~np.isnan(value)]
    if known.size < 30:
        return ()
    return tuple(sorted({float(v) for v in np.quantile(known, at)}))


def _halves(value: Floats) -> tuple[float, ...]:
    """Others in agreement, a little apart, far apart."""
    known = value[~np.isnan(value)]
    apart = known[known > 0]
    if known.size < 30:
        return ()
    return (0.0, float(np.median(apart))) if apart.size else (0.0,)


def _binned(value: Floats, edges: Sequence[float]) -> Ints:
    """0 where unknown, else 1, 2, ...; a value on an edge belongs below."""
    level = np.searchsorted(np.asarray(edges, dtype=float), value, side="left") + 1
    return np.where(np.isnan(value), 0, level)
