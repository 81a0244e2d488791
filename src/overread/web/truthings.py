"""Truthing reports as work beside the requests: made in a child process, then kept for good.

A report of a large project takes minutes of computing; a process of its own leaves the pages
their processor, and can be stopped at any point.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

from overread.app.quality.truthing_files import TruthingFiles, truthing_files
from overread.app.study.project_overview import named
from overread.errors import MethodError, OverreadError
from overread.store import Head, Store, open_store
from overread.store.errors import NotFoundError
from overread.store.truthings import TruthingRow, get_report, keep_report, list_reports
from overread.web.jobs import Job
from overread.web.site import Site

KIND = "report"
MEDIA: Mapping[str, str] = {
    "html": "text/html",
    "pdf": "application/pdf",
    "json": "application/json",
}
_LOOK_SECONDS = 0.3

Told: TypeAlias = tuple[str, Any]


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
        made = _in_child(site, project, job, names=names)
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
    jobs = site.jobs.of(project, KIND)
    under_way = next((one for one in jobs if not one.done), None)
    failed = jobs[0].error if jobs and jobs[0].done else ""
    return Truthings(list_reports(site.store, project), under_way, failed)


def truthing_called(site: Site, project: str, key: str) -> Job:
    """A report that this server was asked for.

    Raises:
        NotFoundError: there is none of this id.
    """
    for one in site.jobs.of(project, KIND):
        if one.id == key:
            return one
    raise NotFoundError("truthing report", key)


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


def _in_child(site: Site, project: str, job: Job, *, names: bool) -> TruthingFiles:
    ours, theirs = multiprocessing.Pipe(duplex=False)
    url = site.store.engine.url.render_as_string(hide_password=False)  # seen by nobody
    given = (url, project, f"{site.clock():%Y-%m-%d}", names, theirs)
    spawn = multiprocessing.get_context("spawn")
    child = spawn.Process(target=_child, args=given, daemon=True)
    child.start()
    theirs.close()
    try:
        return _followed(ours, job)
    finally:
        ours.close()
        child.join(0 if job.stop.is_set() else 10)
        if child.is_alive():
            child.kill()
            child.join()


def _followed(line: Connection, job: Job) -> TruthingFiles:
    """Listen to the child until it is done."""
    while not job.stop.is_set():
        if not line.poll(_LOOK_SECONDS):
            continue
        try:
            what, said = line.recv()
        except EOFError:
            break
        if what == "part":
            job.counts[said] = job.counts.get(said, 0) + 1
        elif what == "error":
            raise MethodError(said)
        else:
            found: TruthingFiles = said
            return found
    raise MethodError("it was stopped" if job.stop.is_set() else "its process ended; try again")


def _child(url: str, project: str, date: str, names: bool, line: Connection) -> None:
    os.nice(10)
    store: Store = open_store(url, connections=1)
    try:
        made = truthing_files(
            store, project, date=date, named=names, tick=lambda part: line.send(("part", part))
        )
        line.send(("done", made))
    except OverreadError as error:
        line.send(("error", str(error)))
    finally:
        store.close()
        line.close()
