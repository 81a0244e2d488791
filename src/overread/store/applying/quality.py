"""What the events of adjudication and of protocol changes do to the state tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.canonical import canonical_json
from overread.store.events import Event

Body = Mapping[str, Any]

ADJUDICATES = "adjudicates this case"
"""Reason of a skip that keeps a case from who saw its reads."""


def senior_set(connection: sa.Connection, event: Event, body: Body) -> None:
    """A member adjudicates, or no longer does."""
    if body["senior"]:
        row = {"project": event.project, "reader": body["reader"], "since": event.at}
        connection.execute(t.seniors.insert().values(**row))
    else:
        no_senior(connection, event.project, body["reader"])


def no_senior(connection: sa.Connection, project: str | None, reader: str) -> None:
    """Take the mark of a senior away, if they have it."""
    this = (t.seniors.c.project == project) & (t.seniors.c.reader == reader)
    connection.execute(t.seniors.delete().where(this))


def adjudication_opened(connection: sa.Connection, event: Event, body: Body) -> None:
    """A senior sees the reads of a case, and is given no read of it any more."""
    row = {key: body[key] for key in ("id", "case_id", "number", "senior")}
    row |= {"project": event.project, "shown": canonical_json("shown", body["shown"])}
    fresh: dict[str, Any] = {"state": "open", "words": "", "picked": "", "closed": ""}
    fresh["seconds"] = 0.0
    fresh["dispute"] = body.get("dispute")
    connection.execute(t.adjudications.insert().values(**row, **fresh, opened=event.at))
    if body["task"] is not None:
        skip = {"task": body["task"], "reader": body["senior"], "case_id": body["case_id"]}
        kept = skip | {"project": event.project, "reason": ADJUDICATES, "since": event.at}
        connection.execute(t.skips.insert().values(**kept))


def _closed(connection: sa.Connection, event: Event, body: Body, **change: Any) -> None:
    this = t.adjudications.c.id == body["id"]
    connection.execute(t.adjudications.update().where(this).values(closed=event.at, **change))


def adjudication_left(connection: sa.Connection, event: Event, body: Body) -> None:
    """Nothing came of an adjudication."""
    _closed(connection, event, body, state="left")


def adjudication_sent_back(connection: sa.Connection, event: Event, body: Body) -> None:
    """The readers are asked."""
    change = {key: body[key] for key in ("words", "seconds")}
    _closed(connection, event, body, state="sent_back", **change)


def adjudication_decided(connection: sa.Connection, event: Event, body: Body) -> None:
    """The case has its standard."""
    change = {key: body[key] for key in ("words", "seconds", "picked")}
    _closed(connection, event, body, state="decided", **change)
    connection.execute(t.standards.delete().where(t.standards.c.case_id == body["case_id"]))
    row = {key: body[key] for key in ("case_id", "cannot_be_read", "protocol_version", "words")}
    row |= {"adjudication": body["id"], "answer": canonical_json("answer", body["answer"])}
    more = {"project": event.project, "stands": True, "since": event.at, "event": event.n}
    connection.execute(t.standards.insert().values(**row, **more))


def standard_withdrawn(connection: sa.Connection, event: Event, body: Body) -> None:
    """The case has no standard any more."""
    change = {"stands": False, "words": body["words"], "since": event.at, "event": event.n}
    this = t.standards.c.case_id == body["case_id"]
    connection.execute(t.standards.update().where(this).values(**change))


def asked_again(connection: sa.Connection, event: Event, body: Body) -> None:
    """Tasks that were planned are asked again."""
    fixed = {key: body[key] for key in ("why", "words", "source")}
    fixed |= {"project": event.project, "since": event.at}
    rows = [
        {"task": task, "case_id": case, "reader": reader} | fixed
        for task, case, reader in body["tasks"]
    ]
    connection.execute(t.asked_again.insert(), rows)


def version_ruled(connection: sa.Connection, event: Event, body: Body) -> None:
    """What a version means for the labels before it; a second ruling takes the first's place."""
    this = (t.rulings.c.project == event.project) & (t.rulings.c.version == body["version"])
    connection.execute(t.rulings.delete().where(this))
    row = {key: body[key] for key in ("version", "choice", "until_replaced", "readers", "words")}
    row |= {"project": event.project, "touched": canonical_json("touched", body["touched"])}
    more = {"ruled_by": event.actor, "since": event.at, "event": event.n}
    connection.execute(t.rulings.insert().values(**row, **more))


def labels_ruled(connection: sa.Connection, event: Event, body: Body) -> None:
    """How labels stand under a version."""
    fixed = {"project": event.project, "version": body["version"], "since": event.at}
    fixed["standing"] = body["standing"]
    for question, reads in body["labels"].items():
        this = (t.stale.c.question == question) & t.stale.c.read_id.in_(reads)
        connection.execute(t.stale.delete().where(this))
        rows = [{"read_id": read, "question": question} | fixed for read in reads]
        connection.execute(t.stale.insert(), rows)
