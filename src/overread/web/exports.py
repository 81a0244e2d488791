"""Exports as work beside the requests: made once, kept for a day, fetched when ready."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from overread.app.study.export_labels import Form, What
from overread.app.study.project_overview import named
from overread.app.study.project_tables import Stopping
from overread.app.study.proven_export import proven_export
from overread.exchange.manifest import NAME, manifest_bytes
from overread.store.errors import NotFoundError
from overread.web.jobs import Job
from overread.web.site import Site

_DAY = 86_400


def begin_export(
    site: Site,
    project: str,
    key: str,
    *,
    what: What,
    form: Form,
    by: str,
    questions: Sequence[str] = (),
    final: bool = False,
) -> Job:
    """Begin an export; the same id again is the same export.

    Args:
        by: id of who asks.
        final: refuse unless every label conforms to the newest version of the protocol.
    Raises:
        NotFoundError: no such project.
        InputError: too many are waiting, or the id was used for another.
    """
    named(site.store, project)

    def work(job: Job) -> None:
        folder = _folder(site) / job.id
        folder.mkdir()
        try:
            tick = Stopping(job.counts, job.stop.is_set)
            made = proven_export(
                site.store,
                project,
                folder,
                what=what,
                form=form,
                by=by,
                questions=questions,
                final=final,
                tick=tick,
            )
            job.conformity = made.conformity.words
            job.file = made.file
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    told = {"what": what, "format": form, "questions": ",".join(questions)}
    told |= {"final": "yes"} if final else {}
    return site.jobs.start_export(project, work, key=key, what=told)


def export_called(site: Site, project: str, key: str) -> Job:
    """An export of a project.

    Raises:
        NotFoundError: there is none of this id.
    """
    return site.jobs.called(project, "export", key)


def export_manifest(job: Job) -> tuple[str, bytes]:
    """The manifest of an export that is done, as a file of its own: its name, its bytes.

    Raises:
        NotFoundError: it is not done.
    """
    if not job.done or job.file is None or not job.file.is_file():
        raise NotFoundError("file of this export", "yet")
    return f"{job.file.name}.{NAME}", manifest_bytes(job.file)


def export_value(job: Job) -> dict[str, Any]:
    """An export as JSON."""
    file = None
    if job.done and job.file is not None and job.file.is_file():
        file = {"name": job.file.name, "bytes": job.file.stat().st_size}
    asked = [one for one in job.what["questions"].split(",") if one]
    told = {**job.what, "final": "final" in job.what, "conformity": job.conformity}
    return {**job.told(), **told, "questions": asked, "file": file}


def _folder(site: Site) -> Path:
    """Where exports wait to be fetched; what is older than a day is taken away."""
    place = site.upload_folder or Path(tempfile.gettempdir()) / "overread"
    folder = place / "exports"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for old in folder.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - old.stat().st_mtime > _DAY:
                shutil.rmtree(old, ignore_errors=True)
    return folder
