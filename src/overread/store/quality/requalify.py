"""Certificates and new versions of a protocol: who qualifies again, whose certificate stands."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import plain_text
from overread.store.canonical import whole_number as whole
from overread.store.engine import Store
from overread.store.errors import NotFoundError

AGAIN, STANDS = "again", "stands"


@dataclass(frozen=True, slots=True)
class RequalificationRow:
    """What a version means for a reader's certificate.

    Attributes:
        choice: "again" (they qualify anew on ``touched``) or "stands".
        touched: question -> classes; "" among them is every answer.
    """

    reader: str
    version: int
    choice: str
    touched: dict[str, list[str]]
    words: str
    since: str


def rule_certificates(
    store: Store,
    project: str,
    readers: Sequence[str],
    *,
    version: int,
    choice: str,
    touched: Mapping[str, Sequence[str]],
    words: str,
    by: str,
) -> None:
    """Say what a version means for certificates; with "again" they are taken until then.

    Raises:
        InputError: no reason, another choice, nobody.
        NotFoundError: somebody without a certificate.
    """
    if choice not in {AGAIN, STANDS}:
        raise InputError("choice", f"be {AGAIN} or {STANDS}", "another word")
    if not readers:
        raise InputError("readers", "be named", "nobody")
    plain_text("reason", words, longest=2_000)
    whole("version", version, low=1, high=1_000_000)
    body = {
        "readers": sorted(set(readers)), "version": version, "choice": choice, "words": words,
        "touched": {name: sorted(of) for name, of in touched.items()},
    }  # fmt: skip
    with store.writing() as connection:
        rows = t.qualifications.c
        query = sa.select(rows.reader).where(rows.project == project, rows.reader.in_(readers))
        strange = set(readers) - set(connection.scalars(query))
        if strange:
            raise NotFoundError("certificate", min(strange))
        record(connection, store.now(), by, [("requalification_ruled", project, body)])


def list_requalifications(store: Store, project: str) -> dict[str, RequalificationRow]:
    """What was said, by reader; a new certificate ends it."""
    rows = t.requalifications
    with store.reading() as connection:
        found = connection.execute(sa.select(rows).where(rows.c.project == project)).all()
    return {
        one.reader: RequalificationRow(
            one.reader, one.version, one.choice, json.loads(one.touched), one.words, one.since
        )
        for one in found
    }
