"""Who reads each unit: even loads within limits and qualifications, by exchanges along chains.

A seat that nobody free can take is won by a chain of moves (an augmenting path of the bipartite
graph), so that for single cases a plan is found whenever there is one, and no chain can make the
loads more even. Patients kept together or apart make the problem hard in general; there the same
moves are a good search without that promise.

Source:
    Ford & Fulkerson 1956, Canad. J. Math. 8:399-404 (augmenting paths); Harvey et al. 2006,
    J. Algorithms 59:53-78 (even loads by paths in semi-matchings).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from overread.arrays import Bools, Floats, Ints
from overread.errors import InputError
from overread.planning.batching import Units

_LOOKED_AT = 16  # units among which the best to move is chosen
_PAIR, _TAG = 0.5, 0.5  # weights against the load itself when a reader is chosen


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What is to be seated.

    Args:
        units: see there.
        need: (units,) readers wanted.
        may: (units, readers) who may read it (qualification, and not read already).
        most: (readers,) cases at most.
        apart: no reader gets two units of one group.
        met: reader -> groups that they have read already (apart only).
    """

    units: Units
    need: Ints
    may: Bools
    most: Ints
    apart: bool = False
    met: Sequence[set[int]] = ()


class Seating:
    """Seats taken, and the moves between them."""

    def __init__(self, wanted: Wanted, random: np.random.Generator) -> None:
        self._w = wanted
        n_readers = wanted.may.shape[1]
        units = wanted.units
        self.seats: list[list[int]] = [[] for _ in range(units.size.size)]
        self.load = np.zeros(n_readers, dtype=np.int64)
        self._kind = _row_codes(wanted.may)
        # reader -> kind of unit (who may read it) -> its units, in the order in which they came
        self._mine: list[dict[int, dict[int, None]]] = [{} for _ in range(n_readers)]
        self._groups: list[set[int]] = [set(g) for g in wanted.met] or [
            set() for _ in range(n_readers)
        ]
        width = units.stratum.max(axis=0, initial=0) + 1
        self._tags: list[Floats] = [np.zeros((int(k), n_readers)) for k in width]
        self._pairs = np.zeros((n_readers, n_readers))
        self._tie = random.random((64, n_readers)) * 1e-3
        self._size = units.size
        self._sized = bool(units.size.max(initial=1) > 1)

    def start(self, seats: Sequence[Sequence[int]]) -> None:
        """Take these seats as they are (what stays of an earlier plan)."""
        for unit, readers in enumerate(seats):
            for reader in readers:
                self._take(unit, reader)

    def fill(self, sequence: Sequence[int]) -> None:
        """Seat every unit, in this order.

        Raises:
            InputError: a unit that cannot be seated.
        """
        for unit in sequence:
            while len(self.seats[unit]) < self._w.need[unit]:
                reader = self._choose(unit)
                if reader < 0:
                    self._make_room(unit)
                    continue
                self._take(unit, reader)

    def even(self) -> None:
        """Move units along chains until no chain makes the loads more even."""
        stuck: set[int] = set()
        while self.load.size and np.ptp(self.load) > 1:
            ranked = [int(j) for j in np.argsort(-self.load, kind="stable") if int(j) not in stuck]
            if not ranked:
                return
            top = ranked[0]
            if self._shift_from(top):
                stuck.clear()
            else:
                stuck.add(top)

    def _choose(self, unit: int) -> int:
        """The reader with the least of this and of all; -1 where none is free."""
        free = [j for j in np.flatnonzero(self._w.may[unit]).tolist() if self._can(unit, j)]
        if not free:
            return -1
        score = self.load + self._tie[unit % 64]
        for column, table in enumerate(self._tags):
            score = score + _TAG * table[self._w.units.stratum[unit, column]]
        for other in self.seats[unit]:
            score = score + _PAIR * self._pairs[other]
        return min(free, key=lambda j: score[j])

    def _can(self, unit: int, reader: int) -> bool:
        """Whether a reader may take a unit as things stand."""
        group = int(self._w.units.group[unit])
        return bool(
            self._w.may[unit, reader]
            and reader not in self.seats[unit]
            and self.load[reader] + self._size[unit] <= self._w.most[reader]
            and not (self._w.apart and group in self._groups[reader])
        )

    def _take(self, unit: int, reader: int) -> None:
        self._count(unit, reader, 1)
        self.seats[unit].append(reader)
        self._mine[reader].setdefault(int(self._kind[unit]), {})[unit] = None
        self._groups[reader].add(int(self._w.units.group[unit]))

    def _leave(self, unit: int, reader: int) -> None:
        self.seats[unit].remove(reader)
        del self._mine[reader][int(self._kind[unit])][unit]
        if self._w.apart:
            self._groups[reader].discard(int(self._w.units.group[unit]))
        self._count(unit, reader, -1)

    def _count(self, unit: int, reader: int, sign: int) -> None:
        size = int(self._size[unit]) * sign
        self.load[reader] += size
        for column, table in enumerate(self._tags):
            table[self._w.units.stratum[unit, column], reader] += size
        for other in self.seats[unit]:
            if other != reader:
                self._pairs[reader, other] += sign
                self._pairs[other, reader] += sign

    def _movable(self, source: int, target: int, *, below: int = 0) -> int:
        """A unit of ``source`` that ``target`` may take, their limit aside; -1 if none.

        Of the first few the one whose tags the target has least of, against the source.

        Args:
            below: only units smaller than this, where it is above 0.
        """
        best, least, seen = -1, np.inf, 0
        for unit in self._shared(source, target):
            group = int(self._w.units.group[unit])
            if (
                (below and self._size[unit] >= below)
                or target in self.seats[unit]
                or (self._w.apart and group in self._groups[target])
            ):
                continue
            values = self._w.units.stratum[unit]
            tables = zip(self._tags, values, strict=True)
            score = sum(float(t[v, target] - t[v, source]) for t, v in tables)
            if score < least:
                best, least = unit, score
            seen += 1
            if seen == _LOOKED_AT:
                break
        return best

    def _shared(self, source: int, target: int) -> Iterator[int]:
        for units in self._mine[source].values():
            first = next(iter(units), None)
            if first is not None and self._w.may[first, target]:
                yield from reversed(units)

    def _make_room(self, unit: int) -> None:
        """Free one who may read the unit, by a chain of moves that ends at one with room."""
        group = int(self._w.units.group[unit])
        starts = [
            j
            for j in np.flatnonzero(self._w.may[unit]).tolist()
            if j not in self.seats[unit]
            and not (self._w.apart and group in self._groups[j])
            and self._w.most[j] > 0
        ]
        chain = (
            self._swap(unit, starts)
            if self._sized
            else self._chain(starts, lambda k: bool(self.load[k] < self._w.most[k]))
        )
        if not chain:
            raise self._full(unit)
        self._apply(chain)

    def _swap(self, unit: int, starts: Sequence[int]) -> list[tuple[int, int, int]]:
        """One move that makes room for a unit where sizes differ; or []."""
        for j in starts:
            missing = int(self.load[j] + self._size[unit] - self._w.most[j])
            for k in np.argsort(self.load, kind="stable").tolist():
                for other in self._shared(j, k) if k != j else ():
                    if self._size[other] >= missing and self._can(other, k):
                        return [(j, k, other)]
        return []

    def _shift_from(self, top: int) -> bool:
        """Move one unit off this reader, so that the sum of squared loads falls."""
        load = int(self.load[top])

        def lighter(k: int) -> bool:
            return bool(self.load[k] <= load - 2 and self.load[k] < self._w.most[k])

        if self._sized:
            for k in np.argsort(self.load, kind="stable").tolist():
                unit = self._movable(top, k, below=max(load - int(self.load[k]), 1))
                if unit >= 0 and self._can(unit, k):
                    self._apply([(top, k, unit)])
                    return True
            return False
        chain = self._chain([top], lighter)
        self._apply(chain)
        return bool(chain)

    def _chain(
        self, starts: Sequence[int], ends: Callable[[int], bool]
    ) -> list[tuple[int, int, int]]:
        """Shortest chain of moves (from, to, unit) from a start to one that ``ends``; or []."""
        came: dict[int, tuple[int, int]] = dict.fromkeys(starts, (-1, -1))
        queue = deque(starts)
        while queue:
            j = queue.popleft()
            for k in np.argsort(self.load, kind="stable").tolist():
                if k in came:
                    continue
                unit = self._movable(j, k)
                if unit < 0:
                    continue
                came[k] = (j, unit)
                if ends(k):
                    return self._back(came, k)
                queue.append(k)
        return []

    @staticmethod
    def _back(came: dict[int, tuple[int, int]], end: int) -> list[tuple[int, int, int]]:
        chain: list[tuple[int, int, int]] = []
        while came[end][0] >= 0:
            before, unit = came[end]
            chain.append((before, end, unit))
            end = before
        return chain

    def _apply(self, chain: Sequence[tuple[int, int, int]]) -> None:
        """From the far end, so that nobody is over their limit in between."""
        for before, after, unit in chain:
            self._leave(unit, before)
            self._take(unit, after)

    def _full(self, unit: int) -> InputError:
        """What cannot hold, in numbers."""
        able = self._w.may[unit]
        bound = ~(self._w.may & ~able).any(axis=1)  # units that only these may read
        need = int((self._w.need * self._size)[bound].sum())
        room = self._w.most[able]
        if self._w.apart and int(room.sum()) >= need:
            group = self._w.units.group == self._w.units.group[unit]
            reads = int(self._w.need[group].sum())
            remedy = "Ask for fewer readers of a case, or let groups be free."
            return InputError(
                "groups kept apart",
                f"have as many qualified readers as reads of one patient ({reads})",
                int(able.sum()),
                remedy=remedy,
            )
        remedy = "Raise their limits, qualify more readers, or ask for less overlap."
        if self._sized:
            remedy += " Groups kept together need some room to spare."
        return InputError(
            "readers' limits",
            f"hold the {need:,} reads that only {int(able.sum())} of the readers may do",
            f"{int(room.sum()):,} in all",
            remedy=remedy,
        )


def _row_codes(table: Bools) -> Ints:
    """(rows,) one code for each distinct row."""
    if not len(table):
        return np.zeros(0, dtype=np.int64)
    packed = np.packbits(table, axis=1)
    return np.unique(packed, axis=0, return_inverse=True)[1].reshape(-1)
