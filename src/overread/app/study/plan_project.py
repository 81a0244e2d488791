"""The plan of a project: drawn up, looked at, written, and planned again when something changed.

A plan is drawn up outside of the store's turn, from a look at it, and written in one transaction;
what readers did in between stays theirs (:mod:`overread.store.work.plans`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from overread.app.study.plan_ground import Ground, ReaderWish, ground_of
from overread.app.study.plan_so_far import Row, SoFar, plan_of_rows, rows_of_plan, so_far
from overread.app.study.project_readers import who_reads
from overread.errors import InputError
from overread.planning.design import design
from overread.planning.plan import Design, Groups, Plan, PlanCases
from overread.planning.replan import replan
from overread.store import Store
from overread.store.work.plan_view import FIRST
from overread.store.work.plans import NewPlan, PlannedRead, PlanRow, Written, get_plan, write_plan


@dataclass(frozen=True, slots=True)
class PlanWish:
    """How the cases of a project are to be read.

    Args:
        readers: who reads, with their limits.
        reads: readers of an ordinary case.
        overlap: share of the cases that ``overlap_readers`` read.
        batches: parts of the data set, one after the other.
        size: first reads of one reader in a sub-batch, about; 0 leaves batches whole.
        gold, repeats: hidden, for each first read.
        distance: reads between the two looks at a repeat, at least.
        groups: cases of a patient are "free", "together" or "apart".
        seed: of all draws.
    """

    readers: tuple[ReaderWish, ...]
    reads: int = 1
    overlap: float = 0.1
    overlap_readers: int = 3
    batches: int = 1
    size: int = 0
    gold: float = 0.0
    repeats: float = 0.0
    distance: int = 20
    groups: Groups = "free"
    seed: int = 0

    def design(self, cases: int) -> Design:
        """The design for so many cases."""
        if self.size < 0:
            raise InputError("sub-batch size", "be 0 or more", self.size)
        overlap = round(self.overlap * cases)
        first = (cases - overlap) * self.reads + overlap * self.overlap_readers
        parts = 1
        if self.size:
            each = first / max(len(self.readers), 1) / max(self.batches, 1)
            parts = max(1, round(each / self.size))
        return Design(
            batches=self.batches,
            sub_batches=min(parts, max(cases // max(self.batches, 1), 1)),
            reads=self.reads,
            overlap=self.overlap,
            overlap_readers=self.overlap_readers,
            groups=self.groups,
            gold=self.gold,
            repeats=self.repeats,
            distance=self.distance,
            seed=self.seed,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A plan that is drawn up and not written.

    Args:
        wish, design: what it follows.
        plan: all of it, done rows too.
        rows: the same, row by row; ``task`` is given where the read is made or in a hand.
        new: what the store is to write.
        names: name in the plan -> id of the reader.
        kept: first reads that stay as they are.
    """

    wish: PlanWish
    design: Design
    plan: Plan
    rows: Sequence[Row]
    new: NewPlan
    names: Mapping[str, str]
    kept: int = 0
    notes: tuple[str, ...] = field(default=())


def draw_up(store: Store, project: str, wish: PlanWish, *, again: PlanRow | None = None) -> Drawn:
    """Draw up a plan; nothing is written.

    Args:
        store: where.
        project: its id.
        wish: how the cases are to be read.
        again: the plan in force, whose cases keep their places; None deals all cases anew.
            What is read, or in a hand, stays in either.
    Raises:
        InputError: what cannot hold, in numbers.
        NotFoundError: no such project.
    """
    ground = ground_of(
        store, project, wish.readers, gold=wish.gold > 0, grouped=wish.groups != "free"
    )
    if not ground.cases.names:
        raise InputError("cases", "be 1 or more", 0, remedy="Import cases first.")
    past = so_far(ground, keep=again is not None)
    wanted = _design_of(again) if again else wish.design(len(ground.cases.names))
    plan = _planned(ground, past, wanted)
    rows = _with_tasks(plan, past.done)
    new = NewPlan(
        _settings(wish, wanted, plan, ground) | {"present": who_reads(store, project)},
        [_read(ground, one) for one in _queue(rows) if not one.task],
        {one.task: _read(ground, one) for one in rows if one.task},
        past.settled,
        past.loose,
        sorted(ground.case_ids[name] for name in (*ground.cases.names, *ground.gold.names)),
        past.left_out,
    )
    kept = sum(bool(one.task) and one.role in FIRST for one in rows)
    return Drawn(wish, wanted, plan, rows, new, ground.reader_ids, kept, plan.notes)


def write(store: Store, project: str, wish: PlanWish, *, by: str) -> Written:
    """Write a plan anew: its tasks take the place of all open ones.

    Raises:
        InputError: what cannot hold, in numbers.
    """
    return write_plan(store, project, draw_up(store, project, wish).new, by)


def write_again(
    store: Store, project: str, *, by: str, readers: Sequence[ReaderWish] | None = None
) -> Written:
    """Plan again what is left: for the readers who are there now, with the cases that came.

    Args:
        store: where.
        project: its id.
        by: the user's id.
        readers: who reads from now on; None for those of the plan who are still there, and those
            who came.
    Raises:
        InputError: there is no plan, or what cannot hold.
    """
    drawn = draw_again(store, project, readers=readers)
    return write_plan(store, project, drawn.new, by)


def draw_again(store: Store, project: str, *, readers: Sequence[ReaderWish] | None = None) -> Drawn:
    """Draw up what is left, as of :func:`write_again`."""
    plan = get_plan(store, project)
    if plan is None:
        raise InputError("plan", "be written before it is planned again", "none")
    wish = wish_of(plan)
    now = readers_now(store, project, plan) if readers is None else tuple(readers)
    return draw_up(store, project, _with_readers(wish, now), again=plan)


