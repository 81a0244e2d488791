"""A reader's queue: the next tasks, how far they are, what they sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from overread.app.study.case_pictures import Shown, shown_of
from overread.app.study.project_readers import require_member
from overread.store import (
    DraftRow,
    ReaderProgress,
    ReadRow,
    Store,
    claim,
    get_cases,
    get_draft,
    heartbeat,
    list_pauses,
    reader_progress,
    reads_of_reader,
    release,
)
from overread.store import skip as skip_task
from overread.store.work.asked_again import why_again

LEASE_SECONDS = 900


@dataclass(frozen=True, slots=True)
class ReaderTask:
    """A task that a reader holds. Args: asked: why they are asked again, with words for them."""

    id: str
    project: str
    lease_expires: str | None
    protocol_version: int
    case: Shown
    draft: dict[str, Any] | None
    revision: int
    asked: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class OwnRead:
    """A read of the reader's own."""

    read_id: str
    event: int
    task: str
    case: Shown
    revision: int
    answer: dict[str, Any]
    flags: dict[str, bool]
    comment: str
    submitted: str


def next_tasks(store: Store, project: str, reader: str, *, count: int) -> list[ReaderTask]:
    """Lease the next tasks; those that the reader holds already come first.

    Raises:
        NotFoundError: not a project that they read.
    """
    held = claim(store, project, reader, count=count, lease_seconds=LEASE_SECONDS)
    repeats = [one.id for one in held if one.round]  # of first reads nothing is looked up
    again = why_again(store, repeats) if repeats else {}
    return [
        ReaderTask(
            one.id,
            one.project,
            one.lease_expires,
            one.protocol_version,
            shown_of(one.case),
            draft_value(one.draft),
            one.revision,
            {"why": again[one.id].why, "words": again[one.id].words} if one.id in again else None,
        )
        for one in held
    ]


def draft_of(store: Store, task: str, reader: str) -> dict[str, Any] | None:
    """The reader's draft of a task."""
    return draft_value(get_draft(store, task, reader))


def draft_value(row: DraftRow | None) -> dict[str, Any] | None:
    """A draft as JSON."""
    if row is None:
        return None
    return {
        "version": row.version,
        "answer": row.answer,
        "flags": flags_of(row),
        "comment": row.comment,
        "seconds": row.seconds,
    }


def flags_of(row: DraftRow | ReadRow) -> dict[str, bool]:
    """The flags of a draft or a read, as JSON."""
    return {"cannot_be_read": row.cannot_be_read, "ask_a_senior": row.ask_a_senior}


def progress(store: Store, project: str, reader: str, *, role: str) -> ReaderProgress:
    """How far a reader is; seconds are None before the first read.

    Raises:
        NotFoundError: not a project of theirs.
    """
    require_member(store, project, reader, role=role)
    return reader_progress(store, project, reader)


def why_paused(store: Store, project: str, reader: str) -> str:
    """Why a reader gets no new cases, in words for them; "" where they do."""
    pause = list_pauses(store, project).get(reader)
    return "" if pause is None else pause.reason


def keep_lease(store: Store, task: str, reader: str) -> str | None:
    """Keep the lease; return its new end."""
    return heartbeat(store, task, reader, lease_seconds=LEASE_SECONDS)


def give_back(store: Store, task: str, reader: str) -> None:
    """Give the case back; the draft is kept."""
    release(store, task, reader)


def skip(store: Store, task: str, reader: str, *, reason: str) -> None:
    """Skip the case."""
    skip_task(store, task, reader, reason.strip() or "no reason given")


def own_reads(
    store: Store, project: str, reader: str, *, role: str, before: int | None, limit: int
) -> list[OwnRead]:
    """The reader's last reads, the newest first, the latest revision of each.

    Args:
        before: ``event`` of the last one seen.
    Raises:
        NotFoundError: not a project of theirs.
    """
    require_member(store, project, reader, role=role)
    found = reads_of_reader(store, project, reader, before=before, limit=limit)
    of = get_cases(store, [one.case for one in found])
    return [
        OwnRead(
            one.id,
            one.event,
            one.task,
            shown_of(of[one.case]),
            one.revision,
            one.answer,
            flags_of(one),
            one.comment,
            one.submitted,
        )
        for one in found
    ]
