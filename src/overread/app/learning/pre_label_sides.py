"""Reads with a model's output and reads without it: two sides that are compared case by case.

The unit is the case (readers of one case are alike). Intervals are Wilson's for the mean of values
in 0 .. 1, which are at least as wide as for shares, and Newcombe's for the difference.

Source:
    Newcombe (1998) Interval estimation for the difference between independent proportions:
    comparison of eleven methods. Stat Med 17:873-890 (method 10).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from overread.agreement.proportions import wilson

LEAST_CASES = 5
"""Of each side, before their difference is told."""

SEEN, HIDDEN, UNASKED = "seen", "hidden", "unasked"
"""They saw it; the lot hid it; they might have asked and did not."""


@dataclass(frozen=True, slots=True)
class Use:
    """One read of a question with a pre-label.

    Attributes:
        arm: of :data:`SEEN`, :data:`HIDDEN`, :data:`UNASKED`.
        likeness: of the read and the pre-label, 0 to 1.
        changed: what was done with it; {} where it was not seen.
        marked: they had marked something before they saw it.
    """

    case: str
    reader: str
    arm: str
    likeness: float
    seconds: float
    changed: Mapping[str, int] = field(default_factory=dict[str, int])
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """Reads with, or without. Args: low, high: of the mean agreement, by case; NaN of none."""

    cases: int
    reads: int
    agreement: float
    low: float
    high: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Contrast:
    """Reads of one question where something was offered, beside those where the lot hid it.

    Args:
        seen: reads that saw it; hidden: those of cases where the lot hid it.
        offered: reads of all cases where it could be seen, asked for or not: what the lot compares.
        difference, low, high: of the agreement of these two, and its interval; NaN where a side has
            fewer than :data:`LEAST_CASES` cases.
    """

    question: str
    prompt: str
    seen: Side
    hidden: Side
    offered: Side
    difference: float
    low: float
    high: float


def sides_of(uses: Sequence[Use]) -> tuple[Side, Side, Side, float, float, float]:
    """Seen, hidden and offered, and the difference of the last two with its interval."""
    of = {arm: [one for one in uses if one.arm == arm] for arm in (SEEN, HIDDEN, UNASKED)}
    hidden, offered = side_of(of[HIDDEN]), side_of([*of[SEEN], *of[UNASKED]])
    told = min(offered.cases, hidden.cases) >= LEAST_CASES
    apart = difference(offered, hidden) if told else (math.nan, math.nan, math.nan)
    return side_of(of[SEEN]), hidden, offered, *apart


def unmarked(saw: Sequence[Use]) -> float:
    """Share of the reads that saw it before they had marked anything; NaN of none."""
    return float(np.mean([not one.marked for one in saw])) if saw else math.nan


def side_of(uses: Sequence[Use]) -> Side:
    """Mean agreement by case, with its interval."""
    if not uses:
        return Side(0, 0, math.nan, math.nan, math.nan, math.nan)
    by_case: dict[str, list[float]] = {}
    for one in uses:
        by_case.setdefault(one.case, []).append(one.likeness)
    means = [float(np.mean(each)) for each in by_case.values()]
    mean = float(np.mean(means))
    low, high = wilson(mean * len(means), len(means))
    seconds = float(np.median([one.seconds for one in uses]))
    return Side(len(means), len(uses), mean, low, high, seconds)


def difference(one: Side, other: Side) -> tuple[float, float, float]:
    """One mean less another, with Newcombe's interval (his method 10)."""
    apart = one.agreement - other.agreement
    low = math.hypot(one.agreement - one.low, other.high - other.agreement)
    high = math.hypot(one.high - one.agreement, other.agreement - other.low)
    return apart, max(-1.0, apart - low), min(1.0, apart + high)
