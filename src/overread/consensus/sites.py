"""What the model of existence estimates, and what readers are believed to be before any read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, xlogy

from overread.arrays import Bools, Floats

FOUND, SEEN_BY_CHANCE = 0.75, 0.03
"""Chance that a reader marks a finding, and a look-alike, before any read is seen."""

READER_WEIGHT = 20.0  # sites that a reader's chance given the class is pulled by
_GROUP_WEIGHT = 40.0  # sites that the chances above weigh
RATE_WEIGHT = 10.0  # cases that the rates from vote shares weigh
CONFUSION_WEIGHT = 10.0  # marks that a reader's confusion is pulled by
NEVER = 1e-12
"""Chance that gold misses a finding, marks a look-alike or names a class wrongly."""


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """Parameters of the model. The first axis of two is 0 for findings, 1 for look-alikes.

    Args:
        rate: (2, classes) expected sites a case, marked or not.
        mark: (2, readers, classes) chance that a reader marks one.
        confusion: (readers, classes, classes) class said by true class, rows sum to 1.
        shape: of the gamma law of the cases' richness; small where findings crowd in few cases.
        live: (groups,) share of cases that are not normal.
        known: (readers,) who marks all that is there and nothing else, and is not learned (gold).
    """

    rate: Floats
    mark: Floats
    confusion: Floats
    shape: float
    live: Floats
    known: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Expected counts behind the parameters.

    Args:
        there: (2, readers, classes) sites in the cases that a reader read.
        marked: (2, readers, classes) of these, marked by the reader.
        said: (readers, classes, classes) marks by true class and class said.
    """

    there: Floats
    marked: Floats
    said: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Priors:
    """Where readers are pulled to.

    Args:
        mark: (2, readers, classes) chance to mark.
        confusion: (readers, classes, classes) marks by true class and class said, beforehand.
        rate: (2, classes) expected sites a case.
    """

    mark: Floats
    confusion: Floats
    rate: Floats


def group_priors(sites: Sites, counts: Counts | None, rate: Floats, *, tied: bool) -> Priors:
    """Where readers are pulled to: chance of the class times the reader's own leaning.

    Args:
        sites: the start.
        counts: what the readers did, or None before anything is known of it.
        rate: (2, classes) sites a case by vote shares.
        tied: one set of chances for all readers.
    """
    n_readers, k = sites.mark.shape[1:]
    spread = 0.15 / k
    told = np.full((k, k), spread) + (0.85 * np.eye(k))
    if counts is None:
        return Priors(sites.mark, np.tile(told * CONFUSION_WEIGHT, (n_readers, 1, 1)), rate)
    counts = of_free(counts, sites.known)
    pooled = counts.said.sum(axis=0) + told * CONFUSION_WEIGHT
    pooled /= pooled.sum(axis=1, keepdims=True)
    mark = np.stack(
        [
            _leanings(counts.marked[kind], counts.there[kind], usual, tied=tied)
            for kind, usual in enumerate((FOUND, SEEN_BY_CHANCE))
        ]
    )
    return Priors(mark, np.tile(pooled * CONFUSION_WEIGHT, (n_readers, 1, 1)), rate)


def of_free(counts: Counts, known: Bools) -> Counts:
    """Counts without those of the known reader."""
    if not known.any():
        return counts
    free = ~known
    return Counts(
        counts.there * free[:, None],
        counts.marked * free[:, None],
        counts.said * free[:, None, None],
    )


def _leanings(marked: Floats, there: Floats, usual: float, *, tied: bool) -> Floats:
    """(readers, classes) expected chance from the margins by class and by reader."""
    w = _GROUP_WEIGHT
    overall = (marked.sum() + w * usual) / (there.sum() + w)
    by_class = (marked.sum(axis=0) + w * overall) / (there.sum(axis=0) + w)
    rest = 0.5 / (there.sum() + 1.0)  # nobody is perfect beyond what all the reads can show

    def inside(chance: Floats) -> Floats:
        return np.clip(chance, min(rest, 1e-4), 1 - rest)

    if tied:
        return np.broadcast_to(inside(by_class), marked.shape).copy()
    expected = (there @ by_class + w * overall) / (there.sum(axis=1) + w)
    own = (marked.sum(axis=1) + w * overall) / (there.sum(axis=1) + w)
    lean = logit(inside(own)) - logit(inside(expected))
    return inside(np.asarray(expit(logit(inside(by_class)) + lean[:, None])))


def log_prior(sites: Sites, priors: Priors, *, tied: bool) -> float:
    """Log density of the parameters, up to a constant."""
    free = ~sites.known
    m, mark = priors.mark[:, free], sites.mark[:, free]
    chance = xlogy(m, mark) + xlogy(1 - m, 1 - mark)
    told = xlogy(priors.confusion[free], sites.confusion[free])
    readers = m.shape[1] if tied else 1  # tied readers have one prior between them
    rate = RATE_WEIGHT * (xlogy(priors.rate, sites.rate) - sites.rate).sum()
    return float(READER_WEIGHT * chance.sum() + told.sum()) / readers + float(rate)
