"""What the events of label rules do to the state tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.events import Event

Body = Mapping[str, Any]


def _advice_given(connection: sa.Connection, event: Event, body: Body) -> None:
    fixed = {"read_id": body["read"], "reader": body["reader"], "project": event.project}
    rows = [
        {"place": place, **{key: one[key] for key in _ADVICE}, **fixed}
        for place, one in enumerate(body["advice"])
    ]
    connection.execute(t.advice.insert(), rows)


_ADVICE = ("question", "rule", "finding", "followed")


def _labels_checked(connection: sa.Connection, event: Event, body: Body) -> None:
    row = {key: body[key] for key in ("id", "log_events", "words", "result")}
    made = {"made": event.at, "made_by": event.actor, "event": event.n}
    connection.execute(t.label_checks.insert().values(**row, **made, project=event.project))


ACTIONS: dict[str, Callable[[sa.Connection, Event, Body], None]] = {
    "advice_given": _advice_given,
    "labels_checked": _labels_checked,
}
