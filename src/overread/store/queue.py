"""The queue of a reader: which tasks may be claimed now, found without going through the rest.

A mark tells for each reader where in the queue the open slots begin that may be for them; all
before it are on cases they already had. Whenever a slot becomes free again the marks of the
project step back to it. A mark is only a hint for speed: without one the search starts at 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t

Rows = Sequence[sa.Row[Any]]

# Statements are built once: building them takes SQLAlchemy longer than the database to run them.
_PROJECT: sa.BindParameter[str] = sa.bindparam("p")
_READER: sa.BindParameter[str] = sa.bindparam("r")
_NOW: sa.BindParameter[str] = sa.bindparam("now")
_COUNT, _MARK = sa.bindparam("n", type_=sa.Integer), sa.bindparam("mark", type_=sa.Integer)


def held(connection: sa.Connection, project: str, reader: str, count: int) -> Rows:
    """The reader's own tasks that are not finished, also those whose lease ran out."""
    return connection.execute(_held(), {"p": project, "r": reader, "n": count}).all()


def claimable(
    connection: sa.Connection,
    project: str,
    reader: str,
    count: int,
    now: str,
    *,
    trained: bool = False,
) -> Rows:
    """Tasks the reader may claim, first in the queue first: kept for them, open, or run out.

    Args:
        trained: readers of the project had dry runs; who saw the right answer of a case there
            is not given that case.
    """
    who = {"p": project, "r": reader}
    open_ = _open_from_mark(connection, project, reader, count, trained=trained)
    kept = connection.execute(_kept(), who | {"n": count}).all()
    # Without a limit: several may be of one case, and readers hold but a few each.
    run_out = connection.execute(_run_out(trained=trained), who | {"now": now}).all()
    one_a_case: dict[object, sa.Row[Any]] = {}
    for row in sorted([*kept, *open_, *run_out], key=lambda row: row.position):
        one_a_case.setdefault((row.case_id, row.round), row)
    return list(one_a_case.values())[:count]


def checks_to_read(connection: sa.Connection, project: str, reader: str, count: int) -> Rows:
    """Tasks of a check that a paused reader was asked for."""
    return connection.execute(_checks(), {"p": project, "r": reader, "n": count}).all()


def _open_from_mark(
    connection: sa.Connection, project: str, reader: str, count: int, *, trained: bool
) -> Rows:
    """Open slots from the reader's mark on, and the mark moved to the first."""
    who = {"p": project, "r": reader}
    mark = connection.scalar(_mark(), who)
    found = connection.execute(_open(trained=trained), who | {"n": count, "mark": mark or 0}).all()
    if found and found[0].position != mark:
        row = {"project": project, "reader": reader, "position": found[0].position}
        if mark is None:
            connection.execute(t.queue_marks.insert(), row)
        else:
            connection.execute(_move_mark(), who | {"to": row["position"]})
    return found


def reopen_marks(connection: sa.Connection, project: str, case: str) -> None:
    """Step all marks back to a case of which a slot became free."""
    first = connection.scalar(
        sa.select(sa.func.min(t.tasks.c.position)).where(t.tasks.c.case_id == case)
    )
    this = (t.queue_marks.c.project == project) & (t.queue_marks.c.position > first)
    connection.execute(t.queue_marks.update().where(this).values(position=first))


@cache
def _held() -> sa.Select[Any]:
    mine = (t.tasks.c.project == _PROJECT) & (t.tasks.c.reader == _READER)
    query = sa.select(t.tasks).where(mine, t.tasks.c.state == "claimed")
    return query.order_by(t.tasks.c.position).limit(_COUNT)


@cache
def _mark() -> sa.Select[Any]:
    marks = t.queue_marks.c
    return sa.select(marks.position).where(marks.project == _PROJECT, marks.reader == _READER)


@cache
def _move_mark() -> sa.Update:
    marks = t.queue_marks.c
    this = (marks.project == _PROJECT) & (marks.reader == _READER)
    return t.queue_marks.update().where(this).values(position=sa.bindparam("to"))


