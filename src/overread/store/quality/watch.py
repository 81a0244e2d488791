"""Readers who are watched: alarms, pauses, checks before a release, reads set aside.

An alarm, the pause and what is set aside by it are one transaction. A pause stops new cases; what
a reader holds stays theirs, draft and all, and a submission of it is kept. Reads set aside leave
every consensus and export until a lead restores or replaces them; their cases are queued again
for others at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import Happened, record
from overread.store.canonical import plain_text
from overread.store.engine import Store
from overread.store.errors import ConflictError, NotFoundError
from overread.store.work.assigned import given_cases
from overread.store.work.plan import Slot, planned
from overread.store.work.reads import set_aside, superseded

SYSTEM = "system"
OPEN_ALARMS = ("open", "checking")
"""States of an alarm that waits for a decision."""
RESTORE, REPLACE = "restore", "replace"


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm about a reader.

    Attributes:
        event: its number in the log; of two the later is greater.
        told: what was found: JSON, made by the monitoring.
        state: "open", "checking", "released", "retired" or "dismissed".
        decided, decided_by, reason: of the last decision, "" before one.
        found: what the check before it found, in words; "" where nothing was checked.
        aside: reads that are set aside by it now.
        checks, checked: tasks of its check, and those of them that were read.
    """

    id: str
    project: str
    reader: str
    reader_name: str
    raised: str
    event: int
    told: dict[str, Any]
    state: str
    decided: str
    decided_by: str
    reason: str
    found: str
    aside: int
    checks: int
    checked: int


@dataclass(frozen=True, slots=True)
class PauseRow:
    """A reader who gets no new cases; ``alarm`` is "" where a lead paused them by hand."""

    reader: str
    since: str
    reason: str
    alarm: str


def raise_alarm(
    store: Store,
    project: str,
    reader: str,
    told: Mapping[str, Any],
    *,
    pause: str = "",
    after: int | None = None,
    by: str = SYSTEM,
) -> str | None:
    """Keep an alarm, and do what the protocol says at once.

    Args:
        store: where.
        project: its id.
        reader: who reads here, or did.
        told: what was found, as JSON.
        pause: why they get no new cases, in words for them; "" lets them go on.
        after: set aside their first reads submitted after this event; None sets none aside.
        by: a user's id, or the system.
    Returns:
        The alarm's id; None when one about this reader is open already.
    Raises:
        NotFoundError: they never read here.
    """
    with store.writing() as connection:
        if not _has_read(connection, project, reader):
            _require_member(connection, project, reader)
        if _open_alarm(connection, project, reader) is not None:
            return None
        alarm = store.new_id()
        body = {"id": alarm, "reader": reader, "told": dict(told)}
        happened: list[Happened] = [("alarm_raised", project, body)]
        if pause and not _is_paused(connection, project, reader):
            happened.append(_pause(project, reader, pause, alarm))
        aside = [] if after is None else _reads_after(connection, project, reader, after)
        if aside:
            of = {"reader": reader, "alarm": alarm, "reads": aside}
            happened.append(("reads_set_aside", project, of))
        record(connection, store.now(), by, happened)
        if aside:
            again = [Slot(case) for _, case in aside]
            planned(connection, store, project, by, again)
    return alarm


def pause_reader(store: Store, project: str, reader: str, reason: str, by: str) -> None:
    """Let a reader get no new cases, by hand.

    Raises:
        InputError: no reason.
        NotFoundError: not a member.
        ConflictError: paused already.
    """
    plain_text("reason", reason, longest=2_000)
    with store.writing() as connection:
        _require_member(connection, project, reader)
        if _is_paused(connection, project, reader):
            raise ConflictError("reader", "is paused already")
        record(connection, store.now(), by, [_pause(project, reader, reason, None)])


def release_reader(store: Store, project: str, reader: str, reason: str, by: str) -> None:
    """Let a reader who was paused by hand go on.

    Raises:
        ConflictError: not paused, or an alarm about them waits for its decision.
    """
    plain_text("reason", reason, longest=2_000)
    with store.writing() as connection:
        if not _is_paused(connection, project, reader):
            raise ConflictError("reader", "is not paused")
        if _open_alarm(connection, project, reader) is not None:
            raise ConflictError("reader", "has an alarm that waits for a decision")
        body = {"reader": reader, "reason": reason, "alarm": None}
        record(connection, store.now(), by, [("reader_released", project, body)])


