"""What the events of the learning loop do to the state tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.canonical import canonical_json
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


def _encoder_training_set(connection: sa.Connection, event: Event, body: Body) -> None:
    row = {key: body[key] for key in ("kind", "state", "words")}
    row["settings"] = canonical_json("settings", body["settings"])
    _put(connection, t.encoder_trainings, event, row | {"set_by": event.actor})


def _encoder_trained(connection: sa.Connection, event: Event, body: Body) -> None:
    _encoder_brought(connection, event, body)
    rows = t.encoder_trainings.c
    this = (rows.project == event.project) & (rows.kind == body["kind"])
    connection.execute(t.encoder_trainings.update().where(this).values(state="done"))


def _encoder_brought(connection: sa.Connection, event: Event, body: Body) -> None:
    row = {"kind": body["kind"], "file": body["file"]}
    row["about"] = canonical_json("about", body["about"])
    _put(connection, t.trained_encoders, event, row | {"made_by": event.actor})


def _encoder_retired(connection: sa.Connection, event: Event, body: Body) -> None:
    rows = t.trained_encoders
    this = (rows.c.project == event.project) & (rows.c.kind == body["kind"])
    connection.execute(rows.delete().where(this))


def _encoder_chosen(connection: sa.Connection, event: Event, body: Body) -> None:
    row = {key: canonical_json(key, body[key]) for key in ("chain", "before", "scores")}
    row |= {key: body[key] for key in ("labels", "reason")}
    _put(connection, t.encoder_choices, event, row)


def _put(connection: sa.Connection, table: sa.Table, event: Event, row: Mapping[str, Any]) -> None:
    """One row of a project, or of its kind, in place of the one before."""
    this = table.c.project == event.project
    if "kind" in row:
        this &= table.c.kind == row["kind"]
    connection.execute(table.delete().where(this))
    fixed = {"project": event.project, "since": event.at, "event": event.n}
    connection.execute(table.insert().values(**row, **fixed))


ACTIONS: dict[str, Callable[[sa.Connection, Event, Body], None]] = {
    "learning_asked": _learning_asked,
    "learning_set": _learning_set,
    "encoder_training_set": _encoder_training_set,
    "encoder_trained": _encoder_trained,
    "encoder_brought": _encoder_brought,
    "encoder_retired": _encoder_retired,
    "encoder_chosen": _encoder_chosen,
}
