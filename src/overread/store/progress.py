"""How far a project is, and how far each reader."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.apply_quality import ADJUDICATES
from overread.store.engine import Store
from overread.store.errors import NotFoundError
from overread.store.flags import to_look_at

_STATES = ("open", "claimed", "done", "skipped")  # all: so that the index of the queue serves
_RECENT = 50  # reads whose seconds tell the pace


@dataclass(frozen=True, slots=True)
class ProjectProgress:
    """Counts of a project: cases, tasks in each state, submissions of all revisions."""

    cases: int
    quarantined: int
    planned: int
    open: int
    claimed: int
    done: int
    skipped: int
    reads: int
    surplus: int


@dataclass(frozen=True, slots=True)
class ReaderProgress:
    """How far a reader is.

    Attributes:
        done: tasks finished.
        total: finished, in hand, kept for them, and cases with an open slot they may get.
        median_seconds: of the last 50 reads; None before the first.
        left_seconds: the outstanding at this pace; None before the first.
    """

    done: int
    total: int
    median_seconds: float | None
    left_seconds: float | None


@dataclass(frozen=True, slots=True)
class ReaderCounts:
    """A reader of a project on the lead's page.

    Attributes:
        last: time of the last submission.
        role: in the project.
        flagged: submissions flagged "cannot be read" or "ask a senior".
        median_seconds: of the last 50 reads; None before the first.
    """

    reader: str
    name: str
    active: bool
    done: int
    claimed: int
    kept: int
    skipped: int
    surplus: int
    seconds: float
    last: str | None
    role: str
    flagged: int
    median_seconds: float | None


def project_progress(store: Store, project: str) -> ProjectProgress:
    """Count a project's cases, tasks and reads.

    Raises:
        NotFoundError: no such project.
    """
    with store.reading() as connection:
        if not connection.scalar(sa.select(t.projects.c.id).where(t.projects.c.id == project)):
            raise NotFoundError("project", project)
        by_state = connection.execute(
            sa.select(t.tasks.c.state, sa.func.count())
            .where(t.tasks.c.project == project)
            .group_by(t.tasks.c.state)
        ).all()
        states = {state: int(count) for state, count in by_state}
        surplus = sa.func.sum(sa.case((t.reads.c.surplus, 1), else_=0))
        reads = connection.execute(
            sa.select(sa.func.count(), surplus).where(t.reads.c.project == project)
        ).one()
        return ProjectProgress(
            cases=_count(connection, t.cases, t.cases.c.project == project),
            quarantined=_count(connection, t.quarantine, t.quarantine.c.project == project),
            planned=sum(states.values()),
            open=states.get("open", 0),
            claimed=states.get("claimed", 0),
            done=states.get("done", 0),
            skipped=states.get("skipped", 0),
            reads=reads[0],
            surplus=int(reads[1] or 0),
        )


def _count(connection: sa.Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(table).where(*where)) or 0


def reader_progress(store: Store, project: str, reader: str) -> ReaderProgress:
    """Tell how far a reader is and how long the rest takes at their pace."""
    mine = (t.tasks.c.project == project) & (t.tasks.c.reader == reader)
    kept = (t.tasks.c.project == project) & (t.tasks.c.planned_for == reader)
    with store.reading() as connection:
        done = _count(connection, t.tasks, mine, t.tasks.c.state == "done")
        left = _count(connection, t.tasks, mine, t.tasks.c.state == "claimed")
        left += _count(connection, t.tasks, kept, t.tasks.c.state == "open")
        left += _open_cases(connection, project, reader)
        pace = _pace(connection, project, reader)
    return ReaderProgress(done, done + left, pace, None if pace is None else pace * left)


def _pace(connection: sa.Connection, project: str, reader: str) -> float | None:
    """Median seconds of the reader's last reads; None before the first."""
    seconds = connection.scalars(
        sa.select(t.reads.c.seconds)
        .where(t.reads.c.project == project, t.reads.c.reader == reader, t.reads.c.revision == 1)
        .order_by(t.reads.c.event.desc())
        .limit(_RECENT)
    ).all()
    return float(median(seconds)) if seconds else None


def _open_cases(connection: sa.Connection, project: str, reader: str) -> int:
    """Cases with a slot open to all, less those the reader has or refused."""
    free = (t.cases.c.project == project) & (t.cases.c.state == "open") & (t.cases.c.free > 0)
    all_ = _count(connection, t.cases, free)
    tasks, reads, skips, trials = t.tasks.c, t.reads.c, t.skips.c, t.trials.c
    kept = (tasks.planned_for == reader) & (tasks.round == 0)
    had = sa.union(
        sa.select(tasks.case_id).where(tasks.project == project, tasks.reader == reader),
        sa.select(tasks.case_id).where(tasks.project == project, tasks.state.in_(_STATES), kept),
        sa.select(reads.case_id).where(reads.project == project, reads.reader == reader),
        sa.select(skips.case_id).where(skips.project == project, skips.reader == reader),
        sa.select(trials.case_id).where(trials.project == project, trials.reader == reader),
    ).subquery()
    mine = sa.select(sa.func.count()).select_from(
        had.join(t.cases, (t.cases.c.id == had.c.case_id) & (t.cases.c.free > 0))
    )
    return all_ - (connection.scalar(mine) or 0)


