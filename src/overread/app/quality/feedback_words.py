"""What a reader is told beside the others' answer, and which parts of the guideline concern it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from overread.app.quality.gold_marks import Mark, marks_of
from overread.labels import Kind
from overread.protocol import Protocol, Question
from overread.words import percent


def difference(
    protocol: Protocol, question: Question, others: Any, mine: Any, image: Mapping[str, Any]
) -> str:
    """How an answer differs from what the others say together, in a sentence.

    Args:
        others, mine: in the shape of an answer; mine is None for "cannot be read".
        image: rows, columns and frames of the case.
    """
    marks = marks_of(protocol, {question.id: others}, {question.id: mine}, image)
    found = marks.get(question.id, [])
    if mine is None:
        return "You could not read it."
    if question.kind is Kind.MASK:
        return ", ".join(f"{one['class']}: Dice {one['sum']:.2f}" for one in found)
    if question.kind in {Kind.BOX, Kind.INSTANCE, Kind.MULTILABEL}:
        return _counted(question, found, _size(question, mine, others))
    return f"You said {_text(mine)}; the others {_text(others)}."


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _counted(question: Question, marks: Sequence[Mark], size: str) -> str:
    met, missed, extra = (sum(one[key] for one in marks) for key in ("found", "missed", "extra"))
    if not met + missed + extra:
        return "Neither you nor the others marked anything."
    if not missed + extra:
        words = "You and the others found the same"
    else:
        words = f"You have {met} of the {met + missed} that the others marked"
    if extra:
        words += f", and {extra} that they did not"
    if met and question.kind is not Kind.MULTILABEL:
        words += f"; overlap (IoU) {sum(one['overlap'] for one in marks) / met:.2f}"
        words += "" if missed + extra else size
    return f"{words}."


def _size(question: Question, mine: Any, others: Any) -> str:
    """How much smaller or larger the drawings are, where that is more than a trifle."""
    if question.kind is Kind.MULTILABEL or not mine or not others:
        return ""
    area = [sum(_area(one) for one in drawn) for drawn in (mine, others)]
    off = area[0] / area[1] - 1 if area[1] else 0.0
    if abs(off) < _TRIFLE:
        return ""
    return f", yours {percent(abs(off))} {'smaller' if off < 0 else 'larger'}"


_TRIFLE = 0.05


def _area(one: Mapping[str, Any]) -> float:
    if "points" not in one:
        return float((one["x2"] - one["x1"]) * (one["y2"] - one["y1"]))
    x, y = np.array(one["points"], np.float64).T
    return float(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2)


def topics(question: Question, told: Mapping[str, Any]) -> list[str]:
    """Words by which the guideline's parts about an alarm are known."""
    words = f"{question.prompt} {told.get('name', '')} {told['words']}"
    plain = [one for one in re.findall(r"[a-z]{4,}", words.lower()) if one not in _COMMON]
    return [*question.names, *plain]


_COMMON = frozenset(
    re.findall(
        r"\w+",
        "than before others over last read reads overlap case cases more fewer answers differ from "
        "with that first side sides each times your what which there draw mark",
    )
)


def concerned(guideline: str, topics: Sequence[str]) -> str:
    r"""The parts of a guideline, by its headings, that name a topic; all of it if none does.

    Example:
        >>> concerned("# Boxes\nTight.\n# Light\nDim it.", ["boxes"])
        '# Boxes\nTight.'
    """
    parts = re.split(r"(?m)^(?=#{1,6} )", guideline)
    # one or many: "boxes" is about the box
    stems = [re.escape(re.sub(r"(?<=\w\w\w)e?s$", "", one)) for one in topics if one]
    wanted = [re.compile(rf"\b{one}(e?s)?\b", re.IGNORECASE) for one in stems]
    found = [one for one in parts if any(each.search(one) for each in wanted)]
    return "".join(found or parts).strip()
