"""Repeats of a project: cases that a reader read twice, as a table with both reads."""

from __future__ import annotations

from overread.app.analysis.project_reads import Said
from overread.app.study.project_tables import images_of, said_of_reads, table_maker
from overread.labels import Reads
from overread.protocol import Question
from overread.store import ReadRow, Store, reads_of_case
from overread.store.work.asked_again import asked_of_case
from overread.store.work.repeats import repeated_cases

_MOST = 1_000
"""Cases that are looked at: the last so many."""


def repeats_table(store: Store, project: str, question: Question) -> Reads | None:
    """First reads and repeats of the cases that somebody read twice; None where there are none.

    A read that was asked again is no repeat: its reader was told why. Reads that were set aside
    after an alarm are left out.
    """
    said: list[Said] = []
    for case in repeated_cases(store, project, most=_MOST):
        again = asked_of_case(store, case)
        rows = [
            one for one in reads_of_case(store, case) if one.task not in again and not one.set_aside
        ]
        said += said_of_reads(question, _twice(rows))
    if not said:
        return None
    images = images_of(store, sorted({one.case for one in said}))
    made: Reads | None = table_maker(question)(question, said, images)
    return made


def _twice(rows: list[ReadRow]) -> list[ReadRow]:
    """Those of readers who read the case more than once, in the order of their rounds."""
    count: dict[str, int] = {}
    for one in rows:
        count[one.reader] = count.get(one.reader, 0) + 1
    return sorted((one for one in rows if count[one.reader] > 1), key=lambda one: one.round)
