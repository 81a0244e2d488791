"""The reads of a project, question by question, as read tables of the analytic core."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from overread.app.mask_frames import frame_masks, packed
from overread.app.project_reads import Said, read_table
from overread.errors import OverreadError
from overread.labels import Kind, Reads
from overread.protocol import Question
from overread.store import Store, each_read, get_cases

_PAGE = 500
_TOLD_EVERY = 1000

Tick: TypeAlias = Callable[[str, int], None]
"""Called with what is counted ("reads") and how many more there are; raises to stop."""


class StoppedError(OverreadError):
    """Somebody stopped the work; nothing half-written is left."""


@dataclass(frozen=True, slots=True)
class Stopping:
    """Counts for a page that watches, and heeds its stop. Args: counts: told while it goes on."""

    counts: dict[str, int]
    stop: Callable[[], bool]

    def __call__(self, what: str, more: int) -> None:
        """Count.

        Raises:
            StoppedError: it was asked to stop.
        """
        if self.stop():
            raise StoppedError("stopped; nothing was written")
        self.counts[what] = self.counts.get(what, 0) + more


def quiet(_what: str, _more: int) -> None:
    """Count nothing."""


def project_table(
    store: Store, project: str, question: Question, *, until: int | None = None, tick: Tick = quiet
) -> Reads | None:
    """Each reader's latest read of each case, repeats left out; None where there are none.

    Masks come frame by frame (:mod:`overread.app.mask_frames`).

    Args:
        until: as things stood after this event of the log; None for now.
    """
    latest: dict[tuple[str, str], Said] = {}
    count = 0
    for row in each_read(store, project, until=until):
        count += 1
        if count % _TOLD_EVERY == 0:
            tick("reads", _TOLD_EVERY)
        said = _said(row, question)
        if said is not None:
            latest[said.case, said.reader] = said
    tick("reads", count % _TOLD_EVERY)
    images = _images(store, sorted({case for case, _ in latest}))
    make = frame_masks if question.kind is Kind.MASK else read_table
    return make(question, list(latest.values()), images)


def _said(row: Mapping[str, Any], question: Question) -> Said | None:
    """What a read says to the question; None where it says nothing, or is a repeat."""
    cannot = bool(row["cannot_be_read"])
    value = row["answer"].get(question.id)
    if row["round"] or (value is None and not cannot):
        return None
    if value is not None and question.kind is Kind.MASK:
        value = packed(value)
    return Said(
        row["case"],
        row["reader"],
        None if cannot else value,
        row["group"],
        row["submitted"],
        float(row["seconds"]),
        str(row["protocol_version"]),
    )


def _images(store: Store, keys: list[str]) -> dict[str, Mapping[str, Any]]:
    images: dict[str, Mapping[str, Any]] = {}
    for start in range(0, len(keys), _PAGE):
        found = get_cases(store, keys[start : start + _PAGE])
        images |= {key: row.image for key, row in found.items()}
    return images
