"""Truthing reports as work beside the requests: made in a child process, then kept for good.

A report of a large project takes minutes of computing; a process of its own leaves the pages
their processor, and can be stopped at any point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from overread.app.quality.truthing_files import TruthingFiles, truthing_files
from overread.app.study.project_overview import named
from overread.store import Head, Store
from overread.store.errors import NotFoundError
from overread.store.quality.truthings import TruthingRow, get_report, keep_report, list_reports
from overread.web.children import in_child
from overread.web.jobs import Job
from overread.web.site import Site

KIND = "report"
MEDIA: Mapping[str, str] = {
    "html": "text/html",
    "pdf": "application/pdf",
    "json": "application/json",
}


@dataclass(frozen=True, slots=True)
class Truthings:
    """Reports of a project. Args: under_way: None where none is; failed: the last one's error."""

    kept: list[TruthingRow]
    under_way: Job | None
    failed: str


def begin_truthing(site: Site, project: str, key: str, *, names: bool, by: str) -> Job:
    """Begin a report; the same id again is the same report.

    Args:
        names: tell readers by their names.
    Raises:
        NotFoundError: no such project.
        InputError: too many are waiting, or the id was used for something else.
    """
    named(site.store, project)

    def work(job: Job) -> None:
        date = f"{site.clock():%Y-%m-%d}"
        made: TruthingFiles = in_child(site.store, job, _work, project, date, names)
        kept = {form: site.blobs.put(content) for form, content in made.files.items()}
        log = made.told["log"]
        keep_report(
            site.store,
            project,
            log=Head(log["events"], log["head"]),
            files=kept,
            words=made.told["conformity"]["words"],
            by=by,
            named=names,
        )

    what = {"named": "yes" if names else ""}
    return site.jobs.start_export(project, work, key=key, what=what, kind=KIND)


def truthings(site: Site, project: str) -> Truthings:
    """What was made, and what is under way.

    Raises:
        NotFoundError: no such project.
    """
    named(site.store, project)
    under_way, failed = site.jobs.standing(project, KIND)
    return Truthings(list_reports(site.store, project), under_way, failed)


def truthing_called(site: Site, project: str, key: str) -> Job:
    """A report that this server was asked for.

    Raises:
        NotFoundError: there is none of this id.
    """
    return site.jobs.called(project, KIND, key)


def truthing_file(site: Site, project: str, report: str, form: str) -> tuple[str, bytes]:
    """The name of a kept report's file, and its bytes.

    Raises:
        NotFoundError: no such report of the project, or not in this form.
        BrokenLogError: the file is no longer what was kept.
    """
    row = get_report(site.store, project, report)
    if form not in row.files:
        raise NotFoundError("form of the report", form[:10])
    return f"truthing-{row.made[:10]}-{row.log_events}.{form}", site.blobs.get(row.files[form])


def _work(store: Store, project: str, date: str, names: bool, tick: Any) -> TruthingFiles:
    return truthing_files(store, project, date=date, named=names, tick=lambda part: tick(part, 1))
