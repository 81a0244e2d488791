"""The numbers of a model as answers to a question, each with how sure the model is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.app.analysis.case_values import mask_value
from overread.app.learning.model_head import LOGITS, Head
from overread.arrays import Floats
from overread.errors import InputError
from overread.latents.encoder import Wanted
from overread.protocol import Question

_MOST_BOXES = 500


def class_answer(head: Head, question: Question, told: NDArray[np.float32]) -> tuple[Any, float]:
    """What a model says of an image: a class, or a set of them.

    Args:
        told: (classes,) or one number, finite.
    Returns:
        The answer, and the probability of it; of a set that of its least sure finding.
    """
    numbers = np.atleast_1d(np.asarray(told, dtype=np.float64))
    if head.form == "choice":
        p = _one_of(head, numbers)
        best = int(p.argmax())
        return head.classes[best], _share(p[best])
    p = _each(head, numbers)
    if head.form == "yes-no":
        (named,) = head.classes
        other = next(one for one in question.names if one != named)
        yes = bool(p[0] >= head.threshold)
        return (named if yes else other), _share(p[0] if yes else 1 - p[0])
    there = p >= head.threshold
    found = {name for name, one in zip(head.classes, there, strict=True) if one}
    sure = np.where(there, p, 1 - p).min()
    return [name for name in question.names if name in found], _share(sure)


def frame_answer(
    head: Head, question: Question, told: NDArray[np.float32], *, size: tuple[int, int],
    frame: int, wanted: Wanted,
) -> tuple[list[dict[str, Any]], float]:  # fmt: skip
    """What a model draws on a frame.

    Args:
        told: (maps, rows, columns), or (boxes, 6), finite.
        size: rows and columns of the frame.
        frame: its number.
        wanted: the input of the model, to which the frame was stretched.
    Returns:
        Boxes, or the mask as runs ([] where nothing is painted), and how sure it is: of boxes the
        lowest score, or one minus the highest where there are none; of a mask the mean
        probability of what it painted, or of the background where that is nothing.
    Raises:
        InputError: a box of a class that the model has not.
    """
    numbers = np.asarray(told, dtype=np.float64)
    if head.form == "boxes":
        scale = size[1] / wanted.columns, size[0] / wanted.rows
        return _boxes(head, f"{question.id}-{frame}", numbers, size, scale, frame)
    p = (_one_of if head.form == "paint" else _each)(head, numbers)
    codes, sure = p.argmax(axis=0), p.max(axis=0)
    if head.form == "paint-apart":  # background where no class reaches the threshold
        codes = np.where(sure >= head.threshold, codes + 1, 0)
        sure = np.where(codes > 0, sure, 1 - sure)
    there = codes > 0
    confidence = _share(sure[there].mean() if there.any() else sure.mean())
    numbered = np.array([0, *(question.names.index(one) + 1 for one in head.classes)])
    large = _stretched(numbered[codes], size)
    shape = {"rows": size[0], "columns": size[1]}
    return [one | {"frame": frame} for one in mask_value(large[None], shape)], confidence


def together(
    parts: Sequence[tuple[list[dict[str, Any]], float]],
) -> tuple[list[dict[str, Any]], float]:
    """Frames of a case as one answer: as sure as the least sure of those with a finding."""
    found = [one for value, _ in parts for one in value]
    sure = [confidence for value, confidence in parts if value]
    return found, min(sure or [confidence for _, confidence in parts])


def _one_of(head: Head, numbers: Floats) -> Floats:
    if head.scores != LOGITS:
        return numbers
    shifted = np.exp(numbers - numbers.max(axis=0))
    return np.asarray(shifted / shifted.sum(axis=0))


def _each(head: Head, numbers: Floats) -> Floats:
    if head.scores != LOGITS:
        return numbers
    return np.asarray(0.5 * (1 + np.tanh(0.5 * numbers)))  # the logistic, which cannot overflow


def _share(value: Any) -> float:
    return min(1.0, max(0.0, float(value)))


def _stretched(codes: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """The nearest small pixel for each of the image."""
    row, column = (
        np.minimum((np.arange(new) + 0.5) * old / new, old - 1).astype(np.intp)
        for new, old in zip(size, codes.shape, strict=True)
    )
    return codes[np.ix_(row, column)]


def _boxes(  # noqa: PLR0917 - rows, and where they lie
    head: Head, name: str, rows: Floats, size: tuple[int, int], scale: tuple[float, float],
    frame: int,
) -> tuple[list[dict[str, Any]], float]:  # fmt: skip
    order = np.argsort(-rows[:, 4], kind="stable")
    kept = [rows[at] for at in order if rows[at, 4] >= head.threshold][:_MOST_BOXES]
    made: list[dict[str, Any]] = []
    scores: list[float] = []
    for x1, y1, x2, y2, score, number in (one.tolist() for one in kept):
        if number != int(number) or not 0 <= number < len(head.classes):
            raise InputError("class of a box", f"be 0 to {len(head.classes) - 1}", f"{number:g}")
        left, right = (round(min(max(x * scale[0], 0.0), size[1]), 2) for x in (x1, x2))
        top, bottom = (round(min(max(y * scale[1], 0.0), size[0]), 2) for y in (y1, y2))
        if right <= left or bottom <= top:
            continue
        sides = {"x1": left, "y1": top, "x2": right, "y2": bottom}
        key = f"{name}-{len(made) + 1}"
        made.append({"id": key, "class": head.classes[int(number)], "frame": frame, **sides})
        scores.append(score)
    if made:
        return made, _share(min(scores))
    return [], _share(1 - rows[:, 4].max(initial=0.0))
