"""Reads: appended, never changed. A correction is a new revision; the client makes the ids."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import canonical_json, digest
from overread.store.canonical import whole_number as whole
from overread.store.engine import Store
from overread.store.errors import ConflictError, NotFoundError
from overread.store.work.answers import said


@dataclass(frozen=True, slots=True)
class Submission:
    """A read as a client sends it.

    Attributes:
        read_id: UUID made by the client; the same submission sent again is kept once.
        task, reader: whose.
        answer: question id -> value.
        protocol_version: the version it was read under.
        base_revision: of the reader's revision that it corrects; 0 for the first.
        cannot_be_read, ask_a_senior, comment: the flags.
        seconds: active reading time.
    """

    read_id: str
    task: str
    reader: str
    answer: Mapping[str, Any]
    protocol_version: int
    base_revision: int = 0
    cannot_be_read: bool = False
    ask_a_senior: bool = False
    comment: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was kept.

    Attributes:
        project: that it belongs to.
        surplus: the slot was another's by then; the read is kept all the same.
    """

    read_id: str
    project: str
    revision: int
    surplus: bool


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A read as kept.

    Attributes:
        event: its number in the log.
        superseded: by a later revision.
        set_aside: after an alarm about its reader; no consensus and no export holds it.
    """

    id: str
    event: int
    project: str
    task: str
    case: str
    reader: str
    round: int
    revision: int
    protocol_version: int
    answer: dict[str, Any]
    cannot_be_read: bool
    ask_a_senior: bool
    comment: str
    seconds: float
    surplus: bool
    submitted: str
    superseded: bool
    set_aside: bool


# Statements of every submission are built once, as in the queue.
_TASK: sa.BindParameter[str] = sa.bindparam("t")
_READER: sa.BindParameter[str] = sa.bindparam("r")
_BEFORE = sa.select(t.reads.c.said, t.reads.c.project, t.reads.c.revision, t.reads.c.surplus).where(
    t.reads.c.id == sa.bindparam("key")
)
_OTHER = t.tasks.alias("other")
# All that a submission must be checked against, in one look within the turn.
_STANDING = (
    sa.select(
        t.tasks,
        t.reads.c.revision,
        t.reads.c.surplus,
        t.protocols.c.version.label("version"),
        sa.exists()
        .where(
            _OTHER.c.case_id == t.tasks.c.case_id,
            _OTHER.c.round == t.tasks.c.round,
            _OTHER.c.reader == _READER,
        )
        .label("has_another"),
    )
    .join(t.grants, (t.grants.c.task == t.tasks.c.id) & (t.grants.c.reader == _READER))
    .outerjoin(t.reads, (t.reads.c.task == t.tasks.c.id) & (t.reads.c.reader == _READER))
    .outerjoin(
        t.protocols,
        (t.protocols.c.project == t.tasks.c.project) & (t.protocols.c.version == sa.bindparam("v")),
    )
    .where(t.tasks.c.id == _TASK)
    .order_by(t.reads.c.revision.desc().nulls_last())
    .limit(1)
)
_NO_DRAFT = t.drafts.delete().where(t.drafts.c.task == _TASK, t.drafts.c.reader == _READER)
_NO_LEASE = t.leases.delete().where(t.leases.c.task == _TASK)


def submit_read(store: Store, given: Submission) -> Receipt:
    """Keep a read. Once this returns, the read is on disk.

    Raises:
        InputError: the submission breaks a rule.
        NotFoundError: the task never was this reader's, or there is no such protocol version.
        ConflictError: ``base_revision`` is not the newest (``current_version`` is), or the
            read_id was used for something else.
    """
    checked = said(
        given.answer, given.cannot_be_read, given.ask_a_senior, given.comment, given.seconds
    )
    key = _uuid(given.read_id)
    whole("base_revision", given.base_revision, low=0, high=1_000_000)
    parts = [given.task, given.reader, given.base_revision, given.protocol_version]
    flags = [checked.cannot_be_read, checked.ask_a_senior, checked.comment]
    content = digest(canonical_json("read", [*parts, *flags, checked.answer]))
    with store.writing() as connection:
        again = _kept_before(connection, key, content)
        if again is not None:
            return again
        task = _standing(connection, given)
        revision = _next_revision(task, given)
        closes = revision == 1 and _closes(task, given.reader)
        surplus = bool(task.surplus) if revision > 1 else not closes
        body = {
            **checked.columns(),
            "answer": json.loads(checked.answer),
            "id": key,
            "task": given.task,
            "case_id": task.case_id,
            "reader": given.reader,
            "round": task.round,
            "revision": revision,
            "protocol_version": given.protocol_version,
            "surplus": surplus,
            "said": content,
            "closes_task": closes,
        }
        record(connection, store.now(), given.reader, [("read_submitted", task.project, body)])
        _tidy(connection, given.task, given.reader, lease=closes)
    return Receipt(key, task.project, revision, surplus)


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except (ValueError, AttributeError, TypeError) as error:
        raise InputError("read_id", "be a UUID", "something else") from error


def _kept_before(connection: sa.Connection, key: str, content: str) -> Receipt | None:
    found = connection.execute(_BEFORE, {"key": key}).first()
    if found is None:
        return None
    if found.said != content:
        raise ConflictError("read_id", "was used for another read; make a new one")
    return Receipt(key, found.project, found.revision, found.surplus)


def _standing(connection: sa.Connection, given: Submission) -> sa.Row[Any]:
    """The task, with the reader's last read of it and the protocol version; for its reader only."""
    whole("protocol_version", given.protocol_version, low=1, high=1_000_000)
    keys = {"t": given.task, "r": given.reader, "v": given.protocol_version}
    task = connection.execute(_STANDING, keys).first()
    if task is None:
        raise NotFoundError("task", given.task)
    return task


