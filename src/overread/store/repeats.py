"""Cases that readers read again unannounced: what shows how far they agree with themselves."""

from __future__ import annotations

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.engine import Store


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
