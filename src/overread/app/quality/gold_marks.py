"""What an answer is worth beside the right one: counted by question and class, one case at a time.

A mark is JSON, so that the log keeps it: ``{"class", "found", "missed", "extra", "overlap"}`` where
findings are matched (overlap: sum of the IoU of those found), else ``{"class", "sum", "n"}``, a
sum of values between 0 and 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from overread.errors import InputError
from overread.geometry.boxes import iou_matrix
from overread.geometry.masks import class_overlap_of_runs
from overread.geometry.pairing import match_scores
from overread.geometry.polygons import polygon, polygon_iou_matrix
from overread.labels import Kind
from overread.protocol import Protocol, Qualification, Question, check_answer

Mark = dict[str, Any]
NOTHING = "no finding"
"""The class of a case in which there is nothing to paint."""


def marks_of(
    protocol: Protocol,
    right: Mapping[str, Any],
    said: Mapping[str, Any] | None,
    image: Mapping[str, Any],
) -> dict[str, list[Mark]]:
    """Marks of one case.

    Args:
        protocol: with its ``qualification``; the usual one where it has none.
        right: the right answer; questions that it does not answer, or that ask for something
            else by now, are left out.
        said: the reader's; None is "cannot be read".
        image: rows, columns and frames of the case.
    Returns:
        question id -> marks.
    """
    rule = protocol.qualification or Qualification()
    made: dict[str, list[Mark]] = {}
    for question in protocol.questions:
        value = right.get(question.id)
        if value is not None and _fits(protocol, question, value, image):
            own = None if said is None else said.get(question.id)
            made[question.id] = list(_MARKS[question.kind](question, value, own, rule, image))
    return made


def _fits(protocol: Protocol, question: Question, value: Any, image: Mapping[str, Any]) -> bool:
    size = {key: image[key] for key in ("rows", "columns", "frames")}
    try:
        check_answer(protocol, {question.id: value}, **size, complete=False)
    except InputError:
        return False
    return True


def _class(
    _question: Question, right: Any, said: Any, _rule: Qualification, _: Any
) -> Iterator[Mark]:
    yield {"class": right, "sum": int(said == right), "n": 1}


def _grade(
    question: Question, right: Any, said: Any, rule: Qualification, _: Any
) -> Iterator[Mark]:
    names = question.names
    off = abs(names.index(said) - names.index(right)) if said in names else len(names)
    limit = 1 if rule.grades == "within_one" else 0
    near = {"exact": int(off == 0), "near": int(off <= 1)}
    yield {"class": right, "sum": int(off <= limit), "n": 1} | near


def _score(
    question: Question, right: Any, said: Any, rule: Qualification, _: Any
) -> Iterator[Mark]:
    allowed = tolerance_of(question, rule)
    good = said is not None and abs(said - right) <= allowed
    yield {"class": "", "sum": int(good), "n": 1}


def tolerance_of(question: Question, rule: Qualification) -> float:
    """How far a score may be off: as the protocol says, else a tenth of its range."""
    if rule.tolerance is not None:
        return rule.tolerance
    if question.low is None or question.high is None:
        return 0.0
    return (question.high - question.low) / 10


def _set(question: Question, right: Any, said: Any, _rule: Qualification, _: Any) -> Iterator[Mark]:
    given: set[str] = set(said or ())
    for name in question.names:
        there, told = name in right, name in given
        if there or told:
            yield _counts(
                name, int(there and told), int(there and not told), int(told and not there)
            )


def _findings(
    question: Question, right: Any, said: Any, rule: Qualification, _: Any
) -> Iterator[Mark]:
    """Findings matched one to one: same frame, same class, at least so much overlap."""
    own: Sequence[Mapping[str, Any]] = said or ()
    found = dict.fromkeys(question.names, 0)
    overlap = dict.fromkeys(question.names, 0.0)
    for frame in sorted({one["frame"] for one in right} & {one["frame"] for one in own}):
        here = [[one for one in side if one["frame"] == frame] for side in (right, own)]
        classes = [np.array([one["class"] for one in side]) for side in here]
        score = overlaps(question.kind, *here)
        same = classes[0][:, None] == classes[1][None, :]
        matched = match_scores(score, at_least=rule.overlap, allowed=same, most_pairs=True)
        for at, value in zip(matched.first.tolist(), matched.score.tolist(), strict=True):
            found[here[0][at]["class"]] += 1
            overlap[here[0][at]["class"]] += float(value)
    for name in question.names:
        there = sum(one["class"] == name for one in right)
        told = sum(one["class"] == name for one in own)
        if there or told:
            yield _counts(name, found[name], there - found[name], told - found[name], overlap[name])


def overlaps(kind: Kind, first: Sequence[Any], second: Sequence[Any]) -> Any:
    """(n, m) IoU of boxes, or of outlines, of two answers."""
    if kind is Kind.BOX:
        sides = ("x1", "y1", "x2", "y2")
        boxes = [np.array([[b[k] for k in sides] for b in all_], float) for all_ in (first, second)]
        return iou_matrix(*boxes)
    shapes = [
        np.array([polygon(np.array(one["points"], float)) for one in all_], dtype=object)
        for all_ in (first, second)
    ]
    return polygon_iou_matrix(*shapes)


def _counts(name: str, found: int, missed: int, extra: int, overlap: float = 0.0) -> Mark:
    counted = {"found": found, "missed": missed, "extra": extra}
    return {"class": name, **counted, "overlap": round(overlap, 6)}


def _mask(
    question: Question, right: Any, said: Any, _rule: Qualification, image: Mapping[str, Any]
) -> Iterator[Mark]:
    """Dice of each class over all frames; classes that neither painted are left out."""
    size = len(question.classes) + 1
    total = np.zeros((size, size), np.int64)
    frames = [{one["frame"]: one for one in side or ()} for side in (right, said)]
    blank = (np.array([0]), np.array([image["rows"] * image["columns"]]))
    for frame in sorted(frames[0].keys() | frames[1].keys()):
        runs = [_runs(side[frame]) if frame in side else blank for side in frames]
        total += class_overlap_of_runs(runs[0], runs[1], size)
    areas = total.sum(axis=1) + total.sum(axis=0)
    for code in np.flatnonzero(areas[1:]).tolist():
        value = 2.0 * total[code + 1, code + 1] / areas[code + 1]
        yield {"class": question.names[code], "sum": round(float(value), 6), "n": 1}
    if not areas[1:].any():
        yield {"class": NOTHING, "sum": int(said is not None), "n": 1}


def _runs(mask: Mapping[str, Any]) -> tuple[Any, Any]:
    code, length = np.array(mask["runs"], np.int64).T
    return code, length


_MARKS: dict[Kind, Callable[..., Iterator[Mark]]] = {
    Kind.NOMINAL: _class,
    Kind.ORDINAL: _grade,
    Kind.MULTILABEL: _set,
    Kind.SCORE: _score,
    Kind.BOX: _findings,
    Kind.INSTANCE: _findings,
    Kind.MASK: _mask,
}
