"""Truthing reports that were made: their files by hash, dated with the head of the log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import hash_text, plain_text
from overread.store.canonical import whole_number as whole
from overread.store.engine import Store
from overread.store.errors import NotFoundError
from overread.store.events import Head


@dataclass(frozen=True, slots=True)
class TruthingRow:
    """A report that was kept.

    Attributes:
        made: when; ``made_by``: the user's id, or "system".
        log_events, log_head: the log as it stood, which the report tells.
        named: tells readers by their names.
        words: how many labels conform to the protocol, in a sentence.
        files: form ("html", "pdf", "json") -> SHA-256 of the blob.
    """

    id: str
    project: str
    made: str
    made_by: str
    event: int
    log_events: int
    log_head: str
    named: bool
    words: str
    files: dict[str, str]


def keep_report(
    store: Store,
    project: str,
    *,
    log: Head,
    files: Mapping[str, str],
    words: str,
    by: str,
    named: bool = False,
) -> str:
    """Keep a report whose files are blobs already; return its id.

    Raises:
        InputError: a hash that is none.
        NotFoundError: no such project.
    """
    plain_text("words", words, longest=2_000)
    for key in (log.hash, *files.values()):
        hash_text("hash", key)
    whole("events", log.n, low=0, high=2**53)
    body = {"log_events": log.n, "log_head": log.hash, "named": named, "words": words}
    with store.writing() as connection:
        if connection.scalar(sa.select(t.projects.c.id).where(t.projects.c.id == project)) is None:
            raise NotFoundError("project", project)
        body |= {"id": store.new_id(), "files": dict(files)}
        record(connection, store.now(), by, [("truthing_reported", project, body)])
    return str(body["id"])


def list_reports(store: Store, project: str) -> list[TruthingRow]:
    """Reports of a project, the newest first."""
    rows = t.truthing_reports
    query = sa.select(rows).where(rows.c.project == project).order_by(rows.c.event.desc())
    with store.reading() as connection:
        return [_row(one) for one in connection.execute(query)]


def get_report(store: Store, project: str, report: str) -> TruthingRow:
    """Get one of a project.

    Raises:
        NotFoundError: there is none of the id.
    """
    rows = t.truthing_reports
    query = sa.select(rows).where(rows.c.project == project, rows.c.id == report)
    with store.reading() as connection:
        found = connection.execute(query).first()
    if found is None:
        raise NotFoundError("truthing report", report)
    return _row(found)


def _row(row: sa.Row[tuple[object, ...]]) -> TruthingRow:
    kept = dict(row._mapping)
    kept["named"] = bool(kept["named"])
    return TruthingRow(**(kept | {"files": json.loads(kept["files"])}))
