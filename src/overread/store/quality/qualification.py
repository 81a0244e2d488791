"""Certificates: who may read in a project that demands it; and the disputes about gold cases."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import Happened, record
from overread.store.canonical import plain_text
from overread.store.engine import Store
from overread.store.errors import ConflictError, NotFoundError
from overread.store.people.profiles import check_reads
from overread.store.quality.dry_runs import mine

KEPT, WRONG = "kept", "wrong"


@dataclass(frozen=True, slots=True)
class CertificateRow:
    """A certificate; ``how`` is "dry run" or "by the lead: <reason>"; ``note``: what came later."""

    reader: str
    protocol_version: int
    how: str
    score: dict[str, Any]
    since: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class DisputeRow:
    """A dispute; ``state`` is "open", "kept" (the answer stands) or "wrong" (the gold retired)."""

    id: str
    gold: str
    case: str
    case_name: str
    trial: str
    reader: str
    reader_name: str
    words: str
    state: str
    decision: str
    since: str


def qualify(
    store: Store,
    project: str,
    reader: str,
    reason: str,
    by: str,
    *,
    protocol_version: int,
    score: Mapping[str, Any] | None = None,
) -> None:
    """Let somebody read without a dry run (who made the gold, say).

    Raises:
        InputError: no reason.
        NotFoundError: they do not read in the project.
        ConflictError: they are qualified already.
    """
    plain_text("reason", reason, longest=2_000)
    with store.writing() as connection:
        check_reads(connection, project, reader)
        if _since(connection, project, reader) is not None:
            raise ConflictError("reader", "is qualified already")
        body = {
            "reader": reader,
            "how": f"by the lead: {reason}",
            "protocol_version": protocol_version,
            "score": dict(score or {}),
            "cases": [],
        }
        record(connection, store.now(), by, [("reader_qualified", project, body)])


def withdraw_qualification(store: Store, project: str, reader: str, reason: str, by: str) -> None:
    """Take a certificate back: no further case, what is in hand may still be sent.

    Raises:
        InputError: no reason.
        NotFoundError: there is no certificate.
    """
    plain_text("reason", reason, longest=2_000)
    with store.writing() as connection:
        if _since(connection, project, reader) is None:
            raise NotFoundError("certificate", reader)
        body = {"reader": reader, "reason": reason}
        record(connection, store.now(), by, [("qualification_withdrawn", project, body)])


def _since(connection: sa.Connection, project: str, reader: str) -> str | None:
    rows = t.qualifications.c
    query = sa.select(rows.since).where(rows.project == project, rows.reader == reader)
    found: str | None = connection.scalar(query)
    return found


def list_certificates(store: Store, project: str) -> dict[str, CertificateRow]:
    """Certificates of a project by reader."""
    query = sa.select(t.qualifications).where(t.qualifications.c.project == project)
    with store.reading() as connection:
        rows = connection.execute(query).all()
    return {
        row.reader: CertificateRow(
            row.reader, row.protocol_version, row.how, json.loads(row.score), row.since, row.note
        )
        for row in rows
    }


def dispute_gold(store: Store, trial: str, reader: str, words: str) -> str:
    """Dispute the right answer of a trial that was answered; return the dispute's id.

    Raises:
        InputError: no words.
        NotFoundError: not a trial of theirs.
        ConflictError: not answered yet, or disputed before.
    """
    plain_text("dispute", words, longest=4_000)
    with store.writing() as connection:
        row = mine(connection, trial, reader)
        if row.submitted is None:
            raise ConflictError("trial", "is not answered yet")
        if connection.scalar(sa.select(t.disputes.c.id).where(t.disputes.c.trial == trial)):
            raise ConflictError("trial", "was disputed before")
        body = {"id": store.new_id(), "trial": trial, "reader": reader, "words": words}
        body |= {"gold": row.gold, "case_id": row.case_id}
        record(connection, store.now(), reader, [("gold_disputed", row.project, body)])
    return str(body["id"])


def list_disputes(store: Store, project: str, *, settled: bool = False) -> list[DisputeRow]:
    """List disputes, the open ones only unless ``settled``, the oldest first."""
    rows = t.disputes.c
    query = (
        sa.select(
            *(rows[name] for name in ("id", "gold", "trial", "reader", "words", "state")),
            *(rows[name] for name in ("decision", "since")),
            rows.case_id.label("case"),
            t.cases.c.name.label("case_name"),
            t.users.c.name.label("reader_name"),
        )
        .join(t.cases, t.cases.c.id == rows.case_id)
        .join(t.users, t.users.c.id == rows.reader)
        .where(rows.project == project)
        .order_by(rows.since, rows.id)
    )
    if not settled:
        query = query.where(rows.state == "open")
    with store.reading() as connection:
        return [DisputeRow(**row._mapping) for row in connection.execute(query)]


def settle_dispute(store: Store, dispute: str, state: str, decision: str, by: str) -> None:
    """Settle a dispute: the answer stands ("kept"), or it was "wrong" and the gold retires.

    Raises:
        InputError: no decision in words, or another state.
        NotFoundError: no such dispute.
        ConflictError: it is settled.
    """
    if state not in {KEPT, WRONG}:
        raise InputError("decision", f"be {KEPT} or {WRONG}", "another word")
    plain_text("decision", decision, longest=4_000)
    with store.writing() as connection:
        found = connection.execute(sa.select(t.disputes).where(t.disputes.c.id == dispute)).first()
        if found is None:
            raise NotFoundError("dispute", dispute)
        if found.state != "open":
            raise ConflictError("dispute", "is settled")
        body = {"dispute": dispute, "state": state, "decision": decision}
        happened: list[Happened] = [("dispute_settled", found.project, body)]
        active = sa.select(t.gold.c.state).where(t.gold.c.id == found.gold)
        if state == WRONG and connection.scalar(active) == "active":
            retired = {"gold": found.gold, "reason": f"disputed: {decision}"}
            happened.append(("gold_retired", found.project, retired))
        record(connection, store.now(), by, happened)