def _fresh(*, any_round: bool) -> sa.ColumnElement[bool]:
    """The reader neither has, had nor is planned for another slot of the case."""
    other = t.tasks.alias("other")
    kept = (other.c.planned_for == _READER) & (other.c.round == 0)
    has = [
        other.c.case_id == t.tasks.c.case_id,
        other.c.id != t.tasks.c.id,
        (other.c.reader == _READER) | (kept if any_round else sa.false()),
    ]
    read = [t.reads.c.case_id == t.tasks.c.case_id, t.reads.c.reader == _READER]
    if not any_round:
        has.append(other.c.round == t.tasks.c.round)
        read.append(t.reads.c.round == t.tasks.c.round)
        return _none(other.c.id, *has) & _none(t.reads.c.id, *read)
    skipped = _none(
        t.skips.c.task,
        t.skips.c.case_id == t.tasks.c.case_id,
        t.skips.c.reader == _READER,
        t.skips.c.project == _PROJECT,
    )
    return _none(other.c.id, *has) & _none(t.reads.c.id, *read) & skipped


def _untold() -> sa.ColumnElement[bool]:
    """The reader has not had the case in a dry run, with the right answer behind it."""
    trials = t.trials.c
    return _none(trials.id, trials.reader == _READER, trials.case_id == t.tasks.c.case_id)


def _none(column: sa.Column[Any], *where: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """There is no such row.

    Not NOT EXISTS: PostgreSQL would make a join of it, and go through all slots of the project
    where the first in the queue nearly always will do.
    """
    return sa.select(column).where(*where).limit(1).correlate(t.tasks).scalar_subquery().is_(None)


@cache
def _kept() -> sa.Select[Any]:
    """Slots kept for the reader; a repeat only when the read it repeats was submitted."""
    earlier = sa.exists().where(
        t.reads.c.case_id == t.tasks.c.case_id,
        t.reads.c.reader == _READER,
        t.reads.c.round == t.tasks.c.round - 1,
    )
    query = sa.select(t.tasks).where(
        t.tasks.c.project == _PROJECT,
        t.tasks.c.state == "open",
        t.tasks.c.planned_for == _READER,
        _fresh(any_round=False),
        (t.tasks.c.round == 0) | earlier,
    )
    return _locked(query).limit(_COUNT)


@cache
def _checks() -> sa.Select[Any]:
    query = (
        sa.select(t.tasks)
        .join(t.checks, t.checks.c.task == t.tasks.c.id)
        .where(
            t.checks.c.project == _PROJECT,
            t.checks.c.reader == _READER,
            t.tasks.c.state == "open",
            t.tasks.c.planned_for == _READER,
            _fresh(any_round=False),
        )
    )
    return _locked(query).limit(_COUNT)


@cache
def _open(*, trained: bool) -> sa.Select[Any]:
    """Slots open to all; of the open slots of one case the first alone."""
    before = t.tasks.alias("before")
    first_of_case = _none(
        before.c.id,
        before.c.case_id == t.tasks.c.case_id,
        before.c.state == "open",
        before.c.planned_for.is_(None),
        before.c.position < t.tasks.c.position,
    )
    query = sa.select(t.tasks).where(
        t.tasks.c.project == _PROJECT,
        t.tasks.c.state == "open",
        t.tasks.c.planned_for.is_(None),
        t.tasks.c.position >= _MARK,
        first_of_case,
        _fresh(any_round=True),
    )
    if trained:
        query = query.where(_untold())
    # planned_for, null in all of them, stands in the order so that PostgreSQL takes the index's
    return _locked(query.order_by(t.tasks.c.planned_for)).limit(_COUNT)


@cache
def _run_out(*, trained: bool) -> sa.Select[Any]:
    """Tasks that others let run out, unless kept for them."""
    query = (
        sa.select(t.tasks)
        .outerjoin(t.leases, t.leases.c.task == t.tasks.c.id)
        .where(
            t.tasks.c.project == _PROJECT,
            t.tasks.c.state == "claimed",
            t.tasks.c.reader != _READER,
            t.tasks.c.planned_for.is_(None),
            t.leases.c.expires.is_(None) | (t.leases.c.expires <= _NOW),
            _fresh(any_round=True),
        )
    )
    if trained:
        query = query.where(_untold())
    return _locked(query)


def _locked(query: sa.Select[Any]) -> sa.Select[Any]:
    # The writer's turn already keeps others out; the row locks say so to PostgreSQL as well.
    return query.order_by(t.tasks.c.position).with_for_update(skip_locked=True, of=t.tasks)
