"""Cases that readers read again unannounced: what shows how far they agree with themselves.

A second look says something only where the first is out of mind and nobody said what is right in
between: what others said was let out, the case was sent back or adjudicated, or told in a dry run.
"""

from __future__ import annotations

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.engine import Store

DISTANCE = 20
"""Other cases between the two looks of a reader, where nothing else is said."""


def repeated_cases(store: Store, project: str, *, most: int) -> list[str]:
    """Cases with a second read of one reader, the last read first; no more than ``most``."""
    reads = t.reads.c
    query = (
        sa.select(reads.case_id)
        .where(reads.project == project, reads.round > 0)
        .group_by(reads.case_id)
        .order_by(sa.func.max(reads.event).desc())
        .limit(most)
    )
    with store.reading() as connection:
        return [str(case) for case in connection.scalars(query)]


def repeatable_cases(
    store: Store, project: str, reader: str, *, distance: int = DISTANCE
) -> list[str]:
    """Cases that a reader read once, so long ago that they may read them again unannounced.

    Args:
        distance: other cases that they have read since, at least.
    Returns:
        Ids, the last read first; without those of which they have seen what others said or what
        is right.
    """
    reads, tasks = t.reads.c, t.tasks.c
    looks = (
        sa.select(reads.case_id, sa.func.max(reads.round))
        .where(reads.project == project, reads.reader == reader)
        .group_by(reads.case_id)
        .order_by(sa.func.max(reads.event).desc())
    )
    waiting = sa.select(tasks.case_id).where(
        tasks.project == project, tasks.planned_for == reader, tasks.state != "done"
    )
    with store.reading() as connection:
        found = connection.execute(looks).all()
        out = {str(case) for case in connection.scalars(waiting)}
        out |= {case for case, _ in told(connection, project, reader)}
    return [str(case) for case, last in found[distance:] if not last and case not in out]


def told(
    connection: sa.Connection, project: str, reader: str | None = None
) -> set[tuple[str, str]]:
    """Case and reader who has learned more of it than the image: no read of theirs is blind now."""
    asked = sa.select(t.tasks.c.case_id, t.tasks.c.planned_for).join(
        t.asked_again, t.asked_again.c.task == t.tasks.c.id
    )
    queries = [(asked.where(t.tasks.c.project == project), t.tasks.c.planned_for)]
    for table, who in (
        (t.feedback, "reader"),
        (t.trials, "reader"),
        (t.skips, "reader"),
        (t.adjudications, "senior"),
    ):
        query = sa.select(table.c.case_id, table.c[who]).where(table.c.project == project)
        queries.append((query, table.c[who]))
    found: set[tuple[str, str]] = set()
    for query, column in queries:
        mine = query if reader is None else query.where(column == reader)
        found |= {(case, one) for case, one in connection.execute(mine) if one}
    return found
