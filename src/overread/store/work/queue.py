"""The queue of a reader: which tasks may be claimed now, found without going through the rest.

A mark tells for each reader where in the queue the open slots begin that may be for them; all
before it are on cases they already had. Whenever a slot becomes free again the marks of the
project step back to it. A mark is only a hint for speed: without one the search starts at 0.

No row is locked: the writer's turn keeps all others out.
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
_COUNT = sa.bindparam("n", type_=sa.Integer)
# Written out, not bound: the database then plans for how few tasks are in somebody's hand.
_IN_HAND: sa.ColumnElement[str] = sa.literal_column("'claimed'")
_FREE: sa.ColumnElement[str] = sa.literal_column("'open'")
_WHY = ("held", "kept", "open", "ran out")
_MARK = (
    sa.select(t.queue_marks.c.position)
    .where(t.queue_marks.c.project == _PROJECT, t.queue_marks.c.reader == _READER)
    .scalar_subquery()
)
# The same words in both databases, and one step where SQLAlchemy has a construct for each.
_MOVE_MARK = sa.text(
    "INSERT INTO queue_marks (project, reader, position) VALUES (:project, :reader, :position) "
    "ON CONFLICT (project, reader) DO UPDATE SET position = excluded.position"
)


def held(connection: sa.Connection, project: str, reader: str, count: int) -> Rows:
    """The reader's own tasks that are not finished, also those whose lease ran out."""
    return connection.execute(_held(), {"p": project, "r": reader, "n": count}).all()


def next_in_queue(
    connection: sa.Connection,
    project: str,
    reader: str,
    count: int,
    now: str,
    *,
    trained: bool = False,
) -> tuple[Rows, Rows]:
    """What the reader holds, and what they may claim to hold ``count`` tasks.

    What may be claimed is kept for them, open, or ran out on somebody: first in the queue first.

    Args:
        connection: within a turn of writing.
        project, reader: whose queue.
        count: tasks to hold in all.
        now: leases that end before it have run out.
        trained: readers of the project had dry runs; who saw the right answer of a case there
            is not given that case.
    """
    who = {"p": project, "r": reader, "n": count, "now": now}
    found = connection.execute(_in_queue(trained=trained), who).all()
    by_why: dict[str, list[sa.Row[Any]]] = {why: [] for why in _WHY}
    for row in sorted(found, key=lambda row: row.position):
        by_why[row.why].append(row)
    mine = by_why["held"][:count]
    if len(mine) == count:
        return mine, []
    if by_why["open"]:
        first = by_why["open"][0]
        if first.position != first.mark:
            at = {"project": project, "reader": reader, "position": first.position}
            connection.execute(_MOVE_MARK, at)
    one_a_case: dict[object, sa.Row[Any]] = {}
    for row in sorted((row for row in found if row.why != "held"), key=lambda row: row.position):
        one_a_case.setdefault((row.case_id, row.round), row)
    return mine, list(one_a_case.values())[: count - len(mine)]


def checks_to_read(connection: sa.Connection, project: str, reader: str, count: int) -> Rows:
    """Tasks of a check that a paused reader was asked for."""
    return connection.execute(_checks(), {"p": project, "r": reader, "n": count}).all()


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
    query = sa.select(t.tasks).where(mine, t.tasks.c.state == _IN_HAND)
    return query.order_by(t.tasks.c.position).limit(_COUNT)


@cache
def _in_queue(*, trained: bool) -> sa.CompoundSelect[Any]:
    """All that a claim looks at, in one go: each look of its own costs as much as what it finds."""
    looks = (_held(), _kept(), _open(trained=trained), _run_out(trained=trained))
    parts = [
        sa.select(sa.literal_column(f"'{why}'").label("why"), _MARK.label("mark"), look.subquery())
        for why, look in zip(_WHY, looks, strict=True)
    ]
    return sa.union_all(*parts)


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
        t.tasks.c.state == _FREE,
        t.tasks.c.planned_for == _READER,
        _fresh(any_round=False),
        (t.tasks.c.round == 0) | earlier,
    )
    return query.order_by(t.tasks.c.position).limit(_COUNT)


@cache
def _checks() -> sa.Select[Any]:
    query = (
        sa.select(t.tasks)
        .join(t.checks, t.checks.c.task == t.tasks.c.id)
        .where(
            t.checks.c.project == _PROJECT,
            t.checks.c.reader == _READER,
            t.tasks.c.state == _FREE,
            t.tasks.c.planned_for == _READER,
            _fresh(any_round=False),
        )
    )
    return query.order_by(t.tasks.c.position).limit(_COUNT)


@cache
def _open(*, trained: bool) -> sa.Select[Any]:
    """Slots open to all; of the open slots of one case the first alone."""
    before = t.tasks.alias("before")
    first_of_case = _none(
        before.c.id,
        before.c.case_id == t.tasks.c.case_id,
        before.c.state == _FREE,
        before.c.planned_for.is_(None),
        before.c.position < t.tasks.c.position,
    )
    query = sa.select(t.tasks).where(
        t.tasks.c.project == _PROJECT,
        t.tasks.c.state == _FREE,
        t.tasks.c.planned_for.is_(None),
        t.tasks.c.position >= sa.func.coalesce(_MARK, sa.literal_column("0")),
        first_of_case,
        _fresh(any_round=True),
    )
    if trained:
        query = query.where(_untold())
    # planned_for, null in all of them, stands in the order so that PostgreSQL takes the index's
    return query.order_by(t.tasks.c.planned_for, t.tasks.c.position).limit(_COUNT)


@cache
def _run_out(*, trained: bool) -> sa.Select[Any]:
    """Tasks that others let run out, unless kept for them."""
    lease = (
        sa.select(t.leases.c.expires)
        .where(t.leases.c.task == t.tasks.c.id)
        .correlate(t.tasks)
        .scalar_subquery()
    )
    query = sa.select(t.tasks).where(
        t.tasks.c.project == _PROJECT,
        t.tasks.c.state == _IN_HAND,
        t.tasks.c.reader != _READER,
        t.tasks.c.planned_for.is_(None),
        # first: it leaves next to none to look at
        sa.func.coalesce(lease, sa.literal_column("''")) <= _NOW,
        _fresh(any_round=True),
    )
    if trained:
        query = query.where(_untold())
    return query
