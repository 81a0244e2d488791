"""What a reader says of a case: kept while it is made, checked when it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from overread.app.project_protocol import protocol_of
from overread.protocol import check_answer
from overread.store import Store, reads, tasks


@dataclass(frozen=True, slots=True)
class Work:
    """An answer with its flags."""

    answer: dict[str, Any]
    flags: dict[str, bool]
    comment: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was kept. Args: surplus: somebody else's read had filled the case by then."""

    read_id: str
    revision: int
    surplus: bool


def save_draft(store: Store, task: str, reader: str, *, version: int, work: Work) -> int:
    """Keep a draft; half-made answers are welcome, so it is not checked.

    Raises:
        NotFoundError: not a task of theirs.
        ConflictError: a newer draft is there; it was kept.
    """
    return reads.save_draft(
        store,
        task,
        reader,
        version=version,
        answer=work.answer,
        flags=work.flags,
        comment=work.comment,
        seconds=work.seconds,
    )


def submit_read(
    store: Store, task: str, reader: str, *, read_id: str, base_revision: int, work: Work
) -> Receipt:
    """Check a read against the protocol it was made under, and keep it.

    Raises:
        InputError: the answer breaks the protocol, with question, rule and value.
        NotFoundError: not a task of theirs.
        ConflictError: it does not build on the latest revision; that one was kept.
    """
    held = tasks.get_task(store, task, reader)
    image = held.case.image
    check_answer(
        protocol_of(store, held.project, held.protocol_version).protocol,
        work.answer,
        rows=image["rows"],
        columns=image["columns"],
        frames=image["frames"],
        complete=not work.flags.get("cannot_be_read", False),
    )
    made = reads.submit_read(
        store,
        reads.Submission(
            read_id=read_id,
            task=task,
            reader=reader,
            base_revision=base_revision,
            answer=work.answer,
            flags=work.flags,
            comment=work.comment,
            seconds=work.seconds,
            protocol_version=held.protocol_version,
        ),
    )
    return Receipt(made.read_id, made.revision, made.surplus)


def latest(store: Store, task: str, reader: str) -> dict[str, Any] | None:
    """The reader's latest revision of a task, in the shape of a draft; None if there is none."""
    row = reads.latest_read(store, task, reader)
    if row is None:
        return None
    return {
        "version": row.revision,
        "answer": row.answer,
        "flags": row.flags,
        "comment": row.comment,
        "seconds": row.seconds,
    }
