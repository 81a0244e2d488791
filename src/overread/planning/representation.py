"""Who is in the data set, against what was wished for: what is missing, and what to sample.

Counts are of cases. Intervals say what the counts tell of the source that the cases come from,
if they came as they come; they shrink as more cases do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from overread.arrays import natural_key
from overread.errors import InputError
from overread.planning.size import proportion_interval
from overread.words import percent

UNKNOWN = ("", "nan", "unknown", "n/a")
"""What stands for "not known" in a column, whatever its case."""

_BAND = re.compile(r"^\s*(\d+)\s*(?:-|\u2013|to)\s*(\d+)\s*$|^\s*(\d+)\s*\+\s*$|^\s*<\s*(\d+)\s*$")
_SKEWED = 10.0
_RARE = 0.02


@dataclass(frozen=True, slots=True)
class Wish:
    """So many cases of one group. Args: by: "class", "sex", "age_band"; group; at_least."""

    by: str
    group: str
    at_least: int


@dataclass(frozen=True, slots=True)
class Group:
    """One group of cases, found and wished for.

    Args:
        by, group: what it is.
        count: cases found.
        wanted: cases wished for; 0 where nothing is.
        share: of the cases whose group is known.
        low, high: its interval.
        more: cases that are still missing.
        surplus: cases above the wish, where there is one.
        to_sample: further cases of the source, taken as they come, until the wish is met (at the
            share found); None where none is missing, or none was ever found.
        to_sample_most: the same at the low end of the share; None where that is unbounded.
        words: in plain words.
    """

    by: str
    group: str
    count: int
    wanted: int
    share: float
    low: float
    high: float
    more: int
    surplus: int
    to_sample: int | None
    to_sample_most: int | None
    words: str


@dataclass(frozen=True, slots=True)
class Found:
    """Cases of one group. Args: by, group, count; total: cases whose group is known."""

    by: str
    group: str
    count: int
    total: int


@dataclass(frozen=True, slots=True)
class Representation:
    """All groups, and what to beware of.

    Args:
        groups: by what they are by, wished ones first, then by name.
        unknown: column -> cases without a known group.
        effective: column -> number of groups that, equally large, would be as mixed (1 / the
            sum of squared shares); 1 means that one group is all.
        warnings: in plain words, the gravest first.
    """

    groups: tuple[Group, ...]
    unknown: Mapping[str, int]
    effective: Mapping[str, float]
    warnings: tuple[str, ...]


def representation(
    columns: Mapping[str, Sequence[str | None]],
    wishes: Sequence[Wish] = (),
    *,
    level: float = 0.95,
) -> Representation:
    """Count the groups of each column and hold them against the wishes.

    Args:
        columns: name ("sex", "site", "class") -> one text a case; None or :data:`UNKNOWN` is not
            known. A column of classes may be unknown for cases that nobody has labelled.
        wishes: of any of these columns. Those by "age_band" are met by a column "age" of numbers
            too ("40-64", "80+", "<18"; ends belong to the band).
        level: of the intervals (Wilson, each group by itself).
    Raises:
        InputError: columns of different lengths, or a wish by a column that is not there.
    Example:
        >>> found = representation({"sex": ["F", "F", "M"]}, [Wish("sex", "M", 3)])
        >>> [(g.group, g.count, g.more, g.to_sample) for g in found.groups]
        [('M', 1, 2, 6), ('F', 2, 0, None)]
    """
    known = _banded({name: list(values) for name, values in columns.items()}, wishes)
    _check(known, wishes)
    groups: list[Group] = []
    unknown: dict[str, int] = {}
    effective: dict[str, float] = {}
    for by, values in known.items():
        counts = _counts(values)
        total = sum(counts.values())
        unknown[by] = len(values) - total
        wanted = {one.group: one.at_least for one in wishes if one.by == by}
        rest = sorted(set(counts) - set(wanted), key=natural_key)
        groups += [
            _group(Found(by, name, counts.get(name, 0), total), wanted.get(name, 0), level)
            for name in (*wanted, *rest)
        ]
        squares = sum((n / total) ** 2 for n in counts.values()) if total else 0.0
        effective[by] = 1 / squares if squares else 0.0
    return Representation(tuple(groups), unknown, effective, _warnings(groups, unknown, known))


def _counts(values: Sequence[str | None]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for value in values:
        if value is not None and str(value).strip().casefold() not in UNKNOWN:
            name = str(value).strip()
            counts[name] = counts.get(name, 0) + 1
    return counts


def _group(found: Found, wanted: int, level: float) -> Group:
    share = found.count / found.total if found.total else 0.0
    low, high = proportion_interval(share, found.total, level=level) if found.total else (0.0, 1.0)
    # the interval holds the share, also where rounding says otherwise (none or all)
    low, high = min(max(low, 0.0), share), max(min(high, 1.0), share)
    more = max(wanted - found.count, 0)
    made = Group(
        by=found.by,
        group=found.group,
        count=found.count,
        wanted=wanted,
        share=share,
        low=low,
        high=high,
        more=more,
        surplus=max(found.count - wanted, 0) if wanted else 0,
        to_sample=math.ceil(more / share - 1e-9) if more and share else None,
        to_sample_most=math.ceil(more / low - 1e-9) if more and found.count and low else None,
        words="",
    )
    return replace(made, words=_group_words(made))


def _group_words(g: Group) -> str:
    reach = f"{percent(g.low, 1)} to {percent(g.high, 1)}"
    text = f"{g.by} {g.group}: {g.count:,} cases, {percent(g.share, 1)} ({reach})"
    if not g.wanted:
        return text + "."
    text += f"; {g.wanted:,} wished for: "
    if not g.more:
        return text + "enough."
    if g.to_sample is None:
        return text + f"none yet, look for {g.more:,} of them on purpose."
    return (
        f"{text}{g.more:,} more. Taken as they come, that is about {g.to_sample:,} further cases; "
        f"chosen on purpose, {g.more:,}."
    )


def _warnings(
    groups: Sequence[Group],
    unknown: Mapping[str, int],
    columns: Mapping[str, Sequence[str | None]],
) -> tuple[str, ...]:
    said = [f"{g.words}" for g in groups if g.wanted and not g.count]
    said += [g.words for g in groups if g.more and g.count]
    for by, values in columns.items():
        here = [g for g in groups if g.by == by]
        if unknown[by] and (by != "class"):
            share = unknown[by] / len(values)
            said.append(
                f"{by}: not known for {unknown[by]:,} cases ({percent(share)}); they count for no "
                "group."
            )
        filled = [g for g in here if g.count]
        if len(filled) == 1 and len(here) == 1 and len(values) > 1:
            said.append(f"{by}: all cases are of one group; nothing can be said of any other.")
        if len(filled) > 1:
            said += _skew(by, filled)
    return tuple(said)


def _skew(by: str, groups: Sequence[Group]) -> list[str]:
    """Imbalance, with what to do about it."""
    rare = min(groups, key=lambda g: g.count)
    common = max(groups, key=lambda g: g.count)
    times = common.count / rare.count
    if times < _SKEWED and rare.share >= _RARE:
        return []
    return [
        f"{by}: {common.group} is {times:,.0f} times as frequent as {rare.group}. Sample more of "
        f"{rare.group} (twice as many: {rare.count:,} more) and none more of {common.group}"
        + (f", {common.surplus:,} above its wish." if common.surplus else ".")
    ]


def _banded(
    columns: dict[str, list[str | None]], wishes: Sequence[Wish]
) -> dict[str, list[str | None]]:
    """Add the column "age_band" where only ages are known, with the bands of the wishes."""
    bands = [one.group for one in wishes if one.by == "age_band"]
    if not bands or "age_band" in columns or "age" not in columns:
        return columns
    ranges = {name: _range(name) for name in bands}
    in_band: list[str | None] = []
    for value in columns["age"]:
        age = _age(value)
        fits = [
            name for name, (low, high) in ranges.items() if age is not None and low <= age <= high
        ]
        in_band.append(fits[0] if fits else None if age is None else "other age")
    return {name: column for name, column in columns.items() if name != "age"} | {
        "age_band": in_band
    }


def _age(value: str | None) -> float | None:
    try:
        age = math.floor(float(str(value).strip().rstrip("Yy")))
    except (ValueError, OverflowError):
        return None
    return age if 0 <= age <= 150 else None


def _range(name: str) -> tuple[float, float]:
    found = _BAND.match(name)
    if found is None:
        remedy = "Or give a column age_band with the groups themselves."
        raise InputError(
            "age band", 'be written "40-64", "80+" or "<18"', f"{name!r}", remedy=remedy
        )
    low, high, above, below = (int(part) if part else None for part in found.groups())
    if above is not None:
        return above, math.inf
    if below is not None:
        return 0, below - 1
    return low or 0, high or 0


def _check(columns: Mapping[str, Sequence[str | None]], wishes: Sequence[Wish]) -> None:
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise InputError("columns", "have one entry a case each", sorted(lengths))
    missing = sorted({one.by for one in wishes} - set(columns))
    if missing:
        has = ", ".join(columns) or "none"
        raise InputError(f"column {missing[0]}", "be there: the protocol wishes groups by it", has)
