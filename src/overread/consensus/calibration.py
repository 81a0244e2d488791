"""Temperature of a class posterior: probabilities that mean what they say, without gold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numba
import numpy as np

from overread.arrays import Floats, Ints, grouped
from overread.errors import InputError
from overread.labels import ClassReads

LOWEST = 0.02
"""Smallest temperature tried: a posterior of .98 becomes .52 there."""

GOLD_ENOUGH = 10
"""Gold cases with reads from which on they, and not the held-out reads, set the temperature."""

_READS_USED = 100_000  # more do not move the temperature by 1 %
_FLOOR = 1e-12  # of a probability within a logarithm
_GRID = 15


@dataclass(frozen=True, slots=True)
class Temperature:
    """A temperature and where it comes from.

    Args:
        tau: in (0, 1]; a posterior p becomes p^tau, renormalised. 1 leaves it as it is.
        source: "held-out reads", "gold" or "none".
        n_used: reads (or gold cases) it rests on.
        words: the reason, in plain words.
    """

    tau: float
    source: str
    n_used: int
    words: str


def fit_temperature(
    reads: ClassReads,
    prevalence: Floats,
    confusion: Floats,
    *,
    gold: Ints | None = None,
    votes: Sequence[Floats] = (),
) -> float:
    """Temperature of the posterior of a Dawid-Skene kind of model; see :func:`temperature`."""
    return temperature(reads, prevalence, confusion, gold=gold, votes=votes).tau


def temperature(
    reads: ClassReads,
    prevalence: Floats,
    confusion: Floats,
    *,
    gold: Ints | None = None,
    votes: Sequence[Floats] = (),
    seed: int = 0,
) -> Temperature:
    """Find the temperature at which the posterior predicts a reader it has not heard.

    Each read in turn is left out (with the same reader's repeats on that case). The posterior
    from the others, raised to tau and renormalised, predicts it through its reader's confusion.
    tau maximises the likelihood of the reads so predicted. It never exceeds 1: an under-confident
    posterior is left as it is. With enough gold, tau maximises the likelihood of the gold.

    Args:
        reads: repeats and "cannot be read" allowed.
        prevalence: (classes,), sums to 1.
        confusion: (readers, classes, classes) [reader, truth, said], rows sum to 1.
        gold: (cases,) codes, -1 where unknown.
        votes: soft votes; each (cases, classes) the log likelihood in nats that it adds.
        seed: of the sample of cases, taken where there are more than 100,000 reads.
    Raises:
        InputError: shapes that do not fit the reads.
    Source:
        Guo et al. 2017, ICML (temperature scaling); held-out reads for the truth: ours.
    """
    reads = reads.answered()
    _check(reads, prevalence, confusion, gold, votes)
    log_confusion = np.log(np.maximum(confusion, _FLOOR))
    prior = np.broadcast_to(
        np.log(np.maximum(prevalence, _FLOOR)), (reads.index.n_cases, reads.n_classes)
    )
    for vote in votes:
        prior = prior + vote
    if gold is not None:
        known = np.flatnonzero((gold >= 0) & (reads.index.reads_per_case() > 0))
        if known.size >= GOLD_ENOUGH:
            return _by_gold(reads, prior, log_confusion, gold, known)
    return _by_held_out_reads(reads, prior, log_confusion, seed)


def apply_temperature(posterior: Floats, tau: float) -> Floats:
    """Raise to ``tau`` and renormalise: the order of the classes, and so the label, stays.

    Args:
        posterior: (cases, classes), rows sum to 1.
        tau: in (0, 1].
    Returns:
        (cases, classes), rows sum to 1.
    Raises:
        InputError: tau not in (0, 1].
    Example:
        >>> apply_temperature(np.array([[0.9, 0.1]]), 0.5).round(2).tolist()
        [[0.75, 0.25]]
    """
    if not 0 < tau <= 1:
        raise InputError("tau", "be in (0, 1]", tau)
    if tau == 1 or not posterior.size:
        return posterior
    flat = np.power(posterior / posterior.max(axis=1, keepdims=True), tau)
    return np.asarray(flat / flat.sum(axis=1, keepdims=True))


def _check(
    reads: ClassReads,
    prevalence: Floats,
    confusion: Floats,
    gold: Ints | None,
    votes: Sequence[Floats],
) -> None:
    n_classes, n_cases = reads.n_classes, reads.index.n_cases
    wanted: dict[str, tuple[Floats | Ints, tuple[int, ...]]] = {
        "prevalence": (prevalence, (n_classes,)),
        "confusion": (confusion, (reads.index.n_readers, n_classes, n_classes)),
    }
    if gold is not None:
        wanted["gold"] = (gold, (n_cases,))
    wanted |= {f"vote {i + 1}": (vote, (n_cases, n_classes)) for i, vote in enumerate(votes)}
    for name, (array, shape) in wanted.items():
        if np.shape(array) != shape:
            raise InputError(name, f"have shape {shape}", np.shape(array))


def _by_gold(
    reads: ClassReads, prior: Floats, log_confusion: Floats, gold: Ints, known: Ints
) -> Temperature:
    log_joint = prior.copy()
    index = reads.index
    rows = np.flatnonzero(np.isin(index.case, known))
    np.add.at(log_joint, index.case[rows], log_confusion[index.reader[rows], :, reads.label[rows]])
    joint, truth = log_joint[known], np.asarray(gold)[known]

    def score(taus: Floats) -> Floats:
        heated = taus[:, None, None] * joint
        top = heated.max(axis=2, keepdims=True)
        total = np.log(np.exp(heated - top).sum(axis=2)) + top[:, :, 0]
        return np.asarray((heated[:, np.arange(truth.size), truth] - total).sum(axis=1))

    tau = _best(score)
    return Temperature(tau, "gold", int(known.size), f"fitted to {known.size} gold cases")


def _by_held_out_reads(
    reads: ClassReads, prior: Floats, log_confusion: Floats, seed: int
) -> Temperature:
    index = reads.index
    order, start = grouped(index.case, index.n_cases)
    cases = np.flatnonzero(np.diff(start) > 1)
    n_reads = int(np.diff(start)[cases].sum())
    if n_reads > _READS_USED:
        share = _READS_USED / n_reads
        rng = np.random.default_rng(seed)
        cases = np.sort(rng.choice(cases, max(1, int(cases.size * share)), replace=False))
    others, said = _left_out(
        cases, start, order, index.reader, reads.label, np.ascontiguousarray(prior), log_confusion
    )
    if not len(others):
        return Temperature(
            1.0, "none", 0, "no case has reads of two readers, so no read can be held out: tau is 1"
        )
    tau = _best(lambda taus: _predictive(taus, others, said))
    words = f"fitted to {len(others)} held-out reads"
    return Temperature(tau, "held-out reads", len(others), words)


def _best(score: Callable[[Floats], Floats]) -> float:
    """Best of a grid in log tau, then of a finer one around it; the score may have two humps."""
    low, high = np.log(LOWEST), 0.0
    for _ in range(3):
        grid = np.linspace(low, high, _GRID)
        best = int(np.argmax(score(np.exp(grid))))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, _GRID - 1)]
    return float(np.exp(grid[best]))


@numba.njit(cache=True)
def _left_out(cases, start, order, reader, label, prior, log_confusion):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Log posterior (up to a constant) without each read, and the chance of the read by truth."""
    n_classes = prior.shape[1]
    size = 0
    for case in cases:
        size += start[case + 1] - start[case]
    others = np.empty((size, n_classes))
    said = np.empty((size, n_classes))
    used = 0
    total = np.empty(n_classes)
    for case in cases:
        rows = order[start[case] : start[case + 1]]
        total[:] = prior[case]
        for row in rows:
            total += log_confusion[reader[row], :, label[row]]
        for row in rows:
            left = 0
            others[used] = total
            for other in rows:
                if reader[other] == reader[row]:
                    others[used] -= log_confusion[reader[other], :, label[other]]
                    left += 1
            if left < rows.size:
                said[used] = np.exp(log_confusion[reader[row], :, label[row]])
                used += 1
    return others[:used], said[:used]


@numba.njit(cache=True)
def _predictive(taus, others, said):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """(taus,) summed log chance of the held-out reads."""
    score = np.zeros(taus.size)
    for read in range(others.shape[0]):
        top = others[read].max()
        for t in range(taus.size):
            total = 0.0
            hit = 0.0
            for k in range(others.shape[1]):
                weight = np.exp(taus[t] * (others[read, k] - top))
                total += weight
                hit += weight * said[read, k]
            score[t] += np.log(hit / total)
    return score
