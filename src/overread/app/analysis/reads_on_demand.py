"""Reads on demand: after each read the consensus is asked whether another one is worth it.

Readers are known from what they have read so far. To know them at all, some cases are read by
everybody who can (the overlap of the design, ``warm_up``); from there on each round of reads is
followed by a new consensus, which stops the sure cases and asks for one read of each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from overread.app.analysis.rank_next_reads import median_seconds
from overread.app.analysis.reach_consensus import reach_consensus
from overread.arrays import Bools, Floats, Ints
from overread.consensus.next_read import expected_gain
from overread.consensus.result import ClassConsensus, Consensus
from overread.errors import InputError
from overread.labels import ClassReads, MultiLabelReads, Reads
from overread.planning.demand import ASK, WORDS, Asks, decide, rise, worth_of
from overread.words import percent

BY = ("correct", "information")


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """What reading on demand would have taken of a table that has all reads.

    Args:
        used: (reads,) rows that were asked for.
        reads: (cases,) how many that is.
        consensus: of the rows used.
        seconds: of the rows used, and of all; nan where the table has none.
        words: the share saved, in plain words.
    """

    used: Bools
    reads: Ints
    consensus: Consensus[ClassConsensus]
    seconds: tuple[float, float]
    words: str

    @property
    def saved(self) -> float:
        """Share of all reads that were not asked for."""
        return 1 - float(self.used.mean()) if self.used.size else 0.0


def replay(
    reads: ClassReads,
    *,
    sure: float = 0.95,
    loss: float = 0.005,
    warm_up: float = 0.1,
    least: int = 1,
    by: str = "information",
    method: str | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    **settings: Any,
) -> Replay:
    """Read a table on demand that holds more reads than are needed, and count them.

    A read is asked only of those who truly read the case; what they say is what they said. Which
    cases are the overlap is drawn by ``seed``; all others begin with nobody's read.

    Args:
        reads: classes or grades; the answers "cannot be read" count as reads that tell nothing.
        sure: stop at this probability of the top class.
        loss: stop, too, where all the reads that are left would make the consensus right more
            often by no more than this.
        warm_up: share of the cases that all their readers read, so that readers become known.
        least: reads of every case.
        by: "information" or "correct": what a read is chosen by (per second where the table
            has seconds).
        method: consensus method with confusions; the kind's default if None.
        settings: of the method.
    Raises:
        InputError: another label kind, or a number out of range.
        MethodError: a method without confusions.
    """
    if not isinstance(reads, ClassReads):
        raise InputError("kind", "be nominal or ordinal", reads.schema.kind)
    if not 0 < warm_up <= 1:
        raise InputError("warm-up", "be a share above 0, up to 1", warm_up)
    if by not in BY:
        raise InputError("by", f"be one of {', '.join(BY)}", f"{by!r}")
    random = np.random.default_rng(seed)
    index = reads.index
    row_of = _first_rows(reads)
    used = np.zeros(index.n_reads, dtype=np.bool_)
    full = random.permutation(index.n_cases)[: max(1, round(warm_up * index.n_cases))]
    used[np.isin(index.case, full)] = True
    seconds = median_seconds(reads)
    rounds = int(np.bincount(index.case, minlength=index.n_cases).max(initial=0))
    for done in range(rounds + 1):
        consensus = reach_consensus(reads.select(used), method=method, seed=seed, **settings).result
        available = (row_of >= 0) & ~used[np.maximum(row_of, 0)]
        many = np.bincount(index.case[used], minlength=index.n_cases)
        asks = asks_of(
            consensus, available, reads=many, sure=sure, loss=loss, least=least, seconds=seconds,
            by=by,
        )  # fmt: skip
        ask = np.flatnonzero(asks.state == ASK)
        if progress is not None:
            progress(done + 1, rounds + 1)
        if not ask.size:
            break
        used[row_of[ask, asks.reader[ask]]] = True
    many = np.bincount(index.case[used], minlength=index.n_cases)
    spent = _seconds(reads, used)
    return Replay(used, many, consensus, spent, _words(used, many, spent))


def asks_of(
    consensus: Consensus[ClassConsensus],
    available: Bools,
    *,
    reads: Ints,
    sure: float,
    loss: float = 0.0,
    least: int = 1,
    most: int | None = None,
    seconds: Floats | None = None,
    by: str = "information",
) -> Asks:
    """Decide on every case of a consensus: stop, or whom to ask.

    Args:
        available: (cases, readers) may be asked.
        reads, sure, loss, least, most, seconds: see :func:`overread.planning.demand.decide`.
        by: what a read is chosen by.
    Raises:
        MethodError: the consensus has no confusions of its readers.
    """
    confusion = consensus.reliability.confusion
    if confusion is None:
        remedy = "Take dawid_skene."
        raise InputError("method", "know how readers err", consensus.method, remedy=remedy)
    posterior = _posterior(consensus, reads)
    gain = _gain(posterior, confusion, by)
    left = available.sum(axis=1)
    left = left if most is None else np.clip(most - reads, 0, left)
    worth = worth_of(posterior, confusion, available, gain, left=left)
    return decide(
        posterior, gain, available, reads=reads, sure=sure, worth=worth, loss=loss,
        least=least, most=most, seconds=seconds,
    )  # fmt: skip


def next_asks(
    reads: Reads,
    *,
    sure: float = 0.95,
    loss: float = 0.005,
    least: int = 1,
    most: int | None = None,
    by: str = "information",
    method: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> pl.DataFrame:
    """Of a table as it stands: which cases are done, and whom to ask for the others.

    Args:
        reads: classes, grades, or sets of classes (then a case is sure when every class is, and
            the reader asked is the one who helps most over all its classes).
        sure, loss, least, most, by, method: as in :func:`replay`.
    Returns:
        ``case, state, probability, reads, reader, per_second``; those to ask first, best first;
        ``reader`` is null where nobody is asked, ``per_second`` is per read without seconds.
    """
    if not isinstance(reads, (ClassReads, MultiLabelReads)):
        raise InputError("kind", "be nominal, ordinal or multi-label", reads.schema.kind)
    index = reads.index
    seconds = median_seconds(reads)
    available = np.ones((index.n_cases, index.n_readers), dtype=np.bool_)
    available[index.case, index.reader] = False
    many = np.bincount(index.case, minlength=index.n_cases)
    reached = reach_consensus(reads, method=method, progress=progress)
    parts = [
        asks_of(part, available, reads=many, sure=sure, loss=loss, least=least, most=most,
                by=by, seconds=seconds)
        for part in reached.parts.values()
    ]  # fmt: skip
    probability = np.min([part.probability for part in reached.parts.values()], axis=0)
    merged = _merged(parts, reached.parts, available, seconds, by)
    names, who = index.cases.tolist(), reached.result.reliability.readers
    table = pl.DataFrame({
        "case": names,
        "state": [WORDS[s] for s in merged.state.tolist()],
        "probability": probability,
        "reads": many,
        "reader": [who[r] if r >= 0 else None for r in merged.reader.tolist()],
        "per_second": merged.rate,
    }, schema_overrides={"reader": pl.String})  # fmt: skip
    order = np.lexsort((np.arange(len(names)), -merged.rate, merged.state != ASK))
    return table[order]


def _merged(
    parts: list[Asks],
    consensus: Mapping[str, Consensus[ClassConsensus]],
    available: Bools,
    seconds: Floats | None,
    by: str,
) -> Asks:
    """One decision a case over all its classes: gains add up over the classes not sure."""
    if len(parts) == 1:
        return parts[0]
    cost = np.ones(available.shape[1]) if seconds is None else seconds
    gain = np.zeros(available.shape)
    for asks, part in zip(parts, consensus.values(), strict=True):
        table = part.reliability.confusion
        if table is None:  # asks_of refused it before
            continue
        told = _gain(part.posterior, table, by)
        gain += np.where((asks.state == ASK)[:, None], told, 0.0)
    rate = np.where(available, gain / cost, -np.inf)
    states = np.stack([asks.state for asks in parts])
    ask = (states == ASK).any(axis=0)
    state = np.where(ask, ASK, states.max(axis=0))
    best = rate.argmax(axis=1)
    top = rate[np.arange(best.size), best]
    return Asks(state, np.where(ask, best, -1), np.where(ask, top, 0.0))


def _posterior(consensus: Consensus[ClassConsensus], reads: Ints) -> Floats:
    """Of cases that nobody has read, the prevalence."""
    if consensus.prevalence is None:
        return consensus.posterior
    return np.where((reads > 0)[:, None], consensus.posterior, consensus.prevalence)


def _gain(posterior: Floats, confusion: Floats, by: str) -> Floats:
    """(cases, readers) what a read brings."""
    told = _information(posterior, confusion)
    # where no single answer changes the top class, information still tells readers apart
    return rise(posterior, confusion) + 1e-6 * told if by == "correct" else told


def _information(posterior: Floats, confusion: Floats) -> Floats:
    """(cases, readers) nats."""
    return np.stack([expected_gain(posterior, table)[0] for table in confusion], axis=1)


def _first_rows(reads: ClassReads) -> Ints:
    """(cases, readers) row of each reader's first read of a case; -1 where there is none."""
    index = reads.index
    row = np.full((index.n_cases, index.n_readers), -1, dtype=np.int64)
    first = np.flatnonzero(index.repeat_of() == 0)
    row[index.case[first], index.reader[first]] = first
    return row


def _seconds(reads: ClassReads, used: Bools) -> tuple[float, float]:
    taken = reads.index.seconds
    if taken is None:
        return float("nan"), float("nan")
    known = np.nan_to_num(taken)
    return float(known[used].sum()), float(known.sum())


def _words(used: Bools, many: Ints, seconds: tuple[float, float]) -> str:
    text = (
        f"{int(used.sum()):,} of {used.size:,} reads were asked for "
        f"({percent(1 - used.mean())} saved), {many.mean():.2f} a case"
    )
    if np.isfinite(seconds[0]) and seconds[1]:
        text += f"; {percent(1 - seconds[0] / seconds[1])} of the reading time saved"
    return text + "."
