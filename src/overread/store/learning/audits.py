"""Blind audits of auto-labels, and the certificates that came of them.

An audit freezes the labels of a run: which cases are read, in which order, and what the labels
were (a digest) is one event, written before the first of them is read. Audited cases are ordinary
tasks, put among the others: nobody who reads can tell them apart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import Happened, record
from overread.store.canonical import hash_text, json_object, plain_text
from overread.store.engine import Store
from overread.store.errors import ConflictError, NotFoundError
from overread.store.learning.auto_labels import FROZEN, require_open, run_of
from overread.store.learning.pre_labels import PRE_LABEL
from overread.store.work.plan import Slot, planned

RUNNING, GIVEN_UP = "running", "given_up"


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An audit. Args: settings: as they were decided before; words: how it ended."""

    id: str
    run: str
    project: str
    number: int
    settings: dict[str, Any]
    frozen: str
    state: str
    words: str
    begun: str
    begun_by: str
    event: int
    ended: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What a blind reader said of an audited case. Args: answer: None "cannot be read"."""

    case: str
    reader: str
    answer: dict[str, Any] | None
    seconds: float


@dataclass(frozen=True, slots=True)
class CertificateDocument:
    """A certificate as it was signed. Args: document: JSON text."""

    id: str
    run: str
    audit: str
    project: str
    document: str
    made: str
    made_by: str
    event: int


def begin_audit(
    store: Store,
    run: str,
    cases: Sequence[str],
    by: str,
    *,
    frozen: str,
    as_of: int,
    settings: Mapping[str, Any],
    spared: Sequence[str],
    readers: Sequence[str | None],
    among: Random,
) -> str:
    """Freeze a run and ask readers for the cases of its audit; return the audit's id.

    Args:
        cases: to audit, in the order of the draw.
        frozen: digest of the labels, as they were behind the event ``as_of``.
        spared: cases whose labels stand: their untouched tasks are taken out of the queue.
        readers: who reads which, turn by turn; None for whoever comes.
        among: puts the tasks at random places among the open ones.
    Raises:
        ConflictError: another audit of the labels is under way, or was.
    """
    hash_text("frozen", frozen)
    kept = json_object("settings", settings)
    reviews = t.auto_reviews.c
    later = sa.select(reviews.event).where(reviews.run == run, reviews.event > as_of)
    with store.writing() as connection:
        found = run_of(connection, run)
        require_open(found)
        if connection.scalar(later.limit(1)) is not None:
            raise ConflictError("auto-labels", "changed meanwhile; begin the audit again")
        key = store.new_id()
        number = _number(connection, found.project)
        body: dict[str, Any] = {"id": key, "run": run, "number": number, "frozen": frozen}
        body |= {"settings": kept | {"as_of": as_of}, "cases": list(cases)}
        happened: list[Happened] = [("audit_begun", found.project, body)]
        happened += _withdrawn(connection, found.project, sorted({*spared, *cases}))
        record(connection, store.now(), by, happened)
        _ask(connection, store, found.project, cases, by, readers=readers, among=among)
    return key


def prolong_audit(
    store: Store,
    audit: str,
    cases: Sequence[str],
    by: str,
    *,
    readers: Sequence[str | None],
    among: Random,
) -> None:
    """Ask for the next cases of the draw.

    Raises:
        ConflictError: the audit is over.
    """
    with store.writing() as connection:
        found = _running(connection, audit)
        rows = t.audit_cases.c
        first = connection.scalar(sa.select(sa.func.count()).where(rows.audit == audit)) or 0
        body = {"audit": audit, "first": int(first), "cases": list(cases)}
        record(connection, store.now(), by, [("audit_prolonged", found.project, body)])
        _ask(connection, store, found.project, cases, by, readers=readers, among=among)


def _ask(
    connection: sa.Connection,
    store: Store,
    project: str,
    cases: Sequence[str],
    by: str,
    *,
    readers: Sequence[str | None],
    among: Random,
) -> None:
    """One task for each case that has none that a blind reader has, or may have."""
    tasks = t.tasks.c
    busy: set[str] = set()
    for start in range(0, len(cases), 500):
        part = tasks.case_id.in_(cases[start : start + 500])
        query = sa.select(tasks.case_id).where(part, tasks.round == 0, tasks.state != "done")
        who = sa.func.coalesce(tasks.reader, tasks.planned_for)
        query = query.where(~_saw(project, tasks.case_id, who))
        busy |= set(connection.scalars(query))
    turn = list(readers) or [None]
    slots = [Slot(case, turn[at % len(turn)]) for at, case in enumerate(cases) if case not in busy]
    made = planned(connection, store, project, by, slots, among=among, in_order=True)
    if not made:
        return
    first = connection.scalar(sa.select(sa.func.min(tasks.position)).where(tasks.id.in_(made[:1])))
    for start in range(0, len(made), 500):
        part = tasks.id.in_(made[start : start + 500])
        least = connection.scalar(sa.select(sa.func.min(tasks.position)).where(part))
        first = min(first, least)
    marks = (t.queue_marks.c.project == project) & (t.queue_marks.c.position > first)
    connection.execute(t.queue_marks.update().where(marks).values(position=first))


def _saw(project: Any, case: Any, reader: Any) -> sa.ColumnElement[bool]:
    """Who reviewed auto-labels of the project, or was shown a pre-label, is not blind."""
    reviews, shown = t.auto_reviews.c, t.pre_labels_shown.c
    return sa.or_(
        sa.exists().where(reviews.project == project, reviews.reader == reader),
        sa.exists().where(shown.case_id == case, shown.reader == reader, shown.what == PRE_LABEL),
    )


def _withdrawn(connection: sa.Connection, project: str, cases: Sequence[str]) -> list[Happened]:
    """First reads of these cases that are open and were never anybody's."""
    tasks = t.tasks.c
    had = [
        sa.exists().where(table.c.task == tasks.id)
        for table in (t.grants, t.skips, t.reads, t.drafts, t.leases)
    ]
    happened: list[Happened] = []
    for start in range(0, len(cases), 500):
        chosen = list(cases[start : start + 500])
        query = sa.select(tasks.id).where(
            tasks.case_id.in_(chosen), tasks.state == "open", tasks.round == 0,
            *(~one for one in had),
        )  # fmt: skip
        found = list(connection.scalars(query.order_by(tasks.position)))
        if found:
            happened.append(("slots_withdrawn", project, {"tasks": found, "cases": chosen}))
    return happened


