"""The page of auto-labels: what stands, how far the review and the audit are, what came of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from overread.app.learning.blind_audit import Standing, audit_offer, running, standing
from overread.app.learning.class_thresholds import ClassThreshold, class_thresholds
from overread.app.learning.film_strip import ClassCount, by_class
from overread.app.learning.freeze_labels import CERTIFIED, Offer
from overread.app.study.project_protocol import protocol_of
from overread.store import Store, list_users, project_progress
from overread.store.learning.audits import AuditRow, list_audits, list_label_certificates
from overread.store.learning.auto_labels import (
    OPEN,
    REFUSED,
    RunRow,
    list_auto_runs,
    reviewers,
    standing_run,
)


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who reviewed. Args: labels: looked at or accepted; seconds: active."""

    name: str
    labels: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Paper:
    """A certificate as the page lists it."""

    id: str
    made: str
    words: str
    stands: bool


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """The page.

    Args:
        run: the auto-labels that stand; None before the first.
        classes: how far each class is reviewed.
        thresholds: how sure a label of each class had to be; () where one is for all.
        offer: what an audit would take; None while one is under way, or after it.
        audit: the one under way.
        ended: audits that are over, the newest first.
        runs: how often the model's answers were frozen.
        fits: the protocol has a question that can be certified.
        cases: of the project.
    """

    run: RunRow | None
    classes: tuple[ClassCount, ...]
    thresholds: tuple[ClassThreshold, ...]
    offer: Offer | None
    audit: Standing | None
    ended: tuple[AuditRow, ...]
    papers: tuple[Paper, ...]
    reviewers: tuple[Reviewer, ...]
    runs: int
    fits: bool
    cases: int

    @property
    def sure(self) -> int:
        """Labels that stand."""
        return sum(one.sure for one in self.classes)

    @property
    def left(self) -> int:
        """Labels that nobody looked at."""
        return sum(one.open for one in self.classes)

    @property
    def reviewed(self) -> int:
        """Labels that somebody looked at."""
        return sum(one.reviewed for one in self.classes)

    @property
    def unsure(self) -> int:
        """Cases whose label does not stand: they go to readers."""
        every = sum(one.open + one.reviewed + one.turned_down for one in self.classes)
        return every - self.sure

    @property
    def paper(self) -> Paper | None:
        """The certificate that stands."""
        return next((one for one in self.papers if one.stands), None)


def board(store: Store, project: str) -> Board:
    """Put the page together.

    Raises:
        NotFoundError: no such project.
    """
    questions = protocol_of(store, project).protocol.questions
    run = standing_run(store, project)
    audit = running(store, project)
    reviewable = run is not None and run.state in {OPEN, REFUSED}
    return Board(
        run=run,
        classes=() if run is None else tuple(by_class(store, run)),
        thresholds=() if run is None else class_thresholds(run.settings),
        offer=audit_offer(store, run) if run is not None and reviewable else None,
        audit=None if audit is None else standing(store, audit),
        ended=tuple(one for one in list_audits(store, project) if one.ended),
        papers=tuple(_papers(store, project, run)),
        reviewers=() if run is None else tuple(_reviewers(store, run)),
        runs=len(list_auto_runs(store, project)),
        fits=any(one.kind in CERTIFIED for one in questions),
        cases=project_progress(store, project).cases,
    )


def _papers(store: Store, project: str, run: RunRow | None) -> list[Paper]:
    made = []
    for one in list_label_certificates(store, project):
        inner: Mapping[str, Any] = json.loads(one.document)["certificate"]
        stands = run is not None and one.run == run.id
        made.append(Paper(one.id, one.made, str(inner["words"]), stands))
    return made


def _reviewers(store: Store, run: RunRow) -> list[Reviewer]:
    found = reviewers(store, run.id)
    names = {one.id: one.name for one in list_users(store, keys=sorted(found))} if found else {}
    return [
        Reviewer(names.get(who, "former reader"), labels, seconds)
        for who, (labels, seconds) in sorted(found.items(), key=lambda each: -each[1][0])
    ]
