"""The pages of adjudication: what waits, and one case with its reads as A, B, C."""

from __future__ import annotations

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from overread.app.quality import adjudicate, adjudication_queue
from overread.app.study import case_browser, case_pictures, project_overview
from overread.store.errors import NotFoundError
from overread.web.access.forms import read_form, text_of
from overread.web.api.around import At, Who
from overread.web.replies import go, page
from overread.web.schemas import Id


def list_page(request: Request, project: Id, site: At, who: Who) -> Response:
    """What waits, and why."""
    adjudicate.require_senior(site.store, project, who.id, role=who.role)
    model = site.models.of(site.store, project)
    return page(
        request,
        "adjudication.html.j2",
        project=project_overview.named(site.store, project),
        queue=adjudication_queue.queue(site.store, project, who.id, model),
        leads=adjudicate.leads_here(site.store, project, who.id, role=who.role),
        done=request.query_params.get("done", "")[:20],
    )


def case_page(request: Request, project: Id, case: Id, site: At, who: Who) -> Response:
    """One case; its script opens the adjudication and lays the reads over the picture."""
    adjudicate.require_senior(site.store, project, who.id, role=who.role)
    shown = case_pictures.shown(site.store, case, reader=who.id, role=who.role)
    if shown.project != project:
        raise NotFoundError("case", case)
    model = site.models.of(site.store, project)
    waiting = adjudication_queue.queue(site.store, project, who.id, model)
    ahead = [one.case for one in waiting.waiting if one.case != case]
    return page(
        request,
        "adjudicate.html.j2",
        project=project_overview.named(site.store, project),
        case={
            "id": shown.id,
            "name": shown.name,
            "rows": shown.image["rows"],
            "columns": shown.image["columns"],
            "frames": shown.image["frames"],
            "words": case_browser.case_words(shown.image, shown.meta),
        },
        frame=shown.image["frames"] // 2,
        next=ahead[0] if ahead else None,
        left=len(ahead),
        leads=adjudicate.leads_here(site.store, project, who.id, role=who.role),
    )


async def withdraw(request: Request, case: Id, site: At, who: Who) -> Response:
    """Take the reference standard of a case back, with a reason."""
    form = await read_form(request)
    words = text_of(form, "words", most=4000)
    await run_in_threadpool(adjudicate.withdraw, site.store, case, words=words, by=who.id)
    return go(f"/cases/{case}?done=yes")
