"""The reads of a project, question by question, as read tables of the analytic core."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from overread.app.analysis.mask_frames import frame_masks, packed
from overread.app.analysis.project_reads import Said, read_table
from overread.app.study.project_protocol import parsed
from overread.errors import OverreadError
from overread.exchange import reads_table
from overread.labels import Kind, Reads
from overread.protocol import Question
from overread.store import ReadRow, Store, each_read, get_cases, get_protocol
from overread.store.quality.adjudications import standards_of_project
from overread.store.quality.stale import left_out

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


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """What is known of a question.

    Args:
        reads: each reader's read of each case that counts; None where there are none. A case
            whose standard says that it cannot be read has none that says more.
        read: the same, as the readers said it.
        gold: reference standards as gold answers, in the form that consensus takes; None if none.
        references: ids of the cases with a reference standard that answers the question.
        said: the reads before they became a table.
    """

    reads: Reads | None
    read: Reads | None
    gold: Any
    references: frozenset[str]
    said: tuple[Said, ...]


def project_table(
    store: Store, project: str, question: Question, *, until: int | None = None, tick: Tick = quiet
) -> Reads | None:
    """Each reader's latest read of each case, repeats left out; None where there are none.

    A read that a reader was asked to make again takes the place of the one before; what a ruling
    on a new protocol leaves out is left out. Masks come frame by frame
    (:mod:`overread.app.analysis.mask_frames`).

    Args:
        until: as things stood after this event of the log; None for now.
    """
    said = said_of_project(store, project, question, until=until, tick=tick)
    images = images_of(store, sorted({one.case for one in said}))
    made: Reads | None = table_maker(question)(question, said, images)
    return made


def project_labels(
    store: Store, project: str, question: Question, *, until: int | None = None, tick: Tick = quiet
) -> Labels:
    """The reads of :func:`project_table` beside the reference standards of their cases."""
    said = said_of_project(store, project, question, until=until, tick=tick)
    cases = {one.case for one in said}
    standards = {
        case: one
        for case, one in standards_of_project(store, project, until=until).items()
        if case in cases and (one.cannot_be_read or question.id in one.answer)
    }
    unreadable = {case for case, one in standards.items() if one.cannot_be_read}
    heard = [replace(one, value=None) if one.case in unreadable else one for one in said]
    known = [
        Said(case, REFERENCE, _packed(question, one.answer[question.id]))
        for case, one in standards.items()
        if case not in unreadable
    ]
    images = images_of(store, sorted(cases))
    make = table_maker(question)
    reads = make(question, heard, images, known)
    plain = make(question, said, images) if standards else reads
    gold = make(question, known, images, said) if known else None
    table = None if gold is None else reads_table(gold).drop("reader")
    return Labels(reads, plain, table, frozenset(standards), tuple(said))


REFERENCE = "reference standard"


def table_maker(question: Question) -> Any:
    """What makes a read table of :class:`Said` and the images of their cases."""
    return frame_masks if question.kind is Kind.MASK else read_table


def said_of_project(
    store: Store, project: str, question: Question, *, until: int | None = None, tick: Tick = quiet
) -> list[Said]:
    """What each reader says of each case to a question: the read of theirs that counts."""
    latest: dict[tuple[str, str], tuple[int, Said | None]] = {}
    old_codes = MaskCodes(store, project, question)
    gone = left_out(store, project, question.id)
    count = 0
    for row in each_read(store, project, until=until):
        count += 1
        if count % _TOLD_EVERY == 0:
            tick("reads", _TOLD_EVERY)
        place = row["case"], row["reader"]
        if counts(row) and row["round"] >= latest.get(place, (0, None))[0]:
            now = None if row["read"] in gone else old_codes.as_now(row)
            said = None if now is None else said_of_read(now, question)
            latest[place] = row["round"], said
    tick("reads", count % _TOLD_EVERY)
    return [said for _, said in latest.values() if said is not None]


def counts(row: Mapping[str, Any]) -> bool:
    """A first read, or one that was asked again: a repeat counts in no consensus."""
    return not row["round"] or bool(row["replaces"])


@dataclass(frozen=True, slots=True)
class MaskCodes:
    """Masks of older protocols in the codes of a question of now: a class is known by its name."""

    store: Store
    project: str
    question: Question
    _names: dict[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])

    def as_now(self, row: dict[str, Any]) -> dict[str, Any] | None:
        """The read as it would be now; None where it painted a class that is gone."""
        value = row["answer"].get(self.question.id)
        if self.question.kind is not Kind.MASK or value is None or row["cannot_be_read"]:
            return row
        before = self._before(int(row["protocol_version"]))
        if before == self.question.names:
            return row
        made = recoded(value, before, self.question.names)
        return None if made is None else row | {"answer": {self.question.id: made}}

    def _before(self, version: int) -> tuple[str, ...]:
        if version not in self._names:
            text = get_protocol(self.store, self.project, version).text
            found = {one.id: one for one in parsed(text).questions}.get(self.question.id)
            same_kind = found is not None and found.kind is Kind.MASK
            self._names[version] = found.names if found is not None and same_kind else ()
        return self._names[version]


def recoded(
    masks: Sequence[Mapping[str, Any]], before: Sequence[str], now: Sequence[str]
) -> list[dict[str, Any]] | None:
    """Masks in the codes of other classes; None where one of theirs is not among them.

    Args:
        before, now: names of the classes, from code 1.
    """
    code = {0: 0} | {at + 1: now.index(name) + 1 for at, name in enumerate(before) if name in now}
    used = {int(run[0]) for one in masks for run in one["runs"]}
    if not used <= code.keys():
        return None
    return [{**one, "runs": [[code[int(c)], n] for c, n in one["runs"]]} for one in masks]


def said_of_read(row: Mapping[str, Any], question: Question) -> Said | None:
    """What a read says to the question; None where it says nothing, or is a repeat."""
    cannot = bool(row["cannot_be_read"])
    value = row["answer"].get(question.id)
    if not counts(row) or (value is None and not cannot):
        return None
    return Said(
        row["case"],
        row["reader"],
        None if cannot else _packed(question, value),
        row["group"],
        row["submitted"],
        float(row["seconds"]),
        str(row["protocol_version"]),
    )


def said_of_reads(question: Question, reads: Sequence[ReadRow]) -> list[Said]:
    """What reads say to a question, those that say nothing left out."""
    return [
        Said(
            one.case,
            one.reader,
            None if one.cannot_be_read else _packed(question, one.answer[question.id]),
        )
        for one in reads
        if one.cannot_be_read or question.id in one.answer
    ]


def _packed(question: Question, value: Any) -> Any:
    return packed(value) if question.kind is Kind.MASK else value


def images_of(store: Store, keys: list[str]) -> dict[str, Mapping[str, Any]]:
    """Rows, columns, frames and more of cases, by their ids."""
    images: dict[str, Mapping[str, Any]] = {}
    for start in range(0, len(keys), _PAGE):
        found = get_cases(store, keys[start : start + _PAGE])
        images |= {key: row.image for key, row in found.items()}
    return images
