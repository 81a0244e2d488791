"""The guideline and the atlas of a project, by page."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from overread.app.study import atlas as atlas_of
from overread.app.study import case_pictures, project_overview, project_protocol
from overread.errors import InputError
from overread.store.errors import ConflictError, NotFoundError
from overread.web.access.forms import check_csrf, read_form, text_of
from overread.web.access.roles import MEGA
from overread.web.api.around import At, Who
from overread.web.replies import go, page
from overread.web.schemas import Find, Id

MOST_BYTES = 64 * MEGA
_DRAWN = ("box", "instance", "mask")


def guideline_page(request: Request, project: Id, site: At) -> Response:
    """The guideline, to be written."""
    return _guideline(request, site, project)


async def guideline(request: Request, project: Id, site: At, who: Who) -> Response:
    """Keep another guideline."""
    form = await read_form(request)
    text, base = text_of(form, "guideline", most=110_000), _number(text_of(form, "base"))
    return await run_in_threadpool(
        _keep_guideline, request, site, project, text=text, base=base, by=who.id
    )


def _keep_guideline(
    request: Request, site: At, project: str, *, text: str, base: int, by: str
) -> Response:
    try:
        atlas_of.set_guideline(site.store, project, text, base=base, by=by)
    except (InputError, ConflictError) as error:
        return _guideline(request, site, project, text=text, status=_status(error), error=error)
    return go(f"/projects/{project}/guideline?saved=yes")


def _guideline(
    request: Request,
    site: At,
    project: str,
    *,
    text: str | None = None,
    status: int = 200,
    error: Exception | None = None,
) -> Response:
    now = project_protocol.protocol_of(site.store, project)
    return page(
        request,
        "guideline.html.j2",
        status,
        project=project_overview.named(site.store, project),
        version=now.version,
        text=now.protocol.guideline if text is None else text,
        saved=request.query_params.get("saved") == "yes",
        error=_told(error),
    )


def atlas_page(request: Request, project: Id, site: At, who: Who, case: Find = "") -> Response:
    """The atlas, and the form of a new entry; ``case`` is one to take the picture of."""
    if case:
        shown = case_pictures.shown(site.store, case, reader=who.id, role=who.role)
        if shown.project != project:
            raise NotFoundError("case", case)
    return _atlas(request, site, project, case=case)


async def add(request: Request, project: Id, site: At, who: Who) -> Response:
    """Put an entry into the atlas."""
    await run_in_threadpool(project_overview.named, site.store, project)
    async with request.form(max_files=1, max_fields=20) as form:
        check_csrf(request, form.get("csrf"))
        question, _, name = text_of(form, "about", most=200).partition("\t")
        entry = atlas_of.NewEntry(
            (question, name),
            text_of(form, "do") != "no",
            text_of(form, "why", most=2000).replace("\r\n", "\n"),
            text_of(form, "drawing", most=2_000_000),
        )
        file = form.get("image")
        return await run_in_threadpool(
            _add,
            request,
            site,
            project,
            entry=entry,
            file=file if isinstance(file, UploadFile) and file.size else None,
            case=(text_of(form, "case"), _number(text_of(form, "frame"))),
            base=_number(text_of(form, "base")),
            who=who,
        )


def _add(
    request: Request,
    site: At,
    project: str,
    *,
    entry: atlas_of.NewEntry,
    file: UploadFile | None,
    case: tuple[str, int],
    base: int,
    who: Who,
) -> Response:
    try:
        image = _picture(site, project, file, case, who)
        atlas_of.add_entry(site.store, project, entry, image, base=base, by=who.id)
    except (InputError, ConflictError) as error:
        status = _status(error)
        return _atlas(request, site, project, entry=entry, case=case[0], status=status, error=error)
    return go(f"/projects/{project}/atlas?saved=yes")


def _picture(
    site: At, project: str, file: UploadFile | None, case: tuple[str, int], who: Who
) -> atlas_of.Picture | None:
    if file is not None:
        folder = Path(tempfile.mkdtemp(prefix="overread-atlas-", dir=_place(site)))
        try:
            end = Path(file.filename or "").suffix.lower()
            kept = folder / f"picture{end if end[1:].isalnum() and len(end) <= 6 else ''}"
            with kept.open("wb") as to:
                shutil.copyfileobj(file.file, to)
            return atlas_of.keep_upload(site.blobs, kept, key=site.secret)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    if case[0]:
        shown = case_pictures.shown(site.store, case[0], reader=who.id, role=who.role)
        if shown.project == project:
            return atlas_of.keep_case(
                site.store, site.blobs, case[0], case[1], by=who.id, role=who.role
            )
    return None


def _place(site: At) -> Path | None:
    if site.upload_folder is not None:
        site.upload_folder.mkdir(parents=True, exist_ok=True)
    return site.upload_folder


async def remove(request: Request, project: Id, entry: Id, site: At, who: Who) -> Response:
    """Take an entry out of the atlas."""
    form = await read_form(request)
    base = _number(text_of(form, "base"))
    return await run_in_threadpool(_remove, request, site, project, entry, base=base, by=who.id)


def _remove(
    request: Request, site: At, project: str, entry: str, *, base: int, by: str
) -> Response:
    try:
        atlas_of.remove_entry(site.store, project, entry, base=base, by=by)
    except (InputError, ConflictError) as error:
        return _atlas(request, site, project, status=_status(error), error=error)
    return go(f"/projects/{project}/atlas?saved=yes")


def _atlas(
    request: Request,
    site: At,
    project: str,
    *,
    entry: atlas_of.NewEntry | None = None,
    case: str = "",
    status: int = 200,
    error: Exception | None = None,
) -> Response:
    now = project_protocol.protocol_of(site.store, project)
    return page(
        request,
        "atlas.html.j2",
        status,
        project=project_overview.named(site.store, project),
        version=now.version,
        protocol=now.protocol,
        kinds={
            one.id: str(one.kind) if one.kind in _DRAWN else "" for one in now.protocol.questions
        },
        entry=entry,
        case=case,
        saved=request.query_params.get("saved") == "yes",
        error=_told(error),
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _status(error: Exception) -> int:
    return 409 if isinstance(error, ConflictError) else 422


def _told(error: Exception | None) -> dict[str, Any] | None:
    if error is None:
        return None
    words = str(error)
    if isinstance(error, ConflictError):
        words += ". What you wrote is below; load the page anew to see the other version."
    return {"title": "Not saved", "words": words}
