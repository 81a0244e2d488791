"""A paused reader's own page: their worst cases beside what the others say together."""

from __future__ import annotations

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from overread.app.quality import feedback
from overread.app.study import next_tasks, project_overview
from overread.web.access.forms import read_form, text_of
from overread.web.api.around import At, Who
from overread.web.replies import go, page
from overread.web.schemas import Id


def feedback_page(request: Request, project: Id, site: At, who: Who) -> Response:
    """What is let out to me."""
    found = feedback.feedback_of(site.store, project, who.id, role=who.role)
    return page(
        request,
        "feedback.html.j2",
        project=project_overview.named(site.store, project),
        feedback=found,
        paused=next_tasks.why_paused(site.store, project, who.id),
    )


async def seen(request: Request, project: Id, site: At, who: Who) -> Response:
    """I have seen a case."""
    case = text_of(await read_form(request), "case", most=64)
    await run_in_threadpool(feedback.seen, site.store, project, case, who.id, role=who.role)
    return go(f"/projects/{project}/feedback#next")
