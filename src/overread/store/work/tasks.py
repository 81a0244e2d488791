"""Tasks: claimed in one atomic step under a lease, kept by heartbeat, released or skipped."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import plain_text, stamp
from overread.store.canonical import whole_number as whole
from overread.store.engine import Store
from overread.store.errors import ConflictError, NotFoundError, NotQualifiedError
from overread.store.people.grants import granted
from overread.store.study.cases import CaseRow, case_of
from overread.store.work.drafts import DraftRow, draft_of
from overread.store.work.queue import Rows, checks_to_read, held, next_in_queue, reopen_marks

_MOST = 50
_LONGEST_LEASE = 86_400.0

# Statements are built once, as in the queue.
_KEYS: sa.BindParameter[Any] = sa.bindparam("keys", expanding=True)
_READER: sa.BindParameter[str] = sa.bindparam("r")
_STANDING = (
    sa.select(
        t.projects.c.archived,
        t.projects.c.gated,
        t.qualifications.c.since,
        t.pauses.c.since.label("paused"),
    )
    .join(t.members, t.members.c.project == t.projects.c.id)
    .outerjoin(
        t.qualifications,
        (t.qualifications.c.project == t.projects.c.id) & (t.qualifications.c.reader == _READER),
    )
    .outerjoin(t.pauses, (t.pauses.c.project == t.projects.c.id) & (t.pauses.c.reader == _READER))
    .where(
        t.projects.c.id == sa.bindparam("p"),
        t.members.c.reader == _READER,
        t.members.c.role != "lead",  # who only leads is given nothing to read
    )
)
_TERMS = (
    sa.select(t.tasks.c.project, t.cases.c.image, t.protocols.c.version, t.protocols.c.text)
    .join(t.grants, (t.grants.c.task == t.tasks.c.id) & (t.grants.c.reader == _READER))
    .join(t.cases, t.cases.c.id == t.tasks.c.case_id)
    .join(t.protocols, t.protocols.c.project == t.tasks.c.project)
    .where(t.tasks.c.id == sa.bindparam("t"))
)
_NEWEST_TERMS = _TERMS.order_by(t.protocols.c.version.desc()).limit(1)
_TERMS_OF = _TERMS.where(t.protocols.c.version == sa.bindparam("v"))
_LEASE = sa.text(
    "INSERT INTO leases (task, reader, expires) VALUES (:task, :reader, :expires) "
    "ON CONFLICT (task) DO UPDATE SET reader = excluded.reader, expires = excluded.expires"
)
_NO_LEASES = t.leases.delete().where(t.leases.c.task.in_(_KEYS))


@dataclass(frozen=True, slots=True)
class Task:
    """A task in a reader's hand.

    Attributes:
        id, project: as kept.
        case: with its frames.
        round: 0 for a first read, k for the k-th repeat.
        state: "claimed", "done", or another when it is no longer the reader's.
        lease_expires: "" when there is no lease.
        protocol_version: the newest of the project.
        revision: of the reader's last submission, 0 for none.
        draft: what was saved and not submitted.
    """

    id: str
    project: str
    case: CaseRow
    round: int
    state: str
    lease_expires: str
    protocol_version: int
    revision: int
    draft: DraftRow | None


@dataclass(frozen=True, slots=True)
class Terms:
    """What an answer to a task must fit.

    Attributes:
        project: its id.
        image: rows, columns, frames and more, of the case.
        protocol_version, protocol_text: that it is checked against.
    """

    project: str
    image: dict[str, Any]
    protocol_version: int
    protocol_text: str


def claim(
    store: Store, project: str, reader: str, *, count: int = 1, lease_seconds: float = 900
) -> list[Task]:
    """Claim tasks for a reader; the reader's own unfinished ones come first, lease renewed.

    Args:
        store: where.
        project: its id; the reader must be a member.
        reader: the user's id.
        count: hold up to so many, 1 to 50.
        lease_seconds: how long without a heartbeat until others may have them.
    Returns:
        The tasks in the order of the queue; [] when there is nothing to read. A reader who is
        paused gets what they hold, and the cases of a check.
    Raises:
        NotFoundError: no such project for this reader.
        NotQualifiedError: the protocol demands a qualification that the reader has not.
    """
    whole("count", count, low=1, high=_MOST)
    with store.writing() as connection:
        standing = _standing(connection, project, reader)
        if standing.archived:
            return []
        if standing.gated and standing.since is None:
            raise NotQualifiedError(reader)
        now, until = store.now(), _until(store, lease_seconds)
        mine, new = _at_hand(connection, standing, project, reader, count, now)
        if new:
            body = {"tasks": [row.id for row in new], "reader": reader, "until": until}
            record(connection, now, reader, [("tasks_claimed", project, body)])
        for row in new:
            if row.state == "claimed":  # it ran out on somebody, who may have another slot now
                reopen_marks(connection, project, row.case_id)
        keys = [row.id for row in (*mine, *new)]
        _lease(connection, keys, reader, until)
    if not keys:
        return []
    with store.reading() as connection:  # nobody need wait for this look
        return _tasks(connection, keys, reader)


def _at_hand(  # noqa: PLR0917 - one step of a claim, cut out
    connection: sa.Connection,
    standing: sa.Row[Any],
    project: str,
    reader: str,
    count: int,
    now: str,
) -> tuple[Rows, Rows]:
    """What a reader holds, and what they get; who is paused gets tasks of their check alone."""
    if not standing.paused:
        trained = bool(standing.gated)
        return next_in_queue(connection, project, reader, count, now, trained=trained)
    mine = held(connection, project, reader, count)
    if len(mine) == count:
        return mine, []
    return mine, checks_to_read(connection, project, reader, count - len(mine))


def get_task(store: Store, task: str, reader: str) -> Task:
    """Get a task that this reader holds or once held.

    Raises:
        NotFoundError: it is not, or never was, this reader's.
    """
    with store.reading() as connection:
        granted(connection, task, reader)
        return _tasks(connection, [task], reader)[0]


def get_terms(store: Store, task: str, reader: str, version: int | None = None) -> Terms:
    """Get what an answer to this reader's task must fit; under the newest protocol if None.

    Raises:
        NotFoundError: the task is not, or never was, this reader's; no such version.
    """
    with store.reading() as connection:
        keys = {"t": task, "r": reader}
        if version is None:
            found = connection.execute(_NEWEST_TERMS, keys).first()
        else:
            found = connection.execute(_TERMS_OF, {**keys, "v": version}).first()
        if found is None:
            project = granted(connection, task, reader).project
            raise NotFoundError("protocol of project", project)
    return Terms(found.project, json.loads(found.image), found.version, found.text)


def heartbeat(store: Store, task: str, reader: str, *, lease_seconds: float = 900) -> str:
    """Renew a lease, also one that ran out if nobody else took the task.

    Returns:
        When it runs out now.
    Raises:
        NotFoundError: the task never was this reader's.
        ConflictError: it is another's now, or done; a submission is still kept.
    """
    with store.writing() as connection:
        _in_hand(connection, task, reader)
        until = _until(store, lease_seconds)
        _lease(connection, [task], reader, until)
    return until


def release(store: Store, task: str, reader: str) -> None:
    """Give a task back unread; the draft is kept for when the reader gets it again.

    Raises:
        NotFoundError, ConflictError: as of :func:`heartbeat`.
    """
    with store.writing() as connection:
        row = _in_hand(connection, task, reader)
        body = {"task": task, "reader": reader}
        record(connection, store.now(), reader, [("task_reopened", row.project, body)])
        _end_lease(connection, task)
        reopen_marks(connection, row.project, row.case_id)


def skip(store: Store, task: str, reader: str, reason: str) -> None:
    """Refuse a task with a reason: the reader gets the case no more, others do.

    A task kept for this reader alone waits as "skipped" until the lead reassigns it.

    Raises:
        NotFoundError, ConflictError: as of :func:`heartbeat`.
    """
    plain_text("reason", reason, longest=2_000)
    with store.writing() as connection:
        row = _in_hand(connection, task, reader)
        body = {
            "task": task,
            "reader": reader,
            "case_id": row.case_id,
            "reason": reason,
            "state": "open" if row.planned_for is None else "skipped",
        }
        record(connection, store.now(), reader, [("task_skipped", row.project, body)])
        _end_lease(connection, task)
        reopen_marks(connection, row.project, row.case_id)


def _in_hand(connection: sa.Connection, task: str, reader: str) -> sa.Row[Any]:
    row = granted(connection, task, reader)
    if row.reader != reader or row.state != "claimed":
        raise ConflictError("task", "is no longer in this reader's hand")
    return row


def _standing(connection: sa.Connection, project: str, reader: str) -> Any:
    """Whether the project is put away, demands a qualification, and since when there is one."""
    found = connection.execute(_STANDING, {"p": project, "r": reader}).first()
    if found is None:
        raise NotFoundError("project", project)
    return found


def _until(store: Store, lease_seconds: float) -> str:
    if not 0 < lease_seconds <= _LONGEST_LEASE:
        raise InputError("lease", "last more than 0 and at most 86400 seconds", lease_seconds)
    return stamp(store.clock() + timedelta(seconds=lease_seconds))


def _lease(connection: sa.Connection, tasks: list[str], reader: str, until: str) -> None:
    if tasks:
        rows = [{"task": task, "reader": reader, "expires": until} for task in tasks]
        connection.execute(_LEASE, rows)


def _end_lease(connection: sa.Connection, task: str) -> None:
    connection.execute(_NO_LEASES, {"keys": [task]})


def _tasks(connection: sa.Connection, keys: list[str], reader: str) -> list[Task]:
    """All that a page needs of these tasks, in the order of the queue."""
    rows = connection.execute(_shown(), {"keys": keys, "r": reader}).all()
    return [_task(row, reader) for row in rows]


def _task(row: sa.Row[Any], reader: str) -> Task:
    its = row._mapping
    case = {column.name: its[column] for column in t.cases.c}
    draft = {column.name: its[column] for column in t.drafts.c}
    mine = its[t.tasks.c.reader] == reader
    return Task(
        id=its[t.tasks.c.id],
        project=its[t.tasks.c.project],
        case=case_of(case),
        round=its[t.tasks.c.round],
        state=its[t.tasks.c.state] if mine else "lost",
        lease_expires=(row.lease_until or "") if mine else "",
        protocol_version=row.newest,
        revision=row.last_revision or 0,
        draft=draft_of(draft) if draft["task"] else None,
    )


@cache
def _shown() -> sa.Select[Any]:
    version = (
        sa.select(sa.func.max(t.protocols.c.version))
        .where(t.protocols.c.project == t.tasks.c.project)
        .scalar_subquery()
    )
    revision = (
        sa.select(sa.func.max(t.reads.c.revision))
        .where(t.reads.c.task == t.tasks.c.id, t.reads.c.reader == _READER)
        .scalar_subquery()
    )
    mine = (t.drafts.c.task == t.tasks.c.id) & (t.drafts.c.reader == _READER)
    return (
        sa.select(
            t.tasks,
            t.cases,
            t.drafts,
            t.leases.c.expires.label("lease_until"),
            version.label("newest"),
            revision.label("last_revision"),
        )
        .join(t.cases, t.cases.c.id == t.tasks.c.case_id)
        .outerjoin(t.leases, t.leases.c.task == t.tasks.c.id)
        .outerjoin(t.drafts, mine)
        .where(t.tasks.c.id.in_(_KEYS))
        .order_by(t.tasks.c.position)
    )
