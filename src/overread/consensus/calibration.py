"""Temperature of a class posterior: probabilities that mean what they say, without gold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from overread.arrays import Floats, Ints, grouped
from overread.consensus.held_out import LOWEST, left_out, most_predictive
from overread.errors import InputError
from overread.labels import ClassReads

INDEPENDENCE = 0.7
"""Highest temperature that a few reads a case may have without gold.

Readers err together on hard cases, and a model of independent readers takes their agreement for
accuracy. Up to four reads a case cannot show it (Albert and Dodd 2004), so that a round figure
stands in (of .5, .6, .7, .8 the best over the sets of benchmarks/calibration.py). It fades as
4 / reads a case, where held-out reads begin to tell.
"""

GOLD_SPREAD = 0.5
"""How far, in log tau (sd), gold is expected to move the temperature found without it."""

_READS_USED = 100_000  # more do not move the temperature by 1 %
_ENOUGH_READS = 4.0  # a case, up to which INDEPENDENCE counts in full
_CERTAIN = 500.0  # nats by which gold outweighs any reads
_FLOOR = 1e-12  # of a probability within a logarithm
_GRID = 15


@dataclass(frozen=True, slots=True)
class Temperature:
    """A temperature and where it comes from.

    Args:
        tau: in (0, 1]; a posterior p becomes p^tau, renormalised. 1 leaves it as it is.
        source: "held-out reads", "few reads" (the cap for few reads a case), "gold" or "none".
        n_used: held-out reads (or gold cases) it rests on.
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
    borrowed: Floats | None = None,
    seed: int = 0,
) -> Temperature:
    """Find the temperature at which a posterior means what it says.

    Each read in turn is left out (with the same reader's repeats on that case). The posterior
    from the others, raised to tau and renormalised, predicts it through its reader's confusion;
    the case's own part in the confusions is taken out. tau maximises the likelihood of the reads
    so predicted. It never exceeds 1, nor what few reads a case allow (:data:`INDEPENDENCE`).
    With gold, tau maximises the likelihood of the gold times a log-normal prior around the tau
    found without it (:data:`GOLD_SPREAD`), so that one gold case moves it little, fifty rule it.

    Args:
        reads: repeats and "cannot be read" allowed.
        prevalence: (classes,), sums to 1.
        confusion: (readers, classes, classes) [reader, truth, said], rows sum to 1.
        gold: (cases,) codes, -1 where unknown.
        votes: soft votes; each (cases, classes) the log likelihood in nats that it adds.
        borrowed: (readers, classes) reads that each confusion row owes to other readers, other
            rows or a prior: a read taken out moves it by that much less. None is none, right for
            a model in which every row stands on its reader's own reads.
        seed: of the sample of cases, taken where there are more than 100,000 reads.
    Raises:
        InputError: shapes that do not fit the reads.
    Source:
        Guo et al. 2017, ICML (temperature scaling); Albert and Dodd 2004, Biometrics 60:427-435
        (few reads cannot show dependence); held-out reads in place of the truth: ours.
    """
    reads = reads.answered()
    _check(reads, prevalence, confusion, gold, votes)
    rows = np.zeros(np.shape(confusion)[:2]) if borrowed is None else np.asarray(borrowed, float)
    held = _hold_out(reads, prevalence, confusion, rows, votes=votes, gold=gold, seed=seed)
    without = from_held_out(held.others, held.said, held.n_cases)
    if gold is None:
        return without
    known = np.flatnonzero((gold >= 0) & (reads.index.reads_per_case() > 0))
    if not known.size:
        return without
    truth = np.asarray(gold)[known]
    joint = _gold_joint(reads, _prior(prevalence, votes, known), confusion, held, (known, truth))
    return from_gold(joint, truth, without.tau)


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


@dataclass(frozen=True, slots=True, eq=False)
class _HeldOut:
    """Held-out reads; see :func:`from_held_out`. ``count`` (readers, classes) expected reads."""

    others: Floats
    said: Floats
    n_cases: int
    count: Floats
    pooled: Floats


def _gold_joint(
    reads: ClassReads,
    prior: Floats,
    confusion: Floats,
    held: _HeldOut,
    gold: tuple[Ints, Ints],
) -> Floats:
    """(gold cases, classes) log joint, the gold cases' own part in the confusions taken out.

    Gold teaches the confusions: judged by them, it would seem easier than the other cases are.
    """
    known, truth = gold
    place = np.full(reads.index.n_cases, -1)
    place[known] = np.arange(known.size)
    rows = np.flatnonzero(place[reads.index.case] >= 0)
    reader, label, at = reads.index.reader[rows], reads.label[rows], place[reads.index.case[rows]]
    own = np.eye(prior.shape[1])[truth[at]]
    seen = np.maximum(confusion[reader, :, label] * held.count[reader] - own, 0.0)
    rest = np.maximum(held.count[reader] - own, 0.0)
    chance = (seen + held.pooled[:, label].T) / (rest + 1.0)
    joint = prior.copy()
    np.add.at(joint, at, np.log(np.maximum(chance, _FLOOR)))
    return joint


