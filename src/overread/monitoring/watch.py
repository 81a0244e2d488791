"""Watching a reader, read by read: state and observation in, state and alarm out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from overread.monitoring.alarm import Alarm, explain
from overread.monitoring.chart import (
    FAR,
    Chart,
    Question,
    Side,
    accepted,
    alarms_of,
    restarted,
    step_number,
    step_rate,
)
from overread.monitoring.design import Design
from overread.monitoring.observations import Observations
from overread.monitoring.seen import Seen

_CLEAR = 3.0  # standard errors from which a metric has clearly changed

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
    alarm = explain(design, recent, place, question=question, side=side, beyond=beyond)
    return replace(now, alarm=alarm), alarm


def release(
    design: Design, state: ReaderState, *, accept: bool = False, head_start: float = 0.5
) -> ReaderState:
    """Start the charts again after an alarm.

    Args:
        accept: a lead has decided that the new level is right: it becomes the reader's own in
            every metric that clearly changed, and is not compared with the pool's any more.
            Otherwise the reader is held to the level before the
            change, and what he read since then is forgotten.
        head_start: see :func:`overread.monitoring.chart.restarted`; 0 when the level is accepted.
    Returns:
        the state without its alarm; the same state where there is none.
    """
    if state.alarm is None:
        return state
    alarm = state.alarm
    after = [one for one in state.recent if one.number >= alarm.since]
    known = [one for one in after if accept or one.number <= alarm.number]
    clear = {one.metric for one in alarm.effects if abs(one.score) >= _CLEAR} | {alarm.metric}
    charts: list[Chart | None] = []
    for place, (limits, chart) in enumerate(zip(design.limits, state.charts, strict=True)):
        if limits is None or chart is None:
            charts.append(None)
            continue
        part = _sums(known, place, rate=limits.rate)
        if not accept:
            charts.append(restarted(limits, _without(chart, *part), head_start=head_start))
        elif design.metrics[place].key in clear:
            charts.append(accepted(limits, *part))
        else:
            charts.append(restarted(limits, chart, head_start=0.0))
    recent = after if accept else [one for one in state.recent if one.number < alarm.since]
    return ReaderState(state.reads, tuple(charts), tuple(recent), None)


def _sums(known: Sequence[Seen], place: int, *, rate: bool) -> tuple[int, float, float]:
    """What a chart learned from these reads."""
    seen = [one for one in known if one.away[place] is not None]
    if rate:
        usual = [one.usual[place] or 0.0 for one in seen]
        return len(seen), sum(one.away[place] or 0.0 for one in seen) + sum(usual), sum(usual)
    values = [min(max(one.z[place] or 0.0, -FAR), FAR) for one in seen]
    return len(seen), sum(values), sum(v * v for v in values)


def _without(chart: Chart, n: int, total: float, square: float) -> Chart:
    n = max(chart.n - n, 0)
    return replace(
        chart, n=n, total=chart.total - total if n else 0.0,
        square=max(chart.square - square, 0.0) if n else 0.0,
    )  # fmt: skip


def _plain(value: np.ndarray) -> list[list[float | None]]:
    return [[_known(one) for one in row] for row in value.tolist()]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
