"""Anchoring: whether readers agree with a pre-label more where they are shown it.

Of a share of the cases, drawn by lot, the pre-label is never shown; there readers agree with it as
far as it is right. Where it is shown they may agree more because they see it. The difference is
its influence. The lot decides by case, so that nothing else tells the two apart; where readers ask
for it themselves, those who asked are told apart too, but they chose to. Cases that are blind by a
rule (gold, audits, held back) and reads under a protocol that hid pre-labels are left out.

The unit is the case (readers of one case are alike). Intervals are Wilson's for the mean of values
in 0 .. 1, which are at least as wide as for shares, and Newcombe's for the difference.

Source:
    Newcombe (1998) Interval estimation for the difference between independent proportions:
    comparison of eleven methods. Stat Med 17:873-890 (method 10).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from overread.agreement.proportions import wilson
from overread.app.learning.pre_label import kept_hidden, newest
from overread.app.learning.pre_label_likeness import alike, changed
from overread.app.study.project_protocol import protocol_of
from overread.protocol import Protocol
from overread.protocol.pre_label import HIDDEN as NEVER
from overread.store import Store, each_read, head
from overread.store.learning.pre_labels import (
    Brought,
    Proposal,
    ShownRow,
    blind_cases,
    brought,
    pre_labels_of,
    shown_of_cases,
)

LEAST_CASES = 5
"""Of each side, before their difference is told."""

SEEN, HIDDEN, UNASKED = "seen", "hidden", "unasked"
"""They saw it; the lot hid it; they might have asked and did not."""


@dataclass(frozen=True, slots=True)
class Use:
    """One read of a question with a pre-label.

    Attributes:
        arm: of :data:`SEEN`, :data:`HIDDEN`, :data:`UNASKED`.
        likeness: of the read and the pre-label, 0 to 1.
        changed: what was done with it; {} where it was not seen.
        marked: they had marked something before they saw it.
    """

    case: str
    reader: str
    arm: str
    likeness: float
    seconds: float
    changed: Mapping[str, int] = field(default_factory=dict[str, int])
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """Reads with, or without. Args: low, high: of the mean agreement, by case; NaN of none."""

    cases: int
    reads: int
    agreement: float
    low: float
    high: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Anchoring:
    """How far a pre-label draws readers, for one question.

    Args:
        seen: reads that saw it; hidden: those of cases where the lot hid it.
        difference, low, high: of their agreement with it, and its interval; NaN where a side has
            fewer than :data:`LEAST_CASES` cases.
        offered: reads of all cases where it could be seen, asked for or not: what the lot compares.
        unchanged: share of the reads that saw it and sent it as it was.
        before: share of those that saw it before they had marked anything.
        words: what it says, in a sentence.
    """

    question: str
    prompt: str
    seen: Side
    hidden: Side
    offered: Side
    difference: float
    low: float
    high: float
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
    """

    project: str
    until: int = 0
    models: tuple[Brought, ...] = ()
    uses: dict[str, dict[tuple[str, str], Use]] = field(
        default_factory=dict[str, dict[tuple[str, str], Use]]
    )

    def catch_up(self, store: Store) -> object:
        """Take in the reads since; a page of them at a time."""
        last = head(store).n
        blind = blind_cases(store, self.project)
        page: list[Mapping[str, Any]] = []
        for row in each_read(store, self.project, latest=False, after=self.until, until=last):
            first = row["revision"] == 1 and not row["round"]
            if first and not row["cannot_be_read"] and row["case"] not in blind:
                page.append(row)
            if len(page) == _PAGE:
                self._take(store, page)
                page = []
        self._take(store, page)
        self.models = tuple(brought(store, self.project))
        self.until = last  # last: a page that looks meanwhile sees that this is not all yet
        return self

    def _take(self, store: Store, page: Sequence[Mapping[str, Any]]) -> None:
        """By the protocol that each read was made under: it said what could be seen."""
        versions = {int(row["protocol_version"]) for row in page}
        protocols = {one: protocol_of(store, self.project, one).protocol for one in versions}
        cases = sorted({row["case"] for row in page})
        proposals = pre_labels_of(store, cases, withdrawn=True)
        shown = shown_of_cases(store, cases)
        for row in page:
            seen = shown.get((row["task"], row["reader"]))
            if seen is not None and seen.event > row["event"]:
                seen = None
            had = proposals.get(row["case"], ())
            protocol = protocols[int(row["protocol_version"])]
            for question, use in _uses(self.project, protocol, row, had, seen).items():
                self.uses.setdefault(question, {})[row["case"], row["reader"]] = use

    def told(self, protocol: Protocol) -> list[Anchoring]:
        """What the reads say by now, question by question."""
        return [
            anchoring_of(one.id, one.prompt, list(self.uses[one.id].values()))
            for one in protocol.questions
            if self.uses.get(one.id)
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
    of = {arm: [one for one in uses if one.arm == arm] for arm in (SEEN, HIDDEN, UNASKED)}
    seen, hidden = side_of(of[SEEN]), side_of(of[HIDDEN])
    offered = side_of([*of[SEEN], *of[UNASKED]])
    told = min(offered.cases, hidden.cases) >= LEAST_CASES
    diff, low, high = difference(offered, hidden) if told else (math.nan,) * 3
    saw = of[SEEN]
    same = [not sum(n for key, n in one.changed.items() if key != "kept") for one in saw]
    return Anchoring(
        question,
        prompt,
        seen,
        hidden,
        offered,
        diff,
        low,
        high,
        float(np.mean(same)) if saw else math.nan,
        float(np.mean([not one.marked for one in saw])) if saw else math.nan,
        _words(offered, hidden, low, high),
    )


def side_of(uses: Sequence[Use]) -> Side:
    """Mean agreement by case, with its interval."""
    if not uses:
        return Side(0, 0, math.nan, math.nan, math.nan, math.nan)
    by_case: dict[str, list[float]] = {}
    for one in uses:
        by_case.setdefault(one.case, []).append(one.likeness)
    means = [float(np.mean(each)) for each in by_case.values()]
    mean = float(np.mean(means))
    low, high = wilson(mean * len(means), len(means))
    seconds = float(np.median([one.seconds for one in uses]))
    return Side(len(means), len(uses), mean, low, high, seconds)


def difference(one: Side, other: Side) -> tuple[float, float, float]:
    """One mean less another, with Newcombe's interval (his method 10)."""
    apart = one.agreement - other.agreement
    low = math.hypot(one.agreement - one.low, other.high - other.agreement)
    high = math.hypot(one.high - one.agreement, other.agreement - other.low)
    return apart, max(-1.0, apart - low), min(1.0, apart + high)


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
