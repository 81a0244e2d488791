"""How far the reads of a case are apart, in a share and in words, and how much that weighs.

The share is the plain one, without a model: of readers outside the largest camp (classes), of
the range (scores), of drawings without a partner (boxes, outlines), of painted pixels not shared
(masks). The weight is the largest of the classes that anybody named, as the protocol says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from overread.app.analysis.mask_frames import Runs
from overread.app.analysis.project_reads import Said, fits
from overread.arrays import Floats
from overread.geometry.boxes import iou_matrix
from overread.labels import Kind
from overread.protocol import Question
from overread.words import percent

_PARTNER_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Dispute:
    """What readers differ on in one question of a case.

    Args:
        share: 0 (nothing) to 1.
        weight: of the weightiest class that is at stake.
        words: who says what, in counts and without names ("2 say Fracture, 1 says Normal").
    """

    share: float
    weight: float
    words: str


def disputes(question: Question, said: Iterable[Said]) -> dict[str, Dispute]:
    """Case -> what its readers differ on; cases that they agree on are left out.

    Args:
        said: one of each reader and case; the masks among them as runs.
    """
    by_case: dict[str, list[Said]] = {}
    for one in said:
        if one.value is None or question.kind is Kind.MASK or fits(question, one.value):
            by_case.setdefault(one.case, []).append(one)
    found = {
        case: dispute(question, [one.value for one in reads])
        for case, reads in by_case.items()
        if len(reads) > 1
    }
    return {case: one for case, one in found.items() if one.share > 0}


def dispute(question: Question, values: Sequence[Any]) -> Dispute:
    """How far answers to one question of one case are apart. Args: values: None cannot be read."""
    named = [classes_named(question, one) for one in values]
    weight = max((question.weight_of(name) for one in named for name in one), default=1.0)
    unread = sum(one is None for one in values)
    given = [one for one in values if one is not None]
    share, words = _MEASURES[question.kind](question, given) if given else (0.0, "")
    if not unread:
        return Dispute(share, weight, words)
    outside = min(unread, len(given)) / len(values)
    said = f"{unread} cannot read it"
    return Dispute(max(share, outside), weight, f"{said}; {words}" if words else said)


def classes_named(question: Question, value: Any) -> set[str]:
    """The classes that an answer names; of masks (as runs) those that are painted."""
    if value is None or question.kind is Kind.SCORE:
        return set()
    if question.kind in {Kind.NOMINAL, Kind.ORDINAL}:
        return {value}
    if question.kind is Kind.MULTILABEL:
        return set(value)
    if question.kind is Kind.MASK:
        codes = {int(code) for runs in value for code in runs.code.tolist() if code}
        return {one.name for one in question.classes if one.code in codes}
    return {one["class"] for one in value}


def _counted(values: Iterable[str]) -> str:
    counts = sorted(Counter(values).items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{n} {'says' if n == 1 else 'say'} {name}" for name, n in counts)


def _of_classes(question: Question, values: Sequence[Any]) -> tuple[float, str]:
    if question.kind is Kind.ORDINAL:
        at = [question.names.index(one) for one in values]
        apart = (max(at) - min(at)) / max(1, len(question.names) - 1)
        return max(apart, _minority(values)) if apart else 0.0, _counted(values)
    return _minority(values), _counted(values)


def _minority(values: Sequence[Any]) -> float:
    return 1.0 - max(Counter(values).values()) / len(values)


def _of_sets(question: Question, values: Sequence[Any]) -> tuple[float, str]:
    apart = {name: _minority([name in one for one in values]) for name in question.names}
    disputed = [name for name, share in apart.items() if share]
    words = [f"{sum(name in one for one in values)} of {len(values)} say {name}"
             for name in disputed]  # fmt: skip
    return max(apart.values(), default=0.0), ", ".join(words)


def _of_scores(question: Question, values: Sequence[Any]) -> tuple[float, str]:
    low, high = min(values), max(values)
    width = (question.high or 0) - (question.low or 0)
    if question.low is None or question.high is None:
        width = abs(high) + abs(low)
    return min(1.0, (high - low) / width) if width else 0.0, f"{low:g} to {high:g}"


def _of_findings(_: Question, values: Sequence[Any]) -> tuple[float, str]:
    counts = ", ".join(str(len(one)) for one in sorted(values, key=len, reverse=True))
    alone, all_ = 0, 0
    for first, second in combinations(values, 2):
        alone += _without_partner(first, second) + _without_partner(second, first)
        all_ += len(first) + len(second)
    apart = "" if len({len(one) for one in values}) > 1 else ", not the same"
    return alone / all_ if all_ else 0.0, f"{counts} drawn{apart}"


def _without_partner(findings: Sequence[Any], others: Sequence[Any]) -> int:
    """Findings without one of the same class and frame that covers half of both."""
    if not findings or not others:
        return len(findings)
    overlap = iou_matrix(_boxes(findings), _boxes(others))
    same = [[(a["class"], a["frame"]) == (b["class"], b["frame"]) for b in others]
            for a in findings]  # fmt: skip
    return int((~((overlap >= _PARTNER_IOU) & np.array(same)).any(axis=1)).sum())


def _boxes(findings: Sequence[Mapping[str, Any]]) -> Floats:
    made = []
    for one in findings:
        if "points" in one:
            ring = np.array(one["points"], float)
            made.append([*ring.min(axis=0), *ring.max(axis=0)])
        else:
            made.append([one["x1"], one["y1"], one["x2"], one["y2"]])
    return np.array(made, float).reshape(-1, 4)


def _of_masks(_: Question, values: Sequence[Sequence[Runs]]) -> tuple[float, str]:
    worst = max((_apart(a, b) for a, b in combinations(values, 2)), default=0.0)
    painted = sum(any(runs.code.any() for runs in one) for one in values)
    words = f"{painted} of {len(values)} paint, {percent(worst)} of the paint is not shared"
    return worst, words


def _apart(first: Sequence[Runs], second: Sequence[Runs]) -> float:
    """1 - Dice over all frames and classes, from the runs alone."""
    ours = {one.frame: one for one in first}
    theirs = {one.frame: one for one in second}
    both, all_ = 0, 0
    for frame in ours.keys() | theirs.keys():
        a, b = ours.get(frame), theirs.get(frame)
        all_ += sum(int(one.length[one.code > 0].sum()) for one in (a, b) if one is not None)
        if a is not None and b is not None:
            both += _shared(a, b)
    return 1.0 - 2 * both / all_ if all_ else 0.0


def _shared(a: Runs, b: Runs) -> int:
    """Painted pixels of one class in both."""
    ends = np.union1d(np.cumsum(a.length), np.cumsum(b.length))
    of_a = a.code[np.minimum(np.searchsorted(np.cumsum(a.length), ends), a.code.size - 1)]
    of_b = b.code[np.minimum(np.searchsorted(np.cumsum(b.length), ends), b.code.size - 1)]
    length = np.diff(ends, prepend=0)
    return int(length[(of_a == of_b) & (of_a > 0)].sum())


_MEASURES: Mapping[Kind, Any] = {
    Kind.NOMINAL: _of_classes,
    Kind.ORDINAL: _of_classes,
    Kind.MULTILABEL: _of_sets,
    Kind.SCORE: _of_scores,
    Kind.BOX: _of_findings,
    Kind.INSTANCE: _of_findings,
    Kind.MASK: _of_masks,
}
