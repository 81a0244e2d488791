"""One overlap read as the charts take it."""

from __future__ import annotations

from dataclasses import dataclass

Figures = tuple[float | None, ...]
"""One figure a metric; None where the read has none."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One read, compared with the others and put in proportion to its case.

    Args:
        row: in the read table.
        case: its name.
        away: value less what is expected of the case, in the metric's own unit.
        z: the same in standard deviations of the pool (of a rate: unscaled).
        usual: what is expected.
        standard: standardised against the reader's own level; put in by the chart.
        answer, reference: the read and its reference as one number each.
        number: place among the reader's overlap reads, from 0; put in by the chart.
    """

    row: int
    case: str
    away: Figures
    z: Figures
    usual: Figures
    standard: Figures = ()
    answer: float | None = None
    reference: float | None = None
    number: int = -1
