"""The order in which one reader sees their cases, hidden gold and hidden repeats in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from overread.arrays import Bools, Ints
from overread.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """Rows of one reader in order.

    Args:
        case: (rows,) place of each case; for gold among the gold cases.
        kind: (rows,) 0 a first read, 1 gold, 2 a repeat.
        part: (rows,) part of the data set.
    """

    case: Ints
    kind: Ints
    part: Ints


FIRST, GOLD, REPEAT = 0, 1, 2


def stream_of(
    first: Sequence[int],
    part: Sequence[int],
    *,
    gold: Sequence[int],
    n_repeats: int,
    distance: int,
    random: np.random.Generator,
    before: Sequence[int] = (),
    barred: frozenset[int] = frozenset(),
) -> Stream:
    """Lay gold and repeats evenly, but unforeseeably, among the first reads.

    Args:
        first: cases in the order in which they are read first.
        part: of each.
        gold: gold cases, in order.
        n_repeats: second looks.
        distance: least difference in position between the two looks.
        random: draws.
        before: cases that the reader saw earlier, in order; -1 for gold and repeats.
        barred: cases that are not repeated (again).
    Raises:
        InputError: the distance leaves too little room for so many repeats.
    """
    length = len(first) + len(gold) + n_repeats
    kind = np.zeros(length, dtype=np.int64)
    earliest = max(distance - len(before), 0)
    usable = np.array([c >= 0 and c not in barred for c in before], dtype=np.bool_)
    repeat_at = _spread(np.arange(earliest, length), n_repeats, random)
    if repeat_at.size < n_repeats:
        raise _too_near(distance, length + len(before), n_repeats)
    kind[repeat_at] = REPEAT
    kind[_spread(np.flatnonzero(kind == FIRST), len(gold), random)] = GOLD
    _defer(kind, usable, distance)
    case = np.full(length, -1, dtype=np.int64)
    case[kind == FIRST] = first
    case[kind == GOLD] = gold
    looks = [int(c) if c not in barred else -1 for c in before]
    looks += [int(c) if k == FIRST else -1 for c, k in zip(case, kind, strict=True)]
    free: list[int] = []
    arrived = 0
    for at in np.flatnonzero(kind == REPEAT).tolist():
        upto = at + len(before) - distance + 1
        free += [c for c in looks[arrived:upto] if c >= 0]
        arrived = max(arrived, upto)
        if not free:
            raise _too_near(distance, length + len(before), n_repeats)
        case[at] = free.pop(int(random.integers(len(free))))
    return Stream(case, kind, _parts(kind, part))


def with_fewer_repeats(
    make: Callable[..., Stream], n_repeats: int, *, may_drop: int
) -> tuple[Stream, int]:
    """Lay out a reader's order with as many repeats as there is room for.

    Args:
        make: lays out ``n_repeats``.
        n_repeats: that are wished for.
        may_drop: of them may be left out.
    Returns:
        The order, and how many repeats were left out.
    Raises:
        InputError: there is no room even without those that may be left out.
    """
    step = max(1, may_drop // 20)
    for dropped in range(0, may_drop, step):
        with suppress(InputError):
            return make(n_repeats=n_repeats - dropped), dropped
    return make(n_repeats=n_repeats - may_drop), may_drop


def _spread(places: Ints, many: int, random: np.random.Generator) -> Ints:
    """One place of each of ``many`` equal stretches, at random; fewer where there are fewer."""
    if not many or places.size < many:
        return places[:0]
    edge = np.linspace(0, places.size, many + 1)
    low, high = np.ceil(edge[:-1]).astype(np.int64), np.ceil(edge[1:]).astype(np.int64)
    return np.asarray(places[random.integers(low, np.maximum(high, low + 1))])


def _defer(kind: Ints, usable: Bools, distance: int) -> None:
    """Swap repeats that come before enough first reads lie far enough back with what follows."""
    for _ in range(kind.size):
        short = _first_short(kind, usable, distance)
        if short < 0:
            return
        later = np.flatnonzero(kind[short:] != REPEAT)
        if not later.size:
            return
        swap = short + int(later[0])
        kind[short], kind[swap] = kind[swap], kind[short]


def _first_short(kind: Ints, usable: Bools, distance: int) -> int:
    """Place of the first repeat that has no first read to repeat; -1 if all have.

    Args:
        usable: (earlier rows,) can be repeated.
    """
    seen = np.r_[0, np.cumsum(np.r_[usable, kind == FIRST])]
    at = np.flatnonzero(kind == REPEAT)
    there = seen[np.clip(at + usable.size - distance + 1, 0, seen.size - 1)]
    short = np.flatnonzero(there < np.arange(1, at.size + 1))
    return int(at[short[0]]) if short.size else -1


def _parts(kind: Ints, part: Sequence[int]) -> Ints:
    """Part of each row: gold and repeats lie in the part of the first read before them."""
    done = np.cumsum(kind == FIRST)
    parts = np.asarray(part, dtype=np.int64)
    if not parts.size:
        return np.zeros(kind.size, dtype=np.int64)
    return np.asarray(parts[np.clip(done - 1, 0, parts.size - 1)])


def _too_near(distance: int, length: int, many: int) -> InputError:
    return InputError(
        "distance between the two looks at a case",
        f"leave room for {many} repeats among the {length} reads of a reader",
        distance,
        remedy="Ask for a smaller distance or fewer repeats.",
    )


def deal_gold(
    wanted: Sequence[int], may: Bools, stratum: Ints, exposed: Ints, random: np.random.Generator
) -> list[list[int]]:
    """Choose gold cases for each reader: the least shown, of classes in turn, none twice.

    Args:
        wanted: (readers,) how many each needs.
        may: (gold, readers) who may get which (qualified, not seen yet).
        stratum: (gold,) class code.
        exposed: (gold,) how often each was shown before.
    Raises:
        InputError: too few gold cases for a reader.
    """
    shown = exposed.astype(np.float64).copy()
    dealt: list[list[int]] = []
    for reader, many in enumerate(wanted):
        able = np.flatnonzero(may[:, reader])
        if able.size < many:
            raise InputError(
                "gold cases",
                f"be at least {many} that one reader may read and has not seen",
                int(able.size),
                remedy="Add gold cases, or ask for a lower rate.",
            )
        of_class = np.zeros(int(stratum.max(initial=0)) + 1)
        chosen: list[int] = []
        tie = random.random(len(shown))
        for _ in range(many):
            score = of_class[stratum[able]] + shown[able] + 0.5 * tie[able]
            score[np.isin(able, chosen)] = np.inf
            best = int(able[np.argmin(score)])
            chosen.append(best)
            of_class[stratum[best]] += 1
            shown[best] += 1
        random.shuffle(chosen)
        dealt.append(chosen)
    return dealt
