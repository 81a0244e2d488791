"""What a new plan leaves as it is: reads that are made or in a hand, in the plan's own shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from overread.app.study.plan_ground import Ground
from overread.planning.plan import ROLES, Balance, Plan, Role
from overread.store.work.plan_view import FIRST, ViewedTask

_LAST = 1 << 62  # behind every event
NO_BALANCE = Balance((0, 0), {}, (0, 0), "")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a plan.

    Args:
        task: that it is; "" where there is none yet.
        looked: event of its last submission; 0 before one.
    """

    case: str
    reader: str
    batch: int
    sub_batch: int
    position: int
    role: str
    task: str = ""
    looked: int = 0


@dataclass(slots=True, eq=False)
class SoFar:
    """What is there.

    Args:
        done: rows that stay, each with its task.
        open: rows of the plan in force that are not done and are planned again.
        loose: ids of tasks to be used for other readers.
        settled: ids of tasks that the planner knows, whether they are in the plan or not.
        seen: (case, reader) who had it outside of the plan.
        left_out: ids of tasks of the plan in force that are in no plan any more.
    """

    done: list[Row] = field(default_factory=list[Row])
    open: list[Row] = field(default_factory=list[Row])
    loose: list[str] = field(default_factory=list[str])
    settled: set[str] = field(default_factory=set[str])
    seen: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    left_out: list[str] = field(default_factory=list[str])


def so_far(ground: Ground, *, keep: bool) -> SoFar:
    """Sort the tasks of a project into what stays and what is planned again.

    Args:
        ground: see :class:`Ground`.
        keep: cases keep their places in the plan in force; else they are dealt anew.
    """
    made = SoFar()
    here = {one.name for one in ground.readers}
    ordinary, gold = set(ground.cases.names), set(ground.gold.names)
    for task in ground.tasks:
        case = ground.case_names.get(task.case, "")
        if case in ordinary or case in gold:
            _sort(made, ground, task, case, here, is_gold=case in gold, keep=keep)
        elif task.role and not task.withdrawable:
            made.left_out.append(task.id)
    made.done = _in_order(made.done)
    return made


def _sort(
    made: SoFar,
    ground: Ground,
    task: ViewedTask,
    case: str,
    here: set[str],
    *,
    is_gold: bool,
    keep: bool,
) -> None:
    who = ground.reader_names.get(task.reader or task.planned_for or "", "")
    if not task.withdrawable:
        made.settled.add(task.id)
    if task.stays_apart:
        if who:
            made.seen.add((case, who))
        return
    row = _row(task, case, who, is_gold=is_gold, keep=keep)
    stays = who in here and (case, who) not in ground.barred
    if task.aside:
        made.seen.add((case, who))
        if keep and task.role in FIRST:
            made.open.append(row)
    elif task.withdrawable:
        if keep and task.role in FIRST and not is_gold:
            made.open.append(row)
    elif _is_kept(task, stays=stays):
        _keep(made, row, task, who, is_gold=is_gold)
    else:
        made.loose.append(task.id)
        if keep and task.role in FIRST and not is_gold:
            made.open.append(row)


def _is_kept(task: ViewedTask, *, stays: bool) -> bool:
    """Done, in a hand, or given back by somebody who will get it again."""
    if task.state == "done" or (task.state == "claimed" and not task.run_out):
        return True
    mine = task.state == "claimed" or (task.state == "open" and task.planned_for is not None)
    return mine and stays


def _keep(made: SoFar, row: Row, task: ViewedTask, who: str, *, is_gold: bool) -> None:
    if is_gold and task.role != "gold":
        made.seen.add((row.case, who))
        if task.role:
            made.left_out.append(task.id)
        return
    made.done.append(row)


def _row(task: ViewedTask, case: str, who: str, *, is_gold: bool, keep: bool) -> Row:
    role = "repeat" if task.round else "gold" if is_gold else task.role
    if role not in {"repeat", "gold", *(FIRST if keep else ())}:
        role = ""  # of the case, once it has a place
    place = (task.batch, task.sub_batch) if keep or role in {"repeat", "gold"} else (0, 0)
    return Row(case, who, *place, task.rank, role, task.id, task.looked)


def _in_order(rows: Sequence[Row]) -> list[Row]:
    """Positions of each reader rising in the order of their last looks, one read twice left out.

    What is in a hand is looked at last: a hidden repeat counts its distance from there.
    """
    last: dict[str, int] = {}
    had: set[tuple[str, str, bool]] = set()
    made: list[Row] = []
    for one in sorted(rows, key=lambda row: (row.reader, row.looked or _LAST, row.position)):
        key = one.case, one.reader, one.role == "repeat"
        if key in had:
            continue
        had.add(key)
        last[one.reader] = max(last.get(one.reader, 0) + 1, one.position)
        made.append(Row(one.case, one.reader, one.batch, one.sub_batch, last[one.reader],
                        one.role, one.task, one.looked))  # fmt: skip
    return made


def plan_of_rows(rows: Sequence[Row]) -> Plan:
    """A plan of the planning core."""
    cases = tuple(sorted({one.case for one in rows}))
    readers = tuple(sorted({one.reader for one in rows}))
    place = {name: at for at, name in enumerate(cases)}
    seat = {name: at for at, name in enumerate(readers)}

    def whole(values: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.array(values, dtype=np.int64)

    return Plan(
        cases,
        readers,
        whole([place[one.case] for one in rows]),
        whole([seat[one.reader] for one in rows]),
        whole([one.batch for one in rows]),
        whole([one.sub_batch for one in rows]),
        whole([one.position for one in rows]),
        whole([ROLES.index(Role(one.role)) for one in rows]),
        NO_BALANCE,
    )


def rows_of_plan(plan: Plan) -> list[Row]:
    """The rows of a plan, by reader and position."""
    columns = (plan.case, plan.reader, plan.batch, plan.sub_batch, plan.position, plan.role)
    return [
        Row(plan.cases[case], plan.readers[reader], batch, sub, position, ROLES[role].value)
        for case, reader, batch, sub, position, role in zip(
            *(one.tolist() for one in columns), strict=True
        )
    ]
