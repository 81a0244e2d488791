"""The queue of a reader: which tasks may be claimed now, found without going through the rest.

A mark tells for each reader where in the queue the open slots begin that may be for them; all
before it are on cases they already had. Whenever a slot becomes free again the marks of the
project step back to it. A mark is only a hint for speed: without one the search starts at 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t

Rows = Sequence[sa.Row[Any]]


def held(connection: sa.Connection, project: str, reader: str, count: int) -> Rows:
    """The reader's own tasks that are not finished, also those whose lease ran out."""
    mine = (t.tasks.c.project == project) & (t.tasks.c.reader == reader)
    return connection.execute(
        sa.select(t.tasks)
        .where(mine, t.tasks.c.state == "claimed")
        .order_by(t.tasks.c.position)
        .limit(count)
    ).all()


def claimable(connection: sa.Connection, project: str, reader: str, count: int, now: str) -> Rows:
    """Tasks the reader may claim, first in the queue first: kept for them, open, or run out."""
    found = [
        *_kept(connection, project, reader, count),
        *_open(connection, project, reader, count),
        *_run_out(connection, project, reader, now),
    ]
    found.sort(key=lambda row: row.position)
    one_a_case: dict[object, sa.Row[Any]] = {}
    for row in found:
        one_a_case.setdefault((row.case_id, row.round), row)
    return list(one_a_case.values())[:count]


def move_mark(connection: sa.Connection, project: str, reader: str, position: int) -> None:
    """Note that no open slot before this position is for the reader."""
    this = (t.queue_marks.c.project == project) & (t.queue_marks.c.reader == reader)
    moved = connection.execute(t.queue_marks.update().where(this).values(position=position))
    if not moved.rowcount:
        row = {"project": project, "reader": reader, "position": position}
        connection.execute(t.queue_marks.insert().values(**row))


def reopen_marks(connection: sa.Connection, project: str, case: str) -> None:
    """Step all marks back to a case of which a slot became free."""
    first = connection.scalar(
        sa.select(sa.func.min(t.tasks.c.position)).where(t.tasks.c.case_id == case)
    )
    this = (t.queue_marks.c.project == project) & (t.queue_marks.c.position > first)
    connection.execute(t.queue_marks.update().where(this).values(position=first))


def _fresh(reader: str, *, any_round: bool) -> sa.ColumnElement[bool]:
    """The reader neither has, had nor is planned for another slot of the case."""
    other = t.tasks.alias("other")
    kept = (other.c.planned_for == reader) & (other.c.round == 0)
    has = sa.exists().where(
        other.c.case_id == t.tasks.c.case_id,
        other.c.id != t.tasks.c.id,
        (other.c.reader == reader) | (kept if any_round else sa.false()),
    )
    read = sa.exists().where(t.reads.c.case_id == t.tasks.c.case_id, t.reads.c.reader == reader)
    if not any_round:
        has = has.where(other.c.round == t.tasks.c.round)
        read = read.where(t.reads.c.round == t.tasks.c.round)
    skipped = sa.exists().where(t.skips.c.case_id == t.tasks.c.case_id, t.skips.c.reader == reader)
    return ~has & ~read & (~skipped if any_round else sa.true())


def _kept(connection: sa.Connection, project: str, reader: str, count: int) -> Rows:
    """Slots kept for the reader; a repeat only when the read it repeats was submitted."""
    earlier = sa.exists().where(
        t.reads.c.case_id == t.tasks.c.case_id,
        t.reads.c.reader == reader,
        t.reads.c.round == t.tasks.c.round - 1,
    )
    query = sa.select(t.tasks).where(
        t.tasks.c.project == project,
        t.tasks.c.state == "open",
        t.tasks.c.planned_for == reader,
        _fresh(reader, any_round=False),
        (t.tasks.c.round == 0) | earlier,
    )
    return connection.execute(_first(query, count)).all()


def _open(connection: sa.Connection, project: str, reader: str, count: int) -> Rows:
    """Slots open to all; of the open slots of one case the first alone."""
    this = (t.queue_marks.c.project == project) & (t.queue_marks.c.reader == reader)
    mark = connection.scalar(sa.select(t.queue_marks.c.position).where(this)) or 0
    before = t.tasks.alias("before")
    first_of_case = ~sa.exists().where(
        before.c.case_id == t.tasks.c.case_id,
        before.c.state == "open",
        before.c.planned_for.is_(None),
        before.c.position < t.tasks.c.position,
    )
    query = sa.select(t.tasks).where(
        t.tasks.c.project == project,
        t.tasks.c.state == "open",
        t.tasks.c.planned_for.is_(None),
        t.tasks.c.position >= mark,
        first_of_case,
        _fresh(reader, any_round=True),
    )
    found = connection.execute(_first(query, count)).all()
    if found:
        move_mark(connection, project, reader, found[0].position)
    return found


def _run_out(connection: sa.Connection, project: str, reader: str, now: str) -> Rows:
    """Tasks that others let run out, unless kept for them."""
    query = (
        sa.select(t.tasks)
        .outerjoin(t.leases, t.leases.c.task == t.tasks.c.id)
        .where(
            t.tasks.c.project == project,
            t.tasks.c.state == "claimed",
            t.tasks.c.reader != reader,
            t.tasks.c.planned_for.is_(None),
            t.leases.c.expires.is_(None) | (t.leases.c.expires <= now),
            _fresh(reader, any_round=True),
        )
    )
    # Without a limit: several may be of one case, and readers hold but a few each.
    return connection.execute(_first(query, None)).all()


def _first(query: sa.Select[Any], count: int | None) -> sa.Select[Any]:
    # The writer's turn already keeps others out; the row locks say so to PostgreSQL as well.
    ordered = query.order_by(t.tasks.c.position).limit(count)
    return ordered.with_for_update(skip_locked=True, of=t.tasks)
