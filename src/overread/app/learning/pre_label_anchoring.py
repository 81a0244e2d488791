"""Anchoring: whether readers agree with a pre-label more where they are shown it.

Of a share of the cases, drawn by lot, the pre-label is never shown; there readers agree with it as
far as it is right. Where it is shown they may agree more because they see it. The difference is
its influence. The lot decides by case, so that nothing else tells the two apart; where readers ask
for it themselves, those who asked are told apart too, but they chose to. Cases that are blind by a
rule (gold, audits, held back) and reads under a protocol that hid pre-labels are left out.

Hints are measured beside them in the same pass; see :mod:`overread.app.learning.hint_influence`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from overread.app.learning.hint_influence import Influence, hint_uses, influence_of
from overread.app.learning.pre_label import kept_hidden, newest
from overread.app.learning.pre_label_likeness import alike, changed
from overread.app.learning.pre_label_sides import (
    HIDDEN,
    LEAST_CASES,
    SEEN,
    UNASKED,
    Contrast,
    Side,
    Use,
    sides_of,
    unmarked,
)
from overread.app.study.project_protocol import protocol_of
from overread.protocol import Protocol
from overread.protocol.pre_label import HIDDEN as NEVER
from overread.store import Store, each_read, head
from overread.store.learning.hints import hints_of_cases
from overread.store.learning.pre_labels import (
    HINTS,
    Brought,
    Proposal,
    ShownRow,
    blind_cases,
    brought,
    pre_labels_of,
    shown_of_cases,
)
from overread.store.learning.pre_labels_withdrawn import hinted


@dataclass(frozen=True, slots=True)
class Anchoring(Contrast):
    """How far a pre-label draws readers, for one question.

    Args:
        seen, hidden, offered, difference, low, high: as of :class:`Contrast`.
        unchanged: share of the reads that saw it and sent it as it was.
        before: share of those that saw it before they had marked anything.
        words: what it says, in a sentence.
    """

    unchanged: float
    before: float
    words: str


@dataclass(slots=True, eq=False)
class ProjectAnchoring:
    """The reads of a project beside its pre-labels, kept up to date beside the pages.

    Args:
        project: its id.
        until: the last event that was taken in.
        models: that have proposed.
        uses: question -> case and reader -> what came of it.
        hints: cases that have hints, and since when; hinted: as ``uses``, of these hints alone.
    """

    project: str
    until: int = 0
    models: tuple[Brought, ...] = ()
    uses: dict[str, dict[tuple[str, str], Use]] = field(
        default_factory=dict[str, dict[tuple[str, str], Use]]
    )
    hints: tuple[int, str] = (0, "")
    hinted: dict[str, dict[tuple[str, str], Use]] = field(
        default_factory=dict[str, dict[tuple[str, str], Use]]
    )

    def catch_up(self, store: Store) -> object:
        """Take in the reads since; a page of them at a time."""
        last = head(store).n
        blind = blind_cases(store, self.project)
        hints = hinted(store, self.project)
        after = self.until if hints == self.hints else 0  # others stand: measured anew
        if not after:
            self.hinted = {}
        page: list[Mapping[str, Any]] = []
        for row in each_read(store, self.project, latest=False, after=after, until=last):
            first = row["revision"] == 1 and not row["round"]
            if first and not row["cannot_be_read"] and row["case"] not in blind:
                page.append(row)
            if len(page) == _PAGE:
                self._take(store, page)
                page = []
        self._take(store, page)
        self.models, self.hints = tuple(brought(store, self.project)), hints
        self.until = last  # last: a page that looks meanwhile sees that this is not all yet
        return self

    def _take(self, store: Store, page: Sequence[Mapping[str, Any]]) -> None:
        """By the protocol that each read was made under: it said what could be seen."""
        versions = {int(row["protocol_version"]) for row in page}
        protocols = {one: protocol_of(store, self.project, one).protocol for one in versions}
        cases = sorted({row["case"] for row in page})
        proposals = pre_labels_of(store, cases, withdrawn=True)
        shown = shown_of_cases(store, cases)
        places, looks = hints_of_cases(store, cases), shown_of_cases(store, cases, what=HINTS)
        for row in page:
            seen, look = _before(row, shown), _before(row, looks)
            had = proposals.get(row["case"], ())
            protocol = protocols[int(row["protocol_version"])]
            for question, use in _uses(self.project, protocol, row, had, seen).items():
                self.uses.setdefault(question, {})[row["case"], row["reader"]] = use
            stands = places.get(row["case"])
            of_hints = hint_uses(self.project, protocol, row, stands, look, seen)
            for question, use in of_hints.items():
                self.hinted.setdefault(question, {})[row["case"], row["reader"]] = use

    def told(self, protocol: Protocol) -> list[Anchoring]:
        """What the reads say by now, question by question."""
        return [
            anchoring_of(one.id, one.prompt, list(self.uses[one.id].values()))
            for one in protocol.questions
            if self.uses.get(one.id)
        ]

    def told_of_hints(self, protocol: Protocol) -> list[Influence]:
        """What the reads say of the hints that stand, question by question."""
        return [
            influence_of(one.id, one.prompt, list(self.hinted[one.id].values()))
            for one in protocol.questions
            if self.hinted.get(one.id)
        ]


_PAGE = 500


def anchoring(store: Store, project: str) -> list[Anchoring]:
    """Measure the influence of pre-labels on the readers of a project, question by question.

    Raises:
        NotFoundError: no such project.
    """
    made = ProjectAnchoring(project)
    made.catch_up(store)
    return made.told(protocol_of(store, project).protocol)


def anchoring_of(question: str, prompt: str, uses: Sequence[Use]) -> Anchoring:
    """What the reads of one question say."""
    saw = [one for one in uses if one.arm == SEEN]
    sides = sides_of(uses)
    _, hidden, offered, _, low, high = sides
    same = [not sum(n for key, n in one.changed.items() if key != "kept") for one in saw]
    unchanged = float(np.mean(same)) if saw else math.nan
    words = _words(offered, hidden, low, high)
    return Anchoring(question, prompt, *sides, unchanged, unmarked(saw), words)


def _before(row: Mapping[str, Any], shown: Mapping[tuple[str, str], ShownRow]) -> ShownRow | None:
    """What the reader of a read had been shown when they sent it."""
    found = shown.get((row["task"], row["reader"]))
    return None if found is None or found.event > row["event"] else found


def _uses(
    project: str,
    protocol: Protocol,
    row: Mapping[str, Any],
    had: Sequence[Proposal],
    seen: ShownRow | None,
) -> dict[str, Use]:
    """What one read says of the pre-label that was there when it was made."""
    about = (row["case"], row["reader"])
    made: dict[str, Use] = {}
    shown = {} if seen is None else {one["question"]: one["value"] for one in seen.shown}
    wish = protocol.pre_label
    arm = HIDDEN if kept_hidden(project, row["case"], wish.keep_hidden) else UNASKED
    there = {key: one.value for key, one in newest(had, before=row["event"]).items()}
    for question in protocol.questions:
        if question.id not in row["answer"]:
            continue
        answer, seconds = row["answer"][question.id], float(row["seconds"])
        try:
            if seen is not None and question.id in shown:
                value = shown[question.id]
                like, did = alike(question, answer, value), changed(question, answer, value)
                made[question.id] = Use(*about, SEEN, like, seconds, did, seen.marked)
            elif question.id in there and wish.show != NEVER:
                like = alike(question, answer, there[question.id])
                made[question.id] = Use(*about, arm, like, seconds)
        except (KeyError, TypeError, ValueError):
            continue  # an answer under an older protocol, of another kind
    return made


def _words(offered: Side, hidden: Side, low: float, high: float) -> str:
    if math.isnan(low):
        few = f"at least {LEAST_CASES} cases with it and {LEAST_CASES} without are needed"
        return f"Not known yet: {few}; there are {offered.cases} and {hidden.cases}."
    if low > 0:
        return "Readers agree with the pre-label more where they may see it: it draws them."
    if high < 0:
        return "Readers agree with the pre-label less where they may see it."
    return "No influence is seen; the interval says how large one could be."
