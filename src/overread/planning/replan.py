"""Readers come or go: what is done stays as it is, what is left is planned again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from overread.arrays import Bools, Ints
from overread.errors import InputError
from overread.planning.batching import Units, codes, in_sequence
from overread.planning.design import by_part, check_able, may_units, prepared
from overread.planning.layout import OVERLAP, Rows, Seated, Work, lay_out
from overread.planning.plan import NO_CASES, Design, Plan, PlanCases, PlanReader
from overread.planning.seats import Seating, Wanted


def replan(
    plan: Plan,
    done: Bools,
    cases: PlanCases,
    readers: Sequence[PlanReader],
    wanted: Design,
    *,
    gold: PlanCases = NO_CASES,
) -> Plan:
    """Plan again what is not done yet, for the readers who are there now.

    Rows that are done stay, also those of readers who left. Every case keeps its batch and
    whether it is overlap; a read not done stays with its reader where that reader stays, unless
    the loads would become uneven. A limit (``most``) counts what a reader has done already.

    Args:
        plan: the plan so far.
        done: (rows,) of the plan; a reader's done rows need not be their first ones.
        cases: the cases of the plan.
        readers: who read from now on.
        wanted: as in :func:`overread.planning.design.design`; the overlap is the plan's.
        gold: the gold cases, those of the plan and any new ones.
    Returns:
        The whole plan: rows done as they were, the others behind them.
    Raises:
        InputError: what cannot hold; rows or cases that are not those of the plan.
    """
    if np.shape(done) != (len(plan),):
        raise InputError("done", f"have {len(plan)} entries, one a row", np.shape(done))
    work, left_over = _with_leavers(plan, done, cases, readers, gold)
    rows = _renumbered(plan, work)
    kept = rows.select(np.asarray(done))
    first = rows.select(rows.role <= OVERLAP)
    case_part, is_overlap = _of_cases(first, len(work.cases.names), wanted)
    read = np.zeros(work.may.shape, dtype=np.bool_)
    first_kept = kept.select(kept.role <= OVERLAP)
    read[first_kept.case, first_kept.reader] = True
    need = np.where(is_overlap, wanted.overlap_readers, wanted.reads)
    left = np.maximum(need - read.sum(axis=1), 0)
    units = _units_left(work, wanted, case_part, left, read)
    members = np.array([m[0] for m in units.members], dtype=np.int64)
    read_units = np.array(
        [read[list(m)].any(axis=0) for m in units.members], dtype=np.bool_
    ).reshape(len(units.members), len(work.readers))
    may = may_units(units, work.may) & ~read_units
    most = np.maximum(work.most - read.sum(axis=0), 0)
    check_able(work, units, may, wanted, need=left[members])
    random = np.random.default_rng([wanted.seed, 3, int(np.sum(done))])
    met = [set(_groups(work)[read[:, j]].tolist()) for j in range(len(work.readers))]
    apart = wanted.groups == "apart"
    want = Wanted(units, left[members], may, most, apart=apart, met=met if apart else ())
    seating = Seating(want, random)
    undone = rows.select(~np.asarray(done) & (rows.role <= OVERLAP))
    seating.start(_staying(undone, units, want))
    sequence = in_sequence(units, random)
    part = case_part[members]
    seating.fill(by_part(sequence, part, left[members]))
    seating.even()
    seated = Seated(units, seating.seats, part, is_overlap[members])
    still_there = replace(work, most=np.where(left_over, 0, np.maximum(most, 1)))
    return lay_out(still_there, seated, wanted, kept, ())


def _groups(work: Work) -> Ints:
    """(cases,) code of the patient; every case its own where there are none."""
    group = work.cases.group
    return codes(group) if group is not None else np.arange(len(work.cases.names))


def _with_leavers(
    plan: Plan,
    done: Bools,
    cases: PlanCases,
    readers: Sequence[PlanReader],
    gold: PlanCases,
) -> tuple[Work, Bools]:
    """What is planned; those who left but have done something stay in it, may read nothing.

    Returns:
        The work, and (readers,) who left.
    """
    here = {one.name for one in readers}
    done_by = {plan.readers[j] for j in np.unique(plan.reader[np.asarray(done)]).tolist()}
    left = [PlanReader(name, most=0) for name in sorted(done_by - here)]
    work = prepared(cases, [*readers, *left], gold)
    if not readers:
        raise InputError("readers", "be 1 or more", 0)
    gone = np.array([one.name not in here for one in work.readers])
    return replace(work, may=work.may & ~gone, may_gold=work.may_gold & ~gone), gone


def _renumbered(plan: Plan, work: Work) -> Rows:
    """Rows of the plan in the numbers of the work; readers who left without a read are -1."""
    names = {name: i for i, name in enumerate(work.cases.names + work.gold.names)}
    strange = set(plan.cases) - set(names)
    first = np.unique(plan.case[plan.role <= OVERLAP])
    missing = set(work.cases.names) - {plan.cases[i] for i in first.tolist()}
    if strange or missing:
        raise InputError(
            "cases", "be those of the plan", f"{len(strange)} gone, {len(missing)} not in it"
        )
    case = np.array([names[name] for name in plan.cases], dtype=np.int64)
    places = {one.name: j for j, one in enumerate(work.readers)}
    reader = np.array([places.get(name, -1) for name in plan.readers], dtype=np.int64)
    return Rows(
        case[plan.case],
        reader[plan.reader],
        np.asarray(plan.batch),
        np.asarray(plan.sub_batch),
        np.asarray(plan.position),
        np.asarray(plan.role),
    )


def _of_cases(first: Rows, n_cases: int, wanted: Design) -> tuple[Ints, Bools]:
    """(cases,) part and whether it is overlap, as the plan has it."""
    part = np.zeros(n_cases, dtype=np.int64)
    part[first.case] = (first.batch - 1) * wanted.sub_batches + first.sub_batch - 1
    overlap = np.zeros(n_cases, dtype=np.bool_)
    overlap[first.case] = first.role == OVERLAP
    return part, overlap


def _units_left(work: Work, wanted: Design, part: Ints, left: Ints, read: Bools) -> Units:
    """What is still to be read; cases kept together as long as the same readers are left."""
    open_cases = np.flatnonzero(left > 0)
    group = _groups(work)
    if wanted.groups == "together":
        keys = [(int(group[c]), int(part[c]), int(left[c]), read[c].tobytes()) for c in open_cases]
    else:
        keys = [(int(c), 0, 0, b"") for c in open_cases]
    by_key: dict[tuple[int, int, int, bytes], list[int]] = {}
    for case, key in zip(open_cases.tolist(), keys, strict=True):
        by_key.setdefault(key, []).append(case)
    members = tuple(tuple(m) for m in by_key.values())
    heads = np.array([m[0] for m in members], dtype=np.int64)
    columns = [codes(c)[heads] for c in work.cases.tags.values()] or [np.zeros_like(heads)]
    size = np.array([len(m) for m in members], dtype=np.int64)
    return Units(members, size, np.stack(columns, axis=1), group[heads])


def _staying(undone: Rows, units: Units, want: Wanted) -> list[list[int]]:
    """Seats that stay: of readers who stay, are able, and have room."""
    n_cases = int(max((max(m) for m in units.members), default=-1)) + 1
    planned: list[list[int]] = [[] for _ in range(n_cases)]
    for case, reader in zip(undone.case.tolist(), undone.reader.tolist(), strict=True):
        if reader >= 0 and case < n_cases:
            planned[case].append(reader)
    room = want.most.copy()
    seats: list[list[int]] = []
    for unit, members in enumerate(units.members):
        both = sorted(set.intersection(*(set(planned[case]) for case in members)))
        stay: list[int] = []
        for reader in both:
            fits = want.may[unit, reader] and room[reader] >= units.size[unit]
            if fits and len(stay) < want.need[unit]:
                stay.append(reader)
                room[reader] -= units.size[unit]
        seats.append(stay)
    return seats
