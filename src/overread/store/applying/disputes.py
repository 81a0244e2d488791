"""What the events of gold disputes and of re-qualification do to the state tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.canonical import canonical_json
from overread.store.events import Event

Body = Mapping[str, Any]


def _dispute_adjudicated(connection: sa.Connection, event: Event, body: Body) -> None:
    change = {key: body[key] for key in ("words", "seconds", "picked")}
    change |= {"state": "decided", "closed": event.at}
    this = t.adjudications.c.id == body["id"]
    connection.execute(t.adjudications.update().where(this).values(**change))


def _trials_remarked(connection: sa.Connection, _event: Event, body: Body) -> None:
    for one in body["trials"]:
        marks = canonical_json("marks", one["marks"])
        this = t.trials.c.id == one["trial"]
        connection.execute(t.trials.update().where(this).values(marks=marks))


def _run_rescored(connection: sa.Connection, event: Event, body: Body) -> None:
    runs = t.runs.c
    this = (runs.project == event.project) & (runs.reader == body["reader"])
    state = "passed" if body["passed"] else "failed"
    change = {"state": state, "score": canonical_json("score", body["score"])}
    connection.execute(t.runs.update().where(this, runs.run == body["run"]).values(**change))


def _qualification_noted(connection: sa.Connection, event: Event, body: Body) -> None:
    rows = t.qualifications.c
    this = (rows.project == event.project) & (rows.reader == body["reader"])
    connection.execute(t.qualifications.update().where(this).values(note=body["note"]))


def _requalification_ruled(connection: sa.Connection, event: Event, body: Body) -> None:
    rows, had = t.requalifications, t.qualifications
    fixed = {key: body[key] for key in ("version", "choice", "words")}
    fixed |= {"touched": canonical_json("touched", body["touched"])}
    fixed |= {"project": event.project, "since": event.at, "said_by": event.actor}
    for reader in body["readers"]:
        this = (rows.c.project == event.project) & (rows.c.reader == reader)
        connection.execute(rows.delete().where(this))
        connection.execute(rows.insert().values(reader=reader, **fixed))
        if body["choice"] == "again":
            gone = (had.c.project == event.project) & (had.c.reader == reader)
            connection.execute(had.delete().where(gone))


ACTIONS: dict[str, Callable[[sa.Connection, Event, Body], None]] = {
    "dispute_adjudicated": _dispute_adjudicated,
    "trials_remarked": _trials_remarked,
    "run_rescored": _run_rescored,
    "qualification_noted": _qualification_noted,
    "requalification_ruled": _requalification_ruled,
}
