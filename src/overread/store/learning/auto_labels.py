"""Auto-labels: what a model said of cases that nobody read, and what people made of it.

A run is one freezing of a model's answers. Its labels are reviewed (accepted, corrected, sent to a
reader) until an audit freezes them; a read of a case by a person always goes before its label here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import json_object, plain_text
from overread.store.canonical import whole_number as whole
from overread.store.engine import Store
from overread.store.errors import ConflictError, NotFoundError

OPEN, FROZEN, CERTIFIED, REFUSED, REPLACED = "open", "frozen", "certified", "refused", "replaced"
"""States of a run: under review, under audit, what the audit ended with, a newer run came."""

PROPOSED, ACCEPTED, CORRECTED, AUDITED, TURNED_DOWN = (
    "proposed", "accepted", "corrected", "audited", "turned_down",
)  # fmt: skip
"""States of a label; one turned down goes to a reader."""

REVIEWED = (ACCEPTED, CORRECTED)
_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class NewLabel:
    """An answer of the model. Args: tier: -1 where it is too unsure to stand."""

    case: str
    label: str
    probability: float
    tier: int


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run. Args: settings: target, confidence, thresholds by tier and class, and more."""

    id: str
    project: str
    number: int
    question: str
    protocol_version: int
    model: str
    settings: dict[str, Any]
    state: str
    made: str
    made_by: str
    event: int


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A label. Args: proposed: by the model; label: that stands; who: looked at it, "" nobody."""

    run: str
    case: str
    place: int
    proposed: str
    label: str
    probability: float
    tier: int
    state: str
    who: str
    since: str


@dataclass(frozen=True, slots=True)
class Change:
    """A reviewer's word on one label. Args: state: also back to "proposed" (undo)."""

    case: str
    label: str
    state: str


def add_auto_labels(
    store: Store,
    project: str,
    question: str,
    labels: Sequence[NewLabel],
    by: str,
    *,
    protocol_version: int,
    model: str,
    settings: Mapping[str, Any],
) -> str:
    """Keep a model's answers as the newest run of their question; return its id.

    Raises:
        ConflictError: an audit of an older run of the question is under way.
        InputError: no label, or a case twice.
        NotFoundError: no such project, or a case of another.
    """
    plain_text("question", question, longest=200)
    plain_text("model", model, longest=500)
    kept = json_object("settings", settings)
    cases = [one.case for one in labels]
    if not cases or len(set(cases)) < len(cases):
        raise InputError("auto-labels", "be of some cases, each once", len(cases))
    rows = t.auto_runs.c
    with store.writing() as connection:
        _require_cases(connection, project, cases)
        before = connection.execute(
            sa.select(rows.number, rows.state).where(rows.project == project)
        ).all()
        if any(one.state == FROZEN for one in before):
            raise ConflictError("auto-labels", "are under audit; end the audit first")
        key = store.new_id()
        head = {
            "id": key, "number": max((one.number for one in before), default=0) + 1,
            "question": question, "protocol_version": protocol_version, "model": model,
            "settings": kept,
        }  # fmt: skip
        parts = [
            [[one.case, one.label, one.probability, one.tier] for one in labels[at : at + _CHUNK]]
            for at in range(0, len(labels), _CHUNK)
        ]
        chunks = [
            ("auto_labels_added", project, {"run": key, "first": at * _CHUNK, "rows": part})
            for at, part in enumerate(parts)
        ]
        record(connection, store.now(), by, [("auto_labelled", project, head), *chunks])
    return key


def _require_cases(connection: sa.Connection, project: str, cases: Sequence[str]) -> None:
    of_project = t.cases.c.project == project
    there: set[str] = set()
    for start in range(0, len(cases), 500):
        part = t.cases.c.id.in_(cases[start : start + 500])
        there |= set(connection.scalars(sa.select(t.cases.c.id).where(of_project, part)))
    if missing := set(cases) - there:
        raise NotFoundError("case", min(missing))


def get_run(store: Store, run: str) -> RunRow:
    """Get a run.

    Raises:
        NotFoundError: there is none of the id.
    """
    with store.reading() as connection:
        return run_of(connection, run)


def run_of(connection: sa.Connection, run: str) -> RunRow:
    """As :func:`get_run`, in a transaction that is open."""
    found = connection.execute(sa.select(t.auto_runs).where(t.auto_runs.c.id == run)).first()
    if found is None:
        raise NotFoundError("auto-labels", run)
    return _run(found)


