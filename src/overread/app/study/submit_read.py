"""What a reader says of a case: kept while it is made, checked when it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from overread.app.study.next_tasks import flags_of
from overread.app.study.project_protocol import parsed
from overread.protocol import check_answer
from overread.store import (
    ConflictError,
    Receipt,
    Store,
    Submission,
    get_task,
    get_terms,
    is_shown,
    reads_of_case,
)
from overread.store import save_draft as keep_draft
from overread.store import submit_read as keep_read


@dataclass(frozen=True, slots=True)
class Work:
    """An answer with its flags."""

    answer: dict[str, Any]
    flags: dict[str, bool]
    comment: str
    seconds: float


def save_draft(store: Store, task: str, reader: str, *, version: int, work: Work) -> int:
    """Keep a draft; half-made answers are welcome, so it is not checked.

    Raises:
        NotFoundError: not a task of theirs.
        ConflictError: a newer draft is there; it was kept.
    """
    return keep_draft(
        store,
        task,
        reader,
        version=version,
        answer=work.answer,
        **work.flags,
        comment=work.comment,
        seconds=work.seconds,
    )


def submit_read(
    store: Store,
    task: str,
    reader: str,
    *,
    read_id: str,
    base_revision: int,
    work: Work,
    protocol_version: int | None = None,
) -> Receipt:
    """Check a read against the protocol it was made under, and keep it.

    Args:
        read_id: a UUID of the client's; the same read sent again is kept once.
        base_revision: of the reader's revision that it corrects; 0 for the first.
        work: what they say.
        protocol_version: that the page showed; None for the newest.
    Raises:
        InputError: the answer breaks the protocol, with question, rule and value.
        NotFoundError: not a task of theirs.
        ConflictError: it does not build on the latest revision; that one was kept. Or they were
            shown what the others said of the case: their read stands.
    """
    if base_revision and is_shown(store, task, reader, but=read_id):
        rule = "stand as it is: you have been shown what the others said of this case"
        raise ConflictError("read", rule)
    terms = get_terms(store, task, reader, protocol_version)
    check_answer(
        parsed(terms.protocol_text),
        work.answer,
        rows=terms.image["rows"],
        columns=terms.image["columns"],
        frames=terms.image["frames"],
        complete=not work.flags.get("cannot_be_read", False),
    )
    return keep_read(
        store,
        Submission(
            read_id=read_id,
            task=task,
            reader=reader,
            base_revision=base_revision,
            answer=work.answer,
            **work.flags,
            comment=work.comment,
            seconds=work.seconds,
            protocol_version=terms.protocol_version,
        ),
    )


def latest(store: Store, task: str, reader: str) -> dict[str, Any] | None:
    """The reader's latest revision of a task, in the shape of a draft; None if there is none."""
    held = get_task(store, task, reader)
    mine = [one for one in reads_of_case(store, held.case.id) if one.reader == reader]
    for one in mine:
        if one.task == task:
            return {
                "version": one.revision,
                "answer": one.answer,
                "flags": flags_of(one),
                "comment": one.comment,
                "seconds": one.seconds,
            }
    return None
