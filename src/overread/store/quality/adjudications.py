"""Adjudications: a senior looks at a case that readers differ on, and decides or sends it back.

Nobody adjudicates a case that they read, hold or are to read; and who opened one is given no read
of it any more. What was decided is the case's standard until it is withdrawn.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import Happened, record
from overread.store.canonical import canonical_json, digest, plain_text, stamp
from overread.store.engine import Store
from overread.store.errors import ConflictError, NotFoundError
from overread.store.work.asked_again import ADJUDICATION, Again, ask_again
from overread.store.work.assigned import given_cases

OPEN, LEFT, SENT_BACK, DECIDED = "open", "left", "sent_back", "decided"
HOLD_SECONDS = 3_600.0
"""Another senior may take over a case that was opened longer ago."""


@dataclass(frozen=True, slots=True)
class AdjudicationRow:
    """One look of a senior at a case.

    Attributes:
        number: of the case's adjudications, from 1.
        shown: ids of the reads in the order shown: Reader A, B, C.
        state: "open", "left" (nothing came of it), "sent_back" or "decided".
        words: the reason of a decision, the question to the readers.
        picked: the read that was taken as it is; "" where the senior answered anew.
        dispute: id of the dispute about a gold case that it decides; None of reads.
    """

    id: str
    project: str
    case: str
    number: int
    senior: str
    shown: tuple[str, ...]
    state: str
    words: str
    picked: str
    opened: str
    closed: str
    seconds: float
    dispute: str | None = None


@dataclass(frozen=True, slots=True)
class StandardRow:
    """The reference standard of a case; ``event`` its number in the log."""

    case: str
    project: str
    adjudication: str
    answer: dict[str, Any]
    cannot_be_read: bool
    protocol_version: int
    words: str
    since: str
    event: int


def open_adjudication(
    store: Store, case: str, senior: str, reads: Sequence[str]
) -> AdjudicationRow:
    """Let a senior look at a case; the one that they have open stays while the reads are the same.

    Args:
        store: where.
        case: its id.
        senior: the user's id.
        reads: ids of the reads to show. Their order comes from the id of the adjudication.
    Raises:
        NotFoundError: no such case.
        ConflictError: they read the case or are to read it; it has a standard; or another senior
            has it in hand.
        InputError: fewer than two reads.
    """
    if len(set(reads)) < 2:
        raise InputError("case", "have reads of two readers or more", len(set(reads)))
    with store.writing() as connection:
        found = connection.execute(sa.select(t.cases).where(t.cases.c.id == case)).first()
        if found is None:
            raise NotFoundError("case", case)
        _check_free(connection, case, senior)
        before = connection.execute(_of_case(case)).all()
        happened: list[Happened] = []
        for row in (one for one in before if one.state == OPEN):
            if row.senior == senior and set(json.loads(row.shown)) == set(reads):
                return adjudication_row(row)
            if row.senior != senior and row.opened > held_since(store):
                raise ConflictError("case", "is in another senior's hand")
            happened.append(("adjudication_left", found.project, {"id": row.id}))
        key = store.new_id()
        body = {
            "id": key,
            "case_id": case,
            "number": len(before) + 1,
            "senior": senior,
            "shown": sorted(reads, key=lambda read: digest(f"{key} {read}")),
            "task": _a_task(connection, case, senior),
        }
        happened.append(("adjudication_opened", found.project, body))
        record(connection, store.now(), senior, happened)
    return get_adjudication(store, key, senior)


def held_since(store: Store) -> str:
    """Who opened a case before this time may lose it to another senior."""
    return stamp(store.clock() - timedelta(seconds=HOLD_SECONDS))


def _check_free(connection: sa.Connection, case: str, senior: str) -> None:
    standard = sa.select(t.standards.c.case_id).where(
        t.standards.c.case_id == case, t.standards.c.stands
    )
    if connection.scalar(standard):
        raise ConflictError("case", "has a reference standard already")
    tasks = t.tasks.c
    own = sa.select(tasks.id).where(
        tasks.case_id == case, (tasks.reader == senior) | (tasks.planned_for == senior)
    )
    read = sa.select(t.reads.c.id).where(t.reads.c.case_id == case, t.reads.c.reader == senior)
    if connection.scalar(own.limit(1)) or connection.scalar(read.limit(1)):
        raise ConflictError("case", "was read by you, or is yours to read: another senior decides")


def _a_task(connection: sa.Connection, case: str, senior: str) -> str | None:
    """A task of the case to mark as skipped, so that it is not given to the senior to read."""
    skipped = sa.select(t.skips.c.task).where(t.skips.c.case_id == case, t.skips.c.reader == senior)
    if connection.scalar(skipped.limit(1)):
        return None
    query = sa.select(t.tasks.c.id).where(t.tasks.c.case_id == case)
    found: str | None = connection.scalar(query.order_by(t.tasks.c.position).limit(1))
    return found


def decide(
    store: Store,
    adjudication: str,
    senior: str,
    *,
    answer: Mapping[str, Any],
    protocol_version: int,
    words: str,
    cannot_be_read: bool = False,
    picked: str = "",
    seconds: float = 0.0,
) -> StandardRow:
    """Keep a decision: the case's reference standard. The same sent again is kept once.

    Raises:
        NotFoundError: not an adjudication of this senior.
        ConflictError: it is no longer open.
        InputError: no reason.
    """
    plain_text("reason", words, longest=4_000)
    kept = canonical_json("answer", dict(answer))
    body = {
        "id": adjudication,
        "answer": json.loads(kept),
        "cannot_be_read": cannot_be_read,
        "protocol_version": protocol_version,
        "words": words,
        "picked": picked,
        "seconds": float(seconds),
    }
    with store.writing() as connection:
        row = _of_senior(connection, adjudication, senior)
        standard = connection.execute(
            sa.select(t.standards).where(t.standards.c.case_id == row.case_id)
        ).first()
        again = standard is not None and standard.adjudication == adjudication
        if again and standard is not None and (standard.answer, row.words) == (kept, words):
            return _standard(standard)
        _check_open(row)
        body["case_id"] = row.case_id
        record(connection, store.now(), senior, [("adjudication_decided", row.project, body)])
        query = sa.select(t.standards).where(t.standards.c.case_id == row.case_id)
        return _standard(connection.execute(query).one())


def send_back(
    store: Store,
    adjudication: str,
    senior: str,
    *,
    words: str,
    again: Sequence[Again],
    seconds: float = 0.0,
) -> int:
    """Ask the readers again, with a question that they see.

    Args:
        again: whom, and what each begins with.
    Returns:
        How many are asked.
    Raises:
        NotFoundError, ConflictError: as of :func:`decide`.
        InputError: no question, or nobody left to ask.
    """
    plain_text("question", words, longest=4_000)
    with store.writing() as connection:
        row = _of_senior(connection, adjudication, senior)
        _check_open(row)
        body = {"id": adjudication, "words": words, "seconds": float(seconds)}
        record(connection, store.now(), senior, [("adjudication_sent_back", row.project, body)])
        asked = ask_again(
            connection, store, row.project, again, senior,
            why=ADJUDICATION, words=words, source=adjudication,
        )  # fmt: skip
        if not asked:
            raise InputError("case", "have readers who can be asked again", "none")
    return asked


def withdraw_standard(store: Store, case: str, words: str, by: str) -> None:
    """Take a reference standard back, with a reason: the case waits for a decision again.

    Raises:
        NotFoundError: the case has none.
    """
    plain_text("reason", words, longest=4_000)
    with store.writing() as connection:
        query = sa.select(t.standards.c.project).where(
            t.standards.c.case_id == case, t.standards.c.stands
        )
        project = connection.scalar(query)
        if project is None:
            raise NotFoundError("reference standard of case", case)
        body = {"case_id": case, "words": words}
        record(connection, store.now(), by, [("standard_withdrawn", project, body)])


def get_adjudication(store: Store, adjudication: str, senior: str) -> AdjudicationRow:
    """Get an adjudication of a senior's own.

    Raises:
        NotFoundError: there is none of theirs.
    """
    with store.reading() as connection:
        return adjudication_row(_of_senior(connection, adjudication, senior))


def adjudications_of_case(store: Store, case: str) -> list[AdjudicationRow]:
    """All looks at a case, the first first."""
    with store.reading() as connection:
        return [adjudication_row(one) for one in connection.execute(_of_case(case))]


def list_adjudications(store: Store, project: str, state: str) -> list[AdjudicationRow]:
    """Adjudications of a project in a state, the last opened first."""
    rows = t.adjudications.c
    query = sa.select(t.adjudications).where(rows.project == project, rows.state == state)
    with store.reading() as connection:
        found = connection.execute(query.order_by(rows.opened.desc(), rows.id)).all()
    return [adjudication_row(one) for one in found]


def get_standard(store: Store, case: str) -> StandardRow | None:
    """The reference standard of a case; None where there is none."""
    query = sa.select(t.standards).where(t.standards.c.case_id == case, t.standards.c.stands)
    with store.reading() as connection:
        found = connection.execute(query).first()
    return None if found is None else _standard(found)


def standards_of_project(
    store: Store, project: str, *, until: int | None = None
) -> dict[str, StandardRow]:
    """Case -> its reference standard. Args: until: those that stood after this event."""
    rows = t.standards.c
    query = sa.select(t.standards).where(rows.project == project, rows.stands)
    if until is not None:
        query = query.where(rows.event <= until)
    with store.reading() as connection:
        return {one.case_id: _standard(one) for one in connection.execute(query)}


def cases_with(store: Store, project: str, reader: str) -> set[str]:
    """Cases that a reader read, holds, or is to read."""
    reads = t.reads.c
    read = sa.select(reads.case_id).where(reads.project == project, reads.reader == reader)
    with store.reading() as connection:
        found = {str(case) for case in connection.scalars(given_cases(project, reader))}
        return found | {str(case) for case in connection.scalars(read)}


def cases_with_free_slots(store: Store, project: str) -> set[str]:
    """Cases that any reader of the project may still be given."""
    rows = t.cases.c
    query = sa.select(rows.id).where(rows.project == project, rows.state == "open", rows.free > 0)
    with store.reading() as connection:
        return {str(case) for case in connection.scalars(query)}


def set_senior(store: Store, project: str, reader: str, by: str, *, senior: bool) -> None:
    """Say whether a user adjudicates in a project, where they may read or not.

    Raises:
        NotFoundError: no such project or user.
    """
    seniors = t.seniors.c
    with store.writing() as connection:
        for what, table, key in (("project", t.projects, project), ("user", t.users, reader)):
            if connection.scalar(sa.select(table.c.id).where(table.c.id == key)) is None:
                raise NotFoundError(what, key)
        now = sa.select(seniors.reader).where(seniors.project == project, seniors.reader == reader)
        if (connection.scalar(now) is not None) != senior:
            body = {"reader": reader, "senior": senior}
            record(connection, store.now(), by, [("senior_set", project, body)])


def list_seniors(store: Store, project: str) -> list[str]:
    """Ids of those who adjudicate, in the order they came to it."""
    query = sa.select(t.seniors.c.reader).where(t.seniors.c.project == project)
    with store.reading() as connection:
        return list(connection.scalars(query.order_by(t.seniors.c.since, t.seniors.c.reader)))


def projects_of_senior(store: Store, reader: str) -> list[str]:
    """Ids of the projects in which somebody is marked as a senior."""
    query = sa.select(t.seniors.c.project).where(t.seniors.c.reader == reader)
    with store.reading() as connection:
        return list(connection.scalars(query.order_by(t.seniors.c.since, t.seniors.c.project)))


def project_of_adjudication(store: Store, adjudication: str) -> str:
    """Tell the project of an adjudication.

    Raises:
        NotFoundError: there is none.
    """
    query = sa.select(t.adjudications.c.project).where(t.adjudications.c.id == adjudication)
    with store.reading() as connection:
        found = connection.scalar(query)
    if found is None:
        raise NotFoundError("adjudication", adjudication)
    return str(found)


def _of_case(case: str) -> sa.Select[Any]:
    rows = t.adjudications.c
    return sa.select(t.adjudications).where(rows.case_id == case).order_by(rows.number)


def _of_senior(connection: sa.Connection, adjudication: str, senior: str) -> sa.Row[Any]:
    rows = t.adjudications.c
    query = sa.select(t.adjudications).where(rows.id == adjudication, rows.senior == senior)
    found = connection.execute(query).first()
    if found is None:
        raise NotFoundError("adjudication", adjudication)
    return found


def _check_open(row: sa.Row[Any]) -> None:
    if row.state != OPEN:
        raise ConflictError("adjudication", "is no longer open")


def adjudication_row(row: sa.Row[Any]) -> AdjudicationRow:
    """Make an adjudication of its row."""
    kept = dict(row._mapping)
    kept["case"] = kept.pop("case_id")
    return AdjudicationRow(**(kept | {"shown": tuple(json.loads(kept["shown"]))}))


def _standard(row: sa.Row[Any]) -> StandardRow:
    kept = dict(row._mapping)
    kept["case"] = kept.pop("case_id")
    kept.pop("stands")
    return StandardRow(**(kept | {"answer": json.loads(kept["answer"])}))
