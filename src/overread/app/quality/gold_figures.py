"""Marks of many cases to figures with intervals, by question and class; the verdict on a run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from overread.agreement.proportions import f1_interval, wilson
from overread.app.quality.gold_marks import Mark
from overread.labels import Kind
from overread.protocol import Protocol, Qualification
from overread.store import RunVerdict

_NAMES = {
    Kind.NOMINAL: "share right",
    Kind.ORDINAL: "share right",
    Kind.SCORE: "share within tolerance",
    Kind.MULTILABEL: "F1",
    Kind.BOX: "F1",
    Kind.INSTANCE: "F1",
    Kind.MASK: "mean Dice",
}
_DRAWN = (Kind.BOX, Kind.INSTANCE)


@dataclass(frozen=True, slots=True)
class Figure:
    """A score with its 95 % interval.

    Args:
        name: class, or the prompt of the question.
        what: which score ("F1").
        n: what it rests on: findings (found, missed and extra), or cases.
        overlap: mean IoU of the findings that were found; None where there is none.
        near: share of grades that are right or next to it; None but for grades.
    """

    name: str
    what: str
    estimate: float
    low: float
    high: float
    n: int
    overlap: float | None = None
    near: float | None = None


@dataclass(frozen=True, slots=True)
class QuestionFigure:
    """The score of a question, whether it reaches the mark, and those of its classes."""

    id: str
    whole: Figure
    passed: bool
    classes: tuple[Figure, ...]


def figures(
    protocol: Protocol, marks: Sequence[Mapping[str, Sequence[Mark]]]
) -> tuple[QuestionFigure, ...]:
    """Score each question over these cases; one of which nothing is known is left out.

    Args:
        protocol: with its ``qualification``; the usual one where it has none.
        marks: of each case, see :func:`overread.app.quality.gold_marks.marks_of`.
    """
    rule = protocol.qualification or Qualification()
    made: list[QuestionFigure] = []
    for question in protocol.questions:
        all_ = [one for each in marks for one in each.get(question.id, ())]
        what = _NAMES[question.kind]
        whole = _figure(question.prompt, what, all_, drawn=question.kind in _DRAWN)
        if whole is None:
            continue
        names = dict.fromkeys(one["class"] for one in all_ if one["class"])
        order = sorted(names, key=[*question.names, *names].index)
        classes = (
            _figure(
                name, what, [m for m in all_ if m["class"] == name], drawn=question.kind in _DRAWN
            )
            for name in order
        )
        held = whole.low if rule.rule == "lower_bound" else whole.estimate
        passed = held >= rule.pass_mark - 1e-9
        made.append(QuestionFigure(question.id, whole, passed, tuple(c for c in classes if c)))
    return tuple(made)


def _figure(name: str, what: str, marks: Iterable[Mark], *, drawn: bool) -> Figure | None:
    marks = list(marks)
    if any("found" in one for one in marks):
        found, missed, extra = (sum(one[k] for one in marks) for k in ("found", "missed", "extra"))
        value, low, high = f1_interval(found, missed, extra)
        overlap = sum(one["overlap"] for one in marks) / found if found and drawn else None
        if math.isnan(value):
            return None
        return Figure(name, what, value, low, high, found + missed + extra, overlap)
    n = sum(one["n"] for one in marks)
    if not n:
        return None
    total = sum(one["sum"] for one in marks)
    near = sum(one["near"] for one in marks) / n if all("near" in one for one in marks) else None
    return Figure(name, what, total / n, *wilson(total, n), n, None, near)


def verdict(protocol: Protocol, marks: Sequence[Mapping[str, Sequence[Mark]]]) -> RunVerdict:
    """Whether a run is passed: every question that could be scored reaches the mark.

    A run in which no question could be scored (nothing to find in any case, and nothing drawn)
    shows nothing, and is not passed.
    """
    rule = protocol.qualification or Qualification()
    found = figures(protocol, marks)
    passed = bool(found) and all(one.passed for one in found)
    score = {
        "cases": len(marks),
        "mark": rule.pass_mark,
        "rule": rule.rule,
        "questions": [_rounded(asdict(one)) for one in found],
    }
    return RunVerdict(passed, score)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    return round(value, 6) if isinstance(value, float) else value


def score_words(score: Mapping[str, Any]) -> str:
    """A run's score in words ("F1 0.91 (0.75 to 0.97), 10 cases")."""
    parts = []
    for one in score.get("questions", ()):
        whole = one["whole"]
        ends = f"{whole['low']:.2f} to {whole['high']:.2f}"
        before = f"{whole['name']}: " if len(score["questions"]) > 1 else ""
        parts.append(f"{before}{whole['what']} {whole['estimate']:.2f} ({ends})")
    if not parts:
        return "nothing to score"
    return f"{'; '.join(parts)}, {score['cases']} cases"
