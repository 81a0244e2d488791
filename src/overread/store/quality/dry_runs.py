"""Dry runs: gold cases one after the other, each answered once, and what comes of it.

A run is begun with enough gold that the reader has not seen; the least exposed comes first. The
verdict on a run and the certificate are events of the same transaction as its last read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import Happened, record
from overread.store.canonical import canonical_json, digest
from overread.store.canonical import whole_number as whole
from overread.store.engine import Store
from overread.store.errors import ConflictError, NotFoundError
from overread.store.people.profiles import check_reads
from overread.store.quality.gold import exposures
from overread.store.quality.runs import unseen
from overread.store.study.cases import CaseRow, case_row
from overread.store.work.answers import said

_WORN = "worn out: {} readers have seen it"


@dataclass(frozen=True, slots=True)
class Trial:
    """A gold case in a reader's dry run; the right answer is not in it.

    Attributes:
        run: which run, from 1.
        number: which case of the run, from 1, of ``cases``.
    """

    id: str
    project: str
    reader: str
    run: int
    number: int
    cases: int
    gold: str
    case: CaseRow
    answered: bool


@dataclass(frozen=True, slots=True)
class TrialRead:
    """What a reader says of a trial; ``read_id`` is a UUID made by the client."""

    read_id: str
    trial: str
    reader: str
    answer: Mapping[str, Any]
    protocol_version: int
    cannot_be_read: bool = False
    comment: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """What a run came to; ``score`` is JSON, as the page and the certificate tell it."""

    passed: bool
    score: Mapping[str, Any]


Judge = Callable[[Sequence[dict[str, Any]]], RunVerdict]


def begin_run(
    store: Store,
    project: str,
    reader: str,
    *,
    cases: int,
    most_runs: int,
    protocol_version: int,
    among: Collection[str] | None = None,
) -> int:
    """Begin a run.

    Args:
        store: where.
        project: its id.
        reader: who reads in it.
        cases: how many gold cases make a run.
        most_runs: how many runs they have; a waiver gives one more each.
        protocol_version: that it is held under.
        among: ids of the gold that it may take; None is any.
    Returns:
        The number of the run; of the open one where there is one.
    Raises:
        NotFoundError: they do not read here.
        ConflictError: they are qualified, no run is left, or too little gold that they have not
            seen.
    """
    whole("cases of a run", cases, low=1, high=1_000)
    with store.writing() as connection:
        check_reads(connection, project, reader)
        who = {"p": project, "r": reader}
        if connection.scalar(_CERTIFIED, who) is not None:
            raise ConflictError("reader", "is qualified already")
        before = connection.execute(_RUNS, who).all()
        if before and before[-1].state == "open":
            return int(before[-1].run)
        waived = connection.scalar(_MORE_RUNS, who) or 0
        if len(before) >= most_runs + waived:
            raise ConflictError("dry run", f"was held {len(before)} times; the lead may allow more")
        new = len(connection.execute(unseen(among), who | {"n": cases}).all())
        if new < cases:
            rule = f"needs {cases} gold cases that are new to the reader, and {new} are there"
            raise ConflictError("dry run", rule)
        run = len(before) + 1
        body = {"reader": reader, "run": run, "cases": cases, "protocol_version": protocol_version}
        record(connection, store.now(), reader, [("run_begun", project, body)])
    return run


def next_trial(
    store: Store, project: str, reader: str, *, among: Collection[str] | None = None
) -> Trial | None:
    """The trial that waits for the reader's answer, or the next one of the open run.

    Args:
        among: ids of the gold that it may take; None is any.
    Returns:
        The trial; None where no run is open, or its gold was retired meanwhile.
    Raises:
        NotFoundError: they do not read here.
    """
    who = {"p": project, "r": reader}
    with store.writing() as connection:
        check_reads(connection, project, reader)
        runs = connection.execute(_RUNS, who).all()
        if not runs or runs[-1].state != "open":
            return None
        waiting = connection.scalar(_WAITING, who)
        if waiting is None:
            gold = connection.execute(unseen(among), who | {"n": 1}).first()
            if gold is None:
                return None
            waiting = store.new_id()
            number = 1 + (connection.scalar(_GIVEN, who | {"run": runs[-1].run}) or 0)
            body = {"id": waiting, "reader": reader, "run": runs[-1].run, "number": number}
            body |= {"gold": gold.id, "case_id": gold.case_id}
            record(connection, store.now(), reader, [("trial_given", project, body)])
        return _trial(connection, waiting, reader)


def get_trial(store: Store, trial: str, reader: str) -> Trial:
    """Get a trial of this reader's.

    Raises:
        NotFoundError: it is none of theirs.
    """
    with store.reading() as connection:
        return _trial(connection, trial, reader)


def submit_trial(
    store: Store,
    given: TrialRead,
    *,
    marks: Mapping[str, Any],
    judge: Judge,
    most_exposures: int,
) -> bool:
    """Keep the read of a trial, and end the run where it was the last.

    Args:
        store: where.
        given: the read.
        marks: what it is worth, JSON, as the judge reads them.
        judge: the verdict on the marks of all cases of a run.
        most_exposures: readers after whom a gold case retires.
    Returns:
        Whether it was kept now; False where the same read was kept before.
    Raises:
        InputError: the read breaks a rule.
        NotFoundError: not a trial of theirs.
        ConflictError: it was answered before: the right answer has been shown.
    """
    checked = said(given.answer, given.cannot_be_read, False, given.comment, given.seconds)
    key = _uuid(given.read_id)
    parts = [given.trial, given.reader, given.protocol_version, checked.cannot_be_read]
    content = digest(canonical_json("read", [*parts, checked.comment, checked.answer]))
    with store.writing() as connection:
        row = mine(connection, given.trial, given.reader)
        if row.submitted is not None:
            if row.read_id == key and row.said == content:
                return False
            raise ConflictError("trial", "was answered; the right answer has been shown")
        if connection.scalar(sa.select(t.trials.c.id).where(t.trials.c.read_id == key)):
            raise ConflictError("read_id", "was used for another read; make a new one")
        body = {
            "trial": given.trial,
            "read_id": key,
            "answer": json.loads(checked.answer),
            "cannot_be_read": checked.cannot_be_read,
            "comment": checked.comment,
            "seconds": checked.seconds,
            "protocol_version": given.protocol_version,
            "marks": dict(marks),
            "said": content,
        }
        happened: list[Happened] = [("trial_read", row.project, body)]
        happened += _worn(connection, row, most_exposures)
        happened += _ending(connection, row, marks, judge)
        record(connection, store.now(), given.reader, happened)
    return True


def _worn(connection: sa.Connection, row: sa.Row[Any], most: int) -> list[Happened]:
    query = sa.select(exposures()).where(t.gold.c.id == row.gold, t.gold.c.state == "active")
    seen = connection.scalar(query)
    if seen is None or seen < most:
        return []
    return [("gold_retired", row.project, {"gold": row.gold, "reason": _WORN.format(seen)})]


def _ending(
    connection: sa.Connection, row: sa.Row[Any], marks: Mapping[str, Any], judge: Judge
) -> list[Happened]:
    who = {"p": row.project, "r": row.reader, "run": row.run}
    run = connection.execute(_RUN, who).one()
    done = connection.execute(_DONE, who).all()
    if len(done) + 1 < run.cases or run.state != "open":
        return []
    verdict = judge([*(json.loads(one.marks) for one in done), dict(marks)])
    body: dict[str, Any] = {"reader": row.reader, "run": row.run}
    body |= {"passed": verdict.passed, "score": dict(verdict.score)}
    happened: list[Happened] = [("run_ended", row.project, body)]
    if verdict.passed:
        certificate = {
            "reader": row.reader,
            "how": "dry run",
            "protocol_version": run.protocol_version,
            "score": dict(verdict.score) | {"run": row.run},
            "cases": sorted({*(one.case_id for one in done), row.case_id}),
        }
        happened.append(("reader_qualified", row.project, certificate))
    return happened


# Statements that every trial runs, built once.
_P: sa.BindParameter[str] = sa.bindparam("p")
_R: sa.BindParameter[str] = sa.bindparam("r")
_N = sa.bindparam("run", type_=sa.Integer)
_RUNS = (
    sa.select(t.runs).where(t.runs.c.project == _P, t.runs.c.reader == _R).order_by(t.runs.c.run)
)
_RUN = sa.select(t.runs).where(t.runs.c.project == _P, t.runs.c.reader == _R, t.runs.c.run == _N)
_OF_READER = (t.trials.c.project == _P) & (t.trials.c.reader == _R)
_WAITING = sa.select(t.trials.c.id).where(_OF_READER, t.trials.c.submitted.is_(None)).limit(1)
_GIVEN = sa.select(sa.func.max(t.trials.c.number)).where(_OF_READER, t.trials.c.run == _N)
_DONE = (
    sa.select(t.trials.c.marks, t.trials.c.case_id)
    .where(_OF_READER, t.trials.c.run == _N, t.trials.c.submitted.is_not(None))
    .order_by(t.trials.c.number)
)
_CERTIFIED = sa.select(t.qualifications.c.since).where(
    t.qualifications.c.project == _P, t.qualifications.c.reader == _R
)
_MORE_RUNS = sa.select(sa.func.count()).where(
    t.waivers.c.project == _P, t.waivers.c.reader == _R, t.waivers.c.what == "run"
)


def mine(connection: sa.Connection, trial: str, reader: str) -> sa.Row[Any]:
    """Look up a trial of this reader's.

    Raises:
        NotFoundError: it is none of theirs.
    """
    query = sa.select(t.trials).where(t.trials.c.id == trial, t.trials.c.reader == reader)
    row = connection.execute(query).first()
    if row is None:
        raise NotFoundError("trial", trial)
    return row


def _trial(connection: sa.Connection, trial: str, reader: str) -> Trial:
    row = mine(connection, trial, reader)
    who = {"p": row.project, "r": reader, "run": row.run}
    case = connection.execute(sa.select(t.cases).where(t.cases.c.id == row.case_id)).one()
    return Trial(
        id=row.id,
        project=row.project,
        reader=reader,
        run=row.run,
        number=row.number,
        cases=connection.execute(_RUN, who).one().cases,
        gold=row.gold,
        case=case_row(case),
        answered=row.submitted is not None,
    )


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except (ValueError, AttributeError, TypeError) as error:
        raise InputError("read_id", "be a UUID", "something else") from error
