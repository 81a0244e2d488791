"""What the events of the learning loop do to the state tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.events import Event

Body = Mapping[str, Any]


def _learning_asked(connection: sa.Connection, event: Event, body: Body) -> None:
    rows = [
        {"case_id": case, "why": why, "place": place}
        for place, (case, why) in enumerate(body["cases"])
    ]
    keys = [*body["withdrawn"], *(row["case_id"] for row in rows)]
    for start in range(0, len(keys), 500):
        this = t.learning_asked.c.case_id.in_(keys[start : start + 500])
        connection.execute(t.learning_asked.delete().where(this))
    fixed = {
        "project": event.project,
        "labels": body["labels"],
        "since": event.at,
        "event": event.n,
    }
    if rows:
        connection.execute(t.learning_asked.insert(), [row | fixed for row in rows])


def _learning_set(connection: sa.Connection, event: Event, body: Body) -> None:
    connection.execute(t.learning.delete().where(t.learning.c.project == event.project))
    row = {"state": body["state"], "words": body["words"], "since": event.at}
    made = {"project": event.project, "set_by": event.actor, "event": event.n}
    connection.execute(t.learning.insert().values(**row, **made))


ACTIONS: dict[str, Callable[[sa.Connection, Event, Body], None]] = {
    "learning_asked": _learning_asked,
    "learning_set": _learning_set,
}
