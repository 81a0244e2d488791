"""What the page of a plan counts over all cases: parts, gaps, groups.

A look at all of it takes a second at fifty thousand cases: there it is counted beside the page, and
the page shows the last count (:mod:`overread.web.beside`).
"""

from __future__ import annotations

from dataclasses import dataclass

from overread.app.study.plan_groups import Groups, project_groups
from overread.store import Store, head
from overread.store.study.cases import count_cases
from overread.store.work.plan_view import used_modalities
from overread.store.work.plans import PlanGaps, PlanPart, get_plan, plan_gaps, plan_parts

FEW_CASES = 3_000
"""Up to so many cases are counted while somebody waits for the page."""


@dataclass(frozen=True, slots=True)
class Counts:
    """All that is counted.

    Args:
        until: last event of the log that is in it.
        plan: id of the plan in force; "" where there is none.
        parts, gaps: of it; gaps is None without a plan.
        modalities: of the cases, "" left out.
        groups: who is in the images.
    """

    until: int
    plan: str
    parts: tuple[PlanPart, ...]
    gaps: PlanGaps | None
    modalities: tuple[str, ...]
    groups: Groups


@dataclass(slots=True, eq=False)
class ProjectCounts:
    """The last count of a project; one thread at a time."""

    project: str
    counts: Counts | None = None

    def catch_up(self, store: Store) -> None:
        """Count anew."""
        self.counts = counted(store, self.project)


def is_small(store: Store, project: str) -> bool:
    """Whether it can be counted while somebody waits."""
    return count_cases(store, project) <= FEW_CASES


def counted(store: Store, project: str) -> Counts:
    """Count it now."""
    until, plan = head(store).n, get_plan(store, project)
    gold = plan is not None and bool(plan.settings["wish"]["gold"])
    return Counts(
        until,
        "" if plan is None else plan.id,
        () if plan is None else tuple(plan_parts(store, project)),
        None if plan is None else plan_gaps(store, project, gold=gold),
        tuple(used_modalities(store, project)),
        project_groups(store, project),
    )
