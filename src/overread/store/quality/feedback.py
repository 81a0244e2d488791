"""Cases of an alarm that are let out to their reader, to see what the others said of them.

From then on the reader's own reads of these cases stand as they are: who knows what the others
said cannot correct them any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.engine import Store
from overread.store.errors import ConflictError, NotFoundError
from overread.store.quality.watch import OPEN_ALARMS


@dataclass(frozen=True, slots=True)
class FeedbackRow:
    """A case that is let out. Attributes: seen: when its reader said so, "" before."""

    alarm: str
    case: str
    reader: str
    given: str
    seen: str


def give_feedback(store: Store, alarm: str, cases: Sequence[str], by: str) -> int:
    """Let the reader of an alarm see these cases again.

    Args:
        store: where.
        alarm: its id.
        cases: in the order in which they are shown. Those that the reader did not read, or has
            to read again, are left out: a second read must not know what the others said.
        by: a user's id, or the system.
    Returns:
        How many more they see now.
    Raises:
        NotFoundError: no such alarm.
        ConflictError: the alarm was decided.
    """
    with store.writing() as connection:
        row = connection.execute(sa.select(t.alarms).where(t.alarms.c.id == alarm)).first()
        if row is None:
            raise NotFoundError("alarm", alarm)
        if row.state not in OPEN_ALARMS:
            raise ConflictError("alarm", f"was decided: {row.state}")
        fit = _fit(connection, alarm, row.reader, cases)
        fresh = [case for case in dict.fromkeys(cases) if case in fit]
        if fresh:
            body = {"alarm": alarm, "reader": row.reader, "cases": fresh}
            record(connection, store.now(), by, [("feedback_given", row.project, body)])
    return len(fresh)


def see_feedback(store: Store, alarm: str, case: str, reader: str) -> None:
    """Note that a reader has seen a case; said twice it is noted once.

    Raises:
        NotFoundError: the case was not let out to them.
    """
    with store.writing() as connection:
        this = (t.feedback.c.alarm == alarm) & (t.feedback.c.case_id == case)
        query = sa.select(t.feedback.c.project, t.feedback.c.seen)
        row = connection.execute(query.where(this, t.feedback.c.reader == reader)).first()
        if row is None:
            raise NotFoundError("case", case)
        if row.seen is None:
            body = {"alarm": alarm, "reader": reader, "case": case}
            record(connection, store.now(), reader, [("feedback_seen", row.project, body)])


def list_feedback(
    store: Store, project: str, *, alarm: str | None = None, reader: str | None = None
) -> list[FeedbackRow]:
    """List the cases that are let out, by alarm, in the order in which they are shown."""
    of = t.feedback.c
    seen = sa.func.coalesce(of.seen, "")
    query = sa.select(of.alarm, of.case_id, of.reader, of.given, seen).where(of.project == project)
    if alarm is not None:
        query = query.where(of.alarm == alarm)
    if reader is not None:
        query = query.where(of.reader == reader)
    with store.reading() as connection:
        found = connection.execute(query.order_by(of.given, of.alarm, of.place)).all()
    return [FeedbackRow(*row) for row in found]


def is_shown(store: Store, task: str, reader: str, *, but: str = "") -> bool:
    """Tell if what the others said of a task's case was let out to a reader.

    Args:
        store: where.
        task: its id.
        reader: the user's id.
        but: False where this read is kept already: it was sent before, and comes again.
    """
    case = sa.select(t.tasks.c.case_id).where(t.tasks.c.id == task).scalar_subquery()
    of = t.feedback.c
    query = sa.select(of.case_id).where(of.case_id == case, of.reader == reader).limit(1)
    with store.reading() as connection:
        if connection.scalar(query) is None:
            return False
        return connection.scalar(sa.select(t.reads.c.id).where(t.reads.c.id == but)) is None


def _fit(connection: sa.Connection, alarm: str, reader: str, cases: Sequence[str]) -> set[str]:
    """Of these cases those that the reader read, has not to read again, and was not given yet."""
    tasks, keys = t.tasks.c, list(cases)
    theirs = (tasks.reader == reader) | (tasks.planned_for == reader)
    here = sa.select(tasks.case_id).where(tasks.case_id.in_(keys))  # else all tasks are looked at
    waiting = here.where(theirs, tasks.state != "done")
    given = sa.select(t.feedback.c.case_id).where(t.feedback.c.alarm == alarm)
    query = (
        sa.select(t.reads.c.case_id)
        .where(t.reads.c.reader == reader, t.reads.c.case_id.in_(keys))
        .where(t.reads.c.case_id.not_in(waiting), t.reads.c.case_id.not_in(given))
    )
    return {str(one) for one in connection.scalars(query)}
