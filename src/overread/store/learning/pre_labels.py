"""Pre-labels: answers that a model proposes, hints of where objects may lie, and who saw them.

All versions are kept; the newest of a case and question is what is shown. What was shown is copied
into the log with the reader, the time and whether they had marked anything before.

Some reads must not know of it, whatever the protocol says: repeats and reads asked for again, the
cases of a check, gold, cases of an audit that runs, and those held back to test a model.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import canonical_json, plain_text
from overread.store.engine import Store
from overread.store.errors import NotFoundError
from overread.store.people.grants import granted

PRE_LABEL, HINTS = "pre-label", "hints"
"""What may be shown."""

ASKED, SHOWN = "asked", "shown"
"""How: the reader asked for it, or the protocol shows it at once."""

_PAGE = 200
_MOST_CHARACTERS = 4_000_000  # of one event


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a model proposes for a case and question.

    Attributes:
        case: its id.
        value: in the shape of a read's answer to the question.
        confidence: 0 to 1; None where the model tells none.
        model, version: that proposes it; "" in a proposal to be added.
        since: when it was brought; event: its number in the log.
        withdrawn: number of the event that took it back; 0 while it stands.
    """

    case: str
    question: str
    value: Any
    confidence: float | None = None
    model: str = ""
    version: str = ""
    since: str = ""
    event: int = 0
    withdrawn: int = 0


@dataclass(frozen=True, slots=True)
class Hints:
    """Places of a case that stand out. Attributes: regions: frame, x1, y1, x2, y2, score each."""

    case: str
    regions: tuple[Mapping[str, float], ...]


@dataclass(frozen=True, slots=True)
class ShownRow:
    """What a reader was shown of a task.

    Attributes:
        what: :data:`PRE_LABEL` or :data:`HINTS`.
        how: :data:`ASKED` or :data:`SHOWN`.
        marked: they had marked something before.
        shown: of a pre-label its question, value, model, version and confidence; of hints the
            regions.
    """

    task: str
    reader: str
    what: str
    case: str
    how: str
    marked: bool
    shown: tuple[Mapping[str, Any], ...]
    since: str
    event: int


@dataclass(frozen=True, slots=True)
class Brought:
    """How many cases have a newest pre-label of a model."""

    question: str
    model: str
    version: str
    cases: int
    since: str


def add_pre_labels(
    store: Store, project: str, proposals: Sequence[Proposal], *, model: str, version: str, by: str
) -> int:
    """Keep what a model proposes, some hundred cases a transaction; return how many cases.

    Raises:
        InputError: a confidence that is none, a value that is not JSON, a case and question twice.
        NotFoundError: a case is not of the project; nothing was kept.
    """
    plain_text("model", model, longest=200)
    plain_text("version", version, longest=200)
    rows = [_checked(one) for one in proposals]
    if len({(case, question) for case, question, *_ in rows}) < len(rows):
        raise InputError("pre-labels", "answer a case and question once", "two answers")
    cases = list(dict.fromkeys(one.case for one in proposals))
    _require_cases(store, project, cases)
    for part in _parts(rows):
        body = {"model": model, "version": version, "labels": part}
        with store.writing() as connection:
            record(connection, store.now(), by, [("pre_labels_added", project, body)])
    return len(cases)


def add_hints(
    store: Store, project: str, hints: Sequence[Hints], *, method: str, by: str = "system"
) -> None:
    """Keep where objects may lie; what was found before in these cases goes.

    Raises:
        NotFoundError: a case is not of the project; nothing was kept.
    """
    plain_text("method", method, longest=200)
    _require_cases(store, project, [one.case for one in hints])
    for part in _parts([[one.case, [dict(each) for each in one.regions]] for one in hints]):
        with store.writing() as connection:
            body = {"method": method, "hints": part}
            record(connection, store.now(), by, [("hints_found", project, body)])


def pre_labels_of(
    store: Store, cases: Sequence[str], *, withdrawn: bool = False
) -> dict[str, list[Proposal]]:
    """All pre-labels of cases, oldest first: for leads and for what is shown by the protocol.

    Args:
        withdrawn: those too that were taken back since.
    """
    rows, found = t.pre_labels.c, dict[str, list[Proposal]]()
    with store.reading() as connection:
        for start in range(0, len(cases), _PAGE):
            query = sa.select(t.pre_labels).where(rows.case_id.in_(cases[start : start + _PAGE]))
            query = query if withdrawn else query.where(rows.withdrawn == 0)
            for row in connection.execute(query.order_by(rows.event, rows.question)):
                found.setdefault(row.case_id, []).append(_proposal(row))
    return found


