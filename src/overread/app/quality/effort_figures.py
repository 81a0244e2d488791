"""Figures of effort from counted seconds: per read, left, the end, day by day, against the plan."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from overread.app.quality.effort_ledger import Ledger, Seconds
from overread.words import percent

_PACE_DAYS = 14
_SHOWN_DAYS = 30
_Z = 1.959963984540054
_FAR = 36_500  # days: further no end is told


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds a read.

    Args:
        reads: that have a time.
        low, high: quartiles.
        colour: of a reader, 1 .. 8; 0 where it is none's.
        left: cases that a reader may still get.
        hours: of a reader, by kind of work.
    """

    name: str
    reads: int
    median: float | None
    low: float | None
    high: float | None
    colour: int = 0
    left: int = 0
    hours: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Between:
    """A figure with its 95 % interval; None at an end that is open."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class End:
    """When reading ends at the present pace. Args: a_day: reads; days: that the pace is of."""

    a_day: float
    days: int
    day: str
    first: str
    last: str

    @property
    def pace(self) -> str:
        """Reads a day, in words."""
        told = f"{self.a_day:.0f}" if self.a_day >= 10 else f"{self.a_day:.1f}".removesuffix(".0")
        return f"{told} {'read' if told == '1' else 'reads'} a day"


@dataclass(frozen=True, slots=True)
class Day:
    """Hours of a day. Args: parts: colour of a reader, hours."""

    day: str
    hours: float
    parts: tuple[tuple[int, float], ...]


def times_called(
    name: str,
    of: Seconds,
    *,
    colour: int = 0,
    left: int = 0,
    hours: Mapping[str, float] | None = None,
) -> Times:
    """Median and quartiles of times; the rest as of :class:`Times`."""
    low, middle, high = (of.quantile(share) for share in (0.25, 0.5, 0.75))
    return Times(name, of.count, middle, low, high, colour, left, hours)


def hours_left(reads: Mapping[str, Seconds], outstanding: int) -> Between | None:
    """Hours that the outstanding reads take, whoever of the readers makes them."""
    counts, sums, squares = [], [], 0.0
    for one in reads.values():
        total, square = one.moments(one.fence())
        if one.count:
            counts.append(one.count)
            sums.append(total)
            squares += square
    n = sum(counts)
    if not n:
        return None
    mean = sum(sums) / n
    one_read = max(0.0, squares / n - mean * mean)
    between = sum((total - count * mean) ** 2 for total, count in zip(sums, counts, strict=True))
    readers = len(counts)
    error = between / (n * n) * readers / (readers - 1) if readers > 1 else one_read / n
    error = max(error, one_read / n)
    reach = _Z * math.sqrt(outstanding * outstanding * error + outstanding * one_read)
    hours = outstanding * mean / 3600
    return Between(hours, max(0.0, hours - reach / 3600), hours + reach / 3600)


def end_at_pace(ledger: Ledger, outstanding: int, now: datetime) -> End | None:
    """When the outstanding reads are made at the pace of the last days; None at no pace.

    Args:
        outstanding: reads.
    """
    today = now.astimezone(UTC).date()
    if not outstanding or not ledger.days:
        return None
    begun = date.fromisoformat(min(ledger.days))
    days = min(_PACE_DAYS, max(1, (today - begun).days + 1))
    counts = []
    for back in range(days):
        of = ledger.days.get((today - timedelta(days=back)).isoformat(), {})
        counts.append(sum(one.count + one.unknown for one in of.values()))
    pace = sum(counts) / days
    if not pace:
        return None
    spread = sum((one - pace) ** 2 for one in counts) / max(1, days - 1)
    error = math.sqrt(max(spread, pace) / days)  # at least as far apart as chance has it
    slow, fast = pace - _Z * error, pace + _Z * error

    def day(at: float) -> str:
        return (today + timedelta(days=math.ceil(outstanding / at))).isoformat()

    return End(
        pace,
        days,
        day(pace) if outstanding / pace < _FAR else "",
        day(fast) if outstanding / fast < _FAR else "",
        day(slow) if slow > 0 and outstanding / slow < _FAR else "",
    )


def hours_by_day(ledger: Ledger, colours: Mapping[str, int], now: datetime) -> Iterator[Day]:
    """Hours of each of the last days, reader by reader. Args: colours: of readers, from 1."""
    if not ledger.days:
        return
    last = max(now.astimezone(UTC).date(), date.fromisoformat(max(ledger.days)))
    first = max(last - timedelta(days=_SHOWN_DAYS - 1), date.fromisoformat(min(ledger.days)))
    fences = {who: of.fence() for who, of in ledger.first_reads().items()}
    for at in range((last - first).days + 1):
        day = (first + timedelta(days=at)).isoformat()
        found = sorted(ledger.days.get(day, {}).items(), key=lambda one: colours.get(one[0], 999))
        parts = tuple(
            ((colours.get(who, 1) - 1) % 8 + 1, of.moments(fences.get(who))[0] / 3600)
            for who, of in found
        )
        yield Day(day, sum(hours for _, hours in parts), parts)


def against_plan(
    terms: Mapping[str, Any], spent: float, left: Between | None, end: End | None
) -> tuple[str, bool]:
    """How it stands against what was planned, in words; whether that is behind."""
    said, late = [], False
    if terms.get("hours"):
        wanted = float(terms["hours"])
        whole = spent + (left.value if left else 0.0)
        over = whole / wanted - 1
        more = f"{percent(abs(over))} {'more' if over > 0 else 'less'} than"
        more = "as" if abs(over) < 0.005 else more
        said.append(f"{whole:,.0f} h in all, {more} the {wanted:,.0f} h planned")
        late |= over > 0.1
    if terms.get("deadline"):
        wish = str(terms["deadline"])
        if end is None or not end.day:
            said.append(f"to end by {wish}")
        elif end.day <= wish:
            said.append(f"ends by {end.day}, in time for {wish}")
        else:
            days = (date.fromisoformat(end.day) - date.fromisoformat(wish)).days
            said.append(f"ends {days} {'day' if days == 1 else 'days'} after {wish}")
            late = True
    return "; ".join(said), late
