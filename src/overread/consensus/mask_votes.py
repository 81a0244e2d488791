"""Votes of several cases below each other, and a temperature for models of votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from overread.arrays import Floats
from overread.consensus.calibration import INDEPENDENCE
from overread.consensus.mask_cases import CaseMasks
from overread.consensus.mask_patterns import Patterns, vote_patterns
from overread.consensus.staple import Region, Votes, votes_of

_ENOUGH_READERS = 4.0  # a case, up to which INDEPENDENCE counts in full
_TAUS = np.geomspace(0.02, 1.0, 60)


@dataclass(frozen=True, slots=True, eq=False)
class CaseVotes:
    """One case as patterns. ``votes`` counts all of the image, ``patterns`` its box."""

    masks: CaseMasks
    patterns: Patterns
    votes: Votes


def case_votes(masks: CaseMasks, n_classes: int, region: Region) -> CaseVotes:
    """Patterns of one case; what lies outside of the box is background for every reader."""
    planes = [masks.gold, *masks.masks] if masks.gold is not None else list(masks.masks)
    patterns = vote_patterns(planes, n_classes)
    known = np.full(len(patterns.said), -1)
    said = patterns.said
    if masks.gold is not None:
        known, said = said[:, 0].astype(int), said[:, 1:]
    count = patterns.count.copy()
    empty = np.flatnonzero((said == 0).all(axis=1) & (known <= 0))
    if masks.outside and not empty.size:
        zero = np.zeros((1, said.shape[1]), said.dtype)
        said, count = np.vstack([said, zero]), np.r_[count, 0]
        known = np.r_[known, 0 if masks.gold is not None else -1]
        empty = np.array([len(said) - 1])
    if masks.outside:
        count[empty[0]] += masks.outside
    whole = Patterns(patterns.code, patterns.key, patterns.top, said, count)
    votes = votes_of(
        whole, n_classes, region=region, weight=masks.share, reader=masks.reader, known=known
    )
    return CaseVotes(masks, patterns, votes)


def stacked(cases: Sequence[CaseVotes]) -> Votes:
    """All cases as one set of patterns; a column is a reader's first, second, ... read."""
    n_readers = max(one.votes.n_readers for one in cases)
    place = [_columns(one.votes, n_readers) for one in cases]
    n_columns = max(int(one.max()) for one in place) + 1
    total = sum(len(one.votes.said) for one in cases)
    said = np.full((total, n_columns), -1, dtype=np.int16)
    weight = np.zeros((total, n_columns))
    row = 0
    for one, columns in zip(cases, place, strict=True):
        rows = slice(row, row + len(one.votes.said))
        said[rows, columns] = one.votes.said
        weight[rows, columns] = one.votes.weight
        row = rows.stop
    return Votes(
        said,
        weight,
        np.arange(n_columns) % n_readers,
        np.concatenate([one.votes.count for one in cases]),
        np.concatenate([one.votes.prior for one in cases]),
        np.concatenate([one.votes.known for one in cases]),
    )


def _columns(votes: Votes, n_readers: int) -> np.ndarray:
    seen = np.zeros(n_readers, dtype=np.int64)
    columns = np.empty(votes.reader.size, dtype=np.int64)
    for i, reader in enumerate(votes.reader):
        columns[i] = reader + n_readers * seen[reader]
        seen[reader] += 1
    return columns


def vote_temperature(cases: Sequence[tuple[Votes, Floats]], *, disputed: bool = False) -> float:
    """Temperature (at most 1) at which the posterior from the others best predicts each read.

    Each reader in turn is left out of a pattern; the posterior of the others, raised to tau,
    predicts the vote through the reader's confusion. With few readers a case it is at most what
    :data:`overread.consensus.calibration.INDEPENDENCE` says; 1 where no case has two readers.

    Args:
        cases: votes, and (readers, classes, classes) confusion of each.
        disputed: the model saw disagreement alone. Where the others agree, it is then certain
            that the reader left out does not: only pixels on which the others differ count.
    """
    score = np.zeros(_TAUS.size)
    for votes, confusion in cases:
        table = np.maximum(np.where(np.isnan(confusion), 1 / confusion.shape[1], confusion), 1e-12)
        part = np.stack([
            np.where(
                (said >= 0)[:, None], weight[:, None] * np.log(table[reader][:, said].T), 0.0
            )
            for said, weight, reader in zip(
                votes.said.T, votes.weight.T, votes.reader, strict=True
            )
        ])  # fmt: skip
        joint = np.log(np.maximum(votes.prior, 1e-12)) + part.sum(axis=0)
        used = (votes.count > 0) & (votes.known < 0)
        for c, reader in enumerate(votes.reader):
            same = votes.reader == reader
            rows = used & (votes.said[:, c] >= 0) & (votes.said[:, ~same] >= 0).any(axis=1)
            if disputed:
                rest = votes.said[:, ~same]
                lowest = np.where(rest < 0, 32767, rest).min(axis=1, initial=32767)
                rows &= lowest < rest.max(axis=1, initial=-1)
            if not rows.any():
                continue
            others = joint[rows] - part[same][:, rows].sum(axis=0)
            own = np.log(table[reader][:, votes.said[rows, c]].T)
            size = votes.count[rows] * votes.weight[rows, c]
            heated = _TAUS[:, None, None] * others
            hit = logsumexp(heated + own, axis=2) - logsumexp(heated, axis=2)
            score += hit @ size
    pairs = [np.unique(votes.reader).size for votes, _ in cases]
    cap = 1 - (1 - INDEPENDENCE) * min(1.0, _ENOUGH_READERS / float(np.mean(pairs)))
    if max(pairs) == 1:
        return 1.0
    return min(float(_TAUS[int(score.argmax())]), cap) if score.any() else cap


def heat(posterior: Floats, tau: float) -> Floats:
    """Raise rows to ``tau`` and renormalise."""
    hot = np.power(posterior, tau)
    return np.asarray(hot / hot.sum(axis=1, keepdims=True))