def left_of_readers(store: Store, project: str) -> dict[str, int]:
    """Tell what is left for each member, as :func:`reader_progress` does for one, all in one go."""
    tasks, reads, skips, cases = t.tasks.c, t.reads.c, t.skips.c, t.cases.c
    free = (cases.project == project) & (cases.state == "open") & (cases.free > 0)
    had = sa.union(  # by case, so that cases without a free slot cost nothing
        sa.select(cases.id.label("case_id"), tasks.reader.label("reader"))
        .select_from(t.cases.join(t.tasks, tasks.case_id == cases.id))
        .where(free, tasks.reader.is_not(None)),
        sa.select(cases.id, tasks.planned_for)
        .select_from(t.cases.join(t.tasks, tasks.case_id == cases.id))
        .where(free, tasks.planned_for.is_not(None), tasks.round == 0),
        sa.select(cases.id, reads.reader)
        .select_from(t.cases.join(t.reads, reads.case_id == cases.id))
        .where(free),
        sa.select(cases.id, skips.reader)
        .select_from(t.cases.join(t.skips, skips.case_id == cases.id))
        .where(free, skips.project == project),
        sa.select(cases.id, t.trials.c.reader)
        .select_from(t.cases.join(t.trials, t.trials.c.case_id == cases.id))
        .where(free, t.trials.c.project == project),
    ).subquery()
    outstanding = sa.union_all(
        sa.select(tasks.reader.label("reader"))
        .where(tasks.project == project, tasks.state == "claimed", tasks.reader.is_not(None)),
        sa.select(tasks.planned_for)
        .where(tasks.project == project, tasks.state == "open", tasks.planned_for.is_not(None)),
    ).subquery()  # fmt: skip
    with store.reading() as connection:
        people = connection.scalars(
            sa.select(t.members.c.reader).where(t.members.c.project == project)
        ).all()
        all_ = _count(connection, t.cases, free)
        refused = _by_reader(connection, had)
        waiting = _by_reader(connection, outstanding)
    return {one: all_ - refused.get(one, 0) + waiting.get(one, 0) for one in people}


def _by_reader(connection: sa.Connection, rows: sa.Subquery) -> dict[str, int]:
    counted = connection.execute(
        sa.select(rows.c.reader, sa.func.count()).group_by(rows.c.reader)
    ).all()
    return {reader: int(count) for reader, count in counted}


def last_read(store: Store, project: str) -> tuple[int, int]:
    """Tell the last change of a project's labels, as its event's number, and its version.

    A read, a reference standard, or a ruling on labels of older versions. While both stay the
    same nothing that is computed from the labels changes.
    """
    last = [
        sa.select(sa.func.max(table.c.event)).where(table.c.project == project)
        for table in (t.reads, t.standards, t.rulings)
    ]
    version = sa.select(sa.func.max(t.protocols.c.version)).where(t.protocols.c.project == project)
    with store.reading() as connection:
        events = [connection.scalar(query) or 0 for query in last]
        return max(events), connection.scalar(version) or 0


def list_reader_counts(store: Store, project: str) -> list[ReaderCounts]:
    """Count what each member of a project did, for its lead, by name."""
    tasks, reads, skips = t.tasks.c, t.reads.c, t.skips.c
    with store.reading() as connection:
        people = connection.execute(
            sa.select(t.members.c.reader, t.members.c.role, t.users.c.name, t.users.c.active)
            .join(t.users, t.users.c.id == t.members.c.reader)
            .where(t.members.c.project == project)
            .order_by(t.users.c.name, t.users.c.id)
        ).all()
        held = connection.execute(
            sa.select(tasks.reader, tasks.state, sa.func.count())
            .where(tasks.project == project, tasks.reader.in_([one.reader for one in people]))
            .group_by(tasks.reader, tasks.state)
        ).all()
        kept = connection.execute(
            sa.select(tasks.planned_for, sa.func.count())
            .where(tasks.project == project, tasks.state == "open", tasks.planned_for.is_not(None))
            .group_by(tasks.planned_for)
        ).all()
        skipped = connection.execute(
            sa.select(skips.reader, sa.func.count())
            .where(skips.project == project, skips.reason != ADJUDICATES)
            .group_by(skips.reader)
        ).all()
        surplus = sa.func.sum(sa.case((reads.surplus & (reads.revision == 1), 1), else_=0))
        said = connection.execute(
            sa.select(
                reads.reader, surplus, sa.func.sum(reads.seconds), sa.func.max(reads.submitted)
            )
            .where(reads.project == project)
            .group_by(reads.reader)
        ).all()
        marked = connection.execute(
            sa.select(reads.reader, sa.func.count())
            .where(
                reads.project == project, to_look_at(), reads.cannot_be_read | reads.ask_a_senior
            )
            .group_by(reads.reader)
        ).all()
        pace = {one.reader: _pace(connection, project, one.reader) for one in people}
    flags = {reader: int(count) for reader, count in marked}
    states = {(reader, state): int(count) for reader, state, count in held}
    waiting = {reader: int(count) for reader, count in kept}
    refused = {reader: int(count) for reader, count in skipped}
    sums = {reader: (int(extra), float(sec), last) for reader, extra, sec, last in said}
    return [
        ReaderCounts(
            one.reader,
            one.name,
            one.active,
            states.get((one.reader, "done"), 0),
            states.get((one.reader, "claimed"), 0),
            waiting.get(one.reader, 0),
            refused.get(one.reader, 0),
            *sums.get(one.reader, (0, 0.0, None)),
            one.role,
            flags.get(one.reader, 0),
            pace.get(one.reader),
        )
        for one in people
    ]
