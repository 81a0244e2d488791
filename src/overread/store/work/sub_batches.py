"""Which sub-batch of the plan a case is of."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.engine import Store


def sub_batches(store: Store, cases: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Case -> (batch, sub-batch); cases that no plan holds are left out."""
    made: dict[str, tuple[int, int]] = {}
    of, tasks = t.planned.c, t.tasks.c
    query = sa.select(tasks.case_id, sa.func.min(of.batch), sa.func.min(of.sub_batch)).join(
        t.planned, of.task == tasks.id
    )
    for start in range(0, len(cases), 500):
        part = query.where(tasks.case_id.in_(cases[start : start + 500])).group_by(tasks.case_id)
        with store.reading() as connection:
            found = connection.execute(part).all()
        made |= {str(case): (int(batch), int(sub)) for case, batch, sub in found}
    return made
