"""How far a project is, and how far each reader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.applying.quality import ADJUDICATES
from overread.store.engine import Store
from overread.store.errors import NotFoundError
from overread.store.study.cases import last_number
from overread.store.work.flags import to_look_at

_STATES = ("open", "claimed", "done", "skipped")  # all: so that the index of the queue serves
_NOBODY = ""  # in a tally: of the project, not of a reader
_CASES_A_LOOK = 5_000
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
        by_what: Counter[str] = Counter()
        for (_, what), amount in _tallies(connection, project).items():
            by_what[what] += int(amount)
        return ProjectProgress(
            cases=last_number(connection, project),
            quarantined=_count(connection, t.quarantine, t.quarantine.c.project == project),
            planned=sum(by_what[state] for state in _STATES),
            **{what: by_what[what] for what in (*_STATES, "reads", "surplus")},
        )


def _tallies(
    connection: sa.Connection, project: str, readers: Collection[str] | None = None
) -> dict[tuple[str, str], float]:
    """What the database counts by itself (schema/version_13): (reader, what) -> amount."""
    of = t.tallies.c
    query = sa.select(of.reader, of.what, of.amount).where(of.project == project)
    if readers is not None:
        query = query.where(of.reader.in_(readers))
    return {(reader, what): amount for reader, what, amount in connection.execute(query)}


def _count(connection: sa.Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(table).where(*where)) or 0


def reader_progress(store: Store, project: str, reader: str) -> ReaderProgress:
    """Tell how far a reader is and how long the rest takes at their pace."""
    with store.reading() as connection:
        sums = _tallies(connection, project, (reader, _NOBODY))
        done = int(sums.get((reader, "done"), 0))
        left = sum(int(sums.get((reader, what), 0)) for what in ("claimed", "kept"))
        left += int(sums.get((_NOBODY, "free"), 0)) - _refused(connection, project, reader)
        query = _last_reads().where(t.members.c.reader == reader)
        found = connection.execute(query, {"p": project}).one_or_none()
        pace = _pace(found.seconds) if found else None
    return ReaderProgress(done, done + left, pace, None if pace is None else pace * left)


@cache
def _last_reads() -> sa.Select[Any]:
    """Members of a project: when each submitted last, and the seconds of their last reads."""
    people, reads = t.members.c, t.reads.c
    theirs = (reads.project == people.project) & (reads.reader == people.reader)
    newest = reads.event.desc()
    last = sa.select(reads.submitted).where(theirs).order_by(newest).limit(1)
    some = sa.select(sa.cast(reads.seconds, sa.Text).label("one"))
    some = some.where(theirs, reads.revision == 1).order_by(newest).limit(_RECENT)
    each = some.correlate(t.members).subquery()
    seconds = sa.select(sa.func.aggregate_strings(each.c.one, " "))
    return sa.select(
        people.reader,
        last.scalar_subquery().label("last"),
        seconds.scalar_subquery().label("seconds"),
    ).where(people.project == sa.bindparam("p"))


def _pace(seconds: str | None) -> float | None:
    """Median of seconds as the database joins them; None before the first read."""
    return float(median(float(one) for one in seconds.split())) if seconds else None


def _refused(connection: sa.Connection, project: str, reader: str) -> int:
    """Cases with a slot open to all that the reader has, had or refused."""
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
    return connection.scalar(mine) or 0


def left_of_readers(store: Store, project: str) -> dict[str, int]:
    """Tell what is left for each member, as :func:`reader_progress` does for one, all in one go.

    Many short looks, each at some thousands of cases: nobody who writes waits for all of it.
    """
    with store.reading() as connection:
        people = connection.scalars(
            sa.select(t.members.c.reader).where(t.members.c.project == project)
        ).all()
        sums = _tallies(connection, project)
        cases = last_number(connection, project)
    refused: Counter[str] = Counter()
    for start in range(1, cases + 1, _CASES_A_LOOK):
        with store.reading() as connection:
            keys = {"p": project, "first": start, "behind": start + _CASES_A_LOOK}
            refused.update({row.reader: row.n for row in connection.execute(_had(), keys)})
    with store.reading() as connection:
        besides = connection.execute(_refused_besides(), {"p": project})
        refused.update({row.reader: row.n for row in besides})
    free = sums.get((_NOBODY, "free"), 0)
    waiting = {one: sum(sums.get((one, what), 0) for what in ("claimed", "kept")) for one in people}
    return {one: int(free - refused[one] + waiting[one]) for one in people}


def _is_free() -> sa.ColumnElement[bool]:
    return (t.cases.c.state == "open") & (t.cases.c.free > 0)


@cache
def _had() -> sa.Select[Any]:
    """Of some cases with a slot open to all: how many each reader has or had."""
    tasks, cases = t.tasks.c, t.cases.c
    these = (
        (cases.project == sa.bindparam("p"))
        & (cases.number >= sa.bindparam("first"))
        & (cases.number < sa.bindparam("behind"))
        & _is_free()
    )
    with_tasks = t.cases.join(t.tasks, tasks.case_id == cases.id)
    had = sa.union(  # by case, so that cases without a free slot cost nothing
        sa.select(cases.id.label("case_id"), tasks.reader.label("reader"))
        .select_from(with_tasks)
        .where(these, tasks.reader.is_not(None)),
        sa.select(cases.id, tasks.planned_for)
        .select_from(with_tasks)
        .where(these, tasks.planned_for.is_not(None), tasks.round == 0),
        sa.select(cases.id, t.reads.c.reader)
        .select_from(t.cases.join(t.reads, t.reads.c.case_id == cases.id))
        .where(these),
    ).subquery()
    return sa.select(had.c.reader, sa.func.count().label("n")).group_by(had.c.reader)


@cache
def _refused_besides() -> sa.Select[Any]:
    """The same of what they skipped or saw in a dry run, and neither have nor had otherwise."""
    project: sa.BindParameter[str] = sa.bindparam("p")
    skips, trials, tasks, reads = t.skips.c, t.trials.c, t.tasks.c, t.reads.c
    rare = sa.union(
        sa.select(skips.case_id.label("case_id"), skips.reader.label("reader"))
        .where(skips.project == project),
        sa.select(trials.case_id, trials.reader).where(trials.project == project),
    ).subquery()  # fmt: skip
    mine = (tasks.reader == rare.c.reader) | (
        (tasks.planned_for == rare.c.reader) & (tasks.round == 0)
    )
    return (
        sa.select(rare.c.reader, sa.func.count().label("n"))
        .select_from(rare.join(t.cases, t.cases.c.id == rare.c.case_id))
        .where(
            _is_free(),
            ~sa.exists().where(tasks.case_id == rare.c.case_id, mine),
            ~sa.exists().where(reads.case_id == rare.c.case_id, reads.reader == rare.c.reader),
        )
        .group_by(rare.c.reader)
    )


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


def list_reader_counts(store: Store, project: str, *, reader: str = "") -> list[ReaderCounts]:
    """Count what each member of a project did, for its lead, by name.

    Args:
        reader: this member alone; "" for all.
    """
    reads, skips = t.reads.c, t.skips.c
    whose = [t.members.c.reader == reader] if reader else []
    with store.reading() as connection:
        people = connection.execute(
            sa.select(t.members.c.reader, t.members.c.role, t.users.c.name, t.users.c.active)
            .join(t.users, t.users.c.id == t.members.c.reader)
            .where(t.members.c.project == project, *whose)
            .order_by(t.users.c.name, t.users.c.id)
        ).all()
        sums = _tallies(connection, project, (reader,) if reader else None)
        skipped = connection.execute(
            sa.select(skips.reader, sa.func.count())
            .where(skips.project == project, skips.reason != ADJUDICATES)
            .group_by(skips.reader)
        ).all()
        marked = connection.execute(
            sa.select(reads.reader, sa.func.count())
            .where(
                reads.project == project, to_look_at(), reads.cannot_be_read | reads.ask_a_senior
            )
            .group_by(reads.reader)
        ).all()
        recent = connection.execute(_last_reads().where(*whose), {"p": project}).all()
        last = {one.reader: one.last for one in recent}
        pace = {one.reader: _pace(one.seconds) for one in recent}
    flags = {reader: int(count) for reader, count in marked}
    refused = {reader: int(count) for reader, count in skipped}
    return [
        ReaderCounts(
            one.reader,
            one.name,
            one.active,
            int(sums.get((one.reader, "done"), 0)),
            int(sums.get((one.reader, "claimed"), 0)),
            int(sums.get((one.reader, "kept"), 0)),
            refused.get(one.reader, 0),
            int(sums.get((one.reader, "surplus first"), 0)),
            sums.get((one.reader, "seconds"), 0.0),
            last[one.reader],
            one.role,
            flags.get(one.reader, 0),
            pace[one.reader],
        )
        for one in people
    ]
