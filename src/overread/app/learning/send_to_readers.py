"""Cases whose auto-label does not stand go to readers, also where a loop decides what is read."""

from __future__ import annotations

from collections.abc import Sequence

from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_readers import who_reads
from overread.store import Store, plan_tasks
from overread.store.learning.asking import STOPPED, loop_state, set_loop


def learns(store: Store, project: str) -> bool:
    """A loop decides which open slots there are: only those kept for a reader stay as they are."""
    return protocol_of(store, project).protocol.learning is not None


def send_to_readers(store: Store, project: str, cases: Sequence[str], *, by: str) -> int:
    """Fill cases up to the reads that the protocol wants; return how many slots were added."""
    if not cases:
        return 0
    wanted = protocol_of(store, project).protocol.reads_per_case
    readers = tuple(who_reads(store, project)) if learns(store, project) else ()
    if readers:
        wanted = min(wanted, len(readers))
    return plan_tasks(store, project, by, reads_per_case=wanted, readers=readers, cases=cases)


def rest_of_loop(store: Store, project: str, *, by: str) -> None:
    """Have the loop of a project ask no more while labels are audited."""
    if learns(store, project) and loop_state(store, project).state != STOPPED:
        words = "The model labelled the rest, and these labels are audited."
        set_loop(store, project, STOPPED, by, words=words)
