"""From seats to a plan: each reader's order, with hidden gold and repeats, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from overread.arrays import Bools, Ints
from overread.planning.balance import balance_of
from overread.planning.batching import Units, codes, whole
from overread.planning.plan import ROLES, Design, Plan, PlanCases, PlanReader, Role
from overread.planning.streams import FIRST, Stream, deal_gold, stream_of, with_fewer_repeats
from overread.planning.streams import GOLD as IS_GOLD

ONLY, OVERLAP, GOLD, REPEAT = (ROLES.index(role) for role in Role)


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What is planned, cases and readers in the order of their names.

    Args:
        may, may_gold: (cases, readers), (gold, readers) who is qualified for what.
        most: (readers,) first reads at most.
    """

    cases: PlanCases
    gold: PlanCases
    readers: tuple[PlanReader, ...]
    may: Bools
    may_gold: Bools
    most: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Seated:
    """Who reads each unit. Args: part (units,), overlap (units,) of the unit's cases."""

    units: Units
    seats: Sequence[Sequence[int]]
    part: Ints
    overlap: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of a plan by columns; cases numbered as in :class:`Work`, gold behind them."""

    case: Ints
    reader: Ints
    batch: Ints
    sub_batch: Ints
    position: Ints
    role: Ints

    def select(self, rows: Bools | Ints) -> Rows:
        """These rows only."""
        return Rows(*(getattr(self, name)[rows] for name in self.__slots__))


def no_rows() -> Rows:
    """A plan of which nothing is done yet."""
    return Rows(*(np.zeros(0, dtype=np.int64) for _ in range(6)))


def lay_out(
    work: Work,
    seated: Seated,
    wanted: Design,
    done: Rows,
    notes: Sequence[str],
) -> Plan:
    """Order each reader's cases, deal gold and repeats, and put the rows behind those done."""
    random = np.random.default_rng([wanted.seed, 2])
    n_readers, n_cases = len(work.readers), len(work.cases.names)
    mine = _first_reads(seated, n_readers, random)
    first_done = done.role <= OVERLAP
    total = np.array([len(rows) for rows in mine]) + _by(done, first_done, n_readers)
    left = np.array([bool(rows) for rows in mine])
    n_gold = _still(wanted.gold, total, _by(done, done.role == GOLD, n_readers), left)
    n_repeats = _still(wanted.repeats, total, _by(done, done.role == REPEAT, n_readers), left)
    gold = _gold(work, done, n_gold, n_cases, random)
    columns, missing = [done], 0
    for j in range(n_readers):
        order = np.argsort(done.position[done.reader == j], kind="stable")
        before = done.select(np.flatnonzero(done.reader == j)[order])
        # nor is repeated what somebody may not be given any more: they saw what others said of it
        barred = {*before.case[before.role == REPEAT].tolist(), *np.flatnonzero(~work.may[:, j])}
        make = partial(
            stream_of,
            [case for case, _, _ in mine[j]],
            [part for _, part, _ in mine[j]],
            gold=gold[j],
            distance=wanted.distance,
            random=random,
            before=np.where(before.role <= OVERLAP, before.case, -1).tolist(),
            barred=frozenset(barred),
        )
        due = int(n_repeats[j])
        stream, dropped = with_fewer_repeats(make, due, may_drop=due if before.case.size else 0)
        missing += dropped
        last = int(before.position.max(initial=0))
        columns.append(
            _rows(stream, j, mine[j], last=last, n_cases=n_cases, sub_batches=wanted.sub_batches)
        )
    rows = Rows(*(np.concatenate([getattr(c, n) for c in columns]) for n in Rows.__slots__))
    rows = rows.select(np.lexsort((rows.position, rows.reader)))
    return _plan(work, rows, done, [*notes, *_left_out(missing, wanted.distance)])


