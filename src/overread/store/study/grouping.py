"""Whose cases are: a patient that is stated later, and the groups that a case had before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import plain_text
from overread.store.engine import Store
from overread.store.errors import NotFoundError

_GROUPED = "cases_grouped"
_PAGE = 500


def group_cases(store: Store, project: str, groups: Mapping[str, str], by: str) -> int:
    """Say of which patient cases are; one event, with what each had before.

    Args:
        groups: case to the keyed hash of its patient; those that have it already stay as they are.
        by: the user's id, or "system".
    Returns:
        How many cases changed.
    Raises:
        NotFoundError: a case is not of the project.
    """
    for group in groups.values():
        plain_text("group", group, longest=128)
    with store.writing() as connection:
        now = _groups(connection, project, list(groups))
        strange = next((case for case in groups if case not in now), None)
        if strange is not None:
            raise NotFoundError("case", strange)
        changed = [[case, new, now[case]] for case, new in groups.items() if now[case] != new]
        if changed:
            record(connection, store.now(), by, [(_GROUPED, project, {"cases": changed})])
    return len(changed)


def grouped_since(store: Store, project: str, event: int) -> bool:
    """Whether groups of cases changed after an event; a look at the events since, no more."""
    rows = t.events.c
    query = sa.select(rows.n).where(
        rows.n > event, rows.project == project, rows.action == _GROUPED
    )
    with store.reading() as connection:
        return connection.scalar(query.limit(1)) is not None


def groups_at(store: Store, project: str, event: int) -> dict[str, str]:
    """Of the cases whose groups changed after an event, the group that each had then."""
    rows = t.events.c
    query = sa.select(rows.body).where(
        rows.n > event, rows.project == project, rows.action == _GROUPED
    )
    made: dict[str, str] = {}
    with store.reading() as connection:
        for body in connection.scalars(query.order_by(rows.n)):
            for case, _, before in json.loads(body)["cases"]:
                made.setdefault(case, before)
    return made


def _groups(connection: sa.Connection, project: str, cases: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for start in range(0, len(cases), _PAGE):
        part = t.cases.c.id.in_(cases[start : start + _PAGE])
        query = sa.select(t.cases.c.id, t.cases.c.group_key).where(part)
        rows = connection.execute(query.where(t.cases.c.project == project))
        found |= {row.id: row.group_key for row in rows}
    return found
