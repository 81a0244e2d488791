"""Hints as they stand over many cases, and when they were last shown."""

from __future__ import annotations

import json
from collections.abc import Sequence

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.engine import Store
from overread.store.learning.pre_labels import HINTS, Hints

_PAGE = 200


def hints_of_cases(store: Store, cases: Sequence[str]) -> dict[str, tuple[str, Hints]]:
    """Case -> since when its hints stand, and the hints; cases nobody looked at have no entry."""
    rows, found = t.object_hints.c, dict[str, tuple[str, Hints]]()
    with store.reading() as connection:
        for start in range(0, len(cases), _PAGE):
            query = sa.select(rows.case_id, rows.since, rows.regions)
            part = rows.case_id.in_(cases[start : start + _PAGE])
            for case, since, regions in connection.execute(query.where(part)):
                found[case] = since, Hints(case, tuple(json.loads(regions)))
    return found


def last_hints_shown(store: Store, project: str) -> int:
    """Number of the last event that showed a reader hints of a project; 0 for none."""
    rows = t.pre_labels_shown.c
    here = (rows.project == project) & (rows.what == HINTS)
    query = sa.select(rows.event).where(here).order_by(rows.event.desc()).limit(1)
    with store.reading() as connection:
        return int(connection.scalar(query) or 0)
