"""Reads on demand: stop when the posterior is sure, else ask the reader who helps most a second.

Pure decisions; the posterior and what a read would tell come from the consensus (through
:mod:`overread.app.analysis.reads_on_demand`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from overread.arrays import Bools, Floats, Ints
from overread.errors import InputError

SURE, SETTLED, ASK, SPENT = 0, 1, 2, 3
"""What becomes of a case: its class is sure; no reads left would help enough; one more read is
asked; nobody is left to ask, or no read allowed."""

_PATTERNS = 4096
WORDS = ("sure", "settled", "ask", "spent")


@dataclass(frozen=True, slots=True, eq=False)
class Asks:
    """Decision on each case.

    Args:
        state: (cases,) :data:`SURE`, :data:`SETTLED`, :data:`ASK` or :data:`SPENT`.
        reader: (cases,) whom to ask; -1 where nobody is asked.
        rate: (cases,) what that read is expected to bring a second; 0 where none is asked.
    """

    state: Ints
    reader: Ints
    rate: Floats


def decide(
    posterior: Floats,
    gain: Floats,
    available: Bools,
    *,
    reads: Ints,
    sure: float = 0.95,
    worth: Floats | None = None,
    loss: float = 0.0,
    least: int = 1,
    most: int | None = None,
    seconds: Floats | None = None,
) -> Asks:
    """Stop or ask, for each case by itself.

    A case is done when its class is sure, or when all the reads that could still be asked are not
    worth asking: reading all of them would make the consensus right more often by at most
    ``loss``. Over all cases, stopping then costs at most that much accuracy (if the model holds).

    Args:
        posterior: (cases, classes) calibrated, rows sum to 1.
        gain: (cases, readers) what a read would bring: expected rise of the chance to be right,
            or expected information in nats.
        available: (cases, readers) may be asked (qualified, at hand, has not read it).
        reads: (cases,) read so far.
        sure: stop when the top class reaches this probability; above 1 / classes, below 1.
        worth: (cases,) expected rise of the chance to be right by all the reads that could still
            be asked, see :func:`worth_of`; not looked at where it is not given.
        loss: accuracy that may be lost by stopping.
        least: reads of every case, sure or not.
        most: reads of a case at most; None is no limit.
        seconds: (readers,) a read of each takes; equal where not given.
    Returns:
        One decision a case. Ties go to the reader named first.
    Raises:
        InputError: shapes that do not fit, or numbers out of range.
    Source:
        Wald 1945, Ann. Math. Stat. 16:117-186 (sequential probability ratio test); Lindley 1956,
        Ann. Math. Stat. 27:986-1005 (information of an experiment).
    Example:
        >>> asks = decide(
        ...     np.array([[0.99, 0.01], [0.6, 0.4]]),
        ...     gain=np.array([[0.0, 0.0], [0.1, 0.2]]),
        ...     available=np.array([[True, True], [True, True]]),
        ...     reads=np.array([1, 1]),
        ...     seconds=np.array([5.0, 20.0]),
        ... )
        >>> [WORDS[s] for s in asks.state], asks.reader.tolist()
        (['sure', 'ask'], [-1, 0])
    """
    n_cases, n_readers = gain.shape
    _check(posterior, gain, available, reads, sure=sure, least=least, most=most)
    cost = np.ones(n_readers) if seconds is None else np.asarray(seconds, dtype=np.float64)
    if cost.shape != (n_readers,) or not np.all(cost > 0):
        raise InputError("seconds", f"be {n_readers} numbers above 0", np.shape(cost))
    rate = np.where(available, np.maximum(gain, 0.0) / cost, -np.inf)
    best = rate.argmax(axis=1) if n_readers else np.zeros(n_cases, dtype=np.int64)
    top = rate[np.arange(n_cases), best] if n_readers else np.full(n_cases, -np.inf)
    enough = reads >= least
    sure_now = enough & (posterior.max(axis=1) >= sure)
    settled = enough & (worth <= loss) if worth is not None else np.zeros(n_cases, dtype=np.bool_)
    spent = ~np.isfinite(top) | (False if most is None else reads >= most)
    state = np.select([sure_now, spent, settled], [SURE, SPENT, SETTLED], default=ASK)
    ask = state == ASK
    return Asks(state, np.where(ask, best, -1), np.where(ask, top, 0.0))


def rise(posterior: Floats, confusion: Floats) -> Floats:
    """Expected rise of the chance that the top class is right, by one read of each reader.

    Args:
        posterior: (cases, classes).
        confusion: (readers, classes, classes) [reader, truth, said], rows sum to 1.
    Returns:
        (cases, readers), at least 0; 0 where no answer of the reader would change the top class.
    Example:
        >>> found = rise(np.array([[0.5, 0.5], [0.9, 0.1]]), np.array([[[0.8, 0.2], [0.2, 0.8]]]))
        >>> found.round(2).tolist()
        [[0.3], [0.0]]
    """
    told = np.empty((len(posterior), len(confusion)))
    for reader, table in enumerate(confusion):
        joint = posterior[:, :, None] * table[None, :, :]
        told[:, reader] = joint.max(axis=1).sum(axis=1)
    return np.asarray(np.maximum(told - posterior.max(axis=1, keepdims=True), 0.0))


def worth_of(
    posterior: Floats, confusion: Floats, available: Bools, gain: Floats, *, left: Ints
) -> Floats:
    """Expected rise of the chance to be right, if all the reads still allowed were made.

    The expectation is over everything the readers may answer, independently given the truth.

    Args:
        posterior: (cases, classes).
        confusion: (readers, classes, classes) [reader, truth, said].
        available: (cases, readers) may be asked.
        gain: (cases, readers) the best are taken first, where fewer reads are allowed.
        left: (cases,) reads still allowed; at most so many that there are 4,096 patterns of
            answers, further ones are taken for worth nothing more.
    Returns:
        (cases,), at least 0.
    Example:
        >>> table = np.array([[[0.8, 0.2], [0.2, 0.8]]] * 2)
        >>> worth_of(
        ...     np.array([[0.7, 0.3], [0.97, 0.03]]), table, np.ones((2, 2), bool), np.ones((2, 2)),
        ...     left=np.array([2, 2]),
        ... ).round(3)
        array([0.164, 0.   ])
    """
    n_classes = posterior.shape[1]
    depth = max(int(np.log(_PATTERNS) / np.log(max(n_classes, 2))), 1)
    depth = min(depth, int(np.max(left, initial=0)), available.shape[1])
    order = np.argsort(np.where(available, -gain, np.inf), axis=1, kind="stable")[:, :depth]
    found = np.empty(len(posterior))
    rows = max(_PATTERNS * 64 // n_classes ** (depth + 1), 1)
    for start in range(0, len(posterior), rows):
        here = slice(start, start + rows)
        joint = posterior[here][:, None, :]
        for place in range(depth):
            reader = order[here, place]
            open_ = np.take_along_axis(available[here], reader[:, None], axis=1)[:, 0]
            open_ &= place < left[here]
            tables = np.where(open_[:, None, None], confusion[reader], 1 / n_classes)
            joint = joint[:, :, None, :] * np.swapaxes(tables, 1, 2)[:, None, :, :]
            joint = joint.reshape(len(joint), -1, n_classes)
        found[here] = joint.max(axis=2).sum(axis=1)
    return np.asarray(np.maximum(found - posterior.max(axis=1), 0.0))


def _check(
    posterior: Floats,
    gain: Floats,
    available: Bools,
    reads: Ints,
    *,
    sure: float,
    least: int,
    most: int | None,
) -> None:
    n_cases = len(posterior)
    for name, shape, wanted in (
        ("gain", gain.shape[:1], (n_cases,)),
        ("available", available.shape, gain.shape),
        ("reads", reads.shape, (n_cases,)),
    ):
        if shape != wanted:
            raise InputError(name, f"have shape {wanted}", shape)
    lowest = 1 / max(posterior.shape[1], 1)
    if not lowest < sure < 1:
        raise InputError("sure", f"be above {lowest:.2g} and below 1", f"{sure:g}")
    if least < 0 or (most is not None and most < max(least, 1)):
        got = f"{least} and {most}"
        raise InputError("least and most reads", "be in order, and one read allowed", got)
