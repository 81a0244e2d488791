"""From frozen labels and a blind audit to a certificate, or to a refusal that says why."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from overread.arrays import Ints, digest
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
    """

    name: str
    labels: int
    audited: int
    errors: int
    most_errors: float
    threshold: float


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
    Raises:
        InputError: the audited cases are not the first of the order.
    Source:
        Maurer, Hothorn & Lehmacher 1995 (fixed-sequence testing); see also
        :mod:`overread.selection.certificate.bounds` and ``betting``.
    """
    check_confidence(confidence)
    if len(class_names) != frozen.thresholds.shape[1]:
        rule = f"name all {frozen.thresholds.shape[1]} classes"
        raise InputError("class names", rule, len(class_names))
    done = order[: len(audit)]
    if set(done.tolist()) != {int(place) for place in audit}:
        remedy = "Audit the cases in the order that was drawn, and leave none out."
        raise InputError("audit", "hold the first cases of the order", "others", remedy=remedy)
    wrong = np.array([audit[int(place)] != frozen.label[place] for place in done], dtype=bool)
    passed, bound = -1, 1.0
    for tier in range(frozen.n_tiers):
        found = _bound_of(frozen, done, wrong, tier, confidence, anytime=anytime)
        if tier == 0 or found <= target:
            bound = found
        if found > target:
            break
        passed = tier
    if passed >= 0 and frozen.n_tiers > 1:
        bound = target
    about = max(passed, 0)  # a refusal tells of the smallest set, which had the best chance
    inside = frozen.tier[done] <= about
    labels = int(((frozen.tier >= 0) & (frozen.tier <= about)).sum())
    classes = _by_class(
        frozen, done, wrong, about, confidence=confidence, names=class_names, anytime=anytime
    )
    counts = labels, int(inside.sum()), int(wrong[inside].sum())
    return Certificate(
        granted=passed >= 0, target=target, confidence=confidence, most_errors=bound,
        labels=labels, left=len(frozen.rows) - (labels if passed >= 0 else 0),
        audited=counts[1], errors=counts[2], tier=passed, anytime=anytime,
        method=_METHOD[anytime], classes=classes, frozen=frozen.digest, audit=digest(done),
        words=_words(counts, bound, target, confidence, granted=passed >= 0, anytime=anytime),
    )  # fmt: skip


_METHOD = {
    False: "uniform sample of a size fixed beforehand; exact hypergeometric bound",
    True: "uniform sample, looked at at any time; betting bound without replacement",
}


def _bound_of(
    frozen: Frozen, done: Ints, wrong: np.ndarray, tier: int, confidence: float, *,
    anytime: bool, label: int | None = None,
) -> float:  # fmt: skip
    """Upper bound of the cases up to a tier: those audited among them are a sample of them."""
    member = (frozen.tier >= 0) & (frozen.tier <= tier)
    if label is not None:
        member &= frozen.label == label
    seen = wrong[member[done]]
    population = int(member.sum())
    if not population or not len(seen):
        return 1.0
    if anytime:
        return anytime_upper_now(seen, population, confidence=confidence)
    return upper_errors(int(seen.sum()), len(seen), population=population, confidence=confidence)


def _by_class(
    frozen: Frozen, done: Ints, wrong: np.ndarray, tier: int, *, confidence: float,
    names: tuple[str, ...], anytime: bool,
) -> tuple[ClassBound, ...]:  # fmt: skip
    member = (frozen.tier >= 0) & (frozen.tier <= tier)
    there = [c for c in range(len(names)) if (member & (frozen.label == c)).any()]
    # Bonferroni, over the tiers too: which one is told was chosen by the same audit
    joint = 1 - (1 - confidence) / max(len(there) * frozen.n_tiers, 1)
    found = []
    for c in there:
        own = member & (frozen.label == c)
        seen = wrong[own[done]]
        most = _bound_of(frozen, done, wrong, tier, joint, anytime=anytime, label=c)
        least = float(frozen.thresholds[tier, c])
        found.append(ClassBound(names[c], int(own.sum()), len(seen), int(seen.sum()), most, least))
    return tuple(found)


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
            f"{100 * confidence:.6g}% confidence ({seen})."
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
        f"Not certified: {seen} do not show that at most {target:.1%} of {labels:,} labels "
        f"are wrong. {rest}"
    )
