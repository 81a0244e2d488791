"""Gold cases: a right answer, who may see it when, how often it was seen, and when it retires.

The training pool is shown with its answer behind each read of a dry run, so its cases leave the
queue of production. The hidden pool stays in it, unmarked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import Happened, record
from overread.store.canonical import canonical_json, json_object, plain_text
from overread.store.canonical import whole_number as whole
from overread.store.engine import Store
from overread.store.errors import NotFoundError

TRAINING, HIDDEN = "training", "hidden"
REPLACED = "another answer took its place"


@dataclass(frozen=True, slots=True)
class NewGold:
    """A right answer for a case.

    Attributes:
        case: its id.
        answer: question id -> value, already checked against the protocol.
        pool: "training" or "hidden".
        protocol_version: that the answer fits.
        source: where it comes from: the id of a read, or a word ("table").
        atlas: id of the atlas entry that explains it; None where none does.
    """

    case: str
    answer: Mapping[str, Any]
    protocol_version: int
    pool: str = TRAINING
    source: str = ""
    atlas: str | None = None


@dataclass(frozen=True, slots=True)
class GoldRow:
    """A gold case as kept.

    Attributes:
        state: "active" or "retired", for ``reason``.
        exposures: readers who had it: in a dry run, or read the case in production (hidden pool).
        disputes: open ones.
    """

    id: str
    project: str
    case: str
    case_name: str
    pool: str
    answer: dict[str, Any]
    protocol_version: int
    source: str
    atlas: str | None
    state: str
    reason: str
    since: str
    made_by: str
    exposures: int
    disputes: int


def add_gold(store: Store, project: str, new: Sequence[NewGold], by: str) -> list[str]:
    """Make cases gold, all of them or none.

    A case that is gold already gets the new answer and its old one retires; the same answer in
    the same pool again changes nothing. Open slots of training cases that nobody has had are
    taken out of the queue.

    Args:
        store: where.
        project: its id.
        new: a case once each.
        by: the user's id.
    Returns:
        The id of each, in order.
    Raises:
        InputError: a pool that is none, or a case twice.
        NotFoundError: a case is not of the project.
    """
    answers = [_checked(one) for one in new]
    cases = [one.case for one in new]
    if len(set(cases)) < len(cases):
        raise InputError("gold", "name each case once", "a case twice")
    with store.writing() as connection:
        known = _cases(connection, project, cases)
        if set(cases) - known:
            raise NotFoundError("case", min(set(cases) - known))
        ids: list[str] = []
        added: list[dict[str, Any]] = []
        happened: list[Happened] = []
        for one, answer in zip(new, answers, strict=True):
            before = connection.execute(_ACTIVE, {"case": one.case}).first()
            if before is not None and _same(before, one, answer):
                ids.append(before.id)
                continue
            if before is not None:
                body = {"gold": before.id, "reason": REPLACED}
                happened.append(("gold_retired", project, body))
            ids.append(store.new_id())
            added.append(_body(ids[-1], one, answer))
        if added:
            happened.append(("gold_added", project, {"gold": added}))
            training = [one["case_id"] for one in added if one["pool"] == TRAINING]
            happened += _withdrawal(connection, project, training)
            record(connection, store.now(), by, happened)
    return ids


_ACTIVE = sa.select(t.gold).where(
    t.gold.c.case_id == sa.bindparam("case"), t.gold.c.state == "active"
)


def _checked(one: NewGold) -> dict[str, Any]:
    if one.pool not in {TRAINING, HIDDEN}:
        raise InputError("pool", f"be {TRAINING} or {HIDDEN}", "another word")
    plain_text("source", one.source, longest=200, empty=True)
    whole("protocol_version", one.protocol_version, low=1, high=1_000_000)
    answer = json_object("answer", one.answer)
    canonical_json("answer", answer)
    return answer


def _same(row: sa.Row[Any], one: NewGold, answer: Mapping[str, Any]) -> bool:
    kept = row.answer == canonical_json("answer", answer)
    kept = kept and row.protocol_version >= one.protocol_version  # else it is confirmed anew
    return bool(kept and row.pool == one.pool and row.atlas == one.atlas)


def _body(key: str, one: NewGold, answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": key,
        "case_id": one.case,
        "pool": one.pool,
        "answer": answer,
        "protocol_version": one.protocol_version,
        "source": one.source,
        "atlas": one.atlas,
    }


def _cases(connection: sa.Connection, project: str, cases: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(cases), 500):
        part = t.cases.c.id.in_(cases[start : start + 500])
        query = sa.select(t.cases.c.id).where(t.cases.c.project == project, part)
        found |= set(connection.scalars(query))
    return found


def _withdrawal(connection: sa.Connection, project: str, cases: Sequence[str]) -> list[Happened]:
    """Slots of these cases that are open and were never anybody's."""
    tasks = t.tasks.c
    had = [
        sa.exists().where(table.c.task == tasks.id)
        for table in (t.grants, t.skips, t.reads, t.drafts, t.leases)
    ]
    found: list[str] = []
    for start in range(0, len(cases), 500):
        part = tasks.case_id.in_(cases[start : start + 500])
        query = sa.select(tasks.id).where(part, tasks.state == "open", *(~one for one in had))
        found += connection.scalars(query.order_by(tasks.position)).all()
    if not found:
        return []
    return [("slots_withdrawn", project, {"tasks": found, "cases": sorted(cases)})]


