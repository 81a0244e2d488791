"""The page of truthing reports: make one, look at it, take it home, check it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from overread.app.study import project_overview
from overread.errors import InputError
from overread.store import project_progress
from overread.web.access.forms import read_form, text_of
from overread.web.access.headers import POLICY
from overread.web.api.around import At, Who
from overread.web.replies import go, page
from overread.web.schemas import Id
from overread.web.truthings import begin_truthing, truthing_file, truthings

_FRAMED = POLICY + "; frame-src 'self'"
_REPORT = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)
"""A report carries its style in itself, runs nothing, and is shown in our own page."""


def truthing_page(request: Request, project: Id, site: At) -> Response:
    """Reports that were made; the newest is shown."""
    return _shown(request, site, project)


def _shown(
    request: Request, site: At, project: str, *, status: int = 200, error: Any = None
) -> Response:
    found = truthings(site, project)
    chosen = request.query_params.get("report", "")
    shown = next((one for one in found.kept if one.id == chosen), None)
    answer = page(
        request,
        "truthing.html.j2",
        status,
        project=project_overview.named(site.store, project),
        found=found,
        shown=shown or (found.kept[0] if found.kept else None),
        reads=project_progress(site.store, project).reads,
        error=error,
    )
    answer.headers["content-security-policy"] = _FRAMED
    return answer


async def begin(request: Request, project: Id, site: At, who: Who) -> Response:
    """Make a report, or stop the one under way."""
    form = await read_form(request)
    names, stop = bool(text_of(form, "names")), text_of(form, "stop")

    def work() -> None:
        under_way = truthings(site, project).under_way
        if stop:
            if under_way is not None and under_way.id == stop:
                under_way.stop.set()
        elif under_way is None:
            begin_truthing(site, project, str(uuid4()), names=names, by=who.id)

    try:
        await run_in_threadpool(work)
    except InputError as refused:
        told = {"title": "Not made", "words": str(refused)}
        return await run_in_threadpool(_shown, request, site, project, status=422, error=told)
    return go(f"/projects/{project}/truthing")


def shown(project: Id, report: Id, site: At) -> Response:
    """A kept report, as the page shows it."""
    _, content = truthing_file(site, project, report, "html")
    headers = {"content-security-policy": _REPORT, "x-frame-options": "SAMEORIGIN"}
    return Response(content, headers=headers, media_type="text/html")
