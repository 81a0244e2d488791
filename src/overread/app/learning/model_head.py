"""What the numbers of a model mean: which answer to which question, by which classes."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from overread.errors import InputError
from overread.labels import Kind
from overread.protocol import Question

Form: TypeAlias = Literal["choice", "yes-no", "findings", "paint", "paint-apart", "boxes"]
LOGITS, PROBABILITIES = "logits", "probabilities"
SCORES = (PROBABILITIES, LOGITS)
"""What the scores of a model are: of boxes they are probabilities."""
_BACKGROUND = "background"
_KEYS = ("classes", "labels", "names", "class_names")
"""Under which files say their classes: a list, or a table of numbers and names."""
_SLACK, _SUM_SLACK = 1e-3, 0.02


@dataclass(frozen=True, slots=True)
class Head:
    """The answer that a model's numbers make.

    Args:
        form: "choice": one of the classes; "yes-no": one score, of the one class of two;
            "findings": any of them; "paint": each pixel one of them or background, which comes
            first; "paint-apart": each class its own map; "boxes": rows x1, y1, x2, y2, score,
            class, in pixels of the input.
        classes: in the order of the numbers, background left out.
        scores: of :data:`SCORES`.
        threshold: from which a finding, a pixel or a box counts; of no use to a choice or paint.
    """

    form: Form
    classes: tuple[str, ...]
    scores: str
    threshold: float = 0.5


def head_of(
    question: Question, gives: Sequence[int], *, classes: Sequence[str], scores: str,
    threshold: float = 0.5,
) -> Head:  # fmt: skip
    """Fit what a model gives to a question.

    Args:
        gives: shape of what it gives an image: (classes,), (1,), (), (classes, rows, columns) or
            (boxes, 6).
        classes: names in the order of its numbers; of a mask with or without the background.
        scores: of :data:`SCORES`; "" for boxes.
        threshold: see :class:`Head`.
    Raises:
        InputError: another kind of question, classes that are not the question's, or of another
            number than the model gives; scores that were not stated.
    """
    if not 0 < threshold < 1:
        raise InputError("threshold", "lie between 0 and 1", threshold)
    shape = tuple(gives) or (1,)
    names = _names(question, classes)
    form = _form(question, shape, len(names))
    _refuse_number(question, form, shape, names)
    if form == "boxes":
        scores = PROBABILITIES
    if scores not in SCORES:
        remedy = "Say whether the model ends in a softmax or sigmoid (probabilities) or not."
        got = scores[:40] or "nothing"
        raise InputError("scores", f"be {' or '.join(SCORES)}", got, remedy=remedy)
    return Head(form, names, scores, threshold)


def check_told(head: Head, told: NDArray[np.float32]) -> None:
    """Refuse numbers that are not what was stated.

    Args:
        told: (images, ...) finite numbers of a model.
    Raises:
        InputError: probabilities below 0 or above 1, or of one choice and not 1 together; logits
            that are probabilities.
    """
    if head.form == "boxes":
        told = told[..., 4]
    low, high = float(told.min(initial=0)), float(told.max(initial=0))
    inside = low >= -_SLACK and high <= 1 + _SLACK
    one = head.form in {"choice", "paint"} and inside
    total = told.sum(axis=1, dtype=np.float64) if one else np.zeros(1)
    together = one and bool(np.abs(total - 1).max() <= _SUM_SLACK)
    if head.scores == LOGITS and together:
        remedy = "State probabilities: a softmax of them would flatten every confidence."
        raise InputError("scores", "be logits, as stated", "probabilities", remedy=remedy)
    if head.scores == PROBABILITIES and not inside:
        got = f"{low:.3g} to {high:.3g}"
        remedy = "" if head.form == "boxes" else "State logits, if that is what it gives."
        raise InputError("scores", "be probabilities, 0 to 1", got, remedy=remedy)
    if head.scores == PROBABILITIES and one and not together:
        got = f"{float(total.min()):.3g} to {float(total.max()):.3g}"
        rule = "be probabilities that sum to 1 over the classes"
        remedy = "State logits, if that is what it gives."
        raise InputError("scores", rule, got, remedy=remedy)


def said_classes(says: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the classes, in order, as a file says them; () where it says none.

    Args:
        says: what the file says of itself, by key.
    """
    for key in _KEYS:
        found = listed(says.get(key, ""))
        if found:
            return found
    return ()


