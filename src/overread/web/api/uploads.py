"""Images sent by a program: file by file, then imported together."""

from __future__ import annotations

import shutil
from pathlib import Path

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from overread.app.study.import_upload import import_upload
from overread.app.study.project_overview import named
from overread.app.study.stated_groups import NOTHING_STATED, StatedGroups, hashed
from overread.errors import InputError
from overread.exchange.patients import Stated
from overread.web.api.around import At, Who
from overread.web.jobs import Job
from overread.web.replies import json_reply
from overread.web.schemas import Id
from overread.web.schemas_lead import ImportIn, Sha256
from overread.web.uploads import arrived, keep, upload_folder


def upload(project: Id, upload: Id, site: At) -> Response:
    """Which files have arrived; those need not be sent again."""
    named(site.store, project)
    return json_reply({"files": arrived(upload_folder(site, project, upload))})


async def upload_file(
    request: Request, project: Id, upload: Id, sha256: Sha256, site: At
) -> Response:
    """Keep one file; sent twice it is kept once."""
    await run_in_threadpool(named, site.store, project)
    folder = upload_folder(site, project, upload)
    size = await keep(folder, sha256, request.stream())
    return json_reply({"sha256": sha256, "bytes": size})


def import_files(
    project: Id, upload: Id, site: At, who: Who, body: ImportIn | None = None
) -> Response:
    """Import what has arrived; asked twice it is imported once."""
    named(site.store, project)
    folder = upload_folder(site, project, upload)
    stated, key = _stated(folder, body, site.secret), (body.id if body else "") or upload

    def work(job: Job) -> None:
        import_upload(
            site.store,
            site.blobs,
            project,
            folder,
            by=who.id,
            key=site.secret,
            counts=job.counts,
            stop=job.stop.is_set,
            stated=stated,
        )
        site.learnings.wake(site.store, project)
        if not job.stop.is_set():
            shutil.rmtree(folder, ignore_errors=True)

    known = [one for one in site.jobs.of(project) if one.id == key and not one.error]
    if not known and not arrived(folder):
        raise InputError("upload", "have files", "none that arrived")
    job = known[0] if known else site.jobs.start(project, work, key=key)
    return json_reply(job.told(), 202)


def _stated(folder: Path, body: ImportIn | None, key: bytes) -> StatedGroups:
    if body is None or not body.patients:
        return NOTHING_STATED
    files = [folder.resolve() / sha256 for sha256 in arrived(folder)]
    patients = tuple(body.patients.get(one.name, "") for one in files)
    return hashed(files, Stated(patients), key)
