"""What the events of truthing reports and of the terms of effort do to the state tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.canonical import canonical_json
from overread.store.events import Event

Body = Mapping[str, Any]


def _truthing_reported(connection: sa.Connection, event: Event, body: Body) -> None:
    row = {key: body[key] for key in ("id", "log_events", "log_head", "named", "words")}
    row |= {"project": event.project, "made": event.at, "made_by": event.actor, "event": event.n}
    files = canonical_json("files", body["files"])
    connection.execute(t.truthing_reports.insert().values(**row, files=files))


def _effort_terms_set(connection: sa.Connection, event: Event, body: Body) -> None:
    this = t.effort_terms.c.project == event.project
    connection.execute(t.effort_terms.delete().where(this))
    row = {"project": event.project, "since": event.at, "set_by": event.actor}
    terms = canonical_json("terms", body["terms"])
    connection.execute(t.effort_terms.insert().values(**row, terms=terms))


def _adjudication_wished(connection: sa.Connection, event: Event, body: Body) -> None:
    wishes = t.adjudication_wishes
    fixed = {"project": event.project, "since": event.at, "wished_by": event.actor}
    connection.execute(wishes.insert(), [{"case_id": one} | fixed for one in body["cases"]])


def _only_told(_connection: sa.Connection, _event: Event, _body: Body) -> None:
    """An export changes no state: it is there to be told."""


ACTIONS: dict[str, Callable[[sa.Connection, Event, Body], None]] = {
    "truthing_reported": _truthing_reported,
    "effort_terms_set": _effort_terms_set,
    "labels_exported": _only_told,
    "adjudication_wished": _adjudication_wished,
}
