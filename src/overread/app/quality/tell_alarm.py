"""An alarm about a reader as JSON: what the log keeps of it, and a page draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from overread.app.analysis.project_reads import FRAME
from overread.monitoring import Alarm, Design, Effect, ReaderState, Seen, chart_points
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
    numbers = [one.number for one in recent if _knows(design, one, alarm.metric)]
    points = chart_points(design, recent, alarm.metric)
    evidence = [one.up if alarm.side == "up" else -one.down for one in points]
    # a chart that began before what is remembered ends a little off where it did
    scale = alarm.beyond / evidence[-1] if evidence and evidence[-1] > 0 else 1.0
    return [
        {
            "number": number,
            "case": one.case.split(FRAME, maxsplit=1)[0],
            "value": round(one.value - one.usual, 6),
            "evidence": round(scale * total, 4),
        }
        for number, one, total in zip(numbers, points, evidence, strict=True)
    ][-_POINTS:]


def _knows(design: Design, one: Seen, metric: str) -> bool:
    place = [each.key for each in design.metrics].index(metric)
    return one.away[place] is not None


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
