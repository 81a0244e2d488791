"""Plans of who reads what: kept with their settings, written as tasks that are bound to readers.

Writing is one transaction. What is done, in somebody's hand, or was anybody's stays as it is; open
slots of the planned cases that were nobody's yet are withdrawn, and the plan's take their place,
in the order in which they are to be read. Whoever claimed a case between the planning and the
writing keeps it: one read that the plan has of it is left out, their own if there is one.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.applying.apply import Happened, record
from overread.store.canonical import json_object
from overread.store.engine import Store
from overread.store.errors import NotFoundError
from overread.store.work.plan import check_cases, check_members
from overread.store.work.plan_view import FIRST, ViewedTask, viewed
from overread.store.work.queue import reopen_marks
from overread.store.work.repeats import told


@dataclass(frozen=True, slots=True)
class PlannedRead:
    """A read that a plan wants.

    Attributes:
        case, reader: ids.
        batch, sub_batch: part of the data set, from 1; sub-batches within their batch.
        position: within the reader's order, from 1.
        role: "only", "overlap", "gold" or "repeat".
    """

    case: str
    reader: str
    batch: int
    sub_batch: int
    position: int
    role: str


@dataclass(frozen=True, slots=True)
class NewPlan:
    """A plan to be written.

    Attributes:
        settings: as JSON, for whoever plans again.
        reads: that are still to be made, in the order of the queue.
        placed: tasks that stay as they are (done, in hand) -> their place in this plan.
        settled: ids of the tasks that were looked at and count in some way.
        loose: tasks that are to be used for other readers: refused, or of who left.
        cases: all that are planned, gold too: their open slots are the plan's.
        left_out: tasks that are in the plan so far and no longer.
    """

    settings: Mapping[str, Any]
    reads: Sequence[PlannedRead]
    placed: Mapping[str, PlannedRead]
    settled: Collection[str]
    loose: Sequence[str]
    cases: Sequence[str]
    left_out: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan as kept. Attributes: number: from 1 in its project; event: of the log."""

    id: str
    project: str
    number: int
    settings: dict[str, Any]
    made_by: str
    since: str
    event: int


@dataclass(frozen=True, slots=True)
class Written:
    """What writing a plan did: tasks opened, withdrawn, moved to others; left out by a race."""

    plan: str
    number: int
    opened: int
    withdrawn: int
    moved: int
    left_out: int


@dataclass(frozen=True, slots=True)
class PlanPart:
    """A reader's part of a sub-batch. Attributes: reader: "" for whoever comes."""

    reader: str
    batch: int
    sub_batch: int
    role: str
    planned: int
    done: int


def write_plan(store: Store, project: str, new: NewPlan, by: str) -> Written:
    """Keep a plan and its tasks, all of it or nothing.

    Args:
        store: where.
        project: its id.
        new: see :class:`NewPlan`.
        by: the user's id.
    Raises:
        NotFoundError: a reader is no member, a case is not of the project.
    """
    settings = json_object("settings", new.settings)
    with store.writing() as connection:
        cases = sorted({*new.cases, *(one.case for one in new.reads)})
        check_members(connection, project, {one.reader for one in new.reads})
        check_cases(connection, project, cases)
        tasks = viewed(connection, project, store.now())
        reads, dropped = _without_taken(tasks, new)
        blind = _still_blind(connection, project, reads)
        reads, dropped = blind, dropped + len(reads) - len(blind)
        gone = _to_withdraw(tasks, set(cases))
        moved, fresh = _reused(tasks, new.loose, reads)
        slots = _slots(store, tasks, gone, fresh, _last_position(connection, project))
        happened = _events(project, gone, slots, moved)
        there = {one.id: one for one in tasks}
        places = {key: one for key, one in new.placed.items() if _is_elsewhere(there, key, one)}
        places |= moved
        places |= dict(zip((str(slot[0]) for slot in slots), fresh, strict=True))
        number = 1 + (connection.scalar(_LAST_NUMBER, {"p": project}) or 0)
        plan = store.new_id()
        body = {
            "id": plan,
            "number": number,
            "settings": settings,
            "rows": [
                [key, one.batch, one.sub_batch, one.position, one.role]
                for key, one in places.items()
            ],
            "left_out": sorted({*new.left_out, *new.loose} - places.keys()),
        }
        record(connection, store.now(), by, [*happened, ("plan_written", project, body)])
        for key, one in moved.items():
            connection.execute(t.leases.delete().where(t.leases.c.task == key))
            reopen_marks(connection, project, one.case)
    return Written(plan, number, len(slots), len(gone), len(moved), dropped)