def readers_now(store: Store, project: str, plan: PlanRow | None) -> tuple[ReaderWish, ...]:
    """Who is to read: those of the plan who are still there, with their limits, and who came.

    Who was there when the plan was written, and was left out of it, stays out. Without a plan it
    is everybody who reads in the project.
    """
    here = who_reads(store, project)
    if plan is None:
        return tuple(ReaderWish(one) for one in here)
    known = {one.id: one for one in wish_of(plan).readers}
    present = set(plan.settings["present"])
    return tuple(
        known.get(one) or ReaderWish(one) for one in here if one in known or one not in present
    )


def wish_of(plan: PlanRow) -> PlanWish:
    """The wish that a plan was drawn up by."""
    kept: dict[str, Any] = dict(plan.settings["wish"])
    readers = tuple(
        ReaderWish(one["id"], one["most"], tuple(one["not_modalities"])) for one in kept["readers"]
    )
    return PlanWish(**(kept | {"readers": readers}))


def _with_readers(wish: PlanWish, readers: Sequence[ReaderWish]) -> PlanWish:
    return PlanWish(**{**_fields(wish), "readers": tuple(readers)})


def _fields(wish: PlanWish) -> dict[str, Any]:
    return {name: getattr(wish, name) for name in PlanWish.__slots__}


def _design_of(plan: PlanRow) -> Design:
    return Design(**plan.settings["design"])


def _settings(wish: PlanWish, wanted: Design, plan: Plan, ground: Ground) -> dict[str, Any]:
    """All that is needed to plan again, and what is told of the plan."""
    return {
        "wish": asdict(wish) | {"readers": [asdict(one) for one in wish.readers]},
        "design": asdict(wanted),
        "cases": len(ground.cases.names),
        "counts": plan.counts(),
        "balance": plan.balance.words,
        "notes": list(plan.notes),
    }


def _planned(ground: Ground, past: SoFar, wanted: Design) -> Plan:
    """Deal the cases that have no place yet; then see to it that what is read is counted."""
    readers = ground.with_seen(past.seen)
    placed = {one.case for one in (*past.done, *past.open) if one.role in FIRST}
    fresh = [name for name in ground.cases.names if name not in placed]
    if not placed and not past.done:
        return design(ground.cases, readers, wanted, gold=ground.gold)
    rows = [*past.open]
    if fresh:
        rows += _dealt(ground, fresh, wanted, behind=max((one.batch for one in rows), default=0))
    place = {one.case: one for one in (*rows, *past.done) if one.role in FIRST}
    done = [_placed(one, place) for one in past.done]
    had = {(one.case, one.reader) for one in done if one.role in FIRST}
    rows = [one for one in rows if (one.case, one.reader) not in had]
    so_far_plan = plan_of_rows([*done, *rows])
    flags = np.arange(len(so_far_plan)) < len(done)
    past.done = done
    return replan(so_far_plan, flags, ground.cases, readers, wanted, gold=ground.gold)


def _dealt(ground: Ground, names: Sequence[str], wanted: Design, *, behind: int) -> list[Row]:
    """Rows of cases that have no place: all of them, or those that came after the plan."""
    batches = wanted.batches if not behind else 1
    bare = Design(
        batches=batches, sub_batches=wanted.sub_batches, reads=wanted.reads,
        overlap=wanted.overlap, overlap_readers=wanted.overlap_readers, groups=wanted.groups,
        seed=wanted.seed,
    )  # fmt: skip
    # limits count what is read already: they are kept when the whole is planned again
    readers = [replace(one, most=None) for one in ground.with_seen(set())]
    dealt = design(_only(ground.cases, names), readers, bare)
    return [
        Row(one.case, one.reader, one.batch + behind, one.sub_batch, one.position, one.role)
        for one in rows_of_plan(dealt)
    ]


def _only(cases: PlanCases, names: Sequence[str]) -> PlanCases:
    wanted = set(names)
    at = [place for place, name in enumerate(cases.names) if name in wanted]
    group = None if cases.group is None else tuple(cases.group[one] for one in at)
    tags = {name: tuple(column[one] for one in at) for name, column in cases.tags.items()}
    return PlanCases(tuple(cases.names[one] for one in at), tags, group)


def _placed(row: Row, place: Mapping[str, Row]) -> Row:
    """A row that stays, in the place that its case has."""
    at = place.get(row.case)
    if row.role not in {"", *FIRST}:
        return Row(row.case, row.reader, row.batch or 1, row.sub_batch or 1, row.position,
                   row.role, row.task)  # fmt: skip
    if at is None:
        return row
    return Row(row.case, row.reader, at.batch, at.sub_batch, row.position, at.role, row.task)


def _with_tasks(plan: Plan, done: Sequence[Row]) -> list[Row]:
    """Rows of a plan; those that stay with their tasks."""
    kept = {(one.reader, one.position): one.task for one in done}
    return [
        Row(one.case, one.reader, one.batch, one.sub_batch, one.position, one.role,
            kept.get((one.reader, one.position), ""))
        for one in rows_of_plan(plan)
    ]  # fmt: skip


def _queue(rows: Sequence[Row]) -> list[Row]:
    """Sub-batch by sub-batch, and within it position by position."""
    return sorted(rows, key=lambda one: (one.batch, one.sub_batch, one.position, one.reader))


def _read(ground: Ground, one: Row) -> PlannedRead:
    return PlannedRead(
        ground.case_ids[one.case],
        ground.reader_ids[one.reader],
        one.batch,
        one.sub_batch,
        one.position,
        one.role,
    )
