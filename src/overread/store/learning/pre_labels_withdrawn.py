"""Pre-labels and hints that are taken back: shown no more; what was shown of them stays known."""

from __future__ import annotations

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.engine import Store
from overread.store.errors import NotFoundError


def withdraw_pre_labels(
    store: Store, project: str, *, question: str, model: str, version: str, by: str
) -> int:
    """Take back what a version of a model proposes to a question; return of how many cases.

    It is shown no more, and what the case had before stands again; what readers were shown, and
    what was measured with it, stays.

    Raises:
        NotFoundError: there is nothing of it that stands.
    """
    rows = t.pre_labels.c
    these = (
        (rows.project == project) & (rows.question == question) & (rows.model == model)
        & (rows.version == version) & (rows.withdrawn == 0)
    )  # fmt: skip
    query = sa.select(sa.func.count(rows.case_id.distinct())).where(these)
    with store.writing() as connection:
        count = int(connection.scalar(query) or 0)
        if not count:
            raise NotFoundError("pre-labels", f"{model} {version}")
        body = {"question": question, "model": model, "version": version}
        record(connection, store.now(), by, [("pre_labels_withdrawn", project, body)])
    return count


def withdraw_hints(store: Store, project: str, *, by: str) -> int:
    """Take back the hints of a project; return of how many cases.

    Raises:
        NotFoundError: there are none.
    """
    query = sa.select(sa.func.count()).where(t.object_hints.c.project == project)
    with store.writing() as connection:
        count = int(connection.scalar(query) or 0)
        if not count:
            raise NotFoundError("hints of project", project)
        record(connection, store.now(), by, [("hints_withdrawn", project, {})])
    return count


def hinted(store: Store, project: str) -> tuple[int, str]:
    """How many cases were looked at for hints, and when last; (0, "") for none."""
    rows = t.object_hints.c
    query = sa.select(sa.func.count(), sa.func.max(rows.since)).where(rows.project == project)
    with store.reading() as connection:
        count, since = connection.execute(query).one()
    return int(count), since or ""
