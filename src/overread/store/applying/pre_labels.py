"""What the events of pre-labels do to the state tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.canonical import canonical_json
from overread.store.events import Event

Body = Mapping[str, Any]


def _pre_labels_added(connection: sa.Connection, event: Event, body: Body) -> None:
    fixed = {
        "event": event.n,
        "project": event.project,
        "model": body["model"],
        "version": body["version"],
        "since": event.at,
        "brought_by": event.actor,
        "withdrawn": 0,
    }
    rows = [
        {"case_id": case, "question": question, "confidence": sure, **fixed}
        | {"value": canonical_json("pre-label", value)}
        for case, question, value, sure in body["labels"]
    ]
    connection.execute(t.pre_labels.insert(), rows)


def _pre_labels_withdrawn(connection: sa.Connection, event: Event, body: Body) -> None:
    rows = t.pre_labels.c
    connection.execute(
        t.pre_labels.update()
        .where(
            rows.project == event.project,
            rows.question == body["question"],
            rows.model == body["model"],
            rows.version == body["version"],
            rows.withdrawn == 0,
        )
        .values(withdrawn=event.n)
    )


def _model_brought(connection: sa.Connection, event: Event, body: Body) -> None:
    _model_removed(connection, event, body)
    row = {key: body[key] for key in ("id", "question", "file")}
    row |= {"about": canonical_json("about", body["about"]), "project": event.project}
    fixed = {"since": event.at, "brought_by": event.actor, "event": event.n}
    connection.execute(t.pre_label_models.insert().values(**row, **fixed))


def _model_removed(connection: sa.Connection, event: Event, body: Body) -> None:
    rows = t.pre_label_models
    this = (rows.c.project == event.project) & (rows.c.id == body["id"])
    connection.execute(rows.delete().where(this))


def _hints_withdrawn(connection: sa.Connection, event: Event, _body: Body) -> None:
    here = t.object_hints.c.project == event.project
    connection.execute(t.object_hints.delete().where(here))


def _hints_found(connection: sa.Connection, event: Event, body: Body) -> None:
    cases = [case for case, _ in body["hints"]]
    connection.execute(t.object_hints.delete().where(t.object_hints.c.case_id.in_(cases)))
    fixed = {"project": event.project, "method": body["method"], "since": event.at}
    rows = [
        {"case_id": case, "regions": canonical_json("hints", regions), **fixed}
        for case, regions in body["hints"]
    ]
    connection.execute(t.object_hints.insert(), rows)


def _pre_label_shown(connection: sa.Connection, event: Event, body: Body) -> None:
    row = {key: body[key] for key in ("task", "reader", "what", "case_id", "how", "marked")}
    row |= {"shown": canonical_json("shown", body["shown"]), "project": event.project}
    fixed = {"since": event.at, "event": event.n}
    connection.execute(t.pre_labels_shown.insert().values(**row, **fixed))


ACTIONS: dict[str, Callable[[sa.Connection, Event, Body], None]] = {
    "pre_labels_added": _pre_labels_added,
    "pre_labels_withdrawn": _pre_labels_withdrawn,
    "pre_label_model_brought": _model_brought,
    "pre_label_model_removed": _model_removed,
    "hints_found": _hints_found,
    "hints_withdrawn": _hints_withdrawn,
    "pre_label_shown": _pre_label_shown,
}