def _prior(prevalence: Floats, votes: Sequence[Floats], cases: Ints) -> Floats:
    prior = np.tile(np.log(np.maximum(prevalence, _FLOOR)), (cases.size, 1))
    for vote in votes:
        prior += np.asarray(vote)[cases]
    return prior


def from_gold(joint: Floats, truth: Ints, without: float) -> Temperature:
    """Temperature by gold: log-normal prior around the one found without, times the likelihood.

    Args:
        joint: (gold cases, classes) log posterior, up to a constant a case, gold not heard.
        truth: (gold cases,) codes.
        without: temperature found without the gold.
    """

    def chance(taus: Floats) -> Floats:
        heated = taus[:, None, None] * joint
        right = heated[:, np.arange(truth.size), truth] - logsumexp(heated, axis=2)
        return np.asarray(right.sum(axis=1))

    words = f"fitted to {truth.size} gold cases around the {without:.2f} found without them"
    return Temperature(best_with_gold(chance, without), "gold", int(truth.size), words)


def best_with_gold(chance: Callable[[Floats], Floats], without: float) -> float:
    """The temperature that gold and a log-normal prior around the one without it make best.

    Args:
        chance: (temperatures,) -> log chance of the gold at each.
        without: temperature found without the gold.
    """

    def score(taus: Floats) -> Floats:
        return np.asarray(chance(taus) - 0.5 * (np.log(taus / without) / GOLD_SPREAD) ** 2)

    return _best(score)


def _hold_out(
    reads: ClassReads,
    prevalence: Floats,
    confusion: Floats,
    borrowed: Floats,
    *,
    votes: Sequence[Floats],
    gold: Ints | None,
    seed: int,
) -> _HeldOut:
    cases, share, rows, start = _sample(reads, seed)
    reader, label = reads.index.reader[rows], reads.label[rows]
    prior = _prior(prevalence, votes, cases)
    if gold is not None:
        known = np.flatnonzero(gold[cases] >= 0)
        prior[known] -= _CERTAIN
        prior[known, gold[cases[known]]] += _CERTAIN
    log_confusion = np.log(np.maximum(confusion, _FLOOR))
    parts = left_out(start, reader, label, prior, log_confusion, confusion, borrowed, share)
    return _HeldOut(*parts)


def from_held_out(others: Floats, said: Floats, n_cases: int) -> Temperature:
    """Temperature by held-out reads, for any model of classes.

    Args:
        others: (held-out reads, classes) log posterior without the read, up to a constant.
        said: (held-out reads, classes) chance of what the read said, by true class.
        n_cases: cases that the reads belong to.
    """
    if not len(others):
        words = "no case has reads of two readers, so that no read can be held out: tau is 1"
        return Temperature(1.0, "none", 0, words)
    tau = most_predictive(others, said)
    a_case = len(others) / n_cases
    cap = 1 - (1 - INDEPENDENCE) * min(1.0, _ENOUGH_READS / a_case)
    if tau <= cap:
        words = f"fitted to {len(others)} held-out reads"
        return Temperature(tau, "held-out reads", len(others), words)
    words = (
        f"{len(others)} held-out reads say {tau:.2f}, but {a_case:.1f} reads a case cannot show "
        f"how far readers err together: {cap:.2f}. Gold answers would tell"
    )
    return Temperature(cap, "few reads", len(others), words)


def _sample(reads: ClassReads, seed: int) -> tuple[Ints, float, Ints, Ints]:
    """Cases that were read, the share of them taken, and their rows, case by case."""
    index = reads.index
    share = min(1.0, _READS_USED / max(index.n_reads, 1))
    cases = np.arange(index.n_cases)
    rows = np.arange(index.n_reads)
    if share < 1:
        size = max(1, int(index.n_cases * share))
        rng = np.random.default_rng(seed)
        cases = np.sort(rng.choice(index.n_cases, size, replace=False, shuffle=False))
        taken = np.zeros(index.n_cases, dtype=np.bool_)
        taken[cases] = True
        rows = np.flatnonzero(taken[index.case])
    place = np.searchsorted(cases, index.case[rows])
    order, start = grouped(place, cases.size)
    read = np.flatnonzero(np.diff(start))
    return cases[read], share, rows[order], np.r_[start[read], start[-1]]


def _best(score: Callable[[Floats], Floats]) -> float:
    """Best of a grid in log tau, then of a finer one around it; the score may have two humps."""
    low, high = np.log(LOWEST), 0.0
    for _ in range(3):
        grid = np.linspace(low, high, _GRID)
        best = int(np.argmax(score(np.exp(grid))))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, _GRID - 1)]
    return float(np.exp(grid[best]))
