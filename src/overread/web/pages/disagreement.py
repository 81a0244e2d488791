"""The page of disagreement: which cases, classes and pairs, and what goes to adjudication."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from overread.app.quality import disagreement_board as disagreement
from overread.app.study import project_overview
from overread.errors import InputError
from overread.store import last_read
from overread.store.errors import NotFoundError
from overread.web.access.forms import read_form, text_of
from overread.web.api.around import At, Who
from overread.web.replies import go, page
from overread.web.schemas import Id

_Text = Annotated[str, Query(max_length=200)]


def disagreement_page(  # noqa: PLR0917 - a page's filters
    request: Request,
    project: Id,
    site: At,
    question: _Text = "",
    class_: Annotated[str, Query(alias="class", max_length=200)] = "",
    pair: _Text = "",
    group: _Text = "",
    least: Annotated[float, Query(ge=0, le=1e6)] = 0.0,
    after: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    sent: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """Disputed cases, the weightiest first, and what causes them."""
    asked = disagreement.Asked(question, class_, pair, group, least, after)
    return _shown(request, site, project, asked, sent=sent)


def _shown(  # noqa: PLR0917
    request: Request,
    site: At,
    project: str,
    asked: disagreement.Asked,
    sent: int = 0,
    error: Any = None,
) -> Response:
    model = site.models.of(site.store, project)
    version = model.until if model else last_read(site.store, project)[0]
    return page(
        request,
        "disagreement.html.j2",
        200 if error is None else 422,
        project=project_overview.named(site.store, project),
        board=disagreement.board(site.store, project, model, asked),
        asked=asked,
        version=version,
        sent=sent,
        error=error,
    )


async def send(request: Request, project: Id, site: At, who: Who) -> Response:
    """Send a case to adjudication, or all that the filters take."""
    form = await read_form(request)
    case, least = text_of(form, "case", most=64), text_of(form, "least", most=20) or "0"
    names = ("question", "class", "pair", "group")
    question, class_, pair, group = (text_of(form, name, most=200) for name in names)

    def work() -> int:
        asked = disagreement.Asked(question, class_, pair, group, _number(least))
        model = site.models.of(site.store, project)
        return disagreement.send(site.store, project, model, asked, by=who.id, case=case)

    try:
        count = await run_in_threadpool(work)
    except (InputError, NotFoundError) as refused:
        told = {"title": "Not sent", "words": str(refused)}
        asked = disagreement.Asked()
        return await run_in_threadpool(_shown, request, site, project, asked, 0, told)
    kept = request.url.include_query_params(sent=count).query
    return go(f"/projects/{project}/disagreement?{kept}")


def _number(text: str) -> float:
    try:
        found = float(text)
    except ValueError as error:
        raise InputError("doubt", "be a number", text) from error
    if not 0 <= found <= 1e6:
        raise InputError("doubt", "be 0 or more", text)
    return found