def _left_out(repeats: int, distance: int) -> Sequence[str]:
    if not repeats:
        return ()
    many = "hidden repeat is" if repeats == 1 else "hidden repeats are"
    words = (
        f"{repeats} {many} left out: a case is repeated at least {distance} reads after its reader "
        "looked at it, and never once they saw what others said of it."
    )
    return (words,)


def _first_reads(
    seated: Seated, n_readers: int, random: np.random.Generator
) -> list[list[tuple[int, int, bool]]]:
    """Reader -> (case, part, overlap): part by part, in an order of their own within it."""
    units_of: list[list[int]] = [[] for _ in range(n_readers)]
    for unit, readers in enumerate(seated.seats):
        for reader in readers:
            units_of[reader].append(unit)
    rows: list[list[tuple[int, int, bool]]] = []
    for units in units_of:
        mine = np.array(units, dtype=np.int64)[random.permutation(len(units))]
        mine = mine[np.argsort(seated.part[mine], kind="stable")]
        rows.append(
            [
                (case, int(seated.part[u]), bool(seated.overlap[u]))
                for u in mine.tolist()
                for case in seated.units.members[u]
            ]
        )
    return rows


def _by(done: Rows, which: Bools, n_readers: int) -> Ints:
    return np.bincount(done.reader[which], minlength=n_readers)


def _still(rate: float, total: Ints, done: Ints, left: Bools) -> Ints:
    """(readers,) how many more are due; none to a reader who has nothing left to read."""
    due = np.array([whole(rate * n) for n in total.tolist()], dtype=np.int64)
    return np.where(left, np.maximum(due - done, 0), 0)


def _gold(
    work: Work, done: Rows, wanted: Ints, n_cases: int, random: np.random.Generator
) -> list[list[int]]:
    shown = done.role == GOLD
    may = work.may_gold.copy()
    may[done.case[shown] - n_cases, done.reader[shown]] = False
    n_gold = len(work.gold.names)
    exposed = np.bincount(done.case[shown] - n_cases, minlength=n_gold)
    tags = work.gold.tags
    column = tags.get("class") or next(iter(tags.values()), ("",) * n_gold)
    return deal_gold(wanted.tolist(), may, codes(column), exposed, random)


def _rows(
    stream: Stream,
    reader: int,
    mine: Sequence[tuple[int, int, bool]],
    *,
    last: int,
    n_cases: int,
    sub_batches: int,
) -> Rows:
    role = np.full(stream.case.size, REPEAT, dtype=np.int64)
    role[stream.kind == FIRST] = [OVERLAP if overlap else ONLY for _, _, overlap in mine]
    is_gold = stream.kind == IS_GOLD
    role[is_gold] = GOLD
    return Rows(
        np.where(is_gold, stream.case + n_cases, stream.case),
        np.full(stream.case.size, reader, dtype=np.int64),
        stream.part // sub_batches + 1,
        stream.part % sub_batches + 1,
        last + 1 + np.arange(stream.case.size),
        role,
    )


def _plan(work: Work, rows: Rows, done: Rows, notes: Sequence[str]) -> Plan:
    """Balance is of what is planned now, among those who can still be asked."""
    asked = np.flatnonzero(work.most > 0)
    place = np.full(len(work.readers), -1)
    place[asked] = np.arange(asked.size)
    new = np.ones(rows.case.size, dtype=np.bool_)
    last = np.zeros(len(work.readers), dtype=np.int64)
    np.maximum.at(last, done.reader, done.position)
    new = (rows.position > last[rows.reader]) & (rows.role <= OVERLAP)
    balance = balance_of(
        work.cases,
        rows.case[new],
        place[rows.reader[new]],
        rows.role[new] == OVERLAP,
        work.may[:, asked],
    )
    names = work.cases.names + work.gold.names
    return Plan(
        names,
        tuple(one.name for one in work.readers),
        rows.case,
        rows.reader,
        rows.batch,
        rows.sub_batch,
        rows.position,
        rows.role,
        balance,
        tuple(notes),
    )
