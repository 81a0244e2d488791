"""What a reader is told beside the right answer: one line a question, and which atlas entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from overread.app.quality.gold_marks import Mark, tolerance_of
from overread.labels import Kind
from overread.protocol import Protocol, Qualification, Question

_MOST_ENTRIES = 4


def mark_lines(
    protocol: Protocol,
    right: Mapping[str, Any],
    said: Mapping[str, Any] | None,
    marks: Mapping[str, Sequence[Mark]],
) -> list[tuple[str, str, bool]]:
    """(prompt, words, whether all of it was right) of each question that was marked."""
    rule = protocol.qualification or Qualification()
    made = []
    for question in protocol.questions:
        if question.id in marks:
            own = None if said is None else said.get(question.id)
            words, good = _line(question, right[question.id], own, marks[question.id], rule)
            made.append((question.prompt, words, good))
    return made


def _line(
    question: Question, right: Any, said: Any, marks: Sequence[Mark], rule: Qualification
) -> tuple[str, bool]:
    if question.kind in {Kind.BOX, Kind.INSTANCE, Kind.MULTILABEL}:
        return _found(question, marks)
    if question.kind is Kind.MASK:
        parts = [f"{one['class']}: Dice {one['sum']:.2f}" for one in marks]
        return ", ".join(parts), all(one["sum"] >= rule.pass_mark for one in marks)
    good = all(one["sum"] == one["n"] for one in marks)
    own = "no answer" if said is None else f"{said:g}" if question.kind is Kind.SCORE else said
    shown = f"{right:g}" if question.kind is Kind.SCORE else right
    if own == shown:
        return f"Right: {shown}.", True
    if question.kind is Kind.SCORE:
        near = f" (within {tolerance_of(question, rule):g} counts as right)"
        return f"The right score is {shown}; you said {own}{near}.", good
    near = " The neighbouring grade counts as right." if good else ""
    return f"The right answer is {shown}; you said {own}.{near}", good


def _found(question: Question, marks: Sequence[Mark]) -> tuple[str, bool]:
    found, missed, extra = (sum(one[key] for one in marks) for key in ("found", "missed", "extra"))
    if not marks:
        return "Right: there is no finding.", True
    if not found + missed:
        words = "There is no finding"
    else:
        words = f"{found} of {found + missed} found"
        if found and question.kind is not Kind.MULTILABEL:
            words += f", mean IoU {sum(one['overlap'] for one in marks) / found:.2f}"
    if extra:
        words += f"; {extra} too many"
    named = [f"missed {one['class']}" for one in marks if one["missed"]]
    named += [f"{one['class']} is not there" for one in marks if one["extra"] and not one["found"]]
    if named and len(question.classes) > 1:
        words += f" ({', '.join(named)})"
    return f"{words}.", not missed and not extra


def atlas_entries(
    protocol: Protocol,
    right: Mapping[str, Any],
    said: Mapping[str, Any] | None,
    chosen: str | None = None,
) -> list[str]:
    """Ids of the atlas entries to show: the one chosen for the case, then those of its classes."""
    wanted: list[tuple[str, str]] = []
    for answer in (right, said or {}):
        for question in protocol.questions:
            if question.id in answer:
                wanted += [(question.id, name) for name in _classes(question, answer[question.id])]
    first = [one.id for one in protocol.atlas if one.id == chosen]
    rest = [
        one.id
        for question, name in dict.fromkeys(wanted)
        for one in protocol.atlas
        if one.class_name == name and one.question in {None, question}
    ]
    return list(dict.fromkeys([*first, *rest]))[:_MOST_ENTRIES]


def _classes(question: Question, value: Any) -> list[str]:
    if question.kind in {Kind.NOMINAL, Kind.ORDINAL}:
        return [value]
    if question.kind is Kind.MULTILABEL:
        return list(value)
    if question.kind in {Kind.BOX, Kind.INSTANCE}:
        return list(dict.fromkeys(one["class"] for one in value))
    if question.kind is Kind.MASK:
        codes = {int(code) for one in value for code, _ in one["runs"]}
        return [one.name for one in question.classes if one.code in codes]
    return []
