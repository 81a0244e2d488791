"""Labels and thresholds frozen before the audit; nothing may change between the two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from overread.arrays import Bools, Floats, Ints, digest
from overread.errors import InputError
from overread.selection.certificate.by_class import ClassRatios, class_ratios


@dataclass(frozen=True, slots=True, eq=False)
class Frozen:
    """Auto-labels as they will be certified.

    Args:
        rows: (cases,) of the pool, those that nobody has read.
        label: (cases,) class of each.
        tier: (cases,) 0 for the surest, one more for each looser set of thresholds; -1 where not
            even the loosest accepts: such a case goes to a reader.
        thresholds: (tiers, classes) least confidence accepted; above 1: none of this class.
        digest: of all the above; stands in the certificate.
    """

    rows: Ints
    label: Ints
    tier: Ints
    thresholds: Floats
    digest: str

    @property
    def n_tiers(self) -> int:
        """Nested sets that can be certified, the smallest first."""
        return len(self.thresholds)


def freeze(
    rows: Ints, probabilities: Floats, *, target: float, known_confidence: Floats,
    known_right: Bools, known_weight: Floats | None = None, known_label: Ints | None = None,
    aims: tuple[float, ...] = (0.5,),
) -> Frozen:  # fmt: skip
    """Choose thresholds on labels at hand, and freeze the labels of the rest.

    The model's own confidence is not believed: cases with known labels, predicted without them,
    say how often it is wrong at each confidence (isotonic), and how much more often in one class
    than in another. Every class takes the loosest threshold at which the cases above it are
    expected to err in ``aim`` x ``target``; the smaller the aim, the surer the audit passes, and
    the fewer cases are accepted.

    Args:
        rows: (cases,) of the pool; probabilities: (cases, classes).
        target: share of errors to be certified, in (0, 0.5).
        known_confidence, known_right: (labels,) of held-back labels, or of labels left out
            (``Tuning.left_out``); known_weight: what each stands for
            (:func:`overread.selection.tune.fair_weights`); known_label: the class that the model
            said of each; without it all classes err alike.
        aims: one tier each, ascending. More than one tier leaves a smaller set to certify when the
            large one fails, and needs a larger audit: the smallest tier has its share of it.
    """
    if not 0 < target < 0.5:
        raise InputError("target", "be in (0, 0.5)", target)
    if len(rows) != len(probabilities) or len(known_confidence) != len(known_right):
        raise InputError("rows, probabilities and known cases", "fit each other", "other lengths")
    label = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    error = expected_errors(
        confidence, known_confidence, known_right, known_weight,
        label=label, known_label=known_label,
    )  # fmt: skip
    thresholds = np.full((len(aims), probabilities.shape[1]), 2.0)
    tier = np.full(len(rows), -1, dtype=np.int64)
    for step in reversed(range(len(aims))):
        for c in range(probabilities.shape[1]):
            own = np.flatnonzero(label == c)
            thresholds[step, c] = _loosest(confidence[own], error[own], aims[step] * target)
        tier[confidence >= thresholds[step, label]] = step
    return Frozen(rows, label, tier, thresholds, digest(rows, label, tier, thresholds))


def expected_errors(
    confidence: Floats, known_confidence: Floats, known_right: Bools,
    weight: Floats | None = None, *, label: Ints | None = None, known_label: Ints | None = None,
) -> Floats:  # fmt: skip
    """Share of errors at each confidence, learned from known cases.

    Within a class it never rises with confidence. One error more than seen is assumed among the
    surest: no errors in 40 is not never.

    Args:
        confidence: (cases,); label: (cases,) what the model says of each.
        known_confidence, known_right, weight: (labels,) as of :func:`freeze`.
        known_label: (labels,) what the model said of each; without it all classes err alike.
    Source:
        Zadrozny & Elkan 2002, KDD (isotonic calibration); Barlow et al. 1972 (pooled adjacent
        violators); :mod:`overread.selection.certificate.by_class`.
    """
    if not len(known_confidence):
        return 1 - confidence
    weight = np.ones(len(known_right)) if weight is None else weight
    edge, level = _curve(known_confidence, known_right, weight)
    error = level[np.maximum(np.searchsorted(edge, confidence, side="right") - 1, 0)]
    if label is None or known_label is None:
        return error
    ratios = ratios_of_classes(label, known_confidence, known_right, weight, known_label)
    return np.minimum(error * ratios.mean[label], 1.0)


def ratios_of_classes(
    label: Ints, known_confidence: Floats, known_right: Bools, weight: Floats, known_label: Ints
) -> ClassRatios:
    """How much more often the model errs in each class than at its confidence in all.

    Args:
        label, known_confidence, known_right, weight, known_label: as of :func:`expected_errors`.
    """
    awaited = expected_errors(known_confidence, known_confidence, known_right, weight)
    count = int(max(label.max(initial=0), np.max(known_label))) + 1
    return class_ratios(known_label, known_right, awaited, weight, count)


def _curve(known_confidence: Floats, known_right: Bools, weight: Floats) -> tuple[Floats, Floats]:
    """Where each step of the curve begins, and the share of errors from there on."""
    order = np.argsort(known_confidence, kind="stable")
    wrong = np.r_[1.0 - known_right[order], 1.0]
    share = np.r_[weight[order], weight.mean()]
    level, size, edge = [], [], []
    for value, many, at in zip(wrong, share, np.r_[known_confidence[order], 1.0], strict=True):
        level.append(value)
        size.append(many)
        edge.append(at)
        while len(level) > 1 and level[-2] <= level[-1]:
            both = size[-2] + size[-1]
            level[-2] = (level[-2] * size[-2] + level[-1] * size[-1]) / both
            size[-2] = both
            del level[-1], size[-1], edge[-1]
    return np.array(edge), np.asarray(level)


def _loosest(confidence: Floats, error: Floats, most: float) -> float:
    """Smallest threshold whose accepted cases err in at most ``most``; 2 where none does."""
    order = np.argsort(-confidence, kind="stable")
    running = np.cumsum(error[order]) / np.arange(1, len(order) + 1)
    # of equal confidences all are accepted or none
    sure = confidence[order]
    last = np.r_[sure[1:] != sure[:-1], [True]] if len(sure) else np.zeros(0, dtype=bool)
    fits = np.flatnonzero((running <= most) & last)
    return float(sure[fits[-1]]) if len(fits) else 2.0
