"""What a project with auto-labels took, against every case read by the readers it asks for.

Seconds are measured: reads and audited cases as the reading page takes them, reviews as the film
strip does.
"""

from __future__ import annotations

from overread.app.study.project_protocol import protocol_of
from overread.selection.effort import Effort, Work
from overread.store import Store, project_progress
from overread.store.learning.audits import audit_seconds
from overread.store.learning.auto_labels import review_seconds, standing_run


def account(
    store: Store, project: str, *, reads: int, hours: float, cost_an_hour: float = 0.0
) -> Effort | None:
    """The account; None where the project has no auto-labels, or no read has a time.

    Args:
        reads: made by people, those of audits among them; hours: that they took.
        cost_an_hour: of a reader; 0 where nobody said.
    """
    if standing_run(store, project) is None or not reads or hours <= 0:
        return None
    audited, audit = audit_seconds(store, project)
    seen = review_seconds(store, project)
    looked, review = (sum(one[at] for one in seen.values()) for at in (0, 1))
    labelled = max(reads - audited, 0)
    labelling = max(3600 * hours - audit, 0.0)
    cases = project_progress(store, project).cases
    readers = protocol_of(store, project).protocol.reads_per_case
    return Effort(
        labelling=_work(labelled, labelling),
        review=_work(int(looked), review),
        audit=_work(audited, audit),
        full=Work(cases, readers, 3600 * hours / reads),
        cost_an_hour=cost_an_hour,
    )


def _work(count: int, seconds: float) -> Work:
    """So many, in so many seconds in all; time without a count is that of one."""
    count = max(count, 1) if seconds > 0 else count
    return Work(count, 1, seconds / count if count else 0.0)
