"""Soft votes: a model's class probabilities as one more reader, whose reliability is estimated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from overread.arrays import Floats, frozen
from overread.errors import InputError
from overread.labels import ClassReads


@dataclass(frozen=True, slots=True, eq=False)
class SoftVotes:
    """Class probabilities of every case by one model.

    A vote of probability q for a class counts as the share q of a read that says this class, so
    that a model that is sure and often wrong is found unreliable as a reader would be.

    Args:
        name: of the model.
        probability: (cases, classes), rows sum to 1; a row of nan is no vote.
    Raises:
        InputError: rows that are no probabilities.
    """

    name: str
    probability: Floats

    def __post_init__(self) -> None:
        p = np.asarray(self.probability, dtype=np.float64)
        if p.ndim != 2:
            raise InputError("votes", "have shape (cases, classes)", p.shape)
        given = ~np.isnan(p).all(axis=1)
        wrong = given & ~((p >= 0).all(axis=1) & (np.abs(p.sum(axis=1) - 1) < 1e-6))
        bad = np.flatnonzero(wrong)
        if bad.size:
            got = np.array2string(p[bad[0]], precision=4)
            raise InputError("votes", "be 0 or more and sum to 1 in each row", got, rows=bad + 1)
        object.__setattr__(self, "probability", frozen(p))

    @property
    def n_votes(self) -> int:
        """Number of cases that the model voted on."""
        return int((~np.isnan(self.probability).any(axis=1)).sum())


def check_votes(reads: ClassReads, votes: Sequence[SoftVotes]) -> None:
    """Refuse votes on other cases or classes than the reads'."""
    shape = (reads.index.n_cases, reads.n_classes)
    for vote in votes:
        if vote.probability.shape != shape:
            raise InputError("votes", f"have shape {shape}", vote.probability.shape)