def ask_check(store: Store, alarm: str, cases: Sequence[str], by: str) -> int:
    """Give the reader of an alarm these cases to read before they are released.

    Args:
        store: where.
        alarm: its id.
        cases: that they never had.
        by: the user's id.
    Returns:
        How many tasks there are now for the check.
    Raises:
        InputError: no cases, or none that the reader did not have.
        ConflictError: the alarm was decided.
    """
    with store.writing() as connection:
        row = _alarm(connection, alarm)
        _require_open(row)
        slots = [Slot(case, row.reader) for case in cases]
        tasks = planned(connection, store, row.project, by, slots)
        if not tasks:
            raise InputError("check", "have cases that the reader did not have yet", 0)
        body = {"alarm": alarm, "reader": row.reader, "tasks": tasks}
        record(connection, store.now(), by, [("check_asked", row.project, body)])
        return _count(connection, t.checks, t.checks.c.alarm == alarm)


def decide_alarm(
    store: Store,
    alarm: str,
    state: str,
    *,
    reason: str,
    suspects: str = RESTORE,
    found: str = "",
    by: str,
) -> None:
    """Close an alarm.

    Args:
        store: where.
        alarm: its id.
        state: "released" or "dismissed" (the reader goes on), "retired" (they stay paused).
        reason: why; the log holds it.
        suspects: "restore" what was set aside, or let others' reads "replace" it for good.
        found: what the check before the decision found, in words.
        by: the user's id.
    Raises:
        InputError: no such decision, no reason.
        ConflictError: decided already.
    """
    plain_text("reason", reason, longest=2_000)
    if state not in {"released", "retired", "dismissed"}:
        raise InputError("decision", "be released, retired or dismissed", state)
    if suspects not in {RESTORE, REPLACE}:
        raise InputError("suspect reads", f"be {RESTORE}d or {REPLACE}d", suspects)
    with store.writing() as connection:
        row = _alarm(connection, alarm)
        _require_open(row)
        body = {"alarm": alarm, "state": state, "reason": reason} | (
            {"found": found} if found else {}
        )
        happened: list[Happened] = [("alarm_decided", row.project, body)]
        if _count(connection, t.suspects, _set_aside_by(alarm)):
            what = "reads_restored" if suspects == RESTORE else "reads_replaced"
            happened.append((what, row.project, {"alarm": alarm, "reader": row.reader}))
        paused = _is_paused(connection, row.project, row.reader)
        if state != "retired" and paused:
            body = {"reader": row.reader, "reason": reason, "alarm": alarm}
            happened.append(("reader_released", row.project, body))
        if state == "retired" and not paused:
            happened.append(_pause(row.project, row.reader, reason, alarm))
        record(connection, store.now(), by, happened)


def list_alarms(store: Store, project: str, *, reader: str | None = None) -> list[AlarmRow]:
    """List the alarms of a project, the newest first."""
    query = _alarms().where(t.alarms.c.project == project)
    if reader is not None:
        query = query.where(t.alarms.c.reader == reader)
    with store.reading() as connection:
        found = connection.execute(query.order_by(t.alarms.c.event.desc())).all()
    return [_alarm_row(row) for row in found]


def get_alarm(store: Store, alarm: str) -> AlarmRow:
    """Get one alarm.

    Raises:
        NotFoundError: no such alarm.
    """
    with store.reading() as connection:
        found = connection.execute(_alarms().where(t.alarms.c.id == alarm)).first()
    if found is None:
        raise NotFoundError("alarm", alarm)
    return _alarm_row(found)


def list_pauses(store: Store, project: str) -> dict[str, PauseRow]:
    """Who is paused in a project, by reader."""
    alarm = sa.func.coalesce(t.pauses.c.alarm, "")
    query = sa.select(t.pauses.c.reader, t.pauses.c.since, t.pauses.c.reason, alarm)
    with store.reading() as connection:
        found = connection.execute(query.where(t.pauses.c.project == project)).all()
    return {row.reader: PauseRow(*row) for row in found}


def check_cases(store: Store, alarm: str) -> list[tuple[str, str]]:
    """Cases of an alarm's check with the state of their tasks, in the order of the queue."""
    query = (
        sa.select(t.tasks.c.case_id, t.tasks.c.state)
        .join(t.checks, t.checks.c.task == t.tasks.c.id)
        .where(t.checks.c.alarm == alarm)
        .order_by(t.tasks.c.position)
    )
    with store.reading() as connection:
        return [(str(case), str(state)) for case, state in connection.execute(query)]