def hints_of(store: Store, case: str) -> Hints | None:
    """Where objects may lie in a case; None before anybody looked."""
    query = sa.select(t.object_hints.c.regions).where(t.object_hints.c.case_id == case)
    with store.reading() as connection:
        found = connection.scalar(query)
    return None if found is None else Hints(case, tuple(json.loads(found)))


def brought(store: Store, project: str) -> list[Brought]:
    """What models have brought to a project, newest first."""
    rows = t.pre_labels.c
    last = (
        sa.select(rows.case_id, rows.question, sa.func.max(rows.event).label("event"))
        .where(rows.project == project, rows.withdrawn == 0)
        .group_by(rows.case_id, rows.question)
        .subquery()
    )
    same = (last.c.case_id == rows.case_id) & (last.c.question == rows.question)
    query = (
        sa.select(rows.question, rows.model, rows.version, sa.func.count(), sa.func.max(rows.since))
        .join(last, same & (last.c.event == rows.event))
        .group_by(rows.question, rows.model, rows.version)
        .order_by(sa.func.max(rows.event).desc(), rows.question)
    )
    with store.reading() as connection:
        return [Brought(*row) for row in connection.execute(query)]


def last_pre_label(store: Store, project: str) -> int:
    """Number of the last event that brought or withdrew pre-labels of a project; 0 for none."""
    rows = t.pre_labels.c
    newest = [
        sa.select(one).where(rows.project == project).order_by(one.desc()).limit(1)
        for one in (rows.event, rows.withdrawn)
    ]
    with store.reading() as connection:
        return max(int(connection.scalar(one) or 0) for one in newest)


def may_see(store: Store, task: str, reader: str) -> str | None:
    """The case of a reader's task if they may be shown something of it; None if not.

    They may while it is in their hand and unread, unless it must be read blind.

    Raises:
        NotFoundError: the task never was this reader's.
    """
    with store.reading() as connection:
        row = granted(connection, task, reader)
        return None if _is_blind(connection, row, reader) else str(row.case_id)


def blind_cases(store: Store, project: str) -> set[str]:
    """Cases that are or were read blind by a rule, not by lot: gold, audited, held back."""
    gold, audits, asked = t.gold.c, t.audits.c, t.learning_asked.c
    queries = (
        sa.select(gold.case_id).where(gold.project == project),
        sa.select(t.audit_cases.c.case_id)
        .join(t.audits, audits.id == t.audit_cases.c.audit)
        .where(audits.project == project),
        sa.select(asked.case_id).where(asked.project == project, asked.why == "held back"),
    )
    with store.reading() as connection:
        return {str(case) for query in queries for case in connection.scalars(query)}


def keep_shown(
    store: Store,
    task: str,
    reader: str,
    shown: Sequence[Mapping[str, Any]],
    *,
    what: str = PRE_LABEL,
    how: str = ASKED,
    marked: bool = False,
) -> ShownRow | None:
    """Log what a reader is shown, before they are; what they were shown before stands.

    Args:
        shown: see :class:`ShownRow`.
        what, how, marked: see there.
    Returns:
        What they are shown; None where they must not be.
    Raises:
        NotFoundError: the task never was this reader's.
    """
    if what not in {PRE_LABEL, HINTS} or how not in {ASKED, SHOWN}:
        raise InputError("what is shown", f"be {PRE_LABEL} or {HINTS}", "something else")
    with store.writing() as connection:
        row = granted(connection, task, reader)
        if _is_blind(connection, row, reader):
            return None
        kept = _shown_before(connection, task, reader, what)
        if kept is None:
            body = {"task": task, "reader": reader, "what": what, "case_id": row.case_id}
            body |= {"how": how, "marked": marked, "shown": [dict(one) for one in shown]}
            record(connection, store.now(), reader, [("pre_label_shown", row.project, body)])
            kept = _shown_before(connection, task, reader, what)
    return kept


