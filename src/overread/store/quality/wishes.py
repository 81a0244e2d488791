"""Cases that a lead sends to adjudication: seniors see them first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.engine import Store
from overread.store.errors import NotFoundError

_AT_ONCE = 500


def wish_adjudication(store: Store, project: str, cases: Sequence[str], by: str) -> int:
    """Send cases to adjudication; those that were sent, or have a standard, are left as they are.

    Returns:
        How many are new.
    Raises:
        NotFoundError: a case is not of the project.
    """
    wanted = list(dict.fromkeys(cases))
    with store.writing() as connection:
        known, had = set[str](), set[str]()
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            here = sa.select(t.cases.c.id).where(
                t.cases.c.project == project, t.cases.c.id.in_(part)
            )
            known |= set(connection.scalars(here))
            had |= set(connection.scalars(_wished(part)))
            had |= set(connection.scalars(_decided(part)))
        strange = [one for one in wanted if one not in known]
        if strange:
            raise NotFoundError("case", strange[0])
        new = [one for one in wanted if one not in had]
        if new:
            record(connection, store.now(), by, [("adjudication_wished", project, {"cases": new})])
    return len(new)


def wished_cases(store: Store, project: str) -> set[str]:
    """Cases of a project that were sent and are not decided."""
    wishes = t.adjudication_wishes.c
    done = sa.exists().where(t.standards.c.case_id == wishes.case_id, t.standards.c.stands)
    query = sa.select(wishes.case_id).where(wishes.project == project, ~done)
    with store.reading() as connection:
        return {str(one) for one in connection.scalars(query)}


def decided_among(store: Store, cases: Sequence[str]) -> set[str]:
    """Those of these cases that have a reference standard."""
    found: set[str] = set()
    with store.reading() as connection:
        for start in range(0, len(cases), _AT_ONCE):
            found |= set(connection.scalars(_decided(cases[start : start + _AT_ONCE])))
    return found


def _wished(cases: Sequence[str]) -> sa.Select[Any]:
    wishes = t.adjudication_wishes.c
    return sa.select(wishes.case_id).where(wishes.case_id.in_(cases))


def _decided(cases: Sequence[str]) -> sa.Select[Any]:
    rows = t.standards.c
    return sa.select(rows.case_id).where(rows.case_id.in_(cases), rows.stands)
