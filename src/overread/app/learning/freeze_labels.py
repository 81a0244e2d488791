"""Auto-labels: a model's answers for the cases that nobody read, kept with their thresholds.

The thresholds are chosen on cases whose labels the model did not see; the target, the share of
wrong labels that is to be certified later, is decided here, before anything is audited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from overread.app.study.project_protocol import protocol_of
from overread.arrays import Bools, Floats, Ints
from overread.errors import InputError
from overread.labels import Kind
from overread.protocol import Question
from overread.selection.certificate.bounds import chance_of_at_most
from overread.selection.certificate.certify import planned_audit
from overread.selection.certificate.freeze import Frozen, expected_errors, freeze
from overread.selection.tune import fair_weights
from overread.store import Store
from overread.store.audits import GIVEN_UP, heard, list_audits
from overread.store.auto_labels import NewLabel, add_auto_labels, read_cases

TARGETS = (0.01, 0.02, 0.05, 0.1)
AIM = 0.5
CONFIDENCE = 0.95
_ALLOWED = 6
_GOOD_CHANCE = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """What a model says of the cases that nobody read.

    Args:
        question: id; classes: names, as the protocol has them.
        cases: (cases,) ids; probabilities: (cases, classes).
        model: what it is, with its version, in a line.
        known_confidence, known_right: (labels,) of cases whose labels the model did not see.
    """

    question: str
    classes: tuple[str, ...]
    cases: Sequence[str]
    probabilities: Floats
    model: str
    known_confidence: Floats
    known_right: Bools


@dataclass(frozen=True, slots=True)
class Plan:
    """An audit. Args: cases: to read; allowed: errors among them; chance: that they suffice."""

    cases: int
    allowed: int
    chance: float


@dataclass(frozen=True, slots=True)
class Offer:
    """What a target would come to, told before anything is decided.

    Args:
        target: share of wrong labels that would be certified.
        accepted: labels sure enough; left: cases that go to readers.
        expected: share of errors that the known labels let expect among the accepted.
        plans: audits that could show it; the first with a good chance is the one to take.
    """

    target: float
    accepted: int
    left: int
    expected: float
    plans: tuple[Plan, ...]

    @property
    def best(self) -> Plan | None:
        """The smallest audit with a good chance; else the one with the best."""
        good = [one for one in self.plans if one.chance >= _GOOD_CHANCE]
        return good[0] if good else max(self.plans, key=lambda one: one.chance, default=None)


def require_question(store: Store, project: str, question: str) -> Question:
    """The question, if its answers can be certified: one class a case.

    Raises:
        InputError: no such question, or of another kind.
    """
    found = {one.id: one for one in protocol_of(store, project).protocol.questions}.get(question)
    if found is None or found.kind not in {Kind.NOMINAL, Kind.ORDINAL}:
        rule = "be one of the protocol that is answered with one class"
        raise InputError("question of the auto-labels", rule, question)
    return found


def offers(store: Store, project: str, given: Proposals) -> list[Offer]:
    """What each target would come to."""
    found = unread_only(store, project, given)
    if not len(found.cases):
        return []
    confidence = confidence_of_next(store, project)
    made = []
    for target in TARGETS:
        frozen, expected = _frozen(found, target)
        made.append(offer_of(frozen, expected, target=target, confidence=confidence))
    return made


def offer_of(frozen: Frozen, expected: float, *, target: float, confidence: float) -> Offer:
    """What certifying these labels would take."""
    accepted = int((frozen.tier >= 0).sum())
    plans = []
    for allowed in range(_ALLOWED):
        cases = planned_audit(frozen, target=target, confidence=confidence, allowed=allowed)
        if cases is None:
            break
        wrong = round(expected * accepted)
        plans.append(Plan(cases, allowed, chance_of_at_most(allowed, cases, wrong, accepted)))
        if cases == accepted:
            break
    return Offer(target, accepted, len(frozen.rows) - accepted, expected, tuple(plans))


def confidence_of_next(store: Store, project: str, confidence: float = CONFIDENCE) -> float:
    """Confidence of a project's next audit: each one after the first has half the risk.

    So the chance that any certificate of a project is false stays below twice the first risk,
    however often it is tried.
    """
    before = tries(store, project)
    return 1 - (1 - confidence) * 0.5**before


def tries(store: Store, project: str) -> int:
    """Audits of a project so far; one that was given up before any case was read is none."""
    every = list_audits(store, project)
    return sum(one.state != GIVEN_UP or bool(heard(store, one.id)) for one in every)


def unread_only(store: Store, project: str, given: Proposals) -> Proposals:
    """The proposals without the cases that somebody read meanwhile: their read goes before."""
    read = read_cases(store, project)
    keep = np.array([one not in read for one in given.cases], dtype=bool)
    if keep.all():
        return given
    cases = [one for one, kept in zip(given.cases, keep, strict=True) if kept]
    return Proposals(
        given.question, given.classes, cases, given.probabilities[keep], given.model,
        given.known_confidence, given.known_right,
    )  # fmt: skip


def auto_label(store: Store, project: str, given: Proposals, *, target: float, by: str) -> str:
    """Freeze the model's answers for every case that nobody read; return the id of the run.

    Args:
        target: share of wrong labels that is to be certified, in (0, 0.5).
        by: the user's id.
    Raises:
        InputError: every case was read; the classes are not those of the protocol; too few
            labels that the model did not see.
        ConflictError: older auto-labels are under audit.
    """
    question = require_question(store, project, given.question)
    if tuple(question.names) != tuple(given.classes):
        remedy = "The protocol changed: let the model learn its classes first."
        raise InputError(
            "classes of the model", "be those of the protocol", "others", remedy=remedy
        )
    if len(given.known_right) < 10:
        remedy = "Read more of the held-back cases first."
        rule = "be 10 or more, to choose thresholds by"
        raise InputError("held-back labels", rule, len(given.known_right), remedy=remedy)
    found = unread_only(store, project, given)
    if not len(found.cases):
        raise InputError("cases", "be left that nobody read", "none")
    frozen, expected = _frozen(found, target)
    confidence = found.probabilities.max(axis=1)
    labels = [
        NewLabel(case, given.classes[code], float(sure), int(tier))
        for case, code, sure, tier in zip(
            found.cases, frozen.label.tolist(), confidence, frozen.tier, strict=True
        )
    ]
    return add_auto_labels(
        store, project, given.question, labels, by,
        protocol_version=protocol_of(store, project).version, model=given.model,
        settings=_settings(frozen, expected, given, target),
    )  # fmt: skip


def _settings(frozen: Frozen, expected: float, given: Proposals, target: float) -> dict[str, Any]:
    return {
        "target": target,
        "classes": list(given.classes),
        "thresholds": [[float(one) for one in tier] for tier in frozen.thresholds],
        "aim": AIM,
        "expected": expected,
        "known": len(given.known_right),
    }


def _frozen(given: Proposals, target: float) -> tuple[Frozen, float]:
    confidence = given.probabilities.max(axis=1)
    known = np.asarray(given.known_confidence, dtype=float)
    weight = fair_weights(known, confidence) if len(known) else np.ones(0)
    rows: Ints = np.arange(len(given.cases))
    made = freeze(
        rows, given.probabilities, target=target, known_confidence=known,
        known_right=np.asarray(given.known_right, dtype=bool), known_weight=weight, aims=(AIM,),
    )  # fmt: skip
    inside = made.tier >= 0
    if not inside.any():
        return made, 1.0
    error = expected_errors(confidence, known, np.asarray(given.known_right, dtype=bool), weight)
    return made, float(error[inside].mean())
