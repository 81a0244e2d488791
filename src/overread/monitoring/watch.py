"""Watching a reader, read by read: state and observation in, state and alarm out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from overread.monitoring.alarm import Alarm, explain
from overread.monitoring.chart import (
    Chart,
    Question,
    Side,
    alarms_of,
    restarted,
    step_number,
    step_rate,
)
from overread.monitoring.design import Design
from overread.monitoring.observations import Observations
from overread.monitoring.seen import Seen

KEPT = 300
"""Reads of a reader that the state remembers, to date a change and to rank cases."""


@dataclass(frozen=True, slots=True)
class ReaderState:
    """All charts of one reader: plain numbers and texts, see :mod:`overread.monitoring.document`.

    Args:
        reads: overlap reads seen.
        charts: one a metric; None where it has no chart.
        recent: the last :data:`KEPT` reads, oldest first.
        alarm: the alarm that stopped the charts; they stand still until :func:`release`.
    """

    reads: int
    charts: tuple[Chart | None, ...]
    recent: tuple[Seen, ...] = ()
    alarm: Alarm | None = None


def start(design: Design) -> ReaderState:
    """State of a reader before the first overlap read."""
    return ReaderState(0, tuple(None if one is None else Chart() for one in design.limits))


def seen_of(design: Design, observed: Observations) -> list[Seen]:
    """Standardise observations, ready for :func:`update`."""
    expected, spread = design.case_mix.standardise(observed)
    away = observed.value - expected
    names = observed.cases.tolist()
    columns = (
        observed.row.tolist(),
        observed.case.tolist(),
        _plain(away),
        _plain(away / spread),
        _plain(expected),
        observed.answer.tolist(),
        observed.reference.tolist(),
    )
    return [
        Seen(row, names[case], tuple(off), tuple(z), tuple(usual), (), _known(a), _known(r))
        for row, case, off, z, usual, a, r in zip(*columns, strict=True)
    ]


def update(design: Design, state: ReaderState, seen: Seen) -> tuple[ReaderState, Alarm | None]:
    """Take in one overlap read.

    Args:
        design: of the project.
        state: of this reader. After an alarm the charts stand still, until :func:`release`.
        seen: the read, from :func:`seen_of`.
    Returns:
        the new state, and the alarm if this read raised one.
    """
    charts: list[Chart | None] = list(state.charts)
    standard: list[float | None] = [None] * len(charts)
    raised: list[tuple[float, Question, Side, int]] = []
    for place, (limits, chart) in enumerate(zip(design.limits, charts, strict=True)):
        away = seen.away[place]
        if limits is None or chart is None or away is None:
            continue
        usual = seen.usual[place] or 0.0
        after, u = (
            step_rate(limits, chart, away + usual, usual)
            if limits.rate
            else step_number(limits, chart, seen.z[place] or 0.0)
        )
        standard[place] = u
        if state.alarm is None:
            charts[place] = after
            raised += [(*one, place) for one in alarms_of(limits, after)]
    kept = replace(seen, standard=tuple(standard), number=state.reads)
    recent = (*state.recent, kept)[-KEPT:]
    now = ReaderState(state.reads + 1, tuple(charts), recent, state.alarm)
    if not raised:
        return now, None
    beyond, question, side, place = max(raised)
    alarm = explain(design, now.charts, recent, place, question=question, side=side, beyond=beyond)
    return replace(now, alarm=alarm), alarm


def release(
    design: Design, state: ReaderState, *, accept: bool = False, head_start: float = 0.5
) -> ReaderState:
    """Start the charts again after an alarm.

    Args:
        accept: a lead has decided that the new level is right: it becomes the reader's own, and
            what came before is forgotten. Otherwise the reader is held to the level before the
            change, and what he read since then is forgotten.
        head_start: see :func:`overread.monitoring.chart.restarted`; 0 when the level is accepted.
    """
    since = state.alarm.since if state.alarm is not None else state.reads
    learned = state.alarm.number if state.alarm is not None else state.reads
    after = [one for one in state.recent if one.number >= since]
    own = after if accept else [one for one in after if one.number <= learned]
    charts = tuple(
        None
        if limits is None or chart is None
        else restarted(
            limits,
            _part(chart, own, place, rate=limits.rate, keep=accept),
            accept=accept,
            head_start=0.0 if accept else head_start,
        )
        for place, (limits, chart) in enumerate(zip(design.limits, state.charts, strict=True))
    )
    recent = tuple(after) if accept else tuple(one for one in state.recent if one.number < since)
    return ReaderState(state.reads, charts, recent, None)


def _part(chart: Chart, after: Sequence[Seen], place: int, *, rate: bool, keep: bool) -> Chart:
    """What the chart learned from these reads (keep), or from all others."""
    known = [one for one in after if one.away[place] is not None]
    if rate:
        total = sum((one.away[place] or 0.0) + (one.usual[place] or 0.0) for one in known)
        square = sum(one.usual[place] or 0.0 for one in known)
    else:
        values = [min(max(one.z[place] or 0.0, -4.0), 4.0) for one in known]
        total, square = sum(values), sum(v * v for v in values)
    if keep:
        return replace(chart, n=len(known), total=total, square=square)
    return replace(
        chart,
        n=max(chart.n - len(known), 0),
        total=chart.total - total,
        square=max(chart.square - square, 0.0),
    )


def _plain(value: np.ndarray) -> list[list[float | None]]:
    return [[_known(one) for one in row] for row in value.tolist()]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
