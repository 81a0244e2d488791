"""Cases into batches and sub-batches, and which of them are overlap: exact and stratified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from overread.arrays import Bools, Floats, Ints
from overread.planning.plan import Design, PlanCases

_TAIL = 400  # units over which an exact sum is looked for


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """What is planned as one: a case, or the cases of one patient kept together.

    Args:
        members: places of the cases of each unit.
        size: (units,) number of members.
        stratum: (units, tags) code of each tag's value (of the first member).
        group: (units,) code of the patient.
    """

    members: tuple[tuple[int, ...], ...]
    size: Ints
    stratum: Ints
    group: Ints


def units_of(cases: PlanCases, *, together: bool) -> Units:
    """The units of sorted cases."""
    n = len(cases.names)
    group = codes(cases.group) if cases.group is not None else np.arange(n)
    if together:
        members = [np.flatnonzero(group == g) for g in range(int(group.max(initial=-1)) + 1)]
        if n:
            order = np.argsort(group, kind="stable")
            members = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    else:
        members = [np.array([i]) for i in range(n)]
    tags = [codes(column) for column in cases.tags.values()] or [np.zeros(n, dtype=np.int64)]
    table = np.stack(tags, axis=1)
    first = np.array([m[0] for m in members], dtype=np.int64)
    size = np.array([len(m) for m in members], dtype=np.int64)
    lists = tuple(tuple(int(i) for i in m) for m in members)
    return Units(lists, size, table[first], group[first])


def codes(column: Sequence[str]) -> Ints:
    """(rows,) place of each text among the sorted distinct ones."""
    return np.unique(np.array(column, dtype=object).astype(str), return_inverse=True)[1].reshape(-1)


def in_sequence(units: Units, random: np.random.Generator) -> Ints:
    """Order in which every stretch has about the same mix of strata (systematic sampling)."""
    _, stratum = np.unique(units.stratum, axis=0, return_inverse=True)
    stratum = stratum.reshape(-1)
    shuffled = random.permutation(units.size.size)
    place = np.empty(units.size.size)
    for one in range(int(stratum.max(initial=-1)) + 1):
        here = shuffled[stratum[shuffled] == one]
        size = units.size[here]
        before = np.cumsum(size) - size
        place[here] = (before + random.random() * size) / size.sum()
    return np.lexsort((random.random(place.size), place))


def parts_of(units: Units, sequence: Ints, parts: int) -> Ints:
    """(units,) part of each, from 0: equal parts to one case where units are cases."""
    size = units.size[sequence]
    middle = np.cumsum(size) - (size + 1) / 2  # of single cases: their place from 0
    part = np.empty(sequence.size, dtype=np.int64)
    part[sequence] = np.floor(middle * parts / max(int(size.sum()), 1)).astype(np.int64)
    return part


def overlap_of(
    units: Units, part: Ints, sequence: Ints, allowed: Bools, design: Design
) -> tuple[Bools, int]:
    """Which units are overlap, spread over parts and strata.

    Args:
        allowed: (units,) may be overlap.
    Returns:
        (units,); and how many cases too few they hold (0 where the count is exact).
    """
    chosen = np.zeros(units.size.size, dtype=np.bool_)
    total = int(units.size.sum())
    wanted = whole(design.overlap * total)
    seen, done = 0, 0
    owed = _Owed(units, design.overlap)
    for one in range(int(part.max(initial=-1)) + 1):
        here = sequence[part[sequence] == one]
        seen += int(units.size[here].sum())
        target = whole(wanted * seen / max(total, 1)) - done
        owed.see(here)
        picked = owed.pick([int(u) for u in here if allowed[u]], target)
        chosen[picked] = True
        done += int(units.size[picked].sum())
    if done != wanted:  # what single parts could not hold
        rest = [int(u) for u in sequence if allowed[u] and not chosen[u]]
        picked = owed.pick(rest, wanted - done)
        chosen[picked] = True
        done += int(units.size[picked].sum())
    return chosen, wanted - done


class _Owed:
    """How many overlap cases each value of each tag is owed so far."""

    def __init__(self, units: Units, share: float) -> None:
        self._units = units
        self._share = share
        width = units.stratum.max(axis=0, initial=0) + 1
        self._debt: list[Floats] = [np.zeros(int(w)) for w in width]

    def see(self, here: Ints) -> None:
        for column, debt in enumerate(self._debt):
            weight = self._units.size[here] * self._share
            value = self._units.stratum[here, column]
            np.add(debt, np.bincount(value, weight, minlength=debt.size), out=debt)

    def pick(self, units: list[int], target: int) -> list[int]:
        """Units that hold ``target`` cases, or as near below as can be; the most owed first."""
        buckets: dict[tuple[int, ...], list[int]] = {}
        for u in reversed(units):
            buckets.setdefault(tuple(self._units.stratum[u].tolist()), []).append(u)
        picked: list[int] = []
        left = target
        size = self._units.size
        largest = int(size[units].max(initial=1))
        while left > 0 and buckets:
            if largest > 1 and left <= 4 * largest:
                rest = [u for bucket in buckets.values() for u in reversed(bucket)]
                picked += self._pay(_exact_sum(rest[:_TAIL], size, left))
                break
            key = max(buckets, key=lambda k: (self._owed_to(k), [-c for c in k]))
            u = buckets[key].pop()
            if not buckets[key]:
                del buckets[key]
            picked += self._pay([u])
            left -= int(size[u])
        return picked

    def _owed_to(self, key: tuple[int, ...]) -> float:
        return float(sum(debt[code] for debt, code in zip(self._debt, key, strict=True)))

    def _pay(self, units: list[int]) -> list[int]:
        for u in units:
            for column, debt in enumerate(self._debt):
                debt[self._units.stratum[u, column]] -= self._units.size[u]
        return units


def _exact_sum(units: list[int], size: Ints, target: int) -> list[int]:
    """Units whose sizes sum to the target, or to the most below it; early ones preferred."""
    by: list[int] = [1]  # bit s: the units so far (from the back) can sum to s
    for u in reversed(units):
        by.append((by[-1] | (by[-1] << int(size[u]))) & ((1 << (target + 1)) - 1))
    left = by[-1].bit_length() - 1
    picked: list[int] = []
    for at, u in enumerate(units):
        rest = by[len(units) - at - 1]
        s = int(size[u])
        if left >= s and rest >> (left - s) & 1:
            picked.append(u)
            left -= s
    return picked


def whole(value: float) -> int:
    """Nearest whole number; halves go up, and 0.1 * 30 is 3."""
    return int(np.floor(value + 0.5 + 1e-9))
