"""Auto-labels: a model's answers for the cases that nobody read, kept with their thresholds.

The thresholds are chosen on cases whose labels the model did not see; the target, the share of
wrong labels that is to be certified later, is decided here, before anything is audited.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from overread.app.learning.class_thresholds import told_by_class
from overread.app.learning.paces import paces_of
from overread.app.study.project_protocol import protocol_of
from overread.arrays import Bools, Floats, Ints
from overread.errors import InputError
from overread.labels import Kind
from overread.protocol import Question
from overread.selection.certificate.bounds import chance_of_at_most
from overread.selection.certificate.certify import planned_audit
from overread.selection.certificate.freeze import Frozen, expected_errors, freeze
from overread.selection.certificate.plan import plan_audit
from overread.selection.certificate.sets import frozen_sets
from overread.selection.tune import fair_weights
from overread.store import Store
from overread.store.learning.audits import GIVEN_UP, heard, list_audits
from overread.store.learning.auto_labels import NewLabel, add_auto_labels, read_cases
from overread.store.study.effort import last_answers

TARGETS = (0.01, 0.02, 0.05, 0.1)
AIM = 0.5
CONFIDENCE = 0.95
_ALLOWED = 6
_LARGE = 500  # cases, from which on an audit is small against the set
_GOOD_CHANCE = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """What a model says of the cases that nobody read.

    Args:
        question: id; classes: names, as the protocol has them.
        cases: (cases,) ids; probabilities: (cases, classes).
        model: what it is, with its version, in a line.
        known_confidence, known_right: (labels,) of cases whose labels the model did not see.
        known_label: (labels,) class that it said of each; None where labels are sets.
        findings: of a question that takes several classes, their names; then a label is a whole
            set: ``classes`` are sets (:func:`overread.app.analysis.set_labels.set_text`), ``code``
            (cases,) tells the set of each case and ``probabilities`` (cases, 1) how sure it is.
    """

    question: str
    classes: tuple[str, ...]
    cases: Sequence[str]
    probabilities: Floats
    model: str
    known_confidence: Floats
    known_right: Bools
    findings: tuple[str, ...] = ()
    code: Ints | None = None
    known_label: Ints | None = None


CERTIFIED = (Kind.NOMINAL, Kind.ORDINAL, Kind.MULTILABEL)
"""Kinds of questions whose labels are right or wrong, so that wrong ones can be counted."""

WHY_NOT = (
    "A box, an outline or a mask is right by degree, and a score too: there is no count of wrong "
    "labels that an audit could bound."
)
INSTEAD = (
    "Bring pre-labels that readers correct (Learning, Pre-labels), and look at how like the reads "
    "they are; gold cases and the consensus tell how good the labels are."
)


@dataclass(frozen=True, slots=True)
class Plan:
    """An audit.

    Args:
        cases: to read.
        allowed: errors among them; None where the surest labels are tested first and the others
            follow until a set fails.
        chance: that it suffices, for the surest at least.
        certified: labels expected to be certified; None: all that stand.
    """

    cases: int
    allowed: int | None
    chance: float
    certified: int | None = None


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
    """The question, if its answers can be certified: a class, a grade, or a set of classes.

    Raises:
        InputError: no such question, or of another kind.
    """
    found = {one.id: one for one in protocol_of(store, project).protocol.questions}.get(question)
    if found is None or found.kind not in CERTIFIED:
        rule = "be one of the protocol that is answered with classes or a grade"
        remedy = "" if found is None else f"{WHY_NOT} {INSTEAD}"
        raise InputError("question of the auto-labels", rule, question, remedy=remedy)
    return found


def offers(
    store: Store, project: str, given: Proposals, *, told: Callable[[], None] = lambda: None
) -> list[Offer]:
    """What each target would come to. Args: told: called after each."""
    found = unread_only(store, project, given)
    if not len(found.cases):
        return []
    confidence = confidence_of_next(store, project)
    made: list[Offer] = []
    for target in TARGETS:
        made.append(_offer(_frozen(store, project, found, target), target, confidence))
        told()
    return made


def _offer(of: _Freeze, target: float, confidence: float) -> Offer:
    if of.wager is None:
        return offer_of(of.frozen, of.expected, target=target, confidence=confidence)
    accepted = int((of.frozen.tier >= 0).sum())
    return Offer(target, accepted, len(of.frozen.rows) - accepted, of.expected, (of.wager,))


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
    code = None if given.code is None else given.code[keep]
    return replace(given, cases=cases, probabilities=given.probabilities[keep], code=code)


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
    if tuple(question.names) != tuple(given.findings or given.classes):
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
    made = _frozen(store, project, found, target)
    frozen = made.frozen
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
        settings=_settings(made, given, target),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Freeze:
    """Labels with thresholds.

    Args:
        expected: share of errors among those taken.
        wager: the audit that they were chosen for; None for any.
        error: (cases,) chance that each label is wrong; None where none was taken.
    """

    frozen: Frozen
    expected: float
    wager: Plan | None
    error: Floats | None = None


def _settings(made: _Freeze, given: Proposals, target: float) -> dict[str, Any]:
    thresholds = made.frozen.thresholds
    if given.findings:  # one for all sets
        thresholds = thresholds[:, :1]
        more: dict[str, Any] = {"findings": list(given.findings)}
    else:
        more = {"by_class": told_by_class(made.frozen, made.error, given.classes)}
    return more | {
        "target": target,
        "classes": list(given.classes),
        "thresholds": [[float(one) for one in tier] for tier in thresholds],
        "expected": made.expected,
        "known": len(given.known_right),
        "wager": None if made.wager is None else asdict(made.wager),
    }


def wager_of(settings: Mapping[str, Any]) -> Plan | None:
    """The audit that the thresholds of a run were chosen for."""
    kept = settings.get("wager")
    return None if kept is None else Plan(**kept)


def _frozen(store: Store, project: str, given: Proposals, target: float) -> _Freeze:
    """Thresholds and audit chosen together; where the set is small, by the exact finite bound."""
    confidence = given.probabilities.max(axis=1)
    known = np.asarray(given.known_confidence, dtype=float)
    right = np.asarray(given.known_right, dtype=bool)
    weight = fair_weights(known, confidence) if len(known) else None
    rows: Ints = np.arange(len(given.cases))
    told: dict[str, Any] = {
        "target": target, "known_confidence": known, "known_right": right, "known_weight": weight,
        "known_label": given.known_label,
    }  # fmt: skip
    wager = None
    made = None
    if len(rows) >= _LARGE:
        price, sure = _price(store, project), confidence_of_next(store, project)
        plan = plan_audit(
            rows, given.probabilities, reviews_an_audit=price, confidence=sure, **told
        )
        if plan.audited:
            made = plan.frozen
            wager = Plan(plan.audited, None, float(plan.chance), round(plan.accepted))
    if made is None:
        made = freeze(rows, given.probabilities, aims=(AIM,), **told)
    if given.code is not None:
        made = frozen_sets(made, given.code, len(given.classes))
    inside = made.tier >= 0
    if not inside.any():
        return _Freeze(made, 1.0, wager)
    error = expected_errors(
        confidence, known, right, weight,
        label=given.probabilities.argmax(axis=1), known_label=given.known_label,
    )  # fmt: skip
    return _Freeze(made, float(error[inside].mean()), wager, error)


def _price(store: Store, project: str) -> float:
    """Reviews that take as long as one blind read."""
    wish = protocol_of(store, project).protocol.learning
    taken = [seconds for _, seconds in last_answers(store, project, limit=200)]
    paces = paces_of(store, project, wish, taken)
    return paces.read.seconds / paces.review.seconds
