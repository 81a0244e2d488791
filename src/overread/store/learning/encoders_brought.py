"""Encoders that a lead brings to a project, and those that are retired, by the log.

One that is brought stands among those that were trained (:func:`list_trained`), under a kind of
its own for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import hash_text, json_object, plain_text
from overread.store.engine import Store
from overread.store.errors import NotFoundError


def keep_brought(
    store: Store, project: str, kind: str, file: str, by: str, *, about: Mapping[str, Any]
) -> None:
    """Keep an encoder that was brought, in place of one of the same kind.

    Args:
        kind: its own for each file.
        file: blob of its ONNX.
        about: name, scale, version ...
    """
    plain_text("kind of encoder", kind, longest=40)
    body = {"kind": kind, "file": hash_text("file", file), "about": json_object("about", about)}
    with store.writing() as connection:
        record(connection, store.now(), by, [("encoder_brought", project, body)])


def retire_encoder(
    store: Store, project: str, kind: str, by: str, *,
    chain: Sequence[str] = (), before: Sequence[str] = (), reason: str = "",
) -> None:  # fmt: skip
    """Take an encoder off the list; its file stays, since the log names it.

    Args:
        kind: of a row of :func:`overread.store.learning.encoders.list_trained`.
        chain: that is used from now on, where it was in use (else none); before: that was.
        reason: of the other chain, in a sentence.
    Raises:
        NotFoundError: there is none of this kind.
        InputError: another chain without a reason.
    """
    if chain and not reason:
        raise InputError("reason", "be given", "none")
    events: list[tuple[str, str, dict[str, Any]]]
    events = [("encoder_retired", project, {"kind": plain_text("kind", kind, longest=40)})]
    if chain:
        body = {"chain": list(chain), "before": list(before), "scores": [], "labels": 0}
        events.append(("encoder_chosen", project, body | {"reason": reason}))
    rows = t.trained_encoders.c
    there = sa.select(rows.kind).where(rows.project == project, rows.kind == kind)
    with store.writing() as connection:
        if connection.execute(there).first() is None:
            raise NotFoundError("encoder", kind)
        record(connection, store.now(), by, events)
