"""The reads of a project that a model learns from, taken in as they come."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from overread.app.analysis.demand_model import ReaderModel
from overread.app.analysis.project_reads import Said
from overread.app.learning.settings import Setup
from overread.app.learning.votes import CaseVotes, hears, reader_models, votes_of
from overread.app.study.project_tables import said_of_project, said_of_read
from overread.store import Store, each_read, head
from overread.store.quality.adjudications import standards_of_project
from overread.store.work.demands import count_aside

_GROWTH = 1.1  # reads against those of the last fit of the readers, from which on it is due


@dataclass(slots=True, eq=False)
class Heard:
    """What readers said; one thread at a time.

    Args:
        until: last event of the log that was taken in.
        mark: of what no new read tells: reads set aside, standards, the protocol's version.
        said: case -> reader -> what they said.
        standards: case -> answer of its reference standard; None: it cannot be read.
        models: of readers; None before they are known.
        fitted: reads that these rest on.
        order: of the cases, by their first read.
    """

    until: int = 0
    mark: tuple[int, ...] = ()
    said: dict[str, dict[str, Said]] = field(default_factory=dict[str, dict[str, Said]])
    standards: dict[str, Any] = field(default_factory=dict[str, Any])
    models: tuple[ReaderModel, ...] | None = None
    fitted: int = 0
    order: dict[str, None] = field(default_factory=dict[str, None])

    def votes(self, setup: Setup, cases: Collection[str] | None = None) -> dict[str, CaseVotes]:
        """Labels of some cases, or of all."""
        if cases is None:
            return votes_of(setup, self.said, standards=self.standards, models=self.models)
        said = {case: self.said[case] for case in cases if case in self.said}
        known = {case: self.standards[case] for case in cases if case in self.standards}
        return votes_of(setup, said, standards=known, models=self.models)

    @property
    def reads(self) -> int:
        """Reads that count."""
        return sum(len(of) for of in self.said.values())

    def seconds(self) -> list[float]:
        """Of the reads that took any time."""
        return [one.seconds for of in self.said.values() for one in of.values() if one.seconds > 0]

    def pace(self) -> dict[str, float]:
        """Reader -> median seconds of their reads."""
        times: dict[str, list[float]] = {}
        for of in self.said.values():
            for reader, one in of.items():
                if one.seconds > 0:
                    times.setdefault(reader, []).append(one.seconds)
        return {reader: median(of) for reader, of in times.items()}

    def know_readers(self, setup: Setup) -> bool:
        """Fit the readers anew where it is due; tell whether anything changed."""
        if self.reads < _GROWTH * self.fitted or setup.reads < 2:
            return False
        self.models, self.fitted = reader_models(setup, self.said), self.reads
        return self.models is not None


def mark_of(store: Store, project: str, setup: Setup) -> tuple[int, ...]:
    """Changes when labels change that are no new reads."""
    standards = standards_of_project(store, project)
    last = max((one.event for one in standards.values()), default=0)
    return setup.version, count_aside(store, project), len(standards), last


def reads_so_far(store: Store, project: str, setup: Setup) -> Heard:
    """All that counts now: reads set aside, or ruled out by a change of protocol, do not."""
    until, mark = head(store).n, mark_of(store, project, setup)
    made = Heard(until, mark)
    for one in said_of_project(store, project, setup.question, until=until):
        _take(made, setup, one)
    name = setup.question.id
    for case, row in standards_of_project(store, project, until=until).items():
        if row.cannot_be_read:
            made.standards[case] = None
        elif name in row.answer:
            made.standards[case] = row.answer[name]
    made.know_readers(setup)
    return made


def read_on(store: Store, project: str, setup: Setup, heard: Heard) -> set[str]:
    """Take in the reads since; the cases they are of. ``heard`` is changed."""
    last = head(store).n
    touched: set[str] = set()
    for row in each_read(store, project, after=heard.until, until=last):
        said = said_of_read(row, setup.question)
        if said is not None:
            _take(heard, setup, said)
            touched.add(said.case)
    heard.until = last
    return touched


def _take(heard: Heard, setup: Setup, said: Said) -> None:
    of = heard.said.setdefault(said.case, {})
    if hears(setup.question, said):
        of[said.reader] = said
        heard.order.setdefault(said.case)
    else:
        of.pop(said.reader, None)
