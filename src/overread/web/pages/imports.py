"""Bringing images in: uploads, or folders of the server that its owner opened for it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from overread.app.study import project_overview
from overread.app.study.import_upload import import_upload, quarantined_files
from overread.app.study.stated_groups import StatedGroups, stated_in_folder
from overread.errors import InputError
from overread.web.access.forms import check_csrf, read_form, text_of
from overread.web.api.around import At, Who
from overread.web.jobs import Job
from overread.web.patients import pattern_of, stated_of_names, stated_with_upload
from overread.web.replies import go, json_reply, page
from overread.web.schemas import Id

MOST_BYTES = 8 << 30
MOST_FILES = 20_000
_CHUNK = 1 << 20


def import_page(request: Request, project: Id, site: At) -> Response:
    """The forms, the import under way, and what was set aside."""
    return _shown(request, site, project)


def _shown(
    request: Request, site: At, project: str, *, status: int = 200, error: Any = None
) -> Response:
    jobs = site.jobs.of(project)
    words = ""
    if jobs:
        counts = ", ".join(f"{count} {name}" for name, count in jobs[0].counts.items())
        words = jobs[0].error or f"{'Done' if jobs[0].done else 'Under way'}. {counts}"
    return page(
        request,
        "import.html.j2",
        status,
        project=project_overview.named(site.store, project),
        job={"words": words, "done": jobs[0].done} if jobs else None,
        folders=_folders(site.import_root),
        most_files=MOST_FILES,
        most_gib=MOST_BYTES >> 30,
        quarantined=quarantined_files(site.store, project),
        error=error,
    )


def _folders(root: Path | None) -> list[str] | None:
    if root is None:
        return None
    names = sorted(one.name for one in root.iterdir() if one.is_dir() and not one.is_symlink())
    return names[:1000]


async def upload(request: Request, project: Id, site: At, who: Who) -> Response:
    """Keep the files aside, then import them."""
    await run_in_threadpool(project_overview.named, site.store, project)
    async with request.form(max_files=MOST_FILES, max_fields=10) as form:
        check_csrf(request, form.get("csrf"))
        files = [one for one in form.getlist("files") if isinstance(one, UploadFile)]
        files = [one for one in files if one.size]
        if not files:
            told = {"title": "Nothing to import", "words": "Choose files, or a whole folder."}
            return await run_in_threadpool(_shown, request, site, project, status=422, error=told)
        try:
            folder, stated = await run_in_threadpool(_keep, form, files, site)
        except InputError as error:
            return await run_in_threadpool(_refused, request, site, project, error)
    work = _importing(site, project, who.id, folder, stated, remove=True)
    return await run_in_threadpool(_begin, request, site, project, work, folder)


def _refused(request: Request, site: At, project: str, error: InputError) -> Response:
    told = {"title": "Not imported", "words": str(error)}
    return _shown(request, site, project, status=422, error=told)


def _keep(form: FormData, files: list[UploadFile], site: At) -> tuple[Path, StatedGroups]:
    """Files under numbers: names can name a patient, and a path in one could lead elsewhere."""
    place = site.upload_folder
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="overread-upload-", dir=place))
    try:
        named: list[tuple[Path, str]] = []
        for at, one in enumerate(files):
            end = "".join(Path(one.filename or "").suffixes[-2:]).lower()
            end = end if end.replace(".", "").isalnum() and len(end) <= 12 else ""
            named.append((folder / f"{at:06d}{end}", one.filename or ""))
            with named[-1][0].open("wb") as kept:
                shutil.copyfileobj(one.file, kept, _CHUNK)
        return folder, stated_with_upload(form, folder, named, site.secret)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


async def preview(request: Request, project: Id, site: At) -> Response:
    """How many patients a table and a pattern would make of the files that are chosen."""
    await run_in_threadpool(project_overview.named, site.store, project)
    async with request.form(max_files=2, max_fields=10) as form:
        check_csrf(request, form.get("csrf"))
        try:
            counts = await run_in_threadpool(_previewed, form, site)
        except InputError as error:
            return json_reply({"error": str(error)})
    return json_reply({"counts": counts})


def _previewed(form: FormData, site: At) -> Mapping[str, int]:
    name = text_of(form, "folder")
    if not name:
        return stated_of_names(form, site.upload_folder)
    if name not in (_folders(site.import_root) or []):
        raise InputError("folder", "be one of the list", "another")
    folder = cast("Path", site.import_root) / name
    return stated_in_folder(folder, site.secret, pattern=pattern_of(form)).counts


async def from_folder(request: Request, project: Id, site: At, who: Who) -> Response:
    """Import a folder of the server."""
    form = await read_form(request)
    name = text_of(form, "folder")
    if name not in (_folders(site.import_root) or []):
        told = {"title": "Not imported", "words": "Choose one of the folders in the list."}
        return await run_in_threadpool(_shown, request, site, project, status=422, error=told)
    folder = cast("Path", site.import_root) / name
    try:
        stated = await run_in_threadpool(
            stated_in_folder, folder, site.secret, pattern=pattern_of(form)
        )
    except InputError as error:
        return await run_in_threadpool(_refused, request, site, project, error)
    work = _importing(site, project, who.id, folder, stated, remove=False)
    return await run_in_threadpool(_begin, request, site, project, work, None)


def _begin(
    request: Request, site: At, project: str, work: Callable[[Job], None], kept: Path | None
) -> Response:
    try:
        project_overview.named(site.store, project)
        site.jobs.start(project, work)
    except InputError as error:
        if kept is not None:
            shutil.rmtree(kept, ignore_errors=True)
        told = {"title": "Not imported", "words": str(error)}
        return _shown(request, site, project, status=409, error=told)
    return go(f"/projects/{project}/import")


def _importing(
    site: At, project: str, by: str, folder: Path, stated: StatedGroups, *, remove: bool
) -> Callable[[Job], None]:
    def work(job: Job) -> None:
        try:
            import_upload(
                site.store,
                site.blobs,
                project,
                folder,
                by=by,
                key=site.secret,
                counts=job.counts,
                stop=job.stop.is_set,
                stated=stated,
            )
            site.learnings.wake(site.store, project)
        finally:
            if remove:
                shutil.rmtree(folder, ignore_errors=True)

    return work


async def stop(request: Request, project: Id, site: At) -> Response:
    """Stop an import after the case at hand."""
    await read_form(request)
    for job in site.jobs.of(project):
        job.stop.set()
    return go(f"/projects/{project}/import")


def imports(project: Id, site: At) -> Response:
    """How imports go."""
    project_overview.named(site.store, project)
    return json_reply({"imports": [job.told() for job in site.jobs.of(project)]})
