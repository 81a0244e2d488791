"""The page of exports: what can be taken out, what is under way, what is ready."""

from __future__ import annotations

from typing import Any, cast
from uuid import uuid4

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from overread.app.study import project_overview
from overread.app.study.export_labels import FORMS, WHATS, forms_for
from overread.errors import InputError
from overread.web.access.forms import read_form, text_of
from overread.web.api.around import At, Who
from overread.web.exports import begin_export, export_value
from overread.web.replies import go, page
from overread.web.schemas import Id


def export_page(request: Request, project: Id, site: At) -> Response:
    """What can be taken out, and what was asked for."""
    return _shown(request, site, project)


def _shown(
    request: Request, site: At, project: str, *, status: int = 200, error: Any = None
) -> Response:
    return page(
        request,
        "export.html.j2",
        status,
        project=project_overview.named(site.store, project),
        forms=forms_for(site.store, project),
        exports=[export_value(one) for one in site.jobs.of(project, "export")],
        error=error,
    )


async def begin(request: Request, project: Id, site: At, who: Who) -> Response:
    """Begin an export."""
    form = await read_form(request)
    what, kind = text_of(form, "what"), text_of(form, "format")
    if what not in WHATS or kind not in FORMS:
        raise InputError("export", "be one of those on the page", "another")
    try:
        await run_in_threadpool(
            begin_export,
            site,
            project,
            str(uuid4()),
            what=cast("Any", what),
            form=cast("Any", kind),
            by=who.id,
            final=bool(text_of(form, "final")),
        )
    except InputError as refused:
        told = {"title": "Not exported", "words": str(refused)}
        return await run_in_threadpool(_shown, request, site, project, status=422, error=told)
    return go(f"/projects/{project}/export")
