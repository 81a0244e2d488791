"""Drafts: the last unsubmitted state of a read, versioned, so that no tab overwrites another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.engine import Store
from overread.store.errors import ConflictError
from overread.store.people.grants import granted
from overread.store.work.answers import Said, said


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A draft as saved; ``version`` counts from 1."""

    task: str
    reader: str
    version: int
    answer: dict[str, Any]
    cannot_be_read: bool
    ask_a_senior: bool
    comment: str
    seconds: float
    saved: str


_THIS = (t.drafts.c.task == sa.bindparam("t")) & (t.drafts.c.reader == sa.bindparam("r"))
_DRAFT = sa.select(t.drafts).where(_THIS)
_CHANGE = t.drafts.update().where(_THIS)
_INSERT = t.drafts.insert()


def save_draft(
    store: Store,
    task: str,
    reader: str,
    *,
    version: int,
    answer: Mapping[str, Any],
    cannot_be_read: bool = False,
    ask_a_senior: bool = False,
    comment: str = "",
    seconds: float = 0.0,
) -> int:
    """Save a draft.

    Args:
        store: where.
        task: its id; one that is or was this reader's.
        reader: the user's id.
        version: of the draft it was made from; 0 for none.
        answer, cannot_be_read, ask_a_senior, comment, seconds: as of a submission.
    Returns:
        The new version. The same draft sent again (an answer that got lost) is saved once.
    Raises:
        NotFoundError: the task never was this reader's.
        ConflictError: another tab saved meanwhile; ``get_draft`` has what stands.
    """
    given = said(answer, cannot_be_read, ask_a_senior, comment, seconds)
    with store.writing() as connection:
        granted(connection, task, reader)
        found = connection.execute(_DRAFT, {"t": task, "r": reader}).first()
        current = found.version if found else 0
        if found and current == version + 1 and _same(found, given):
            return current
        if version != current:
            rule = "was saved from somewhere else meanwhile"
            raise ConflictError("draft", rule, current_version=current)
        row = given.columns() | {"version": current + 1, "saved": store.now()}
        if found:
            connection.execute(_CHANGE, row | {"t": task, "r": reader})
        else:
            connection.execute(_INSERT, row | {"task": task, "reader": reader})
    return current + 1


def get_draft(store: Store, task: str, reader: str) -> DraftRow | None:
    """Get the reader's own draft of a task, None where there is none.

    Raises:
        NotFoundError: the task never was this reader's.
    """
    with store.reading() as connection:
        granted(connection, task, reader)
        found = connection.execute(_DRAFT, {"t": task, "r": reader}).first()
    return draft_row(found) if found else None


def draft_row(row: sa.Row[Any]) -> DraftRow:
    """Make a draft of its row."""
    return draft_of(dict(row._mapping))


def draft_of(kept: Mapping[str, Any]) -> DraftRow:
    """Make a draft of its columns by name."""
    return DraftRow(**{**kept, "answer": json.loads(kept["answer"])})


def _same(row: sa.Row[Any], given: Said) -> bool:
    columns = given.columns()
    return all(row._mapping[key] == columns[key] for key in columns if key != "seconds")
