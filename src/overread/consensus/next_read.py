"""Which cases need another read, and whose: information gained per read, or per second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from overread.arrays import Bools, Floats, Ints
from overread.consensus.result import ClassConsensus, Consensus, Reliability
from overread.errors import InputError, MethodError
from overread.labels import ClassReads

_CHUNK = 65_536  # cases at a time: bounded memory


@dataclass(frozen=True, slots=True, eq=False)
class NextReads:
    """Cases in the order in which another read pays most; columns of one length.

    Args:
        case: index of the case.
        reader: index of the reader asked; -1 is an average reader.
        gain: expected fall of the case's entropy, nats.
        rate: gain per second; equal to ``gain`` where no seconds are given.
        change: chance that the most probable class changes.
        entropy: now, nats.
    """

    case: Ints
    reader: Ints
    gain: Floats
    rate: Floats
    change: Floats
    entropy: Floats


def next_reads(
    consensus: Consensus[ClassConsensus],
    *,
    reads: ClassReads | None = None,
    readers: str | tuple[str, ...] | None = None,
    seconds: Floats | None = None,
    top: int | None = None,
) -> NextReads:
    """Rank the cases by what one more read would tell.

    Args:
        consensus: of classes or grades, with confusions.
        reads: when given, no reader is asked for a case that this reader has read.
        readers: None for an average reader (confusions weighted by reads); "any" for the best of
            all; or the names of those at hand.
        seconds: (readers,) seconds a read takes each reader, above 0; then the ranking is by gain
            per second. With an average reader the mean of them changes nothing.
        top: only so many cases.
    Returns:
        One row a case, best first; ties in case order. Cases that nobody can be asked are left out.
    Raises:
        InputError: an unknown reader, or seconds that do not fit.
        MethodError: the consensus has no confusions (a majority vote has none).
    Source:
        Lindley 1956, Ann. Math. Stat. 27:986-1005 (expected information of an experiment);
        Goh and Mueller 2023, ICLR workshop (ActiveLab) for the question.
    """
    reliability = consensus.reliability
    confusion, asked = _confusions(reliability, readers)
    cost = _cost(seconds, asked, len(reliability.readers))
    taken = _taken(reads, asked, len(consensus.posterior)) if reads is not None else None
    n_cases = len(consensus.posterior)
    best = np.full(n_cases, -np.inf)
    reader, gain, change = np.full(n_cases, -1), np.zeros(n_cases), np.zeros(n_cases)
    for row, of_reader in enumerate(confusion):
        told, changed = expected_gain(consensus.posterior, of_reader)
        rate = told / cost[row]
        if taken is not None:
            rate = np.where(taken[:, row], -np.inf, rate)
        better = rate > best
        best = np.where(better, rate, best)
        reader = np.where(better, asked[row], reader)
        gain, change = np.where(better, told, gain), np.where(better, changed, change)
    order = np.argsort(-best, kind="stable")
    order = order[np.isfinite(best[order])][:top]
    columns = (reader, gain, best, change, consensus.entropy)
    return NextReads(order, *(column[order] for column in columns))


def expected_gain(posterior: Floats, confusion: Floats) -> tuple[Floats, Floats]:
    """What one read tells of each case: information, and the chance of a new consensus class.

    The gain is the mutual information of truth and answer, H(answer) - H(answer | truth); it is
    the expected fall of the posterior's entropy.

    Args:
        posterior: (cases, classes), rows sum to 1.
        confusion: (classes, classes) [truth, said], rows sum to 1.
    Returns:
        (cases,) nats, at least 0; (cases,) chance.
    Example:
        >>> gain, change = expected_gain(np.array([[0.5, 0.5]]), np.eye(2))
        >>> bool(np.isclose(gain[0], np.log(2))), float(change[0])
        (True, 0.5)
    """
    noise = -_xlogx(confusion).sum(axis=1)
    gain, change = np.empty(len(posterior)), np.empty(len(posterior))
    for first in range(0, len(posterior), _CHUNK):
        rows = slice(first, first + _CHUNK)
        now = posterior[rows]
        said = now @ confusion
        gain[rows] = -_xlogx(said).sum(axis=1) - now @ noise
        joint = now[:, :, None] * confusion[None, :, :]
        # A class changes only when another is truly better, not at a tie.
        held = np.take_along_axis(joint, now.argmax(axis=1)[:, None, None], axis=1)[:, 0]
        overtaken = joint.max(axis=1) > held * (1 + 1e-12)
        change[rows] = (said * overtaken).sum(axis=1)
    return np.maximum(gain, 0.0), change


def _xlogx(p: Floats) -> Floats:
    return np.asarray(p * np.log(np.where(p > 0, p, 1.0)))


def _confusions(
    reliability: Reliability, readers: str | tuple[str, ...] | None
) -> tuple[Floats, Ints]:
    """(asked, classes, classes) and the readers' indices; -1 is the average reader."""
    if reliability.confusion is None:
        raise MethodError(
            "this consensus has no confusion of its readers; use a model such as dawid_skene"
        )
    known = reliability.readers
    if readers is None:
        weight = reliability.reads / max(reliability.reads.sum(), 1)
        average = np.einsum("r,rkx->kx", weight, reliability.confusion)
        return average[None], np.array([-1])
    names = known if readers == "any" else (readers,) if isinstance(readers, str) else readers
    missing = [name for name in names if name not in known]
    if missing or not names:
        got = f"{len(missing)} unknown" if names else "none"
        raise InputError("readers", "be readers of the consensus, by name", got)
    asked = np.array([known.index(name) for name in names])
    return reliability.confusion[asked], asked


def _cost(seconds: Floats | None, asked: Ints, n_readers: int) -> Floats:
    if seconds is None or asked[0] < 0:
        return np.ones(asked.size)
    if np.shape(seconds) != (n_readers,):
        raise InputError("seconds", f"have {n_readers} entries, one a reader", np.shape(seconds))
    cost = np.asarray(seconds, dtype=np.float64)[asked]
    if not np.all(cost > 0):
        raise InputError("seconds", "be above 0", float(cost[~(cost > 0)][0]))
    return cost


def _taken(reads: ClassReads, asked: Ints, n_cases: int) -> Bools:
    """(cases, asked) true where the reader has read the case; the average reader never has."""
    if reads.index.n_cases != n_cases:
        raise InputError("reads", f"have the {n_cases} cases of the consensus", reads.index.n_cases)
    taken = np.zeros((n_cases, asked.size), dtype=np.bool_)
    for row, reader in enumerate(asked):
        taken[reads.index.case[reads.index.reader == reader], row] = True
    return taken
