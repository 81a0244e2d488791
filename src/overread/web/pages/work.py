"""The lead's work in a project: readers' questions, tasks to move, repeats; each an event."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from random import Random
from typing import Any, Literal

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from overread.app.study import assign, case_browser, project_overview, project_readers
from overread.errors import InputError
from overread.store.errors import ConflictError, NotFoundError
from overread.store.work.repeats import DISTANCE
from overread.web.access.forms import read_form, text_of
from overread.web.api.around import At, Who
from overread.web.pages.account import local
from overread.web.replies import go, page
from overread.web.schemas import Before, Id

Shown = Literal["questions", "unreadable", "comments", "tasks", "repeats"]
_RAISED = {"questions": "ask_a_senior", "unreadable": "cannot_be_read", "comments": "comment"}


def work_page(
    request: Request, project: Id, site: At, show: Shown = "questions", before: Before | None = None
) -> Response:
    """One of the lists."""
    return _work(request, site, project, show=show, before=before)


def _work(
    request: Request,
    site: At,
    project: str,
    *,
    show: str,
    before: int | None = None,
    status: int = 200,
    error: Any = None,
) -> Response:
    counts = assign.raised_counts(site.store, project)
    lists: dict[str, Any] = {"raised": [], "work": None, "repeaters": []}
    if show in _RAISED:
        lists["raised"] = assign.raised(site.store, project, _RAISED[show], before=before)
    elif show == "tasks":
        lists["work"] = assign.assignment(site.store, project)
    else:
        lists["repeaters"] = assign.repeaters(site.store, project)
    return page(
        request,
        "work.html.j2",
        status,
        project=project_overview.named(site.store, project),
        show=show,
        counts={name: counts[what] for name, what in _RAISED.items()},
        readers=assign.readers(site.store, project),
        distance=DISTANCE,
        colours=case_browser.reader_colours(site.store, project),
        error=error,
        done=request.query_params.get("done", "")[:100],
        **lists,
    )


async def repeat(request: Request, project: Id, site: At, who: Who) -> Response:
    """Let a reader read some cases again."""
    form = await read_form(request)
    reader, count = text_of(form, "reader"), text_of(form, "count", most=9)
    number = int(count) if count.isdecimal() else 0
    said = text_of(form, "distance", most=9)
    distance = int(said) if said.isdecimal() else DISTANCE

    def work() -> None:
        random = Random(secrets.randbits(64))  # noqa: S311 - a draw of cases, no secret
        assign.repeat_reads(
            site.store, project, reader, number, by=who.id, random=random, distance=distance
        )

    return await _done(request, site, project, work, show="repeats", back="")


async def move(request: Request, task: Id, site: At, who: Who) -> Response:
    """Give a task to another reader, or to whoever comes."""
    form = await read_form(request)
    reader = text_of(form, "reader") or None
    return await _with(
        request,
        site,
        "task",
        task,
        lambda: assign.move(site.store, task, reader, by=who.id),
        show="tasks",
        back=text_of(form, "back"),
    )


async def free(request: Request, task: Id, site: At, who: Who) -> Response:
    """Take a task back from who does not go on with it."""
    form = await read_form(request)
    return await _with(
        request,
        site,
        "task",
        task,
        lambda: assign.free(site.store, task, by=who.id),
        show="tasks",
        back=text_of(form, "back"),
    )


async def one_more(request: Request, case: Id, site: At, who: Who) -> Response:
    """Ask for another read of a case."""
    form = await read_form(request)
    reader = text_of(form, "reader") or None
    return await _with(
        request,
        site,
        "case",
        case,
        lambda: assign.one_more_read(site.store, case, reader, by=who.id),
        show="questions",
        back=text_of(form, "back"),
    )


async def reply(request: Request, read: Id, site: At, who: Who) -> Response:
    """Answer what a reader raised."""
    form = await read_form(request)
    words = text_of(form, "words", most=4000).replace("\r\n", "\n")
    return await _with(
        request,
        site,
        "read",
        read,
        lambda: assign.reply(site.store, read, words, by=who.id),
        show="questions",
        back=text_of(form, "back"),
    )


async def _with(
    request: Request,
    site: At,
    what: str,
    key: str,
    work: Callable[[], None],
    *,
    show: str,
    back: str,
) -> Response:
    project = await run_in_threadpool(project_readers.project_with, site.store, what, key)
    return await _done(request, site, project, work, show=show, back=back)


async def _done(
    request: Request, site: At, project: str, work: Callable[[], None], *, show: str, back: str
) -> Response:
    try:
        await run_in_threadpool(work)
    except (InputError, ConflictError, NotFoundError) as error:
        status = 422 if isinstance(error, InputError) else 409
        told = {"title": "Not done", "words": str(error)}
        return await run_in_threadpool(
            lambda: _work(request, site, project, show=show, status=status, error=told)
        )
    return go(local(back) or f"/projects/{project}/work?show={show}&done=yes")
