"""What the events of auto-labels, their reviews and audits do to the state tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.canonical import canonical_json
from overread.store.events import Event

Body = Mapping[str, Any]


def _auto_labelled(connection: sa.Connection, event: Event, body: Body) -> None:
    older = (t.auto_runs.c.project == event.project) & (t.auto_runs.c.question == body["question"])
    connection.execute(t.auto_runs.update().where(older).values(state="replaced"))
    row = {key: body[key] for key in ("id", "number", "question", "protocol_version", "model")}
    row |= {"settings": canonical_json("settings", body["settings"]), "state": "open"}
    made = {"made": event.at, "made_by": event.actor, "event": event.n}
    connection.execute(t.auto_runs.insert().values(**row, **made, project=event.project))


def _auto_labels_added(connection: sa.Connection, event: Event, body: Body) -> None:
    fixed = {"run": body["run"], "state": "proposed", "who": "", "since": event.at}
    rows = [
        {"case_id": case, "place": body["first"] + at, "proposed": label, "label": label,
         "probability": probability, "tier": tier} | fixed
        for at, (case, label, probability, tier) in enumerate(body["rows"])
    ]  # fmt: skip
    connection.execute(t.auto_labels.insert(), rows)


_CHANGE = (
    t.auto_labels.update()
    .where(
        t.auto_labels.c.run == sa.bindparam("of_run"),
        t.auto_labels.c.case_id == sa.bindparam("of_case"),
    )
    .values(
        label=sa.bindparam("to_label"),
        state=sa.bindparam("to_state"),
        who=sa.bindparam("to_who"),
        since=sa.bindparam("to_since"),
    )
)


def _auto_labels_reviewed(connection: sa.Connection, event: Event, body: Body) -> None:
    rows = [
        {"of_run": body["run"], "of_case": case, "to_label": label, "to_state": state,
         "to_who": "" if state == "proposed" else event.actor, "to_since": event.at}
        for case, label, state in body["rows"]
    ]  # fmt: skip
    if rows:
        connection.execute(_CHANGE, rows)
    looked_at = 0 if body.get("rest") else len(rows)
    row = {"run": body["run"], "project": event.project, "reader": event.actor, "event": event.n}
    row |= {"labels": len(rows), "looked_at": looked_at, "seconds": body["seconds"]}
    connection.execute(t.auto_reviews.insert().values(**row, since=event.at))


def _audit_begun(connection: sa.Connection, event: Event, body: Body) -> None:
    row = {key: body[key] for key in ("id", "run", "number", "frozen")}
    row |= {"settings": canonical_json("settings", body["settings"]), "state": "running"}
    made = {"begun": event.at, "begun_by": event.actor, "event": event.n, "words": "", "ended": ""}
    connection.execute(t.audits.insert().values(**row, **made, project=event.project))
    this = t.auto_runs.c.id == body["run"]
    connection.execute(t.auto_runs.update().where(this).values(state="frozen"))
    _audit_cases(connection, body["id"], 0, body["cases"])


def _audit_prolonged(connection: sa.Connection, _event: Event, body: Body) -> None:
    _audit_cases(connection, body["audit"], body["first"], body["cases"])


def _audit_cases(connection: sa.Connection, audit: str, first: int, cases: list[str]) -> None:
    rows = [{"audit": audit, "case_id": one, "place": first + at} for at, one in enumerate(cases)]
    if rows:
        connection.execute(t.audit_cases.insert(), rows)


def _audit_ended(connection: sa.Connection, event: Event, body: Body) -> None:
    change = {"state": body["state"], "words": body["words"], "ended": event.at}
    connection.execute(t.audits.update().where(t.audits.c.id == body["audit"]).values(**change))
    run = {"certified": "certified", "refused": "refused"}.get(body["state"], "open")
    this = t.auto_runs.c.id == body["run"]
    connection.execute(t.auto_runs.update().where(this).values(state=run))
    for start in range(0, len(body["audited"]), 500):
        part = t.auto_labels.c.case_id.in_(body["audited"][start : start + 500])
        connection.execute(
            t.auto_labels.update()
            .where(t.auto_labels.c.run == body["run"], part)
            .values(state="audited", since=event.at)
        )


def _label_certificate_issued(connection: sa.Connection, event: Event, body: Body) -> None:
    row = {key: body[key] for key in ("id", "run", "audit", "document")}
    made = {"made": event.at, "made_by": event.actor, "event": event.n}
    connection.execute(t.label_certificates.insert().values(**row, **made, project=event.project))


ACTIONS: dict[str, Callable[[sa.Connection, Event, Body], None]] = {
    "auto_labelled": _auto_labelled,
    "auto_labels_added": _auto_labels_added,
    "auto_labels_reviewed": _auto_labels_reviewed,
    "audit_begun": _audit_begun,
    "audit_prolonged": _audit_prolonged,
    "audit_ended": _audit_ended,
    "label_certificate_issued": _label_certificate_issued,
}
