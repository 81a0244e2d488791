"""An alarm about a reader as JSON: what the log keeps of it, and a page draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from overread.app.analysis.project_reads import FRAME
from overread.monitoring.alarm import Alarm
from overread.monitoring.causes import Effect
from overread.monitoring.design import Design
from overread.monitoring.seen import Seen
from overread.monitoring.watch import ReaderState
from overread.protocol import Question

_EFFECTS = 8
_POINTS = 200


def told_of(question: Question, design: Design, state: ReaderState, alarm: Alarm) -> dict[str, Any]:
    """All that is kept of an alarm.

    Args:
        question: that the charts are of.
        design: of the charts.
        state: of the reader, with the read that alarmed.
        alarm: what was found.
    Returns:
        JSON: ``words``; ``effect`` and ``effects`` in each metric's own unit with intervals;
        ``worst`` cases, the worst first; ``points``, the reader's last overlap reads in order,
        each with its case, its value, and the evidence so far as a share of the limit;
        ``since``, the point at which the change began.
    """
    return {
        "question": question.id,
        "prompt": question.prompt,
        "metric": alarm.metric,
        "name": alarm.effect.name,
        "scale": next(one.scale for one in design.metrics if one.key == alarm.metric),
        "chart": alarm.question,
        "side": alarm.side,
        "words": alarm.words,
        "reads": alarm.reads,
        "effect": _effect(alarm.effect),
        "effects": [_effect(one) for one in alarm.effects[:_EFFECTS]],
        "worst": _worst(alarm),
        "points": points_of(design, state.recent, alarm),
        "since": alarm.since,
        "last_good_event": alarm.last_good_row,
    }


def points_of(design: Design, recent: Sequence[Seen], alarm: Alarm) -> list[dict[str, Any]]:
    """The chart that alarmed, read by read: value in the metric's own unit, evidence in limits."""
    place = [one.key for one in design.metrics].index(alarm.metric)
    sign = 1.0 if alarm.side == "up" else -1.0
    known = [one for one in recent if one.away[place] is not None]
    steps = [_step(design, one, place, sign, level=alarm.question == "level") for one in known]
    made, sums = [], _sums(steps)
    top = sums[-1] or 1.0
    for one, total in zip(known, sums, strict=True):
        made.append(
            {
                "number": one.number,
                "case": one.case.split(FRAME, maxsplit=1)[0],
                "value": round(one.away[place] or 0.0, 6),
                "evidence": round(alarm.beyond * total / top, 4),
            }
        )
    return made[-_POINTS:]


def _step(design: Design, one: Seen, place: int, sign: float, *, level: bool) -> float:
    limits = design.limits[place]
    k = 0.0 if limits is None or limits.rate else limits.k_level if level else limits.k
    known = one.z if level or not one.standard else one.standard
    return sign * (known[place] or 0.0) - k


def _sums(steps: Sequence[float]) -> list[float]:
    made, total = [], 0.0
    for step in steps:
        total = max(0.0, total + step)
        made.append(total)
    return made or [0.0]


def _worst(alarm: Alarm) -> list[dict[str, Any]]:
    """Each case once, though several of its frames may be among the worst."""
    found: dict[str, float] = {}
    for one in alarm.worst:
        found.setdefault(one.case.split(FRAME, maxsplit=1)[0], one.score)
    return [{"case": case, "score": score} for case, score in found.items()]


def _effect(one: Effect) -> dict[str, Any]:
    return {
        "metric": one.metric,
        "name": one.name,
        "unit": one.unit,
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "reads": one.reads,
        "words": one.words,
    }
