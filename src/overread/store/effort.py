"""Reading time as it was spent, and what the lead reckons with."""

from __future__ import annotations

import json
from collections.abc import Mapping

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.apply import record
from overread.store.canonical import canonical_json
from overread.store.engine import Store
from overread.store.errors import NotFoundError


def set_effort_terms(store: Store, project: str, terms: Mapping[str, float], by: str) -> None:
    """Keep what the effort of a project is reckoned with; the same again is no event.

    Args:
        terms: names -> numbers.
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


def get_effort_terms(store: Store, project: str) -> dict[str, float]:
    """What the effort is reckoned with; {} where nobody said."""
    rows = t.effort_terms.c
    with store.reading() as connection:
        found = connection.scalar(sa.select(rows.terms).where(rows.project == project))
    return {} if found is None else dict(json.loads(found))
