"""The lead moves work: tasks to other readers, one more read, repeats; and answers readers."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from overread.app.study.project_readers import who_reads
from overread.errors import InputError
from overread.store import (
    AssignedRow,
    RaisedRow,
    ReplyRow,
    Slot,
    Store,
    count_raised,
    get_case,
    give_reply,
    list_assigned,
    list_raised,
    list_users,
    plan_slots,
    reassign,
    replies_to,
    take_back,
)
from overread.store.errors import ConflictError
from overread.store.work.repeats import DISTANCE, repeatable_cases

_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads. Args: repeatable: cases they read that can be read again."""

    id: str
    name: str
    repeatable: int = 0


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who has what. Args: overdue: ids of tasks in hand whose lease ran out."""

    held: list[AssignedRow]
    refused: list[AssignedRow]
    kept: list[AssignedRow]
    overdue: frozenset[str]


def assignment(store: Store, project: str) -> Assignment:
    """Tasks in hand, refused and kept."""
    held = list_assigned(store, project, "held", limit=_SHOWN)
    now = store.now()
    return Assignment(
        held,
        list_assigned(store, project, "refused", limit=_SHOWN),
        list_assigned(store, project, "kept", limit=_SHOWN),
        frozenset(one.id for one in held if one.expires <= now),
    )


def repeaters(store: Store, project: str) -> list[Reader]:
    """Those who read in a project, with how many of their cases they can read again."""
    return [
        Reader(one.id, one.name, len(repeatable_cases(store, project, one.id)))
        for one in readers(store, project)
    ]


def readers(store: Store, project: str) -> list[Reader]:
    """Those who read in a project, in the order of their colours."""
    keys = who_reads(store, project)
    names = {one.id: one.name for one in list_users(store, keys=keys)}
    return [Reader(one, names[one]) for one in keys]


def move(store: Store, task: str, reader: str | None, *, by: str) -> None:
    """Give a task to another reader, or to whoever comes (None), out of a hand if need be.

    Raises:
        ConflictError: it is done, or the reader has the case already.
    """
    reassign(store, task, reader, by, in_hand=True)


def free(store: Store, task: str, *, by: str) -> None:
    """Take back a task that a reader does not go on with.

    Raises:
        ConflictError: nobody holds it.
    """
    take_back(store, task, by)


def one_more_read(store: Store, case: str, reader: str | None, *, by: str) -> None:
    """Ask for another read of a case, by a reader or by whoever comes.

    Raises:
        ConflictError: the reader has the case already.
        InputError: every reader has read it or will.
    """
    project = get_case(store, case).project
    if reader is None and not who_reads(store, project):
        raise InputError("project", "have readers", "none", remedy="Choose readers first.")
    if not plan_slots(store, project, [Slot(case, reader)], by):
        raise ConflictError("reader", "has this case already, or it is gold of a dry run")


def repeat_reads(
    store: Store,
    project: str,
    reader: str,
    count: int,
    *,
    by: str,
    random: Random,
    distance: int = DISTANCE,
) -> int:
    """Let a reader read some of their cases again, unannounced, behind the other work.

    Cases are drawn at random from those the reader read and does not have again already.

    Args:
        distance: other cases that they have read since, at least. Of no case they have seen what
            others said.
    Returns:
        How many were planned.
    Raises:
        InputError: fewer cases than asked for.
    """
    if distance < 0:
        raise InputError("cases read since", "be 0 or more", distance)
    there = repeatable_cases(store, project, reader, distance=distance)
    if not 1 <= count <= len(there):
        rule = f"be between 1 and {len(there)}, the cases this reader can read again"
        remedy = "" if there else f"Wait until they have read {distance} other cases since."
        raise InputError("number of cases", rule, count, remedy=remedy)
    chosen = random.sample(sorted(there), count)
    return plan_slots(store, project, [Slot(case, reader, round=1) for case in chosen], by)


def raised(store: Store, project: str, what: str, *, before: int | None) -> list[RaisedRow]:
    """Latest reads that raised something, the newest first."""
    return list_raised(store, project, what, before=before, limit=_SHOWN)


def raised_counts(store: Store, project: str) -> dict[str, int]:
    """How much was raised; of questions to a senior only those that are open."""
    return count_raised(store, project)


def reply(store: Store, read: str, words: str, *, by: str) -> None:
    """Answer what a reader raised."""
    give_reply(store, read, words.strip(), by)


def replies(store: Store, reader: str) -> list[ReplyRow]:
    """The last answers that a reader got."""
    return replies_to(store, reader, limit=5)
