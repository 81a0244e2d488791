"""What a project that learns has asked for, and whether it goes on asking.

A case that is asked for, its slots, and the cases that are wanted no longer are one transaction.
Slots that anybody has, had or read stay.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import plain_text
from overread.store.engine import Store
from overread.store.errors import ConflictError
from overread.store.work.plan import Slot, planned

SYSTEM = "system"
WHY = ("start", "model", "lot", "held back", "again")
"""Why a case is asked for: before there is a model, by it, by lot, to test it, read once more."""
ON, STOPPED = "on", "stopped"
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """A case that is asked for. Attributes: why: of :data:`WHY`; labels: there were then."""

    case: str
    why: str
    labels: int = 0
    since: str = ""


@dataclass(frozen=True, slots=True)
class LoopState:
    """Whether a project asks on. Attributes: state: "on" or "stopped"; words: why."""

    state: str = ON
    words: str = ""
    since: str = ""
    set_by: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The slots of a project that are open to all, or in somebody's hand, by their cases.

    Attributes:
        untouched: nobody has, had or read any slot of them.
        touched: others with an open slot.
        in_hand: with a slot in a hand; readers: who has them.
    """

    untouched: frozenset[str]
    touched: frozenset[str]
    in_hand: frozenset[str]
    readers: frozenset[str]


def ask_cases(
    store: Store,
    project: str,
    wanted: Sequence[tuple[str, str]],
    *,
    unwanted: Collection[str] = (),
    reads: int = 1,
    labels: int = 0,
    by: str = SYSTEM,
    known: int | None = None,
) -> set[str]:
    """Open the slots of cases that are wanted, and withdraw those of cases that are not.

    A case that has slots already is left as it is, and so is one that somebody took meanwhile.

    Args:
        wanted: (case, why) in the order of the queue.
        unwanted: cases that were asked for and that nobody took.
        reads: slots of each case.
        labels: that there are now.
        by: the system, or a user's id.
        known: event of the newest asking that these were chosen by (:func:`last_asked`).
    Returns:
        The cases that were opened.
    Raises:
        ConflictError: another server has asked since ``known``; nothing was done.
        InputError: a reason that is none.
        NotFoundError: a case is not of the project.
    """
    strange = {why for _, why in wanted} - set(WHY)
    if strange:
        raise InputError("reason", f"be one of {', '.join(WHY)}", min(strange))
    with store.writing() as connection:
        if known is not None and _last_asked(connection, project) > known:
            raise ConflictError("cases to ask for", "be chosen by what was asked for so far")
        gone = _untouched(connection, unwanted)
        if gone:
            tasks = [task for of in gone.values() for task in of]
            slots_gone = {"tasks": tasks, "cases": sorted(gone)}
            record(connection, store.now(), by, [("slots_withdrawn", project, slots_gone)])
        there = _with_slots(connection, [case for case, _ in wanted])
        fresh = [(case, why) for case, why in dict(wanted).items() if case not in there]
        slots = [Slot(case) for case, _ in fresh for _ in range(reads)]
        made = planned(connection, store, project, by, slots) if slots else []
        if made:
            opened = _with_slots(connection, [case for case, _ in fresh])
            fresh = [one for one in fresh if one[0] in opened]
        else:
            fresh = []
        if fresh or gone:
            body = {
                "cases": [list(one) for one in fresh],
                "withdrawn": sorted(gone),
                "labels": labels,
            }
            record(connection, store.now(), by, [("learning_asked", project, body)])
    return {case for case, _ in fresh}


def ask_again(store: Store, project: str, wanted: Sequence[tuple[str, str]]) -> int:
    """Open one more slot of cases, each kept for a reader; return how many.

    Args:
        wanted: (case, reader); who had the case, or may not have it, is left out.
    Raises:
        NotFoundError: a case is not of the project, somebody does not read in it.
    """
    slots = [Slot(case, reader) for case, reader in wanted]
    with store.writing() as connection:
        return len(planned(connection, store, project, SYSTEM, slots)) if slots else 0


def kept_open(store: Store, project: str) -> dict[str, int]:
    """Reader -> first reads that are kept for them and that they have not begun."""
    tasks = t.tasks.c
    query = sa.select(tasks.planned_for, sa.func.count()).where(
        tasks.project == project,
        tasks.state == "open",
        tasks.planned_for.is_not(None),
        tasks.round == 0,
    )
    with store.reading() as connection:
        rows = connection.execute(query.group_by(tasks.planned_for))
        return {str(reader): int(count) for reader, count in rows}


