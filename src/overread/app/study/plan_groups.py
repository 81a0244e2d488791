"""Who is in a project's images, against what its protocol wishes for: bars and words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import polars as pl

from overread.app.analysis.plan_reads import groups_of
from overread.app.study.plan_ground import value_of
from overread.app.study.project_protocol import protocol_of
from overread.labels import Kind
from overread.store import Store, each_read
from overread.store.work.plan_view import list_facts

_BY = ("sex", "age_band", "site", "device", "body_part", "modality")
_MOST_BARS = 12


@dataclass(frozen=True, slots=True)
class Bar:
    """Cases of one group. Args: wanted: 0 where nothing is wished; words: of it."""

    group: str
    count: int
    wanted: int
    words: str


@dataclass(frozen=True, slots=True)
class Plot:
    """The groups of one kind. Args: most: the longest bar or wish; more: groups left out."""

    by: str
    bars: tuple[Bar, ...]
    most: int
    more: int


@dataclass(frozen=True, slots=True)
class Groups:
    """All plots, and what to beware of."""

    plots: tuple[Plot, ...]
    warnings: tuple[str, ...]


def project_groups(store: Store, project: str) -> Groups:
    """Count the groups of the cases that are there, and the classes that readers said so far.

    The class of a case is the one that most of its readers gave; of a tie the first by name.
    """
    protocol = protocol_of(store, project).protocol
    rows = list_facts(store, project)
    if not rows:
        return Groups((), ())
    sites = sorted({value_of(one, "site") for one in rows} - {""})
    site = {key: f"site {at + 1}" for at, key in enumerate(sites)}
    columns = {"case": [one.id for one in rows]}
    for name in _BY:
        column = [value_of(one, name) for one in rows]
        if name == "site":
            # a site is known by a keyed hash; where the protocol names sites, its names are kept
            wished = {g for one in protocol.diversity if one.by == name for g in one.groups}
            column = [one if one in wished or not one else site[one] for one in column]
        if any(column):
            columns[name] = column
    asked = [
        one.id
        for one in protocol.questions
        if one.kind in {Kind.NOMINAL, Kind.ORDINAL} and any(each.at_least for each in one.classes)
    ]
    said = _said(store, project, asked) if asked else {}
    for name in asked:
        columns[name] = [said.get((name, one.id), "") for one in rows]
    found, notes = groups_of(pl.DataFrame(columns), protocol, by=[n for n in _BY if n in columns])
    by: dict[str, list[Bar]] = {}
    for one in found.groups:
        by.setdefault(one.by, []).append(Bar(one.group, one.count, one.wanted, one.words))
    return Groups(tuple(_plot(name, bars) for name, bars in by.items()), (*found.warnings, *notes))


def _plot(by: str, bars: list[Bar]) -> Plot:
    shown = bars[:_MOST_BARS]
    most = max((max(one.count, one.wanted) for one in shown), default=0)
    return Plot(by, tuple(shown), max(most, 1), len(bars) - len(shown))


def _said(store: Store, project: str, questions: list[str]) -> dict[tuple[str, str], str]:
    votes: dict[tuple[str, str], Counter[str]] = {}
    for row in each_read(store, project):
        for name in questions:
            value = row["answer"].get(name)
            if isinstance(value, str):
                votes.setdefault((name, row["case"]), Counter())[value] += 1
    return {key: min(of, key=lambda v: (-of[v], v)) for key, of in votes.items()}
