"""How many cases show that readers agree better than a floor."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri, ndtr, ndtri

from overread.arrays import Floats
from overread.errors import InputError
from overread.planning.size import check_share
from overread.planning.variance import checked_prevalence, variance_of


def cases_to_show(
    expected: float,
    floor: float,
    *,
    prevalence: Sequence[float] | Floats,
    readers: int = 2,
    weights: str = "nominal",
    model: str = "worst",
    power: float = 0.8,
    level: float = 0.95,
) -> int:
    """Cases needed to show, one-sided, that kappa is above a floor when it is ``expected``.

    Args:
        floor: kappa that is to be ruled out; below ``expected``.
        power: chance to show it.
        model: "worst" is Flack's; the others need fewer cases, and believe more.
        prevalence, readers, weights: as in :func:`agreement_width`.
    Source:
        Flack et al. 1988, Psychometrika 53:321-325, eq. 4.
    Example:
        >>> cases_to_show(0.6, 0.4, prevalence=[0.2, 0.25, 0.55])
        101
    """
    _check_order(expected, floor, power)
    shares = checked_prevalence(np.asarray(prevalence, dtype=np.float64))
    spread = [
        math.sqrt(variance_of("kappa", k, shares, readers=readers, weights=weights, model=model))
        for k in (floor, expected)
    ]
    z = float(ndtri(level)), float(ndtri(power))
    return math.ceil(((z[0] * spread[0] + z[1] * spread[1]) / (expected - floor)) ** 2)


def cases_by_goodness_of_fit(
    expected: float, floor: float, *, prevalence: float, power: float = 0.8, level: float = 0.95
) -> int:
    """Cases of two readers and yes / no answers to tell kappa from a floor, two-sided.

    Holds for fewer cases than :func:`cases_to_show`, which is of first order.

    Source:
        Donner & Eliasziw 1992, Stat. Med. 11:1511-1519.
    Example:
        >>> cases_by_goodness_of_fit(0.7, 0.4, prevalence=0.5)
        74
    """
    _check_order(expected, floor, power)
    check_share("prevalence", prevalence)
    both = prevalence * (1 - prevalence)
    shift = both * (expected - floor)
    seen = (
        (shift, prevalence**2 + both * floor),
        (2 * shift, 2 * both * (1 - floor)),
        (shift, (1 - prevalence) ** 2 + both * floor),
    )
    per_case = sum(move**2 / chance for move, chance in seen)
    return math.ceil(_noncentrality(power, level) / per_case)


def _noncentrality(power: float, level: float) -> float:
    """Of a chi-square with one degree of freedom that is over its limit with this chance."""
    limit = math.sqrt(float(chdtri(1, 1 - level)))

    def short(shift: float) -> float:
        return power - float(ndtr(shift - limit) + ndtr(-shift - limit))

    return float(brentq(short, 0.0, limit + 10.0)) ** 2


def _check_order(expected: float, floor: float, power: float) -> None:
    if not 0 <= floor < expected < 1:
        got = f"{floor:g} and {expected:g}"
        raise InputError("floor and expected kappa", "have 0 <= floor < expected < 1", got)
    check_share("power", power)
