"""The page of label rules: ask them, and look at what they found."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from overread.app.study import project_overview
from overread.app.study.label_board import label_board
from overread.errors import InputError
from overread.store import project_progress
from overread.web.access.forms import read_form, text_of
from overread.web.api.around import At, Who
from overread.web.label_rules import begin_label_check, found_by, label_checks
from overread.web.replies import go, page
from overread.web.schemas import Id


def label_rules_page(request: Request, project: Id, site: At) -> Response:
    """What the rules found last."""
    return _shown(request, site, project)


def _shown(
    request: Request, site: At, project: str, *, status: int = 200, error: Any = None
) -> Response:
    checks = label_checks(site, project)
    row = checks.latest
    board = None if row is None else label_board(site.store, project, found_by(site, row))
    return page(
        request,
        "label_rules.html.j2",
        status,
        project=project_overview.named(site.store, project),
        checks=checks,
        board=board,
        reads=project_progress(site.store, project).reads,
        error=error,
    )


async def begin(request: Request, project: Id, site: At, who: Who) -> Response:
    """Ask the rules, or stop asking."""
    form = await read_form(request)
    stop = text_of(form, "stop")

    def work() -> None:
        under_way = label_checks(site, project).under_way
        if stop:
            if under_way is not None and under_way.id == stop:
                under_way.stop.set()
        elif under_way is None:
            begin_label_check(site, project, str(uuid4()), by=who.id)

    try:
        await run_in_threadpool(work)
    except InputError as refused:
        told = {"title": "Not asked", "words": str(refused)}
        return await run_in_threadpool(_shown, request, site, project, status=422, error=told)
    return go(f"/projects/{project}/label-rules")