def shown_of_cases(
    store: Store, cases: Sequence[str], *, what: str = PRE_LABEL
) -> dict[tuple[str, str], ShownRow]:
    """(task, reader) -> the pre-label (or the hints) that they were shown, of these cases."""
    rows, found = t.pre_labels_shown.c, dict[tuple[str, str], ShownRow]()
    with store.reading() as connection:
        for start in range(0, len(cases), _PAGE):
            part = rows.case_id.in_(cases[start : start + _PAGE])
            query = sa.select(t.pre_labels_shown).where(part, rows.what == what)
            for row in connection.execute(query):
                found[row.task, row.reader] = _shown_row(row)
    return found


def each_shown(store: Store, project: str, *, what: str = PRE_LABEL) -> Iterator[ShownRow]:
    """Everything that readers of a project were shown, in order: for leads and reports."""
    rows, after = t.pre_labels_shown.c, 0
    while True:
        here = (rows.project == project) & (rows.what == what) & (rows.event > after)
        query = sa.select(t.pre_labels_shown).where(here).order_by(rows.event).limit(_PAGE)
        with store.reading() as connection:
            page = connection.execute(query).all()
        yield from (_shown_row(row) for row in page)
        if len(page) < _PAGE:
            return
        after = page[-1].event


def _checked(one: Proposal) -> list[Any]:
    plain_text("question", one.question, longest=100)
    sure = one.confidence
    if sure is not None and not (math.isfinite(sure) and 0 <= sure <= 1):
        raise InputError("confidence", "be 0 to 1", sure)
    canonical_json("pre-label", one.value)
    return [one.case, one.question, one.value, None if sure is None else float(sure)]


def _parts(rows: Sequence[list[Any]]) -> Iterator[list[list[Any]]]:
    """Rows in parts that one event can hold."""
    part: list[list[Any]] = []
    size = 0
    for row in rows:
        more = len(canonical_json("row", row))
        if part and (len(part) == _PAGE or size + more > _MOST_CHARACTERS):
            yield part
            part, size = [], 0
        part.append(row)
        size += more
    if part:
        yield part


def _require_cases(store: Store, project: str, cases: Sequence[str]) -> None:
    known: set[str] = set()
    with store.reading() as connection:
        for start in range(0, len(cases), _PAGE):
            part = t.cases.c.id.in_(cases[start : start + _PAGE])
            query = sa.select(t.cases.c.id).where(part, t.cases.c.project == project)
            known |= set(connection.scalars(query))
    if set(cases) - known:
        raise NotFoundError("case", min(set(cases) - known))


def _is_blind(connection: sa.Connection, task: sa.Row[Any], reader: str) -> bool:
    """Not theirs to read now, read already, or one of those that must not know."""
    if task.round or task.state != "claimed" or task.reader != reader:
        return True
    return bool(connection.scalar(_BLIND, {"t": task.id, "c": task.case_id, "r": reader}))


_CASE: sa.BindParameter[str] = sa.bindparam("c")
_BLIND = sa.select(
    sa.or_(
        sa.exists().where(t.gold.c.case_id == _CASE, t.gold.c.state == "active"),
        sa.exists().where(t.checks.c.task == sa.bindparam("t")),
        sa.exists().where(
            t.audit_cases.c.case_id == _CASE,
            t.audit_cases.c.audit == t.audits.c.id,
            t.audits.c.state == "running",
        ),
        sa.exists().where(
            t.learning_asked.c.case_id == _CASE, t.learning_asked.c.why == "held back"
        ),
        sa.exists().where(t.reads.c.case_id == _CASE, t.reads.c.reader == sa.bindparam("r")),
    )
)


def _shown_before(connection: sa.Connection, task: str, reader: str, what: str) -> ShownRow | None:
    rows = t.pre_labels_shown.c
    this = (rows.task == task) & (rows.reader == reader) & (rows.what == what)
    found = connection.execute(sa.select(t.pre_labels_shown).where(this)).first()
    return None if found is None else _shown_row(found)


def _shown_row(row: sa.Row[Any]) -> ShownRow:
    kept = dict(row._mapping)
    kept.pop("project")
    kept["case"] = kept.pop("case_id")
    return ShownRow(**(kept | {"shown": tuple(json.loads(kept["shown"]))}))


def _proposal(row: sa.Row[Any]) -> Proposal:
    sure = None if row.confidence is None else float(row.confidence)
    value = json.loads(row.value)
    more = (row.model, row.version, row.since, row.event, row.withdrawn)
    return Proposal(row.case_id, row.question, value, sure, *more)