_LAST_NUMBER = sa.select(sa.func.max(t.plans.c.number)).where(
    t.plans.c.project == sa.bindparam("p")
)


def _last_position(connection: sa.Connection, project: str) -> int:
    this = t.projects.c.id == project
    found = connection.scalar(sa.select(t.projects.c.last_position).where(this))
    if found is None:
        raise NotFoundError("project", project)
    return int(found)


def _without_taken(tasks: Sequence[ViewedTask], new: NewPlan) -> tuple[list[PlannedRead], int]:
    """The reads still wanted: less one of each case that somebody took since the planning."""
    settled = {*new.settled, *new.placed}
    reads = list(new.reads)
    by_case: defaultdict[str, list[int]] = defaultdict(list)
    for at, one in enumerate(reads):
        by_case[one.case].append(at)
    out: set[int] = set()
    for task in tasks:
        if task.withdrawable or task.id in settled or task.stays_apart or task.aside:
            continue
        who = task.reader or task.planned_for
        mine = [at for at in by_case[task.case] if at not in out and _fits(reads[at], task)]
        own = [at for at in mine if reads[at].reader == who]
        others = [at for at in mine if reads[at].role in FIRST] if task.role in {"", *FIRST} else []
        out.update((own or others)[:1])
    return [one for at, one in enumerate(reads) if at not in out], len(out)


def _still_blind(
    connection: sa.Connection, project: str, reads: Sequence[PlannedRead]
) -> list[PlannedRead]:
    """The reads, less repeats of cases of which their reader was told more since the planning."""
    if not any(one.role == "repeat" for one in reads):
        return list(reads)
    out = told(connection, project)
    return [one for one in reads if one.role != "repeat" or (one.case, one.reader) not in out]


def _fits(read: PlannedRead, task: ViewedTask) -> bool:
    """A repeat stands for a repeat, a first look for a first look."""
    return (read.role == "repeat") == bool(task.round)


def _is_elsewhere(there: Mapping[str, ViewedTask], key: str, one: PlannedRead) -> bool:
    """Its place in the plan is another than so far."""
    task = there[key]
    now = (task.role, task.batch, task.sub_batch, task.rank)
    return now != (one.role, one.batch, one.sub_batch, one.position)


def _to_withdraw(tasks: Sequence[ViewedTask], cases: set[str]) -> list[ViewedTask]:
    """Slots that were nobody's: those of the plan so far, and the open ones of its cases."""
    return [
        one for one in tasks
        if one.withdrawable and (one.role or (one.planned_for is None and one.case in cases))
    ]  # fmt: skip


def _reused(
    tasks: Sequence[ViewedTask], loose: Sequence[str], reads: Sequence[PlannedRead]
) -> tuple[dict[str, PlannedRead], list[PlannedRead]]:
    """Reads that go to tasks that are there already, and those that need a new one."""
    there = {one.id: one for one in tasks}
    free: defaultdict[str, list[str]] = defaultdict(list)
    for key in loose:
        task = there.get(key)
        if task is not None and task.is_loose and not task.round:
            free[task.case].append(key)
    moved: dict[str, PlannedRead] = {}
    fresh: list[PlannedRead] = []
    for one in reads:
        if free[one.case] and one.role != "repeat":
            moved[free[one.case].pop(0)] = one
        else:
            fresh.append(one)
    return moved, fresh


def _slots(
    store: Store,
    tasks: Sequence[ViewedTask],
    gone: Sequence[ViewedTask],
    reads: Sequence[PlannedRead],
    last: int,
) -> list[list[object]]:
    """Rows of ``slots_planned``: id, case, round, slot, position, reader."""
    withdrawn = {one.id for one in gone}
    slot: defaultdict[tuple[str, int], int] = defaultdict(int)
    last_round: defaultdict[tuple[str, str], int] = defaultdict(int)
    for task in tasks:
        if task.id in withdrawn:
            continue
        place = task.case, task.round
        slot[place] = max(slot[place], task.slot + 1)
        who = task.case, task.reader or task.planned_for or ""
        last_round[who] = max(last_round[who], task.round)
    rows: list[list[object]] = []
    for one in reads:
        round_ = last_round[one.case, one.reader] + 1 if one.role == "repeat" else 0
        place = one.case, round_
        position = last + 1 + len(rows)
        rows.append([store.new_id(), one.case, round_, slot[place], position, one.reader])
        slot[place] += 1
    return rows


