"""The case browser and one case with all its reads."""

from __future__ import annotations

from fastapi import Request, Response

from overread.app import case_browser, case_pictures, project_overview
from overread.web.api.around import At, Who
from overread.web.replies import page
from overread.web.schemas import After, Find, Id

_PAGE = 60


def cases(request: Request, project: Id, site: At, after: After = 0, q: Find = "") -> Response:
    """A page of cases, by key and not by count: the last page is as quick as the first."""
    found = case_browser.case_page(site.store, project, after=after, limit=_PAGE, find=q)
    return page(
        request,
        "cases.html.j2",
        project=project_overview.named(site.store, project),
        cases=found.cases,
        next=found.next,
        after=after,
        q=q,
    )


def case(request: Request, case: Id, site: At, who: Who) -> Response:
    """One case; its script lays the reads over it."""
    shown = case_pictures.shown(site.store, case, reader=who.id, role=who.role)
    values = {
        "id": shown.id,
        "name": shown.name,
        "rows": shown.image["rows"],
        "columns": shown.image["columns"],
        "frames": shown.image["frames"],
        "words": case_browser.case_words(shown.image, shown.meta),
    }
    project = project_overview.named(site.store, shown.project)
    middle = shown.image["frames"] // 2
    return page(request, "case.html.j2", project=project, case=values, frame=middle)
