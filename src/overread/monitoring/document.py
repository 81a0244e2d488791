"""Designs and states as plain JSON values and back, and the points of a chart for a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from overread.monitoring.alarm import Alarm, WorstCase
from overread.monitoring.case_mix import CaseMix, Usual
from overread.monitoring.causes import Effect
from overread.monitoring.chart import Chart, Limits, sums_of
from overread.monitoring.design import Design, Settings
from overread.monitoring.observations import Metric
from overread.monitoring.seen import Seen
from overread.monitoring.watch import ReaderState, release, start, update


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """One read on a chart.

    Args:
        number: place among the reader's overlap reads, from 0; row: in the read table; case.
        value: the figure; usual: what is expected of the case.
        up, down: the sum nearest to its limit on either side, as a share of the limit: 1 is an
            alarm; down is told below 0.
        question: of the larger of the two.
        alarm: the read raised an alarm of this metric.
    """

    number: int
    row: int
    case: str
    value: float
    usual: float
    up: float
    down: float
    question: str
    alarm: bool


def chart_points(
    design: Design, seen: Sequence[Seen], metric: str, *, last: int | None = None
) -> tuple[ChartPoint, ...]:
    """The points of one reader's chart of one metric, limits at 1 and -1.

    After an alarm the chart goes on from the level it had found, as ``overread monitor`` does.

    Args:
        design: of the project.
        seen: of the reader, in order, from :func:`overread.monitoring.seen_of`.
        metric: key.
        last: so many points at the end; all by default.
    """
    place = next(i for i, one in enumerate(design.metrics) if one.key == metric)
    state, points = start(design), list[ChartPoint]()
    for one in seen:
        state, alarm = update(design, state, one)
        limits, chart, away = design.limits[place], state.charts[place], one.away[place]
        if limits is not None and chart is not None and away is not None:
            raised = alarm is not None and alarm.metric == metric
            points.append(_point(limits, chart, one, place, state.reads - 1, alarm=raised))
        if alarm is not None:
            state = release(design, state, accept=True)
    return tuple(points if last is None else points[-last:])


def _point(
    limits: Limits, chart: Chart, one: Seen, place: int, number: int, *, alarm: bool
) -> ChartPoint:
    shares = [
        (value / limit, question, side)
        for value, limit, question, side in sums_of(limits, chart)
        if limit
    ]
    up = max((share for share, _, side in shares if side == "up"), default=0.0)
    down = max((share for share, _, side in shares if side == "down"), default=0.0)
    usual = one.usual[place] or 0.0
    question = max(shares)[1] if shares else ""
    value = (one.away[place] or 0.0) + usual
    return ChartPoint(number, one.row, one.case, value, usual, up, -down, question, alarm)


def to_document(value: Design | ReaderState) -> dict[str, Any]:
    """A design or a state as what ``json.dumps(allow_nan=False)`` takes."""
    return asdict(value)


def state_of(document: dict[str, Any]) -> ReaderState:
    """The state that :func:`to_document` wrote."""
    alarm = document["alarm"]
    return ReaderState(
        document["reads"],
        tuple(None if one is None else Chart(**one) for one in document["charts"]),
        tuple(_seen(one) for one in document["recent"]),
        None if alarm is None else _alarm(alarm),
    )


def design_of(document: dict[str, Any]) -> Design:
    """The design that :func:`to_document` wrote."""
    mix, settings = document["case_mix"], document["settings"]
    return Design(
        document["kind"],
        Settings(**{**settings, "shares": tuple(settings["shares"])}),
        CaseMix(
            tuple(Metric(**one) for one in mix["metrics"]),
            tuple(None if one is None else _usual(one) for one in mix["usual"]),
            mix["classes"],
            tuple(mix["size_edges"]),
            tuple(mix["doubt_edges"]),
            tuple(mix["amount_edges"]),
        ),
        tuple(None if one is None else Limits(**one) for one in document["limits"]),
    )


def _usual(document: dict[str, Any]) -> Usual:
    effects = {
        name: tuple(tuple(one) for one in document[name])
        for name in ("centre_effects", "spread_effects")
    }
    return Usual(**{**document, **effects})


def _seen(document: dict[str, Any]) -> Seen:
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in document.items()
    }
    return Seen(**fields)


def _alarm(document: dict[str, Any]) -> Alarm:
    parts = {
        "effect": Effect(**document["effect"]),
        "effects": tuple(Effect(**one) for one in document["effects"]),
        "worst": tuple(WorstCase(**one) for one in document["worst"]),
    }
    return Alarm(**{**document, **parts})
