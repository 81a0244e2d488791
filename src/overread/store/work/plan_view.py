"""The tasks of a project as a planner sees them: done, in hand, refused, or nobody's yet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.engine import Store
from overread.store.work.repeats import told

FIRST = ("only", "overlap")
"""Roles of first reads in a plan."""


@dataclass(frozen=True, slots=True)
class ViewedTask:
    """A task.

    Attributes:
        had: somebody had it in hand once, refused it, or has a draft of it.
        run_out: it is in a hand whose lease ran out.
        special: a check before a release, or a read that was asked for again.
        aside: its read is set aside after an alarm about its reader.
        role, batch, sub_batch, rank: its place in the plan in force; "" and 0 where it has none.
        looked: event of the last submission of its read; 0 before one.
    """

    id: str
    case: str
    round: int
    slot: int
    position: int
    planned_for: str | None
    reader: str | None
    state: str
    had: bool
    run_out: bool
    special: bool
    aside: bool
    role: str
    batch: int
    sub_batch: int
    rank: int
    looked: int = 0

    @property
    def withdrawable(self) -> bool:
        """It was nobody's yet, and nobody waits for it in particular."""
        planner = bool(self.role) or (self.planned_for is None and self.round == 0)
        return self.state == "open" and not self.had and not self.special and planner

    @property
    def stays_apart(self) -> bool:
        """It was asked for beside all plans: a check, a repeat or one more read, by hand."""
        return self.special or (not self.role and (self.planned_for is not None or self.round > 0))

    @property
    def is_loose(self) -> bool:
        """It can be given to another reader."""
        return self.state in {"open", "skipped"} or (self.state == "claimed" and self.run_out)


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What a planner must know of a case. Attributes: meta: age band, sex, site, device ..."""

    id: str
    number: int
    group: str
    modality: str
    meta: dict[str, Any]


def list_facts(store: Store, project: str) -> list[CaseFacts]:
    """All cases of a project in the order of their numbers, without what shows them."""
    cases = t.cases.c
    columns = (cases.id, cases.number, cases.group_key, cases.modality, cases.meta)
    query = sa.select(*columns).where(cases.project == project).order_by(cases.number)
    with store.reading() as connection:
        found = connection.execute(query).all()
    known: dict[str, dict[str, Any]] = {}  # few different ones: read once each
    for row in found:
        if row.meta not in known:
            known[row.meta] = json.loads(row.meta)
    return [
        CaseFacts(row.id, row.number, row.group_key, row.modality, known[row.meta]) for row in found
    ]


def used_modalities(store: Store, project: str) -> list[str]:
    """The modalities of a project's cases, one jump through the index for each."""
    cases, made = t.cases.c, list[str]()
    query = sa.select(cases.modality).where(cases.project == project)
    with store.reading() as connection:
        while True:
            last = made[-1] if made else ""
            after = query.where(cases.modality > last).order_by(cases.modality).limit(1)
            found = connection.scalar(after)
            if found is None:
                return made
            made.append(str(found))


def view_tasks(store: Store, project: str) -> list[ViewedTask]:
    """All tasks of a project, in the order of the queue."""
    with store.reading() as connection:
        reads = t.reads.c
        last = sa.select(reads.task, sa.func.max(reads.event)).where(reads.project == project)
        found = connection.execute(last.group_by(reads.task))
        looked = {str(task): int(event) for task, event in found}
        return viewed(connection, project, store.now(), looked)


def viewed(
    connection: sa.Connection, project: str, now: str, looked: Mapping[str, int] | None = None
) -> list[ViewedTask]:
    """The same, in a transaction that is open."""
    looks = looked or {}
    tasks = t.tasks.c
    mine = {one: _of(connection, one, project) for one in (t.checks, t.asked_again)}
    special = mine[t.checks] | mine[t.asked_again]
    aside = _of(connection, t.suspects, project)
    had = set[str]()
    for table in (t.grants, t.skips, t.drafts):
        found = sa.select(table.c.task).join(t.tasks, tasks.id == table.c.task)
        had |= set(connection.scalars(found.where(tasks.project == project)))
    live = sa.select(t.leases.c.task).where(t.leases.c.expires > now)
    in_hand = set(connection.scalars(live))
    query = (
        sa.select(*_columns())
        .select_from(t.tasks)
        .outerjoin(t.planned, t.planned.c.task == tasks.id)
        .where(tasks.project == project)
        .order_by(tasks.position)
    )
    return [
        _task(row, had=row[0] in had, live=row[0] in in_hand, special=row[0] in special,
              aside=row[0] in aside, looked=looks.get(row[0], 0))
        for row in connection.execute(query)
    ]  # fmt: skip


def _columns() -> list[sa.ColumnElement[Any]]:
    tasks, plan = t.tasks.c, t.planned.c
    names = ("id", "case_id", "round", "slot", "position", "planned_for", "reader", "state")
    return [
        *(tasks[name] for name in names),
        plan.role,
        plan.batch,
        plan.sub_batch,
        plan.position.label("rank"),
    ]


def _task(
    row: sa.Row[Any], *, had: bool, live: bool, special: bool, aside: bool, looked: int
) -> ViewedTask:
    return ViewedTask(
        id=row.id,
        case=row.case_id,
        round=row.round,
        slot=row.slot,
        position=row.position,
        planned_for=row.planned_for,
        reader=row.reader,
        state=row.state,
        had=had,
        run_out=row.state == "claimed" and not live,
        special=special,
        aside=aside and row.state == "done",
        role=row.role or "",
        batch=row.batch or 0,
        sub_batch=row.sub_batch or 0,
        rank=row.rank or 0,
        looked=looked,
    )


def _of(connection: sa.Connection, table: sa.Table, project: str) -> set[str]:
    return set(connection.scalars(sa.select(table.c.task).where(table.c.project == project)))


def barred(store: Store, project: str) -> set[tuple[str, str]]:
    """Case and reader who is given no read of it: refused it, saw what others said or is right."""
    with store.reading() as connection:
        return told(connection, project)
