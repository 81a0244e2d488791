"""What changed between two versions of a protocol, and which labels it makes stale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from overread.protocol.model import Protocol, Question


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Args:
        what: in words ("class 'Mass' was removed").
        question: whose labels it touches; None where it touches none by itself.
        stale: answers given before it may no longer say what the new version asks.
    """

    what: str
    question: str | None
    stale: bool


def changes(old: Protocol, new: Protocol) -> tuple[Change, ...]:
    """Differences from ``old`` to ``new``, those that make labels stale first."""
    found = [*_question_changes(old, new), *_text_changes(old, new)]
    return tuple(sorted(found, key=lambda one: not one.stale))


def _question_changes(old: Protocol, new: Protocol) -> Iterator[Change]:
    before = {one.id: one for one in old.questions}
    after = {one.id: one for one in new.questions}
    for name in before.keys() - after.keys():
        yield Change(f"question {name} was removed", name, stale=False)
    for name, question in after.items():
        if name not in before:
            required = question.required
            yield Change(f"question {name} was added", name, stale=required)
        elif before[name] != question:
            yield from _within(before[name], question)


def _within(old: Question, new: Question) -> Iterator[Change]:
    where = f"question {new.id}"
    if old.kind is not new.kind:
        yield Change(f"{where}: kind {old.kind} became {new.kind}", new.id, stale=True)
        return
    gone = [name for name in old.names if name not in new.names]
    come = [name for name in new.names if name not in old.names]
    for name in gone:
        yield Change(f"{where}: class {name!r} was removed", new.id, stale=True)
    for name in come:
        yield Change(f"{where}: class {name!r} was added", new.id, stale=True)
    if not gone and not come and old.names != new.names:
        yield Change(f"{where}: classes changed their order", new.id, stale=True)
    if (old.low, old.high) != (new.low, new.high):
        yield Change(f"{where}: the range changed", new.id, stale=True)
    if old.prompt != new.prompt:
        yield Change(f"{where}: the prompt changed", new.id, stale=True)
    if old.required != new.required:
        word = "required" if new.required else "optional"
        yield Change(f"{where}: it became {word}", new.id, stale=new.required)
    if old.names == new.names and old.classes != new.classes:
        yield Change(f"{where}: keys, colours, codes or weights changed", new.id, stale=False)


def _text_changes(old: Protocol, new: Protocol) -> Iterator[Change]:
    for name, words in (
        ("title", "the title changed"),
        ("objectives", "the quality objectives changed"),
        ("reads_per_case", f"reads per case: {old.reads_per_case} became {new.reads_per_case}"),
        ("on_demand", "when a case gets more reads changed"),
        ("diversity", "the wanted groups changed"),
        ("precision", "the wanted precision changed"),
        ("qualification", "what readers must show before they read changed"),
        ("watch", "what is done when a reader drifts changed"),
        ("pre_label", "whether readers see what a model proposes changed"),
        ("learning", "which case is read next, and when it is enough, changed"),
        ("before_sending", "the label rules asked before a read is sent changed"),
    ):
        if getattr(old, name) != getattr(new, name):
            yield Change(words, None, stale=False)
    # what readers were told decides what they said: the lead says whether it mattered
    if old.guideline != new.guideline:
        yield Change("the guideline changed", None, stale=True)
    if old.atlas != new.atlas:
        yield Change("the atlas changed", None, stale=True)
