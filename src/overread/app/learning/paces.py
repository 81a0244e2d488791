"""Seconds of a read and of a review: measured once enough are timed, as the protocol says before.

A median, so that a lunch with a case open says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from overread.protocol.learning import Learning
from overread.selection.stopping import Costs
from overread.store import Store
from overread.store.learning.auto_labels import review_times

ENOUGH_TIMED = 10
"""Reads, and reviews, from which on the measured seconds take the place of those said."""

_USUAL_READ = 30.0
_LAST = 1_000  # savings of the film strip, a few labels each


@dataclass(frozen=True, slots=True)
class Pace:
    """How long one thing takes.

    Args:
        seconds: above 0.
        timed: how many were timed.
        measured: the seconds are the median of these.
        said: they are what the protocol says; where neither is so, they are a guess.
    """

    seconds: float
    timed: int
    measured: bool
    said: bool

    def words(self, what: str) -> str:
        """The seconds and where they are from. Args: what: "read" or "review"."""
        if self.measured:
            why = f"measured: the median of {self.timed:,}"
        elif self.said:
            why = f"as the protocol says: {self.timed} of {ENOUGH_TIMED} are timed"
        else:
            why = "a guess: none is timed yet"
        return f"{float(f'{self.seconds:.3g}'):g} s a {what} ({why})"


@dataclass(frozen=True, slots=True)
class Paces:
    """What reading and reviewing take. Args: reads: of each case that is labelled."""

    read: Pace
    review: Pace
    reads: int = 1

    @property
    def costs(self) -> Costs:
        """Seconds of a label with all its reads, of a review, and of a correction."""
        label = self.read.seconds * self.reads
        return Costs(label, self.review.seconds, label)


def paces_of(
    store: Store, project: str, wishes: Learning | None, read: Sequence[float], *, reads: int = 1
) -> Paces:
    """What a project's people need.

    Args:
        wishes: of its protocol; None where it learns nothing.
        read: seconds of single reads; those of 0 were not timed.
        reads: of each case that is labelled.
    """
    said = wishes or Learning("")
    looks = review_times(store, project, limit=_LAST)
    return Paces(read_pace(read, said.read_seconds), review_pace(looks, said.review_seconds), reads)


def read_pace(read: Sequence[float], said: float | None) -> Pace:
    """Of a read. Args: read: seconds of each; said: by the protocol, None where it does not."""
    times = [one for one in read if one > 0]
    if said is not None and len(times) < ENOUGH_TIMED:
        return Pace(said, len(times), measured=False, said=True)
    if not times:
        return Pace(_USUAL_READ, 0, measured=False, said=False)
    return Pace(float(np.median(times)), len(times), measured=True, said=False)


def review_pace(looks: Sequence[tuple[int, float]], said: float) -> Pace:
    """Of a review.

    Args:
        looks: labels looked at and their seconds, as the film strip saves several at a time.
        said: by the protocol.
    """
    timed = sum(count for count, _ in looks)
    if timed < ENOUGH_TIMED:
        return Pace(said, timed, measured=False, said=True)
    each = sorted((seconds / count, count) for count, seconds in looks)
    below = np.cumsum([count for _, count in each])
    middle = int(np.searchsorted(below, timed / 2))  # of all labels, not of the savings
    return Pace(each[middle][0], timed, measured=True, said=False)
