"""Label rules asked over whole projects: what was found is a blob, dated with the log."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import hash_text, plain_text
from overread.store.canonical import whole_number as whole
from overread.store.engine import Store
from overread.store.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class LabelCheckRow:
    """What was kept of one check.

    Attributes:
        made: when; ``made_by``: the user's id.
        log_events: of the log as it stood when the reads were looked at.
        words: what was found, in a sentence.
        result: SHA-256 of the blob that holds it.
    """

    id: str
    project: str
    made: str
    made_by: str
    event: int
    log_events: int
    words: str
    result: str


def keep_label_check(
    store: Store, project: str, *, log_events: int, words: str, result: str, by: str
) -> str:
    """Keep a check whose result is a blob already; return its id.

    Raises:
        InputError: a hash that is none.
        NotFoundError: no such project.
    """
    plain_text("words", words, longest=2_000)
    hash_text("result", result)
    whole("events", log_events, low=0, high=2**53)
    body = {"log_events": log_events, "words": words, "result": result}
    with store.writing() as connection:
        if connection.scalar(sa.select(t.projects.c.id).where(t.projects.c.id == project)) is None:
            raise NotFoundError("project", project)
        body |= {"id": store.new_id()}
        record(connection, store.now(), by, [("labels_checked", project, body)])
    return str(body["id"])


def latest_label_check(store: Store, project: str) -> LabelCheckRow | None:
    """The last check of a project; None before the first."""
    rows = t.label_checks
    query = sa.select(rows).where(rows.c.project == project).order_by(rows.c.event.desc()).limit(1)
    with store.reading() as connection:
        found = connection.execute(query).first()
    return None if found is None else LabelCheckRow(**found._mapping)
