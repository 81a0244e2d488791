"""What the events of onboarding do to the state: profiles, gold cases, dry runs, certificates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.canonical import canonical_json
from overread.store.events import Event

Body = Mapping[str, Any]


def _profile_changed(connection: sa.Connection, event: Event, body: Body) -> None:
    reader = body["reader"]
    connection.execute(t.profiles.delete().where(t.profiles.c.reader == reader))
    row = {"reader": reader, "profile": canonical_json("profile", body["profile"])}
    row |= {"changed": event.at, "changed_by": event.actor}
    connection.execute(t.profiles.insert().values(**row))


def _demand_waived(connection: sa.Connection, event: Event, body: Body) -> None:
    row = {key: body[key] for key in ("id", "reader", "what", "reason")}
    row |= {"project": event.project, "since": event.at, "waived_by": event.actor}
    connection.execute(t.waivers.insert().values(**row))


def _gold_added(connection: sa.Connection, event: Event, body: Body) -> None:
    fixed = {"project": event.project, "since": event.at, "made_by": event.actor}
    plain = ("id", "case_id", "pool", "protocol_version", "source", "atlas")
    rows = [
        {key: one[key] for key in plain}
        | {"answer": canonical_json("answer", one["answer"]), "state": "active", "reason": ""}
        | fixed
        for one in body["gold"]
    ]
    connection.execute(t.gold.insert(), rows)


def _gold_retired(connection: sa.Connection, _event: Event, body: Body) -> None:
    this = t.gold.c.id == body["gold"]
    change = {"state": "retired", "reason": body["reason"]}
    connection.execute(t.gold.update().where(this).values(**change))


def _run_begun(connection: sa.Connection, event: Event, body: Body) -> None:
    row = {key: body[key] for key in ("reader", "run", "protocol_version", "cases")}
    row |= {"project": event.project, "begun": event.at, "ended": None}
    connection.execute(t.runs.insert().values(**row, state="open", score="{}"))


def _trial_given(connection: sa.Connection, event: Event, body: Body) -> None:
    row = {key: body[key] for key in ("id", "reader", "run", "number", "gold", "case_id")}
    row |= {"project": event.project, "given": event.at}
    unread = {"cannot_be_read": False, "comment": "", "seconds": 0.0}
    connection.execute(t.trials.insert().values(**row, **unread))


def _trial_read(connection: sa.Connection, event: Event, body: Body) -> None:
    plain = ("read_id", "cannot_be_read", "comment", "seconds", "protocol_version", "said")
    row = {key: body[key] for key in plain} | {"submitted": event.at}
    row |= {key: canonical_json(key, body[key]) for key in ("answer", "marks")}
    connection.execute(t.trials.update().where(t.trials.c.id == body["trial"]).values(**row))


def _run_ended(connection: sa.Connection, event: Event, body: Body) -> None:
    this = (
        (t.runs.c.project == event.project)
        & (t.runs.c.reader == body["reader"])
        & (t.runs.c.run == body["run"])
    )
    state = "passed" if body["passed"] else "failed"
    change = {"state": state, "score": canonical_json("score", body["score"]), "ended": event.at}
    connection.execute(t.runs.update().where(this).values(**change))


def _reader_qualified(connection: sa.Connection, event: Event, body: Body) -> None:
    _qualification_withdrawn(connection, event, body)
    again = t.requalifications.c
    this = (again.project == event.project) & (again.reader == body["reader"])
    connection.execute(t.requalifications.delete().where(this))
    row = {key: body[key] for key in ("reader", "protocol_version", "how")}
    row |= {"project": event.project, "since": event.at, "note": body.get("note", "")}
    row |= {"score": canonical_json("score", body["score"])}
    connection.execute(t.qualifications.insert().values(**row))


def _qualification_withdrawn(connection: sa.Connection, event: Event, body: Body) -> None:
    rows = t.qualifications.c
    this = (rows.project == event.project) & (rows.reader == body["reader"])
    connection.execute(t.qualifications.delete().where(this))


def _gold_disputed(connection: sa.Connection, event: Event, body: Body) -> None:
    row = {key: body[key] for key in ("id", "gold", "case_id", "trial", "reader", "words")}
    row |= {"project": event.project, "since": event.at, "state": "open", "decision": ""}
    connection.execute(t.disputes.insert().values(**row))


def _dispute_settled(connection: sa.Connection, event: Event, body: Body) -> None:
    change = {"state": body["state"], "decision": body["decision"]}
    change |= {"settled": event.at, "settled_by": event.actor}
    this = t.disputes.c.id == body["dispute"]
    connection.execute(t.disputes.update().where(this).values(**change))


ONBOARDING: dict[str, Callable[[sa.Connection, Event, Body], None]] = {
    "profile_changed": _profile_changed,
    "demand_waived": _demand_waived,
    "gold_added": _gold_added,
    "gold_retired": _gold_retired,
    "run_begun": _run_begun,
    "trial_given": _trial_given,
    "trial_read": _trial_read,
    "run_ended": _run_ended,
    "reader_qualified": _reader_qualified,
    "qualification_withdrawn": _qualification_withdrawn,
    "gold_disputed": _gold_disputed,
    "dispute_settled": _dispute_settled,
}
