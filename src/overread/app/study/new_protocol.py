"""A protocol from a template and a few choices, before anybody writes YAML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from overread.errors import InputError
from overread.protocol import (
    TEMPLATES,
    ClassEntry,
    Protocol,
    Question,
    read_protocol,
    template,
    write_protocol,
)
from overread.protocol.model import PALETTE

_KEYS = "123456789"


@dataclass(frozen=True, slots=True)
class Choices:
    """What a lead chooses.

    Args:
        template: name of a template.
        title: of the protocol; "" keeps the template's.
        reads_per_case: how many readers read each case.
        classes: question id -> class names; questions that are not in it keep theirs.
        left_out: ids of questions that are not asked.
    """

    template: str
    title: str
    reads_per_case: int
    classes: Mapping[str, Sequence[str]]
    left_out: frozenset[str] = frozenset()


def starting_point(name: str) -> Protocol:
    """A template as a protocol.

    Raises:
        InputError: there is none of the name.
    """
    if name not in TEMPLATES:
        raise InputError("template", f"be one of {', '.join(TEMPLATES)}", name)
    return read_protocol(template(name))


def chosen_protocol(choices: Choices) -> str:
    """The YAML of a template with the choices made in it.

    What speaks of a class or question that is gone (objectives, atlas) goes with it; a template
    whose classes stay as they are keeps its text, comments too, but for the number of reads.

    Raises:
        ProtocolError: the choices break a rule (a class twice, none left).
        InputError: no such template, or no question left.
    """
    base = starting_point(choices.template)
    questions = tuple(
        _with_classes(one, choices.classes.get(one.id, one.names))
        for one in base.questions
        if one.id not in choices.left_out
    )
    if not questions:
        raise InputError("protocol", "ask one question or more", "none")
    by_id = {one.id: one for one in questions}
    made = replace(
        base,
        title=choices.title or base.title,
        reads_per_case=choices.reads_per_case,
        questions=questions,
        objectives=tuple(
            one for one in base.objectives if _known(by_id, one.question, one.class_name)
        ),
        atlas=tuple(one for one in base.atlas if _known(by_id, one.question, one.class_name)),
    )
    text = write_protocol(made)
    read_protocol(text)
    return text


def _with_classes(question: Question, names: Sequence[str]) -> Question:
    """Classes of these names; those that were there keep their key and colour."""
    if not question.classes or list(names) == list(question.names):
        return question
    there = {one.name: one for one in question.classes}
    keys = {one.key for name, one in there.items() if name in names}
    free_keys = iter([one for one in _KEYS if one not in keys])
    made: list[ClassEntry] = []
    for at, name in enumerate(names):
        old = there.get(name)
        if old is None:
            colour = PALETTE[at % len(PALETTE)]
            old = ClassEntry(name, at + 1, next(free_keys, None), colour)
        made.append(replace(old, code=at + 1))
    return replace(question, classes=tuple(made))


def _known(by_id: Mapping[str, Question], question: str | None, name: str | None) -> bool:
    if question is None:
        return True
    found = by_id.get(question)
    return found is not None and (name is None or name in found.names)
