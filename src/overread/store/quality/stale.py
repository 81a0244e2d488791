"""What a new version of the protocol means for the labels before it, as the lead ruled.

A label is the answer of a read to one question. A ruling says of each label that the change
touches whether it stands, is marked until it is replaced, or is left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import plain_text
from overread.store.engine import Store
from overread.store.errors import NotFoundError
from overread.store.work.asked_again import PROTOCOL, Again, ask_again

Choice = Literal["all", "affected", "none"]
Standing = Literal["stands", "marked", "left_out"]

_PART = 1_000  # labels and reads in one transaction, so that no reader waits for long


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a version means for the labels before it.

    Attributes:
        choice: which reads are made again: "all", "affected" or "none".
        words: the reason; also what readers are told who read again.
        touched: question id -> classes whose labels it touches; "" is every label of it.
        until_replaced: "marked" (they count, and are told) or "left_out".
        readers: "same" readers read again, or "any".
    """

    version: int
    choice: Choice
    words: str
    touched: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    until_replaced: Standing = "marked"
    readers: Literal["same", "any"] = "same"
    ruled_by: str = ""
    since: str = ""


def rule_version(
    store: Store,
    project: str,
    ruling: Ruling,
    by: str,
    *,
    labels: Mapping[Standing, Mapping[str, Sequence[str]]],
    again: Sequence[Again],
) -> int:
    """Keep a ruling, how labels stand by it, and the reads that are asked again.

    A thousand at a time; called again after a crash it adds what is missing.

    Args:
        labels: standing -> question -> ids of reads.
        again: the reads that are wanted.
    Returns:
        How many reads were planned.
    Raises:
        InputError: no reason where nothing is read again.
        NotFoundError: no such version.
    """
    empty = ruling.choice != "none"
    plain_text("reason", ruling.words, longest=4_000, empty=empty)
    body = {
        "version": ruling.version,
        "choice": ruling.choice,
        "words": ruling.words,
        "touched": {name: list(classes) for name, classes in ruling.touched.items()},
        "until_replaced": ruling.until_replaced,
        "readers": ruling.readers,
    }
    with store.writing() as connection:
        _check_version(connection, project, ruling.version)
        record(connection, store.now(), by, [("version_ruled", project, body)])
    for standing, questions in labels.items():
        for question, reads in questions.items():
            for start in range(0, len(reads), _PART):
                part = {question: list(reads[start : start + _PART])}
                told = {"version": ruling.version, "standing": standing, "labels": part}
                with store.writing() as connection:
                    record(connection, store.now(), by, [("labels_ruled", project, told)])
    planned = 0
    for start in range(0, len(again), _PART):
        with store.writing() as connection:
            planned += ask_again(
                connection, store, project, again[start : start + _PART], by,
                why=PROTOCOL, words=ruling.words, source=str(ruling.version),
            )  # fmt: skip
    return planned


def _check_version(connection: sa.Connection, project: str, version: int) -> None:
    if version < 2:
        raise InputError("version", "be 2 or more: the first changes nothing", version)
    rows = t.protocols.c
    query = sa.select(rows.version).where(rows.project == project, rows.version == version)
    if connection.scalar(query) is None:
        raise NotFoundError("protocol version", version)


def list_rulings(store: Store, project: str) -> dict[int, Ruling]:
    """Version -> its ruling."""
    rows = t.rulings.c
    query = sa.select(t.rulings).where(rows.project == project).order_by(rows.version)
    with store.reading() as connection:
        return {row.version: _ruling(row) for row in connection.execute(query)}


def _ruling(row: sa.Row[Any]) -> Ruling:
    kept = dict(row._mapping)
    kept.pop("project")
    kept.pop("event")
    return Ruling(**(kept | {"touched": json.loads(kept["touched"])}))


def left_out(
    store: Store, project: str, question: str, reads: Sequence[str] | None = None
) -> set[str]:
    """Ids of the reads whose answer to a question no consensus and no export holds.

    Args:
        reads: of these alone; None for all.
    """
    rows = t.stale.c
    query = sa.select(rows.read_id).where(
        rows.project == project, rows.standing == "left_out", rows.question == question
    )
    if reads is not None:
        query = query.where(rows.read_id.in_(list(reads)))
    with store.reading() as connection:
        return {str(read) for read in connection.scalars(query)}


def standings(store: Store, project: str) -> dict[tuple[str, str], tuple[int, Standing]]:
    """(Read, question) -> the last version that was ruled on it, and how it stands."""
    rows = t.stale.c
    query = sa.select(rows.read_id, rows.question, rows.version, rows.standing)
    with store.reading() as connection:
        found = connection.execute(query.where(rows.project == project)).all()
    return {(row.read_id, row.question): (row.version, row.standing) for row in found}
