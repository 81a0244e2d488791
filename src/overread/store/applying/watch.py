"""What the events of watching readers do to the state tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.canonical import canonical_json
from overread.store.events import Event

Body = Mapping[str, Any]


def _alarm_raised(connection: sa.Connection, event: Event, body: Body) -> None:
    connection.execute(
        t.alarms.insert().values(
            id=body["id"],
            project=event.project,
            reader=body["reader"],
            raised=event.at,
            event=event.n,
            body=canonical_json("alarm", body["told"]),
            state="open",
            decided=None,
            decided_by=None,
            reason="",
            found="",
        )
    )


def _alarm_decided(connection: sa.Connection, event: Event, body: Body) -> None:
    change = {key: body.get(key, "") for key in ("state", "reason", "found")}
    decided = {"decided": event.at, "decided_by": event.actor}
    this = t.alarms.c.id == body["alarm"]
    connection.execute(t.alarms.update().where(this).values(**change, **decided))


def _check_asked(connection: sa.Connection, event: Event, body: Body) -> None:
    own = {"alarm": body["alarm"], "project": event.project, "reader": body["reader"]}
    connection.execute(t.checks.insert(), [{"task": one, **own} for one in body["tasks"]])
    this = t.alarms.c.id == body["alarm"]
    connection.execute(t.alarms.update().where(this).values(state="checking"))


def _reader_paused(connection: sa.Connection, event: Event, body: Body) -> None:
    row = {key: body[key] for key in ("reader", "reason", "alarm")}
    connection.execute(t.pauses.insert().values(**row, project=event.project, since=event.at))


def _reader_released(connection: sa.Connection, event: Event, body: Body) -> None:
    this = (t.pauses.c.project == event.project) & (t.pauses.c.reader == body["reader"])
    connection.execute(t.pauses.delete().where(this))


def _reads_set_aside(connection: sa.Connection, event: Event, body: Body) -> None:
    fixed = {
        "reader": body["reader"],
        "project": event.project,
        "alarm": body["alarm"],
        "since": event.at,
        "state": "set_aside",
    }
    rows = [{"task": task, "case_id": case, **fixed} for task, case in body["reads"]]
    connection.execute(t.suspects.insert(), rows)


def _reads_restored(connection: sa.Connection, _event: Event, body: Body) -> None:
    connection.execute(t.suspects.delete().where(_aside_by(body["alarm"])))


def _reads_replaced(connection: sa.Connection, _event: Event, body: Body) -> None:
    this = _aside_by(body["alarm"])
    connection.execute(t.suspects.update().where(this).values(state="replaced"))


def _feedback_given(connection: sa.Connection, event: Event, body: Body) -> None:
    of = t.feedback.c.alarm == body["alarm"]
    count = sa.select(sa.func.count()).select_from(t.feedback).where(of)
    first = connection.scalar(count) or 0
    fixed = {"alarm": body["alarm"], "reader": body["reader"], "project": event.project}
    rows = [
        {"case_id": case, "place": first + at, "given": event.at, "seen": None, **fixed}
        for at, case in enumerate(body["cases"])
    ]
    connection.execute(t.feedback.insert(), rows)


def _feedback_seen(connection: sa.Connection, event: Event, body: Body) -> None:
    this = (t.feedback.c.alarm == body["alarm"]) & (t.feedback.c.case_id == body["case"])
    connection.execute(t.feedback.update().where(this).values(seen=event.at))


def _aside_by(alarm: str) -> sa.ColumnElement[bool]:
    return (t.suspects.c.alarm == alarm) & (t.suspects.c.state == "set_aside")


ACTIONS: dict[str, Callable[[sa.Connection, Event, Body], None]] = {
    "alarm_raised": _alarm_raised,
    "alarm_decided": _alarm_decided,
    "check_asked": _check_asked,
    "reader_paused": _reader_paused,
    "reader_released": _reader_released,
    "reads_set_aside": _reads_set_aside,
    "reads_restored": _reads_restored,
    "reads_replaced": _reads_replaced,
    "feedback_given": _feedback_given,
    "feedback_seen": _feedback_seen,
}
