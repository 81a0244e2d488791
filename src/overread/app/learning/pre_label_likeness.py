"""How alike an answer and a pre-label are, 0 to 1, and what was changed, for every label kind.

A class is right or not. Of a set of classes it is the share of those that either names which both
name (Jaccard); of boxes and outlines the F1 of those that meet with an IoU of .5 (outlines by the
boxes around them) and have one class; of masks the Dice of the painted pixels, mean over classes.
A score is alike within a twentieth of its range.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from overread.arrays import Floats
from overread.labels import Kind
from overread.protocol import Question

IOU = 0.5
_SCORE_SHARE = 0.05


def alike(question: Question, answer: Any, proposed: Any) -> float:
    """How alike two answers to a question are, in 0 .. 1."""
    kind = question.kind
    if kind in {Kind.NOMINAL, Kind.ORDINAL}:
        return float(answer == proposed)
    if kind is Kind.SCORE:
        low, high = question.low, question.high
        width = high - low if low is not None and high is not None else max(abs(proposed), 1.0)
        return float(abs(answer - proposed) <= _SCORE_SHARE * width)
    if kind is Kind.MULTILABEL:
        either = set(answer) | set(proposed)
        return len(set(answer) & set(proposed)) / len(either) if either else 1.0
    if kind is Kind.MASK:
        return _masks_alike(answer, proposed)
    return _findings_alike(answer, proposed)


def changed(question: Question, answer: Any, proposed: Any) -> dict[str, int]:
    """What a reader did with a proposal: findings kept, moved, removed and added; else 0 or 1."""
    if question.kind not in {Kind.BOX, Kind.INSTANCE}:
        same = int(_plain(answer) == _plain(proposed))
        return {"kept": same, "changed": 1 - same}
    before = {one["id"]: _plain(one) for one in proposed}
    after = {one["id"]: _plain(one) for one in answer}
    both = before.keys() & after.keys()
    kept = sum(before[key] == after[key] for key in both)
    return {
        "kept": kept,
        "moved": len(both) - kept,
        "removed": len(before.keys() - both),
        "added": len(after.keys() - both),
    }


def _plain(value: Any) -> Any:
    """Numbers as a client may send them back: 1 and 1.0 are the same, thousandths do not count."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return round(float(value), 2) if isinstance(value, int | float) else value


def _findings_alike(answer: Sequence[Any], proposed: Sequence[Any]) -> float:
    if not answer and not proposed:
        return 1.0
    if not answer or not proposed:
        return 0.0
    meets = np.array([[_meet(one, other) for other in proposed] for one in answer])
    rows, columns = linear_sum_assignment(-meets.astype(float))
    return 2.0 * int(meets[rows, columns].sum()) / (len(answer) + len(proposed))


def _meet(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one["class"] == other["class"] and covers(one, other)


def covers(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two places of an image, boxes or outlines, meet with an IoU of :data:`IOU`."""
    if one["frame"] != other["frame"]:
        return False
    a, b = _around(one), _around(other)
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    inner = float(np.prod(np.clip(sides, 0, None)))
    union = float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - inner
    return union > 0 and inner / union >= IOU


def _around(one: Mapping[str, Any]) -> Floats:
    if "points" in one:
        points = np.asarray(one["points"], dtype=float)
        return np.concatenate([points.min(axis=0), points.max(axis=0)])
    return np.array([one["x1"], one["y1"], one["x2"], one["y2"]], dtype=float)


def _masks_alike(answer: Sequence[Any], proposed: Sequence[Any]) -> float:
    mine, theirs = _painted(answer), _painted(proposed)
    codes = {
        code for of in (mine, theirs) for flat in of.values() for code in np.unique(flat) if code
    }
    if not codes:
        return 1.0
    return float(np.mean([_dice(mine, theirs, int(code)) for code in codes]))


def _dice(mine: Mapping[int, Any], theirs: Mapping[int, Any], code: int) -> float:
    both = size = 0
    for frame in mine.keys() | theirs.keys():
        one, other = (of[frame] == code if frame in of else None for of in (mine, theirs))
        size += sum(int(each.sum()) for each in (one, other) if each is not None)
        if one is not None and other is not None:
            both += int((one & other).sum())
    return 2 * both / size if size else 1.0


def _painted(masks: Sequence[Any]) -> dict[int, Any]:
    return {
        int(one["frame"]): np.repeat([r[0] for r in one["runs"]], [r[1] for r in one["runs"]])
        for one in masks
    }
