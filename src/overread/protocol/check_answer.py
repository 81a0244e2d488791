"""Whether an answer is one that the protocol allows, for this image.

Coordinates are continuous image pixels, (0, 0) the outer corner of the top-left pixel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from overread.errors import InputError
from overread.labels import Kind
from overread.protocol.check_shapes import Frame, check_boxes, check_instances, check_masks
from overread.protocol.errors import short
from overread.protocol.model import Protocol, Question


def check_answer(
    protocol: Protocol,
    answer: Mapping[str, Any],
    *,
    rows: int,
    columns: int,
    frames: int,
    complete: bool = True,
) -> None:
    """Check an answer.

    Args:
        answer: question id -> value, in the shapes of the API.
        rows, columns, frames: of the case.
        complete: every required question is to be answered; False for drafts and reads that
            say "cannot be read".
    Raises:
        InputError: the first fault, with its question, rule and value.
    """
    if not isinstance(answer, Mapping):
        raise InputError("answer", "be an object", type(answer).__name__)
    by_id = {one.id: one for one in protocol.questions}
    for name in answer:
        if name not in by_id:
            raise InputError("answer", f"answer {', '.join(by_id)} only", short(name))
    size = Frame(rows, columns, frames)
    for question in protocol.questions:
        if question.id in answer:
            _CHECKS[question.kind](question, answer[question.id], size)
        elif complete and question.required:
            raise InputError(f"question {question.id}", "be answered", "nothing")


def _check_class(question: Question, value: Any, _: Frame) -> None:
    _known(question, value)


def _check_set(question: Question, value: Any, _: Frame) -> None:
    name = f"question {question.id}"
    if not isinstance(value, list):
        raise InputError(name, "be a list of classes", short(value))
    if len(value) > len(question.classes):
        raise InputError(name, "name each class once", f"{len(value)} names")
    for one in value:
        _known(question, one)
    if len(set(value)) < len(value):
        raise InputError(name, "name each class once", short(value))


def _known(question: Question, value: Any) -> None:
    if not isinstance(value, str) or value not in question.names:
        rule = f"be one of {', '.join(question.names)}"
        raise InputError(f"question {question.id}", rule, short(value))


def _check_score(question: Question, value: Any, _: Frame) -> None:
    name = f"question {question.id}"
    if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
        raise InputError(name, "be a finite number", short(value))
    low, high = question.low, question.high
    if (low is not None and value < low) or (high is not None and value > high):
        rule = (
            f"be in {'-∞' if low is None else f'{low:g}'} .. {'∞' if high is None else f'{high:g}'}"
        )
        raise InputError(name, rule, short(value))


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _each(
    check: Callable[[str, Sequence[str], list[Any], Frame], None],
) -> Callable[[Question, Any, Frame], None]:
    def checked(question: Question, value: Any, size: Frame) -> None:
        if not isinstance(value, list):
            raise InputError(f"question {question.id}", "be a list", short(value))
        check(f"question {question.id}", question.names, value, size)

    return checked


_CHECKS: dict[Kind, Callable[[Question, Any, Frame], None]] = {
    Kind.NOMINAL: _check_class,
    Kind.ORDINAL: _check_class,
    Kind.MULTILABEL: _check_set,
    Kind.SCORE: _check_score,
    Kind.BOX: _each(check_boxes),
    Kind.INSTANCE: _each(check_instances),
    Kind.MASK: _each(check_masks),
}
