"""Cases that readers are asked to read again, and why: the new read takes the place of the old.

Unlike a repeat, which comes unannounced and is left out of the consensus, a task that is asked
again tells its reader why, and what they say then is what they say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import canonical_json
from overread.store.engine import Store
from overread.store.work.plan import Slot, planned

ADJUDICATION, PROTOCOL = "adjudication", "protocol"
"""Why somebody is asked again."""


@dataclass(frozen=True, slots=True)
class Again:
    """One read that is wanted again.

    Attributes:
        case: its id.
        reader: who reads it; None for somebody who has not read it yet.
        start: the answer that the reader begins with, of their own; None for an empty one.
    """

    case: str
    reader: str | None
    start: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class AskedRow:
    """Why a task is asked again. Attributes: words: for its reader."""

    task: str
    case: str
    why: str
    words: str


def ask_again(
    connection: sa.Connection,
    store: Store,
    project: str,
    wanted: Sequence[Again],
    by: str,
    *,
    why: str,
    words: str,
    source: str,
) -> int:
    """Plan reads again, in the transaction that is open; who is asked already is not asked twice.

    Args:
        why: :data:`ADJUDICATION` or :data:`PROTOCOL`.
        words: what the reader is told.
        source: id of the adjudication, or version of the protocol.
    Returns:
        How many were planned.
    """
    keys = sorted({one.case for one in wanted})
    last = _last_rounds(connection, keys)
    waiting = _waiting(connection, project, keys)
    asked: list[Again] = []
    for one in wanted:
        # a slot for whoever comes has no name: the source tells whether it is there already
        place = (one.case, one.reader or f"*{source}")
        if place not in waiting:
            waiting.add(place)
            asked.append(one)
    slots = [
        Slot(one.case, one.reader, 0 if one.reader is None else last[one.case, one.reader] + 1)
        for one in asked
    ]
    made = planned(connection, store, project, by, slots)
    if not made:
        return 0
    rows = [_task_row(connection, task) for task in made]
    body = {
        "tasks": [[task, case, reader or ""] for task, case, reader in rows],
        "why": why,
        "words": words,
        "source": source,
    }
    record(connection, store.now(), by, [("asked_again", project, body)])
    starts = {(one.case, one.reader): one.start for one in asked if one.start}
    _begin(
        connection,
        store,
        {task: (reader, starts.get((case, reader))) for task, case, reader in rows},
    )
    return len(rows)


def _task_row(connection: sa.Connection, task: str) -> tuple[str, str, str | None]:
    tasks = t.tasks.c
    query = sa.select(tasks.id, tasks.case_id, tasks.planned_for).where(tasks.id == task)
    row = connection.execute(query).one()
    return row.id, row.case_id, row.planned_for


def _last_rounds(connection: sa.Connection, cases: Sequence[str]) -> dict[tuple[str, str], int]:
    """The last round of each reader in each case, read or planned."""

    class Rounds(dict[tuple[str, str], int]):
        def __missing__(self, key: tuple[str, str]) -> int:
            return 0

    found = Rounds()
    for start in range(0, len(cases), 500):
        part = cases[start : start + 500]
        for table, who in ((t.reads, t.reads.c.reader), (t.tasks, t.tasks.c.planned_for)):
            query = sa.select(table.c.case_id, who, sa.func.max(table.c.round))
            query = query.where(table.c.case_id.in_(part), who.is_not(None))
            for case, reader, most in connection.execute(query.group_by(table.c.case_id, who)):
                found[case, reader] = max(found[case, reader], int(most))
    return found


def _waiting(connection: sa.Connection, project: str, cases: Sequence[str]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    asked = t.asked_again.c
    for start in range(0, len(cases), 500):
        query = (
            sa.select(asked.case_id, asked.reader, asked.source)
            .join(t.tasks, t.tasks.c.id == asked.task)
            .where(asked.project == project, asked.case_id.in_(cases[start : start + 500]))
            .where((t.tasks.c.state != "done") | (asked.reader == ""))
        )
        found |= {(case, who or f"*{source}") for case, who, source in connection.execute(query)}
    return found


def _begin(
    connection: sa.Connection,
    store: Store,
    starts: Mapping[str, tuple[Any, Mapping[str, Any] | None]],
) -> None:
    """What readers begin with: a draft of theirs, which like all drafts is beside the log."""
    fixed = {"version": 1, "cannot_be_read": False, "ask_a_senior": False, "comment": ""}
    rows = [
        {"task": task, "reader": reader, "answer": canonical_json("answer", start)}
        | fixed
        | {"seconds": 0.0, "saved": store.now()}
        for task, (reader, start) in starts.items()
        if start
    ]
    if rows:
        connection.execute(t.drafts.insert(), rows)


def why_again(store: Store, tasks: Sequence[str]) -> dict[str, AskedRow]:
    """Why tasks are asked again; those that are not are left out."""
    asked = t.asked_again.c
    query = sa.select(asked.task, asked.case_id, asked.why, asked.words)
    with store.reading() as connection:
        found = connection.execute(query.where(asked.task.in_(list(tasks)))).all()
    return {row.task: AskedRow(*row) for row in found}


def asked_of_case(store: Store, case: str) -> dict[str, AskedRow]:
    """The tasks of a case that were asked again: reads of them replace those before."""
    asked = t.asked_again.c
    query = sa.select(asked.task, asked.case_id, asked.why, asked.words)
    with store.reading() as connection:
        found = connection.execute(query.where(asked.case_id == case)).all()
    return {row.task: AskedRow(*row) for row in found}


def waiting_again(store: Store, project: str, why: str) -> dict[str, int]:
    """Case -> reads that were asked again and are not made yet."""
    asked = t.asked_again.c
    query = (
        sa.select(asked.case_id, sa.func.count())
        .join(t.tasks, t.tasks.c.id == asked.task)
        .where(asked.project == project, asked.why == why, t.tasks.c.state != "done")
        .group_by(asked.case_id)
    )
    with store.reading() as connection:
        return {case: int(count) for case, count in connection.execute(query)}


def count_again(store: Store, project: str, why: str) -> tuple[int, int]:
    """How many reads were asked again, and how many of them are made."""
    asked = t.asked_again.c
    done = sa.func.sum(sa.case((t.tasks.c.state == "done", 1), else_=0))
    query = (
        sa.select(sa.func.count(), done)
        .select_from(t.asked_again.join(t.tasks, t.tasks.c.id == asked.task))
        .where(asked.project == project, asked.why == why)
    )
    with store.reading() as connection:
        count, made = connection.execute(query).one()
    return int(count), int(made or 0)


def start_of(answer: str) -> dict[str, Any]:
    """An answer as it is kept, to begin with."""
    made: dict[str, Any] = json.loads(answer)
    return made
