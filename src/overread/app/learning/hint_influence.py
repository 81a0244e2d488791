"""Hints: which boxes of a read began as one, and whether hints draw the readers.

A box that a reader makes of a hint is named after it: ``hint-2`` is the second of the hints that
they were shown of the task, which the log holds. So a read tells which of its boxes began as a
hint and whether they were changed.

Whether hints draw readers is told as for pre-labels: of a share of the cases, drawn by lot, they
are never shown. There the readers' findings lie on them as far as both find what is there; where
hints may be seen, as far as that and as far as readers follow them. The difference is their pull.
Only hints that stand are measured, by the reads that came after them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from overread.app.learning.pre_label import kept_hidden
from overread.app.learning.pre_label_likeness import covers
from overread.app.learning.pre_label_sides import (
    HIDDEN,
    LEAST_CASES,
    SEEN,
    UNASKED,
    Contrast,
    Side,
    Use,
    sides_of,
    unmarked,
)
from overread.labels import Kind
from overread.protocol import Protocol
from overread.store import Store, reads_of_case
from overread.store.learning.pre_labels import HINTS, Hints, ShownRow, shown_of_cases

KEPT, MOVED, LEFT = "kept", "moved", "left"
"""A hint became a box as it was; it became one and was changed; it became none."""

_SIDES = ("frame", "x1", "y1", "x2", "y2")
_SAME = 0.011
"""Pixels: hints are kept in hundredths."""


@dataclass(frozen=True, slots=True)
class FromHint:
    """A box that began as a hint. Args: finding: its id; moved: it was changed since."""

    question: str
    finding: str
    moved: bool


@dataclass(frozen=True, slots=True)
class Influence(Contrast):
    """How far hints draw readers, for one question of boxes or outlines.

    Args:
        seen, hidden, offered, difference, low, high: as of :class:`Contrast`; agreement is the
            share of the hints on which a finding of the read lies, whatever its class.
        kept, moved, left: hints shown, by what became of them.
        before: share of the reads that saw them before they had marked anything.
        words: what it says, in a sentence.
    """

    kept: int
    moved: int
    left: int
    before: float
    words: str


def from_hints(
    answer: Mapping[str, Any], hints: ShownRow | None, pre_label: ShownRow | None = None
) -> list[FromHint]:
    """The boxes of an answer that began as a hint, in its order.

    Args:
        answer: question id -> value.
        hints: what the reader had been shown of them; None for nothing.
        pre_label: likewise: a finding that a model proposed was no hint, whatever its name.
    """
    if hints is None:
        return []
    named = {f"hint-{at}": one for at, one in enumerate(hints.shown, start=1)}
    proposed = {
        (one["question"], finding["id"])
        for one in (() if pre_label is None else pre_label.shown)
        for finding in _boxes(one["value"])
    }
    return [
        FromHint(question, one["id"], _is_moved(one, named[one["id"]]))
        for question, value in answer.items()
        for one in _boxes(value)
        if one["id"] in named and (question, one["id"]) not in proposed
    ]


def hints_in_reads(store: Store, case: str) -> dict[str, list[FromHint]]:
    """Read id -> its boxes that began as a hint, for the reads of a case that have any."""
    looks = shown_of_cases(store, [case], what=HINTS)
    if not looks:
        return {}
    shown, found = shown_of_cases(store, [case]), dict[str, list[FromHint]]()
    for read in reads_of_case(store, case):
        look = looks.get((read.task, read.reader))
        if look is not None and look.event < read.event:
            began = from_hints(read.answer, look, shown.get((read.task, read.reader)))
            if began:
                found[read.id] = began
    return found


def hint_uses(  # noqa: PLR0917
    project: str,
    protocol: Protocol,
    row: Mapping[str, Any],
    stands: tuple[str, Hints] | None,
    look: ShownRow | None,
    pre_label: ShownRow | None,
) -> dict[str, Use]:
    """What one read says of the hints of its case: question id -> its use of them.

    Args:
        protocol: that it was made under.
        row: the read, of ``each_read``.
        stands: since when the hints of the case stand, and which; None for none.
        look: what its reader had been shown of them; pre_label: likewise.
    """
    wish = protocol.pre_label
    if stands is None or not wish.hints or stands[0] > row["submitted"]:
        return {}
    regions = stands[1].regions
    if not regions or (look is not None and look.shown != regions):
        return {}
    lot = HIDDEN if kept_hidden(project, row["case"], wish.keep_hidden) else UNASKED
    arm, marked = (lot, False) if look is None else (SEEN, look.marked)
    began = from_hints(row["answer"], look, pre_label)
    made: dict[str, Use] = {}
    for question in protocol.questions:
        answer = row["answer"].get(question.id)
        if question.kind not in {Kind.BOX, Kind.INSTANCE} or not isinstance(answer, list):
            continue
        met = [any(covers(one, region) for one in answer) for region in regions]
        did = _did([one for one in began if one.question == question.id], len(regions))
        about = (row["case"], row["reader"], arm, float(np.mean(met)), float(row["seconds"]))
        made[question.id] = Use(*about, did if arm == SEEN else {}, marked)
    return made


def influence_of(question: str, prompt: str, uses: Sequence[Use]) -> Influence:
    """What the reads of one question say of the hints."""
    saw = [one for one in uses if one.arm == SEEN]
    sides = sides_of(uses)
    _, hidden, offered, _, low, high = sides
    kept, moved, left = (sum(one.changed[key] for one in saw) for key in (KEPT, MOVED, LEFT))
    words = _words(offered, hidden, low, high)
    return Influence(question, prompt, *sides, kept, moved, left, unmarked(saw), words)


def _boxes(value: Any) -> list[Mapping[str, Any]]:
    found = value if isinstance(value, list) else ()
    return [one for one in found if isinstance(one, Mapping) and "x1" in one]


def _is_moved(one: Mapping[str, Any], hint: Mapping[str, float]) -> bool:
    return any(abs(float(one[side]) - hint[side]) > _SAME for side in _SIDES)


def _did(began: Sequence[FromHint], shown: int) -> dict[str, int]:
    moved = sum(one.moved for one in began)
    return {KEPT: len(began) - moved, MOVED: moved, LEFT: shown - len(began)}


def _words(offered: Side, hidden: Side, low: float, high: float) -> str:
    if math.isnan(low):
        few = f"at least {LEAST_CASES} cases with hints and {LEAST_CASES} without are needed"
        return f"Not known yet: {few}; there are {offered.cases} and {hidden.cases}."
    if low > 0:
        return "Readers mark the places of hints more where they may see them: the hints draw them."
    if high < 0:
        return "Readers mark the places of hints less where they may see them."
    return "No influence is seen; the interval says how large one could be."
