"""Blinding begins here: a task that never was a reader's does not exist for them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.errors import NotFoundError

_GRANTED = (
    sa.select(t.tasks)
    .join(t.grants, (t.grants.c.task == t.tasks.c.id) & (t.grants.c.reader == sa.bindparam("r")))
    .where(t.tasks.c.id == sa.bindparam("t"))
)


def granted(connection: sa.Connection, task: str, reader: str) -> sa.Row[Any]:
    """Look up a task that was this reader's at any time; any other does not exist for them."""
    row = connection.execute(_GRANTED, {"t": task, "r": reader}).first()
    if row is None:
        raise NotFoundError("task", task)
    return row