def listed(text: str) -> tuple[str, ...]:
    """Names in a text: separated by commas, a list, or a table of numbers and names."""
    text = text.strip()
    if not text.startswith(("[", "{", "(")):
        return tuple(one.strip() for one in text.split(",") if one.strip())
    value: Any = None
    for read in (json.loads, ast.literal_eval):  # the second runs nothing
        try:
            value = read(text)
            break
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    if isinstance(value, Mapping):
        try:
            value = [value[key] for key in sorted(value, key=int)]
        except (ValueError, TypeError):
            value = list(value) if all(isinstance(one, int) for one in value.values()) else None
    if not isinstance(value, list | tuple):
        return ()
    return tuple(str(one).strip() for one in value)


def _names(question: Question, classes: Sequence[str]) -> tuple[str, ...]:
    names = tuple(classes)
    if question.kind is Kind.MASK and names and names[0].casefold() == _BACKGROUND:
        names = names[1:]
    asked = ", ".join(question.names)
    if not names:
        remedy = f"State them in the order of its outputs, from: {asked}."
        raise InputError("classes of the model", "be stated", "none", remedy=remedy[:400])
    strange = [one for one in names if one not in question.names]
    if strange:
        rule = f"be of those of the question ({asked})"
        remedy = "Name its outputs as the question does, in their order."
        got = ", ".join(strange)[:200]
        raise InputError("classes of the model", rule[:400], got, remedy=remedy)
    if len(set(names)) < len(names):
        raise InputError("classes of the model", "differ from each other", "one twice")
    return names


def _form(question: Question, shape: tuple[int, ...], classes: int) -> Form:
    kind = question.kind
    if kind in {Kind.NOMINAL, Kind.ORDINAL} and len(shape) == 1:
        return "yes-no" if shape == (1,) else "choice"
    if kind is Kind.MULTILABEL and len(shape) == 1:
        return "findings"
    if kind is Kind.MASK and len(shape) == 3:
        return "paint" if shape[0] == classes + 1 else "paint-apart"
    if kind is Kind.BOX and len(shape) == 2 and shape[1] == 6:
        return "boxes"
    wanted = _WANTED.get(kind)
    if wanted is None:
        rule = "ask for classes, grades, findings, masks or boxes"
        raise InputError("question that a model answers", rule, str(kind))
    raise InputError("ONNX file", f"give {wanted} an image", f"shape {shape}")


_WANTED = {
    Kind.NOMINAL: "one score for each class", Kind.ORDINAL: "one score for each grade",
    Kind.MULTILABEL: "one score for each finding",
    Kind.MASK: "one map (rows, columns) for each class and the background",
    Kind.BOX: "boxes of 6 numbers (x1, y1, x2, y2, score, class)",
}  # fmt: skip


def _refuse_number(
    question: Question, form: Form, shape: tuple[int, ...], names: tuple[str, ...]
) -> None:
    """As many numbers as classes; boxes say theirs one by one."""
    told = ", ".join(names)[:200]
    remedy = "State all classes of the model, in the order of its outputs."
    if form == "yes-no":
        if len(question.names) != 2:
            rule = f"give one score for each of {len(names)} classes ({told})"
            raise InputError("ONNX file", rule, "one score", remedy=remedy)
        if len(names) != 1:
            remedy = "Its one score is of one of the two: state that one."
            rule = "be one, as the model gives one score"
            raise InputError("classes of the model", rule, told, remedy=remedy)
    elif form != "boxes" and shape[0] != len(names) + (form == "paint"):
        what = "map" if form == "paint-apart" else "score"
        rule = f"give one {what} for each of its {len(names)} classes ({told})"
        raise InputError("ONNX file", rule, f"{shape[0]}", remedy=remedy)