def fresh_overlap(store: Store, project: str, reader: str, *, most: int) -> list[str]:
    """Cases that two others have read and a reader never had, the last read first.

    Args:
        store: where.
        project: its id.
        reader: the user's id.
        most: no more than so many.
    """
    reads, had = t.reads.c, given_cases(project, reader)
    own = sa.select(reads.case_id).where(reads.project == project, reads.reader == reader)
    skipped = sa.select(t.skips.c.case_id).where(
        t.skips.c.project == project, t.skips.c.reader == reader
    )
    query = (
        sa.select(reads.case_id)
        .where(reads.project == project, reads.round == 0, ~set_aside())
        .where(reads.case_id.not_in(had), reads.case_id.not_in(own))
        .where(reads.case_id.not_in(skipped))
        .group_by(reads.case_id)
        .having(sa.func.count(sa.distinct(reads.reader)) > 1)
        .order_by(sa.func.max(reads.event).desc())
        .limit(most)
    )
    with store.reading() as connection:
        return [str(case) for case in connection.scalars(query)]


def _pause(project: str, reader: str, reason: str, alarm: str | None) -> Happened:
    return ("reader_paused", project, {"reader": reader, "reason": reason, "alarm": alarm})


def _has_read(connection: sa.Connection, project: str, reader: str) -> bool:
    this = (t.reads.c.project == project) & (t.reads.c.reader == reader)
    return connection.scalar(sa.select(t.reads.c.id).where(this).limit(1)) is not None


def _require_member(connection: sa.Connection, project: str, reader: str) -> None:
    this = (t.members.c.project == project) & (t.members.c.reader == reader)
    if connection.scalar(sa.select(t.members.c.reader).where(this)) is None:
        raise NotFoundError("member", reader)


def _is_paused(connection: sa.Connection, project: str, reader: str) -> bool:
    this = (t.pauses.c.project == project) & (t.pauses.c.reader == reader)
    return connection.scalar(sa.select(t.pauses.c.reader).where(this)) is not None


def _open_alarm(connection: sa.Connection, project: str, reader: str) -> str | None:
    query = sa.select(t.alarms.c.id).where(
        t.alarms.c.project == project,
        t.alarms.c.reader == reader,
        t.alarms.c.state.in_(OPEN_ALARMS),
    )
    return connection.scalar(query.limit(1))


def _alarm(connection: sa.Connection, alarm: str) -> sa.Row[Any]:
    row = connection.execute(sa.select(t.alarms).where(t.alarms.c.id == alarm)).first()
    if row is None:
        raise NotFoundError("alarm", alarm)
    return row


def _require_open(row: sa.Row[Any]) -> None:
    if row.state not in OPEN_ALARMS:
        raise ConflictError("alarm", f"was decided: {row.state}")


def _reads_after(
    connection: sa.Connection, project: str, reader: str, event: int
) -> list[list[str]]:
    """Task and case of the first reads, not of repeats, that the reader sent after an event."""
    query = sa.select(t.reads.c.task, t.reads.c.case_id).where(
        t.reads.c.project == project,
        t.reads.c.reader == reader,
        t.reads.c.event > event,
        t.reads.c.round == 0,
        ~superseded(),
        ~set_aside(),
    )
    return [[str(task), str(case)] for task, case in connection.execute(query)]


def _set_aside_by(alarm: str) -> sa.ColumnElement[bool]:
    return (t.suspects.c.alarm == alarm) & (t.suspects.c.state == "set_aside")


def _count(connection: sa.Connection, table: sa.Table, where: sa.ColumnElement[bool]) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(table).where(where)) or 0


def _alarms() -> sa.Select[Any]:
    of = t.alarms.c.id
    aside_ = sa.select(sa.func.count()).where(
        t.suspects.c.alarm == of, t.suspects.c.state == "set_aside"
    )
    checks = sa.select(sa.func.count()).where(t.checks.c.alarm == of)
    done = sa.select(sa.func.count()).where(
        t.checks.c.alarm == of, t.checks.c.task == t.tasks.c.id, t.tasks.c.state == "done"
    )
    return sa.select(
        t.alarms,
        t.users.c.name.label("reader_name"),
        aside_.correlate(t.alarms).scalar_subquery().label("aside"),
        checks.correlate(t.alarms).scalar_subquery().label("checks"),
        done.correlate(t.alarms).scalar_subquery().label("checked"),
    ).join(t.users, t.users.c.id == t.alarms.c.reader)


def _alarm_row(row: sa.Row[Any]) -> AlarmRow:
    kept = dict(row._mapping)
    kept["told"] = json.loads(kept.pop("body"))
    empty = {name: kept[name] or "" for name in ("decided", "decided_by")}
    return AlarmRow(**(kept | empty))