def _next_revision(task: sa.Row[Any], given: Submission) -> int:
    current = int(task.revision or 0)
    if given.base_revision != current:
        rule = "was corrected from somewhere else meanwhile"
        raise ConflictError("read", rule, current_version=current)
    if task.version is None:
        raise NotFoundError("protocol version", given.protocol_version)
    return current + 1


def _closes(task: sa.Row[Any], reader: str) -> bool:
    """Tell if the read fills its slot: the slot is in the reader's hand, or back and free."""
    if task.reader == reader:
        return bool(task.state == "claimed")
    if task.state != "open" or task.planned_for not in {None, reader}:
        return False
    return not task.has_another


def _tidy(connection: sa.Connection, task: str, reader: str, *, lease: bool) -> None:
    connection.execute(_NO_DRAFT, {"t": task, "r": reader})
    if lease:
        connection.execute(_NO_LEASE, {"t": task})


def get_read(store: Store, read_id: str, *, reader: str | None = None) -> ReadRow:
    """Get one read.

    Args:
        store: where.
        read_id: its id.
        reader: only if it is this reader's own; None for a lead's eyes.
    Raises:
        NotFoundError: no such read for this reader.
    """
    query = _reads().where(t.reads.c.id == read_id)
    if reader is not None:
        query = query.where(t.reads.c.reader == reader)
    with store.reading() as connection:
        found = connection.execute(query).first()
    if found is None:
        raise NotFoundError("read", read_id)
    return _read_row(found)


def reads_of_case(store: Store, case: str, *, latest: bool = True) -> list[ReadRow]:
    """List the reads of a case in the order of submission: for leads only.

    Args:
        store: where.
        case: its id.
        latest: leave out those that a later revision superseded.
    """
    query = _reads().where(t.reads.c.case_id == case)
    if latest:
        query = query.where(~superseded())
    with store.reading() as connection:
        rows = connection.execute(query.order_by(t.reads.c.event)).all()
    return [_read_row(row) for row in rows]


def reads_of_reader(
    store: Store, project: str, reader: str, *, before: int | None = None, limit: int = 20
) -> list[ReadRow]:
    """List a page of a reader's own reads, last submitted first, newest revisions only.

    Args:
        store: where.
        project: its id.
        reader: whose.
        before: only those with a smaller ``event`` (that of the last row of the page before).
        limit: 1 to 500.
    """
    whole("limit", limit, low=1, high=500)
    query = _reads().where(t.reads.c.project == project, t.reads.c.reader == reader, ~superseded())
    if before is not None:
        query = query.where(t.reads.c.event < before)
    with store.reading() as connection:
        rows = connection.execute(query.order_by(t.reads.c.event.desc()).limit(limit)).all()
    return [_read_row(row) for row in rows]


def superseded(until: int | None = None) -> sa.ColumnElement[bool]:
    """The read has a later revision (that stood when the log had ``until`` events)."""
    later = t.reads.alias("later")
    found = sa.exists().where(
        later.c.task == t.reads.c.task,
        later.c.reader == t.reads.c.reader,
        later.c.revision == t.reads.c.revision + 1,
    )
    return found if until is None else found.where(later.c.event <= until)


def set_aside() -> sa.ColumnElement[bool]:
    """The read is set aside, or was replaced, after an alarm about its reader."""
    return sa.exists().where(
        t.suspects.c.task == t.reads.c.task, t.suspects.c.reader == t.reads.c.reader
    )


def _reads() -> sa.Select[Any]:
    return sa.select(t.reads, superseded().label("superseded"), set_aside().label("set_aside"))


def _read_row(row: sa.Row[Any]) -> ReadRow:
    kept = dict(row._mapping)
    kept.pop("said")
    kept["case"] = kept.pop("case_id")
    return ReadRow(**(kept | {"answer": json.loads(kept["answer"])}))
