"""Exports as the log tells them: who took what out, and the hash of its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import hash_text
from overread.store.engine import Store

EXPORTED = "labels_exported"


def log_export(store: Store, project: str, body: Mapping[str, Any], by: str) -> None:
    """Note that labels were exported.

    Args:
        body: what and in which form; ``manifest`` is the SHA-256 of its manifest.
    Raises:
        InputError: ``manifest`` is no hash.
    """
    hash_text("manifest", body["manifest"])
    with store.writing() as connection:
        record(connection, store.now(), by, [(EXPORTED, project, dict(body))])


def export_is_logged(store: Store, manifest: str) -> bool:
    """Whether the log knows a manifest of this SHA-256."""
    hash_text("manifest", manifest)
    events = t.events.c
    said = events.body.contains(f'"manifest":"{manifest}"', autoescape=True)
    query = sa.select(events.n).where(events.action == EXPORTED, said).limit(1)
    with store.reading() as connection:
        return connection.scalar(query) is not None
