"""Label rules over a whole project, as work beside the requests; what was found is kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from overread.app.study.check_project import check_project, words_of
from overread.app.study.project_overview import named
from overread.store import Blobs, Store
from overread.store.quality.label_checks import LabelCheckRow, keep_label_check, latest_label_check
from overread.web.children import in_child
from overread.web.jobs import Job
from overread.web.site import Site

KIND = "label check"


@dataclass(frozen=True, slots=True)
class LabelChecks:
    """Checks of a project.

    Args:
        latest: what was kept last; None before the first.
        under_way: None where none is.
        failed: why the last one was not made; "" where it was.
    """

    latest: LabelCheckRow | None
    under_way: Job | None
    failed: str


def begin_label_check(site: Site, project: str, key: str, *, by: str) -> Job:
    """Begin a check; the same id again is the same check.

    Raises:
        NotFoundError: no such project.
        InputError: too many are waiting, or the id was used for something else.
    """
    named(site.store, project)

    def work(job: Job) -> None:
        made = in_child(site.store, job, _work, site.blobs, project)
        content = json.dumps(made, allow_nan=False, separators=(",", ":")).encode()
        keep_label_check(
            site.store,
            project,
            log_events=made["log_events"],
            words=words_of(made),
            result=site.blobs.put(content),
            by=by,
        )

    return site.jobs.start_export(project, work, key=key, what={}, kind=KIND)


def label_checks(site: Site, project: str) -> LabelChecks:
    """What was found, and what is under way.

    Raises:
        NotFoundError: no such project.
    """
    named(site.store, project)
    under_way, failed = site.jobs.standing(project, KIND)
    return LabelChecks(latest_label_check(site.store, project), under_way, failed)


def label_check_called(site: Site, project: str, key: str) -> Job:
    """A check that this server was asked for.

    Raises:
        NotFoundError: there is none of this id.
    """
    return site.jobs.called(project, KIND, key)


def found_by(site: Site, row: LabelCheckRow) -> dict[str, Any]:
    """What a kept check found, see :func:`overread.app.study.check_project.check_project`."""
    found: dict[str, Any] = json.loads(site.blobs.get(row.result))
    return found


def _work(store: Store, blobs: Blobs, project: str, tick: Any) -> dict[str, Any]:
    return check_project(store, blobs, project, tick=tick)
