"""Hours that people spent, have still to spend, and are spared where a model labels the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from overread.app.learning.progress import LearnedSoFar


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of people.

    Args:
        spent: reading so far; left: reading still advised; review: of what is not labelled then.
        by_hand: all cases read by hand.
    """

    spent: float
    left: float | None
    review: float | None
    by_hand: float

    @property
    def saved(self) -> float | None:
        """Share of the hours by hand that is not needed; None before there is advice."""
        if self.left is None or self.review is None or not self.by_hand:
            return None
        return 1 - (self.spent + self.left + self.review) / self.by_hand


def hours_of(
    times: Sequence[float], learned: LearnedSoFar | None, labelled: int, cases: int
) -> Hours | None:
    """Reckon them; None before the first read took any time.

    Args:
        times: seconds of each read so far.
        learned: with the advice; labelled: cases with a label, of ``cases``.
    """
    if not times or learned is None:
        return None
    costs, advice = learned.paces.costs, learned.advice
    spent, by_hand = sum(times) / 3600, cases * costs.label / 3600
    if advice is None or (advice.more is None and not advice.stop):
        return Hours(spent, None, None, by_hand)
    more = 0 if advice.stop else advice.more or 0
    rest = max(cases - labelled - more, 0)
    wrong = float(learned.curve.error(labelled + more)) if learned.curve else 0.0
    review = rest * (costs.review + wrong * costs.correct) / 3600
    return Hours(spent, more * costs.label / 3600, review, by_hand)
