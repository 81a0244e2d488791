"""How many reads a case gets where that is decided while readers read: its ``reads:`` block."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OnDemand:
    """Reads on demand: after each read, stop when the consensus is sure, else ask for one more.

    Args:
        at_least: reads that each case gets, sure or not.
        at_most: reads of a case at most.
        sure: probability of the consensus at which no more is asked.
        loss: no more is asked, too, where all reads that are left would make the consensus right
            more often by no more than this.
    """

    at_least: int = 2
    at_most: int = 4
    sure: float = 0.95
    loss: float = 0.0