def end_audit(
    store: Store,
    audit: str,
    state: str,
    words: str,
    by: str,
    *,
    audited: Sequence[str],
    document: str | None = None,
) -> str | None:
    """End an audit; with a document a certificate is kept, whose id is returned.

    Args:
        state: "certified", "refused" or "given_up".
        audited: cases that were read: they are labels of a person from now on.
        document: JSON text, signed; its id is that of the certificate.
    """
    plain_text("words", words, longest=4_000)
    with store.writing() as connection:
        found = _running(connection, audit)
        body = {"audit": audit, "run": found.run, "state": state, "words": words,
                "audited": list(audited)}  # fmt: skip
        happened: list[Happened] = [("audit_ended", found.project, body)]
        key = None
        if document is not None:
            key = json.loads(document)["certificate"]["id"]
            issued = {"id": key, "run": found.run, "audit": audit, "document": document}
            happened.append(("label_certificate_issued", found.project, issued))
        record(connection, store.now(), by, happened)
    return key


def _running(connection: sa.Connection, audit: str) -> AuditRow:
    found = connection.execute(sa.select(t.audits).where(t.audits.c.id == audit)).first()
    if found is None:
        raise NotFoundError("audit", audit)
    row = _audit(found)
    if row.state != RUNNING:
        raise ConflictError("audit", "is over")
    if run_of(connection, row.run).state != FROZEN:
        raise InputError("auto-labels", "be frozen while they are audited", "others")
    return row


