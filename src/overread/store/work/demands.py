"""Reads on demand: what was decided on each case, and the reads that were asked for.

A decision and the task that it opens are one transaction. It holds only for a case of which no
first read is outstanding: decided twice, or while somebody still reads, it is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.applying.apply import Happened, record
from overread.store.engine import Store
from overread.store.work.plan import Slot, planned

SYSTEM = "system"
ASK = "ask"
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided on a case.

    Attributes:
        state: "sure", "settled" (no read left would help enough), "ask", or "spent" (nobody left
            to ask, or no read allowed).
        reads: that it rests on.
        probability: of the consensus.
        reader: whom to ask; "" but for "ask".
    """

    case: str
    state: str
    reads: int
    probability: float
    reader: str = ""


@dataclass(frozen=True, slots=True)
class DemandRow:
    """The last decision on a case. Attributes: task: that was asked for, "" where none was."""

    case: str
    state: str
    reads: int
    probability: float
    task: str
    since: str


@dataclass(frozen=True, slots=True)
class Places:
    """Of some cases: those of which a first read is outstanding, and who had or has which."""

    outstanding: frozenset[str]
    taken: frozenset[tuple[str, str]]


def decide_cases(
    store: Store, project: str, decisions: Sequence[Decision], *, by: str = SYSTEM
) -> dict[str, str]:
    """Keep decisions, and open one task for each read that is asked for.

    Args:
        store: where.
        project: its id.
        decisions: a case once each; some hundred at a time, so that no reader waits.
        by: the system, or a user's id.
    Returns:
        Case -> id of the task that was opened.
    """
    opened: dict[str, str] = {}
    with store.writing() as connection:
        busy = _outstanding(connection, [one.case for one in decisions])
        happened: list[Happened] = []
        for one in decisions:
            if one.case in busy:
                continue
            task = ""
            if one.state == ASK:
                made = planned(connection, store, project, by, [Slot(one.case, one.reader)])
                if not made:  # they have it already, or may not: decided anew at the next read
                    continue
                task = opened[one.case] = made[0]
            body = {
                "case_id": one.case,
                "state": one.state,
                "reads": one.reads,
                "probability": one.probability,
                "reader": one.reader,
                "task": task,
            }
            happened.append(("demand_decided", project, body))
        if happened:
            record(connection, store.now(), by, happened)
    return opened


def places(store: Store, cases: Sequence[str]) -> Places:
    """Tell where first reads are outstanding, and who had or has which case."""
    outstanding: set[str] = set()
    taken: set[tuple[str, str]] = set()
    tasks, reads = t.tasks.c, t.reads.c
    for start in range(0, len(cases), _PAGE):
        part = list(cases[start : start + _PAGE])
        with store.reading() as connection:
            outstanding |= _outstanding(connection, part)
            for who, case in (
                (tasks.reader, tasks.case_id),
                (tasks.planned_for, tasks.case_id),
                (reads.reader, reads.case_id),
            ):
                query = sa.select(case, who).where(case.in_(part), who.is_not(None))
                taken |= {(one, reader) for one, reader in connection.execute(query.distinct())}
    return Places(frozenset(outstanding), frozenset(taken))


def _outstanding(connection: sa.Connection, cases: Sequence[str]) -> set[str]:
    tasks = t.tasks.c
    found: set[str] = set()
    for start in range(0, len(cases), _PAGE):
        part = tasks.case_id.in_(cases[start : start + _PAGE])
        query = sa.select(tasks.case_id).where(part, tasks.round == 0, tasks.state != "done")
        found |= set(connection.scalars(query.distinct()))
    return found


def count_aside(store: Store, project: str) -> int:
    """Count the reads that are set aside, or replaced, after alarms about their readers."""
    query = sa.select(sa.func.count()).where(t.suspects.c.project == project)
    with store.reading() as connection:
        return int(connection.scalar(query) or 0)


def list_demands(
    store: Store, project: str, cases: Sequence[str] | None = None
) -> dict[str, DemandRow]:
    """The last decision on each case of a project, or of these cases alone."""
    rows = t.demands.c
    columns = (rows.case_id, rows.state, rows.reads, rows.probability, rows.task, rows.since)
    query = sa.select(*columns).where(rows.project == project)
    parts = [query]
    if cases is not None:
        starts = range(0, len(cases), _PAGE)
        parts = [query.where(rows.case_id.in_(cases[at : at + _PAGE])) for at in starts]
    made: dict[str, DemandRow] = {}
    with store.reading() as connection:
        for part in parts:
            made |= {row.case_id: DemandRow(*row) for row in connection.execute(part)}
    return made


def tasks_waiting(store: Store, project: str) -> dict[str, int]:
    """Reader -> tasks that they hold or that are kept for them; as tallied by the database."""
    of = t.tallies.c
    query = sa.select(of.reader, sa.func.sum(of.amount)).where(
        of.project == project, of.what.in_(("claimed", "kept")), of.reader != ""
    )
    with store.reading() as connection:
        return {str(who): int(n) for who, n in connection.execute(query.group_by(of.reader)) if n}


def count_demands(store: Store, project: str) -> dict[str, tuple[int, int]]:
    """State -> number of cases, and of the reads that they have."""
    rows = t.demands.c
    query = sa.select(rows.state, sa.func.count(), sa.func.sum(rows.reads))
    query = query.where(rows.project == project).group_by(rows.state)
    with store.reading() as connection:
        return {state: (int(n), int(reads)) for state, n, reads in connection.execute(query)}
