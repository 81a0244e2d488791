"""Which readers are no measure for the others: found one after the other.

Readers are measured by each other. Who drifts makes those he is compared with look as if they
moved the other way, about half as far among three readers. So nobody is compared with a reader who
drifts, and what is usual is learned without him; only then the others are judged.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from overread.arrays import Bools, Floats, Ints
from overread.errors import MethodError
from overread.labels import Reads
from overread.monitoring import (
    Alarm,
    Design,
    Observations,
    ReaderState,
    design_charts,
    observe,
    seen_of,
    start,
    update,
)

_PASSES = 6
_TRIED = 4  # readers who may be the one, tried in turn
_SOON, _STILL = 5, 0.4  # reads after an alarm, and share of the deviation that must remain
_FEW = 6  # readers up to which each is tried
_AS_LARGE = 0.75  # of the largest deviation, to be taken with it, among many readers


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What the others are judged by.

    Args:
        observed, design: without those who drift.
        distrust: (reads,) reads that nobody is compared with.
        drifting: readers of these reads.
    """

    observed: Observations
    design: Design
    distrust: Bools
    drifting: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    reads: Reads
    gold: Any
    order: Ints | Floats | None


def judge(
    reads: Reads,
    observed: Observations,
    design: Design,
    *,
    gold: Any,
    order: Ints | Floats | None,
    progress: Callable[[int, int], None] | None = None,
) -> Judged:
    """Leave out, one after the other, the readers whose drift explains the alarms of others.

    Args:
        reads: the read table.
        observed, design: of all of them.
        gold: beside the reads, as :func:`overread.monitoring.observe` takes it.
        order: (reads,) rank in time, or None.
        progress: called with looks done and looks at the most.
    Returns:
        what is left to judge by; always more than half of the readers are a measure.
    """
    source = _Source(reads, gold, order)
    now = Judged(observed, design, np.zeros(reads.index.n_reads, np.bool_), frozenset())
    most = (np.unique(observed.reader).size - 1) // 2
    found = _first_alarms(now)
    for part in range(_PASSES):
        if progress is not None:
            progress(part + 1, _PASSES + 2)
        free = most - len(now.drifting)
        if not found or free <= 0:
            break
        now, found = (
            _best_one(source, now, found)
            if np.unique(observed.reader).size <= _FEW
            else _largest(source, now, found, free)
        )
    return now


def _first_alarms(now: Judged) -> dict[str, Alarm]:
    """First alarm of each reader who is still a measure, in the order in which they were raised."""
    first: dict[str, Alarm] = {}
    states: dict[str, ReaderState] = {}
    seen = seen_of(now.design, now.observed)
    for one, code in zip(seen, now.observed.reader.tolist(), strict=True):
        reader = now.observed.readers[code]
        if reader in first or reader in now.drifting:
            continue
        state, alarm = update(now.design, states.get(reader) or start(now.design), one)
        states[reader] = state
        if alarm is not None:
            first[reader] = alarm
    return first


def _best_one(
    source: _Source, now: Judged, found: dict[str, Alarm]
) -> tuple[Judged, dict[str, Alarm]]:
    """Leave out the one reader without whom the fewest others alarm; the first in time if equal."""
    tried = []
    for reader in list(found)[:_TRIED]:
        without = _without(source, now, {reader: found[reader]})
        tried.append((without, _first_alarms(without)))
    return min(tried, key=lambda one: len(one[1]))


def _largest(
    source: _Source, now: Judged, found: dict[str, Alarm], free: int
) -> tuple[Judged, dict[str, Alarm]]:
    """Leave out those who are off by most: among many readers, one moves the others little."""
    size = {reader: _size(alarm) for reader, alarm in found.items()}
    top = max(size.values())
    order = sorted((one for one in size if size[one] >= _AS_LARGE * top), key=lambda r: -size[r])
    without = _without(source, now, {reader: found[reader] for reader in order[:free]})
    return without, _first_alarms(without)


def _size(alarm: Alarm) -> float:
    """How far off at least, in standard deviations of one read."""
    return max(abs(alarm.effect.score) - 2.0, 0.1) / math.sqrt(max(alarm.reads, 1))


def _without(source: _Source, now: Judged, found: dict[str, Alarm]) -> Judged:
    distrust = now.distrust.copy()
    for reader, alarm in found.items():
        mine = now.observed.reader == now.observed.readers.index(reader)
        until = None if _lasts(now, mine, alarm) else alarm.number + 1
        distrust[now.observed.row[mine][alarm.since : until]] = True
    observed = observe(source.reads, gold=source.gold, order=source.order, distrust=distrust)
    kept = observed.select(~distrust[observed.row])
    try:
        design = design_charts(kept, kind=now.design.kind, settings=now.design.settings)
    except MethodError:  # too few are left to learn from
        design = now.design
    return replace(
        now, observed=observed, design=design, distrust=distrust,
        drifting=now.drifting | frozenset(found),
    )  # fmt: skip


def _lasts(now: Judged, mine: Bools, alarm: Alarm) -> bool:
    """Whether what alarmed goes on after the alarm; a bad hour is no reason to lose a measure."""
    place = [one.key for one in now.design.metrics].index(alarm.metric)
    seen = now.observed.select(mine)
    expected, spread = now.design.case_mix.standardise(seen)
    z = np.clip((seen.value - expected)[:, place] / spread[:, place], -4, 4)
    later = z[alarm.number + 1 :]
    later = later[~np.isnan(later)]
    segment = float(np.nanmean(z[alarm.since : alarm.number + 1]))
    return later.size < _SOON or float(later.mean()) / segment >= _STILL
