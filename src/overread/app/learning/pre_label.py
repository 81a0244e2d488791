"""What a reader may see of a model's proposal, or of places that stand out, as the protocol says.

Hidden is hidden in the API: it answers as if there were nothing. Of a share of the cases, drawn by
lot, nothing is ever shown, so that its influence can be measured.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from overread.app.study.project_protocol import parsed
from overread.errors import InputError
from overread.protocol import Protocol, check_answer
from overread.protocol.pre_label import HIDDEN
from overread.protocol.pre_label import SHOWN as AT_ONCE
from overread.store import Store, get_terms, reads_of_case
from overread.store.learning.pre_labels import (
    ASKED,
    HINTS,
    SHOWN,
    Proposal,
    hints_of,
    keep_shown,
    may_see,
    pre_labels_of,
    shown_of_cases,
)


@dataclass(frozen=True, slots=True)
class Proposed:
    """What a reader is shown.

    Args:
        answer: question id -> value: an editable start.
        by: of each question its id, the model, its version and its confidence (or None).
    """

    answer: dict[str, Any]
    by: tuple[Mapping[str, Any], ...]


def ask_pre_label(store: Store, task: str, reader: str, *, marked: bool) -> Proposed | None:
    """Show a reader the pre-label of a task, and log it.

    Args:
        marked: they have marked something already.
    Returns:
        None where there is none for this reader now: the protocol hides it, the case is among
        those kept hidden, the read must be blind, or no model proposes anything that fits.
    Raises:
        NotFoundError: not a task of theirs.
    """
    terms = get_terms(store, task, reader)
    protocol = parsed(terms.protocol_text)
    case = may_see(store, task, reader)
    wish = protocol.pre_label
    if case is None or wish.show == HIDDEN or kept_hidden(terms.project, case, wish.keep_hidden):
        return None
    rows = [
        {
            "question": one.question,
            "value": one.value,
            "model": one.model,
            "version": one.version,
            "confidence": one.confidence,
        }
        for one in newest(pre_labels_of(store, [case]).get(case, ())).values()
        if fitting(protocol, one, terms.image)
    ]
    if not rows:
        return None
    how = SHOWN if wish.show == AT_ONCE else ASKED
    kept = keep_shown(store, task, reader, rows, how=how, marked=marked)
    if kept is None:
        return None
    answer = {one["question"]: one["value"] for one in kept.shown}
    by = tuple({key: one[key] for key in _BY} for one in kept.shown)
    return Proposed(answer, by)


_BY = ("question", "model", "version", "confidence")


def ask_hints(
    store: Store, task: str, reader: str, *, marked: bool
) -> tuple[Mapping[str, float], ...]:
    """Show a reader the places of a task's case that stand out, and log it; () for none.

    Raises:
        NotFoundError: not a task of theirs.
    """
    terms = get_terms(store, task, reader)
    wish = parsed(terms.protocol_text).pre_label
    case = may_see(store, task, reader)
    if case is None or not wish.hints or kept_hidden(terms.project, case, wish.keep_hidden):
        return ()
    found = hints_of(store, case)
    if found is None or not found.regions:
        return ()
    kept = keep_shown(store, task, reader, found.regions, what=HINTS, marked=marked)
    return () if kept is None else kept.shown


def seen_by_reads(store: Store, case: str) -> dict[str, str]:
    """Reads of a case made with its pre-label: read id -> seen "before" or "after" a first mark."""
    shown = shown_of_cases(store, [case])
    if not shown:
        return {}
    found = ((one, shown.get((one.task, one.reader))) for one in reads_of_case(store, case))
    return {
        read.id: "after" if seen.marked else "before"
        for read, seen in found
        if seen is not None and seen.event < read.event
    }


def kept_hidden(project: str, case: str, share: float) -> bool:
    """Whether a case is among those whose pre-label is never shown: by lot, the same for all."""
    text = f"pre-label {project} {case}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") < share * 2**64


def newest(proposals: Sequence[Proposal], *, before: int | None = None) -> dict[str, Proposal]:
    """The newest proposal of each question that stands.

    Args:
        proposals: oldest first.
        before: as it was at this event of the log; None for now.
    """
    return {one.question: one for one in proposals if _stands(one, before)}


def _stands(one: Proposal, before: int | None) -> bool:
    if before is None:
        return not one.withdrawn
    return one.event < before and not 0 < one.withdrawn < before


def fitting(protocol: Protocol, one: Proposal, image: Mapping[str, Any]) -> bool:
    """Whether a proposal is an answer to the protocol as it is now."""
    size = {name: int(image[name]) for name in ("rows", "columns", "frames")}
    try:
        check_answer(protocol, {one.question: one.value}, **size, complete=False)
    except InputError:
        return False
    return True
