"""Who has what: tasks in hand, kept or refused, for the lead; and what a reader has read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.canonical import whole_number as whole
from overread.store.engine import Store
from overread.store.errors import NotFoundError

_STATES = ("open", "claimed", "done", "skipped")
HELD, KEPT, REFUSED = "held", "kept", "refused"


@dataclass(frozen=True, slots=True)
class AssignedRow:
    """A task that somebody has or refused.

    Attributes:
        position: its place in the queue.
        reader: who holds it or for whom it is kept; of a refused one, who refused.
        round: 0 for a first read, k for the k-th repeat.
        expires: end of the lease, "" where there is none.
        reason: why it was refused, "" where it was not.
    """

    id: str
    case: str
    case_name: str
    position: int
    reader: str
    reader_name: str
    round: int
    expires: str
    reason: str


def given_cases(project: str, reader: str) -> sa.CompoundSelect[tuple[str]]:
    """Select the cases whose tasks a reader has, had, or is to have; some of them twice.

    Two selects, an index each: one with OR goes through all tasks of the project. The states are
    all there are; they stand before the reader in the index of who is to have them.
    """
    tasks = t.tasks.c
    of = sa.select(tasks.case_id).where(tasks.project == project, tasks.state.in_(_STATES))
    return sa.union_all(of.where(tasks.reader == reader), of.where(tasks.planned_for == reader))


def list_assigned(
    store: Store, project: str, what: str, *, after: int = 0, limit: int = 100
) -> list[AssignedRow]:
    """List tasks in the order of the queue.

    Args:
        store: where.
        project: its id.
        what: "held" (claimed), "kept" (open, for one reader, and not by a plan) or "refused"
            (waits for the lead).
        after: leave out those up to this position.
        limit: 1 to 500.
    """
    whole("limit", limit, low=1, high=500)
    tasks = t.tasks.c
    who = {HELD: tasks.reader, KEPT: tasks.planned_for, REFUSED: tasks.planned_for}.get(what)
    if who is None:
        raise InputError("list", f"be one of {HELD}, {KEPT}, {REFUSED}", "another word")
    state = {HELD: "claimed", KEPT: "open", REFUSED: "skipped"}[what]
    refused = (t.skips.c.task == tasks.id) & (t.skips.c.reader == who)
    query = (
        sa.select(
            tasks.id,
            tasks.case_id.label("case"),
            t.cases.c.name.label("case_name"),
            tasks.position,
            t.users.c.id.label("reader"),
            t.users.c.name.label("reader_name"),
            tasks.round,
            sa.func.coalesce(t.leases.c.expires, "").label("expires"),
            sa.func.coalesce(t.skips.c.reason, "").label("reason"),
        )
        .join(t.cases, t.cases.c.id == tasks.case_id)
        .join(t.users, t.users.c.id == who)
        .outerjoin(t.leases, t.leases.c.task == tasks.id)
        .outerjoin(t.skips, refused)
        .where(tasks.project == project, tasks.state == state, tasks.position > after)
        .order_by(tasks.position)
        .limit(limit)
    )
    if what == KEPT:  # those of a plan are seen on its page
        query = query.where(tasks.id.not_in(sa.select(t.planned.c.task)))
    with store.reading() as connection:
        return [AssignedRow(**row._mapping) for row in connection.execute(query)]


def project_of_task(store: Store, task: str) -> str:
    """Tell the project of a task, for the lead.

    Raises:
        NotFoundError: no such task.
    """
    with store.reading() as connection:
        found = connection.scalar(sa.select(t.tasks.c.project).where(t.tasks.c.id == task))
    if found is None:
        raise NotFoundError("task", task)
    return str(found)


def wanted_reads(store: Store, cases: Sequence[str]) -> dict[str, int]:
    """Count how many first reads are wanted of each case, made or not; without those of none."""
    made: dict[str, int] = {}
    tasks = t.tasks.c
    for start in range(0, len(cases), 500):
        part = tasks.case_id.in_(cases[start : start + 500])
        query = sa.select(tasks.case_id, sa.func.count()).where(part, tasks.round == 0)
        with store.reading() as connection:
            found = connection.execute(query.group_by(tasks.case_id)).all()
        made |= {str(case): int(count) for case, count in found}
    return made


def rounds_of_reader(store: Store, project: str, reader: str) -> dict[str, int]:
    """Tell for each case that a reader read the last round they read or are planned for."""
    reads, tasks = t.reads.c, t.tasks.c
    read = sa.select(reads.case_id, sa.func.max(reads.round)).where(
        reads.project == project, reads.reader == reader
    )
    kept = sa.select(tasks.case_id, sa.func.max(tasks.round)).where(
        tasks.project == project, tasks.planned_for == reader, tasks.state != "done"
    )
    with store.reading() as connection:
        found = {str(key): int(n) for key, n in connection.execute(read.group_by(reads.case_id))}
        planned = {str(key): int(n) for key, n in connection.execute(kept.group_by(tasks.case_id))}
    return {key: max(last, planned.get(key, 0)) for key, last in found.items()}


def projects_by_member(store: Store) -> dict[str, list[tuple[str, str]]]:
    """Tell for each user the projects they belong to, each with their role there."""
    query = sa.select(t.members.c.reader, t.members.c.project, t.members.c.role)
    made: dict[str, list[tuple[str, str]]] = {}
    with store.reading() as connection:
        for reader, project, role in connection.execute(query.order_by(t.members.c.since)):
            made.setdefault(reader, []).append((project, role))
    return made
