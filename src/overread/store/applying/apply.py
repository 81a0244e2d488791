"""What each event does to the state tables: the only place that writes them.

An operation decides, writes its events and has them applied here, in one transaction; a rebuild
applies the same events again. That is why the two cannot differ.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.applying import disputes, plans, quality, reports, watch
from overread.store.applying.auto_labels import ACTIONS as AUTO_LABELS
from overread.store.applying.labels import ACTIONS as LABELS
from overread.store.applying.learning import ACTIONS as LEARNING
from overread.store.applying.onboarding import ONBOARDING
from overread.store.applying.pre_labels import ACTIONS as PRE_LABELS
from overread.store.canonical import canonical_json
from overread.store.engine import look_again
from overread.store.errors import BrokenLogError, ConflictError
from overread.store.events import Event, append

Body = Mapping[str, Any]
Happened = tuple[str, str | None, dict[str, Any]]


# Statements of every claim and read are built once: building takes longer than running them.
_KEYS: sa.BindParameter[Any] = sa.bindparam("keys", expanding=True)
_BY: sa.BindParameter[str] = sa.bindparam("by")
_TAKE = (
    t.tasks.update()
    .where(t.tasks.c.id.in_(_KEYS), t.tasks.c.state.in_(("open", "claimed")))
    .values(state="claimed", reader=_BY)
)
_GRANT = sa.text(
    "INSERT INTO grants (task, reader, first) VALUES (:task, :reader, :first) "
    "ON CONFLICT (task, reader) DO NOTHING"
)
_INSERT_READ = t.reads.insert()
_CLOSE = (
    t.tasks.update().where(t.tasks.c.id == sa.bindparam("task")).values(state="done", reader=_BY)
)


def record(
    connection: sa.Connection, at: str, actor: str, happened: Sequence[Happened]
) -> list[Event]:
    """Append events, each (action, project, body), to the log and apply them to the state."""
    made = append(connection, at, actor, happened)
    for event in made:
        apply(connection, event)
    return made


def apply(connection: sa.Connection, event: Event) -> None:
    """Do to the state what an event says.

    Raises:
        BrokenLogError: this version does not know the event.
    """
    act = _ACTIONS.get(event.action)
    if act is None:
        raise BrokenLogError(f"event {event.n} is of a kind this Overread does not know")
    act(connection, event, json.loads(event.body))


def _user_added(connection: sa.Connection, event: Event, body: Body) -> None:
    row = {key: body[key] for key in ("id", "email", "name", "role")}
    connection.execute(t.users.insert().values(**row, active=True, created=event.at))


def _user_changed(connection: sa.Connection, _event: Event, body: Body) -> None:
    change = {key: body[key] for key in ("name", "role", "active") if key in body}
    connection.execute(t.users.update().where(t.users.c.id == body["id"]).values(**change))


def _project_created(connection: sa.Connection, event: Event, body: Body) -> None:
    connection.execute(
        t.projects.insert().values(
            id=event.project,
            name=body["name"],
            created=event.at,
            created_by=event.actor,
            archived=False,
            last_position=0,
            gated=False,
        )
    )


def _project_changed(connection: sa.Connection, event: Event, body: Body) -> None:
    change = {key: body[key] for key in ("name", "archived") if key in body}
    connection.execute(t.projects.update().where(t.projects.c.id == event.project).values(**change))


def _protocol_added(connection: sa.Connection, event: Event, body: Body) -> None:
    connection.execute(
        t.protocols.insert().values(
            project=event.project,
            version=body["version"],
            text=body["text"],
            created=event.at,
            created_by=event.actor,
        )
    )
    gated = bool(body.get("gated", False))  # events of older stores do not say
    this = t.projects.c.id == event.project
    connection.execute(t.projects.update().where(this).values(gated=gated))


def _member_set(connection: sa.Connection, event: Event, body: Body) -> None:
    this = (t.members.c.project == event.project) & (t.members.c.reader == body["reader"])
    changed = connection.execute(t.members.update().where(this).values(role=body["role"]))
    if not changed.rowcount:
        connection.execute(
            t.members.insert().values(
                project=event.project, reader=body["reader"], role=body["role"], since=event.at
            )
        )


def _member_removed(connection: sa.Connection, event: Event, body: Body) -> None:
    this = (t.members.c.project == event.project) & (t.members.c.reader == body["reader"])
    connection.execute(t.members.delete().where(this))
    quality.no_senior(connection, event.project, body["reader"])


def _case_added(connection: sa.Connection, event: Event, body: Body) -> None:
    plain = ("id", "number", "name", "content_hash", "group_key", "modality", "thumbnail")
    row = {key: body[key] for key in plain}
    row |= {key: canonical_json(key, body[key]) for key in ("meta", "image", "frames")}
    fresh = {"project": event.project, "added": event.at, "state": "unplanned", "free": 0}
    connection.execute(t.cases.insert().values(**row, **fresh))


def _cases_grouped(connection: sa.Connection, _event: Event, body: Body) -> None:
    for case, group, _before in body["cases"]:
        connection.execute(t.cases.update().where(t.cases.c.id == case).values(group_key=group))


def _file_quarantined(connection: sa.Connection, event: Event, body: Body) -> None:
    this = (t.quarantine.c.project == event.project) & (
        t.quarantine.c.source_hash == body["source_hash"]
    )
    connection.execute(t.quarantine.delete().where(this))
    connection.execute(
        t.quarantine.insert().values(
            project=event.project,
            source_hash=body["source_hash"],
            reason=body["reason"],
            since=event.at,
        )
    )


def _file_cleared(connection: sa.Connection, event: Event, body: Body) -> None:
    this = (t.quarantine.c.project == event.project) & (
        t.quarantine.c.source_hash == body["source_hash"]
    )
    connection.execute(t.quarantine.delete().where(this))


def _slots_planned(connection: sa.Connection, event: Event, body: Body) -> None:
    names = ("id", "case_id", "round", "slot", "position", "planned_for")
    rows = [dict(zip(names, slot, strict=True)) for slot in body["slots"]]
    fixed = {"project": event.project, "reader": None, "state": "open"}
    connection.execute(t.tasks.insert(), [row | fixed for row in rows])
    last = max(row["position"] for row in rows)
    # slots put among others do not lengthen the queue
    this = (t.projects.c.id == event.project) & (t.projects.c.last_position < last)
    connection.execute(t.projects.update().where(this).values(last_position=last))
    _recount(connection, sorted({row["case_id"] for row in rows}))
    look_again(connection, "tasks", last)


def _slots_withdrawn(connection: sa.Connection, _event: Event, body: Body) -> None:
    for start in range(0, len(body["tasks"]), 500):
        part = t.tasks.c.id.in_(body["tasks"][start : start + 500])
        connection.execute(t.tasks.delete().where(part))
    plans.unplanned(connection, body["tasks"])
    _recount(connection, body["cases"])


def _tasks_claimed(connection: sa.Connection, event: Event, body: Body) -> None:
    reader = body["reader"]
    taken = connection.execute(_TAKE, {"keys": body["tasks"], "by": reader})
    if taken.rowcount != len(body["tasks"]):
        raise ConflictError("task", "is no longer free")
    _recount_of(connection, body["tasks"])
    rows = [{"task": task, "reader": reader, "first": event.at} for task in body["tasks"]]
    connection.execute(_GRANT, rows)


def _task_reopened(connection: sa.Connection, _event: Event, body: Body) -> None:
    change = {"state": "open", "reader": None}
    if "planned_for" in body:
        change["planned_for"] = body["planned_for"]
    connection.execute(t.tasks.update().where(t.tasks.c.id == body["task"]).values(**change))
    _recount_of(connection, [body["task"]])


def _task_skipped(connection: sa.Connection, event: Event, body: Body) -> None:
    this = (t.skips.c.task == body["task"]) & (t.skips.c.reader == body["reader"])
    connection.execute(t.skips.delete().where(this))
    row = {key: body[key] for key in ("task", "reader", "case_id", "reason")}
    connection.execute(t.skips.insert().values(**row, project=event.project, since=event.at))
    connection.execute(
        t.tasks.update()
        .where(t.tasks.c.id == body["task"])
        .values(state=body["state"], reader=None)
    )
    _recount(connection, [body["case_id"]])


def _read_submitted(connection: sa.Connection, event: Event, body: Body) -> None:
    row = {column: body[column] for column in _READ}
    row["answer"] = canonical_json("answer", body["answer"])
    row |= {"event": event.n, "project": event.project, "submitted": event.at}
    connection.execute(_INSERT_READ, row)
    if body["closes_task"]:
        connection.execute(_CLOSE, {"task": body["task"], "by": body["reader"]})
        _recount(connection, [body["case_id"]])


_READ = (
    "id",
    "task",
    "case_id",
    "reader",
    "round",
    "revision",
    "protocol_version",
    "cannot_be_read",
    "ask_a_senior",
    "comment",
    "seconds",
    "surplus",
    "said",
)


def _reply_given(connection: sa.Connection, event: Event, body: Body) -> None:
    connection.execute(t.replies.delete().where(t.replies.c.read_id == body["read"]))
    row = {"read_id": body["read"], **{key: body[key] for key in ("case_id", "reader", "words")}}
    kept = row | {"project": event.project, "replied_by": event.actor, "since": event.at}
    connection.execute(t.replies.insert().values(**kept))


def _recount_of(connection: sa.Connection, tasks: Sequence[str]) -> None:
    connection.execute(_recounting(by_task=True), {"keys": list(tasks)})


def _recount(connection: sa.Connection, cases: Sequence[Any]) -> None:
    for start in range(0, len(cases), 500):
        connection.execute(_recounting(by_task=False), {"keys": cases[start : start + 500]})


@cache
def _recounting(*, by_task: bool) -> sa.Update:
    """Note at each case how far it is, so that no page and no progress counts all tasks."""
    keys: sa.BindParameter[Any] = sa.bindparam("keys", expanding=True)
    part = t.cases.c.id.in_(keys)
    if by_task:
        part = t.cases.c.id.in_(sa.select(t.tasks.c.case_id).where(t.tasks.c.id.in_(keys)))
    of_case = sa.select(sa.func.count()).where(t.tasks.c.case_id == t.cases.c.id)
    outstanding = of_case.where(t.tasks.c.state != "done").scalar_subquery()
    free = of_case.where(t.tasks.c.state == "open", t.tasks.c.planned_for.is_(None))
    none = of_case.scalar_subquery() == 0
    state = sa.case((none, "unplanned"), (outstanding == 0, "done"), else_="open")
    return t.cases.update().where(part).values(state=state, free=free.scalar_subquery())


def _only_told(_connection: sa.Connection, _event: Event, _body: Body) -> None:
    """An event that changes no state table: it is there to be told."""


_ACTIONS: dict[str, Callable[[sa.Connection, Event, Body], None]] = {
    "user_added": _user_added,
    "user_changed": _user_changed,
    "password_changed": _only_told,
    "link_made": _only_told,
    "link_used": _only_told,
    "project_created": _project_created,
    "project_changed": _project_changed,
    "protocol_added": _protocol_added,
    "member_set": _member_set,
    "member_removed": _member_removed,
    "case_added": _case_added,
    "cases_grouped": _cases_grouped,
    "file_quarantined": _file_quarantined,
    "file_cleared": _file_cleared,
    "slots_planned": _slots_planned,
    "slots_withdrawn": _slots_withdrawn,
    "tasks_claimed": _tasks_claimed,
    "task_reopened": _task_reopened,
    "task_skipped": _task_skipped,
    "read_submitted": _read_submitted,
    "reply_given": _reply_given,
    "link_withdrawn": _only_told,
    "senior_set": quality.senior_set,
    "adjudication_opened": quality.adjudication_opened,
    "adjudication_left": quality.adjudication_left,
    "adjudication_sent_back": quality.adjudication_sent_back,
    "adjudication_decided": quality.adjudication_decided,
    "standard_withdrawn": quality.standard_withdrawn,
    "asked_again": quality.asked_again,
    "version_ruled": quality.version_ruled,
    "labels_ruled": quality.labels_ruled,
    **ONBOARDING,
    **watch.ACTIONS,
    **LABELS,
    **LEARNING,
    **plans.ACTIONS,
    **reports.ACTIONS,
    **disputes.ACTIONS,
    **AUTO_LABELS,
    **PRE_LABELS,
}
