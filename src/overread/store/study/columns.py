"""The reads of a project as columns, for the analytic core."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.engine import Store
from overread.store.events import head
from overread.store.work.reads import set_aside, superseded

_PAGE = 2_000
_CASES = 500  # asked for at once


@dataclass(frozen=True, slots=True, eq=False)
class ReadColumns:
    """Reads of one question, a list for each column, all of one length, in order of submission.

    Attributes:
        until: number of the last event that was taken into account: the same ``until`` gives
            the same reads again, whatever came later.
        read, case, case_name, group, reader, task: ids (and the case's name).
        value: the answer to the question; None where it was not answered.
        cannot_be_read, ask_a_senior, surplus: the flags.
        comment: text.
        round: 0 first read, k the k-th repeat.
        revision: 1 for what was said first.
        seconds: active reading time of the whole case.
        submitted: ISO 8601 UTC.
        protocol_version: under which it was read.
    """

    until: int
    read: list[str]
    case: list[str]
    case_name: list[str]
    group: list[str]
    reader: list[str]
    task: list[str]
    value: list[Any]
    cannot_be_read: list[bool]
    ask_a_senior: list[bool]
    surplus: list[bool]
    comment: list[str]
    round: list[int]
    revision: list[int]
    seconds: list[float]
    submitted: list[str]
    protocol_version: list[int]

    def __len__(self) -> int:
        return len(self.read)


def reads_of_project(
    store: Store,
    project: str,
    question: str,
    *,
    latest: bool = True,
    surplus: bool = True,
    aside: bool = False,
    case: str | None = None,
    until: int | None = None,
) -> ReadColumns:
    """Gather the reads of one question.

    Pages of 2,000 rows, each a short look of its own, so that no writer waits; the log's head
    at the start bounds them, so that they belong together all the same.

    Args:
        store: where.
        project: its id.
        question: id of the question in the protocol.
        latest: only the newest revision of each read.
        surplus: also the late submissions.
        aside: also those that are set aside or replaced after an alarm about their reader.
        case: only of this case.
        until: as things stood after this event; None for now.
    """
    last = head(store).n if until is None else until
    names = [name for name in ReadColumns.__dataclass_fields__ if name != "until"]
    columns: dict[str, list[Any]] = {name: [] for name in names}
    cases = None if case is None else [case]
    for row in _rows(store, project, last, cases=cases, latest=latest, aside=aside):
        if row.surplus and not surplus:
            continue
        kept = dict(row._mapping)
        kept["value"] = json.loads(kept.pop("answer")).get(question)
        for name in names:
            columns[name].append(kept[name])
    return ReadColumns(until=last, **columns)


def each_read(
    store: Store,
    project: str,
    *,
    latest: bool = True,
    aside: bool = False,
    cases: Sequence[str] | None = None,
    after: int = 0,
    until: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Give the reads of a project one by one, in order of submission, each with all it answers.

    Memory holds a page of them at a time; see :func:`reads_of_project` for the columns, of which
    ``value`` is ``answer`` here.

    Args:
        store: where.
        project: its id.
        latest: only the newest revision of each read.
        aside: also those that are set aside or replaced after an alarm about their reader.
        cases: of these alone, by their ids; None for all.
        after: only those submitted after this event.
        until: as things stood after this event; None for now.
    """
    last = head(store).n if until is None else until
    rows = _rows(store, project, last, cases=cases, latest=latest, aside=aside, after=after)
    for row in rows:
        kept = dict(row._mapping)
        yield kept | {"answer": json.loads(kept["answer"])}


def before_last_reads(store: Store, project: str, count: int) -> int:
    """Number of the event after which the last ``count`` reads came; 0 where there are fewer."""
    events = t.reads.c.event
    query = sa.select(events).where(t.reads.c.project == project)
    with store.reading() as connection:
        found = connection.scalar(query.order_by(events.desc()).offset(count).limit(1))
    return int(found or 0)


def _rows(
    store: Store,
    project: str,
    last: int,
    *,
    cases: Sequence[str] | None,
    latest: bool,
    aside: bool,
    after: int = 0,
) -> Iterator[sa.Row[Any]]:
    """Rows in order of their events: page by page, or those of some cases."""
    query = _shown()
    if latest:
        query = query.where(~superseded(last))
    if not aside:
        query = query.where(~set_aside())
    if cases is not None:
        # in expressions: by the bare columns both databases would take the index of the project's
        # reads in order, and go through all of them for one case
        of_project = sa.func.coalesce(t.cases.c.project, "") == project
        event = t.reads.c.event + 0
        query = query.where(of_project, event > after, event <= last)
        yield from _rows_of_cases(store, query, cases)
        return
    query = query.where(t.reads.c.project == project)
    while True:
        page = query.where(t.reads.c.event > after, t.reads.c.event <= last)
        with store.reading() as connection:
            rows = connection.execute(page.order_by(t.reads.c.event).limit(_PAGE)).all()
        yield from rows
        if len(rows) < _PAGE:
            return
        after = rows[-1].event


def _rows_of_cases(store: Store, query: sa.Select[Any], cases: Sequence[str]) -> list[sa.Row[Any]]:
    found: list[sa.Row[Any]] = []
    for start in range(0, len(cases), _CASES):
        part = query.where(t.cases.c.id.in_(cases[start : start + _CASES]))
        with store.reading() as connection:
            found += connection.execute(part).all()
    return sorted(found, key=lambda row: int(row.event))


def _shown() -> sa.Select[Any]:
    reads = t.reads.c
    shown = (
        reads.event,
        reads.id.label("read"),
        reads.case_id.label("case"),
        t.cases.c.name.label("case_name"),
        t.cases.c.group_key.label("group"),
        reads.answer,
        t.asked_again.c.task.is_not(None).label("replaces"),
    )
    same = ("reader", "task", "cannot_be_read", "ask_a_senior", "surplus", "comment", "round")
    more = ("revision", "seconds", "submitted", "protocol_version")
    return (
        sa.select(*shown, *(reads[name] for name in (*same, *more)))
        .join(t.cases, t.cases.c.id == reads.case_id)
        .outerjoin(t.asked_again, t.asked_again.c.task == reads.task)
    )