def retire_gold(store: Store, gold: str, reason: str, by: str) -> None:
    """Let a gold case be one no more; what was answered on it stays.

    Raises:
        InputError: no reason.
        NotFoundError: no such gold case that is active.
    """
    plain_text("reason", reason, longest=2_000)
    with store.writing() as connection:
        row = active_gold(connection, gold)
        body = {"gold": gold, "reason": reason}
        record(connection, store.now(), by, [("gold_retired", row.project, body)])


def active_gold(connection: sa.Connection, gold: str) -> sa.Row[Any]:
    """Look up a gold case that is active.

    Raises:
        NotFoundError: there is none of the id.
    """
    query = sa.select(t.gold).where(t.gold.c.id == gold, t.gold.c.state == "active")
    row = connection.execute(query).first()
    if row is None:
        raise NotFoundError("gold case", gold)
    return row


def list_gold(
    store: Store, project: str, *, retired: bool = False, pool: str | None = None
) -> list[GoldRow]:
    """List the gold cases of a project, most exposed first.

    Args:
        store: where.
        project: its id.
        retired: also those that are retired.
        pool: only of this pool.
    """
    query = _shown().where(t.gold.c.project == project)
    if not retired:
        query = query.where(t.gold.c.state == "active")
    if pool is not None:
        query = query.where(t.gold.c.pool == pool)
    with store.reading() as connection:
        found = [gold_row(row) for row in connection.execute(query)]
    return sorted(found, key=lambda one: (one.state, -one.exposures, one.case_name, one.since))


def gold_had(store: Store, project: str) -> dict[str, dict[str, bool]]:
    """Tell the gold cases that each reader had, has or is planned for.

    Returns:
        reader -> case -> whether a task on it is still outstanding.
    """
    gold, tasks, reads, trials = t.gold.c, t.tasks.c, t.reads.c, t.trials.c
    of = (gold.project == project) & (gold.state == "active")
    left = tasks.state.in_(("open", "claimed"))
    task_of = t.gold.join(t.tasks, tasks.case_id == gold.case_id)
    query = sa.union_all(
        *(
            sa.select(gold.case_id, who.label("reader"), sa.case((left, 1), else_=0).label("left"))
            .select_from(task_of)
            .where(of, who.is_not(None))
            for who in (tasks.planned_for, tasks.reader)
        ),
        *(
            sa.select(gold.case_id, rows.reader, sa.literal(0))
            .select_from(t.gold.join(table, rows.case_id == gold.case_id))
            .where(of)
            for table, rows in ((t.reads, reads), (t.trials, trials))
        ),
    )
    made: dict[str, dict[str, bool]] = {}
    with store.reading() as connection:
        for case, reader, outstanding in connection.execute(query):
            cases = made.setdefault(reader, {})
            cases[case] = cases.get(case, False) or bool(outstanding)
    return made


def get_gold(store: Store, gold: str) -> GoldRow:
    """Get one, active or retired: for leads, and for a reader who has answered it.

    Raises:
        NotFoundError: there is none of the id.
    """
    with store.reading() as connection:
        row = connection.execute(_shown().where(t.gold.c.id == gold)).first()
    if row is None:
        raise NotFoundError("gold case", gold)
    return gold_row(row)


def exposures() -> sa.ColumnElement[int]:
    """Readers who had a gold case."""
    gold, reads, trials = t.gold.c, t.reads.c, t.trials.c
    tried = sa.select(sa.func.count()).where(trials.gold == gold.id).scalar_subquery()
    read = (
        sa.select(sa.func.count(sa.distinct(reads.reader)))
        .where(reads.case_id == gold.case_id)
        .scalar_subquery()
    )
    return tried + sa.case((gold.pool == HIDDEN, read), else_=0)


def _shown() -> sa.Select[Any]:
    open_ = (
        sa.select(sa.func.count())
        .where(t.disputes.c.gold == t.gold.c.id, t.disputes.c.state == "open")
        .scalar_subquery()
    )
    return sa.select(
        t.gold,
        t.cases.c.name.label("case_name"),
        exposures().label("exposures"),
        open_.label("disputes"),
    ).join(t.cases, t.cases.c.id == t.gold.c.case_id)


def gold_row(row: sa.Row[Any]) -> GoldRow:
    """Make a gold case of its row."""
    kept = dict(row._mapping)
    kept["case"] = kept.pop("case_id")
    return GoldRow(**(kept | {"answer": json.loads(kept["answer"])}))
