"""Readers and sub-batches as a picture: how much is planned, how much of it done, at what pace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from overread.app.study.case_browser import reader_colours
from overread.store import Store, list_members, list_reader_counts, list_users
from overread.store.work.plans import PlanPart

ROLES = ("only", "overlap", "gold", "repeat")


@dataclass(frozen=True, slots=True)
class Cell:
    """A reader's part of a sub-batch. Args: overlap: reads of overlap cases among them."""

    reads: int = 0
    done: int = 0
    overlap: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A reader's row of the picture.

    Args:
        id: "" for whoever comes.
        cells: one a sub-batch.
        counts: role -> reads.
        hours: at their own pace; None where nobody's seconds are known.
    """

    id: str
    name: str
    colour: int
    cells: tuple[Cell, ...]
    counts: Mapping[str, int]
    done: int
    hours: float | None

    @property
    def reads(self) -> int:
        """All of them."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Picture:
    """Readers and sub-batches. Args: parts: (batch, sub-batch) of each column."""

    parts: tuple[tuple[int, int], ...]
    lines: tuple[Line, ...]

    @property
    def reads(self) -> int:
        """Of all readers."""
        return sum(one.reads for one in self.lines)

    @property
    def done(self) -> int:
        """Of all readers."""
        return sum(one.done for one in self.lines)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds a read takes. Args: of: reader -> median; usual: of the others; measured: or said."""

    of: Mapping[str, float]
    usual: float | None
    measured: bool


def pace_of(store: Store, project: str, *, said: float | None = None) -> Pace:
    """Seconds that reads take: those measured, else what somebody says."""
    of = {
        one.reader: one.median_seconds
        for one in list_reader_counts(store, project)
        if one.median_seconds
    }
    if not of:
        return Pace({}, said, measured=False)
    return Pace(of, sum(of.values()) / len(of), measured=True)


def names_of(store: Store, project: str, parts: Sequence[PlanPart] = ()) -> dict[str, str]:
    """Reader -> name, of those who belong to the project or have one of these parts."""
    known = {one.reader for one in list_members(store, project)}
    known |= {one.reader for one in parts if one.reader}
    return {one.id: one.name for one in list_users(store, keys=sorted(known))}


def picture_of(
    store: Store,
    project: str,
    parts: Sequence[PlanPart],
    pace: Pace,
    names: Mapping[str, str],
) -> Picture:
    """Draw parts of a plan."""
    columns = tuple(sorted({(one.batch, one.sub_batch) for one in parts}))
    colours = reader_colours(store, project)
    by_reader: dict[str, list[PlanPart]] = {}
    for one in parts:
        by_reader.setdefault(one.reader, []).append(one)
    lines = [
        _line(
            reader, names.get(reader, "whoever comes"), colours.get(reader, 0), mine, columns, pace
        )
        for reader, mine in by_reader.items()
    ]
    order = sorted(lines, key=lambda one: (one.colour == 0, one.colour, one.name))
    return Picture(columns, tuple(order))


def _line(  # noqa: PLR0917 - the parts of one row
    reader: str,
    name: str,
    colour: int,
    mine: Sequence[PlanPart],
    columns: Sequence[tuple[int, int]],
    pace: Pace,
) -> Line:
    cells = {column: [0, 0, 0] for column in columns}
    counts = dict.fromkeys(ROLES, 0)
    for one in mine:
        cell = cells[one.batch, one.sub_batch]
        cell[0] += one.planned
        cell[1] += one.done
        cell[2] += one.planned if one.role == "overlap" else 0
        counts[one.role] += one.planned
    done = sum(one.done for one in mine)
    seconds = pace.of.get(reader, pace.usual)
    hours = None if seconds is None else (sum(counts.values()) - done) * seconds / 3600
    return Line(
        reader, name, colour, tuple(Cell(*cells[one]) for one in columns), counts, done, hours
    )