def _events(
    project: str,
    gone: Sequence[ViewedTask],
    slots: Sequence[list[object]],
    moved: Mapping[str, PlannedRead],
) -> list[Happened]:
    happened: list[Happened] = []
    if gone:
        cases = sorted({one.case for one in gone})
        body = {"tasks": [one.id for one in gone], "cases": cases}
        happened.append(("slots_withdrawn", project, body))
    if slots:
        happened.append(("slots_planned", project, {"slots": list(slots)}))
    for key, one in moved.items():
        happened.append(("task_reopened", project, {"task": key, "planned_for": one.reader}))
    return happened


def get_plan(store: Store, project: str) -> PlanRow | None:
    """The plan in force; None where there is none."""
    query = sa.select(t.plans).where(t.plans.c.project == project)
    with store.reading() as connection:
        row = connection.execute(query.order_by(t.plans.c.number.desc()).limit(1)).first()
    return None if row is None else PlanRow(**(dict(row._mapping) | {"settings": _json(row)}))


def _json(row: sa.Row[Any]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(row.settings)
    return made


def plan_parts(store: Store, project: str) -> list[PlanPart]:
    """The plan in force as counts: by reader, sub-batch and role, how many and how many done."""
    tasks, plan = t.tasks.c, t.planned.c
    who = sa.func.coalesce(tasks.reader, tasks.planned_for, "").label("who")
    done = sa.func.sum(sa.case((tasks.state == "done", 1), else_=0))
    keys = (who, plan.batch, plan.sub_batch, plan.role)
    query = (
        sa.select(*keys, sa.func.count(), done)
        .join_from(t.planned, t.tasks, tasks.id == plan.task)
        .where(plan.project == project)
        .group_by(*keys)
    )
    with store.reading() as connection:
        found = connection.execute(query).all()
    rows = [
        PlanPart(row[0], row[1], row[2], row[3], planned=int(row[4]), done=int(row[5] or 0))
        for row in found
    ]
    return sorted(rows, key=lambda one: (one.batch, one.sub_batch, one.reader, one.role))


@dataclass(frozen=True, slots=True)
class PlanGaps:
    """What the plan in force does not hold.

    Attributes:
        cases: that it plans no read of, but for gold.
        waiting: readers with planned reads that are not made.
        refused: planned reads that wait for a lead.
    """

    cases: int
    waiting: frozenset[str]
    refused: int


def plan_gaps(store: Store, project: str, *, gold: bool) -> PlanGaps:
    """Count what came, went and was refused since the plan was written.

    Args:
        gold: hidden gold is dealt by the plan, so that it is no case of its own.
    """
    tasks, plan, cases, pool = t.tasks.c, t.planned.c, t.cases.c, t.gold.c
    mine = t.planned.join(t.tasks, tasks.id == plan.task)
    first = sa.select(tasks.case_id).select_from(mine)
    first = first.where(plan.project == project, plan.role.in_(FIRST))
    apart = sa.select(pool.case_id).where(
        pool.project == project,
        pool.state == "active",
        pool.pool.in_(("training", "hidden") if gold else ("training",)),
    )
    new = sa.select(sa.func.count()).where(
        cases.project == project, cases.id.not_in(first), cases.id.not_in(apart)
    )
    open_ = sa.select(tasks.planned_for).select_from(mine).where(plan.project == project)
    open_ = open_.where(tasks.state != "done", tasks.planned_for.is_not(None)).distinct()
    refused = sa.select(sa.func.count()).select_from(mine)
    refused = refused.where(plan.project == project, tasks.state == "skipped")
    with store.reading() as connection:
        return PlanGaps(
            int(connection.scalar(new) or 0),
            frozenset(str(one) for one in connection.scalars(open_)),
            int(connection.scalar(refused) or 0),
        )
