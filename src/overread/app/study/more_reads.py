"""Reads on demand while readers read: each case that is read is judged, and gets one more or none.

What is kept here follows from the log alone, as with the watch over readers: a server that starts
again replays the last reads, and knows from the store what was decided on them. The last
:data:`WINDOW` reads are remembered and learned from; what is older is looked up when somebody
reads such a case again, so that a project of a million reads takes no more memory than one of
some thousands. Cases that are older than that are judged no more unless they are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from overread.app.analysis.demand_model import ReaderModel, Wishes, asks_by_models, fit_models
from overread.app.analysis.project_reads import Said, fits, read_table
from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_readers import who_reads
from overread.app.study.project_tables import said_of_read
from overread.errors import InputError, MethodError
from overread.labels import ClassReads, Kind, MultiLabelReads
from overread.planning.demand import WORDS
from overread.protocol import Question
from overread.protocol.on_demand import OnDemand
from overread.store import Store, before_last_reads, each_read, head, list_pauses
from overread.store.quality.qualification import list_certificates
from overread.store.work.demands import (
    ASK,
    Decision,
    count_aside,
    count_demands,
    decide_cases,
    list_demands,
    places,
    tasks_waiting,
)
from overread.store.work.plan_view import barred

KINDS = (Kind.NOMINAL, Kind.ORDINAL, Kind.MULTILABEL)
WINDOW = 20_000
"""Reads that are remembered, of each question."""

_FEWEST = 30  # cases with two reads, before which readers cannot be told apart
_GROWTH = 1.1  # reads against those of the last fit, from which on it is worth another
_TOGETHER = 200  # decisions in one transaction
_LOOKED_UP = 500  # cases at a time


@dataclass(slots=True, eq=False)
class ProjectDemand:
    """The reads of a project and what they tell of its readers; one thread at a time.

    Args:
        project: its id.
        until: last event of the log that was taken in.
        version: of the protocol.
        aside: reads that were set aside after an alarm about their reader.
        said: question -> case -> reader -> what they said; the case that was read last is last.
        models: of the questions' parts, by question.
        taken: reads that were taken in; fitted: when the models were learned.
        waiting: cases that were read and not judged yet; kept where the store refuses a while.
    """

    project: str
    until: int = 0
    version: int = 0
    aside: int = 0
    said: dict[str, dict[str, dict[str, Said]]] = field(
        default_factory=dict[str, dict[str, dict[str, Said]]]
    )
    models: dict[str, list[ReaderModel]] = field(default_factory=dict[str, list[ReaderModel]])
    taken: int = 0
    fitted: int = 0
    waiting: set[str] = field(default_factory=set[str])

    def catch_up(self, store: Store) -> int:
        """Take in what was read since, and ask for the reads that follow.

        Args:
            store: where.
        Returns:
            How many reads were asked for.
        """
        now = protocol_of(store, self.project)
        asked = now.protocol.on_demand
        if asked is None:
            return 0
        questions = [one for one in now.protocol.questions if one.kind in KINDS]
        aside = count_aside(store, self.project)
        if (now.version, aside) != (self.version, self.aside):
            self.until, self.taken, self.fitted = 0, 0, 0
            self.version, self.aside = now.version, aside
            self.said = {one.id: {} for one in questions}
            self.models, self.waiting = {}, set()
        self._take_in(store, questions)
        if not self.waiting:
            return 0
        if self._learn(questions):
            self.waiting = self._cases()
        if not self.models:
            return 0
        made = self._decide(store, questions, sorted(self.waiting), asked)
        self.waiting = set()
        self._forget()
        return made

    def _take_in(self, store: Store, questions: Sequence[Question]) -> None:
        last, start = head(store).n, self.until
        if not start:
            start = before_last_reads(store, self.project, WINDOW)
        fresh: set[str] = set()
        for row in each_read(store, self.project, after=start, until=last):
            self.taken += 1
            for one, said in _said(row, questions):
                of = self.said[one.id]
                if said.case not in of:
                    fresh.add(said.case)
                of[said.case] = of.pop(said.case, {}) | {said.reader: said}
                self.waiting.add(said.case)
        if start:
            self._recall(store, questions, sorted(fresh), until=start)
        self.until = last

    def _recall(
        self, store: Store, questions: Sequence[Question], cases: Sequence[str], *, until: int
    ) -> None:
        """Look up what was said of cases before the reads that are remembered."""
        for at in range(0, len(cases), _LOOKED_UP):
            part = cases[at : at + _LOOKED_UP]
            for row in each_read(store, self.project, cases=part, until=until):
                for one, said in _said(row, questions):
                    self.said[one.id].setdefault(said.case, {}).setdefault(said.reader, said)

    def _forget(self) -> None:
        """Let go of the cases that were read longest ago, beyond the window."""
        for of in self.said.values():
            kept = sum(len(readers) for readers in of.values())
            for case in list(of):
                if kept <= WINDOW:
                    break
                kept -= len(of.pop(case))

    def _cases(self) -> set[str]:
        return {case for of in self.said.values() for case in of}

    def _learn(self, questions: Sequence[Question]) -> bool:
        """Fit anew where it is due."""
        if self.models and self.taken < _GROWTH * self.fitted:
            return False
        made: dict[str, list[ReaderModel]] = {}
        for one in questions:
            of = self.said[one.id]
            if sum(len(readers) > 1 for readers in of.values()) < _FEWEST:
                return False
            table = read_table(one, [s for readers in of.values() for s in readers.values()], {})
            if not isinstance(table, ClassReads | MultiLabelReads):
                return False
            try:
                made[one.id] = fit_models(table)
            except (InputError, MethodError):
                return False
        self.models, self.fitted = made, self.taken
        return True

    def _decide(
        self, store: Store, questions: Sequence[Question], cases: Sequence[str], asked: OnDemand
    ) -> int:
        there = places(store, cases)
        before = list_demands(store, self.project, cases)
        count = {case: len(self._readers_of(case)) for case in cases}
        open_ = [case for case in cases if case not in there.outstanding and count[case]]
        if not open_:
            return 0
        readers = _who_can(store, self.project)
        shut = there.taken | barred(store, self.project)
        available = np.array(
            [[(case, one) not in shut for one in readers] for case in open_], dtype=np.bool_
        ).reshape(len(open_), len(readers))
        models, said = self._heard(questions, open_)
        seconds = self._seconds()
        asks, probability = asks_by_models(
            models,
            said,
            readers=readers,
            available=available,
            reads=np.array([count[case] for case in open_]),
            seconds=seconds,
            wishes=Wishes(asked.sure, asked.at_least, asked.at_most, asked.loss),
            waiting=_waiting(store, self.project, seconds),
        )
        made = [
            Decision(
                case,
                WORDS[asks.state[at]],
                count[case],
                float(probability[at]),
                readers[asks.reader[at]] if asks.reader[at] >= 0 else "",
            )
            for at, case in enumerate(open_)
        ]
        return _kept(store, self.project, [one for one in made if _is_news(one, before)])

    def _readers_of(self, case: str) -> set[str]:
        return {reader for of in self.said.values() for reader in of.get(case, {})}

    def _heard(
        self, questions: Sequence[Question], cases: Sequence[str]
    ) -> tuple[list[ReaderModel], list[list[list[tuple[str, int]]]]]:
        """The models, and of each of them what was said of each case, as codes."""
        models: list[ReaderModel] = []
        said: list[list[list[tuple[str, int]]]] = []
        for one in questions:
            of = self.said[one.id]
            for at, model in enumerate(self.models[one.id]):
                models.append(model)
                said.append(
                    [
                        [(who, _code(one, at, s)) for who, s in sorted(of.get(case, {}).items())]
                        for case in cases
                    ]
                )
        return models, said

    def _seconds(self) -> dict[str, float]:
        """Reader -> median seconds of their reads."""
        times: dict[str, list[float]] = {}
        for of in next(iter(self.said.values())).values():
            for reader, one in of.items():
                if one.seconds > 0:
                    times.setdefault(reader, []).append(one.seconds)
        return {reader: float(np.median(of)) for reader, of in times.items()}


def _said(row: dict[str, Any], questions: Sequence[Question]) -> list[tuple[Question, Said]]:
    """What a read says to the questions that are judged."""
    found = ((one, said_of_read(row, one)) for one in questions)
    return [
        (one, said)
        for one, said in found
        if said is not None and (said.value is None or fits(one, said.value))
    ]


def _waiting(store: Store, project: str, seconds: Mapping[str, float]) -> dict[str, float]:
    """Reader -> seconds of the work that waits for them alone."""
    usual = float(np.mean(list(seconds.values()))) if seconds else 0.0
    tasks = tasks_waiting(store, project)
    return {reader: count * seconds.get(reader, usual) for reader, count in tasks.items()}


def _code(question: Question, at: int, said: Said) -> int:
    """Code of what was said; of a set of classes whether class ``at`` is in it; -1 for nothing."""
    if said.value is None:
        return -1
    if question.kind is Kind.MULTILABEL:
        return int(question.names[at] in said.value)
    return question.names.index(said.value)


def _who_can(store: Store, project: str) -> list[str]:
    """Who may be asked now: reads here, is not paused, and has the certificate it takes."""
    paused = list_pauses(store, project)
    here = [one for one in who_reads(store, project) if one not in paused]
    if protocol_of(store, project).protocol.qualification is None:
        return here
    proven = list_certificates(store, project)
    return [one for one in here if one in proven]


def _is_news(one: Decision, before: Mapping[str, Any]) -> bool:
    """It is not what is known: another number of reads, or a case once done is asked for again."""
    last = before.get(one.case)
    if last is None or last.reads != one.reads:
        return True
    return one.state == ASK and last.state != ASK


def _kept(store: Store, project: str, decisions: Sequence[Decision]) -> int:
    asked = 0
    for start in range(0, len(decisions), _TOGETHER):
        asked += len(decide_cases(store, project, decisions[start : start + _TOGETHER]))
    return asked


@dataclass(frozen=True, slots=True)
class Demanded:
    """How far reading on demand is.

    Args:
        done: cases that are decided; sure: of them by the consensus; asked: waiting for a read.
        reads: of the cases decided; fixed: what they would have with as many reads for all.
    """

    done: int
    sure: int
    asked: int
    reads: int
    fixed: int

    @property
    def saved(self) -> float:
        """Share of the reads that were not needed."""
        return 1 - self.reads / self.fixed if self.fixed else 0.0


def demanded(store: Store, project: str) -> Demanded | None:
    """Count what was decided; None where the protocol does not ask for it."""
    asked = protocol_of(store, project).protocol.on_demand
    if asked is None:
        return None
    counts = count_demands(store, project)
    done = [counts.get(state, (0, 0)) for state in ("sure", "settled", "spent")]
    cases, reads = sum(n for n, _ in done), sum(k for _, k in done)
    return Demanded(cases, done[0][0], counts.get("ask", (0, 0))[0], reads, cases * asked.at_most)