def _number(connection: sa.Connection, project: str) -> int:
    query = sa.select(sa.func.count()).where(t.audits.c.project == project)
    return int(connection.scalar(query) or 0) + 1


def get_audit(store: Store, audit: str) -> AuditRow:
    """Get an audit.

    Raises:
        NotFoundError: there is none of the id.
    """
    with store.reading() as connection:
        found = connection.execute(sa.select(t.audits).where(t.audits.c.id == audit)).first()
    if found is None:
        raise NotFoundError("audit", audit)
    return _audit(found)


def list_audits(store: Store, project: str) -> list[AuditRow]:
    """Audits of a project, the newest first."""
    query = sa.select(t.audits).where(t.audits.c.project == project)
    with store.reading() as connection:
        found = connection.execute(query.order_by(t.audits.c.number.desc())).all()
    return [_audit(one) for one in found]


def _audit(row: sa.Row[Any]) -> AuditRow:
    kept = dict(row._mapping)
    return AuditRow(**(kept | {"settings": json.loads(kept["settings"])}))


def cases_of_audit(store: Store, audit: str) -> list[str]:
    """The cases that were asked for, in the order of the draw."""
    rows = t.audit_cases.c
    query = sa.select(rows.case_id).where(rows.audit == audit).order_by(rows.place)
    with store.reading() as connection:
        return list(connection.scalars(query))


def heard(store: Store, audit: str) -> dict[str, Heard]:
    """Case -> what the first reader to submit it since the freeze says of it now.

    Left out are reads of those who reviewed auto-labels or were shown a pre-label of the case, and
    reads that are set aside after an alarm about their reader.
    """
    reads, cases = t.reads.c, t.audit_cases.c
    since = get_audit(store, audit).settings["as_of"]
    aside = sa.exists().where(t.suspects.c.task == reads.task, t.suspects.c.reader == reads.reader)
    query = (
        sa.select(
            reads.case_id, reads.reader, reads.task, reads.revision, reads.answer,
            reads.cannot_be_read, reads.seconds,
        )
        .join(t.audit_cases, cases.case_id == reads.case_id)
        .where(cases.audit == audit, reads.event > since, ~aside)
        .where(~_saw(reads.project, reads.case_id, reads.reader))
        .order_by(reads.event)
    )  # fmt: skip
    first: dict[str, tuple[str, str]] = {}
    told: dict[str, Heard] = {}
    with store.reading() as connection:
        for row in connection.execute(query):
            if first.setdefault(row.case_id, (row.reader, row.task)) == (row.reader, row.task):
                answer = None if row.cannot_be_read else json.loads(row.answer)
                before = told[row.case_id].seconds if row.case_id in told else 0.0
                told[row.case_id] = Heard(
                    row.case_id, row.reader, answer, before + float(row.seconds)
                )
    return told


def list_label_certificates(store: Store, project: str) -> list[CertificateDocument]:
    """Certificates of a project's auto-labels, the newest first."""
    rows = t.label_certificates
    query = sa.select(rows).where(rows.c.project == project).order_by(rows.c.event.desc())
    with store.reading() as connection:
        return [CertificateDocument(**one._mapping) for one in connection.execute(query)]


def get_label_certificate(store: Store, project: str, key: str) -> CertificateDocument:
    """Get one of a project.

    Raises:
        NotFoundError: there is none of the id.
    """
    for one in list_label_certificates(store, project):
        if one.id == key:
            return one
    raise NotFoundError("certificate", key)


def audit_seconds(store: Store, project: str) -> tuple[int, float]:
    """Cases that were audited, and the seconds that their blind reads took."""
    count, seconds = 0, 0.0
    for one in list_audits(store, project):
        found = heard(store, one.id)
        count += len(found)
        seconds += sum(each.seconds for each in found.values())
    return count, seconds