def list_auto_runs(store: Store, project: str) -> list[RunRow]:
    """Runs of a project, the newest first."""
    rows = t.auto_runs
    query = sa.select(rows).where(rows.c.project == project).order_by(rows.c.number.desc())
    with store.reading() as connection:
        return [_run(one) for one in connection.execute(query)]


def standing_run(store: Store, project: str, question: str | None = None) -> RunRow | None:
    """The newest run that no other replaced; None where there is none."""
    for one in list_auto_runs(store, project):
        if one.state != REPLACED and question in {None, one.question}:
            return one
    return None


def _run(row: sa.Row[Any]) -> RunRow:
    kept = dict(row._mapping)
    return RunRow(**(kept | {"settings": json.loads(kept["settings"])}))


def labels_of_run(store: Store, run: str) -> list[LabelRow]:
    """All labels of a run, in their order; those of cases that were read since, too."""
    rows = t.auto_labels
    query = sa.select(rows).where(rows.c.run == run).order_by(rows.c.place)
    with store.reading() as connection:
        return [_label(one) for one in connection.execute(query)]


def labels_of_cases(store: Store, run: str, cases: Sequence[str]) -> list[LabelRow]:
    """Labels of some cases; those that have none in the run are left out."""
    rows = t.auto_labels
    found: list[LabelRow] = []
    with store.reading() as connection:
        for start in range(0, len(cases), 500):
            part = rows.c.case_id.in_(cases[start : start + 500])
            query = sa.select(rows).where(rows.c.run == run, part).order_by(rows.c.place)
            found += [_label(one) for one in connection.execute(query)]
    return found


def labels_unread_at(store: Store, run: str, event: int) -> list[LabelRow]:
    """Labels of the cases that nobody had read when this event of the log was the last."""
    rows, reads = t.auto_labels, t.reads.c
    before = sa.exists().where(reads.case_id == rows.c.case_id, reads.event <= event)
    query = sa.select(rows).where(rows.c.run == run, ~before).order_by(rows.c.place)
    with store.reading() as connection:
        return [_label(one) for one in connection.execute(query)]


def _label(row: sa.Row[Any]) -> LabelRow:
    kept = dict(row._mapping)
    kept["case"] = kept.pop("case_id")
    return LabelRow(**kept)


def unread_labels(store: Store, run: str, label: str, *, limit: int) -> list[LabelRow]:
    """Labels of a class that nobody looked at yet, most doubtful first, cases read since left out.

    Those that a reviewer sent to a reader are not among them.
    """
    rows = t.auto_labels
    query = (
        sa.select(rows)
        .where(rows.c.run == run, rows.c.label == label, rows.c.state == PROPOSED, unread())
        .order_by(rows.c.probability, rows.c.place)
        .limit(limit)
    )
    with store.reading() as connection:
        return [_label(one) for one in connection.execute(query)]


def unread() -> sa.ColumnElement[bool]:
    """Nobody read the case of the label."""
    return ~sa.exists().where(t.reads.c.case_id == t.auto_labels.c.case_id)


def tier_of(row: LabelRow) -> int:
    """Tier of a label as it stands: the surest where somebody looked at it, -1 turned down."""
    if row.state == TURNED_DOWN:
        return -1
    return 0 if row.who else row.tier


def read_cases(store: Store, project: str) -> frozenset[str]:
    """Cases that somebody read, and gold cases, whose answer is known."""
    gold = t.gold.c
    queries = (
        sa.select(t.reads.c.case_id).where(t.reads.c.project == project).distinct(),
        sa.select(gold.case_id).where(gold.project == project, gold.state == "active"),
    )
    with store.reading() as connection:
        return frozenset(one for query in queries for one in connection.scalars(query))


def count_labels(store: Store, run: str) -> dict[tuple[str, str, bool], int]:
    """(label, state, stands by its threshold) -> number of labels of cases that nobody read."""
    rows = t.auto_labels.c
    sure = sa.case((rows.tier >= 0, 1), else_=0)
    query = sa.select(rows.label, rows.state, sure, sa.func.count())
    query = query.where(rows.run == run, unread()).group_by(rows.label, rows.state, sure)
    with store.reading() as connection:
        return {
            (label, state, bool(tier)): int(n)
            for label, state, tier, n in connection.execute(query)
        }


