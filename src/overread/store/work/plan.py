"""Plan who reads what: slots of cases, open to all members or kept for one reader."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import whole_number as whole
from overread.store.engine import Store
from overread.store.errors import ConflictError, NotFoundError
from overread.store.work.queue import reopen_marks

_CASES = 1_000  # planned in one transaction, some 100 ms: no reader waits for longer
_MOST_READS = 100


@dataclass(frozen=True, slots=True)
class Slot:
    """One read of a case that is wanted.

    Attributes:
        case: its id.
        planned_for: the reader it is kept for; None for whoever comes.
        round: 0 for first reads, k for the k-th repeat by the same reader, which must be named.
    """

    case: str
    planned_for: str | None = None
    round: int = 0


def plan_tasks(
    store: Store,
    project: str,
    by: str,
    *,
    reads_per_case: int,
    readers: Sequence[str] = (),
    cases: Sequence[str] | None = None,
) -> int:
    """Fill each case up to so many slots of first reads, in the order of the cases.

    May be called again at any time (after an import, after a crash): only what is missing is
    added. Cases are planned a thousand at a time, each thousand a transaction.

    Args:
        store: where.
        project: its id.
        by: the user's id.
        reads_per_case: slots that each case shall have.
        readers: share the slots out among these evenly, no case twice to one; () leaves them
            open to every member.
        cases: only these; None for all of the project.
    Returns:
        How many slots were added.
    Raises:
        InputError: fewer readers than reads per case.
        NotFoundError: somebody does not read in the project, a case is not of it.
    """
    whole("reads per case", reads_per_case, low=1, high=_MOST_READS)
    if readers and len(set(readers)) < max(reads_per_case, len(readers)):
        raise InputError("readers", f"be at least {reads_per_case} different ones", len(readers))
    added = 0
    for part in _parts(store, project, cases):
        with store.writing() as connection:
            wanted = _missing(connection, project, part, reads_per_case, readers)
            added += len(planned(connection, store, project, by, wanted))
    return added


def plan_slots(
    store: Store, project: str, slots: Sequence[Slot], by: str, *, among: Random | None = None
) -> int:
    """Add these slots, in this order, in one transaction (the plan of a planner).

    A slot kept for a reader who has (or is planned for) the same case and round already is left
    out, so that the same plan may be given again.

    Args:
        store: where.
        project: its id.
        slots: the reads that are wanted.
        by: the user's id.
        among: put them at random places between the open slots, not behind all others.

    Returns:
        How many were added.
    Raises:
        InputError: a repeat that names no reader.
        NotFoundError: a reader is no member, a case is not of the project.
    """
    with store.writing() as connection:
        return len(planned(connection, store, project, by, slots, among=among))


def reassign(
    store: Store, task: str, reader: str | None, by: str, *, in_hand: bool = False
) -> None:
    """Keep a task that is open or skipped for another reader; None opens it to all.

    Args:
        store: where.
        task: its id.
        reader: who shall read it.
        by: the user's id.
        in_hand: also take it from a reader who holds it; their draft stays, and what they still
            submit is kept as surplus.
    Raises:
        ConflictError: it is being read or done, or the reader has the case already.
    """
    with store.writing() as connection:
        found = connection.execute(sa.select(t.tasks).where(t.tasks.c.id == task)).first()
        if found is None:
            raise NotFoundError("task", task)
        if found.state not in {"open", "skipped", *(["claimed"] if in_hand else [])}:
            raise ConflictError("task", "is being read, or done")
        if reader is None and found.round:
            raise InputError("repeat", "name its reader", "none")
        check_members(connection, found.project, {reader} - {None})
        others = [s for s in _slots_of(connection, [found.case_id]) if s.id != task]
        if reader and any(reader in _readers(s) for s in others if s.round == found.round):
            raise ConflictError("reader", "has this case already")
        if reader and reader != found.reader and _has_read(connection, found, reader):
            raise ConflictError("reader", "has read this case already")
        body = {"task": task, "planned_for": reader}
        record(connection, store.now(), by, [("task_reopened", found.project, body)])
        connection.execute(t.leases.delete().where(t.leases.c.task == task))
        reopen_marks(connection, found.project, found.case_id)


def take_back(store: Store, task: str, by: str) -> None:
    """Free a task that a reader holds (a stuck lease); it stays kept for whom it was kept.

    The draft stays, and what its reader still submits is kept.

    Raises:
        ConflictError: nobody holds it.
    """
    with store.writing() as connection:
        found = connection.execute(sa.select(t.tasks).where(t.tasks.c.id == task)).first()
        if found is None:
            raise NotFoundError("task", task)
        if found.state != "claimed":
            raise ConflictError("task", "is in nobody's hand")
        body = {"task": task, "reader": found.reader}
        record(connection, store.now(), by, [("task_reopened", found.project, body)])
        connection.execute(t.leases.delete().where(t.leases.c.task == task))
        reopen_marks(connection, found.project, found.case_id)


def _has_read(connection: sa.Connection, task: sa.Row[Any], reader: str) -> bool:
    """The reader submitted a read of the case in this round, or adjudicated it."""
    if (task.case_id, reader) in _seniors_of(connection, [task.case_id]):
        return True
    query = sa.select(t.reads.c.id).where(
        t.reads.c.case_id == task.case_id,
        t.reads.c.reader == reader,
        t.reads.c.round == task.round,
    )
    return connection.scalar(query.limit(1)) is not None


def _parts(
    store: Store, project: str, cases: Sequence[str] | None
) -> list[Sequence[tuple[str, int]]]:
    training = sa.exists().where(  # shown with their answers: nobody's reads of them count
        t.gold.c.case_id == t.cases.c.id, t.gold.c.state == "active", t.gold.c.pool == "training"
    )
    query = sa.select(t.cases.c.id, t.cases.c.number, training.label("training")).where(
        t.cases.c.project == project
    )
    with store.reading() as connection:
        found = connection.execute(query.order_by(t.cases.c.number)).all()
        if not found and not connection.scalar(
            sa.select(t.projects.c.id).where(t.projects.c.id == project)
        ):
            raise NotFoundError("project", project)
    rows = [(row.id, row.number) for row in found if not row.training]
    if cases is not None:
        _require_cases(set(cases), {row.id for row in found})
        wanted = set(cases)
        rows = [row for row in rows if row[0] in wanted]
    return [rows[start : start + _CASES] for start in range(0, len(rows), _CASES)]


def _missing(
    connection: sa.Connection,
    project: str,
    part: Sequence[tuple[str, int]],
    reads_per_case: int,
    readers: Sequence[str],
) -> list[Slot]:
    check_members(connection, project, set(readers))
    there: defaultdict[str, list[set[str]]] = defaultdict(list)
    for slot in _slots_of(connection, [key for key, _ in part]):
        if slot.round == 0:
            there[slot.case_id].append(_readers(slot))
    wanted: list[Slot] = []
    for case, number in part:
        missing = max(0, reads_per_case - len(there[case]))
        if not readers:
            wanted += [Slot(case)] * missing
            continue
        busy = set[str]().union(*there[case])
        start = number * reads_per_case
        turn = [readers[(start + k) % len(readers)] for k in range(len(readers))]
        wanted += [Slot(case, one) for one in turn if one not in busy][:missing]
    return wanted


def planned(
    connection: sa.Connection,
    store: Store,
    project: str,
    by: str,
    slots: Sequence[Slot],
    *,
    among: Random | None = None,
    in_order: bool = False,
) -> list[str]:
    """Add slots in the transaction that is open; return the ids of their tasks.

    With ``in_order`` those put ``among`` the open ones keep their own order.

    Left out are slots of training gold, and those for somebody who saw what is right or what
    others said.
    """
    for slot in slots:
        whole("round", slot.round, low=0, high=1_000)
        if slot.round and slot.planned_for is None:
            raise InputError("repeat", "name its reader", "none")
    keys = sorted({slot.case for slot in slots})
    check_members(connection, project, {s.planned_for for s in slots} - {None})
    check_cases(connection, project, keys)
    taken: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    free: defaultdict[tuple[str, int], int] = defaultdict(int)
    for row in _slots_of(connection, keys):
        place = (row.case_id, row.round)
        taken[place] |= _readers(row)
        free[place] = max(free[place], row.slot + 1)
    saw = _seniors_of(connection, keys) | _trained_on(connection, keys)
    training = _training(connection, keys)
    position, first = _ends(connection, project)
    rows: list[list[object]] = []
    ordered = _in_order(among, len(slots), first, position) if among and in_order else []
    for at, slot in enumerate(slots):
        place = (slot.case, slot.round)
        if slot.planned_for in taken[place] or (slot.case, slot.planned_for) in saw:
            continue
        if slot.case in training:
            continue
        taken[place] |= {slot.planned_for} - {None}  # type: ignore[arg-type]
        where = among.randint(first, position) if among else position + 1 + len(rows)
        where = ordered[at] if ordered else where
        rows.append([store.new_id(), *place, free[place], where, slot.planned_for])
        free[place] += 1
    if rows:
        record(connection, store.now(), by, [("slots_planned", project, {"slots": rows})])
    return [str(row[0]) for row in rows]


def _in_order(among: Random, count: int, first: int, last: int) -> list[int]:
    """Places between the open slots, each its own, ascending."""
    return sorted(among.sample(range(first, last + 1 + count), count))


def _ends(connection: sa.Connection, project: str) -> tuple[int, int]:
    """The last place of the queue that was given out, and the first that is open."""
    tasks = t.tasks.c
    this = t.projects.c.id == project
    last = connection.scalar(sa.select(t.projects.c.last_position).where(this)) or 0
    open_ = sa.select(sa.func.min(tasks.position)).where(
        tasks.project == project, tasks.state == "open"
    )
    return last, min(connection.scalar(open_) or last, last)


def _seniors_of(connection: sa.Connection, cases: Sequence[str]) -> set[tuple[str, str | None]]:
    """Who adjudicated which case: they saw its reads, and are given none of it."""
    found: set[tuple[str, str | None]] = set()
    for start in range(0, len(cases), 500):
        part = t.adjudications.c.case_id.in_(cases[start : start + 500])
        query = sa.select(t.adjudications.c.case_id, t.adjudications.c.senior).where(part)
        found |= {(case, senior) for case, senior in connection.execute(query)}
    return found


def _trained_on(connection: sa.Connection, cases: Sequence[str]) -> set[tuple[str, str | None]]:
    """Who had which case in a dry run, with the right answer behind it."""
    found: set[tuple[str, str | None]] = set()
    for start in range(0, len(cases), 500):
        part = t.trials.c.case_id.in_(cases[start : start + 500])
        query = sa.select(t.trials.c.case_id, t.trials.c.reader).where(part)
        found |= {(case, reader) for case, reader in connection.execute(query)}
    return found


def _training(connection: sa.Connection, cases: Sequence[str]) -> set[str]:
    """Cases that are shown with their answer in dry runs: reads of them would say nothing."""
    found: set[str] = set()
    gold = t.gold.c
    for start in range(0, len(cases), 500):
        part = gold.case_id.in_(cases[start : start + 500])
        query = sa.select(gold.case_id).where(part, gold.state == "active", gold.pool == "training")
        found |= set(connection.scalars(query))
    return found


def _slots_of(connection: sa.Connection, cases: Sequence[str]) -> list[sa.Row[Any]]:
    found: list[sa.Row[Any]] = []
    for start in range(0, len(cases), 500):
        part = t.tasks.c.case_id.in_(cases[start : start + 500])
        found += connection.execute(sa.select(t.tasks).where(part)).all()
    return found


def _cases_of(connection: sa.Connection, project: str, keys: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(keys), 500):
        part = t.cases.c.id.in_(keys[start : start + 500])
        query = sa.select(t.cases.c.id).where(t.cases.c.project == project, part)
        found |= set(connection.scalars(query))
    return found


def _readers(slot: sa.Row[Any]) -> set[str]:
    return {one for one in (slot.planned_for, slot.reader) if one is not None}


def check_members(connection: sa.Connection, project: str, readers: Collection[str | None]) -> None:
    """Refuse readers who do not read in the project.

    Raises:
        NotFoundError: one of them.
    """
    query = sa.select(t.members.c.reader).where(
        t.members.c.project == project, t.members.c.role != "lead"
    )
    missing = set(readers) - set(connection.scalars(query)) if readers else set[str]()
    if missing:
        raise NotFoundError("member", min(str(one) for one in missing))


def check_cases(connection: sa.Connection, project: str, keys: Sequence[str]) -> None:
    """Refuse cases that are not of the project.

    Raises:
        NotFoundError: one of them.
    """
    _require_cases(set(keys), _cases_of(connection, project, keys))


def _require_cases(wanted: set[str], there: set[str]) -> None:
    if wanted - there:
        raise NotFoundError("case", min(wanted - there))
