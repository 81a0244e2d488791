"""Bland-Altman: the difference of two readers, its limits of agreement, and repeatability."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from overread.agreement.estimate import Estimate
from overread.arrays import Floats

_LARGE = 500  # from here the normal approximation is as good as the noncentral t


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """Repeat reads of one reader. Args: variance within cells, its df, mean of 1 / reads a cell."""

    variance: float = 0.0
    df: int = 0
    inverse: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class BlandAltman:
    """Difference of two readers' scores.

    Args:
        first, second: names; the difference is first minus second.
        bias: mean difference.
        lower, upper: limits between which 95 % of the differences of single reads lie.
        mean, difference: (cases,) what a plot shows; repeats averaged.
    """

    first: str
    second: str
    bias: Estimate
    lower: Estimate
    upper: Estimate
    mean: Floats
    difference: Floats

    def estimates(self) -> tuple[Estimate, ...]:
        """Bias, lower and upper limit."""
        return self.bias, self.lower, self.upper


def bland_altman(
    one: Floats,
    two: Floats,
    names: tuple[str, str],
    *,
    repeats: tuple[Replicates, Replicates] | None = None,
    unit: str = "",
    share: float = 0.95,
    level: float = 0.95,
    scope: str = "",
) -> BlandAltman:
    """Bias and limits of agreement of two readers on the same cases.

    Args:
        one, two: (cases,) score of each reader, repeats averaged.
        names: of the readers.
        repeats: of both readers, when some cell holds repeats; the limits are for single reads.
        unit: of the scores.
        share: of the differences that lies between the limits.
        level: of the intervals.
        scope: of the estimates; "R1 | R2" by default.
    Source:
        Bland & Altman 1986, Lancet i:307-310, and 1999, Stat. Methods Med. Res. 8:135-160;
        exact intervals of the limits: Carkeet 2015, Optom. Vis. Sci. 92(3):e71-e80; with repeats:
        Zou 2013, Stat. Methods Med. Res. 22:630-642.
    Example:
        >>> pair = bland_altman(np.array([2.0, 4, 7]), np.array([1.0, 4, 5]), ("R1", "R2"))
        >>> pair.bias.value, round(pair.upper.value, 4)
        (1.0, 2.96)
    """
    difference, mean = one - two, (one + two) / 2
    n = difference.size
    scope = scope or f"{names[0]} | {names[1]}"
    base = {"level": level, "unit": unit, "n_cases": n, "n_readers": 2, "scope": scope}
    if n < 2:
        why = f"two readers need 2 common cases or more; they have {n}"
        gone = [
            Estimate(name, key, math.nan, undefined=why, **base)  # type: ignore[arg-type]
            for key, name in _NAMES.items()
        ]
        return BlandAltman(names[0], names[1], gone[0], gone[1], gone[2], mean, difference)
    centre, variance = float(difference.mean()), float(difference.var(ddof=1))
    se = math.sqrt(variance / n)
    reach = float(special.stdtrit(n - 1, (1 + level) / 2)) * se
    z = float(special.ndtri((1 + share) / 2))
    if repeats is None:
        spread, inner, outer, how = _exact(variance, n, z, level)
    else:
        spread, inner, outer, how = _with_repeats(variance, n, z, level, repeats)
    percent = f"{100 * share:g} %"
    warning = _trend(mean, difference)
    rows = (
        ("bias", centre, centre - reach, centre + reach, "t distribution"),
        ("limit_lower", centre - z * spread, centre - outer, centre - inner, how),
        ("limit_upper", centre + z * spread, centre + inner, centre + outer, how),
    )
    way = "higher" if centre >= 0 else "lower"
    words = {
        "bias": f"On average {names[0]} scores {abs(centre):.3g} {way} than {names[1]}.",
        "limit_lower": f"In {percent} of cases {names[0]} minus {names[1]} is above this.",
        "limit_upper": f"In {percent} of cases {names[0]} minus {names[1]} is below this.",
    }
    half = f"{100 * (1 + share) / 2:g} %"
    done = [
        Estimate(
            _NAMES[key],
            key,
            value,
            low,
            high,
            interval=interval,
            words=words[key].replace(percent, half),
            warning=warning,
            **base,  # type: ignore[arg-type]
        )
        for key, value, low, high, interval in rows
    ]
    return BlandAltman(names[0], names[1], done[0], done[1], done[2], mean, difference)


_NAMES = {
    "bias": "Bias (mean difference)",
    "limit_lower": "Lower limit of agreement",
    "limit_upper": "Upper limit of agreement",
}


def _exact(variance: float, n: int, z: float, level: float) -> tuple[float, float, float, str]:
    """SD, and the distances of the ends of a limit's interval from the bias."""
    spread = math.sqrt(variance)
    if n >= _LARGE:
        at = z * spread
        reach = float(special.ndtri((1 + level) / 2)) * spread
        reach *= math.sqrt(1 / n + z**2 / (2 * (n - 1)))
        return spread, at - reach, at + reach, "normal approximation (Bland & Altman 1986)"
    root = math.sqrt(n)
    inner, outer = (
        float(special.nctdtrit(n - 1, z * root, p)) * spread / root
        for p in ((1 - level) / 2, (1 + level) / 2)
    )
    return spread, inner, outer, "exact, noncentral t (Carkeet 2015)"


def _with_repeats(
    variance: float, n: int, z: float, level: float, repeats: tuple[Replicates, Replicates]
) -> tuple[float, float, float, str]:
    parts = [(variance, n - 1)] + [((1 - r.inverse) * r.variance, r.df) for r in repeats]
    total = sum(part for part, _ in parts)
    below = above = 0.0
    for part, df in parts:
        if df > 0:
            below += (part * (1 - df / float(special.chdtri(df, (1 - level) / 2)))) ** 2
            above += (part * (df / float(special.chdtri(df, (1 + level) / 2)) - 1)) ** 2
    spread = math.sqrt(total)
    least, most = (
        math.sqrt(max(total - math.sqrt(below), 0.0)),
        math.sqrt(total + math.sqrt(above)),
    )
    mean_part = float(special.ndtri((1 + level) / 2)) ** 2 * variance / n
    inner = z * spread - math.sqrt(mean_part + (z * (spread - least)) ** 2)
    outer = z * spread + math.sqrt(mean_part + (z * (most - spread)) ** 2)
    return spread, inner, outer, "variance estimates recovery, single reads (Zou 2013)"


def _trend(mean: Floats, difference: Floats) -> str:
    """Warn when the difference or its spread grows with the score."""
    if mean.size < 20 or np.ptp(mean) == 0 or np.ptp(difference) == 0:
        return ""
    from scipy import stats  # noqa: PLC0415 - half a second, for scores alone

    if stats.spearmanr(mean, difference).pvalue < 0.01:
        return (
            "The difference changes with the size of the score, so that one bias and one pair of "
            "limits mislead: look at the plot; percentages or logarithms may serve better."
        )
    off = np.abs(difference - difference.mean())
    if np.ptp(off) > 0 and stats.spearmanr(mean, off).pvalue < 0.01:
        return (
            "Readers differ more on larger (or smaller) scores, so that the limits are too wide "
            "at one end and too narrow at the other: look at the plot; try logarithms."
        )
    return ""
