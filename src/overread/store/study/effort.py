"""Reading time as it was spent, and what the lead reckons with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import canonical_json
from overread.store.engine import Store
from overread.store.errors import NotFoundError


def set_effort_terms(store: Store, project: str, terms: Mapping[str, Any], by: str) -> None:
    """Keep what the effort of a project is reckoned with; the same again is no event.

    Args:
        terms: names -> numbers or words.
    Raises:
        NotFoundError: no such project.
    """
    rows = t.effort_terms.c
    with store.writing() as connection:
        if connection.scalar(sa.select(t.projects.c.id).where(t.projects.c.id == project)) is None:
            raise NotFoundError("project", project)
        before = connection.scalar(sa.select(rows.terms).where(rows.project == project))
        if before != canonical_json("terms", dict(terms)):
            body = {"terms": dict(terms)}
            record(connection, store.now(), by, [("effort_terms_set", project, body)])


def get_effort_terms(store: Store, project: str) -> dict[str, Any]:
    """What the effort is reckoned with; {} where nobody said."""
    rows = t.effort_terms.c
    with store.reading() as connection:
        found = connection.scalar(sa.select(rows.terms).where(rows.project == project))
    return {} if found is None else dict(json.loads(found))


@dataclass(frozen=True, slots=True)
class Spent:
    """Time of one submission.

    Attributes:
        event: its number in the log.
        kind: modality of the case, "" where none is known.
        again: asked for once more, or a repeat.
    """

    event: int
    reader: str
    kind: str
    revision: int
    again: bool
    surplus: bool
    seconds: float
    submitted: str


_READS, _CASES = t.reads.c, t.cases.c
_SPENT = (
    sa.select(
        _READS.event, _READS.reader, _CASES.modality, _READS.revision, _READS.round,
        _READS.surplus, _READS.seconds, _READS.submitted,
    )
    .join(t.cases, _CASES.id == _READS.case_id)
    .where(_READS.project == sa.bindparam("p"), _READS.event > sa.bindparam("after"))
    .order_by(_READS.event)
    .limit(sa.bindparam("n", type_=sa.Integer))
)  # fmt: skip


def spent(store: Store, project: str, *, after: int, limit: int) -> list[Spent]:
    """Time of a project's submissions behind an event, in their order."""
    with store.reading() as connection:
        found = connection.execute(_SPENT, {"p": project, "after": after, "n": limit}).all()
    return [
        Spent(
            one.event,
            one.reader,
            one.modality or "",
            one.revision,
            one.round > 0,
            one.surplus,
            one.seconds,
            one.submitted,
        )
        for one in found
    ]


def spent_rows(
    store: Store, project: str, *, after: int, limit: int
) -> Sequence[tuple[int, str, str, int, int, float, str]]:
    """The same bare, for whoever counts a million of them.

    Returns:
        (event, reader, modality, revision, round, seconds, day) of each.
    """
    with store.reading() as connection:
        cursor = connection.execute(_BARE, {"p": project, "after": after, "n": limit})
        return [tuple(row) for row in cursor]


_BARE = (
    sa.select(
        _READS.event, _READS.reader, sa.func.coalesce(_CASES.modality, ""), _READS.revision,
        _READS.round, _READS.seconds, sa.func.substr(_READS.submitted, 1, 10),
    )
    .join(t.cases, _CASES.id == _READS.case_id)
    .where(_READS.project == sa.bindparam("p"), _READS.event > sa.bindparam("after"))
    .order_by(_READS.event)
    .limit(sa.bindparam("n", type_=sa.Integer))
)  # fmt: skip


def last_answers(store: Store, project: str, *, limit: int) -> list[tuple[dict[str, Any], float]]:
    """The last first answers of a project with their seconds."""
    query = (
        sa.select(_READS.answer, _READS.seconds)
        .where(_READS.project == project, _READS.revision == 1, ~_READS.cannot_be_read)
        .order_by(_READS.event.desc())
        .limit(limit)
    )
    with store.reading() as connection:
        return [(json.loads(one.answer), one.seconds) for one in connection.execute(query)]


def trial_seconds(store: Store, project: str) -> dict[str, list[float]]:
    """Reader -> seconds of each case of their dry runs."""
    trials = t.trials.c
    query = sa.select(trials.reader, trials.seconds).where(
        trials.project == project, trials.submitted.is_not(None)
    )
    return _by_person(store, query)


def adjudication_seconds(store: Store, project: str) -> dict[str, list[float]]:
    """Senior -> seconds of each case that they decided or sent back."""
    rows = t.adjudications.c
    query = sa.select(rows.senior, rows.seconds).where(
        rows.project == project, rows.state.in_(("decided", "sent_back"))
    )
    return _by_person(store, query)


def _by_person(store: Store, query: sa.Select[Any]) -> dict[str, list[float]]:
    made: dict[str, list[float]] = {}
    with store.reading() as connection:
        for row in connection.execute(query):
            person, seconds = tuple(row)
            made.setdefault(str(person), []).append(float(seconds))
    return made
