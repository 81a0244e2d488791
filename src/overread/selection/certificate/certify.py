"""From frozen labels and a blind audit to a certificate, or to a refusal that says why."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from overread.arrays import Bools, Ints, digest
from overread.errors import InputError
from overread.selection.certificate.betting import anytime_upper_now
from overread.selection.certificate.bounds import audit_size, check_confidence, upper_errors
from overread.selection.certificate.freeze import Frozen


@dataclass(frozen=True, slots=True)
class ClassBound:
    """What the audit says of the labels of one class; all classes hold together.

    Args:
        name: of the class.
        labels: accepted; audited: of them; errors: found.
        most_errors: upper bound on their share of errors, at the joint confidence.
        threshold: least confidence at which a label of this class was accepted.
        says: of a finding of sets: "present" or "absent", what the labels counted here say of it;
            "" where a label is one class.
    """

    name: str
    labels: int
    audited: int
    errors: int
    most_errors: float
    threshold: float
    says: str = ""


@dataclass(frozen=True, slots=True)
class FarBound:
    """Labels that are more than one grade off.

    Args:
        errors: found in the audit, "cannot be read" among them.
        most_errors: upper bound on their share, by itself at the confidence of the certificate.
    """

    errors: int
    most_errors: float


@dataclass(frozen=True, slots=True)
class Certificate:
    """A statement about labels that nobody read, with the audit that bears it.

    Args:
        granted: the audit supports the target.
        target: share of errors that was to be shown, decided before the audit.
        confidence: chance, before the audit, that such a statement is true.
        most_errors: upper bound on the share of errors among ``labels``; with several tiers the
            target, see :func:`certify`.
        labels: auto-labels that the statement is about; left: those for readers.
        audited, errors: of ``labels``.
        tier: of the thresholds, -1 where nothing is certified.
        anytime: the bound holds although the audit was looked at before its end.
        method: in words.
        classes: bounds by class, holding together at ``confidence``.
        frozen: digest of labels and thresholds; audit: digest of the sampled cases in order.
        words: the statement, or the refusal and what to do.
        far: of grades, how many are more than one off; None of classes without an order.
    """

    granted: bool
    target: float
    confidence: float
    most_errors: float
    labels: int
    left: int
    audited: int
    errors: int
    tier: int
    anytime: bool
    method: str
    classes: tuple[ClassBound, ...]
    frozen: str
    audit: str
    words: str
    far: FarBound | None = None

    def to_value(self) -> dict[str, Any]:
        """Plain values for JSON: the same audit gives the same text."""
        return {"kind": "overread-certificate", "version": 1} | asdict(self)


def audit_order(frozen: Frozen, *, seed: int) -> Ints:
    """Places (in ``frozen.rows``) in the order in which they are audited, by lot.

    Audit the first n of them, blind: the reader sees no pre-label. The order covers all accepted
    cases, so that any n is a uniform sample.
    """
    return np.random.default_rng(seed).permutation(np.flatnonzero(frozen.tier >= 0))


def planned_audit(
    frozen: Frozen, *, target: float, confidence: float = 0.95, allowed: int = 0
) -> int | None:
    """Cases to audit so that up to ``allowed`` errors grant every tier; None where none can.

    With several tiers it is as many as give the smallest tier, on average, what it needs.
    """
    accepted = int((frozen.tier >= 0).sum())
    most = 0
    for tier in range(frozen.n_tiers):
        population = int(((frozen.tier >= 0) & (frozen.tier <= tier)).sum())
        if not population:
            return None
        need = audit_size(target, allowed=allowed, population=population, confidence=confidence)
        if need is None:
            return None
        most = max(most, math.ceil(need * accepted / population))
    return min(most, accepted)


def certify(
    frozen: Frozen, audit: Mapping[int, int] | Mapping[int, int | None], order: Ints, *,
    target: float, class_names: tuple[str, ...], confidence: float = 0.95, anytime: bool = False,
    grades: bool = False,
) -> Certificate:  # fmt: skip
    """Certify the largest tier whose audit supports the target; refuse if none does.

    The tiers are nested and were frozen before the audit. They are tested from the smallest to
    the largest, and the first that fails ends it: so each is tested at the full confidence
    (fixed-sequence testing). What that bears is the target, tier by tier; the bound of the tier
    that the audit happened to choose may be below the target by luck. So a tighter bound than the
    target is stated only where there was one tier, and bounds by class allow for all tiers. An
    answer "cannot be read" is an error.

    Args:
        audit: place (in ``frozen.rows``) to the class that the blind reader gave, None for
            "cannot be read". Must be the first cases of ``order``, with none left out.
        order: of :func:`audit_order`.
        target: decided before the audit.
        class_names: of all classes.
        confidence: in (0.5, 1).
        anytime: the audit was, or may have been, stopped or prolonged after a look at it.
        grades: the classes are in order; how many labels are more than one off is told too.
    Raises:
        InputError: the audited cases are not the first of the order.
    Source:
        Maurer, Hothorn & Lehmacher 1995 (fixed-sequence testing); see also
        :mod:`overread.selection.certificate.bounds` and ``betting``.
    """
    if len(class_names) != frozen.thresholds.shape[1]:
        rule = f"name all {frozen.thresholds.shape[1]} classes"
        raise InputError("class names", rule, len(class_names))
    done = audited_cases(order, audit)
    said = [audit[int(place)] for place in done]
    wrong = np.array([a != frozen.label[p] for a, p in zip(said, done, strict=True)], dtype=bool)
    of = decided(Decision(frozen, done, wrong, target, confidence, anytime))
    found = certificate_of(of, _by_class(of, class_names))
    if not grades:
        return found
    off = [a is None or abs(a - int(frozen.label[p])) > 1 for a, p in zip(said, done, strict=True)]
    return replace(found, far=_far(of, np.array(off, dtype=bool)))


def audited_cases(order: Ints, audit: Mapping[int, Any]) -> Ints:
    """The cases of an audit in the order of the draw.

    Raises:
        InputError: they are not the first of the order.
    """
    done = order[: len(audit)]
    if set(done.tolist()) != {int(place) for place in audit}:
        remedy = "Audit the cases in the order that was drawn, and leave none out."
        raise InputError("audit", "hold the first cases of the order", "others", remedy=remedy)
    return done


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """What an audit bears of frozen labels.

    Args:
        frozen: the labels.
        done: (audited,) places in the order of the draw; wrong: whether each label is.
        target, confidence, anytime: as of :func:`certify`.
        passed: the largest tier whose audit supports the target; -1 where none does.
    """

    frozen: Frozen
    done: Ints
    wrong: Bools
    target: float
    confidence: float
    anytime: bool
    passed: int = -1

    @property
    def about(self) -> int:
        """The tier that is told of: a refusal tells of the smallest, which had the best chance."""
        return max(self.passed, 0)

    def member(self, tier: int | None = None) -> Bools:
        """(cases,) that stand up to a tier; None: up to the one that is told of."""
        last = self.about if tier is None else tier
        return np.asarray((self.frozen.tier >= 0) & (self.frozen.tier <= last))

    def bound(self, member: Bools, wrong: Bools, confidence: float) -> float:
        """Upper bound on the share of errors: those audited among some cases are a sample."""
        seen = wrong[member[self.done]]
        population = int(member.sum())
        if not population or not len(seen):
            return 1.0
        if self.anytime:
            return anytime_upper_now(seen, population, confidence=confidence)
        return upper_errors(
            int(seen.sum()), len(seen), population=population, confidence=confidence
        )

    def shared(self, parts: int) -> float:
        """Confidence at which so many bounds hold together, whichever tier the audit chose."""
        return 1 - (1 - self.confidence) / max(parts * self.frozen.n_tiers, 1)


def decided(of: Decision) -> Decision:
    """The decision: tiers are tested from the smallest, and the first that fails ends it."""
    check_confidence(of.confidence)
    passed = -1
    for tier in range(of.frozen.n_tiers):
        if of.bound(of.member(tier), of.wrong, of.confidence) > of.target:
            break
        passed = tier
    return replace(of, passed=passed)


def certificate_of(of: Decision, classes: tuple[ClassBound, ...]) -> Certificate:
    """The certificate of a decision, or its refusal. Args: classes: bounds by class."""
    passed, member = of.passed, of.member()
    bound = of.bound(member, of.wrong, of.confidence)
    if passed >= 0 and of.frozen.n_tiers > 1:
        bound = of.target
    inside = member[of.done]
    counts = int(member.sum()), int(inside.sum()), int(of.wrong[inside].sum())
    words = _words(counts, bound, of.target, of.confidence, granted=passed >= 0, anytime=of.anytime)
    return Certificate(
        granted=passed >= 0, target=of.target, confidence=of.confidence, most_errors=bound,
        labels=counts[0], left=len(of.frozen.rows) - (counts[0] if passed >= 0 else 0),
        audited=counts[1], errors=counts[2], tier=passed, anytime=of.anytime,
        method=_METHOD[of.anytime], classes=classes, frozen=of.frozen.digest,
        audit=digest(of.done), words=words,
    )  # fmt: skip


_METHOD = {
    False: "uniform sample of a size fixed beforehand; exact hypergeometric bound",
    True: "uniform sample, looked at at any time; betting bound without replacement",
}


def _by_class(of: Decision, names: tuple[str, ...]) -> tuple[ClassBound, ...]:
    frozen, member = of.frozen, of.member()
    there = [c for c in range(len(names)) if (member & (frozen.label == c)).any()]
    found = []
    for c in there:
        own = member & (frozen.label == c)
        seen = of.wrong[own[of.done]]
        most = of.bound(own, of.wrong, of.shared(len(there)))
        least = float(frozen.thresholds[of.about, c])
        found.append(ClassBound(names[c], int(own.sum()), len(seen), int(seen.sum()), most, least))
    return tuple(found)


def _far(of: Decision, off: Bools) -> FarBound:
    member = of.member()
    return FarBound(int(off[member[of.done]].sum()), of.bound(member, off, of.shared(1)))


def _words(
    counts: tuple[int, int, int], bound: float, target: float, confidence: float, *, granted: bool,
    anytime: bool,
) -> str:  # fmt: skip
    labels, audited, errors = counts
    seen = f"{errors} error{'' if errors == 1 else 's'} in {audited:,} audited cases"
    if granted:
        right = math.floor((1 - bound) * 1000 + 1e-9) / 10
        return (
            f"At least {right:g} % of these {labels:,} labels are right, with "
            f"{100 * confidence:.6g} % confidence ({seen})."
        )
    if not labels:
        return "Not certified: no label is sure enough to be accepted. Label more cases."
    need = audit_size(target, allowed=errors, population=labels, confidence=confidence)
    if anytime:
        rest = "Go on with the audit, or label more cases, freeze anew and audit anew."
    elif need is None:
        rest = "Label more cases, freeze anew and audit anew."
    else:
        rest = (
            f"With so many errors that takes {need:,} cases. Freeze anew and audit so many, or "
            "plan an audit that may be looked at and prolonged."
        )
    return (
        f"Not certified: {seen} do not show that at most {100 * target:.3g} % of {labels:,} labels "
        f"are wrong. {rest}"
    )
