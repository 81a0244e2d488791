"""Design who reads what, in which order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from overread.arrays import Bools, Ints
from overread.errors import InputError
from overread.planning.batching import Units, in_sequence, overlap_of, parts_of, units_of
from overread.planning.layout import Seated, Work, lay_out, no_rows
from overread.planning.plan import NO_CASES, Design, Plan, PlanCases, PlanReader, qualified
from overread.planning.seats import Seating, Wanted

_NO_LIMIT = np.iinfo(np.int64).max // 4


def design(
    cases: PlanCases,
    readers: Sequence[PlanReader],
    wanted: Design,
    *,
    gold: PlanCases = NO_CASES,
) -> Plan:
    """Assign every case to readers, batch by batch.

    The counts are exact: ``round(overlap * cases)`` cases are read by ``overlap_readers``, all
    others by ``reads``; each reader gets ``round(gold * n)`` gold cases and ``round(repeats * n)``
    repeats beside n first reads. Nobody reads a case twice but for repeats. The same cases,
    readers and seed give the same plan, in whatever order they are named.

    Args:
        cases: to be read.
        readers: who read, with their limits and qualifications.
        wanted: see :class:`Design`.
        gold: known cases, none of them in ``cases``; with the same tags where readers are not
            qualified for all.
    Raises:
        InputError: what cannot hold, in numbers: too few readers qualified, limits too low, too
            few gold cases, a distance too great.
    Example:
        >>> found = design(
        ...     PlanCases(tuple(f"c{i}" for i in range(40))),
        ...     [PlanReader("Ada"), PlanReader("Ben"), PlanReader("Cy")],
        ...     Design(batches=2, overlap=0.25, overlap_readers=3),
        ... )
        >>> found.counts()
        {'only': 30, 'overlap': 30, 'gold': 0, 'repeat': 0}
        >>> found.balance.load
        (20, 20)
    """
    work = prepared(cases, readers, gold)
    random = np.random.default_rng([wanted.seed, 1])
    units = units_of(work.cases, together=wanted.groups == "together")
    sequence = in_sequence(units, random)
    part = parts_of(units, sequence, wanted.batches * wanted.sub_batches)
    may = may_units(units, work.may)
    check_able(work, units, may, wanted)
    allowed = _allowed(units, may.sum(axis=1), wanted, random)
    overlap, short = overlap_of(units, part, sequence, allowed, wanted)
    notes = _short(short, wanted)
    need = np.where(overlap, wanted.overlap_readers, wanted.reads)
    seating = Seating(Wanted(units, need, may, work.most, apart=wanted.groups == "apart"), random)
    seating.fill(by_part(sequence, part, need))
    seating.even()
    return lay_out(work, Seated(units, seating.seats, part, overlap), wanted, no_rows(), notes)


def prepared(cases: PlanCases, readers: Sequence[PlanReader], gold: PlanCases) -> Work:
    """Cases and readers in the order of their names, checked."""
    if not cases.names:
        raise InputError("cases", "be 1 or more", 0)
    if not readers:
        raise InputError("readers", "be 1 or more", 0)
    if len({one.name for one in readers}) < len(readers):
        raise InputError("readers", "be there once each", "a name twice")
    both = set(cases.names) & set(gold.names)
    if both:
        remedy = "A gold case among the cases would be read twice; take it out of one of them."
        raise InputError("gold cases", "not be among the cases", f"{len(both)}", remedy=remedy)
    cases, gold = cases.in_order(), gold.in_order()
    by_name = tuple(sorted(readers, key=lambda one: one.name))
    limits = [_NO_LIMIT if one.most is None else one.most for one in by_name]
    may_gold = qualified(gold, by_name) if gold.names else np.ones((0, len(by_name)), np.bool_)
    return Work(cases, gold, by_name, qualified(cases, by_name), may_gold, np.array(limits))


def may_units(units: Units, may: Bools) -> Bools:
    """(units, readers) who may read all cases of a unit."""
    rows = [may[list(members)].all(axis=0) for members in units.members]
    return np.array(rows, dtype=np.bool_).reshape(len(units.members), may.shape[1])


def check_able(
    work: Work, units: Units, may: Bools, wanted: Design, *, need: Ints | None = None
) -> None:
    """Refuse a design for which too few readers are qualified.

    Args:
        may: (units, readers) who may read it.
        need: (units,) readers wanted; None before it is known which units are overlap.
    """
    able = may.sum(axis=1)
    needs = [("reads", wanted.reads)]
    needs += [("overlap", wanted.overlap_readers)] if wanted.overlap else []
    if need is not None:
        needs = [("reads left", n) for n in np.unique(need).tolist()]
    for name, needed in needs:
        short = np.flatnonzero((able < needed) & (need == needed if need is not None else True))
        if short.size:
            where = _barred(work, units.members[int(short[0])][0])
            raise InputError(
                name,
                f"have {needed} readers qualified{where}",
                f"{int(able[short[0]])} of {len(work.readers)}",
                remedy="Qualify more readers, or ask for fewer of a case.",
            )


def _barred(work: Work, case: int) -> str:
    """The values of this case that bar readers: " for modality knee"."""
    said = [
        f"{tag} {column[case]}"
        for tag, column in work.cases.tags.items()
        if any(column[case] in one.may_not.get(tag, ()) for one in work.readers)
    ]
    return f" for {', '.join(said)}" if said else ""


def _allowed(units: Units, able: Ints, wanted: Design, random: np.random.Generator) -> Bools:
    """(units,) which may be overlap: apart, as many of a patient as there are readers for."""
    allowed = np.ones(units.size.size, dtype=np.bool_)
    if wanted.groups != "apart" or not wanted.overlap:
        return allowed
    more = max(wanted.overlap_readers - wanted.reads, 1)
    shuffled = random.permutation(units.size.size)
    order = shuffled[np.argsort(units.group[shuffled], kind="stable")]
    for of_group in np.split(order, np.flatnonzero(np.diff(units.group[order])) + 1):
        room = int(able[of_group].min()) - of_group.size * wanted.reads
        allowed[of_group[max(room // more, 0) :]] = False
    return allowed


def _short(short: int, wanted: Design) -> list[str]:
    if not short:
        return []
    if wanted.groups == "apart":
        raise InputError(
            "overlap",
            "leave no reader two cases of one patient (groups kept apart)",
            f"{short} cases too many",
            remedy="Ask for less overlap, fewer readers of it, or let groups be free.",
        )
    words = (
        f"Patients are kept together: the overlap holds {short} "
        f"case{'s' if short > 1 else ''} fewer than asked for."
    )
    return [words]


def by_part(sequence: Ints, part: Ints, need: Ints) -> list[int]:
    """Units part by part, those that need most readers first."""
    return [int(u) for u in sequence[np.lexsort((-need[sequence], part[sequence]))]]
