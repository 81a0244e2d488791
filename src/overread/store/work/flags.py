"""Reads that want a lead's eye: flags and comments, and the replies that readers get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import plain_text
from overread.store.canonical import whole_number as whole
from overread.store.engine import Store
from overread.store.errors import NotFoundError
from overread.store.work.reads import superseded

WHATS = ("ask_a_senior", "cannot_be_read", "comment")
"""What a reader may have raised with a read."""


@dataclass(frozen=True, slots=True)
class RaisedRow:
    """A latest read with a flag or a comment; ``reply`` is "" while nobody answered."""

    read: str
    event: int
    case: str
    case_name: str
    reader: str
    reader_name: str
    cannot_be_read: bool
    ask_a_senior: bool
    comment: str
    submitted: str
    reply: str
    replied_by: str


@dataclass(frozen=True, slots=True)
class ReplyRow:
    """A reply to a reader's question, as the reader sees it."""

    project: str
    case_name: str
    comment: str
    words: str
    since: str


def to_look_at() -> sa.ColumnElement[bool]:
    """The condition of the index, in its words, so that both databases know it again."""
    return sa.text("(cannot_be_read OR ask_a_senior OR comment <> '')")  # type: ignore[return-value]


def flagged_cases(project: str) -> sa.Select[Any]:
    """Ids of the cases with a flag that stands."""
    flag = t.reads.c.cannot_be_read | t.reads.c.ask_a_senior
    query = sa.select(t.reads.c.case_id)
    return query.where(t.reads.c.project == project, to_look_at(), flag, ~superseded())


def _raised(project: str, what: str) -> sa.Select[Any]:
    if what not in WHATS:
        raise InputError("list", f"be one of {', '.join(WHATS)}", "another word")
    wanted = t.reads.c.comment != "" if what == "comment" else t.reads.c[what]
    return sa.select(t.reads).where(
        t.reads.c.project == project, to_look_at(), wanted, ~superseded()
    )


def list_raised(
    store: Store, project: str, what: str, *, before: int | None = None, limit: int = 50
) -> list[RaisedRow]:
    """List the latest reads that raised something, the newest first.

    Args:
        store: where.
        project: its id.
        what: one of :data:`WHATS`.
        before: only those with a smaller ``event``.
        limit: 1 to 500.
    """
    whole("limit", limit, low=1, high=500)
    query = _raised(project, what)
    if before is not None:
        query = query.where(t.reads.c.event < before)
    found = query.order_by(t.reads.c.event.desc()).limit(limit).subquery("found")
    shown = (
        sa.select(
            found.c.id.label("read"),
            found.c.event,
            found.c.case_id.label("case"),
            t.cases.c.name.label("case_name"),
            found.c.reader,
            t.users.c.name.label("reader_name"),
            *(found.c[name] for name in ("cannot_be_read", "ask_a_senior", "comment", "submitted")),
            sa.func.coalesce(t.replies.c.words, "").label("reply"),
            sa.func.coalesce(t.replies.c.replied_by, "").label("replied_by"),
        )
        .join(t.cases, t.cases.c.id == found.c.case_id)
        .join(t.users, t.users.c.id == found.c.reader)
        .outerjoin(t.replies, t.replies.c.read_id == found.c.id)
        .order_by(found.c.event.desc())
    )
    with store.reading() as connection:
        return [RaisedRow(**row._mapping) for row in connection.execute(shown)]


def count_raised(store: Store, project: str) -> dict[str, int]:
    """Count what was raised; of "ask a senior" only what nobody answered."""
    counts: dict[str, int] = {}
    with store.reading() as connection:
        for what in WHATS:
            found = _raised(project, what).subquery("found")
            query = sa.select(sa.func.count()).select_from(found)
            if what == "ask_a_senior":
                query = sa.select(sa.func.count()).select_from(
                    found.outerjoin(t.replies, t.replies.c.read_id == found.c.id)
                )
                query = query.where(t.replies.c.read_id.is_(None))
            counts[what] = connection.scalar(query) or 0
    return counts


def give_reply(store: Store, read: str, words: str, by: str) -> None:
    """Answer what a reader raised; a second answer takes the place of the first.

    Raises:
        NotFoundError: no such read.
        InputError: no words.
    """
    plain_text("reply", words, longest=4_000)
    columns = ("project", "case_id", "reader")
    query = sa.select(*(t.reads.c[name] for name in columns)).where(t.reads.c.id == read)
    with store.writing() as connection:
        found = connection.execute(query).first()
        if found is None:
            raise NotFoundError("read", read)
        body = {"read": read, "case_id": found.case_id, "reader": found.reader, "words": words}
        record(connection, store.now(), by, [("reply_given", found.project, body)])


def replies_to(store: Store, reader: str, *, limit: int = 20) -> list[ReplyRow]:
    """The last replies that a reader got, the newest first."""
    whole("limit", limit, low=1, high=500)
    query = (
        sa.select(
            t.replies.c.project,
            t.cases.c.name.label("case_name"),
            t.reads.c.comment,
            t.replies.c.words,
            t.replies.c.since,
        )
        .join(t.cases, t.cases.c.id == t.replies.c.case_id)
        .join(t.reads, t.reads.c.id == t.replies.c.read_id)
        .where(t.replies.c.reader == reader)
        .order_by(t.replies.c.since.desc(), t.replies.c.read_id)
        .limit(limit)
    )
    with store.reading() as connection:
        return [ReplyRow(**row._mapping) for row in connection.execute(query)]
