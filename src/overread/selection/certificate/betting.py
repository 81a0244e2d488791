"""A bound that holds however often one looks: bets against "there are more errors than that".

Whoever claims that at least K of N labels are wrong is bet against, case by case, in the order of
the audit. If the claim is true the bettor's wealth rarely ever reaches 1 / alpha (Ville), so that
a claim whose bettor got there is ruled out: at any time, under any rule of stopping.

Source:
    Waudby-Smith & Ramdas 2020, NeurIPS 33, "Confidence sequences for sampling without
    replacement"; Waudby-Smith & Ramdas 2024, J. R. Stat. Soc. B 86:1-27, "Estimating means of
    bounded random variables by betting", section 5 (without replacement); Ville 1939.
"""

from __future__ import annotations

import numpy as np

from overread.arrays import Bools, Floats
from overread.errors import InputError
from overread.selection.certificate.bounds import check_confidence

RATIOS = (0.0, 0.125, 0.25, 0.5)
SHARES = (0.4, 0.2, 0.2, 0.2)
"""Bettors who think that the share of errors is so many times the claimed one, and their purses.

The first wins fastest and loses all at the first error; the others survive some.
"""


def anytime_upper(wrong: Bools, population: int, *, confidence: float = 0.95) -> Floats:
    """Upper bound on the share of errors after every audited case, valid for all at once.

    Args:
        wrong: (audited,) in the order of the audit; the order must be by lot.
        population: labels from which the audit is drawn, without replacement.
        confidence: that no bound of the whole sequence is ever too low.
    Returns:
        (audited,) shares; they fall, or stay, unless more errors are found than were left.
    """
    wrong = np.asarray(wrong, dtype=bool)
    if wrong.ndim != 1 or len(wrong) > population:
        raise InputError("audited cases", f"be at most {population}, in one row", wrong.shape)
    alpha = 1 - check_confidence(confidence)
    found = np.empty(len(wrong))
    bound = population  # rejected claims stay rejected
    for t in range(len(wrong)):
        low, high = int(wrong[: t + 1].sum()), bound
        if peak_wealth(wrong[: t + 1], bound, population) < 1 / alpha:
            low = bound  # as before
        # the wealth against K grows with K: the smallest ruled out is found by halving
        while low < high:
            middle = (low + high + 1) // 2
            if peak_wealth(wrong[: t + 1], middle, population) >= 1 / alpha:
                high = middle - 1
            else:
                low = middle
        bound = max(low, int(wrong[: t + 1].sum()))
        found[t] = bound / population
    return found


def anytime_upper_now(wrong: Bools, population: int, *, confidence: float = 0.95) -> float:
    """The last bound of :func:`anytime_upper` alone, fast."""
    alpha = 1 - check_confidence(confidence)
    wrong = np.asarray(wrong, dtype=bool)
    if len(wrong) > population:
        raise InputError("audited cases", f"be at most {population}, the population", len(wrong))
    low, high = 0, population
    while low < high:
        middle = (low + high + 1) // 2
        if peak_wealth(wrong, middle, population) >= 1 / alpha:
            high = middle - 1
        else:
            low = middle
    return max(low, int(wrong.sum())) / population


def peak_wealth(wrong: Bools, claimed: int, population: int) -> float:
    """Largest wealth, so far, of the bettors against "at least ``claimed`` labels are wrong".

    With m the share of errors left if the claim is just true, a bettor of ratio r multiplies the
    purse by (1 - r m) / (1 - m) at a right label and by r at a wrong one: fair when the claim is
    just true, a loss on average when there are more errors.
    """
    if not len(wrong):
        return 1.0
    before = np.concatenate([[0], np.cumsum(wrong)[:-1]])
    left = population - np.arange(len(wrong))
    m = (claimed - before) / left
    purse = np.zeros(len(wrong))
    for ratio, share in zip(RATIOS, SHARES, strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            right = np.log1p(-ratio * m) - np.log1p(-m)
            lost = np.log(ratio) if ratio > 0 else -np.inf
        step = np.where(wrong, lost, right)
        step = np.where(m <= 0, 0.0, step)  # the claim is proved already: no more bets
        step = np.where((m >= 1) & ~wrong, np.inf, step)  # a right label where none can be
        with np.errstate(invalid="ignore"):
            total = np.cumsum(step)
        purse += share * np.exp(np.minimum(np.where(np.isnan(total), -np.inf, total), 600))
    return float(purse.max())
