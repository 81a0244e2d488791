"""Watch the readers of a read table: levels, trends and alarms, in the order of reading."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from overread.app.analysis.reach_consensus import gold_of
from overread.app.analysis.who_drifts import judge
from overread.arrays import Floats, Ints
from overread.errors import MethodError
from overread.labels import Reads
from overread.monitoring import (
    Alarm,
    Design,
    Observations,
    ReaderState,
    Seen,
    Settings,
    design_charts,
    observe,
    release,
    seen_of,
    start,
    update,
)

Progress = Callable[[int, int], None]

_TICK = 500  # reads between two reports of progress
_LAST = 50  # overlap reads of which the trend is told
_CLEAR = 3.0  # standard errors from which a trend is named


@dataclass(frozen=True, slots=True)
class Level:
    """One reader in one metric.

    Args:
        reader, metric: names; key: of the metric; reads: overlap reads with a figure.
        level: mean of the figure; away: how far from what is usual for these cases, with low,
            high: 95 % interval; recent: the same of the last reads alone.
        trend: "steady", "rising", "falling" or "too few reads".
        alarms: number of alarms.
    """

    reader: str
    metric: str
    key: str
    reads: int
    level: float
    away: float
    low: float
    high: float
    recent: float
    trend: str
    alarms: int


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """What became of it.

    Args:
        observed: every overlap read.
        design: of the charts; None where there are too few reads.
        why_not: why there are no charts; "" where there are.
        alarms: (reader, alarm), in the order in which they were raised.
        states: reader -> charts at the end.
        levels: one a reader and metric.
    """

    observed: Observations
    design: Design | None
    why_not: str
    alarms: tuple[tuple[str, Alarm], ...]
    states: dict[str, ReaderState]
    levels: tuple[Level, ...]


def watch_readers(
    reads: Reads,
    *,
    gold: Any = None,
    order: Ints | Floats | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Watched:
    """Replay a read table as if it came in read by read.

    After an alarm the new level is taken for the reader's own, so that a further change shows.

    Args:
        reads: any label kind.
        gold: in the forms of :func:`overread.app.analysis.reach_consensus.gold_of`.
        order: (reads,) rank in time; by default the time column, else the rows as they stand.
        settings: of the charts.
        progress: called with reads done and reads in all.
    """
    known = None if gold is None else gold_of(reads, gold)
    observed = observe(reads, gold=known, order=order)
    kind = reads.schema.kind.value
    try:
        design = design_charts(observed, kind=kind, settings=settings)
    except MethodError as error:
        return Watched(observed, None, str(error), (), {}, ())
    judged = judge(reads, observed, design, gold=known, order=order, progress=progress)
    observed, design = judged.observed, judged.design
    states, alarms = _replay(design, observed, progress)
    levels = _levels(design, observed, seen_of(design, observed), alarms)
    return Watched(observed, design, "", tuple(alarms), states, levels)


def _replay(
    design: Design, observed: Observations, progress: Progress | None
) -> tuple[dict[str, ReaderState], list[tuple[str, Alarm]]]:
    states: dict[str, ReaderState] = {}
    alarms: list[tuple[str, Alarm]] = []
    for done, (one, code) in enumerate(
        zip(seen_of(design, observed), observed.reader.tolist(), strict=True)
    ):
        reader = observed.readers[code]
        state, alarm = update(design, states.get(reader) or start(design), one)
        if alarm is not None:
            alarms.append((reader, alarm))
            state = release(design, state, accept=True)
        states[reader] = state
        if progress is not None and done % _TICK == 0:
            progress(done, observed.n)
    return states, alarms


def _levels(
    design: Design, observed: Observations, seen: list[Seen], alarms: list[tuple[str, Alarm]]
) -> tuple[Level, ...]:
    away = np.array([[math.nan if v is None else v for v in one.away] for one in seen])
    found = []
    for code, reader in enumerate(observed.readers):
        mine = np.flatnonzero(observed.reader == code)
        for place, metric in enumerate(design.metrics):
            rows = mine[~np.isnan(away[mine, place])]
            if design.limits[place] is None or not rows.size:
                continue
            count = sum(who == reader and alarm.metric == metric.key for who, alarm in alarms)
            off = away[rows, place]
            level = Level(
                reader, metric.name, metric.key, int(rows.size),
                float(observed.value[rows, place].mean()), float(off.mean()),
                *_interval(off), float(off[-_LAST:].mean()), _trend(off), count,
            )  # fmt: skip
            found.append(level)
    return tuple(found)


def _interval(off: Floats) -> tuple[float, float]:
    if off.size < 2:
        return math.nan, math.nan
    reach = 1.96 * float(off.std(ddof=1)) / math.sqrt(off.size)
    return float(off.mean()) - reach, float(off.mean()) + reach


def _trend(off: Floats) -> str:
    """Whether the last reads differ from those before."""
    last = min(_LAST, off.size // 2)
    if last < 10:
        return "too few reads"
    new, old = off[-last:], off[:-last]
    error = math.sqrt(float(new.var(ddof=1)) / new.size + float(old.var(ddof=1)) / old.size)
    score = (float(new.mean()) - float(old.mean())) / max(error, 1e-12)
    return "steady" if abs(score) < _CLEAR else "rising" if score > 0 else "falling"


def with_run_length(run_length: float | None) -> Settings:
    """The default settings, with this run length if one is given."""
    return Settings() if run_length is None else replace(Settings(), run_length=run_length)


def levels_table(watched: Watched) -> pl.DataFrame:
    """One row a reader and metric."""
    rows = [asdict(one) for one in watched.levels]
    if rows:
        return pl.DataFrame(rows).fill_nan(None)
    text = {"reader", "metric", "key", "trend"}
    whole = {"reads", "alarms"}
    return pl.DataFrame(
        schema={
            name: pl.String if name in text else pl.Int64 if name in whole else pl.Float64
            for name in Level.__dataclass_fields__
        }
    )