def review(
    store: Store, run: str, changes: Sequence[Change], by: str, *, seconds: float = 0.0
) -> int:
    """Keep what a reviewer said of labels, all of it or none; return how many changed.

    A case that somebody read meanwhile keeps its read: the word on its label is left out.

    Args:
        seconds: of active review since the last word of this reviewer.
    Raises:
        ConflictError: the labels are frozen for an audit, or replaced.
        NotFoundError: no such run, or a case that is not in it.
    """
    known: dict[str, sa.Row[Any]] = {}
    wanted = {one.case: one for one in changes}
    with store.writing() as connection:
        found = run_of(connection, run)
        require_open(found)
        names = sorted(wanted)
        rows = t.auto_labels
        for start in range(0, len(names), 500):
            part = rows.c.case_id.in_(names[start : start + 500])
            query = sa.select(rows, unread().label("unread")).where(rows.c.run == run, part)
            known |= {one.case_id: one for one in connection.execute(query)}
        if missing := set(names) - set(known):
            raise NotFoundError("auto-label of case", min(missing))
        changed = [
            [one.case, one.label, one.state]
            for one in wanted.values()
            if known[one.case].unread
            and (known[one.case].label, known[one.case].state) != (one.label, one.state)
        ]
        if changed or seconds > 0:
            body = {"run": run, "rows": changed, "seconds": seconds}
            record(connection, store.now(), by, [("auto_labels_reviewed", found.project, body)])
    return len(changed)


def require_open(run: RunRow) -> None:
    """Refuse to change labels that an audit rests on.

    Raises:
        ConflictError: the run is frozen, certified or replaced.
    """
    if run.state not in {OPEN, REFUSED}:
        why = {
            FROZEN: "are frozen: an audit of them is under way, and a change would void it",
            CERTIFIED: "are certified as they are",
            REPLACED: "were replaced by newer ones",
        }
        raise ConflictError("auto-labels", why[run.state])


def accept_rest(  # noqa: PLR0917 - what was shown, and what was confirmed
    store: Store, run: str, label: str, count: int, by: str, seconds: float = 0.0
) -> int:
    """Accept all labels of a class that nobody looked at, if they are as many as was confirmed.

    Raises:
        ConflictError: they are more or fewer by now.
    """
    whole("count", count, low=0, high=10**9)
    rows = t.auto_labels.c
    query = sa.select(rows.case_id).where(
        rows.run == run, rows.label == label, rows.state == PROPOSED, unread()
    )
    with store.writing() as connection:
        found = run_of(connection, run)
        require_open(found)
        cases = list(connection.scalars(query.order_by(rows.place)))
        if len(cases) != count:
            words = f"are {len(cases):,} by now, not {count:,}: look at them again"
            raise ConflictError("labels left", words)
        happened = []
        for start in range(0, len(cases), _CHUNK):
            part = [[case, label, ACCEPTED] for case in cases[start : start + _CHUNK]]
            body = {"run": run, "rows": part, "seconds": 0.0 if start else seconds, "rest": True}
            happened.append(("auto_labels_reviewed", found.project, body))
        if happened:
            record(connection, store.now(), by, happened)
    return len(cases)


def reviewers(store: Store, run: str) -> dict[str, tuple[int, float]]:
    """Who reviewed a run: how many labels each looked at, and seconds."""
    rows = t.auto_reviews.c
    query = sa.select(rows.reader, sa.func.sum(rows.labels), sa.func.sum(rows.seconds))
    with store.reading() as connection:
        found = connection.execute(query.where(rows.run == run).group_by(rows.reader)).all()
    return {who: (int(count), float(seconds)) for who, count, seconds in found}


def review_times(store: Store, project: str, *, limit: int) -> list[tuple[int, float]]:
    """Of the last reviews that took any time: labels looked at one by one, and their seconds."""
    rows = t.auto_reviews.c
    query = (
        sa.select(rows.looked_at, rows.seconds)
        .where(rows.project == project, rows.looked_at > 0, rows.seconds > 0)
        .order_by(rows.event.desc())
        .limit(limit)
    )
    with store.reading() as connection:
        return [(int(one.looked_at), float(one.seconds)) for one in connection.execute(query)]


def review_seconds(store: Store, project: str) -> dict[str, tuple[int, float]]:
    """As :func:`reviewers`, of all runs of a project; "the rest" in one go counts no label."""
    rows = t.auto_reviews.c
    query = sa.select(rows.reader, sa.func.sum(rows.looked_at), sa.func.sum(rows.seconds))
    with store.reading() as connection:
        found = connection.execute(query.where(rows.project == project).group_by(rows.reader)).all()
    return {who: (int(count), float(seconds)) for who, count, seconds in found}
