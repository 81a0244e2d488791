"""Counts of large projects beside the page of their plan, see :mod:`overread.web.beside`."""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

from overread.app.study.plan_counts import Counts, ProjectCounts, counted, is_small
from overread.store import Store, head
from overread.store.work.plans import get_plan
from overread.web.beside import Beside

PlanCounts: TypeAlias = Beside[ProjectCounts]

new_counts = partial(Beside, ProjectCounts, "counts of a plan", 0.1)


def counts_of(known: PlanCounts, store: Store, project: str) -> Counts | None:
    """What is counted of a plan: now where that is quick, else by the last look beside the page.

    None before the first count, and of another plan than the one in force.
    """
    if is_small(store, project):
        return counted(store, project)
    kept = known.known(project)
    counts = kept.counts if kept else None
    if counts is None or counts.until < head(store).n:
        known.wake(store, project)
    plan = get_plan(store, project)
    return counts if counts and counts.plan == (plan.id if plan else "") else None
