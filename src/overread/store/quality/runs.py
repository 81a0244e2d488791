"""What became of dry runs, and which gold is left for a reader: for pages and for the next run."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.engine import Store
from overread.store.quality.gold import TRAINING, exposures


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run; ``done`` of ``cases`` are answered; ``state`` is "open", "passed" or "failed"."""

    reader: str
    run: int
    protocol_version: int
    cases: int
    done: int
    state: str
    score: dict[str, Any]
    begun: str
    ended: str | None


@dataclass(frozen=True, slots=True)
class TrialRow:
    """A trial that was answered, with its marks as the judge gave them."""

    id: str
    run: int
    number: int
    gold: str
    case: str
    answer: dict[str, Any]
    cannot_be_read: bool
    marks: dict[str, Any]
    submitted: str


def list_runs(store: Store, project: str, *, reader: str | None = None) -> list[RunRow]:
    """List the runs of a project (or of one reader in it) in their order."""
    runs, trials = t.runs.c, t.trials.c
    done = (
        sa.select(sa.func.count())
        .where(
            trials.project == runs.project,
            trials.reader == runs.reader,
            trials.run == runs.run,
            trials.submitted.is_not(None),
        )
        .scalar_subquery()
    )
    query = sa.select(t.runs, done.label("done")).where(runs.project == project)
    if reader is not None:
        query = query.where(runs.reader == reader)
    with store.reading() as connection:
        rows = connection.execute(query.order_by(runs.reader, runs.run)).all()
    kept = ({**row._mapping, "score": json.loads(row.score)} for row in rows)
    return [RunRow(**{k: v for k, v in one.items() if k != "project"}) for one in kept]


def list_trials(store: Store, project: str, reader: str) -> list[TrialRow]:
    """What a reader answered in dry runs, in order: for leads, and for the reader."""
    trials = t.trials.c
    query = sa.select(t.trials).where(
        trials.project == project, trials.reader == reader, trials.submitted.is_not(None)
    )
    with store.reading() as connection:
        rows = connection.execute(query.order_by(trials.run, trials.number)).all()
    return [_answered(row) for row in rows]


def unseen_gold(
    store: Store, project: str, reader: str, *, most: int, among: Collection[str] | None = None
) -> int:
    """Count training cases that are new to a reader, up to ``most``. Args: among: of these gold."""
    with store.reading() as connection:
        found = connection.execute(unseen(among), {"p": project, "r": reader, "n": most})
        return len(found.all())


def unseen(among: Collection[str] | None = None) -> sa.Select[Any]:
    """Training cases that are new to the reader, the least exposed first. Args: among: of these."""
    gold = t.gold.c
    reader: sa.BindParameter[str] = sa.bindparam("r")
    had = (
        sa.exists().where(t.trials.c.case_id == gold.case_id, t.trials.c.reader == reader),
        sa.exists().where(t.reads.c.case_id == gold.case_id, t.reads.c.reader == reader),
        sa.exists().where(
            t.tasks.c.case_id == gold.case_id,
            (t.tasks.c.reader == reader) | (t.tasks.c.planned_for == reader),
        ),
        sa.exists().where(
            t.adjudications.c.case_id == gold.case_id, t.adjudications.c.senior == reader
        ),
    )
    query = sa.select(gold.id, gold.case_id).where(
        gold.project == sa.bindparam("p"),
        gold.pool == TRAINING,
        gold.state == "active",
        *(~one for one in had),
    )
    if among is not None:
        query = query.where(gold.id.in_(sorted(among)))
    return query.order_by(exposures(), gold.id).limit(sa.bindparam("n", type_=sa.Integer))


def _answered(row: sa.Row[Any]) -> TrialRow:
    answer, marks = json.loads(row.answer), json.loads(row.marks)
    return TrialRow(
        row.id, row.run, row.number, row.gold, row.case_id, answer, row.cannot_be_read, marks,
        row.submitted,
    )  # fmt: skip
