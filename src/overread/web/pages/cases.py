"""The case browser and one case with all its reads."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import Request, Response

from overread.app.quality import adjudicate, gold_cases
from overread.app.study import assign, case_browser, case_pictures, project_overview
from overread.web.api.around import At, Who
from overread.web.replies import page
from overread.web.schemas import After, Find, Id

_PAGE = 60

State = Literal["", "unplanned", "open", "done"]
Sort = Literal["", "disputed"]


def cases(  # noqa: PLR0917 - the fields of its form
    request: Request,
    project: Id,
    site: At,
    after: After = 0,
    q: Find = "",
    state: State = "",
    flagged: Literal["", "yes"] = "",
    reader: Find = "",
    sort: Sort = "",
) -> Response:
    """A page of cases, by key and not by count: the last page is as quick as the first."""
    wanted = case_browser.Wanted(q, state, flagged == "yes", reader)
    model = site.models.of(site.store, project)
    of: dict[str, Any] = {"after": after, "limit": _PAGE, "wanted": wanted}
    if sort == "disputed":
        order = model.hardest() if model else []
        found = case_browser.disputed_page(site.store, project, order, **of)
    else:
        found = case_browser.case_page(site.store, project, **of)
    hard = {one.id: model.difficulty(one.id) for one in found.cases} if model else {}
    return page(
        request,
        "cases.html.j2",
        project=project_overview.named(site.store, project),
        cases=found.cases,
        difficulty=hard,
        modelled=model is not None and bool(model.hardest()),
        readers=assign.readers(site.store, project),
        next=found.next,
        after=after,
        asked={"q": q, "state": state, "flagged": flagged, "reader": reader, "sort": sort},
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
    before, behind = case_browser.neighbours(site.store, case)
    return page(
        request,
        "case.html.j2",
        project=project_overview.named(site.store, shown.project),
        case=values,
        frame=shown.image["frames"] // 2,
        before=before,
        behind=behind,
        readers=assign.readers(site.store, shown.project),
        **gold_cases.gold_choices(site.store, shown.project, case),
        done=request.query_params.get("done") == "yes",
        standard=adjudicate.standard_of(site.store, case),
    )
