"""How unsure a consensus is because its readers are known from few reads: posteriors, widened.

A point estimate of a reader's confusion takes what few reads happened to say for the truth, so that
a case looks surer than it is. Here confusions and prevalence are drawn from their posterior, and
a case counts as no surer than in nine of ten draws. With many reads the draws agree, and nothing
changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from overread.arrays import Floats, Ints

PRIOR_READS = 4.0
"""Reads that the usual reader counts for in each row of a reader's confusion: what a new reader is
like is known as badly as after four reads."""

DRAWS = 60
SURE_OF_DRAWS = 0.9
"""Share of the draws in which a case must be as sure as is said."""

_CASES = 2_000  # at a time: bounded memory


@dataclass(frozen=True, slots=True, eq=False)
class DrawnReaders:
    """Readers as they may be: the first of the draws is the mean, the last reader is anybody.

    Args:
        log_confusion: (readers + 1, said, draws + 1, truth).
        log_prevalence: (draws + 1, classes).
    """

    log_confusion: Floats
    log_prevalence: Floats


def draw_readers(
    posterior: Floats,
    case: Ints,
    reader: Ints,
    said: Ints,
    n_readers: int,
    *,
    draws: int = DRAWS,
    prior_reads: float = PRIOR_READS,
    seed: int = 0,
) -> DrawnReaders:
    """Draw confusions and prevalence from what reads and the posterior of their cases tell.

    Args:
        posterior: (cases, classes); rows sum to 1.
        case, reader, said: (reads,) codes; a class below 0 tells nothing.
        n_readers: how many there are.
        draws: of each confusion.
        prior_reads: weight of the usual reader in each row of a confusion.
        seed: of the draws.
    Source:
        Kim and Ghahramani 2012, AISTATS 22:619-627 (Bayesian classifier combination): rows of
        confusions are Dirichlet; the posterior of the cases stands in for their classes.
    """
    n_classes = posterior.shape[1]
    kept = said >= 0
    case, reader, said = case[kept], reader[kept], said[kept]
    counts = np.zeros((n_readers, n_classes, n_classes))
    for code in range(n_classes):
        mine = said == code
        np.add.at(counts[:, :, code], reader[mine], posterior[case[mine]])
    pooled = counts.sum(axis=0) + 0.5 + np.eye(n_classes)
    usual = pooled / pooled.sum(axis=1, keepdims=True)
    alpha = np.concatenate([counts, np.zeros((1, n_classes, n_classes))]) + prior_reads * usual
    random = np.random.default_rng(seed)
    rows = random.gamma(np.broadcast_to(alpha, (draws, *alpha.shape)))
    confusion = np.concatenate([alpha[None], rows])
    weight = posterior[np.unique(case)].sum(axis=0) + 1.0
    shares = np.concatenate([weight[None], random.gamma(weight, size=(draws, n_classes))])
    return DrawnReaders(
        np.ascontiguousarray(_log_shares(confusion).transpose(1, 3, 0, 2)), _log_shares(shares)
    )


def _log_shares(weights: Floats) -> Floats:
    floor = np.maximum(weights, 1e-12)
    return np.asarray(np.log(floor / floor.sum(axis=-1, keepdims=True)))


def doubt(
    drawn: DrawnReaders, case: Ints, reader: Ints, said: Ints, top: Ints, *, share: float = 0.9
) -> Floats:
    """By how much the log odds of each case's class fall short of their mean, at worst.

    Args:
        drawn: the readers.
        case, reader, said: (reads,) codes; a reader below 0 is nobody in particular, a class below
            0 tells nothing.
        top: (cases,) code of the class in question.
        share: of the draws in which the odds are no lower than that.
    Returns:
        (cases,) at least 0.
    """
    found = np.zeros(top.size)
    order = np.argsort(case, kind="stable")
    order = order[said[order] >= 0]
    for start in range(0, top.size, _CASES):
        stop = min(start + _CASES, top.size)
        here = order[np.searchsorted(case[order], start) : np.searchsorted(case[order], stop)]
        joint = np.repeat(drawn.log_prevalence[None], stop - start, axis=0)
        np.add.at(joint, case[here] - start, drawn.log_confusion[reader[here], said[here]])
        at = top[start:stop, None, None]
        of_top = np.take_along_axis(joint, at, axis=2)[..., 0]
        np.put_along_axis(joint, at, -np.inf, axis=2)
        odds = of_top - logsumexp(joint, axis=2)
        low = np.quantile(odds[:, 1:], 1 - share, axis=1)
        found[start:stop] = np.maximum(odds[:, 0] - low, 0.0)
    return found


def widened(posterior: Floats, doubts: Floats) -> Floats:
    """A posterior whose top class has its log odds lowered, the others raised in proportion.

    The top class stays on top: no class falls below an equal share.

    Args:
        posterior: (cases, classes), rows sum to 1.
        doubts: (cases,) as of :func:`doubt`, times the temperature of the posterior.
    Example:
        >>> widened(np.array([[0.9, 0.06, 0.04]]), np.array([1.0])).round(3).tolist()
        [[0.768, 0.139, 0.093]]
    """
    n_classes = posterior.shape[1]
    top = posterior.argmax(axis=1)[:, None]
    high = np.take_along_axis(posterior, top, axis=1)
    rest = np.maximum(1 - high, 1e-12)
    odds = high / rest * np.exp(-doubts[:, None])
    lower = np.maximum(odds / (1 + odds), np.minimum(high, 1 / n_classes))
    made = posterior * (1 - lower) / rest
    np.put_along_axis(made, top, lower, axis=1)
    return np.asarray(made / made.sum(axis=1, keepdims=True))
