"""A reader's queue: the next tasks, how far they are, what they sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from overread.app.case_pictures import Shown, shown_of
from overread.app.project_readers import require_member
from overread.store import Store, reads, tasks

LEASE_SECONDS = 900


@dataclass(frozen=True, slots=True)
class ReaderTask:
    """A task that a reader holds."""

    id: str
    project: str
    lease_expires: str | None
    protocol_version: int
    case: Shown
    draft: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a reader is; seconds are None before the first read."""

    done: int
    total: int
    median_seconds: float | None
    left_seconds: float | None


@dataclass(frozen=True, slots=True)
class OwnRead:
    """A read of the reader's own."""

    read_id: str
    task: str
    case: Shown
    revision: int
    answer: dict[str, Any]
    flags: dict[str, bool]
    comment: str
    submitted: str


def next_tasks(
    store: Store, project: str, reader: str, *, role: str, count: int
) -> list[ReaderTask]:
    """Lease the next tasks; those that the reader holds already come first.

    Raises:
        NotFoundError: not a project of theirs.
    """
    require_member(store, project, reader, role=role)
    held = tasks.claim(store, project, reader, count=count, lease_seconds=LEASE_SECONDS)
    return [
        ReaderTask(
            one.id,
            one.project,
            one.lease_expires,
            one.protocol_version,
            shown_of(one.case),
            draft_of(store, one.id, reader),
        )
        for one in held
    ]


def draft_of(store: Store, task: str, reader: str) -> dict[str, Any] | None:
    """The reader's draft of a task."""
    row = reads.get_draft(store, task, reader)
    if row is None:
        return None
    return {
        "version": row.version,
        "answer": row.answer,
        "flags": row.flags,
        "comment": row.comment,
        "seconds": row.seconds,
    }


def progress(store: Store, project: str, reader: str, *, role: str) -> Progress:
    """How far a reader is.

    Raises:
        NotFoundError: not a project of theirs.
    """
    require_member(store, project, reader, role=role)
    return progress_of(store, project, reader)


def progress_of(store: Store, project: str, reader: str) -> Progress:
    """How far a reader of the project is."""
    row = tasks.progress(store, project, reader)
    left = None if row.median_seconds is None else row.median_seconds * (row.total - row.done)
    return Progress(row.done, row.total, row.median_seconds, left)


def keep_lease(store: Store, task: str, reader: str) -> str | None:
    """Keep the lease; return its new end."""
    return tasks.heartbeat(store, task, reader, lease_seconds=LEASE_SECONDS)


def give_back(store: Store, task: str, reader: str) -> None:
    """Give the case back; the draft is kept."""
    tasks.release(store, task, reader)


def skip(store: Store, task: str, reader: str, *, reason: str) -> None:
    """Skip the case."""
    tasks.skip(store, task, reader, reason=reason)


def own_reads(
    store: Store, project: str, reader: str, *, role: str, before: str | None, limit: int
) -> list[OwnRead]:
    """The reader's last reads, the newest first, the latest revision of each.

    Args:
        before: ``submitted`` of the last one seen.
    Raises:
        NotFoundError: not a project of theirs.
    """
    require_member(store, project, reader, role=role)
    found = reads.own_reads(store, project, reader, before=before, limit=limit)
    return [
        OwnRead(
            one.read_id,
            one.task,
            shown_of(one.case),
            one.revision,
            one.answer,
            one.flags,
            one.comment,
            one.submitted,
        )
        for one in found
    ]
