"""Blinding begins here: a task that never was a reader's does not exist for them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.errors import NotFoundError


def granted(connection: sa.Connection, task: str, reader: str) -> sa.Row[Any]:
    """Look up a task that was this reader's at any time; any other does not exist for them."""
    mine = (t.grants.c.task == t.tasks.c.id) & (t.grants.c.reader == reader)
    query = sa.select(t.tasks).join(t.grants, mine).where(t.tasks.c.id == task)
    row = connection.execute(query).first()
    if row is None:
        raise NotFoundError("task", task)
    return row