def _with_slots(connection: sa.Connection, cases: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(cases), _PAGE):
        part = t.tasks.c.case_id.in_(cases[start : start + _PAGE])
        found |= set(connection.scalars(sa.select(t.tasks.c.case_id).where(part).distinct()))
    return found


def _untouched(connection: sa.Connection, cases: Collection[str]) -> dict[str, list[str]]:
    """Of these cases those whose slots are all open to all and never were anybody's: the slots."""
    found: dict[str, list[str]] = {}
    every = sorted(cases)
    for start in range(0, len(every), _PAGE):
        keys = every[start : start + _PAGE]
        tasks = t.tasks.c
        rows = connection.execute(
            sa.select(tasks.id, tasks.case_id, _is_untouched()).where(tasks.case_id.in_(keys))
        ).all()
        kept = {row.case_id for row in rows if not row[2]}
        for row in rows:
            if row.case_id not in kept:
                found.setdefault(row.case_id, []).append(row.id)
    return found


def _is_untouched() -> sa.ColumnElement[bool]:
    tasks = t.tasks.c
    held = [
        sa.exists().where(table.c.task == tasks.id).correlate(t.tasks)
        for table in (t.grants, t.skips, t.reads)
    ]
    free = (tasks.state == "open") & tasks.planned_for.is_(None)
    return sa.and_(free, *(~one for one in held))


def waiting(store: Store, project: str) -> Waiting:
    """Tell what is open, and what is in somebody's hand."""
    tasks = t.tasks.c
    other = t.tasks.alias("other")
    begun = sa.exists().where(other.c.case_id == tasks.case_id, other.c.state != "open")
    alone = _is_untouched() & ~begun.correlate(t.tasks)
    open_ = sa.select(tasks.case_id, alone).where(
        tasks.project == project, tasks.state == "open", tasks.planned_for.is_(None)
    )
    held = sa.select(tasks.case_id, tasks.reader).where(
        tasks.project == project, tasks.state == "claimed"
    )
    with store.reading() as connection:
        rows = connection.execute(open_).all()
        hands = connection.execute(held).all()
    in_hand = {row.case_id for row in hands}
    touched = {row.case_id for row in rows if not row[1]} | in_hand
    return Waiting(
        frozenset(row.case_id for row in rows if row.case_id not in touched),
        frozenset(touched - in_hand),
        frozenset(in_hand),
        frozenset(str(row.reader) for row in hands),
    )


def list_asked(store: Store, project: str) -> dict[str, Asked]:
    """The cases that were asked for, by id, in the order of asking."""
    rows = t.learning_asked.c
    query = sa.select(rows.case_id, rows.why, rows.labels, rows.since)
    query = query.where(rows.project == project).order_by(rows.event, rows.place)
    with store.reading() as connection:
        return {row.case_id: Asked(*row) for row in connection.execute(query)}


def last_asked(store: Store, project: str) -> int:
    """Event of the newest asking that stands; 0 before the first."""
    with store.reading() as connection:
        return _last_asked(connection, project)


def _last_asked(connection: sa.Connection, project: str) -> int:
    rows = t.learning_asked.c
    return connection.scalar(sa.select(sa.func.max(rows.event)).where(rows.project == project)) or 0


def gold_cases(store: Store, project: str) -> set[str]:
    """Cases whose right answer is known, and that are dealt apart."""
    rows = t.gold.c
    query = sa.select(rows.case_id).where(rows.project == project, rows.state == "active")
    with store.reading() as connection:
        return set(connection.scalars(query))


def loop_state(store: Store, project: str) -> LoopState:
    """Whether the project asks on; it does until somebody says otherwise."""
    rows = t.learning.c
    query = sa.select(rows.state, rows.words, rows.since, rows.set_by)
    with store.reading() as connection:
        row = connection.execute(query.where(rows.project == project)).first()
    return LoopState() if row is None else LoopState(*row)


def set_loop(store: Store, project: str, state: str, by: str, *, words: str = "") -> None:
    """Stop asking, or go on.

    Raises:
        InputError: a state that is none.
        NotFoundError: no such project.
    """
    if state not in {ON, STOPPED}:
        raise InputError("state of the loop", f"be {ON} or {STOPPED}", state)
    plain_text("reason", words, longest=1_000, empty=True)
    with store.writing() as connection:
        body = {"state": state, "words": words}
        record(connection, store.now(), by, [("learning_set", project, body)])
